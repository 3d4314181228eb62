//! Which untouched files may mean a changed function, and where.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use rustc_hash::FxHashSet;

use super::{Changed, Found};
use crate::analysis::{Loader, Package};
use crate::change::ChangeSet;
use crate::flow::{Import, ImportKind};
use crate::load::{Files, Words};
use crate::text::{Language, Side};
use crate::verdict::Setting;

/// Most files in which a word stands that are looked at more closely in one round.
const MOST_HITS: usize = 1500;

/// Most files that are analysed in all rounds.
const MOST_CANDIDATES: usize = 400;

/// Most files of one round that hold the word, but none that speaks for the module or type.
const MOST_UNLIKELY: usize = 40;

/// A file in which a changed function may be meant.
pub(super) struct Candidate {
    pub(super) path: Arc<str>,
    /// Where it is named, in order.
    pub(super) offsets: Vec<u32>,
}

/// What a round of search brings.
pub(super) struct Round {
    /// Files to look at, the likeliest first.
    pub(super) candidates: Vec<Candidate>,
    /// Changed functions that some file gives another name to.
    pub(super) renamed: Vec<Changed>,
}

/// A file that holds a word.
struct Hit {
    path: Arc<str>,
    /// By place among the changed functions.
    meant: Vec<usize>,
    is_likely: bool,
    offsets: Vec<u32>,
}

/// Searches the files that the change leaves alone.
pub(super) fn candidates(change: &ChangeSet, files: &Files, open: &[Changed], found: &mut Found) -> Round {
    let side = Side::After;
    let mut names: Vec<String> = open.iter().map(|one| one.sought.word.clone()).collect();
    names.sort();
    names.dedup();
    let mut round = Round { candidates: Vec::new(), renamed: Vec::new() };
    let Some(words) = Words::new(&names) else { return round };

    let touched: FxHashSet<&str> = change
        .files
        .iter()
        .flat_map(|file| [Side::Before, Side::After].map(|side| file.side(side)))
        .flatten()
        .map(|file| &*file.path)
        .collect();
    let languages: Vec<Option<Language>> = open.iter().map(|one| Language::of_path(one.path())).collect();
    let is_searched = |path: &&Arc<str>| languages.contains(&Language::of_path(path)) && !touched.contains(&***path);
    let paths: Vec<Arc<str>> = files.files(side).iter().filter(is_searched).cloned().collect();
    found.searched.files += paths.len();
    let mut holding = files.holding(side, &paths, &words);
    holding.sort_by_key(|path| Setting::of_path(path) == Setting::Test);
    let mut is_cut = holding.len() > MOST_HITS;
    holding.truncate(MOST_HITS);

    let packages = files.packages(side);
    let closer = Closer::new(files, side, open, &packages);
    let mut hits: Vec<Hit> = holding.par_iter().filter_map(|path| closer.look(path)).collect();
    // Tests last: what is found there counts least.
    hits.sort_by_key(|hit| (Setting::of_path(&hit.path) == Setting::Test, !hit.is_likely));
    let mut unlikely = 0;
    hits.retain(|hit| {
        unlikely += usize::from(!hit.is_likely);
        let stays = hit.is_likely || unlikely <= MOST_UNLIKELY;
        is_cut |= !stays;
        stays
    });
    let left = MOST_CANDIDATES.saturating_sub(found.searched.candidates);
    is_cut |= hits.len() > left;
    hits.truncate(left);
    found.searched.candidates += hits.len();
    if let Some(first) = open.first().filter(|_| is_cut) {
        found.cut(first, "more files mention its changed functions than are searched for callers; some may be missing");
    }

    let wanted: Vec<(Side, Arc<str>)> = hits.iter().map(|hit| (side, hit.path.clone())).collect();
    files.prefetch(&wanted);
    for hit in hits {
        let offsets = with_aliases(files, side, open, &hit, &mut round.renamed);
        round.candidates.push(Candidate { path: hit.path, offsets });
    }
    round
}

/// Tells files that can mean a function from those that only use the same word.
struct Closer<'a> {
    files: &'a Files,
    side: Side,
    open: &'a [Changed],
    packages: &'a [Package],
    all: Words,
    /// What is looked for of each changed function.
    traces: Vec<Trace<'a>>,
}

/// By what a changed function is known in a file; words by their places in [`Closer::all`].
struct Trace<'a> {
    language: Option<Language>,
    word: usize,
    witnesses: Vec<usize>,
    /// Its package, and the word for that.
    package: Option<(&'a Package, usize)>,
}

