//! What a tree or an index holds, as plain listings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use git2::{ObjectType, Oid, Repository, Tree};

use rustc_hash::FxHashMap;

use super::id_of;
use super::trees::Pool;
use crate::change::pairing::{Entries, Entry, Mode};

/// `git add -N`: the entry says only that the file will be added.
const INTENT_TO_ADD: u16 = 1 << 13;

/// What a tree names: an object and its mode, `None` for a folder.
type Named = (Oid, Option<Mode>);

/// One folder's own entries by name.
type Folder = BTreeMap<Vec<u8>, Named>;

/// An index, stage by stage.
pub(super) struct Index {
    /// What would be committed.
    pub(super) entries: Entries,
    /// Paths with an unresolved conflict.
    pub(super) unmerged: BTreeSet<Vec<u8>>,
}

/// The listing of one tree; `None` stands for the empty tree.
pub(super) fn of_tree(repo: &Repository, tree: Option<Oid>) -> Result<Entries, git2::Error> {
    let mut files = Vec::new();
    // The last is the next: git sorts a folder as if its name ended in a slash, so that paths come out in their order.
    let mut work: Vec<(Vec<u8>, Named)> = tree.map(|tree| (Vec::new(), (tree, None))).into_iter().collect();
    while let Some((path, (id, mode))) = work.pop() {
        let Some(mode) = mode else {
            for entry in repo.find_tree(id)?.iter().rev() {
                let Some(mode) = mode_of(entry.filemode(), entry.kind()) else { continue };
                let mut below = Vec::with_capacity(path.len() + entry.name_bytes().len() + 1);
                below.extend_from_slice(&path);
                below.extend_from_slice(entry.name_bytes());
                below.extend(mode.is_none().then_some(b'/'));
                work.push((below, (entry.id(), mode)));
            }
            continue;
        };
        files.push((path, Entry { mode, id: id_of(id) }));
    }
    Ok(files.into_iter().collect())
}

/// The listings of two trees without what they share. Equal folders are not entered.
pub(super) fn of_two_trees(
    repo: &Repository,
    before: Option<Oid>,
    after: Option<Oid>,
) -> Result<(Entries, Entries), git2::Error> {
    let (mut old, mut new) = (Entries::new(), Entries::new());
    let mut folders = vec![(Vec::new(), before, after)];
    while let Some((prefix, before, after)) = folders.pop() {
        if before == after {
            continue;
        }
        let names = |tree: Option<Oid>| tree.map_or_else(|| Ok(Folder::new()), |tree| folder(repo, tree));
        let (before, mut after) = (names(before)?, names(after)?);
        let mut visit = |name: Vec<u8>, left: Option<Named>, right: Option<Named>| {
            let mut path = prefix.clone();
            path.extend_from_slice(&name);
            let folder = |half: Option<Named>| half.filter(|(_, mode)| mode.is_none()).map(|(id, _)| id);
            let file = |half: Option<Named>| half.and_then(|(id, mode)| Some(Entry { mode: mode?, id: id_of(id) }));
            old.extend(file(left).map(|entry| (path.clone(), entry)));
            new.extend(file(right).map(|entry| (path.clone(), entry)));
            if folder(left).is_some() || folder(right).is_some() {
                path.push(b'/');
                folders.push((path, folder(left), folder(right)));
            }
        };
        for (name, left) in before {
            let right = after.remove(&name);
            if right != Some(left) {
                visit(name, Some(left), right);
            }
        }
        for (name, right) in after {
            visit(name, None, Some(right));
        }
    }
    Ok((old, new))
}

fn folder(repo: &Repository, tree: Oid) -> Result<Folder, git2::Error> {
    let tree: Tree<'_> = repo.find_tree(tree)?;
    let named = tree.iter().filter_map(|entry| {
        Some((entry.name_bytes().to_vec(), (entry.id(), mode_of(entry.filemode(), entry.kind())?)))
    });
    Ok(named.collect())
}

/// The folders of one tree, each read when it is first asked for. Names lead to the same few folders again and again, and
/// a large one is no sooner read than forgotten by libgit2.
#[derive(Default)]
pub(super) struct Folders {
    known: Mutex<FxHashMap<String, Arc<Folder>>>,
}

impl Folders {
    /// What stands at a path below a tree, folders left out.
    pub(super) fn entry(&self, pool: &Pool, tree: Oid, path: &str) -> Option<Entry> {
        let mut here = self.folder(pool, "", tree)?;
        let mut from = 0;
        while let Some(length) = path[from..].find('/') {
            let (id, mode) = *here.get(&path.as_bytes()[from..from + length])?;
            if mode.is_some() {
                return None;
            }
            here = self.folder(pool, &path[..from + length], id)?;
            from += length + 1;
        }
        let (id, mode) = *here.get(&path.as_bytes()[from..])?;
        Some(Entry { mode: mode?, id: id_of(id) })
    }

    fn folder(&self, pool: &Pool, path: &str, tree: Oid) -> Option<Arc<Folder>> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = known().get(path) {
            return Some(folder.clone());
        }
        let read = Arc::new(pool.with(|repo| folder(repo, tree).ok())??);
        // Two may have read it at once: one of the two is kept, for both.
        Some(known().entry(path.to_owned()).or_insert(read).clone())
    }
}

/// What an index holds.
pub(super) fn of_index(index: &git2::Index) -> Result<Index, git2::Error> {
    let (mut entries, mut unmerged) = (Entries::new(), BTreeSet::new());
    for entry in index.iter() {
        let stage = (entry.flags >> 12) & 3;
        if stage != 0 {
            unmerged.insert(entry.path);
        } else if entry.flags_extended & INTENT_TO_ADD == 0
            && let Some(Some(mode)) = mode_of(entry.mode as i32, None)
        {
            entries.insert(entry.path, Entry { mode, id: id_of(entry.id) });
        }
    }
    Ok(Index { entries, unmerged })
}

/// The sort of an entry: `Some(None)` for a folder, `None` for what git itself would refuse.
fn mode_of(mode: i32, kind: Option<ObjectType>) -> Option<Option<Mode>> {
    match mode & 0o170_000 {
        0o040_000 => (kind != Some(ObjectType::Blob)).then_some(None),
        0o120_000 => Some(Some(Mode::Link)),
        0o160_000 => Some(Some(Mode::Submodule)),
        0o100_000 if mode & 0o100 != 0 => Some(Some(Mode::Executable)),
        0o100_000 => Some(Some(Mode::File)),
        _ => None,
    }
}

/// The mode of a regular file; `None` for anything else.
pub(super) fn file_mode(mode: i32) -> Option<Mode> {
    mode_of(mode, None).flatten().filter(|mode| matches!(mode, Mode::File | Mode::Executable))
}
