//! Brings the files of both sides to the analysis.
//!
//! A file is parsed and lowered once, when it is first asked for, and both sides share the result where path, text and
//! edition are the same. A file that breaks the front-end becomes a row of coverage, not the end of the review.

mod folders;
mod ignored;
mod packages;
mod pythons;
mod words;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use rustc_hash::FxHashMap;

use crate::analysis::{Loader, Mentions, Package, Version, Vocabulary};
use crate::change::{Blob, BlobId, ChangeSet, ChangedFile, Extent, Trees, Uncovered};
use crate::flow::Module;
use crate::lower::{Edition, lower};
use crate::text::{Language, Side, SourceFile};

use self::ignored::Ignored;
use self::pythons::Pythons;

pub use words::Words;

/// The stack of a worker. Parsers recurse with the nesting of the text, which is bounded before they run.
pub const STACK: usize = 16 * 1024 * 1024;

/// A pool of workers with deep stacks: `threads` of them, or one for each core.
pub fn workers(threads: Option<usize>) -> Result<rayon::ThreadPool, rayon::ThreadPoolBuildError> {
    rayon::ThreadPoolBuilder::new().stack_size(STACK).num_threads(threads.unwrap_or(0)).build()
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files").finish_non_exhaustive()
    }
}

/// The files of both sides, lowered on demand.
pub struct Files {
    trees: Arc<dyn Trees>,
    lowered: Mutex<FxHashMap<Key, Slot>>,
    vocabularies: Mutex<FxHashMap<BlobId, Arc<Vocabulary>>>,
    packages: [OnceLock<Arc<[Package]>>; 2],
    sources: [OnceLock<Arc<[Arc<str>]>>; 2],
    pythons: [Pythons; 2],
    ignored: [Ignored; 2],
    uncovered: Mutex<BTreeSet<Uncovered>>,
}

type Key = (Arc<str>, BlobId, Edition);
type Slot = Arc<OnceLock<Option<Arc<Module>>>>;

impl Files {
    /// The files of two trees.
    pub fn new(trees: Arc<dyn Trees>) -> Self {
        Self {
            trees,
            lowered: Mutex::default(),
            vocabularies: Mutex::default(),
            packages: Default::default(),
            sources: Default::default(),
            pythons: Default::default(),
            ignored: Default::default(),
            uncovered: Mutex::default(),
        }
    }

    /// Lowers files side by side, so that later questions find them ready. Runs on the pool it is called in.
    pub fn prefetch(&self, wanted: &[(Side, Arc<str>)]) {
        wanted.par_iter().for_each(|(side, path)| {
            self.module(*side, path);
        });
    }

    /// Lowers the changed files of both sides side by side. Files that are not wanted are left out.
    pub fn prefetch_changed(&self, change: &ChangeSet, is_wanted: &dyn Fn(&ChangedFile) -> bool) {
        let is_read = |file: &&ChangedFile| file.extent == Extent::Whole && is_wanted(file);
        let sides = |file: &ChangedFile| {
            let sides = [(Side::Before, &file.before), (Side::After, &file.after)];
            sides.map(|(side, of)| of.as_ref().map(|of| (side, of.path.clone())))
        };
        let wanted: Vec<_> = change.files.iter().filter(is_read).flat_map(sides).flatten().collect();
        self.prefetch(&wanted);
    }

    fn slot(&self, key: Key) -> Slot {
        // The map is locked only to find the slot: two workers that want the same file share the work, others go on.
        let mut lowered = self.lowered.lock().unwrap_or_else(PoisonError::into_inner);
        lowered.entry(key).or_default().clone()
    }

    /// Those files of a side in which one of the words stands, in the order given. Nothing is decoded or lowered.
    pub fn holding(&self, side: Side, paths: &[Arc<str>], words: &Words) -> Vec<Arc<str>> {
        self.mentioning(side, paths, &|text| words.is_in(text))
    }

    /// The text of a file.
    pub fn text(&self, side: Side, path: &str) -> Option<Arc<str>> {
        self.trees.read(side, path).map(|blob| blob.text)
    }

    /// Where words stand in a file: the number of the word, and the byte.
    pub fn occurrences(&self, side: Side, path: &str, words: &Words) -> Vec<(usize, u32)> {
        self.trees.read(side, path).map_or_else(Vec::new, |blob| words.all(blob.text.as_bytes()).collect())
    }

