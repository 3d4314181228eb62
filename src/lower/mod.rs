//! From text to flow: parse a file and lower it in one go, so that no tree outlives its worker.
//!
//! ~~~text
//! SourceFile --syntax--> tree + broken regions + comments --lower--> flow::Module
//! ~~~
//!
//! Lowering says what the text does and knows no library: names such as `Mutex` or `requests` mean nothing here.

pub mod prelude;
pub mod python;
pub mod rust;

use crate::flow::Module;
use crate::text::{Language, SourceFile};

/// The edition of a Rust file's package, which decides where temporaries end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Edition {
    /// 2015, 2018 or 2021: they agree on what matters here.
    #[default]
    Until2021,
    /// 2024.
    From2024,
}

/// Parses and lowers one file. Never fails: what could not be read is in [`Module::marks`] and [`Module::quality`].
pub fn lower(file: &SourceFile, edition: Edition) -> Module {
    match file.language {
        Language::Python => python::lower(file),
        Language::Rust => rust::lower(file, edition),
    }
}

/// A module of which nothing could be read.
pub(crate) fn empty(file: &SourceFile) -> Module {
    Module {
        path: file.path.clone(),
        language: file.language,
        imports: Vec::new(),
        types: Vec::new(),
        impls: Vec::new(),
        functions: Vec::new(),
        statics: Vec::new(),
        submodules: Vec::new(),
        marks: Vec::new(),
        quality: crate::flow::Quality::NotAtAll,
    }
}
