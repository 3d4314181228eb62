//! Python files: tree-sitter, structural checks and a second try in pieces.
//!
//! ~~~text
//! text -> tree-sitter -> sound?  structural checks              (nearly every file)
//!                     -> else    blank conflict markers, bridge known gaps of the grammar, parse again
//!                     -> else    split at definitions, parse each alone, say which lines are broken
//! ~~~

mod damage;
mod gaps;
mod pieces;
pub mod tree;

use std::cell::RefCell;

use super::Broken;
use crate::text::{Replaced, SourceFile, Span};
use tree::Tree;

/// A Python file as far as it could be read.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The tree, put together from pieces where the file is damaged.
    pub tree: Tree,
    /// What could not be read.
    pub broken: Vec<Broken>,
}

thread_local! {
    /// Making a parser costs more than parsing a small file.
    static PARSER: RefCell<Option<tree_sitter::Parser>> = const { RefCell::new(None) };
}

/// What the parser made of a sound text, by which it reads a text that is much like it.
pub struct Former(tree_sitter::Tree);

/// Parses a file. Never fails; what is nested too deeply must have been turned away before.
pub fn parse(file: &SourceFile) -> (Parsed, Option<Former>) {
    let parsed = parse_text(&file.text, None);
    let tree = flat(parsed.as_ref(), &file.text);
    let former = parsed.filter(|_| !tree.has_error).map(Former);
    (checked(file, tree), former)
}

/// Parses a file that has much in common with another. Only between sound texts the parser is relied on to make the
/// same of a text whichever way it comes there.
pub fn parse_again(file: &SourceFile, other: &SourceFile, former: Option<Former>, replaced: &[Replaced]) -> Parsed {
    let Some(Former(mut former)) = former else { return parse(file).0 };
    // From the last to the first, so that each leaves the places of those to come where they are.
    for Replaced { from, to } in replaced.iter().rev() {
        let start = point(other, from.start);
        former.edit(&tree_sitter::InputEdit {
            start_byte: from.start as usize,
            old_end_byte: from.end as usize,
            new_end_byte: (from.start + (to.end - to.start)) as usize,
            start_position: start,
            old_end_position: point(other, from.end),
            new_end_position: behind(start, to.text(&file.text)),
        });
    }
    let tree = flat(parse_text(&file.text, Some(&former)).as_ref(), &file.text);
    if tree.has_error { parse(file).0 } else { checked(file, tree) }
}

fn point(file: &SourceFile, offset: u32) -> tree_sitter::Point {
    let line = file.lines.line(offset);
    let before = Span::new(file.lines.line_span(line).start, offset).text(&file.text);
    behind(tree_sitter::Point { row: line as usize - 1, column: 0 }, before)
}

/// The place behind a text that begins at a place.
fn behind(start: tree_sitter::Point, text: &str) -> tree_sitter::Point {
    match text.rfind('\n') {
        Some(last) => {
            let rows = memchr::memchr_iter(b'\n', text.as_bytes()).count();
            tree_sitter::Point { row: start.row + rows, column: text.len() - last - 1 }
        }
        None => tree_sitter::Point { row: start.row, column: start.column + text.len() },
    }
}

fn checked(file: &SourceFile, tree: Tree) -> Parsed {
    let mut parsed = Parsed { tree, broken: Vec::new() };
    if !parsed.tree.has_error {
        parsed.broken = damage::structural(&parsed.tree, &file.text);
        return parsed;
    }
    let (unmarked, markers) = damage::without_conflict_markers(&file.text);
    parsed.broken = markers;
    let mended = gaps::bridge(&unmarked);
    if *mended != *file.text {
        parsed.tree = whole(&mended);
    }
    if parsed.tree.has_error {
        let is_marked = !parsed.broken.is_empty();
        parsed.tree = pieces::read(&mended, &mut parsed.broken, is_marked);
    } else {
        parsed.broken.extend(damage::structural(&parsed.tree, &mended));
    }
    parsed.broken.sort_by_key(|broken| broken.span.start);
    parsed.broken.dedup_by_key(|broken| broken.span);
    parsed
}

