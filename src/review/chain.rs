//! The contract of `tenth checkpoints`: what is printed as JSON, and what the form for people is made from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::contract::{Handoff, Summary};

/// The name and version of this contract.
pub const CHAIN_SCHEMA: &str = "tenth/checkpoints/1";

/// The states that somebody left to come back to, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Checkpoints {
    /// Always [`CHAIN_SCHEMA`].
    #[schemars(extend("const" = CHAIN_SCHEMA))]
    pub schema: String,
    /// The states.
    pub steps: Vec<Checkpoint>,
    /// The newest state that is sound; `null` where none is, or nothing was reviewed.
    pub last_sound: Option<String>,
    /// The command that would go back there; it is never run. `null` where there is nothing to go back to or from.
    pub return_with: Option<String>,
    /// What is done and what is left at the last step; `null` where nothing is unfinished, or nothing was reviewed.
    pub handoff: Option<Handoff>,
}

/// One state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Checkpoint {
    /// Full id of its commit.
    pub commit: String,
    /// The first paragraph of its message on one line.
    pub subject: String,
    /// Why it is listed.
    pub kind: CheckpointKind,
    /// The tag, reference or branch that makes it a checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The coding agent that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// How it stands, everything since the beginning counted. Only with `--review`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Soundness>,
    /// The figures of this step alone. Only with `--review`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Summary>,
    /// The figures of everything since the beginning. Only with `--review`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Summary>,
}

/// Why a state is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckpointKind {
    /// Its subject is one of a checkpoint.
    Checkpoint,
    /// An empty commit that says that the work begins.
    Plan,
    /// An agent made it.
    Agent,
    /// A tag names it.
    Tag,
    /// A reference beside the branches names it.
    Reference,
    /// It is on a branch that holds states of a work tree.
    ShadowBranch,
    /// It is in a repository that holds checkpoints only.
    SideRepository,
    /// It is in the range.
    Commit,
}

/// How a state stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Soundness {
    /// Nothing of level error or warning was introduced on the way there, and nothing is unfinished.
    Sound,
    /// There are findings.
    Findings,
    /// Work was left half done.
    Unfinished,
    /// A file does not parse.
    Broken,
}
