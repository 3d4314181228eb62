//! Reading files that may be damaged, without ever failing.
//!
//! What comes out is a tree for lowering to walk, plus what could not be read. Trees stay on the worker that made
//! them (syn's are not `Send`), so parsing and lowering happen in one go: see [`crate::lower::lower`].

pub mod comments;
pub mod nesting;
pub mod python;
pub mod rust;
pub mod scan;

use crate::text::Span;

/// A stretch that could not be parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The line that a person must mend, not the rest of the file.
    pub span: Span,
    /// What is wrong: "this `(` is never closed".
    pub reason: String,
}

/// A comment: its span with the marker, and its text without marker and outer white space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Where.
    pub span: Span,
    /// Its text.
    pub text: String,
}
