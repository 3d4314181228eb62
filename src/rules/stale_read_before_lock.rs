//! A check that decides whether to wait for a lock, and is not made again once the lock is there.
//!
//! ~~~text
//! while not self._events[key]:       nothing there yet …
//!     await self._receive()          … so it takes its turn at the lock, behind a task that brings just that
//! async def _receive(self):
//!     async with self._lock:         nobody looks again here
//!         data = await self._read()
//!     self._events[…].append(data)
//! ~~~
//!
//! The lock is taken further down than the check, so that neither function shows by itself that one comes before the
//! other.

use crate::analysis::FunctionId;
use crate::analysis::accesses::Touch;
use crate::analysis::held::{Event, Waits, What};
use crate::catalogue::Flavour;
use crate::flow::{BlockIndex, Callee, Next, Suspension, ValueKind};
use crate::text::{Language, Span};
use crate::verdict::{Level, Location, Stance, Verdict};

use super::context::RuleContext;

const NAME: &str = "stale-read-across-await";

/// How far down the lock is looked for.
const DEEPEST: u32 = 3;

/// How many blocks lie at most between a check and the await that it decides.
const NEAREST: usize = 3;

/// A lock that is taken below a check.
struct Below {
    name: String,
    at: Location,
    /// The functions on the way to it, the one that takes it last.
    way: Vec<FunctionId>,
}

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if cx.language(id.module) != Language::Python || !function.is_async() || cx.program.is_test_code(id) {
        return;
    }
    let facts = cx.facts(id);
    for (at, block) in function.blocks.iter().enumerate() {
        let Next::Branch(Some(condition), targets) = &block.next else { continue };
        let reads = cx.program.reads_behind(id, *condition);
        if reads.is_empty() {
            continue;
        }
        let awaits = facts.events.iter().filter(|event| {
            matches!(event.what, What::Suspend(Suspension::Await, Some(_)))
                && event.held.is_empty()
                && targets.iter().any(|target| comes_straight_to(cx, id, *target, event.block, BlockIndex(at as u32)))
        });
        for event in awaits {
            let Some(below) = lock_below(cx, id, event, DEEPEST) else { continue };
            let found = reads.iter().find_map(|read| {
                let value = function.value(*read);
                let ValueKind::Place(place) = &value.kind else { return None };
                let (state, name) = cx.program.state_named(id, place, value.block, value.step)?;
                let changed = changed_below(cx, id, &state, &below)?;
                Some((value.span, name, changed))
            });
            if let Some((checked, name, changed)) = found {
                out.push(question(cx, id, event, checked, &name, &below, changed));
                return;
            }
        }
    }
}

/// Whether control comes from one block to another without a branch of its own.
fn comes_straight_to(cx: &RuleContext, id: FunctionId, from: BlockIndex, to: BlockIndex, check: BlockIndex) -> bool {
    let function = cx.function(id);
    let mut at = from;
    for _ in 0..NEAREST {
        if at == to {
            return at != check;
        }
        match function.blocks[at.at()].next {
            Next::Goto(next) => at = next,
            Next::Branch(..) | Next::Return(_) | Next::Raise(_) | Next::Unreachable => return false,
        }
    }
    false
}

/// The first asynchronous lock that what is awaited waits for, itself or further down.
fn lock_below(cx: &RuleContext, id: FunctionId, event: &Event, depth: u32) -> Option<Below> {
    let depth = depth.checked_sub(1)?;
    cx.program.in_place(id, event).into_iter().filter(|in_place| in_place.is_awaited).find_map(|in_place| {
        let [callee] = in_place.candidates[..] else { return None };
        // Another file has state of its own.
        if callee.module != id.module {
            return None;
        }
        cx.program.search("lock below", callee, depth, || first_lock(cx, callee, depth))
    })
}

/// The first asynchronous lock that a function waits for, itself or further down.
fn first_lock(cx: &RuleContext, id: FunctionId, depth: u32) -> Option<Below> {
    let facts = cx.facts(id);
    let mut events: Vec<&Event> = facts.events.iter().collect();
    events.sort_by_key(|event| event.span);
    events.into_iter().find_map(|event| match &event.what {
        What::Acquire(lock, Waits::Yes)
            if lock.flavour == Flavour::Async && crate::analysis::strands::excludes(lock) =>
        {
            Some(Below { name: lock.name.clone(), at: cx.location(id, event.span), way: vec![id] })
        }
        What::Suspend(Suspension::Await, Some(_)) => {
            let mut below = lock_below(cx, id, event, depth)?;
            below.way.insert(0, id);
            Some(below)
        }
        _ => None,
    })
}

/// Where the state is changed on the way to the lock, if nobody looks at it there under the lock.
fn changed_below(cx: &RuleContext, id: FunctionId, state: &str, below: &Below) -> Option<(Location, String)> {
    let accesses = cx.program.accesses_of(id.module, state);
    let of_way = |function: FunctionId| below.way.contains(&function);
    let accesses: Vec<_> = accesses.iter().filter(|access| of_way(access.function)).cloned().collect();
    let is_looked_at_again = accesses.iter().any(|access| {
        let held = !cx.program.guards_at(access).is_empty();
        access.touch == Touch::Reads && held
    });
    if is_looked_at_again {
        return None;
    }
    let change = accesses.iter().find(|access| access.touch.is_change()).map(|access| (access.function, access.span));
    let (by, span) = change.or_else(|| below.way.iter().find_map(|of_way| element_changed(cx, *of_way, state)))?;
    Some((cx.location(by, span), cx.function(by).name.clone()))
}

/// Where a function calls what changes a collection on an element of the state, as `self._events[key].append(event)`.
fn element_changed(cx: &RuleContext, id: FunctionId, state: &str) -> Option<(FunctionId, Span)> {
    let function = cx.function(id);
    let tables = cx.program.tables(Language::Python);
    function.values.iter().find_map(|value| {
        let ValueKind::Call(call) = &value.kind else { return None };
        let Callee::Method(receiver, method) = &call.callee else { return None };
        let ValueKind::Place(place) = &function.value(*receiver).kind else { return None };
        let (named, _) = cx.program.state_named(id, place, value.block, value.step)?;
        (named == state && tables.changes_by_name(method)).then_some((id, value.span))
    })
}

fn question(
    cx: &RuleContext,
    id: FunctionId,
    event: &Event,
    checked: Span,
    name: &str,
    below: &Below,
    (changed, by): (Location, String),
) -> Verdict {
    let function = cx.function(id);
    let lock = &below.name;
    cx.verdict(NAME, Stance::Unproven, id, event.span, &format!("`{name}`"))
        .assumes(format!("what was checked of `{name}` in `{}` still holds once `{lock}` is taken", function.name))
        .says(format!("`{name}` is checked before `{lock}` is waited for, and nobody looks again under it"))
        .asks(format!("Can another task change `{name}` while `{}` waits for `{lock}`?", function.name))
        .helps("look again once the lock is taken")
        .level(Level::Warning)
        .evidence(cx.location(id, checked), format!("`{name}` is checked here"))
        .evidence(below.at.clone(), format!("`{lock}` is taken here"))
        .evidence(changed, format!("`{by}` changes `{name}` here"))
}
