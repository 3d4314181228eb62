//! A review in the forms that people and machines read.
//!
//! Reporters see the contract ([`Review`]) and the texts that it speaks of, and give back a text; where that goes is the
//! caller's business.

mod chain;
mod concise;
mod excerpt;
mod handoff;
mod json;
mod markdown;
mod terminal;
mod words;

#[cfg(test)]
mod tests;

pub use crate::request::{Format, Paint};
use crate::review::{Checkpoints, Review, Sources};

/// What the place of output can show. Only the terminal's form looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether colours are wanted.
    pub paint: Paint,
    /// How many columns there are.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { paint: Paint::Plain, width: 100 }
    }
}

/// Renders a review; the text ends with a line end unless it is empty.
pub fn render(format: Format, review: &Review, sources: &Sources, style: Style) -> String {
    match format {
        Format::Terminal => terminal::render(review, sources, style),
        Format::Concise => concise::render(review),
        Format::Json => json::render(review),
        Format::Markdown => markdown::render(review, sources),
        Format::Handoff => handoff::render(review),
    }
}

/// Renders checkpoints, as JSON or for people.
pub fn checkpoints(format: Format, found: &Checkpoints) -> String {
    match format {
        Format::Json => chain::json(found),
        Format::Terminal | Format::Concise | Format::Markdown | Format::Handoff => chain::text(found),
    }
}
