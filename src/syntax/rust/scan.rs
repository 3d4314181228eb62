//! What a Rust file shows before any parser: comments, brackets, how deep and how long expressions are.
//!
//! Parsers and walks are recursive: what nests too deeply, also without brackets (`a.b().c()…`, `- - - x`, `else if`
//! after `else if`), must not reach them. The scan measures both at once, since levels and lengths add up.

use crate::syntax::comments::bare;
use crate::syntax::nesting::LIMIT;
use crate::syntax::scan::{Token, scan};
use crate::syntax::{Broken, Comment};
use crate::text::{Language, Span};

/// How many operators, dots and the like may stand in one expression, those of the expressions around it counted in.
const MOST_WEIGHT: u32 = 1500;

/// What the scan found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) comments: Vec<Comment>,
    /// Brackets outside of strings and comments, in order.
    pub(super) brackets: Vec<(u8, u32)>,
    /// Strings and comments that never end.
    pub(super) unclosed: Vec<Broken>,
    /// Where the file first nests too deeply, and what is wrong there.
    pub(super) too_deep: Option<Broken>,
}

/// Scans a file.
pub(super) fn of(text: &str) -> Scan {
    let mut weights = Weights { text, scan: Scan::default(), open: Vec::new(), weight: 0 };
    let mut done = 0;
    scan(text, Language::Rust, &mut |token, span: Span| {
        if token != Token::Prefix {
            weights.plain(Span::new(done, span.start));
            done = span.end;
        }
        match token {
            Token::Comment => {
                let text = bare(span.text(text), Language::Rust).to_owned();
                weights.scan.comments.push(Comment { span, text });
            }
            Token::Open(bracket) => weights.open(bracket, span.start),
            Token::Close(bracket) => weights.close(bracket, span.start),
            Token::Unclosed => {
                let what = if span.text(text).starts_with("/*") { "comment" } else { "string" };
                let span = Span::new(span.start, span.start + 1);
                weights.scan.unclosed.push(Broken { span, reason: format!("this {what} is never closed") });
            }
            Token::Text | Token::Prefix | Token::Line => {}
        }
    });
    weights.plain(Span::new(done, text.len() as u32));
    weights.scan
}

struct Weights<'a> {
    text: &'a str,
    scan: Scan,
    /// The weight at each open bracket.
    open: Vec<u32>,
    /// Operators since the last separator on this level, and on the levels around it.
    weight: u32,
}

impl Weights<'_> {
    /// What stands between brackets, strings and comments.
    fn plain(&mut self, span: Span) {
        let bytes = span.text(self.text).as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let here = span.start + at as u32;
            let start = at;
            at += 1;
            match byte {
                b';' | b',' => self.weight = self.level(),
                b' ' | b'\t' | b'\r' | b'\n' => {}
                b'_' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | 0x80.. => {
                    let is_word = |byte: &u8| *byte == b'_' || byte.is_ascii_alphanumeric() || *byte >= 0x80;
                    at += bytes[at..].iter().take_while(|byte| is_word(byte)).count();
                    if can_be_stacked(&bytes[start..at]) {
                        self.weigh(here);
                    }
                }
                _ => self.weigh(here),
            }
        }
    }

    fn level(&self) -> u32 {
        self.open.last().copied().unwrap_or(0)
    }

    fn weigh(&mut self, at: u32) {
        self.weight += 1;
        if self.weight > MOST_WEIGHT {
            self.too_deep(at, || "an expression is longer than what is read".to_owned());
        }
    }

    fn too_deep(&mut self, at: u32, reason: impl Fn() -> String) {
        if self.scan.too_deep.is_none() {
            self.scan.too_deep = Some(Broken { span: Span::new(at, at + 1), reason: reason() });
        }
    }

    fn open(&mut self, bracket: u8, at: u32) {
        self.scan.brackets.push((bracket, at));
        self.weigh(at);
        self.open.push(self.weight);
        if self.open.len() > LIMIT as usize {
            self.too_deep(at, || format!("brackets nest more than {LIMIT} levels deep"));
        }
    }

    fn close(&mut self, bracket: u8, at: u32) {
        self.scan.brackets.push((bracket, at));
        // What was open inside is over; the level around goes on where it was, the bracket itself counted.
        let inside = self.open.pop();
        self.weight = inside.unwrap_or(self.weight);
        if bracket == b'}' && !self.goes_on(at + 1) {
            self.weight = self.level();
        }
    }

    /// Whether what follows a closing brace belongs to the same expression.
    fn goes_on(&self, from: u32) -> bool {
        let rest = self.text.get(from as usize..).unwrap_or("").trim_start();
        rest.starts_with("else") || rest.starts_with(['.', '?'])
    }
}

/// Words that stand before an expression, type or pattern and can follow each other.
fn can_be_stacked(word: &[u8]) -> bool {
    matches!(
        word,
        b"else"
            | b"return"
            | b"break"
            | b"match"
            | b"if"
            | b"while"
            | b"for"
            | b"in"
            | b"yield"
            | b"let"
            | b"as"
            | b"move"
            | b"mut"
            | b"dyn"
            | b"impl"
            | b"async"
            | b"box"
            | b"ref"
            | b"static"
            | b"const"
            | b"unsafe"
    )
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
            let inside = open.iter().rposition(|&(_, at)| indentation_of_line(text, at) <= indentation);
            let keep = inside.map_or(1, |at| at + 1).min(open.len());
            // What is open inside each other was cut at one place: the innermost.
            broken.extend(open.drain(keep..).next_back().map(never_closed));
        }
        match open.iter().rposition(|(known, _)| *known == opening) {
            // A closing parenthesis does not reach over a brace: then it is the stray one.
            Some(at_open) if bracket == b'}' || !open[at_open..].iter().any(|(known, _)| *known == b'{') => {
                broken.extend(open.drain(at_open + 1..).next_back().map(never_closed));
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
    let mut is_inside = false;
    let mut found = Vec::new();
    for line in text.split_inclusive('\n') {
        let begins = line.starts_with("<<<<<<<");
        let ends = line.starts_with(">>>>>>>");
        // One conflict is one thing to mend, where it begins; an end without a beginning is one too.
        if begins || (!is_inside && (ends || line.starts_with("|||||||"))) {
            let reason = "a conflict marker was left here".to_owned();
            found.push(Broken { span: Span::of(at..at + line.trim_end().len()), reason });
        }
        is_inside = begins || (is_inside && !ends);
        at += line.len();
    }
    found
}
