//! The work tree as git would store it.
//!
//! What the index knows to be unchanged is taken from the index. Only what differs is read from disk, once, so that the
//! review sees one state of it, and with line ends and `ident` turned back as `git add` would: a checkout with CRLF is
//! no change. A filter that is a command of its own (Git LFS, say) is not run; its files become coverage.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use git2::{AttrCheckFlags, AttrValue, DiffOptions, IndexEntry, Repository};

use super::{broken, id_of, listing};
use crate::change::pairing::{Content, Entries, Entry, Mode};
use crate::change::{BlobId, SIZE_LIMIT, Uncovered};
use crate::error::{Error, Result};

/// `git update-index --skip-worktree`, and what a sparse checkout leaves out.
const SKIP_WORKTREE: u16 = 1 << 14;
/// `git update-index --assume-unchanged`.
const ASSUME_UNCHANGED: u16 = 1 << 15;
/// How the text begins that Git LFS stores in the place of a file.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// The state of a work tree.
pub(super) struct WorkTree {
    pub(super) entries: Entries,
    /// What is no object of the repository.
    pub(super) own: BTreeMap<Vec<u8>, Content>,
    pub(super) coverage: Vec<Uncovered>,
}

/// Lists the work tree, untracked files that are not ignored included.
pub(super) fn listing(repo: &Repository) -> Result<WorkTree> {
    let Some(root) = repo.workdir().map(Path::to_path_buf) else { return Err(Error::Bare { what: "work tree" }) };
    let index = repo.index().map_err(broken)?;
    let mut work = WorkTree {
        entries: listing::of_index(&index).map_err(broken)?.entries,
        own: BTreeMap::new(),
        coverage: Vec::new(),
    };
    let frozen: BTreeSet<Vec<u8>> = index.iter().filter(is_frozen).map(|entry| entry.path).collect();

    let mut options = DiffOptions::new();
    options
        .include_untracked(true)
        .recurse_untracked_dirs(true)
        .include_typechange(true)
        .include_unreadable(true)
        .ignore_submodules(true)
        .update_index(false);
    let diff = repo.diff_index_to_workdir(Some(&index), Some(&mut options)).map_err(broken)?;
    let mut differing: BTreeSet<Vec<u8>> = BTreeSet::new();
    for delta in diff.deltas() {
        differing
            .extend([delta.old_file(), delta.new_file()].iter().filter_map(|file| Some(file.path_bytes()?.to_vec())));
    }

    let reader = Reader::new(repo, root);
    for path in differing {
        if frozen.contains(&path) {
            continue;
        }
        if path.ends_with(b"/") {
            let path = String::from_utf8_lossy(&path).into_owned();
            work.coverage
                .push(Uncovered { path, why: "an untracked folder that is a repository of its own".to_owned() });
            continue;
        }
        let known = work.entries.remove(&path);
        if known.is_some_and(|known| known.mode == Mode::Submodule) {
            work.entries.extend(known.map(|known| (path, known)));
            continue;
        }
        let Some((mode, content)) = reader.read(&path, known.map(|known| known.mode)) else { continue };
        let id = match &content {
            Content::Text(text) => BlobId::of(text.as_bytes()),
            // No object has this id, so the entry counts as changed, and `own` says why it is not read.
            Content::Unread(_) | Content::Missing => BlobId([0; 20]),
        };
        work.entries.insert(path.clone(), Entry { mode, id });
        work.own.insert(path, content);
    }
    submodules(&reader, &mut work.entries);
    Ok(work)
}

/// Whether the work tree has no say about an entry.
pub(super) fn is_frozen(entry: &IndexEntry) -> bool {
    entry.flags_extended & SKIP_WORKTREE != 0 || entry.flags & ASSUME_UNCHANGED != 0
}

