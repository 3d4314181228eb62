//! SARIF 2.1.0, as GitHub's code scanning and editors read it.
//!
//! GitHub shows an alert in a pull request only where every line of its first location is in the diff, so that is the
//! anchor ([`super::annotation`]), one line; the hazard and the evidence are related locations, the trace a code flow.
//! Findings are of kind `fail`, open questions of kind `review`. What the change does away with is no result.

mod log;

use std::collections::BTreeMap;

use crate::review::{CoverageState, Finding, Hop, Position, Review, Side, Sources, Suggestion};
use crate::rules::{self, RuleInfo, Status as Maturity};
use crate::verdict;

use super::annotation::{self, Annotation, Place, Related, Subject};
use super::{line_hash, words};
use log::*;

/// The name that paths start from.
const ROOT: &str = "%SRCROOT%";

/// Where `tenth` is at home: the package's repository, or its name among packages as long as it says none.
const HOME: &str = match env!("CARGO_PKG_REPOSITORY").as_bytes() {
    [] => concat!("pkg:cargo/", env!("CARGO_PKG_NAME")),
    [..] => env!("CARGO_PKG_REPOSITORY"),
};

pub(super) fn render(review: &Review, sources: &Sources) -> String {
    let all = annotation::of_review(review, sources);
    // Either every result of a run says how it stands or none does.
    let says_suppressions = all.iter().any(|one| one.accepted().is_some());
    let mut hashes = Hashes { sources, by_path: BTreeMap::new() };
    let results = all.iter().map(|one| result(one, says_suppressions, &mut hashes)).collect();
    let root = UriBase { description: text("The root of the repository.") };
    let run = Run {
        tool: Tool {
            driver: Driver {
                name: review.tool.name.clone(),
                semantic_version: review.tool.version.clone(),
                version: review.tool.version.clone(),
                information_uri: HOME,
                rules: rules::all().iter().map(rule).collect(),
            },
        },
        automation_details: AutomationDetails { id: "tenth/" },
        column_kind: "unicodeCodePoints",
        original_uri_base_ids: BTreeMap::from([(ROOT, root)]),
        invocations: [Invocation { execution_successful: true, tool_execution_notifications: notifications(review) }],
        results,
    };
    let log = Log { schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run] };
    let mut text = serde_json::to_string_pretty(&log).expect("the log holds nothing that JSON cannot say");
    text.push('\n');
    text
}

fn rule(rule: &RuleInfo) -> Rule {
    Rule {
        id: rule.name,
        name: pascal_case(rule.name),
        short_description: text(&sentence(&rule.summary)),
        full_description: text(&sentence(&format!("It rests on this: {}", rule.assumption))),
        help: Help { text: what_it_checks(rule), markdown: rule.document },
        default_configuration: Configuration { level: level(rule.severity) },
        properties: RuleProperties {
            tags: vec!["concurrency", rule.family.name()],
            precision: match rule.status {
                Maturity::Stable => "high",
                Maturity::Preview => "medium",
            },
            problem_severity: match rule.severity {
                verdict::Level::Error => "error",
                verdict::Level::Warning => "warning",
                verdict::Level::Note => "recommendation",
            },
        },
    }
}

/// The part of a rule's document that says what it finds, for hosts that show no Markdown.
fn what_it_checks(rule: &RuleInfo) -> String {
    let part = rule.document.split("\n## ").find_map(|part| part.strip_prefix("What it checks\n"));
    part.map_or_else(|| sentence(&rule.summary), |part| part.trim().to_owned())
}

fn pascal_case(name: &str) -> String {
    let mut parts = String::new();
    for part in name.split('-') {
        let mut letters = part.chars();
        parts.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        parts.extend(letters);
    }
    parts
}

