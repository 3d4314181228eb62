//! A review in the forms that people and machines read.
//!
//! Reporters see the contract ([`Review`]) and the texts that it speaks of, and give back a text; where that goes is the
//! caller's business.

mod concise;
mod excerpt;
mod json;
mod markdown;
mod terminal;
mod words;

#[cfg(test)]
mod tests;

use crate::review::{Review, Sources};

/// A form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// For a person at a terminal: source with labels, risky hunks, checklist.
    Terminal,
    /// One line a finding.
    Concise,
    /// The contract itself.
    Json,
    /// For a pull request.
    Markdown,
}

impl Kind {
    /// Every form, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Terminal, Self::Concise, Self::Json, Self::Markdown];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Concise => "concise",
            Self::Json => "json",
            Self::Markdown => "markdown",
        }
    }

    /// The form of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What the place of output can show. Only the terminal's form looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether colours are wanted.
    pub color: bool,
    /// How many columns there are.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { color: false, width: 100 }
    }
}

/// Renders a review; the text ends with a line end unless it is empty.
pub fn render(kind: Kind, review: &Review, sources: &Sources, style: Style) -> String {
    match kind {
        Kind::Terminal => terminal::render(review, sources, style),
        Kind::Concise => concise::render(review),
        Kind::Json => json::render(review),
        Kind::Markdown => markdown::render(review, sources),
    }
}
