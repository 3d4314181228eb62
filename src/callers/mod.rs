//! Callers in files that the change leaves alone.
//!
//! A helper that begins to block makes its callers wrong, wherever they stand. So once both sides of the changed files
//! are analysed, the imprints of their functions are compared, and only for those that differ callers are looked for:
//!
//! ~~~text
//! imprints of both sides -> changed functions -> words -> files that hold one    bytes, in one pass over the side
//!    -> those that can mean the function, lowered -> functions that lead to it   by definition, not by name
//!    -> the rules, on both sides                                                 what stood before is subtracted
//!    -> callers whose own imprint differs                                        one more round
//! ~~~
//!
//! Files that the change leaves alone are the same on both sides, so one search serves both. Everything is bounded in
//! files and rounds, in path order; what the bounds cut off is a row of coverage. Whoever imports a name that is gone is
//! looked at in the same way.

mod delta;
mod search;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::analysis::{FunctionId, Loader, ModuleId};
use crate::change::ChangeSet;
use crate::config::Settings;
use crate::flow::FunctionIndex;
use crate::load::Files;
use crate::review::{Coverage, CoverageState};
use crate::rules;
use crate::text::Side;
use crate::verdict::{Stance, Verdict};

pub(crate) use delta::{Changed, Marked, Names, changed, gone, marks, names};
use search::Candidate;

/// Most rounds: callers, their callers, and so on.
const MOST_ROUNDS: usize = 4;

/// What the search for callers did, for `--timings` and tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Searched {
    /// Functions whose callers were looked for.
    pub changed: usize,
    /// How often a file was searched for words.
    pub files: usize,
    /// Files that were analysed because a word stands in them.
    pub candidates: usize,
    /// Functions in them that lead to a changed one.
    pub callers: usize,
}

/// What is said of the callers.
#[derive(Default)]
pub(crate) struct Found {
    /// Of the before side.
    pub(crate) before: Vec<Verdict>,
    /// Of the after side.
    pub(crate) after: Vec<Verdict>,
    /// What was left out.
    pub(crate) coverage: Vec<Coverage>,
    /// How much was done.
    pub(crate) searched: Searched,
}

/// A function of a file that is the same on both sides.
type Untouched = (Arc<str>, FunctionIndex);

/// What one side says of one function.
struct Said {
    marked: Marked,
    verdicts: Vec<Verdict>,
    has_failed: bool,
}

/// Finds the callers of changed functions and applies the rules to them on both sides.
pub(crate) fn find(change: &ChangeSet, settings: &Settings, files: &Files, changed: Vec<Changed>) -> Found {
    let mut found = Found::default();
    let mut open = changed;
    let mut done: FxHashSet<Untouched> = FxHashSet::default();
    let mut sought: BTreeSet<Changed> = BTreeSet::new();
    for _ in 0..MOST_ROUNDS {
        open.retain(|one| sought.insert(one.clone()));
        if open.is_empty() {
            break;
        }
        found.searched.changed += open.len();
        let round = search::candidates(change, files, &open, &mut found);
        let (before, after) = both(|side| callers(change, settings, files, side, &round.candidates, &open, &done));
        let ((before, is_before_cut), (after, is_after_cut)) = (before, after);
        if let Some(first) = open.first().filter(|_| is_before_cut || is_after_cut) {
            found.cut(first, "too many files would have had to be read for its callers; some may be missing");
        }
        let callers: BTreeSet<Untouched> = before.into_iter().chain(after).collect();
        let callers: Vec<Untouched> = callers.into_iter().filter(|caller| done.insert(caller.clone())).collect();
        found.searched.callers += callers.len();
        let (before, after) = both(|side| say(change, settings, files, side, &callers));
        open = round.renamed;
        for ((path, index), (before, after)) in callers.iter().zip(before.into_iter().zip(after)) {
            let (Some(before), Some(after)) = (before, after) else { continue };
            if before.marked.imprint != after.marked.imprint {
                open.extend(Changed::of_untouched(&after.marked));
            }
            if after.has_failed {
                found.failed(files, path, *index);
            }
            let (mut was, mut is) = (before.verdicts, after.verdicts);
            subtract(&mut was, &mut is);
            found.before.extend(was);
            found.after.extend(is);
        }
    }
    open.retain(|one| !sought.contains(one));
    if let Some(one) = open.first() {
        found.cut(one, "callers of callers are followed only so far; some further up may be missing");
    }
    found
}