impl<'a> Closer<'a> {
    fn new(files: &'a Files, side: Side, open: &'a [Changed], packages: &'a [Package]) -> Self {
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let packages_of: Vec<Option<&Package>> = open.iter().map(|one| Package::of(packages, one.path())).collect();
        for (one, package) in open.iter().zip(&packages_of) {
            places.insert(&one.sought.word, 0);
            places.extend(one.sought.witnesses.iter().map(|witness| (witness.as_str(), 0)));
            places.extend(package.map(|package| (package.name.as_str(), 0)));
        }
        places.values_mut().zip(0..).for_each(|(place, at)| *place = at);
        let words: Vec<String> = places.keys().map(|word| (*word).to_owned()).collect();
        let traces = open.iter().zip(packages_of).map(|(one, package)| Trace {
            language: Language::of_path(one.path()),
            word: places[one.sought.word.as_str()],
            witnesses: one.sought.witnesses.iter().map(|witness| places[witness.as_str()]).collect(),
            package: package.map(|package| (package, places[package.name.as_str()])),
        });
        let traces = traces.collect();
        // There is at least the word of each, and never more than a matcher holds.
        let all = Words::new(&words).expect("every changed function has a word");
        Self { files, side, open, packages, all, traces }
    }

    fn look(&self, path: &Arc<str>) -> Option<Hit> {
        let language = Language::of_path(path);
        let text = self.files.text(self.side, path)?;
        // A function of the same name that stands at the top of another file has nothing to do with the changed one.
        let is_namesake = |offset: u32| language == Some(Language::Python) && is_top_definition(&text, offset as usize);
        let found = self.all.all(text.as_bytes()).filter(|(_, offset)| !is_namesake(*offset));
        let found: Vec<(usize, u32)> = found.collect();
        let words = found.iter().map(|(word, _)| word + 1).max().unwrap_or(0);
        let mut is_there = vec![false; words];
        for (word, _) in &found {
            is_there[*word] = true;
        }
        let stands = |word: &usize| is_there.get(*word).is_some_and(|is_there| *is_there);
        let own = if language == Some(Language::Rust) { Package::of(self.packages, path) } else { None };
        let mut hit = Hit { path: path.clone(), meant: Vec::new(), is_likely: false, offsets: Vec::new() };
        let mut is_meant = vec![false; words];
        for (at, trace) in self.traces.iter().enumerate() {
            if trace.language != language || !stands(&trace.word) {
                continue;
            }
            let has_witness = trace.witnesses.iter().any(stands);
            if self.open[at].sought.needs_witness && !has_witness {
                continue;
            }
            if language == Some(Language::Rust) {
                let theirs = trace.package;
                let is_same = own.map(|own| &own.folder) == theirs.map(|(theirs, _)| &theirs.folder);
                if !is_same && !has_witness && !theirs.is_some_and(|(_, name)| stands(&name)) {
                    continue;
                }
            }
            hit.meant.push(at);
            is_meant[trace.word] = true;
            hit.is_likely |= has_witness;
        }
        hit.offsets = found.iter().filter(|(word, _)| is_meant[*word]).map(|(_, offset)| *offset).collect();
        (!hit.meant.is_empty()).then_some(hit)
    }
}

/// Whether a word is the name in a `def` that begins its line.
fn is_top_definition(text: &str, offset: usize) -> bool {
    let start = text[..offset].rfind('\n').map_or(0, |end| end + 1);
    matches!(&text[start..offset], "def " | "async def ")
}

/// Where a file names the functions, under the names too that its imports give them.
fn with_aliases(files: &Files, side: Side, open: &[Changed], hit: &Hit, renamed: &mut Vec<Changed>) -> Vec<u32> {
    let mut offsets = hit.offsets.clone();
    let Some(module) = files.module(side, &hit.path) else { return offsets };
    let mut aliases: Vec<String> = Vec::new();
    for import in module.imports.iter().filter(|import| import.kind == ImportKind::Name) {
        for one in hit.meant.iter().map(|at| &open[*at]).filter(|one| gives_other_name(import, &one.sought.word)) {
            aliases.push(import.name.clone());
            if import.is_public && import.scope.function.is_none() {
                renamed.push(one.renamed(&import.name, &hit.path));
            }
        }
    }
    aliases.sort();
    aliases.dedup();
    if let Some(words) = Words::new(&aliases) {
        offsets.extend(files.occurrences(side, &hit.path, &words).into_iter().map(|(_, offset)| offset));
        offsets.sort_unstable();
        offsets.dedup();
    }
    offsets
}

fn gives_other_name(import: &Import, word: &str) -> bool {
    import.target.last().is_some_and(|last| last == word) && import.name != word && !import.name.is_empty()
}
