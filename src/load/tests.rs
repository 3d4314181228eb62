//! The loader over changes in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Files;
use crate::analysis::{Loader, Package, mentions};
use crate::change::{ChangeSet, Description, Kind};
use crate::lower::Edition;
use crate::text::Side;

fn files(before: &[(&str, &str)], after: &[(&str, &str)]) -> Files {
    let texts = |files: &[(&str, &str)]| -> BTreeMap<String, String> {
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    };
    let description = Description { kind: Kind::Files, before: None, after: None, how: String::new() };
    Files::new(ChangeSet::in_memory(description, texts(before), texts(after)).trees)
}

#[test]
fn sides_share_what_is_the_same() {
    let files = files(&[("a.py", "x = 1\n"), ("b.py", "y = 1\n")], &[("a.py", "x = 1\n"), ("b.py", "y = 2\n")]);
    let of = |side, path| files.module(side, path).expect("the side has this file");
    assert!(Arc::ptr_eq(&of(Side::Before, "a.py"), &of(Side::After, "a.py")));
    assert!(!Arc::ptr_eq(&of(Side::Before, "b.py"), &of(Side::After, "b.py")));
    assert!(files.module(Side::After, "c.py").is_none());
    assert!(files.has(Side::After, "a.py") && !files.has(Side::After, "c.py"));
    assert_eq!(files.count(), 3);
}

#[test]
fn prefetched_files_are_ready() {
    let files = files(&[], &[("a.py", "x = 1\n"), ("b.py", "y = 1\n")]);
    files.prefetch(&[(Side::After, "a.py".into()), (Side::After, "b.py".into()), (Side::Before, "a.py".into())]);
    assert_eq!(files.count(), 2);
}

#[test]
fn text_is_searched_without_lowering() {
    let files = files(&[], &[("a.rs", "fn flush() {}\n")]);
    let paths: [std::sync::Arc<str>; 1] = ["a.rs".into()];
    let holding = |side, text: &str| files.mentioning(side, &paths, &|bytes| mentions(bytes, text)).len();
    assert_eq!(holding(Side::After, "fn flush"), 1);
    assert_eq!(holding(Side::After, "fn fill"), 0);
    assert_eq!(holding(Side::Before, "fn flush"), 0);
    assert_eq!(files.count(), 0);
}

#[test]
fn packages_are_read_with_what_they_inherit() {
    let files = files(
        &[],
        &[
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"crates/*\"]\n[workspace.package]\nedition = \"2024\"\n\
                 [workspace.dependencies]\nbase = { package = \"core-lib\", path = \"crates/core-lib\" }\n",
            ),
            (
                "crates/app/Cargo.toml",
                "[package]\nname = \"app\"\nedition.workspace = true\n[dependencies]\nbase.workspace = true\n",
            ),
            (
                "crates/core-lib/Cargo.toml",
                "[package]\nname = \"core-lib\"\nedition = \"2021\"\n[lib]\npath = \"./core.rs\"\n\
                 [target.'cfg(unix)'.dev-dependencies]\ntokio1 = { package = \"tokio\", version = \"1\" }\n",
            ),
            ("old/Cargo.toml", "[package]\nname = \"old\"\n"),
            ("broken/Cargo.toml", "[package\n"),
            ("crates/app/src/main.rs", ""),
            ("crates/core-lib/core.rs", ""),
        ],
    );
    let package =
        |folder: &str, name: &str, library: &str, edition, is_edition_known, renamed: &[(&str, &str, bool)]| Package {
            folder: folder.to_owned(),
            name: name.to_owned(),
            library: library.to_owned(),
            roots: Vec::new(),
            edition,
            is_edition_known,
            captures_parts: is_edition_known,
            renamed: renamed.iter().map(Into::into).collect(),
        };
    let expected = [
        package("crates/app", "app", "crates/app/src/lib.rs", Edition::From2024, true, &[("base", "core_lib", true)]),
        package(
            "crates/core-lib",
            "core_lib",
            "crates/core-lib/core.rs",
            Edition::Until2021,
            true,
            &[("tokio1", "tokio", false)],
        ),
        package("old", "old", "old/src/lib.rs", Edition::Until2021, false, &[]),
    ];
    assert_eq!(*files.packages(Side::After), expected);
    assert!(files.packages(Side::Before).is_empty());
    let uncovered: Vec<String> = files.uncovered().into_iter().map(|row| row.path).collect();
    assert_eq!(uncovered, ["broken/Cargo.toml"]);
    assert_eq!(files.files(Side::After).len(), 2);
}
