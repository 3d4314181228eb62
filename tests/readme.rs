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

/// Flags by the words of the command that has them; the review itself has none.
type Commands = BTreeMap<Vec<String>, BTreeSet<String>>;

/// Every command of `tenth`, found from help to help, with the flags that its help explains.
fn commands(repo: &Repo) -> Commands {
    let mut found = Commands::new();
    let mut work: Vec<Vec<String>> = vec![Vec::new()];
    while let Some(command) = work.pop() {
        let words: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let help = run_tenth(repo.home(), &repo.root, &words);
        assert_eq!(help.code, 0, "{command:?}: {}", help.err);
        let listed = help.out.split("\nCommands:\n").nth(1).unwrap_or_default().lines();
        // A line that goes on with the one above stands further in.
        let names = listed.take_while(|line| !line.is_empty()).filter_map(|line| line.strip_prefix("  "));
        for name in names.filter(|line| line.starts_with(char::is_alphabetic)) {
            let name = name.split(' ').next().unwrap().to_owned();
            work.push(command.iter().cloned().chain([name]).collect());
        }
        found.insert(command, explained(&help.out));
    }
    found
}

/// The flags that a help explains: only where a line begins with one; elsewhere it is spoken of.
fn explained(help: &str) -> BTreeSet<String> {
    let begin = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    begin.flat_map(|line| flags(line.split("  ").next().unwrap())).collect()
}

/// Whatever the README shows as code: lines of its blocks, without their remarks, and spans in its text. Beside them,
/// what is left of the text.
fn code() -> (Vec<String>, String) {
    let (mut pieces, mut prose) = (Vec::new(), String::new());
    for (at, part) in README.split("```").enumerate() {
        if at % 2 == 1 {
            pieces.extend(part.lines().skip(1).map(|line| line.split(" #").next().unwrap().trim().to_owned()));
            continue;
        }
        for (at, part) in part.split('`').enumerate() {
            if at % 2 == 1 { pieces.push(part.replace('\n', " ")) } else { prose.push_str(part) }
        }
    }
    (pieces, prose)
}

/// What the README says of flags.
#[derive(Default)]
struct Documented {
    /// Those that stand behind a command of `tenth`, by that command.
    by_command: Vec<(Vec<String>, String)>,
    /// Those that stand by themselves.
    bare: BTreeSet<String>,
}

fn documented(commands: &Commands) -> Documented {
    let mut found = Documented::default();
    for piece in code().0 {
        let mut words = piece.split_whitespace().skip_while(|word| *word != "tenth").skip(1).peekable();
        if piece.starts_with("--") {
            found.bare.extend(flags(&piece));
        }
        let mut command: Vec<String> = Vec::new();
        while let Some(word) = words.peek() {
            let longer: Vec<String> = command.iter().cloned().chain([(*word).to_owned()]).collect();
            if !commands.contains_key(&longer) {
                break;
            }
            command = longer;
            words.next();
        }
        found.by_command.extend(words.flat_map(flags).map(|flag| (command.clone(), flag)));
    }
    found
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

/// Flags of runners of hooks that the README speaks of by themselves.
const FOREIGN: [&str; 2] = ["--from-ref", "--to-ref"];

#[test]
fn every_flag_that_the_readme_names_is_one() {
    let repo = project();
    let commands = commands(&repo);
    let documented = documented(&commands);
    for (command, flag) in &documented.by_command {
        assert!(commands[command].contains(flag), "`tenth {}` has no `{flag}`", command.join(" "));
    }
    let known: BTreeSet<&str> = commands.values().flatten().map(String::as_str).chain(FOREIGN).collect();
    let unknown: Vec<&String> = documented.bare.iter().filter(|flag| !known.contains(flag.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?} are no flags");
    let in_prose = flags(&code().1);
    assert!(in_prose.is_empty(), "{in_prose:?} do not stand as code, so that nothing holds them against the helps");
    assert!(documented.by_command.len() > 10 && documented.bare.len() > 20, "the README is not read as it is meant");
}

#[test]
fn every_flag_is_in_the_readme() {
    let repo = project();
    let commands = commands(&repo);
    assert!(commands.len() > 15, "only {} commands were found", commands.len());
    let documented = documented(&commands);
    let of_all: BTreeSet<&String> = commands[&Vec::new()].iter().collect();
    for (command, flags) in &commands {
        // What a command has in common with the review is told once; `--help` and `--version` everybody knows.
        let own = flags.iter().filter(|flag| command.is_empty() || !of_all.contains(flag));
        for flag in own.filter(|flag| !matches!(flag.as_str(), "--help" | "--version")) {
            let behind_it = |(by, named): &(Vec<String>, String)| named == flag && by == command;
            let is_told = documented.bare.contains(flag) || documented.by_command.iter().any(behind_it);
            assert!(is_told, "`{flag}` of `tenth {}` is not in the README", command.join(" "));
        }
    }
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
    let named = explained(&help.out);
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
