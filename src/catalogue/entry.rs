//! What the entries of all tables have in common: that they know their name, and how they speak of arguments.
//!
//! Every entry carries the name it stands under, so that evidence can quote it.

use serde::Deserialize;

use super::term::Term;

/// An entry that knows its own name.
pub trait Entry {
    /// Called once, after the entry was read.
    fn put_name(&mut self, name: &str);
    /// The type terms in the entry.
    fn terms(&mut self) -> Vec<&mut Term> {
        Vec::new()
    }
}

/// Makes entries of types that keep the name they stand under in a field.
macro_rules! entries {
    ($($entry:ty),*) => {
        $(impl $crate::catalogue::entry::Entry for $entry {
            fn put_name(&mut self, name: &str) {
                self.name = name.to_owned();
            }
        })*
    };
}
pub(super) use entries;

/// An argument of a call, by position, by keyword, or by whichever of them is there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "ArgumentForm")]
pub struct Argument {
    /// Counted from 0, without the receiver.
    pub position: Option<u8>,
    /// Keyword.
    pub keyword: Option<String>,
    /// Whether every positional argument from `position` on is meant: `gather(*tasks)`.
    pub rest: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ArgumentForm {
    Position(u8),
    Keyword(String),
    Both(u8, String),
}

impl From<ArgumentForm> for Argument {
    fn from(form: ArgumentForm) -> Self {
        let (position, keyword) = match form {
            ArgumentForm::Position(position) => (Some(position), None),
            ArgumentForm::Keyword(keyword) => (None, Some(keyword)),
            ArgumentForm::Both(position, keyword) => (Some(position), Some(keyword)),
        };
        match keyword {
            Some(keyword) if keyword == "*" => Self { position, keyword: None, rest: true },
            keyword => Self { position, keyword, rest: false },
        }
    }
}

/// An argument of a call with a certain value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub enum Condition {
    /// `block=False`: the keyword is given this literal. `timeout!=None`: it is given, and is not this literal.
    Keyword {
        /// The keyword.
        name: String,
        /// The literal as written.
        value: String,
        /// Whether it is this literal, rather than anything else.
        is: bool,
    },
    /// `0=False`, `1!=None`: the same of a positional argument.
    Position {
        /// Counted from 0, without the receiver.
        at: u8,
        /// The literal as written.
        value: String,
        /// Whether it is this literal, rather than anything else.
        is: bool,
    },
    /// `arg:LOCK_NB`: the name occurs anywhere in the arguments.
    Mentions(String),
}

impl TryFrom<String> for Condition {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("arg:") {
            return Ok(Self::Mentions(name.to_owned()));
        }
        let Some((left, value)) = text.split_once('=') else {
            return Err(format!("`{text}` is not a condition such as `block=False`, `0=False` or `arg:LOCK_NB`"));
        };
        let value = value.to_owned();
        let (left, is) = match left.strip_suffix('!') {
            Some(left) => (left, false),
            None => (left, true),
        };
        Ok(match left.parse() {
            Ok(at) => Self::Position { at, value, is },
            Err(_) => Self::Keyword { name: left.to_owned(), value, is },
        })
    }
}
