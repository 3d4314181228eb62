//! Real repositories for the test programs, and runs of the command in them.
//!
//! Every repository is made with git itself, away from the machine's settings and with fixed names and dates.

// Every test program uses a part of this.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A program without a hazard.
pub(crate) const SAFE: &str = "import asyncio
import threading

lock = threading.Lock()


async def refresh():
    with lock:
        pass
    await asyncio.sleep(1)
";

/// The same with `lock-across-await`, an error.
pub(crate) const UNSAFE: &str = "import asyncio
import threading

lock = threading.Lock()


async def refresh():
    with lock:
        await asyncio.sleep(1)
";

/// A repository in a temporary folder, beside which nothing else lies.
pub(crate) struct Repo {
    pub(crate) temp: TempDir,
    pub(crate) root: PathBuf,
}

/// What one run of `tenth` gave.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    pub(crate) fn json(&self) -> Value {
        assert!(self.code < 2, "exit {}: {}", self.code, self.err);
        serde_json::from_str(&self.out).expect("the report is JSON")
    }

    /// The changed lines by path: removed ones as `-1`, added ones as `+1`.
    pub(crate) fn lines(&self) -> BTreeMap<String, Vec<String>> {
        let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for hunk in self.json()["hunks"].as_array().expect("hunks") {
            let path = hunk["path"].as_str().expect("path").to_owned();
            for (side, sign) in [("before", '-'), ("after", '+')] {
                let (start, count) = (number(&hunk[side]["start"]), number(&hunk[side]["count"]));
                lines.entry(path.clone()).or_default().extend((start..start + count).map(|at| format!("{sign}{at}")));
            }
        }
        lines
    }

    /// The changed lines of one path in one string.
    pub(crate) fn of(&self, path: &str) -> String {
        self.lines().get(path).map_or_else(String::new, |lines| lines.join(" "))
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.lines().into_keys().collect()
    }

    /// Why a path is not analysed; empty when no row says so.
    pub(crate) fn uncovered(&self, path: &str) -> String {
        let json = self.json();
        let rows = json["coverage"].as_array().expect("coverage").iter();
        rows.filter(|row| row["path"] == path).filter_map(|row| row["why"].as_str()).collect::<Vec<_>>().join("; ")
    }

    pub(crate) fn notice(&self, kind: &str) -> String {
        let json = self.json();
        let notices = json["notices"].as_array().expect("notices").iter();
        notices.filter(|notice| notice["kind"] == kind).filter_map(|notice| notice["text"].as_str()).collect()
    }

    /// Checks that the tool gave up, and that both its words and its mend are the expected ones.
    pub(crate) fn refuses(&self, cause: &str, mend: &str) {
        assert_eq!(self.code, 2, "{}{}", self.out, self.err);
        assert_eq!(self.out, "");
        assert!(self.err.starts_with("tenth: error: "), "{}", self.err);
        assert!(self.err.contains(cause), "no `{cause}` in: {}", self.err);
        assert!(self.err.contains("help: ") && self.err.contains(mend), "no `{mend}` in: {}", self.err);
    }
}

pub(crate) fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

/// A command that sees no settings of this machine.
pub(crate) fn isolated(program: &str, home: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let tells = ["GIT_", "GITHUB_", "GITLAB_", "CI_", "PRE_COMMIT"].iter().any(|start| text.starts_with(start));
        if tells || text == "CI" {
            command.env_remove(&name);
        }
    }
    command
        .current_dir(folder)
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "Ada")
        .env("GIT_AUTHOR_EMAIL", "ada@example.org")
        .env("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z")
        .env("GIT_COMMITTER_NAME", "Ada")
        .env("GIT_COMMITTER_EMAIL", "ada@example.org")
        .env("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("FORCE_COLOR")
        .stdin(Stdio::null());
    command
}

