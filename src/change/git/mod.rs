//! A change as git holds it. This folder is the only place that knows libgit2.
//!
//! Which sides are taken, in order, the first that applies:
//!
//! | asked for | before | after |
//! |---|---|---|
//! | `A..B` | the tree of `A` | the tree of `B` |
//! | `A...B` | the tree of the one merge base | the tree of `B` |
//! | `REV` | the tree of `REV` | the work tree |
//! | `--staged` | the tree of `HEAD`, empty before the first commit | the index that git means |
//! | `--worktree` | the tree of `HEAD`, empty before the first commit | the work tree |
//! | nothing | as `--staged` if the index differs from `HEAD`, else as `--worktree` | |
//! | `--pr` | what the host of a run of CI says, see `change::ci` | |
//!
//! The index that git means is `GIT_INDEX_FILE` where it is set (a hook of `git commit -a` or `git commit -- path`),
//! as long as no folder is named with `-C`; so are `GIT_DIR` and `GIT_WORK_TREE`.
//!
//! Ranges and the index are read from objects only, so a range works in a bare repository; only a search for words reads
//! files of the work tree instead, where the index vouches that they hold the object, and a notice says where the work
//! tree is ahead of a range. Hunks are not taken from git, no filter or textconv command is run, and nothing is written:
//! no setting of the repository changes a result, apart from what its work tree means (line ends, ignored files). A base
//! that cannot be told for certain is an error with the command that mends it; another range than the one asked for is
//! never taken.

mod beside;
mod chain;
mod ci;
mod history;
mod hooks;
mod ignored;
mod listing;
pub(super) mod push;
mod revisions;
mod trees;
mod vouched;
mod worktree;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::{ErrorCode, ObjectType, Oid, Repository};

pub(super) use self::chain::{chain, touched_by};
pub(super) use self::ci::of_run;
pub use self::hooks::{HooksFolder, HooksPath, hooks_folder};
pub(super) use self::ignored::Ignored;
use self::revisions::{Point, Spec};
pub(super) use self::trees::GitTrees;
use self::trees::{Pool, SideTree};
use super::pairing::{Content, Entries, Entry, lost, pair};
use super::{BlobId, ChangeSet, Commit, Description, Ground, Kind, Notice, Person, Uncovered};
use crate::error::{Error, Result};
use crate::text::Side;

/// More commits than this are not listed.
const COMMIT_LIMIT: usize = 500;

/// Where the repository is found, so that every thread can open it for itself.
#[derive(Clone)]
enum Place {
    Environment,
    At(PathBuf),
    /// A repository by its own folder, and the work tree it is for, where that is named.
    Named {
        git_dir: PathBuf,
        work_tree: Option<PathBuf>,
    },
}

impl Place {
    fn open(&self) -> std::result::Result<Repository, git2::Error> {
        match self {
            Self::Environment => Repository::open_from_env(),
            Self::At(folder) => Repository::discover(folder),
            Self::Named { git_dir, work_tree } => {
                let repo = Repository::open(git_dir)?;
                if let Some(work_tree) = work_tree {
                    repo.set_workdir(work_tree, false)?;
                }
                Ok(repo)
            }
        }
    }
}

/// A repository, and where it was found.
struct Found {
    repo: Repository,
    place: Place,
}

fn locate(ground: &Ground) -> Result<Found> {
    // Objects are only read, and git checked their hashes when it fetched them.
    git2::opts::strict_hash_verification(false);
    let folder = ground.folder.as_deref();
    let named = ground.git_dir.as_deref().or(folder);
    let name = named.map_or_else(|| ".".to_owned(), |folder| folder.display().to_string());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(Error::Usage {
            what: format!("cannot enter `{name}`: no such folder"),
            help: "name a folder inside a repository".to_owned(),
        });
    }
    // As git has it, what is named together with `-C` is told from there.
    let told = |path: &PathBuf| ground.told(path);
    let place = match (&ground.git_dir, folder) {
        (Some(git_dir), _) => Place::Named { git_dir: told(git_dir), work_tree: ground.work_tree.as_ref().map(told) },
        (None, Some(folder)) => Place::At(folder.to_path_buf()),
        (None, None) => Place::Environment,
    };
    match place.open() {
        Ok(repo) => Ok(Found { repo, place }),
        Err(error) if error.code() == ErrorCode::NotFound => Err(Error::NoRepository { path: name }),
        Err(error) => Err(broken(error)),
    }
}

