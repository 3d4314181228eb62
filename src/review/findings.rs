//! Verdicts in the form of the contract: places as lines and columns, names as ids.

use std::collections::BTreeMap;

use crate::rules::{RuleInfo, Status as Maturity};
use crate::text::Side;
use crate::verdict::{self, Level, Stance, Verdict};

use super::causes::Blame;
use super::contract::{Confidence, Evidence, Finding, Hop, MOST_EVIDENCE, Origin, Position, Status};
use super::diff::Diff;
use super::ids;
use super::matching;
use super::material::Options;
use super::suppress::Acceptance;

/// A verdict of one side with what the comparison of the sides made of it.
#[derive(Debug)]
pub(super) struct Judged<'a> {
    pub(super) verdict: &'a Verdict,
    pub(super) rule: &'a RuleInfo,
    pub(super) side: Side,
    pub(super) origin: Origin,
    pub(super) level: Level,
    pub(super) blame: Blame,
    /// Its number among the verdicts of the same rule, file, function and subject.
    pub(super) ordinal: u32,
    /// Where else there is the same to mend.
    pub(super) again: Vec<Again<'a>>,
    /// Whether somebody has accepted it.
    pub(super) acceptance: Acceptance,
}

/// Another place of a finding.
#[derive(Debug)]
pub(super) struct Again<'a> {
    pub(super) verdict: &'a Verdict,
    /// Whether it is another part of one thing to mend, rather than another way to the place where that is done.
    pub(super) is_part: bool,
}

impl Again<'_> {
    fn note(&self) -> String {
        if self.is_part { format!("and so does {}", self.verdict.subject) } else { "and again here".to_owned() }
    }
}

impl Judged<'_> {
    /// What it is known by, whatever lines it stands on.
    pub(super) fn key(&self) -> [&str; 4] {
        [self.verdict.rule, &self.verdict.at.path, &self.verdict.function, &self.verdict.subject]
    }
}

/// How many functions speak for all that the same hunks lead to one place.
const MOST_ALIKE: usize = 3;

