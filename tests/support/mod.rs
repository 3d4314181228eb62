//! What the test programs share: small projects in memory, their review, and the expectations in their comments.
//!
//! An expectation stands in the code, at the end of the line it is about or alone on the line above:
//!
//! ~~~text
//! expect: rule "text"            a finding that the change introduces; its message holds the text, or at a place that
//!                                the finding names as part of the same, the words there
//! expect-reached: rule "text"    a finding that stood before, whose way through the code the change touches
//! expect-unproven: rule "text"   an open question
//! expect-fixed: rule "text"      in the files before the change: a finding that it does away with
//! wrong: false-positive rule (why)     there is a finding, and there should be none
//! wrong: false-negative rule (why)     there is none, and there should be one
//! wrong: false-question rule (why)     a question is asked, and should not be
//! wrong: missed-question rule (why)    no question is asked, and one should be
//! ~~~

// Every test program uses a part of this.
#![allow(dead_code)]
// A test that cannot go on says so.
#![allow(clippy::unwrap_used)]

pub(crate) mod rewrite;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tenth::change::{ChangeSet, Description, Kind};
use tenth::review::{Origin, Review, Stance};

/// Texts by path.
pub(crate) type Files = BTreeMap<String, String>;

/// A project on both sides of a change.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// How failures name it: `lock-reentry/across-files`.
    pub(crate) name: String,
    /// The files before.
    pub(crate) before: Files,
    /// The files after.
    pub(crate) after: Files,
}

/// The package that a Rust case belongs to, unless it says so itself.
const PACKAGE: &str = "[package]\nname = \"example\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";

impl Case {
    /// A case; Rust files get a package around them, the same on both sides.
    pub(crate) fn new(name: String, mut before: Files, mut after: Files) -> Self {
        if after.keys().chain(before.keys()).any(|path| path.ends_with(".rs")) {
            let package = after.get("Cargo.toml").cloned().unwrap_or_else(|| PACKAGE.to_owned());
            for side in [&mut before, &mut after] {
                side.entry("Cargo.toml".to_owned()).or_insert_with(|| package.clone());
            }
        }
        Self { name, before, after }
    }

    /// The change between the two sides.
    pub(crate) fn change(&self) -> ChangeSet {
        let description =
            Description { kind: Kind::Files, before: None, after: None, how: "two folders of a fixture".to_owned() };
        ChangeSet::in_memory(description, self.before.clone(), self.after.clone())
    }

    /// Its review.
    pub(crate) fn review(&self) -> Review {
        review(&self.change())
    }

    /// The same change the other way round.
    pub(crate) fn reversed(&self) -> Self {
        Self { name: format!("{} reversed", self.name), before: self.after.clone(), after: self.before.clone() }
    }
}

/// The one place that touches the library's entrance.
pub(crate) fn review(change: &ChangeSet) -> Review {
    tenth::review_change(change, &tenth::review::Options::default(), Some(1)).unwrap().review
}

/// The project's own folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder, sorted.
pub(crate) fn walk(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.into_iter().flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// A path from `base`, with forward slashes.
pub(crate) fn relative(path: &Path, base: &Path) -> String {
    let parts = path.strip_prefix(base).unwrap().components();
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// The files below a folder by path.
pub(crate) fn files(folder: &Path) -> Files {
    let read = |path: PathBuf| (relative(&path, folder), std::fs::read_to_string(&path).unwrap());
    walk(folder).into_iter().map(read).collect()
}

/// The folders directly in a folder, sorted.
pub(crate) fn folders(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

/// All fixtures of all rules.
pub(crate) fn fixtures() -> Vec<Case> {
    let base = root().join("fixtures/rules");
    let of_rule = |rule: PathBuf| folders(&rule).into_iter();
    folders(&base).into_iter().flat_map(of_rule).map(|case| fixture(&case, &base)).collect()
}

fn fixture(folder: &Path, base: &Path) -> Case {
    let name = relative(folder, base);
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap().file_name();
        assert!(entry == "before" || entry == "after", "{name}: only `before` and `after` may stand in a case");
    }
    let case = Case::new(name, files(&folder.join("before")), files(&folder.join("after")));
    assert!(!case.after.is_empty(), "{}: there is no `after`", case.name);
    case
}

/// The small changes whose whole review is known.
pub(crate) fn stories() -> Vec<Case> {
    let base = root().join("fixtures/changes");
    let story = |folder: PathBuf| {
        Case::new(relative(&folder, &base), files(&folder.join("before")), files(&folder.join("after")))
    };
    folders(&base).into_iter().map(story).collect()
}

/// What can be said of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sort {
    /// An introduced finding.
    Finding,
    /// A finding that stood before and is reached.
    Reached,
    /// An open question.
    Question,
    /// A finding of the before side that is gone.
    Fixed,
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Finding => "finding",
            Self::Reached => "reached finding",
            Self::Question => "question",
            Self::Fixed => "fixed finding",
        })
    }
}

