//! What is looked at and what is changed under each taking of a Rust lock.
//!
//! The guard is followed to whatever is made from it. What is still a guard (`unwrap`, a name, `&mut`) is passed
//! through; what comes next is a part of the state that is looked at, or an act that changes it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::analysis::FunctionId;
use crate::analysis::calls::Resolution;
use crate::analysis::held::{Event, Held, Waits, What};
use crate::analysis::locks::Lock;
use crate::analysis::uses::Uses;
use crate::catalogue::{Change, LockKind, Mode};
use crate::flow::{
    BlockIndex, Callee, Field, Function, Next, Root, StepKind, Suspension, ValueIndex, ValueKind, WriteKind,
};
use crate::text::{Language, Span};

use super::context::RuleContext;
use super::stale_read_behind_lock::{Act, Done, clears, is_constant, stores};

mod looks;

/// One taking of a lock, and what its guard leads to.
pub(super) struct Taking {
    pub(super) lock: Arc<Lock>,
    /// What is held when it is taken.
    pub(super) held: Arc<[Held]>,
    pub(super) block: BlockIndex,
    pub(super) step: u32,
    pub(super) span: Span,
    /// The value that the guard is at first.
    pub(super) guard: ValueIndex,
    /// What is looked at.
    pub(super) parts: Vec<Part>,
    /// What is changed.
    pub(super) acts: Vec<Act>,
    /// Whether something is taken out, or a callee gets the guard or a way to change what is behind it.
    pub(super) is_given_away: bool,
}

/// A part of the state behind a lock that is looked at.
pub(super) struct Part {
    /// The field, `None` for the state as a whole.
    pub(super) field: Option<String>,
    /// The call that looks, if one does.
    pub(super) first: Option<ValueIndex>,
    /// Everything that is made from it.
    pub(super) made: BTreeSet<ValueIndex>,
    /// What of that is still the thing itself: parts of it, answers that it gives, operations on it. What other functions
    /// make of it may have little to do with it.
    pub(super) near: BTreeSet<ValueIndex>,
}

impl Part {
    fn of(
        cx: &RuleContext,
        id: FunctionId,
        uses: &Uses,
        value: ValueIndex,
        field: Option<String>,
        first: Option<ValueIndex>,
    ) -> Self {
        let function = cx.function(id);
        let is_near = |user: ValueIndex, of: ValueIndex| match &function.value(user).kind {
            ValueKind::Awaited(_) => false,
            ValueKind::Call(call) => matches!(call.callee, Callee::Method(receiver, _) if receiver == of),
            _ => true,
        };
        let mut near = BTreeSet::from([value]);
        let mut work = vec![value];
        while let Some(value) = work.pop() {
            let users = cx.program.users(id, uses, value).into_iter();
            work.extend(users.filter(|user| is_near(*user, value) && near.insert(*user)));
        }
        Self { field, first, made: cx.program.made_from(id, uses, value), near }
    }
}

impl Taking {
    /// Whether the state is looked at under this very guard, and that decides something.
    pub(super) fn looks_again(&self, function: &Function) -> bool {
        function.blocks.iter().any(|block| match &block.next {
            Next::Branch(Some(value), _) => self.parts.iter().any(|part| part.made.contains(value)),
            _ => false,
        })
    }
}

/// Whether a lock guards state that is one object for certain.
fn is_of_state(lock: &Lock) -> bool {
    matches!(lock.kind, LockKind::Mutex | LockKind::Rwlock) && lock.place.is_exact
}

/// The takings of locks that are taken more than once in a function, and reached from outside it.
pub(super) fn takings(cx: &RuleContext, id: FunctionId) -> Vec<Taking> {
    let facts = cx.facts(id);
    let taken = facts.events.iter().filter_map(|event| match &event.what {
        What::Acquire(lock, Waits::Yes) if is_of_state(lock) => Some((event, lock)),
        _ => None,
    });
    let taken: Vec<_> = taken.collect();
    let written: Vec<&Lock> =
        taken.iter().filter(|(_, lock)| lock.mode == Mode::Exclusive).map(|(_, lock)| &***lock).collect();
    let looked_at_below = looks::takings(cx, id, &written);
    let is_again = |lock: &Lock| {
        let is_it = |other: &Lock| other.place.is_same(&lock.place);
        taken.iter().filter(|(_, other)| is_it(other)).count() > 1
            || looked_at_below.iter().any(|below| is_it(&below.lock))
    };
    let again = taken.iter().filter(|(_, lock)| is_again(lock));
    let again: Vec<Taking> = again.filter_map(|(event, lock)| taking_at(cx, id, event, lock)).collect();
    again.into_iter().chain(looked_at_below).collect()
}

