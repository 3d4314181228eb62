//! Reading Rust files that may be damaged.

use crate::flow::Quality;
use crate::syntax::{Broken, Comment};

/// What could be read of a file.
#[derive(Debug)]
pub struct Reading {
    /// The items that could be read, all spans counted from the file's start.
    pub tree: Option<syn::File>,
    /// What could not.
    pub broken: Vec<Broken>,
    /// Comments, in order.
    pub comments: Vec<Comment>,
    /// How well it went.
    pub quality: Quality,
}

/// Reads a file. Never fails.
pub fn read(text: &str) -> Reading {
    let tree = syn::parse_str::<syn::File>(text).ok();
    let quality = if tree.is_some() { Quality::Whole } else { Quality::NotAtAll };
    Reading { tree, broken: Vec::new(), comments: Vec::new(), quality }
}
