//! Which lines of two texts differ.
//!
//! A [`HunkLines`] is a stretch of changed lines without context. [`between`] finds the maximal ones, [`cut`] breaks
//! them into what a reviewer reads in one go, and a [`LineMap`] leads from the unchanged lines of one side to the other.
//!
//! A range with count 0 starts at the line after which the other side's lines would stand, 0 being before the first:
//!
//! ~~~text
//! before  after
//! a       a          before {start: 1, count: 0}
//!         b          after  {start: 2, count: 1}
//! c       c
//! ~~~
//!
//! Lines are always compared here and never taken from git, so that every source of a change gives the same hunks.

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};
use similar::{Algorithm, DiffOp};

use crate::text::{LineIndex, Span};

/// No hunk that [`cut`] returns has more changed lines than this, both sides counted.
pub const HUNK_LINES: u32 = 40;

/// Beyond this product of line counts a stretch is not lined up but counts as replaced. It keeps the work bounded
/// without looking at a clock.
const LINE_PRODUCT: u64 = 25_000_000;

/// Some lines of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
pub struct LineRange {
    /// First line, from 1; with count 0 the line after which the other side's lines would stand.
    pub start: u32,
    /// How many lines.
    pub count: u32,
}

impl LineRange {
    /// A range of `count` lines whose first line is `next`.
    fn at(next: u32, count: u32) -> Self {
        Self { start: if count == 0 { next - 1 } else { next }, count }
    }

    /// The first line of the range, or for an empty range the line that follows the place.
    pub fn first(self) -> u32 {
        if self.count == 0 { self.start + 1 } else { self.start }
    }

    /// The line after the last one.
    pub fn end(self) -> u32 {
        self.first() + self.count
    }

    /// The bytes of its lines in the text that these are the lines of.
    pub fn span(self, lines: &LineIndex) -> Span {
        Span::new(lines.line_span(self.first()).start, lines.line_span(self.end()).start)
    }

    /// Whether a line lies in the range.
    pub fn has(self, line: u32) -> bool {
        self.first() <= line && line < self.end()
    }
}

/// The lines of one stretch of changes on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HunkLines {
    /// The lines it removes.
    pub before: LineRange,
    /// The lines it adds.
    pub after: LineRange,
}

impl HunkLines {
    /// How many lines it changes, both sides counted.
    pub fn changed(self) -> u32 {
        self.before.count + self.after.count
    }
}

/// The lines of a text, each with its line end.
pub fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// The maximal stretches of changed lines between two texts.
pub fn between(before: &str, after: &str) -> Vec<HunkLines> {
    if before == after {
        return Vec::new();
    }
    let (before, after) = (lines(before), lines(after));
    let (old, new) = numbered(&before, &after);
    let mut same = Vec::new();
    align(&old, 0..old.len(), &new, 0..new.len(), &mut same);

    let mut hunks = Vec::new();
    let (mut old_next, mut new_next) = (0, 0);
    for (old_at, new_at) in same.into_iter().chain(std::iter::once((old.len(), new.len()))) {
        if old_at > old_next || new_at > new_next {
            hunks.push(HunkLines {
                before: LineRange::at(old_next as u32 + 1, (old_at - old_next) as u32),
                after: LineRange::at(new_next as u32 + 1, (new_at - new_next) as u32),
            });
        }
        (old_next, new_next) = (old_at + 1, new_at + 1);
    }
    slide(&mut hunks, &before, &after);
    hunks
}

/// Whether a hunk stands for lines that were too many to be lined up.
pub fn is_unaligned(hunk: HunkLines) -> bool {
    u64::from(hunk.before.count) * u64::from(hunk.after.count) > LINE_PRODUCT
}

/// Lines as numbers, equal lines having equal ones: comparing them is what the alignment does most.
fn numbered(before: &[&str], after: &[&str]) -> (Vec<u32>, Vec<u32>) {
    let mut numbers = FxHashMap::default();
    let mut number = |line| {
        let next = numbers.len() as u32;
        *numbers.entry(line).or_insert(next)
    };
    let old = before.iter().map(|&line| number(line)).collect();
    let new = after.iter().map(|&line| number(line)).collect();
    (old, new)
}