/// The root of the work tree.
pub(super) fn root(ground: &Ground) -> Option<PathBuf> {
    Some(locate(ground).ok()?.repo.workdir()?.to_path_buf())
}

/// The folder of the work tree that the user stands in, from its root.
pub(super) fn here(ground: &Ground) -> Option<String> {
    let root = root(ground)?.canonicalize().ok()?;
    let folder = ground.folder.clone().unwrap_or_else(|| PathBuf::from(".")).canonicalize().ok()?;
    let parts: Option<Vec<&str>> =
        folder.strip_prefix(&root).ok()?.components().map(|part| part.as_os_str().to_str()).collect();
    Some(parts?.join("/"))
}

/// What libgit2 could not do, with the mend where one is known.
fn broken(error: git2::Error) -> Error {
    let reason = error.message().to_owned();
    let help = if error.code() == ErrorCode::Owner {
        let folder = reason.find('\'').zip(reason.rfind('\'')).and_then(|(from, to)| reason.get(from + 1..to));
        let folder = folder.map_or("FOLDER", |folder| folder.trim_end_matches('/'));
        format!("if you trust it: `git config --global --add safe.directory '{folder}'`")
    } else if reason.contains("sdir") {
        "sparse indexes cannot be read: `git sparse-checkout reapply --no-sparse-index`".to_owned()
    } else if reason.contains("object format") {
        "only repositories with SHA-1 ids can be read; review the text of a change from outside of it: `git diff \
         BEFORE AFTER | tenth -C / --patch -`, or files as they stand: `tenth check PATH`"
            .to_owned()
    } else if reason.contains("refstorage") || reason.contains("reftable") {
        "only references in files can be read: `git refs migrate --ref-format=files`".to_owned()
    } else {
        String::new()
    };
    Error::Git { reason, help }
}

/// The id that git gives to these bytes.
pub(super) fn blob_id(bytes: &[u8]) -> BlobId {
    Oid::hash_object(ObjectType::Blob, bytes).map_or(BlobId([0; 20]), id_of)
}

fn id_of(oid: Oid) -> BlobId {
    BlobId(oid.as_bytes().try_into().unwrap_or([0; 20]))
}

/// The change that a range, or one revision, names.
pub(super) fn range(text: &str, ground: &Ground) -> Result<ChangeSet> {
    let found = locate(ground)?;
    let repo = &found.repo;
    match Spec::parse(text)? {
        Spec::Two { before, after } => {
            let before = revisions::resolve(repo, before)?;
            let after = revisions::resolve(repo, after)?;
            let how = format!("from `{}` to `{}`", before.name, after.name);
            let mut notices = Vec::new();
            notices.extend(revisions::not_an_ancestor(repo, &before, &after)?);
            between_trees(found, Some(before), after, how, notices)
        }
        Spec::Three { before, after } => {
            let (one, two) = (revisions::resolve(repo, before)?, revisions::resolve(repo, after)?);
            let base = revisions::merge_base(repo, &one, &two)?;
            let how = format!("from the merge base of `{}` and `{}` to `{}`", one.name, two.name, two.name);
            between_trees(found, Some(base), two, how, Vec::new())
        }
        Spec::One(revision) => {
            let before = revisions::resolve(repo, revision)?;
            let how = format!("from `{}` to the work tree, untracked files included", before.name);
            let mut notices = Vec::new();
            if let Some(head) = revisions::head(repo)? {
                notices.extend(revisions::not_an_ancestor(repo, &before, &head)?);
            }
            to_worktree(found, Some(before), how, notices)
        }
    }
}

/// From one commit, or from nothing, to another.
pub(super) fn step(before: Option<&str>, after: &str, ground: &Ground) -> Result<ChangeSet> {
    let found = locate(ground)?;
    let before = before.map(|before| revisions::resolve(&found.repo, before)).transpose()?;
    let after = revisions::resolve(&found.repo, after)?;
    let from = before.as_ref().map_or_else(|| "nothing".to_owned(), |before| format!("`{}`", before.name));
    let how = format!("from {from} to `{}`", after.name);
    between_trees(found, before, after, how, Vec::new())
}

