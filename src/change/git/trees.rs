//! Any file of either side, read from several threads.
//!
//! A repository handle belongs to one thread at a time, so handles wait in a pool and are opened on demand.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use git2::{ObjectType, Oid, Repository};

use super::{Found, Place, id_of, listing};
use crate::change::pairing::{Content, Entries, Entry, Mode};
use crate::change::{Blob, SIZE_LIMIT, Trees, is_listed};
use crate::text::Side;

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
    fn with<T>(&self, work: impl FnOnce(&Repository) -> T) -> Option<T> {
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
}

struct Half {
    tree: SideTree,
    listed: OnceLock<Arc<[Arc<str>]>>,
}

impl GitTrees {
    pub(super) fn new(pool: Pool, before: SideTree, after: SideTree) -> Self {
        let half = |tree| Half { tree, listed: OnceLock::new() };
        Self { pool, before: half(before), after: half(after) }
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

    fn half(&self, side: Side) -> &Half {
        match side {
            Side::Before => &self.before,
            Side::After => &self.after,
        }
    }

    /// The entry of a regular file.
    fn entry(&self, side: Side, path: &str) -> Option<Entry> {
        let entry = match &self.half(side).tree {
            SideTree::Empty => None,
            SideTree::Listed { entries, .. } => entries.get(path.as_bytes()).copied(),
            SideTree::Tree(tree) => self.pool.with(|repo| {
                let found = repo.find_tree(*tree).ok()?.get_path(Path::new(path)).ok()?;
                let mode = if found.filemode() & 0o170_000 == 0o100_000 { Mode::File } else { Mode::Link };
                (found.kind() == Some(ObjectType::Blob)).then(|| Entry { mode, id: id_of(found.id()) })
            })?,
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

    fn has(&self, side: Side, path: &str) -> bool {
        match self.half(side).listed.get() {
            Some(listed) if is_listed(path) => listed.binary_search_by(|listed| (**listed).cmp(path)).is_ok(),
            _ => self.entry(side, path).is_some(),
        }
    }

    fn list(&self, side: Side) -> Arc<[Arc<str>]> {
        let half = self.half(side);
        let list = || -> Arc<[Arc<str>]> {
            let of_tree;
            let entries = match &half.tree {
                SideTree::Empty => return Arc::from([]),
                SideTree::Listed { entries, .. } => entries,
                SideTree::Tree(tree) => {
                    of_tree =
                        self.pool.with(|repo| listing::of_tree(repo, Some(*tree)).ok()).flatten().unwrap_or_default();
                    &of_tree
                }
            };
            entries
                .iter()
                .filter(|(_, entry)| matches!(entry.mode, Mode::File | Mode::Executable))
                .filter_map(|(path, _)| std::str::from_utf8(path).ok().filter(|path| is_listed(path)).map(Arc::from))
                .collect()
        };
        half.listed.get_or_init(list).clone()
    }
}