/// Adds the pairs of lines that stay, in order, of one stretch of both sides.
fn align(old: &[u32], mut old_in: Range<usize>, new: &[u32], mut new_in: Range<usize>, same: &mut Vec<(usize, usize)>) {
    while !old_in.is_empty() && !new_in.is_empty() && old[old_in.start] == new[new_in.start] {
        same.push((old_in.start, new_in.start));
        (old_in.start, new_in.start) = (old_in.start + 1, new_in.start + 1);
    }
    let mut tail = Vec::new();
    while !old_in.is_empty() && !new_in.is_empty() && old[old_in.end - 1] == new[new_in.end - 1] {
        (old_in.end, new_in.end) = (old_in.end - 1, new_in.end - 1);
        tail.push((old_in.end, new_in.end));
    }

    // A line that the other side lacks can never stay, so leaving it out loses nothing and makes a rewrite cheap.
    let shared = |lines: &[u32], within: Range<usize>, other: &[u32], other_within: Range<usize>| -> Vec<usize> {
        let present: FxHashSet<u32> = other[other_within].iter().copied().collect();
        within.filter(|&at| present.contains(&lines[at])).collect()
    };
    let old_shared = shared(old, old_in.clone(), new, new_in.clone());
    let new_shared = shared(new, new_in.clone(), old, old_in.clone());
    if old_shared.len() as u64 * new_shared.len() as u64 <= LINE_PRODUCT {
        let left: Vec<u32> = old_shared.iter().map(|&at| old[at]).collect();
        let right: Vec<u32> = new_shared.iter().map(|&at| new[at]).collect();
        for op in similar::capture_diff_slices(Algorithm::Myers, &left, &right) {
            if let DiffOp::Equal { old_index, new_index, len } = op {
                same.extend((0..len).map(|at| (old_shared[old_index + at], new_shared[new_index + at])));
            }
        }
    } else {
        let anchors = anchors(old, &old_shared, new, &new_shared);
        let ends = (!anchors.is_empty()).then_some((old_in.end, new_in.end));
        let (mut old_next, mut new_next) = (old_in.start, new_in.start);
        for (old_at, new_at) in anchors.into_iter().chain(ends) {
            align(old, old_next..old_at, new, new_next..new_at, same);
            if old_at < old_in.end {
                same.push((old_at, new_at));
            }
            (old_next, new_next) = (old_at + 1, new_at + 1);
        }
    }
    same.extend(tail.into_iter().rev());
}

/// Lines that occur once on each side, as the longest series that is in order on both.
fn anchors(old: &[u32], old_at: &[usize], new: &[u32], new_at: &[usize]) -> Vec<(usize, usize)> {
    let once = |lines: &[u32], places: &[usize]| {
        let mut seen: FxHashMap<u32, Option<usize>> = FxHashMap::default();
        for &at in places {
            seen.entry(lines[at]).and_modify(|place| *place = None).or_insert(Some(at));
        }
        seen
    };
    let (old_once, new_once) = (once(old, old_at), once(new, new_at));
    let place = |seen: &FxHashMap<u32, Option<usize>>, line: u32| seen.get(&line).copied().flatten();
    let pairs: Vec<(usize, usize)> =
        old_at.iter().filter_map(|&at| Some((place(&old_once, old[at])?, place(&new_once, old[at])?))).collect();

    // The longest increasing series of the new places; `ends[n]` is the pair that ends the best series of n + 1.
    let mut ends: Vec<usize> = Vec::new();
    let mut previous = vec![None; pairs.len()];
    for (at, &(_, place)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|&end| pairs[end].1 < place);
        previous[at] = length.checked_sub(1).map(|shorter| ends[shorter]);
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    let mut series: Vec<_> =
        std::iter::successors(ends.last().copied(), |&at| previous[at]).map(|at| pairs[at]).collect();
    series.reverse();
    series
}

