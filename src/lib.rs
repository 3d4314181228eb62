//! `tenth` reviews the concurrency of a change: it reads both sides of a diff, works out what the concurrent code on
//! each side does, subtracts, and tells a human which hunks need eyes.
//!
//! ~~~text
//! change source -> ChangeSet (files, both sides, hunks)
//!    -> load: parse and lower every changed file, others on demand        flow::Module
//!    -> Program, one per side: names, types, calls, held locks, summaries
//!    -> rules                                                             Verdicts
//!    -> rules that see both sides of a function                           Verdicts
//!    -> callers in untouched files of what is not what it was             Verdicts
//!    -> review: match the two sides, find the causes, rank the hunks      Review
//!    -> report
//! ~~~
//!
//! Nothing here runs, builds or imports the code it reads, and nothing needs the network.

pub mod analysis;
pub mod brief;
mod callers;
pub mod catalogue;
pub mod chain;
pub mod change;
pub mod config;
pub mod demo;
pub mod directive;
pub mod error;
pub mod flow;
mod gather;
pub mod inspect;
pub mod install;
pub mod load;
pub mod lower;
mod prose;
pub mod report;
pub mod request;
pub mod review;
pub mod rules;
mod sides;
mod suppressions;
pub mod syntax;
pub mod text;
pub mod verdict;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use analysis::{Loader, ModuleId, Program};
pub use callers::Searched;
use change::{ChangeSet, Extent};
use config::Settings;
use error::{Error, Result};
use load::Files;
use request::{Request, Subject};
use review::{
    Coverage, CoverageState, Definition, ItemRange, Material, Notice, Options, Policy, Review, Signal, Sources,
    Suppression,
};
use text::Side;
use verdict::Verdict;

