//! The review for a person at a terminal.
//!
//! Findings with the source of the after side and a label on every piece of evidence, loudest first; then the hunks that
//! need eyes as small diffs; then what only the reviewer can answer; the sum in one line last, where the eye rests. A
//! change with nothing to see gets that one line and no more.

use std::fmt::{self, Write as _};

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, Severity,
    SourceCode, SourceSpan, SpanContents,
};

use crate::review::{
    Assumption, CoverageState, Finding, Level, Origin, Position, Review, Side, SourceText, Sources, Stance, Standing,
    Status,
};
use crate::text::Span;

use super::narrow::Narrow;
use super::{Paint, Style, excerpt, words};

/// A label on more lines than this would push everything else off the screen; its first line stands for it.
const LONGEST_LABEL: u32 = 6;

/// How many rows of coverage are spelled out; the report as JSON has them all.
const COVERAGE_ROWS: usize = 8;

pub(super) fn render(review: &Review, sources: &Sources, style: Style) -> String {
    if words::is_quiet(review) {
        let done = paint(style, "32", "nothing to see");
        let unread = review.coverage.iter().filter(|row| row.state != CoverageState::Analysed).count() as u32;
        let unread = match unread {
            0 => String::new(),
            _ => format!("; {} not wholly analysed, `--format json` lists them", words::count(unread, "place")),
        };
        let mut out = format!("{done}: {} ({}){unread}\n", words::outcome(review), words::extent(review));
        split(&mut out, review, style);
        return out;
    }
    let mut out = String::new();
    for finding in review.findings.iter().filter(|finding| finding.status == Status::Open) {
        self::finding(&mut out, finding, sources, style);
    }
    accepted(&mut out, review, style);
    hunks(&mut out, review, sources, style);
    checklist(&mut out, review, style);
    claims(&mut out, review, style);
    remarks(&mut out, review, style);
    split(&mut out, review, style);
    let outcome = words::outcome(review);
    let summary = &review.summary;
    let eyes = match summary.highlighted_hunks {
        0 => String::new(),
        number => format!("; {number} of {} need eyes", words::count(summary.hunks, "hunk")),
    };
    let _ = writeln!(out, "{}{eyes} ({})", paint(style, "1", &outcome), words::extent(review));
    out
}

/// The proposal for a change that is over the review budget.
fn split(out: &mut String, review: &Review, style: Style) {
    let Some(split) = &review.split else { return };
    let (why, chunks) = words::split(split);
    let _ = writeln!(out, "{}: {why}", paint(style, "1", "split"));
    for (number, chunk) in (1..).zip(chunks) {
        let _ = writeln!(out, "  {number}. {chunk}");
    }
}