/// One taking, and what its guard leads to.
fn taking_at(cx: &RuleContext, id: FunctionId, event: &Event, lock: &Arc<Lock>) -> Option<Taking> {
    let function = cx.function(id);
    let guard = match function.blocks[event.block.at()].steps[event.step as usize].kind {
        StepKind::Suspend(Suspension::Await, Some(of)) => cx.program.shape(id).awaited(of)?,
        StepKind::Call(value) => value,
        _ => return None,
    };
    let mut taking = Taking {
        lock: lock.clone(),
        held: event.held.clone(),
        block: event.block,
        step: event.step,
        span: event.span,
        guard,
        parts: Vec::new(),
        acts: Vec::new(),
        is_given_away: false,
    };
    follow(cx, id, &Uses::of(&function), &mut taking);
    Some(taking)
}

/// Follows the guard to what is looked at and what is changed.
fn follow(cx: &RuleContext, id: FunctionId, uses: &Uses, taking: &mut Taking) {
    let function = cx.function(id);
    let mut guards = BTreeSet::from([taking.guard]);
    let mut work = vec![taking.guard];
    // Ways down from the guard that are no calls: `g.rows`, `*g`, `g[0]`, with the field that they go through.
    let mut ways: Vec<(ValueIndex, Option<String>)> = Vec::new();
    let mut entries: Vec<(ValueIndex, Option<String>)> = Vec::new();
    while let Some(value) = work.pop() {
        for user in cx.program.users(id, uses, value) {
            if guards.contains(&user) {
                continue;
            }
            if cx.program.is_guard(&cx.program.value_type(id, user)) {
                guards.insert(user);
                work.push(user);
            } else {
                entries.push((user, field_of(&function, user)));
            }
        }
    }
    let mut seen = BTreeSet::new();
    while let Some((value, field)) = entries.pop() {
        if !seen.insert(value) {
            continue;
        }
        match &function.value(value).kind {
            ValueKind::Call(call) => {
                let on = match &call.callee {
                    Callee::Method(receiver, _) => Some(*receiver),
                    _ => None,
                };
                let is_on_state = on.is_some_and(|on| guards.contains(&on) || ways.iter().any(|(way, _)| *way == on));
                let is_change = is_on_state && taking.lock.mode == Mode::Exclusive;
                match is_change.then(|| act_of_call(cx, id, uses, value)).flatten() {
                    Some(how) => {
                        let span = function.value(value).span;
                        taking.acts.extend(how.map(|how| Act { field, how, span }));
                    }
                    None => {
                        let is_writable = taking.lock.mode == Mode::Exclusive;
                        let is_taken_out = is_on_state && takes_out(cx, id, value);
                        taking.is_given_away |= is_writable && (!is_on_state || is_taken_out);
                        taking.parts.push(Part::of(cx, id, uses, value, field, Some(value)));
                    }
                }
            }
            ValueKind::Place(_)
            | ValueKind::Field(..)
            | ValueKind::Index(_)
            | ValueKind::Dereference(_)
            | ValueKind::Reference(_) => {
                ways.push((value, field.clone()));
                entries.extend(cx.program.users(id, uses, value).into_iter().map(|user| (user, field.clone())));
                taking.parts.push(Part::of(cx, id, uses, value, field, None));
            }
            _ => {
                taking.parts.push(Part::of(cx, id, uses, value, field, None));
            }
        }
    }
    if taking.lock.mode == Mode::Exclusive {
        add_stores(cx, id, &guards, &ways, taking);
    }
    // A way that is only written through is not looked at.
    let targets: BTreeSet<ValueIndex> = stores(&function)
        .filter_map(|(_, _, step)| match step.kind {
            StepKind::Store(target, WriteKind::Assign, _) => Some(target),
            _ => None,
        })
        .collect();
    taking.parts.retain(|part| !part.made.iter().any(|value| targets.contains(value)) || part.first.is_some());
}

