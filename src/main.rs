//! The command line of `tenth`: parse the arguments, call the library, print the report, map the outcome to 0, 1 or 2.
//!
//! The report goes to standard output, everything else to standard error. A reader that stops reading is no error.

mod cli;
mod settings;

use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use tenth::change::{self, Hook, Hooked, HookedChange};
use tenth::error::{Error, Result};
use tenth::report::{self, Style};
use tenth::request::{Output, Paint, Request, Subject};
use tenth::review::Review;
use tenth::{install, rules};
use terminal_size::{Width, terminal_size_of};

use crate::cli::{Cli, Color, HookTask, Invocation, Strictness, Task};

/// A review makes and drops millions of small values, and the parsers as many: with this allocator it takes an eighth less
/// CPU in the same memory.
#[cfg(any(all(target_os = "linux", target_arch = "x86_64"), target_os = "macos"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The kinds of notices that standard error has as well: without them the report would be taken for another's.
const SAID_AT_ONCE: [&str; 2] = ["choice", "no-source-files"];

fn main() -> ExitCode {
    // A panic that no file's row of coverage caught is the tool's own failure: its status must not read as a finding's.
    match std::panic::catch_unwind(|| Cli::parse().invocation().and_then(run)) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            complain(&cli::or_a_command(error));
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
        Task::Review(request) => review(request, &invocation, &invocation.outputs),
        Task::Brief(request) => {
            let found = tenth::brief::brief(request)?;
            print_all(&invocation.outputs, |format| report::brief(format, &found))
        }
        Task::Inspect { request, path, line } => print_text(&tenth::inspect::inspect(request, path, *line)?),
        Task::Checkpoints { request, range, patterns, is_reviewed } => {
            let found = tenth::chain::checkpoints(range.as_deref(), patterns, *is_reviewed, request)?;
            print_all(&invocation.outputs, |format| report::checkpoints(format, &found))
        }
        Task::Hook { request, task } => hook(request, task, &invocation),
        Task::Config { request, task } => settings::config(request, *task),
        Task::Baseline { request, task } => settings::baseline(request, *task),
        Task::Rules => print_text(&rule_list()),
        Task::Explain(name) => explain(name),
    }
}

