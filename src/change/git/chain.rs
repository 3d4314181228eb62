//! The steps of a range, and the checkpoints that a repository holds.

use std::collections::{BTreeMap, BTreeSet};

use git2::{Oid, Repository};

use super::revisions::{self, Spec};
use super::{COMMIT_LIMIT, broken, id_text, listing, locate, told};
use crate::change::Ground;
use crate::change::checkpoints::{Chain, Step, StepKind};
use crate::change::marks::{Patterns, agent, any};
use crate::error::Result;

/// A step with what its place among others is decided by.
struct Placed {
    step: Step,
    seconds: i64,
}

/// See [`crate::change::checkpoints::list`].
pub(in crate::change) fn chain(range: Option<&str>, patterns: &[String], ground: &Ground) -> Result<Chain> {
    let found = locate(ground)?;
    let repo = &found.repo;
    let (from, tip) = match range.map(Spec::parse).transpose()? {
        None => (None, revisions::head(repo)?),
        Some(Spec::One(before)) => (Some(revisions::resolve(repo, before)?), revisions::head(repo)?),
        Some(Spec::Two { before, after }) => {
            (Some(revisions::resolve(repo, before)?), Some(revisions::resolve(repo, after)?))
        }
        Some(Spec::Three { before, after }) => {
            let (one, two) = (revisions::resolve(repo, before)?, revisions::resolve(repo, after)?);
            (Some(revisions::merge_base(repo, &one, &two)?), Some(two))
        }
    };
    let tip = tip.and_then(|tip| tip.commit);
    let is_side = ground.git_dir.is_some();
    match from {
        Some(from) => {
            let steps = way(repo, tip, from.commit)?;
            let named = names(repo)?;
            let step = |id: &Oid| placed(repo, *id, &named, patterns, is_side).map(|placed| placed.step);
            let steps = steps.iter().map(step).collect::<Result<Vec<Step>>>()?;
            // What the range begins with need not be on the way: a chain that was rebased is compared with it all the same.
            Ok(Chain { base: Some(from.id()), steps })
        }
        None => checkpoints(repo, tip, patterns, is_side),
    }
}

/// The checkpoints that can be found from a commit, and those that names lead to.
fn checkpoints(repo: &Repository, tip: Option<Oid>, patterns: &[String], is_side: bool) -> Result<Chain> {
    let named = names(repo)?;
    let mut steps = Vec::new();
    let mut seen = BTreeSet::new();
    for id in way(repo, tip, None)? {
        let placed = placed(repo, id, &named, patterns, is_side)?;
        if placed.step.kind != StepKind::Commit {
            seen.insert(id);
            steps.push(placed);
        }
    }
    // What is not on the way stands where its time puts it.
    for id in named.keys().filter(|id| !seen.contains(*id)) {
        let placed = placed(repo, *id, &named, patterns, is_side)?;
        let at = steps.iter().rposition(|step| step.seconds <= placed.seconds).map_or(0, |at| at + 1);
        steps.insert(at, placed);
    }
    let first = steps.first().and_then(|first| first.step.commit.parse::<Oid>().ok());
    let base = first.and_then(|first| repo.find_commit(first).ok()?.parent_id(0).ok()).map(id_text);
    Ok(Chain { base, steps: steps.into_iter().map(|placed| placed.step).collect() })
}

/// The commits on the way from a tip back to what another one holds, oldest first. Of a merge the first parent counts:
/// what came from the side came in one step.
fn way(repo: &Repository, tip: Option<Oid>, from: Option<Oid>) -> Result<Vec<Oid>> {
    let mut found = Vec::new();
    let mut at = tip;
    while let Some(id) = at.filter(|_| found.len() < COMMIT_LIMIT) {
        let is_held = match from {
            Some(from) => from == id || repo.graph_descendant_of(from, id).map_err(broken)?,
            None => false,
        };
        if is_held {
            break;
        }
        found.push(id);
        // A shallow clone ends the way, as the first commit does.
        at = repo.find_commit(id).map_err(broken)?.parent_id(0).ok().filter(|parent| repo.find_commit(*parent).is_ok());
    }
    found.reverse();
    Ok(found)
}

/// The commits that tags, references and branches of checkpoints lead to.
fn names(repo: &Repository) -> Result<BTreeMap<Oid, (StepKind, String)>> {
    let patterns = Patterns::builtin();
    let mut named = BTreeMap::new();
    for reference in repo.references().map_err(broken)?.flatten() {
        let Ok(name) = reference.name() else { continue };
        let of = |kind: StepKind, short: &str| Some((kind, short.to_owned()));
        let found = if let Some(tag) = name.strip_prefix("refs/tags/") {
            of(StepKind::Tag, tag).filter(|_| patterns.is_tag(tag))
        } else if let Some(branch) = name.strip_prefix("refs/heads/") {
            of(StepKind::Shadow, branch).filter(|_| patterns.is_shadow(branch))
        } else if name.starts_with("refs/remotes/") || name.starts_with("refs/notes/") {
            None
        } else {
            of(StepKind::Reference, name).filter(|_| patterns.is_reference(name))
        };
        if let Some(found) = found
            && let Ok(commit) = reference.peel_to_commit()
        {
            named.entry(commit.id()).or_insert(found);
        }
    }
    Ok(named)
}

fn placed(
    repo: &Repository,
    id: Oid,
    named: &BTreeMap<Oid, (StepKind, String)>,
    patterns: &[String],
    is_side: bool,
) -> Result<Placed> {
    let commit = repo.find_commit(id).map_err(broken)?;
    let said = told(&commit);
    let mark = agent(&said);
    let known = Patterns::builtin();
    let is_empty = || commit.parent(0).is_ok_and(|parent| parent.tree_id() == commit.tree_id());
    let (kind, name) = match named.get(&id) {
        Some((kind, name)) => (*kind, Some(name.clone())),
        None if known.is_checkpoint(&said.subject) || any(patterns, &said.subject) => (StepKind::Checkpoint, None),
        None if known.is_plan(&said.subject) && is_empty() => (StepKind::Plan, None),
        None if mark.is_some() => (StepKind::Agent, None),
        None if is_side => (StepKind::Side, None),
        None => (StepKind::Commit, None),
    };
    let step = Step { commit: id_text(id), subject: said.subject, kind, name, mark };
    Ok(Placed { step, seconds: commit.time().seconds() })
}

/// The paths that some commits touch, each against its first parent.
pub(in crate::change) fn touched_by(ids: &[&str], ground: &Ground) -> Result<BTreeSet<Vec<u8>>> {
    let found = locate(ground)?;
    let repo = &found.repo;
    let mut touched = BTreeSet::new();
    for id in ids.iter().filter_map(|id| id.parse::<Oid>().ok()) {
        let commit = repo.find_commit(id).map_err(broken)?;
        let before = commit.parent(0).ok().map(|parent| parent.tree_id());
        let (old, new) = listing::of_two_trees(repo, before, Some(commit.tree_id())).map_err(broken)?;
        touched.extend(old.into_keys().chain(new.into_keys()));
    }
    Ok(touched)
}
