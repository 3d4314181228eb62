//! Which change a run of CI is about: what `--pr` reviews.
//!
//! The host says it, in the file of its event or in variables. Nothing is guessed: what is missing is an error that says
//! how to mend it.
//!
//! | host | run | before | after |
//! |---|---|---|---|
//! | GitHub | `pull_request` and whatever else holds a pull request | merge base with its `base.sha` | its `head.sha` |
//! | | `merge_group` | `base_sha` | `head_sha` |
//! | | `push` | `before`, or the merge base with it if the push was forced | `after` |
//! | | `push` of a new branch | merge base with the default branch | `after` |
//! | GitLab | merge request | `CI_MERGE_REQUEST_DIFF_BASE_SHA` | its source branch |
//! | | push | `CI_COMMIT_BEFORE_SHA`, or the merge base with it | `CI_COMMIT_SHA` |
//! | | push of a new branch | merge base with the default branch | `CI_COMMIT_SHA` |
//!
//! Where `HEAD` is the host's own merge of a pull request, its first parent is the before side and itself the after side:
//! that is exactly what would be merged, and a clone of depth 2 holds it.

use serde_json::Value;

use super::{ChangeSet, Ground, git};
use crate::error::{Error, Result};

/// What a run of CI is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CiRun {
    /// What the host calls it: `pull request 12`.
    pub(super) name: String,
    /// Where the before side is found.
    pub(super) before: Before,
    /// The full id of the commit that is proposed or was pushed.
    pub(super) after: String,
    /// Whether `HEAD` may be the host's merge of that commit.
    pub(super) checkout: Checkout,
}

/// Where the before side of a run is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// At this commit.
    Commit(String),
    /// At the merge base with this commit.
    MergeBase(String),
    /// At the merge base with this branch of `origin`.
    Branch(String),
    /// The host does not say; an error, unless `HEAD` tells.
    Unsaid(&'static str),
}

/// What a host may have checked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checkout {
    /// A merge of the proposed commit into its target, or the commit itself.
    MayBeMerged,
    /// The commit itself.
    AsItIs,
}

type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The change that this run of CI is about.
pub(super) fn review(ground: &Ground) -> Result<ChangeSet> {
    git::of_run(&run(&super::variable)?, ground)
}

fn run(variable: Variables<'_>) -> Result<CiRun> {
    let is_github = variable("GITHUB_EVENT_PATH").is_some() || variable("GITHUB_ACTIONS").is_some();
    let gitlab = ["GITLAB_CI", "CI_MERGE_REQUEST_IID", "CI_MERGE_REQUEST_DIFF_BASE_SHA"];
    let is_gitlab = gitlab.iter().any(|name| variable(name).is_some());
    match (is_github, is_gitlab) {
        (true, false) => github(variable),
        (false, true) => gitlab_run(variable),
        (true, true) => Err(untold(
            "the variables of both GitHub and GitLab are set".to_owned(),
            "unset those of one of them, or name the range: `tenth BASE...HEAD`",
        )),
        (false, false) => Err(untold(
            "neither the event of GitHub (`GITHUB_EVENT_PATH`) nor the variables of GitLab (`CI_MERGE_REQUEST_…`) are \
             set"
            .to_owned(),
            "name the range: `tenth BASE...HEAD`; a hook's runner takes it as `--from-ref BASE --to-ref HEAD`",
        )),
    }
}

fn untold(because: String, help: &str) -> Error {
    Error::Usage {
        what: format!("nothing here says which pull request is to be reviewed: {because}"),
        help: help.to_owned(),
    }
}

// ---------------------------------------------------------------------------------------------- GitHub

fn github(variable: Variables<'_>) -> Result<CiRun> {
    let Some(path) = variable("GITHUB_EVENT_PATH") else {
        return Err(untold(
            "`GITHUB_EVENT_PATH` is not set".to_owned(),
            "pass that variable on, and the file that it names, to where `tenth` runs; or name the range: `tenth \
             BASE...HEAD`",
        ));
    };
    let text =
        std::fs::read(&path).map_err(|error| Error::Unreadable { path: path.clone(), reason: error.to_string() })?;
    let event: Value = serde_json::from_slice(&text).map_err(|error| {
        untold(
            format!("the event in `{path}` (`GITHUB_EVENT_PATH`) is no JSON: {error}"),
            "name the range: `tenth BASE...HEAD`",
        )
    })?;
    github_event(&event, &variable("GITHUB_EVENT_NAME").unwrap_or_else(|| "of this run".to_owned()))
}

