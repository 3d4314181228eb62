//! The fixtures of ruff: the expected lines stand in its snapshots.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tenth::catalogue::Catalogue;

use super::Suite;
use super::judge::{answers, judge, read};
use super::table::FIXTURES;

/// Every fixture of the table, from the folder of ruff's linter crate.
pub(crate) fn run(folder: &Path) -> Result<Suite, String> {
    let mut suite = Suite { name: "ruff", expected: 0, found: 0, floor: 90, faults: Vec::new() };
    for fixture in FIXTURES {
        let linter = fixture.linter;
        let name = format!("{}.py", fixture.file);
        let text = read(&folder.join("resources/test/fixtures").join(linter), &name)?;
        let mut expected: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
        for &code in fixture.codes {
            let snapshot = format!("ruff_linter__rules__{linter}__tests__{code}_{name}.snap");
            let snapshot = read(&folder.join("src/rules").join(linter).join("snapshots"), &snapshot)?;
            expected.insert(code, lines(&snapshot, code, &name));
        }
        let answers = answers(&name, &text, Catalogue::builtin());
        let score = judge(&name, &text, &expected, &answers, fixture.deviations);
        suite.expected += score.expected;
        suite.found += score.found;
        suite.faults.extend(score.unexplained);
    }
    Ok(suite)
}

/// The lines on which a snapshot shows a code: a headline, and below it ` --> FILE:LINE:COLUMN`.
fn lines(snapshot: &str, code: &str, file: &str) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut is_ours = false;
    for line in snapshot.lines() {
        if let Some(place) = line.trim_start().strip_prefix("--> ") {
            let number = place.strip_prefix(file).and_then(|rest| rest.split(':').nth(1)?.parse::<u32>().ok());
            found.extend(number.filter(|_| is_ours));
            is_ours = false;
        } else if line.starts_with(char::is_alphabetic) {
            is_ours = line.strip_prefix(code).is_some_and(|rest| rest.starts_with(' '));
        }
    }
    found
}