/// Moves hunks that only add or only remove to where a reader would see them: an added function begins at its head,
/// not at the closing lines of the one before. Lines that are equal at both ends make such a move possible.
fn slide(hunks: &mut [HunkLines], before: &[&str], after: &[&str]) {
    const REACH: usize = 200;
    for at in 0..hunks.len() {
        let hunk = hunks[at];
        let (range, text) = match (hunk.before.count, hunk.after.count) {
            (0, _) => (hunk.after, after),
            (_, 0) => (hunk.before, before),
            _ => continue,
        };
        let (first, end) = (range.first() as usize - 1, range.end() as usize - 1);
        // At least one unchanged line stays between two hunks, else they would be one.
        let lowest = at.checked_sub(1).map_or(0, |last| {
            let last = if hunk.before.count == 0 { hunks[last].after } else { hunks[last].before };
            last.end() as usize
        });
        let highest = hunks.get(at + 1).map_or(text.len(), |next| {
            let next = if hunk.before.count == 0 { next.after } else { next.before };
            next.first() as usize - 2
        });
        let up = (1..=REACH).take_while(|n| first >= lowest + n && text[first - n] == text[end - n]).count();
        let down = (0..REACH).take_while(|n| end + n < highest && text[first + n] == text[end + n]).count();
        let shifts = -(up as i64)..=down as i64;
        let Some(shift) = shifts.min_by_key(|shift| roughness(text, (first as i64 + shift) as usize, *shift)) else {
            continue;
        };
        let moved = |range: LineRange| LineRange { start: (i64::from(range.start) + shift) as u32, ..range };
        hunks[at] = HunkLines { before: moved(hunk.before), after: moved(hunk.after) };
    }
}

/// How badly a hunk would begin at a line: deep inside a block is worse than at its head, a blank line is a poor start,
/// and one just before is a good sign. What is equal otherwise moves down, as git does.
fn roughness(text: &[&str], first: usize, shift: i64) -> (usize, bool, bool, i64) {
    let is_blank = |line: &&str| line.trim().is_empty();
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let depth = text[first..].iter().find(|line| !is_blank(line)).map_or(0, indent);
    let follows_blank = first == 0 || is_blank(&text[first - 1]);
    (depth, is_blank(&text[first]), !follows_blank, -shift)
}

/// Cuts maximal hunks where an item starts on either side (1-based lines, any order), and at [`HUNK_LINES`].
///
/// Together the pieces hold every changed line of the input exactly once, in order.
pub fn cut(hunks: &[HunkLines], before_starts: &[u32], after_starts: &[u32]) -> Vec<HunkLines> {
    let sorted = |starts: &[u32]| {
        let mut starts = starts.to_vec();
        starts.sort_unstable();
        starts
    };
    let (before_starts, after_starts) = (sorted(before_starts), sorted(after_starts));
    let mut pieces = Vec::new();
    for hunk in hunks {
        let before = segments(hunk.before, &before_starts);
        let after = segments(hunk.after, &after_starts);
        let (mut old, mut new) = (hunk.before.first(), hunk.after.first());
        for at in 0..before.len().max(after.len()) {
            let mut removed = before.get(at).copied().unwrap_or(0);
            let mut added = after.get(at).copied().unwrap_or(0);
            while removed + added > 0 {
                let half = HUNK_LINES / 2;
                let take_removed = removed.min(half.max(HUNK_LINES.saturating_sub(added)));
                let take_added = added.min(HUNK_LINES - take_removed);
                pieces.push(HunkLines {
                    before: LineRange::at(old, take_removed),
                    after: LineRange::at(new, take_added),
                });
                (removed, added) = (removed - take_removed, added - take_added);
                (old, new) = (old + take_removed, new + take_added);
            }
        }
    }
    pieces
}

/// The lengths of the parts into which item starts break a range.
fn segments(range: LineRange, starts: &[u32]) -> Vec<u32> {
    let mut lengths = Vec::new();
    let mut from = range.first();
    let inside = starts.iter().skip_while(|&&start| start <= range.first()).take_while(|&&start| start < range.end());
    for &start in inside.chain(std::iter::once(&range.end())) {
        if start > from {
            lengths.push(start - from);
            from = start;
        }
    }
    lengths
}

