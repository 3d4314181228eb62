//! Brackets, strings and comments of a text, without a parser: what holds before any grammar is asked.
//!
//! The scan never fails and never goes deeper than its own small stack, so it is safe on any bytes. It knows where a
//! string or comment hides a bracket, and in Python which lines start outside strings; it knows nothing else.

use crate::text::{Language, Span, is_of_identifier};

/// What the scan meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// A comment with its marker.
    Comment,
    /// `(`, `[` or `{`.
    Open(u8),
    /// `)`, `]` or `}`.
    Close(u8),
    /// A string with prefix and quotes.
    Text,
    /// A string that does not end: to the end of its line, or of the file if it may span lines. The span is its start.
    Unclosed,
    /// A prefix operator of Rust (`!`, `-`, `*`, `&`): parsers recurse on a run of them.
    Prefix,
    /// A line begins outside any string; the span is its white space. Python only.
    Line,
}

/// Scans a text and hands over each token in source order.
pub fn scan(text: &str, language: Language, each: &mut dyn FnMut(Token, Span)) {
    match language {
        Language::Python => scan_python(text, &mut |token, span| {
            each(token, span);
            true
        }),
        Language::Rust => rust(text.as_bytes(), each),
    }
}

/// Scans a Python text for as long as `each` says to go on.
pub fn scan_python(text: &str, each: &mut dyn FnMut(Token, Span) -> bool) {
    Python { bytes: text.as_bytes(), at: 0, layers: Vec::new(), goes_on: true, each }.run();
}

/// Where in a format string the Python scan is.
enum Layer {
    /// Its literal part.
    Text(Quote),
    /// The expression in braces, with how many brackets are open in it.
    Code(u32),
    /// The format specification behind the expression's colon.
    Format,
}

#[derive(Clone, Copy)]
struct Quote {
    byte: u8,
    is_triple: bool,
    is_raw: bool,
    is_format: bool,
    start: usize,
}

struct Python<'a> {
    bytes: &'a [u8],
    at: usize,
    layers: Vec<Layer>,
    goes_on: bool,
    each: &'a mut dyn FnMut(Token, Span) -> bool,
}

