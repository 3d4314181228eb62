//! The order of the house: floors, documents, fixtures, snapshots, and what must not stand in the source.

// A test that cannot go on says so.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use tenth::rules;
use tenth::text::Language;

/// Which floor a module stands on, and what it may not see although that stands lower. A module sees itself and the
/// floors below its own, never its neighbours.
const FLOORS: &[(&str, u32, &[&str])] = &[
    ("main", 10, &[]),
    ("settings", 10, &[]),
    ("cli", 9, &[]),
    ("lib", 8, &[]),
    ("brief", 8, &[]),
    ("callers", 8, &[]),
    ("chain", 8, &[]),
    ("config", 7, &[]),
    ("gather", 8, &[]),
    ("inspect", 8, &[]),
    ("prose", 8, &[]),
    ("sides", 8, &[]),
    ("suppressions", 8, &[]),
    ("report", 7, &["analysis", "catalogue", "change", "flow", "lower", "syntax"]),
    ("review", 6, &["analysis", "flow", "lower", "syntax"]),
    ("demo", 3, &[]),
    ("install", 3, &[]),
    ("request", 3, &[]),
    ("load", 5, &["catalogue", "syntax"]),
    ("rules", 5, &["change", "lower", "syntax"]),
    ("analysis", 4, &["change", "syntax"]),
    ("lower", 3, &["catalogue", "change"]),
    ("change", 2, &[]),
    ("syntax", 2, &[]),
    ("catalogue", 1, &[]),
    ("flow", 1, &[]),
    ("verdict", 1, &[]),
    ("directive", 0, &[]),
    ("error", 0, &[]),
    ("text", 0, &[]),
];

/// Modules that may see a neighbour or a floor above, with the one they see and why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("analysis", "lower", "editions: where a temporary ends is decided when a package is known"),
    ("verdict", "catalogue", "the stake: how long the worst case lasts is graded in the catalogue, once"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.into_iter().flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

fn relative(path: &Path) -> String {
    let parts = path.strip_prefix(root()).unwrap().components();
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The Rust files of the crate by path from the project's folder.
fn sources() -> Vec<(String, String)> {
    let rust = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "rs");
    walk(&root().join("src")).iter().filter(|path| rust(path)).map(|path| (relative(path), read(path))).collect()
}

/// The lines of a file that are neither comments nor tests, with their numbers.
fn code<'a>(path: &str, text: &'a str) -> Vec<(usize, &'a str)> {
    if path.ends_with("tests.rs") || path.contains("/tests/") {
        return Vec::new();
    }
    let lines: Vec<&str> = text.lines().collect();
    // Test modules stand at the end of their file; declarations of test files (`mod tests;`) may stand anywhere.
    let tests = lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].ends_with('{'));
    let code = (1..).zip(&lines[..tests.unwrap_or(lines.len())]);
    code.map(|(number, line)| (number, line.split("//").next().unwrap_or(""))).collect()
}

/// The module at the top of the crate that a file belongs to.
fn module(path: &str) -> &str {
    let inner = path.strip_prefix("src/").unwrap();
    inner.split('/').next().unwrap().trim_end_matches(".rs")
}

fn floor(module: &str) -> Option<(u32, &'static [&'static str])> {
    FLOORS.iter().find(|(name, ..)| *name == module).map(|&(_, floor, hidden)| (floor, hidden))
}

/// The modules of the crate that a line names.
fn named(line: &str) -> impl Iterator<Item = &str> {
    ["crate::", "tenth::"].into_iter().flat_map(move |start| {
        line.match_indices(start).flat_map(move |(at, _)| {
            let rest = &line[at + start.len()..];
            // `use crate::{a::A, b};` names several at once.
            let list = rest.strip_prefix('{').map_or(rest, |list| list.split('}').next().unwrap_or(list));
            let parts = if rest.starts_with('{') { list.split(',').collect() } else { vec![list] };
            parts.into_iter().map(|part| {
                let part = part.trim_start();
                &part[..part.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(part.len())]
            })
        })
    })
}

