//! Checkpoints in real repositories: what counts as one, where a review begins, how a chain of them stands.

mod repository;

use std::fs;

use repository::{Repo, Run, run_git, run_tenth};
use serde_json::Value;

const ADA: (&str, &str) = ("Ada", "ada@example.org");

impl Repo {
    fn says(&self, files: &[(&str, &str)], message: &str) -> String {
        self.commit_as(files, message, ADA.0, ADA.1)
    }

    fn checkpoints(&self, arguments: &[&str]) -> Value {
        run(self, &[&["checkpoints"], arguments].concat()).json()
    }
}

fn run(repo: &Repo, arguments: &[&str]) -> Run {
    run_tenth(repo.home(), &repo.root, &[arguments, &["--format", "json", "--fail-on", "never"]].concat())
}

/// One key of every step.
fn all<'v>(found: &'v Value, key: &str) -> Vec<&'v str> {
    found["steps"].as_array().expect("steps").iter().map(|step| step[key].as_str().unwrap_or("-")).collect()
}

/// The paths that the review from the newest checkpoint speaks of, and how it was taken.
fn since(repo: &Repo) -> (Vec<String>, String) {
    let run = run(repo, &["--since-checkpoint"]);
    (run.paths(), run.json()["change"]["how"].as_str().expect("how").to_owned())
}

#[test]
fn a_subject_makes_a_checkpoint() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.says(&[("a.py", "x = 2\n")], "Checkpoint: before the move");
    repo.says(&[("b.py", "y = 1\n")], "Checkpoints are kept in a table");
    repo.write("c.py", "z = 1\n");
    let (paths, how) = since(&repo);
    assert_eq!(paths, ["b.py", "c.py"]);
    assert!(how.contains("`Checkpoint: before the move`"), "{how}");
    let found = repo.checkpoints(&[]);
    assert_eq!((found["schema"].as_str(), all(&found, "kind")), (Some("tenth/checkpoints/1"), vec!["checkpoint"]));
}

#[test]
fn a_pattern_of_the_user_makes_a_checkpoint() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.says(&[], "phase 2: done");
    repo.write("c.py", "z = 1\n");
    let found = run(&repo, &["--since-checkpoint", "--checkpoint", "phase *"]);
    assert_eq!(found.paths(), ["c.py"]);
}

#[test]
fn tags_and_references_make_checkpoints() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.git(&["tag", "-a", "checkpoint-1", "-m", "one"]);
    repo.says(&[("b.py", "y = 1\n")], "Go on");
    repo.git(&["update-ref", "refs/agent-checkpoints/turn-2", "HEAD"]);
    repo.git(&["tag", "v1.0"]);
    repo.says(&[("c.py", "z = 1\n")], "Go on");
    let found = repo.checkpoints(&[]);
    assert_eq!(all(&found, "kind"), ["tag", "reference"]);
    assert_eq!(all(&found, "name"), ["checkpoint-1", "refs/agent-checkpoints/turn-2"]);
    assert_eq!(since(&repo).0, ["c.py"]);
}

#[test]
fn agents_and_their_empty_plans_make_checkpoints() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.commit_as(&[], "Initial plan", "copilot-swe-agent[bot]", "1+copilot@users.noreply.example.org");
    repo.says(&[("b.py", "y = 1\n")], "Add b\n\nCo-Authored-By: Claude <noreply@anthropic.com>");
    repo.says(&[("c.py", "z = 1\n")], "Initial plan");
    repo.says(&[("d.py", "z = 1\n")], "Mend it\n\nCo-authored-by: Ada <ada@anthropic.com>");
    let found = repo.checkpoints(&[]);
    assert_eq!(all(&found, "kind"), ["plan", "agent"]);
    assert_eq!(all(&found, "agent"), ["Copilot", "Claude"]);
    assert_eq!(since(&repo).0, ["c.py", "d.py"]);
}

