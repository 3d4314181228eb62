//! One pass over the bytes: comments, brackets, how deep and how long expressions are.
//!
//! It runs before any parser, knows strings, characters, lifetimes and nested comments, and cannot fail. Parsers and
//! walks are recursive: what nests too deeply, also without brackets (`a.b().c()…`, `- - - x`), must not reach them.

use crate::syntax::{Broken, Comment};
use crate::text::Span;

/// How deep brackets may nest.
const MOST_DEPTH: usize = 256;

/// How many operators, dots and the like may stand in one expression, those of the expressions around it counted in.
const MOST_WEIGHT: u32 = 1500;

/// What the scan found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) comments: Vec<Comment>,
    /// Brackets outside of strings and comments, in order.
    pub(super) brackets: Vec<(u8, u32)>,
    /// Where the file first nests too deeply, and what is wrong there.
    pub(super) too_deep: Option<Broken>,
}

pub(super) fn scan(text: &str) -> Scan {
    let mut scanner =
        Scanner { text, bytes: text.as_bytes(), at: 0, scan: Scan::default(), open: Vec::new(), weight: 0 };
    scanner.run();
    scanner.scan
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    scan: Scan,
    /// The weight at each open bracket.
    open: Vec<u32>,
    /// Operators since the last separator on this level, and on the levels around it.
    weight: u32,
}

impl Scanner<'_> {
    fn run(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'/' if self.peek(1) == Some(b'/') => self.line_comment(),
                b'/' if self.peek(1) == Some(b'*') => self.block_comment(),
                b'"' => self.string(),
                b'\'' => self.character_or_lifetime(),
                b'(' | b'[' | b'{' => self.open(byte),
                b')' | b']' | b'}' => self.close(byte),
                b';' | b',' => {
                    self.weight = self.open.last().copied().unwrap_or(0);
                    self.at += 1;
                }
                b'_' | b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => self.word(),
                b'0'..=b'9' => self.number(),
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                _ => {
                    self.weigh(self.at);
                    self.at += 1;
                }
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn weigh(&mut self, at: usize) {
        self.weight += 1;
        if self.weight > MOST_WEIGHT && self.scan.too_deep.is_none() {
            let reason = "this expression is too long to be read".to_owned();
            self.scan.too_deep = Some(Broken { span: Span::of(at..at + 1), reason });
        }
    }

    fn open(&mut self, byte: u8) {
        self.scan.brackets.push((byte, self.at as u32));
        self.weigh(self.at);
        self.open.push(self.weight);
        if self.open.len() > MOST_DEPTH && self.scan.too_deep.is_none() {
            let reason = format!("brackets nest more than {MOST_DEPTH} levels deep here");
            self.scan.too_deep = Some(Broken { span: Span::of(self.at..self.at + 1), reason });
        }
        self.at += 1;
    }

    fn close(&mut self, byte: u8) {
        self.scan.brackets.push((byte, self.at as u32));
        self.open.pop();
        // The levels around go on counting where they were, and a block ends its statement unless more follows it.
        self.weight = self.open.last().copied().unwrap_or(0).max(self.weight.min(MOST_WEIGHT));
        self.at += 1;
        if byte == b'}' && !self.goes_on() {
            self.weight = self.open.last().copied().unwrap_or(0);
        }
    }

    /// Whether what follows a closing brace belongs to the same expression.
    fn goes_on(&self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or("").trim_start();
        rest.starts_with("else") || rest.starts_with(['.', '?'])
    }

    fn line_comment(&mut self) {
        let start = self.at;
        let length = memchr::memchr(b'\n', &self.bytes[start..]).unwrap_or(self.bytes.len() - start);
        self.at += length;
        let whole = self.text[start..self.at].trim_end();
        let text = whole.trim_start_matches('/').trim_start_matches('!').trim().to_owned();
        self.scan.comments.push(Comment { span: Span::of(start..start + whole.len()), text });
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let mut depth = 0;
        while self.at < self.bytes.len() {
            match (self.bytes[self.at], self.peek(1)) {
                (b'/', Some(b'*')) => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        break;
                    }
                }
                _ => self.at += 1,
            }
        }
        self.at = self.at.min(self.bytes.len());
        let whole = &self.text[start..self.at];
        let inside = whole.strip_prefix("/*").unwrap_or(whole);
        let inside = inside.strip_suffix("*/").unwrap_or(inside);
        let text = inside.trim_matches(|c: char| c == '*' || c == '!' || c.is_whitespace()).to_owned();
        self.scan.comments.push(Comment { span: Span::of(start..self.at), text });
    }

    fn string(&mut self) {
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                b'"' => return,
                _ => {}
            }
        }
    }

    fn raw_string(&mut self) {
        let hashes = self.bytes[self.at..].iter().take_while(|&&byte| byte == b'#').count();
        self.at += hashes + 1;
        while let Some(quote) = memchr::memchr(b'"', self.bytes.get(self.at..).unwrap_or(&[])) {
            self.at += quote + 1;
            if self.bytes[self.at..].iter().take_while(|&&byte| byte == b'#').count() >= hashes {
                self.at += hashes;
                return;
            }
        }
        self.at = self.bytes.len();
    }

    fn character_or_lifetime(&mut self) {
        let rest = self.text.get(self.at + 1..).unwrap_or("");
        let mut characters = rest.chars();
        match (characters.next(), characters.next()) {
            (Some('\\'), _) => {
                // An escape ends at the next quote that is not the escaped one.
                let end = rest.get(2..).and_then(|rest| rest.find('\'')).map_or(1, |at| at + 3);
                self.at += 1 + end;
            }
            (Some(first), Some('\'')) => self.at += 2 + first.len_utf8(),
            _ => self.at += 1,
        }
    }

    fn word(&mut self) {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(|&byte| byte == b'_' || byte.is_ascii_alphanumeric() || byte >= 0x80)
        {
            self.at += 1;
        }
        let next = self.peek(0);
        match &self.text[start..self.at] {
            "r" | "br" | "cr" if next == Some(b'"') => self.raw_string(),
            "r" | "br" | "cr" if next == Some(b'#') => {
                let after = self.bytes[self.at..].iter().find(|&&byte| byte != b'#');
                if after == Some(&b'"') {
                    self.raw_string();
                }
            }
            "b" | "c" if next == Some(b'"') => self.string(),
            // Words that stand before an expression or pattern and can be stacked.
            "else" | "return" | "break" | "match" | "if" | "while" | "for" | "in" | "yield" | "let" | "as" | "move"
            | "mut" | "dyn" | "impl" | "async" | "box" | "ref" | "static" | "const" | "unsafe" => self.weigh(start),
            _ => {}
        }
    }

    fn number(&mut self) {
        while self.bytes.get(self.at).is_some_and(|&byte| byte == b'_' || byte.is_ascii_alphanumeric()) {
            self.at += 1;
        }
    }
}

