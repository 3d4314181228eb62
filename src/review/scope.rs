//! Which findings are listed, by where they stand.

use crate::request::Scope;
use crate::text::Side;
use crate::verdict::Location;

use super::contract::Origin;
use super::diff::Diff;
use super::findings::Judged;

/// How many unchanged lines a diff shows around changed ones.
const CONTEXT: u32 = 3;

/// Whether a finding of the after side is in scope: whether one of its places is, if several are told as one.
pub(super) fn has(diff: &Diff<'_>, scope: Scope, judged: &Judged<'_>) -> bool {
    let others = judged.again.iter().map(|again| &again.verdict.at);
    std::iter::once(&judged.verdict.at).chain(others).any(|at| is_in(diff, scope, judged.origin, at))
}

fn is_in(diff: &Diff<'_>, scope: Scope, origin: Origin, at: &Location) -> bool {
    let path = &*at.path;
    let (start, end) = diff.sources.positions(Side::After, at);
    let (first, last) = (start.line, end.line.max(start.line));
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
        Scope::Reach => origin != Origin::Existing,
        Scope::All => true,
    }
}
