//! Runs as a hook of git and in CI: which change is taken, what is refused, and hooks that are installed.

mod repository;

use std::fs;
use std::path::Path;
use std::process::Command;

use repository::{Repo, Run, SAFE, UNSAFE, feed, isolated, make_executable, run_git};

const FIRST: &str = "0000000000000000000000000000000000000000";

/// Runs `tenth` with these variables and this input.
fn run(repo: &Repo, variables: &[(&str, &str)], arguments: &[&str], input: &str) -> Run {
    let mut command = isolated(env!("CARGO_BIN_EXE_tenth"), repo.home(), &repo.root);
    command.envs(variables.iter().copied()).args(arguments);
    feed(&mut command, input.as_bytes())
}

/// Runs a hook; the report is JSON, and the exit status says whether it gates.
fn hook(repo: &Repo, name: &str, variables: &[(&str, &str)], input: &str) -> Run {
    run(repo, variables, &["hook", "run", name, "--format", "json"], input)
}

fn pre_commit(repo: &Repo, variables: &[(&str, &str)]) -> Run {
    hook(repo, "pre-commit", variables, "")
}

fn rules(run: &Run) -> Vec<String> {
    let json = run.json();
    let findings = json["findings"].as_array().expect("findings").iter();
    findings.filter_map(|finding| finding["rule"].as_str().map(str::to_owned)).collect()
}

/// What a `tenth` without `PATH` finds in a hook is not this build; so the hook is run with its folder in front.
fn git(repo: &Repo, arguments: &[&str]) -> (bool, String) {
    git_in(repo, &repo.root, arguments)
}