/// What the code says should be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expectation {
    /// What is expected.
    pub(crate) sort: Sort,
    /// Of which rule.
    pub(crate) rule: String,
    /// A part of the message; empty where that is left open.
    pub(crate) text: String,
    /// In which file.
    pub(crate) path: String,
    /// At which line.
    pub(crate) line: u32,
    /// Whether it is known to be wrong and kept; then `false` says that it is the silence that is wrong.
    pub(crate) is_there: bool,
}

/// The expectations of the files of one side.
pub(crate) fn expectations(files: &Files, sorts: &[Sort]) -> Vec<Expectation> {
    let mut found = Vec::new();
    for (path, text) in files {
        let Some(marker) = marker(path) else { continue };
        let mut waiting = Vec::new();
        for (line, code) in (1..).zip(text.lines()) {
            let notes = notes(code, marker);
            if !notes.is_empty() && code.trim_start().starts_with(marker) {
                waiting.extend(notes);
                continue;
            }
            for note in waiting.drain(..).chain(notes) {
                let expectation = expectation(note, path, line);
                // A line that the change leaves alone carries its comment on both sides.
                if sorts.contains(&expectation.sort) {
                    found.push(expectation);
                }
            }
        }
        assert!(waiting.is_empty(), "{path}: {waiting:?} stands above nothing");
    }
    found
}

/// What begins a comment, by the ending of the file.
pub(crate) fn marker(path: &str) -> Option<&'static str> {
    match path.rsplit_once('.')?.1 {
        "py" => Some("#"),
        "rs" => Some("//"),
        _ => None,
    }
}

/// The notes in the comment of a line.
fn notes<'a>(code: &'a str, marker: &str) -> Vec<&'a str> {
    let starts = ["expect: ", "expect-reached: ", "expect-unproven: ", "expect-fixed: ", "wrong: "];
    let opens = |at: &usize| starts.iter().any(|start| code[at + marker.len()..].trim_start().starts_with(start));
    let Some(at) = code.match_indices(marker).map(|(at, _)| at).find(opens) else { return Vec::new() };
    code[at + marker.len()..].split("; ").map(str::trim).collect()
}

fn expectation(note: &str, path: &str, line: u32) -> Expectation {
    let (word, rest) = note.split_once(": ").unwrap_or_else(|| panic!("{path}:{line}: `{note}` has no colon"));
    let (sort, is_there, rest) = match word {
        "expect" => (Sort::Finding, true, rest),
        "expect-reached" => (Sort::Reached, true, rest),
        "expect-unproven" => (Sort::Question, true, rest),
        "expect-fixed" => (Sort::Fixed, true, rest),
        "wrong" => {
            assert!(rest.ends_with(')') && rest.contains(" ("), "{path}:{line}: `{note}` does not say why");
            let (how, rest) = rest.split_once(' ').unwrap();
            match how {
                "false-positive" => (Sort::Finding, true, rest),
                "false-negative" => (Sort::Finding, false, rest),
                "false-question" => (Sort::Question, true, rest),
                "missed-question" => (Sort::Question, false, rest),
                other => panic!("{path}:{line}: `{other}` is no sort of wrong answer"),
            }
        }
        other => panic!("{path}:{line}: `{other}` is no expectation"),
    };
    let (rule, text) = rest.split_once(' ').unwrap_or((rest, ""));
    assert!(tenth::rules::info(rule).is_some(), "{path}:{line}: there is no rule `{rule}`");
    let text = if word == "wrong" { "" } else { text };
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    assert!(text.is_empty() || bare.is_some(), "{path}:{line}: `{text}` stands in no quotes");
    let (rule, text, path) = (rule.to_owned(), bare.unwrap_or("").to_owned(), path.to_owned());
    Expectation { sort, rule, text, path, line, is_there }
}

/// What a review says of a line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Answer {
    /// What it is.
    pub(crate) sort: Sort,
    /// Of which rule.
    pub(crate) rule: String,
    /// In which file.
    pub(crate) path: String,
    /// At which line.
    pub(crate) line: u32,
    /// In which words.
    pub(crate) text: String,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {} of `{}`: {}", self.path, self.line, self.sort, self.rule, self.text)
    }
}