impl Found {
    /// Notes that not everything was looked at.
    fn cut(&mut self, one: &Changed, why: &str) {
        let path = one.after.as_ref().or(one.before.as_ref()).map_or(String::new(), |path| path.to_string());
        let row = Coverage { path, function: None, state: CoverageState::InPieces, why: why.to_owned() };
        if !self.coverage.contains(&row) {
            self.coverage.push(row);
        }
    }

    fn failed(&mut self, files: &Files, path: &Arc<str>, index: FunctionIndex) {
        let function = files.module(Side::After, path).map(|module| module.function(index).qualified.clone());
        let why = "the analysis failed on it; this is a fault of the tool".to_owned();
        self.coverage.push(Coverage { path: path.to_string(), function, state: CoverageState::NotAnalysed, why });
    }
}

fn both<T: Send>(work: impl Fn(Side) -> T + Sync) -> (T, T) {
    rayon::join(|| work(Side::Before), || work(Side::After))
}

/// The functions in candidates that lead to a changed function on this side, and whether that could not be told of all.
fn callers(
    change: &ChangeSet,
    settings: &Settings,
    files: &Files,
    side: Side,
    candidates: &[Candidate],
    open: &[Changed],
    done: &FxHashSet<Untouched>,
) -> (Vec<Untouched>, bool) {
    let program = crate::program_of(change, settings, files, side).0;
    let changed: FxHashSet<FunctionId> = open.iter().flat_map(|one| one.functions(&program)).collect();
    let gone: BTreeSet<&str> = open.iter().filter(|one| one.is_gone).map(|one| one.sought.word.as_str()).collect();
    let mut found = Vec::new();
    for candidate in candidates {
        let Some(module) = program.module_at(&candidate.path) else { continue };
        let mut leading = program.leading_to(module, &changed, &candidate.offsets);
        if !gone.is_empty() {
            leading.extend(delta::importing(&program.module(module), &gone));
        }
        let fresh = leading.into_iter().map(|index| (candidate.path.clone(), index));
        found.extend(fresh.filter(|caller| !done.contains(caller)));
    }
    (found, program.exhausted())
}

/// What the rules say of functions, and their imprints.
fn say(change: &ChangeSet, settings: &Settings, files: &Files, side: Side, callers: &[Untouched]) -> Vec<Option<Said>> {
    if callers.is_empty() {
        return Vec::new();
    }
    let program = crate::program_of(change, settings, files, side).0;
    let modules: BTreeMap<&Arc<str>, Option<ModuleId>> =
        callers.iter().map(|(path, _)| (path, program.module_at(path))).collect();
    let of_one = |(path, index): &Untouched| {
        let id = FunctionId { module: (*modules.get(path)?)?, index: *index };
        let said = rules::of_function(&program, id);
        let marked = delta::mark(&program, id);
        Some(Said { marked, verdicts: said.verdicts, has_failed: !said.failed.is_empty() })
    };
    callers.iter().map(of_one).collect()
}

/// Takes away what both sides say of a function: an untouched caller that is as wrong as it was is no news, even if the
/// call behind its own call is another one now.
fn subtract(before: &mut Vec<Verdict>, after: &mut Vec<Verdict>) {
    let subject = |verdict: &Verdict| verdict.subject.split(", ").next().map(str::to_owned);
    let is_same = |one: &Verdict, two: &Verdict| {
        (one.rule, &one.at, kind(one.stance), one.stake, one.level)
            == (two.rule, &two.at, kind(two.stance), two.stake, two.level)
            && subject(one) == subject(two)
    };
    after.retain(|verdict| match before.iter().position(|other| is_same(other, verdict)) {
        Some(at) => {
            before.remove(at);
            false
        }
        None => true,
    });
}

fn kind(stance: Stance) -> u8 {
    match stance {
        Stance::Violated(_) => 0,
        Stance::Unproven => 1,
        Stance::Upheld => 2,
    }
}
