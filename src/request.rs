//! What the user wants: the command line turned into plain data.
//!
//! `cli` makes it, the library works from it. Nothing here has been read or checked against the world yet.

use std::path::PathBuf;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::change::{ChangeSource, Ground};
use crate::verdict::{Confidence, Level};

/// A request for a review. What is `None` or empty is left to the settings of the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is reviewed.
    pub subject: Subject,
    /// Where the user wants to be.
    pub ground: Ground,
    /// Whether only files are reviewed that commits touch which bear an agent's mark.
    pub agent_commits: bool,
    /// Where the settings of the project are taken from.
    pub settings: SettingsFrom,
    /// From which level an introduced finding gates.
    pub fail_on: Option<Gate>,
    /// Which findings are listed.
    pub scope: Option<Scope>,
    /// The least level of a finding that counts.
    pub min_severity: Level,
    /// The least confidence of a finding that counts.
    pub min_confidence: Confidence,
    /// Rules and families that alone are applied; all of them where nothing is named.
    pub select: Vec<String>,
    /// Rules and families that are not applied.
    pub ignore: Vec<String>,
    /// How many findings are listed at most.
    pub max_findings: Option<u32>,
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
            settings: SettingsFrom::Found,
            fail_on: None,
            scope: None,
            min_severity: Level::Note,
            min_confidence: Confidence::Medium,
            select: Vec::new(),
            ignore: Vec::new(),
            max_findings: None,
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

/// Where the settings of the project are taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsFrom {
    /// The file that is found from where the user stands.
    Found,
    /// A file that the user names.
    File(PathBuf),
    /// Nowhere: every setting has its default.
    Isolated,
}

/// From which level an introduced finding makes the run fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// Errors only.
    Error,
    /// Warnings and errors.
    Warning,
    /// Every finding.
    Note,
    /// None: the run reports and never fails.
    Never,
}

impl Gate {
    /// The level from which a finding gates; `None` for never.
    pub fn level(self) -> Option<Level> {
        match self {
            Self::Error => Some(Level::Error),
            Self::Warning => Some(Level::Warning),
            Self::Note => Some(Level::Note),
            Self::Never => None,
        }
    }
}

/// Which findings are listed: by where they stand, or by what the change has to do with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// On a line that the change touches.
    Line,
    /// At most three lines from one, as far as a diff shows.
    Hunk,
    /// In a function that the change touches.
    Function,
    /// In a file that the change touches.
    File,
    /// Introduced by the change or reached by it, wherever.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
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

impl Format {
    /// Its name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether a program reads it as one document, behind which another would be damage.
    pub fn is_document(self) -> bool {
        match self {
            Self::Json | Self::Sarif | Self::Gitlab | Self::Rdjson => true,
            Self::Terminal | Self::Concise | Self::Jsonl | Self::Github | Self::Markdown | Self::Handoff => false,
        }
    }
}

/// Whether a report is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// With colours.
    Coloured,
    /// Plain text.
    Plain,
}