/// What is mended in one go is one finding. To mend a place mends every way that leads to it: so several ways of one
/// function to one place are one finding, and of many functions that the same hunks lead to one place, the first few speak
/// for the rest. And what a rule says are parts of one thing ([`Verdict::part_of`]) is one finding as well, such as three
/// short reads that a function would hand to one thread. Every other place is named in the finding.
///
/// Only findings of one origin go together, so that what the change adds is never hidden by what was there, and only those
/// of one standing, so that what is accepted in one place is not in another.
pub(super) fn merged(judged: Vec<Judged<'_>>) -> Vec<Judged<'_>> {
    of_many_functions(of_one_function(judged))
}

fn of_many_functions(judged: Vec<Judged<'_>>) -> Vec<Judged<'_>> {
    let mut kept: Vec<Judged<'_>> = Vec::new();
    let mut known: BTreeMap<_, (usize, usize)> = BTreeMap::new();
    for one in judged {
        let root = one.verdict.trace.last().map(|hop| &hop.at);
        let is_caused = !one.blame.causes.is_empty() && matches!(one.verdict.stance, Stance::Violated(_));
        let Some(root) = root.filter(|_| is_caused) else {
            kept.push(one);
            continue;
        };
        let kind = (one.origin, one.acceptance);
        let key = (one.verdict.rule, one.verdict.stance, root, kind, one.blame.causes.clone());
        let (count, last) = known.entry(key).or_default();
        *count += 1;
        if *count <= MOST_ALIKE {
            *last = kept.len();
            kept.push(one);
            continue;
        }
        let Some(into) = kept.get_mut(*last) else { continue };
        into.again.push(Again { verdict: one.verdict, is_part: false });
        into.again.extend(one.again);
        into.level = into.level.max(one.level);
    }
    kept
}

/// What makes two findings of one function one.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Bond<'a> {
    /// They are parts of this.
    Part(&'a str),
    /// They lead to this place.
    Way(&'a verdict::Location),
}

fn bond(verdict: &Verdict) -> Option<Bond<'_>> {
    if !matches!(verdict.stance, Stance::Violated(_)) {
        return None;
    }
    if !verdict.part_of.is_empty() {
        return Some(Bond::Part(&verdict.part_of));
    }
    verdict.trace.last().map(|hop| Bond::Way(&hop.at))
}

fn of_one_function(judged: Vec<Judged<'_>>) -> Vec<Judged<'_>> {
    let mut kept: Vec<Judged<'_>> = Vec::new();
    let mut firsts = BTreeMap::new();
    for one in judged {
        let Some(bond) = bond(one.verdict) else {
            kept.push(one);
            continue;
        };
        let is_part = matches!(bond, Bond::Part(_));
        let key = ([one.verdict.rule, &one.verdict.at.path, &one.verdict.function], one.verdict.stance, bond);
        let first = *firsts.entry((key, one.origin, one.acceptance)).or_insert(kept.len());
        match kept.get_mut(first) {
            Some(first) => join(first, one, is_part),
            None => kept.push(one),
        }
    }
    // A louder one comes before places that stand above it.
    for one in kept.iter_mut().filter(|one| one.again.len() > 1) {
        one.again.sort_by(|one, two| one.verdict.at.cmp(&two.verdict.at));
    }
    kept
}

/// Makes two findings one, which speaks at the place of the louder one, or else of the first.
fn join<'a>(first: &mut Judged<'a>, mut other: Judged<'a>, is_part: bool) {
    if is_part && other.level > first.level {
        std::mem::swap(first, &mut other);
    }
    first.level = first.level.max(other.level);
    first.again.push(Again { verdict: other.verdict, is_part });
    first.again.append(&mut other.again);
    for (into, more) in
        [(&mut first.blame.causes, &other.blame.causes), (&mut first.blame.context, &other.blame.context)]
    {
        into.extend(more);
        into.sort_unstable();
        into.dedup();
    }
    let causes = &first.blame.causes;
    first.blame.context.retain(|hunk| !causes.contains(hunk));
}

/// Numbers equal verdicts of a side in the order of their places. Those that are findings and that nobody has accepted in
/// the code come first: by these numbers a baseline names what it hides, and it hides nothing else.
pub(super) fn ordinals(verdicts: &[Verdict], acceptances: &[Acceptance]) -> Vec<u32> {
    let is_open = |at: usize| acceptances[at] == Acceptance::Open && matches!(verdicts[at].stance, Stance::Violated(_));
    let mut order: Vec<usize> = (0..verdicts.len()).collect();
    order.sort_by(|&one, &two| {
        is_open(two).cmp(&is_open(one)).then_with(|| matching::canonical(&verdicts[one], &verdicts[two]))
    });
    let mut counts = BTreeMap::<(&str, &str, &str, &str), u32>::new();
    let mut ordinals = vec![0; verdicts.len()];
    for at in order {
        let one = &verdicts[at];
        let count = counts.entry((one.rule, &one.at.path, &one.function, &one.subject)).or_default();
        ordinals[at] = *count;
        *count += 1;
    }
    ordinals
}

/// What a finding is known by, for baselines and hosts.
pub(super) fn fingerprint(verdict: &Verdict, ordinal: u32) -> String {
    ids::fingerprint(&[verdict.rule, &verdict.at.path, &verdict.function, &verdict.subject, &ordinal.to_string()])
}

/// A violated verdict as a finding; `None` for the other stances.
pub(super) fn finding(diff: &Diff<'_>, judged: &Judged<'_>, options: &Options) -> Option<Finding> {
    let Stance::Violated(confidence) = judged.verdict.stance else { return None };
    let verdict = judged.verdict;
    let (start, end) = diff.sources.positions(judged.side, &verdict.at);
    let (mut evidence, mut trace) = evidence_and_trace(diff, judged);
    let shown = MOST_EVIDENCE - evidence.len();
    for (nth, again) in judged.again.iter().enumerate() {
        let (start, end) = diff.sources.positions(judged.side, &again.verdict.at);
        let path = again.verdict.at.path.to_string();
        let mut note = again.note();
        if nth >= shown {
            trace.push(Hop { function: again.verdict.function.clone(), path, line: start.line, what: note });
            continue;
        }
        match judged.again.len() - nth - 1 {
            1 if nth + 1 == shown => note += ", and at one more place",
            others @ 2.. if nth + 1 == shown => note += &format!(", and at {others} more places"),
            _ => {}
        }
        evidence.push(Evidence { side: judged.side, path, start, end, note });
    }
    if judged.side == Side::After && evidence.len() < MOST_EVIDENCE {
        evidence.extend(judged.blame.causes.iter().find_map(|&at| removed(diff, at)));
    }
    let ordinal = judged.ordinal.to_string();
    let [rule, path, function, subject] = judged.key();
    let key = [rule, path, function, subject, ordinal.as_str()];
    let gating = judged.origin == Origin::Introduced
        && judged.rule.status == Maturity::Stable
        && options.fail_on.is_some_and(|least| judged.level >= least)
        && match judged.acceptance {
            Acceptance::Open => true,
            Acceptance::Accepted => options.is_pull_request && !options.accepts_new_suppressions,
            Acceptance::Suppressed | Acceptance::Baselined => false,
        };
    Some(Finding {
        id: ids::id('f', &key),
        rule: rule.to_owned(),
        family: judged.rule.family,
        severity: judged.level,
        confidence: match confidence {
            verdict::Confidence::Medium => Confidence::Medium,
            verdict::Confidence::High => Confidence::High,
        },
        origin: judged.origin,
        status: if judged.acceptance == Acceptance::Open { Status::Open } else { Status::Accepted },
        gating,
        message: if verdict.message.is_empty() { &verdict.assumption } else { &verdict.message }.clone(),
        help: verdict.help.clone(),
        suggestion: None,
        path: path.to_owned(),
        start,
        end,
        function: function.to_owned(),
        evidence,
        trace,
        causes: hunk_ids(diff, &judged.blame.causes),
        context: hunk_ids(diff, &judged.blame.context),
        fingerprint: fingerprint(verdict, judged.ordinal),
    })
}

/// What a hunk that only removes took away: the after side has nothing to show there.
fn removed(diff: &Diff<'_>, hunk: usize) -> Option<Evidence> {
    let lines = diff.lines_of(hunk, Side::Before);
    if diff.lines_of(hunk, Side::After).count > 0 {
        return None;
    }
    let path = &diff.file(hunk).before.as_ref()?.path;
    let source = diff.sources.get(Side::Before, path)?;
    let line = (lines.first()..lines.end()).find(|&line| !source.line(line).trim().is_empty())?;
    let text = source.line(line);
    let indent = text.chars().take_while(|letter| letter.is_whitespace()).count() as u32;
    let end = text.trim_end().chars().count() as u32;
    let at = |column| Position { line, column: column + 1 };
    let note = "the change removed this".to_owned();
    Some(Evidence { side: Side::Before, path: path.to_string(), start: at(indent), end: at(end), note })
}

/// The ids of hunks.
pub(super) fn hunk_ids(diff: &Diff<'_>, hunks: &[usize]) -> Vec<String> {
    hunks.iter().map(|&at| diff.pieces[at].id.clone()).collect()
}

/// The first pieces of evidence, and the trace with the rest of them.
pub(super) fn evidence_and_trace(diff: &Diff<'_>, judged: &Judged<'_>) -> (Vec<Evidence>, Vec<Hop>) {
    let verdict = judged.verdict;
    let line = |at| diff.sources.positions(judged.side, at).0.line;
    let evidence = verdict.evidence.iter().take(MOST_EVIDENCE).map(|piece| {
        let (start, end) = diff.sources.positions(judged.side, &piece.at);
        Evidence { side: judged.side, path: piece.at.path.to_string(), start, end, note: piece.note.clone() }
    });
    let hops = verdict.trace.iter().map(|hop| Hop {
        function: hop.function.clone(),
        path: hop.at.path.to_string(),
        line: line(&hop.at),
        what: hop.what.clone(),
    });
    let rest = verdict.evidence.iter().skip(MOST_EVIDENCE).map(|piece| {
        let line = line(&piece.at);
        let function = diff.function_at(judged.side, &piece.at.path, line).map(|item| item.name.clone());
        Hop { function: function.unwrap_or_default(), path: piece.at.path.to_string(), line, what: piece.note.clone() }
    });
    (evidence.collect(), hops.chain(rest).collect())
}

/// Findings as they are read: the change's own first, the loudest and surest first, then by place.
pub(super) fn sort(findings: &mut [Finding]) {
    findings.sort_by(|one, two| {
        let key = |finding: &Finding| (finding.origin, std::cmp::Reverse((finding.severity, finding.confidence)));
        key(one).cmp(&key(two)).then_with(|| place(one).cmp(&place(two)))
    });
}

/// The order of findings in a file, and of files.
pub(super) fn place(finding: &Finding) -> (&str, u32, u32, &str, &str) {
    (&finding.path, finding.start.line, finding.start.column, &finding.rule, &finding.id)
}
