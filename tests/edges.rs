//! Where the command meets the world: folders one stands in, names that lead elsewhere, arguments that do not go
//! together, files that are left out.

mod repository;

use std::fs;

use repository::{Repo, Run, UNSAFE, feed_tenth, run_tenth};
use serde_json::Value;

/// A run in a folder of the repository with nothing but these arguments.
fn run_in(repo: &Repo, folder: &str, arguments: &[&str]) -> Run {
    run_tenth(repo.home(), &repo.root.join(folder), arguments)
}

fn run(repo: &Repo, arguments: &[&str]) -> Run {
    run_in(repo, ".", arguments)
}

const SLEEPY: &str = "import time\n\n\nasync def f():\n    time.sleep(1)\n";

// ------------------------------------------------------------------------------------------------ where one stands

#[test]
fn inspect_takes_the_file_of_the_folder_one_stands_in() {
    let repo = Repo::with(&[("m.py", "def outer():\n    pass\n"), ("b/m.py", "def inner():\n    pass\n")]);
    repo.write("c/only.py", "def only():\n    pass\n");
    let first = |folder: &str, arguments: &[&str]| {
        let run = run_in(&repo, folder, arguments);
        assert_eq!(run.code, 0, "{}", run.err);
        run.out.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(first(".", &["inspect", "m.py:2"]), "m.py:2 in m.outer");
    assert_eq!(first("b", &["inspect", "m.py:2"]), "b/m.py:2 in b.m.inner");
    assert_eq!(first(".", &["-C", "b", "inspect", "m.py:2"]), "b/m.py:2 in b.m.inner");
    assert_eq!(first("b", &["inspect", "../m.py:2"]), "m.py:2 in m.outer");
    // As a report names it, and by an ending that one file alone has.
    assert_eq!(first("c", &["inspect", "b/m.py:2"]), "b/m.py:2 in b.m.inner");
    assert_eq!(first("b", &["inspect", "only.py:2"]), "c/only.py:2 in c.only.only");
    let absolute = format!("{}:2", repo.root.join("b/m.py").display());
    assert_eq!(first("c", &["inspect", &absolute]), "b/m.py:2 in b.m.inner");
}

#[test]
fn what_is_named_beside_a_folder_is_told_from_there() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.commit(&[("a.py", "x = 2\n")]);
    fs::write(repo.root.join("p.patch"), repo.git(&["diff", "HEAD~1", "HEAD"]) + "\n").expect("written");
    let root = repo.root.display().to_string();
    let arguments = ["-C", &root, "--patch", "p.patch", "--output", "json:report.json"];
    let run = run_tenth(repo.home(), repo.home(), &arguments);
    assert_eq!(run.code, 0, "{}", run.err);
    let out = fs::read_to_string(repo.root.join("report.json")).expect("written there");
    assert_eq!(Run { code: 0, out, err: String::new() }.of("a.py"), "-1 +1");
}

// ------------------------------------------------------------------------------------------------ names that lead elsewhere

#[test]
#[cfg(unix)]
fn no_link_leads_out_of_what_is_checked() {
    use std::os::unix::fs::symlink;
    let temp = tempfile::tempdir().expect("a temporary folder");
    let write = |path: &str, text: &str| {
        let place = temp.path().join(path);
        fs::create_dir_all(place.parent().expect("a parent")).expect("a folder");
        fs::write(place, text).expect("written");
    };
    let helper = "import time\n\n\ndef wait():\n    time.sleep(1)  # out of here\n";
    write("out/z.py", helper);
    write("out/pack/__init__.py", "");
    write("out/pack/z.py", helper);
    write("in/own.py", helper);
    let main = |module: &str| format!("from {module} import wait\n\n\nasync def f():\n    wait()\n");
    write("in/one.py", &main("link"));
    write("in/two.py", &main("pack.z"));
    symlink("../out/z.py", temp.path().join("in/link.py")).expect("a link");
    symlink("../out/pack", temp.path().join("in/pack")).expect("a link");
    let check = |file: &str| run_tenth(temp.path(), &temp.path().join("in"), &["check", file]);
    for file in ["one.py", "two.py"] {
        let run = check(file);
        assert!(run.code == 0 && !run.out.contains("out of here"), "{}", run.out);
    }
    write("in/three.py", &main("own"));
    let run = check("three.py");
    assert!(run.code == 1 && run.out.contains("out of here"), "{}", run.out);
}

