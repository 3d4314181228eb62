//! A lock is held while something runs that somebody else handed in.
//!
//! ~~~text
//! with self._lock:
//!     for callback in self._callbacks:
//!         callback(event)            may well call `add`, which takes the lock again
//! def add(self, callback):
//!     with self._lock: …
//! ~~~
//!
//! What a callback does is known to whoever registers it. If it comes back to what needs the lock, or waits for a thread
//! that does, nobody goes on.

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, Held, What};
use crate::catalogue::{Flavour, LockKind, Mode};
use crate::flow::{Callee, Field, Place, Root, ValueIndex, ValueKind, VariableIndex};
use crate::text::{Language, Span};
use crate::verdict::{Hop, Location, Stance, Verdict};

use super::super::context::RuleContext;
use super::NAME;

/// How far down a call of what was handed in is looked for.
const DEEPEST: u32 = 2;

/// Something of unknown origin that is called.
struct Stranger {
    name: String,
    at: Location,
    hops: Vec<Hop>,
}

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if cx.language(id.module) != Language::Python || cx.program.is_test_code(id) || cx.is_set_up(id) {
        return;
    }
    let mut asked: Vec<Span> = Vec::new();
    let facts = cx.facts(id);
    let mut calls: Vec<&Event> = facts.events.iter().filter(|event| matches!(event.what, What::Call(_))).collect();
    calls.sort_by_key(|event| event.span);
    for event in calls {
        let held = event.held.iter().find(|held| counts(held) && !asked.contains(&held.taken));
        let Some(held) = held else { continue };
        let Some(stranger) = stranger(cx, id, event, DEEPEST) else { continue };
        let Some(taker) = another_taker(cx, id, held) else { continue };
        asked.push(held.taken);
        out.push(question(cx, id, event, held, stranger, taker));
    }
}

/// Whether a thread that takes a held lock again waits for itself.
fn counts(held: &Held) -> bool {
    let lock = &held.lock;
    held.is_certain
        && lock.flavour == Flavour::Blocking
        && lock.mode == Mode::Exclusive
        && matches!(lock.kind, LockKind::Mutex | LockKind::Rwlock | LockKind::Condition)
        && !lock.is_reentrant
        && lock.place.class.is_some()
}

/// Another function of the file that takes the lock, one that everybody may call before others.
fn another_taker(cx: &RuleContext, id: FunctionId, held: &Held) -> Option<(FunctionId, Span)> {
    let others = cx.program.functions_of(id.module);
    let takes = others.filter(|other| *other != id && !cx.is_set_up(*other)).filter_map(|other| {
        let facts = cx.facts(other);
        let taking = facts.events.iter().find(|event| match &event.what {
            What::Acquire(lock, _) => lock.place.class == held.lock.place.class,
            _ => false,
        })?;
        Some((cx.program.is_private(other), other, taking.span))
    });
    takes.min_by_key(|(is_private, other, _)| (*is_private, *other)).map(|(_, other, span)| (other, span))
}

/// What runs at a call and was handed in by somebody who is not known.
fn stranger(cx: &RuleContext, id: FunctionId, event: &Event, depth: u32) -> Option<Stranger> {
    let What::Call(value) = event.what else { return None };
    if is_handed_in(cx, id, value) {
        let name = cx.program.callee_text(id, value);
        let hops = vec![cx.program.hop(id, event.span, format!("calls `{name}`"))];
        return Some(Stranger { name, at: cx.location(id, event.span), hops });
    }
    let depth = depth.checked_sub(1)?;
    cx.program.in_place(id, event).into_iter().filter(|in_place| !in_place.is_awaited).find_map(|in_place| {
        // May is not must: all of them call something that was handed in, or nobody is asked.
        let mut found = in_place.candidates.iter().map(|callee| {
            cx.program.search("stranger", *callee, depth, || {
                cx.facts(*callee).events.iter().find_map(|event| stranger(cx, *callee, event, depth))
            })
        });
        let first = found.next()??;
        found.all(|other| other.is_some()).then(|| {
            let hop = cx.program.hop(id, event.span, in_place.what(cx.program, id));
            Stranger { hops: std::iter::once(hop).chain(first.hops).collect(), ..first }
        })
    })
}

