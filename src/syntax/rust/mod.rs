//! Reading Rust files that may be damaged.
//!
//! syn reads the whole file; if it cannot, tree-sitter outlines it, and the items that are sound are read by syn with
//! everything else blanked out:
//!
//! ~~~text
//! impl Store {                 impl Store {
//!     fn ok(&self) { … }           fn ok(&self) { … }
//!     fn cut(&self) { if
//!                              }
//! ~~~
//!
//! Blanks keep every byte where it was, so spans need no shifting. What syn accepts is never broken, whatever
//! tree-sitter says.

mod outline;
mod scan;

use std::borrow::Cow;

use crate::flow::Quality;
use crate::syntax::{Broken, Comment};

/// What could be read of a file.
#[derive(Debug)]
pub struct Reading {
    /// The items that could be read, all spans counted from the file's start.
    pub tree: Option<syn::File>,
    /// What could not.
    pub broken: Vec<Broken>,
    /// Why the file was not given to a parser at all.
    pub too_deep: Option<Broken>,
    /// Comments, in order.
    pub comments: Vec<Comment>,
    /// How well it went.
    pub quality: Quality,
}

/// Reads a file. Never fails.
pub fn read(text: &str) -> Reading {
    let scan = scan::of(text);
    let reading = |tree, broken, comments, quality| Reading { tree, broken, too_deep: None, comments, quality };
    if scan.too_deep.is_some() {
        return Reading { too_deep: scan.too_deep, ..reading(None, Vec::new(), scan.comments, Quality::NotAtAll) };
    }
    let plain = without_head(text);
    let error = match syn::parse_str::<syn::File>(&plain) {
        Ok(tree) => return reading(Some(tree), Vec::new(), scan.comments, Quality::Whole),
        Err(error) => error,
    };
    let (tree, mut broken) = outline::read(&plain, &scan, &error);
    broken.sort_by_key(|broken| broken.span);
    broken.dedup_by_key(|broken| broken.span);
    let quality = match &tree {
        Some(tree) if !tree.items.is_empty() => Quality::InPieces,
        _ => Quality::NotAtAll,
    };
    reading(tree, broken, scan.comments, quality)
}

/// The text with byte order mark and `#!` line blanked out.
fn without_head(text: &str) -> Cow<'_, str> {
    let mut head = 0;
    if text.starts_with('\u{feff}') {
        head = '\u{feff}'.len_utf8();
    }
    let rest = &text[head..];
    let is_attribute = rest.get(2..).is_some_and(|rest| rest.trim_start().starts_with('['));
    if rest.starts_with("#!") && !is_attribute {
        head += rest.find('\n').unwrap_or(rest.len());
    }
    match head {
        0 => Cow::Borrowed(text),
        _ => Cow::Owned(format!("{}{}", " ".repeat(head), &text[head..])),
    }
}
