//! Somebody who must run never gets a turn: a receiver waits for a sender that waits with it, tasks wait for room in
//! each other's channels, a race always has the same winner, a loop only asks, a thread waits for its own end, or for
//! work that only its own pool could do.

mod circle;
pub(super) mod in_turn;
pub(super) mod kept_by_owner;
mod own_end;
mod own_pool;
mod own_reply;
mod own_sender;
mod spinning;
mod turns;

use crate::analysis::FunctionId;
use crate::verdict::Verdict;

use super::context::RuleContext;

const NAME: &str = "starved-task";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    own_sender::check(cx, id, out);
    kept_by_owner::check(cx, id, out);
    circle::check(cx, id, out);
    turns::check(cx, id, out);
    spinning::check(cx, id, out);
    own_end::check(cx, id, out);
    own_pool::check(cx, id, out);
    own_reply::check(cx, id, out);
}
