//! Two listings of files become changed files.
//!
//! Every source lists what each side holds as path, mode and hash, and can give the content of an entry. Here the two
//! listings are compared, renames are found, and what is no text is set aside as coverage, so that all sources agree.
//!
//! A rename is a deleted and an added file of one language with the same text, or with at least half of the larger
//! one's bytes in common lines. Exact pairs come first, then the most alike; equal file names win, then path order. The
//! work is bounded in lines: beyond it only files with equal names are compared, and a notice says so.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHasher;

use super::{BlobId, ChangedFile, FileSide, Notice, SIZE_LIMIT, Status, Uncovered, hunks};
use crate::text::{Language, Side};

/// Why an entry that a listing names cannot be read.
const NOT_HERE: &str =
    "its content is not in this repository; in a partial clone `git fetch --refetch --no-filter` brings it";

/// The changed source files whose content a listing promises and cannot give.
pub(super) fn lost(coverage: &[Uncovered]) -> Vec<&str> {
    let is_lost = |row: &&Uncovered| row.why == NOT_HERE && Language::of_path(&row.path).is_some();
    coverage.iter().filter(is_lost).map(|row| row.path.as_str()).collect()
}

/// How many lines may be looked at to find similar files.
const RENAME_LINES: usize = 20_000_000;

/// What a side holds, by path from the root in bytes.
pub(super) type Entries = BTreeMap<Vec<u8>, Entry>;

/// One entry of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) mode: Mode,
    pub(super) id: BlobId,
}

impl Entry {
    /// A plain file.
    pub(super) fn file(id: BlobId) -> Self {
        Self { mode: Mode::File, id }
    }
}

/// What sort of thing an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    File,
    Executable,
    Link,
    Submodule,
}

impl Mode {
    fn is_file(self) -> bool {
        matches!(self, Self::File | Self::Executable)
    }

    fn name(self) -> &'static str {
        match self {
            Self::File | Self::Executable => "a file",
            Self::Link => "a symbolic link",
            Self::Submodule => "a submodule",
        }
    }
}

/// What an entry turned out to hold.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Text(Arc<str>),
    /// No text that can be reviewed, and why.
    Unread(String),
    /// The listing names it, but it cannot be had.
    Missing,
}

impl Content {
    /// Sorts bytes into text and what is not; the test for binary is git's.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        if bytes.len() > SIZE_LIMIT {
            return Self::too_large();
        }
        if memchr::memchr(0, &bytes[..bytes.len().min(8000)]).is_some() {
            return Self::Unread("binary".to_owned());
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(Arc::from(text)),
            Err(_) => Self::Unread("not UTF-8".to_owned()),
        }
    }

    pub(super) fn of_text(text: Arc<str>) -> Self {
        if text.len() > SIZE_LIMIT { Self::too_large() } else { Self::Text(text) }
    }

    pub(super) fn too_large() -> Self {
        Self::Unread(format!("larger than {} KiB", SIZE_LIMIT / 1024))
    }
}

/// Gives the content of an entry of a side; called from several threads.
pub(super) type Read<'a> = dyn Fn(Side, &[u8], Entry) -> Content + Sync + 'a;

/// What comes of two listings.
#[derive(Default)]
pub(super) struct Paired {
    pub(super) files: Vec<ChangedFile>,
    pub(super) coverage: Vec<Uncovered>,
    pub(super) notices: Vec<Notice>,
}

/// How files end that hold code which no parser here takes as it stands.
const NOTEBOOK: &str = ".ipynb";

/// A file of both sides, or of one.
struct Couple {
    before: Option<(Vec<u8>, Entry)>,
    after: Option<(Vec<u8>, Entry)>,
}

/// Compares two listings. Entries that both sides share may be left out of both.
pub(super) fn pair(before: Entries, after: Entries, read: &Read<'_>) -> Paired {
    let (couples, renames_bounded) = couples(before, after, read);
    let parts: Vec<(Option<ChangedFile>, Vec<Uncovered>)> =
        couples.into_par_iter().map(|couple| changed_file(couple, read)).collect();
    let mut paired = Paired::default();
    for (file, coverage) in parts {
        paired.files.extend(file);
        paired.coverage.extend(coverage);
    }
    paired.files.sort_by(|one, two| one.path().as_bytes().cmp(two.path().as_bytes()));
    paired.coverage.sort();
    if renames_bounded {
        let text = "too many files were added and removed to look for renames among all of them: only files of the \
                    same name were compared";
        paired.notices.push(Notice::new("renames-bounded", text));
    }
    paired
}

