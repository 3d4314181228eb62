//! Settings, suppressions and the baseline in real repositories: whose word counts, and what is said of it.

// A test that cannot go on says so.
#![allow(clippy::unwrap_used)]

mod repository;

use repository::{Repo, Run, feed, isolated, run_tenth};
use serde_json::Value;

const CALM: &str = "import time\n\n\nasync def f():\n    return 1\n";
const SLEEPY: &str = "import time\n\n\nasync def f():\n    time.sleep(1)\n    return 1\n";

/// `tenth` with the gate as it is.
fn plain(repo: &Repo, arguments: &[&str]) -> Run {
    run_tenth(repo.home(), &repo.root, &[arguments, &["--format", "json"]].concat())
}

/// Rule, status and gate of the findings.
fn findings(run: &Run) -> Vec<(String, String, bool)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let json = run.json();
    let found = json["findings"].as_array().unwrap().iter();
    found.map(|one| (text(&one["rule"]), text(&one["status"]), one["gating"].as_bool().unwrap())).collect()
}

fn open(gating: bool) -> Vec<(String, String, bool)> {
    vec![("blocking-in-async".to_owned(), "open".to_owned(), gating)]
}

fn hidden(run: &Run, by: &str) -> u64 {
    run.json()["summary"]["hidden"][by].as_u64().unwrap()
}

// ---------------------------------------------------------------------------------- what a change may not do for itself

#[test]
fn a_change_does_not_loosen_its_own_gate() {
    let repo = Repo::with(&[("app.py", CALM)]);
    repo.commit(&[("app.py", SLEEPY), ("tenth.toml", "fail-on = \"never\"\n")]);
    let run = plain(&repo, &["HEAD~1..HEAD"]);
    assert_eq!((run.code, findings(&run)), (1, open(true)));
    let said = run.notice("settings-changed");
    assert!(said.contains("`fail-on`") && said.contains("does not count for the change itself"), "{said}");
    // From the next change on it counts.
    repo.commit(&[("app.py", &SLEEPY.replace("return 1", "time.sleep(2)"))]);
    assert_eq!(plain(&repo, &["HEAD~1..HEAD"]).code, 0);
}

#[test]
fn a_change_does_not_turn_its_own_rule_off() {
    let repo = Repo::with(&[("app.py", CALM), ("pyproject.toml", "[tool.tenth]\nfail-on = \"error\"\n")]);
    let off = "[tool.tenth]\nfail-on = \"error\"\n[tool.tenth.rules.blocking-in-async]\nseverity = \"off\"\n\
               [tool.tenth.per-path.\"*.py\"]\nignore = [\"blocking-in-async\"]\n";
    repo.commit(&[("app.py", SLEEPY), ("pyproject.toml", off)]);
    let run = plain(&repo, &["HEAD~1..HEAD"]);
    assert_eq!((run.code, findings(&run)), (1, open(true)));
    let said = run.notice("settings-changed");
    assert!(said.contains("`rules.blocking-in-async.severity`") && said.contains("`per-path"), "{said}");
}

#[test]
fn a_change_does_not_exclude_its_own_path() {
    let repo = Repo::with(&[("app.py", CALM)]);
    repo.commit(&[("app.py", SLEEPY), (".tenth.toml", "exclude = [\"app.py\"]\n")]);
    let run = plain(&repo, &["HEAD~1..HEAD"]);
    assert_eq!((run.code, findings(&run)), (1, open(true)));
    assert!(run.notice("settings-changed").contains("`exclude`"));
}

#[test]
fn a_change_does_not_extend_the_baseline_for_itself() {
    let repo = Repo::with(&[("app.py", CALM)]);
    repo.write("app.py", SLEEPY);
    assert_eq!(run_tenth(repo.home(), &repo.root, &["baseline", "write"]).code, 0);
    repo.commit(&[]);
    let run = plain(&repo, &["HEAD~1..HEAD"]);
    assert_eq!((run.code, findings(&run)), (1, open(true)));
    let said = run.notice("baseline-changed");
    assert!(said.contains("adds 1") && said.contains("does not count for the change itself"), "{said}");
}

