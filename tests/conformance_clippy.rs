//! What clippy's own tests expect of the lints that this tool has rules for, read from a checkout:
//! `cargo test --test conformance_clippy -- FOLDER`.
//!
//! The tests say in comments at which lines a lint must speak:
//!
//! ~~~text
//! let guard = x.lock().unwrap();
//! //~^ ERROR: this `MutexGuard` is held across an await point
//! ~~~
//!
//! A line is found if a verdict of the rule stands there, or one of its first pieces of evidence does, in what begins at
//! the line. Findings at other
//! lines are told as well. Where the two are meant to differ, the function is listed below with the reason, and the test
//! fails as soon as they agree there.

#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::process::ExitCode;

use tenth::analysis::Program;
use tenth::catalogue::Catalogue;
use tenth::load::{self, Files};
use tenth::text::{LineIndex, Side};
use tenth::verdict::{Stance, Verdict};

/// One of clippy's tests.
struct Lint {
    /// Its file.
    path: &'static str,
    /// The rules that speak of the same.
    rules: &'static [&'static str],
    /// What their messages hold where they speak of other things as well.
    says: &'static str,
    /// The edition, and the revision that stands for it where the test has several.
    editions: &'static [(&'static str, &'static str)],
    /// Texts that stand in the way, and what they are replaced by, on as many lines.
    replaced: &'static [(&'static str, &'static str)],
    /// Functions where another answer is the right one, with the reason.
    differs: &'static [(&'static str, &'static str)],
}

/// Over how many lines an expression goes that is named by its first.
const LONGEST: u32 = 4;

const EDITION_2021: &[(&str, &str)] = &[("2021", "")];

/// The awaited function of these tests never gives way, which the analysis sees; here it does.
const GIVES_WAY: &[(&str, &str)] = &[("-> u32 {\n    42\n}", "-> u32 {\n    std::future::pending().await\n}")];

const DROPPED: &str = "clippy says itself that this is wrong: the guard is dropped before the await";
const NO_HARM: &str = "the guard lives longer than it looks, and nothing comes of it: no lock is taken again in an arm";
const HANGS: &str = "the guard is bound on purpose, and the lock is taken again under it: it hangs";
const ALLOWED: &str = "it hangs; an attribute silences clippy, and not this tool";
const SILENCED: &str = "the future is lost all the same; an attribute silences clippy, and not this tool";
const BEHIND: &str = "what a macro with several arms or an operator of the type gives is not followed: at these lines it is \
    found that nobody awaits the block, not that it ends with a future";
const UPLIFTED: &str =
    "clippy leaves the locks of the standard library to the compiler's own lint; here they are one rule";
const LAST: &str = "the last statement takes the lock and lets it go, which waits for whoever has it: nothing runs after it unprotected";
const LENT: &str =
    "`let _ = future` of a variable moves nothing in Rust: the future lives on, and was lent to one who may drive it";
const BORROWED: &str = "what is matched needs the guard, and the lock is taken again under it: it hangs";

