//! A signal that is given without the lock under which its waiters look.
//!
//! ~~~text
//! flag.store(true); changed.notify_all()                               nobody holds `lock`
//! let mut held = lock.lock(); while !flag.load() { held = changed.wait(held) }
//! ~~~
//!
//! Whoever has looked and not begun to wait yet misses it, and nobody tells him again. It is enough to hold the lock
//! where the flag changes, or for a moment between that and the signal.

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, What};
use crate::analysis::uses::Uses;
use crate::catalogue::LockKind;
use crate::flow::{Block, BlockIndex, Next, ValueIndex, ValueKind};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Verdict};

use super::super::context::RuleContext;
use super::super::racy_atomic::{How, accesses};
use super::{NAME, signal_call, wait_of};

/// A wait for a condition, and what is looked at before it.
struct Waiter {
    by: FunctionId,
    at: Span,
    /// The lock that it lets go while it waits.
    lock: String,
    name: String,
    /// The atomics that it looks at.
    looks: Vec<String>,
}

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if cx.language(id.module) != Language::Rust {
        return;
    }
    let facts = cx.facts(id);
    for event in facts.events.iter().filter(|event| event.held.is_empty()) {
        let What::Call(call) = event.what else { continue };
        let Some((entry, method, receiver)) = signal_call(cx, id, call) else { continue };
        let gives = entry.wakes.values().any(|methods| methods.contains(&method));
        if entry.kind != LockKind::Condition || !gives {
            continue;
        }
        let Some(class) = cx.program.lock_place(id, receiver).class else { continue };
        let mut waiters = waiters(cx, id, &class).into_iter();
        let found = waiters.find_map(|waiter| changed(cx, id, event, &waiter).map(|changed| (waiter, changed)));
        let Some((waiter, changed)) = found else { continue };
        if cx.program.is_always_called_under_a_lock(id) {
            continue;
        }
        let (name, function, lock) = (cx.program.value_text(id, receiver), cx.function(id), &waiter.name);
        let waits = &cx.function(waiter.by).name;
        out.push(
            cx.violated(NAME, Confidence::Medium, id, event.span, &format!("`{name}`"))
                .assumes(format!("a signal of `{name}` reaches `{waits}` even if it comes right after the look"))
                .says(format!(
                    "`{}` signals `{name}` without `{lock}`: `{waits}` may have looked and not begun to wait yet",
                    function.name
                ))
                .helps(format!("change what `{waits}` looks at under `{lock}`"))
                .evidence(cx.location(id, changed), "what is waited for changes here")
                .evidence(cx.location(waiter.by, waiter.at), format!("`{waits}` waits here, and looks under `{lock}`")),
        );
    }
}

/// Where an atomic that a waiter looks at is changed before a signal, with its lock taken nowhere.
fn changed(cx: &RuleContext, id: FunctionId, signal: &Event, waiter: &Waiter) -> Option<Span> {
    let facts = cx.facts(id);
    let takes = |event: &Event| match &event.what {
        What::Acquire(lock, _) => lock.place.class.as_ref().is_none_or(|class| *class == waiter.lock),
        What::Call(_) | What::Runs(_) => cx.program.in_place(id, event).iter().any(|run| {
            run.summaries(cx.program, id)
                .iter()
                .flat_map(|summary| &summary.takes)
                .any(|takes| takes.lock.place.class.as_ref().is_none_or(|class| *class == waiter.lock))
        }),
        What::Suspend(..) => false,
    };
    if facts.events.iter().any(takes) {
        return None;
    }
    let function = cx.function(id);
    let all = accesses(cx, id);
    let mut changes = all.iter().filter(|access| {
        access.how != How::Load && access.place.class.as_ref().is_some_and(|class| waiter.looks.contains(class))
    });
    let is_before = |block: BlockIndex, step: u32| {
        (block, step) < (signal.block, signal.step) && (block == signal.block || function.leads_to(block, signal.block))
    };
    changes.find(|access| is_before(access.block, access.step)).map(|access| access.span)
}

/// The waits of the file for a condition whose waiters look at atomics, under the lock that they let go.
fn waiters(cx: &RuleContext, id: FunctionId, class: &str) -> Vec<Waiter> {
    let mut found = Vec::new();
    for by in cx.program.functions_of(id.module) {
        let facts = cx.facts(by);
        for event in facts.events.iter().filter(|event| !event.held.is_empty()) {
            let What::Call(call) = event.what else { continue };
            let wait = wait_of(cx, by, call).filter(|wait| wait.place.class.as_deref() == Some(class));
            found.extend(wait.and_then(|_| waiter(cx, by, event, call)));
        }
    }
    found
}

fn waiter(cx: &RuleContext, by: FunctionId, event: &Event, call: ValueIndex) -> Option<Waiter> {
    // The guard comes from the lock at first, and from the wait at every other turn.
    let [held] = &event.held[..] else { return None };
    let lock = held.lock.place.class.clone().filter(|_| held.lock.kind == LockKind::Mutex)?;
    let function = cx.function(by);
    let around = function.blocks[event.block.at()].in_loop?;
    let header = function.loops[around.at()].header;
    let is_around = |block: BlockIndex| block == header || function.blocks[block.at()].in_loop == Some(around);
    let uses = Uses::of(&function);
    let mut looks = Vec::new();
    for (at, value) in (0..).map(ValueIndex).zip(&function.values) {
        if !is_around(value.block) || at == call || !matches!(value.kind, ValueKind::Call(_)) {
            continue;
        }
        let read = read_by(cx, by, at);
        if read.is_empty() {
            continue;
        }
        let made = cx.program.made_from(by, &uses, at);
        let mut blocks = (0..).map(BlockIndex).zip(&function.blocks);
        let decides = |(at, block): (BlockIndex, &Block)| {
            is_around(at) && matches!(&block.next, Next::Branch(Some(on), _) if made.contains(on))
        };
        if blocks.any(decides) {
            looks.extend(read);
        }
    }
    (!looks.is_empty()).then(|| Waiter { by, at: event.span, lock, name: held.lock.name.clone(), looks })
}

/// The atomics that a call loads, itself or in the one function of the project that it calls.
fn read_by(cx: &RuleContext, by: FunctionId, call: ValueIndex) -> Vec<String> {
    let loads = |id: FunctionId, only: Option<ValueIndex>| {
        let all = accesses(cx, id).into_iter();
        let all = all.filter(|access| access.how == How::Load && only.is_none_or(|only| access.call == only));
        all.filter_map(|access| access.place.class).collect::<Vec<_>>()
    };
    let own = loads(by, Some(call));
    match cx.resolution(by, call).functions()[..] {
        [callee] if own.is_empty() => loads(callee, None),
        _ => own,
    }
}