#[test]
fn modules_import_downward_only() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let own = module(&path);
        let Some((height, hidden)) = floor(own) else {
            wrong.push(format!("{path}: module `{own}` has no floor"));
            continue;
        };
        for (number, line) in code(&path, &text) {
            for seen in named(line) {
                let Some((theirs, _)) = floor(seen) else { continue };
                let excepted = EXCEPTIONS.iter().any(|&(from, to, _)| from == own && to == seen);
                if seen != own && !excepted && (theirs >= height || hidden.contains(&seen)) {
                    wrong.push(format!("{path}:{number}: `{own}` sees `{seen}`"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_source_file_says_what_it_is_for() {
    // `tests.rs` tests the module that it lies in, and that says it.
    let mute: Vec<String> = sources()
        .into_iter()
        .filter(|(path, text)| !text.starts_with("//! ") && !path.ends_with("/tests.rs"))
        .map(|(path, _)| path)
        .collect();
    assert!(mute.is_empty(), "these do not begin with `//!`: {mute:?}");
}

#[test]
fn every_rule_has_a_document_a_file_and_fixtures() {
    let names: Vec<&str> = rules::all().iter().map(|rule| rule.name).collect();
    let stem = |path: &PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    let mut documents: Vec<String> = std::fs::read_dir(root().join("rules"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .map(|path| stem(&path))
        .filter(|name| name != "README")
        .collect();
    documents.sort();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(documents, sorted, "documents and the list in `src/rules/mod.rs` differ");

    let cases: Vec<PathBuf> =
        std::fs::read_dir(root().join("fixtures/rules")).unwrap().map(|e| e.unwrap().path()).collect();
    for folder in &cases {
        assert!(names.contains(&stem(folder).as_str()), "{} belongs to no rule", relative(folder));
    }
    for name in names {
        let file = root().join(format!("src/rules/{}.rs", name.replace('-', "_")));
        let is_there = file.exists() || file.with_extension("").join("mod.rs").exists();
        assert!(is_there, "`{name}` has no {}", relative(&file));
        let used = format!("mod {};", name.replace('-', "_"));
        assert!(read(&root().join("src/rules/mod.rs")).contains(&used), "`{name}`: `{used}` is missing");
    }
}

#[test]
fn every_rule_has_a_near_miss_beside_its_hits_in_each_language() {
    for rule in rules::all() {
        let folder = root().join("fixtures/rules").join(rule.name);
        for &language in &rule.languages {
            let (mut hits, mut functions) = (0, 0);
            for path in walk(&folder) {
                if Language::of_path(&relative(&path)) != Some(language) {
                    continue;
                }
                for line in read(&path).lines() {
                    hits += usize::from(line.contains("expect") && line.contains(rule.name));
                    let starts = ["def ", "async def ", "fn ", "pub fn ", "pub async fn ", "async fn "];
                    functions += usize::from(starts.iter().any(|start| line.trim_start().starts_with(start)));
                }
            }
            assert!(hits > 0, "`{}` has no hit in {language:?}", rule.name);
            assert!(functions > hits, "`{}` has no near miss in {language:?}", rule.name);
        }
    }
}

#[test]
fn the_list_in_the_readme_of_the_rules_is_the_list() {
    let readme = read(&root().join("rules/README.md"));
    let written: Vec<&str> = readme.lines().filter(|line| line.starts_with("| [`")).collect();
    let language = |language: &Language| match language {
        Language::Python => "Python",
        Language::Rust => "Rust",
    };
    let lower = |value: &dyn std::fmt::Debug| format!("{value:?}").to_lowercase();
    let derived: Vec<String> = rules::all()
        .iter()
        .map(|rule| {
            format!(
                "| [`{0}`]({0}.md) | {1} | {2} | {3} | {4} | {5} |",
                rule.name,
                rule.family.name(),
                lower(&rule.severity),
                lower(&rule.status),
                rule.languages.iter().map(language).collect::<Vec<_>>().join(", "),
                rule.summary,
            )
        })
        .collect();
    assert_eq!(written, derived);
}

/// Names of libraries, which belong into `rules/catalogue`.
const LIBRARIES: &[&str] = &[
    "aiohttp",
    "anyio",
    "async_std",
    "asyncio",
    "crossbeam",
    "dashmap",
    "django",
    "fastapi",
    "futures",
    "httpx",
    "once_cell",
    "parking_lot",
    "psycopg",
    "redis",
    "reqwest",
    "requests",
    "smol",
    "sqlalchemy",
    "sqlite3",
    "starlette",
    "subprocess",
    "threading",
    "tokio",
    "tracing",
    "trio",
];

#[test]
fn no_library_is_named_in_the_analysis() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if !["analysis", "lower", "rules"].contains(&module(&path)) {
            continue;
        }
        for (number, line) in code(&path, &text) {
            // A path (`tokio::`) or the start of a text (`"asyncio.Lock"`); `futures` alone may be a variable.
            for library in LIBRARIES {
                if line.contains(&format!("\"{library}")) || line.contains(&format!("{library}::")) {
                    wrong.push(format!("{path}:{number}: `{library}` belongs into `rules/catalogue`"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_snapshot_is_left_over() {
    let mut wrong = Vec::new();
    for folder in ["src", "tests"] {
        for path in walk(&root().join(folder)) {
            let shown = relative(&path);
            if shown.ends_with(".snap.new") {
                wrong.push(format!("{shown} waits for a decision"));
            }
            if !shown.ends_with(".snap") {
                continue;
            }
            let text = read(&path);
            for key in ["source: ", "input_file: "] {
                let Some(named) = text.lines().find_map(|line| line.strip_prefix(key)) else { continue };
                if !root().join(named.trim_matches('"')).exists() {
                    wrong.push(format!("{shown} is of `{named}`, which is gone"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_path_of_a_machine_stands_in_the_project() {
    let roots: Vec<String> =
        ["home", "root", "Users", "work", "tmp/w", "private/var"].iter().map(|name| format!("/{name}/")).collect();
    let mut wrong = Vec::new();
    let folders = ["src", "rules", "fixtures", "tests", "benches", "integrations", ".ci", ".config"];
    // In a linked worktree `.git` is a file that says where the repository is.
    let is_own = |path: &std::path::PathBuf| path.is_file() && !path.ends_with(".git");
    let top = std::fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path()).filter(is_own);
    for path in folders.iter().flat_map(|folder| walk(&root().join(folder))).chain(top) {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for (number, line) in (1..).zip(text.lines()) {
            // A path begins where a name, a dot or a placeholder does not come before it.
            let begins = |at: usize| {
                !line[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '~' | '}' | '>'))
            };
            if roots.iter().any(|root| line.match_indices(root.as_str()).any(|(at, _)| begins(at))) {
                wrong.push(format!("{}:{number}: {}", relative(&path), line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
