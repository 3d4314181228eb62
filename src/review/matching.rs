//! Which verdict of the one side is which of the other.
//!
//! Both sides are multisets; each verdict meets at most one of the other side, in stages from the surest to the
//! weakest sign that they speak of one thing:
//!
//! 1. the same rule and subject at the same unchanged line;
//! 2. the same rule, subject and function in the same file, wherever in it;
//! 3. the same rule and subject in a function of the same last name, both on changed lines, where the one function is
//!    gone and the other is new: code that moved.
//!
//! What is left is introduced (after) or fixed (before). Stances do not count for the match but only for what follows
//! from it; among equals, the one with the same stance is taken first.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::text::Side;
use crate::verdict::{Stance, Verdict};

use super::contract::Origin;
use super::diff::Diff;

/// Every verdict's partner on the other side.
#[derive(Debug)]
pub(super) struct Matched {
    /// For each verdict of the before side.
    pub(super) before: Vec<Option<usize>>,
    /// For each verdict of the after side.
    pub(super) after: Vec<Option<usize>>,
}

/// Matches the verdicts of the two sides.
pub(super) fn matched(diff: &Diff<'_>, before: &[Verdict], after: &[Verdict]) -> Matched {
    let mut matched = Matched { before: vec![None; before.len()], after: vec![None; after.len()] };
    let line = |side, verdict: &Verdict| diff.sources.lines(side, &verdict.at).0;

    let mut stage = |left: &dyn Fn(&Verdict) -> Option<Key>, right: &dyn Fn(&Verdict) -> Option<Key>| {
        let mut waiting = BTreeMap::<Key, Vec<usize>>::new();
        for at in in_order(before).filter(|&at| matched.before[at].is_none()) {
            if let Some(key) = left(&before[at]) {
                waiting.entry(key).or_default().push(at);
            }
        }
        // Partners of one stance meet before any others, or a new violation beside an old question would take its place.
        for same_stance in [true, false] {
            for at in in_order(after) {
                if matched.after[at].is_some() {
                    continue;
                }
                let Some(candidates) = right(&after[at]).and_then(|key| waiting.get_mut(&key)) else { continue };
                let fits = |&other: &usize| !same_stance || kind(before[other].stance) == kind(after[at].stance);
                let Some(found) = candidates.iter().position(fits) else { continue };
                let partner = candidates.remove(found);
                matched.before[partner] = Some(at);
                matched.after[at] = Some(partner);
            }
        }
    };

    // The same unchanged line.
    stage(&|one| Some(key(one, one.at.path.clone(), line(Side::Before, one), "")), &|two| {
        let there = line(Side::After, two);
        let (path, there) = match diff.file_at(Side::After, &two.at.path) {
            Some(file) => (file.before.as_ref()?.path.clone(), file.line_map.before_of(there)?),
            None => (two.at.path.clone(), there),
        };
        Some(key(two, path, there, ""))
    });

    // The same function of the same file. A file that moved gives its functions another qualified name.
    let function = |side, verdict: &'_ Verdict| {
        let file = diff.file_at(side, &verdict.at.path);
        let moved = file.is_some_and(|file| match (&file.before, &file.after) {
            (Some(before), Some(after)) => before.path != after.path,
            (None, _) | (_, None) => false,
        });
        let path = file.map_or(&verdict.at.path, |file| file.path()).clone();
        let name = if moved { last_name(&verdict.function) } else { &verdict.function };
        Some(key(verdict, path, 0, name))
    };
    stage(&|one| function(Side::Before, one), &|two| function(Side::After, two));

    // Code that moved. Both ends have to be changed lines, and neither function may stand on both sides, or a fix here
    // would excuse a new fault there.
    let moved = |side, verdict: &'_ Verdict| {
        diff.holding(side, &verdict.at).next()?;
        (!verdict.function.is_empty() && !stays(diff, side, verdict))
            .then(|| key(verdict, "".into(), 0, last_name(&verdict.function)))
    };
    stage(&|one| moved(Side::Before, one), &|two| moved(Side::After, two));
    matched
}

/// Whether the function around a verdict's place is in its file on the other side as well; the file itself, where there is
/// no function.
fn stays(diff: &Diff<'_>, side: Side, verdict: &Verdict) -> bool {
    let path = &verdict.at.path;
    let other = side.other();
    let Some(there) = diff.file_at(side, path).and_then(|file| file.side(other)) else { return false };
    let (line, _) = diff.sources.lines(side, &verdict.at);
    let Some(function) = diff.function_at(side, path, line) else { return true };
    let is_it = |name: &str| {
        if there.path == *path { name == function.name } else { last_name(name) == last_name(&function.name) }
    };
    diff.functions(other, &there.path).any(|item| is_it(&item.name))
}

/// What the change has to do with a verdict of the after side.
pub(super) fn origin(diff: &Diff<'_>, verdict: &Verdict, partner: Option<&Verdict>) -> Origin {
    let Some(partner) = partner else { return Origin::Introduced };
    if is_worse(partner, verdict) {
        Origin::Introduced
    } else if is_touched(diff, verdict) {
        Origin::Reached
    } else {
        Origin::Existing
    }
}

/// Whether a place of the verdict stands on a changed line.
pub(super) fn is_touched(diff: &Diff<'_>, verdict: &Verdict) -> bool {
    verdict.places().any(|place| diff.holding(Side::After, place).next().is_some())
}

/// The part of a qualified name behind its last separator.
pub(super) fn last_name(function: &str) -> &str {
    function.rsplit(['.', ':']).next().unwrap_or(function)
}

/// Whether the change made of the one the other, and that is worse.
fn is_worse(before: &Verdict, after: &Verdict) -> bool {
    match (kind(before.stance), kind(after.stance)) {
        (Kind::Violated, Kind::Violated) => {
            // What one side does not grade cannot have grown.
            let stake = before.stake.zip(after.stake).is_some_and(|(before, after)| after > before);
            let level = before.level.zip(after.level).is_some_and(|(before, after)| after > before);
            stake || level
        }
        (Kind::Unproven | Kind::Upheld, Kind::Violated) | (Kind::Upheld, Kind::Unproven) => true,
        (_, Kind::Upheld) | (Kind::Violated | Kind::Unproven, Kind::Unproven) => false,
    }
}

type Key = (&'static str, String, Arc<str>, u32, String);

fn key(verdict: &Verdict, path: Arc<str>, line: u32, function: &str) -> Key {
    (verdict.rule, verdict.subject.clone(), path, line, function.to_owned())
}

#[derive(PartialEq, Eq)]
enum Kind {
    Violated,
    Unproven,
    Upheld,
}

fn kind(stance: Stance) -> Kind {
    match stance {
        Stance::Violated(_) => Kind::Violated,
        Stance::Unproven => Kind::Unproven,
        Stance::Upheld => Kind::Upheld,
    }
}

/// The verdicts by place, so that the order in which they were found is invisible.
fn in_order(verdicts: &[Verdict]) -> impl Iterator<Item = usize> {
    let mut order: Vec<usize> = (0..verdicts.len()).collect();
    order.sort_by(|&one, &two| canonical(&verdicts[one], &verdicts[two]));
    order.into_iter()
}

/// The canonical order of verdicts of one side.
pub(super) fn canonical(one: &Verdict, two: &Verdict) -> std::cmp::Ordering {
    let key = |verdict: &Verdict| (verdict.at.clone(), verdict.rule, verdict.subject.clone(), verdict.stance);
    key(one).cmp(&key(two)).then_with(|| one.evidence.cmp(&two.evidence)).then_with(|| one.trace.cmp(&two.trace))
}