#[test]
fn a_shadow_branch_holds_the_newest_state() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    let head = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["checkout", "-q", "-b", "entire/0a1b2c3-d4e5f6"]);
    repo.says(&[("b.py", "y = 1\n")], "State\n\nEntire-Session: 2026-01-02-x");
    repo.git(&["checkout", "-q", "--orphan", "entire/checkpoints/v1"]);
    repo.says(&[("prompt.txt", "do it\n")], "Checkpoint: 0123456789ab");
    repo.git(&["checkout", "-q", "-f", "main"]);
    repo.write("b.py", "y = 1\n");
    repo.write("c.py", "z = 1\n");
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), head);
    let found = repo.checkpoints(&[]);
    assert_eq!(all(&found, "kind"), ["shadow-branch"]);
    assert_eq!(since(&repo).0, ["c.py"]);
}

#[test]
fn a_side_repository_holds_nothing_but_checkpoints() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    let side = repo.home().join("shadow");
    let work = repo.root.to_str().expect("a path").to_owned();
    fs::create_dir(&side).expect("a folder");
    let git = |arguments: &[&str]| {
        let place = side.join(".git").to_str().expect("a path").to_owned();
        run_git(repo.home(), &repo.root, &[&["--git-dir", &place, "--work-tree", &work], arguments].concat())
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["config", "core.worktree", &work]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "initial commit"]);
    repo.write("b.py", "y = 1\n");
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "Task: 7, Time: 123"]);
    repo.write("c.py", "z = 1\n");
    let place = side.join(".git").to_str().expect("a path").to_owned();
    // With the work tree that the repository names itself, and with one that is named here.
    for named in [vec!["--git-dir", &place], vec!["--git-dir", &place, "--work-tree", &work]] {
        let since = run(&repo, &[&["--since-checkpoint"], &named[..]].concat());
        assert_eq!(since.paths(), ["c.py"]);
        let found = run(&repo, &[&["checkpoints", "--review"], &named[..]].concat()).json();
        assert_eq!(all(&found, "kind"), ["side-repository", "side-repository"]);
        assert_eq!(all(&found, "verdict"), ["sound", "sound"]);
    }
    let nowhere = run(&repo, &["--since-checkpoint", "--git-dir", "nowhere"]);
    nowhere.refuses("`nowhere` is not inside a git repository", "-C DIR");
}

#[test]
fn a_checkpoint_that_a_rebase_left_behind_is_still_compared() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.says(&[("b.py", "y = 1\n")], "Begin");
    repo.git(&["tag", "checkpoint-1"]);
    repo.git(&["checkout", "-q", "main"]);
    repo.says(&[("d.py", "w = 1\n")], "Meanwhile");
    repo.git(&["checkout", "-q", "topic"]);
    repo.git(&["rebase", "-q", "main"]);
    repo.write("c.py", "z = 1\n");
    let run = run(&repo, &["--since-checkpoint"]);
    assert_eq!(run.paths(), ["c.py", "d.py"]);
    assert!(run.notice("not-ancestor").contains("is not an ancestor"), "{}", run.out);
}

#[test]
fn nothing_that_looks_like_a_checkpoint_is_refused_with_the_mend() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    run(&repo, &["--since-checkpoint"]).refuses("there is no checkpoint here", "`tenth REVISION`");
    assert_eq!(repo.checkpoints(&[])["steps"], Value::Array(Vec::new()));
}

const SESSION: &str = "import asyncio\n\n\nasync def token(name):\n    await asyncio.sleep(0)\n    return name\n";
const BROKEN: &str = "import asyncio\n\n\nasync def token(name):\n    await asyncio.sleep(0\n    return name\n";
const BLOCKING: &str = "import time\n\nimport asyncio\n\n\nasync def token(name):\n    time.sleep(1)\n    await asyncio.sleep(0)\n    return name\n";

