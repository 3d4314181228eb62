//! A thread or task whose handle is kept behind the very lock that it takes (Rust).
//!
//! ~~~text
//! state.lock().handle = Some(spawn(move || … theirs.lock() …))      takes what `state` is
//! if let Some(handle) = state.lock().handle.take() { handle.join() }    and the guard lives to the end
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, Held, HeldBy, Waits};
use crate::analysis::uses::Uses;
use crate::catalogue::Runs;
use crate::flow::{
    BlockIndex, Callee, Field, Function, FunctionKind, Owner, Place, Root, Step, StepKind, ValueIndex, ValueKind,
};
use crate::rules::context::RuleContext;
use crate::text::Language;
use crate::verdict::{Confidence, Stance, Verdict};

use super::{counts, ends_never};

/// How many values lie between a handle and the guard that it was got through.
const DEEPEST: u32 = 12;

pub(super) fn check(cx: &RuleContext, id: FunctionId, event: &Event, handle: ValueIndex) -> Option<Verdict> {
    if cx.language(id.module) != Language::Rust {
        return None;
    }
    let function = cx.function(id);
    let (owner, field) = way(cx, id, &function, handle, None, DEEPEST)?;
    let held = event.held.iter().find(|held| counts(held) && held.by == HeldBy::Guard(owner))?;
    let class = held.lock.place.class.as_deref()?;
    let mut all = cx.program.functions_of(id.module);
    all.find_map(|by| started(cx, (id, event, held), by, class, field.as_deref()))
}

/// The owner of the guard that a handle was got through, and the field behind the guard that it was kept in.
fn way(
    cx: &RuleContext,
    id: FunctionId,
    function: &Function,
    value: ValueIndex,
    field: Option<String>,
    depth: u32,
) -> Option<(Owner, Option<String>)> {
    let depth = depth.checked_sub(1)?;
    if cx.program.is_guard(&cx.program.value_type(id, value)) {
        let variable = match &function.value(value).kind {
            ValueKind::Place(place) => place.as_variable(),
            _ => None,
        };
        return Some((variable.map_or(Owner::Temporary(value), Owner::Variable), field));
    }
    let node = function.value(value);
    match &node.kind {
        ValueKind::Payload(of, ..) | ValueKind::Reference(of) | ValueKind::Dereference(of) | ValueKind::Try(of) => {
            way(cx, id, function, *of, field, depth)
        }
        ValueKind::Field(of, name) => way(cx, id, function, *of, Some(name.clone()), depth),
        ValueKind::Call(call) => match call.callee {
            // What an option or result is asked for.
            Callee::Method(receiver, _) if call.arguments.is_empty() => {
                cx.resolution(id, value).external()?;
                way(cx, id, function, receiver, field, depth)
            }
            _ => None,
        },
        ValueKind::Place(place) => {
            let Root::Variable(variable) = place.root else { return None };
            if let Some(name) = last_name(place) {
                return Some((Owner::Variable(variable), Some(name)));
            }
            let reaching = cx.program.reaching(id, variable, node.block, node.step);
            let ([only], false) = (&reaching.values[..], reaching.from_entry) else { return None };
            way(cx, id, function, *only, field, depth)
        }
        _ => None,
    }
}

fn last_name(place: &Place) -> Option<String> {
    match place.fields.last() {
        Some(Field::Name(name)) => Some(name.clone()),
        _ => None,
    }
}

/// Where a function starts something that takes the lock, and keeps its handle behind that lock.
fn started(
    cx: &RuleContext,
    (id, event, held): (FunctionId, &Event, &Held),
    by: FunctionId,
    class: &str,
    field: Option<&str>,
) -> Option<Verdict> {
    let function = cx.function(by);
    let facts = cx.facts(by);
    let is_under = |(block, at): (BlockIndex, usize)| {
        facts.held_at(block, at as u32).iter().any(|held| held.lock.place.class.as_deref() == Some(class))
    };
    let kept: Vec<ValueIndex> = function
        .steps()
        .filter_map(|(block, at, step)| kept(&function, step, field).filter(|_| is_under((block, at))))
        .collect();
    if kept.is_empty() {
        return None;
    }
    let uses = Uses::of(&function);
    function.calls().map(|(call, _)| call).find_map(|start| {
        let runs = cx.program.spawn(by, &cx.resolution(by, start))?.runs;
        let made = || cx.program.made_from(by, &uses, start);
        if !matches!(runs, Runs::Thread | Runs::Task) || !kept.iter().any(|kept| made().contains(kept)) {
            return None;
        }
        let (given, _) = cx.program.given_to_run(by, start)?;
        given.into_iter().find_map(|argument| {
            let [callee] = cx.program.functions_meant(by, argument)[..] else { return None };
            let summary = cx.program.summary(callee);
            let takes = summary.takes.iter().find(|takes| {
                let is_it = takes.lock.place.class.as_deref() == Some(class) && takes.lock.kind == held.lock.kind;
                is_it && takes.waits == Waits::Yes && !held.lock.shares_with(&takes.lock)
            })?;
            let inner = cx.function(callee);
            let name = match inner.kind {
                FunctionKind::Closure | FunctionKind::AsyncBlock => "<",
                _ => inner.name.as_str(),
            };
            let at = cx.location(by, function.value(start).span);
            let mut verdict = ends_never(cx, id, event, held, takes, name, at);
            verdict.stance = Stance::Violated(Confidence::Medium);
            Some(verdict)
        })
    })
}

/// What a step puts into a field, or in the place of the whole.
fn kept(function: &Function, step: &Step, field: Option<&str>) -> Option<ValueIndex> {
    let name_of = |target: ValueIndex| match &function.value(target).kind {
        ValueKind::Field(_, name) => Some(name.clone()),
        ValueKind::Place(place) => last_name(place),
        _ => None,
    };
    match &step.kind {
        StepKind::Store(target, _, value) => (name_of(*target).as_deref() == field).then_some(*value),
        StepKind::Write(place, _, value) => value.filter(|_| last_name(place).as_deref() == field),
        _ => None,
    }
}