const LINTS: &[Lint] = &[
    Lint {
        path: "tests/ui/await_holding_lock.rs",
        rules: &["lock-across-await"],
        says: "",
        editions: EDITION_2021,
        replaced: GIVES_WAY,
        differs: &[("dropped_before_await", DROPPED)],
    },
    Lint {
        path: "tests/ui/await_holding_refcell_ref.rs",
        rules: &["lock-across-await"],
        says: "",
        editions: EDITION_2021,
        replaced: GIVES_WAY,
        differs: &[],
    },
    Lint {
        path: "tests/ui-toml/await_holding_invalid_type/await_holding_invalid_type.rs",
        rules: &["lock-across-await"],
        says: "",
        editions: EDITION_2021,
        replaced: GIVES_WAY,
        differs: &[],
    },
    Lint {
        path: "tests/ui/if_let_mutex.rs",
        rules: &["lock-reentry"],
        says: "",
        editions: &[("2021", "edition2021"), ("2024", "edition2024")],
        replaced: &[],
        differs: &[],
    },
    Lint {
        path: "tests/ui/let_underscore_lock.rs",
        rules: &["guard-dropped-at-once"],
        says: "",
        editions: EDITION_2021,
        replaced: &[],
        differs: &[("uplifted", UPLIFTED), ("main", LAST)],
    },
    Lint {
        path: "tests/ui/let_underscore_future.rs",
        rules: &["unawaited-call"],
        says: "",
        editions: EDITION_2021,
        replaced: &[],
        differs: &[("main", LENT)],
    },
    Lint {
        path: "tests/ui/async_yields_async.rs",
        rules: &["unawaited-call"],
        says: "ends with the future",
        editions: EDITION_2021,
        replaced: &[],
        differs: &[("check_expect_suppression", SILENCED), ("bar", BEHIND), ("poll", BEHIND)],
    },
    Lint {
        path: "tests/ui/significant_drop_in_scrutinee.rs",
        rules: &["lock-reentry"],
        says: "",
        editions: EDITION_2021,
        replaced: &[],
        differs: &[
            ("should_trigger_lint_for_vec", NO_HARM),
            ("should_trigger_lint_for_non_ref_move_and_clone_suggestion", NO_HARM),
            ("should_not_trigger_for_significant_drop_ref", NO_HARM),
            ("should_trigger_lint_if_and_only_if_lifetime_is_irrelevant", NO_HARM),
            ("should_not_trigger_lint_with_explicit_drop", NO_HARM),
            ("should_trigger_lint_in_if_let", NO_HARM),
            ("should_trigger_lint_in_while_let", NO_HARM),
            ("should_trigger_lint_for_async", NO_HARM),
            ("should_trigger_lint_in_match_expr", NO_HARM),
            ("should_not_trigger_lint_with_mutex_guard_when_taking_ownership_in_match", HANGS),
            ("should_not_trigger_lint_with_mutex_guard_in_match_scrutinee_when_lint_allowed", ALLOWED),
            ("should_not_trigger_lint_for_string_ref", BORROWED),
        ],
    },
];

fn main() -> ExitCode {
    let Some(folder) = std::env::args().skip(1).find(|argument| !argument.starts_with('-')) else {
        eprintln!("usage: cargo test --test conformance_clippy -- FOLDER");
        return ExitCode::from(2);
    };
    let mut is_good = true;
    for lint in LINTS {
        for (edition, revision) in lint.editions {
            is_good &= agrees(Path::new(&folder), lint, edition, revision);
        }
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Compares one test in one edition and prints where the two part.
fn agrees(folder: &Path, lint: &Lint, edition: &str, revision: &str) -> bool {
    let path = folder.join(lint.path);
    let mut text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            println!("{}: {error}", path.display());
            return false;
        }
    };
    for (before, after) in lint.replaced {
        assert!(text.contains(before), "{}: `{before}` is no longer there", lint.path);
        text = text.replace(before, after);
    }
    let expected = expected(&text, revision);
    let lines = LineIndex::new(&text);
    let said = said(&text, edition, &own_types(&path), lint);
    let places = |verdict: &Verdict| -> Vec<u32> {
        let evidence = verdict.evidence.iter().take(4).map(|evidence| evidence.at.span);
        std::iter::once(verdict.at.span).chain(evidence).map(|span| lines.line(span.start)).collect()
    };
    let reached: Vec<Vec<u32>> = said.iter().map(places).collect();
    let differs = |line: u32| {
        let name = function_around(&text, line);
        lint.differs.iter().find(|(function, _)| *function == name)
    };
    let (mut found, mut is_good) = (0, true);
    let mut used: Vec<&str> = Vec::new();
    for &line in &expected {
        let is_found = reached.iter().any(|lines| lines.iter().any(|at| is_of(line, *at)));
        found += usize::from(is_found);
        match (is_found, differs(line)) {
            (true, _) => {}
            (false, Some((function, reason))) => {
                used.push(function);
                println!("  {}:{line} silent in `{function}`: {reason}", lint.path);
            }
            (false, None) => {
                is_good = false;
                println!("  {}:{line} MISSED", lint.path);
            }
        }
    }
    for lines in reached.iter().filter(|lines| !lines.iter().any(|at| expected.iter().any(|line| is_of(*line, *at)))) {
        match differs(lines[0]) {
            Some((function, reason)) => {
                used.push(function);
                println!("  {}:{} found in `{function}`: {reason}", lint.path, lines[0]);
            }
            None => {
                is_good = false;
                println!("  {}:{} NOT EXPECTED", lint.path, lines[0]);
            }
        }
    }
    for (function, _) in lint.differs.iter().filter(|(function, _)| !used.contains(function)) {
        is_good = false;
        println!("  {}: `{function}` no longer differs", lint.path);
    }
    println!("{} {edition}: {found} of {} expected lines found", lint.path, expected.len());
    is_good
}

