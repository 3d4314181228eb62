//! Where guards live, by the compiler's own word: `cargo test --test guard_lifetimes -- FOLDER`.
//!
//! The folder holds programs that say at each mark whether a guard is alive there:
//!
//! ~~~text
//! { let _ = lock(None); mark("let _ = lock()"); }        let _ = lock()                 free
//! ~~~
//!
//! Each program is compiled and run for every edition that takes it. At each mark the held locks of the analysis are
//! asked; at least 95 of 100 must agree in each edition, and whatever does not agree must be listed below as known to
//! be wrong. Programs that print no mark show which forms hang on one thread and which finish; what the rules say of
//! each is printed apart and decides nothing.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use tenth::analysis::held::{Event, Held, HeldBy, What};
use tenth::analysis::{FunctionId, ModuleId, Program};
use tenth::catalogue::Catalogue;
use tenth::flow::{FunctionIndex, FunctionKind, ValueIndex, ValueKind};
use tenth::load::{self, Files};
use tenth::text::{LineIndex, Side, Span};

/// The editions, and how the analysis is told of them.
const EDITIONS: [&str; 2] = ["2021", "2024"];

/// How many of a hundred marks must agree.
const ENOUGH: usize = 95;

/// Marks that are known to get a wrong answer, with the reason.
const KNOWN_WRONG: &[(&str, &str)] = &[
    (
        "lock().b += RHS  (overloaded: lhs first)",
        "`+=` is taken for the one of numbers, which evaluates its right side first",
    ),
    ("future suspended, guard inside", "what a future holds that was polled by hand is not followed"),
];

/// The attribute that makes a type of the programs one whose values are followed.
const MARKER: &str = "#[must_not_suspend] ";

