//! What is done and what is left, for whoever goes on with the work: Markdown that reads as plain text.

use crate::review::{Handoff, Review};

use super::words;

pub(super) fn render(review: &Review) -> String {
    review.handoff.as_ref().map_or_else(|| "Nothing is left unfinished.\n".to_owned(), text)
}

/// What is left first, in reading order, then what was completed.
pub(super) fn text(handoff: &Handoff) -> String {
    let mut text = "What is left\n".to_owned();
    let left = handoff.left.iter().map(|left| (&left.path, &left.function, &left.what));
    by_file(left, &mut text);
    if !handoff.done.is_empty() {
        text.push_str("\nWhat is done\n");
        let done = handoff.done.iter().map(|done| (&done.path, &done.function, &done.what));
        by_file(done, &mut text);
    }
    text
}

fn by_file<'h>(rows: impl Iterator<Item = (&'h String, &'h String, &'h String)>, text: &mut String) {
    let mut last = None;
    for (path, function, what) in rows {
        if last != Some(path) {
            text.push_str(&format!("\n{}\n", words::one_line(path)));
            last = Some(path);
        }
        let what = words::one_line(what);
        if function.is_empty() {
            text.push_str(&format!("- {what}\n"));
        } else {
            text.push_str(&format!("- `{}`: {what}\n", words::one_line(function)));
        }
    }
}
