//! A waiter can miss its signal.
//!
//! ~~~text
//! with changed: changed.wait()              nobody looked whether there is anything to wait for
//! if !*ready { ready = changed.wait(ready) }   or looks again when the wait ends
//! ~~~
//!
//! Signals that come too early or are thrown away are in `lost_signal`.

pub(super) mod at_once;
pub(super) mod endless;
pub(super) mod left_pending;
pub(super) mod on_failure;
mod registered_late;
mod replaced;
mod unheld;
pub(super) mod unsignalled;
pub(super) mod watched_late;

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, Held, What};
use crate::analysis::locks::LockPlace;
use crate::analysis::uses::Uses;
use crate::catalogue::{Lock, LockKind};
use crate::flow::{BlockIndex, Callee, Function, LoopKind, Next, ParameterKind, ValueIndex, ValueKind, is_special};
use crate::text::Language;
use crate::verdict::{Confidence, Verdict};

use super::context::RuleContext;
use super::lost_signal;

pub(super) const NAME: &str = "lost-wakeup";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if cx.program.is_test_code(id) {
        return;
    }
    unheld::check(cx, id, out);
    registered_late::check(cx, id, out);
    replaced::check(cx, id, out);
    let facts = cx.facts(id);
    for event in &facts.events {
        let What::Call(value) = event.what else { continue };
        let Some(wait) = wait_of(cx, id, value) else { continue };
        if wait.entry.kind == LockKind::Condition {
            out.extend(without_a_look(cx, id, event, &wait));
        } else if wait.entry.kind == LockKind::Event {
            out.extend(lost_signal::after_the_look(cx, id, event, &wait));
            out.extend(lost_signal::cleared_later(cx, id, event, &wait));
        } else {
            out.extend(lost_signal::subscribed_after_the_look(cx, id, event, &wait));
        }
    }
}

/// A call that waits for a signal.
pub(super) struct Wait<'a> {
    pub(super) entry: &'a Lock,
    pub(super) method: String,
    pub(super) receiver: ValueIndex,
    pub(super) call: ValueIndex,
    pub(super) place: LockPlace,
}

fn wait_of<'a>(cx: &RuleContext<'_, 'a>, id: FunctionId, call: ValueIndex) -> Option<Wait<'a>> {
    let (entry, method, receiver) = signal_call(cx, id, call)?;
    let is_wait = entry.is_wait(&method) && !entry.checked.contains(&method);
    // A time that is given ends the wait whatever happens.
    let function = cx.function(id);
    let is_timed = cx.language(id.module) == Language::Python && !function.call(call)?.arguments.is_empty();
    (is_wait && !is_timed).then(|| Wait { entry, method, receiver, call, place: cx.program.lock_place(id, receiver) })
}

/// A call on something that signals are given by.
pub(super) fn signal_call<'a>(
    cx: &RuleContext<'_, 'a>,
    id: FunctionId,
    value: ValueIndex,
) -> Option<(&'a Lock, String, ValueIndex)> {
    let function = cx.function(id);
    let Callee::Method(receiver, method) = &function.call(value)?.callee else { return None };
    let language = cx.language(id.module);
    let resolution = cx.resolution(id, value);
    let (type_name, _) = resolution.external()?.rsplit_once(language.separator())?;
    let entry = cx.program.tables(language).lock(type_name)?;
    matches!(entry.kind, LockKind::Condition | LockKind::Event | LockKind::Watch)
        .then(|| (entry, method.clone(), *receiver))
}

/// A wait for a condition that nobody tests before it, or after it.
fn without_a_look(cx: &RuleContext, id: FunctionId, event: &Event, wait: &Wait) -> Option<Verdict> {
    let function = cx.function(id);
    let held = event.held.iter().rev().find(|held| held.is_certain && is_for_state(held))?;
    let facts = cx.facts(id);
    let is_it = |other: &&Event| other.span == held.taken && matches!(other.what, What::Acquire(..) | What::Runs(_));
    let taken = facts.events.iter().find(is_it);
    // A guard that the caller brings along, or gets back: the loop is the caller's.
    let taken = taken?;
    if hands_on(cx, id, &function, wait) || is_looped(&function, taken.block, event.block) {
        return None;
    }
    let decides = |at| at != event.block && function.decides_from(taken.block, at, event.block);
    let tests: Vec<BlockIndex> = function.conditions().map(|(at, ..)| at).filter(|at| decides(*at)).collect();
    let comes_back = |test: &BlockIndex| {
        let next = function.blocks[event.block.at()].next.targets();
        next.iter().any(|target| function.leads_past(*target, *test, event.block))
    };
    if tests.iter().any(comes_back) {
        return None;
    }
    let name = cx.program.value_text(id, wait.receiver);
    let (what, help) = match tests.first() {
        None => (
            format!("`{}` waits for `{name}` without a look at what it waits for", function.name),
            "test the condition in a loop around the wait, under the lock",
        ),
        Some(_) => (
            format!("`{}` goes on when `{name}` wakes it, without another look at what it waited for", function.name),
            "test the condition in a loop around the wait: a wake-up does not mean that it holds",
        ),
    };
    let verdict = cx
        .violated(NAME, Confidence::Medium, id, event.span, &format!("`{name}`"))
        .assumes(format!("`{}` waits for `{name}` only while there is something to wait for", function.name))
        .says(what)
        .helps(help);
    Some(verdict.evidence(cx.location(id, held.taken), format!("`{}` is taken here", held.lock.name)))
}

/// Whether a wait stands in a loop with a condition that is tested under the lock before it, and again after it. Of a
/// condition of several parts, none alone decides.
fn is_looped(function: &Function, taken: BlockIndex, wait: BlockIndex) -> bool {
    let Some(around) = function.blocks[wait.at()].in_loop.map(|index| &function.loops[index.at()]) else {
        return false;
    };
    let header = around.header;
    let comes_back = || {
        let mut next = function.blocks[wait.at()].next.targets().iter();
        next.any(|next| function.leads_past(*next, header, wait))
    };
    around.kind == LoopKind::While && taken != header && !function.leads_past(taken, wait, header) && comes_back()
}

pub(super) fn is_for_state(held: &Held) -> bool {
    matches!(held.lock.kind, LockKind::Mutex | LockKind::Rwlock | LockKind::Condition)
}

/// Whether a function only hands the wait on: what it waits with comes from its caller, or its result goes back.
fn hands_on(cx: &RuleContext, id: FunctionId, function: &Function, wait: &Wait) -> bool {
    let is_private = is_special(&function.name);
    let made = cx.program.made_from(id, &Uses::of(function), wait.call);
    let goes_back = |value: ValueIndex| match cx.language(id.module) {
        Language::Python => value == wait.call || cx.program.shape(id).awaited(wait.call) == Some(value),
        Language::Rust => made.contains(&value) && cx.program.is_guard(&cx.program.value_type(id, value)),
    };
    let is_returned = function.blocks.iter().any(|block| match block.next {
        Next::Return(Some(value)) => goes_back(value),
        _ => false,
    });
    let is_given = wait.place.fields.is_empty() && is_plain_parameter(cx, id, wait.receiver);
    is_private || is_returned && !is_given
}

fn is_plain_parameter(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> bool {
    let function = cx.function(id);
    let ValueKind::Place(place) = &function.value(value).kind else { return false };
    function
        .parameters
        .iter()
        .any(|parameter| place.as_variable() == Some(parameter.variable) && parameter.kind == ParameterKind::Positional)
}
