//! What unfinished work leaves to whoever goes on with it.
//!
//! ~~~text
//! done   orders.py  send       became async        what the change touched and no finding is about
//! left   orders.py  send_all   `send` is awaited…  what a finding says is missing, untouched files included
//! ~~~
//!
//! Both lists follow the files of the change and the lines in them.

use std::collections::BTreeSet;

use crate::change::ChangedFile;
use crate::text::Side;

use super::contract::{Done, Finding, Handoff, Left};
use super::diff::Diff;
use super::material::{ItemRange, Signal};

/// The rule that finds text which does not parse.
const DAMAGE: &str = "broken-syntax";

/// What is left, by the findings that say so, and the changed functions that none of them is about. `None` where nothing
/// is unfinished.
pub(super) fn handoff(diff: &Diff<'_>, signals: &[Signal], unfinished: &[&Finding]) -> Option<Handoff> {
    if unfinished.is_empty() {
        return None;
    }
    let left: Vec<Left> = unfinished
        .iter()
        .map(|finding| Left {
            path: finding.path.clone(),
            function: finding.function.clone(),
            what: finding.message.clone(),
            finding: Some(finding.id.clone()),
        })
        .collect();
    let open: BTreeSet<(&str, &str)> = left.iter().map(|left| (left.path.as_str(), left.function.as_str())).collect();
    let damaged: BTreeSet<&str> =
        unfinished.iter().filter(|one| one.rule == DAMAGE).map(|one| one.path.as_str()).collect();
    let done = diff.change.files.iter().flat_map(|file| of_file(diff, signals, &open, &damaged, file)).collect();
    Some(Handoff { done, left })
}

/// What was done to one file, in the order of its lines.
fn of_file(
    diff: &Diff<'_>,
    signals: &[Signal],
    open: &BTreeSet<(&str, &str)>,
    damaged: &BTreeSet<&str>,
    file: &ChangedFile,
) -> Vec<Done> {
    let done = |path: &str, function: &str, what: &str| Done {
        path: path.to_owned(),
        function: function.to_owned(),
        what: what.to_owned(),
    };
    let Some(path) = file.after.as_ref().map(|after| &after.path) else {
        let path = file.path();
        return if open.iter().any(|(at, _)| *at == &**path) { Vec::new() } else { vec![done(path, "", "removed")] };
    };
    let is_open = |function: &str| open.contains(&(&**path, function));
    let mut found: Vec<(u32, Done)> = Vec::new();
    for item in diff.functions(Side::After, path) {
        let is_changed = diff.within(Side::After, path, item.first, item.last).next().is_some();
        if is_changed && !is_open(&item.name) {
            found.push((item.first, done(path, &item.name, what(file, signals, item))));
        }
    }
    if let Some(before) = &file.before {
        let is_there = |name: &str| diff.functions(Side::After, path).any(|item| item.name == name);
        for item in diff.functions(Side::Before, &before.path).filter(|item| !is_there(&item.name)) {
            let line = diff.hunks_of(Side::Before, &before.path).find_map(|at| {
                let lines = diff.lines_of(at, Side::Before);
                (lines.first() <= item.last && item.first < lines.end()).then(|| diff.lines_of(at, Side::After).start)
            });
            found.push((line.unwrap_or(u32::MAX), done(path, &item.name, "removed")));
        }
    }
    let outside = diff.hunks_of(Side::After, path).find(|&at| {
        let lines = diff.lines_of(at, Side::After);
        lines.count > 0 && (lines.first()..lines.end()).all(|line| diff.function_at(Side::After, path, line).is_none())
    });
    // What stands outside of functions in a damaged file may be one that was cut off.
    if let Some(at) = outside.filter(|_| !is_open("") && !damaged.contains(&**path)) {
        let what = if file.before.is_none() { "added" } else { "changed outside of its functions" };
        found.push((diff.lines_of(at, Side::After).start, done(path, "", what)));
    }
    found.sort_by_key(|(line, _)| *line);
    found.into_iter().map(|(_, done)| done).collect()
}

fn what(file: &ChangedFile, signals: &[Signal], item: &ItemRange) -> &'static str {
    if (item.first..=item.last).all(|line| file.line_map.is_changed_after(line)) {
        let is_there = file.before.is_some();
        let turned = is_there.then(|| turned(signals, item)).flatten();
        return turned.unwrap_or("added");
    }
    turned(signals, item).unwrap_or("changed")
}

/// How the colour of a function changed, where it did.
fn turned(signals: &[Signal], item: &ItemRange) -> Option<&'static str> {
    let is_its = |signal: &&Signal| {
        signal.name == "colour-changed"
            && (signal.side, &signal.path, signal.first) == (Side::After, &item.path, item.first)
    };
    let signal = signals.iter().find(is_its)?;
    Some(if signal.text.ends_with("became async") { "became async" } else { "is no longer async" })
}
