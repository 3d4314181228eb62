//! The commits that a run of CI is about.

use git2::Repository;

use super::revisions::{self, Point};
use super::{between_trees, broken, id_text, locate};
use crate::change::ci::{Before, Checkout, CiRun};
use crate::change::{ChangeSet, Ground};
use crate::error::{Error, Result};

/// See [`crate::change::ci`].
pub(in crate::change) fn of_run(run: &CiRun, ground: &Ground) -> Result<ChangeSet> {
    let found = locate(ground)?;
    let repo = &found.repo;
    let CiRun { name, .. } = run;
    if run.checkout == Checkout::MayBeMerged && is_merge_of(repo, &run.after)? {
        let (before, after) = (revisions::resolve(repo, "HEAD^1")?, revisions::resolve(repo, "HEAD")?);
        let how = format!("{name}: from the first parent of its merge commit, `HEAD`, to that commit");
        return between_trees(found, Some(before), after, how, Vec::new());
    }
    let after = revisions::resolve(repo, &run.after)?;
    let mut notices = Vec::new();
    let (before, how) = match &run.before {
        Before::Commit(id) => {
            let before = revisions::resolve(repo, id)?;
            notices.extend(revisions::not_an_ancestor(repo, &before, &after)?);
            let how = format!("{name}: from `{}` to `{}`", before.name, after.name);
            (before, how)
        }
        Before::MergeBase(id) => from_merge_base(repo, name, id, &after)?,
        Before::Branch(branch) => from_merge_base(repo, name, &format!("refs/remotes/origin/{branch}"), &after)?,
        Before::Unsaid(variable) => {
            return Err(Error::Usage {
                what: format!("nothing here says where {name} begins: `{variable}` is not set"),
                help: "let the pipeline run for merge requests, or name the range: `tenth BASE...HEAD`".to_owned(),
            });
        }
    };
    between_trees(found, Some(before), after, how, notices)
}

fn from_merge_base(repo: &Repository, name: &str, base: &str, after: &Point) -> Result<(Point, String)> {
    let base = revisions::resolve(repo, base)?;
    let before = revisions::merge_base(repo, &base, after)?;
    let how = format!("{name}: from the merge base of `{}` and `{}` to `{}`", base.name, after.name, after.name);
    Ok((before, how))
}

/// Whether `HEAD` merges a commit into another one. Its own bytes tell, also where a shallow clone has cut its parents
/// off: to go on with something else than the merge would hide that.
fn is_merge_of(repo: &Repository, id: &str) -> Result<bool> {
    let Some(head) = revisions::head(repo)?.and_then(|head| head.commit) else { return Ok(false) };
    let head = repo.find_commit(head).map_err(broken)?;
    let parents = revisions::stored_parents(&head);
    Ok(parents.len() == 2 && parents.get(1).is_some_and(|parent| id_text(*parent) == id))
}
