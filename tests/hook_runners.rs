//! The runners of hooks that people use, run for real: `cargo test --test hook_runners`, by hand.
//!
//! pre-commit, prek and lefthook are installed from PyPI into a folder of their own under `target`. Where that cannot be
//! done (no Python, no network), the program says so and passes. `tenth` and git come from the path of this build and of
//! the machine. Each runner's every case is a line of the output; the times at the end are for reading, nothing is
//! judged by them. With `-- --build` the hook that builds this project is installed too, which takes minutes.

// A test that cannot go on says so.
#![allow(clippy::unwrap_used)]

mod repository;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use repository::{Repo, SAFE, UNSAFE, isolated};

/// What is installed.
const RUNNERS: [&str; 3] = ["pre-commit==4.7.0", "prek==0.5.11", "lefthook==2.2.2"];

/// What a finding looks like in a runner's output.
const FOUND: &str = "lock-across-await";

/// What nothing to review looks like.
const NOTHING: &str = "nothing is staged";

fn main() -> ExitCode {
    let bin = match runners() {
        Ok(bin) => bin,
        Err(why) => {
            println!("skipped: the runners of hooks cannot be installed: {why}");
            return ExitCode::SUCCESS;
        }
    };
    let mut cases = Cases { bin, failed: 0, passed: 0, times: Vec::new() };
    for runner in [Runner::PreCommit, Runner::Prek] {
        commits(&mut cases, runner);
        by_hand(&mut cases, runner);
        pushes(&mut cases, runner);
        manifest(&mut cases, runner);
    }
    commits(&mut cases, Runner::Lefthook);
    pushes(&mut cases, Runner::Lefthook);
    push_without_input(&mut cases);
    for line in &cases.times {
        println!("{line}");
    }
    println!("{} passed, {} failed", cases.passed, cases.failed);
    if cases.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The folder that the runners' programs are in.
fn runners() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hook-runners");
    let bin = folder.join("bin");
    let run = |program: &Path, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = text.trim_end().lines().next_back().unwrap_or_default().to_owned();
        if output.status.success() { Ok(()) } else { Err(format!("{}: {last}", program.display())) }
    };
    let folder = folder.display().to_string();
    run(Path::new("python3"), &["-m", "venv", &folder])?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run(&bin.join("python3"), &[&install[..], &RUNNERS].concat())?;
    Ok(bin)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runner {
    PreCommit,
    Prek,
    Lefthook,
}

impl Runner {
    fn name(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::Prek => "prek",
            Self::Lefthook => "lefthook",
        }
    }

    /// What it writes beside a hook that passed.
    fn passed(self) -> &'static str {
        match self {
            Self::PreCommit | Self::Prek => "Passed",
            Self::Lefthook => "✓ tenth",
        }
    }

    /// Its settings, as the README has them.
    fn settings(self) -> (&'static str, String) {
        let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
        let (file, start) = match self {
            Self::PreCommit | Self::Prek => (".pre-commit-config.yaml", "repos:\n  - repo: local\n"),
            Self::Lefthook => ("lefthook.yml", "pre-commit:\n  jobs:\n"),
        };
        let block = readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
        let block = block.into_iter().find(|block| block.starts_with(start));
        (file, block.unwrap_or_else(|| panic!("the README has no settings for {}", self.name())).to_owned())
    }
}

struct Cases {
    bin: PathBuf,
    passed: u32,
    failed: u32,
    times: Vec<String>,
}