/// Submodules whose checked-out commit is not the one in the index.
fn submodules(reader: &Reader<'_>, entries: &mut Entries) {
    for (path, entry) in entries.iter_mut().filter(|(_, entry)| entry.mode == Mode::Submodule) {
        let head = Repository::open(reader.place(path)).ok().and_then(|repo| repo.head().ok()?.target());
        if let Some(head) = head {
            entry.id = id_of(head);
        }
    }
}

/// Reads files as git would store them.
pub(super) struct Reader<'repo> {
    repo: &'repo Repository,
    root: PathBuf,
    trusts_mode: bool,
    /// Whether new objects stay in memory.
    in_memory: OnceCell<()>,
}

impl<'repo> Reader<'repo> {
    pub(super) fn new(repo: &'repo Repository, root: PathBuf) -> Self {
        let trusts_mode =
            cfg!(unix) && repo.config().and_then(|config| config.get_bool("core.filemode")).unwrap_or(true);
        Self { repo, root, trusts_mode, in_memory: OnceCell::new() }
    }

    fn place(&self, path: &[u8]) -> PathBuf {
        self.root.join(path_of(path))
    }

    /// The mode and content of a path; `None` where there is no file.
    pub(super) fn read(&self, path: &[u8], known: Option<Mode>) -> Option<(Mode, Content)> {
        let place = self.place(path);
        let meta = fs::symlink_metadata(&place).ok()?;
        if meta.is_symlink() {
            let target = fs::read_link(&place).ok()?;
            return Some((Mode::Link, Content::Text(target.to_string_lossy().into())));
        }
        if !meta.is_file() {
            return None;
        }
        let mode = match known {
            Some(known @ (Mode::File | Mode::Executable)) if !self.trusts_mode => known,
            _ if self.trusts_mode && is_executable(&meta) => Mode::Executable,
            _ => Mode::File,
        };
        if meta.len() > SIZE_LIMIT as u64 {
            return Some((mode, Content::too_large()));
        }
        let content = match fs::read(&place) {
            Ok(bytes) => self.stored(path, &place, bytes),
            Err(error) => Content::Unread(format!("cannot be read: {}", error.kind())),
        };
        Some((mode, content))
    }

    /// What git would store for these bytes.
    fn stored(&self, path: &[u8], place: &Path, bytes: Vec<u8>) -> Content {
        if let Some(filter) = self.command_filter(path)
            && !bytes.starts_with(LFS_POINTER)
        {
            return Content::Unread(format!("stored through the filter `{filter}`, which only git runs"));
        }
        // Only these bytes can look different in store.
        if memchr::memchr(b'\r', &bytes).is_none() && memchr::memmem::find(&bytes, b"$Id").is_none() {
            return Content::of_bytes(&bytes);
        }
        self.through_git(place).unwrap_or_else(|_| Content::of_bytes(&bytes))
    }

    /// Lets libgit2 turn a file into a blob that lives in memory only.
    fn through_git(&self, place: &Path) -> std::result::Result<Content, git2::Error> {
        if self.in_memory.get().is_none() {
            // The highest priority: this backend takes whatever is written, and nothing reaches the repository.
            self.repo.odb()?.add_new_mempack_backend(1000)?;
            self.in_memory.get_or_init(|| ());
        }
        let id = self.repo.blob_path(place)?;
        Ok(Content::of_bytes(self.repo.find_blob(id)?.content()))
    }

    fn command_filter(&self, path: &[u8]) -> Option<String> {
        let value = self.repo.get_attr_bytes(&path_of(path), "filter", AttrCheckFlags::FILE_THEN_INDEX).ok().flatten();
        match AttrValue::from_bytes(value) {
            AttrValue::String(name) => Some(name.to_owned()),
            AttrValue::Bytes(name) => Some(String::from_utf8_lossy(name).into_owned()),
            AttrValue::True | AttrValue::False | AttrValue::Unspecified => None,
        }
    }
}

#[cfg(unix)]
fn path_of(path: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(path))
}

#[cfg(not(unix))]
fn path_of(path: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(path).into_owned())
}

#[cfg(unix)]
fn is_executable(meta: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    meta.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
}
