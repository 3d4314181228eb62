//! The report's contract, version 1: what every output is made from, key for key.
//!
//! The order of the fields is the order of the keys. A key marked optional is left out when there is nothing to say;
//! a key that may be `null` always stands. Removing or changing a key raises the number in [`SCHEMA`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::rules::Family;
pub use crate::text::{Position, Side};
pub use crate::verdict::Level;

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

/// How certain the evidence of a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// One link rests on convention.
    Medium,
    /// Resolved types, certain path, every candidate callee.
    High,
}

/// What the change has to do with a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The change brought it about.
    Introduced,
    /// It stood before; the change touches its trace.
    Reached,
    /// It stood before, and the change does not come near it.
    Existing,
}

/// Whether somebody has accepted a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nobody has.
    Open,
    /// It stands by a suppression, a baseline or an annotation.
    Accepted,
}

/// A violated assumption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Stable under edits elsewhere.
    pub id: String,
    /// Name of the rule.
    pub rule: String,
    /// Family of the rule.
    pub family: Family,
    /// How loud.
    pub severity: Level,
    /// How certain.
    pub confidence: Confidence,
    /// What the change has to do with it.
    pub origin: Origin,
    /// Whether somebody has accepted it.
    pub status: Status,
    /// Whether it makes the run fail.
    pub gating: bool,
    /// What is wrong, and where it comes from.
    pub message: String,
    /// What would settle it; may be empty.
    pub help: String,
    /// A text that would settle it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<Suggestion>,
    /// File of the place that is or becomes wrong.
    pub path: String,
    /// Its start.
    pub start: Position,
    /// Its end, exclusive.
    pub end: Position,
    /// Qualified name of the function around it; empty at module level.
    pub function: String,
    /// At most [`MOST_EVIDENCE`] pieces, most telling first.
    pub evidence: Vec<Evidence>,
    /// The way through the code.
    pub trace: Vec<Hop>,
    /// Hunks without which it would not be there.
    pub causes: Vec<String>,
    /// Hunks that its trace merely passes through.
    pub context: Vec<String>,
    /// For baselines and hosts.
    pub fingerprint: String,
}

/// How many pieces of evidence a finding shows; the rest goes to its trace.
pub const MOST_EVIDENCE: usize = 4;

/// A replacement that would settle a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suggestion {
    /// File to edit.
    pub path: String,
    /// Start of what is replaced.
    pub start: Position,
    /// Its end, exclusive.
    pub end: Position,
    /// What takes its place.
    pub text: String,
}

/// A place and what it shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// The side that the place is on.
    pub side: Side,
    /// Its file.
    pub path: String,
    /// Its start.
    pub start: Position,
    /// Its end, exclusive.
    pub end: Position,
    /// What stands there.
    pub note: String,
}

/// One step of the way through the code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hop {
    /// Qualified name of the function.
    pub function: String,
    /// Its file.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
    /// What happens there.
    pub what: String,
}

/// How an assumption stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stance {
    /// It does not hold.
    Violated,
    /// It could not be told.
    Unproven,
    /// It holds.
    Upheld,
    /// It stands by a suppression, a baseline or an annotation.
    Accepted,
}

/// One line of the checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assumption {
    /// Stable under edits elsewhere.
    pub id: String,
    /// Name of the rule.
    pub rule: String,
    /// Family of the rule.
    pub family: Family,
    /// How it stands.
    pub stance: Stance,
    /// What is assumed.
    pub text: String,
    /// What the reviewer must answer; empty unless unproven.
    pub question: String,
    /// File of the place that relies on it.
    pub path: String,
    /// Its start.
    pub start: Position,
    /// Its end, exclusive.
    pub end: Position,
    /// What was found.
    pub evidence: Vec<Evidence>,
    /// The way through the code.
    pub trace: Vec<Hop>,
    /// Hunks that make it.
    pub hunks: Vec<String>,
    /// The finding that says it is violated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
}

/// Where a claim was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClaimSource {
    /// An added comment.
    Comment,
    /// An added docstring.
    Docstring,
    /// A commit message.
    Commit,
    /// A commit's trailer.
    Trailer,
    /// A `tenth: assume` comment.
    Annotation,
}

/// What the analysis makes of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It found the same.
    Confirmed,
    /// It found the opposite.
    Contradicted,
    /// It did not look at it.
    Unchecked,
}

/// A sentence of the change that states an assumption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Claim {
    /// Stable under edits elsewhere.
    pub id: String,
    /// Where it was made.
    pub source: ClaimSource,
    /// Its file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Its line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Its commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The sentence.
    pub text: String,
    /// Ids of the lines of the checklist that it is about.
    pub about: Vec<String>,
    /// What the analysis makes of it.
    pub standing: Standing,
    /// What the analysis found, or the question that is open; left out where it found nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub found: String,
}

/// Lines of one side. With `count` 0, `start` is the line after which the other side's lines would stand, 0 before the
/// first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lines {
    /// First line, from 1.
    pub start: u32,
    /// How many.
    pub count: u32,
}

/// A stretch of changed lines that a reviewer reads in one go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hunk {
    /// Stable under edits elsewhere.
    pub id: String,
    /// Its file: the after side's path, or the before side's where the file is gone.
    pub path: String,
    /// The lines that go.
    pub before: Lines,
    /// The lines that come.
    pub after: Lines,
    /// The function or type around it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// 0 to 100, the sum of the reasons' points.
    #[schemars(range(max = 100))]
    pub risk: u8,
    /// Place in the reading order, from 1.
    #[schemars(range(min = 1))]
    pub rank: u32,
    /// Whether it belongs to the last ten percent.
    pub highlighted: bool,
    /// What the risk is made of.
    pub reasons: Vec<Reason>,
}

/// One contribution to a hunk's risk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// Name of the signal in `rules/risk.toml`.
    pub signal: String,
    /// What it adds, or takes where it is negative.
    pub points: i32,
    /// What it saw.
    pub text: String,
}

/// What is done and what is left of unfinished work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Handoff {
    /// Functions that the change finished.
    pub done: Vec<Done>,
    /// What somebody has to go on with.
    pub left: Vec<Left>,
}

/// A function that the change finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Done {
    /// Its file.
    pub path: String,
    /// Its qualified name.
    pub function: String,
    /// What was done to it.
    pub what: String,
}

/// A piece of work that is left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Left {
    /// Its file.
    pub path: String,
    /// Its qualified name; empty at module level.
    pub function: String,
    /// What is missing.
    pub what: String,
    /// The finding that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
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

/// A change that is too large to be read with equal care, and a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Split {
    /// Which budget it exceeds, in one sentence.
    pub why: String,
    /// Chunks that can be reviewed and merged one after another; empty where everything hangs together.
    pub chunks: Vec<SplitChunk>,
}

/// Files of a change that go together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SplitChunk {
    /// Their paths, those of the before side for removed ones.
    pub files: Vec<String>,
    /// Paths that are no longer there after it: files removed, and old names of renamed ones.
    pub removed: Vec<String>,
    /// Ids of their hunks.
    pub hunks: Vec<String>,
    /// How many lines they change.
    pub lines: u32,
    /// What later chunks need from it, the first few names.
    pub gives: Vec<String>,
}
