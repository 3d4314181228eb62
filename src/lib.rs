//! `tenth` reviews the concurrency of a change: it reads both sides of a diff, works out what the concurrent code on
//! each side does, subtracts, and tells a human which hunks need eyes.
//!
//! ~~~text
//! change source -> ChangeSet (files, both sides, hunks)
//!    -> load: parse and lower every changed file, others on demand        flow::Module
//!    -> Program, one per side: names, types, calls, held locks, summaries
//!    -> rules                                                             Verdicts
//!    -> callers in untouched files of what is not what it was             Verdicts
//!    -> rules that see both sides of a function                           Verdicts
//!    -> review: match the two sides, find the causes, rank the hunks      Review
//!    -> report
//! ~~~
//!
//! Nothing here runs, builds or imports the code it reads, and nothing needs the network.

pub mod analysis;
mod callers;
pub mod catalogue;
pub mod chain;
pub mod change;
pub mod demo;
pub mod error;
pub mod flow;
mod gather;
pub mod inspect;
pub mod install;
pub mod load;
pub mod lower;
pub mod report;
pub mod request;
pub mod review;
pub mod rules;
mod sides;
pub mod syntax;
pub mod text;
pub mod verdict;

use std::sync::Arc;
use std::time::{Duration, Instant};

use analysis::{Loader, ModuleId, Program};
pub use callers::Searched;
use catalogue::Catalogue;
use change::{ChangeSet, Extent};
use error::{Error, Result};
use load::Files;
use request::{Request, Subject};
use review::{Coverage, CoverageState, ItemRange, Material, Options, Review, Signal, Sources};
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
}

/// Does what a request asks for.
pub fn review(request: &Request) -> Result<Outcome> {
    let began = Instant::now();
    let change = match &request.subject {
        Subject::Change(source) => of_request(source, request)?,
        Subject::Demo => demo::change_set(),
    };
    let options = Options {
        fail_on: request.fail_on,
        scope: request.scope,
        upheld: request.upheld,
        show_hidden: request.show_hidden,
    };
    let read = began.elapsed();
    let mut outcome = review_change(&change, &options, request.threads)?;
    outcome.timings.insert(0, ("read the change", read));
    Ok(outcome)
}

/// The change that a request is about.
pub(crate) fn of_request(source: &change::ChangeSource, request: &Request) -> Result<ChangeSet> {
    let change = change::open(source, &request.ground)?;
    if request.agent_commits { change.of_agents(&request.ground) } else { Ok(change) }
}

/// Reviews a change, wherever it comes from. `threads` is how many work; `None` for as many as the machine has.
pub fn review_change(change: &ChangeSet, options: &Options, threads: Option<usize>) -> Result<Outcome> {
    let workers = load::workers(threads).map_err(|error| Error::Usage {
        what: format!("cannot start the worker threads: {error}"),
        help: "ask for fewer with `--threads`".to_owned(),
    })?;
    workers.install(|| Ok(review_with_workers(change, options)))
}

