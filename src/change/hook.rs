//! Which change a git hook reviews. The one place that knows, for every way in which hooks are run.
//!
//! The environment decides, first match wins:
//!
//! 1. `PRE_COMMIT_FROM_REF` and `PRE_COMMIT_TO_REF` (a runner with a range, or its pre-push): what the second has since
//!    its merge base with the first. The runner leaves the work tree where it is, so this is read from blobs.
//! 2. Something is staged: `HEAD` against the index that git means (`GIT_INDEX_FILE`).
//! 3. Nothing is staged and `CI` is set: the pull request's range. A runner with `--all-files` stages nothing there and
//!    would be green for ever, so a range that cannot be told is an error.
//! 4. Nothing is staged on a person's machine: nothing to review.

use super::ChangeSource;
use crate::error::{Error, Result};

/// The change of a hook; `None` when there is nothing to review.
///
/// `variable` looks up the environment; a variable that is set but empty counts as absent.
pub fn hook_source(variable: &dyn Fn(&str) -> Option<String>, is_staged: bool) -> Result<Option<ChangeSource>> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if let (Some(from), Some(to)) = (set("PRE_COMMIT_FROM_REF"), set("PRE_COMMIT_TO_REF")) {
        return Ok(Some(ChangeSource::Range(format!("{from}...{to}"))));
    }
    if is_staged {
        return Ok(Some(ChangeSource::Staged));
    }
    if set("CI").is_none_or(|value| value == "false") {
        return Ok(None);
    }
    if let Some(base) = set("GITHUB_BASE_REF") {
        return Ok(Some(ChangeSource::Range(format!("origin/{base}...HEAD"))));
    }
    if let Some(base) = set("CI_MERGE_REQUEST_DIFF_BASE_SHA") {
        return Ok(Some(ChangeSource::Range(format!("{base}..HEAD"))));
    }
    Err(Error::Usage {
        what: "nothing is staged, and this CI run does not say which change it is about".to_owned(),
        help: "name the range: `tenth BASE...HEAD`, or give the runner `--from-ref` and `--to-ref`".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(variables: &[(&str, &str)], is_staged: bool) -> Result<Option<ChangeSource>> {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        hook_source(&variable, is_staged)
    }

    fn range(text: &str) -> Option<ChangeSource> {
        Some(ChangeSource::Range(text.to_owned()))
    }

    #[test]
    fn the_first_match_wins() {
        let refs = [("PRE_COMMIT_FROM_REF", "a"), ("PRE_COMMIT_TO_REF", "b"), ("CI", "true")];
        assert_eq!(source(&refs, true).ok(), Some(range("a...b")));
        assert_eq!(source(&refs[2..], true).ok(), Some(Some(ChangeSource::Staged)));
        assert_eq!(source(&[("PRE_COMMIT_FROM_REF", "a")], true).ok(), Some(Some(ChangeSource::Staged)));
        assert_eq!(source(&[], false).ok(), Some(None));
    }

    #[test]
    fn a_ci_run_without_a_change_is_refused() {
        assert!(source(&[("CI", "true")], false).is_err());
        let github = [("CI", "true"), ("GITHUB_BASE_REF", "main")];
        assert_eq!(source(&github, false).ok(), Some(range("origin/main...HEAD")));
        let gitlab = [("CI", "true"), ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "12ab")];
        assert_eq!(source(&gitlab, false).ok(), Some(range("12ab..HEAD")));
    }
}