impl Python<'_> {
    fn emit(&mut self, token: Token, start: usize, end: usize) {
        self.goes_on = self.goes_on && (self.each)(token, Span::of(start..end));
    }

    fn run(mut self) {
        self.line_start();
        while self.goes_on && self.at < self.bytes.len() {
            match self.layers.last() {
                Some(Layer::Text(quote)) => {
                    let quote = *quote;
                    self.literal(quote);
                }
                Some(Layer::Format) => self.format(),
                Some(Layer::Code(_)) | None => self.code(),
            }
        }
        let first = self.layers.iter().find_map(|layer| match layer {
            Layer::Text(quote) => Some(quote.start),
            Layer::Code(_) | Layer::Format => None,
        });
        if let Some(start) = first {
            self.emit(Token::Unclosed, start, start + 1);
        }
    }

    fn line_start(&mut self) {
        let start = self.at;
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\x0c')) {
            self.at += 1;
        }
        self.emit(Token::Line, start, self.at);
    }

    /// The innermost string that is open.
    fn quote(&self) -> Option<Quote> {
        self.layers.iter().rev().find_map(|layer| match layer {
            Layer::Text(quote) => Some(*quote),
            Layer::Code(_) | Layer::Format => None,
        })
    }

    /// A string that should have ended before this line end.
    fn give_up(&mut self) {
        if let Some(quote) = self.quote() {
            self.emit(Token::Unclosed, quote.start, quote.start + 1);
        }
        self.layers.clear();
    }

    fn newline(&mut self) {
        if self.quote().is_some_and(|quote| !quote.is_triple) {
            self.give_up();
        }
        self.at += 1;
        if self.layers.is_empty() {
            self.line_start();
        }
    }

    fn literal(&mut self, quote: Quote) {
        let stop = if quote.is_format {
            self.bytes[self.at..].iter().position(|&b| b == quote.byte || matches!(b, b'\\' | b'\n' | b'{' | b'}'))
        } else {
            memchr::memchr3(quote.byte, b'\\', b'\n', &self.bytes[self.at..])
        };
        let Some(stop) = stop else {
            self.at = self.bytes.len();
            return;
        };
        self.at += stop;
        match self.bytes[self.at] {
            b'\n' if quote.is_triple => self.at += 1,
            b'\n' => self.newline(),
            b'\\' => self.escape(quote),
            b'{' if self.bytes.get(self.at + 1) == Some(&b'{') => self.at += 2,
            b'{' => {
                self.emit(Token::Open(b'{'), self.at, self.at + 1);
                self.layers.push(Layer::Code(0));
                self.at += 1;
            }
            b'}' => self.at += 1,
            _ => self.end_quote(quote),
        }
    }

    fn escape(&mut self, quote: Quote) {
        let next = self.bytes.get(self.at + 1);
        let is_named = next == Some(&b'N') && self.bytes.get(self.at + 2) == Some(&b'{') && !quote.is_raw;
        if is_named && quote.is_format {
            let rest = &self.bytes[self.at..];
            let end = memchr::memchr3(b'}', b'\n', quote.byte, rest).unwrap_or(rest.len());
            self.at += end.max(1);
            return;
        }
        self.at += match next {
            Some(b'{' | b'}') if quote.is_format => 1,
            Some(b'\r') if self.bytes.get(self.at + 2) == Some(&b'\n') => 3,
            _ => 2,
        };
    }

    fn end_quote(&mut self, quote: Quote) {
        let length = if quote.is_triple { 3 } else { 1 };
        if quote.is_triple && !self.bytes[self.at..].starts_with(&[quote.byte; 3]) {
            self.at += 1;
            return;
        }
        self.at += length;
        self.layers.pop();
        self.emit(Token::Text, quote.start, self.at);
    }

    fn format(&mut self) {
        let byte = self.bytes[self.at];
        match byte {
            b'{' => {
                self.emit(Token::Open(b'{'), self.at, self.at + 1);
                self.layers.push(Layer::Code(0));
                self.at += 1;
            }
            b'}' => {
                self.layers.pop();
                self.end_expression();
            }
            b'\n' => self.newline(),
            _ if self.quote().is_some_and(|quote| quote.byte == byte && !quote.is_triple) => self.give_up(),
            _ => self.at += 1,
        }
    }

    fn end_expression(&mut self) {
        self.layers.pop();
        self.emit(Token::Close(b'}'), self.at, self.at + 1);
        self.at += 1;
    }

    fn code(&mut self) {
        let byte = self.bytes[self.at];
        match byte {
            b'\n' => self.newline(),
            b'#' => {
                let rest = &self.bytes[self.at..];
                let end = self.at + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                self.emit(Token::Comment, self.at, end);
                self.at = end;
            }
            b'"' | b'\'' => self.open_quote(byte),
            b'(' | b'[' | b'{' => {
                if let Some(Layer::Code(open)) = self.layers.last_mut() {
                    *open += 1;
                }
                self.emit(Token::Open(byte), self.at, self.at + 1);
                self.at += 1;
            }
            b')' | b']' | b'}' => match self.layers.last_mut() {
                Some(Layer::Code(0)) if byte == b'}' => self.end_expression(),
                Some(Layer::Code(open)) => {
                    *open = open.saturating_sub(1);
                    self.close(byte);
                }
                Some(Layer::Text(_) | Layer::Format) | None => self.close(byte),
            },
            b':' if matches!(self.layers.last(), Some(Layer::Code(0))) => {
                self.layers.push(Layer::Format);
                self.at += 1;
            }
            _ => self.at += 1,
        }
    }

    fn close(&mut self, byte: u8) {
        self.emit(Token::Close(byte), self.at, self.at + 1);
        self.at += 1;
    }

    fn open_quote(&mut self, byte: u8) {
        // In a format string of Python before 3.12 its own quote cannot stand in an expression; there it ends the
        // string, and so it does in a damaged one.
        let mut start = self.at;
        while start > 0 && self.at - start < 3 && self.bytes[start - 1].is_ascii_alphabetic() {
            start -= 1;
        }
        let prefix = &self.bytes[start..self.at];
        let is_prefix = prefix.len() <= 2
            && prefix.iter().all(|b| b"rRbBuUfFtT".contains(b))
            && (start == 0 || !(self.bytes[start - 1].is_ascii_alphanumeric() || self.bytes[start - 1] == b'_'));
        let prefix = if is_prefix { prefix } else { &[] };
        let is_triple = self.bytes[self.at..].starts_with(&[byte; 3]);
        let quote = Quote {
            byte,
            is_triple,
            is_raw: prefix.iter().any(|b| b"rR".contains(b)),
            is_format: prefix.iter().any(|b| b"fFtT".contains(b)),
            start: self.at - prefix.len(),
        };
        self.at += if is_triple { 3 } else { 1 };
        self.layers.push(Layer::Text(quote));
    }
}

