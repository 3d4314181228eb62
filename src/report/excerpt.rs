//! A hunk as a small diff: the lines that go, the lines that come, and a little around them.

use crate::review::{Hunk, Side, Sources};

use super::narrow::beginning;
use super::words;

/// How many unchanged lines stand above and below.
const AROUND: u32 = 2;

/// One line of the diff: its sign (`-`, `+` or a space), its number on its own side, its text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) sign: char,
    pub(super) number: u32,
    pub(super) text: String,
}

/// The lines of a hunk. The surroundings are those of the after side, or of the before side where the file is gone.
pub(super) fn lines(hunk: &Hunk, sources: &Sources) -> Vec<Line> {
    let before = sources.get(Side::Before, sources.path_before(&hunk.path));
    let after = sources.get(Side::After, &hunk.path);
    let first = |lines: crate::review::Lines| if lines.count == 0 { lines.start + 1 } else { lines.start };
    let (around, start, end) = match (&after, &before) {
        (Some(after), _) => (Some(*after), first(hunk.after), first(hunk.after) + hunk.after.count),
        (None, before) => (*before, first(hunk.before), first(hunk.before) + hunk.before.count),
    };
    let mut lines = Vec::new();
    let mut push = |sign, source: Option<&crate::review::SourceText>, range: std::ops::Range<u32>| {
        let Some(source) = source else { return };
        for number in range.filter(|&number| 1 <= number && number <= source.lines.count()) {
            lines.push(Line { sign, number, text: beginning(&words::harmless_text(source.line(number))) });
        }
    };
    push(' ', around, start.saturating_sub(AROUND)..start);
    push('-', before, first(hunk.before)..first(hunk.before) + hunk.before.count);
    push('+', after, first(hunk.after)..first(hunk.after) + hunk.after.count);
    push(' ', around, end..end + AROUND);
    lines
}
