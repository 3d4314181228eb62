//! What a review is made from: plain data that the floors below deliver.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::change::{ChangeSet, Trees};
use crate::directive::Directive;
pub use crate::request::Scope;
use crate::rules::RuleInfo;
use crate::text::{LineIndex, Position, Side, Span};
use crate::verdict::{self, Level, Location, Verdict};

use super::contract::{ClaimSource, Commit, Coverage, Notice};
use super::policy::Policy;

/// Everything that [`super::review`] looks at.
#[derive(Clone, Copy)]
pub struct Material<'a> {
    /// The change: its files, their hunks and line maps.
    pub change: &'a ChangeSet,
    /// The texts that verdicts speak of, untouched files included.
    pub sources: &'a Sources,
    /// What the rules said of the before side, at least for what the change can have reached.
    pub before: &'a [Verdict],
    /// What the rules said of the after side, for the same code.
    pub after: &'a [Verdict],
    /// What is known of a rule by its name.
    pub rule: &'a dyn Fn(&str) -> &'a RuleInfo,
    /// Functions and types of the changed files, and of whatever other files verdicts speak of.
    pub items: &'a [ItemRange],
    /// What the changed files define.
    pub definitions: &'a [Definition],
    /// Facts about stretches of code that make them worth a look.
    pub signals: &'a [Signal],
    /// What the change says in words.
    pub said: &'a [Said],
    /// What is known of the functions that the change touches, on the after side.
    pub facts: &'a [FunctionFacts],
    /// What the analysis could not read. What the change itself could not read is added from the change.
    pub coverage: &'a [Coverage],
    /// The commits as the report shows them.
    pub commits: &'a [Commit],
    /// What comments ask of the review, on both sides.
    pub suppressions: &'a [Suppression],
    /// What the reader is told beside what the change itself says.
    pub notices: &'a [Notice],
    /// What the user asked for.
    pub options: &'a Options,
}

/// What the user asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The level from which findings gate; `None` for never.
    pub fail_on: Option<Level>,
    /// Which findings are listed.
    pub scope: Scope,
    /// Whether assumptions that hold are listed.
    pub upheld: bool,
    /// Whether findings are listed that something hides.
    pub show_hidden: bool,
    /// The least level of a finding that counts.
    pub min_severity: Level,
    /// The least confidence of a finding that counts.
    pub min_confidence: verdict::Confidence,
    /// How many findings are listed at most; those that gate before all others.
    pub max_findings: Option<u32>,
    /// Which rules hold where.
    pub policy: Policy,
    /// How much signals weigh, by name, where that is not as `rules/risk.toml` says.
    pub weights: BTreeMap<String, u8>,
    /// From how many changed lines on a change is too large for one review; `None` for the built-in limit.
    pub budget_lines: Option<u32>,
    /// From how many open questions on it is; `None` for the built-in limit.
    pub budget_questions: Option<u32>,
    /// Fingerprints of findings that the project lives with.
    pub baseline: BTreeSet<String>,
    /// Whether the change is a pull request: a suppression that it adds does not open the gate then.
    pub is_pull_request: bool,
    /// Whether a pull request may all the same.
    pub accepts_new_suppressions: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            fail_on: Some(Level::Error),
            scope: Scope::Reach,
            upheld: false,
            show_hidden: false,
            min_severity: Level::Note,
            min_confidence: verdict::Confidence::Medium,
            max_findings: None,
            policy: Policy::default(),
            weights: BTreeMap::new(),
            budget_lines: None,
            budget_questions: None,
            baseline: BTreeSet::new(),
            is_pull_request: false,
            accepts_new_suppressions: false,
        }
    }
}

/// A name that a changed file defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The file.
    pub path: Arc<str>,
    /// Its side.
    pub side: Side,
    /// The name.
    pub name: String,
    /// The type that it is a method of.
    pub owner: Option<String>,
    /// What users depend on besides the name: what it is, its colour, its parameters. Compared, never shown.
    pub signature: String,
}

/// Where a function or a type stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemRange {
    /// Its file.
    pub path: Arc<str>,
    /// The side that the lines count on.
    pub side: Side,
    /// Qualified name, as verdicts spell it.
    pub name: String,
    /// What it is.
    pub kind: ItemKind,
    /// First line, decorators and attributes included.
    pub first: u32,
    /// Last line.
    pub last: u32,
}

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// Code that runs.
    Function,
    /// A class, struct, enum, trait, impl or module.
    Type,
}

/// A comment that asks something of the review: `tenth: ignore[rule] -- reason`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// The file.
    pub path: Arc<str>,
    /// The side that the lines count on.
    pub side: Side,
    /// The line of the comment.
    pub line: u32,
    /// What it says; what is wrong with it where it cannot be understood.
    pub said: Result<Directive, String>,
    /// What it speaks of.
    pub covers: Covers,
}

/// The code that a comment speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covers {
    /// What holds the comment's own line.
    Line(u32),
    /// What begins between two lines: a statement or an item.
    Lines(u32, u32),
    /// The whole file.
    File,
    /// Nothing: no code follows the comment.
    Nothing,
}

