//! The assumption checklist: what the change takes for granted, one line each.
//!
//! Verdicts of one rule about one subject in one function are one line, however many places share it: ten awaits under
//! one lock are one question. The places after the first become evidence, and what does not fit becomes trace, so that
//! merging hides nothing.
//!
//! A question is asked only if the change causes it within the functions that it is about, and if the bad answer would
//! be a warning at least. Nothing is cut for length; the order says what matters most.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::verdict::{self, Level, Stake};

use super::contract::{Assumption, Evidence, Finding, Hop, Hunk, MOST_EVIDENCE, Origin, Stance};
use super::diff::Diff;
use super::findings::{Judged, evidence_and_trace, hunk_ids};
use super::ids;
use super::matching;
use super::suppress::Acceptance;

/// Whether the reviewer is asked about a verdict.
pub(super) fn is_question(judged: &Judged<'_>) -> bool {
    judged.acceptance == Acceptance::Open && would_be_asked(judged)
}

/// Whether the reviewer would be asked about a verdict that somebody has accepted.
pub(super) fn is_accepted_question(judged: &Judged<'_>) -> bool {
    judged.acceptance != Acceptance::Open && would_be_asked(judged)
}

fn would_be_asked(judged: &Judged<'_>) -> bool {
    judged.verdict.stance == verdict::Stance::Unproven
        && judged.origin == Origin::Introduced
        && judged.blame.is_near
        && judged.level >= Level::Warning
}

/// Whether a verdict says that an assumption holds which the change makes or touches.
pub(super) fn is_upheld_here(diff: &Diff<'_>, judged: &Judged<'_>) -> bool {
    judged.verdict.stance == verdict::Stance::Upheld
        && (judged.origin == Origin::Introduced || matching::is_touched(diff, judged.verdict))
}

/// The checklist of these verdicts: violated ones first, then open questions by stake and risk, then upheld ones.
pub(super) fn checklist(
    diff: &Diff<'_>,
    judged: &[&Judged<'_>],
    findings: &[Finding],
    hunks: &[Hunk],
) -> Vec<Assumption> {
    let mut groups = BTreeMap::<(Stance, &str, [&str; 4]), Vec<&Judged<'_>>>::new();
    let mut judged = judged.to_vec();
    judged.sort_by(|one, two| matching::canonical(one.verdict, two.verdict));
    for one in judged {
        groups.entry((stance(one), word(one.verdict.stance), one.key())).or_default().push(one);
    }
    let mut lines: Vec<(Weight, Assumption)> =
        groups.into_values().map(|group| (weight(&group, hunks), merged(diff, &group, findings))).collect();
    let place = |line: &Assumption| (line.path.clone(), line.start.line, line.start.column, line.id.clone());
    lines.sort_by_cached_key(|(weight, line)| (line.stance, Reverse(*weight), place(line)));
    lines.into_iter().map(|(_, line)| line).collect()
}

/// How much an answer matters: the worst case's length, then the risk of the hunks.
type Weight = (Stake, u8);

fn weight(group: &[&Judged<'_>], hunks: &[Hunk]) -> Weight {
    // No stake means that the rule does not grade it: as bad as it gets.
    let stake = group.iter().map(|one| one.verdict.stake.unwrap_or(Stake::Unbounded)).max().unwrap_or(Stake::Unbounded);
    let risk = group.iter().flat_map(|one| &one.blame.causes).map(|&at| hunks[at].risk).max().unwrap_or(0);
    (stake, risk)
}

/// One line for verdicts of one key; the first by place speaks for all.
fn merged(diff: &Diff<'_>, group: &[&Judged<'_>], findings: &[Finding]) -> Assumption {
    let (first, others) = (group[0], &group[1..]);
    let stance = stance(first);
    let (mut evidence, mut trace) = evidence_and_trace(diff, first);
    for other in others {
        let (start, end) = diff.sources.positions(other.side, &other.verdict.at);
        let path = other.verdict.at.path.to_string();
        let note = "the same here".to_owned();
        if evidence.len() < MOST_EVIDENCE {
            evidence.push(Evidence { side: other.side, path, start, end, note });
        } else {
            trace.push(Hop { function: other.verdict.function.clone(), path, line: start.line, what: note });
        }
    }
    let mut hunks: Vec<usize> = group.iter().flat_map(|one| one.blame.causes.iter().copied()).collect();
    hunks.sort_unstable();
    hunks.dedup();

    let verdict = first.verdict;
    let (start, end) = diff.sources.positions(first.side, &verdict.at);
    let [rule, path, function, subject] = first.key();
    let ordinal = first.ordinal.to_string();
    let finding_id = ids::id('f', &[rule, path, function, subject, &ordinal]);
    Assumption {
        id: id(first),
        rule: rule.to_owned(),
        family: first.rule.family,
        stance,
        text: if verdict.assumption.is_empty() { &first.rule.assumption } else { &verdict.assumption }.clone(),
        question: match stance {
            Stance::Unproven => sentence(&verdict.question),
            Stance::Violated | Stance::Upheld | Stance::Accepted => String::new(),
        },
        path: path.to_owned(),
        start,
        end,
        evidence,
        trace,
        hunks: hunk_ids(diff, &hunks),
        finding: findings.iter().find(|finding| finding.id == finding_id).map(|finding| finding.id.clone()),
    }
}

/// A question as a sentence of its own.
fn sentence(question: &str) -> String {
    let mut letters = question.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The id of the line that a verdict is part of.
pub(super) fn id(judged: &Judged<'_>) -> String {
    let [rule, path, function, subject] = judged.key();
    ids::id('a', &[rule, path, function, subject, word(judged.verdict.stance)])
}

fn stance(judged: &Judged<'_>) -> Stance {
    match judged.verdict.stance {
        verdict::Stance::Upheld => Stance::Upheld,
        _ if judged.acceptance != Acceptance::Open => Stance::Accepted,
        verdict::Stance::Violated(_) => Stance::Violated,
        verdict::Stance::Unproven => Stance::Unproven,
    }
}

fn word(stance: verdict::Stance) -> &'static str {
    match stance {
        verdict::Stance::Violated(_) => "violated",
        verdict::Stance::Unproven => "unproven",
        verdict::Stance::Upheld => "upheld",
    }
}