fn result(one: &Annotation<'_>, says_suppressions: bool, hashes: &mut Hashes<'_>) -> Outcome {
    let mut message = said(one.text());
    let mut related_locations = Vec::new();
    // What stood before the change has no place in the files as they are now, and is told instead.
    for related in one.related() {
        match related.side {
            Side::After => {
                let id = related_locations.len() + 1;
                related_locations.push(Location { id: Some(id), ..location(&related.place, related.note) });
                if related.place == one.hazard {
                    let verb = match one.subject {
                        Subject::Finding(_) => "It goes wrong at",
                        Subject::Question(_) => "It is about",
                    };
                    message += &format!(" {verb} {}.", link(&related.place, id));
                }
            }
            Side::Before => message += &before(&related),
        }
    }
    if !one.help().is_empty() {
        message += &format!(" {}", sentence(&format!("to settle it: {}", plain(one.help()))));
    }
    let mut partial_fingerprints = BTreeMap::from([("tenth/v1", one.fingerprint())]);
    if let Some(hash) = hashes.of(&one.anchor.path, one.anchor.start.line) {
        partial_fingerprints.insert("primaryLocationLineHash", hash);
    }
    let finding = match one.subject {
        Subject::Finding(finding) => Some(finding),
        Subject::Question(_) => None,
    };
    let suppressions = says_suppressions.then(|| one.accepted().map(suppression));
    Outcome {
        rule_id: one.rule().to_owned(),
        rule_index: rules::all().iter().position(|rule| rule.name == one.rule()),
        level: one.level().map_or(Level::Note, level),
        kind: if finding.is_some() { Kind::Fail } else { Kind::Review },
        rank: one.hunk.map(|hunk| f64::from(hunk.risk)),
        message: Message { text: message },
        locations: [Location { message: None, ..location(&one.anchor, "") }],
        related_locations,
        code_flows: code_flow(one.trace()).into_iter().collect(),
        partial_fingerprints,
        fixes: finding.and_then(fix).into_iter().collect(),
        suppressions: suppressions.map(|one| one.into_iter().collect()),
        properties: finding.map(|finding| ResultProperties {
            confidence: finding.confidence,
            origin: finding.origin,
            gating: finding.gating,
        }),
    }
}

fn before(related: &Related<'_>) -> String {
    let place = plain(&format!("{}:{}", related.place.path, related.place.start.line));
    format!(" Before the change, at '{place}': {}", stopped(&plain(related.note)))
}

/// A place as a link to the related location with that id.
fn link(place: &Place, id: usize) -> String {
    let place = words::one_line(&format!("{}:{}", place.path, place.start.line));
    let place = place.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
    format!("[{place}]({id})")
}

fn location(place: &Place, note: &str) -> Location {
    Location {
        id: None,
        message: Some(Message { text: said(note) }),
        physical_location: PhysicalLocation {
            artifact_location: artifact(&place.path),
            region: Some(region(place.start, place.end)),
        },
        logical_locations: Vec::new(),
    }
}

fn region(start: Position, end: Position) -> Region {
    Region {
        start_line: start.line,
        start_column: Some(start.column),
        end_line: Some(end.line),
        end_column: Some(end.column),
    }
}

fn artifact(path: &str) -> ArtifactLocation {
    ArtifactLocation { uri: uri(path), uri_base_id: ROOT }
}

fn code_flow(trace: &[Hop]) -> Option<CodeFlow> {
    let step = |hop: &Hop| ThreadFlowLocation {
        location: Location {
            id: None,
            message: Some(Message { text: said(&hop.what) }),
            physical_location: PhysicalLocation {
                artifact_location: artifact(&hop.path),
                region: Some(Region { start_line: hop.line, start_column: None, end_line: None, end_column: None }),
            },
            logical_locations: match hop.function.as_str() {
                "" => Vec::new(),
                name => vec![LogicalLocation { fully_qualified_name: name.to_owned() }],
            },
        },
    };
    let locations: Vec<ThreadFlowLocation> = trace.iter().map(step).collect();
    (!locations.is_empty()).then_some(CodeFlow { thread_flows: [ThreadFlow { locations }] })
}

fn fix(finding: &Finding) -> Option<Fix> {
    let edit: &Suggestion = finding.suggestion.as_ref()?;
    let what = if finding.help.is_empty() { "a text that would settle it" } else { &finding.help };
    Some(Fix {
        description: Message { text: said(what) },
        artifact_changes: [ArtifactChange {
            artifact_location: artifact(&edit.path),
            replacements: [Replacement {
                deleted_region: region(edit.start, edit.end),
                inserted_content: Message { text: edit.text.clone() },
            }],
        }],
    })
}