/// One finding: its own file first, then every other file that holds evidence.
fn finding(out: &mut String, finding: &Finding, sources: &Sources, style: Style) {
    let severity = match finding.severity {
        Level::Error => Severity::Error,
        Level::Warning => Severity::Warning,
        Level::Note => Severity::Advice,
    };
    let mut main = Snippet {
        headline: words::one_line(&finding.message),
        code: Some(format!("{}[{}]", words::level(finding.severity), finding.rule)),
        severity,
        help: help(finding),
        source: None,
        labels: Vec::new(),
    };
    let mut others: Vec<(Side, &str, Vec<Label<'_>>)> = Vec::new();
    let own = Label { start: finding.start, end: finding.end, note: "" };
    let mut labels = vec![own];
    for piece in &finding.evidence {
        let label = Label { start: piece.start, end: piece.end, note: &piece.note };
        if piece.side == Side::After && piece.path == finding.path {
            // Evidence about the primary place itself becomes its label.
            if (piece.start, piece.end) == (finding.start, finding.end) && labels[0].note.is_empty() {
                labels[0].note = &piece.note;
            } else {
                labels.push(label);
            }
        } else {
            match others.iter_mut().find(|(side, path, _)| (*side, *path) == (piece.side, piece.path.as_str())) {
                Some((_, _, labels)) => labels.push(label),
                None => others.push((piece.side, &piece.path, vec![label])),
            }
        }
    }
    main.show(sources.get(Side::After, &finding.path), &finding.path, &labels);
    main.render(out, style);
    for (side, path, labels) in others {
        let path_there = if side == Side::Before { sources.path_before(path) } else { path };
        let when = if side == Side::Before { ", before the change" } else { "" };
        let mut more = Snippet {
            headline: format!("evidence in `{}`{when}", words::one_line(path)),
            code: None,
            severity: Severity::Advice,
            help: None,
            source: None,
            labels: Vec::new(),
        };
        more.show(sources.get(side, path_there), path, &labels);
        more.render(out, style);
    }
    if !finding.trace.is_empty() {
        for hop in &finding.trace {
            let place = format!("{}:{}", words::one_line(&hop.path), hop.line);
            let what = words::one_line(&hop.what);
            let _ = writeln!(out, "    {} {} {what}", paint(style, "2", &place), words::one_line(&hop.function));
        }
        out.push('\n');
    }
}

fn accepted(out: &mut String, review: &Review, style: Style) {
    let accepted = words::accepted(review);
    if accepted.is_empty() {
        return;
    }
    let _ = writeln!(out, "{}\n", paint(style, "1", "Accepted"));
    for finding in accepted {
        let place = format!("{}:{}", words::one_line(&finding.path), finding.start.line);
        let level = format!("{}[{}]", words::level(finding.severity), finding.rule);
        let gates = if finding.gating { format!(" ({})", words::why_accepted(finding)) } else { String::new() };
        let message = words::one_line(&finding.message);
        let _ = writeln!(out, "  {level} {} {message}{gates}", paint(style, "2", &place));
    }
    out.push('\n');
}

fn help(finding: &Finding) -> Option<String> {
    let origin = match finding.origin {
        Origin::Introduced => "",
        Origin::Reached => "stood before; the change touches its path",
        Origin::Existing => "stood before",
    };
    let parts: Vec<String> = [finding.help.as_str(), origin]
        .iter()
        .filter(|part| !part.is_empty())
        .map(|part| words::one_line(part))
        .collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn hunks(out: &mut String, review: &Review, sources: &Sources, style: Style) {
    let highlighted = review.highlighted();
    if highlighted.is_empty() {
        return;
    }
    let _ = writeln!(out, "{}\n", paint(style, "1", "Read these first"));
    for hunk in highlighted {
        let inside =
            hunk.function.as_deref().map(|name| format!(" in `{}`", words::one_line(name))).unwrap_or_default();
        let place = paint(style, "1;36", &words::one_line(&words::place(hunk)));
        let _ = writeln!(out, "  {place}{inside}, risk {}", hunk.risk);
        for reason in hunk.reasons.iter().filter(|reason| reason.points > 1).take(3) {
            let _ = writeln!(out, "    {:>3}  {}", format!("+{}", reason.points), words::one_line(&reason.text));
        }
        for line in excerpt::lines(hunk, sources) {
            let text = format!("{:>6} {} {}", line.number, line.sign, line.text.replace('\t', "    "));
            let text = text.trim_end();
            let color = match line.sign {
                '-' => "31",
                '+' => "32",
                _ => "2",
            };
            let _ = writeln!(out, "{}", paint(style, color, text));
        }
        out.push('\n');
    }
}

fn checklist(out: &mut String, review: &Review, style: Style) {
    let questions: Vec<&Assumption> = review.questions().collect();
    if !questions.is_empty() {
        let _ = writeln!(out, "{}\n", paint(style, "1", "Only you can answer"));
        for line in questions {
            let question = if line.question.is_empty() { &line.text } else { &line.question };
            let place = format!("{}:{}", words::one_line(&line.path), line.start.line);
            let _ = writeln!(out, "  [ ] {}", words::one_line(question));
            let _ = writeln!(out, "      {} {}", paint(style, "2", &place), paint(style, "2", &line.rule));
            for piece in words::grounds(line) {
                let place = format!("{}:{}", words::one_line(&piece.path), piece.start.line);
                let _ = writeln!(out, "      {} {}", paint(style, "2", &place), words::one_line(&piece.note));
            }
        }
        out.push('\n');
    }
    let upheld: Vec<&Assumption> = review.assumptions.iter().filter(|line| line.stance == Stance::Upheld).collect();
    if !upheld.is_empty() {
        let _ = writeln!(out, "{}\n", paint(style, "1", "What holds"));
        for line in upheld {
            let place = format!("{}:{}", words::one_line(&line.path), line.start.line);
            let _ = writeln!(out, "  [x] {} {}", words::one_line(&line.text), paint(style, "2", &place));
        }
        out.push('\n');
    }
}

fn claims(out: &mut String, review: &Review, style: Style) {
    let claims = words::claims(review);
    if claims.is_empty() {
        return;
    }
    let _ = writeln!(out, "{}\n", paint(style, "1", "What the change claims"));
    for claim in claims.iter().take(words::CLAIMS) {
        let text = words::shortened(&words::one_line(&claim.text));
        let mark = match claim.standing {
            Standing::Contradicted => "[!]",
            Standing::Unchecked => "[ ]",
            Standing::Confirmed => "[x]",
        };
        let place = paint(style, "2", &words::one_line(&words::source(claim)));
        let _ = writeln!(out, "  {mark} \u{201c}{text}\u{201d} {place}");
        let _ = writeln!(out, "      {}", words::one_line(&words::standing(claim)));
    }
    if claims.len() > words::CLAIMS {
        let _ = writeln!(out, "  and {} more; `--format json` lists them", claims.len() - words::CLAIMS);
    }
    out.push('\n');
}

fn remarks(out: &mut String, review: &Review, style: Style) {
    let mut told = words::told(review).peekable();
    if told.peek().is_some() {
        let _ = writeln!(out, "{}\n", paint(style, "1", "Settings and suppressions"));
        for notice in told {
            let place = words::pointer(notice).map(|place| format!("{place}: ")).unwrap_or_default();
            let _ = writeln!(out, "  {place}{}", words::one_line(&notice.text));
        }
        out.push('\n');
    }
    let rows: Vec<_> = review.coverage.iter().filter(|row| row.state != CoverageState::Analysed).collect();
    if !rows.is_empty() {
        let _ = writeln!(out, "{}\n", paint(style, "1", "Not wholly analysed"));
        for row in rows.iter().take(COVERAGE_ROWS) {
            let function =
                row.function.as_deref().map(|name| format!(" {}", words::one_line(name))).unwrap_or_default();
            let _ = writeln!(out, "  {}{function}: {}", words::one_line(&row.path), words::one_line(&row.why));
        }
        if rows.len() > COVERAGE_ROWS {
            let _ = writeln!(out, "  and {} more; `--format json` lists them", rows.len() - COVERAGE_ROWS);
        }
        out.push('\n');
    }
    if !review.fixed.is_empty() {
        let fixed = words::count(review.fixed.len() as u32, "finding");
        let _ = writeln!(out, "The change does away with {fixed}.\n");
    }
}

fn paint(style: Style, code: &str, text: &str) -> String {
    match style.paint {
        Paint::Coloured => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        Paint::Plain => text.to_owned(),
    }
}

#[derive(Clone, Copy)]
struct Label<'a> {
    start: Position,
    end: Position,
    note: &'a str,
}

/// What miette draws.
#[derive(Debug)]
struct Snippet {
    headline: String,
    code: Option<String>,
    severity: Severity,
    help: Option<String>,
    source: Option<Shown>,
    labels: Vec<LabeledSpan>,
}

/// A text as it is shown.
#[derive(Debug)]
struct Shown {
    path: String,
    text: String,
    /// Where labels stand in the whole text, of which lines may have been cut.
    places: Vec<(SourceSpan, Position)>,
}

impl SourceCode for Shown {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let read = self.text.read_span(span, before, after)?;
        let asked = self.places.iter().find(|(known, _)| known == span && (before, after) == (0, 0));
        let (line, column) = match asked {
            Some((_, place)) => (place.line.saturating_sub(1) as usize, place.column.saturating_sub(1) as usize),
            None => (read.line(), read.column()),
        };
        let path = self.path.clone();
        let shown = MietteSpanContents::new_named(path, read.data(), *read.span(), line, column, read.line_count());
        Ok(Box::new(shown))
    }
}

