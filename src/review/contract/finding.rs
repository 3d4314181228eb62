//! What is wrong, and the places that show it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Family, Level, Position, Side};

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
