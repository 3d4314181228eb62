//! Which findings are listed, by where they stand.

use crate::request::Scope;
use crate::text::Side;

use super::contract::{Finding, Origin};
use super::diff::Diff;

/// How many unchanged lines a diff shows around changed ones.
const CONTEXT: u32 = 3;

/// Whether a finding of the after side is in scope.
pub(super) fn has(diff: &Diff<'_>, scope: Scope, finding: &Finding) -> bool {
    let path = finding.path.as_str();
    let (first, last) = (finding.start.line, finding.end.line.max(finding.start.line));
    let in_hunk = || {
        diff.hunks_of(Side::After, path).any(|hunk| {
            let lines = diff.lines_of(hunk, Side::After);
            lines.first().saturating_sub(CONTEXT) <= last && first < lines.end() + CONTEXT
        })
    };
    match scope {
        Scope::Line => diff.changing(Side::After, path, first, last).next().is_some(),
        Scope::Hunk => in_hunk(),
        Scope::Function => match diff.function_at(Side::After, path, first) {
            Some(function) => diff.within(Side::After, path, function.first, function.last).next().is_some(),
            None => in_hunk(),
        },
        Scope::File => diff.file_at(Side::After, path).is_some(),
        Scope::Reach => finding.origin != Origin::Existing,
        Scope::All => true,
    }
}
