//! What the README and `--help` name works: every command of the console blocks, every flag, every key of the settings.

// A test that cannot go on says so.
#![allow(clippy::unwrap_used)]

mod repository;

use std::collections::{BTreeMap, BTreeSet};

use repository::{Repo, Run, feed, isolated, run_tenth};
use serde_json::Value;

const README: &str = include_str!("../README.md");

/// The blocks of the README in one language.
fn blocks(language: &str) -> Vec<&'static str> {
    let opening = format!("```{language}\n");
    let rests = README.split(opening.as_str()).skip(1);
    rests.map(|rest| rest.split("```").next().unwrap()).collect()
}

/// A repository that holds whatever the commands of the README speak of.
fn project() -> Repo {
    let code = |number: u32| format!("import time\n\n\nasync def f():\n    return {number}\n{}", "\n".repeat(40));
    let repo = Repo::with(&[("src/app.py", &code(1))]);
    for number in 2..5 {
        repo.commit_as(&[("src/app.py", &code(number))], "checkpoint: before more", "Ada", "ada@example.org");
    }
    repo.git(&["checkout", "-q", "-b", "feature"]);
    repo.commit(&[("src/app.py", &code(5))]);
    let series = repo.git(&["format-patch", "--stdout", "main..feature"]);
    repo.git(&["checkout", "-q", "main"]);
    repo.write("series.mbox", format!("{series}\n"));
    repo
}