fn github_event(event: &Value, name: &str) -> Result<CiRun> {
    let id = |pointer: &str| commit_id(event.pointer(pointer).and_then(Value::as_str), pointer, name);
    if event.get("pull_request").is_some_and(Value::is_object) {
        let number = event.pointer("/pull_request/number").or_else(|| event.get("number")).and_then(Value::as_u64);
        return Ok(CiRun {
            name: number.map_or_else(|| "the pull request".to_owned(), |number| format!("pull request {number}")),
            before: Before::MergeBase(id("/pull_request/base/sha")?),
            after: id("/pull_request/head/sha")?,
            checkout: Checkout::MayBeMerged,
        });
    }
    if event.get("merge_group").is_some_and(Value::is_object) {
        return Ok(CiRun {
            name: "the merge group".to_owned(),
            before: Before::Commit(id("/merge_group/base_sha")?),
            after: id("/merge_group/head_sha")?,
            checkout: Checkout::AsItIs,
        });
    }
    let text = |key: &str| event.get(key).and_then(Value::as_str);
    let (Some(reference), Some(_), Some(_)) = (text("ref"), text("before"), text("after")) else {
        return Err(untold(
            format!("the event `{name}` is about no change"),
            "run it on `pull_request`, `pull_request_target`, `merge_group` or `push`, or name the range: `tenth \
             BASE...HEAD`",
        ));
    };
    let is_forced = event.get("forced").and_then(Value::as_bool).unwrap_or(false);
    let default = event.pointer("/repository/default_branch").and_then(Value::as_str);
    let (before, after) = (id("/before")?, id("/after")?);
    push(reference, before, after, if is_forced { Ancestry::Unknown } else { Ancestry::Sure }, default)
}

// ---------------------------------------------------------------------------------------------- GitLab

fn gitlab_run(variable: Variables<'_>) -> Result<CiRun> {
    let id = |name: &str| commit_id(variable(name).as_deref(), name, "of this pipeline");
    let is_merge_request = variable("CI_PIPELINE_SOURCE").is_some_and(|source| source == "merge_request_event")
        || variable("CI_MERGE_REQUEST_IID").is_some()
        || variable("CI_MERGE_REQUEST_DIFF_BASE_SHA").is_some();
    if is_merge_request {
        let number = variable("CI_MERGE_REQUEST_IID");
        let base = "CI_MERGE_REQUEST_DIFF_BASE_SHA";
        // Only a pipeline for merged results, whose own commit is the merge, names the source's commit.
        let source = "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA";
        return Ok(CiRun {
            name: number.map_or_else(|| "the merge request".to_owned(), |number| format!("merge request {number}")),
            before: if variable(base).is_some() { Before::Commit(id(base)?) } else { Before::Unsaid(base) },
            after: id(if variable(source).is_some() { source } else { "CI_COMMIT_SHA" })?,
            checkout: Checkout::MayBeMerged,
        });
    }
    if variable("CI_PIPELINE_SOURCE").is_none_or(|source| source != "push") {
        let source = variable("CI_PIPELINE_SOURCE").unwrap_or_else(|| "unknown".to_owned());
        return Err(untold(
            format!("a pipeline of the source `{source}` (`CI_PIPELINE_SOURCE`) is about no change"),
            "run the job for merge requests (`rules: [{if: $CI_PIPELINE_SOURCE == \"merge_request_event\"}]`), or name \
             the range: `tenth BASE...HEAD`",
        ));
    }
    let reference = match (variable("CI_COMMIT_TAG"), variable("CI_COMMIT_BRANCH")) {
        (Some(tag), _) => format!("refs/tags/{tag}"),
        (None, branch) => format!("refs/heads/{}", branch.unwrap_or_default()),
    };
    let (before, after) = (id("CI_COMMIT_BEFORE_SHA")?, id("CI_COMMIT_SHA")?);
    push(&reference, before, after, Ancestry::Unknown, variable("CI_DEFAULT_BRANCH").as_deref())
}

