//! A path takes a lock that it already holds.

use std::rc::Rc;

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, Held, Waits, What};
use crate::analysis::locks::Lock;
use crate::catalogue::{Flavour, LockKind};
use crate::flow::Suspension;
use crate::verdict::{Confidence, Verdict};

use super::context::RuleContext;

const NAME: &str = "lock-reentry";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let facts = cx.facts(id);
    let function = cx.function(id);
    for event in facts.events.iter().filter(|event| !event.held.is_empty()) {
        match &event.what {
            What::Acquire(lock, Waits::Yes) => {
                let Some((held, confidence)) = held_already(event, lock) else { continue };
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
            What::Call(value) => {
                // What an asynchronous callee takes, it takes where it is awaited.
                through_call(cx, id, event, *value, Runs::InCall, out);
            }
            What::Suspend(Suspension::Await, Some(value)) => {
                through_call(cx, id, event, *value, Runs::InAwait, out);
            }
            What::Suspend(..) | What::Acquire(_, Waits::No) => {}
        }
    }
}

/// Whether the callee runs in the call itself or where its result is awaited.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Runs {
    InCall,
    InAwait,
}

fn through_call(
    cx: &RuleContext,
    id: FunctionId,
    event: &Event,
    value: crate::flow::ValueIndex,
    runs: Runs,
    out: &mut Vec<Verdict>,
) {
    let function = cx.function(id);
    if function.call(value).is_none() {
        return;
    }
    let resolution = cx.resolution(id, value);
    for in_place in cx.program.runs_in_place(id, value, &resolution) {
        if in_place.is_awaited != (runs == Runs::InAwait) {
            continue;
        }
        let mut candidates = in_place.candidates.iter();
        let Some(&callee) = candidates.next() else { continue };
        let summary = cx.program.summary(callee);
        for takes in summary.takes.iter().filter(|takes| takes.waits == Waits::Yes) {
            let lock = cx.program.substituted(id, value, callee, &takes.lock);
            let Some((held, confidence)) = held_already(event, &lock) else { continue };
            // May is not must: every candidate has to take it.
            let is_taken_by_all = candidates.clone().all(|&other| {
                cx.program
                    .summary(other)
                    .takes
                    .iter()
                    .any(|takes| cx.program.substituted(id, value, other, &takes.lock).place.is_same(&lock.place))
            });
            if !is_taken_by_all {
                continue;
            }
            let call = cx.program.callee_text(id, value);
            let verdict = cx
                .violated(NAME, confidence, id, function.value(value).span, &format!("`{}`", held.lock.name))
                .assumes(format!(
                    "nothing that `{}` calls while it holds `{}` takes it again",
                    function.name, held.lock.name
                ))
                .says(format!(
                    "`{}` holds `{}` and calls `{call}`, which takes it again: {}",
                    function.name,
                    held.lock.name,
                    harm(&lock)
                ))
                .helps(format!("call `{call}` after the lock is released, or split off what it does under the lock"))
                .evidence(cx.location(id, held.taken), taken(cx, id, held))
                .evidence(takes.at.clone(), format!("`{}` is taken again here", takes.lock.name))
                .trace([cx.program.hop(id, function.value(value).span, in_place.what.clone())])
                .trace(takes.hops.iter().cloned());
            out.push(verdict);
            return;
        }
    }
}

/// The held lock that taking this one waits for, and how certain that is.
fn held_already<'e>(event: &'e Event, lock: &Rc<Lock>) -> Option<(&'e Held, Confidence)> {
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