/// Runs the command as in a pull request's run of CI.
fn run(repo: &Repo, arguments: &[&str]) -> Run {
    let (base, head) = (repo.git(&["rev-parse", "main"]), repo.git(&["rev-parse", "feature"]));
    let event = repo.home().join("event.json");
    let sides = format!(r#"{{"number": 1, "base": {{"sha": "{base}"}}, "head": {{"sha": "{head}"}}}}"#);
    std::fs::write(&event, format!(r#"{{"number": 1, "pull_request": {sides}}}"#)).unwrap();
    let mut command = isolated(env!("CARGO_BIN_EXE_tenth"), repo.home(), &repo.root);
    command.args(arguments).env("GITHUB_EVENT_PATH", event).env("GITHUB_ACTIONS", "true");
    feed(command.env("GITHUB_EVENT_NAME", "pull_request"), b"")
}

#[test]
fn every_command_of_the_readme_works() {
    let repo = project();
    let mut commands = 0;
    for line in blocks("sh").into_iter().flat_map(str::lines) {
        let command = line.split(" #").next().unwrap().trim();
        let mut words = command.split_whitespace();
        if words.next() != Some("tenth") {
            continue;
        }
        let arguments: Vec<&str> = words.collect();
        let run = run(&repo, &arguments);
        assert!(run.code < 2, "`{command}` gives {}: {}", run.code, run.err);
        commands += 1;
    }
    assert!(commands > 15, "only {commands} commands were found");
}

/// The commands of `tenth`, each with the arguments that it cannot do without.
fn helps() -> Vec<Vec<&'static str>> {
    vec![
        vec![],
        vec!["review"],
        vec!["check"],
        vec!["inspect"],
        vec!["checkpoints"],
        vec!["config"],
        vec!["config", "show"],
        vec!["baseline"],
        vec!["baseline", "write"],
        vec!["demo"],
        vec!["rules"],
        vec!["explain"],
        vec!["hook", "run"],
        vec!["hook", "install"],
        vec!["hook", "uninstall"],
        vec!["hook", "status"],
    ]
}

/// The long flags that a text names.
fn flags(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("--") {
        let is_start = !text[..at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '-');
        let name: String = text[at + 2..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
        if is_start && name.len() > 1 && name.starts_with(|c: char| c.is_ascii_lowercase()) {
            found.insert(format!("--{}", name.trim_end_matches('-')));
        }
    }
    found
}

/// Flags of other programs that the README speaks of.
const FOREIGN: [&str; 6] = ["--release", "--path", "--all-files", "--from-ref", "--to-ref", "--git"];

#[test]
fn every_flag_that_the_readme_names_is_one() {
    let repo = project();
    let mut known: BTreeSet<String> = FOREIGN.iter().map(|flag| (*flag).to_owned()).collect();
    for command in helps() {
        let help = run_tenth(repo.home(), &repo.root, &[command.as_slice(), &["--help"]].concat());
        assert_eq!(help.code, 0, "{command:?}: {}", help.err);
        known.extend(flags(&help.out));
    }
    let unknown: Vec<String> = flags(README).into_iter().filter(|flag| !known.contains(flag)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn every_flag_of_a_review_works() {
    let repo = project();
    repo.write("settings.toml", "fail-on = \"note\"\n");
    let git_dir = repo.root.join(".git").display().to_string();
    let ways: BTreeMap<&str, Vec<&str>> = [
        ("--staged", vec![]),
        ("--worktree", vec![]),
        ("--since-checkpoint", vec![]),
        ("--pr", vec![]),
        ("--patch", vec!["series.mbox"]),
        ("--git-dir", vec![git_dir.as_str()]),
        ("--work-tree", vec![".", "--git-dir", git_dir.as_str()]),
        ("--checkpoint", vec!["wip:*"]),
        ("--agent-commits", vec!["HEAD"]),
        ("--format", vec!["concise"]),
        ("--output", vec!["json:report.json", "--output", "terminal"]),
        ("--config", vec!["settings.toml"]),
        ("--isolated", vec![]),
        ("--fail-on", vec!["never"]),
        ("--scope", vec!["function"]),
        ("--min-severity", vec!["warning"]),
        ("--min-confidence", vec!["high"]),
        ("--select", vec!["locks,dropped-task"]),
        ("--ignore", vec!["unfinished"]),
        ("--max-findings", vec!["3"]),
        ("--exit-zero", vec![]),
        ("--strict", vec![]),
        ("--upheld", vec![]),
        ("--show-hidden", vec![]),
        ("--color", vec!["always"]),
        ("--timings", vec![]),
        ("--threads", vec!["1"]),
        ("--help", vec![]),
        ("--version", vec![]),
    ]
    .into();
    let help = run_tenth(repo.home(), &repo.root, &["--help"]);
    // Only where a line begins with it a flag is explained; elsewhere it is spoken of.
    let explained = help.out.lines().filter(|line| line.trim_start().starts_with('-'));
    let named: BTreeSet<String> = explained.flat_map(flags).collect();
    for flag in &named {
        let Some(values) = ways.get(flag.as_str()) else { panic!("`{flag}` is not tried here") };
        let run = run(&repo, &[&[flag.as_str()], values.as_slice()].concat());
        assert!(run.code < 2, "`{flag}` gives {}: {}", run.code, run.err);
    }
    let gone: Vec<&&str> = ways.keys().filter(|flag| !named.contains(**flag)).collect();
    assert!(gone.is_empty(), "{gone:?} are in no help");
}

#[test]
fn the_settings_of_the_readme_are_settings_and_all_of_them_are_there() {
    let repo = project();
    let [settings] = blocks("toml")[..] else { panic!("the README has one example of settings") };
    repo.write("tenth.toml", settings);
    let shown = run_tenth(repo.home(), &repo.root, &["config", "show"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    let schema = run_tenth(repo.home(), &repo.root, &["config", "schema"]);
    let schema: Value = serde_json::from_str(&schema.out).unwrap();
    let written: toml::Table = toml::from_str(settings).unwrap();
    for key in schema["properties"].as_object().unwrap().keys().filter(|key| *key != "rust") {
        assert!(written.contains_key(key), "`{key}` is not in the README");
    }
    for key in schema["$defs"]["Knowledge"]["properties"].as_object().unwrap().keys() {
        assert!(written["python"].get(key).is_some(), "`python.{key}` is not in the README");
    }
    for key in schema["$defs"]["BudgetSettings"]["properties"].as_object().unwrap().keys() {
        assert!(written["budget"].get(key).is_some(), "`budget.{key}` is not in the README");
    }
}

#[test]
fn the_suppressions_of_the_readme_are_suppressions() {
    let repo = project();
    let block = blocks("python").into_iter().find(|block| block.contains("tenth: ignore")).unwrap();
    repo.write("a.py", block);
    let run = run_tenth(repo.home(), &repo.root, &["check", "a.py", "--format", "json"]);
    for kind in ["suppression-malformed", "suppression-unknown", "suppression-without-reason"] {
        assert_eq!(run.notice(kind), "");
    }
    assert!(run.notice("suppression-unused").contains("`dropped-task`"), "{}", run.out);
}
