//! Somebody waits, holding a lock, for somebody who needs that lock.
//!
//! Two shapes are followed: the end of something that was started (`thread.join()`, `future.result()`, an awaited task)
//! which takes the lock on its way; and a signal (an event, a queue, a condition) that is only ever given under it.

mod behind;
mod kept;
mod scoped;
pub(super) mod widened;

use std::sync::Arc;

use crate::analysis::held::{Event, Held, HeldBy, Waits, What};
use crate::analysis::locks::Lock;
use crate::analysis::summary::Takes;
use crate::analysis::types::Type;
use crate::analysis::{FunctionId, ModuleId, mentions};
use crate::catalogue::{BlockingKind, Flavour, LockKind, Runs};
use crate::flow::{Call, Callee, Field, Function, Owner, Place, Suspension, ValueIndex, ValueKind};
use crate::verdict::{Confidence, Verdict};

use super::context::RuleContext;

const NAME: &str = "wait-under-lock";

/// How many places that give a signal are looked at; a signal that is given more often is not followed.
const MOST_WAKERS: usize = 32;

/// How many files beside the one with the wait are looked through for such places.
const MOST_FILES: usize = 64;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    for event in cx.facts(id).events.iter().filter(|event| event.held.iter().any(|held| counts(held) || limits(held))) {
        match event.what {
            What::Call(value) => {
                scoped::check(cx, id, event, value, out);
                if let Some(handle) = waited_for(cx, id, value) {
                    for_the_end(cx, id, event, handle, out);
                }
                for_a_signal(cx, id, event, value, out);
            }
            // What runs in the await itself takes the lock again rather than wait for a holder.
            What::Suspend(Suspension::Await, Some(of)) if cx.program.in_place(id, event).is_empty() => {
                for_the_end(cx, id, event, of, out);
            }
            What::Suspend(..) | What::Acquire(..) | What::Runs(_) => {}
        }
    }
}

/// Whether a held lock keeps others waiting, for certain.
fn counts(held: &Held) -> bool {
    let lock = &held.lock;
    held.is_certain
        && lock.place.is_exact
        && matches!(lock.kind, LockKind::Mutex | LockKind::Rwlock | LockKind::Condition)
        && matches!(lock.flavour, Flavour::Blocking | Flavour::Async)
}

/// Whether a held lock is a permit of one of so many. Whoever waits with one for others of his kind is sooner or later
/// one of so many who do.
fn limits(held: &Held) -> bool {
    let lock = &held.lock;
    held.is_certain && lock.place.is_exact && lock.kind == LockKind::Semaphore
}

