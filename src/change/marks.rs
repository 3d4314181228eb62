//! What a commit's own words show: that it is a checkpoint, that a coding agent made it.
//!
//! The patterns stand in `rules/checkpoints.toml`. They are strict: a commit without a mark may be an agent's all the
//! same, one with a mark hardly is not.

use std::sync::OnceLock;

use serde::Deserialize;

use super::{Commit, Person};

/// What shows that an agent made a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The agent's name.
    pub agent: &'static str,
    /// What shows it, as it stands in the commit.
    pub shown_by: String,
}

/// The patterns.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Patterns {
    subjects: Vec<String>,
    plans: Vec<String>,
    tags: Vec<String>,
    references: Vec<String>,
    shadows: Vec<String>,
    records: Vec<String>,
    agent: Vec<Agent>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Agent {
    name: String,
    #[serde(default)]
    signs: Vec<String>,
    #[serde(default)]
    addresses: Vec<String>,
    #[serde(default)]
    authors: Vec<String>,
    #[serde(default)]
    begins: Vec<String>,
    #[serde(default)]
    holds: Vec<String>,
}

impl Patterns {
    /// Those that are part of the binary.
    pub(super) fn builtin() -> &'static Self {
        static PATTERNS: OnceLock<Patterns> = OnceLock::new();
        // The file is part of the binary, and a test reads it.
        PATTERNS.get_or_init(|| {
            toml::from_str(include_str!("../../rules/checkpoints.toml")).expect("the embedded patterns are sound")
        })
    }

    /// Whether a subject is one of a checkpoint.
    pub(super) fn is_checkpoint(&self, subject: &str) -> bool {
        any(&self.subjects, subject)
    }

    /// Whether a subject is one of a plan, which is a checkpoint if the commit changes nothing.
    pub(super) fn is_plan(&self, subject: &str) -> bool {
        any(&self.plans, subject)
    }

    /// Whether a tag names a checkpoint.
    pub(super) fn is_tag(&self, name: &str) -> bool {
        any(&self.tags, name)
    }

    /// Whether a reference that is neither branch nor tag names a checkpoint.
    pub(super) fn is_reference(&self, name: &str) -> bool {
        any(&self.references, name)
    }

    /// Whether a branch holds states of a work tree.
    pub(super) fn is_shadow(&self, name: &str) -> bool {
        any(&self.shadows, name) && !any(&self.records, name)
    }
}

/// Whether a text fits one of some patterns.
pub(super) fn any(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| fits(pattern, text))
}

/// Whether a text fits a pattern as a whole, without regard to case; `*` stands for any run of characters.
pub fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    let mut rest = rest;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// The agent that made a commit, if the commit says so.
pub fn agent(commit: &Commit) -> Option<Mark> {
    Patterns::builtin().agent.iter().find_map(|agent| {
        let shown_by = shown_by(agent, commit)?;
        Some(Mark { agent: &agent.name, shown_by })
    })
}

fn shown_by(agent: &Agent, commit: &Commit) -> Option<String> {
    for (person, role) in [(&commit.author, "author"), (&commit.committer, "committer")] {
        if any(&agent.authors, &person.name) || any(&agent.authors, &person.email) {
            return Some(format!("{role} {}", text(person)));
        }
    }
    commit.body.lines().map(str::trim).find(|line| is_marked(agent, line)).map(str::to_owned)
}

fn is_marked(agent: &Agent, line: &str) -> bool {
    let begins = |start: &String| after(line, start).is_some();
    if agent.begins.iter().any(begins) || agent.holds.iter().any(|part| line.contains(part.as_str())) {
        return true;
    }
    let Some(signed) = after(line, "co-authored-by:").map(str::trim) else { return false };
    let address = signed.rsplit_once('<').and_then(|(_, address)| address.strip_suffix('>')).unwrap_or("");
    let is_signed = |name: &String| {
        let rest = after(signed, name);
        rest.is_some_and(|rest| !rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_'))
    };
    agent.addresses.iter().any(|known| known.eq_ignore_ascii_case(address)) || agent.signs.iter().any(is_signed)
}

/// What follows a beginning, without regard to the case of ASCII letters.
fn after<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    let head = text.get(..start.len())?;
    head.eq_ignore_ascii_case(start).then(|| &text[start.len()..])
}

fn text(person: &Person) -> String {
    format!("{} <{}>", person.name, person.email)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(body: &str, author: (&str, &str)) -> Commit {
        let person = Person { name: author.0.to_owned(), email: author.1.to_owned() };
        let (author, committer) = (person.clone(), person);
        Commit { id: String::new(), subject: "A change".to_owned(), body: body.to_owned(), author, committer }
    }

    fn name(body: &str, author: (&str, &str)) -> Option<&'static str> {
        agent(&commit(body, author)).map(|mark| mark.agent)
    }

    const ADA: (&str, &str) = ("Ada", "ada@example.org");

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        assert!(fits("checkpoint:*", "Checkpoint: before the move"));
        assert!(!fits("checkpoint:*", "checkpoints are stored in a table"));
        assert!(fits("a*b*c", "a..b..b..c") && !fits("a*b*c", "a..c") && !fits("ab*b", "ab"));
        assert!(fits("[checkpoint]*", "[checkpoint] two") && fits("exact", "EXACT") && !fits("exact", "exactly"));
    }

    #[test]
    fn trailers_authors_and_lines_name_the_agent() {
        assert_eq!(name("Co-Authored-By: Claude Opus 4 <noreply@anthropic.com>", ADA), Some("Claude"));
        assert_eq!(name("co-authored-by: Cursor <cursoragent@cursor.com>", ADA), Some("Cursor"));
        assert_eq!(name("text\n\nCo-authored-by: aider (model) <aider@aider.chat>", ADA), Some("Aider"));
        assert_eq!(name("Amp-Thread-ID: https://example.org/T-1", ADA), Some("Amp"));
        assert_eq!(name("Entire-Checkpoint: 0123456789ab", ADA), Some("an agent whose work Entire recorded"));
        assert_eq!(name("", ("devin-ai-integration[bot]", "1+devin@users.noreply.example.org")), Some("Devin"));
        assert_eq!(name("", ("Ada (aider)", "ada@example.org")), Some("Aider"));
        assert_eq!(name("", ("copilot-swe-agent[bot]", "x@example.org")), Some("Copilot"));
    }

    #[test]
    fn people_are_no_agents() {
        assert_eq!(name("Co-authored-by: Ada <ada@anthropic.com>", ADA), None);
        assert_eq!(name("\u{1f916} update the changelog", ADA), None);
        assert_eq!(name("Co-authored-by: Claudette <claudette@example.org>", ADA), None);
        assert_eq!(name("The trailer `Co-authored-by: Claude` is kept.", ADA), None);
        assert_eq!(name("", ("Claude Monet", "monet@example.org")), None);
    }

    #[test]
    fn shadow_branches_are_told_from_records() {
        let patterns = Patterns::builtin();
        assert!(patterns.is_shadow("entire/0a1b2c3-d4e5f6"));
        assert!(!patterns.is_shadow("entire/checkpoints/v1") && !patterns.is_shadow("main"));
        assert!(patterns.is_tag("checkpoint-3") && !patterns.is_tag("v1.0"));
        assert!(patterns.is_reference("refs/agent-checkpoints/7") && !patterns.is_reference("refs/stash"));
    }
}