pub(crate) fn run_git(home: &Path, folder: &Path, arguments: &[&str]) -> String {
    let output = isolated("git", home, folder).args(arguments).output().expect("git runs");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

pub(crate) fn run_tenth(home: &Path, folder: &Path, arguments: &[&str]) -> Run {
    let mut command = isolated(env!("CARGO_BIN_EXE_tenth"), home, folder);
    let output = command.args(arguments).output().expect("tenth runs");
    Run {
        code: output.status.code().expect("an exit code"),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs `tenth` with a text on standard input.
pub(crate) fn feed_tenth(home: &Path, folder: &Path, arguments: &[&str], input: &[u8]) -> Run {
    feed(isolated(env!("CARGO_BIN_EXE_tenth"), home, folder).args(arguments), input)
}

/// Runs a command with a text on standard input.
pub(crate) fn feed(command: &mut Command, input: &[u8]) -> Run {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("tenth runs");
    // What refuses to work need not read its input.
    let _ = child.stdin.take().expect("an input").write_all(input);
    let output = child.wait_with_output().expect("tenth ends");
    Run {
        code: output.status.code().expect("an exit code"),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Repo {
    pub(crate) fn new() -> Self {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let root = temp.path().join("project");
        fs::create_dir(&root).expect("a folder");
        let repo = Self { temp, root };
        repo.git(&["init", "-q", "-b", "main"]);
        repo
    }

    /// A repository with one commit that holds these files.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let repo = Self::new();
        repo.commit(files);
        repo
    }

    pub(crate) fn home(&self) -> &Path {
        self.temp.path()
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        run_git(self.home(), &self.root, arguments)
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let place = self.root.join(path);
        fs::create_dir_all(place.parent().expect("a parent")).expect("a folder");
        fs::write(place, content).expect("written");
    }

    /// Writes files, stages everything and commits.
    pub(crate) fn commit(&self, files: &[(&str, &str)]) -> String {
        for (path, content) in files {
            self.write(path, content);
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "Change something"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Commits everything with a message and an author of its own.
    pub(crate) fn commit_as(&self, files: &[(&str, &str)], message: &str, name: &str, email: &str) -> String {
        for (path, content) in files {
            self.write(path, content);
        }
        self.git(&["add", "-A"]);
        let author = format!("{name} <{email}>");
        self.git(&["commit", "-q", "--allow-empty", "--author", &author, "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// The JSON report.
    pub(crate) fn tenth(&self, arguments: &[&str]) -> Run {
        self.tenth_in(".", arguments)
    }

    pub(crate) fn tenth_in(&self, folder: &str, arguments: &[&str]) -> Run {
        let arguments = [arguments, &["--format", "json", "--fail-on", "never"]].concat();
        run_tenth(self.home(), &self.root.join(folder), &arguments)
    }

    /// Installs a pre-commit hook that writes the report of `tenth` beside the repository.
    pub(crate) fn hook(&self) {
        let report = self.home().join("report.json");
        let script = format!(
            "#!/bin/sh\nexec {} --format json --fail-on never > {}\n",
            env!("CARGO_BIN_EXE_tenth"),
            report.display()
        );
        self.write(".git/hooks/pre-commit", script);
        make_executable(&self.root.join(".git/hooks/pre-commit"));
    }

    pub(crate) fn hook_run(&self) -> Run {
        let out = fs::read_to_string(self.home().join("report.json")).expect("the hook ran");
        Run { code: 0, out, err: String::new() }
    }

    pub(crate) fn clone_as(&self, name: &str, arguments: &[&str]) -> Self {
        let url = format!("file://{}", self.root.display());
        run_git(self.home(), self.home(), &[&["clone", "-q"], arguments, &[&url, name]].concat());
        let temp = tempfile::tempdir().expect("a temporary folder");
        let root = temp.path().join(name);
        fs::rename(self.home().join(name), &root).expect("moved");
        Self { temp, root }
    }
}

#[cfg(unix)]
pub(crate) fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("made executable");
}
