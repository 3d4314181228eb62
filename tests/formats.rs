//! The forms that hosts read: valid for every story, anchored where the host shows them, and as they stand for a few.
//!
//! `tests/hosts/check` does the same with the validators that the hosts' makers publish.

// A test that cannot go on says so.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::{root, stories};
use tenth::Outcome;
use tenth::report::{Format, Style, render};
use tenth::review::{Options, Review};

/// One story with a hazard in an untouched file, one with evidence from before, one that does not parse.
const SHOWN: &[&str] = &["lock-moved-into-the-callee", "guard-narrowed-between-two-writes", "stopped-half-way"];

const HOSTS: &[(&str, Format)] = &[
    ("sarif", Format::Sarif),
    ("github", Format::Github),
    ("gitlab", Format::Gitlab),
    ("rdjson", Format::Rdjson),
    ("jsonl", Format::Jsonl),
];

fn reviewed() -> Vec<(String, Outcome)> {
    let of_story = |story: support::Case| {
        let done = tenth::review_change(&story.change(), &Options::default(), Some(1)).unwrap();
        (story.name, done)
    };
    stories().into_iter().map(of_story).collect()
}

fn text(format: Format, done: &Outcome) -> String {
    render(format, &done.review, &done.sources, Style::default())
}

fn json(format: Format, done: &Outcome) -> Value {
    serde_json::from_str(&text(format, done)).unwrap()
}

#[test]
fn every_host_reads_the_same_as_before() {
    let reviewed = reviewed();
    for name in SHOWN {
        let (_, done) = reviewed.iter().find(|(story, _)| story == name).unwrap();
        for &(kind, format) in HOSTS {
            let mut text = text(format, done);
            if format == Format::Sarif {
                // The table of rules is that of `rules/*.md`.
                let mut value: Value = serde_json::from_str(&text).unwrap();
                value["runs"][0]["tool"]["driver"]["rules"] = Value::from("…");
                text = serde_json::to_string_pretty(&value).unwrap();
            }
            insta::assert_snapshot!(format!("{name}.{kind}"), text.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
        }
    }
}

#[test]
fn code_quality_and_diagnostics_are_valid() {
    for (schema, format) in [("gitlab", Format::Gitlab), ("rdjson", Format::Rdjson)] {
        let schema = std::fs::read_to_string(root().join(format!("tests/schemas/{schema}.json"))).unwrap();
        let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
        for (name, done) in reviewed() {
            let value = json(format, &done);
            let wrong: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{name}: {wrong:#?}");
        }
    }
}

/// A host shows nothing where it would have to look outside of the change.
#[test]
fn every_anchor_lies_in_the_change_or_next_to_what_it_removes() {
    for (name, done) in reviewed() {
        let log = json(Format::Sarif, &done);
        for result in log["runs"][0]["results"].as_array().unwrap() {
            let place = &result["locations"][0]["physicalLocation"];
            let path = place["artifactLocation"]["uri"].as_str().unwrap();
            let line = |key| place["region"][key].as_u64().unwrap() as u32;
            assert_eq!(line("startLine"), line("endLine"), "{name}");
            if result["level"] == "note" {
                continue;
            }
            let at = line("startLine");
            let is_near = done.review.hunks.iter().any(|hunk| {
                let after = hunk.after;
                let last = if after.count == 0 { after.start + 1 } else { after.start + after.count - 1 };
                hunk.path == path && after.start <= at && at <= last
            });
            assert!(is_near, "{name}: {path}:{at} is not in the change");
        }
    }
}

#[test]
fn code_quality_has_no_fingerprint_twice() {
    for (name, done) in reviewed() {
        let entries = json(Format::Gitlab, &done);
        let mut prints: Vec<&str> =
            entries.as_array().unwrap().iter().map(|entry| entry["fingerprint"].as_str().unwrap()).collect();
        let all = prints.len();
        prints.sort_unstable();
        prints.dedup();
        assert_eq!(prints.len(), all, "{name}");
    }
}

/// The lines of JSON Lines put together are the report.
#[test]
fn json_lines_lose_nothing() {
    for (name, done) in reviewed() {
        let mut lines: Vec<Value> =
            text(Format::Jsonl, &done).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let types: Vec<String> = lines
            .iter_mut()
            .map(|line| line.as_object_mut().unwrap().shift_remove("type").unwrap())
            .map(|name| name.as_str().unwrap().to_owned())
            .collect();
        assert_eq!((types.first().unwrap().as_str(), types.last().unwrap().as_str()), ("meta", "summary"), "{name}");
        let of = |name: &str| -> Vec<Value> {
            types.iter().zip(&lines).filter(|(kind, _)| *kind == name).map(|(_, line)| line.clone()).collect()
        };
        let meta = &lines[0];
        let mut together = serde_json::json!({
            "schema": meta["schema"], "tool": meta["tool"], "change": meta["change"],
            "findings": of("finding"), "fixed": of("fixed"), "assumptions": of("assumption"), "claims": of("claim"),
            "hunks": of("hunk"),
            "unfinished": of("unfinished").iter().map(|line| line["finding"].clone()).collect::<Vec<_>>(),
            "handoff": of("handoff").first(), "commits": of("commit"), "notices": of("notice"),
            "coverage": of("coverage"), "summary": lines.last(),
        });
        if let Some(split) = of("split").pop() {
            together["split"] = split;
        }
        assert_eq!(serde_json::from_value::<Review>(together).unwrap(), done.review, "{name}");
    }
}
