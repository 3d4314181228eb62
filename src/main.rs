//! The command line of `tenth`: parse the arguments, call the library, print the report, map the outcome to 0, 1 or 2.
//!
//! The report goes to standard output, everything else to standard error. A reader that stops reading is no error.

mod cli;

use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use tenth::change::{self, ChangeSet};
use tenth::error::{Error, Result};
use tenth::request::{Output, Paint, Request, Subject};

use crate::cli::{Cli, Color, Invocation, Task};

fn main() -> ExitCode {
    // A panic that no file's row of coverage caught is the tool's own failure: its status must not read as a finding's.
    match std::panic::catch_unwind(|| Cli::parse().invocation().and_then(run)) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            complain(&error);
            ExitCode::from(2)
        }
        Err(_) => {
            tell("tenth: error: internal error, described above; please report it");
            ExitCode::from(2)
        }
    }
}

fn complain(error: &Error) {
    let help = error.help();
    let help = if help.is_empty() { String::new() } else { format!("\nhelp: {help}") };
    tell(&format!("tenth: error: {error}{help}"));
}

/// Says something on standard error; nobody listening is no reason to fail.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn run(invocation: Invocation) -> Result<ExitCode> {
    match &invocation.task {
        Task::Review(request) => review(request, &invocation),
        Task::Inspect { .. } => not_yet("tenth inspect"),
        Task::Rules => not_yet("tenth rules"),
        Task::Explain(_) => not_yet("tenth explain"),
    }
}

fn not_yet(what: &str) -> Result<ExitCode> {
    Err(Error::Usage { what: format!("`{what}` is not there yet"), help: String::new() })
}

/// Reads the change and shows it; the review itself takes this place as soon as the library has it.
fn review(request: &Request, invocation: &Invocation) -> Result<ExitCode> {
    let Subject::Change(source) = &request.subject else { return not_yet("tenth demo") };
    let change = change::open(source, request.folder.as_deref())?;
    for notice in change.notices.iter().filter(|notice| notice.kind == "choice") {
        tell(&format!("tenth: {}", notice.text));
    }
    for output in &invocation.outputs {
        let _paint = paint(invocation.color, output);
        print(&outline(&change), output)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The parts of the report's contract that the change alone decides.
fn outline(change: &ChangeSet) -> String {
    let (added, removed) = change.line_counts();
    let hunks = change.files.iter().flat_map(|file| {
        change::cut(&file.hunks, &[], &[])
            .into_iter()
            .map(|hunk| serde_json::json!({ "path": &**file.path(), "before": hunk.before, "after": hunk.after }))
    });
    let report = serde_json::json!({
        "schema": "tenth/report/1",
        "change": {
            "kind": change.description.kind,
            "before": change.description.before,
            "after": change.description.after,
            "how": change.description.how,
            "files": change.files.len(),
            "added_lines": added,
            "removed_lines": removed,
        },
        "hunks": hunks.collect::<Vec<_>>(),
        "commits": change.commits.iter().map(|commit| serde_json::json!({ "id": commit.id })).collect::<Vec<_>>(),
        "notices": change.notices.iter().map(|n| serde_json::json!({ "kind": n.kind, "text": n.text })).collect::<Vec<_>>(),
        "coverage": change.coverage.iter()
            .map(|row| serde_json::json!({ "path": row.path, "state": "not-analysed", "why": row.why }))
            .collect::<Vec<_>>(),
    });
    format!("{report:#}\n")
}

/// Writes a report to where it belongs.
fn print(text: &str, output: &Output) -> Result<()> {
    let Some(path) = &output.to else {
        let mut stdout = std::io::stdout().lock();
        return match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Error::Unwritable { path: "standard output".to_owned(), reason: error.to_string() })
            }
            Ok(()) | Err(_) => Ok(()),
        };
    };
    std::fs::write(path, text)
        .map_err(|error| Error::Unwritable { path: path.display().to_string(), reason: error.to_string() })
}

/// Whether a report is coloured: the flag first, then the environment, then whether a terminal reads it.
fn paint(color: Color, output: &Output) -> Paint {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let is = |name: &str, value: &str| set(name).is_some_and(|found| found == value);
    let coloured = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if set("NO_COLOR").is_some() => false,
        Color::Auto if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
        Color::Auto if set("FORCE_COLOR").is_some() => true,
        Color::Auto if is("CLICOLOR", "0") || is("TERM", "dumb") => false,
        Color::Auto => output.to.is_none() && std::io::stdout().is_terminal(),
    };
    if coloured && (output.to.is_none() || color == Color::Always) { Paint::Coloured } else { Paint::Plain }
}
