//! A thread that ends when every sender is gone, waited for by the object that still has one.
//!
//! ~~~text
//! let thread = spawn(move || for job in jobs { … });      goes on until nobody can send any more
//! Self { sender, thread: Some(thread) }
//! fn drop(&mut self) { self.thread.take().join() }        `self.sender` is there until this is over
//! ~~~

use crate::analysis::channels::{Drain, End};
use crate::analysis::held::{Event, What};
use crate::analysis::uses::{Uses, for_each_part};
use crate::analysis::{FunctionId, TypeId};
use crate::catalogue::BlockingKind;
use crate::flow::{Callee, Collection, Field, Root, StepKind, Suspension, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Confidence, Verdict};

use super::NAME;
use super::own_sender::ends_with_its_senders;
use crate::rules::context::RuleContext;

/// How many values lie between what a field is given and the start of the thread.
const FARTHEST: u32 = 8;

/// How many methods of the same object may lie between the wait and the one that lets the sender go.
const DEEPEST: u32 = 3;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if cx.language(id.module) != Language::Rust || function.owner.is_none() && function.in_impl.is_none() {
        return;
    }
    let facts = cx.facts(id);
    for (event, handle) in facts.events.iter().filter_map(|event| Some((event, waits_for(cx, id, event)?))) {
        let Some(kept) = kept(cx, id, handle) else { continue };
        let Some(drain) = loop_behind(cx, kept.by, kept.given) else { continue };
        let keeps = |(_, value): &&(String, ValueIndex)| {
            let end = cx.program.channel_end(kept.by, inside_some(cx, kept.by, *value));
            drain.channel.is_some_and(|channel| end == Some(End { channel, receives: false }))
        };
        let Some((sender, _)) = kept.fields.iter().find(keeps) else { continue };
        if !mentions(cx, id, sender, DEEPEST) {
            out.push(never_over(cx, id, event, &drain, (&kept.field, sender)));
            return;
        }
    }
}

/// A value that a method gets from a field of its object, and what the fields are given where that is made.
pub(in crate::rules) struct Kept {
    /// The function that makes the object.
    pub(in crate::rules) by: FunctionId,
    /// The field.
    pub(in crate::rules) field: String,
    /// What it is given.
    pub(in crate::rules) given: ValueIndex,
    /// All fields, each with what it is given.
    pub(in crate::rules) fields: Vec<(String, ValueIndex)>,
}