#[test]
fn a_chain_is_reviewed_step_by_step_and_as_a_whole() {
    let repo = Repo::with(&[("notes.md", "one\n")]);
    let base = repo.git(&["rev-parse", "HEAD"]);
    let sound = repo.says(&[("session.py", SESSION)], "One");
    repo.says(&[("session.py", BLOCKING)], "Two");
    repo.says(&[], "Nothing at all");
    repo.says(&[("session.py", BROKEN)], "Three");
    let found = repo.checkpoints(&[&format!("{base}..HEAD"), "--review"]);
    assert_eq!(all(&found, "kind"), ["commit"; 4]);
    assert_eq!(all(&found, "verdict"), ["sound", "findings", "findings", "broken"]);
    // A step that does nothing is itself clean.
    assert_eq!(found["steps"][2]["step"]["errors"], 0);
    assert_eq!(found["steps"][2]["total"]["errors"], 1);
    assert_eq!(found["last_sound"], sound);
    let command = found["return_with"].as_str().expect("a command");
    assert!(command.contains(&format!("restore --source={sound}")), "{command}");
    // The command does what it says.
    repo.git(&["restore", &format!("--source={sound}"), "--staged", "--worktree", "--", ":/"]);
    assert_eq!(fs::read_to_string(repo.root.join("session.py")).expect("a file"), SESSION);
}

#[test]
fn a_fault_that_a_later_step_mends_leaves_the_end_sound() {
    let repo = Repo::with(&[("notes.md", "one\n")]);
    repo.says(&[("session.py", BROKEN)], "One");
    let last = repo.says(&[("session.py", SESSION)], "Two");
    let found = repo.checkpoints(&["HEAD~2..HEAD", "--review"]);
    assert_eq!(all(&found, "verdict"), ["broken", "sound"]);
    assert_eq!((&found["last_sound"], &found["return_with"]), (&Value::String(last), &Value::Null));
}

#[test]
fn what_a_merge_brings_is_one_step() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    let base = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.says(&[("b.py", "y = 1\n")], "Side one");
    repo.says(&[("b.py", "y = 2\n")], "Side two");
    repo.git(&["checkout", "-q", "main"]);
    repo.says(&[("c.py", "z = 1\n")], "Main one");
    repo.git(&["merge", "-q", "--no-edit", "topic"]);
    let found = repo.checkpoints(&[&format!("{base}..HEAD"), "--review"]);
    let subjects = all(&found, "subject");
    assert_eq!((subjects.len(), subjects[0]), (2, "Main one"));
    assert_eq!((&found["steps"][1]["step"]["files"], &found["steps"][1]["total"]["files"]), (&1.into(), &2.into()));
}

#[test]
fn the_first_commit_is_compared_with_nothing() {
    let repo = Repo::new();
    repo.says(&[("session.py", SESSION)], "Checkpoint: one");
    let found = repo.checkpoints(&["--review"]);
    assert_eq!(all(&found, "verdict"), ["sound"]);
    assert_eq!(found["steps"][0]["step"]["added_lines"], 6);
}

#[test]
fn commits_bear_the_mark_of_their_agent() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.says(&[("a.py", "x = 2\n")], "By hand");
    repo.says(&[("b.py", "y = 1\n")], "Add b\n\nCo-authored-by: aider (model) <aider@aider.chat>");
    let all = run(&repo, &["HEAD~2..HEAD"]);
    assert_eq!(all.paths(), ["a.py", "b.py"]);
    let commits = &all.json()["commits"];
    assert_eq!((&commits[0]["agent"], &commits[1]["agent"]), (&"Aider".into(), &Value::Null));
    assert_eq!(commits[0]["mark"], "Co-authored-by: aider (model) <aider@aider.chat>");
    let marked = run(&repo, &["HEAD~2..HEAD", "--agent-commits"]);
    assert_eq!(marked.paths(), ["b.py"]);
    assert!(marked.notice("agent-commits").contains("1 of 2 commits"), "{}", marked.out);
}

