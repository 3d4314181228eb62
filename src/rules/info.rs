//! What is known of a rule apart from its check: the head of its document as plain data.

use serde::{Deserialize, Serialize};

use crate::text::Language;
use crate::verdict::Level;

/// A group of rules about one kind of hazard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Something stops the event loop or the executor's thread.
    Blocking,
    /// Locks and what is held where.
    Locks,
    /// Shared state and the order in which it is read and written.
    State,
    /// Tasks, their lifetime and their cancellation.
    Tasks,
    /// What a library demands of concurrent callers.
    Contracts,
    /// Work that was left half done.
    Unfinished,
}

impl Family {
    /// Its name, as documents and reports spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blocking => "blocking",
            Self::Locks => "locks",
            Self::State => "state",
            Self::Tasks => "tasks",
            Self::Contracts => "contracts",
            Self::Unfinished => "unfinished",
        }
    }
}

/// How mature a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Its findings gate.
    Stable,
    /// It reports and never gates, until its measured precision allows it.
    Preview,
}

/// A rule as everybody but the rule itself sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// Its kebab-case name.
    pub name: &'static str,
    /// The group it belongs to.
    pub family: Family,
    /// How loud its findings usually are.
    pub severity: Level,
    /// Whether it gates.
    pub status: Status,
    /// One line on what it finds.
    pub summary: String,
    /// The assumption that it is about.
    pub assumption: String,
    /// The languages in which it has a meaning.
    pub languages: Vec<Language>,
    /// The version that brought it.
    pub since: String,
    /// Its document, without the head.
    pub document: &'static str,
}

/// The head of a document, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    summary: String,
    assumption: String,
    family: Family,
    severity: Level,
    languages: Vec<Language>,
    status: Status,
    since: String,
}

/// Reads a document: a TOML head between two lines of `+++`, and prose. What is wrong with it, if it is not that.
pub(super) fn read(name: &'static str, text: &'static str) -> Result<RuleInfo, String> {
    let (head, document) = text
        .strip_prefix("+++\n")
        .and_then(|rest| rest.split_once("\n+++\n"))
        .ok_or_else(|| format!("`{name}` does not begin with a head between two lines of `+++`"))?;
    let head: Head = toml::from_str(head).map_err(|error| format!("the head of `{name}`: {error}"))?;
    Ok(RuleInfo {
        name,
        family: head.family,
        severity: head.severity,
        status: head.status,
        summary: head.summary,
        assumption: head.assumption,
        languages: head.languages,
        since: head.since,
        document: document.trim_start_matches('\n'),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_without_a_head_is_named() {
        assert_eq!(
            read("some-rule", "# Prose\n"),
            Err("`some-rule` does not begin with a head between two lines of `+++`".to_owned())
        );
    }

    #[test]
    fn an_unknown_key_in_a_head_is_an_error() {
        let text = "+++\nsummary = \"a\"\ncolour = \"red\"\n+++\n";
        assert!(read("some-rule", text).is_err_and(|error| error.contains("colour")));
    }
}
