//! What there is to read: hunks in their order, what is left to do, and how to cut a large change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
