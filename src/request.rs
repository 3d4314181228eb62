//! What the user wants: the command line turned into plain data.
//!
//! `cli` makes it, the library works from it. Nothing here has been read or checked against the world yet.

use std::path::PathBuf;

use crate::change::{ChangeSource, Ground};
use crate::verdict::Level;

/// A request for a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is reviewed.
    pub subject: Subject,
    /// Where the user wants to be.
    pub ground: Ground,
    /// Whether only files are reviewed that commits touch which bear an agent's mark.
    pub agent_commits: bool,
    /// The level from which an introduced finding gates; `None` for never.
    pub fail_on: Option<Level>,
    /// Which findings are listed.
    pub scope: Scope,
    /// Whether upheld assumptions are listed.
    pub upheld: bool,
    /// Whether what scope, baseline and suppressions hide is listed.
    pub show_hidden: bool,
    /// How many threads work; `None` for as many as the machine has.
    pub threads: Option<usize>,
}

impl Request {
    /// A review of a change with every setting at its default.
    pub fn of(source: ChangeSource) -> Self {
        Self {
            subject: Subject::Change(source),
            ground: Ground::default(),
            agent_commits: false,
            fail_on: Some(Level::Error),
            scope: Scope::Reach,
            upheld: false,
            show_hidden: false,
            threads: None,
        }
    }
}

/// What is reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A change of the user's.
    Change(ChangeSource),
    /// The example in the binary.
    Demo,
}

/// Which findings are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Introduced by the change, or reached by it.
    Reach,
    /// Those that stood before as well.
    All,
}

/// A report to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// In which form.
    pub format: Format,
    /// Where to; `None` for standard output.
    pub to: Option<PathBuf>,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// For a person at a terminal.
    Terminal,
    /// One line a finding.
    Concise,
    /// The whole report, by its contract.
    Json,
    /// The same, one line an item.
    Jsonl,
    /// SARIF, for code scanning and editors.
    Sarif,
    /// Annotations by GitHub's workflow commands.
    Github,
    /// GitLab's Code Quality report.
    Gitlab,
    /// Reviewdog's diagnostic format.
    Rdjson,
    /// For a pull request.
    Markdown,
    /// What is done and what is left, for whoever goes on.
    Handoff,
}

/// Whether a report is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// With colours.
    Coloured,
    /// Plain text.
    Plain,
}
