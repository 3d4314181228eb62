//! What kind of text a hunk is, as far as it makes the hunk boring: tests, generated files, stubs, comments, imports,
//! blanks.

use crate::text::{Language, Side};
use crate::verdict::Setting;

use super::diff::Diff;
use super::risk::{SinkRow, table};

/// The sink that takes most from a hunk; `None` for ordinary code. Files that are no code have no signals to sink.
pub(super) fn sink(diff: &Diff<'_>, piece: usize) -> Option<&'static SinkRow> {
    let file = diff.file(piece);
    let language = file.language()?;
    let (before, after) = (diff.text(piece, Side::Before), diff.text(piece, Side::After));
    let name = if is_same_but_for_blanks(language, &before, &after) {
        "only-whitespace"
    } else if lines(&before).chain(lines(&after)).all(|line| is_comment(language, line)) {
        "only-comments"
    } else if is_generated(diff, piece) {
        "generated-code"
    } else if ends_as(file.path(), "type-stubs") {
        "type-stubs"
    } else if diff.pieces[piece].item.is_none() && is_import(&before) && is_import(&after) {
        "only-imports"
    } else if Setting::of_path(file.path()) == Setting::Test {
        "test-code"
    } else {
        return None;
    };
    table().sink(name)
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Python's indentation means something, so there only blank lines and line ends may differ.
fn is_same_but_for_blanks(language: Language, before: &str, after: &str) -> bool {
    match language {
        Language::Python => {
            let lines = |text: &str| -> Vec<String> {
                text.lines().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
            };
            lines(before) == lines(after)
        }
        Language::Rust => before
            .chars()
            .filter(|letter| !letter.is_whitespace())
            .eq(after.chars().filter(|letter| !letter.is_whitespace())),
    }
}

fn is_comment(language: Language, line: &str) -> bool {
    match language {
        Language::Python => line.starts_with('#'),
        Language::Rust => line.starts_with("//"),
    }
}

/// Imports and the lines that only go on with one. `mod` counts: it brings a file in and runs nothing.
fn is_import(text: &str) -> bool {
    lines(text).all(|line| {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        let starts = ["import ", "from ", "use ", "mod ", "extern crate "].iter().any(|word| line.starts_with(word));
        let goes_on = line.ends_with([',', '(', ')', '{', '}', ';'])
            && line.chars().all(|letter| letter.is_alphanumeric() || "_ ,:(){}*;.".contains(letter));
        starts || goes_on
    })
}

/// Whether a path ends in a way that shows a sink.
fn ends_as(path: &str, sink: &str) -> bool {
    table().sink(sink).is_some_and(|row| row.endings.iter().any(|ending| path.ends_with(ending.as_str())))
}

fn is_generated(diff: &Diff<'_>, piece: usize) -> bool {
    const HEAD: usize = 8;
    let Some(row) = table().sink("generated-code") else { return false };
    let file = diff.file(piece);
    if ends_as(file.path(), "generated-code") {
        return true;
    }
    let Some(text) = file.after.as_ref().or(file.before.as_ref()).map(|side| &side.text) else { return false };
    // Only comments in the head speak of the file; code that writes generated files says the same words elsewhere.
    text.lines().take(HEAD).filter(|line| line.starts_with(['#', '/', '"'])).any(|line| {
        let line = line.to_lowercase();
        row.markers.iter().any(|marker| line.contains(marker.as_str()))
    })
}