/// Where a value comes from that a method has of a field of its object.
pub(in crate::rules) fn kept(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> Option<Kept> {
    let function = cx.function(id);
    let receiver = function.parameters.first()?.variable;
    let (by, fields) = cx.program.self_type(id).and_then(|owner| made_of(cx, owner))?;
    let uses = Uses::of(&function);
    let comes_from = |(name, _): &&(String, ValueIndex)| {
        (0..).zip(&function.values).any(|(at, read)| {
            let is_it = matches!(&read.kind, ValueKind::Place(place) if place.root == Root::Variable(receiver)
                && place.fields.first() == Some(&Field::Name(name.clone())));
            let at = ValueIndex(at);
            is_it && (at == value || cx.program.made_from(id, &uses, at).contains(&value))
        })
    };
    let (field, given) = fields.iter().find(comes_from)?.clone();
    Some(Kept { by, field, given, fields })
}

/// What the fields of a type are given where the only value of it in its file is made.
fn made_of(cx: &RuleContext, owner: TypeId) -> Option<(FunctionId, Vec<(String, ValueIndex)>)> {
    let module = cx.program.module(owner.module);
    let mut found = None;
    for (index, function) in module.functions() {
        let id = FunctionId { module: owner.module, index };
        for (at, value) in (0..).zip(&function.values) {
            let ValueKind::Collection(Collection::Struct(_), items) = &value.kind else { continue };
            let of = cx.program.value_type(id, ValueIndex(at));
            if of.instance().and_then(|of| of.definition) != Some(owner) {
                continue;
            }
            let items = items.iter().filter_map(|(name, item)| Some((name.clone()?, *item))).collect();
            if found.replace((id, items)).is_some() {
                return None;
            }
        }
    }
    found
}

/// The handle of a thread or task that is waited for.
fn waits_for(cx: &RuleContext, id: FunctionId, event: &Event) -> Option<ValueIndex> {
    let function = cx.function(id);
    match event.what {
        What::Call(call) => {
            let Callee::Method(on, _) = function.call(call)?.callee else { return None };
            let entry = cx.program.blocking_call(id, call, &cx.resolution(id, call))?;
            (entry.kind == BlockingKind::LockWait).then_some(on)
        }
        What::Suspend(Suspension::Await, Some(of)) => {
            let handle = cx.program.value_type(id, of);
            cx.program.tables(Language::Rust).is_handle(&handle.instance()?.name).then_some(of)
        }
        _ => None,
    }
}

/// What is inside `Some(…)`, in that or as it is.
pub(in crate::rules) fn inside_some(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> ValueIndex {
    let function = cx.function(id);
    match function.call(value) {
        Some(call) if matches!(&call.callee, Callee::Path(path) if path.last().is_some_and(|last| last == "Some")) => {
            call.arguments.first().map_or(value, |argument| argument.value)
        }
        _ => value,
    }
}

/// The call that starts what runs behind a handle, what it is given to run, and which function that is.
pub(in crate::rules) fn started(
    cx: &RuleContext,
    id: FunctionId,
    handle: ValueIndex,
) -> Option<(ValueIndex, ValueIndex, FunctionId)> {
    let start = start_of(cx, id, handle, FARTHEST)?;
    let function = cx.function(id);
    let spawn = cx.program.spawn(id, &cx.resolution(id, start))?;
    let started = cx.program.arguments_meant(function.call(start)?, &spawn.argument);
    let [started] = started[..] else { return None };
    let ValueKind::Function(index) = function.value(started).kind else { return None };
    Some((start, started, FunctionId { module: id.module, index }))
}

/// The loop that ends with its senders, in what runs behind a handle.
fn loop_behind<'a>(cx: &RuleContext<'_, 'a>, id: FunctionId, value: ValueIndex) -> Option<Drain<'a>> {
    let (_, _, inner) = started(cx, id, value)?;
    let drains = cx.program.drains(inner).into_iter();
    let is_its = |drain: &Drain| {
        drain.entry.room.is_none()
            && drain.channel.is_some_and(|channel| channel.function == id)
            && ends_with_its_senders(cx, drain)
    };
    let mut drains = drains.filter(is_its);
    drains.next()
}

/// The call that starts what a value is the handle of.
fn start_of(cx: &RuleContext, id: FunctionId, value: ValueIndex, depth: u32) -> Option<ValueIndex> {
    let depth = depth.checked_sub(1)?;
    let function = cx.function(id);
    let node = function.value(value);
    if function.call(value).is_some() && cx.program.spawn(id, &cx.resolution(id, value)).is_some() {
        return Some(value);
    }
    if let ValueKind::Place(place) = &node.kind {
        let reaching = cx.program.reaching(id, place.as_variable()?, node.block, node.step);
        let [only] = reaching.values[..] else { return None };
        return start_of(cx, id, only, depth);
    }
    let mut parts = Vec::new();
    for_each_part(&node.kind, |part| parts.push(part));
    let mut found = parts.into_iter().filter_map(|part| start_of(cx, id, part, depth));
    found.next()
}

/// Whether a method, or one of the same object that it calls, does anything with a field.
fn mentions(cx: &RuleContext, id: FunctionId, name: &str, depth: u32) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return true };
    let module = cx.program.module(id.module);
    let is_inside = |mut at: crate::flow::FunctionIndex| loop {
        match (at == id.index, module.function(at).parent) {
            (true, _) => return true,
            (false, Some(parent)) => at = parent,
            (false, None) => return false,
        }
    };
    let owner = cx.program.self_type(id);
    module.functions().filter(|(index, _)| is_inside(*index)).any(|(index, part)| {
        let by = FunctionId { module: id.module, index };
        let names_it = part.values.iter().any(|value| match &value.kind {
            ValueKind::Place(place) => place.fields.contains(&Field::Name(name.to_owned())),
            ValueKind::Field(_, field) | ValueKind::Payload(_, _, field) => field == name,
            _ => false,
        });
        let writes_it = part.steps().any(|(_, _, step)| {
            matches!(&step.kind, StepKind::Write(place, ..) if place.fields.contains(&Field::Name(name.to_owned())))
        });
        names_it
            || writes_it
            || (0..part.values.len() as u32).map(ValueIndex).filter(|at| part.call(*at).is_some()).any(|call| {
                let callees = cx.resolution(by, call).functions();
                let of_the_same =
                    |callee: &FunctionId| *callee != id && owner.is_some() && cx.program.self_type(*callee) == owner;
                callees.iter().filter(|callee| of_the_same(callee)).any(|callee| mentions(cx, *callee, name, depth))
            })
    })
}

fn never_over(
    cx: &RuleContext,
    id: FunctionId,
    event: &Event,
    drain: &Drain,
    (handle, sender): (&str, &str),
) -> Verdict {
    let name = &cx.function(id).name;
    let receiver = cx.program.value_text(drain.by, drain.end);
    cx.violated(NAME, Confidence::Medium, id, event.span, &format!("`self.{handle}`, `self.{sender}`"))
        .assumes(format!("what runs behind `self.{handle}` comes to its end while `{name}` waits for it"))
        .says(format!(
            "`{name}` waits for `self.{handle}`, which goes on until the last sender is gone, and `self.{sender}` stays \
             until `{name}` is over: it never ends"
        ))
        .helps(format!("let `self.{sender}` go before the wait"))
        .evidence(
            cx.location(drain.by, cx.function(drain.by).value(drain.receive).span),
            format!("`{receiver}` is waited for here until the last sender is gone"),
        )
}
