//! State behind a lock that is let go between a read and the write that rests on it.
//!
//! ~~~text
//! if !map.read().has(k) {            looked at under one guard, and that decides
//!     map.write().insert(k, v)       what is done under the next
//! }
//! let n = *count.lock();             read under one guard
//! *count.lock() = n + 1              written back under the next
//! ~~~
//!
//! That others get at the state needs no further proof: it has a lock, and is reached through a shared reference. What
//! only takes away, writes what comes to the same, or looks again under the second guard, is silent.

pub(super) mod let_go;

use crate::analysis::FunctionId;
use crate::analysis::locks::LockRoot;
use crate::catalogue::Change;
use crate::flow::{BlockIndex, Function, Literal, StepKind, ValueIndex, ValueKind, WriteKind};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Stance, Verdict};

use super::context::RuleContext;
use super::ineffective_lock::kept_to_itself;
use super::takings::{Part, Taking, takings};

const NAME: &str = "stale-read-across-await";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if cx.language(id.module) != Language::Rust || cx.program.is_test_code(id) {
        return;
    }
    let function = cx.function(id);
    let takings = takings(cx, id);
    let mut told: Vec<&str> = Vec::new();
    for write in &takings {
        let name = write.lock.name.as_str();
        if told.contains(&name) || write.looks_again(&function) || is_own(cx, id, write) {
            continue;
        }
        let stale = write.acts.iter().find_map(|act| {
            let reads = takings.iter().filter(|read| is_another(read, write) && !is_guarded(read, write));
            let mut rests = reads.filter_map(|read| Some((read, rests(&function, read, write, act)?)));
            let (read, how) = rests.next()?;
            Some((act, read, how))
        });
        let Some((act, read, how)) = stale else { continue };
        if cx.program.is_always_called_under_a_lock(id) {
            continue;
        }
        told.push(name);
        out.push(verdict(cx, id, read, write, act, how));
    }
}

/// Something that is done to the state through a guard.
pub(super) struct Act {
    /// The field that is written, `None` for the state as a whole.
    pub(super) field: Option<String>,
    /// What is done.
    pub(super) how: Done,
    /// Where.
    pub(super) span: Span,
}

/// How state is changed through a guard.
pub(super) enum Done {
    /// A value is put there.
    Stores(ValueIndex, WriteKind),
    /// A method is called; what it does to a collection, where the catalogue knows.
    Calls(ValueIndex, Option<Change>),
}

/// How a write rests on a read.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Rests {
    by: By,
    /// Whether it rests on what was read itself, not on what somebody else made of it.
    is_near: bool,
}

/// By what a write rests on a read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// It writes what was made from the read.
    Value,
    /// The read decides whether it happens.
    Condition,
}

/// Whether one guard of the lock was let go before the other was taken.
fn is_another(read: &Taking, write: &Taking) -> bool {
    read.guard != write.guard
        && read.lock.place.is_same(&write.lock.place)
        && !write.held.iter().any(|held| held.lock.place.is_same(&write.lock.place))
        // What the first guard put there may be what the second finds: a placeholder, an empty slot.
        && read.acts.is_empty()
        && !read.is_given_away
}

/// Whether the function has made the lock for itself, so that nobody else changes what is behind it.
fn is_own(cx: &RuleContext, id: FunctionId, write: &Taking) -> bool {
    matches!(write.lock.place.root, LockRoot::Local(owner, variable)
        if owner == id && kept_to_itself(cx, id, variable).is_some())
}

/// Whether another lock is held all the while.
fn is_guarded(read: &Taking, write: &Taking) -> bool {
    read.held.iter().any(|held| write.held.contains(held))
}

fn rests(function: &Function, read: &Taking, write: &Taking, act: &Act) -> Option<Rests> {
    if let Some(value) = replacement(function, act)
        && (read.block, read.step) < (write.block, write.step)
    {
        let is_replaced = |part: &&Part| meets(&part.field, act) && is_of_the_same_key(function, part, act);
        let parts = || read.parts.iter().filter(is_replaced);
        if parts().any(|part| part.made.contains(&value)) {
            return Some(Rests { by: By::Value, is_near: parts().any(|part| part.near.contains(&value)) });
        }
    }
    let is_it = |part: &&Part| meets(&part.field, act) && is_of_the_same_key(function, part, act);
    let decided = read.parts.iter().filter(is_it).filter_map(|part| decides(function, part, write));
    decided.reduce(|one, other| one || other).map(|is_near| Rests { by: By::Condition, is_near })
}

/// What an act puts in the place of what was there: a value that is stored, or the one that goes into a map at a key
/// that has a name.
fn replacement(function: &Function, act: &Act) -> Option<ValueIndex> {
    match act.how {
        Done::Stores(value, WriteKind::Assign) => Some(value),
        Done::Calls(call, Some(Change::Adds)) => match &function.call(call)?.arguments[..] {
            [key, value] => name_of(function, key.value, 4).map(|_| value.value),
            _ => None,
        },
        Done::Stores(..) | Done::Calls(..) => None,
    }
}

