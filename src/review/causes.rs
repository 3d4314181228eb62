//! Why an introduced verdict is there: the hunks without which it would not be.
//!
//! Where a place of the verdict stands on a line of the after side that changed, the hunks that hold such places are
//! the causes. A verdict none of whose places changed came about by what is *not* there any more, or by what surrounds
//! it; it is looked for in this order, and the first that gives anything wins:
//!
//! 1. where the before side said that the assumption held or was open: the hunks that took its evidence away;
//! 2. the header of a function of the verdict that became async, or ceased to be;
//! 3. the removal nearest to a place of the verdict, within the functions of its places;
//! 4. any change within those functions;
//! 5. changes outside of functions in the files of its places (imports, types, globals), those first that name the
//!    subject;
//! 6. any change of those files, then any change at all that names the subject, then the first one.
//!
//! Whatever else changed, a hunk that took away what upheld the assumption before is a cause as well.
//!
//! Context is every other hunk that overlaps a function on the trace.

use std::collections::BTreeSet;

use crate::text::Side;
use crate::verdict::{Location, Stance, Verdict};

use super::diff::Diff;
use super::matching::last_name;
use super::material::ItemRange;

/// Hunks by what they have to do with a verdict, in path order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Blame {
    pub(super) causes: Vec<usize>,
    pub(super) context: Vec<usize>,
    /// Whether the causes lie within the functions of the verdict, and are not the best guess outside of them.
    pub(super) is_near: bool,
}

/// The causes of an introduced verdict, and its context.
pub(super) fn of_introduced(diff: &Diff<'_>, verdict: &Verdict, partner: Option<&Verdict>) -> Blame {
    let held: BTreeSet<usize> = verdict.places().flat_map(|place| diff.holding(Side::After, place)).collect();
    let (mut causes, is_near) =
        if held.is_empty() { without_a_changed_place(diff, verdict, partner) } else { (held, true) };
    // What made the assumption hold before is a cause when it goes, whatever else changed.
    if let Some(partner) = partner.filter(|partner| partner.stance == Stance::Upheld) {
        causes.extend(partner.places().flat_map(|place| diff.holding(Side::Before, place)));
    }
    let context = surrounding(diff, verdict).difference(&causes).copied().collect();
    Blame { causes: causes.into_iter().collect(), context, is_near }
}

/// What the change has to do with a verdict that it did not introduce: context only.
pub(super) fn of_others(diff: &Diff<'_>, verdict: &Verdict) -> Blame {
    Blame { causes: Vec::new(), context: surrounding(diff, verdict).into_iter().collect(), is_near: true }
}

/// The hunks that did away with a verdict of the before side.
pub(super) fn of_fixed(diff: &Diff<'_>, verdict: &Verdict) -> Blame {
    let held: BTreeSet<usize> = verdict.places().flat_map(|place| diff.holding(Side::Before, place)).collect();
    let around = functions(diff, Side::Before, verdict).into_iter();
    let around: BTreeSet<usize> =
        around.flat_map(|item| diff.within(Side::Before, &item.path, item.first, item.last)).collect();
    if held.is_empty() {
        return Blame { causes: around.into_iter().collect(), context: Vec::new(), is_near: true };
    }
    let context = around.difference(&held).copied().collect();
    Blame { causes: held.into_iter().collect(), context, is_near: true }
}

fn without_a_changed_place(diff: &Diff<'_>, verdict: &Verdict, partner: Option<&Verdict>) -> (BTreeSet<usize>, bool) {
    /// How many of the stages below stay within the functions of the verdict.
    const NEAR: usize = 4;
    let gone = |partner: &Verdict| -> BTreeSet<usize> {
        partner.places().flat_map(|place| diff.holding(Side::Before, place)).collect()
    };
    let functions = functions(diff, Side::After, verdict);
    let stages: [&dyn Fn() -> BTreeSet<usize>; 7] = [
        &|| partner.map(gone).unwrap_or_default(),
        &|| functions.iter().filter_map(|item| recoloured(diff, item)).collect(),
        &|| nearest_removal(diff, verdict, &functions).into_iter().collect(),
        &|| functions.iter().flat_map(|item| inside(diff, item)).collect(),
        &|| outside_of_functions(diff, verdict),
        &|| verdict.places().flat_map(|place| diff.hunks_of(Side::After, &place.path)).collect(),
        &|| naming(diff, verdict, 0..diff.pieces.len()),
    ];
    for (number, stage) in stages.iter().enumerate() {
        let found = stage();
        if !found.is_empty() {
            return (found, number < NEAR);
        }
    }
    ((0..diff.pieces.len().min(1)).collect(), false)
}

