//! How `tenth` does on the fixtures of other checkers of asyncio code, read from checkouts of theirs:
//!
//! ~~~text
//! cargo test --test conformance_python -- --flake8-async DIR --ruff DIR
//! ~~~
//!
//! Nothing of theirs is kept here: `conformance/table.rs` says which of their codes is which rule, which of their files
//! speak of it, and for each line on which the two differ, why. Per file it prints what is expected and found and every
//! deviation with its reason. Exit status: 0 all floors are held, 1 one is not, 2 the checkouts cannot be read.
//!
//! Floors: 95 % of the lines that flake8-async marks, 90 % of those in ruff's snapshots, a reason for every deviation,
//! silence in the files that flake8-async keeps silent for asyncio, and in every file once `async` and `await` are gone.

#[path = "conformance/flake8_async.rs"]
mod flake8_async;
#[path = "conformance/judge.rs"]
mod judge;
#[path = "conformance/ruff.rs"]
mod ruff;
#[path = "conformance/table.rs"]
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

/// What became of one suite.
struct Suite {
    name: &'static str,
    expected: usize,
    found: usize,
    /// Of the expected lines, how many must be found, in percent.
    floor: usize,
    /// What must not be, apart from the floor.
    faults: Vec<String>,
}

impl Suite {
    fn is_good(&self) -> bool {
        self.found * 100 >= self.expected * self.floor && self.faults.is_empty()
    }
}

fn main() -> ExitCode {
    let mut folders: [Option<PathBuf>; 2] = [None, None];
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        let at = match argument.to_str() {
            Some("--flake8-async") => 0,
            Some("--ruff") => 1,
            _ => return usage(&format!("`{}` is no argument", argument.display())),
        };
        let Some(folder) = arguments.next() else { return usage("a folder is missing") };
        folders[at] = Some(folder.into());
    }
    let [flake8_async, ruff] = folders;
    if flake8_async.is_none() && ruff.is_none() {
        return usage("there is no checkout to read");
    }
    let suites: Result<Vec<Suite>, String> = [
        flake8_async.map(|folder| flake8_async::run(&folder.join("tests/eval_files"))),
        ruff.map(|folder| ruff::run(&folder.join("crates/ruff_linter"))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let suites = match suites {
        Ok(suites) => suites,
        Err(what) => return usage(&what),
    };
    println!();
    for suite in &suites {
        let share = suite.found as f64 * 100.0 / suite.expected.max(1) as f64;
        println!(
            "{}: {} of {} lines found, {share:.1} % (floor {} %), {} faults",
            suite.name,
            suite.found,
            suite.expected,
            suite.floor,
            suite.faults.len()
        );
        for fault in &suite.faults {
            println!("  {fault}");
        }
    }
    if suites.iter().all(Suite::is_good) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage(what: &str) -> ExitCode {
    eprintln!("{what}\nusage: cargo test --test conformance_python -- [--flake8-async DIR] [--ruff DIR]");
    ExitCode::from(2)
}
