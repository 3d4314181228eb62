//! Reviewdog's diagnostic format: one object with every open finding and question. Columns count bytes of UTF-8.

use serde::Serialize;

use crate::review::{Level, Position, Review, Side, Sources, Suggestion};

use super::annotation::{self, Annotation, Place, Subject};
use super::words;

#[derive(Serialize)]
struct DiagnosticResult {
    source: Source,
    diagnostics: Vec<Diagnostic>,
}

#[derive(Serialize)]
struct Source {
    name: &'static str,
}

#[derive(Serialize)]
struct Diagnostic {
    message: String,
    location: Location,
    severity: Severity,
    code: Code,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suggestions: Vec<Replacement>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<RelatedLocation>,
}

#[derive(Serialize)]
struct Location {
    path: String,
    range: Range,
}

#[derive(Serialize)]
struct Range {
    start: Point,
    end: Point,
}

#[derive(Serialize)]
struct Point {
    line: u32,
    column: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Severity {
    Error,
    Warning,
    Info,
}

#[derive(Serialize)]
struct Code {
    value: String,
}

#[derive(Serialize)]
struct Replacement {
    range: Range,
    text: String,
}

#[derive(Serialize)]
struct RelatedLocation {
    message: String,
    location: Location,
}

pub(super) fn render(review: &Review, sources: &Sources) -> String {
    let all = annotation::open(review, sources);
    let diagnostics = all.iter().map(|one| diagnostic(one, sources)).collect();
    let result = DiagnosticResult { source: Source { name: "tenth" }, diagnostics };
    let mut text = serde_json::to_string_pretty(&result).expect("the diagnostics hold nothing that JSON cannot say");
    text.push('\n');
    text
}

fn diagnostic(one: &Annotation<'_>, sources: &Sources) -> Diagnostic {
    let mut message = words::one_line(one.text());
    if !one.help().is_empty() {
        message += &format!("\nTo settle it: {}", words::one_line(one.help()));
    }
    // A replacement has no path of its own.
    let suggestion = match one.subject {
        Subject::Finding(finding) => finding.suggestion.as_ref().filter(|edit| edit.path == one.anchor.path),
        Subject::Question(_) => None,
    };
    // A place of the before side would be looked for in the file as it is now.
    let related = one.related().into_iter().filter(|related| related.side == Side::After);
    Diagnostic {
        message,
        location: location(&one.anchor, sources),
        severity: match one.level() {
            Some(Level::Error) => Severity::Error,
            Some(Level::Warning) => Severity::Warning,
            Some(Level::Note) | None => Severity::Info,
        },
        code: Code { value: one.rule().to_owned() },
        suggestions: suggestion.map(|edit| replacement(edit, sources)).into_iter().collect(),
        related_locations: related
            .map(|related| RelatedLocation {
                message: words::one_line(related.note),
                location: location(&related.place, sources),
            })
            .collect(),
    }
}

fn replacement(edit: &Suggestion, sources: &Sources) -> Replacement {
    Replacement { range: range(&edit.path, edit.start, edit.end, sources), text: edit.text.clone() }
}

fn location(place: &Place, sources: &Sources) -> Location {
    Location { path: place.path.clone(), range: range(&place.path, place.start, place.end, sources) }
}

fn range(path: &str, start: Position, end: Position, sources: &Sources) -> Range {
    let point = |at: Position| {
        let column = sources
            .get(Side::After, path)
            .map_or(at.column, |source| source.offset(at) - source.lines.line_span(at.line).start + 1);
        Point { line: at.line, column }
    };
    Range { start: point(start), end: point(end) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::tests::Story;

    #[test]
    fn columns_count_bytes() {
        let text = "größe = lock()\n";
        let mut story = Story::new(&[], &[("m.py", text)]);
        story.after.push(story.violated(Side::After, "lock-reentry", "m.py", "lock()", 0));
        let value: serde_json::Value = serde_json::from_str(&render(&story.review(), story.sources())).unwrap();
        let at = |pointer| value.pointer(pointer).and_then(serde_json::Value::as_u64);
        assert_eq!(at("/diagnostics/0/location/range/end/column"), Some(17));
        assert_eq!(at("/diagnostics/0/related_locations/0/location/range/start/column"), Some(11));
    }
}
