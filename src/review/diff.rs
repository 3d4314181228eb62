//! The change as a review walks it: hunks as a person reads them, and what they overlap.
//!
//! The change's own hunks are maximal stretches of changed lines. Here they are cut where a function or type starts,
//! where code follows the end of one, and at 40 lines; each gets an id made from its text.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::change::{ChangeSet, ChangedFile, HunkLines, cut};
use crate::text::Side;
use crate::verdict::Location;

use super::ids;
use super::material::{ItemKind, ItemRange, Sources};

/// A hunk in the making.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) id: String,
    /// Place of its file in the change.
    pub(super) file: usize,
    pub(super) lines: HunkLines,
    /// The innermost item around it.
    pub(super) item: Option<String>,
}

/// The cut hunks of a change with indices from places to hunks and functions.
pub(super) struct Diff<'a> {
    pub(super) change: &'a ChangeSet,
    pub(super) sources: &'a Sources,
    /// In path order, then line order.
    pub(super) pieces: Vec<Piece>,
    /// Where in `pieces` the hunks of each file stand.
    by_file: Vec<std::ops::Range<usize>>,
    files: [BTreeMap<Arc<str>, usize>; 2],
    items: [BTreeMap<Arc<str>, Vec<&'a ItemRange>>; 2],
}

fn index(side: Side) -> usize {
    match side {
        Side::Before => 0,
        Side::After => 1,
    }
}

impl<'a> Diff<'a> {
    pub(super) fn new(change: &'a ChangeSet, sources: &'a Sources, items: &'a [ItemRange]) -> Self {
        let mut diff = Self {
            change,
            sources,
            pieces: Vec::new(),
            by_file: Vec::new(),
            files: [BTreeMap::new(), BTreeMap::new()],
            items: [BTreeMap::new(), BTreeMap::new()],
        };
        for item in items {
            diff.items[index(item.side)].entry(item.path.clone()).or_default().push(item);
        }
        for items in diff.items.iter_mut().flat_map(BTreeMap::values_mut) {
            items.sort_by_key(|item| (item.first, item.last, &item.name));
        }
        for (number, file) in change.files.iter().enumerate() {
            for side in [Side::Before, Side::After] {
                if let Some(text) = file.side(side) {
                    diff.files[index(side)].insert(text.path.clone(), number);
                }
            }
            let from = diff.pieces.len();
            let cuts = cut(&file.hunks, &diff.boundaries(file, Side::Before), &diff.boundaries(file, Side::After));
            let mut seen = BTreeMap::<String, u32>::new();
            for lines in cuts {
                let item = diff.item_of(file, lines);
                let mut key = changed_text(diff.sources, file, Side::Before, lines);
                key.push('\0');
                key += &changed_text(diff.sources, file, Side::After, lines);
                let ordinal = seen.entry(key.clone()).or_default();
                let id = ids::id('h', &[file.path(), item.as_deref().unwrap_or(""), &key, &ordinal.to_string()]);
                *ordinal += 1;
                diff.pieces.push(Piece { id, file: number, lines, item });
            }
            diff.by_file.push(from..diff.pieces.len());
        }
        diff
    }

    /// The text that a hunk removes or adds.
    pub(super) fn text(&self, piece: usize, side: Side) -> String {
        let piece = &self.pieces[piece];
        changed_text(self.sources, &self.change.files[piece.file], side, piece.lines)
    }

