//! The change under review: which files it touches, their text on both sides, and what else those sides hold.
//!
//! A [`ChangeSource`] says what the user named; [`open`] turns it into a [`ChangeSet`]. Whatever the source, what comes
//! out has one shape, so nothing above this floor knows git:
//!
//! ~~~text
//! A..B, index, work tree, folder, patch, memory  ->  ChangeSet { files, notices, coverage, trees }
//! ~~~
//!
//! Every text file of the change is in `files`, analysed or not; what is no text (binary, another encoding, a link, a
//! submodule, too large) is one row of `coverage` instead. Nothing here parses code.

pub mod checkpoints;
mod ci;
mod files;
mod git;
mod hook;
pub mod hunks;
pub mod marks;
mod memory;
mod pairing;
mod patch;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

pub use git::{HooksFolder, HooksPath, hooks_folder};
pub use hook::{Hook, Hooked, HookedChange, hooked};
pub use hunks::{HunkLines, LineMap, LineRange, cut};

use crate::error::Result;
use crate::text::{Language, Side};

/// A file over this many bytes is not read; it becomes a row of coverage.
pub const SIZE_LIMIT: usize = 1024 * 1024;

/// What the user asked to have reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeSource {
    /// `A..B`, `A...B`, or one revision: from there to the work tree.
    Range(String),
    /// `HEAD` against the index that git means.
    Staged,
    /// `HEAD` against the work tree, untracked files included.
    Worktree,
    /// Nothing named: staged if something is staged, else the work tree.
    Automatic,
    /// Files and folders as they stand, against nothing.
    Files(Vec<PathBuf>),
    /// A patch in a file, or on standard input.
    Patch(PatchInput),
    /// The newest checkpoint against the work tree. Beside the usual ones, commits whose subject fits one of these
    /// patterns are checkpoints.
    SinceCheckpoint(Vec<String>),
    /// One commit against another, or against nothing.
    Step {
        /// The commit before, if there is one.
        before: Option<String>,
        /// The commit after.
        after: String,
    },
    /// The pull request, merge request, merge group or push that this run of CI is about.
    PullRequest,
}

impl Ground {
    /// A path that the user names, as seen from where they want to be.
    pub fn told(&self, path: &Path) -> PathBuf {
        self.folder.as_ref().map_or_else(|| path.to_path_buf(), |folder| folder.join(path))
    }
}

impl ChangeSource {
    /// Whether commits lie between its sides.
    pub fn may_have_commits(&self) -> bool {
        match self {
            Self::Range(_) | Self::Patch(_) | Self::SinceCheckpoint(_) | Self::Step { .. } | Self::PullRequest => true,
            Self::Staged | Self::Worktree | Self::Automatic | Self::Files(_) => false,
        }
    }
}

/// Where the user wants to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ground {
    /// The folder that `-C` names; `None` for the current one.
    pub folder: Option<PathBuf>,
    /// The repository that `--git-dir` names, as those keep it that put their checkpoints beside the user's own.
    pub git_dir: Option<PathBuf>,
    /// The work tree that `--work-tree` names for it.
    pub work_tree: Option<PathBuf>,
}

/// Where a patch is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatchInput {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

/// Both sides of a change, ready to be read.
#[derive(Clone)]
pub struct ChangeSet {
    /// How the sides were chosen.
    pub description: Description,
    /// The changed text files, sorted by path (byte-wise; of the after side, or of the before side for deleted files).
    pub files: Vec<ChangedFile>,
    /// The commits of a range, newest first; empty for everything else.
    pub commits: Vec<Commit>,
    /// What the reader must be told about how the change was taken.
    pub notices: Vec<Notice>,
    /// Changed files that are not in `files`, and why; sorted by path.
    pub coverage: Vec<Uncovered>,
    /// How the changed files fared before; `None` where there is no history, or too little of it.
    pub past: Option<Past>,
    /// Every other file of the two sides.
    pub trees: Arc<dyn Trees>,
}

impl fmt::Debug for ChangeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeSet")
            .field("description", &self.description)
            .field("files", &self.files)
            .field("commits", &self.commits)
            .field("notices", &self.notices)
            .field("coverage", &self.coverage)
            .finish_non_exhaustive()
    }
}

/// How the two sides of a change were chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// What sort of change it is.
    pub kind: Kind,
    /// Full commit or tree id of the before side, where it has one.
    pub before: Option<String>,
    /// Full commit or tree id of the after side, where it has one.
    pub after: Option<String>,
    /// One sentence on how the sides were chosen.
    pub how: String,
}

/// What sort of change is reviewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Two commits.
    Range,
    /// `HEAD` and the index.
    Staged,
    /// A commit and the work tree.
    Worktree,
    /// A patch.
    Patch,
    /// Files as they stand.
    Files,
    /// The embedded example.
    Demo,
}

