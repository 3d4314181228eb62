//! What unfinished work leaves to whoever goes on with it.

use std::collections::BTreeSet;

use crate::text::Side;

use super::contract::{Done, Finding, Handoff, Left};
use super::diff::Diff;

/// What is left, by the findings that say so, and the changed functions that none of them is about. `None` where nothing
/// is unfinished.
pub(super) fn handoff(diff: &Diff<'_>, unfinished: &[&Finding]) -> Option<Handoff> {
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
    let mut done = Vec::new();
    for file in &diff.change.files {
        let Some(path) = file.after.as_ref().map(|after| &after.path) else { continue };
        for item in diff.functions(Side::After, path) {
            let is_changed = diff.within(Side::After, path, item.first, item.last).next().is_some();
            if is_changed && !open.contains(&(&**path, item.name.as_str())) {
                let is_new = (item.first..=item.last).all(|line| file.line_map.is_changed_after(line));
                let what = if is_new { "added" } else { "changed" };
                done.push(Done { path: path.to_string(), function: item.name.clone(), what: what.to_owned() });
            }
        }
    }
    Some(Handoff { done, left })
}
