//! Who takes which exceptions.
//!
//! ~~~text
//! try:                      body      raises go to the handlers, or to the cleanup where there are none
//!     row = await load()
//! except KeyError:          handlers  the first whose class fits takes the exception; none: it goes on outwards
//!     row = None
//! finally:                  cleanup   runs on every way out, and control goes on where it was going
//!     done()
//! ~~~
//!
//! The graph holds the same ways as edges; this says which of its blocks are what. A `with` is a
//! [`Managed`](super::Managed) block instead: whether it takes exceptions is known to the catalogue only.

use super::{BlockIndex, ValueIndex, VariableIndex};
use crate::text::Span;

/// A `try` statement.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The statements whose exceptions the handlers are asked for; the `else` is not among them.
    pub body: Region,
    /// The handlers, in the order in which they are asked.
    pub handlers: Vec<Handler>,
    /// What runs on every way out.
    pub cleanup: Option<Region>,
    /// The whole statement.
    pub span: Span,
}

/// What takes an exception.
#[derive(Clone, Debug)]
pub struct Handler {
    /// The classes that it names; empty where it takes whatever comes.
    pub catches: Vec<ValueIndex>,
    /// The variable that it binds the exception to.
    pub received: Option<VariableIndex>,
    /// Its blocks.
    pub region: Region,
    /// Its first line: `except ValueError as error`.
    pub header: Span,
}

/// The blocks that one piece of the text was lowered to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Where control comes in.
    pub entry: BlockIndex,
    /// The others, which were made one after the other.
    pub rest: std::ops::Range<u32>,
    /// The text.
    pub span: Span,
}

impl Region {
    /// Whether a block belongs to it.
    pub fn has(&self, block: BlockIndex) -> bool {
        block == self.entry || self.rest.contains(&block.0)
    }
}