/// The unchanged lines of the two sides, in both directions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineMap {
    hunks: Vec<HunkLines>,
}

impl LineMap {
    /// A map around these hunks, which are in order.
    pub fn new(hunks: &[HunkLines]) -> Self {
        Self { hunks: hunks.to_vec() }
    }

    /// Where an unchanged line of the before side stands after the change; `None` when it was removed.
    pub fn after_of(&self, line: u32) -> Option<u32> {
        let passed = self.hunks.partition_point(|hunk| hunk.before.first() <= line);
        let Some(last) = passed.checked_sub(1).map(|at| self.hunks[at]) else { return Some(line) };
        (line >= last.before.end()).then(|| line - last.before.end() + last.after.end())
    }

    /// Where an unchanged line of the after side stood before the change; `None` when it was added.
    pub fn before_of(&self, line: u32) -> Option<u32> {
        let passed = self.hunks.partition_point(|hunk| hunk.after.first() <= line);
        let Some(last) = passed.checked_sub(1).map(|at| self.hunks[at]) else { return Some(line) };
        (line >= last.after.end()).then(|| line - last.after.end() + last.before.end())
    }

    /// Whether a line of the after side was added.
    pub fn is_changed_after(&self, line: u32) -> bool {
        self.before_of(line).is_none()
    }

