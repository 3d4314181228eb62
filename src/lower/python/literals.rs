//! Literals.

use crate::flow::Literal;
use crate::syntax::python::tree::{Cursor, Kind};

/// The most bytes of a string that are kept.
const MOST_TEXT: usize = 80;

/// An integer, or [`Literal::Other`] where it does not fit.
pub(super) fn integer(text: &str) -> Literal {
    let digits = text.replace('_', "");
    let lower = digits.to_ascii_lowercase();
    let parsed = match lower.get(..2) {
        Some("0x") => i64::from_str_radix(&lower[2..], 16),
        Some("0o") => i64::from_str_radix(&lower[2..], 8),
        Some("0b") => i64::from_str_radix(&lower[2..], 2),
        _ => lower.parse(),
    };
    parsed.map_or(Literal::Other, Literal::Int)
}

/// A string's text without quotes, escapes as written.
pub(super) fn string(node: Cursor<'_>, text: &str) -> Literal {
    let mut content = String::new();
    let strings = node.descendants().filter(|child| child.kind() == Kind::StringContent);
    for part in strings {
        content.push_str(part.span().text(text));
        if content.len() > MOST_TEXT {
            break;
        }
    }
    let mut end = content.len().min(MOST_TEXT);
    while !content.is_char_boundary(end) {
        end -= 1;
    }
    content.truncate(end);
    Literal::Text(content)
}
