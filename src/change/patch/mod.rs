//! A patch as a change: `--patch FILE`, `--patch -`.
//!
//! A patch shows hunks, a review wants files. In a repository the files are completed: from the blob that the patch
//! names (`index 1a2b3c..`), else from the file of `HEAD` if the patch fits it. Without a repository, or where neither
//! fits, a file is only an [`Extent::Excerpt`]: its changed lines stand at their right numbers among empty ones, and
//! coverage says so. A new file is whole in any case. Several patches of one series build on each other.

mod draft;
mod parse;

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use self::draft::Draft;
use self::parse::Section;
use super::pairing::{Content, Entries, Entry, Mode, pair};
use super::{
    Blob, BlobId, ChangeSet, ChangedFile, Description, Extent, FileSide, Ground, Holds, Kind, Notice, PatchInput,
    Status, Trees, Uncovered, git, is_listed, memory,
};
use crate::error::{Error, Result};
use crate::text::Side;

/// Reads a patch and completes it from the repository, if there is one.
pub(super) fn review(input: &PatchInput, ground: &Ground) -> Result<ChangeSet> {
    let text = read(input, ground)?;
    let parsed = parse::parse(&text).map_err(|what| not_a_patch(&what))?;
    if parsed.sections.is_empty() && !text.trim_ascii().is_empty() {
        return Err(not_a_patch("it holds no diff"));
    }
    let base = match git::base(ground) {
        Ok(base) => Some(base),
        Err(Error::NoRepository { .. }) => None,
        Err(error) => return Err(error),
    };
    let mut files = Files { base: base.as_ref(), drafts: Vec::new(), now: BTreeMap::new(), coverage: Vec::new() };
    for section in &parsed.sections {
        files.take(section)?;
    }
    let Files { drafts, coverage, .. } = files;
    let mut commits = parsed.commits;
    commits.reverse();
    let mut change = assemble(drafts, coverage, base);
    change.commits = commits;
    Ok(change)
}

fn read(input: &PatchInput, ground: &Ground) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    let (name, result) = match input {
        PatchInput::Stdin => ("-".to_owned(), std::io::stdin().lock().read_to_end(&mut text).map(|_| ())),
        PatchInput::File(path) => {
            (path.display().to_string(), std::fs::read(ground.told(path)).map(|bytes| text = bytes))
        }
    };
    result.map_err(|error| Error::Unreadable { path: name, reason: error.to_string() })?;
    Ok(text)
}

fn not_a_patch(what: &str) -> Error {
    Error::Usage {
        what: format!("the patch cannot be read: {what}"),
        help: "make it with `git diff BEFORE AFTER` or `git format-patch`".to_owned(),
    }
}

/// One file of the patch.
struct PatchFile {
    draft: Draft,
    /// Where it stood before the patch.
    old: Option<(Vec<u8>, Mode)>,
    /// Where it stands now.
    new: Option<(Vec<u8>, Mode)>,
}

struct Files<'a> {
    base: Option<&'a git::Base>,
    drafts: Vec<PatchFile>,
    /// The files as they are now, by path, as places in `drafts`.
    now: BTreeMap<Vec<u8>, usize>,
    coverage: Vec<Uncovered>,
}