/// The hunks that overlap the functions of a verdict.
fn surrounding(diff: &Diff<'_>, verdict: &Verdict) -> BTreeSet<usize> {
    functions(diff, Side::After, verdict).into_iter().flat_map(|item| inside(diff, item)).collect()
}

/// The hunks of a function. What was removed at its very end stands behind its last line on the after side, and is known
/// by the function it was in.
fn inside(diff: &Diff<'_>, item: &ItemRange) -> BTreeSet<usize> {
    let overlapping = diff.within(item.side, &item.path, item.first, item.last);
    let named = diff.hunks_of(item.side, &item.path).filter(|&at| diff.pieces[at].item.as_ref() == Some(&item.name));
    overlapping.chain(named).collect()
}

/// The innermost functions around the places of a verdict, the primary place's first.
fn functions<'a>(diff: &Diff<'a>, side: Side, verdict: &Verdict) -> Vec<&'a ItemRange> {
    let mut functions: Vec<&ItemRange> = Vec::new();
    for place in verdict.places() {
        if let Some(item) = diff.function_at(side, &place.path, diff.sources.lines(side, place).0)
            && !functions.contains(&item)
        {
            functions.push(item);
        }
    }
    functions
}

/// The hunk on a function's header that made it async or plain. `async` is a word of both languages.
fn recoloured(diff: &Diff<'_>, item: &ItemRange) -> Option<usize> {
    let is_async = |text: &str| {
        let mut words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        words.any(|word| word == "async")
    };
    let name = last_name(&item.name);
    let header = |text: &str| text.lines().find(|line| line.contains(name)).map(is_async);
    inside(diff, item).into_iter().find(|&at| {
        let (before, after) = (diff.text(at, Side::Before), diff.text(at, Side::After));
        matches!((header(&before), header(&after)), (Some(before), Some(after)) if before != after)
    })
}

/// The hunk with removed lines that stands nearest to a place of the verdict in the same function.
fn nearest_removal(diff: &Diff<'_>, verdict: &Verdict, functions: &[&ItemRange]) -> Option<usize> {
    let places: Vec<(&Location, u32)> =
        verdict.places().map(|place| (place, diff.sources.lines(Side::After, place).0)).collect();
    let removals = functions.iter().flat_map(|item| {
        let removals = inside(diff, item).into_iter().filter(|&at| diff.lines_of(at, Side::Before).count > 0);
        removals.map(move |at| (at, *item))
    });
    let distance = |at: usize, item: &ItemRange| {
        let lines = diff.lines_of(at, Side::After);
        let near =
            places.iter().filter(|(place, line)| place.path == item.path && item.first <= *line && *line <= item.last);
        near.map(|(_, line)| lines.first().saturating_sub(*line).max(line.saturating_sub(lines.end()))).min()
    };
    removals.min_by_key(|&(at, item)| (distance(at, item), at)).map(|(at, _)| at)
}

/// Changes to imports, types and globals in the files of the verdict.
fn outside_of_functions(diff: &Diff<'_>, verdict: &Verdict) -> BTreeSet<usize> {
    let hunks = verdict.places().flat_map(|place| diff.hunks_of(Side::After, &place.path));
    let outside: BTreeSet<usize> = hunks
        .filter(|&at| {
            let path = diff.file(at).path();
            let lines = diff.lines_of(at, Side::After);
            diff.function_at(Side::After, path, lines.first().min(lines.start.max(1))).is_none()
        })
        .collect();
    let named = naming(diff, verdict, outside.iter().copied());
    if named.is_empty() { outside } else { named }
}

/// Those hunks whose changed lines hold the last word of the verdict's subject.
fn naming(diff: &Diff<'_>, verdict: &Verdict, hunks: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
    let word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let Some(name) = verdict.subject.rsplit(|letter| !word(letter)).find(|part| !part.is_empty()) else {
        return BTreeSet::new();
    };
    let says = |text: String| text.split(|letter| !word(letter)).any(|part| part == name);
    hunks.into_iter().filter(|&at| says(diff.text(at, Side::Before)) || says(diff.text(at, Side::After))).collect()
}
