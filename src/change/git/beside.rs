//! What the work tree holds beside a range that ends at `HEAD`, and what its author may take to be part of it.
//!
//! Only the files of the range and the folders that they stand in are looked at: to ask the whole work tree would cost
//! more than to read the change.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use git2::Repository;

use super::revisions::{self, Point};
use super::trees::GitTrees;
use super::worktree::{Reader, is_frozen};
use crate::change::pairing::{Content, Mode};
use crate::change::{ChangedFile, FileSide, Notice, Trees};
use crate::error::Result;
use crate::text::{Language, Side};

/// Whether a range ends where the work tree begins.
pub(super) fn ends_at_work_tree(repo: &Repository, after: &Point) -> Result<bool> {
    let ends_at_head = revisions::head(repo)?.is_some_and(|head| head.commit == after.commit);
    Ok(ends_at_head && repo.workdir().is_some())
}

/// A notice when the work tree has other texts for files of the range, or new source files beside them. `before` is how
/// the user names the start of the range.
pub(super) fn notice(trees: &GitTrees, files: &[ChangedFile], before: &str) -> Option<Notice> {
    let root = trees.with(|repo| repo.workdir().map(Path::to_path_buf))??;
    let sides = || files.iter().filter_map(|file| file.after.as_ref());
    let suspects: Vec<&FileSide> = sides().filter(|file| !is_as_committed(&root, file)).collect();
    let folders: BTreeSet<&str> =
        sides().map(|file| file.path.rsplit_once('/').map_or("", |(above, _)| above)).collect();
    let unknown: Vec<String> = folders.into_iter().flat_map(|folder| sources_in(&root, folder)).collect();
    let unknown: Vec<String> = unknown.into_iter().filter(|path| !trees.has(Side::After, path)).collect();
    if suspects.is_empty() && unknown.is_empty() {
        return None;
    }
    let count = |repo: &Repository| {
        let reader = Reader::new(repo, root.clone());
        let changed = suspects.iter().filter(|file| differs(repo, &reader, file)).count();
        let new = unknown.iter().filter(|path| !repo.is_path_ignored(path).unwrap_or(false)).count();
        (changed, new)
    };
    let (changed, new) = trees.with(count)?;
    let files = |count: usize| if count == 1 { "file" } else { "files" };
    let held = match (changed, new) {
        (0, 0) => return None,
        (0, new) => format!("holds {new} new {} beside those of this range", files(new)),
        (changed, 0) => format!("changes {changed} {} of this range further", files(changed)),
        (changed, new) => format!(
            "changes {changed} {} of this range further and holds {new} new {} beside them",
            files(changed),
            files(new)
        ),
    };
    Some(Notice::new("dirty-work-tree", format!("the work tree {held}; `tenth {before}` includes that")))
}

/// Whether a file holds the very bytes that were committed; most do.
fn is_as_committed(root: &Path, file: &FileSide) -> bool {
    let place = root.join(&*file.path);
    let may_hold =
        fs::symlink_metadata(&place).is_ok_and(|meta| meta.is_file() && meta.len() == file.text.len() as u64);
    may_hold && fs::read(&place).is_ok_and(|bytes| bytes == file.text.as_bytes())
}

/// Whether git would commit another text for a file.
fn differs(repo: &Repository, reader: &Reader<'_>, file: &FileSide) -> bool {
    let is_other = match reader.read(file.path.as_bytes(), Some(Mode::File)) {
        Some((_, Content::Text(text))) => text != file.text,
        Some((_, Content::Unread(_) | Content::Missing)) => false,
        None => true,
    };
    // A sparse checkout lacks files that nobody deleted.
    let is_left_alone = || {
        let index = repo.index().ok()?;
        Some(is_frozen(&index.get_path(Path::new(&*file.path), 0)?))
    };
    is_other && !is_left_alone().unwrap_or(false)
}

/// The paths of the source files that stand in a folder.
fn sources_in(root: &Path, folder: &str) -> Vec<String> {
    // A folder that cannot be read is no reason to fail: the range itself does not need it.
    let Ok(inside) = fs::read_dir(root.join(folder)) else { return Vec::new() };
    let sources = inside.filter_map(|file| {
        let file = file.ok()?;
        let name = file.file_name().into_string().ok()?;
        let is_source = Language::of_path(&name).is_some() && file.file_type().is_ok_and(|kind| kind.is_file());
        is_source.then(|| if folder.is_empty() { name } else { format!("{folder}/{name}") })
    });
    sources.collect()
}