/// A fact about a stretch of code that makes it worth a look. Its weight stands in `rules/risk.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// The file.
    pub path: Arc<str>,
    /// The side that the lines count on.
    pub side: Side,
    /// First line.
    pub first: u32,
    /// Last line.
    pub last: u32,
    /// Name in `rules/risk.toml`.
    pub name: &'static str,
    /// What was seen, in the user's names; the table's sentence stands where it is empty.
    pub text: String,
}

/// A sentence of a comment, a docstring or a commit message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Where it was said.
    pub source: ClaimSource,
    /// Its file, on the after side.
    pub path: Option<Arc<str>>,
    /// Its first and last line there.
    pub lines: (u32, u32),
    /// Its commit.
    pub commit: Option<Arc<str>>,
    /// Whether the change adds it.
    pub is_added: bool,
    /// The rule and the subject that it declares an assumption about; the subject is empty where it names none.
    pub declared: Option<(String, String)>,
    /// The sentence on one line.
    pub text: String,
}

/// What the analysis knows of a function whatever the rules say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionFacts {
    /// Its file.
    pub path: Arc<str>,
    /// Its qualified name.
    pub function: String,
    /// Whether it runs on an event loop.
    pub on_loop: bool,
    /// Whether it runs in a worker thread.
    pub in_thread: bool,
    /// What shows that several calls of it may be under way at once.
    pub concurrent: Option<String>,
    /// Whether something else of its loop may run while it does.
    pub gives_way: bool,
}

/// A text and where its lines start.
#[derive(Clone, Debug)]
pub struct SourceText {
    /// The text.
    pub text: Arc<str>,
    /// Where its lines start.
    pub lines: LineIndex,
}

/// The texts that a review speaks of, by side and path.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    before: BTreeMap<Arc<str>, SourceText>,
    after: BTreeMap<Arc<str>, SourceText>,
    /// Paths of the before side by those of the after side, where they differ.
    renamed: BTreeMap<Arc<str>, Arc<str>>,
}

impl Sources {
    /// The texts of the changed files.
    pub fn of_change(change: &ChangeSet) -> Self {
        let mut sources = Self::default();
        for file in &change.files {
            for side in [Side::Before, Side::After] {
                if let Some(text) = file.side(side) {
                    sources.insert(side, text.path.clone(), text.text.clone());
                }
            }
            if let (Some(before), Some(after)) = (&file.before, &file.after)
                && before.path != after.path
            {
                sources.renamed.insert(after.path.clone(), before.path.clone());
            }
        }
        sources
    }

    /// Adds the files that verdicts speak of and the change does not touch.
    pub fn complete(&mut self, side: Side, verdicts: &[Verdict], trees: &dyn Trees) {
        for place in verdicts.iter().flat_map(Verdict::places) {
            if self.get(side, &place.path).is_none()
                && let Some(blob) = trees.read(side, &place.path)
            {
                self.insert(side, place.path.clone(), blob.text);
            }
        }
    }

    /// Adds a text.
    pub fn insert(&mut self, side: Side, path: Arc<str>, text: Arc<str>) {
        let lines = LineIndex::new(&text);
        self.side_mut(side).insert(path, SourceText { text, lines });
    }

    /// A text of one side.
    pub fn get(&self, side: Side, path: &str) -> Option<&SourceText> {
        match side {
            Side::Before => self.before.get(path),
            Side::After => self.after.get(path),
        }
    }

    /// The path that a file of the after side had before.
    pub fn path_before<'a>(&'a self, path: &'a str) -> &'a str {
        self.renamed.get(path).map_or(path, |before| before)
    }

    /// Start and end of a place; the first position where the text is not there.
    pub fn positions(&self, side: Side, at: &Location) -> (Position, Position) {
        let Some(source) = self.get(side, &at.path) else {
            return (Position { line: 1, column: 1 }, Position { line: 1, column: 1 });
        };
        let position = |offset| source.lines.position(&source.text, offset);
        (position(at.span.start), position(at.span.end))
    }

    /// First and last line of a place.
    pub fn lines(&self, side: Side, at: &Location) -> (u32, u32) {
        self.get(side, &at.path).map_or((1, 1), |source| source.lines.lines(at.span))
    }

    fn side_mut(&mut self, side: Side) -> &mut BTreeMap<Arc<str>, SourceText> {
        match side {
            Side::Before => &mut self.before,
            Side::After => &mut self.after,
        }
    }
}

impl SourceText {
    /// A line without its end; empty beyond the text.
    pub fn line(&self, line: u32) -> &str {
        self.lines.line_span(line).text(&self.text).trim_end_matches(['\n', '\r'])
    }

    /// The byte that a position names; the end of its line for columns beyond it.
    pub fn offset(&self, at: Position) -> u32 {
        let span: Span = self.lines.line_span(at.line);
        let line = span.text(&self.text);
        let column = at.column.saturating_sub(1) as usize;
        span.start + line.char_indices().nth(column).map_or(line.len(), |(byte, _)| byte) as u32
    }
}