/// How a finding begins to name another part of the same.
const PART: &str = "and so does `";

/// Everything that a review says.
pub(crate) fn answers(review: &Review) -> Vec<Answer> {
    let of = |sort, finding: &tenth::review::Finding| Answer {
        sort,
        rule: finding.rule.clone(),
        path: finding.path.clone(),
        line: finding.start.line,
        text: finding.message.clone(),
    };
    let mut all = Vec::new();
    let mut add = |sort, finding: &tenth::review::Finding| {
        all.push(of(sort, finding));
        let shown = finding.evidence.iter().map(|piece| (&piece.path, piece.start.line, &piece.note));
        let others = finding.trace.iter().map(|hop| (&hop.path, hop.line, &hop.what));
        for (path, line, note) in shown.chain(others).filter(|(.., note)| note.starts_with(PART)) {
            all.push(Answer { path: path.clone(), line, text: note.clone(), ..of(sort, finding) });
        }
    };
    for finding in &review.findings {
        match finding.origin {
            Origin::Introduced => add(Sort::Finding, finding),
            Origin::Reached => add(Sort::Reached, finding),
            Origin::Existing => {}
        }
    }
    review.fixed.iter().for_each(|finding| add(Sort::Fixed, finding));
    all.extend(review.assumptions.iter().filter(|one| one.stance == Stance::Unproven).map(|one| Answer {
        sort: Sort::Question,
        rule: one.rule.clone(),
        path: one.path.clone(),
        line: one.start.line,
        text: format!("{} {}", one.text, one.question),
    }));
    all.sort();
    all
}

/// What a review says, without the words: for changes that shift lines or rename what the words quote.
pub(crate) fn places(answers: &[Answer], line_of: impl Fn(&Answer) -> u32) -> Vec<(Sort, String, String, u32)> {
    let mut places: Vec<_> =
        answers.iter().map(|one| (one.sort, one.rule.clone(), one.path.clone(), line_of(one))).collect();
    places.sort();
    places
}

/// What differs between what a case expects and what its review says, one line each.
pub(crate) fn differences(case: &Case) -> Vec<String> {
    let mut expected = expectations(&case.after, &[Sort::Finding, Sort::Reached, Sort::Question]);
    expected.extend(expectations(&case.before, &[Sort::Fixed]));
    let mut actual = answers(&case.review());
    let mut wrong = Vec::new();
    let (there, silent): (Vec<_>, Vec<_>) = expected.into_iter().partition(|one| one.is_there);
    for one in there {
        let fits = |answer: &Answer| {
            (answer.sort, &answer.rule, &answer.path, answer.line) == (one.sort, &one.rule, &one.path, one.line)
                && answer.text.contains(&one.text)
        };
        match actual.iter().position(fits) {
            Some(at) => drop(actual.remove(at)),
            None => wrong.push(format!(
                "{}: {}:{}: no {} of `{}` {:?}",
                case.name, one.path, one.line, one.sort, one.rule, one.text
            )),
        }
    }
    for answer in actual {
        let mended = silent.iter().any(|one| {
            (answer.sort, &answer.rule, &answer.path, answer.line) == (one.sort, &one.rule, &one.path, one.line)
        });
        let what = if mended { "right now, take the `wrong:` mark away" } else { "unexpected" };
        wrong.push(format!("{}: {what}: {answer}", case.name));
    }
    wrong
}

/// What comes of each of many cases, in their order, several side by side. Each thread blocks while it waits for a
/// review's own workers: one of a pool would take up the next case on top of the first, until its stack is full.
pub(crate) fn of_each<C: Sync, T: Send>(cases: &[C], work: impl Fn(&C) -> Vec<T> + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(BTreeMap::new());
    let run = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(case) = cases.get(at) else { return };
            let one = work(case);
            found.lock().unwrap().insert(at, one);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let start = |_| std::thread::Builder::new().stack_size(tenth::load::STACK).spawn_scoped(scope, run).unwrap();
        let handles: Vec<_> = (0..threads).map(start).collect();
        for handle in handles {
            handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
    found.into_inner().unwrap().into_values().flatten().collect()
}

/// Fails with every difference of every case.
pub(crate) fn check(cases: &[Case]) {
    let wrong = of_each(cases, differences);
    assert!(wrong.is_empty(), "{} wrong answers in {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
