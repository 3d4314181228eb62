//! A task that is cancelled and awaited, and whose own coroutine takes the cancellation: then nothing comes out of it.
//!
//! ~~~text
//! async def run(self):
//!     try:
//!         while True: await tick()
//!     except CancelledError:
//!         self.flush()                 takes it, and comes to its end
//! async def stop(self):
//!     self.task.cancel()
//!     await self.task                  comes back
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::accesses::Touch;
use crate::flow::{BlockIndex, Literal, Place, StepKind, Suspension, ValueIndex, ValueKind, WriteKind};
use crate::rules::context::RuleContext;
use crate::text::Span;

/// How many names a handle may go through.
const DEEPEST: u32 = 4;

/// Whether every task that a place may hold at a step comes to its end when it is cancelled.
pub(super) fn ends_quietly(cx: &RuleContext, id: FunctionId, place: &Place, (block, step): (BlockIndex, u32)) -> bool {
    if place.as_variable().is_some() {
        return all_of_variable(cx, id, place, (block, step), DEEPEST);
    }
    let Some((state, _)) = cx.program.state_named(id, place, block, step) else { return false };
    let accesses = cx.program.accesses_of(id.module, &state);
    let mut given = accesses.iter().filter_map(|access| match access.touch {
        Touch::Writes(kind, value, _) => Some((access.function, kind, value)),
        Touch::Changes(..) => Some((access.function, WriteKind::Augment, None)),
        Touch::Reads => None,
    });
    let is_nothing = |by: FunctionId, value: ValueIndex| {
        matches!(cx.function(by).value(value).kind, ValueKind::Literal(Literal::None))
    };
    let mut is_started = false;
    given.all(|(by, kind, value)| match (kind, value) {
        (WriteKind::Assign, Some(value)) if is_nothing(by, value) => true,
        (WriteKind::Assign, Some(value)) => {
            is_started = true;
            is_quiet_task(cx, by, value, DEEPEST)
        }
        (WriteKind::Delete, _) => true,
        _ => false,
    }) && is_started
}

fn all_of_variable(
    cx: &RuleContext,
    id: FunctionId,
    place: &Place,
    (block, step): (BlockIndex, u32),
    depth: u32,
) -> bool {
    let Some(variable) = place.as_variable() else { return false };
    let reaching = cx.program.reaching(id, variable, block, step);
    !reaching.from_entry
        && !reaching.values.is_empty()
        && reaching.values.iter().all(|value| is_quiet_task(cx, id, *value, depth))
}

/// Whether a value is a task whose coroutine is the project's and takes its cancellation.
fn is_quiet_task(cx: &RuleContext, id: FunctionId, value: ValueIndex, depth: u32) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let function = cx.function(id);
    let node = function.value(value);
    if let ValueKind::Place(place) = &node.kind {
        return all_of_variable(cx, id, place, (node.block, node.step), depth);
    }
    let Some(starts) = cx.program.starts(id, value).filter(|starts| starts.through.is_none()) else { return false };
    let Some(call) = function.call(value) else { return false };
    let run = cx.program.arguments_meant(call, &starts.spawn.argument);
    let coroutines = run.iter().map(|one| cx.resolution(id, *one).functions());
    !run.is_empty()
        && coroutines.into_iter().all(|all| !all.is_empty() && all.iter().all(|one| takes_its_cancellation(cx, *one)))
}

/// Whether a coroutine may come to its end as if nothing had happened when it is cancelled, wherever it waits for its
/// next turn.
fn takes_its_cancellation(cx: &RuleContext, id: FunctionId) -> bool {
    let function = cx.function(id);
    let taken = cx.program.cancellations_taken(id);
    let quiet = taken.iter().filter(|taken| !cx.program.ways_of(id, taken.taker).lost.is_empty());
    let covered: Vec<Span> = quiet.flat_map(|taken| taken.from.iter().map(|arrival| arrival.span)).collect();
    // What is still done in a handler or a cleanup comes after the cancellation.
    let is_after = |block: BlockIndex| {
        function.attempts.iter().any(|attempt| {
            attempt.handlers.iter().any(|handler| handler.region.has(block))
                || attempt.cleanup.as_ref().is_some_and(|cleanup| cleanup.has(block))
        })
    };
    let mut turns = function.steps().filter(|(block, _, step)| match step.kind {
        StepKind::Suspend(how, of) => {
            how != Suspension::Yield
                && function.blocks[block.at()].in_loop.is_some()
                && !is_after(*block)
                && cx.program.may_suspend(id, how, of)
        }
        _ => false,
    });
    !covered.is_empty() && turns.all(|(_, _, step)| covered.contains(&step.span))
}