// ---------------------------------------------------------------------------------------------- both

/// Whether a pushed commit builds on what stood there before.
enum Ancestry {
    Sure,
    Unknown,
}

fn push(reference: &str, before: String, after: String, ancestry: Ancestry, default: Option<&str>) -> Result<CiRun> {
    let is_zero = |id: &str| id.bytes().all(|byte| byte == b'0');
    let by_hand = "name the range: `tenth BASE...HEAD`";
    if is_zero(&after) {
        return Err(untold(format!("the push deletes `{reference}`"), by_hand));
    }
    let Some(branch) = reference.strip_prefix("refs/heads/") else {
        return Err(untold(format!("the push is of `{reference}`, which is no branch"), by_hand));
    };
    let before = match (is_zero(&before), ancestry) {
        (false, Ancestry::Sure) => Before::Commit(before),
        (false, Ancestry::Unknown) => Before::MergeBase(before),
        (true, _) => match default {
            Some(default) if default != branch => Before::Branch(default.to_owned()),
            Some(_) => return Err(untold(format!("`{branch}` is the default branch, and new"), by_hand)),
            None => return Err(untold(format!("`{branch}` is new, and the default branch is not named"), by_hand)),
        },
    };
    Ok(CiRun { name: format!("the push to `{branch}`"), before, after, checkout: Checkout::AsItIs })
}

