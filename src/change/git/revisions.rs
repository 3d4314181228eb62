//! What a user's words for commits mean, and why they may mean nothing here.
//!
//! Resolution fails closed. A clone can lack the history that would answer (shallow), or tell another one than the
//! commits themselves (grafts, replacements). A merge base is believed only when no such commit lies between it and the
//! two tips: else a better one could hide behind the cut. With several merge bases none is *the* base, so the user
//! names one of them.

use std::collections::BTreeMap;

use git2::{ErrorCode, Oid, Repository};

use super::{broken, id_text};
use crate::change::Notice;
use crate::error::{Error, Result, nearest_of};

/// How to get the history that a shallow clone lacks.
pub(super) const UNSHALLOW: &str =
    "fetch the rest: `git fetch --unshallow` (GitHub Actions: `fetch-depth: 0`; GitLab CI: `GIT_DEPTH: \"0\"`)";

/// The shape of what the user wrote.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Spec<'a> {
    /// `A..B`.
    Two { before: &'a str, after: &'a str },
    /// `A...B`.
    Three { before: &'a str, after: &'a str },
    /// `REV`.
    One(&'a str),
}

impl<'a> Spec<'a> {
    /// Splits a range; an end that is left out is `HEAD`.
    pub(super) fn parse(text: &'a str) -> Result<Self> {
        let or_head = |end: &'a str| if end.is_empty() { "HEAD" } else { end };
        let mut depth = 0_u32;
        let dots = text.char_indices().position(|(at, symbol)| {
            match symbol {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && text[at..].starts_with("..")
        });
        let dots = dots.and_then(|nth| text.char_indices().nth(nth)).map(|(at, _)| at);
        let spec = match dots {
            None => Self::One(text),
            Some(at) => match text[at..].strip_prefix("...") {
                Some(after) => Self::Three { before: or_head(&text[..at]), after: or_head(after) },
                None => Self::Two { before: or_head(&text[..at]), after: or_head(&text[at + 2..]) },
            },
        };
        let ends = match spec {
            Self::One(one) => [one, one],
            Self::Two { before, after } | Self::Three { before, after } => [before, after],
        };
        if ends.iter().any(|end| end.is_empty() || end.starts_with('.') || end.starts_with('-')) {
            return Err(Error::Usage {
                what: format!("`{text}` is not a range"),
                help: "write `BEFORE..AFTER`, `BASE...TIP`, or one revision".to_owned(),
            });
        }
        Ok(spec)
    }
}

/// A resolved revision: a commit and its tree, or only a tree.
#[derive(Clone, Debug)]
pub(super) struct Point {
    /// As the user wrote it.
    pub(super) name: String,
    pub(super) commit: Option<Oid>,
    pub(super) tree: Oid,
}

impl Point {
    /// The full id of the commit, or of the tree where there is no commit.
    pub(super) fn id(&self) -> String {
        id_text(self.commit.unwrap_or(self.tree))
    }
}

/// The commit that `HEAD` names; `None` before the first commit.
pub(super) fn head(repo: &Repository) -> Result<Option<Point>> {
    let commit = match repo.head() {
        Ok(head) => head.peel_to_commit().map_err(broken)?,
        Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => return Ok(None),
        Err(error) => return Err(broken(error)),
    };
    Ok(Some(Point { name: "HEAD".to_owned(), commit: Some(commit.id()), tree: commit.tree_id() }))
}

/// Resolves one revision.
pub(super) fn resolve(repo: &Repository, revision: &str) -> Result<Point> {
    let object = repo.revparse_single(revision).map_err(|error| no_revision(repo, revision, &error))?;
    let point = if let Ok(commit) = object.peel_to_commit() {
        Point { name: revision.to_owned(), commit: Some(commit.id()), tree: commit.tree_id() }
    } else if let Ok(tree) = object.peel_to_tree() {
        Point { name: revision.to_owned(), commit: None, tree: tree.id() }
    } else {
        return Err(Error::NoRevision {
            revision: revision.to_owned(),
            because: " as a commit: it names a single file's content".to_owned(),
            help: "name a commit, a branch or a tag".to_owned(),
        });
    };
    let altered = Altered::read(repo);
    let steps_through_parents = revision.contains(['~', '^']);
    for (id, how) in &altered.0 {
        let is_itself = point.commit == Some(*id) && *how == Alteration::Replaced;
        let is_passed = steps_through_parents && *how != Alteration::Shallow;
        if is_itself || is_passed {
            return Err(Error::UncertainRevision {
                revision: revision.to_owned(),
                because: how.cause(*id),
                help: how.mend(*id, "or name the commit by its full id"),
            });
        }
    }
    Ok(point)
}

fn no_revision(repo: &Repository, revision: &str, error: &git2::Error) -> Error {
    if error.code() == ErrorCode::Ambiguous {
        let help = "write more of the id, or the full name".to_owned();
        return Error::UncertainRevision { revision: revision.to_owned(), because: "it is ambiguous".to_owned(), help };
    }
    let (because, help) = why_no_revision(repo, revision);
    Error::NoRevision { revision: revision.to_owned(), because, help }
}

/// The cause, and what would mend it.
fn why_no_revision(repo: &Repository, revision: &str) -> (String, String) {
    let root = revision.split(['~', '^', '@', ':']).next().unwrap_or(revision);
    let root = if root.is_empty() { "HEAD" } else { root };
    let root_exists = repo.revparse_single(root).is_ok();
    if root == "HEAD" && !root_exists {
        return (
            ": there is no commit yet".to_owned(),
            "review what is staged (`tenth --staged`) or the work tree (`tenth --worktree`)".to_owned(),
        );
    }
    if repo.is_shallow() {
        let tip = repo.revparse_single(root).and_then(|object| object.peel_to_commit()).ok();
        let is_merge = tip.is_some_and(|tip| stored_parents(&tip).len() > 1);
        let help = if root_exists && is_merge {
            format!("{UNSHALLOW}; for a merge commit's own change `git fetch --depth=2` (`fetch-depth: 2`) is enough")
        } else if root_exists {
            UNSHALLOW.to_owned()
        } else {
            format!("fetch it: `git fetch origin {root}`, or {UNSHALLOW}")
        };
        return (": the clone is shallow and its history is cut off".to_owned(), help);
    }
    let grafted = Altered::read(repo).0.into_iter().find(|(_, how)| *how == Alteration::Grafted);
    if let Some((id, how)) = grafted.filter(|_| root_exists) {
        return (format!(": {}", how.cause(id)), how.mend(id, "or name the commit by its full id"));
    }
    if root_exists {
        return (String::new(), format!("`{root}` exists, but not what follows it: see `git log --oneline {root}`"));
    }
    let on_remote = repo
        .references_glob(&format!("refs/remotes/*/{root}"))
        .ok()
        .and_then(|mut found| found.next()?.ok()?.shorthand().ok().map(str::to_owned));
    if let Some(remote) = on_remote {
        return (": there is no such branch here".to_owned(), format!("the remote has it: write `{remote}`"));
    }
    let is_path = repo.workdir().is_some_and(|folder| folder.join(revision).exists());
    if is_path {
        return (": it is a path".to_owned(), format!("to review files as they stand: `tenth check {revision}`"));
    }
    let nearest = nearest(repo, root).map(|name| format!("did you mean `{name}`? "));
    let has_remote = repo.remotes().is_ok_and(|remotes| !remotes.is_empty());
    let fetch = has_remote.then(|| format!("fetch it: `git fetch origin {root}`; "));
    let (nearest, fetch) = (nearest.unwrap_or_default(), fetch.unwrap_or_default());
    (String::new(), format!("{nearest}{fetch}`git branch --all` lists what is here"))
}

/// The branch or tag that is called nearly so.
fn nearest(repo: &Repository, name: &str) -> Option<String> {
    let names: Vec<String> = ["refs/heads/*", "refs/tags/*", "refs/remotes/*"]
        .iter()
        .filter_map(|kind| repo.references_glob(kind).ok())
        .flat_map(|found| found.flatten().filter_map(|one| Some(one.shorthand().ok()?.to_owned())).collect::<Vec<_>>())
        .collect();
    nearest_of(name, names.iter().map(String::as_str)).map(str::to_owned)
}

/// The parents that a commit was made with, whatever a shallow clone shows of them.
pub(super) fn stored_parents(commit: &git2::Commit<'_>) -> Vec<Oid> {
    let lines = commit.raw_header_bytes().split(|&byte| byte == b'\n');
    let ids = lines.filter_map(|line| std::str::from_utf8(line.strip_prefix(b"parent ")?).ok()?.trim().parse().ok());
    ids.collect()
}

/// The one merge base of two commits.
pub(super) fn merge_base(repo: &Repository, one: &Point, two: &Point) -> Result<Point> {
    let (Some(left), Some(right)) = (one.commit, two.commit) else {
        return Err(Error::Usage {
            what: format!("`{}...{}` needs two commits to find their merge base", one.name, two.name),
            help: format!("compare the two trees themselves: `tenth {}..{}`", one.name, two.name),
        });
    };
    let bases: Vec<Oid> = match repo.merge_bases(left, right) {
        Ok(bases) => bases.iter().copied().collect(),
        Err(error) if error.code() == ErrorCode::NotFound => Vec::new(),
        Err(error) => return Err(broken(error)),
    };
    let refuse = |because: String, help: String| {
        Err(Error::NoMergeBase { before: one.name.clone(), after: two.name.clone(), because, help })
    };
    let altered = Altered::read(repo);
    let as_it_is = format!("or compare the two states themselves: `tenth {}..{}`", one.name, two.name);

    // Whatever was altered between the tips and the base could have led to another base.
    let mut walk = repo.revwalk().map_err(broken)?;
    walk.push(left).and_then(|()| walk.push(right)).map_err(broken)?;
    for &base in &bases {
        walk.hide(base).map_err(broken)?;
    }
    let mut suspect = None;
    if !altered.0.is_empty() {
        for id in walk {
            let id = id.map_err(broken)?;
            if let Some(&how) = altered.0.get(&id) {
                suspect = Some((id, how));
                break;
            }
        }
    }
    if let Some((id, how)) = suspect {
        let tip = repo.find_commit(right).map_err(broken)?;
        let instead = if how == Alteration::Shallow && stored_parents(&tip).len() > 1 {
            format!(
                "or, for a merge commit's own change, `git fetch --depth=2` (`fetch-depth: 2`) and `tenth {0}^1..{0}`",
                two.name
            )
        } else {
            as_it_is
        };
        return refuse(format!(" that is certain: {}", how.cause(id)), how.mend(id, &instead));
    }
    match bases[..] {
        [base] => {
            let commit = repo.find_commit(base).map_err(broken)?;
            Ok(Point { name: id_text(base), commit: Some(base), tree: commit.tree_id() })
        }
        [] => refuse(": their histories are unrelated".to_owned(), format!("check the names, {as_it_is}")),
        _ => {
            let mut names: Vec<String> = bases.iter().map(|&base| id_text(base)).collect();
            names.sort();
            let list = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            refuse(
                format!(" that is the only one: they have {} ({list})", names.len()),
                format!("choose one: `tenth {}..{}`", names[0], two.name),
            )
        }
    }
}

/// Why a commit's history may not be what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alteration {
    Shallow,
    Grafted,
    Replaced,
}

