//! GitLab's Code Quality report: one array, an entry for every open finding and question.
//!
//! The importer drops all that follows the first entry it does not like, and makes one of entries with equal
//! fingerprints, so each is counted apart.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::review::{Level, Review, Sources};

use super::annotation::{self, Annotation};
use super::words;

/// One entry. GitLab reads these keys of the Code Climate format and no others.
#[derive(Serialize)]
struct Entry {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: Severity,
    location: Location,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Severity {
    Info,
    Minor,
    Major,
    Critical,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
    end: u32,
}

pub(super) fn render(review: &Review, sources: &Sources) -> String {
    let mut seen = BTreeMap::new();
    let entries: Vec<Entry> = annotation::open(review, sources).iter().map(|one| entry(one, &mut seen)).collect();
    let mut text = serde_json::to_string_pretty(&entries).expect("the entries hold nothing that JSON cannot say");
    text.push('\n');
    text
}

fn entry(one: &Annotation<'_>, seen: &mut BTreeMap<String, u32>) -> Entry {
    let mut fingerprint = one.fingerprint();
    let count = seen.entry(fingerprint.clone()).or_default();
    if *count > 0 {
        fingerprint += &format!("{count:08x}");
    }
    *count += 1;
    let at = if one.hazard == one.anchor {
        String::new()
    } else {
        format!(" ({}:{})", one.hazard.path, one.hazard.start.line)
    };
    Entry {
        description: words::one_line(&format!("{}: {}{at}", one.rule(), one.text())),
        check_name: format!("tenth/{}", one.rule()),
        fingerprint,
        severity: match one.level() {
            Some(Level::Error) => Severity::Critical,
            Some(Level::Warning) => Severity::Major,
            Some(Level::Note) => Severity::Minor,
            None => Severity::Info,
        },
        location: Location {
            path: one.anchor.path.clone(),
            lines: Lines { begin: one.anchor.start.line, end: one.anchor.end.line },
        },
    }
}