fn rust(bytes: &[u8], each: &mut dyn FnMut(Token, Span)) {
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at += memchr::memchr(b'\n', &bytes[at..]).unwrap_or(bytes.len() - at);
                each(Token::Comment, Span::of(start..at));
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                let closed = block_comment(bytes, at);
                at = closed.unwrap_or(bytes.len());
                each(if closed.is_some() { Token::Comment } else { Token::Unclosed }, Span::of(start..at));
            }
            b'"' => at = rust_string(bytes, start, at, each),
            b'r' | b'b' | b'c' if !is_word(bytes, at.wrapping_sub(1)) => at = rust_prefix(bytes, at, each),
            b'\'' => at = lifetime_or_char(bytes, at, each),
            byte @ (b'(' | b'[' | b'{') => {
                each(Token::Open(byte), Span::of(at..at + 1));
                at += 1;
            }
            byte @ (b')' | b']' | b'}') => {
                each(Token::Close(byte), Span::of(at..at + 1));
                at += 1;
            }
            b'!' | b'-' | b'*' | b'&' => {
                each(Token::Prefix, Span::of(at..at + 1));
                at += 1;
            }
            _ => at += 1,
        }
    }
}

fn is_word(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).copied().is_some_and(is_of_identifier)
}

fn block_comment(bytes: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0_u32;
    let mut at = start;
    while let Some(next) = memchr::memchr2(b'/', b'*', bytes.get(at..)?) {
        at += next;
        match (bytes[at], bytes.get(at + 1)) {
            (b'/', Some(b'*')) => {
                depth += 1;
                at += 2;
            }
            (b'*', Some(b'/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
    None
}

/// A string whose quote stands at `at`; returns where it ends.
fn rust_string(bytes: &[u8], start: usize, at: usize, each: &mut dyn FnMut(Token, Span)) -> usize {
    let mut at = at + 1;
    while let Some(next) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += next;
        if bytes[at] == b'"' {
            each(Token::Text, Span::of(start..at + 1));
            return at + 1;
        }
        at += 2;
    }
    each(Token::Unclosed, Span::of(start..start + 1));
    bytes.len()
}

/// `r"…"`, `r#"…"#`, `b"…"`, `br#"…"#`, `b'x'`, `c"…"`, a raw identifier or just a word.
fn rust_prefix(bytes: &[u8], start: usize, each: &mut dyn FnMut(Token, Span)) -> usize {
    let mut at = start + 1;
    let mut is_raw = bytes[start] == b'r';
    if !is_raw && bytes.get(at) == Some(&b'r') {
        is_raw = true;
        at += 1;
    }
    if !is_raw {
        return match bytes.get(at) {
            Some(b'"') => rust_string(bytes, start, at, each),
            Some(b'\'') if bytes[start] == b'b' => lifetime_or_char(bytes, at, each),
            _ => start + 1,
        };
    }
    let hashes = bytes[at..].iter().take_while(|&&b| b == b'#').count();
    if bytes.get(at + hashes) != Some(&b'"') {
        return start + 1;
    }
    let mut end = at + hashes + 1;
    while let Some(next) = memchr::memchr(b'"', &bytes[end..]) {
        end += next + 1;
        if bytes[end..].iter().take(hashes).filter(|&&b| b == b'#').count() == hashes {
            each(Token::Text, Span::of(start..end + hashes));
            return end + hashes;
        }
    }
    each(Token::Unclosed, Span::of(start..start + 1));
    bytes.len()
}

fn lifetime_or_char(bytes: &[u8], start: usize, each: &mut dyn FnMut(Token, Span)) -> usize {
    if bytes.get(start + 1) == Some(&b'\\') {
        let rest = bytes.get(start + 3..).unwrap_or_default();
        let end = memchr::memchr2(b'\'', b'\n', rest).map_or(bytes.len(), |end| start + 3 + end + 1);
        each(Token::Text, Span::of(start..end));
        return end;
    }
    // One code point and a quote make a character; anything else is a lifetime.
    let width = match bytes.get(start + 1) {
        Some(0..=0x7f) => 1,
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        _ => 4,
    };
    if bytes.get(start + 1 + width) == Some(&b'\'') && bytes.get(start + 1) != Some(&b'\'') {
        each(Token::Text, Span::of(start..start + width + 2));
        return start + width + 2;
    }
    start + 1
}