/// One changed text file.
#[derive(Clone, Debug)]
pub struct ChangedFile {
    /// What happened to it.
    pub status: Status,
    /// The file before the change; `None` when it was added.
    pub before: Option<FileSide>,
    /// The file after the change; `None` when it was deleted.
    pub after: Option<FileSide>,
    /// Maximal stretches of changed lines, in order; [`cut`] makes readable hunks from them.
    pub hunks: Vec<HunkLines>,
    /// Which lines of the two sides are the same.
    pub line_map: LineMap,
    /// How much of the two texts is known; an excerpt must not be parsed.
    pub extent: Extent,
}

impl ChangedFile {
    /// Compares two sides; at least one of them is there in any changed file.
    pub fn new(status: Status, before: Option<FileSide>, after: Option<FileSide>) -> Self {
        let text = |side: &Option<FileSide>| side.as_ref().map_or_else(|| Arc::from(""), |file| file.text.clone());
        let hunks = hunks::between(&text(&before), &text(&after));
        let line_map = LineMap::new(&hunks);
        Self { status, before, after, hunks, line_map, extent: Extent::Whole }
    }

    /// The path that names the file to the reader: of the after side, or of the before side when it was deleted.
    pub fn path(&self) -> &Arc<str> {
        static NAMELESS: std::sync::LazyLock<Arc<str>> = std::sync::LazyLock::new(|| Arc::from(""));
        self.after.as_ref().or(self.before.as_ref()).map_or(&NAMELESS, |side| &side.path)
    }

    /// The file on one side.
    pub fn side(&self, side: Side) -> Option<&FileSide> {
        match side {
            Side::Before => self.before.as_ref(),
            Side::After => self.after.as_ref(),
        }
    }

    /// The language by which the file is analysed, if it is. An excerpt never is.
    pub fn language(&self) -> Option<Language> {
        match self.extent {
            Extent::Whole => Language::of_path(self.path()),
            Extent::Excerpt => None,
        }
    }
}

/// One side of a changed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSide {
    /// Path from the repository's root, with forward slashes.
    pub path: Arc<str>,
    /// The text as git stores it; a byte order mark stays in it.
    pub text: Arc<str>,
    /// What the text hashes to.
    pub id: BlobId,
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It is new.
    Added,
    /// It is gone.
    Deleted,
    /// Its text changed.
    Modified,
    /// It has another path, and perhaps another text.
    Renamed,
    /// Only its executable bit changed.
    ModeChanged,
    /// It became, or was, a link or a submodule; only the side that is a file stands here.
    TypeChanged,
}

/// How much of a file's text is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Only the lines of a patch, at their right numbers among empty ones.
    Excerpt,
}

/// The hash by which git names a text; equal texts have equal ids, wherever they were read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobId(pub [u8; 20]);

impl BlobId {
    /// The id that git gives to these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        git::blob_id(bytes)
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobId({self})")
    }
}

/// What a bounded look back shows of the changed source files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// How many commits were looked at, along first parents.
    pub commits: u32,
    /// The subjects of those that changed a file, newest first, by its path before the change.
    pub subjects: BTreeMap<Arc<str>, Vec<String>>,
}

/// A commit of the range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Full id.
    pub id: String,
    /// First paragraph of the message on one line.
    pub subject: String,
    /// The rest of the message.
    pub body: String,
    /// Who wrote it.
    pub author: Person,
    /// Who committed it.
    pub committer: Person,
}

/// A name and an address as they stand in a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Name.
    pub name: String,
    /// Address.
    pub email: String,
}

/// Something the reader must be told about how the change was taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// A short kebab-case word for the sort of notice: `choice`, `not-ancestor`, `dirty-work-tree`, `many-commits`, ….
    pub kind: String,
    /// What the reader is told.
    pub text: String,
    /// The file it is about, if any.
    pub path: Option<String>,
    /// The line it is about, if any.
    pub line: Option<u32>,
}

impl Notice {
    /// A notice about no file in particular.
    pub fn new(kind: &str, text: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), text: text.into(), path: None, line: None }
    }
}

/// A changed file that is not among the files, or not wholly.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uncovered {
    /// Its path; bytes that are no UTF-8 are replaced.
    pub path: String,
    /// Why, as a sentence without a full stop.
    pub why: String,
}

/// One file's text with the hash by which it can be recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// What the text hashes to.
    pub id: BlobId,
    /// The text.
    pub text: Arc<str>,
}

impl Blob {
    /// A text with its hash.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        Self { id: BlobId::of(text.as_bytes()), text }
    }
}

/// Says whether bytes hold what is looked for.
pub type Holds<'a> = dyn Fn(&[u8]) -> bool + Sync + 'a;