/// `HEAD` against the index.
pub(super) fn staged(ground: &Ground) -> Result<ChangeSet> {
    let found = locate(ground)?;
    to_index(found, Vec::new())
}

/// `HEAD` against the work tree.
pub(super) fn worktree(ground: &Ground) -> Result<ChangeSet> {
    let found = locate(ground)?;
    let head = revisions::head(&found.repo)?;
    to_worktree(found, head, "from `HEAD` to the work tree, untracked files included".to_owned(), Vec::new())
}

/// The index if something is staged, else the work tree; says which.
pub(super) fn automatic(ground: &Ground) -> Result<ChangeSet> {
    let found = locate(ground)?;
    if differs_from_index(&found.repo)? {
        let text = "nothing was named and something is staged: this is `HEAD` against the index (`tenth --worktree` \
                    reviews unstaged changes too)";
        to_index(found, vec![Notice::new("choice", text)])
    } else {
        let text = "nothing was named and nothing is staged: this is `HEAD` against the work tree";
        let how = "from `HEAD` to the work tree, untracked files included".to_owned();
        let head = revisions::head(&found.repo)?;
        to_worktree(found, head, how, vec![Notice::new("choice", text)])
    }
}

/// Whether the index that git means differs from `HEAD`.
pub(super) fn is_staged(ground: &Ground) -> Result<bool> {
    differs_from_index(&locate(ground)?.repo)
}

fn differs_from_index(repo: &Repository) -> Result<bool> {
    let index = index_of(repo)?;
    let head = revisions::head(repo)?;
    let before = listing::of_tree(repo, head.map(|head| head.tree)).map_err(broken)?;
    let unmerged = |path: &Vec<u8>| index.unmerged.contains(path);
    Ok(index.entries.iter().any(|(path, entry)| before.get(path) != Some(entry))
        || before.keys().any(|path| !index.entries.contains_key(path) && !unmerged(path)))
}

fn index_of(repo: &Repository) -> Result<listing::Index> {
    if repo.is_bare() {
        return Err(Error::Bare { what: "index or work tree" });
    }
    listing::of_index(&repo.index().map_err(broken)?).map_err(broken)
}

fn between_trees(
    found: Found,
    before: Option<Point>,
    after: Point,
    how: String,
    mut notices: Vec<Notice>,
) -> Result<ChangeSet> {
    let repo = &found.repo;
    let tree_before = before.as_ref().map(|before| before.tree);
    let (old, new) = listing::of_two_trees(repo, tree_before, Some(after.tree)).map_err(broken)?;
    let mut made = Vec::new();
    if let Some(before) = &before {
        made = commits(repo, before, &after, &mut notices)?;
    }
    let beside = match &before {
        Some(before) if beside::ends_at_work_tree(repo, &after)? => Some(before.name.clone()),
        _ => None,
    };
    let base = before.as_ref().and_then(|before| before.commit);
    let id = before.as_ref().map(Point::id);
    let description = Description { kind: Kind::Range, before: id, after: Some(after.id()), how };
    let pool = Pool::new(found);
    let side = tree_before.map_or(SideTree::Empty, SideTree::Tree);
    let trees = Arc::new(GitTrees::new(pool, side, SideTree::Tree(after.tree)));
    let extra = Extra { base, commits: made, notices, coverage: Vec::new() };
    let mut change = assemble(description, (old, new), extra, trees.clone())?;
    change.notices.extend(beside.and_then(|before| beside::notice(&trees, &change.files, &before)));
    Ok(change)
}

