//! The states that somebody, or some agent, left to come back to.
//!
//! ~~~text
//! commits whose subject says so, agents' commits, empty plans    on the way from HEAD back
//! tags, references beside the branches, shadow branches          wherever they point
//! every commit of a repository that is named by `--git-dir`      one that was made for checkpoints alone
//! ~~~

use crate::error::{Error, Result};

use super::marks::Mark;
use super::{ChangeSet, Ground, Notice, git};

/// A way of states, each to be compared with the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The commit before the first step; `None` where there was nothing.
    pub base: Option<String>,
    /// The steps, oldest first.
    pub steps: Vec<Step>,
}

/// One state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The full id of its commit.
    pub commit: String,
    /// The first paragraph of its message on one line.
    pub subject: String,
    /// Why it is a step.
    pub kind: StepKind,
    /// The tag, reference or branch that makes it one.
    pub name: Option<String>,
    /// The agent that made it, if it says so.
    pub mark: Option<Mark>,
}

/// Why a state is a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// Its subject is one of a checkpoint.
    Checkpoint,
    /// It changes nothing and says that the work begins.
    Plan,
    /// An agent made it.
    Agent,
    /// A tag names it.
    Tag,
    /// A reference beside the branches names it.
    Reference,
    /// It is on a branch that holds states of a work tree.
    Shadow,
    /// It is in a repository that holds checkpoints only.
    Side,
    /// It is in the range.
    Commit,
}

/// The steps of a range, every commit of its own way counted, or the checkpoints that can be found from `HEAD`.
pub fn list(range: Option<&str>, patterns: &[String], ground: &Ground) -> Result<Chain> {
    git::chain(range, patterns, ground)
}

/// The newest checkpoint against the work tree.
pub(super) fn since_newest(patterns: &[String], ground: &Ground) -> Result<ChangeSet> {
    let chain = list(None, patterns, ground)?;
    let Some(newest) = chain.steps.last() else {
        return Err(Error::Usage {
            what: "there is no checkpoint here: no commit, tag, reference or branch that looks like one".to_owned(),
            help: "name the commit to start from: `tenth REVISION`; or what your checkpoints are called: \
                   `--checkpoint 'PATTERN'`"
                .to_owned(),
        });
    };
    let mut change = git::range(&newest.commit, ground)?;
    let by = newest.name.as_ref().map_or_else(|| format!("`{}`", newest.subject), |name| format!("`{name}`"));
    let short = newest.commit.get(..12).unwrap_or(&newest.commit);
    change.description.how =
        format!("from the newest checkpoint, {by} ({short}), to the work tree, untracked files included");
    change.notices.push(Notice::new("choice", format!("the newest checkpoint is {by} ({short})")));
    Ok(change)
}

impl ChangeSet {
    /// Leaves only files that a commit touches that bears an agent's mark, and says how many that are.
    pub fn of_agents(mut self, ground: &Ground) -> Result<Self> {
        let marked: Vec<&str> = self
            .commits
            .iter()
            .filter(|commit| super::marks::agent(commit).is_some())
            .map(|commit| commit.id.as_str())
            .collect();
        let touched = git::touched_by(&marked, ground)?;
        let all = self.files.len();
        self.files.retain(|file| {
            [&file.before, &file.after].into_iter().flatten().any(|side| touched.contains(side.path.as_bytes()))
        });
        self.coverage.retain(|row| touched.contains(row.path.as_bytes()));
        let text = format!(
            "{} of {} commits bear an agent's mark; {} of {all} files, which they touch, are reviewed",
            marked.len(),
            self.commits.len(),
            self.files.len()
        );
        self.notices.push(Notice::new("agent-commits", text));
        Ok(self)
    }
}
