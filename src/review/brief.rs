//! The contract of `tenth brief`: what is printed as JSON, and what the form for people is made from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::contract::Stance;

/// The name and version of this contract.
pub const BRIEF_SCHEMA: &str = "tenth/brief/1";

/// The concurrency contract of files that somebody is about to change, as their code shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Brief {
    /// Always [`BRIEF_SCHEMA`].
    #[schemars(extend("const" = BRIEF_SCHEMA))]
    pub schema: String,
    /// The files, by path from the repository's root.
    pub files: Vec<String>,
    /// The locks that they take or make.
    pub locks: Vec<BriefLock>,
    /// Which lock is waited for while which other one is held.
    pub order: Vec<BriefOrder>,
    /// Where their functions run, as far as it shows.
    pub contexts: Vec<BriefContext>,
    /// The rules of libraries and frameworks that the files live by.
    pub contracts: Vec<BriefLine>,
    /// The assumptions to state before writing: those that hold, and those that nobody could settle.
    pub questions: Vec<BriefLine>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct BriefPlace {
    /// Path from the repository's root.
    pub path: String,
    /// 1-based line.
    pub line: u32,
}

/// A lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BriefLock {
    /// The type that it is a field of and its name, or the name of the global.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Whether a task that waits for it gives way to others.
    pub is_async: bool,
    /// Where it is declared, if that is in one of the files.
    pub declared: Option<BriefPlace>,
    /// What it guards, as the accesses show: the state, how many of its changes stand under the lock, and how many
    /// there are.
    pub guards: Vec<BriefGuarded>,
    /// The functions that take it, in source order.
    pub taken_in: Vec<String>,
    /// Where a task gives way while it holds it.
    pub awaits: Vec<BriefAwait>,
}

/// State that a lock guards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BriefGuarded {
    /// The state in the user's own words.
    pub name: String,
    /// How many of its changes stand under the lock; `null` where the lock owns what it guards.
    pub changes_under: Option<u32>,
    /// How many changes there are, those that make the object left out; `null` where the lock owns what it guards.
    pub changes: Option<u32>,
}

/// A suspension under a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BriefAwait {
    /// The function.
    pub function: String,
    /// What is awaited, in the user's own words.
    pub what: String,
    /// Where.
    #[serde(flatten)]
    pub at: BriefPlace,
}

/// Two locks that are taken in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BriefOrder {
    /// The lock that is held.
    pub first: String,
    /// The lock that is waited for meanwhile.
    pub then: String,
    /// The functions that do so.
    pub functions: Vec<String>,
    /// Where the first of them does.
    #[serde(flatten)]
    pub at: BriefPlace,
}

/// Functions that run in the same sort of place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BriefContext {
    /// Where they run: "on the event loop", "in a worker thread".
    pub runs: String,
    /// The functions, in source order.
    pub functions: Vec<BriefFunction>,
}

/// A function and what shows where it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BriefFunction {
    /// Its qualified name within the file.
    pub name: String,
    /// What shows it; empty where its own `async` does.
    pub why: String,
    /// Where it is defined.
    #[serde(flatten)]
    pub at: BriefPlace,
}

/// An assumption that the code rests on, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BriefLine {
    /// The rule that is about it.
    pub rule: String,
    /// Whether it holds today.
    pub stance: Stance,
    /// The assumption; where it is unproven the question, and where it is violated what is wrong.
    pub text: String,
    /// The places where it was seen, beside the first.
    pub more: u32,
    /// Where it was seen first.
    #[serde(flatten)]
    pub at: BriefPlace,
}