    /// Whether a line of the before side was removed.
    pub fn is_changed_before(&self, line: u32) -> bool {
        self.after_of(line).is_none()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(start: u32, count: u32) -> LineRange {
        LineRange { start, count }
    }

    fn hunk(before: (u32, u32), after: (u32, u32)) -> HunkLines {
        HunkLines { before: range(before.0, before.1), after: range(after.0, after.1) }
    }

    /// The after text, made from the before text and the hunks.
    fn applied(before: &str, hunks: &[HunkLines], after: &str) -> String {
        let (old, new) = (lines(before), lines(after));
        let mut text = String::new();
        let mut next = 1;
        for hunk in hunks {
            text.extend(old[next as usize - 1..hunk.before.first() as usize - 1].iter().copied());
            text.extend(new[hunk.after.first() as usize - 1..hunk.after.end() as usize - 1].iter().copied());
            next = hunk.before.end();
        }
        text.extend(old[next as usize - 1..].iter().copied());
        text
    }

    #[test]
    fn an_empty_range_starts_at_the_line_before_the_place() {
        assert_eq!(between("a\nc\n", "a\nb\nc\n"), [hunk((1, 0), (2, 1))]);
        assert_eq!(between("", "a\n"), [hunk((0, 0), (1, 1))]);
        assert_eq!(between("a\n", ""), [hunk((1, 1), (0, 0))]);
        assert_eq!(between("a\nb\n", "a\n"), [hunk((2, 1), (1, 0))]);
    }

    #[test]
    fn a_missing_line_end_is_a_change() {
        assert_eq!(between("a\nb", "a\nb\n"), [hunk((2, 1), (2, 1))]);
    }

    #[test]
    fn an_added_function_begins_at_its_head() {
        let before = "def a():\n    x\n    return 1\n\n\ndef c():\n    return 1\n";
        let after = "def a():\n    x\n    return 1\n\n\ndef b():\n    return 1\n\n\ndef c():\n    return 1\n";
        assert_eq!(between(before, after), [hunk((5, 0), (6, 4))]);
    }

    #[test]
    fn a_large_file_with_far_changes_is_still_lined_up() {
        let line = |n: u32| format!("line {n}\n");
        let before: String = (0..20_000).map(line).collect();
        let after: String =
            (0..20_000).map(|n| if n == 10 || n == 19_990 { "new\n".to_owned() } else { line(n) }).collect();
        assert_eq!(between(&before, &after), [hunk((11, 1), (11, 1)), hunk((19_991, 1), (19_991, 1))]);
    }

    #[test]
    fn many_equal_lines_stay_bounded() {
        let before = "x\ny\n".repeat(60_000);
        let after = "y\nx\nx\n".repeat(50_000);
        let hunks = between(&before, &after);
        assert_eq!(applied(&before, &hunks, &after), after);
    }

    #[test]
    fn a_hunk_is_cut_at_items_and_at_forty_lines() {
        assert_eq!(cut(&[hunk((4, 0), (5, 10))], &[], &[5, 8]), [hunk((4, 0), (5, 3)), hunk((4, 0), (8, 7))]);
        assert_eq!(cut(&[hunk((0, 0), (1, 50))], &[], &[]), [hunk((0, 0), (1, 40)), hunk((0, 0), (41, 10))]);
        assert_eq!(cut(&[hunk((1, 30), (1, 25))], &[], &[]), [hunk((1, 20), (1, 20)), hunk((21, 10), (21, 5))],);
    }

    #[test]
    fn unchanged_lines_are_found_in_both_directions() {
        let map = LineMap::new(&between("a\nb\nc\nd\n", "a\nx\ny\nc\n"));
        assert_eq!((1..=4).map(|line| map.after_of(line)).collect::<Vec<_>>(), [Some(1), None, Some(4), None]);
        assert_eq!((1..=4).map(|line| map.before_of(line)).collect::<Vec<_>>(), [Some(1), None, None, Some(3)]);
        assert!(map.is_changed_after(2) && !map.is_changed_after(4));
    }

    fn text() -> impl Strategy<Value = String> {
        (prop::collection::vec(prop::sample::select(vec!["a\n", "b\n", "  c\n", "\n", "d\r\n"]), 0..60), any::<bool>())
            .prop_map(|(lines, open)| lines.concat() + if open { "end" } else { "" })
    }

    proptest! {
        #[test]
        fn hunks_make_the_after_text(before in text(), after in text()) {
            let hunks = between(&before, &after);
            prop_assert_eq!(applied(&before, &hunks, &after), after.clone());
            let back: Vec<_> = hunks.iter().map(|h| HunkLines { before: h.after, after: h.before }).collect();
            prop_assert_eq!(applied(&after, &back, &before), before);
            for pair in hunks.windows(2) {
                prop_assert!(pair[0].before.end() < pair[1].before.first());
                prop_assert!(pair[0].after.end() < pair[1].after.first());
            }
        }

        #[test]
        fn mapped_lines_are_equal(before in text(), after in text()) {
            let map = LineMap::new(&between(&before, &after));
            let (old, new) = (lines(&before), lines(&after));
            for (at, line) in old.iter().enumerate() {
                if let Some(place) = map.after_of(at as u32 + 1) {
                    prop_assert_eq!(*line, new[place as usize - 1]);
                    prop_assert_eq!(map.before_of(place), Some(at as u32 + 1));
                }
            }
        }

        #[test]
        fn cutting_keeps_every_line(
            before in text(),
            after in text(),
            old_starts in prop::collection::vec(1u32..60, 0..6),
            new_starts in prop::collection::vec(1u32..60, 0..6),
        ) {
            let whole = between(&before, &after);
            let pieces = cut(&whole, &old_starts, &new_starts);
            let flat = |hunks: &[HunkLines], side: fn(&HunkLines) -> LineRange| -> Vec<u32> {
                hunks.iter().flat_map(|hunk| side(hunk).first()..side(hunk).end()).collect()
            };
            prop_assert_eq!(flat(&whole, |h| h.before), flat(&pieces, |h| h.before));
            prop_assert_eq!(flat(&whole, |h| h.after), flat(&pieces, |h| h.after));
            prop_assert!(pieces.iter().all(|piece| (1..=HUNK_LINES).contains(&piece.changed())));
            for start in new_starts {
                prop_assert!(pieces.iter().all(|piece| !piece.after.has(start) || piece.after.start == start));
            }
            prop_assert_eq!(applied(&before, &pieces, &after), after);
        }
    }
}