#[test]
fn a_patch_stays_in_its_folder() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    let body: String = SLEEPY.lines().map(|line| format!("+{line}\n")).collect();
    for name in ["b/../../etc/x.py", "b//etc/x.py"] {
        let patch = format!("--- /dev/null\n+++ {name}\n@@ -0,0 +1,5 @@\n{body}");
        let run = feed_tenth(repo.home(), &repo.root, &["--patch", "-", "--format", "json"], patch.as_bytes());
        let json = run.json();
        assert_eq!(json["findings"].as_array().map(Vec::len), Some(0), "{}", run.out);
        let why = json["coverage"][0]["why"].as_str().unwrap_or_default();
        assert!(why.contains("leads out"), "{}", run.out);
    }
    let patch = format!("--- /dev/null\n+++ b/etc/x..py\n@@ -0,0 +1,5 @@\n{body}");
    let run = feed_tenth(repo.home(), &repo.root, &["--patch", "-", "--format", "json"], patch.as_bytes());
    assert_eq!(run.json()["findings"].as_array().map(Vec::len), Some(1), "{}", run.out);
}

// ------------------------------------------------------------------------------------------------ what is left out

#[test]
fn what_git_ignores_is_left_out_unless_it_is_named() {
    let repo = Repo::with(&[(".gitignore", "venv/\n*_made.py\n"), ("app.py", "x = 1\n")]);
    repo.write("venv/lib/site-packages/p.py", SLEEPY);
    repo.write("sub/x_made.py", SLEEPY);
    let paths = |folder: &str, arguments: &[&str]| repo.tenth_in(folder, arguments).paths();
    assert_eq!(paths(".", &["check", "."]), ["app.py"]);
    assert_eq!(paths(".", &["check", "venv"]), ["venv/lib/site-packages/p.py"]);
    assert_eq!(paths("venv", &["check", "."]), ["lib/site-packages/p.py"]);
    assert_eq!(paths(".", &["check", "sub/x_made.py"]), ["sub/x_made.py"]);
    assert_eq!(run(&repo, &["baseline", "write"]).code, 0);
    assert!(!run(&repo, &["baseline", "show"]).out.contains("blocking-in-async"));
    // What is committed all the same is the project's own.
    repo.git(&["add", "-f", "sub/x_made.py"]);
    assert_eq!(paths(".", &["check", "."]), ["app.py", "sub/x_made.py"]);
}

#[test]
fn installed_packages_are_left_out_without_a_repository() {
    let temp = tempfile::tempdir().expect("a temporary folder");
    for folder in ["venv/lib", ".tox/py", "src"] {
        fs::create_dir_all(temp.path().join(folder)).expect("a folder");
        fs::write(temp.path().join(folder).join("m.py"), "x = 1\n").expect("written");
    }
    let check = |path: &str| run_tenth(temp.path(), temp.path(), &["check", path, "--format", "json"]).paths();
    assert_eq!(check("."), ["src/m.py"]);
    assert_eq!(check("venv"), ["venv/lib/m.py"]);
}

#[test]
fn nothing_looked_at_is_said() {
    let repo =
        Repo::with(&[("a.py", "x = 1\n"), ("vendor/b.py", "x = 1\n"), ("tenth.toml", "exclude = [\"vendor\"]\n")]);
    for arguments in [&["check", "."][..], &["--worktree"], &["--staged"], &[], &["demo"]] {
        run(&repo, &[arguments, &["--agent-commits"]].concat()).refuses("not made of commits", "BEFORE..AFTER");
    }
    repo.commit(&[("vendor/b.py", "x = 2\n")]);
    for form in ["terminal", "markdown"] {
        let said = run(&repo, &["HEAD~1..HEAD", "--format", form]);
        assert!(said.out.contains("nothing of the change is reviewed"), "{}", said.out);
    }
    repo.commit(&[("vendor/b.py", "x = 3\n"), ("a.py", "x = 2\n")]);
    let said = run(&repo, &["HEAD~1..HEAD"]);
    assert!(said.out.starts_with("nothing to see"), "{}", said.out);
    fs::create_dir(repo.root.join("empty")).expect("a folder");
    let said = run(&repo, &["check", "empty"]);
    assert_eq!((said.code, said.err.as_str()), (0, "tenth: there is no source file in `empty`\n"));
    assert_eq!(run(&repo, &["check", "a.py"]).err, "");
}