/// Checks that a host's word is the full id of a commit; what a branch is called must not be taken for a revision.
fn commit_id(text: Option<&str>, place: &str, event: &str) -> Result<String> {
    let because = match text {
        Some(text) if text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            return Ok(text.to_owned());
        }
        Some(_) => format!("`{place}` in the event {event} is no full commit id"),
        None => format!("`{place}` is missing in the event {event}"),
    };
    Err(untold(because, "name the range: `tenth BASE...HEAD`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "1111111111111111111111111111111111111111";
    const HEAD: &str = "2222222222222222222222222222222222222222";
    const NOTHING: &str = "0000000000000000000000000000000000000000";

    fn of(event: &str) -> Result<CiRun> {
        let event = event.replace("BASE", BASE).replace("HEAD", HEAD).replace("NOTHING", NOTHING);
        github_event(&serde_json::from_str(&event).expect("JSON"), "push")
    }

    fn refused<T: std::fmt::Debug>(result: Result<T>) -> String {
        let error = result.expect_err("refused");
        assert!(error.help().contains("tenth BASE...HEAD"), "{}", error.help());
        error.to_string()
    }

    #[test]
    fn a_pull_request_is_told_by_its_commits_alone() {
        let run = of(
            r#"{"action": "synchronize", "number": 7, "before": "HEAD", "after": "BASE", "ref": "x", "pull_request":
                {"number": 7, "base": {"sha": "BASE", "ref": "main"}, "head": {"sha": "HEAD", "ref": "--evil"}}}"#,
        );
        let expected = CiRun {
            name: "pull request 7".to_owned(),
            before: Before::MergeBase(BASE.to_owned()),
            after: HEAD.to_owned(),
            checkout: Checkout::MayBeMerged,
        };
        assert_eq!(run.ok(), Some(expected));
        assert!(
            refused(of(r#"{"pull_request": {"base": {"sha": "main"}, "head": {"sha": "HEAD"}}}"#)).contains("no full")
        );
        assert!(refused(of(r#"{"pull_request": {"base": {"sha": "BASE"}}}"#)).contains("`/pull_request/head/sha`"));
    }

    #[test]
    fn a_merge_group_names_both_ends() {
        let run = of(r#"{"merge_group": {"base_sha": "BASE", "head_sha": "HEAD"}}"#).ok();
        assert_eq!(run.map(|run| run.before), Some(Before::Commit(BASE.to_owned())));
    }

    #[test]
    fn a_push_is_from_what_stood_there() {
        let push = |rest: &str| of(&format!(r#"{{"ref": "refs/heads/topic", "after": "HEAD", {rest}}}"#));
        let before = |rest: &str| push(rest).ok().map(|run| run.before);
        assert_eq!(before(r#""before": "BASE", "forced": false"#), Some(Before::Commit(BASE.to_owned())));
        assert_eq!(before(r#""before": "BASE", "forced": true"#), Some(Before::MergeBase(BASE.to_owned())));
        let new = r#""before": "NOTHING", "repository": {"default_branch": "main"}"#;
        assert_eq!(before(new), Some(Before::Branch("main".to_owned())));
        assert!(refused(push(&new.replace("main", "topic"))).contains("`topic` is the default branch"));
        assert!(refused(push(r#""before": "NOTHING""#)).contains("default branch is not named"));
        let tag = r#"{"ref": "refs/tags/v1", "before": "BASE", "after": "HEAD"}"#;
        assert!(refused(of(tag)).contains("no branch"));
        let deleted = r#"{"ref": "refs/heads/topic", "before": "BASE", "after": "NOTHING"}"#;
        assert!(refused(of(deleted)).contains("deletes"));
    }

    #[test]
    fn what_is_about_no_change_is_refused() {
        for event in ["{}", "[]", r#"{"schedule": "0 0 * * *"}"#, r#"{"pull_request": null}"#] {
            assert!(refused(of(event)).contains("about no change"));
        }
    }

    fn in_gitlab(variables: &[(&str, &str)]) -> Result<CiRun> {
        run(&|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn a_merge_request_is_told_by_variables() {
        let base = ("CI_MERGE_REQUEST_DIFF_BASE_SHA", BASE);
        let commit = ("CI_COMMIT_SHA", HEAD);
        let run = in_gitlab(&[base, commit]).ok();
        assert_eq!(run.as_ref().map(|run| &run.before), Some(&Before::Commit(BASE.to_owned())));
        assert_eq!(run.map(|run| run.after).as_deref(), Some(HEAD));
        let merged = in_gitlab(&[base, ("CI_COMMIT_SHA", BASE), ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", HEAD)]);
        assert_eq!(merged.ok().map(|run| run.after).as_deref(), Some(HEAD));
        let unsaid = in_gitlab(&[("GITLAB_CI", "true"), ("CI_PIPELINE_SOURCE", "merge_request_event"), commit]);
        assert_eq!(unsaid.ok().map(|run| run.before), Some(Before::Unsaid("CI_MERGE_REQUEST_DIFF_BASE_SHA")));
        assert!(refused(in_gitlab(&[base])).contains("`CI_COMMIT_SHA` is missing"));
    }

    #[test]
    fn a_pipeline_of_something_else_is_refused() {
        let gitlab = ("GITLAB_CI", "true");
        assert!(refused(in_gitlab(&[gitlab, ("CI_PIPELINE_SOURCE", "schedule")])).contains("`schedule`"));
        assert!(refused(in_gitlab(&[gitlab])).contains("`unknown`"));
        assert!(refused(in_gitlab(&[gitlab, ("GITHUB_ACTIONS", "true")])).contains("both GitHub and GitLab"));
        assert!(refused(in_gitlab(&[("CI", "true")])).contains("neither"));
        assert!(refused(in_gitlab(&[("GITHUB_ACTIONS", "true")])).contains("`GITHUB_EVENT_PATH` is not set"));
    }

    #[test]
    fn a_pipeline_of_a_push_is_from_what_stood_there() {
        let pushed = |before: &'static str, branch: &'static str| {
            in_gitlab(&[
                ("GITLAB_CI", "true"),
                ("CI_PIPELINE_SOURCE", "push"),
                ("CI_COMMIT_BRANCH", branch),
                ("CI_DEFAULT_BRANCH", "main"),
                ("CI_COMMIT_BEFORE_SHA", before),
                ("CI_COMMIT_SHA", HEAD),
            ])
        };
        assert_eq!(pushed(BASE, "topic").ok().map(|run| run.before), Some(Before::MergeBase(BASE.to_owned())));
        assert_eq!(pushed(NOTHING, "topic").ok().map(|run| run.before), Some(Before::Branch("main".to_owned())));
        assert!(refused(pushed(NOTHING, "main")).contains("`main` is the default branch"));
    }
}