/// Whether a call is of something that was handed in: an element of a collection that outlives the function, or an
/// attribute that is given from outside.
fn is_handed_in(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> bool {
    let function = cx.function(id);
    let Some(call) = function.call(value) else { return false };
    if !cx.resolution(id, value).targets.is_empty() {
        return false;
    }
    let own = function.parameters.first().filter(|_| function.owner.is_some()).map(|first| first.variable);
    match call.callee {
        Callee::Method(receiver, ref name) => match &function.value(receiver).kind {
            ValueKind::Place(place) => place.as_variable() == own && own.is_some() && is_given(cx, id, name),
            _ => false,
        },
        Callee::Value(of) => {
            let reads = cx.program.reads_behind(id, of);
            reads.iter().any(|read| match &function.value(*read).kind {
                ValueKind::Place(place) => is_collection_of_own(place, own) || is_given_place(cx, id, place, own),
                _ => false,
            })
        }
        Callee::Path(_) | Callee::Super(_) | Callee::Macro(_) => false,
    }
}

/// Whether a place is an attribute of the function's own object, or a global, that holds several things.
fn is_collection_of_own(place: &Place, own: Option<VariableIndex>) -> bool {
    match place.root {
        Root::Variable(variable) => {
            Some(variable) == own && matches!(place.fields[..], [Field::Name(_)] | [Field::Name(_), Field::Index])
        }
        Root::Global(_) => matches!(place.fields[..], [] | [Field::Index]),
    }
}

/// Whether a place is an attribute that is given from outside.
fn is_given_place(cx: &RuleContext, id: FunctionId, place: &Place, own: Option<VariableIndex>) -> bool {
    match (&place.root, &place.fields[..]) {
        (Root::Variable(variable), [Field::Name(name)]) => Some(*variable) == own && is_given(cx, id, name),
        _ => false,
    }
}

/// Whether an attribute of the function's own object is given what a function of its class was handed.
fn is_given(cx: &RuleContext, id: FunctionId, name: &str) -> bool {
    let Some(owner) = cx.program.self_type(id) else { return false };
    let definition = cx.program.type_def(owner);
    definition.fields.iter().filter(|field| field.name == name).flat_map(|field| &field.values).any(|given| {
        let setter = cx.function(FunctionId { module: owner.module, index: given.function });
        match &setter.value(given.value).kind {
            ValueKind::Place(place) => place
                .as_variable()
                .is_some_and(|variable| setter.parameters.iter().skip(1).any(|known| known.variable == variable)),
            _ => false,
        }
    })
}

fn question(
    cx: &RuleContext,
    id: FunctionId,
    event: &Event,
    held: &Held,
    stranger: Stranger,
    (taker, taken): (FunctionId, Span),
) -> Verdict {
    let function = cx.function(id);
    let (lock, name, other) = (&held.lock.name, &stranger.name, &cx.function(taker).name);
    let way = if stranger.hops.len() > 1 {
        format!("{}, which calls `{name}`", stranger.hops[0].what)
    } else {
        format!("calls `{name}`")
    };
    let mut verdict = cx
        .verdict(NAME, Stance::Unproven, id, event.span, &format!("`{lock}`"))
        .assumes(format!("nothing that `{}` runs while it holds `{lock}` takes it again", function.name))
        .says(format!("`{}` holds `{lock}` and {way}, which somebody handed in", function.name))
        .asks(format!("Can `{name}` come back to `{other}`, which needs `{lock}`, or wait for somebody who does?"))
        .helps("copy what is to be called under the lock, and call it after letting go")
        .evidence(cx.location(id, held.taken), format!("`{lock}` is taken here"));
    if stranger.hops.len() > 1 {
        verdict = verdict.evidence(stranger.at, format!("`{name}` is called here")).trace(stranger.hops);
    }
    verdict.evidence(cx.location(taker, taken), format!("`{other}` takes `{lock}` here"))
}