#[test]
fn a_suppression_that_a_change_adds_is_listed_and_gates_a_pull_request() {
    let repo = Repo::with(&[("app.py", CALM)]);
    let silenced = SLEEPY.replace("sleep(1)", "sleep(1)  # tenth: ignore[blocking-in-async] -- it is short");
    repo.commit(&[("app.py", &silenced)]);
    let accepted = |gating| vec![("blocking-in-async".to_owned(), "accepted".to_owned(), gating)];
    let run = plain(&repo, &["HEAD~1..HEAD"]);
    assert_eq!((run.code, findings(&run)), (0, accepted(false)));
    assert!(run.notice("suppression-added").contains("it is short"));
    assert_eq!(run.json()["summary"]["errors"], 0);

    let (base, head) = (repo.git(&["rev-parse", "HEAD~1"]), repo.git(&["rev-parse", "HEAD"]));
    let pull_request = as_pull_request(&repo, &base, &head);
    assert_eq!((pull_request.code, findings(&pull_request)), (1, accepted(true)));
    for format in ["terminal", "markdown", "github"] {
        let text = as_pull_request_in(format, &repo, &base, &head).out;
        assert!(text.contains("1 accepted error gates") && !text.contains("no findings"), "{text}");
    }
    assert_eq!(pull_request.json()["summary"]["verdict"], "findings");

    // Where the settings before the change allow it, it opens the gate.
    repo.git(&["reset", "-q", "--hard", &base]);
    let base = repo.commit(&[("tenth.toml", "[suppressions]\naccept-new = true\n")]);
    let head = repo.commit(&[("app.py", &silenced)]);
    let pull_request = as_pull_request(&repo, &base, &head);
    assert_eq!((pull_request.code, findings(&pull_request)), (0, accepted(false)));
}

/// The review of a pull request, as a run of CI asks for it.
fn as_pull_request(repo: &Repo, base: &str, head: &str) -> Run {
    as_pull_request_in("json", repo, base, head)
}

