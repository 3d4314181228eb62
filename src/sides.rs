//! Rules that see both sides of a function.
//!
//! Most rules see one side, and the sides of their verdicts are subtracted. What the change took away and what has come
//! in its place is seen only by whoever has both before their eyes, so the few functions that may have lost something
//! are looked at once more, on both sides at once. What the other direction would have lost, the change has mended.

use std::sync::Arc;

use crate::analysis::{FunctionId, Program};
use crate::review::{Coverage, CoverageState};
use crate::rules::{self, Worse};
use crate::verdict::Verdict;

/// What is said of functions that were looked at on both sides.
#[derive(Default)]
pub(crate) struct Compared {
    /// Of the before side.
    pub(crate) before: Vec<Verdict>,
    /// Of the after side.
    pub(crate) after: Vec<Verdict>,
    /// What makes verdicts of the before side louder, seen from the after side.
    pub(crate) worse_before: Vec<Worse>,
    /// What makes verdicts of the after side louder.
    pub(crate) worse_after: Vec<Worse>,
    /// Functions that the rules failed on.
    pub(crate) coverage: Vec<Coverage>,
}

/// Applies the rules that see both sides to functions, given by their files before and after and by their name.
pub(crate) fn compare<'f, 'a>(
    before: &Program<'a>,
    after: &Program<'a>,
    functions: impl IntoIterator<Item = &'f (Arc<str>, Arc<str>, (String, usize))>,
) -> Compared {
    let mut compared = Compared::default();
    for (path_before, path_after, name) in functions {
        let (Some(then), Some(now)) = (named(before, path_before, name), named(after, path_after, name)) else {
            continue;
        };
        let forth = rules::of_both_sides((before, then), (after, now));
        let back = rules::of_both_sides((after, now), (before, then));
        if forth.has_failed || back.has_failed {
            compared.coverage.push(Coverage {
                path: path_after.to_string(),
                function: Some(name.0.clone()),
                state: CoverageState::NotAnalysed,
                why: "the analysis failed on it; this is a fault of the tool".to_owned(),
            });
        }
        compared.worse_after.extend(forth.worse);
        compared.worse_before.extend(back.worse);
        compared.before.extend(forth.before.into_iter().chain(back.after));
        compared.after.extend(forth.after.into_iter().chain(back.before));
    }
    compared
}

/// The function of a name, counted among its namesakes, in a file of one side.
fn named(program: &Program, path: &str, (name, ordinal): &(String, usize)) -> Option<FunctionId> {
    let module = program.module_at(path)?;
    let file = program.module(module);
    let named = program.named_functions(module);
    named.keys().filter(|id| file.function(id.index).qualified == *name).nth(*ordinal).copied()
}