    /// Files that could not be read, sorted by path.
    pub fn uncovered(&self) -> Vec<Uncovered> {
        self.uncovered.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// How many files were lowered.
    #[cfg(test)]
    fn count(&self) -> usize {
        self.lowered.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn edition(&self, side: Side, path: &str) -> Edition {
        if Language::of_path(path) != Some(Language::Rust) {
            return Edition::default();
        }
        Package::of(&self.packages(side), path).map_or_else(Edition::default, |package| package.edition)
    }

    fn lower(&self, path: &Arc<str>, blob: &Blob, edition: Edition) -> Option<Arc<Module>> {
        let file = SourceFile::new(path.clone(), blob.text.clone())?;
        // Nothing that the closure touches outlives a panic in it.
        match catch_unwind(AssertUnwindSafe(|| lower(&file, edition))) {
            Ok(module) => Some(Arc::new(module)),
            Err(_) => {
                self.cannot_read(path, "a defect of tenth stopped its analysis; please report it");
                None
            }
        }
    }

    fn cannot_read(&self, path: &str, why: &str) {
        let row = Uncovered { path: path.to_owned(), why: why.to_owned() };
        self.uncovered.lock().unwrap_or_else(PoisonError::into_inner).insert(row);
    }
}

impl Loader for Files {
    fn module(&self, side: Side, path: &str) -> Option<Arc<Module>> {
        Language::of_path(path)?;
        // A module that is there already is found by its id alone: every round of callers asks for all changed files.
        let id = self.trees.id(side, path)?;
        let edition = self.edition(side, path);
        let path: Arc<str> = path.into();
        self.slot((path.clone(), id, edition))
            .get_or_init(|| self.lower(&path, &self.trees.read(side, &path)?, edition))
            .clone()
    }

    fn has(&self, side: Side, path: &str) -> bool {
        self.trees.has(side, path)
    }

    fn vocabulary(&self, side: Side, path: &str) -> Option<Arc<Vocabulary>> {
        let known = || self.vocabularies.lock().unwrap_or_else(PoisonError::into_inner);
        let id = self.trees.id(side, path)?;
        if let Some(known) = known().get(&id) {
            return Some(known.clone());
        }
        let found = Arc::new(Vocabulary::of(self.trees.read(side, path)?.text.as_bytes()));
        // Two may have collected them at once: one of the two is kept, for both.
        Some(known().entry(id).or_insert(found).clone())
    }

    fn files(&self, side: Side) -> Arc<[Arc<str>]> {
        let is_source = |path: &&Arc<str>| Language::of_path(path).is_some();
        let files = || self.trees.list(side).iter().filter(is_source).cloned().collect();
        self.sources[at(side)].get_or_init(files).clone()
    }

    fn packages(&self, side: Side) -> Arc<[Package]> {
        let read = || {
            let is_manifest = |path: &&Arc<str>| packages::is_manifest(path);
            let listed = self.trees.list(side);
            let texts = listed.iter().filter(is_manifest).filter_map(|path| {
                let blob = self.trees.read(side, path)?;
                Some((path.to_string(), blob.text))
            });
            let found = packages::read(texts.collect());
            found
                .damaged
                .iter()
                .for_each(|path| self.cannot_read(path, "it is no valid TOML, so its package is unknown"));
            found.packages.into()
        };
        self.packages[at(side)].get_or_init(read).clone()
    }

    fn python(&self, side: Side, path: &str) -> Option<Version> {
        self.pythons[at(side)].of(path, |path| self.text(side, path))
    }

    fn is_ignored(&self, side: Side, path: &str) -> bool {
        self.ignored[at(side)].has(path, |path| self.text(side, path))
    }

    fn mentioning(&self, side: Side, paths: &[Arc<str>], mentions: &Mentions<'_>) -> Vec<Arc<str>> {
        let held = self.trees.holding(side, paths, mentions);
        paths.iter().zip(held).filter(|(_, holds)| *holds).map(|(path, _)| path.clone()).collect()
    }
}

fn at(side: Side) -> usize {
    match side {
        Side::Before => 0,
        Side::After => 1,
    }
}

#[cfg(test)]
mod tests;
