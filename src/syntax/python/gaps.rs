//! Valid Python that the grammar does not know yet, rewritten byte for byte to what it does know.
//!
//! ~~~text
//! class Box[T = int]: …      class Box[T      ]: …
//! t"hello {name}"            f"hello {name}"
//! lazy import json           import      json
//! ~~~
//!
//! The result has the same length, so spans hold. It is only asked for when the parser met an error.

use std::borrow::Cow;

use super::super::scan::{Token, scan_python};
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
                if line.starts_with("lazy import ") {
                    change(at, b"import      ");
                } else if line.starts_with("lazy from ") {
                    change(at, b"from      ");
                }
            }
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
            }
            Token::Comment | Token::Unclosed | Token::Line | Token::Prefix => {}
        }
        true
    });
    match String::from_utf8(bytes) {
        Ok(changed) if !changed.is_empty() => Cow::Owned(changed),
        Ok(_) | Err(_) => Cow::Borrowed(text),
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
}