fn changed_file(couple: Couple, read: &Read<'_>) -> (Option<ChangedFile>, Vec<Uncovered>) {
    let row = |path: &[u8], why: String| Uncovered { path: String::from_utf8_lossy(path).into_owned(), why };
    let open = |side: Side, half: &Option<(Vec<u8>, Entry)>| -> Result<Option<FileSide>, Uncovered> {
        let Some((path, entry)) = half.as_ref().filter(|(_, entry)| entry.mode.is_file()) else { return Ok(None) };
        let Ok(utf8) = std::str::from_utf8(path) else {
            return Err(row(path, "its path is not UTF-8".to_owned()));
        };
        match read(side, path, *entry) {
            Content::Text(text) => Ok(Some(FileSide { path: Arc::from(utf8), text, id: entry.id })),
            Content::Unread(why) => Err(row(path, why)),
            Content::Missing => Err(row(path, NOT_HERE.to_owned())),
        }
    };
    let odd = [(&couple.after, ""), (&couple.before, "was ")].into_iter().find_map(|(half, was)| {
        let (path, entry) = half.as_ref().filter(|(_, entry)| !entry.mode.is_file())?;
        Some(row(path, format!("{was}{}", entry.mode.name())))
    });
    // The after side first, and one row a path: what keeps it from being read usually holds of the before side too.
    let sides = open(Side::After, &couple.after)
        .and_then(|after| open(Side::Before, &couple.before).map(|before| (before, after)));
    let (before, after) = match sides {
        Ok((None, None)) => return (None, odd.into_iter().collect()),
        Ok(sides) => sides,
        Err(unread) => return (None, odd.into_iter().chain([unread]).collect()),
    };
    let file = ChangedFile::new(status_of(&couple), before, after);
    let mut coverage = Vec::from_iter(odd);
    if file.after.as_ref().is_some_and(|after| after.path.ends_with(NOTEBOOK)) {
        let why = "a notebook: the code in its cells is not read".to_owned();
        coverage.push(Uncovered { path: file.path().to_string(), why });
    }
    if file.hunks.iter().any(|&hunk| hunk.before.count > 0 && hunks::is_unaligned(hunk)) {
        let why = "too many lines differ to line them up: what differs counts as replaced".to_owned();
        coverage.push(Uncovered { path: file.path().to_string(), why });
    }
    (Some(file), coverage)
}

fn status_of(couple: &Couple) -> Status {
    match (&couple.before, &couple.after) {
        (None, _) => Status::Added,
        (_, None) => Status::Deleted,
        (Some((_, before)), Some((_, after))) if before.mode.is_file() != after.mode.is_file() => Status::TypeChanged,
        (Some((old, _)), Some((new, _))) if old != new => Status::Renamed,
        (Some((_, before)), Some((_, after))) if before.id == after.id => Status::ModeChanged,
        (Some(_), Some(_)) => Status::Modified,
    }
}

/// Couples entries by path, then by rename. Says whether the search for renames was cut short.
fn couples(before: Entries, mut after: Entries, read: &Read<'_>) -> (Vec<Couple>, bool) {
    let mut couples = Vec::new();
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for (path, old) in before {
        match after.remove(&path) {
            Some(new) if new == old => {}
            Some(new) => couples.push(Couple { before: Some((path.clone(), old)), after: Some((path, new)) }),
            None => removed.push((path, old)),
        }
    }
    added.extend(after);

    let (pairs, bounded) = renames(&removed, &added, read);
    let (mut old_taken, mut new_taken) = (BTreeSet::new(), BTreeSet::new());
    for (old, new) in pairs {
        old_taken.insert(old);
        new_taken.insert(new);
        couples.push(Couple { before: Some(removed[old].clone()), after: Some(added[new].clone()) });
    }
    let left = |half: Vec<(Vec<u8>, Entry)>, taken: BTreeSet<usize>| {
        half.into_iter().enumerate().filter(move |(at, _)| !taken.contains(at)).map(|(_, half)| half)
    };
    couples.extend(left(removed, old_taken).map(|half| Couple { before: Some(half), after: None }));
    couples.extend(left(added, new_taken).map(|half| Couple { before: None, after: Some(half) }));
    (couples, bounded)
}

