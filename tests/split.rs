//! The proposal for changes that are too large for one review: its chunks, applied one after another, leave nothing
//! dangling and end in the change.

// A test that cannot go on says so.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;

use support::{Case, Files, files, folders, relative, root};
use tenth::change::{ChangeSet, Description, Kind};
use tenth::review::{Options, Origin, Review, Split};
use tenth::text::Side;

/// No line, so that every change is over it.
const NOTHING: Option<u32> = Some(0);

/// A review with a budget of that many lines, or the usual one.
fn review(before: &Files, after: &Files, budget_lines: Option<u32>) -> Review {
    let how = "a range".to_owned();
    let description = Description { kind: Kind::Range, before: None, after: None, how };
    let change = ChangeSet::in_memory(description, before.clone(), after.clone());
    tenth::review_change(&change, &Options { budget_lines, ..Options::default() }, Some(1)).unwrap().review
}

/// The states that lie on the way from one side of a change to the other.
fn states(before: &Files, after: &Files, split: &Split) -> Vec<Files> {
    let mut state = before.clone();
    let mut states = Vec::new();
    for chunk in &split.chunks {
        for path in &chunk.removed {
            state.remove(path);
        }
        for path in &chunk.files {
            match after.get(path) {
                Some(text) => state.insert(path.clone(), text.clone()),
                None => state.remove(path),
            };
        }
        states.push(state.clone());
    }
    states
}

/// What is said to dangle, whatever it is called.
fn dangling(review: &Review) -> BTreeSet<String> {
    let is_it = |finding: &&tenth::review::Finding| {
        finding.origin == Origin::Introduced
            && matches!(finding.rule.as_str(), "dangling-reference" | "half-migrated-async")
    };
    review.findings.iter().filter(is_it).map(|finding| format!("{}: {}", finding.path, finding.message)).collect()
}

fn texts(files: &[(&str, &str)]) -> Files {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

/// Goes through the states that a split proposes, and says into how many chunks it cut.
fn goes_through(name: &str, before: &Files, after: &Files, budget: Option<u32>) -> usize {
    let whole = review(before, after, budget);
    let split = whole.split.as_ref().unwrap_or_else(|| panic!("{name}: over its budget"));
    let states = states(before, after, split);
    let Some(last) = states.last() else { return 0 };
    assert!(last == after, "{name}: the chunks are not the change");
    let known = dangling(&whole);
    for state in &states {
        let said = dangling(&review(before, state, None));
        let new: Vec<&String> = said.difference(&known).collect();
        assert!(new.is_empty(), "{name}: {new:?} in between");
    }
    states.len()
}

#[test]
fn the_chunks_of_every_story_leave_nothing_dangling() {
    let base = root().join("fixtures/changes");
    let cut = folders(&base).into_iter().map(|folder| {
        let case = Case::new(relative(&folder, &base), files(&folder.join("before")), files(&folder.join("after")));
        goes_through(&case.name, &case.before, &case.after, NOTHING)
    });
    assert!(cut.max() > Some(1), "a story of several files is there to be cut");
}

#[test]
fn the_chunks_of_the_example_leave_nothing_dangling() {
    let change = tenth::demo::change_set();
    let side = |side: Side| {
        let paths = change.trees.list(side);
        paths.iter().map(|path| (path.to_string(), change.trees.read(side, path).unwrap().text.to_string())).collect()
    };
    let cut = goes_through("demo", &side(Side::Before), &side(Side::After), Some(600));
    assert!(cut > 1, "a hundred files are more than one chunk");
}

#[test]
fn what_is_used_comes_before_its_users_and_what_goes_after_them() {
    let before = texts(&[
        ("shop/old.py", "def total(order):\n    return order.total\n"),
        ("shop/views.py", "from shop.old import total\n\n\ndef view(order):\n    return total(order)\n"),
        ("shop/report.py", "def report():\n    return 1\n"),
    ]);
    let after = texts(&[
        ("shop/amounts.py", "def amount(order):\n    return order.amount\n"),
        ("shop/report.py", "def report():\n    return 2\n"),
        ("shop/views.py", "from shop.amounts import amount\n\n\ndef view(order):\n    return amount(order)\n"),
    ]);
    let split = review(&before, &after, NOTHING).split.unwrap();
    let order: Vec<&str> = split.chunks.iter().flat_map(|chunk| &chunk.files).map(String::as_str).collect();
    let at = |path: &str| order.iter().position(|known| *known == path).unwrap();
    assert!(at("shop/amounts.py") < at("shop/views.py"), "{order:?}");
    assert!(at("shop/views.py") < at("shop/old.py"), "{order:?}");
    let gives: Vec<&String> = split.chunks.iter().flat_map(|chunk| &chunk.gives).collect();
    assert!(gives.contains(&&"`amount`".to_owned()), "{gives:?}");
}

#[test]
fn a_signature_and_its_calls_go_together() {
    let before = texts(&[
        ("store.py", "def refund(order):\n    return order\n"),
        ("view.py", "from store import refund\n\n\ndef view(order):\n    return refund(order)\n"),
        ("other.py", "x = 1\n"),
    ]);
    let after = texts(&[
        ("store.py", "def refund(order, why):\n    return order\n"),
        ("view.py", "from store import refund\n\n\ndef view(order):\n    return refund(order, 1)\n"),
        ("other.py", "x = 2\n"),
    ]);
    let split = review(&before, &after, NOTHING).split.unwrap();
    let with_store = split.chunks.iter().find(|chunk| chunk.files.contains(&"store.py".to_owned())).unwrap();
    assert_eq!(with_store.files, ["store.py", "view.py"]);
    assert_eq!(split.chunks.len(), 2);
}

#[test]
fn a_change_within_the_budget_is_left_in_one() {
    let (before, after) = (texts(&[("a.py", "x = 1\n")]), texts(&[("a.py", "x = 2\n")]));
    assert_eq!(review(&before, &after, None).split, None);
    let split = review(&before, &after, NOTHING).split.unwrap();
    assert!(split.chunks.is_empty(), "one file is no split");
}

#[test]
fn a_module_file_comes_before_its_declaration_however_common_its_name() {
    let before = texts(&[("Cargo.toml", "[package]\nname = \"x\"\nedition = \"2024\"\n"), ("src/lib.rs", "\n")]);
    let mut after = before.clone();
    after.insert("src/lib.rs".to_owned(), "pub mod a;\npub mod b;\npub mod c;\npub mod d;\n".to_owned());
    for part in ["a", "b", "c", "d"] {
        after.insert(format!("src/{part}/mod.rs"), "pub mod server;\n".to_owned());
        after.insert(format!("src/{part}/server.rs"), "pub fn serve() {}\n".to_owned());
    }
    assert!(goes_through("servers", &before, &after, NOTHING) > 4);
}
