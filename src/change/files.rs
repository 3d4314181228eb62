//! Files and folders as they stand, against an empty before side.
//!
//! Folders are walked in byte order; `.git`, `target`, `node_modules`, `__pycache__` and `.venv` are left out, and what
//! git is told to ignore, or outside of a repository other places where packages are installed. Links are not followed,
//! and only source files are taken. A file named by itself is taken whatever its ending, and an ignored folder that is
//! named is walked. Paths are told
//! from the folder the user stands in (or names with `-C`); if something outside it is named, from the deepest folder
//! that holds everything named. That folder is the root against which modules import each other.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::git::Ignored;
use super::pairing::{Content, Entries, Entry, Mode, pair};
use super::{Blob, BlobId, ChangeSet, Description, Kind, Notice, SIZE_LIMIT, Trees, is_listed};
use crate::error::{Error, Result};
use crate::text::Side;

/// Folders that hold no code of the user's.
const SKIPPED: [&str; 5] = [".git", "target", "node_modules", "__pycache__", ".venv"];

/// Folders that hold installed packages, where nobody says what is to be ignored.
const INSTALLED: [&str; 5] = ["venv", ".tox", ".nox", ".eggs", "site-packages"];

/// The files that `paths` name, as one change that adds them all.
pub(super) fn check(paths: &[PathBuf], folder: Option<&Path>) -> Result<ChangeSet> {
    let unreadable = |path: &Path, reason: String| Error::Unreadable { path: path.display().to_string(), reason };
    let here = std::env::current_dir().map_err(|error| unreadable(Path::new("."), error.to_string()))?;
    let here = folder.map_or_else(|| here.clone(), |folder| plain(&here.join(folder)));
    let mut named = Vec::new();
    for path in paths {
        let place = plain(&here.join(path));
        let meta = fs::metadata(&place).map_err(|error| unreadable(path, error.to_string()))?;
        named.push((place, meta.is_dir()));
    }
    let root = root(&here, &named);

    let mut found: BTreeMap<Vec<u8>, (Mode, Content)> = BTreeMap::new();
    for (place, is_folder) in &named {
        if *is_folder {
            for (file, mode) in walk(place) {
                let content = if mode == Mode::Link { Content::Missing } else { read(&file) };
                found.insert(path_below(&root, &file), (mode, content));
            }
        } else {
            found.insert(path_below(&root, place), (Mode::File, read(place)));
        }
    }

    let entry = |(mode, content): &(Mode, Content)| match content {
        Content::Text(text) => Entry { mode: *mode, id: BlobId::of(text.as_bytes()) },
        Content::Unread(_) | Content::Missing => Entry { mode: *mode, id: BlobId([0; 20]) },
    };
    let after: Entries = found.iter().map(|(path, file)| (path.clone(), entry(file))).collect();
    let content = |path: &[u8]| found.get(path).map_or(Content::Missing, |(_, content)| content.clone());
    let paired = pair(Entries::new(), after, &|_, path, _| content(path));
    let texts = paired.files.iter().filter_map(|file| file.after.as_ref());
    let mut notices = paired.notices;
    if paired.files.is_empty() && paired.coverage.is_empty() {
        let named: Vec<String> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
        let text = format!("there is no source file in {}", named.join(", "));
        notices.push(Notice::new("no-source-files", text));
    }
    let known = texts.map(|side| (side.path.clone(), Blob { id: side.id, text: side.text.clone() })).collect();
    Ok(ChangeSet {
        description: Description {
            kind: Kind::Files,
            before: None,
            after: None,
            how: "files as they stand, every line counted as added".to_owned(),
        },
        files: paired.files,
        commits: Vec::new(),
        notices,
        coverage: paired.coverage,
        past: None,
        trees: Arc::new(DiskTrees { root, known, listed: OnceLock::new() }),
    })
}

/// The folder from which the files that `paths` name are told.
pub(super) fn root_of(paths: &[PathBuf], folder: Option<&Path>) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let here = folder.map_or_else(|| here.clone(), |folder| plain(&here.join(folder)));
    let places: Vec<PathBuf> = paths.iter().map(|path| plain(&here.join(path))).collect();
    let named: Vec<(PathBuf, bool)> = places.into_iter().map(|place| (place.clone(), place.is_dir())).collect();
    root(&here, &named)
}

/// A path without `.` and, as far as its own text tells, without `..`.
pub(super) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
        }
    }
    plain
}

