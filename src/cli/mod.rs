//! The command line, as clap reads it, turned into an [`Invocation`]. No decision about the review is made here.

mod hook;
mod settings;

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use tenth::change::{ChangeSource, Ground, PatchInput};
use tenth::error::{Error, Result, nearest_of};
use tenth::request::{Format, Gate, Output, Request, Scope, SettingsFrom, Subject};
use tenth::verdict::{Confidence, Level};

pub(crate) use self::hook::HookTask;
pub(crate) use self::settings::{BaselineTask, ConfigTask};

/// Reviews the concurrency of a change: which of its hunks need a human's eyes, and why.
///
/// Without a range: what is staged, or if nothing is, the work tree against HEAD.
#[derive(Debug, Parser)]
#[command(name = "tenth", version, max_term_width = 100, after_help = AFTER_HELP, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// `A..B`, `A...B` (from their merge base), or one revision: from there to the work tree
    range: Option<String>,
    #[command(flatten)]
    sides: Sides,
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

const AFTER_HELP: &str = "Exit status: 0 nothing gates, 1 a finding gates, 2 tenth could not do its work.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Review a range; needed where a branch is called like a command
    Review {
        /// `A..B`, `A...B` or one revision
        range: Option<String>,
    },
    /// Review files or folders as they stand
    Check {
        /// Files and folders
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Print the concurrency contract of files that are about to be changed
    Brief {
        /// Files and folders
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Show what is known at one line: steps, locks held, contexts, what calls resolve to
    Inspect {
        /// FILE:LINE
        place: String,
        /// The change to look at; the current work tree where none is named
        range: Option<String>,
    },
    /// List the checkpoints of a range, or those that are found from HEAD, in tags and in references
    Checkpoints {
        /// `A..B`, `A...B`, or one revision; every commit on the way is a step then
        range: Option<String>,
        /// Review each step, and everything up to it
        #[arg(long)]
        review: bool,
    },
    /// Run as a hook of git, or install one
    Hook {
        #[command(subcommand)]
        command: hook::Command,
    },
    /// Show, describe or begin the settings of a project
    Config {
        #[command(subcommand)]
        task: ConfigTask,
    },
    /// Write or show the findings that a project lives with
    Baseline {
        #[command(subcommand)]
        task: BaselineTask,
    },
    /// Review the example change in this binary
    Demo,
    /// List the rules
    Rules,
    /// Explain a rule
    Explain {
        /// Its name
        rule: String,
    },
}

#[derive(Debug, Args)]
struct Sides {
    /// Review HEAD against the index
    #[arg(long, global = true)]
    staged: bool,
    /// Review HEAD against the work tree, untracked files included
    #[arg(long, global = true)]
    worktree: bool,
    /// Review from the newest checkpoint to the work tree, untracked files included
    #[arg(long, global = true)]
    since_checkpoint: bool,
    /// Review the pull or merge request that this run of CI is about, by what GitHub or GitLab says
    #[arg(long, global = true)]
    pr: bool,
    /// Review a patch; `-` reads it from standard input
    #[arg(long, global = true, value_name = "FILE")]
    patch: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Flags {
    /// Run as if started in DIR
    #[arg(short = 'C', global = true, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// The repository's own folder, where it is not found from the work tree
    #[arg(long, global = true, value_name = "DIR")]
    git_dir: Option<PathBuf>,
    /// The work tree of the repository that `--git-dir` names
    #[arg(long, global = true, value_name = "DIR", requires = "git_dir")]
    work_tree: Option<PathBuf>,
    /// Take commits for checkpoints whose subject fits; `*` stands for anything; may be repeated
    #[arg(long, global = true, value_name = "PATTERN")]
    checkpoint: Vec<String>,
    /// Review only files that a commit touches which bears a coding agent's mark
    #[arg(long, global = true)]
    agent_commits: bool,
    /// Form of the report on standard output
    #[arg(long, global = true, value_name = "KIND")]
    format: Option<Format>,
    /// Write a report of this kind, to standard output or to a file; may be repeated
    #[arg(long, global = true, value_name = "KIND[:PATH]", value_parser = output)]
    output: Vec<Output>,
    /// Take the settings from FILE
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "isolated")]
    config: Option<PathBuf>,
    /// Take no settings and no baseline: every setting has its default
    #[arg(long, global = true)]
    isolated: bool,
    /// Level from which an introduced finding makes the exit status 1; `error` where the settings say nothing
    #[arg(long, global = true, value_name = "LEVEL")]
    fail_on: Option<Gate>,
    /// Findings to list and to gate on: by where they stand (`line`, `hunk`, `function`, `file`), those that the change
    /// introduces or reaches, or all; `reach` where the settings say nothing
    #[arg(long, global = true)]
    scope: Option<Scope>,
    /// Least level of a finding that counts
    #[arg(long, global = true, value_name = "LEVEL", default_value = "note")]
    min_severity: LevelName,
    /// Least confidence of a finding that counts
    #[arg(long, global = true, value_name = "CONFIDENCE", default_value = "medium")]
    min_confidence: ConfidenceName,
    /// Apply only these rules, or families of rules; may be repeated
    #[arg(long, global = true, value_name = "RULE", value_delimiter = ',')]
    select: Vec<String>,
    /// Do not apply these rules, or families of rules; may be repeated
    #[arg(long, global = true, value_name = "RULE", value_delimiter = ',')]
    ignore: Vec<String>,
    /// List at most N findings, those that gate first
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_findings: Option<u32>,
    /// Exit with 0 whatever is found
    #[arg(long, global = true)]
    exit_zero: bool,
    /// Fail as well where work is unfinished, a file could not be analysed, or a suppression is at fault
    #[arg(long, global = true, conflicts_with = "exit_zero")]
    strict: bool,
    /// List the assumptions that hold as well
    #[arg(long, global = true)]
    upheld: bool,
    /// List what scope, baseline and suppressions hide
    #[arg(long, global = true)]
    show_hidden: bool,
    /// When to colour; `auto` heeds NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR, CLICOLOR, TERM and whether a terminal reads it
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
    /// Say on standard error how long each part took
    #[arg(long, global = true)]
    timings: bool,
    /// Threads to use; the report does not depend on it
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LevelName {
    Error,
    Warning,
    Note,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ConfidenceName {
    High,
    Medium,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

fn output(text: &str) -> std::result::Result<Output, String> {
    let (kind, path) = text.split_once(':').unwrap_or((text, "-"));
    let format = Format::from_str(kind, false).map_err(|_| {
        let kinds = Format::value_variants().iter().map(|kind| kind.name());
        format!("`{kind}` is not a kind of report: {}", kinds.collect::<Vec<_>>().join(", "))
    })?;
    if path.is_empty() {
        return Err("the path after the colon is empty".to_owned());
    }
    Ok(Output { format, to: (path != "-").then(|| PathBuf::from(path)) })
}

/// What the user asked for.
#[derive(Debug)]
pub(crate) enum Task {
    /// A review.
    Review(Request),
    /// The concurrency contract of files.
    Brief(Request),
    /// What is known at a line.
    Inspect { request: Request, path: String, line: u32 },
    /// The checkpoints.
    Checkpoints { request: Request, range: Option<String>, patterns: Vec<String>, is_reviewed: bool },
    /// Something about hooks.
    Hook { request: Request, task: HookTask },
    /// The settings.
    Config { request: Request, task: ConfigTask },
    /// The findings to live with.
    Baseline { request: Request, task: BaselineTask },
    /// The list of rules.
    Rules,
    /// One rule's document.
    Explain(String),
}

/// A command line that makes sense.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) task: Task,
    /// The reports to write; at most one of them to standard output.
    pub(crate) outputs: Vec<Output>,
    pub(crate) color: Color,
    pub(crate) timings: bool,
    /// What else the exit status depends on.
    pub(crate) strictness: Strictness,
}

/// How the outcome becomes an exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// It is 0 whatever is found.
    Lenient,
    /// It is 1 if a finding gates.
    Usual,
    /// Gaps and unfinished work fail as well.
    Strict,
}

impl Cli {
    /// Checks what clap cannot, and says what is meant.
    pub(crate) fn invocation(self) -> Result<Invocation> {
        let Self { range, sides, mut flags, command } = self;
        let request = request(&mut flags);
        let outputs = outputs(flags.format, flags.output, &request.ground)?;
        if let (Some(name), true) = (command.as_ref().and_then(without_report), asks_for_a_report(&outputs)) {
            return Err(usage(
                format!("`tenth {name}` prints text and makes no report"),
                "leave `--format` and `--output` out".to_owned(),
            ));
        }
        let of = |source: ChangeSource| Request { subject: Subject::Change(source), ..request.clone() };

        if let (Some(range), Some(_)) = (&range, &command) {
            return Err(usage(
                format!("`{range}` stands before a command"),
                format!("to review the range: `tenth review {range}`"),
            ));
        }
        let takes_a_change = matches!(command, None | Some(Command::Review { .. } | Command::Inspect { .. }));
        let sides_are_named =
            sides.staged || sides.worktree || sides.since_checkpoint || sides.pr || sides.patch.is_some();
        if !takes_a_change && sides_are_named {
            return Err(usage(
                "`--staged`, `--worktree`, `--since-checkpoint`, `--pr` and `--patch` name a change, and this command \
                 takes none"
                    .to_owned(),
                "leave them out".to_owned(),
            ));
        }
        let task = match command {
            None => Task::Review(of(source(range, sides, &flags.checkpoint, ChangeSource::Automatic)?)),
            Some(Command::Review { range }) => {
                Task::Review(of(source(range, sides, &flags.checkpoint, ChangeSource::Automatic)?))
            }
            Some(Command::Check { paths }) => Task::Review(of(ChangeSource::Files(paths))),
            Some(Command::Brief { paths }) => Task::Brief(of(ChangeSource::Files(paths))),
            Some(Command::Inspect { place, range }) => {
                let (path, line) = file_and_line(&place)?;
                let request = of(source(range, sides, &flags.checkpoint, ChangeSource::Worktree)?);
                Task::Inspect { request, path, line }
            }
            Some(Command::Checkpoints { range, review }) => {
                Task::Checkpoints { request, range, patterns: flags.checkpoint, is_reviewed: review }
            }
            Some(Command::Hook { command }) => Task::Hook { request, task: command.task() },
            Some(Command::Config { task }) => Task::Config { request, task },
            Some(Command::Baseline { task }) => Task::Baseline { request, task },
            Some(Command::Demo) => Task::Review(request),
            Some(Command::Rules) => Task::Rules,
            Some(Command::Explain { rule }) => Task::Explain(rule),
        };
        let strictness = match (flags.exit_zero, flags.strict) {
            (true, _) => Strictness::Lenient,
            (false, true) => Strictness::Strict,
            (false, false) => Strictness::Usual,
        };
        Ok(Invocation { task, outputs, color: flags.color, timings: flags.timings, strictness })
    }
}

/// What flags ask for, of the example until a change is named.
fn request(flags: &mut Flags) -> Request {
    Request {
        subject: Subject::Demo,
        ground: Ground {
            folder: flags.folder.take(),
            git_dir: flags.git_dir.take(),
            work_tree: flags.work_tree.take(),
        },
        agent_commits: flags.agent_commits,
        settings: match (flags.config.take(), flags.isolated) {
            (Some(file), _) => SettingsFrom::File(file),
            (None, true) => SettingsFrom::Isolated,
            (None, false) => SettingsFrom::Found,
        },
        fail_on: flags.fail_on,
        scope: flags.scope,
        min_severity: match flags.min_severity {
            LevelName::Error => Level::Error,
            LevelName::Warning => Level::Warning,
            LevelName::Note => Level::Note,
        },
        min_confidence: match flags.min_confidence {
            ConfidenceName::High => Confidence::High,
            ConfidenceName::Medium => Confidence::Medium,
        },
        select: std::mem::take(&mut flags.select),
        ignore: std::mem::take(&mut flags.ignore),
        max_findings: flags.max_findings,
        upheld: flags.upheld,
        show_hidden: flags.show_hidden,
        threads: flags.threads.map(usize::from),
    }
}

fn source(range: Option<String>, sides: Sides, patterns: &[String], otherwise: ChangeSource) -> Result<ChangeSource> {
    let patch = sides.patch.map(|file| {
        ChangeSource::Patch(if file.as_os_str() == "-" { PatchInput::Stdin } else { PatchInput::File(file) })
    });
    let named = [
        range.map(ChangeSource::Range),
        sides.staged.then_some(ChangeSource::Staged),
        sides.worktree.then_some(ChangeSource::Worktree),
        sides.since_checkpoint.then(|| ChangeSource::SinceCheckpoint(patterns.to_vec())),
        sides.pr.then_some(ChangeSource::PullRequest),
        patch,
    ];
    let mut named = named.into_iter().flatten();
    let source = named.next().unwrap_or(otherwise);
    if named.next().is_some() {
        return Err(usage(
            "more than one change is named".to_owned(),
            "name one: a range, `--staged`, `--worktree`, `--since-checkpoint`, `--pr` or `--patch FILE`".to_owned(),
        ));
    }
    Ok(source)
}

/// The name of a command that has no report.
fn without_report(command: &Command) -> Option<&'static str> {
    match command {
        Command::Inspect { .. } => Some("inspect"),
        Command::Config { .. } => Some("config"),
        Command::Baseline { .. } => Some("baseline"),
        Command::Rules => Some("rules"),
        Command::Explain { .. } => Some("explain"),
        Command::Hook { command } => command.name_without_report(),
        Command::Review { .. }
        | Command::Check { .. }
        | Command::Brief { .. }
        | Command::Checkpoints { .. }
        | Command::Demo => None,
    }
}

