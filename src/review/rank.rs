//! The hunks in the order in which they deserve eyes, and the last ten percent of them.
//!
//! A hunk's risk depends on what it does and on the verdicts that it has to do with, never on the hunks beside it:
//! adding boring hunks to a change leaves the order of the others alone. Size only breaks ties.

use std::collections::BTreeSet;

use crate::text::Language;
use crate::verdict::Level;

use super::contract::{CoverageState, Hunk, Lines};
use super::diff::Diff;
use super::material::{Options, Signal};
use super::risk::{Seen, table};
use super::settled;
use super::texture;

/// What the verdicts and the analysis say of hunks, by place in [`Diff::pieces`].
#[derive(Debug, Default)]
pub(super) struct Weighed {
    /// Causes of open introduced findings, with the level and headline.
    pub(super) causes: Vec<(usize, Level, String)>,
    /// Causes of open questions, whether the worst case has no bound, and the question.
    pub(super) questions: Vec<(usize, bool, String)>,
    /// Hunks by name of another signal, and what it saw.
    pub(super) others: Vec<(usize, &'static str, String)>,
}

/// Ranks the hunks of a change.
pub(super) fn ranked(
    diff: &Diff<'_>,
    weighed: &Weighed,
    signals: &[Signal],
    coverage: &[super::contract::Coverage],
    options: &Options,
) -> Vec<Hunk> {
    let (seen, is_judged) = seen(diff, weighed, signals, coverage, options);
    let mut hunks: Vec<Hunk> = seen
        .iter()
        .enumerate()
        .map(|(at, seen)| {
            // A comment that is wrong is not boring.
            let is_worth_it = is_judged[at] || seen.has("claim-contradicted");
            let sink = if is_worth_it { None } else { texture::sink(diff, at) };
            let (risk, reasons) = seen.risk(sink, &options.weights);
            let piece = &diff.pieces[at];
            Hunk {
                id: piece.id.clone(),
                path: diff.file(at).path().to_string(),
                before: lines(piece.lines.before),
                after: lines(piece.lines.after),
                function: piece.item.clone(),
                risk,
                rank: 0,
                highlighted: false,
                reasons,
            }
        })
        .collect();

    let order = reading_order(&hunks);
    for (rank, &at) in order.iter().enumerate() {
        hunks[at].rank = rank as u32 + 1;
    }
    for at in last_ten_percent(&hunks, &order, weighed) {
        hunks[at].highlighted = true;
    }
    hunks
}

/// What is seen of each hunk, and whether it causes a finding or a question.
fn seen(
    diff: &Diff<'_>,
    weighed: &Weighed,
    signals: &[Signal],
    coverage: &[super::contract::Coverage],
    options: &Options,
) -> (Vec<Seen>, Vec<bool>) {
    let mut seen = vec![Seen::default(); diff.pieces.len()];
    for (at, level, message) in &weighed.causes {
        seen[*at].note(cause_signal(*level), message);
    }
    for (at, unbounded, question) in &weighed.questions {
        seen[*at].note(if *unbounded { "open-question" } else { "open-question-short" }, question);
    }
    let is_judged: Vec<bool> = seen
        .iter()
        .map(|seen| {
            ["causes-error", "causes-warning", "causes-note", "open-question", "open-question-short"]
                .iter()
                .any(|name| seen.has(name))
        })
        .collect();
    for (at, name, text) in &weighed.others {
        seen[*at].note(name, text);
    }
    // Of several signals of one name the first is told; which one that is must not depend on how they were found.
    let mut signals: Vec<&Signal> = signals.iter().collect();
    signals.sort_by_key(|signal| (&signal.path, signal.side, signal.first, signal.name, &signal.text));
    for signal in signals {
        for at in diff.within(signal.side, &signal.path, signal.first, signal.last) {
            // The finding says it already.
            if signal.name != "damaged-code" || !is_judged[at] {
                seen[at].note(signal.name, &signal.text);
            }
        }
    }
    let unread: BTreeSet<&str> = coverage
        .iter()
        .filter(|row| row.state == CoverageState::NotAnalysed && row.function.is_none())
        .map(|row| row.path.as_str())
        .collect();
    for (at, seen) in seen.iter_mut().enumerate() {
        let path = diff.file(at).path();
        if Language::of_path(path).is_some() && !options.policy.is_excluded(path) {
            seen.note("changed-code", "");
            let settled = diff.change.past.as_ref().and_then(|past| settled::signal(past, diff.file(at)));
            if let Some((name, text)) = settled {
                seen.note(name, &text);
            }
            if unread.contains(&**path) {
                seen.note("not-analysed", "");
            }
        }
    }
    (seen, is_judged)
}

fn lines(range: crate::change::LineRange) -> Lines {
    Lines { start: range.start, count: range.count }
}

fn cause_signal(level: Level) -> &'static str {
    match level {
        Level::Error => "causes-error",
        Level::Warning => "causes-warning",
        Level::Note => "causes-note",
    }
}