/// The handle whose end a call waits for without bound: the receiver of `join()`, `result()`.
pub(super) fn waited_for(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> Option<ValueIndex> {
    let function = cx.function(id);
    let call = function.call(value)?;
    if let (Callee::Method(receiver, _), [given]) = (&call.callee, &call.arguments[..])
        && is_wait_by_name(cx, id, given.value)
    {
        return Some(*receiver);
    }
    let entry = cx.program.blocking_call(id, value, &cx.resolution(id, value))?;
    match &call.callee {
        Callee::Method(receiver, _) if entry.kind == BlockingKind::LockWait && call.arguments.is_empty() => {
            Some(*receiver)
        }
        _ => None,
    }
}

/// Whether a function that is given by its name waits for a thread: `handle.map(JoinHandle::join)` (Rust).
fn is_wait_by_name(cx: &RuleContext, id: FunctionId, given: ValueIndex) -> bool {
    if !matches!(cx.function(id).value(given).kind, ValueKind::Path(..)) {
        return false;
    }
    let Type::External(name) = cx.program.value_type(id, given) else { return false };
    let entry = cx.program.tables(cx.language(id.module)).blocking(&name);
    entry.is_some_and(|entry| entry.kind == BlockingKind::LockWait)
}

/// What a handle stands for: the call that started it, and the function that the call stands in.
pub(super) fn start_of(cx: &RuleContext, id: FunctionId, handle: ValueIndex) -> Option<(FunctionId, ValueIndex)> {
    let function = cx.function(id);
    let value = function.value(handle);
    match &value.kind {
        ValueKind::Call(_) => Some((id, handle)),
        ValueKind::Place(place) => match (place.as_variable(), &place.fields[..]) {
            (Some(variable), _) => {
                let reaching = cx.program.reaching(id, variable, value.block, value.step);
                match (&reaching.values[..], reaching.from_entry) {
                    ([only], false) => start_of(cx, id, *only),
                    _ => None,
                }
            }
            (None, [Field::Name(name)]) => kept_in_field(cx, id, place, name),
            _ => None,
        },
        _ => None,
    }
}

/// A handle that the function's own object keeps, and gets in one place.
fn kept_in_field(cx: &RuleContext, id: FunctionId, place: &Place, name: &str) -> Option<(FunctionId, ValueIndex)> {
    let function = cx.function(id);
    let receiver = Place { fields: Vec::new(), ..place.clone() }.as_variable()?;
    if function.parameters.first()?.variable != receiver {
        return None;
    }
    let owner = cx.program.self_type(id)?;
    let field = cx.program.type_def(owner).fields.iter().find(|field| field.name == name).cloned()?;
    let made = |value: &&crate::flow::ValueOf| {
        let function = cx.function(FunctionId { module: owner.module, index: value.function });
        function.call(value.value).is_some()
    };
    let mut made = field.values.iter().filter(made);
    let (only, None) = (made.next()?, made.next()) else { return None };
    Some((FunctionId { module: owner.module, index: only.function }, only.value))
}

/// A wait for the end of something that takes the lock on its way.
fn for_the_end(cx: &RuleContext, id: FunctionId, event: &Event, handle: ValueIndex, out: &mut Vec<Verdict>) {
    let Some((starter, start)) = start_of(cx, id, handle) else {
        out.extend(kept::check(cx, id, event, handle).or_else(|| behind::check(cx, id, event, handle)));
        return;
    };
    let Some((given, runs)) = cx.program.given_to_run(starter, start) else {
        out.extend(behind::check(cx, id, event, handle));
        return;
    };
    if !matches!(runs, Runs::Thread | Runs::Task) {
        return;
    }
    for argument in given {
        let meant = cx.program.functions_meant(starter, argument);
        let [callee] = meant[..] else { continue };
        let summary = cx.program.summary(callee);
        let found = summary.takes.iter().filter(|takes| takes.waits == Waits::Yes).find_map(|takes| {
            let lock = cx.program.bound_at_start(starter, argument, callee, &takes.lock);
            let held = event.held.iter().filter(|held| counts(held) || callee == id && limits(held));
            let held = held.into_iter().find(|held| keeps_out(held, &lock, runs))?;
            Some((held, takes))
        });
        if let Some((held, takes)) = found {
            let start = cx.location(starter, cx.function(starter).value(start).span);
            let started = cx.function(callee);
            out.push(ends_never(cx, id, event, held, takes, &started.name, start));
            return;
        }
    }
}

/// Whether what was started waits for the lock as long as it is held.
fn keeps_out(held: &Held, lock: &Lock, runs: Runs) -> bool {
    // A task of the same thread may take a re-entrant lock of that thread.
    let goes_in = lock.is_reentrant && runs == Runs::Task;
    held.lock.place.is_same(&lock.place) && held.lock.kind == lock.kind && !held.lock.shares_with(lock) && !goes_in
}

fn ends_never(
    cx: &RuleContext,
    id: FunctionId,
    event: &Event,
    held: &Held,
    takes: &Takes,
    started: &str,
    start: crate::verdict::Location,
) -> Verdict {
    let function = cx.function(id);
    let name = &held.lock.name;
    let what = if started.starts_with('<') { "what it started".to_owned() } else { format!("`{started}`") };
    // Another permit is there until the others have taken theirs.
    let (confidence, permit, harm) = match held.lock.kind {
        LockKind::Semaphore => {
            (Confidence::Medium, "a permit of ", "it waits for ever once the others have done the same")
        }
        _ => (cx.confidence_of(held), "", "neither goes on"),
    };
    cx.violated(NAME, confidence, id, event.span, &format!("`{name}`"))
        .assumes(format!("what `{}` waits for under `{name}` ends without taking `{name}`", function.name))
        .says(format!(
            "`{}` waits for {what} to end while it holds {permit}`{name}`, which {what} takes: {harm}",
            function.name
        ))
        .helps("let the lock go before the wait")
        .evidence(cx.location(id, held.taken), format!("`{name}` is taken here"))
        .evidence(takes.at.clone(), format!("`{}` is taken here by {what}", takes.lock.name))
        .evidence(start, format!("{what} is started here"))
        .trace([cx.program.hop(id, event.span, format!("waits for {what} to end"))])
        .trace(takes.hops.iter().cloned())
}

/// A wait for a signal that is given under the lock only.
fn for_a_signal(cx: &RuleContext, id: FunctionId, event: &Event, value: ValueIndex, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let Some(call) = function.call(value) else { return };
    // A wait with a bound ends.
    if call.arguments.iter().any(|argument| argument.name.is_some()) {
        return;
    }
    let Callee::Method(receiver, _) = &call.callee else { return };
    let resolution = cx.resolution(id, value);
    let Some((type_name, method)) = split(cx, id.module, resolution.external()) else { return };
    let Some(known) = cx.program.tables(cx.language(id.module)).lock(type_name) else { return };
    let Some(wakes) = known.wakes.get(method) else { return };
    let takes_predicate = known.kind == LockKind::Condition;
    let is_let_go = known.flavour == Flavour::Async && !cx.program.is_awaited(id, value);
    if is_let_go || !(call.arguments.is_empty() || takes_predicate) {
        return;
    }
    let signal = cx.program.lock_place(id, *receiver);
    let Some(class) = signal.class.clone().filter(|_| signal.is_exact) else { return };
    // A condition gives its own lock back; that it has one of its own shows where it is entered beside the other, or
    // handed in.
    let is_own = |held: &Held| held.lock.place.is_same(&signal) || is_handed_in(&function, call, held);
    if known.kind == LockKind::Condition && !event.held.iter().any(is_own) {
        return;
    }
    let others = event.held.iter().filter(|held| counts(held) && !is_own(held));
    let others: Vec<&Held> = others.filter(|held| held.lock.place.class.is_some()).collect();
    if others.is_empty() {
        return;
    }
    let wakers = wakers(cx, id, &class, wakes);
    if wakers.is_empty() || wakers.len() > MOST_WAKERS {
        return;
    }
    let needs = |held: &Held, (_, event): &(FunctionId, Event)| {
        event.held.iter().any(|other| {
            counts(other) && other.lock.place.class == held.lock.place.class && !other.lock.shares_with(&held.lock)
        })
    };
    let Some(held) = others.into_iter().find(|held| wakers.iter().all(|waker| needs(held, waker))) else { return };
    let (name, signal) = (&held.lock.name, cx.program.value_text(id, *receiver));
    let (waker, given) = &wakers[0];
    let giver = cx.function(*waker);
    out.push(
        cx.violated(NAME, Confidence::Medium, id, event.span, &format!("`{name}`, `{signal}`"))
            .assumes(format!("`{signal}` can be signalled while `{}` waits for it under `{name}`", function.name))
            .says(format!(
                "`{}` waits for `{signal}` while it holds `{name}`, which `{}` needs to signal it: neither goes on",
                function.name, giver.name
            ))
            .helps("let the lock go before the wait, or give the signal without it")
            .evidence(cx.location(id, held.taken), format!("`{name}` is taken here"))
            .evidence(
                cx.location(*waker, given.span),
                format!("`{}` signals it here, under the same lock", giver.name),
            ),
    );
}

/// Whether a call is given the guard of a lock that is held.
fn is_handed_in(function: &Function, call: &Call, held: &Held) -> bool {
    call.arguments.iter().any(|argument| match &function.value(argument.value).kind {
        ValueKind::Place(place) => {
            place.as_variable().is_some_and(|variable| held.by == HeldBy::Guard(Owner::Variable(variable)))
        }
        _ => false,
    })
}

fn split<'n>(cx: &RuleContext, module: ModuleId, name: Option<&'n str>) -> Option<(&'n str, &'n str)> {
    name?.rsplit_once(cx.language(module).separator())
}

