//! The checklist: what the change takes for granted, and what it claims.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Evidence, Family, Hop, Position};

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
