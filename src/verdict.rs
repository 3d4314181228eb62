//! What a rule says of one assumption that concurrent code rests on.
//!
//! A verdict is *violated* (a finding), *unproven* (a question for the reviewer) or *upheld*. It is
//! built with its primary place, so that a verdict without a place cannot exist. Severity, origin,
//! causes and suppression are not its business: `review` adds them.

use std::sync::Arc;

pub use crate::catalogue::Stake;
use crate::text::Span;

/// A stretch of one file of the side that the verdict speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location {
    /// Path from the repository's root.
    pub path: Arc<str>,
    /// Where in the file.
    pub span: Span,
}

/// How an assumption stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stance {
    /// It does not hold, and the evidence proves it.
    Violated(Confidence),
    /// It could not be told; [`Verdict::question`] says what would settle it.
    Unproven,
    /// It holds, and the evidence shows why.
    Upheld,
}

/// How certain the evidence of a violated verdict is. What is weaker than medium is not violated but unproven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// Shape and context leave little doubt, one link rests on convention.
    Medium,
    /// Resolved types, certain path, every candidate callee.
    High,
}

/// Where the hazard stands, as far as it weighs on severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Setting {
    /// Code that runs in production.
    Ordinary,
    /// Tests, examples, samples, benches: findings are one level lower.
    Test,
}

impl Setting {
    /// The setting that a path speaks of: folders and file names by which both languages mark code that is not shipped.
    pub fn of_path(path: &str) -> Self {
        let (folders, file) = path.rsplit_once('/').unwrap_or(("", path));
        let is_of_tests = |folder: &str| {
            let mut words = folder.split(['_', '-']);
            let ends = [words.next(), words.next_back()];
            ends.into_iter().flatten().any(|word| matches!(word, "test" | "tests"))
        };
        let in_tests = folders.split('/').any(|folder| {
            is_of_tests(folder)
                || matches!(
                    folder,
                    "testing" | "benches" | "benchmarks" | "example" | "examples" | "samples" | "cookbook"
                )
        });
        let stem = file.strip_suffix(".py").or_else(|| file.strip_suffix(".rs"));
        let is_test = stem.is_some_and(|stem| {
            stem.starts_with("test_") || stem.ends_with("_test") || stem.ends_with("_tests") || stem == "conftest"
        });
        if in_tests || is_test { Self::Test } else { Self::Ordinary }
    }
}

/// One piece of evidence: a place and what it shows.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Evidence {
    /// Where to look.
    pub at: Location,
    /// What stands there, in the user's names: "`self._lock` is taken here".
    pub note: String,
}

/// One hop of the path that leads to the hazard.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hop {
    /// Qualified name of the function the hop stands in.
    pub function: String,
    /// Where.
    pub at: Location,
    /// What happens there: "calls `load_flags`".
    pub what: String,
}

/// What a rule says about one assumption at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Name of the rule.
    pub rule: &'static str,
    /// How the assumption stands.
    pub stance: Stance,
    /// The place that is or becomes wrong; for a hazard across functions the caller left behind.
    pub at: Location,
    /// Qualified name of the function that holds `at`; empty for module level.
    pub function: String,
    /// What the assumption is about, for matching the two sides: "`self._lock`", "`time.sleep`". No positions.
    pub subject: String,
    /// The assumption in one sentence with the user's own names.
    pub assumption: String,
    /// What is wrong, where it comes from; the finding's headline when violated.
    pub message: String,
    /// What the reviewer must answer; empty unless unproven.
    pub question: String,
    /// What would settle it; may be empty.
    pub help: String,
    /// The places that prove it, most telling first.
    pub evidence: Vec<Evidence>,
    /// The way through the code, first hop first; empty when everything stands at `at`.
    pub trace: Vec<Hop>,
    /// How long the worst case lasts, where that weighs.
    pub stake: Option<Stake>,
    /// Lines whose removal brought the hazard about are not on this side; rules leave it empty, `review` fills causes.
    pub setting: Setting,
    /// What there is to mend where that is more than this place: violated verdicts of one rule in one function that name
    /// the same part are one finding. Empty for one that stands alone; no positions. The message begins with the subject.
    pub part_of: String,
    /// Level the rule asks for where the rule's usual level does not fit the case (such as short I/O in a loop).
    pub level: Option<Level>,
}

/// How loud a finding is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Probably wrong, or wrong with limited harm.
    Warning,
    /// Wrong, and it can hang or corrupt.
    Error,
}

impl Verdict {
    /// A verdict about `subject` at a place. Everything else starts empty.
    pub fn new(rule: &'static str, stance: Stance, at: Location, function: &str, subject: impl Into<String>) -> Self {
        Self {
            rule,
            stance,
            at,
            function: function.to_owned(),
            subject: subject.into(),
            assumption: String::new(),
            message: String::new(),
            question: String::new(),
            help: String::new(),
            evidence: Vec::new(),
            trace: Vec::new(),
            stake: None,
            setting: Setting::Ordinary,
            part_of: String::new(),
            level: None,
        }
    }

    /// Says the assumption.
    pub fn assumes(mut self, sentence: impl Into<String>) -> Self {
        self.assumption = sentence.into();
        self
    }

    /// Says what is wrong.
    pub fn says(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Says what the reviewer must answer.
    pub fn asks(mut self, question: impl Into<String>) -> Self {
        self.question = question.into();
        self
    }

    /// Says what would settle it.
    pub fn helps(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// Adds a piece of evidence.
    pub fn evidence(mut self, at: Location, note: impl Into<String>) -> Self {
        self.evidence.push(Evidence { at, note: note.into() });
        self
    }

    /// Adds hops to the trace.
    pub fn trace(mut self, hops: impl IntoIterator<Item = Hop>) -> Self {
        self.trace.extend(hops);
        self
    }

    /// Sets how long the worst case lasts.
    pub fn stake(mut self, stake: Stake) -> Self {
        self.stake = Some(stake);
        self
    }

    /// Names what it is a part of, for whoever mends it.
    pub fn part_of(mut self, whole: impl Into<String>) -> Self {
        self.part_of = whole.into();
        self
    }

    /// Asks for a level other than the rule's usual one.
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Every place that the verdict rests on: primary, evidence, trace.
    pub fn places(&self) -> impl Iterator<Item = &Location> {
        std::iter::once(&self.at)
            .chain(self.evidence.iter().map(|evidence| &evidence.at))
            .chain(self.trace.iter().map(|hop| &hop.at))
    }
}

#[cfg(test)]
mod tests {
    use super::Setting;

    #[test]
    fn folders_and_files_tell_what_is_not_shipped() {
        for path in ["tests/a.py", "crates/e2e_test/src/a.rs", "test-utils/a.py", "benchmarks/a.py", "a/test_b.py"] {
            assert_eq!(Setting::of_path(path), Setting::Test, "{path}");
        }
        for path in ["src/a.py", "latest/a.py", "contest_rules/a.py", "speed_test_service/a.py", "a/testament.rs"] {
            assert_eq!(Setting::of_path(path), Setting::Ordinary, "{path}");
        }
    }
}
