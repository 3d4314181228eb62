//! Python files: an exact parser for what is Python, tree-sitter for what is damaged, and a second try in pieces.
//!
//! ~~~text
//! text -> exact parser -> a tree                                (nearly every file)
//!                      -> no: tree-sitter, structural checks    (Python 2, what only the grammar lets pass)
//!                      -> else  blank conflict markers, bridge known gaps of the grammar, parse again
//!                      -> else  split at definitions, parse each alone, say which lines are broken
//! ~~~

mod damage;
mod exact;
mod gaps;
mod pieces;
pub mod tree;

use std::cell::RefCell;

use super::Broken;
use crate::text::SourceFile;
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

/// Parses a file. Never fails; what is nested too deeply must have been turned away before.
pub fn parse(file: &SourceFile) -> Parsed {
    match exact::read(&file.text) {
        Some(tree) => Parsed { tree, broken: Vec::new() },
        None => parse_by_grammar(file),
    }
}

/// Parses a file by the grammar alone, which makes something of every text.
pub(crate) fn parse_by_grammar(file: &SourceFile) -> Parsed {
    let tree = whole(&file.text);
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
    let mut tree = Tree::default();
    match parse_text(text) {
        Some(parsed) => tree.add(&parsed, |offset| offset as u32),
        None => tree.has_error = true,
    }
    if tree.nodes.is_empty() {
        tree.open(tree::Kind::Module, tree::Field::None, 0);
        tree.close(0, text.len() as u32);
    }
    tree
}

/// Parses a text with this thread's parser.
fn parse_text(text: &str) -> Option<tree_sitter::Tree> {
    PARSER.with_borrow_mut(|slot| {
        if slot.is_none() {
            let mut parser = tree_sitter::Parser::new();
            parser.set_language(&tree_sitter::Language::new(tree_sitter_python::LANGUAGE)).ok()?;
            *slot = Some(parser);
        }
        slot.as_mut()?.parse(text, None)
    })
}
