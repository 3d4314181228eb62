//! How settled the changed files were: a bounded look back along first parents.
//!
//! Only trees on the way to the changed files are read, and of those only what differs between a commit and its parent,
//! so a commit that touches none of them costs its root tree. A history that is cut off shows too little to be told from
//! a quiet one, so it shows nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use git2::{Oid, Repository, Tree};

use super::revisions::stored_parents;
use crate::change::Past;

/// How many commits are looked at.
const MOST_COMMITS: u32 = 200;

/// How many trees are read; then the look ends, with the commits that it has seen.
const MOST_TREES: u32 = 6000;

/// Changed files by the folders that lead to them.
#[derive(Default)]
struct Folder<'p> {
    folders: BTreeMap<&'p str, Folder<'p>>,
    files: BTreeMap<&'p str, &'p Arc<str>>,
}

/// What the commits before a change did to some files; `None` where the history does not reach as far as the look.
pub(super) fn past(repo: &Repository, before: Oid, paths: &[Arc<str>]) -> Option<Past> {
    let mut root = Folder::default();
    for path in paths {
        let mut folder = &mut root;
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                folder.files.insert(part, path);
            } else {
                folder = folder.folders.entry(part).or_default();
            }
        }
    }
    let mut look = Look { repo, trees: 0, touched: Vec::new() };
    let mut past = Past::default();
    let mut commit = repo.find_commit(before).ok()?;
    while past.commits < MOST_COMMITS && look.trees < MOST_TREES {
        let parent = commit.parent(0).ok();
        if parent.is_none() && !stored_parents(&commit).is_empty() {
            return None;
        }
        look.touched.clear();
        look.compare(&root, parent.as_ref().map(git2::Commit::tree_id), Some(commit.tree_id()))?;
        let subject = commit.summary_bytes().map(|text| String::from_utf8_lossy(text).into_owned()).unwrap_or_default();
        for path in &look.touched {
            past.subjects.entry((*path).clone()).or_default().push(subject.clone());
        }
        past.commits += 1;
        let Some(parent) = parent else { break };
        commit = parent;
    }
    Some(past)
}

struct Look<'r, 'p> {
    repo: &'r Repository,
    trees: u32,
    touched: Vec<&'p Arc<str>>,
}

impl<'r, 'p> Look<'r, 'p> {
    /// Notes the files of a folder that two trees hold differently; `None` where an object is missing.
    fn compare(&mut self, folder: &Folder<'p>, before: Option<Oid>, after: Option<Oid>) -> Option<()> {
        if before == after {
            return Some(());
        }
        let (before, after) = (self.tree(before)?, self.tree(after)?);
        let id = |tree: &Option<Tree<'r>>, name: &str| Some(tree.as_ref()?.get_name(name)?.id());
        for (name, path) in &folder.files {
            if id(&before, name) != id(&after, name) {
                self.touched.push(path);
            }
        }
        for (name, inner) in &folder.folders {
            self.compare(inner, id(&before, name), id(&after, name))?;
        }
        Some(())
    }

    /// A tree; nothing where there is none, or where a file or a submodule stands in its place.
    fn tree(&mut self, id: Option<Oid>) -> Option<Option<Tree<'r>>> {
        let Some(id) = id else { return Some(None) };
        self.trees += 1;
        match self.repo.find_object(id, None) {
            Ok(object) => Some(object.into_tree().ok()),
            Err(_) => None,
        }
    }
}
