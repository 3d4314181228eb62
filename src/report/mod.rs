//! A review in the forms that people and machines read.
//!
//! Reporters see the contract ([`Review`]) and the texts that it speaks of, and give back a text; where that goes is the
//! caller's business.

mod annotation;
mod brief;
mod chain;
mod concise;
mod excerpt;
mod github;
mod gitlab;
mod handoff;
mod json;
mod jsonl;
mod line_hash;
mod markdown;
mod narrow;
mod parts;
mod rdjson;
mod sarif;
mod terminal;
mod words;

#[cfg(test)]
mod tests;

pub use crate::request::{Format, Paint};
use crate::review::{Brief, Checkpoints, Review, Sources};

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
        Format::Jsonl => jsonl::render(review),
        Format::Sarif => sarif::render(review, sources),
        Format::Github => github::render(review, sources),
        Format::Gitlab => gitlab::render(review, sources),
        Format::Rdjson => rdjson::render(review, sources),
        Format::Markdown => markdown::render(review, sources),
        Format::Handoff => handoff::render(review),
    }
}

/// Renders checkpoints, as JSON or for people; `None` for forms that hosts read, which know no checkpoints.
pub fn checkpoints(format: Format, found: &Checkpoints) -> Option<String> {
    match format {
        Format::Json => Some(chain::json(found)),
        Format::Terminal | Format::Concise | Format::Handoff => Some(chain::text(found)),
        Format::Markdown => Some(markdown::fenced(&chain::text(found))),
        Format::Jsonl | Format::Sarif | Format::Github | Format::Gitlab | Format::Rdjson => None,
    }
}

/// Renders the contract of files, as JSON or for people and agents; `None` for forms that are about findings.
pub fn brief(format: Format, found: &Brief) -> Option<String> {
    match format {
        Format::Json => Some(brief::json(found)),
        Format::Terminal => Some(brief::text(found)),
        Format::Markdown => Some(markdown::lines(&brief::text(found))),
        Format::Concise
        | Format::Handoff
        | Format::Jsonl
        | Format::Sarif
        | Format::Github
        | Format::Gitlab
        | Format::Rdjson => None,
    }
}
