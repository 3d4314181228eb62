//! What the comments of a file ask of the review, and which lines they speak of.
//!
//! ~~~text
//! risky()  # tenth: ignore[rule] -- why        what holds this line
//!
//! # tenth: ignore[rule] -- why                 the statement that begins on the next line of code,
//! risky(                                       or the whole item where one begins there
//!     1)
//! async def f():  # tenth: ignore[rule]        the item: this is its header
//! # tenth: file-ignore[rule] -- why            the file
//! ~~~
//!
//! What other linters are told is read as well: what a change adds of it is worth a word.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::change::{ChangeSet, Extent, Kind, marks};
use crate::directive::{self, Verb};
use crate::flow::{FunctionKind, Mark, Module};
use crate::review::{Covers, Notice, Suppression};
use crate::syntax::scan::{Token, scan};
use crate::text::{Language, LineIndex, Side, Span};

/// What the comments of a file ask for.
pub(crate) fn of_module(module: &Module, side: Side, text: &str, lines: &LineIndex) -> Vec<Suppression> {
    let mut found = Vec::new();
    // Most files hold none, and need not be looked at more closely.
    if !text.contains(directive::MARK) {
        return found;
    }
    let Some(language) = Language::of_path(&module.path) else { return found };
    let page = Page::new(module, text, lines, language);
    for mark in &module.marks {
        let Mark::Comment { span, text: comment } = mark else { continue };
        // Documentation shows how it is done; it does not do it.
        let is_doc = ["///", "//!", "/**", "/*!"].iter().any(|start| span.text(text).starts_with(start));
        let Some(said) = (!is_doc).then(|| directive::read(comment)).flatten() else { continue };
        let is_file = said.as_ref().is_ok_and(|said| said.verb == Verb::FileIgnore);
        let covers = if is_file { Covers::File } else { page.covered(*span) };
        found.push(Suppression { path: module.path.clone(), side, line: lines.line(span.start), said, covers });
    }
    found
}

/// A file, as far as it takes to say where statements and items begin and end.
struct Page<'a> {
    text: &'a str,
    lines: &'a LineIndex,
    language: Language,
    comments: Vec<Span>,
    /// Brackets that open (`true`) and close, and where.
    brackets: Vec<(u32, u8, bool)>,
    /// Strings over several lines.
    strings: Vec<Span>,
    items: Vec<Item>,
}

/// Lines of a function or type.
struct Item {
    first: u32,
    /// The last line of its header.
    header: u32,
    last: u32,
}

impl<'a> Page<'a> {
    fn new(module: &Module, text: &'a str, lines: &'a LineIndex, language: Language) -> Self {
        let mut page = Self {
            text,
            lines,
            language,
            comments: Vec::new(),
            brackets: Vec::new(),
            strings: Vec::new(),
            items: Vec::new(),
        };
        scan(text, language, &mut |token, span| match token {
            Token::Comment => page.comments.push(span),
            Token::Open(byte) => page.brackets.push((span.start, byte, true)),
            Token::Close(byte) => page.brackets.push((span.start, byte, false)),
            Token::Text => page.strings.push(span),
            Token::Unclosed | Token::Prefix | Token::Line => {}
        });
        let named = module.functions.iter().filter(|function| {
            !matches!(
                function.kind,
                FunctionKind::Module
                    | FunctionKind::Closure
                    | FunctionKind::AsyncBlock
                    | FunctionKind::GeneratorExpression
            )
        });
        let functions = named.map(|function| (function.span, function.header.start));
        let types = module.types.iter().map(|of| (of.span, of.header.start));
        let impls = module.impls.iter().map(|of| (of.span, of.span.start));
        let spans: Vec<(Span, u32)> = functions.chain(types).chain(impls).collect();
        page.items = spans
            .into_iter()
            .map(|(span, name)| {
                let (first, last) = lines.lines(span);
                Item { first, header: page.statement_end(lines.line(name)).min(last), last }
            })
            .collect();
        page
    }

    /// What a comment speaks of.
    fn covered(&self, comment: Span) -> Covers {
        let line = self.lines.line(comment.start);
        let begins = self.lines.line_span(line).start;
        let is_alone = Span::new(begins, comment.start).text(self.text).trim().is_empty();
        let from = if is_alone {
            let end = self.lines.line(comment.end.saturating_sub(1).max(comment.start));
            let next = (end + 1..=self.lines.count()).find(|&line| self.last_code(line).is_some());
            let Some(next) = next else { return Covers::Nothing };
            next
        } else {
            line
        };
        // The innermost: of those whose header holds the line, the one that begins last.
        let items = self.items.iter().filter(|item| item.first <= from && from <= item.header);
        match (items.max_by_key(|item| (item.first, std::cmp::Reverse(item.last))), is_alone) {
            (Some(item), _) => Covers::Lines(item.first, item.last),
            (None, true) => Covers::Lines(from, self.statement_end(from)),
            (None, false) => Covers::Line(line),
        }
    }

