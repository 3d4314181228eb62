//! A lock is taken by hand, and some way out of the function leaves it taken.
//!
//! ~~~text
//! lock.acquire()
//! if not rows: return          leaves it taken
//! await store(rows)            a cancellation here does, for want of `finally`
//! lock.release()
//! ~~~
//!
//! A function that never lets go of what it takes hands it over to somebody; only where nobody in the file lets it go
//! is it forgotten. In Rust guards let go by themselves, unless they are made to be forgotten.

mod forgotten;
pub(super) mod given_back;
mod per_key;

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, Facts, Held, HeldBy, What};
use crate::analysis::locks::{Lock, LockPlace, LockRoot};
use crate::catalogue::{LockKind, Stake};
use crate::flow::{BlockIndex, Function, Next, StepKind, Suspension, ValueIndex, ValueKind};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Verdict};

use super::context::RuleContext;

const NAME: &str = "lock-not-released";

/// Methods that the language follows with another one only if they return.
const ENTRIES: [&str; 2] = ["__enter__", "__aenter__"];

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    match cx.language(id.module) {
        Language::Python => {
            by_hand(cx, id, out);
            per_key::check(cx, id, out);
        }
        Language::Rust => forgotten::check(cx, id, out),
    }
}

/// How a lock stays taken, the most telling first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Leak {
    Return,
    Raise,
    Thrown(Span),
    Cancelled(Span),
    Failed(Span, String),
}

fn by_hand(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let facts = cx.facts(id);
    let mut seen = Vec::new();
    for event in &facts.events {
        let What::Acquire(lock, _) = &event.what else { continue };
        let is_entered = function.managed.iter().any(|managed| managed.span.contains(event.span));
        if seen.contains(&event.span) || is_entered || !keeps_out(lock) || !is_by_hand(&facts, event.span) {
            continue;
        }
        seen.push(event.span);
        let own = releases(cx, id).into_iter().any(|place| is_it(&place, lock));
        let is_hand_over = is_let_go_elsewhere(cx, id, lock);
        let verdict = if own {
            leaks(cx, id, &facts, event, is_hand_over).into_iter().min().map(|leak| left(cx, id, event, lock, leak))
        } else if is_hand_over && ENTRIES.contains(&function.name.as_str()) {
            // What is entered only in part is never left.
            leaks(cx, id, &facts, event, true).into_iter().min().map(|leak| left(cx, id, event, lock, leak))
        } else if !is_hand_over
            && is_own(cx, id, &function, lock)
            && is_kept(&facts, event.span)
            && !is_given_away(&function, id, lock)
        {
            Some(never(cx, id, event, lock))
        } else {
            None
        };
        out.extend(verdict);
    }
}

/// Whether a lock keeps others out until it is let go.
fn keeps_out(lock: &Lock) -> bool {
    matches!(lock.kind, LockKind::Mutex | LockKind::Rwlock | LockKind::Condition | LockKind::Semaphore)
}

fn is_held_by_hand(held: &Held, taken: Span) -> bool {
    held.taken == taken && held.by == HeldBy::Manual
}

/// Whether a lock that is taken at a place is held without a block or guard that lets it go.
fn is_by_hand(facts: &Facts, taken: Span) -> bool {
    let held = facts.events.iter().flat_map(|event| event.held.iter());
    held.chain(facts.exits.iter().flat_map(|exit| exit.held.iter())).any(|held| is_held_by_hand(held, taken))
}

fn is_it(place: &LockPlace, lock: &Lock) -> bool {
    place.is_same(&lock.place) || (*place == lock.place && *place != LockPlace::unknown())
}

/// The locks that a function lets go by a call.
fn releases(cx: &RuleContext, id: FunctionId) -> Vec<LockPlace> {
    let function = cx.function(id);
    (0..function.values.len() as u32).filter_map(|at| cx.program.released_by(id, ValueIndex(at))).collect()
}

/// Whether a function gives a lock of its own to somebody, who may let it go: `Entry(lock)`, `start(work, permits)`.
pub(super) fn is_given_away(function: &Function, id: FunctionId, lock: &Lock) -> bool {
    let LockRoot::Local(owner, variable) = lock.place.root else { return false };
    let is_it = |value: &ValueIndex| match &function.value(*value).kind {
        ValueKind::Place(place) => place.as_variable() == Some(variable),
        _ => false,
    };
    owner == id
        && function.values.iter().any(|value| match &value.kind {
            ValueKind::Call(call) => call.arguments.iter().any(|given| is_it(&given.value)),
            ValueKind::Collection(_, items) => items.iter().any(|(_, item)| is_it(item)),
            _ => false,
        })
}