fn to_index(found: Found, mut notices: Vec<Notice>) -> Result<ChangeSet> {
    let repo = &found.repo;
    if repo.state() == git2::RepositoryState::Merge {
        let text = "a merge is going on: what it brings from `MERGE_HEAD` is part of this change";
        notices.push(Notice::new("merge-in-progress", text));
    }
    let index = index_of(repo)?;
    let head = revisions::head(repo)?;
    let mut old = listing::of_tree(repo, head.as_ref().map(|head| head.tree)).map_err(broken)?;
    let coverage = index
        .unmerged
        .iter()
        .map(|path| {
            old.remove(path);
            Uncovered {
                path: String::from_utf8_lossy(path).into_owned(),
                why: "unmerged: nothing is staged for it until its conflict is resolved".to_owned(),
            }
        })
        .collect();
    let how = match head {
        Some(_) => "from `HEAD` to the index",
        None => "from nothing to the index: there is no commit yet",
    };
    let base = head.as_ref().and_then(|head| head.commit);
    let before = head.as_ref().map(Point::id);
    let description = Description { kind: Kind::Staged, before, after: None, how: how.to_owned() };
    let listing = (old, index.entries.clone());
    let side = head.map_or(SideTree::Empty, |head| SideTree::Tree(head.tree));
    let trees =
        GitTrees::new(Pool::new(found), side, SideTree::Listed { entries: index.entries, own: BTreeMap::new() });
    assemble(description, listing, Extra { base, commits: Vec::new(), notices, coverage }, Arc::new(trees))
}

fn to_worktree(found: Found, before: Option<Point>, how: String, mut notices: Vec<Notice>) -> Result<ChangeSet> {
    let repo = &found.repo;
    if repo.is_bare() {
        return Err(Error::Bare { what: "work tree" });
    }
    let old = listing::of_tree(repo, before.as_ref().map(|before| before.tree)).map_err(broken)?;
    let work = worktree::listing(repo)?;
    let commits = match (&before, revisions::head(repo)?) {
        (Some(before), Some(head)) => commits(repo, before, &head, &mut notices)?,
        _ => Vec::new(),
    };
    let how = if before.is_some() { how } else { "from nothing to the work tree: there is no commit yet".to_owned() };
    let base = before.as_ref().and_then(|before| before.commit);
    let id = before.as_ref().map(Point::id);
    let description = Description { kind: Kind::Worktree, before: id, after: None, how };
    let listing = (old, work.entries.clone());
    let side = before.map_or(SideTree::Empty, |before| SideTree::Tree(before.tree));
    let after = SideTree::Listed { entries: work.entries, own: work.own };
    let trees = GitTrees::new(Pool::new(found), side, after);
    assemble(description, listing, Extra { base, commits, notices, coverage: work.coverage }, Arc::new(trees))
}

/// What a change has beside its files.
struct Extra {
    /// The commit of the before side.
    base: Option<Oid>,
    commits: Vec<Commit>,
    notices: Vec<Notice>,
    coverage: Vec<Uncovered>,
}

fn assemble(
    description: Description,
    listing: (Entries, Entries),
    extra: Extra,
    trees: Arc<GitTrees>,
) -> Result<ChangeSet> {
    let read = |side: Side, path: &[u8], entry: Entry| -> Content { trees.content(side, path, entry) };
    let paired = pair(listing.0, listing.1, &read);
    // What can be brought must not count as looked at; what nobody has is coverage.
    if let [first, others @ ..] = &*lost(&paired.coverage)
        && trees.with(is_partial).unwrap_or(false)
    {
        return Err(Error::Lost { path: (*first).to_owned(), others: others.len() });
    }
    let mut notices = extra.notices;
    notices.extend(paired.notices);
    let mut coverage = extra.coverage;
    coverage.extend(paired.coverage);
    coverage.sort();
    let analysed = paired.files.iter().filter(|file| file.language().is_some());
    let paths: Vec<Arc<str>> = analysed.filter_map(|file| Some(file.before.as_ref()?.path.clone())).collect();
    let past = extra.base.filter(|_| !paths.is_empty()).and_then(|base| trees.past(base, &paths));
    Ok(ChangeSet { description, files: paired.files, commits: extra.commits, notices, coverage, past, trees })
}

/// Whether a clone was made without all objects, which its remote still has.
/// `remote.<name>.promisor` of git's configuration says so, or `extensions.partialClone` of older ones.
fn is_partial(repo: &Repository) -> bool {
    let promises = |config: &git2::Config| -> std::result::Result<bool, git2::Error> {
        let mut found = config.get_string("extensions.partialclone").is_ok();
        let mut add = |entry: &git2::ConfigEntry<'_>| found |= entry.value().is_ok_and(|value| value != "false");
        config.entries(Some(r"^remote\..*\.promisor$"))?.for_each(&mut add)?;
        Ok(found)
    };
    repo.config().and_then(|config| promises(&config)).unwrap_or(false)
}

