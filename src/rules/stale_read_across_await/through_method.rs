//! A check of an object's state, and a method of the same object that it leads to, which gives way and then writes it.
//!
//! ~~~text
//! async with self._lock: expired = self._until < now()       looked at, under a lock that ends here
//! if expired: await self._refresh()                          gives way, then writes `self._until`
//! ~~~
//!
//! Only where somebody else is known to be about is it a finding: in such code a question would be asked of every object
//! that opens itself when it is first used.

use super::way::{Guard, Rests, Way};
use super::{NAME, Sharing, Together, Write, clears, runs, shared_writes};
use crate::analysis::held::What;
use crate::analysis::{FunctionId, FunctionRef};
use crate::catalogue::{Flavour, LockKind};
use crate::flow::{Colour, Function, Place, Root, Suspension, ValueIndex, ValueKind, WriteKind};
use crate::rules::context::RuleContext;
use crate::verdict::{Confidence, Location, Verdict};

/// A write that a method does, as one of the call that is awaited.
pub(super) struct Helped {
    pub(super) write: Write,
    method: FunctionId,
    call: ValueIndex,
    /// The write itself.
    done: Location,
}

/// What the methods of the own object that a function awaits write after they have given way, without a look of their
/// own and without a lock.
pub(super) fn writes(cx: &RuleContext, id: FunctionId, function: &FunctionRef) -> Vec<Helped> {
    let Some(own) = function.parameters.first().filter(|_| function.owner.is_some()) else { return Vec::new() };
    let mut found = Vec::new();
    for event in &cx.facts(id).events {
        let What::Suspend(Suspension::Await, Some(call)) = event.what else { continue };
        if function.call(call).is_none() || !cx.program.is_on_own_object(id, call) {
            continue;
        }
        let [method] = cx.resolution(id, call).functions()[..] else { continue };
        let body = cx.function(method);
        if method == id || body.colour != Colour::Async {
            continue;
        }
        let written = cx.program.search("writes after a wait", method, 0, || {
            let written = late_writes(cx, method, &body);
            (!written.is_empty()).then_some(written)
        });
        for write in written.into_iter().flatten() {
            let mut place = write.place.clone();
            place.root = Root::Variable(own.variable);
            let done = cx.location(method, write.span);
            let (at, span) = ((event.block, event.step), event.span);
            let write = Write { place, value: None, given: Vec::new(), at, span, ..write };
            found.push(Helped { write, method, call, done });
        }
    }
    found
}

/// What a method writes of its own object after it has given way, without a look and without a lock.
fn late_writes(cx: &RuleContext, method: FunctionId, body: &FunctionRef) -> Vec<Write> {
    let Some(receiver) = body.parameters.first().map(|first| first.variable) else { return Vec::new() };
    let way = Way::of(cx, method, body);
    let counts = |write: &Write| {
        let is_own =
            write.sharing == Sharing::Object && matches!(write.place.root, Root::Variable(of) if of == receiver);
        let looks = || way.deciding.iter().any(|(_, value)| way.first_read(*value, &write.place).is_some());
        let is_locked = || !cx.facts(method).held_at(write.at.0, write.at.1).is_empty();
        let is_kind = is_own && write.kind == WriteKind::Assign && !write.is_call() && !clears(&way, write);
        is_kind && !is_told(body, write) && way.gives_way_before(write) && !looks() && !is_locked()
    };
    shared_writes(cx, method, body).into_iter().filter(counts).collect()
}

/// Whether a method writes what stands there, or what it is given: a mark, or a value that is the caller's own.
fn is_told(body: &Function, write: &Write) -> bool {
    let given = |place: &Place| body.parameters.iter().skip(1).any(|one| place.as_variable() == Some(one.variable));
    write.value.is_some_and(|value| match &body.value(value).kind {
        ValueKind::Literal(_) => true,
        ValueKind::Place(place) => given(place),
        _ => false,
    })
}

pub(super) fn answer(cx: &RuleContext, id: FunctionId, way: &Way, helped: &Helped) -> Option<Verdict> {
    let write = &helped.write;
    let decision = way.decisions(write).into_iter().next()?;
    let function = &way.function;
    let read = function.value(decision.read);
    let read_at = (read.block, read.step);
    let stale = way.found(read.span, read_at, write.at, Suspension::Await, write, Rests::Condition);
    if stale.guard != Guard::None || cx.program.is_always_called_under_a_lock(helped.method) {
        return None;
    }
    let checked_under = || {
        let facts = cx.facts(id);
        let held = facts.held_at(read.block, read.step).iter().find(|held| {
            held.lock.flavour == Flavour::Async && matches!(held.lock.kind, LockKind::Mutex | LockKind::Rwlock)
        })?;
        let what = format!("`{}` keeps others out while it is checked, and no longer after that", held.lock.name);
        Some((cx.location(id, held.taken), what))
    };
    let (at, what) = match runs(cx, id, way, write, &stale) {
        Together::Yes(at, what) => (at, what),
        Together::No => return None,
        Together::Unknown => checked_under()?,
    };
    let place = cx.program.place_text(id, &super::without_index(&write.place));
    let (name, method) = (&function.name, &cx.function(helped.method).name);
    let verdict = cx
        .violated(NAME, Confidence::Medium, id, write.span, &format!("`{place}`"))
        .assumes(format!("what was checked of `{place}` in `{name}` still holds where `{method}` writes it"))
        .says(format!(
            "`{method}` gives way and writes `{place}` on the strength of a check in `{name}` that another task may \
             have overtaken"
        ))
        .helps("hold one asynchronous lock from the check to the end of the call, or look again under it")
        .evidence(cx.location(id, read.span), format!("`{place}` is checked here"))
        .evidence(helped.done.clone(), format!("`{place}` is written here"))
        .evidence(at, what);
    Some(verdict.trace([cx.program.hop(
        id,
        write.span,
        format!("calls `{}`", cx.program.callee_text(id, helped.call)),
    )]))
}
