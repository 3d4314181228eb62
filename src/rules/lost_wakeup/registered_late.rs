//! A waker that is handed on after the look that found nothing (Rust).
//!
//! ~~~text
//! fn poll(…) { if self.done.load() { return Ready }  self.waker.register(cx.waker());  Pending }
//! fn finish(…) { self.done.store(true);  self.waker.wake() }      in between: nobody is woken
//! ~~~
//!
//! Who hands it on first and looks then, or looks once more, sees what came in between.

use std::collections::BTreeSet;

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, What};
use crate::analysis::types::Type;
use crate::analysis::uses::Uses;
use crate::catalogue::Mode;
use crate::flow::{Block, BlockIndex, Callee, Function, StepKind, ValueIndex};
use crate::rules::context::RuleContext;
use crate::rules::racy_atomic::{How, accesses};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Verdict};

use super::{NAME, is_for_state};

/// Where a function hands its waker on to somebody else.
struct Registered {
    block: BlockIndex,
    step: u32,
    span: Span,
    /// What it is handed to: the lock that it is put behind, or the object that takes it.
    class: String,
    name: String,
}

/// A look at what others change.
struct Look {
    call: ValueIndex,
    class: String,
    span: Span,
    /// Where the lock was taken under which it looks; nothing for an atomic.
    taken: Option<Span>,
}

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if cx.language(id.module) != Language::Rust {
        return;
    }
    let function = cx.function(id);
    let is_polled = |parameter: &crate::flow::Parameter| {
        let of = parameter.annotation.as_ref().map(|term| cx.program.term_type(id, term));
        of.as_ref().and_then(Type::instance).is_some_and(|of| cx.program.tables(Language::Rust).gives_wakers(&of.name))
    };
    if !function.parameters.iter().any(is_polled) {
        return;
    }
    let Some(registered) = registered(cx, id, &function) else { return };
    if goes_on(cx, id, &function, &registered) {
        return;
    }
    let uses = Uses::of(&function);
    let held: Vec<Span> =
        cx.facts(id).held_at(registered.block, registered.step).iter().map(|held| held.taken).collect();
    let missed = looks(cx, id).into_iter().find_map(|look| {
        if look.class == registered.class || look.taken.is_some_and(|taken| held.contains(&taken)) {
            return None;
        }
        let made = cx.program.made_from(id, &uses, look.call);
        let decides = |(at, on, _): (BlockIndex, ValueIndex, &[BlockIndex])| {
            made.contains(&on) && function.decides(at, registered.block)
        };
        if !function.conditions().any(decides) {
            return None;
        }
        let (by, at) = teller(cx, id, &look, &registered)?;
        Some((look, by, at))
    });
    let Some((look, by, at)) = missed else { return };
    if cx.program.is_always_called_under_a_lock(id) {
        return;
    }
    let (name, teller) = (&registered.name, &cx.function(by).name);
    out.push(
        cx.violated(NAME, Confidence::Medium, id, registered.span, &format!("`{name}`"))
            .assumes(format!("`{}` is woken even if `{teller}` comes right after the look", function.name))
            .says(format!(
                "`{}` looks first and gives its waker to `{name}` afterwards: `{teller}` in between wakes nobody",
                function.name
            ))
            .helps("give the waker first and look then, or look once more before it says that it is pending")
            .evidence(cx.location(id, look.span), "this decides whether to wait")
            .evidence(cx.location(by, at), format!("`{teller}` changes it here, and wakes through `{name}`")),
    );
}

/// The first place where a function hands its waker to somebody.
fn registered(cx: &RuleContext, id: FunctionId, function: &Function) -> Option<Registered> {
    let tables = cx.program.tables(Language::Rust);
    let is_waker = |value: ValueIndex| {
        let of = cx.program.value_type(id, value);
        of.instance().is_some_and(|of| tables.wakes_tasks(&of.name) && !tables.gives_wakers(&of.name))
    };
    let got: Vec<ValueIndex> = function.calls().map(|(value, _)| value).filter(|value| is_waker(*value)).collect();
    if got.is_empty() {
        return None;
    }
    let uses = Uses::of(function);
    let wakers: BTreeSet<ValueIndex> = got.iter().flat_map(|got| cx.program.made_from(id, &uses, *got)).collect();
    let facts = cx.facts(id);
    function.steps().find_map(|(block, at, step)| {
        let (step_at, span) = (at as u32, step.span);
        let behind = || {
            let held = facts.held_at(block, step_at).iter().rev().find(|held| is_for_state(held))?;
            Some((held.lock.place.class.clone()?, held.lock.name.clone()))
        };
        let (class, name) = match &step.kind {
            StepKind::Store(_, _, value) if wakers.contains(value) => behind()?,
            StepKind::Write(_, _, Some(value)) if wakers.contains(value) => behind()?,
            StepKind::Call(value) => {
                let call = function.call(*value)?;
                let Callee::Method(receiver, _) = call.callee else { return None };
                let is_given = call.arguments.iter().any(|argument| wakers.contains(&argument.value));
                if !is_given || wakers.contains(&receiver) {
                    return None;
                }
                let place = cx.program.lock_place(id, receiver);
                let own = place.class.map(|class| (class, cx.program.value_text(id, receiver)));
                behind().or(own)?
            }
            _ => return None,
        };
        Some(Registered { block, step: step_at, span, class, name })
    })
}

