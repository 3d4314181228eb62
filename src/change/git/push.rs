//! What a push brings to a remote.
//!
//! git tells a pre-push hook one line for each reference:
//!
//! ~~~text
//! refs/heads/topic 67890… refs/heads/topic 12345…     from what the remote has of it to what it gets
//! HEAD 67890… refs/heads/topic 0000000…               new on the remote
//! (delete) 0000000… refs/heads/topic 12345…           gone from the remote
//! ~~~
//!
//! A branch that only goes on is compared with what the remote has of it. Any other (new, forced, or standing where this
//! repository does not know it) is compared with what the remote has already, as far as the remote's branches here and
//! the other references of the push tell: with the newest such commit that it builds on.

use std::collections::BTreeSet;

use git2::{Oid, Repository};

use super::revisions::{self, Alteration, Altered};
use super::{broken, id_text, locate};
use crate::change::Ground;
use crate::error::{Error, Result};

/// What one line of a push comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::change) enum Pushed {
    /// A deletion, commits that the remote has already, or something that is no commit.
    Nothing,
    /// Commits, by the full ids of both ends; without a first one the whole history is new.
    Commits { before: Option<String>, after: String, about: String },
}

/// What each line of git's input to pre-push comes to.
pub(in crate::change) fn pushed(lines: &str, remote: Option<&str>, ground: &Ground) -> Result<Vec<Pushed>> {
    let found = locate(ground)?;
    let repo = &found.repo;
    let mut held = held_by(repo, remote)?;
    let mut pushed = Vec::new();
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let line = Line::parse(line)?;
        let Some(tip) = line.tip(repo)? else {
            pushed.push(Pushed::Nothing);
            continue;
        };
        let there = line.remote_id.and_then(|id| repo.find_commit(id).ok()).map(|commit| commit.id());
        let range = match there {
            Some(there) if there == tip => None,
            Some(there) if repo.graph_descendant_of(tip, there).map_err(broken)? => Some(Some(there)),
            Some(_) | None => {
                held.extend(there);
                beyond(repo, tip, &held, &line)?
            }
        };
        held.insert(tip);
        pushed.push(match range {
            None => Pushed::Nothing,
            Some(before) => {
                let since =
                    before.map_or_else(|| "its whole history".to_owned(), |id| format!("since {:.12}", id_text(id)));
                let to = remote.map_or_else(String::new, |remote| format!(" of `{remote}`"));
                let about = format!("pushed to `{}`{to}: {since}", line.remote_ref);
                Pushed::Commits { before: before.map(id_text), after: id_text(tip), about }
            }
        });
    }
    Ok(pushed)
}

/// One line of git's input.
struct Line<'a> {
    local_ref: &'a str,
    /// `None` where the reference is deleted.
    local_id: Option<Oid>,
    remote_ref: &'a str,
    /// `None` where the remote does not have it.
    remote_id: Option<Oid>,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Result<Self> {
        let id = |text: &str| {
            let id = text.parse::<Oid>().ok().filter(|_| text.len() == 40)?;
            Some(if id.is_zero() { None } else { Some(id) })
        };
        // What is pushed may be written with blanks (`HEAD@{2 days ago}`); the rest may not.
        let mut words = line.trim_end().rsplitn(4, ' ');
        let parsed = (|| {
            let (remote_id, remote_ref, local_id) = (id(words.next()?)?, words.next()?, id(words.next()?)?);
            Some(Self { local_ref: words.next()?, local_id, remote_ref, remote_id })
        })();
        parsed.ok_or_else(|| Error::Usage {
            what: format!("`{line}` on standard input is no line of a push"),
            help:
                "git writes `LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID`; to review a range by hand: `tenth BASE...HEAD`"
                    .to_owned(),
        })
    }

    /// The commit that is pushed; `None` for a deletion, and for a tag of something else.
    fn tip(&self, repo: &Repository) -> Result<Option<Oid>> {
        let Some(id) = self.local_id else { return Ok(None) };
        let object = repo.find_object(id, None).map_err(broken)?;
        Ok(object.peel_to_commit().ok().map(|commit| commit.id()))
    }
}

/// The commits that the remote is known to have. One that is named by its address has no branches here, but what any
/// remote has need not be read again.
fn held_by(repo: &Repository, remote: Option<&str>) -> Result<BTreeSet<Oid>> {
    let named = remote.filter(|remote| repo.find_remote(remote).is_ok());
    let prefix = named.map_or_else(|| "refs/remotes/".to_owned(), |remote| format!("refs/remotes/{remote}/"));
    let mut held = BTreeSet::new();
    for reference in repo.references().map_err(broken)?.flatten() {
        if reference.name().is_ok_and(|name| name.starts_with(&prefix))
            && let Ok(commit) = reference.peel_to_commit()
        {
            held.insert(commit.id());
        }
    }
    Ok(held)
}

/// Where that begins which a commit has beyond some others: `None` if it has nothing, `Some(None)` if it begins with
/// the first commit.
fn beyond(repo: &Repository, tip: Oid, held: &BTreeSet<Oid>, line: &Line<'_>) -> Result<Option<Option<Oid>>> {
    let mut walk = repo.revwalk().map_err(broken)?;
    walk.push(tip).map_err(broken)?;
    for &id in held {
        walk.hide(id).map_err(broken)?;
    }
    let new = walk.collect::<std::result::Result<BTreeSet<Oid>, _>>().map_err(broken)?;
    if new.is_empty() {
        return Ok(None);
    }
    if let Some((&id, how)) = Altered::read(repo).0.iter().find(|(id, _)| new.contains(id)) {
        return Err(Error::UncertainRevision {
            revision: line.local_ref.to_owned(),
            because: format!("where it left what the remote has is unknown: {}", how.cause(id)),
            help: match how {
                Alteration::Shallow => revisions::UNSHALLOW.to_owned(),
                Alteration::Grafted | Alteration::Replaced => how.mend(id, "or push without the hook: `--no-verify`"),
            },
        });
    }
    let mut edges = BTreeSet::new();
    for &id in &new {
        edges.extend(repo.find_commit(id).map_err(broken)?.parent_ids().filter(|parent| !new.contains(parent)));
    }
    // What another edge builds on is no edge of its own: the branch took the remote's branch in later.
    let mut newest = Vec::new();
    for &edge in &edges {
        let mut is_behind = false;
        for &other in edges.iter().filter(|&&other| other != edge) {
            is_behind = is_behind || repo.graph_descendant_of(other, edge).map_err(broken)?;
        }
        if !is_behind {
            newest.push(edge);
        }
    }
    if let [] | [_] = newest[..] {
        return Ok(Some(newest.first().copied()));
    }
    // Several branches of the remote came together. Along the first parents lies what the branch is itself.
    let mut at = Some(tip);
    while let Some(id) = at.filter(|id| new.contains(id)) {
        at = repo.find_commit(id).map_err(broken)?.parent_id(0).ok();
    }
    Ok(Some(at))
}