    /// The file that a hunk is of.
    pub(super) fn file(&self, piece: usize) -> &'a ChangedFile {
        &self.change.files[self.pieces[piece].file]
    }

    /// The changed file with this path on one side.
    pub(super) fn file_at(&self, side: Side, path: &str) -> Option<&'a ChangedFile> {
        self.files[index(side)].get(path).map(|&at| &self.change.files[at])
    }

    /// The hunks of the file with this path on one side.
    pub(super) fn hunks_of(&self, side: Side, path: &str) -> std::ops::Range<usize> {
        self.files[index(side)].get(path).map_or(0..0, |&at| self.by_file[at].clone())
    }

    /// The hunks that change a line between `first` and `last` of one side.
    pub(super) fn changing(&self, side: Side, path: &str, first: u32, last: u32) -> impl Iterator<Item = usize> {
        self.hunks_of(side, path).filter(move |&at| {
            let lines = self.lines_of(at, side);
            lines.count > 0 && lines.first() <= last && first < lines.end()
        })
    }

    /// The hunks that change a line between `first` and `last` of one side, or remove something between them.
    pub(super) fn within(&self, side: Side, path: &str, first: u32, last: u32) -> impl Iterator<Item = usize> {
        self.hunks_of(side, path).filter(move |&at| {
            let lines = self.lines_of(at, side);
            if lines.count > 0 {
                lines.first() <= last && first < lines.end()
            } else {
                first <= lines.start && lines.start < last
            }
        })
    }

    /// The hunks that hold a place of one side.
    pub(super) fn holding(&self, side: Side, place: &Location) -> impl Iterator<Item = usize> {
        let (first, last) = self.place_lines(side, place);
        self.changing(side, &place.path, first, last)
    }

    /// The lines by which a place is known. A place that spans a whole function stands for its first line: that any of
    /// the others changed says nothing about the place.
    pub(super) fn place_lines(&self, side: Side, place: &Location) -> (u32, u32) {
        const LONGEST: u32 = 10;
        let (first, last) = self.sources.lines(side, place);
        if last - first < LONGEST { (first, last) } else { (first, first) }
    }

    /// The lines of a hunk on one side.
    pub(super) fn lines_of(&self, piece: usize, side: Side) -> crate::change::LineRange {
        match side {
            Side::Before => self.pieces[piece].lines.before,
            Side::After => self.pieces[piece].lines.after,
        }
    }

    /// The innermost function around a line.
    pub(super) fn function_at(&self, side: Side, path: &str, line: u32) -> Option<&'a ItemRange> {
        self.items_at(side, path, line).filter(|item| item.kind == ItemKind::Function).min_by_key(|item| span(item))
    }

    /// The innermost type around a line.
    pub(super) fn type_at(&self, side: Side, path: &str, line: u32) -> Option<&'a ItemRange> {
        self.items_at(side, path, line).filter(|item| item.kind == ItemKind::Type).min_by_key(|item| span(item))
    }

    /// The functions of a file on one side.
    pub(super) fn functions(&self, side: Side, path: &str) -> impl Iterator<Item = &'a ItemRange> {
        self.items[index(side)].get(path).into_iter().flatten().copied().filter(|item| item.kind == ItemKind::Function)
    }

    fn items_at(&self, side: Side, path: &str, line: u32) -> impl Iterator<Item = &'a ItemRange> {
        let items = self.items[index(side)].get(path).into_iter().flatten().copied();
        items.filter(move |item| item.first <= line && line <= item.last)
    }

    fn item_of(&self, file: &ChangedFile, lines: HunkLines) -> Option<String> {
        let (side, range) =
            if lines.after.count > 0 { (Side::After, lines.after) } else { (Side::Before, lines.before) };
        let path = &file.side(side)?.path;
        let source = self.sources.get(side, path)?;
        let line = (range.first()..range.end()).find(|&line| !source.line(line).trim().is_empty())?;
        self.items_at(side, path, line).min_by_key(|item| span(item)).map(|item| item.name.clone())
    }

    /// The lines of a file before which a hunk is cut.
    fn boundaries(&self, file: &ChangedFile, side: Side) -> Vec<u32> {
        let Some(path) = file.side(side).map(|side| &side.path) else { return Vec::new() };
        let Some(source) = self.sources.get(side, path) else { return Vec::new() };
        let is_blank = |line: u32| source.line(line).trim().is_empty();
        let mut starts = Vec::new();
        for item in self.items[index(side)].get(path).into_iter().flatten() {
            starts.push(item.first);
            // Code behind an item is cut off from it; blank lines and closing brackets stay with it.
            let next = (item.last + 1..=source.lines.count()).find(|&line| !is_blank(line));
            if let Some(next) = next
                && !source.line(next).trim_start().starts_with(['}', ')', ']'])
            {
                starts.push(next);
            }
        }
        // Blank lines above an added function are read with it.
        starts.retain(|&start| {
            let hunk = file.hunks.iter().map(|hunk| side_of(*hunk, side)).find(|lines| lines.has(start));
            hunk.is_none_or(|lines| !(lines.first()..start).all(is_blank))
        });
        starts
    }
}

fn span(item: &ItemRange) -> (u32, &str) {
    (item.last - item.first, &item.name)
}

fn side_of(lines: HunkLines, side: Side) -> crate::change::LineRange {
    match side {
        Side::Before => lines.before,
        Side::After => lines.after,
    }
}

fn changed_text(sources: &Sources, file: &ChangedFile, side: Side, lines: HunkLines) -> String {
    let Some(source) = file.side(side).and_then(|text| sources.get(side, &text.path)) else { return String::new() };
    let range = side_of(lines, side);
    (range.first()..range.end()).map(|line| source.lines.line_span(line).text(&source.text)).collect()
}