impl Alteration {
    pub(super) fn cause(self, id: Oid) -> String {
        let id = &id_text(id)[..12];
        match self {
            Self::Shallow => format!("the clone is shallow and its history is cut off at `{id}`"),
            Self::Grafted => format!("`info/grafts` changes the parents of `{id}`"),
            Self::Replaced => format!("`refs/replace` puts another commit in the place of `{id}`"),
        }
    }

    pub(super) fn mend(self, id: Oid, instead: &str) -> String {
        match self {
            Self::Shallow => format!("{UNSHALLOW}, {instead}"),
            Self::Grafted => {
                format!("take the graft away: `rm \"$(git rev-parse --git-path info/grafts)\"`, {instead}")
            }
            Self::Replaced => format!("take the replacement away: `git replace -d {}`, {instead}", id_text(id)),
        }
    }
}

/// The commits whose parents this repository does not tell as they are.
pub(super) struct Altered(pub(super) BTreeMap<Oid, Alteration>);

impl Altered {
    pub(super) fn read(repo: &Repository) -> Self {
        let mut altered = BTreeMap::new();
        for (file, how) in [("shallow", Alteration::Shallow), ("info/grafts", Alteration::Grafted)] {
            let text = std::fs::read_to_string(repo.commondir().join(file)).unwrap_or_default();
            let ids = text.lines().filter_map(|line| line.split_whitespace().next()?.parse::<Oid>().ok());
            altered.extend(ids.map(|id| (id, how)));
        }
        if let Ok(replaced) = repo.references_glob("refs/replace/*") {
            let ids = replaced.flatten().filter_map(|found| found.name().ok()?.rsplit('/').next()?.parse::<Oid>().ok());
            altered.extend(ids.map(|id| (id, Alteration::Replaced)));
        }
        Self(altered)
    }
}

/// A notice when a range starts at a commit that its end does not build on.
pub(super) fn not_an_ancestor(repo: &Repository, before: &Point, after: &Point) -> Result<Option<Notice>> {
    let (Some(from), Some(to)) = (before.commit, after.commit) else { return Ok(None) };
    if from == to || repo.graph_descendant_of(to, from).map_err(broken)? {
        return Ok(None);
    }
    let cut = if repo.is_shallow() { " as far as this shallow clone shows" } else { "" };
    let text = format!(
        "`{}` is not an ancestor of `{}`{cut}: what only `{0}` has appears as removed; `tenth {0}...{1}` leaves it out",
        before.name, after.name
    );
    Ok(Some(Notice::new("not-ancestor", text)))
}