#[test]
fn the_form_for_people_ends_with_the_way_back() {
    let repo = Repo::with(&[("notes.md", "one\n")]);
    let sound = repo.says(&[("session.py", SESSION)], "Checkpoint: one");
    repo.says(&[("session.py", BROKEN)], "Checkpoint: two");
    let run = run_tenth(repo.home(), &repo.root, &["checkpoints", "--review"]);
    let short = &sound[..12];
    assert!(run.out.contains(&format!("{short}  checkpoint  sound       Checkpoint: one\n")), "{}", run.out);
    assert!(run.out.contains(&format!("the last sound checkpoint is {short}")), "{}", run.out);
    assert!(run.out.contains("What is left\n\nsession.py\n"), "{}", run.out);
    let left = run_tenth(repo.home(), &repo.root, &["HEAD~1..HEAD", "--format", "handoff"]);
    assert!(left.out.starts_with("What is left\n\nsession.py\n- "), "{}", left.out);
    let done = run_tenth(repo.home(), &repo.root, &["HEAD~2..HEAD~1", "--format", "handoff"]);
    assert_eq!(done.out, "Nothing is left unfinished.\n");
}

/// The service that is refactored: an interface, a container, consumers.
const SERVICE: &str = "class AuthService:\n    def __init__(self, store):\n        self.store = store\n\n    def check(self, token):\n        return token in self.store\n";
const CONTAINER: &str =
    "from app.auth.service import AuthService\n\n\ndef build(store) -> AuthService:\n    return AuthService(store)\n";

fn consumer(name: &str, awaits: &str) -> String {
    format!(
        "from app.auth.service import AuthService\n\n\nasync def {name}(auth: AuthService, token):\n    if not {awaits}auth.check(token):\n        raise PermissionError(token)\n    return \"{name}\"\n"
    )
}

#[test]
fn a_refactoring_that_stopped_in_its_third_part_can_go_back_to_its_second() {
    let names = ["orders", "invoices", "reports", "users"];
    let plain: Vec<(String, String)> =
        names.iter().map(|name| (format!("app/routes/{name}.py"), consumer(name, ""))).collect();
    let mut files = vec![("app/auth/service.py", SERVICE), ("app/container.py", CONTAINER)];
    files.extend(plain.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    let repo = Repo::with(&files);
    let base = repo.git(&["rev-parse", "HEAD"]);

    let interface =
        "from typing import Protocol\n\n\nclass Store(Protocol):\n    async def has(self, token: str) -> bool: ...\n";
    repo.says(&[("app/auth/interface.py", interface)], "Checkpoint: the interface");
    let container = "from app.auth.interface import Store\nfrom app.auth.service import AuthService\n\n\ndef build(store: Store) -> AuthService:\n    return AuthService(store)\n";
    let second = repo.says(&[("app/container.py", container)], "Checkpoint: the container");
    let service = SERVICE
        .replace("    def check", "    async def check")
        .replace("token in self.store", "await self.store.has(token)");
    let orders = consumer("orders", "await ");
    let invoices = consumer("invoices", "await ");
    let third = [
        ("app/auth/service.py", service.as_str()),
        ("app/routes/orders.py", orders.as_str()),
        ("app/routes/invoices.py", invoices.as_str()),
    ];
    repo.says(&third, "Checkpoint: the consumers");

    let found = repo.checkpoints(&[&format!("{base}..HEAD"), "--review"]);
    assert_eq!(all(&found, "verdict"), ["sound", "sound", "unfinished"], "{found:#}");
    assert_eq!(found["last_sound"], second);
    // The consumers that are left stand in files that the change does not touch.
    let left = |report: &Value| -> Vec<String> {
        let rows = report["handoff"]["left"].as_array().expect("something is left").iter();
        rows.map(|row| format!("{} {}", row["path"].as_str().unwrap_or(""), row["function"].as_str().unwrap_or("")))
            .collect()
    };
    let rest = ["app/routes/reports.py reports", "app/routes/users.py users"];
    assert_eq!(left(&found), rest);
    // From the last sound checkpoint on, which is where somebody would go on, the same is left.
    let since = run(&repo, &[&format!("{second}..HEAD")]);
    assert_eq!(left(&since.json()), rest);
}