// ------------------------------------------------------------------------------------------------ arguments

#[test]
fn flags_that_would_do_nothing_are_refused() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    for arguments in [
        &["rules", "--output", "json:rules.json"][..],
        &["explain", "lock-reentry", "--format", "json"],
        &["config", "show", "--format", "json"],
        &["inspect", "a.py:1", "--format", "json"],
        &["baseline", "show", "--format", "sarif"],
        &["hook", "status", "--format", "json"],
    ] {
        run(&repo, arguments).refuses("prints text and makes no report", "leave `--format` and `--output` out");
    }
    assert_eq!(run(&repo, &["rules", "--format", "terminal"]).code, 0);
    run(&repo, &["--output", "json:a", "--output", "sarif:a"]).refuses("more than one report is to go to `a`", "own");
    assert!(!repo.root.join("a").exists() && !repo.root.join("rules.json").exists());
}

#[test]
fn names_that_are_nearly_right_are_offered() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.git(&["branch", "feature"]);
    run(&repo, &["chekc"]).refuses("revision `chekc` does not exist", "`tenth check`");
    let branch = run(&repo, &["main..featuer"]);
    branch.refuses("revision `featuer` does not exist", "did you mean `feature`?");
    assert!(!branch.err.contains("git fetch"), "there is nothing to fetch from: {}", branch.err);
    run(&repo, &["explain", "lock-rentry"]).refuses("there is no rule `lock-rentry`", "did you mean `lock-reentry`?");
}

// ------------------------------------------------------------------------------------------------ reports

#[test]
fn every_id_of_a_report_is_in_it() {
    let home = tempfile::tempdir().expect("a temporary folder");
    for most in [&[][..], &["--max-findings", "1"], &["--max-findings", "2"]] {
        let arguments = [&["demo", "--upheld", "--format", "json"], most].concat();
        let json = run_tenth(home.path(), home.path(), &arguments).json();
        let rows = |name: &str| json[name].as_array().cloned().unwrap_or_default();
        let known: Vec<Value> = ["findings", "fixed", "assumptions", "claims", "hunks"]
            .iter()
            .flat_map(|name| rows(name))
            .map(|row| row["id"].clone())
            .collect();
        let lists = ["causes", "context", "hunks", "about"];
        let mut named: Vec<Value> = rows("unfinished");
        for row in ["findings", "fixed", "assumptions", "claims"].iter().flat_map(|name| rows(name)) {
            named.extend(lists.iter().flat_map(|list| row[*list].as_array().cloned().unwrap_or_default()));
            named.extend(row.get("finding").cloned());
        }
        let left = json["handoff"]["left"].as_array().cloned().unwrap_or_default();
        named.extend(left.iter().filter_map(|left| left.get("finding").cloned()));
        let lost: Vec<&Value> = named.iter().filter(|id| !id.is_null() && !known.contains(id)).collect();
        assert!(lost.is_empty(), "{most:?}: {lost:?}");
        assert!(!named.is_empty());
    }
}

#[test]
fn subjects_of_commits_mean_nothing_to_markdown() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.commit_as(&[("a.py", "x = 2\n")], "Tell @me ``` <script>", "Ada", "ada@example.org");
    let arguments = ["checkpoints", "HEAD~1..HEAD", "--review", "--format", "markdown"];
    let text = run(&repo, &arguments).out;
    assert!(text.starts_with("````text\n") && text.ends_with("````\n") && text.contains("<script>"), "{text}");
    repo.write("b_<i>_@me.py", UNSAFE);
    let text = run(&repo, &["brief", "b_<i>_@me.py", "--format", "markdown"]).out;
    assert!(text.starts_with("Concurrency contract of b\\_&lt;i&gt;\\_@<!-- -->me.py\n"), "{text}");
}

#[test]
fn a_place_is_code_in_markdown() {
    let silenced = SLEEPY.replace("sleep(1)", "sleep(1)  # tenth: ignore[blocking-in-async]");
    let repo = Repo::with(&[("a_b.py", "x = 1\n")]);
    repo.commit(&[("a_b.py", &silenced)]);
    let text = run(&repo, &["HEAD~1..HEAD", "--format", "markdown"]).out;
    assert!(text.contains("- `a_b.py:5`: this suppression gives no reason"), "{text}");
}
