//! What a file of settings may say, key by key. The schema that `tenth config schema` prints is made from this.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use crate::catalogue::{BlockingKind, Flavour, LockKind, Managed, Runs, Stake};
use crate::request::{Gate, Scope};
use crate::review::{self, PathSet};
use crate::rules;
use crate::verdict::Level;

/// The settings of a project.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Document {
    /// The level from which an introduced finding makes the run fail: `error` (the default), `warning`, `note`, `never`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_on: Option<Gate>,
    /// Which findings are listed; `reach` is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Files that are not looked at: `vendor`, `src/generated/**`, `*_pb2.py`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<Pattern>,
    /// The file that names the findings which the project lives with, from the folder of the settings;
    /// `tenth-baseline.txt` is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// Subjects of commits that are checkpoints, beside the usual ones; `*` stands for anything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checkpoints: Vec<String>,
    /// What holds for one rule.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rules: BTreeMap<RuleName, RuleSettings>,
    /// What holds for some files only. Of several patterns that fit, the longest has the last word.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub per_path: BTreeMap<Pattern, PathSettings>,
    /// How suppressions are taken.
    #[serde(skip_serializing_if = "is_default")]
    pub suppressions: SuppressionSettings,
    /// From where on a change is too large for one review.
    #[serde(skip_serializing_if = "is_default")]
    pub budget: BudgetSettings,
    /// How much a signal weighs in a hunk's risk, from 0 to 100, by its name in `rules/risk.toml`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub risk: BTreeMap<SignalName, Weight>,
    /// What names of Python mean that only this project knows.
    #[serde(skip_serializing_if = "is_default")]
    pub python: Knowledge,
    /// What names of Rust mean that only this project knows.
    #[serde(skip_serializing_if = "is_default")]
    pub rust: Knowledge,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What holds for one rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RuleSettings {
    /// Its usual level, or `off`. What makes a finding quieter (short input and output, medium confidence, tests) still
    /// does.
    pub severity: Severity,
}

/// How loud a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Wrong, and it can hang or corrupt.
    Error,
    /// Probably wrong, or wrong with limited harm.
    Warning,
    /// Worth knowing.
    Note,
    /// Not applied.
    Off,
}

impl Severity {
    pub(super) fn level(self) -> review::RuleLevel {
        match self {
            Self::Error => review::RuleLevel::At(Level::Error),
            Self::Warning => review::RuleLevel::At(Level::Warning),
            Self::Note => review::RuleLevel::At(Level::Note),
            Self::Off => review::RuleLevel::Off,
        }
    }
}

/// What holds for some files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PathSettings {
    /// Rules that are not applied to them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<RuleName>,
    /// What holds for one rule in them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rules: BTreeMap<RuleName, RuleSettings>,
}

/// How suppressions are taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct SuppressionSettings {
    /// Whether a suppression that a pull request itself adds opens the gate for it; `false` is the default.
    #[serde(skip_serializing_if = "is_default")]
    pub accept_new: bool,
}

/// From where on a change is too large for one review.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct BudgetSettings {
    /// Changed lines, both sides counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<u32>,
    /// Open questions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub questions: Option<u32>,
}

/// What names of one language mean. Names are qualified, as they are imported: `shop.billing.charge`,
/// `shop::billing::charge`; calls are left out (`shop.client().get` is `shop.client.get`), and `shop.client.*` is
/// everything below.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Knowledge {
    /// Calls that keep their thread waiting.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub blocking: BTreeMap<String, BlockingCall>,
    /// Types whose values keep others out, or count who is in.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub locks: BTreeMap<String, LockType>,
    /// Calls whose callable runs elsewhere than where it is handed over.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub offload: BTreeMap<String, OffloadCall>,
}

/// A call that keeps its thread waiting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BlockingCall {
    /// What it waits for.
    pub kind: BlockingKind,
    /// How long that may take: `unbounded` (the default), `io` for milliseconds, `micro` for less.
    #[serde(default = "unbounded")]
    pub stake: Stake,
    /// What to write in asynchronous code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
}

fn unbounded() -> Stake {
    Stake::Unbounded
}

/// A type whose value keeps others out, or counts who is in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LockType {
    /// What a wait for it does: `blocking` stops the thread, `async` suspends the task.
    pub flavour: Flavour,
    /// What sort of lock it is; `mutex` is the default.
    #[serde(default = "mutex")]
    pub kind: LockKind,
    /// Whether its holder may take it again.
    #[serde(default)]
    pub reentrant: bool,
    /// Methods that take it and wait for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acquire: Vec<String>,
    /// Methods that take it together with other readers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<String>,
    /// Methods that take it or fail at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub r#try: Vec<String>,
    /// Methods that let it go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub release: Vec<String>,
    /// The block that takes it at its start and lets it go at its end: `with`, `async with`, `both`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Managed>,
}

fn mutex() -> LockKind {
    LockKind::Mutex
}

/// A call whose callable runs elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OffloadCall {
    /// Which argument is the callable, counted from 0; the first is the default.
    #[serde(default)]
    pub callable: u8,
    /// Where it runs: `thread`, `process`, `loop`, `task`, `same` (in place), ….
    pub runs: Runs,
}

/// Names that a file of settings may use where it names something of the tool's.
macro_rules! known_names {
    ($(#[$doc:meta])* $name:ident, $list:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// All that there are.
            pub fn all() -> &'static [&'static str] {
                static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| $list);
                &NAMES
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                if Self::all().contains(&name.as_str()) {
                    Ok(Self(name))
                } else {
                    Err(serde::de::Error::unknown_variant(&name, Self::all()))
                }
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "enum": Self::all() })
            }
        }
    };
}

known_names!(
    /// The name of a rule.
    RuleName,
    rules::all().iter().map(|rule| rule.name).collect()
);
known_names!(
    /// The name of a signal in `rules/risk.toml`.
    SignalName,
    review::signal_names()
);

/// A pattern of paths from the repository's root: `*` within a name, `**` across folders; without a slash, any file or
/// folder of that name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Pattern(pub String);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        PathSet::new([text.as_str()]).map_err(serde::de::Error::custom)?;
        Ok(Self(text))
    }
}

/// How much a signal weighs: 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Weight(#[schemars(range(max = 100))] pub u8);

impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        let weight = u8::try_from(number).ok().filter(|weight| *weight <= 100);
        weight.map(Self).ok_or_else(|| serde::de::Error::custom(format!("{number} is no weight from 0 to 100")))
    }
}
