//! What hosts run of `integrations/`: the action's step, and what makes the repository for a wheel.
//!
//! `tests/hosts/check.py` asks the hosts' own validators about the same files.

#![cfg(unix)]
// A test that cannot go on says so.
#![allow(clippy::unwrap_used)]

mod repository;

use std::fs;
use std::path::Path;
use std::process::Command;

use repository::{Repo, isolated};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A commit that begins to block, in a file whose name would like to be a command.
fn blocking() -> Repo {
    let path = "a\n::error::spoofed.py";
    let repo = Repo::with(&[(path, "async def f():\n    pass\n")]);
    repo.commit(&[(path, "import time\n\n\nasync def f():\n    time.sleep(1)\n")]);
    repo
}

/// Runs the step as GitHub does, with `tenth` on the path; its output, its status, and what it wrote for later steps.
fn step(repo: &Repo, range: &str, fail_on: &str) -> (String, Option<i32>, String) {
    let home = repo.home();
    let binary = Path::new(env!("CARGO_BIN_EXE_tenth")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let outputs = home.join("outputs");
    let step = root().join("integrations/github/review.sh");
    let done = isolated(step.to_str().unwrap(), home, &repo.root)
        .env("PATH", path)
        .env("RUNNER_TEMP", home.join("runner"))
        .env("GITHUB_ACTION_PATH", root())
        .env("GITHUB_OUTPUT", &outputs)
        .env("GITHUB_STEP_SUMMARY", home.join("summary.md"))
        .env("TENTH_RANGE", range)
        .env("TENTH_FAIL_ON", fail_on)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    (said, done.status.code(), fs::read_to_string(outputs).unwrap_or_default())
}

#[test]
fn the_step_annotates_and_hands_its_reports_on() {
    let repo = blocking();
    let (said, status, outputs) = step(&repo, "HEAD~1..HEAD", "");
    assert_eq!(status, Some(1), "{said}");
    for name in ["sarif-file", "comment-file"] {
        let line = outputs.lines().find_map(|line| line.strip_prefix(&format!("{name}="))).unwrap();
        assert!(fs::metadata(line).unwrap().len() > 0, "{name}");
    }
    let summary = fs::read_to_string(repo.home().join("summary.md")).unwrap();
    assert!(summary.contains("blocking-in-async"), "{summary}");
    assert_eq!(step(&repo, "HEAD~1..HEAD", "never").1, Some(0));
}

/// A host takes every line that begins with `::` for a command, except between two lines with a secret word.
#[test]
fn nothing_of_the_change_becomes_a_command() {
    let (said, ..) = step(&blocking(), "HEAD~1..HEAD", "");
    let mut secret = None;
    let mut commands = Vec::new();
    for line in said.lines() {
        if let Some(word) = line.strip_prefix("::stop-commands::") {
            secret = Some(format!("::{word}::"));
        } else if secret.as_deref() == Some(line) {
            secret = None;
        } else if secret.is_none() && (line.trim_start().starts_with("::") || line.contains("##[")) {
            commands.push(line);
        }
    }
    assert_eq!(secret, None, "{said}");
    assert_eq!(commands.len(), 1, "{said}");
    assert!(commands[0].starts_with("::error file=a%0A%3A%3Aerror%3A%3Aspoofed.py,line="), "{said}");
}

#[test]
fn a_step_without_a_review_hands_nothing_on() {
    let (said, status, outputs) = step(&blocking(), "nowhere..HEAD", "");
    assert_eq!((status, outputs.as_str()), (Some(2), ""), "{said}");
    assert!(said.lines().last().unwrap().ends_with("::"), "commands stay stopped: {said}");
}

fn mirror(version: &str, folder: &Path) -> bool {
    let script = root().join("integrations/pre-commit/mirror");
    Command::new("sh").arg(script).arg(version).arg(folder).output().unwrap().status.success()
}

#[test]
fn the_repository_for_a_wheel_compiles_nothing() {
    let temp = tempfile::tempdir().unwrap();
    assert!(mirror("1.2.3", temp.path()));
    let read = |name: &str| fs::read_to_string(temp.path().join(name)).unwrap();
    let project: toml::Table = read("pyproject.toml").parse().unwrap();
    assert_eq!(project["project"]["dependencies"].as_array().unwrap()[0].as_str(), Some("tenth==1.2.3"));
    assert_eq!(project["build-system"]["build-backend"].as_str(), Some("setuptools.build_meta"));
    assert!(!temp.path().join("Cargo.toml").exists());

    // Its one hook is that of this repository in all but its name and the way it is installed.
    let hook = read(".pre-commit-hooks.yaml");
    let own = fs::read_to_string(root().join(".pre-commit-hooks.yaml")).unwrap();
    let source = own.split_once("- id: tenth-src\n").unwrap().1;
    let (source, system) = source.split_once("- id: tenth-system\n").unwrap();
    assert_eq!(hook, format!("- id: tenth\n{}", source.replace("language: rust", "language: python")));
    assert_eq!(system, source.replace("language: rust", "language: system"));

    // A new release is written over the last one.
    assert!(mirror("1.2.4", temp.path()));
    assert!(read("pyproject.toml").contains("tenth==1.2.4"));
    for wrong in ["v1.2.3", "1.2", "1.2.3\nx", "1.2.3\"", ""] {
        assert!(!mirror(wrong, temp.path()), "{wrong}");
    }
}