/// The commits that `after` has and `before` lacks, newest first.
fn commits(repo: &Repository, before: &Point, after: &Point, notices: &mut Vec<Notice>) -> Result<Vec<Commit>> {
    let (Some(from), Some(to)) = (before.commit, after.commit) else { return Ok(Vec::new()) };
    let mut walk = repo.revwalk().map_err(broken)?;
    walk.set_sorting(git2::Sort::TOPOLOGICAL).map_err(broken)?;
    walk.push(to).and_then(|()| walk.hide(from)).map_err(broken)?;
    let mut commits = Vec::new();
    for id in walk {
        if commits.len() == COMMIT_LIMIT {
            let text = format!("only the newest {COMMIT_LIMIT} commits of the range were read");
            notices.push(Notice::new("many-commits", text));
            break;
        }
        commits.push(told(&repo.find_commit(id.map_err(broken)?).map_err(broken)?));
    }
    Ok(commits)
}

/// What a commit says of itself.
fn told(commit: &git2::Commit<'_>) -> Commit {
    let person = |who: git2::Signature<'_>| Person {
        name: String::from_utf8_lossy(who.name_bytes()).into_owned(),
        email: String::from_utf8_lossy(who.email_bytes()).into_owned(),
    };
    let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
    let message = message.trim();
    let (subject, body) = message.split_once("\n\n").unwrap_or((message, ""));
    Commit {
        id: id_text(commit.id()),
        subject: subject.split_whitespace().collect::<Vec<_>>().join(" "),
        body: body.trim().to_owned(),
        author: person(commit.author()),
        committer: person(commit.committer()),
    }
}

fn id_text(oid: Oid) -> String {
    oid.to_string()
}

/// What a patch is completed from: the blobs of a repository, and the files of its `HEAD`.
pub(super) struct Base {
    found: Found,
    head: Option<Oid>,
}

/// The repository that a patch may be about.
pub(super) fn base(ground: &Ground) -> Result<Base> {
    let found = locate(ground)?;
    let head = revisions::head(&found.repo)?.map(|head| head.tree);
    Ok(Base { found, head })
}

impl Base {
    /// The bytes of the blob that a shortened id names, if they are few enough to be read.
    pub(super) fn blob(&self, short_id: &str) -> Option<Vec<u8>> {
        let odb = self.found.repo.odb().ok()?;
        let padded = format!("{short_id:0<40}").parse::<Oid>().ok()?;
        self.bytes(odb.exists_prefix(padded, short_id.len()).ok()?)
    }

    /// The bytes of a file of `HEAD`.
    pub(super) fn file(&self, path: &[u8]) -> Option<Vec<u8>> {
        self.bytes(self.entry(path)?.0)
    }

    /// The mode of a file of `HEAD`.
    pub(super) fn mode(&self, path: &[u8]) -> Option<super::pairing::Mode> {
        self.entry(path).map(|(_, mode)| mode)
    }

    fn entry(&self, path: &[u8]) -> Option<(Oid, super::pairing::Mode)> {
        let path = std::str::from_utf8(path).ok()?;
        let entry = self.found.repo.find_tree(self.head?).ok()?.get_path(Path::new(path)).ok()?;
        Some((entry.id(), listing::file_mode(entry.filemode())?))
    }

    fn bytes(&self, id: Oid) -> Option<Vec<u8>> {
        let odb = self.found.repo.odb().ok()?;
        let (size, kind) = odb.read_header(id).ok()?;
        if kind != ObjectType::Blob || size > super::SIZE_LIMIT {
            return None;
        }
        Some(odb.read(id).ok()?.data().to_vec())
    }

    /// The files of `HEAD` as both sides.
    pub(super) fn into_trees(self) -> GitTrees {
        let side = || self.head.map_or(SideTree::Empty, SideTree::Tree);
        let (before, after) = (side(), side());
        GitTrees::new(Pool::new(self.found), before, after)
    }
}