/// Whether anything is decided, or left to another function of the project, after the waker was handed on.
fn goes_on(cx: &RuleContext, id: FunctionId, function: &Function, registered: &Registered) -> bool {
    let calls_on = |block: BlockIndex, from: usize| {
        function.blocks[block.at()].steps.iter().skip(from).any(|step| match step.kind {
            StepKind::Call(call) => {
                let is_macro = matches!(function.call(call).map(|call| &call.callee), Some(Callee::Macro(_)));
                !is_macro && cx.resolution(id, call).external().is_none()
            }
            _ => false,
        })
    };
    if calls_on(registered.block, registered.step as usize + 1) {
        return true;
    }
    let decides = |block: &Block| matches!(block.next, crate::flow::Next::Branch(..));
    let visit = |at: BlockIndex, block: &Block, on: &mut Vec<BlockIndex>| {
        if decides(block) || at != registered.block && calls_on(at, 0) {
            return std::ops::ControlFlow::Break(());
        }
        on.extend(block.next.targets());
        std::ops::ControlFlow::Continue(())
    };
    function.walk([registered.block], visit).is_some()
}

/// The looks of a function at atomics and at what is behind locks.
fn looks(cx: &RuleContext, id: FunctionId) -> Vec<Look> {
    let all = accesses(cx, id).into_iter().filter(|access| access.how == How::Load);
    let atomics = all.filter_map(|access| {
        Some(Look { call: access.call, class: access.place.class?, span: access.span, taken: None })
    });
    let facts = cx.facts(id);
    let function = cx.function(id);
    let locks = facts.events.iter().filter_map(|event| {
        let What::Acquire(lock, _) = &event.what else { return None };
        let StepKind::Call(call) = function.blocks[event.block.at()].steps[event.step as usize].kind else {
            return None;
        };
        Some(Look { call, class: lock.place.class.clone()?, span: event.span, taken: Some(event.span) })
    });
    atomics.chain(locks).collect()
}

/// Another function of the file that changes what is looked at, and wakes through what the waker is handed to.
fn teller(cx: &RuleContext, id: FunctionId, look: &Look, registered: &Registered) -> Option<(FunctionId, Span)> {
    let others = cx.program.functions_of(id.module);
    others.filter(|other| *other != id && !cx.program.is_test_code(*other)).find_map(|other| {
        let facts = cx.facts(other);
        let takes = |event: &Event, class: &str, writes: bool| match &event.what {
            What::Acquire(lock, _) => {
                lock.place.class.as_deref() == Some(class) && (!writes || lock.mode != Mode::Shared)
            }
            _ => false,
        };
        let changed = match look.taken {
            Some(_) => facts.events.iter().find(|event| takes(event, &look.class, true)).map(|event| event.span),
            None => {
                let all = accesses(cx, other);
                let mut changes = all.iter().filter(|access| access.how != How::Load);
                changes.find(|access| access.place.class.as_ref() == Some(&look.class)).map(|access| access.span)
            }
        }?;
        let function = cx.function(other);
        let is_on =
            |receiver: ValueIndex| cx.program.lock_place(other, receiver).class.as_ref() == Some(&registered.class);
        let mut calls = function.calls();
        let wakes = facts.events.iter().any(|event| takes(event, &registered.class, true))
            || calls.any(|(_, call)| matches!(call.callee, Callee::Method(receiver, _) if is_on(receiver)));
        // Another function that looks and waits is none that wakes.
        (wakes && self::registered(cx, other, &function).is_none()).then_some((other, changed))
    })
}
