//! Something of no known length is awaited under an asynchronous lock that others need, and need not be.
//!
//! ~~~text
//! async with self._lock:
//!     async with session.get(url) as answer: …      nothing that the lock protects is touched before the wait,
//!     self._rows = await answer.json()              or nothing after it: the lock could be taken later, or go sooner
//! ~~~
//!
//! A lock that is held over a wait on purpose has its state touched on both sides: looked up, fetched, stored. And what
//! is awaited *on* the protected thing itself needs the lock. Where nobody knows how long an await lasts, the reviewer is
//! asked.

mod unknown;

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, Held, HeldBy, What};
use crate::analysis::summary::Lasts;
use crate::analysis::uses::Uses;
use crate::catalogue::{Flavour, LockKind, Mode, WaitsFor};
use crate::flow::{BlockIndex, Callee, Field, Owner, Place, Root, StepKind, Suspension, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Confidence, Stake, Verdict};

use super::context::RuleContext;

pub(super) const NAME: &str = "slow-await-under-lock";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let mut reported = Vec::new();
    for event in &cx.facts(id).events {
        let What::Suspend(how, Some(of)) = event.what else { continue };
        if how == Suspension::Exit || event.held.is_empty() || !cx.gives_way(id, event) {
            continue;
        }
        let held = event.held.iter().find(|held| counts(held) && held.taken != event.span);
        let Some(held) = held.filter(|held| !reported.contains(&held.taken)) else { continue };
        let Some(lasts) = lasts(cx, id, event, of) else { continue };
        if is_needed(cx, id, event, of, held) || !is_taken_elsewhere(cx, id, held) {
            continue;
        }
        reported.push(held.taken);
        out.push(verdict(cx, id, event, held, &lasts));
    }
    unknown::check(cx, id, &reported, out);
}

/// Whether others wait for a held lock without an end, and it is known which one it is.
fn counts(held: &Held) -> bool {
    shuts_out(held) && held.lock.place.is_exact && held.lock.place.class.is_some()
}

/// Whether others wait for a held lock, as far as its kind says.
fn shuts_out(held: &Held) -> bool {
    let lock = &held.lock;
    held.is_certain
        && lock.flavour == Flavour::Async
        && lock.mode == Mode::Exclusive
        && matches!(lock.kind, LockKind::Mutex | LockKind::Rwlock)
}

/// The wait of no known length that an await comes to.
pub(super) fn lasts(cx: &RuleContext, id: FunctionId, event: &Event, of: ValueIndex) -> Option<Lasts> {
    if let Some(own) = cx.program.lasts(id, event, of) {
        return Some(own);
    }
    if cx.program.ends_in_time(id, event) {
        return None;
    }
    cx.program.in_place(id, event).into_iter().filter(|in_place| in_place.is_awaited).find_map(|in_place| {
        let summaries: Vec<_> = in_place.summaries(cx.program, id);
        let first = summaries.first()?.waits.first()?.clone();
        summaries.iter().all(|summary| !summary.waits.is_empty()).then(|| {
            let hop = cx.program.hop(id, event.span, in_place.what(cx.program, id));
            Lasts { hops: std::iter::once(hop).chain(first.hops).collect(), ..first }
        })
    })
}