/// Whether anything but text for people on standard output is wanted.
fn asks_for_a_report(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| output.to.is_some() || output.format != Format::Terminal)
}

fn outputs(format: Option<Format>, mut outputs: Vec<Output>, ground: &Ground) -> Result<Vec<Output>> {
    outputs.extend(format.map(|format| Output { format, to: None }));
    if outputs.is_empty() {
        outputs.push(Output { format: Format::Terminal, to: None });
    }
    if outputs.iter().filter(|output| output.to.is_none()).count() > 1 {
        return Err(usage(
            "more than one report is to go to standard output".to_owned(),
            "give all but one a path: `--output json:report.json`".to_owned(),
        ));
    }
    for output in &mut outputs {
        output.to = output.to.as_ref().map(|path| ground.told(path));
    }
    let paths = || outputs.iter().filter_map(|output| output.to.as_ref());
    if let Some(path) = paths().find(|path| paths().filter(|other| other == path).count() > 1) {
        return Err(usage(
            format!("more than one report is to go to `{}`", path.display()),
            "give each a path of its own".to_owned(),
        ));
    }
    Ok(outputs)
}

fn file_and_line(place: &str) -> Result<(String, u32)> {
    let split = place.rsplit_once(':').and_then(|(path, line)| Some((path, line.parse().ok()?)));
    match split {
        Some((path, line)) if !path.is_empty() && line > 0 => Ok((path.to_owned(), line)),
        Some(_) | None => Err(usage(
            format!("`{place}` is not a place"),
            "write the file, a colon and the line: `tenth inspect src/app.py:42`".to_owned(),
        )),
    }
}

/// Adds to what is said of a revision that is none the command that is called nearly so.
pub(crate) fn or_a_command(error: Error) -> Error {
    match error {
        Error::NoRevision { revision, because, help } => {
            let commands = Cli::command();
            let names = commands.get_subcommands().map(clap::Command::get_name);
            let help = match nearest_of(&revision, names).filter(|_| because.is_empty()) {
                Some(name) => format!("if a command is meant: `tenth {name}`; else {help}"),
                None => help,
            };
            Error::NoRevision { revision, because, help }
        }
        other => other,
    }
}

fn usage(what: String, help: String) -> Error {
    Error::Usage { what, help }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