/// Whether a place is in the expression that begins at a line.
fn is_of(line: u32, at: u32) -> bool {
    (line..line + LONGEST).contains(&at)
}

/// The lines at which a test expects its lint to speak.
fn expected(text: &str, revision: &str) -> Vec<u32> {
    let mut found: Vec<u32> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let Some((_, rest)) = line.split_once("//~") else { continue };
        let rest = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((of, _)) if of != revision => continue,
            Some((_, rest)) => rest,
            None => rest,
        };
        if rest.starts_with('|') {
            continue;
        }
        let up = rest.chars().take_while(|c| *c == '^').count();
        found.push((at + 1 - up) as u32);
    }
    found
}

/// The name of the function that a line stands in: the last that begins before it.
fn function_around(text: &str, line: u32) -> &str {
    let before = text.lines().take(line as usize).collect::<Vec<_>>();
    let name = before.iter().rev().find_map(|line| {
        let rest = line.trim_start();
        let rest = rest.split_once("fn ").filter(|(head, _)| head.chars().all(|c| c.is_alphabetic() || c == ' '))?.1;
        rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
    });
    name.unwrap_or("")
}

/// The types that the test's configuration forbids over an await, as a user of this tool writes them.
fn own_types(path: &Path) -> String {
    let config = std::fs::read_to_string(path.with_file_name("clippy.toml")).unwrap_or_default();
    let mut own = String::new();
    for name in config.split('"').skip(1).step_by(2).filter(|text| text.contains("::")) {
        own += &format!(
            "[rust.locks.\"{name}\"]\nflavour = \"span\"\nkind = \"marked\"\n\
             [rust.guards.\"{name}\"]\nof = \"{name}\"\nmode = \"exclusive\"\n"
        );
    }
    own
}

/// What the rules say of a file.
fn said(text: &str, edition: &str, own: &str, lint: &Lint) -> Vec<Verdict> {
    let manifest = format!("[package]\nname = \"example\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\n");
    let files = [("Cargo.toml".to_owned(), manifest), ("src/lib.rs".to_owned(), text.to_owned())].into_iter().collect();
    let case = support::Case::new("clippy".to_owned(), support::Files::new(), files);
    let change = case.change();
    let catalogue = Catalogue::with(own).unwrap();
    load::workers(Some(1)).unwrap().install(|| {
        let files = Files::new(change.trees.clone());
        let program = Program::new(Side::After, &catalogue, &files);
        let module = program.module_at("src/lib.rs").expect("the test can be read");
        let mut said = tenth::rules::verdicts(&program, &[module]).verdicts;
        said.retain(|verdict| {
            let is_meant = lint.rules.contains(&verdict.rule) && verdict.message.contains(lint.says);
            is_meant && !matches!(verdict.stance, Stance::Upheld)
        });
        said
    })
}
