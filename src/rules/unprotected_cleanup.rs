//! Cleanup that a cancellation, an abandoned generator or the wrong order gets the better of.

mod callbacks;
mod ends_quietly;
mod flags;
mod generators;
mod groups;
mod halves;
mod left_open;
mod shields;
mod taken_out;
pub(super) mod uncovered;

use crate::analysis::FunctionId;
use crate::verdict::Verdict;

use super::context::RuleContext;

pub(super) const NAME: &str = "unprotected-cleanup";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    generators::check(cx, id, out);
    groups::check(cx, id, out);
    halves::check(cx, id, out);
    left_open::check(cx, id, out);
    shields::check(cx, id, out);
    callbacks::check(cx, id, out);
    flags::check(cx, id, out);
    taken_out::check(cx, id, out);
}
