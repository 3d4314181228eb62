//! Which changes a git hook reviews. The one place that knows, for every way in which hooks are run.
//!
//! What git or a runner (pre-commit, prek, lefthook) says decides, first match wins:
//!
//! | said | reviewed |
//! |---|---|
//! | `PRE_COMMIT_FROM_REF` and `PRE_COMMIT_TO_REF`: a runner with a range, its pre-push too | what the second has since its merge base with the first |
//! | `PRE_COMMIT_LOCAL_BRANCH` alone: a runner's pre-push of a whole history | that branch, against nothing |
//! | git's own pre-push | what each reference on standard input brings to the remote |
//! | something is staged | `HEAD` against the index that git means (`GIT_INDEX_FILE`) |
//! | nothing is staged, and `CI` is set | the pull request, as `--pr` finds it |
//! | nothing is staged | nothing |
//!
//! A runner leaves the work tree where it is, so ranges are read from blobs. One that is told to look at all files stages
//! nothing: in CI it would be green for ever, so a pull request that cannot be told is an error there. The names of
//! files that a runner hands over are not looked at: a partially staged file differs from what will be committed.

use std::io::{IsTerminal, Read};

use super::git::push::{self, Pushed};
use super::{ChangeSource, Ground, git};
use crate::error::{Error, Result};

/// A hook of git's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hook {
    /// Before a commit is made.
    PreCommit,
    /// Before anything is pushed.
    PrePush,
}

impl Hook {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::PreCommit, Self::PrePush];

    /// The name that git has for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::PrePush => "pre-push",
        }
    }
}

/// What a hook is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hooked {
    /// There is nothing to review, and why.
    Nothing(String),
    /// Changes to review, at least one.
    Changes(Vec<HookedChange>),
}

/// One change that a hook reviews.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookedChange {
    /// The change.
    pub source: ChangeSource,
    /// What the report does not say of it: which reference is pushed where.
    pub about: Option<String>,
}

/// What a run of a hook reviews. `remote` is the name, or the address, that git gives to pre-push.
pub fn hooked(hook: Hook, remote: Option<&str>, ground: &Ground) -> Result<Hooked> {
    match occasion(hook, &super::variable) {
        Occasion::Source(source) => Ok(Hooked::Changes(vec![HookedChange { source, about: None }])),
        Occasion::Push => pushed(&pushed_lines()?, remote, ground),
        Occasion::Index { .. } if git::is_staged(ground)? => {
            Ok(Hooked::Changes(vec![HookedChange { source: ChangeSource::Staged, about: None }]))
        }
        Occasion::Index { is_ci: true } => {
            Ok(Hooked::Changes(vec![HookedChange { source: ChangeSource::PullRequest, about: None }]))
        }
        Occasion::Index { is_ci: false } => {
            Ok(Hooked::Nothing("nothing is staged, so there is nothing to review".to_owned()))
        }
    }
}

/// Why a hook runs.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Occasion {
    /// A runner names the change.
    Source(ChangeSource),
    /// git is about to push what it tells on standard input.
    Push,
    /// A commit is about to be made, or a runner was started by hand or in CI.
    Index { is_ci: bool },
}

/// `variable` looks up the environment; a variable that is empty counts as absent.
fn occasion(hook: Hook, variable: &dyn Fn(&str) -> Option<String>) -> Occasion {
    if let (Some(from), Some(to)) = (variable("PRE_COMMIT_FROM_REF"), variable("PRE_COMMIT_TO_REF")) {
        return Occasion::Source(ChangeSource::Range(format!("{from}...{to}")));
    }
    if let Some(branch) = variable("PRE_COMMIT_LOCAL_BRANCH") {
        return Occasion::Source(ChangeSource::Step { before: None, after: branch });
    }
    // A runner reads git's input itself and leaves an empty one.
    if hook == Hook::PrePush && variable("PRE_COMMIT").is_none() {
        return Occasion::Push;
    }
    let is_ci = variable("CI").is_some_and(|value| value != "false" && value != "0");
    Occasion::Index { is_ci }
}

fn pushed_lines() -> Result<String> {
    // A runner may hand over its terminal instead of git's input; reading that would wait for ever.
    if std::io::stdin().is_terminal() {
        return Err(Error::Usage {
            what: "git tells `pre-push` on standard input what is pushed, and that is a terminal here".to_owned(),
            help: "let the runner hand it on (lefthook: `use_stdin: true`), or name a range: `tenth BASE...HEAD`"
                .to_owned(),
        });
    }
    let mut lines = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut lines)
        .map_err(|error| Error::Unreadable { path: "standard input".to_owned(), reason: error.to_string() })?;
    Ok(String::from_utf8_lossy(&lines).into_owned())
}

fn pushed(lines: &str, remote: Option<&str>, ground: &Ground) -> Result<Hooked> {
    // git runs the hook as well where everything is up to date, so this cannot be an error; but it must not pass for a
    // review where a runner keeps the input to itself.
    if lines.trim().is_empty() {
        let why = "standard input names nothing that is pushed, so nothing was reviewed (lefthook hands it over with \
                   `use_stdin: true`)";
        return Ok(Hooked::Nothing(why.to_owned()));
    }
    let mut changes: Vec<HookedChange> = Vec::new();
    for pushed in push::pushed(lines, remote, ground)? {
        match pushed {
            Pushed::Nothing => {}
            Pushed::Commits { before, after, about } => {
                let source = ChangeSource::Step { before, after };
                if changes.iter().all(|change| change.source != source) {
                    changes.push(HookedChange { source, about: Some(about) });
                }
            }
        }
    }
    Ok(if changes.is_empty() {
        Hooked::Nothing("the push brings no commit to the remote, so there is nothing to review".to_owned())
    } else {
        Hooked::Changes(changes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(hook: Hook, variables: &[(&str, &str)]) -> Occasion {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        occasion(hook, &variable)
    }

    #[test]
    fn the_first_match_wins() {
        let range = Occasion::Source(ChangeSource::Range("a...b".to_owned()));
        let all = [
            ("PRE_COMMIT_FROM_REF", "a"),
            ("PRE_COMMIT_TO_REF", "b"),
            ("PRE_COMMIT_LOCAL_BRANCH", "refs/heads/main"),
            ("PRE_COMMIT", "1"),
            ("CI", "true"),
        ];
        let whole = Occasion::Source(ChangeSource::Step { before: None, after: "refs/heads/main".to_owned() });
        for hook in Hook::ALL {
            assert_eq!(decided(hook, &all), range);
            assert_eq!(decided(hook, &all[1..]), whole, "one of the two is no range");
            assert_eq!(decided(hook, &all[3..]), Occasion::Index { is_ci: true });
        }
        assert_eq!(decided(Hook::PrePush, &all[4..]), Occasion::Push);
        assert_eq!(decided(Hook::PreCommit, &all[4..]), Occasion::Index { is_ci: true });
    }

    #[test]
    fn a_ci_that_is_denied_is_none() {
        for value in ["false", "0"] {
            assert_eq!(decided(Hook::PreCommit, &[("CI", value)]), Occasion::Index { is_ci: false });
        }
        assert_eq!(decided(Hook::PreCommit, &[]), Occasion::Index { is_ci: false });
    }
}