/// The folder from which paths are told.
fn root(here: &Path, named: &[(PathBuf, bool)]) -> PathBuf {
    if named.iter().all(|(place, _)| place.starts_with(here)) {
        return here.to_path_buf();
    }
    let folder = |(place, is_folder): &(PathBuf, bool)| {
        if *is_folder { place.clone() } else { place.parent().unwrap_or(place).to_path_buf() }
    };
    let shared = |one: PathBuf, two: PathBuf| {
        one.components().zip(two.components()).take_while(|(one, two)| one == two).map(|(part, _)| part).collect()
    };
    named.iter().map(folder).reduce(shared).unwrap_or_else(|| here.to_path_buf())
}

/// A path from the root in bytes, with forward slashes.
fn path_below(root: &Path, place: &Path) -> Vec<u8> {
    let below = place.strip_prefix(root).unwrap_or(place);
    let parts: Vec<&[u8]> = below.components().map(|part| part.as_os_str().as_encoded_bytes()).collect();
    parts.join(&b'/')
}

/// The source files below a folder, and links with the name of one.
fn walk(folder: &Path) -> Vec<(PathBuf, Mode)> {
    let ignored = Ignored::below(folder);
    let skips_installed =
        ignored.is_none() && !folder.components().any(|part| INSTALLED.iter().any(|name| part.as_os_str() == *name));
    let ignored = ignored.filter(|ignored| !ignored.is_whole());
    let is_ignored = |place: &Path| ignored.as_ref().is_some_and(|ignored| ignored.has(place));
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        // A folder that cannot be entered holds nothing for the reader either.
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            let name = entry.file_name();
            if kind.is_dir() {
                let is_skipped = SKIPPED.iter().any(|skipped| name == *skipped)
                    || (skips_installed && INSTALLED.iter().any(|skipped| name == *skipped));
                if !is_skipped && !is_ignored(&entry.path()) {
                    folders.push(entry.path());
                }
            } else if is_listed(&name.to_string_lossy()) && !is_ignored(&entry.path()) {
                files.push((entry.path(), if kind.is_symlink() { Mode::Link } else { Mode::File }));
            }
        }
    }
    files
}

fn read(place: &Path) -> Content {
    let unread = |error: std::io::Error| Content::Unread(format!("cannot be read: {}", error.kind()));
    match fs::metadata(place) {
        Ok(meta) if !meta.is_file() => Content::Unread("not a regular file".to_owned()),
        Ok(meta) if meta.len() > SIZE_LIMIT as u64 => Content::too_large(),
        Ok(_) => fs::read(place).map_or_else(unread, |bytes| Content::of_bytes(&bytes)),
        Err(error) => unread(error),
    }
}

/// The files below the root, as they are on disk.
struct DiskTrees {
    root: PathBuf,
    /// What the change holds already: it is not read a second time.
    known: BTreeMap<Arc<str>, Blob>,
    listed: OnceLock<Arc<[Arc<str>]>>,
}

impl DiskTrees {
    /// The place of a path that leads nowhere but below the root.
    fn place(&self, side: Side, path: &str) -> Option<PathBuf> {
        let stays_below = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        (side == Side::After && stays_below).then(|| self.root.join(path))
    }

    /// Whether a link stands on the way to a path below the root: such a way may lead anywhere.
    fn is_linked(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        let is_link = |part: &str| fs::symlink_metadata(self.root.join(part)).is_ok_and(|meta| meta.is_symlink());
        ends.map(|end| &path[..end]).any(is_link)
    }
}

impl Trees for DiskTrees {
    fn read(&self, side: Side, path: &str) -> Option<Blob> {
        let place = self.place(side, path)?;
        if let Some(known) = self.known.get(path) {
            return Some(known.clone());
        }
        match read(&place) {
            Content::Text(text) if !self.is_linked(path) => Some(Blob::new(text)),
            Content::Text(_) | Content::Unread(_) | Content::Missing => None,
        }
    }

    fn has(&self, side: Side, path: &str) -> bool {
        let is_there = |place: PathBuf| place.is_file() && !self.is_linked(path);
        self.place(side, path).is_some_and(|place| self.known.contains_key(path) || is_there(place))
    }

    fn list(&self, side: Side) -> Arc<[Arc<str>]> {
        if side == Side::Before {
            return Arc::from([]);
        }
        let list = || -> Arc<[Arc<str>]> {
            let files = walk(&self.root).into_iter().filter(|(_, mode)| *mode == Mode::File);
            let mut paths: Vec<Arc<str>> = files
                .filter_map(|(file, _)| String::from_utf8(path_below(&self.root, &file)).ok())
                .map(Arc::from)
                .chain(self.known.keys().cloned())
                .collect();
            paths.sort();
            paths.dedup();
            paths.into()
        };
        self.listed.get_or_init(list).clone()
    }
}