/// Brackets that are never closed or close nothing. Where brackets alone cannot tell, indentation does: a closing brace
/// that starts its line belongs to the line with the same indentation.
pub(super) fn unbalanced(text: &str, brackets: &[(u8, u32)]) -> Vec<Broken> {
    let mut broken = Vec::new();
    let mut open: Vec<(u8, u32)> = Vec::new();
    let never_closed = |(bracket, at): (u8, u32)| Broken {
        span: Span::new(at, at + 1),
        reason: format!("this `{}` is never closed", bracket as char),
    };
    for &(bracket, at) in brackets {
        let opening = match bracket {
            b')' => b'(',
            b']' => b'[',
            b'}' => b'{',
            _ => {
                open.push((bracket, at));
                continue;
            }
        };
        if bracket == b'}'
            && let Some(indentation) = indentation_before(text, at)
        {
            while let Some(&last) = open.last()
                && open.len() > 1
                && indentation_of_line(text, last.1) > indentation
            {
                open.pop();
                broken.push(never_closed(last));
            }
        }
        match open.iter().rposition(|(known, _)| *known == opening) {
            // A closing parenthesis does not reach over a brace: then it is the stray one.
            Some(at_open) if bracket == b'}' || !open[at_open..].iter().any(|(known, _)| *known == b'{') => {
                broken.extend(open.drain(at_open + 1..).map(never_closed));
                open.pop();
            }
            _ => broken.push(Broken {
                span: Span::new(at, at + 1),
                reason: format!("this `{}` closes nothing", bracket as char),
            }),
        }
    }
    // At the end of the file everything around the cut is open: the innermost is where to look.
    broken.extend(open.last().copied().map(never_closed));
    broken.sort_by_key(|broken| broken.span);
    broken
}

/// The indentation of a bracket that is the first thing on its line.
fn indentation_before(text: &str, at: u32) -> Option<usize> {
    let before = text.get(..at as usize)?;
    let line = &before[before.rfind('\n').map_or(0, |newline| newline + 1)..];
    line.chars().all(char::is_whitespace).then_some(line.len())
}

/// The indentation of the line that a byte stands on.
fn indentation_of_line(text: &str, at: u32) -> usize {
    let before = text.get(..at as usize).unwrap_or("");
    let line = &before[before.rfind('\n').map_or(0, |newline| newline + 1)..];
    line.len() - line.trim_start().len()
}

/// Lines that git left at a conflict.
pub(super) fn conflicts(text: &str) -> Vec<Broken> {
    let mut at = 0;
    let mut found = Vec::new();
    for line in text.split_inclusive('\n') {
        if line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>") || line.starts_with("|||||||") {
            let reason = "a conflict marker was left here".to_owned();
            found.push(Broken { span: Span::of(at..at + line.trim_end().len()), reason });
        }
        at += line.len();
    }
    found
}
