//! Any file of either side, read from several threads.
//!
//! A repository handle belongs to one thread at a time, so handles wait in a pool and are opened on demand.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use git2::{Odb, Oid, Repository};
use rayon::iter::ParallelIterator;
use rayon::slice::ParallelSlice;
use rustc_hash::FxHashMap;

use super::listing::{self, Folders};
use super::vouched::Vouched;
use super::{Found, Place, history};
use crate::change::pairing::{Content, Entries, Entry, Mode};
use crate::change::{Blob, BlobId, Holds, Past, SIZE_LIMIT, Trees, is_listed};
use crate::text::Side;

/// How many files a worker searches in one go.
const STRETCH: usize = 128;

/// How many files have to be searched until reading the whole index costs less than inflating each of them.
const MANY: usize = 1000;

/// Handles of one repository.
pub(super) struct Pool {
    place: Place,
    idle: Mutex<Vec<Repository>>,
}

impl Pool {
    pub(super) fn new(found: Found) -> Self {
        Self { place: found.place, idle: Mutex::new(vec![found.repo]) }
    }

    /// Lends a handle; `None` when the repository can no longer be opened.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Repository) -> T) -> Option<T> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let repo = match idle {
            Some(repo) => repo,
            None => self.place.open().ok()?,
        };
        let result = work(&repo);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(repo);
        Some(result)
    }
}

/// Where the files of one side are.
pub(super) enum SideTree {
    /// Nowhere: there was nothing yet.
    Empty,
    /// In a tree.
    Tree(Oid),
    /// In a listing; `own` holds what is not, or not yet, an object of the repository.
    Listed { entries: Entries, own: BTreeMap<Vec<u8>, Content> },
}

/// The files of both sides of a change in a repository.
pub(in crate::change) struct GitTrees {
    pool: Pool,
    before: Half,
    after: Half,
    /// Held while a side is listed: the second one is made from the first.
    listing: Mutex<()>,
    /// How many files were searched.
    searched: AtomicUsize,
    vouched: OnceLock<Option<Vouched>>,
}

struct Half {
    tree: SideTree,
    folders: Folders,
    listed: OnceLock<Listed>,
}

/// The source files of a side.
#[derive(Default)]
struct Listed {
    /// Sorted byte-wise.
    paths: Arc<[Arc<str>]>,
    /// Their entries. Names are looked up so often that to compare paths of one folder again and again is dear.
    entries: FxHashMap<Arc<str>, Entry>,
}

impl Listed {
    /// Of files in byte-wise order of their paths.
    fn of(sources: Vec<(Arc<str>, Entry)>) -> Self {
        Self { paths: sources.iter().map(|(path, _)| path.clone()).collect(), entries: sources.into_iter().collect() }
    }

    /// This listing, with some files taken away and others put in.
    fn with(&self, gone: &Entries, new: &Entries) -> Self {
        let mut entries = self.entries.clone();
        for path in gone.keys().filter_map(|path| std::str::from_utf8(path).ok()) {
            entries.remove(path);
        }
        let mut paths: Vec<Arc<str>> = self.paths.iter().filter(|path| entries.contains_key(*path)).cloned().collect();
        for (path, entry) in new.iter().filter_map(source) {
            paths.push(path.clone());
            entries.insert(path, entry);
        }
        // Two sorted runs, which this sort merges.
        paths.sort();
        Self { paths: paths.into(), entries }
    }

    fn entry(&self, path: &str) -> Option<Entry> {
        self.entries.get(path).copied()
    }
}

/// An entry of a listing, if it is a file that is listed.
fn source((path, entry): (&Vec<u8>, &Entry)) -> Option<(Arc<str>, Entry)> {
    let path = std::str::from_utf8(path).ok()?;
    let is_file = matches!(entry.mode, Mode::File | Mode::Executable);
    (is_file && is_listed(path)).then(|| (Arc::from(path), *entry))
}

impl GitTrees {
    pub(super) fn new(pool: Pool, before: SideTree, after: SideTree) -> Self {
        let half = |tree| Half { tree, folders: Folders::default(), listed: OnceLock::new() };
        Self {
            pool,
            before: half(before),
            after: half(after),
            listing: Mutex::default(),
            searched: AtomicUsize::new(0),
            vouched: OnceLock::new(),
        }
    }

    /// The content of an entry of a listing.
    pub(super) fn content(&self, side: Side, path: &[u8], entry: Entry) -> Content {
        if let SideTree::Listed { own, .. } = &self.half(side).tree
            && let Some(content) = own.get(path)
        {
            return content.clone();
        }
        self.pool.with(|repo| object(repo, entry)).unwrap_or(Content::Missing)
    }