fn changed(hunk: &Hunk) -> u32 {
    hunk.before.count + hunk.after.count
}

/// Hunks by risk; the larger first among equals, then by place.
fn reading_order(hunks: &[Hunk]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..hunks.len()).collect();
    let key = |at: usize| {
        let hunk = &hunks[at];
        (std::cmp::Reverse((hunk.risk, changed(hunk))), &hunk.path, at)
    };
    order.sort_by(|&one, &two| key(one).cmp(&key(two)));
    order
}

/// Every cause of an open introduced error or warning; then the riskiest of the rest that hold an open question or a
/// risk above the threshold and fit into a tenth of the hunks (rounded down, at least one) and a tenth of the changed lines.
///
/// One that does not fit by its lines is passed over, since a smaller one behind it may still fit.
fn last_ten_percent(hunks: &[Hunk], order: &[usize], weighed: &Weighed) -> BTreeSet<usize> {
    let loud = weighed.causes.iter().filter(|(_, level, _)| *level >= Level::Warning);
    let mut highlighted: BTreeSet<usize> = loud.map(|&(at, ..)| at).collect();
    let asked: BTreeSet<usize> = weighed.questions.iter().map(|&(at, ..)| at).collect();

    let most_hunks = (hunks.len() / 10).max(1);
    let most_lines = hunks.iter().map(changed).sum::<u32>() / 10;
    let mut used: u32 = highlighted.iter().map(|&at| changed(&hunks[at])).sum();
    for &at in order {
        if highlighted.len() >= most_hunks {
            break;
        }
        let is_worth_it = asked.contains(&at) || hunks[at].risk > table().threshold;
        if is_worth_it && !highlighted.contains(&at) && used + changed(&hunks[at]) <= most_lines {
            used += changed(&hunks[at]);
            highlighted.insert(at);
        }
    }
    highlighted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hunk(risk: u8, count: u32) -> Hunk {
        let lines = |count| Lines { start: 1, count };
        Hunk {
            id: String::new(),
            path: "a.py".into(),
            before: lines(0),
            after: lines(count),
            function: None,
            risk,
            rank: 0,
            highlighted: false,
            reasons: Vec::new(),
        }
    }

    fn highlighted(hunks: &[Hunk], weighed: &Weighed) -> Vec<usize> {
        last_ten_percent(hunks, &reading_order(hunks), weighed).into_iter().collect()
    }

    #[test]
    fn causes_are_highlighted_whatever_their_number() {
        let hunks: Vec<Hunk> = (0..5).map(|_| hunk(90, 30)).collect();
        let causes = (0..4).map(|at| (at, Level::Warning, String::new())).collect();
        assert_eq!(highlighted(&hunks, &Weighed { causes, ..Weighed::default() }), [0, 1, 2, 3]);
    }

    #[test]
    fn the_rest_keeps_to_a_tenth_of_hunks_and_lines() {
        let mut hunks: Vec<Hunk> = (0..30).map(|_| hunk(5, 10)).collect();
        hunks[3] = hunk(80, 40);
        hunks[4] = hunk(70, 12);
        hunks[5] = hunk(60, 12);
        hunks[6] = hunk(50, 9);
        // 343 lines: 34 fit. The riskiest does not fit, and the three behind it do.
        assert_eq!(highlighted(&hunks, &Weighed::default()), [4, 5, 6]);
    }

    #[test]
    fn nothing_is_highlighted_where_there_is_nothing_to_see() {
        let hunks: Vec<Hunk> = (0..20).map(|_| hunk(table().threshold, 1)).collect();
        assert!(highlighted(&hunks, &Weighed::default()).is_empty());
        let asked = Weighed { questions: vec![(7, true, String::new())], ..Weighed::default() };
        assert_eq!(highlighted(&hunks, &asked), [7]);
    }

    #[test]
    fn a_note_does_not_highlight_its_cause_by_itself() {
        let hunks: Vec<Hunk> = (0..20).map(|_| hunk(10, 1)).collect();
        let noted = Weighed { causes: vec![(2, Level::Note, String::new())], ..Weighed::default() };
        assert!(highlighted(&hunks, &noted).is_empty());
    }

    #[test]
    fn larger_hunks_come_first_among_equals() {
        let hunks = [hunk(10, 1), hunk(10, 5), hunk(20, 1)];
        assert_eq!(reading_order(&hunks), [2, 1, 0]);
    }
}
