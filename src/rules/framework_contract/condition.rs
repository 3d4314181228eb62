//! A condition is waited for or notified without its lock.

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, What};
use crate::analysis::locks::LockRoot;
use crate::catalogue::{Lock, LockKind};
use crate::flow::{Callee, ValueIndex};
use crate::text::Language;
use crate::verdict::{Confidence, Verdict};

use super::Body;

pub(super) fn check(body: &Body, out: &mut Vec<Verdict>) {
    let function = body.cx.function(body.id);
    // A function inside another may run where that one holds the lock.
    if body.cx.language(body.id.module) != Language::Python || function.parent.is_some() {
        return;
    }
    for event in &body.cx.facts(body.id).events {
        let What::Call(call) = event.what else { continue };
        let Some(Callee::Method(receiver, method)) = function.call(call).map(|call| &call.callee) else { continue };
        if !event.held.is_empty() || !needs_its_lock(body, *receiver, method) || may_hold_it(body, *receiver, event) {
            continue;
        }
        let name = body.cx.program.value_text(body.id, *receiver);
        let verdict = body
            .violated(Confidence::High, call, &name)
            .assumes(format!("`{name}` is held where `{name}.{method}` is called"))
            .says(format!("`{name}.{method}` is called without holding `{name}`: it raises RuntimeError"))
            .helps(format!("call it inside the managed block of `{name}`"));
        out.push(verdict);
    }
}

/// Whether a method of a condition asks for the condition's lock.
fn needs_its_lock(body: &Body, receiver: ValueIndex, method: &str) -> bool {
    let of = body.cx.program.value_type(body.id, receiver);
    let Some(of) = of.instance().filter(|of| of.definition.is_none()) else { return false };
    let needs = |lock: &Lock| {
        // Some libraries give the name to something without a lock; there nothing is said to end a wait.
        lock.kind == LockKind::Condition
            && !lock.wakes.is_empty()
            && (lock.is_wait(method) || lock.wakes.values().flatten().any(|wakes| wakes == method))
    };
    body.tables().lock(&of.name).is_some_and(needs)
}

/// Whether somebody else may hold the lock meanwhile: a caller of this function, or who handed the condition over.
fn may_hold_it(body: &Body, receiver: ValueIndex, event: &Event) -> bool {
    let place = body.cx.program.lock_place(body.id, receiver);
    if matches!(&place.root, LockRoot::Parameter(at) if *at > 0 || place.fields.is_empty()) {
        return true;
    }
    let function = body.cx.function(body.id);
    let is_given = |call: &ValueIndex| {
        let arguments = function.call(*call).map(|call| &call.arguments);
        let is_it = |value: ValueIndex| body.cx.program.lock_place(body.id, value).is_same(&place);
        arguments.is_some_and(|arguments| arguments.iter().any(|argument| is_it(argument.value)))
    };
    // `await stack.enter_async_context(condition)`.
    if body.calls.iter().any(|(call, _)| is_given(call) && Some(*call) != called(event)) {
        return true;
    }
    let calls = body.cx.program.callers_in_file(body.id);
    let is_held = |caller: FunctionId, call: ValueIndex| {
        let read = body.cx.function(caller);
        let read = read.value(call);
        !body.cx.facts(caller).held_at(read.block, read.step).is_empty()
    };
    let callers = &calls.by;
    callers.iter().any(|(caller, call)| is_held(*caller, *call))
        || (callers.is_empty() && body.cx.program.is_private(body.id))
}

fn called(event: &Event) -> Option<ValueIndex> {
    match event.what {
        What::Call(call) => Some(call),
        _ => None,
    }
}