fn whole(text: &str) -> Tree {
    flat(parse_text(text, None).as_ref(), text)
}

fn flat(parsed: Option<&tree_sitter::Tree>, text: &str) -> Tree {
    let mut tree = Tree::default();
    match parsed {
        Some(parsed) => tree.add(parsed, |offset| offset as u32),
        None => tree.has_error = true,
    }
    if tree.nodes.is_empty() {
        tree.open(tree::Kind::Module, tree::Field::None, 0);
        tree.close(0, text.len() as u32);
    }
    tree
}

/// Parses a text with this thread's parser.
fn parse_text(text: &str, former: Option<&tree_sitter::Tree>) -> Option<tree_sitter::Tree> {
    PARSER.with_borrow_mut(|slot| {
        if slot.is_none() {
            let mut parser = tree_sitter::Parser::new();
            parser.set_language(&tree_sitter::Language::new(tree_sitter_python::LANGUAGE)).ok()?;
            *slot = Some(parser);
        }
        slot.as_mut()?.parse(text, former)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"import os

# a comment – with more than ASCII
@app.get('/')
async def load(key):
    '''first
    second'''
    with lock:
        rows = await fetch(
            key,
            deep=True,
        )
    return rows

class Cache:
    rows = {}
    def get(self): return self.rows[1]

    async def put(self, é):
        if é:
            pass
        else:
            self.rows[é] = 1
if __name__ == '__main__':
    load()"#;

    fn file(text: &str) -> SourceFile {
        SourceFile::new("a.py", text).expect("Python is read")
    }

    /// Reads each of two texts with the help of the other; the second lacks some lines of the first.
    fn read_both_ways(long: &str, first: u32, count: u32) {
        let lines: Vec<&str> = long.split_inclusive('\n').collect();
        let (gone, left) = (first as usize, (first + count) as usize);
        let short: String = [&lines[..gone], &lines[left..]].concat().concat();
        let (long, short) = (file(long), file(&short));
        let within = Span::new(long.lines.line_span(first + 1).start, long.lines.line_span(first + count).end);
        let at = Span::new(within.start, within.start);
        let there = (&long, &short, Replaced { from: within, to: at });
        let back = (&short, &long, Replaced { from: at, to: within });
        for (one, other, replaced) in [there, back] {
            let (again, anew) = (parse_again(other, one, parse(one).1, &[replaced]), parse(other).0);
            assert_eq!(again.tree.nodes, anew.tree.nodes, "{count} lines from {first} on");
            assert_eq!(again.tree.comments, anew.tree.comments);
            assert_eq!(again.broken, anew.broken);
        }
    }

    #[test]
    fn a_text_is_read_the_same_with_the_help_of_one_that_is_much_like_it() {
        let lines = TEXT.split_inclusive('\n').count() as u32;
        for first in 0..lines {
            for count in 1..=(lines - first).min(6) {
                read_both_ways(TEXT, first, count);
            }
        }
    }

    #[test]
    fn several_replaced_stretches_are_all_seen() {
        let one = file("a = 1\nb = 2\nc = 3\nd = 4\n");
        let other = file("a = (1,\n1)\nb = 2\nd = 4\ne = '5'\n");
        let replaced =
            |from: (u32, u32), to: (u32, u32)| Replaced { from: Span::new(from.0, from.1), to: Span::new(to.0, to.1) };
        let all = [replaced((0, 6), (0, 11)), replaced((12, 18), (17, 17)), replaced((24, 24), (23, 31))];
        let again = parse_again(&other, &one, parse(&one).1, &all);
        assert_eq!(again.tree.nodes, parse(&other).0.tree.nodes);
    }
}