impl Snippet {
    /// Adds a file with labels, the first of which is the one that the eye goes to.
    fn show(&mut self, source: Option<&SourceText>, path: &str, labels: &[Label<'_>]) {
        let Some(source) = source else {
            // Without its text the place is still named.
            if let Some(label) = labels.first() {
                let _ = write!(self.headline, " ({}:{})", words::one_line(path), label.start.line);
            }
            return;
        };
        let spans: Vec<Span> = labels.iter().map(|label| span(source, label)).collect();
        let narrow = Narrow::around(source, &spans);
        let mut places = Vec::new();
        for (at, (label, span)) in labels.iter().zip(spans).enumerate() {
            let start = narrow.offset(span.start);
            let length = narrow.offset(span.end).saturating_sub(start).max(1);
            let note = (!label.note.is_empty()).then(|| words::one_line(label.note));
            places.push(((start, length).into(), label.start));
            self.labels.push(match at {
                0 => LabeledSpan::new_primary_with_span(note, (start, length)),
                _ => LabeledSpan::new_with_span(note, (start, length)),
            });
        }
        self.source = Some(Shown { path: words::one_line(path), text: narrow.text, places });
    }

    fn render(&self, out: &mut String, style: Style) {
        let theme = match style.paint {
            Paint::Coloured => GraphicalTheme::unicode(),
            Paint::Plain => GraphicalTheme::unicode_nocolor(),
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(style.width.max(40))
            .with_links(false)
            .without_syntax_highlighting()
            .tab_width(4);
        let mark = out.len();
        if handler.render_report(out, self).is_err() {
            // A place that does not fit its text must not cost the reader the finding.
            out.truncate(mark);
            let _ = writeln!(out, "  {}", self.headline);
        }
        out.push('\n');
    }
}

/// What a label covers: all of it, or its first line.
fn span(source: &SourceText, label: &Label<'_>) -> Span {
    let start = source.offset(label.start);
    let is_short = label.end.line - label.start.line.min(label.end.line) < LONGEST_LABEL;
    let end_of_line = || source.lines.line_span(label.start.line).start + source.line(label.start.line).len() as u32;
    Span::new(start, if is_short { source.offset(label.end) } else { end_of_line() })
}

impl fmt::Display for Snippet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline)
    }
}

impl std::error::Error for Snippet {}

impl Diagnostic for Snippet {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.as_ref().map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty())
            .then(|| Box::new(self.labels.iter().cloned()) as Box<dyn Iterator<Item = LabeledSpan>>)
    }
}