/// The field that a value goes through, where it stands right below a guard.
fn field_of(function: &Function, value: ValueIndex) -> Option<String> {
    match &function.value(value).kind {
        ValueKind::Place(place) => match place.fields.first() {
            Some(Field::Name(name)) => Some(name.clone()),
            _ => None,
        },
        ValueKind::Field(_, name) => Some(name.clone()),
        ValueKind::Call(call) => match &call.callee {
            Callee::Method(receiver, _) => match &function.value(*receiver).kind {
                ValueKind::Field(_, name) => Some(name.clone()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// Whether a call takes something out of the state, which nobody else then finds there.
fn takes_out(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> bool {
    let resolution = cx.resolution(id, call);
    let change = resolution.external().and_then(|name| cx.program.tables(cx.language(id.module)).change(name));
    change == Some(Change::Removes)
}

/// What a call on the state does to it: `Some(None)` if it changes the state in a way that needs no check, `None` if it
/// only looks.
fn act_of_call(cx: &RuleContext, id: FunctionId, uses: &Uses, value: ValueIndex) -> Option<Option<Done>> {
    let function = cx.function(id);
    let call = function.call(value)?;
    let resolution = cx.resolution(id, value);
    let name = resolution.external();
    let change = name.and_then(|name| cx.program.tables(cx.language(id.module)).change(name));
    let is_constant = call.arguments.iter().all(|argument| is_constant(&function, argument.value));
    match change {
        Some(Change::Adds) if is_constant => Some(None),
        Some(Change::Adds) => Some(Some(Done::Calls(value, change))),
        Some(Change::Ensures | Change::Removes) => None,
        None if uses.is_only_discarded(value) && !call.arguments.is_empty() && adds_to_itself(cx, &resolution) => {
            Some(Some(Done::Calls(value, Some(Change::Adds))))
        }
        // What nobody describes, but is done for its effect alone.
        None if !call.arguments.is_empty() && uses.is_only_discarded(value) && !is_constant => {
            Some(Some(Done::Calls(value, None)))
        }
        None => None,
    }
}

/// Whether a method of the project puts something into what its receiver holds.
fn adds_to_itself(cx: &RuleContext, resolution: &Resolution) -> bool {
    let functions = resolution.functions();
    let [callee] = functions[..] else { return false };
    let function = cx.function(callee);
    let Some(receiver) = function.parameters.first().map(|first| first.variable) else { return false };
    let is_own = |value: ValueIndex| match &function.value(value).kind {
        ValueKind::Place(place) => place.root == Root::Variable(receiver) && !place.fields.is_empty(),
        _ => false,
    };
    function.steps().any(|(_, _, step)| match &step.kind {
        StepKind::Write(place, ..) => place.root == Root::Variable(receiver) && !place.fields.is_empty(),
        StepKind::Call(call) => {
            let on = match function.call(*call).map(|call| &call.callee) {
                Some(Callee::Method(on, _)) => *on,
                _ => return false,
            };
            let resolution = cx.resolution(callee, *call);
            let change = resolution.external().and_then(|name| cx.program.tables(Language::Rust).change(name));
            is_own(on) && change == Some(Change::Adds)
        }
        _ => false,
    })
}

fn add_stores(
    cx: &RuleContext,
    id: FunctionId,
    guards: &BTreeSet<ValueIndex>,
    ways: &[(ValueIndex, Option<String>)],
    taking: &mut Taking,
) {
    let function = cx.function(id);
    for (block, at, step) in stores(&function) {
        let (field, kind, value) = match &step.kind {
            StepKind::Store(target, kind, value) => {
                let Some((_, field)) = ways.iter().find(|(way, _)| way == target) else { continue };
                (field.clone(), *kind, *value)
            }
            StepKind::Write(place, kind, Some(value)) => {
                let Root::Variable(variable) = place.root else { continue };
                let Some(Field::Name(field)) = place.fields.first() else { continue };
                let reaching = cx.program.reaching(id, variable, block, at);
                if !reaching.values.iter().any(|value| guards.contains(value)) {
                    continue;
                }
                (Some(field.clone()), *kind, *value)
            }
            _ => continue,
        };
        if !clears(&function, value) {
            taking.acts.push(Act { field, how: Done::Stores(value, kind), span: step.span });
        }
    }
}