/// Whether the wait belongs under the lock: it is made on what the lock protects, or that is touched on both sides.
fn is_needed(cx: &RuleContext, id: FunctionId, event: &Event, of: ValueIndex, held: &Held) -> bool {
    let function = cx.function(id);
    let awaited = function.value(of).span;
    let is_inside = |span: crate::text::Span| awaited.start <= span.start && span.end <= awaited.end;
    let here = (event.block, event.step);
    let mut sides = (false, false);
    let mut note = |at: (BlockIndex, u32)| if at < here { sides.0 = true } else { sides.1 = true };
    match (cx.language(id.module), held.by) {
        (Language::Rust, HeldBy::Guard(Owner::Variable(guard))) => {
            let uses = Uses::of(&function);
            for &read in uses.reads(guard) {
                let value = function.value(read);
                if is_inside(value.span) {
                    return true;
                }
                note((value.block, value.step));
            }
            // What was made from the guard before is needed as long as it is used.
            let made = uses.reads(guard).iter().flat_map(|&read| cx.program.made_from(id, &uses, read));
            if made.into_iter().any(|value| is_inside(function.value(value).span)) {
                return true;
            }
        }
        (Language::Rust, _) => return true,
        (Language::Python, _) => {
            let facts = cx.facts(id);
            for (block, number, step) in function.steps() {
                let at = (block, number as u32);
                let is_under = || facts.held_at(block, at.1).iter().any(|other| other.taken == held.taken);
                let touches = match &step.kind {
                    StepKind::Read(place) | StepKind::Write(place, ..) => is_state(cx, id, place, at),
                    StepKind::Call(value) => is_own_method(cx, id, *value),
                    _ => false,
                };
                if touches && step.span != held.taken && !is_inside(step.span) && is_under() {
                    note(at);
                }
            }
        }
    }
    sides.0 && sides.1
}

/// Whether a place is state of the function's own object or of its module, and no lock.
fn is_state(cx: &RuleContext, id: FunctionId, place: &Place, at: (BlockIndex, u32)) -> bool {
    let is_reached = match &place.root {
        Root::Global(_) => true,
        Root::Variable(_) => matches!(place.fields.first(), Some(Field::Name(_))),
    };
    let of = cx.program.place_type(id, place, at.0, at.1);
    let is_lock = of.alternatives().iter().any(|of| cx.program.lock_type_name(Language::Python, of).is_some());
    is_reached && !is_lock
}

/// Whether a call is of a method on the function's own object, which may touch anything of it.
fn is_own_method(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> bool {
    let function = cx.function(id);
    let Some(Callee::Method(receiver, _)) = function.call(value).map(|call| &call.callee) else { return false };
    let own = function.parameters.first().map(|first| first.variable);
    match &function.value(*receiver).kind {
        ValueKind::Place(place) => own.is_some() && place.as_variable() == own,
        _ => false,
    }
}

/// Whether another function of the file takes the lock as well.
fn is_taken_elsewhere(cx: &RuleContext, id: FunctionId, held: &Held) -> bool {
    let mut others = cx.program.functions_of(id.module);
    let takes = |event: &Event| match &event.what {
        What::Acquire(lock, _) => lock.place.class == held.lock.place.class,
        _ => false,
    };
    others.any(|other| other != id && cx.facts(other).events.iter().any(takes))
}

fn verdict(cx: &RuleContext, id: FunctionId, event: &Event, held: &Held, lasts: &Lasts) -> Verdict {
    let function = cx.function(id);
    let (name, by) = (&held.lock.name, &function.name);
    let whom = match lasts.waits_for {
        WaitsFor::Network => "the network",
        WaitsFor::Process => "another process",
        WaitsFor::Signal => "another task",
    };
    let wait = if lasts.hops.len() > 1 {
        format!("{}, which waits for {whom} in `{}`", lasts.hops[0].what, lasts.name)
    } else {
        format!("waits for {whom} in `{}`", lasts.name)
    };
    cx.violated(NAME, Confidence::High, id, event.span, &format!("`{name}`"))
        .assumes(format!("nothing of unknown length is awaited in `{by}` under `{name}`"))
        .says(format!("`{by}` holds `{name}` and {wait}: whoever needs the lock waits as long"))
        .helps("take the lock after the wait, or let it go before")
        .evidence(cx.location(id, held.taken), format!("`{name}` is taken here"))
        .evidence(lasts.at.clone(), format!("`{}` waits for {whom}", lasts.name))
        .trace(lasts.hops.iter().cloned())
        .stake(Stake::Unbounded)
}