/// Whether a part of the state that was looked at is what the act changes.
fn meets(looked_at: &Option<String>, act: &Act) -> bool {
    match (looked_at, &act.field) {
        (Some(looked_at), Some(changed)) => looked_at == changed,
        (None, None) => true,
        // A value that replaces the whole replaces every field; what else is done to the whole may leave it alone.
        (Some(_), None) => matches!(act.how, Done::Stores(..)),
        (None, Some(_)) => false,
    }
}

/// Whether the key that was looked up may be the one that is written, where both are named.
fn is_of_the_same_key(function: &Function, part: &Part, act: &Act) -> bool {
    let key = |call: ValueIndex| {
        let first = function.call(call)?.arguments.first()?;
        name_of(function, first.value, 4)
    };
    let Done::Calls(call, _) = act.how else { return true };
    match (part.first.and_then(key), key(call)) {
        (Some(looked_up), Some(written)) => looked_up == written,
        _ => true,
    }
}

/// The place that a key is, whatever was done to borrow or copy it.
pub(super) fn name_of(function: &Function, value: ValueIndex, depth: u32) -> Option<crate::flow::Place> {
    let depth = depth.checked_sub(1)?;
    match &function.value(value).kind {
        ValueKind::Place(place) => Some(place.clone()),
        ValueKind::Reference(of) | ValueKind::Dereference(of) => name_of(function, *of, depth),
        ValueKind::Call(call) if call.arguments.is_empty() => match &call.callee {
            crate::flow::Callee::Method(receiver, _) => name_of(function, *receiver, depth),
            _ => None,
        },
        _ => None,
    }
}

/// Whether what was looked at decides whether the second guard is taken, and whether it does so itself.
fn decides(function: &Function, part: &Part, write: &Taking) -> Option<bool> {
    let decisive = function.conditions().filter_map(|(at, value, _)| {
        let decides = part.made.contains(&value) && function.decides(at, write.block);
        decides.then(|| part.near.contains(&value))
    });
    decisive.reduce(|one, other| one || other)
}

fn verdict(cx: &RuleContext, id: FunctionId, read: &Taking, write: &Taking, act: &Act, how: Rests) -> Verdict {
    let (place, name) = (&write.lock.name, &cx.function(id).name);
    let subject = format!("`{place}`");
    let (verb, noun) = match how.by {
        By::Value => ("read", "the read"),
        By::Condition => ("checked", "the check"),
    };
    let stance =
        if is_certain(cx, id, write, act, how) { Stance::Violated(Confidence::Medium) } else { Stance::Unproven };
    cx.verdict(NAME, stance, id, act.span, &subject)
        .assumes(format!("what was {verb} under `{place}` in `{name}` still holds where it is taken again"))
        .says(format!("`{name}` lets go of `{place}` between {noun} and the write that rests on it"))
        .asks(format!(
            "What is behind `{place}` is {verb}, let go of, and written under a second guard: can somebody else have \
             changed it in between?"
        ))
        .helps("look again under the second guard, or hold one guard from the read to the write")
        .evidence(cx.location(id, read.span), format!("`{place}` is taken here, and {verb}"))
        .evidence(cx.location(id, write.span), format!("`{place}` is taken again here, for the write"))
}

/// Whether the write is known to undo what somebody else did in between.
fn is_certain(cx: &RuleContext, id: FunctionId, write: &Taking, act: &Act, how: Rests) -> bool {
    if write.lock.place.class.is_none() || !write.lock.is_resolved || !how.is_near {
        return false;
    }
    match act.how {
        Done::Stores(value, _) => how.by == By::Value || !is_constant(&cx.function(id), value),
        Done::Calls(_, change) => change.is_some(),
    }
}

/// Whether a value is written down, so that writing it twice comes to the same.
pub(super) fn is_constant(function: &Function, value: ValueIndex) -> bool {
    match &function.value(value).kind {
        ValueKind::Literal(_) => true,
        ValueKind::Path(..) => true,
        ValueKind::Collection(_, items) => items.iter().all(|(_, item)| is_constant(function, *item)),
        _ => false,
    }
}

/// Whether a write clears what was there, which comes to the same however often it is done.
pub(super) fn clears(function: &Function, value: ValueIndex) -> bool {
    match &function.value(value).kind {
        ValueKind::Literal(Literal::None | Literal::Bool(false) | Literal::Int(0)) => true,
        ValueKind::Path(path, _) => path.len() == 1,
        ValueKind::Collection(_, items) => items.is_empty(),
        _ => false,
    }
}

/// The steps by which something is written through a value or a variable that holds one.
pub(super) fn stores(function: &Function) -> impl Iterator<Item = (BlockIndex, u32, &crate::flow::Step)> {
    let is_store = |step: &crate::flow::Step| matches!(step.kind, StepKind::Store(..) | StepKind::Write(..));
    function.steps().map(|(block, at, step)| (block, at as u32, step)).filter(move |(_, _, step)| is_store(step))
}