/// Every call that gives a signal, in the files that are loaded or stand beside the wait.
fn wakers(cx: &RuleContext, id: FunctionId, class: &str, wakes: &[String]) -> Vec<(FunctionId, Event)> {
    let name = class.rsplit(['.', ':']).next().unwrap_or_default();
    let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    let here = folder(&cx.program.module(id.module).path);
    let (loader, side) = (cx.program.loader(), cx.program.side);
    let files = loader.files(side);
    let is_open = |path: &&Arc<str>| folder(path) == here && !cx.program.is_loaded(path);
    let beside: Vec<Arc<str>> = files.iter().filter(is_open).take(MOST_FILES).cloned().collect();
    for path in loader.mentioning(side, &beside, &|bytes| mentions(bytes, name)) {
        cx.program.module_at(&path);
    }
    let mut found = Vec::new();
    for module in cx.program.loaded() {
        if cx.language(module) != cx.language(id.module) {
            continue;
        }
        for by in cx.program.functions_of(module) {
            let function = cx.function(by);
            let gives = |value: ValueIndex| {
                let call = function.call(value)?;
                let Callee::Method(receiver, method) = &call.callee else { return None };
                let is_it =
                    wakes.contains(method) && cx.program.lock_place(by, *receiver).class.as_deref() == Some(class);
                is_it.then_some(())
            };
            if !(0..function.values.len() as u32).any(|value| gives(ValueIndex(value)).is_some()) {
                continue;
            }
            let facts = cx.facts(by);
            let given =
                facts.events.iter().filter(|event| matches!(event.what, What::Call(value) if gives(value).is_some()));
            found.extend(given.map(|event| (by, event.clone())));
        }
    }
    found
}