    /// Lends a handle of the repository.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Repository) -> T) -> Option<T> {
        self.pool.with(work)
    }

    /// What the commits up to one did to some files.
    pub(super) fn past(&self, before: Oid, paths: &[Arc<str>]) -> Option<Past> {
        self.pool.with(|repo| history::past(repo, before, paths)).flatten()
    }

    fn half(&self, side: Side) -> &Half {
        match side {
            Side::Before => &self.before,
            Side::After => &self.after,
        }
    }

    fn listed(&self, side: Side) -> &Listed {
        let (half, other) = (self.half(side), self.half(side.other()));
        half.listed.get_or_init(|| {
            let _one_at_a_time = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
            match (&half.tree, &other.tree, other.listed.get()) {
                (SideTree::Empty, ..) => Listed::default(),
                (SideTree::Listed { entries, .. }, ..) => Listed::of(entries.iter().filter_map(source).collect()),
                (SideTree::Tree(tree), SideTree::Tree(known), Some(listed)) => {
                    let differ = self.pool.with(|repo| listing::of_two_trees(repo, Some(*known), Some(*tree)).ok());
                    differ.flatten().map_or_else(Listed::default, |(gone, new)| listed.with(&gone, &new))
                }
                (SideTree::Tree(tree), ..) => {
                    let entries = self.pool.with(|repo| listing::of_tree(repo, Some(*tree)).ok()).flatten();
                    entries.map_or_else(Listed::default, |all| Listed::of(all.iter().filter_map(source).collect()))
                }
            }
        })
    }

    /// Whether the files of one stretch hold something. The buffer serves all of them.
    fn holding_in(&self, side: Side, paths: &[Arc<str>], holds: &Holds<'_>, odb: &Odb<'_>) -> Vec<bool> {
        let listed = self.listed(side);
        let vouched = self.vouched.get().and_then(Option::as_ref);
        let mut buffer = Vec::new();
        let mut is_one = |path: &Arc<str>| {
            let Some(entry) = listed.entry(path) else { return false };
            if let SideTree::Listed { own, .. } = &self.half(side).tree
                && let Some(content) = own.get(path.as_bytes())
            {
                return matches!(content, Content::Text(text) if holds(text.as_bytes()));
            }
            if let Some(bytes) = vouched.and_then(|vouched| vouched.read(path, entry.id, &mut buffer)) {
                return holds(bytes);
            }
            let object = Oid::from_bytes(&entry.id.0).and_then(|oid| odb.read(oid));
            object.is_ok_and(|object| object.len() <= SIZE_LIMIT && holds(object.data()))
        };
        paths.iter().map(&mut is_one).collect()
    }

    /// The entry of a regular file.
    fn entry(&self, side: Side, path: &str) -> Option<Entry> {
        let half = self.half(side);
        let entry = match &half.tree {
            SideTree::Empty => None,
            SideTree::Listed { entries, .. } => entries.get(path.as_bytes()).copied(),
            SideTree::Tree(_) if is_listed(path) && half.listed.get().is_some() => half.listed.get()?.entry(path),
            SideTree::Tree(tree) => half.folders.entry(&self.pool, *tree, path),
        };
        entry.filter(|entry| matches!(entry.mode, Mode::File | Mode::Executable))
    }
}

fn object(repo: &Repository, entry: Entry) -> Content {
    let read = || -> Result<Content, git2::Error> {
        let oid = Oid::from_bytes(&entry.id.0)?;
        let odb = repo.odb()?;
        // The size is asked for first, so that a huge object is never loaded.
        if odb.read_header(oid)?.0 > SIZE_LIMIT {
            return Ok(Content::too_large());
        }
        Ok(Content::of_bytes(odb.read(oid)?.data()))
    };
    read().unwrap_or(Content::Missing)
}

impl Trees for GitTrees {
    fn read(&self, side: Side, path: &str) -> Option<Blob> {
        let entry = self.entry(side, path)?;
        match self.content(side, path.as_bytes(), entry) {
            Content::Text(text) => Some(Blob { id: entry.id, text }),
            Content::Unread(_) | Content::Missing => None,
        }
    }

    fn id(&self, side: Side, path: &str) -> Option<BlobId> {
        self.entry(side, path).map(|entry| entry.id)
    }

    fn has(&self, side: Side, path: &str) -> bool {
        match self.half(side).listed.get() {
            Some(listed) if is_listed(path) => listed.entry(path).is_some(),
            _ => self.entry(side, path).is_some(),
        }
    }

    fn list(&self, side: Side) -> Arc<[Arc<str>]> {
        self.listed(side).paths.clone()
    }

    fn holding(&self, side: Side, paths: &[Arc<str>], holds: &Holds<'_>) -> Vec<bool> {
        if self.searched.fetch_add(paths.len(), Ordering::Relaxed) + paths.len() >= MANY {
            self.vouched.get_or_init(|| self.pool.with(Vouched::of).flatten());
        }
        let search = |stretch: &[Arc<str>]| {
            let with_objects = |repo: &Repository| Some(self.holding_in(side, stretch, holds, &repo.odb().ok()?));
            self.pool.with(with_objects).flatten().unwrap_or_else(|| vec![false; stretch.len()])
        };
        let stretches: Vec<Vec<bool>> = paths.par_chunks(STRETCH).map(search).collect();
        stretches.concat()
    }
}
