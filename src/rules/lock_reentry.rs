//! A path takes a lock that it already holds.

mod finaliser;
mod given;
mod handed_in;

use std::sync::Arc;

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, Held, HeldBy, Waits, What};
use crate::analysis::in_place::InPlace;
use crate::analysis::locks::Lock;
use crate::catalogue::{Flavour, LockKind};
use crate::flow::{LoopIndex, StepKind};
use crate::verdict::{Confidence, Stance, Verdict};

use super::context::RuleContext;
use super::lock_not_released::{is_given_away, is_let_go_elsewhere};

const NAME: &str = "lock-reentry";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let facts = cx.facts(id);
    let function = cx.function(id);
    for event in facts.events.iter().filter(|event| !event.held.is_empty()) {
        match &event.what {
            What::Acquire(lock, Waits::Yes) => {
                let Some((held, confidence)) = held_already(event, lock) else { continue };
                if is_given_back_by_others(cx, id, held) {
                    continue;
                }
                let verdict = cx
                    .violated(NAME, confidence, id, event.span, &format!("`{}`", lock.name))
                    .assumes(format!("`{}` is free where `{}` takes it", lock.name, function.name))
                    .says(format!(
                        "`{}` takes `{}` again, which it already holds: {}",
                        function.name,
                        lock.name,
                        harm(lock)
                    ))
                    .helps("take the lock once, or split what needs it held from what takes it")
                    .evidence(cx.location(id, held.taken), taken(cx, id, held))
                    .evidence(cx.location(id, event.span), format!("`{}` is taken again here", lock.name));
                out.push(verdict);
            }
            What::Call(_) | What::Runs(_) | What::Suspend(..) => through_call(cx, id, event, out),
            What::Acquire(_, Waits::No) => {}
        }
    }
    given::check(cx, id, out);
    handed_in::check(cx, id, out);
    finaliser::check(cx, id, out);
}

/// Whether a permit is taken here for what others do, who give it back: the next one that a loop takes waits for them.
fn is_given_back_by_others(cx: &RuleContext, id: FunctionId, held: &Held) -> bool {
    let lock = &held.lock;
    held.by == HeldBy::Manual
        && matches!(lock.kind, LockKind::Semaphore | LockKind::PermitPool)
        && (is_given_away(&cx.function(id), id, lock) || is_let_go_elsewhere(cx, id, lock))
}

fn through_call(cx: &RuleContext, id: FunctionId, event: &Event, out: &mut Vec<Verdict>) {
    for in_place in cx.program.in_place(id, event) {
        for &callee in &in_place.candidates {
            if let Some(verdict) = through_candidate(cx, id, event, &in_place, callee) {
                out.push(verdict);
                return;
            }
        }
    }
}