/// A finished review.
#[derive(Debug)]
pub struct Outcome {
    /// What is reported.
    pub review: Review,
    /// The texts that it speaks of.
    pub sources: Sources,
    /// How long each part took, in the order of the work.
    pub timings: Vec<(&'static str, Duration)>,
    /// How much was searched for callers in files that the change leaves alone.
    pub searched: Searched,
    /// The files that were read. To free them takes time, which a process that ends need not spend.
    _files: Files,
}

/// Does what a request asks for.
pub fn review(request: &Request) -> Result<Outcome> {
    let began = Instant::now();
    let change = of_subject(request)?;
    let settings = config::of_change(&change, request)?;
    let read = began.elapsed();
    let workers = workers(request.threads)?;
    let mut outcome = workers.install(|| review_with_workers(&change, &settings));
    outcome.timings.insert(0, ("read the change", read));
    Ok(outcome)
}

/// What a request is about.
pub(crate) fn of_subject(request: &Request) -> Result<ChangeSet> {
    match &request.subject {
        Subject::Change(source) => of_request(source, request),
        Subject::Demo if request.agent_commits => Err(no_commits()),
        Subject::Demo => Ok(demo::change_set()),
    }
}

/// What is said to a user who asks for commits of a change that has none.
fn no_commits() -> Error {
    Error::Usage {
        what: "`--agent-commits` asks for files that commits touch, and this change is not made of commits".to_owned(),
        help: "name a range of commits: `tenth BEFORE..AFTER --agent-commits`".to_owned(),
    }
}

/// The change that a source of it names.
pub(crate) fn of_request(source: &change::ChangeSource, request: &Request) -> Result<ChangeSet> {
    if request.agent_commits && !source.may_have_commits() {
        return Err(no_commits());
    }
    let change = match source {
        change::ChangeSource::SinceCheckpoint(patterns) => {
            let patterns = config::checkpoint_patterns(patterns, request)?;
            change::open(&change::ChangeSource::SinceCheckpoint(patterns), &request.ground)?
        }
        _ => change::open(source, &request.ground)?,
    };
    if request.agent_commits { change.of_agents(&request.ground) } else { Ok(change) }
}

/// Reviews a change, wherever it comes from, by the settings in `options` alone. `threads` is how many work; `None` for
/// as many as the machine has.
pub fn review_change(change: &ChangeSet, options: &Options, threads: Option<usize>) -> Result<Outcome> {
    let settings = Settings { options: options.clone(), catalogue: None, notices: Vec::new() };
    Ok(workers(threads)?.install(|| review_with_workers(change, &settings)))
}

fn workers(threads: Option<usize>) -> Result<rayon::ThreadPool> {
    load::workers(threads).map_err(|error| Error::Usage {
        what: format!("cannot start the worker threads: {error}"),
        help: "ask for fewer with `--threads`".to_owned(),
    })
}

fn review_with_workers(change: &ChangeSet, settings: &Settings) -> Outcome {
    let Worked { found, sources, timings, searched, files } = work(change, settings, review::review);
    Outcome { review: found, sources, timings, searched, _files: files }
}

/// Every finding of the after side of a request's change, as a baseline names it.
///
/// # Errors
///
/// Those of [`review()`].
pub fn known(request: &Request) -> Result<Vec<review::Known>> {
    let change = of_subject(request)?;
    let settings = config::of_change(&change, request)?;
    Ok(workers(request.threads)?.install(|| work(&change, &settings, review::known).found))
}

/// What came of a change.
struct Worked<T> {
    found: T,
    sources: Sources,
    timings: Vec<(&'static str, Duration)>,
    searched: Searched,
    files: Files,
}

/// Analyses both sides of a change and makes of them what is wanted.
fn work<T>(change: &ChangeSet, settings: &Settings, finish: impl FnOnce(&Material<'_>) -> T) -> Worked<T> {
    let options = &settings.options;
    let policy = &options.policy;
    let mut timings = Vec::new();
    let mut began = Instant::now();
    let mut lap = |what| timings.push((what, std::mem::replace(&mut began, Instant::now()).elapsed()));

    let files = Files::new(change.trees.clone());
    files.prefetch_changed(change, &|file| !policy.is_excluded(file.path()));
    lap("parse and lower");

    let ((then, before), (now, after)) = rayon::join(
        || analyse(change, settings, &files, Side::Before),
        || analyse(change, settings, &files, Side::After),
    );
    lap("analyse and apply the rules");
    let compared = sides::compare(&then, &now, &gather::comparable(change, &before.touched, &after.touched));
    lap("compare the sides of functions");
    // The search for callers reads more files; what is known by now would only lie beside them.
    drop((then, now));

    let mut changed = callers::changed(change, before.marks, after.marks);
    changed.extend(callers::gone(change, &before.names, &after.names));
    let callers = callers::find(change, settings, &files, changed);
    lap("find callers in untouched files");

    let plain = [before.plain, after.plain].concat();
    let mut signals = gather::signals(change, &before.touched, &after.touched, &plain);
    signals.extend(after.damage);
    let facts = gather::facts(&after.touched);
    let mut sources = Sources::of_change(change);
    let definitions: Vec<Definition> = before.definitions.into_iter().chain(after.definitions).collect();
    let mut items: Vec<ItemRange> = before.items.into_iter().chain(after.items).collect();
    let mut suppressions: Vec<Suppression> = before.suppressions.into_iter().chain(after.suppressions).collect();
    for (side, said) in [(Side::Before, &callers.before), (Side::After, &callers.after)] {
        for (module, lines, text) in files_of(change, &files, side, said, policy) {
            items.extend(gather::items(&module, side, &lines));
            suppressions.extend(suppressions::of_module(&module, side, &text, &lines));
        }
    }
    let rows = after.coverage.into_iter().chain(compared.coverage).chain(callers.coverage);
    let coverage = coverage(change, &files, rows.collect());
    let mut before: Vec<Verdict> = before.verdicts.into_iter().chain(callers.before).chain(compared.before).collect();
    let mut after: Vec<Verdict> = after.verdicts.into_iter().chain(callers.after).chain(compared.after).collect();
    rules::weigh(&mut before, &compared.worse_before);
    rules::weigh(&mut after, &compared.worse_after);
    sources.complete(Side::Before, &before, &*change.trees);
    sources.complete(Side::After, &after, &*change.trees);
    // Every verdict comes from a rule in the list; a test holds the checks against the documents.
    let rule = |name: &str| rules::info(name).expect("every check has its document");
    let mut notices = settings.notices.clone();
    notices.extend(left_out(change, policy));
    notices.extend(suppressions::foreign(change));
    let material = Material {
        change,
        sources: &sources,
        before: &before,
        after: &after,
        rule: &rule,
        items: &items,
        definitions: &definitions,
        signals: &signals,
        suppressions: &suppressions,
        notices: &notices,
        said: &prose::said(change),
        facts: &facts,
        coverage: &coverage,
        commits: &commits(change),
        options,
    };
    let found = finish(&material);
    lap("match, find causes, rank");
    Worked { found, sources, timings, searched: callers.searched, files }
}

/// Every row of coverage, those of files that could not be lowered included.
fn coverage(change: &ChangeSet, files: &Files, mut rows: Vec<Coverage>) -> Vec<Coverage> {
    // What the before side lacked is no gap in what the change is judged by.
    let of_the_after_side = files.uncovered().into_iter().filter(|row| change.file(Side::After, &row.path).is_some());
    rows.extend(of_the_after_side.map(|row| Coverage {
        path: row.path,
        function: None,
        state: CoverageState::NotAnalysed,
        why: row.why,
    }));
    rows.sort_by(|one, two| (&one.path, &one.function, &one.why).cmp(&(&two.path, &two.function, &two.why)));
    rows.dedup();
    rows
}

/// The commits of a change, with the marks that coding agents left.
fn commits(change: &ChangeSet) -> Vec<review::Commit> {
    let told = |commit: &change::Commit| {
        let mark = change::marks::agent(commit);
        let agent = mark.as_ref().map(|mark| mark.agent.to_owned());
        review::Commit { id: commit.id.clone(), agent, mark: mark.map(|mark| mark.shown_by) }
    };
    change.commits.iter().map(told).collect()
}

/// What one side's analysis gives to the review.
struct Analysed {
    verdicts: Vec<Verdict>,
    items: Vec<ItemRange>,
    suppressions: Vec<Suppression>,
    definitions: Vec<Definition>,
    coverage: Vec<Coverage>,
    touched: Vec<gather::Touched>,
    plain: Vec<gather::Plain>,
    damage: Vec<Signal>,
    /// What callers can notice of its functions.
    marks: Vec<callers::Marked>,
    names: Vec<callers::Names>,
}

/// A side's program and what came of it.
fn analyse<'a>(change: &ChangeSet, settings: &'a Settings, files: &'a Files, side: Side) -> (Program<'a>, Analysed) {
    let (program, modules) = program_of(change, settings, files, side);
    let said = rules::verdicts(&program, &modules);
    // Files against nothing have no callers that were left behind.
    let is_compared = change.files.iter().any(|file| file.before.is_some());
    let (mut items, mut suppressions) = (Vec::new(), Vec::new());
    for &id in &modules {
        let module = program.module(id);
        let text = change.file(side, &module.path).and_then(|file| file.side(side)).map(|file| file.text.clone());
        let text = text.unwrap_or_default();
        let lines = text::LineIndex::new(&text);
        items.extend(gather::items(&module, side, &lines));
        suppressions.extend(suppressions::of_module(&module, side, &text, &lines));
    }
    let analysed = Analysed {
        items,
        suppressions,
        definitions: modules.iter().flat_map(|&id| gather::definitions(&program.module(id), side)).collect(),
        coverage: gather::coverage(&program, &modules, &said.failed),
        touched: gather::touched(&program, change, &modules),
        plain: gather::plain(&program, &modules),
        damage: gather::damage(&program, change, &modules),
        verdicts: said.verdicts,
        marks: if is_compared { callers::marks(&program, &modules) } else { Vec::new() },
        names: if is_compared { callers::names(&program, &modules) } else { Vec::new() },
    };
    // Where answers were given up, because too many files would have been read or a rule failed, they are asked afresh.
    let gave_up = program.exhausted() || !said.failed.is_empty();
    let program = if gave_up { program_of(change, settings, files, side).0 } else { program };
    (program, analysed)
}

/// A program of one side that knows the changed files, and these files.
fn program_of<'a>(
    change: &ChangeSet,
    settings: &'a Settings,
    files: &'a Files,
    side: Side,
) -> (Program<'a>, Vec<ModuleId>) {
    let program = Program::new(side, settings.catalogue(), files);
    let paths = changed(change, side, &settings.options.policy);
    let modules = paths.filter_map(|path| program.module_at(&path)).collect();
    (program, modules)
}

/// The files that some verdicts are about and that were not analysed as changed ones.
fn files_of(
    change: &ChangeSet,
    files: &Files,
    side: Side,
    said: &[Verdict],
    policy: &Policy,
) -> Vec<(Arc<flow::Module>, text::LineIndex, Arc<str>)> {
    let known: BTreeSet<Arc<str>> = changed(change, side, policy).collect();
    let paths: BTreeSet<&Arc<str>> = said.iter().map(|verdict| &verdict.at.path).collect();
    let found = paths.into_iter().filter(|path| !known.contains(*path)).filter_map(|path| {
        let text = files.text(side, path)?;
        Some((files.module(side, path)?, text::LineIndex::new(&text), text))
    });
    found.collect()
}

/// A word on the changed files that the settings leave out.
fn left_out(change: &ChangeSet, policy: &Policy) -> Option<Notice> {
    let mut excluded = change.files.iter().map(|file| file.path()).filter(|path| policy.is_excluded(path)).peekable();
    let first = excluded.peek().map(|path| path.to_string())?;
    let number = excluded.count();
    if number == change.files.len() && change.coverage.iter().all(|row| policy.is_excluded(&row.path)) {
        let text = "nothing of the change is reviewed, as the settings exclude all of its files".to_owned();
        return Some(Notice { kind: "all-left-out".to_owned(), text, path: Some(first), line: None });
    }
    let text = match number {
        1 => "a changed file is left out, as the settings exclude it".to_owned(),
        number => format!("{number} changed files are left out, as the settings exclude them"),
    };
    Some(Notice { kind: "files-left-out".to_owned(), text, path: Some(first), line: None })
}

/// The changed files of a side that are analysed, in the order of the change. Of an excerpt too little is known.
fn changed(change: &ChangeSet, side: Side, policy: &Policy) -> impl Iterator<Item = Arc<str>> {
    change
        .files
        .iter()
        .filter(|file| file.extent == Extent::Whole && !policy.is_excluded(file.path()))
        .filter_map(move |file| file.side(side))
        .filter(|file| text::Language::of_path(&file.path).is_some())
        .map(|file| file.path.clone())
}