/// Writes what is no review in every form that is asked for, as far as it has that form.
fn print_all(outputs: &[Output], form: impl Fn(report::Format) -> Option<String>) -> Result<ExitCode> {
    for output in outputs {
        let text = form(output.format).ok_or_else(|| Error::Usage {
            what: "this command has no report of that kind".to_owned(),
            help: "ask for `terminal` or `json`".to_owned(),
        })?;
        print(&text, output)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs as a hook, or does what is asked about hooks.
fn hook(request: &Request, task: &HookTask, invocation: &Invocation) -> Result<ExitCode> {
    let lines = match task {
        HookTask::Run { hook, remote } => return hook_run(request, *hook, remote.as_deref(), invocation),
        HookTask::Install(hooks) => install::install(hooks, &request.ground)?,
        HookTask::Uninstall(hooks) => install::uninstall(hooks, &request.ground)?,
        HookTask::Status => install::status(&request.ground)?,
    };
    print_text(&lines.iter().map(|line| format!("{line}\n")).collect::<String>())
}

/// Reviews what a hook is about; a push may bring several changes, and each has its report.
fn hook_run(request: &Request, hook: Hook, remote: Option<&str>, invocation: &Invocation) -> Result<ExitCode> {
    let changes = match change::hooked(hook, remote, &request.ground)? {
        Hooked::Nothing(why) => {
            tell(&format!("tenth: {why}"));
            return Ok(ExitCode::SUCCESS);
        }
        Hooked::Changes(changes) => changes,
    };
    let on_stdout = invocation.outputs.iter().find(|output| output.to.is_none() && output.format.is_document());
    if let (Some(output), 2..) = (on_stdout, changes.len()) {
        let name = output.format.name();
        return Err(Error::Usage {
            what: format!("the push brings {} changes, and `{name}` holds the report of one", changes.len()),
            help: format!("name a file, beside which each further report has its own: `--output {name}:PATH`"),
        });
    }
    let mut worst = ExitCode::SUCCESS;
    for (number, HookedChange { source, about }) in (1..).zip(changes) {
        if let Some(about) = about {
            tell(&format!("tenth: {about}"));
        }
        let request = Request { subject: Subject::Change(source), ..request.clone() };
        let outputs: Vec<Output> = invocation.outputs.iter().map(|output| numbered(output, number)).collect();
        // What gates says more than what could not be read.
        let status = review(&request, invocation, &outputs)?;
        if worst == ExitCode::SUCCESS || status == ExitCode::from(1) {
            worst = status;
        }
    }
    Ok(worst)
}

/// Where the report of the nth change goes: beside the first one's, `report-2.json`, or behind it.
fn numbered(output: &Output, number: u32) -> Output {
    let to = output.to.as_ref().map(|path| {
        let (Some(stem), 2.., false) = (path.file_stem(), number, is_shared(path)) else { return path.clone() };
        let ending = path.extension().map_or_else(String::new, |ending| format!(".{}", ending.to_string_lossy()));
        path.with_file_name(format!("{}-{number}{ending}", stem.to_string_lossy()))
    });
    Output { to, ..output.clone() }
}

/// The rules by family: name, usual level, maturity, summary.
fn rule_list() -> String {
    let rules = rules::all();
    let width = rules.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    let row = |rule: &rules::RuleInfo| {
        let level = format!("{:?}", rule.severity).to_lowercase();
        let status = format!("{:?}", rule.status).to_lowercase();
        format!("{:<10} {:<width$}  {level:<7} {status:<7}  {}\n", rule.family.name(), rule.name, rule.summary)
    };
    rules.iter().map(row).collect()
}

fn explain(name: &str) -> Result<ExitCode> {
    let Some(rule) = rules::info(name) else {
        return Err(Error::Usage {
            what: format!("there is no rule `{name}`"),
            help: match rules::nearest(name) {
                Some(nearest) => format!("did you mean `{nearest}`? `tenth rules` lists them"),
                None => "`tenth rules` lists them".to_owned(),
            },
        });
    };
    print_text(rule.document)
}

fn print_text(text: &str) -> Result<ExitCode> {
    print(text, &Output { format: tenth::request::Format::Terminal, to: None })?;
    Ok(ExitCode::SUCCESS)
}

/// Reviews and reports; the exit status says whether something gates.
fn review(request: &Request, invocation: &Invocation, outputs: &[Output]) -> Result<ExitCode> {
    let outcome = tenth::review(request)?;
    for notice in outcome.review.notices.iter().filter(|notice| SAID_AT_ONCE.contains(&&*notice.kind)) {
        tell(&format!("tenth: {}", notice.text));
    }
    for output in outputs {
        let style = Style { paint: paint(invocation.color, output), width: width(output) };
        print(&report::render(output.format, &outcome.review, &outcome.sources, style), output)?;
    }
    if invocation.timings {
        for (what, took) in &outcome.timings {
            tell(&format!("{:>9.1} ms  {what}", took.as_secs_f64() * 1000.0));
        }
        let searched = outcome.searched;
        tell(&format!(
            "callers of {} functions: {} files searched, {} analysed, {} callers",
            searched.changed, searched.files, searched.candidates, searched.callers
        ));
    }
    let status = status(&outcome.review, invocation.strictness);
    // The process ends: what was read need not be freed piece by piece before.
    std::mem::forget(outcome);
    Ok(status)
}

/// The exit status that a review leads to. What only strictness objects to is said on standard error.
fn status(review: &Review, strictness: Strictness) -> ExitCode {
    if strictness == Strictness::Lenient {
        return ExitCode::SUCCESS;
    }
    let gaps = if strictness == Strictness::Strict { review.gaps() } else { Vec::new() };
    for gap in &gaps {
        tell(&format!("tenth: strict: {}", gap.text));
    }
    if review.gates() || gaps.iter().any(|gap| !gap.is_unread) {
        ExitCode::from(1)
    } else if gaps.is_empty() {
        ExitCode::SUCCESS
    } else {
        // As much as could be read passes; the tool has not done all of its work.
        ExitCode::from(2)
    }
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
    let is_shared = is_shared(path);
    let mut options = std::fs::OpenOptions::new();
    options.create(true).write(true).append(is_shared).truncate(!is_shared);
    options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Error::Unwritable { path: path.display().to_string(), reason: error.to_string() })
}

/// Whether a file belongs to others as well: the summary of a step on GitHub is that of all its commands.
fn is_shared(path: &Path) -> bool {
    std::env::var_os("GITHUB_STEP_SUMMARY").is_some_and(|summary| summary == *path.as_os_str())
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

/// How many columns a report has: those of the terminal that reads it, the same number everywhere else.
fn width(output: &Output) -> usize {
    let terminal = if output.to.is_none() { terminal_size_of(std::io::stdout()) } else { None };
    columns(terminal.map(|(Width(columns), _)| columns))
}

/// A terminal that does not know how wide it is says 0.
fn columns(of_the_terminal: Option<u16>) -> usize {
    of_the_terminal.filter(|columns| *columns > 0).map_or(Style::default().width, usize::from)
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn a_report_is_as_wide_as_the_terminal_that_reads_it() {
        assert_eq!((columns(Some(72)), columns(Some(200))), (72, 200));
        assert_eq!((columns(None), columns(Some(0))), (100, 100));
    }
}