/// What gates although it is accepted waits for somebody who may accept it.
fn suppression(finding: &Finding) -> Suppression {
    Suppression { kind: "inSource", status: if finding.gating { "underReview" } else { "accepted" } }
}

/// Files and functions that were not wholly analysed, and what the reader should know of how the review was made.
fn notifications(review: &Review) -> Vec<Notification> {
    let at = |path: &str, line: Option<u32>| Location {
        id: None,
        message: None,
        physical_location: PhysicalLocation {
            artifact_location: artifact(path),
            region: line.map(|line| Region { start_line: line, start_column: None, end_line: None, end_column: None }),
        },
        logical_locations: Vec::new(),
    };
    let coverage = review.coverage.iter().map(|row| {
        let (level, state) = match row.state {
            CoverageState::Analysed => (Level::Note, "analysed, with a remark"),
            CoverageState::InPieces => (Level::Note, "analysed in pieces"),
            CoverageState::NotAnalysed => (Level::Warning, "not analysed"),
        };
        let function = row.function.as_deref().map(|name| format!("'{}' is ", plain(name))).unwrap_or_default();
        let message = Message { text: sentence(&format!("{function}{state}: {}", plain(&row.why))) };
        Notification { level, message, locations: vec![at(&row.path, None)] }
    });
    let notices = review.notices.iter().map(|notice| Notification {
        level: Level::Note,
        message: Message { text: said(&notice.text) },
        locations: notice.path.iter().map(|path| at(path, notice.line)).collect(),
    });
    coverage.chain(notices).collect()
}

/// Line hashes of the after side, once a file.
struct Hashes<'a> {
    sources: &'a Sources,
    by_path: BTreeMap<String, Vec<String>>,
}

impl Hashes<'_> {
    fn of(&mut self, path: &str, line: u32) -> Option<String> {
        if !self.by_path.contains_key(path) {
            let hashes = line_hash::of_lines(&self.sources.get(Side::After, path)?.text);
            self.by_path.insert(path.to_owned(), hashes);
        }
        self.by_path.get(path)?.get((line as usize).checked_sub(1)?).cloned()
    }
}

fn level(level: verdict::Level) -> Level {
    match level {
        verdict::Level::Error => Level::Error,
        verdict::Level::Warning => Level::Warning,
        verdict::Level::Note => Level::Note,
    }
}

fn text(text: &str) -> Message {
    Message { text: text.to_owned() }
}

/// A sentence from the review, as plain text with its full stop.
fn said(text: &str) -> String {
    sentence(&plain(text))
}

/// One line without Markdown: names stand in single quotes, and nothing in it reads as a link.
fn plain(text: &str) -> String {
    let text = words::one_line(text).replace('`', "'");
    if text.contains("](") { text.replace('[', "\\[").replace(']', "\\]") } else { text }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    stopped(&format!("{first}{}", letters.as_str()))
}

fn stopped(text: &str) -> String {
    let stop = if text.ends_with(['.', '!', '?']) || text.is_empty() { "" } else { "." };
    format!("{text}{stop}")
}

/// A path as a relative reference: what could read as a scheme, a query, a fragment or an escape is escaped.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' | b'+' | b'=' | b'@' | b',' => {
                out.push(char::from(byte));
            }
            _ => out += &format!("%{byte:02X}"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_relative_references() {
        assert_eq!(uri("src/a b/größe#1.py"), "src/a%20b/gr%C3%B6%C3%9Fe%231.py");
        assert_eq!(uri("a:b/50%.py"), "a%3Ab/50%25.py");
    }

    #[test]
    fn text_from_the_change_is_no_link() {
        assert_eq!(said("`x[0](1)` is held"), "'x\\[0\\](1)' is held.");
        assert_eq!(said("`x[0]` is held"), "'x[0]' is held.");
        assert_eq!(said("is it held?"), "Is it held?");
    }

    #[test]
    fn every_rule_says_in_plain_text_what_it_checks() {
        for rule in rules::all() {
            assert!(what_it_checks(rule).len() > rule.summary.len(), "{}", rule.name);
        }
        assert_eq!(pascal_case("lock-across-await"), "LockAcrossAwait");
    }
}