fn main() -> ExitCode {
    let Some(folder) = std::env::args().skip(1).find(|argument| !argument.starts_with('-')) else {
        eprintln!("usage: cargo test --test guard_lifetimes -- FOLDER");
        return ExitCode::from(2);
    };
    let mut is_good = true;
    for edition in EDITIONS {
        let mut agree = 0;
        let mut wrong: Vec<String> = Vec::new();
        for path in programs(Path::new(&folder)) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let Some(printed) = run(&path, edition) else {
                println!("{edition} {name}: not of this edition");
                continue;
            };
            let text = std::fs::read_to_string(&path).unwrap();
            let marks = marks(&printed);
            if marks.is_empty() {
                hangs(&name, &text, &printed, edition);
                continue;
            }
            for answer in answers(&text, edition, &marks) {
                match answer.is_right() {
                    true => agree += 1,
                    false => wrong.push(format!("{name}: {answer}")),
                }
            }
        }
        let all = agree + wrong.len();
        println!("{edition}: {agree} of {all} marks agree");
        for line in &wrong {
            let known = KNOWN_WRONG.iter().find(|(mark, _)| line.contains(&format!("\"{mark}\"")));
            is_good &= known.is_some();
            println!("  {line}  {}", known.map_or("NOT KNOWN".to_owned(), |(_, why)| format!("known: {why}")));
        }
        is_good &= agree * 100 >= all * ENOUGH && all > 0;
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn programs(folder: &Path) -> Vec<PathBuf> {
    let mut found = support::walk(folder);
    found.retain(|path| path.extension().is_some_and(|ending| ending == "rs"));
    found
}

/// What a program prints, if the compiler takes it.
fn run(path: &Path, edition: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    let mut compiler = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    compiler.args(["--edition", edition, "-A", "warnings", "-o"]).arg(&program).arg(path);
    let compiled = compiler.output().expect("a compiler is needed");
    if !compiled.status.success() {
        return None;
    }
    let output = Command::new(program).output().unwrap();
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The printed marks in order, each with whether a guard was alive.
fn marks(printed: &str) -> Vec<(String, bool)> {
    let lines = printed.lines().filter_map(|line| {
        let (mark, state) = line.trim_end().rsplit_once(' ')?;
        match state {
            "HELD" => Some((mark.trim_end().to_owned(), true)),
            "free" => Some((mark.trim_end().to_owned(), false)),
            _ => None,
        }
    });
    lines.collect()
}

/// What the compiler and the analysis say of one mark.
struct Answer {
    mark: String,
    line: u32,
    is_held: bool,
    /// `None` where the analysis does not get to.
    said: Option<bool>,
}

impl Answer {
    fn is_right(&self) -> bool {
        self.said == Some(self.is_held)
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let word = |held| if held { "held" } else { "free" };
        let said = self.said.map_or("nothing", word);
        write!(f, "line {} \"{}\" is {}, said: {said}", self.line, self.mark, word(self.is_held))
    }
}

/// Asks the analysis at every mark. A mark that is printed several times from one place, by a loop, is held if it ever
/// is; one text at several places stands for them in order.
fn answers(text: &str, edition: &str, printed: &[(String, bool)]) -> Vec<Answer> {
    let text = with_markers(text);
    let lines = LineIndex::new(&text);
    let mut by_text: BTreeMap<&str, Vec<bool>> = BTreeMap::new();
    for (mark, is_held) in printed {
        by_text.entry(mark).or_default().push(*is_held);
    }
    let mut expected: Vec<(usize, &str, bool)> = Vec::new();
    for (mark, held) in by_text {
        let literal = format!("\"{mark}\"");
        let places: Vec<usize> = text.match_indices(&literal).map(|(at, _)| at).collect();
        assert!(!places.is_empty(), "the mark {literal} is nowhere in the program");
        match places.as_slice() {
            [only] => expected.push((*only, mark, held.contains(&true))),
            several => {
                assert_eq!(several.len(), held.len(), "{literal} is printed more often than it stands there");
                expected.extend(several.iter().zip(held).map(|(at, held)| (*at, mark, held)));
            }
        }
    }
    expected.sort_unstable();
    with_program(&text, edition, |program, module| {
        let answer = |&(at, mark, is_held): &(usize, &str, bool)| Answer {
            mark: mark.to_owned(),
            line: lines.line(at as u32),
            is_held,
            said: is_held_at(program, module, at as u32, &lines),
        };
        expected.iter().map(answer).collect()
    })
}

/// Types with a destructor of their own are the guards: they are marked, so that the analysis knows them.
fn with_markers(text: &str) -> String {
    let mut marked = text.to_owned();
    for rest in text.split("impl Drop for ").skip(1) {
        let name = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap();
        let start = [format!("struct {name}("), format!("struct {name}{{"), format!("struct {name} ")];
        if let Some(at) = start.iter().find_map(|start| marked.find(start.as_str())) {
            marked.insert_str(at, MARKER);
        }
    }
    marked
}

fn with_program<T: Send>(text: &str, edition: &str, ask: impl FnOnce(&Program, ModuleId) -> T + Send) -> T {
    let manifest = format!("[package]\nname = \"example\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\n");
    let files = [("Cargo.toml".to_owned(), manifest), ("src/lib.rs".to_owned(), text.to_owned())].into_iter().collect();
    let case = support::Case::new("program".to_owned(), support::Files::new(), files);
    let change = case.change();
    load::workers(Some(1)).unwrap().install(|| {
        let files = Files::new(change.trees.clone());
        let program = Program::new(Side::After, Catalogue::builtin(), &files);
        let module = program.module_at("src/lib.rs").expect("the program can be read");
        ask(&program, module)
    })
}

/// Whether a guard is held where the call runs whose argument stands at a byte, here or in the functions around it.
fn is_held_at(program: &Program, module: ModuleId, at: u32, lines: &LineIndex) -> Option<bool> {
    let file = program.module(module);
    let mut id = FunctionId { module, index: file.function_at(at) };
    let event = marked_event(program, id, at)?;
    // What is never let go is held for ever; the programs set their count back by hand at the end of its line.
    let counts = |held: &Held| held.by != HeldBy::Manual || lines.line(held.taken.start) == lines.line(at);
    let mut is_held = event.held.iter().any(counts);
    // A closure runs with what is held where it is handed over.
    while let Some(parent) = file.function(id.index).parent.filter(|_| is_anonymous(file.function(id.index).kind)) {
        let inner = id.index;
        id = FunctionId { module, index: parent };
        is_held |= handed_over(program, id, inner).is_some_and(|event| event.held.iter().any(counts));
    }
    Some(is_held)
}

fn is_anonymous(kind: FunctionKind) -> bool {
    matches!(kind, FunctionKind::Closure | FunctionKind::AsyncBlock)
}

/// The innermost call around a byte; of an asynchronous callee the await of what it gives, as it prints there.
fn marked_event(program: &Program, id: FunctionId, at: u32) -> Option<Event> {
    let function = program.function(id);
    let facts = program.facts(id);
    let call = facts
        .events
        .iter()
        .filter(|event| matches!(event.what, What::Call(_)) && event.span.has(at))
        .min_by_key(|event| event.span.end - event.span.start)?;
    let What::Call(value) = call.what else { return None };
    let is_async = program.resolution(id, value).functions().iter().any(|callee| program.function(*callee).is_async());
    if !is_async {
        return Some(call.clone());
    }
    let after = |event: &&Event| {
        matches!(event.what, What::Suspend(..)) && event.span.start >= function.value(value).span.start
    };
    facts.events.iter().filter(after).min_by_key(|event| event.span.start).cloned()
}

/// The call that is handed a closure as it stands.
fn handed_over(program: &Program, id: FunctionId, inner: FunctionIndex) -> Option<Event> {
    let function = program.function(id);
    let is_it = |value: ValueIndex| matches!(function.value(value).kind, ValueKind::Function(index) if index == inner);
    program.facts(id).events.iter().find_map(|event| {
        let What::Call(value) = event.what else { return None };
        let call = function.call(value)?;
        call.arguments.iter().any(|argument| is_it(argument.value)).then(|| event.clone())
    })
}

/// Programs that show which forms hang: what the rules say of each form.
fn hangs(name: &str, text: &str, printed: &str, edition: &str) {
    let said: Vec<Span> = with_program(text, edition, |program, module| {
        let said = tenth::rules::verdicts(program, &[module]).verdicts;
        said.iter().filter(|verdict| verdict.rule == "lock-reentry").map(|verdict| verdict.at.span).collect()
    });
    let (mut agree, mut all) = (0, 0);
    for line in printed.lines() {
        let Some((form, outcome)) = line.trim_end().rsplit_once(' ') else { continue };
        let Some(at) = text.find(&format!("\"{}\"", form.trim_end())) else { continue };
        let end = at + text[at..].find('\n').unwrap_or(text.len() - at);
        let is_said = said.iter().any(|span| (at as u32) < span.start && span.end as usize <= end);
        all += 1;
        if is_said == (outcome != "finishes") {
            agree += 1;
        } else {
            println!("  {name}: \"{}\" {outcome}, said: {is_said}", form.trim_end());
        }
    }
    println!("{edition} {name}: {agree} of {all} forms agree; apart");
}