/// Whether another function of the file lets go of a lock, which this one may hand over to it.
pub(super) fn is_let_go_elsewhere(cx: &RuleContext, id: FunctionId, lock: &Lock) -> bool {
    let others = cx.program.functions_of(id.module);
    others.filter(|other| *other != id).any(|other| {
        let facts = cx.facts(other);
        // A function that takes it by hand itself lets go of its own.
        let takes = || {
            facts.events.iter().any(|event| match &event.what {
                What::Acquire(taken, _) => is_one(&taken.place, &lock.place) && is_by_hand(&facts, event.span),
                _ => false,
            })
        };
        releases(cx, other).iter().any(|place| is_one(place, &lock.place)) && !takes()
    })
}

/// Whether places of two functions may name one lock.
fn is_one(one: &LockPlace, other: &LockPlace) -> bool {
    match (&one.class, &other.class) {
        (Some(one), Some(other)) => one == other,
        (None, None) => matches!(one.root, LockRoot::Local(..)) && one.root == other.root,
        _ => false,
    }
}

/// Whether the function is the lock's own user, rather than one that takes it for its caller.
fn is_own(cx: &RuleContext, id: FunctionId, function: &Function, lock: &Lock) -> bool {
    let is_entry = function.name.starts_with("__");
    let is_wrapper = cx
        .program
        .tables(Language::Python)
        .lock(&lock.type_name)
        .is_some_and(|known| known.acquisition(&function.name).is_some());
    let is_private = match &lock.place.root {
        LockRoot::Local(owner, _) => *owner == id,
        LockRoot::Static(_) | LockRoot::Parameter(0) => {
            let class = lock.place.class.as_deref().unwrap_or_default();
            let file = &cx.program.module(id.module).path;
            let name = class.rsplit(['.', ':']).next().unwrap_or_default();
            class.starts_with(&**file) && name.starts_with('_')
        }
        LockRoot::Parameter(_) | LockRoot::Unknown => false,
    };
    !is_entry && !is_wrapper && is_private && lock.kind != LockKind::Semaphore
}

/// Whether a lock is still taken wherever a value leaves the function.
fn is_kept(facts: &Facts, taken: Span) -> bool {
    facts
        .exits
        .iter()
        .any(|exit| !exit.is_raise && exit.held.iter().any(|held| is_held_by_hand(held, taken) && held.is_certain))
}

/// The ways out that leave a lock taken although the function lets it go on others.
fn leaks(cx: &RuleContext, id: FunctionId, facts: &Facts, taking: &Event, is_hand_over: bool) -> Vec<Leak> {
    let function = cx.function(id);
    let holds = |held: &[Held]| held.iter().any(|held| is_held_by_hand(held, taking.span) && held.is_certain);
    let mut found = Vec::new();
    for exit in facts.exits.iter().filter(|exit| holds(&exit.held)) {
        match function.blocks[exit.block.at()].next {
            Next::Raise(Some(_)) => found.push(Leak::Raise),
            Next::Return(_) if !is_hand_over => found.push(Leak::Return),
            _ => {}
        }
    }
    for event in facts.events.iter().filter(|event| holds(&event.held)) {
        if !escapes(cx, id, facts, event.block, taking.span) {
            continue;
        }
        match &event.what {
            What::Suspend(Suspension::Await | Suspension::Enter | Suspension::Next, of)
                if cx.gives_way(id, event) && !of.is_some_and(|of| cx.program.released_by(id, of).is_some()) =>
            {
                found.push(Leak::Cancelled(event.span));
            }
            What::Suspend(Suspension::Yield, _) if makes_manager(cx, id) => found.push(Leak::Thrown(event.span)),
            What::Call(value) if may_fail(cx, id, *value) => {
                found.push(Leak::Failed(event.span, cx.program.callee_text(id, *value)));
            }
            _ => {}
        }
    }
    found
}

