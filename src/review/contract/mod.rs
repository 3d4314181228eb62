//! The report's contract, version 1: what every output is made from, key for key.
//!
//! The order of the fields is the order of the keys. A key marked optional is left out when there is nothing to say;
//! a key that may be `null` always stands. Removing or changing a key raises the number in [`SCHEMA`].

mod assumption;
mod finding;
mod reading;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::rules::Family;
pub use crate::text::{Position, Side};
pub use crate::verdict::Level;

pub use assumption::{Assumption, Claim, ClaimSource, Stance, Standing};
pub use finding::{Confidence, Evidence, Finding, Hop, MOST_EVIDENCE, Origin, Status, Suggestion};
pub use reading::{Done, Handoff, Hunk, Left, Lines, Reason, Split, SplitChunk};

/// The name and version of this contract.
pub const SCHEMA: &str = "tenth/report/1";

/// The review of one change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Review {
    /// Always [`SCHEMA`].
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// What made the report.
    pub tool: Tool,
    /// What was reviewed.
    pub change: Change,
    /// Violated assumptions, loudest first.
    pub findings: Vec<Finding>,
    /// Findings of the before side that the change did away with.
    pub fixed: Vec<Finding>,
    /// The checklist: what the change takes for granted, and how that stands.
    pub assumptions: Vec<Assumption>,
    /// What comments and commits claim.
    pub claims: Vec<Claim>,
    /// Every changed line of every changed text file, in path order.
    pub hunks: Vec<Hunk>,
    /// Ids of the findings that mean unfinished work, in reading order.
    pub unfinished: Vec<String>,
    /// What is done and what is left; `null` where nothing is unfinished.
    pub handoff: Option<Handoff>,
    /// How to read a change that is over the review budget; left out where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// The commits of the range.
    pub commits: Vec<Commit>,
    /// Choices made and settings changed, said aloud.
    pub notices: Vec<Notice>,
    /// What is not plainly analysed.
    pub coverage: Vec<Coverage>,
    /// The figures.
    pub summary: Summary,
}

/// What made the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `tenth`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Where a change came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// Two commits.
    Range,
    /// The index against `HEAD`.
    Staged,
    /// The work tree.
    Worktree,
    /// A patch.
    Patch,
    /// Whole files, without a before side.
    Files,
    /// The built-in example.
    Demo,
}

/// What was reviewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Where the change came from.
    pub kind: ChangeKind,
    /// Commit or tree of the before side, `null` where there is none.
    pub before: Option<String>,
    /// Commit or tree of the after side, `null` where there is none.
    pub after: Option<String>,
    /// One sentence on how the sides were chosen.
    pub how: String,
    /// How many files the change touches.
    pub files: u32,
    /// Lines that stand on the after side only.
    pub added_lines: u32,
    /// Lines that stand on the before side only.
    pub removed_lines: u32,
}

/// A commit of the range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Commit {
    /// Its id.
    pub id: String,
    /// The coding agent that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// What showed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
}

/// Something the reader should know about how the review was made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// A short kebab-case word for machines.
    pub kind: String,
    /// One sentence.
    pub text: String,
    /// The file it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The line it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// How much of a file or function was analysed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CoverageState {
    /// All of it, with a remark.
    Analysed,
    /// Sound parts only.
    InPieces,
    /// Nothing.
    NotAnalysed,
}

/// What is not plainly analysed, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// The file.
    pub path: String,
    /// The function, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// How much was analysed.
    pub state: CoverageState,
    /// Why not more.
    pub why: String,
}

/// The review in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Nothing was found.
    Clean,
    /// Something was.
    Findings,
    /// Work was left half done.
    Unfinished,
    /// Nothing was found, and a changed file could not be read.
    Incomplete,
}

/// The figures of a review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// The review in one word.
    pub verdict: Outcome,
    /// Files that the change touches.
    pub files: u32,
    /// Hunks.
    pub hunks: u32,
    /// Hunks of the last ten percent.
    pub highlighted_hunks: u32,
    /// Lines that stand on the after side only.
    pub added_lines: u32,
    /// Lines that stand on the before side only.
    pub removed_lines: u32,
    /// Open findings of level error.
    pub errors: u32,
    /// Open findings of level warning.
    pub warnings: u32,
    /// Open findings of level note.
    pub notes: u32,
    /// Assumptions that the reviewer has to settle.
    pub open_questions: u32,
    /// Assumptions that the change makes or touches and that hold.
    pub upheld: u32,
    /// Findings that are not listed, by what hides them.
    pub hidden: Hidden,
}

/// Findings that are not listed, by what hides them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hidden {
    /// They stood before, and the change does not come near them.
    pub scope: u32,
    /// The baseline names them.
    pub baseline: u32,
    /// A suppression covers them.
    pub suppression: u32,
}
