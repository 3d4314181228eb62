//! The contract as JSON Lines: `meta` first, then one line an item with its `type`, `summary` last.
//!
//! For readers that take one line after the other. One that sees no `summary` knows that the report was cut off.

use serde::Serialize;
use serde_json::json;

use crate::review::{Change, Review, Tool};

/// What stands before the items.
#[derive(Serialize)]
struct Meta<'a> {
    schema: &'a str,
    tool: &'a Tool,
    change: &'a Change,
}

pub(super) fn render(review: &Review) -> String {
    let mut out = String::new();
    let meta = Meta { schema: &review.schema, tool: &review.tool, change: &review.change };
    line(&mut out, "meta", &meta);
    lines(&mut out, "finding", &review.findings);
    lines(&mut out, "fixed", &review.fixed);
    lines(&mut out, "assumption", &review.assumptions);
    lines(&mut out, "claim", &review.claims);
    lines(&mut out, "hunk", &review.hunks);
    for id in &review.unfinished {
        line(&mut out, "unfinished", &json!({ "finding": id }));
    }
    lines(&mut out, "handoff", review.handoff.as_slice());
    lines(&mut out, "split", review.split.as_slice());
    lines(&mut out, "commit", &review.commits);
    lines(&mut out, "notice", &review.notices);
    lines(&mut out, "coverage", &review.coverage);
    line(&mut out, "summary", &review.summary);
    out
}

fn lines<T: Serialize>(out: &mut String, name: &'static str, items: &[T]) {
    for item in items {
        line(out, name, item);
    }
}

fn line<T: Serialize>(out: &mut String, name: &'static str, item: &T) {
    /// An item with its type before its own keys.
    #[derive(Serialize)]
    struct Line<'a, T> {
        r#type: &'static str,
        #[serde(flatten)]
        item: &'a T,
    }
    let line = Line { r#type: name, item };
    *out += &serde_json::to_string(&line).expect("the contract holds nothing that JSON cannot say");
    out.push('\n');
}