fn git_in(repo: &Repo, folder: &Path, arguments: &[&str]) -> (bool, String) {
    let bin = Path::new(env!("CARGO_BIN_EXE_tenth")).parent().expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let output = isolated("git", repo.home(), folder)
        .env("PATH", format!("{}:{path}", bin.display()))
        .args(arguments)
        .output()
        .expect("git runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

fn told(repo: &Repo, arguments: &[&str]) -> String {
    let run = run(repo, &[], arguments, "");
    assert_eq!(run.code, 0, "{}", run.err);
    run.out
}

// ------------------------------------------------------------------------------------------------ pre-commit

#[test]
fn a_runners_range_wins_over_what_is_staged() {
    let repo = Repo::with(&[("a.py", SAFE)]);
    let first = repo.git(&["rev-parse", "HEAD"]);
    repo.commit(&[("a.py", UNSAFE)]);
    repo.write("b.py", "x = 1\n");
    repo.git(&["add", "b.py"]);
    // The work tree is somewhere else, and what is unstaged does not count.
    repo.write("a.py", "nothing = 0\n");
    let range = [("PRE_COMMIT_FROM_REF", first.as_str()), ("PRE_COMMIT_TO_REF", "HEAD"), ("CI", "true")];
    for name in ["pre-commit", "pre-push"] {
        let run = hook(&repo, name, &range, "");
        assert_eq!(
            (run.code, run.paths(), rules(&run)),
            (1, vec!["a.py".to_owned()], vec!["lock-across-await".to_owned()])
        );
    }
}

#[test]
fn a_runners_range_starts_at_the_merge_base() {
    let repo = Repo::with(&[("a.py", "x = 1\n"), ("b.py", "y = 1\n")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.commit(&[("a.py", "x = 2\n")]);
    repo.git(&["checkout", "-q", "main"]);
    repo.commit(&[("b.py", "y = 2\n")]);
    let range = [("PRE_COMMIT_FROM_REF", "main"), ("PRE_COMMIT_TO_REF", "topic")];
    assert_eq!(pre_commit(&repo, &range).paths(), ["a.py"]);
    let range = [("PRE_COMMIT_FROM_REF", "gone"), ("PRE_COMMIT_TO_REF", "topic")];
    pre_commit(&repo, &range).refuses("revision `gone` does not exist", "git branch --all");
}

#[test]
fn staged_content_is_compared_with_the_last_commit() {
    let repo = Repo::with(&[("a.py", SAFE)]);
    repo.write("a.py", UNSAFE);
    repo.git(&["add", "a.py"]);
    repo.write("a.py", SAFE);
    repo.write("b.py", "x = 1\n");
    let run = pre_commit(&repo, &[]);
    assert_eq!((run.code, run.paths()), (1, vec!["a.py".to_owned()]));
    assert_eq!(run.json()["change"]["kind"], "staged");
    assert_eq!(pre_commit(&repo, &[("CI", "true"), ("GITHUB_ACTIONS", "true")]).paths(), ["a.py"]);
    let arguments = ["hook", "run", "pre-commit", "b.py", "gone.py", "--format", "json"];
    assert_eq!(self::run(&repo, &[], &arguments, "").paths(), ["a.py"], "names of files are not looked at");
}

#[test]
fn nothing_staged_is_one_line() {
    let repo = Repo::with(&[("a.py", SAFE)]);
    repo.write("a.py", UNSAFE);
    for variables in [&[][..], &[("CI", "false")]] {
        let run = pre_commit(&repo, variables);
        assert_eq!((run.code, run.out.as_str()), (0, ""));
        assert_eq!(run.err, "tenth: nothing is staged, so there is nothing to review\n");
    }
}

#[test]
fn nothing_staged_in_ci_is_the_pull_request_or_refused() {
    let repo = Repo::with(&[("a.py", SAFE)]);
    let first = repo.git(&["rev-parse", "HEAD"]);
    let second = repo.commit(&[("a.py", UNSAFE)]);
    pre_commit(&repo, &[("CI", "true")])
        .refuses("nothing here says which pull request", "--from-ref BASE --to-ref HEAD");
    let gitlab = [
        ("CI", "true"),
        ("GITLAB_CI", "true"),
        ("CI_MERGE_REQUEST_IID", "4"),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", first.as_str()),
        ("CI_COMMIT_SHA", second.as_str()),
    ];
    let run = pre_commit(&repo, &gitlab);
    assert_eq!((run.code, run.paths()), (1, vec!["a.py".to_owned()]));
    assert!(run.json()["change"]["how"].as_str().is_some_and(|how| how.starts_with("merge request 4: from")));
}

#[test]
fn a_first_commit_is_compared_with_nothing() {
    let repo = Repo::new();
    assert_eq!(pre_commit(&repo, &[]).err, "tenth: nothing is staged, so there is nothing to review\n");
    repo.write("a.py", UNSAFE);
    repo.git(&["add", "-A"]);
    assert_eq!(pre_commit(&repo, &[]).code, 1);
}

#[test]
fn a_hook_outside_of_a_repository_is_refused() {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let run = repository::run_tenth(temp.path(), temp.path(), &["hook", "run", "pre-commit"]);
    run.refuses("is not inside a git repository", "-C DIR");
    let repo = Repo::with(&[("a.py", SAFE)]);
    self::run(&repo, &[], &["hook", "run", "pre-commit", "--staged"], "").refuses("this command takes none", "leave");
    assert_eq!(self::run(&repo, &[], &["hook", "run", "post-commit"], "").code, 2);
}

#[test]
fn a_hook_ends_as_the_review_of_its_change_does() {
    let repo = Repo::with(&[("a.py", SAFE)]);
    repo.write("b.py", b"x = '\xff'\n");
    repo.git(&["add", "-A"]);
    for flags in [&[][..], &["--strict"], &["--exit-zero"]] {
        let staged = run(&repo, &[], &[&["--staged"], flags].concat(), "");
        let hook = run(&repo, &[], &[&["hook", "run", "pre-commit"], flags].concat(), "");
        assert_eq!((staged.code, &staged.out), (hook.code, &hook.out), "{flags:?}");
        assert_eq!(hook.code, if flags == ["--strict"] { 2 } else { 0 }, "{}", hook.err);
    }
}

#[test]
fn a_merge_that_is_going_on_is_said() {
    let repo = Repo::with(&[("a.py", "x = 1\n"), ("b.py", "y = 1\n")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.commit(&[("a.py", "x = 2\n")]);
    repo.git(&["checkout", "-q", "main"]);
    repo.commit(&[("b.py", "y = 2\n")]);
    assert_eq!(repo.tenth(&["--staged"]).notice("merge-in-progress"), "");
    repo.git(&["merge", "-q", "--no-commit", "topic"]);
    let run = pre_commit(&repo, &[]);
    assert_eq!(run.paths(), ["a.py"]);
    assert!(run.notice("merge-in-progress").contains("`MERGE_HEAD`"), "{}", run.out);
}

// ------------------------------------------------------------------------------------------------ pre-push

/// A repository with a remote that has its first commit.
fn pushed() -> (Repo, String) {
    let repo = Repo::with(&[("a.py", SAFE), ("b.py", "y = 1\n")]);
    let remote = repo.home().join("remote.git").display().to_string();
    run_git(repo.home(), repo.home(), &["init", "-q", "--bare", "-b", "main", &remote]);
    repo.git(&["remote", "add", "origin", &remote]);
    repo.git(&["push", "-q", "origin", "main"]);
    let first = repo.git(&["rev-parse", "HEAD"]);
    (repo, first)
}

/// The reports of a push, one for each change.
fn push(repo: &Repo, lines: &[String]) -> (i32, Vec<Vec<String>>, String) {
    let arguments = ["hook", "run", "pre-push", "origin", "ssh://example.org/x", "--output", "json:pushed.json"];
    let run = run(repo, &[], &arguments, &lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    let files = ["pushed.json", "pushed-2.json", "pushed-3.json"].map(|name| repo.root.join(name));
    let reports: Vec<String> = files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
    for file in files.iter().take(reports.len()) {
        fs::remove_file(file).expect("removed");
    }
    let paths = |report: &String| {
        let report: serde_json::Value = serde_json::from_str(report).expect("JSON");
        let hunks = report["hunks"].as_array().expect("hunks").clone();
        let mut paths: Vec<String> = hunks.iter().map(|hunk| hunk["path"].as_str().expect("path").to_owned()).collect();
        paths.dedup();
        paths
    };
    (run.code, reports.iter().map(paths).collect(), run.err)
}

#[test]
fn a_branch_that_goes_on_is_compared_with_what_the_remote_has() {
    let (repo, first) = pushed();
    let second = repo.commit(&[("b.py", "y = 2\n")]);
    let third = repo.commit(&[("a.py", UNSAFE)]);
    let (code, paths, err) = push(&repo, &[format!("refs/heads/main {third} refs/heads/main {first}")]);
    assert_eq!((code, paths), (1, vec![vec!["a.py".to_owned(), "b.py".to_owned()]]));
    assert_eq!(err, format!("tenth: pushed to `refs/heads/main` of `origin`: since {}\n", &first[..12]));
    let (code, paths, _) = push(&repo, &[format!("HEAD~1 {second} refs/heads/main {first}")]);
    assert_eq!((code, paths), (0, vec![vec!["b.py".to_owned()]]));
}

#[test]
fn a_new_branch_begins_where_it_left_what_the_remote_has() {
    let (repo, _) = pushed();
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.commit(&[("b.py", "y = 2\n")]);
    let tip = repo.commit(&[("b.py", "y = 3\n")]);
    let line = format!("refs/heads/topic {tip} refs/heads/topic {FIRST}");
    assert_eq!(push(&repo, std::slice::from_ref(&line)).1, [["b.py"]]);
    // A branch that took the remote's newer state in brings only its own work.
    repo.git(&["checkout", "-q", "main"]);
    repo.commit(&[("a.py", UNSAFE)]);
    repo.git(&["push", "-q", "origin", "main"]);
    repo.git(&["checkout", "-q", "topic"]);
    repo.git(&["merge", "-q", "-m", "Merge", "main"]);
    let merged = repo.git(&["rev-parse", "HEAD"]);
    assert_eq!(push(&repo, &[line.replace(&tip, &merged)]).1, [["b.py"]]);
    // Nothing of it is new once the remote has it under another name.
    repo.git(&["push", "-q", "origin", "topic:other"]);
    let (code, paths, err) = push(&repo, &[line.replace(&tip, &merged)]);
    assert_eq!((code, paths.len()), (0, 0));
    assert_eq!(err, "tenth: the push brings no commit to the remote, so there is nothing to review\n");
}

#[test]
fn a_first_push_is_compared_with_nothing() {
    let repo = Repo::with(&[("a.py", UNSAFE)]);
    repo.git(&["remote", "add", "origin", "ssh://example.org/x"]);
    let tip = repo.git(&["rev-parse", "HEAD"]);
    let (code, paths, err) = push(&repo, &[format!("refs/heads/main {tip} refs/heads/main {FIRST}")]);
    assert_eq!((code, paths), (1, vec![vec!["a.py".to_owned()]]));
    assert!(err.contains("its whole history"), "{err}");
    // pre-commit tells it by the branch alone.
    let run = hook(&repo, "pre-push", &[("PRE_COMMIT", "1"), ("PRE_COMMIT_LOCAL_BRANCH", "refs/heads/main")], "");
    assert_eq!(run.code, 1);
}

#[test]
fn a_forced_push_is_compared_with_what_it_builds_on() {
    let (repo, _) = pushed();
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let old = repo.commit(&[("b.py", "y = 2\n")]);
    repo.git(&["push", "-q", "origin", "topic"]);
    repo.git(&["checkout", "-q", "main"]);
    repo.commit(&[("a.py", UNSAFE)]);
    repo.git(&["push", "-q", "origin", "main"]);
    repo.git(&["checkout", "-q", "topic"]);
    repo.git(&["rebase", "-q", "main"]);
    let new = repo.git(&["rev-parse", "HEAD"]);
    let (code, paths, _) = push(&repo, &[format!("refs/heads/topic {new} refs/heads/topic {old}")]);
    assert_eq!((code, paths), (0, vec![vec!["b.py".to_owned()]]), "what came from `main` is on the remote already");
    // What the remote has may be unknown here.
    let unknown = "1234567890123456789012345678901234567890";
    let (code, paths, _) = push(&repo, &[format!("refs/heads/topic {new} refs/heads/topic {unknown}")]);
    assert_eq!((code, paths), (0, vec![vec!["b.py".to_owned()]]));
}

#[test]
fn every_line_of_a_push_counts() {
    let (repo, first) = pushed();
    repo.git(&["checkout", "-q", "-b", "one"]);
    let one = repo.commit(&[("b.py", "y = 2\n")]);
    repo.git(&["checkout", "-q", "-b", "two"]);
    let two = repo.commit(&[("a.py", UNSAFE)]);
    repo.git(&["tag", "-a", "-m", "A tag", "v1"]);
    let tag = repo.git(&["rev-parse", "v1"]);
    let blob = repo.git(&["rev-parse", "HEAD:a.py"]);
    let (code, paths, _) = push(
        &repo,
        &[
            format!("(delete) {FIRST} refs/heads/old {first}"),
            format!("refs/heads/one {one} refs/heads/one {FIRST}"),
            format!("refs/tags/blob {blob} refs/tags/blob {FIRST}"),
            format!("refs/heads/two {two} refs/heads/two {FIRST}"),
            format!("refs/tags/v1 {tag} refs/tags/v1 {FIRST}"),
            format!("refs/heads/main {first} refs/heads/main {first}"),
        ],
    );
    assert_eq!(code, 1);
    assert_eq!(paths, [["b.py"], ["a.py"]], "what one line brings, the next does not bring again");
    let (code, paths, _) = push(&repo, &[format!("refs/tags/v1 {tag} refs/tags/v1 {FIRST}")]);
    assert_eq!((code, paths), (1, vec![vec!["a.py".to_owned(), "b.py".to_owned()]]));
    let nothing =
        [(vec![], "`use_stdin: true`"), (vec![format!("(delete) {FIRST} refs/heads/old {first}")], "no commit")];
    for (lines, why) in nothing {
        let (code, paths, err) = push(&repo, &lines);
        assert_eq!((code, paths.len()), (0, 0));
        assert!(err.contains(why), "{err}");
    }
}

#[test]
fn each_change_of_a_push_has_a_file_of_its_own() {
    let (repo, _) = pushed();
    let one = repo.commit(&[("b.py", "y = 2\n")]);
    repo.git(&["checkout", "-q", "-b", "two", "HEAD~1"]);
    let two = repo.commit(&[("a.py", UNSAFE)]);
    let lines = format!("a {one} refs/heads/one {FIRST}\nb {two} refs/heads/two {FIRST}\n");
    let run = run(&repo, &[], &["hook", "run", "pre-push", "origin", "--output", "json:report.json"], &lines);
    assert_eq!(run.code, 1, "{}", run.err);
    for (file, path) in [("report.json", "b.py"), ("report-2.json", "a.py")] {
        let text = fs::read_to_string(repo.root.join(file)).expect("written");
        assert_eq!(Run { code: 0, out: text, err: String::new() }.paths(), [path]);
    }
    // Two documents in one stream are none; a file that belongs to others takes all.
    let arguments = ["hook", "run", "pre-push", "origin", "--format", "json"];
    self::run(&repo, &[], &arguments, &lines).refuses("the push brings 2 changes", "`--output json:PATH`");
    let summary = repo.home().join("summary.md").display().to_string();
    let output = format!("markdown:{summary}");
    let arguments = ["hook", "run", "pre-push", "origin", "--output", &output];
    self::run(&repo, &[("GITHUB_STEP_SUMMARY", &summary)], &arguments, &lines);
    let text = fs::read_to_string(&summary).expect("written");
    assert_eq!(text.matches("<!-- tenth:report v1 -->").count(), 2, "{text}");
    assert!(!repo.home().join("summary-2.md").exists());
}

#[test]
fn a_push_that_cannot_be_told_is_refused() {
    let (repo, first) = pushed();
    let arguments = ["hook", "run", "pre-push", "origin", "url"];
    for line in ["nonsense", "a b c d", &format!("a {first} refs/heads/x {}", &first[..7])] {
        run(&repo, &[], &arguments, line).refuses("is no line of a push", "LOCAL-REF LOCAL-ID");
    }
    repo.commit(&[("b.py", "y = 2\n")]);
    repo.commit(&[("b.py", "y = 3\n")]);
    let clone = repo.clone_as("clone", &["--depth", "1"]);
    clone.git(&["remote", "add", "other", "ssh://example.org/x"]);
    let tip = clone.git(&["rev-parse", "HEAD"]);
    let line = format!("refs/heads/main {tip} refs/heads/main {FIRST}\n");
    run(&clone, &[], &["hook", "run", "pre-push", "other", "url"], &line)
        .refuses("the clone is shallow", "--unshallow");
    let shallow = run(&clone, &[], &["hook", "run", "pre-push", "origin", "url"], &line);
    assert_eq!(shallow.code, 0, "the remote has it: {}", shallow.err);
}

// ------------------------------------------------------------------------------------------------ --pr

/// `main` a commit ahead of a branch that brings a hazard, and the merge of the two that a host makes.
struct PullRequest {
    repo: Repo,
    base: String,
    head: String,
}

fn pull_request() -> PullRequest {
    let repo = Repo::with(&[("a.py", SAFE), ("b.py", "y = 1\n")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.commit(&[("a.py", "x = 1\n")]);
    let head = repo.commit(&[("a.py", UNSAFE)]);
    repo.git(&["checkout", "-q", "main"]);
    let base = repo.commit(&[("b.py", "y = 2\n")]);
    repo.git(&["checkout", "-q", "-b", "merged"]);
    repo.git(&["merge", "-q", "--no-ff", "-m", "Merge", "topic"]);
    PullRequest { repo, base, head }
}

impl PullRequest {
    /// The event that a host would write.
    fn event(&self) -> String {
        format!(
            r#"{{"number": 12, "pull_request": {{"number": 12, "base": {{"sha": "{}"}}, "head": {{"sha": "{}"}}}}}}"#,
            self.base, self.head
        )
    }
}

fn in_github(repo: &Repo, event: &str) -> Run {
    let path = repo.home().join("event.json");
    fs::write(&path, event).expect("written");
    let path = path.display().to_string();
    let variables =
        [("GITHUB_EVENT_PATH", path.as_str()), ("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "an-event")];
    run(repo, &variables, &["--pr", "--format", "json"], "")
}

fn how(run: &Run) -> String {
    run.json()["change"]["how"].as_str().expect("how").to_owned()
}

#[test]
fn the_hosts_merge_is_compared_with_its_first_parent() {
    let change = pull_request();
    let run = in_github(&change.repo, &change.event());
    assert_eq!((run.code, run.paths(), rules(&run).len()), (1, vec!["a.py".to_owned()], 1));
    assert_eq!(how(&run), "pull request 12: from the first parent of its merge commit, `HEAD`, to that commit");
    assert_eq!(run.json()["change"]["before"], change.base);

    let clone = change.repo.clone_as("clone", &["--depth", "2", "--branch", "merged"]);
    assert_eq!(in_github(&clone, &change.event()).lines(), run.lines());
    let clone = change.repo.clone_as("clone", &["--depth", "1", "--branch", "merged"]);
    in_github(&clone, &change.event()).refuses("the clone is shallow", "`fetch-depth: 2`");
}

#[test]
fn another_checkout_is_compared_from_the_merge_base() {
    let change = pull_request();
    for branch in ["topic", "main"] {
        change.repo.git(&["checkout", "-q", branch]);
        let run = in_github(&change.repo, &change.event());
        assert_eq!((run.code, run.paths()), (1, vec!["a.py".to_owned()]));
        assert!(how(&run).starts_with("pull request 12: from the merge base of"), "{}", how(&run));
    }
    let clone = change.repo.clone_as("clone", &["--depth", "1", "--branch", "topic"]);
    in_github(&clone, &change.event()).refuses("the clone is shallow", "`fetch-depth: 0`");
    let clone = change.repo.clone_as("clone", &["--single-branch", "--branch", "main"]);
    in_github(&clone, &change.event()).refuses("does not exist", &format!("git fetch origin {}", change.head));
}

#[test]
fn merge_groups_and_pushes_are_told_by_their_ends() {
    let PullRequest { repo, base, head } = pull_request();
    let merged = repo.git(&["rev-parse", "HEAD"]);
    let run = in_github(&repo, &format!(r#"{{"merge_group": {{"base_sha": "{base}", "head_sha": "{merged}"}}}}"#));
    assert_eq!((run.code, run.paths()), (1, vec!["a.py".to_owned()]));

    let push = |before: &str, after: &str, rest: &str| {
        let event = format!(r#"{{"ref": "refs/heads/topic", "before": "{before}", "after": "{after}"{rest}}}"#);
        in_github(&repo, &event)
    };
    let first = repo.git(&["rev-parse", "main~1"]);
    assert_eq!(push(&first, &head, "").paths(), ["a.py"]);
    assert_eq!(push(&base, &head, r#", "forced": true"#).paths(), ["a.py"]);
    let new = r#", "repository": {"default_branch": "main"}"#;
    push(FIRST, &head, new).refuses("`refs/remotes/origin/main` does not exist", "git branch --all");
    repo.git(&["update-ref", "refs/remotes/origin/main", "main"]);
    assert_eq!(push(FIRST, &head, new).paths(), ["a.py"]);
}

#[test]
fn what_no_host_tells_is_refused() {
    let repo = Repo::with(&[("a.py", SAFE)]);
    run(&repo, &[], &["--pr"], "").refuses("neither the event of GitHub", "tenth BASE...HEAD");
    in_github(&repo, "{").refuses("is no JSON", "tenth BASE...HEAD");
    in_github(&repo, r#"{"schedule": "0 0 * * *"}"#).refuses("the event `an-event` is about no change", "pull_request");
    let missing = [("GITHUB_EVENT_PATH", "missing.json")];
    run(&repo, &missing, &["--pr"], "").refuses("cannot read `missing.json`", "name a file that is there");
    let gitlab = [("CI_MERGE_REQUEST_IID", "3"), ("CI_COMMIT_SHA", FIRST)];
    run(&repo, &gitlab, &["--pr"], "").refuses("does not exist", "git branch --all");
    let head = repo.git(&["rev-parse", "HEAD"]);
    let gitlab = [("CI_MERGE_REQUEST_IID", "3"), ("CI_COMMIT_SHA", head.as_str())];
    run(&repo, &gitlab, &["--pr"], "").refuses("`CI_MERGE_REQUEST_DIFF_BASE_SHA` is not set", "merge requests");
    run(&repo, &[], &["--pr", "--staged"], "").refuses("more than one change", "`--pr`");
}

#[test]
fn a_merge_request_is_its_diff_or_its_merge() {
    let PullRequest { repo, head, .. } = pull_request();
    let merged = repo.git(&["rev-parse", "HEAD"]);
    let fork = repo.git(&["merge-base", "main", "topic"]);
    let base = ("CI_MERGE_REQUEST_DIFF_BASE_SHA", fork.as_str());
    let detached = [base, ("CI_COMMIT_SHA", head.as_str()), ("CI_PIPELINE_SOURCE", "merge_request_event")];
    let run = self::run(&repo, &detached, &["--pr", "--format", "json"], "");
    assert_eq!((run.code, run.paths()), (1, vec!["a.py".to_owned()]));
    let results = [base, ("CI_COMMIT_SHA", merged.as_str()), ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", head.as_str())];
    let run = self::run(&repo, &results, &["--pr", "--format", "json"], "");
    assert_eq!((run.code, run.paths()), (1, vec!["a.py".to_owned()]));
    assert!(how(&run).contains("first parent"), "{}", how(&run));
}

// ------------------------------------------------------------------------------------------------ install

#[test]
fn an_installed_hook_stops_what_gates() {
    let (repo, _) = pushed();
    let out = told(&repo, &["hook", "install", "--git", "--pre-commit", "--pre-push"]);
    assert_eq!(out, "pre-commit: installed in `.git/hooks/pre-commit`\npre-push: installed in `.git/hooks/pre-push`\n");
    repo.write("a.py", UNSAFE);
    repo.git(&["add", "a.py"]);
    let (done, said) = git(&repo, &["commit", "-m", "Change"]);
    assert!(!done && said.contains("lock-across-await"), "{said}");
    assert!(git(&repo, &["commit", "-q", "-m", "Change", "--no-verify"]).0);
    let (done, said) = git(&repo, &["push", "origin", "main"]);
    assert!(!done && said.contains("lock-across-await") && said.contains("pushed to `refs/heads/main`"), "{said}");
    repo.write("a.py", SAFE);
    assert!(git(&repo, &["commit", "-q", "-a", "-m", "Mend"]).0);
    let (done, said) = git(&repo, &["push", "-q", "origin", "main"]);
    assert!(done, "{said}");
    assert_eq!(git(&repo, &["push", "origin", "main"]), (true, "Everything up-to-date\n".to_owned()));
}

#[test]
fn a_hook_sees_what_is_committed() {
    let repo = Repo::with(&[("a.py", SAFE), ("b.py", SAFE)]);
    told(&repo, &["hook", "install", "--git"]);
    repo.write("a.py", UNSAFE);
    repo.write("b.py", "x = 1\n");
    assert!(git(&repo, &["commit", "-q", "-m", "One", "--", "b.py"]).0, "`a.py` is not part of it");
    assert!(!git(&repo, &["commit", "-q", "-a", "-m", "All"]).0);
    repo.git(&["add", "a.py"]);
    repo.write("a.py", SAFE);
    assert!(!git(&repo, &["commit", "-q", "-m", "Staged"]).0, "what is staged counts, not the file");
    repo.git(&["reset", "-q", "--hard"]);
    repo.git(&["rm", "-q", "b.py"]);
    assert!(git(&repo, &["commit", "-q", "-m", "Delete"]).0);
    repo.git(&["mv", "a.py", "c.py"]);
    assert!(git(&repo, &["commit", "-q", "-m", "Rename"]).0);
    assert!(git(&repo, &["commit", "-q", "--allow-empty", "-m", "Nothing"]).0);
}

#[test]
fn installing_twice_changes_nothing() {
    let repo = Repo::with(&[("a.py", SAFE)]);
    told(&repo, &["hook", "install", "--git"]);
    let hook = repo.root.join(".git/hooks/pre-commit");
    let text = fs::read_to_string(&hook).expect("a hook");
    assert_eq!(told(&repo, &["hook", "install", "--git"]), "pre-commit: already in `.git/hooks/pre-commit`\n");
    assert_eq!(fs::read_to_string(&hook).expect("a hook"), text);
    fs::write(&hook, text.replace("exec", "# an older version\nexec")).expect("written");
    assert_eq!(told(&repo, &["hook", "install", "--git"]), "pre-commit: renewed in `.git/hooks/pre-commit`\n");
    assert_eq!(fs::read_to_string(&hook).expect("a hook"), text);
    assert_eq!(
        told(&repo, &["hook", "status"]),
        "pre-commit: installed in `.git/hooks/pre-commit`\npre-push: not installed\n"
    );
    assert_eq!(
        told(&repo, &["hook", "uninstall", "--git"]),
        "pre-commit: taken away from `.git/hooks/pre-commit`\npre-push: is not installed\n"
    );
    assert!(!hook.exists());
}

/// A hook of somebody else's that notes what it is given.
fn foreign(repo: &Repo, name: &str, rest: &str) -> String {
    let text = format!("#!/bin/sh\n{{ echo \"$@\"; cat; }} >> {}/ran\n{rest}\n", repo.home().display());
    repo.write(&format!(".git/hooks/{name}"), &text);
    make_executable(&repo.root.join(format!(".git/hooks/{name}")));
    text
}

#[test]
fn a_foreign_hook_runs_first_and_comes_back() {
    let (repo, first) = pushed();
    let text = foreign(&repo, "pre-push", "exit 0");
    let out = told(&repo, &["hook", "install", "--git", "--pre-push"]);
    assert_eq!(
        out,
        "pre-push: installed in `.git/hooks/pre-push`; what was there runs first, as `pre-push.before-tenth`\n"
    );
    assert_eq!(
        told(&repo, &["hook", "status", "--git"]),
        "pre-commit: not installed\npre-push: installed in `.git/hooks/pre-push`, after `pre-push.before-tenth`\n"
    );
    assert!(told(&repo, &["hook", "install", "--git", "--pre-push"]).contains("already in"));
    let tip = repo.commit(&[("a.py", UNSAFE)]);
    let (done, said) = git(&repo, &["push", "origin", "main"]);
    assert!(!done && said.contains("lock-across-await"), "{said}");
    let ran = fs::read_to_string(repo.home().join("ran")).expect("it ran");
    assert!(ran.starts_with("origin ") && ran.contains(&format!("{tip} refs/heads/main {first}")), "{ran}");
    told(&repo, &["hook", "uninstall", "--git"]);
    assert_eq!(fs::read_to_string(repo.root.join(".git/hooks/pre-push")).expect("it is back"), text);
    assert!(!repo.root.join(".git/hooks/pre-push.before-tenth").exists());
}

#[test]
fn a_foreign_hook_has_the_first_say() {
    let repo = Repo::with(&[("a.py", SAFE)]);
    foreign(&repo, "pre-commit", "echo no; exit 3");
    told(&repo, &["hook", "install", "--git"]);
    repo.write("a.py", UNSAFE);
    let (done, said) = git(&repo, &["commit", "-a", "-m", "Change"]);
    assert!(!done && said.contains("no") && !said.contains("lock-across-await"), "{said}");
}

#[test]
fn a_link_or_a_dead_hook_is_moved_as_it_is() {
    let repo = Repo::with(&[("scripts/check.sh", "#!/bin/sh\nexit 0\n")]);
    std::os::unix::fs::symlink("../../scripts/check.sh", repo.root.join(".git/hooks/pre-commit")).expect("a link");
    let out = told(&repo, &["hook", "install", "--git"]);
    assert!(out.contains("`pre-commit.before-tenth` is not executable, so it is not run, as before"), "{out}");
    let script = fs::read_to_string(repo.root.join("scripts/check.sh")).expect("a script");
    assert_eq!(script, "#!/bin/sh\nexit 0\n", "nothing is written through the link");
    told(&repo, &["hook", "uninstall", "--git"]);
    assert!(repo.root.join(".git/hooks/pre-commit").is_symlink());
    fs::remove_file(repo.root.join("scripts/check.sh")).expect("removed");
    assert!(told(&repo, &["hook", "install", "--git"]).contains("installed in"), "a link that leads nowhere");
}

#[test]
fn two_foreign_hooks_are_one_too_many() {
    let repo = Repo::with(&[("a.py", SAFE)]);
    foreign(&repo, "pre-commit", "");
    told(&repo, &["hook", "install", "--git"]);
    let text = foreign(&repo, "pre-commit", "# another");
    let run = run(&repo, &[], &["hook", "install", "--git"], "");
    run.refuses("`pre-commit.before-tenth` is taken already", "put one of the two files away");
    assert_eq!(fs::read_to_string(repo.root.join(".git/hooks/pre-commit")).expect("a hook"), text);
    let out = told(&repo, &["hook", "uninstall", "--git"]);
    assert!(out.contains("`.git/hooks/pre-commit` is not tenth's and is left alone"), "{out}");
}

#[test]
fn a_runners_hook_is_named() {
    let repo = Repo::with(&[("a.py", SAFE)]);
    repo.write(".git/hooks/pre-commit", "#!/bin/sh\ncall_lefthook run \"pre-commit\" \"$@\"\n");
    assert!(told(&repo, &["hook", "status"]).contains("not installed; `.git/hooks/pre-commit` is lefthook's"));
    let out = told(&repo, &["hook", "install", "--git"]);
    assert!(out.contains("it is better told to run `tenth hook run pre-commit` in `lefthook.yml`"), "{out}");
}

#[test]
fn a_script_that_runs_tenth_already_is_left_alone() {
    let repo = Repo::with(&[("a.py", SAFE)]);
    let text = foreign(&repo, "pre-commit", "tenth hook run pre-commit || exit 1");
    let out = told(&repo, &["hook", "install", "--git"]);
    assert_eq!(out, "pre-commit: `.git/hooks/pre-commit` runs `tenth` already, and is left alone\n");
    let out = told(&repo, &["hook", "status"]);
    assert!(out.starts_with("pre-commit: run by `.git/hooks/pre-commit`, which was not written by tenth\n"), "{out}");
    assert_eq!(fs::read_to_string(repo.root.join(".git/hooks/pre-commit")).expect("a hook"), text);
    foreign(&repo, "pre-commit", "# tenth hook run pre-commit");
    assert!(told(&repo, &["hook", "install", "--git"]).contains("what was there runs first"));
}

#[test]
fn hooks_that_look_at_their_own_name_are_left_alone() {
    let repo = Repo::with(&[("a.py", SAFE)]);
    let install = ["hook", "install", "--git"];
    repo.write(
        ".git/hooks/pre-commit",
        "#!/usr/bin/env ruby\n# Entrypoint for Overcommit hook integration: overcommit\n",
    );
    run(&repo, &[], &install, "").refuses("is overcommit's", "`.overcommit.yml`");
    assert!(!repo.root.join(".git/hooks/pre-commit.before-tenth").exists());
    repo.git(&["config", "core.hooksPath", ".husky/_"]);
    run(&repo, &[], &install, "").refuses("`.husky/_` is husky's", "`.husky/pre-commit` says what it runs");
    assert!(!repo.root.join(".husky").exists());
}

#[test]
fn hooks_go_where_git_looks() {
    let repo = Repo::with(&[("a.py", SAFE)]);
    told(&repo, &["hook", "install", "--git"]);
    repo.git(&["config", "core.hooksPath", ".githooks"]);
    let out = told(&repo, &["hook", "status"]);
    assert!(out.contains("where git does not look: `core.hooksPath` is `.githooks`"), "{out}");
    let out = told(&repo, &["hook", "install", "--git"]);
    assert!(out.starts_with("pre-commit: installed in `.githooks/pre-commit`\nnote: `.githooks` is in the work tree"));
    let place = repo.git(&["rev-parse", "--git-path", "hooks"]);
    let script = fs::read_to_string(repo.root.join(place).join("pre-commit")).expect("a hook");
    assert!(script.contains("tenth=tenth\n"), "no path of this machine is shared: {script}");
    repo.write("a.py", UNSAFE);
    assert!(!git(&repo, &["commit", "-a", "-m", "Change"]).0);

    let elsewhere = repo.home().join("elsewhere").display().to_string();
    repo.git(&["config", "core.hooksPath", "../elsewhere"]);
    let out = told(&repo, &["hook", "install", "--git"]);
    assert_eq!(out, format!("pre-commit: installed in `{elsewhere}/pre-commit`\n"));
    assert!(!git(&repo, &["commit", "-a", "-m", "Change"]).0);

    repo.git(&["config", "core.hooksPath", "/dev/null"]);
    run(&repo, &[], &["hook", "install", "--git"], "").refuses("git runs no hooks here", "--unset core.hooksPath");
    assert!(told(&repo, &["hook", "uninstall", "--git"]).contains("is not installed"));
}

#[test]
fn hooks_of_all_repositories_are_left_alone() {
    let repo = Repo::with(&[("a.py", SAFE)]);
    let shared = repo.home().join("shared").display().to_string();
    let file = repo.home().join(".gitconfig").display().to_string();
    run_git(repo.home(), repo.home(), &["config", "--file", &file, "core.hooksPath", &shared]);
    let settings = [("GIT_CONFIG_GLOBAL", file.as_str())];
    let refused = run(&repo, &settings, &["hook", "install", "--git"], "");
    refused.refuses("for more than this repository", "git config --local core.hooksPath");
    assert!(!Path::new(&shared).exists());
    let help = refused.err.split('`').find(|part| part.starts_with("git config --local")).expect("a command");
    let done = isolated("sh", repo.home(), &repo.root).args(["-c", help]).status().expect("sh runs");
    assert!(done.success());
    let installed = run(&repo, &settings, &["hook", "install", "--git"], "");
    assert_eq!(installed.out, "pre-commit: installed in `.git/hooks/pre-commit`\n", "{}", installed.err);
}

#[test]
fn all_work_trees_share_their_hooks() {
    let repo = Repo::with(&[("a.py", SAFE)]);
    repo.git(&["worktree", "add", "-q", "../linked"]);
    let linked = repo.home().join("linked");
    let install = |arguments: &[&str]| repository::run_tenth(repo.home(), &linked, arguments).out;
    let out = install(&["hook", "install", "--git"]);
    let hooks = run_git(repo.home(), &linked, &["rev-parse", "--path-format=absolute", "--git-path", "hooks"]);
    assert_eq!(out, format!("pre-commit: installed in `{hooks}/pre-commit`\n"));
    for folder in [&linked, &repo.root] {
        fs::write(folder.join("a.py"), UNSAFE).expect("written");
        let (done, said) = git_in(&repo, folder, &["commit", "-a", "-m", "Change"]);
        assert!(!done && said.contains("lock-across-await"), "{said}");
    }
    let sub = repo.root.join("sub");
    fs::create_dir(&sub).expect("a folder");
    let out = repository::run_tenth(repo.home(), &sub, &["hook", "status"]).out;
    assert!(out.contains("pre-commit: installed in `.git/hooks/pre-commit`"), "{out}");
}

#[test]
fn a_hook_without_its_program_stops_and_says_so() {
    let repo = Repo::with(&[("a.py", SAFE)]);
    told(&repo, &["hook", "install", "--git"]);
    let hook = repo.root.join(".git/hooks/pre-commit");
    let own = env!("CARGO_BIN_EXE_tenth");
    let text = fs::read_to_string(&hook).expect("a hook");
    assert!(text.contains(&format!("tenth='{own}'")), "{text}");
    fs::write(&hook, text.replace(own, "/nowhere/tenth")).expect("written");
    repo.write("a.py", "x = 1\n");
    let mut command = isolated("git", repo.home(), &repo.root);
    let output =
        command.env("PATH", "/usr/bin:/bin").args(["commit", "-a", "-m", "Change"]).output().expect("git runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("tenth: not found"), "{said}");
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("set");
    let out = told(&repo, &["hook", "status"]);
    assert!(out.contains("git does not run it: `chmod +x .git/hooks/pre-commit`"), "{out}");
    assert!(Command::new("sh").arg("-n").arg(&hook).status().expect("sh runs").success());
}