/// Which removed file became which added file, as indices.
fn renames(removed: &[(Vec<u8>, Entry)], added: &[(Vec<u8>, Entry)], read: &Read<'_>) -> (Vec<(usize, usize)>, bool) {
    let empty = BlobId::of(b"");
    let is_candidate = |half: &(Vec<u8>, Entry)| half.1.mode.is_file() && half.1.id != empty;
    let old: Vec<usize> = (0..removed.len()).filter(|&at| is_candidate(&removed[at])).collect();
    let new: Vec<usize> = (0..added.len()).filter(|&at| is_candidate(&added[at])).collect();
    if old.is_empty() || new.is_empty() {
        return (Vec::new(), false);
    }

    let (mut old_free, mut new_free): (BTreeSet<usize>, BTreeSet<usize>) =
        (old.iter().copied().collect(), new.iter().copied().collect());
    let mut pairs = Vec::new();

    let mut by_id: BTreeMap<BlobId, Vec<usize>> = BTreeMap::new();
    for &at in &old {
        by_id.entry(removed[at].1.id).or_default().push(at);
    }
    // Two rounds, so that a file that only moved is not taken for the source of a renamed copy.
    for names_agree in [true, false] {
        for &new in &new {
            let Some(sources) = by_id.get_mut(&added[new].1.id).filter(|_| new_free.contains(&new)) else { continue };
            let found =
                sources.iter().position(|&old| !names_agree || file_name(&removed[old].0) == file_name(&added[new].0));
            if let Some(found) = found {
                let old = sources.remove(found);
                old_free.remove(&old);
                new_free.remove(&new);
                pairs.push((old, new));
            }
        }
    }

    let profiles = |side: Side, free: &BTreeSet<usize>, halves: &[(Vec<u8>, Entry)]| -> Vec<(usize, Profile)> {
        let free: Vec<usize> = free.iter().copied().collect();
        let profile = |&at: &usize| match read(side, &halves[at].0, halves[at].1) {
            Content::Text(text) => Some((at, Profile::of(&text))),
            Content::Unread(_) | Content::Missing => None,
        };
        free.par_iter().filter_map(profile).collect()
    };
    if old_free.is_empty() || new_free.is_empty() {
        return (pairs, false);
    }
    let old = profiles(Side::Before, &old_free, removed);
    let new = profiles(Side::After, &new_free, added);

    let lines = |profiles: &[(usize, Profile)]| profiles.iter().map(|(_, profile)| profile.lines.len()).sum::<usize>();
    let work = lines(&old).saturating_mul(new.len()).saturating_add(lines(&new).saturating_mul(old.len()));
    let bounded = work > RENAME_LINES;
    let scores = |(old_at, old): &(usize, Profile)| -> Vec<(u64, bool, usize, usize)> {
        let mut scores = Vec::new();
        for (new_at, new) in &new {
            let (from, to) = (&removed[*old_at].0, &added[*new_at].0);
            let same_name = file_name(from) == file_name(to);
            if language(from) != language(to) || (bounded && !same_name) {
                continue;
            }
            let score = old.likeness(new);
            if score >= 50 {
                scores.push((score, same_name, *old_at, *new_at));
            }
        }
        scores
    };
    let mut scores: Vec<_> = old.par_iter().flat_map_iter(scores).collect();
    scores.sort_by_key(|&(score, same_name, old, new)| (std::cmp::Reverse((score, same_name)), old, new));
    for (_, _, old, new) in scores {
        if old_free.contains(&old) && new_free.contains(&new) {
            old_free.remove(&old);
            new_free.remove(&new);
            pairs.push((old, new));
        }
    }
    (pairs, bounded)
}

fn file_name(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(path, |slash| &path[slash + 1..])
}

fn language(path: &[u8]) -> Option<Language> {
    std::str::from_utf8(path).ok().and_then(Language::of_path)
}

/// The lines of a text as sorted hashes with their lengths.
struct Profile {
    lines: Vec<(u64, u32)>,
    bytes: u64,
}

impl Profile {
    fn of(text: &str) -> Self {
        let hash = |line: &str| {
            let mut hasher = FxHasher::default();
            hasher.write(line.as_bytes());
            (hasher.finish(), line.len() as u32)
        };
        let mut lines: Vec<_> = hunks::lines(text).into_iter().map(hash).collect();
        lines.sort_unstable();
        Self { lines, bytes: text.len() as u64 }
    }

    /// Bytes in common lines, in percent of the larger text.
    fn likeness(&self, other: &Self) -> u64 {
        let larger = self.bytes.max(other.bytes);
        if self.bytes.min(other.bytes) * 2 < larger {
            return 0;
        }
        let (mut one, mut two, mut common) = (0, 0, 0);
        while let (Some(left), Some(right)) = (self.lines.get(one), other.lines.get(two)) {
            match left.cmp(right) {
                std::cmp::Ordering::Less => one += 1,
                std::cmp::Ordering::Greater => two += 1,
                std::cmp::Ordering::Equal => {
                    common += u64::from(left.1);
                    (one, two) = (one + 1, two + 1);
                }
            }
        }
        common * 100 / larger.max(1)
    }
}
