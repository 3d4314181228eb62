//! What a change does to the settings by which it is reviewed.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::Catalogue;
use crate::change::ChangeSet;
use crate::error::Result;
use crate::review::Notice;
use crate::text::{Language, Side};

use super::baseline;
use super::document::{BlockingCall, Knowledge, LockType, OffloadCall};
use super::find::Found;

/// Keys under which a file says what is known; what is new there counts at once.
const KNOWLEDGE: [&str; 3] = ["checkpoints", "python", "rust"];

/// One notice for each key that the change sets, takes away or changes.
pub(super) fn notices(before: Option<&Found>, after: Option<&Found>, is_range: bool) -> Vec<Notice> {
    let (old, new) = (before.map(keys).unwrap_or_default(), after.map(keys).unwrap_or_default());
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let path = after.or(before).map(|found| found.path.clone());
    let mut notices = Vec::new();
    if let (Some(before), Some(after)) = (before, after)
        && before.path != after.path
    {
        let text = format!("the change takes the settings from `{}` to `{}`", before.path, after.path);
        notices.push(notice(text, path.clone(), None));
    }
    for name in names {
        let (was, is) = (old.get(name), new.get(name));
        if was == is {
            continue;
        }
        let what = match (was, is) {
            (Some(was), Some(is)) => format!("the change sets `{name}` from {was} to {is}"),
            (None, Some(is)) => format!("the change sets `{name}` to {is}"),
            (Some(was), None) => format!("the change takes `{name} = {was}` away"),
            (None, None) => continue,
        };
        let counts = match (is_range, KNOWLEDGE.iter().any(|key| name.starts_with(key)), was) {
            (false, ..) | (true, true, None) => "",
            (true, ..) => "; that does not count for the change itself",
        };
        let line = after.and_then(|found| line_of(&found.text, name));
        notices.push(notice(format!("{what}{counts}"), path.clone(), line));
    }
    notices
}

fn notice(text: String, path: Option<String>, line: Option<u32>) -> Notice {
    Notice { kind: "settings-changed".to_owned(), text, path, line }
}

/// The settings of a file, each value by its key as TOML writes it: `rules.lock-reentry.severity`.
fn keys(found: &Found) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    if let Ok(table) = toml::Table::try_from(&found.document) {
        flatten("", &table, &mut keys);
    }
    keys
}

fn flatten(prefix: &str, table: &toml::Table, keys: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let is_bare = key.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
        let key = if is_bare { key.clone() } else { toml::Value::String(key.clone()).to_string() };
        let name = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        match value {
            toml::Value::Table(inner) => flatten(&name, inner, keys),
            other => {
                keys.insert(name, other.to_string());
            }
        }
    }
}

/// The line on which a key is set, as far as its last part tells.
fn line_of(text: &str, name: &str) -> Option<u32> {
    let last = name.rsplit('.').next().unwrap_or(name).trim_matches('"');
    let sets = |line: &str| {
        let line = line.trim_start();
        line.strip_prefix(last).is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    let found = (1..).zip(text.lines()).filter(|(_, line)| sets(line)).map(|(number, _)| number).collect::<Vec<u32>>();
    // The same key may stand in several tables; then no line is better than a wrong one.
    match found.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}

/// What the project knows: what was known before the change, and what the change adds to it. What it restates or takes
/// away counts from the next change on, or it could talk its own findings away.
pub(super) fn known(before: Option<&Found>, after: Option<&Found>) -> (Knowledge, Knowledge) {
    let of = |language: Language| {
        let side = |found: Option<&Found>| match (found, language) {
            (None, _) => Knowledge::default(),
            (Some(found), Language::Python) => found.document.python.clone(),
            (Some(found), Language::Rust) => found.document.rust.clone(),
        };
        let (mut known, added) = (side(before), side(after));
        // The catalogue of a language that the change has nothing of need not be read.
        if added == Knowledge::default() {
            return known;
        }
        let tables = Catalogue::builtin().tables(language);
        let (blocking, locks, offload) = (&mut known.blocking, &mut known.locks, &mut known.offload);
        add::<BlockingCall>(blocking, added.blocking, &|name| tables.blocking(name).is_some());
        add::<LockType>(locks, added.locks, &|name| tables.lock(name).is_some());
        add::<OffloadCall>(offload, added.offload, &|name| tables.offload(name).is_some());
        known
    };
    (of(Language::Python), of(Language::Rust))
}

fn add<T>(known: &mut BTreeMap<String, T>, added: BTreeMap<String, T>, is_built_in: &dyn Fn(&str) -> bool) {
    for (name, entry) in added {
        if !is_built_in(&name) {
            known.entry(name).or_insert(entry);
        }
    }
}

/// A notice where the change adds to the baseline or takes from it.
pub(super) fn of_baseline(change: &ChangeSet, path: &str, is_range: bool) -> Result<Option<Notice>> {
    if change.trees.id(Side::Before, path) == change.trees.id(Side::After, path) {
        return Ok(None);
    }
    let read = |side| match change.trees.read(side, path) {
        Some(blob) => baseline::read(&blob.text, path),
        None => Ok(BTreeSet::new()),
    };
    let (was, is) = (read(Side::Before)?, read(Side::After)?);
    let (added, gone) = (is.difference(&was).count(), was.difference(&is).count());
    let what = match (added, gone) {
        (0, 0) => return Ok(None),
        (added, 0) => format!("adds {added}"),
        (0, gone) => format!("removes {gone}"),
        (added, gone) => format!("adds {added} and removes {gone}"),
    };
    let counts = if is_range { "; that does not count for the change itself" } else { "" };
    Ok(Some(Notice {
        kind: "baseline-changed".to_owned(),
        text: format!("the change {what} of the findings that the baseline names{counts}"),
        path: Some(path.to_owned()),
        line: None,
    }))
}
