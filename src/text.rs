//! Source text and places in it.
//!
//! A [`Span`] counts bytes and is what the analysis works with; a [`Position`] counts lines and
//! columns from 1 (columns in Unicode code points) and is what people and reports see. The two meet
//! in [`LineIndex`], and nowhere else.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A language that `tenth` reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Python 3.
    Python,
    /// Rust.
    Rust,
}

impl Language {
    /// The language of a file, by the ending of its path; `None` for files that are not analysed.
    pub fn of_path(path: &str) -> Option<Self> {
        match path.rsplit_once('.')?.1 {
            "py" | "pyi" => Some(Self::Python),
            "rs" => Some(Self::Rust),
            _ => None,
        }
    }

    /// What stands between the segments of a qualified name: `.` or `::`.
    pub fn separator(self) -> &'static str {
        match self {
            Self::Python => ".",
            Self::Rust => "::",
        }
    }
}

/// One of the two states of the code that a review compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The code as it was.
    Before,
    /// The code as the change leaves it.
    After,
}

impl Side {
    /// The other side.
    pub fn other(self) -> Self {
        match self {
            Self::Before => Self::After,
            Self::After => Self::Before,
        }
    }
}

/// A stretch of a file in bytes, end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

impl Span {
    /// A span from `start` to `end`; an end before the start gives an empty span.
    pub fn new(start: u32, end: u32) -> Self {
        Self { start, end: end.max(start) }
    }

    /// A span over byte offsets as parsers give them. Files over 4 GiB are never read.
    pub fn of(range: std::ops::Range<usize>) -> Self {
        Self::new(range.start as u32, range.end as u32)
    }

    /// Whether `other` lies within this span.
    pub fn contains(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Whether the byte at `offset` lies within this span.
    pub fn has(self, offset: u32) -> bool {
        self.start <= offset && offset < self.end
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Span) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The text that the span covers, or an empty string where the span does not fit the text.
    pub fn text(self, source: &str) -> &str {
        source.get(self.start as usize..self.end as usize).unwrap_or("")
    }
}

/// A place as people and reports name it: line and column, both from 1, the column in code points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in Unicode code points, from 1.
    pub column: u32,
}

/// Where the lines of a text start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineIndex {
    starts: Vec<u32>,
    len: u32,
}

impl LineIndex {
    /// Indexes a text. A line ends after `\n`; `\r\n` keeps its `\r` in the line.
    pub fn new(text: &str) -> Self {
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at as u32 + 1));
        if starts.last().is_some_and(|&last| last as usize == text.len()) && starts.len() > 1 {
            starts.pop();
        }
        Self { starts, len: text.len() as u32 }
    }

    /// How many lines the text has; an empty text has none.
    pub fn count(&self) -> u32 {
        if self.len == 0 { 0 } else { self.starts.len() as u32 }
    }

    /// The 1-based line that holds a byte offset.
    pub fn line(&self, offset: u32) -> u32 {
        self.starts.partition_point(|&start| start <= offset).max(1) as u32
    }

    /// The span of a 1-based line with its line end; empty at the end of the text for lines beyond it.
    pub fn line_span(&self, line: u32) -> Span {
        let at = |line: u32| self.starts.get(line as usize).copied().unwrap_or(self.len);
        Span::new(if line == 0 { 0 } else { at(line - 1) }, if line == 0 { 0 } else { at(line) })
    }

    /// Line and column of a byte offset.
    pub fn position(&self, text: &str, offset: u32) -> Position {
        let line = self.line(offset);
        let start = self.line_span(line).start;
        let column = Span::new(start, offset).text(text).chars().count() as u32 + 1;
        Position { line, column }
    }

    /// First and last 1-based line that a span touches. An end at a line's first byte does not touch that line.
    pub fn lines(&self, span: Span) -> (u32, u32) {
        let first = self.line(span.start);
        (first, if span.end > span.start { self.line(span.end - 1) } else { first })
    }
}

/// One file of one side: its path from the repository's root with forward slashes, and its text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Path from the repository's root, with forward slashes.
    pub path: Arc<str>,
    /// The language that its ending names.
    pub language: Language,
    /// The text.
    pub text: Arc<str>,
    /// Where its lines start.
    pub lines: Arc<LineIndex>,
}

impl SourceFile {
    /// A source file; `None` when the path's ending names no language that is analysed.
    pub fn new(path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Option<Self> {
        let path = path.into();
        let text = text.into();
        let language = Language::of_path(&path)?;
        let lines = Arc::new(LineIndex::new(&text));
        Some(Self { path, language, text, lines })
    }

    /// Line and column of a byte offset.
    pub fn position(&self, offset: u32) -> Position {
        self.lines.position(&self.text, offset)
    }
}

/// Whether a byte may be part of an identifier of either language; all letters beyond ASCII may.
pub fn is_of_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_code_points_from_one() {
        let text = "a\nbü=1\n";
        let index = LineIndex::new(text);
        assert_eq!(index.count(), 2);
        assert_eq!(index.position(text, 0), Position { line: 1, column: 1 });
        assert_eq!(index.position(text, 5), Position { line: 2, column: 3 });
    }

    #[test]
    fn a_span_that_ends_at_a_line_start_does_not_touch_that_line() {
        let index = LineIndex::new("a\nb\nc");
        assert_eq!(index.lines(Span::new(0, 2)), (1, 1));
        assert_eq!(index.lines(Span::new(0, 3)), (1, 2));
        assert_eq!(index.lines(Span::new(4, 5)), (3, 3));
    }
}