/// What a command is expected to come to.
enum Expected<'a> {
    /// It passes; whether `tenth` ran is not seen.
    Passes,
    /// It passes, and `tenth` ran and found nothing.
    Runs,
    /// It passes and says this.
    Says(&'a str),
    /// It fails and says this.
    Fails(&'a str),
}

impl Cases {
    /// Runs a command in a repository, with the runners, this build's `tenth` and git on the path.
    fn run(&self, repo: &Repo, variables: &[(&str, &str)], command: &[&str]) -> (bool, String) {
        let own = Path::new(env!("CARGO_BIN_EXE_tenth")).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let output = isolated(command[0], repo.home(), &repo.root)
            .env("PATH", format!("{}:{}:{path}", self.bin.display(), own.display()))
            .env("NO_COLOR", "1")
            .env_remove("SKIP")
            .envs(variables.iter().copied())
            .args(&command[1..])
            .output()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    }

    fn case(
        &mut self,
        (runner, what): (Runner, &str),
        repo: &Repo,
        variables: &[(&str, &str)],
        command: &[&str],
        expected: Expected<'_>,
    ) -> Duration {
        let began = Instant::now();
        let (passes, said) = self.run(repo, variables, command);
        let took = began.elapsed();
        let is_right = match expected {
            Expected::Runs => passes && said.contains(runner.passed()) && !said.contains(FOUND),
            Expected::Passes => passes && !said.contains(FOUND),
            Expected::Says(text) => passes && said.contains(text) && !said.contains(FOUND),
            Expected::Fails(text) => !passes && said.contains(text),
        };
        println!("{:<4} {}: {what}", if is_right { "ok" } else { "FAIL" }, runner.name());
        if is_right {
            self.passed += 1;
        } else {
            self.failed += 1;
            println!("{said}");
        }
        took
    }

    fn time(&mut self, runner: Runner, what: &str, (cold, warm): (Duration, Duration)) {
        let (name, cold, warm) = (runner.name(), cold.as_secs_f64(), warm.as_secs_f64());
        self.times.push(format!("{name}: {what} took {cold:.2} s at first, {warm:.2} s again"));
    }
}

/// A repository with the runner's settings and hooks, and a remote that has its first commit.
fn repository_with(cases: &mut Cases, runner: Runner) -> Repo {
    let (file, settings) = runner.settings();
    let repo = Repo::with(&[("a.py", SAFE), ("b.py", "x = 1\n"), ("notes.md", "one\n"), (file, &settings)]);
    let remote = repo.home().join("remote.git").display().to_string();
    repo.git(&["init", "-q", "--bare", "-b", "main", &remote]);
    repo.git(&["remote", "add", "origin", &remote]);
    repo.git(&["push", "-q", "origin", "main"]);
    let install: &[&str] = match runner {
        Runner::PreCommit => &["pre-commit", "install", "-t", "pre-commit", "-t", "pre-push"],
        Runner::Prek => &["prek", "install", "-t", "pre-commit", "-t", "pre-push"],
        Runner::Lefthook => &["lefthook", "install"],
    };
    let (done, said) = cases.run(&repo, &[], install);
    assert!(done, "{said}");
    repo
}

/// What git commits under a runner's pre-commit.
fn commits(cases: &mut Cases, runner: Runner) {
    let repo = repository_with(cases, runner);
    let commit = ["git", "commit", "-q", "-m", "Change"];
    let with = |more: &[&'static str]| [&commit[..], more].concat();
    let reset = |repo: &Repo| {
        repo.git(&["reset", "-q", "--hard", "origin/main"]);
    };

    repo.write("a.py", UNSAFE);
    repo.git(&["add", "a.py"]);
    let cold = cases.case((runner, "a hazard that is staged"), &repo, &[], &commit, Expected::Fails(FOUND));
    repo.write("a.py", SAFE);
    let warm =
        cases.case((runner, "staged, and mended in the file alone"), &repo, &[], &commit, Expected::Fails(FOUND));
    cases.time(runner, "a commit", (cold, warm));
    reset(&repo);

    repo.write("a.py", SAFE.replace("sleep(1)", "sleep(2)"));
    repo.git(&["add", "a.py"]);
    repo.write("a.py", UNSAFE);
    cases.case((runner, "a partially staged file, the hazard unstaged"), &repo, &[], &commit, Expected::Runs);
    let kept = std::fs::read_to_string(repo.root.join("a.py")).unwrap();
    assert_eq!(kept, UNSAFE, "the file is as it was");
    reset(&repo);

    repo.write("a.py", UNSAFE);
    cases.case((runner, "commit -a"), &repo, &[], &with(&["-a"]), Expected::Fails(FOUND));
    repo.write("b.py", "x = 2\n");
    cases.case((runner, "commit -- path, the hazard elsewhere"), &repo, &[], &with(&["--", "b.py"]), Expected::Runs);
    repo.git(&["add", "a.py"]);
    repo.write("b.py", "x = 3\n");
    let elsewhere = (runner, "commit -- path, the hazard staged elsewhere");
    cases.case(elsewhere, &repo, &[], &with(&["--", "b.py"]), Expected::Runs);
    cases.case((runner, "commit -- path with the hazard"), &repo, &[], &with(&["--", "a.py"]), Expected::Fails(FOUND));
    reset(&repo);

    repo.git(&["rm", "-q", "b.py"]);
    cases.case((runner, "a commit that only deletes"), &repo, &[], &commit, Expected::Runs);
    repo.git(&["mv", "a.py", "c.py"]);
    cases.case((runner, "a rename"), &repo, &[], &commit, Expected::Runs);
    repo.git(&["mv", "c.py", "a.py"]);
    repo.write("a.py", UNSAFE);
    repo.git(&["add", "a.py"]);
    cases.case((runner, "a rename that brings a hazard"), &repo, &[], &commit, Expected::Fails(FOUND));
    reset(&repo);

    let empty = with(&["--allow-empty"]);
    let nothing = match runner {
        Runner::PreCommit | Runner::Prek => Expected::Runs,
        Runner::Lefthook => Expected::Says("no matching staged files"),
    };
    cases.case((runner, "nothing staged, an empty commit"), &repo, &[], &empty, nothing);
    repo.write("a.py", UNSAFE);
    repo.git(&["add", "a.py"]);
    let (variable, skipped) = match runner {
        Runner::PreCommit | Runner::Prek => ("SKIP", "Skipped"),
        Runner::Lefthook => ("LEFTHOOK_EXCLUDE", "(skip)"),
    };
    let what = format!("{variable}=tenth");
    cases.case((runner, &what), &repo, &[(variable, "tenth")], &commit, Expected::Says(skipped));
    reset(&repo);
}

/// What a person, or CI, starts by hand.
fn by_hand(cases: &mut Cases, runner: Runner) {
    let repo = repository_with(cases, runner);
    let name = runner.name();
    let first = repo.git(&["rev-parse", "HEAD"]);
    let all = [name, "run", "--all-files", "--verbose"];

    let cold = cases.case((runner, "run --all-files"), &repo, &[], &all, Expected::Says(NOTHING));
    let warm = cases.case((runner, "run --all-files once more"), &repo, &[], &all, Expected::Says(NOTHING));
    cases.time(runner, "run --all-files", (cold, warm));

    let ci = ("CI", "true");
    let refused = Expected::Fails("nothing here says which pull request");
    cases.case((runner, "run --all-files in CI that says nothing"), &repo, &[ci], &all, refused);
    let second = repo.commit_past_hooks(&[("a.py", UNSAFE)]);
    let merge_request = [
        ci,
        ("GITLAB_CI", "true"),
        ("CI_MERGE_REQUEST_IID", "1"),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", first.as_str()),
        ("CI_COMMIT_SHA", second.as_str()),
    ];
    let in_merge_request = (runner, "run --all-files in a merge request");
    cases.case(in_merge_request, &repo, &merge_request, &all, Expected::Fails(FOUND));

    let range = |from: &str, to: &str| ["run", "--from-ref", from, "--to-ref", to].map(str::to_owned).to_vec();
    let mut ranged = |what: &str, range: Vec<String>, variables: &[(&str, &str)], expected: Expected<'_>| {
        let command: Vec<&str> = std::iter::once(name).chain(range.iter().map(String::as_str)).collect();
        cases.case((runner, what), &repo, variables, &command, expected);
    };
    ranged("--from-ref, --to-ref", range(&first, &second), &[], Expected::Fails(FOUND));
    ranged("the same in CI", range(&first, &second), &[ci], Expected::Fails(FOUND));
    ranged("the same, skipped", range(&first, &second), &[("SKIP", "tenth")], Expected::Says("Skipped"));
    ranged("a range without a hazard", range(&second, &second), &[], Expected::Runs);
    // The runner leaves the work tree at another commit; what counts is the range.
    repo.git(&["checkout", "-q", &first]);
    ranged("a range that is not checked out", range(&first, &second), &[], Expected::Fails(FOUND));
    ranged("the way back", range(&second, &first), &[], Expected::Runs);
}

/// The project as a repository of hooks.
fn manifest(cases: &mut Cases, runner: Runner) {
    let file = ".pre-commit-hooks.yaml";
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let hooks = Repo::with(&[(file, &std::fs::read_to_string(project.join(file)).unwrap())]);
    let system = installed(cases, runner, &hooks.root, &hooks.git(&["rev-parse", "HEAD"]), "tenth-system");
    cases.time(runner, "a commit with `tenth-system`", system);
    if std::env::args().any(|argument| argument == "--build") {
        let commit = hooks.git(&["-C", &project.display().to_string(), "rev-parse", "HEAD"]);
        let built = installed(cases, runner, project, &commit, "tenth-src");
        cases.time(runner, "a commit with `tenth-src`", built);
    }
}

/// Commits a hazard under a hook of a repository of hooks; how long that took first, and once more.
fn installed(cases: &mut Cases, runner: Runner, from: &Path, commit: &str, id: &str) -> (Duration, Duration) {
    let repo = repository_with(cases, runner);
    let settings = format!("repos:\n  - repo: {}\n    rev: {commit}\n    hooks:\n      - id: {id}\n", from.display());
    repo.commit_past_hooks(&[(".pre-commit-config.yaml", &settings)]);
    repo.write("a.py", UNSAFE);
    repo.git(&["add", "a.py"]);
    let (what, command) = (format!("a hazard, with `{id}`"), ["git", "commit", "-q", "-m", "Change"]);
    let mut time = || cases.case((runner, &what), &repo, &[], &command, Expected::Fails(FOUND));
    (time(), time())
}

/// lefthook keeps what git says of a push to itself unless it is told otherwise.
fn push_without_input(cases: &mut Cases) {
    let repo = repository_with(cases, Runner::Lefthook);
    let (file, settings) = Runner::Lefthook.settings();
    repo.commit_past_hooks(&[("a.py", UNSAFE), (file, &settings.replace("      use_stdin: true\n", ""))]);
    let (what, push) = ("push without `use_stdin`", ["git", "push", "origin", "main"]);
    cases.case((Runner::Lefthook, what), &repo, &[], &push, Expected::Says("so nothing was reviewed"));
}

/// What git pushes under a runner's pre-push.
fn pushes(cases: &mut Cases, runner: Runner) {
    let repo = repository_with(cases, runner);
    repo.commit_past_hooks(&[("b.py", "x = 2\n")]);
    cases.case((runner, "push"), &repo, &[], &["git", "push", "-q", "origin", "main"], Expected::Runs);
    repo.commit_past_hooks(&[("a.py", UNSAFE)]);
    let found = || Expected::Fails(FOUND);
    cases.case((runner, "push of a hazard"), &repo, &[], &["git", "push", "origin", "main"], found());
    let new = ["git", "push", "origin", "main:refs/heads/new"];
    cases.case((runner, "push of a new branch with a hazard"), &repo, &[], &new, found());
    let whole = repo.home().join("empty.git").display().to_string();
    repo.git(&["init", "-q", "--bare", "-b", "main", &whole]);
    repo.git(&["remote", "add", "empty", &whole]);
    cases.case((runner, "push of the whole history"), &repo, &[], &["git", "push", "empty", "main"], found());
    let delete = ["git", "push", "-q", "origin", ":main"];
    repo.git(&[
        "-C",
        &repo.home().join("remote.git").display().to_string(),
        "config",
        "receive.denyDeleteCurrent",
        "ignore",
    ]);
    cases.case((runner, "push that deletes"), &repo, &[], &delete, Expected::Passes);
}

trait PastHooks {
    fn commit_past_hooks(&self, files: &[(&str, &str)]) -> String;
}

impl PastHooks for Repo {
    /// Commits without running the hooks.
    fn commit_past_hooks(&self, files: &[(&str, &str)]) -> String {
        for (path, content) in files {
            self.write(path, content);
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--no-verify", "-m", "Change something"]);
        self.git(&["rev-parse", "HEAD"])
    }
}