    /// The last line of the statement that begins on a line; of one that holds a block, the last line of its head.
    fn statement_end(&self, first: u32) -> u32 {
        let start = self.lines.line_span(first).start;
        let from = self.brackets.partition_point(|(at, ..)| *at < start);
        let mut brackets = self.brackets[from..].iter().peekable();
        let mut depth = 0_u32;
        for line in first..=self.lines.count() {
            let end = self.lines.line_span(line).end;
            while let Some((_, byte, opens)) = brackets.next_if(|(at, ..)| *at < end) {
                // A brace that stands in no other bracket begins a block of Rust, which is not the statement's head.
                let is_block = self.language == Language::Rust && matches!(byte, b'{' | b'}') && depth == 0;
                if *opens && !is_block {
                    depth += 1;
                } else if !*opens {
                    depth = depth.saturating_sub(1);
                }
            }
            let goes_on = depth > 0
                || self.strings.iter().any(|string| string.start < end && end <= string.end)
                || match (self.language, self.last_code(line)) {
                    (Language::Python, last) => last == Some('\\'),
                    (Language::Rust, Some(last)) => !matches!(last, ';' | '{' | '}' | ','),
                    (Language::Rust, None) => true,
                };
            if !goes_on {
                return line;
            }
        }
        self.lines.count()
    }

    /// The last character of a line that is code; `None` where it holds none.
    fn last_code(&self, line: u32) -> Option<char> {
        let span = self.lines.line_span(line);
        let mut end = span.end;
        let mut start = span.start;
        for comment in self.comments.iter().filter(|comment| comment.start < span.end && span.start < comment.end) {
            if comment.start <= start {
                start = comment.end.min(span.end);
            } else {
                end = end.min(comment.start);
            }
        }
        Span::new(start, end.max(start)).text(self.text).trim().chars().next_back()
    }
}

/// `rules/suppressions.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Foreign {
    python: Silencers,
    rust: Silencers,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Silencers {
    forms: Vec<String>,
    names: Vec<String>,
}

static FOREIGN: LazyLock<Foreign> = LazyLock::new(|| {
    toml::from_str(include_str!("../rules/suppressions.toml"))
        .expect("the table is part of the program, and a test reads it")
});

/// Where the change tells other linters to be silent about concurrency.
pub(crate) fn foreign(change: &ChangeSet) -> Vec<Notice> {
    let mut notices = Vec::new();
    if matches!(change.description.kind, Kind::Files | Kind::Demo) {
        return notices;
    }
    for file in change.files.iter().filter(|file| file.extent == Extent::Whole) {
        let (Some(language), Some(side)) = (file.language(), &file.after) else { continue };
        let silencers = match language {
            Language::Python => &FOREIGN.python,
            Language::Rust => &FOREIGN.rust,
        };
        if !silencers.forms.iter().any(|form| side.text.contains(form.as_str())) {
            continue;
        }
        let lines = LineIndex::new(&side.text);
        for (line, names) in silenced(&side.text, language, &lines, silencers) {
            if file.line_map.before_of(line).is_none() {
                let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                notices.push(Notice {
                    kind: "foreign-suppression".to_owned(),
                    text: format!("the change tells another linter to say nothing of {names}"),
                    path: Some(side.path.to_string()),
                    line: Some(line),
                });
            }
        }
    }
    notices
}

/// The lines of a text that silence something, and what.
fn silenced<'t>(
    text: &'t str,
    language: Language,
    lines: &LineIndex,
    silencers: &Silencers,
) -> Vec<(u32, Vec<&'t str>)> {
    // Python says it in comments, Rust in attributes: in the one case only comments are read, in the other all else.
    let mut hidden = Vec::new();
    let mut comments = Vec::new();
    scan(text, language, &mut |token, span| match token {
        Token::Comment => comments.push(span),
        Token::Text => hidden.push(span),
        Token::Open(_) | Token::Close(_) | Token::Unclosed | Token::Prefix | Token::Line => {}
    });
    let stretches: Vec<Span> = match language {
        Language::Python => comments,
        Language::Rust => {
            hidden.extend(comments);
            hidden.sort_by_key(|span| span.start);
            let mut from = 0;
            let mut code = Vec::new();
            for span in hidden {
                code.push(Span::new(from, span.start.max(from)));
                from = span.end.max(from);
            }
            code.push(Span::new(from, (text.len() as u32).max(from)));
            code
        }
    };
    let mut found = Vec::new();
    for stretch in stretches {
        let said = stretch.text(text);
        for form in &silencers.forms {
            for (at, _) in said.match_indices(form.as_str()) {
                if said[..at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_') {
                    continue;
                }
                let list = &said[at + form.len()..];
                let list = &list[..list.find([')', ']', '#']).unwrap_or(list.len())];
                let names = list.split([',', ' ', '\n']).map(str::trim);
                let names: Vec<&str> =
                    names.filter(|name| silencers.names.iter().any(|known| marks::fits(known, name))).collect();
                if !names.is_empty() {
                    found.push((lines.line(stretch.start + at as u32), names));
                }
            }
        }
    }
    found.sort();
    found.dedup_by_key(|(line, _)| *line);
    found
}