impl Files<'_> {
    fn take(&mut self, section: &Section) -> Result<()> {
        let Some(name) = section.new.as_ref().or(section.old.as_ref()) else {
            return Err(not_a_patch("a file in it has no name"));
        };
        let row = |why: &str| Uncovered { path: String::from_utf8_lossy(name).into_owned(), why: why.to_owned() };
        if [&section.old, &section.new].into_iter().flatten().any(|path| leads_out(path)) {
            self.coverage.push(row("its path leads out of the folder that the patch is about"));
            return Ok(());
        }
        let odd = match section.mode.map(|mode| mode & 0o170_000) {
            Some(0o120_000) => Some("a symbolic link"),
            Some(0o160_000) => Some("a submodule"),
            Some(_) | None if section.is_binary => Some("binary"),
            Some(_) | None => None,
        };
        if let Some(why) = odd {
            self.coverage.push(row(why));
            return Ok(());
        }
        let executable = |mode: u32| if mode & 0o100 != 0 { Mode::Executable } else { Mode::File };
        let known = section.old.as_ref().and_then(|old| self.now.get(old).copied());
        let at = match (&section.old, known) {
            // A file that an earlier patch of the series touched, or deleted.
            (Some(_), Some(at)) if !section.is_copy => {
                self.drafts[at].draft.apply(&section.hunks).map_err(unfit)?;
                at
            }
            (None, _) => {
                let gone = self
                    .drafts
                    .iter()
                    .position(|file| file.new.is_none() && section.new == file.old.as_ref().map(|old| old.0.clone()));
                let at = gone.unwrap_or_else(|| self.add(PatchFile { draft: Draft::over(b""), old: None, new: None }));
                self.drafts[at].draft.clear();
                self.drafts[at].draft.apply(&section.hunks).map_err(unfit)?;
                at
            }
            (Some(old), _) => {
                let Some(draft) = self.completed(section, old)? else {
                    self.coverage.push(row("only its name or mode is in the patch"));
                    return Ok(());
                };
                let at_head = || self.base.and_then(|base| base.mode(old)).unwrap_or(Mode::File);
                let mode = section.old_mode.map_or_else(at_head, executable);
                self.add(PatchFile { draft, old: (!section.is_copy).then(|| (old.clone(), mode)), new: None })
            }
        };
        if let Some(old) = section.old.as_ref().filter(|_| !section.is_copy) {
            self.now.remove(old);
        }
        let file = &mut self.drafts[at];
        let as_it_was = [&file.new, &file.old].into_iter().flatten().next().map_or(Mode::File, |(_, mode)| *mode);
        let mode = section.mode.map_or(as_it_was, executable);
        file.new = section.new.clone().map(|path| (path, mode));
        if let Some(new) = &section.new {
            self.now.insert(new.clone(), at);
        }
        Ok(())
    }

    fn add(&mut self, file: PatchFile) -> usize {
        self.drafts.push(file);
        self.drafts.len() - 1
    }

    /// The file before the patch with the section's hunks applied, as whole as it can be had.
    fn completed(&self, section: &Section, old: &[u8]) -> Result<Option<Draft>> {
        let named = self.base.zip(section.old_id.as_ref()).and_then(|(base, id)| base.blob(id));
        let at_head = || self.base.and_then(|base| base.file(old));
        for text in [named, at_head()].into_iter().flatten() {
            let mut draft = Draft::over(&text);
            if draft.apply(&section.hunks).is_ok() {
                return Ok(Some(draft));
            }
        }
        if section.hunks.is_empty() {
            return Ok(None);
        }
        let mut draft = Draft::unknown();
        draft.apply(&section.hunks).map_err(unfit)?;
        Ok(Some(draft))
    }
}

/// Whether a path is not one below a root.
fn leads_out(path: &[u8]) -> bool {
    path.starts_with(b"/") || path.split(|&byte| byte == b'/').any(|part| part == b"..")
}

fn unfit(line: usize) -> Error {
    not_a_patch(&format!("the hunk at line {line} does not fit the patches before it"))
}

fn assemble(drafts: Vec<PatchFile>, mut coverage: Vec<Uncovered>, base: Option<git::Base>) -> ChangeSet {
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    let (mut old, mut new) = (Entries::new(), Entries::new());
    let mut excerpts = Vec::new();
    for file in drafts {
        // A text removed to the last known line is whole: git deletes files only as a whole.
        let is_whole = file.draft.is_whole() || file.new.is_none();
        if !is_whole {
            excerpts.push(file);
            continue;
        }
        for (half, text, texts, entries) in [
            (file.old, file.draft.text_before(), &mut before, &mut old),
            (file.new, file.draft.text_now(), &mut after, &mut new),
        ] {
            if let Some((path, mode)) = half {
                entries.insert(path.clone(), Entry { mode, id: BlobId::of(&text) });
                texts.insert(path, Content::of_bytes(&text));
            }
        }
    }
    let content = |side: Side, path: &[u8]| match side {
        Side::Before => before.get(path).cloned().unwrap_or(Content::Missing),
        Side::After => after.get(path).cloned().unwrap_or(Content::Missing),
    };
    let paired = pair(old, new, &|side, path, _| content(side, path));
    let mut files = paired.files;
    coverage.extend(paired.coverage);
    let has_excerpts = !excerpts.is_empty();
    for file in excerpts {
        match excerpt(&file) {
            Ok(file) => {
                let why = "only the lines of the patch are known".to_owned();
                coverage.push(Uncovered { path: file.path().to_string(), why });
                files.push(file);
            }
            Err(row) => coverage.push(row),
        }
    }
    files.sort_by(|one, two| one.path().as_bytes().cmp(two.path().as_bytes()));
    coverage.sort();

    let mut notices = paired.notices;
    let how = match (&base, has_excerpts) {
        (Some(_), false) => "a patch, its files completed from the repository",
        (Some(_), true) => "a patch, its files completed from the repository where they fit",
        (None, _) => "a patch by itself",
    };
    if has_excerpts {
        let text = "some files are known only as far as the patch shows them and are not analysed; run it inside a \
                    repository that holds the blobs the patch names";
        notices.push(Notice::new("patch-excerpts", text));
    }
    ChangeSet {
        description: Description { kind: Kind::Patch, before: None, after: None, how: how.to_owned() },
        files,
        commits: Vec::new(),
        notices,
        coverage,
        past: None,
        trees: trees(before, after, base),
    }
}

