//! What is wrong with a damaged text, and on which line a person must mend it.

use super::tree::{Cursor, Field, Kind, Tree};
use crate::syntax::Broken;
use crate::syntax::scan::{Token, scan, scan_python};
use crate::text::{Language, Span};

/// Words that start a statement and can stand nowhere within brackets.
const STATEMENTS: [&str; 17] = [
    "def", "class", "return", "import", "with", "while", "try", "raise", "pass", "del", "global", "nonlocal", "assert",
    "except", "finally", "elif", "break",
];

/// Damage that the grammar lets pass: a header without a body, a `try` alone, an `await` of nothing.
pub(super) fn structural(tree: &Tree, text: &str) -> Vec<Broken> {
    let mut broken = Vec::new();
    for node in tree.root().descendants() {
        match node.kind() {
            Kind::Block if node.first().is_none() => {
                let line = line_at(text, header_of(text, node.span().start));
                broken.push(Broken { span: line, reason: "this block has no body".to_owned() });
            }
            Kind::Try if node.child_of(Kind::Except).is_none() && node.child_of(Kind::Finally).is_none() => {
                let span = line_at(text, node.span().start);
                broken.push(Broken { span, reason: "this `try` has neither `except` nor `finally`".to_owned() });
            }
            Kind::Identifier if is_bare_await(node, text) => {
                let span = line_at(text, node.span().start);
                broken.push(Broken { span, reason: "this `await` awaits nothing".to_owned() });
            }
            _ => {}
        }
    }
    broken
}

fn is_bare_await(node: Cursor<'_>, text: &str) -> bool {
    let span = node.span();
    span.end - span.start == 5 && span.text(text) == "await" && !matches!(node.field(), Field::Attribute | Field::Name)
}

/// The last line above an empty block that is not blank: its header.
fn header_of(text: &str, block: u32) -> u32 {
    let before = text.get(..block as usize).unwrap_or("");
    let mut at = before.trim_end().len();
    loop {
        let line = before[..at].rfind('\n').map_or(0, |end| end + 1);
        if line == 0 || !before[line..at].trim_start().starts_with('#') {
            return line as u32;
        }
        at = before[..line].trim_end().len();
    }
}

/// The line that holds an offset, without its white space.
pub(super) fn line_at(text: &str, offset: u32) -> Span {
    let offset = (offset as usize).min(text.len());
    let bytes = text.as_bytes();
    let start = memchr::memrchr(b'\n', &bytes[..offset]).map_or(0, |end| end + 1);
    let end = memchr::memchr(b'\n', &bytes[offset..]).map_or(text.len(), |end| offset + end);
    let indent = bytes[start..end].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let trailing = bytes[start + indent..end].iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
    Span::of(start + indent..end - trailing)
}

/// The text with the lines of merge conflicts blanked, and those lines.
pub(super) fn without_conflict_markers(text: &str) -> (String, Vec<Broken>) {
    let mut changed = text.as_bytes().to_vec();
    let mut broken = Vec::new();
    let mut start = 0;
    let mut is_inside = false;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        let is_marker = match bare.get(..7) {
            Some("<<<<<<<") => {
                is_inside = true;
                true
            }
            Some(">>>>>>>") => std::mem::take(&mut is_inside),
            Some("=======") => is_inside && bare.len() == 7,
            Some("|||||||") => is_inside,
            Some(_) | None => false,
        };
        if is_marker {
            changed[start..start + bare.len()].fill(b' ');
            // One conflict is one thing to mend, where it begins.
            if bare.starts_with('<') {
                let reason = "a conflict marker was left".to_owned();
                broken.push(Broken { span: Span::of(start..start + bare.len()), reason });
            }
        }
        start += line.len();
    }
    // A lone `<<<<<<<` line may be text in a string; blanking a line keeps the rest UTF-8.
    (String::from_utf8(changed).unwrap_or_else(|_| text.to_owned()), broken)
}

/// What is wrong with a stretch that does not parse: the line to mend and the reason. `error` is where the parser gave
/// up, if it said so.
pub(super) fn diagnose(text: &str, error: Option<u32>) -> (Span, String) {
    if let Some((at, reason)) = brackets(text) {
        return (line_at(text, at), reason);
    }
    if let Some(at) = header_alone(text) {
        return (line_at(text, at), "this block has no body".to_owned());
    }
    (line_at(text, error.unwrap_or(0)), "this line cannot be read".to_owned())
}

/// The first bracket or string that is not closed, or that closes nothing.
fn brackets(text: &str) -> Option<(u32, String)> {
    let mut open: Vec<(u8, u32)> = Vec::new();
    let mut wrong = None;
    let unclosed = |byte: u8, at: u32| Some((at, format!("this `{}` is never closed", char::from(byte))));
    scan_python(text, &mut |token, span: Span| {
        match token {
            Token::Open(byte) => open.push((byte, span.start)),
            Token::Close(byte) => {
                let wanted = match byte {
                    b')' => b'(',
                    b']' => b'[',
                    _ => b'{',
                };
                match open.pop() {
                    Some((opened, _)) if opened == wanted => {}
                    Some((opened, at)) => wrong = unclosed(opened, at),
                    None => wrong = Some((span.start, format!("this `{}` closes nothing", char::from(byte)))),
                }
            }
            Token::Unclosed => wrong = Some((span.start, "this string is never closed".to_owned())),
            Token::Line => {
                if let Some(&(byte, at)) = open.last()
                    && starts_statement(text.get(span.end as usize..).unwrap_or(""))
                {
                    wrong = unclosed(byte, at);
                }
            }
            Token::Comment | Token::Text | Token::Prefix => {}
        }
        wrong.is_none()
    });
    wrong.or_else(|| open.last().and_then(|&(byte, at)| unclosed(byte, at)))
}

/// Whether a line begins with a word that starts a statement.
pub(super) fn starts_statement(line: &str) -> bool {
    let word = first_word(line);
    STATEMENTS.contains(&word) || word == "async" && first_word(line[5..].trim_start()) == "def"
}

/// The word at the start of a line.
pub(super) fn first_word(line: &str) -> &str {
    let end = line.bytes().position(|b| !b.is_ascii_alphanumeric() && b != b'_').unwrap_or(line.len());
    &line[..end]
}

/// A line that ends with a colon and is not followed by a deeper one.
fn header_alone(text: &str) -> Option<u32> {
    let mut open = 0_u32;
    let mut last: Option<(u32, u32)> = None;
    let mut found = None;
    let mut comment = 0..0;
    scan(text, Language::Python, &mut |token, span: Span| match token {
        Token::Open(_) => open += 1,
        Token::Close(_) => open = open.saturating_sub(1),
        Token::Comment => comment = span.start..span.end,
        Token::Line if open == 0 && found.is_none() => {
            let width = span.end - span.start;
            let rest = text.get(span.end as usize..).unwrap_or("");
            if rest.is_empty() || rest.starts_with(['\n', '\r', '#']) {
                return;
            }
            if let Some((at, indent)) = last
                && width <= indent
                && ends_with_colon(text, at, span.start, &comment)
            {
                found = Some(at);
            }
            last = Some((span.end, width));
        }
        Token::Line | Token::Text | Token::Unclosed | Token::Prefix => {}
    });
    found.or_else(|| {
        let (at, _) = last?;
        ends_with_colon(text, at, text.len() as u32, &comment).then_some(at)
    })
}

fn ends_with_colon(text: &str, from: u32, to: u32, comment: &std::ops::Range<u32>) -> bool {
    let to = if (from..to).contains(&comment.start) { comment.start } else { to };
    Span::new(from, to).text(text).trim_end().ends_with(':')
}