fn as_pull_request_in(format: &str, repo: &Repo, base: &str, head: &str) -> Run {
    let event = repo.home().join("event.json");
    let sides = format!(r#"{{"number": 1, "base": {{"sha": "{base}"}}, "head": {{"sha": "{head}"}}}}"#);
    std::fs::write(&event, format!(r#"{{"number": 1, "pull_request": {sides}}}"#)).unwrap();
    let mut command = isolated(env!("CARGO_BIN_EXE_tenth"), repo.home(), &repo.root);
    command.args(["--pr", "--format", format]);
    let variables = [("GITHUB_EVENT_PATH", event.display().to_string()), ("GITHUB_ACTIONS", "true".to_owned())];
    feed(command.envs(variables).env("GITHUB_EVENT_NAME", "pull_request"), b"")
}

// ------------------------------------------------------------------------------------------------------- suppressions

#[test]
fn a_suppression_that_stood_before_hides_and_is_counted() {
    let silenced = SLEEPY.replace("    time", "    # tenth: ignore[blocking-in-async] -- it is short\n    time");
    let repo = Repo::with(&[("app.py", &silenced)]);
    repo.commit(&[("app.py", &silenced.replace("sleep(1)", "sleep(1 + 1)"))]);
    let run = plain(&repo, &["HEAD~1..HEAD"]);
    assert_eq!((findings(&run), hidden(&run, "suppression")), (Vec::new(), 1));
    let shown = plain(&repo, &["HEAD~1..HEAD", "--show-hidden"]);
    assert_eq!(findings(&shown), [("blocking-in-async".to_owned(), "accepted".to_owned(), false)]);
    assert_eq!(hidden(&shown, "suppression"), 1);
}

#[test]
fn suppressions_speak_of_a_line_a_statement_an_item_or_the_file() {
    let code = "import time\n\n\n\
                # tenth: ignore[blocking-in-async] -- the whole of it\n\
                async def one():\n    x = 1\n    time.sleep(x)\n\n\n\
                async def two():  # tenth: ignore[blocking-in-async] -- by its header\n    x = 1\n    time.sleep(x)\n\n\n\
                async def three():\n    # tenth: ignore[blocking-in-async] -- the statement, over its lines\n    \
                print(\n        time.sleep(1),\n    )\n    time.sleep(3)\n";
    let repo = Repo::with(&[("readme.md", "x\n")]);
    repo.write("app.py", code);
    let run = plain(&repo, &["check", "app.py"]);
    let lines: Vec<u64> =
        run.json()["findings"].as_array().unwrap().iter().map(|one| one["start"]["line"].as_u64().unwrap()).collect();
    assert_eq!((lines, hidden(&run, "suppression")), (vec![20], 3));
    let whole = format!("# tenth: file-ignore[blocking-in-async] -- a script\n{SLEEPY}");
    repo.write("app.py", whole);
    let run = plain(&repo, &["check", "app.py"]);
    assert_eq!((run.code, hidden(&run, "suppression")), (0, 1));
}

#[test]
fn rust_suppressions_speak_of_statements_and_items() {
    let code = "pub async fn one() {\n    // tenth: ignore[blocking-in-async] -- short\n    \
                std::thread::sleep(\n        std::time::Duration::from_secs(1),\n    );\n    \
                std::thread::sleep(std::time::Duration::from_secs(2));\n}\n\n\
                /// Sleeps.\n// tenth: ignore[blocking-in-async] -- all of it\n\
                pub async fn two() {\n    std::thread::sleep(std::time::Duration::from_secs(3));\n}\n";
    let repo = Repo::with(&[("readme.md", "x\n")]);
    repo.write("app.rs", code);
    let run = plain(&repo, &["check", "app.rs"]);
    let lines: Vec<u64> =
        run.json()["findings"].as_array().unwrap().iter().map(|one| one["start"]["line"].as_u64().unwrap()).collect();
    assert_eq!((lines, hidden(&run, "suppression")), (vec![6], 2));
}

#[test]
fn faulty_suppressions_are_told() {
    let code = SLEEPY.replace(
        "    return 1",
        "    a = 1  # tenth: ignore[lock-reentry] -- nothing here\n    b = 2  # tenth: ignore[blocking-in-asink] -- typo\n    \
         c = 3  # tenth: ignore -- everything\n    return a + b + c",
    );
    let code = code.replace("sleep(1)", "sleep(1)  # tenth: ignore[blocking-in-async]");
    let repo = Repo::with(&[("app.py", CALM)]);
    repo.commit(&[("app.py", &code)]);
    let run = plain(&repo, &["HEAD~1..HEAD"]);
    assert!(run.notice("suppression-unused").contains("`lock-reentry`"));
    assert!(run.notice("suppression-unknown").contains("`blocking-in-async`"));
    assert!(run.notice("suppression-malformed").contains("names no rule"));
    assert!(run.notice("suppression-without-reason").contains("-- REASON"));
    assert_eq!(run.code, 0);
    let strict = plain(&repo, &["HEAD~1..HEAD", "--strict"]);
    assert_eq!(strict.code, 1);
    assert!(strict.err.contains("tenth: strict: app.py:"), "{}", strict.err);
    let text = run_tenth(repo.home(), &repo.root, &["HEAD~1..HEAD"]).out;
    assert!(text.contains("Settings and suppressions") && text.contains("Accepted"), "{text}");
}

#[test]
fn what_a_change_tells_other_linters_is_told() {
    let repo = Repo::with(&[("app.py", CALM), ("lib.rs", "fn f() {}\n")]);
    repo.commit(&[
        ("app.py", &CALM.replace("return 1", "return 1  # noqa: E501, RUF006")),
        ("lib.rs", "#[allow(clippy::await_holding_lock)]\nfn f() {}\n#[allow(dead_code)]\nfn g() {}\n"),
    ]);
    let run = plain(&repo, &["HEAD~1..HEAD"]);
    let said = run.notice("foreign-suppression");
    assert!(said.contains("`RUF006`") && said.contains("`clippy::await_holding_lock`"), "{said}");
    assert!(!said.contains("E501") && !said.contains("dead_code"), "{said}");
}

#[test]
fn a_suppression_that_the_change_leaves_without_a_finding_is_told() {
    let silenced = SLEEPY.replace("    time", "    # tenth: ignore[blocking-in-async] -- it is short\n    time");
    let repo = Repo::with(&[("app.py", &silenced)]);
    repo.commit(&[("app.py", &silenced.replace("time.sleep(1)", "print(1)"))]);
    let run = plain(&repo, &["HEAD~1..HEAD"]);
    assert!(run.notice("suppression-unused").contains("since the change"), "{}", run.out);
    // What nobody touched is nobody's news.
    repo.commit(&[("app.py", &silenced.replace("time.sleep(1)", "print(1)").replace("return 1", "return 2"))]);
    assert_eq!(plain(&repo, &["HEAD~1..HEAD"]).notice("suppression-unused"), "");
}

// ----------------------------------------------------------------------------------------------------------- baseline

#[test]
fn a_baseline_hides_what_it_names_and_no_more() {
    let repo = Repo::with(&[("app.py", SLEEPY)]);
    assert_eq!(run_tenth(repo.home(), &repo.root, &["baseline", "write"]).code, 0);
    let shown = run_tenth(repo.home(), &repo.root, &["baseline", "show"]);
    assert!(shown.out.contains("blocking-in-async app.py f"), "{}", shown.out);
    let run = plain(&repo, &["check", "."]);
    assert_eq!((run.code, findings(&run), hidden(&run, "baseline")), (0, Vec::new(), 1));
    assert_eq!(plain(&repo, &["check", ".", "--isolated"]).code, 1);
    // A second one of the kind is new, wherever it stands.
    repo.commit(&[]);
    repo.commit(&[("app.py", &SLEEPY.replace("    time", "    time.sleep(1)\n    time"))]);
    let run = plain(&repo, &["HEAD~1..HEAD"]);
    assert_eq!((run.code, findings(&run)), (1, open(true)));
}

// --------------------------------------------------------------------------------------------------- keys and flags

#[test]
fn a_baseline_names_what_no_comment_hides() {
    let one = "time.sleep(1)  # tenth: ignore[blocking-in-async] -- it is short\n    ";
    let repo = Repo::with(&[("app.py", &SLEEPY.replace("time.sleep(1)", &format!("{one}time.sleep(1)")))]);
    assert_eq!(run_tenth(repo.home(), &repo.root, &["baseline", "write"]).code, 0);
    let run = plain(&repo, &["check", "."]);
    assert_eq!((run.code, findings(&run)), (0, Vec::new()));
    assert_eq!((hidden(&run, "suppression"), hidden(&run, "baseline")), (1, 1));
    // Neither does it hide more than it names, nor do two that are listed have one name.
    repo.write("app.py", SLEEPY.replace("time.sleep(1)", &format!("{one}time.sleep(1)\n    time.sleep(1)")));
    let run = plain(&repo, &["check", ".", "--show-hidden"]);
    let json = run.json();
    let ids: std::collections::BTreeSet<&str> =
        json["findings"].as_array().unwrap().iter().filter_map(|one| one["id"].as_str()).collect();
    assert_eq!((run.code, ids.len(), hidden(&run, "baseline")), (1, 3, 1));
}

#[test]
fn what_is_staged_goes_by_the_settings_beside_it() {
    let repo = Repo::with(&[("app.py", CALM)]);
    repo.write("app.py", SLEEPY);
    repo.write("tenth.toml", "fail-on = \"never\"\n");
    repo.git(&["add", "-A"]);
    let run = plain(&repo, &["--staged"]);
    assert_eq!(run.code, 0);
    assert!(!run.notice("settings-changed").contains("does not count"));
}

#[test]
fn levels_paths_and_exclusions_hold() {
    let repo = Repo::with(&[("app.py", CALM), ("tests/a.py", CALM), ("gen/a.py", CALM)]);
    repo.commit(&[(
        "tenth.toml",
        "fail-on = \"warning\"\nexclude = [\"gen\"]\n[rules.blocking-in-async]\nseverity = \"warning\"\n\
         [per-path.\"tests/**\"]\nignore = [\"blocking-in-async\"]\n",
    )]);
    repo.commit(&[("app.py", SLEEPY), ("tests/a.py", SLEEPY), ("gen/a.py", SLEEPY)]);
    let run = plain(&repo, &["HEAD~1..HEAD"]);
    assert_eq!((run.code, findings(&run)), (1, open(true)));
    assert_eq!(run.json()["findings"][0]["severity"], "warning");
    assert_eq!(run.json()["findings"][0]["path"], "app.py");
    assert!(run.notice("files-left-out").contains("a changed file"));
    assert_eq!(plain(&repo, &["HEAD~1..HEAD", "--fail-on", "error"]).code, 0);
    assert_eq!(findings(&plain(&repo, &["HEAD~1..HEAD", "--isolated"])).len(), 3);
}

#[test]
fn settings_that_make_no_sense_are_refused_with_their_place() {
    let repo = Repo::with(&[("app.py", CALM)]);
    repo.write("tenth.toml", "# settings\nfail_on = \"error\"\n");
    for arguments in [&["check", "app.py"][..], &["config", "show"]] {
        let run = run_tenth(repo.home(), &repo.root, arguments);
        run.refuses("tenth.toml:2:1: unknown key `fail_on`", "did you mean `fail-on`?");
        assert!(run.err.contains("    2 | fail_on"), "{}", run.err);
    }
    run_tenth(repo.home(), &repo.root, &["check", "app.py", "--isolated", "--select", "lock-reentri"])
        .refuses("`lock-reentri`", "did you mean `lock-reentry`?");
}

#[test]
fn the_nearest_settings_count_and_one_file_of_a_folder() {
    let repo = Repo::with(&[("app.py", SLEEPY), ("sub/app.py", SLEEPY)]);
    repo.write("tenth.toml", "fail-on = \"never\"\n");
    assert_eq!(run_tenth(repo.home(), &repo.root.join("sub"), &["check", "."]).code, 0);
    repo.write("sub/Cargo.toml", "[package]\nname = \"a\"\n[package.metadata.tenth]\nfail-on = \"error\"\n");
    assert_eq!(run_tenth(repo.home(), &repo.root.join("sub"), &["check", "."]).code, 1);
    repo.write(".tenth.toml", "fail-on = \"error\"\n");
    let run = plain(&repo, &["check", "app.py"]);
    assert_eq!(run.code, 0);
    assert!(run.notice("settings-beside").contains("`.tenth.toml`"));
    let shown = run_tenth(repo.home(), &repo.root.join("sub"), &["config", "show"]);
    assert!(shown.out.starts_with("# Cargo.toml\nfail-on = \"error\"\n"), "{}", shown.out);
}

#[test]
fn flags_choose_what_is_listed_and_what_fails() {
    let two = SLEEPY.replace("    return 1", "    time.sleep(2)\n    return 1");
    let repo = Repo::with(&[("app.py", CALM)]);
    repo.commit(&[("app.py", &two)]);
    let run = |flags: &[&str]| plain(&repo, &[&["HEAD~1..HEAD"], flags].concat());
    let all = findings(&run(&[])).len();
    assert!(all >= 1);
    assert_eq!((findings(&run(&["--ignore", "blocking"])).len(), run(&["--ignore", "blocking"]).code), (0, 0));
    assert_eq!(findings(&run(&["--select", "blocking-in-async,locks"])).len(), all);
    assert_eq!(findings(&run(&["--select", "locks"])).len(), 0);
    assert_eq!(findings(&run(&["--max-findings", "1"])).len(), 1);
    assert_eq!(run(&["--exit-zero"]).code, 0);
    for scope in ["line", "hunk", "function", "file", "reach", "all"] {
        assert_eq!(findings(&run(&["--scope", scope])).len(), all, "{scope}");
    }
}

#[test]
fn a_narrow_scope_leaves_out_what_stands_elsewhere() {
    let caller = "from low import slow\n\n\nasync def f():\n    slow()\n";
    let repo = Repo::with(&[("low.py", "import time\n\n\ndef slow():\n    return 1\n"), ("top.py", caller)]);
    repo.commit(&[("low.py", "import time\n\n\ndef slow():\n    time.sleep(1)\n")]);
    let reach = plain(&repo, &["HEAD~1..HEAD"]);
    assert_eq!(reach.json()["findings"][0]["path"], "top.py");
    let file = plain(&repo, &["HEAD~1..HEAD", "--scope", "file"]);
    assert_eq!((findings(&file).len(), hidden(&file, "scope")), (0, 1));
}

#[test]
fn the_projects_own_names_mean_what_its_settings_say() {
    let code = "from shop.billing import charge\nfrom shop.locks import Lease\nimport asyncio\n\n\n\
                async def pay():\n    charge(1)\n\n\n\
                async def hold(lease: Lease):\n    with lease:\n        await asyncio.sleep(1)\n";
    let files = [
        ("shop/__init__.py", ""),
        ("shop/billing.py", "def charge(x):\n    return _native(x)\n"),
        (
            "shop/locks.py",
            "class Lease:\n    def __enter__(self):\n        pass\n\n    def __exit__(self, *a):\n        pass\n",
        ),
        ("shop/app.py", "x = 1\n"),
    ];
    let repo = Repo::with(&files);
    let known = "[python.blocking]\n\"shop.billing.charge\" = { kind = \"network\", instead = \"charge_async\" }\n\
                 [python.locks]\n\"shop.locks.Lease\" = { flavour = \"blocking\", context = \"with\" }\n";
    repo.commit(&[("shop/app.py", code)]);
    assert_eq!(findings(&plain(&repo, &["HEAD~1..HEAD"])), []);
    // What a change adds to what is known counts at once.
    repo.git(&["reset", "-q", "--soft", "HEAD~1"]);
    repo.commit(&[("tenth.toml", known)]);
    let rules: Vec<String> = findings(&plain(&repo, &["HEAD~1..HEAD"])).into_iter().map(|(rule, ..)| rule).collect();
    assert_eq!(rules, ["blocking-in-async", "lock-across-await"]);
    // What it takes back does not.
    repo.commit(&[("shop/app.py", &format!("{code}\n\nasync def again():\n    charge(2)\n")), ("tenth.toml", "")]);
    assert_eq!(plain(&repo, &["HEAD~1..HEAD"]).code, 1);
}

#[test]
fn the_schema_fits_the_settings_and_the_template_is_read() {
    let repo = Repo::with(&[("app.py", CALM)]);
    let schema = run_tenth(repo.home(), &repo.root, &["config", "schema"]);
    let schema: Value = serde_json::from_str(&schema.out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let text = "fail-on = \"note\"\n[rules.lock-reentry]\nseverity = \"off\"\n[budget]\nlines = 400\n[risk]\nlock-added = 10\n";
    let good: toml::Table = toml::from_str(text).unwrap();
    assert!(validator.is_valid(&serde_json::to_value(good).unwrap()));
    let bad: toml::Table = toml::from_str("[rules.lock-reentri]\nseverity = \"off\"\n").unwrap();
    assert!(!validator.is_valid(&serde_json::to_value(bad).unwrap()));
    assert_eq!(run_tenth(repo.home(), &repo.root, &["config", "init"]).code, 0);
    // Without its comment signs every example is a setting.
    let template = std::fs::read_to_string(repo.root.join("tenth.toml")).unwrap();
    let keys = template.lines().map(|line| match line.strip_prefix("# ") {
        Some(key) if key.contains(" = ") || key.starts_with('[') => key,
        Some(_) | None => "",
    });
    let settings: String = keys.map(|line| format!("{line}\n")).collect();
    repo.write("tenth.toml", &settings);
    let shown = run_tenth(repo.home(), &repo.root, &["config", "show"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(shown.out.contains("per-path.\"tests/**\"") && shown.out.contains("shop.billing.charge"), "{}", shown.out);
    run_tenth(repo.home(), &repo.root, &["config", "init"]).refuses("settings here already", "`tenth config show`");
}

#[test]
fn patterns_of_checkpoints_and_weights_of_risk_come_from_the_settings() {
    let settings = "checkpoints = [\"wip:*\"]\n[risk]\nchanged-code = 77\n";
    let repo = Repo::with(&[("app.py", CALM), ("tenth.toml", settings)]);
    let checkpoint = repo.commit_as(&[("app.py", &CALM.replace('1', "2"))], "wip: a start", "Ada", "ada@example.org");
    repo.write("app.py", CALM.replace('1', "3"));
    let run = plain(&repo, &["--since-checkpoint"]);
    assert_eq!(run.json()["change"]["before"], checkpoint);
    let risk = run.json()["hunks"][0]["risk"].as_u64().unwrap();
    assert!(risk >= 77, "{risk}");
    assert!(run_tenth(repo.home(), &repo.root, &["checkpoints"]).out.contains("wip: a start"));
}

#[test]
fn a_patch_goes_by_the_settings_that_it_is_put_on() {
    let repo = Repo::with(&[("app.py", CALM), ("tenth.toml", "exclude = [\"app.py\"]\n")]);
    repo.commit(&[("app.py", SLEEPY)]);
    let patch = repo.git(&["diff", "HEAD~1..HEAD"]);
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    let place = repo.home().join("change.diff");
    std::fs::write(&place, format!("{patch}\n")).unwrap();
    let patch = place.display().to_string();
    assert_eq!(findings(&plain(&repo, &["--patch", &patch])), []);
    assert_eq!(findings(&plain(&repo, &["--patch", &patch, "--isolated"])), open(true));
}

#[test]
fn broken_settings_before_the_change_do_not_keep_it_from_mending_them() {
    let repo = Repo::with(&[("app.py", CALM), ("tenth.toml", "fail_on = 1\n")]);
    repo.commit(&[("app.py", SLEEPY), ("tenth.toml", "fail-on = \"never\"\n")]);
    let run = plain(&repo, &["HEAD~1..HEAD"]);
    assert_eq!(run.code, 1);
    assert!(run.notice("settings-not-understood").contains("tenth.toml:1:1"));
    repo.commit(&[("tenth.toml", "fail_on = 1\n")]);
    run_tenth(repo.home(), &repo.root, &["HEAD~1..HEAD"]).refuses("tenth.toml:1:1: unknown key", "`fail-on`");
}