/// The two sides' files: those that the patch makes whole, upon those of the base if it has one.
fn trees(
    before: BTreeMap<Vec<u8>, Content>,
    after: BTreeMap<Vec<u8>, Content>,
    base: Option<git::Base>,
) -> Arc<dyn Trees> {
    let blobs = |texts: BTreeMap<Vec<u8>, Content>| -> BTreeMap<Arc<str>, Option<Blob>> {
        let blob = |content| match content {
            Content::Text(text) => Some(Blob::new(text)),
            Content::Unread(_) | Content::Missing => None,
        };
        texts
            .into_iter()
            .filter_map(|(path, content)| Some((Arc::from(String::from_utf8(path).ok()?), blob(content))))
            .collect()
    };
    let (mut before, mut after) = (blobs(before), blobs(after));
    // What is on one side only must not shine through from the base on the other.
    let only = |one: &BTreeMap<Arc<str>, Option<Blob>>, two: &BTreeMap<Arc<str>, Option<Blob>>| -> Vec<Arc<str>> {
        one.keys().filter(|path| !two.contains_key(*path)).cloned().collect()
    };
    let (gone, made) = (only(&before, &after), only(&after, &before));
    after.extend(gone.into_iter().map(|path| (path, None)));
    before.extend(made.into_iter().map(|path| (path, None)));
    match base {
        Some(base) => Arc::new(PatchedTrees { before, after, base: base.into_trees() }),
        None => {
            let known = |side: BTreeMap<Arc<str>, Option<Blob>>| {
                side.into_iter().filter_map(|(path, blob)| Some((path, blob?))).collect()
            };
            Arc::new(memory::MemoryTrees::new(known(before), known(after)))
        }
    }
}

/// A changed file of which only the patch's lines are known.
fn excerpt(file: &PatchFile) -> std::result::Result<ChangedFile, Uncovered> {
    let side = |half: &Option<(Vec<u8>, Mode)>, text: Vec<u8>| -> std::result::Result<Option<FileSide>, Uncovered> {
        let Some((path, _)) = half else { return Ok(None) };
        let row = |why: String| Uncovered { path: String::from_utf8_lossy(path).into_owned(), why };
        let name = std::str::from_utf8(path).map_err(|_| row("its path is not UTF-8".to_owned()))?;
        match Content::of_bytes(&text) {
            Content::Text(text) => Ok(Some(FileSide { path: Arc::from(name), id: BlobId::of(text.as_bytes()), text })),
            Content::Unread(why) => Err(row(why)),
            Content::Missing => Ok(None),
        }
    };
    let before = side(&file.old, file.draft.text_before())?;
    let after = side(&file.new, file.draft.text_now())?;
    let status = match (&before, &after) {
        (None, _) => Status::Added,
        (_, None) => Status::Deleted,
        (Some(before), Some(after)) if before.path != after.path => Status::Renamed,
        (Some(_), Some(_)) => Status::Modified,
    };
    Ok(ChangedFile { extent: Extent::Excerpt, ..ChangedFile::new(status, before, after) })
}

/// The patch's files over those of the commit it is read against.
struct PatchedTrees {
    /// `None` where the side has no such file, or none that can be read.
    before: BTreeMap<Arc<str>, Option<Blob>>,
    after: BTreeMap<Arc<str>, Option<Blob>>,
    base: git::GitTrees,
}

impl PatchedTrees {
    fn side(&self, side: Side) -> &BTreeMap<Arc<str>, Option<Blob>> {
        match side {
            Side::Before => &self.before,
            Side::After => &self.after,
        }
    }
}

impl Trees for PatchedTrees {
    fn read(&self, side: Side, path: &str) -> Option<Blob> {
        self.side(side).get(path).cloned().unwrap_or_else(|| self.base.read(side, path))
    }

    fn id(&self, side: Side, path: &str) -> Option<BlobId> {
        match self.side(side).get(path) {
            Some(own) => own.as_ref().map(|blob| blob.id),
            None => self.base.id(side, path),
        }
    }

    fn has(&self, side: Side, path: &str) -> bool {
        self.side(side).get(path).map_or_else(|| self.base.has(side, path), Option::is_some)
    }

    fn list(&self, side: Side) -> Arc<[Arc<str>]> {
        let own = self.side(side);
        let base = self.base.list(side);
        let kept = base.iter().filter(|path| !own.contains_key(*path)).cloned();
        let added = own.iter().filter(|(path, blob)| blob.is_some() && is_listed(path)).map(|(path, _)| path.clone());
        let mut paths: Vec<Arc<str>> = kept.chain(added).collect();
        paths.sort();
        paths.into()
    }

    fn holding(&self, side: Side, paths: &[Arc<str>], holds: &Holds<'_>) -> Vec<bool> {
        let own = self.side(side);
        let mut held = self.base.holding(side, paths, holds);
        for (held, path) in held.iter_mut().zip(paths) {
            if let Some(blob) = own.get(path) {
                *held = blob.as_ref().is_some_and(|blob| holds(blob.text.as_bytes()));
            }
        }
        held
    }
}
