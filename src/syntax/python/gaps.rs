//! Valid Python that the grammar does not know yet, rewritten byte for byte to what it does know.
//!
//! ~~~text
//! class Box[T = int]: …      class Box[T      ]: …
//! t"hello {name}"            f"hello {name}"
//! lazy import json           import      json
//! ~~~
//!
//! Where a bracket cannot close, the grammar takes a line inside brackets that stands further out than its statement for
//! the end of the block. The lines of such a bracket become one:
//!
//! ~~~text
//!     total = (first +           total = (first +  second)
//!   second)
//! ~~~
//!
//! The result has the same length, so spans hold. It is only asked for when the parser met an error.

use std::borrow::Cow;

use super::super::scan::{Token, scan_python};
use super::damage::starts_statement;
use crate::text::Span;

/// The text with known gaps bridged.
pub(super) fn bridge(text: &str) -> Cow<'_, str> {
    let mut bytes = Vec::new();
    let mut change = |at: usize, with: &[u8]| {
        if bytes.is_empty() {
            bytes = text.as_bytes().to_vec();
        }
        if let Some(slot) = bytes.get_mut(at..at + with.len()) {
            slot.copy_from_slice(with);
        }
    };
    let mut brackets: Vec<(usize, bool)> = Vec::new();
    let mut lines = Lines::default();
    scan_python(text, &mut |token, span: Span| {
        let start = span.start as usize;
        match token {
            Token::Text => {
                let prefix = span.text(text);
                let quote = prefix.find(['"', '\'']).unwrap_or(0);
                for (at, byte) in prefix.bytes().take(quote).enumerate() {
                    if matches!(byte, b't' | b'T') {
                        change(start + at, b"f");
                    }
                }
            }
            Token::Line if brackets.is_empty() => {
                let line = text.get(span.end as usize..).unwrap_or("");
                let at = span.end as usize;
                lines = Lines { indent: span.end - span.start, ..Lines::default() };
                if line.starts_with("lazy import ") {
                    change(at, b"import      ");
                } else if line.starts_with("lazy from ") {
                    change(at, b"from      ");
                }
            }
            Token::Line => lines.add(text, span),
            Token::Comment if !brackets.is_empty() => lines.blank.push(span),
            Token::Open(byte) => brackets.push((start, byte == b'[' && opens_parameters(text, start))),
            Token::Close(_) => {
                if let Some((open, true)) = brackets.pop() {
                    for (from, to) in defaults(text, open, start) {
                        for at in from..to {
                            if !matches!(text.as_bytes()[at], b'\n' | b'\r') {
                                change(at, b" ");
                            }
                        }
                    }
                }
                if brackets.is_empty() {
                    lines.joined().for_each(|at| change(at, b" "));
                }
            }
            Token::Comment | Token::Unclosed | Token::Prefix => {}
        }
        true
    });
    match String::from_utf8(bytes) {
        Ok(changed) if !changed.is_empty() => Cow::Owned(changed),
        Ok(_) | Err(_) => Cow::Borrowed(text),
    }
}

/// The lines inside the brackets of one statement.
#[derive(Default)]
struct Lines {
    /// How far the statement is indented.
    indent: u32,
    /// Line ends and comments, which are blank when the lines are one.
    blank: Vec<Span>,
    is_further_out: bool,
    /// Whether a line begins as no line within brackets can: the bracket was never closed.
    is_damaged: bool,
}

impl Lines {
    fn add(&mut self, text: &str, line: Span) {
        let start = line.start as usize;
        let bytes = text.as_bytes().get(..start).unwrap_or_default();
        let end = bytes.strip_suffix(b"\r\n").or_else(|| bytes.strip_suffix(b"\n")).map_or(start, <[u8]>::len);
        self.blank.push(Span::of(end..start));
        let rest = text.get(line.end as usize..).unwrap_or("");
        let is_blank = rest.is_empty() || rest.starts_with(['\n', '\r', '#']);
        self.is_further_out |= !is_blank && line.end - line.start < self.indent;
        self.is_damaged |= starts_statement(rest);
    }

    /// The bytes to blank so that the brackets stand on one line; none where that is not needed.
    fn joined(&mut self) -> impl Iterator<Item = usize> + use<> {
        let is_needed = self.is_further_out && !self.is_damaged;
        let blank = std::mem::replace(self, Self { indent: self.indent, ..Self::default() }).blank;
        blank.into_iter().filter(move |_| is_needed).flat_map(|span| span.start as usize..span.end as usize)
    }
}

/// Whether a bracket comes after `class Name`, `def name` or `type Name`.
fn opens_parameters(text: &str, bracket: usize) -> bool {
    // A name is never this long; a line may be a megabyte.
    let mut from = bracket.saturating_sub(200);
    while !text.is_char_boundary(from) {
        from -= 1;
    }
    let line = text[from..bracket].rsplit('\n').next().unwrap_or("");
    let mut words = line.split_whitespace().rev();
    let is_name = words.next().is_some_and(|name| name.chars().all(|c| c == '_' || c.is_alphanumeric()));
    is_name && matches!(words.next(), Some("class" | "def" | "type"))
}

/// The stretches ` = default` of type parameters between two brackets.
fn defaults(text: &str, open: usize, close: usize) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut depth = 0_u32;
    let mut from = None;
    for (at, &byte) in bytes.iter().enumerate().take(close).skip(open + 1) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'=' if depth == 0 && from.is_none() => from = Some(at),
            b',' if depth == 0 => found.extend(from.take().map(|from| (from, at))),
            _ => {}
        }
    }
    found.extend(from.map(|from| (from, close)));
    found
}

#[cfg(test)]
mod tests {
    use super::bridge;

    #[test]
    fn known_gaps_keep_their_length() {
        assert_eq!(
            bridge("class A[T = int, *Ts = *tuple[int, ...]]: ..."),
            "class A[T      , *Ts                   ]: ..."
        );
        assert_eq!(bridge("x = t'{a}' + rt\"b\""), "x = f'{a}' + rf\"b\"");
        assert_eq!(bridge("lazy import json\n"), "import      json\n");
        assert_eq!(bridge("x[a] = 1\nlist[T] == y\n"), "x[a] = 1\nlist[T] == y\n");
    }

    #[test]
    fn lines_that_stand_further_out_than_their_statement_become_one() {
        assert_eq!(bridge("if a:\n    (b.  # c\n  d)\n    e()\n"), "if a:\n    (b.        d)\n    e()\n");
        assert_eq!(bridge("if a:\r\n    f(b,\r\n c=\r\n d)\r\n"), "if a:\r\n    f(b,   c=   d)\r\n");
        let unclosed = "if a:\n    f(a\ndef g(b):\n    pass\n";
        for kept in ["    f(\n        a,\n    )\n", "if a:\n    f('''\nb''')\n", unclosed] {
            assert_eq!(bridge(kept), kept);
        }
    }
}