fn through_candidate(
    cx: &RuleContext,
    id: FunctionId,
    event: &Event,
    in_place: &InPlace,
    callee: FunctionId,
) -> Option<Verdict> {
    let function = cx.function(id);
    let bound = |callee: FunctionId, lock: &Arc<Lock>| cx.program.bound(id, &in_place.binding, callee, lock);
    let summary = cx.program.summary_of_call(id, &in_place.binding, callee);
    for takes in summary.takes.iter().filter(|takes| takes.waits == Waits::Yes) {
        let lock = bound(callee, &takes.lock);
        // A lock whose guard the callee hands out is taken by the call itself, which is looked at as such.
        if cx.facts(callee).returned.iter().any(|returned| returned.place == takes.lock.place) {
            continue;
        }
        let Some((held, confidence)) = held_already(event, &lock).filter(|_| !is_taken_in_turn(cx, id, event, &lock))
        else {
            continue;
        };
        // Whoever has it comes no further, if it has said so.
        if takes.unless.as_ref().is_some_and(|field| cx.program.names_holder(id, field)) {
            continue;
        }
        // May is not must: a candidate that does not take it leaves it open.
        let harmless = in_place.candidates.iter().find(|&&other| {
            let theirs = cx.program.summary_of_call(id, &in_place.binding, other);
            !theirs.takes.iter().any(|takes| bound(other, &takes.lock).place.is_same(&lock.place))
        });
        let stance = if harmless.is_some() { Stance::Unproven } else { Stance::Violated(confidence) };
        let name = &held.lock.name;
        let mut verdict = cx
            .verdict(NAME, stance, id, event.span, &format!("`{name}`"))
            .assumes(format!("nothing that `{}` runs while it holds `{name}` takes it again", function.name))
            .says(format!(
                "`{}` holds `{name}` and {}, which takes it again: {}",
                function.name,
                in_place.what(cx.program, id),
                harm(&lock)
            ))
            .helps("release the lock before, or split off what is done under it")
            .evidence(cx.location(id, held.taken), taken(cx, id, held))
            .evidence(takes.at.clone(), format!("`{}` is taken again here", takes.lock.name))
            .trace([cx.program.hop(id, event.span, in_place.what(cx.program, id))])
            .trace(takes.hops.iter().cloned());
        if let Some(&harmless) = harmless {
            let (taker, other) = (cx.function(callee), cx.function(harmless));
            verdict = verdict.asks(format!(
                "can `{}` hold `{name}` when it is `{}` that runs, rather than `{}`?",
                function.name, taker.qualified, other.qualified
            ));
        }
        return Some(verdict);
    }
    None
}

/// Whether what is called is a generator whose loop takes its lock, as each turn of that tells by itself.
fn is_taken_in_turn(cx: &RuleContext, id: FunctionId, event: &Event, lock: &Lock) -> bool {
    let What::Call(call) = event.what else { return false };
    let function = cx.function(id);
    let Some(turns) = function.loops.iter().position(|around| around.over == Some(call)) else { return false };
    cx.facts(id).events.iter().any(|other| {
        let block = &function.blocks[other.block.at()];
        matches!(&other.what, What::Acquire(taken, Waits::Yes) if taken.place.is_same(&lock.place))
            && block.in_loop == Some(LoopIndex(turns as u32))
            && matches!(block.steps[other.step as usize].kind, StepKind::Bind(..))
    })
}

/// The held lock that taking this one waits for, and how certain that is.
fn held_already<'e>(event: &'e Event, lock: &Arc<Lock>) -> Option<(&'e Held, Confidence)> {
    let held = event.held.iter().find(|held| lock.waits_for_itself(&held.lock))?;
    if matches!(lock.flavour, Flavour::Span) || held.lock.flavour == Flavour::Span {
        return None;
    }
    // Two readers wait for each other only behind a writer; two borrows to read never do.
    let shares = lock.shares_with(&held.lock);
    if shares && lock.kind == LockKind::Cell {
        return None;
    }
    // A second permit is there until the others have taken theirs.
    let may_be_free = shares || matches!(lock.kind, LockKind::Semaphore | LockKind::PermitPool | LockKind::MapShard);
    let is_sure = held.is_certain && held.lock.is_resolved && lock.is_resolved && !may_be_free;
    Some((held, if is_sure { Confidence::High } else { Confidence::Medium }))
}

fn taken(cx: &RuleContext, id: FunctionId, held: &Held) -> String {
    let because = cx.program.held_because(id, held);
    if because.is_empty() {
        format!("`{}` is taken here", held.lock.name)
    } else {
        format!("`{}` is taken here; {because}", held.lock.name)
    }
}

fn harm(lock: &Lock) -> &'static str {
    match (lock.flavour, lock.kind) {
        (Flavour::Cell, _) => "it panics",
        (_, LockKind::Semaphore | LockKind::PermitPool) => "it waits for ever once the others have done the same",
        (Flavour::Async, _) => "the task waits for itself",
        (Flavour::Blocking | Flavour::Span, _) => "the thread waits for itself",
    }
}