fn review_with_workers(change: &ChangeSet, options: &Options) -> Outcome {
    let mut timings = Vec::new();
    let mut began = Instant::now();
    let mut lap = |what| timings.push((what, std::mem::replace(&mut began, Instant::now()).elapsed()));

    let files = Files::new(change.trees.clone());
    files.prefetch_changed(change);
    lap("parse and lower");

    let (before, after) =
        rayon::join(|| analyse(change, &files, Side::Before), || analyse(change, &files, Side::After));
    lap("analyse and apply the rules");
    let mut changed = callers::changed(change, before.marks, after.marks);
    changed.extend(callers::gone(change, &before.names, &after.names));
    let callers = callers::find(change, &files, changed);
    lap("find callers in untouched files");

    let locking = gather::locking(change, &before.touched, &after.touched);
    let compared = if locking.is_empty() {
        sides::Compared::default()
    } else {
        sides::compare(&program(change, &files, Side::Before), &program(change, &files, Side::After), &locking)
    };
    lap("compare the sides of functions");

    let mut signals = gather::signals(change, &before.touched, &after.touched);
    signals.extend(after.damage);
    let mut sources = Sources::of_change(change);
    let mut items: Vec<ItemRange> = before.items.into_iter().chain(after.items).collect();
    let (mut before, mut after, mut coverage) = (before.verdicts, after.verdicts, after.coverage);
    for (side, said) in [(Side::Before, &callers.before), (Side::After, &callers.after)] {
        items.extend(items_of(&files, side, said));
    }
    before.extend(callers.before);
    before.extend(compared.before);
    after.extend(callers.after);
    after.extend(compared.after);
    coverage.extend(compared.coverage);
    sources.complete(Side::Before, &before, &*change.trees);
    sources.complete(Side::After, &after, &*change.trees);
    // What the before side lacked is no gap in what the change is judged by.
    coverage.extend(callers.coverage);
    coverage.extend(
        files.uncovered().into_iter().filter(|row| change.file(Side::After, &row.path).is_some()).map(|row| Coverage {
            path: row.path,
            function: None,
            state: CoverageState::NotAnalysed,
            why: row.why,
        }),
    );
    coverage.sort_by(|one, two| (&one.path, &one.function, &one.why).cmp(&(&two.path, &two.function, &two.why)));
    coverage.dedup();
    let commits: Vec<review::Commit> = change
        .commits
        .iter()
        .map(|commit| {
            let mark = change::marks::agent(commit);
            let agent = mark.as_ref().map(|mark| mark.agent.to_owned());
            review::Commit { id: commit.id.clone(), agent, mark: mark.map(|mark| mark.shown_by) }
        })
        .collect();
    // Every verdict comes from a rule in the list; a test holds the checks against the documents.
    let rule = |name: &str| rules::info(name).expect("every check has its document");
    let review = review::review(&Material {
        change,
        sources: &sources,
        before: &before,
        after: &after,
        rule: &rule,
        items: &items,
        signals: &signals,
        coverage: &coverage,
        commits: &commits,
        options,
        still_there: None,
    });
    lap("match, find causes, rank");
    Outcome { review, sources, timings, searched: callers.searched }
}

/// What one side's analysis gives to the review.
struct Analysed {
    verdicts: Vec<Verdict>,
    items: Vec<ItemRange>,
    coverage: Vec<Coverage>,
    touched: Vec<gather::Touched>,
    damage: Vec<Signal>,
    /// What callers can notice of its functions.
    marks: Vec<callers::Marked>,
    names: Vec<callers::Names>,
}

fn analyse(change: &ChangeSet, files: &Files, side: Side) -> Analysed {
    let program = Program::new(side, Catalogue::builtin(), files);
    let modules: Vec<ModuleId> = changed(change, side).filter_map(|path| program.module_at(&path)).collect();
    let said = rules::verdicts(&program, &modules);
    // Files against nothing have no callers that were left behind.
    let is_compared = change.files.iter().any(|file| file.before.is_some());
    let items = modules.iter().flat_map(|&id| {
        let module = program.module(id);
        let text = change.file(side, &module.path).and_then(|file| file.side(side)).map(|file| file.text.clone());
        let lines = text::LineIndex::new(&text.unwrap_or_default());
        gather::items(&module, side, &lines)
    });
    Analysed {
        items: items.collect(),
        coverage: gather::coverage(&program, &modules, &said.failed),
        touched: gather::touched(&program, change, &modules),
        damage: gather::damage(&program, change, &modules),
        verdicts: said.verdicts,
        marks: if is_compared { callers::marks(&program, &modules) } else { Vec::new() },
        names: if is_compared { callers::names(&program, &modules) } else { Vec::new() },
    }
}

/// A program of one side that knows the changed files, as it did when they were analysed.
fn program<'a>(change: &ChangeSet, files: &'a Files, side: Side) -> Program<'a> {
    let program = Program::new(side, Catalogue::builtin(), files);
    for path in changed(change, side) {
        program.module_at(&path);
    }
    program
}

/// The items of the files that some verdicts are about.
fn items_of(files: &Files, side: Side, said: &[Verdict]) -> Vec<ItemRange> {
    let mut paths: Vec<&Arc<str>> = said.iter().map(|verdict| &verdict.at.path).collect();
    paths.sort();
    paths.dedup();
    let items = paths.into_iter().filter_map(|path| {
        let module = files.module(side, path)?;
        Some(gather::items(&module, side, &text::LineIndex::new(&files.text(side, path)?)))
    });
    items.flatten().collect()
}

/// The changed files of a side that are analysed, in the order of the change. Of an excerpt too little is known.
fn changed(change: &ChangeSet, side: Side) -> impl Iterator<Item = Arc<str>> {
    change
        .files
        .iter()
        .filter(|file| file.extent == Extent::Whole)
        .filter_map(move |file| file.side(side))
        .filter(|file| text::Language::of_path(&file.path).is_some())
        .map(|file| file.path.clone())
}