/// Whether an exception in a block leaves the function with the lock still taken. Where a handler lets go of it, which
/// exceptions come by another way is nobody's business here.
fn escapes(cx: &RuleContext, id: FunctionId, facts: &Facts, block: BlockIndex, taken: Span) -> bool {
    let function = cx.function(id);
    let Some(handler) = function.blocks[block.at()].on_raise else { return true };
    let lets_go = |step: &crate::flow::Step| match step.kind {
        StepKind::Call(value) => cx.program.released_by(id, value).is_some(),
        _ => false,
    };
    let mut found = false;
    let let_go = function.walk([handler], |at, block, on| {
        let leaves = |exit: &crate::analysis::held::Exit| {
            exit.block == at
                && exit.is_raise
                && exit.held.iter().any(|held| is_held_by_hand(held, taken) && held.is_certain)
        };
        found |= facts.exits.iter().any(leaves);
        if block.steps.iter().any(lets_go) {
            return ControlFlow::Break(());
        }
        on.extend(block.successors());
        ControlFlow::Continue(())
    });
    found && let_go.is_none()
}

/// Whether a decorator makes a context manager of a generator: what fails in the block fails at the `yield`.
fn makes_manager(cx: &RuleContext, id: FunctionId) -> bool {
    let function = cx.function(id);
    let tables = cx.program.tables(Language::Python);
    function.decorators.iter().any(|decorator| {
        let name = cx.program.decorator_name(id, &decorator.path);
        name.is_some_and(|name| tables.manager(&name).is_some())
    })
}

/// Whether a call is one that fails now and then: it waits for others, or raises by its own text.
fn may_fail(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> bool {
    let resolution = cx.resolution(id, value);
    if cx.program.is_awaited(id, value) || cx.program.released_by(id, value).is_some() {
        return false;
    }
    let waits = cx.program.blocking_call(id, value, &resolution).is_some_and(|entry| entry.stake != Stake::Micro);
    let raises = |callee: FunctionId| {
        let body = cx.function(callee);
        !body.is_async()
            && body.blocks.iter().any(|block| matches!(block.next, Next::Raise(Some(_))) && block.on_raise.is_none())
    };
    waits || resolution.functions().into_iter().any(raises)
}

fn left(cx: &RuleContext, id: FunctionId, event: &Event, lock: &Lock, leak: Leak) -> Verdict {
    let function = cx.function(id);
    let (name, by) = (&lock.name, &function.name);
    let confidence = if matches!(leak, Leak::Failed(..)) { Confidence::Medium } else { Confidence::High };
    let says = match &leak {
        Leak::Return => format!("`{by}` takes `{name}` and returns without letting it go on one of its ways"),
        Leak::Raise => format!("`{by}` takes `{name}` and raises without letting it go"),
        Leak::Thrown(_) => {
            format!("`{by}` takes `{name}` for a block: an exception in the block leaves it taken for ever")
        }
        Leak::Cancelled(_) => {
            format!("`{by}` takes `{name}` and awaits before it lets it go: a cancellation leaves it taken for ever")
        }
        Leak::Failed(_, call) => {
            format!(
                "`{by}` takes `{name}` and calls `{call}` before it lets it go: an exception leaves it taken for ever"
            )
        }
    };
    let verdict = cx
        .violated(NAME, confidence, id, event.span, &format!("`{name}`"))
        .assumes(format!("`{name}` is let go on every way out of `{by}`"))
        .says(says)
        .helps("take it with `with`, or let it go in a `finally`");
    match leak {
        Leak::Thrown(at) => verdict.evidence(cx.location(id, at), "what the block raises is raised here"),
        Leak::Cancelled(at) => verdict.evidence(cx.location(id, at), "it gives way here, with the lock taken"),
        Leak::Failed(at, call) => verdict.evidence(cx.location(id, at), format!("`{call}` may raise here")),
        Leak::Return | Leak::Raise => verdict,
    }
}

fn never(cx: &RuleContext, id: FunctionId, event: &Event, lock: &Arc<Lock>) -> Verdict {
    let (name, by) = (&lock.name, &cx.function(id).name);
    cx.violated(NAME, Confidence::Medium, id, event.span, &format!("`{name}`"))
        .assumes(format!("`{name}` is let go on every way out of `{by}`"))
        .says(format!("`{by}` takes `{name}`, and nothing in its file lets it go"))
        .helps("take it with `with`, or let it go in a `finally`")
}