/// All files of the two sides, changed or not. Asked from several threads at once.
pub trait Trees: Send + Sync {
    /// The text of a file; `None` where there is no such file, or it is no text, or too large.
    fn read(&self, side: Side, path: &str) -> Option<Blob>;
    /// What tells the text of a file from other texts. Cheaper than reading it, and there for files that are no text.
    fn id(&self, side: Side, path: &str) -> Option<BlobId> {
        self.read(side, path).map(|blob| blob.id)
    }
    /// Whether a regular file has this path.
    fn has(&self, side: Side, path: &str) -> bool;
    /// The paths of all source files (`.py`, `.pyi`, `.rs`, and `Cargo.toml`), sorted byte-wise; computed once.
    fn list(&self, side: Side) -> Arc<[Arc<str>]>;
    /// Whether the bytes of each of these files hold something, in the order given. Bytes may come with other line ends
    /// than the text, and are not checked to be text; a file that cannot be read holds nothing. Runs on the pool it is
    /// called in.
    fn holding(&self, side: Side, paths: &[Arc<str>], holds: &Holds<'_>) -> Vec<bool> {
        let reads = |path: &Arc<str>| self.read(side, path).is_some_and(|blob| holds(blob.text.as_bytes()));
        paths.par_iter().map(reads).collect()
    }
}

/// Whether a path belongs into [`Trees::list`].
pub(crate) fn is_listed(path: &str) -> bool {
    Language::of_path(path).is_some() || path == "Cargo.toml" || path.ends_with("/Cargo.toml")
}

/// Reads the change that `source` names.
pub fn open(source: &ChangeSource, ground: &Ground) -> Result<ChangeSet> {
    match source {
        ChangeSource::Range(range) => git::range(range, ground),
        ChangeSource::Staged => git::staged(ground),
        ChangeSource::Worktree => git::worktree(ground),
        ChangeSource::Automatic => git::automatic(ground),
        ChangeSource::Files(paths) => files::check(paths, ground.folder.as_deref()),
        ChangeSource::Patch(input) => patch::review(input, ground),
        ChangeSource::SinceCheckpoint(patterns) => checkpoints::since_newest(patterns, ground),
        ChangeSource::Step { before, after } => git::step(before.as_deref(), after, ground),
        ChangeSource::PullRequest => ci::review(ground),
    }
}

/// A variable of the environment; one that is empty counts as absent.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The folder of the repository that the user stands in, from its root; empty for the root, and where there is no
/// repository or no work tree.
pub fn here(ground: &Ground) -> String {
    git::here(ground).unwrap_or_default()
}

/// A path as the user names it, told from the root of the work tree; `None` where it leads out of it, or there is none.
pub fn below_root(path: &Path, ground: &Ground) -> Option<String> {
    let root = git::root(ground)?.canonicalize().ok()?;
    let folder = ground.folder.clone().unwrap_or_else(|| PathBuf::from(".")).canonicalize().ok()?;
    let place = files::plain(&folder.join(path));
    // An absolute path may lead to the root by a link.
    let real = || Some(place.parent()?.canonicalize().ok()?.join(place.file_name()?));
    let below = place.strip_prefix(&root).map(Path::to_path_buf).ok();
    let below = below.or_else(|| Some(real()?.strip_prefix(&root).ok()?.to_path_buf()))?;
    let parts: Option<Vec<&str>> = below.components().map(|part| part.as_os_str().to_str()).collect();
    Some(parts?.join("/"))
}

/// The work tree's root, if there is one.
pub fn root_of_repository(ground: &Ground) -> Option<PathBuf> {
    git::root(ground)
}

/// The folder that the paths of files as they stand are told from.
pub fn root_of_files(paths: &[PathBuf], ground: &Ground) -> PathBuf {
    files::root_of(paths, ground.folder.as_deref())
}

impl ChangeSet {
    /// A change between two sets of texts by path: the demo, fixtures, tests.
    pub fn in_memory(
        description: Description,
        before: BTreeMap<String, String>,
        after: BTreeMap<String, String>,
    ) -> Self {
        memory::compare(description, before, after)
    }

    /// The changed file that has this path on the given side.
    pub fn file(&self, side: Side, path: &str) -> Option<&ChangedFile> {
        let has_it = |file: &&ChangedFile| file.side(side).is_some_and(|side| &*side.path == path);
        // Most files have on both sides the path that they are sorted by.
        let from = self.files.partition_point(|file| **file.path() < *path);
        let near = self.files[from..].iter().take_while(|file| **file.path() == *path).find(has_it);
        near.or_else(|| self.files.iter().find(has_it))
    }

    /// How many lines the change adds and removes.
    pub fn line_counts(&self) -> (u32, u32) {
        let hunks = || self.files.iter().flat_map(|file| &file.hunks);
        (hunks().map(|hunk| hunk.after.count).sum(), hunks().map(|hunk| hunk.before.count).sum())
    }
}
