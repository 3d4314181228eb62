//! A wrapper that takes one of several locks, whichever fits where it runs: its holder holds the wrapper.
//!
//! ~~~text
//! async def __aenter__(self):
//!     if self._backend == "trio":            one of them on every way; a value that no test of the chain
//!         await self._trio_lock.acquire()    is about is taken for one that never comes
//!     elif self._backend == "asyncio":
//!         await self._anyio_lock.acquire()
//! ~~~

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Event, Exit, Held, HeldBy, Waits, What};
use crate::analysis::locks::{Lock, LockPlace, LockRoot};
use crate::flow::{BlockIndex, Function, Goes, Next, Place, Stretch, ValueKind};

/// The lock that a function takes in one of several forms and keeps where it returns: its receiver, as a lock of theirs.
pub(super) fn either(function: &Function, events: &[Event], exits: &[Exit]) -> Option<Arc<Lock>> {
    let kept: Vec<&Held> = exits
        .iter()
        .filter(|exit| !exit.is_raise)
        .flat_map(|exit| exit.held.iter())
        .filter(|held| held.by == HeldBy::Manual && !held.is_certain)
        .collect();
    let (first, rest) = kept.split_first()?;
    let are_alike = |held: &&Held| {
        let (one, other) = (&first.lock, &held.lock);
        (one.kind, one.flavour, one.mode) == (other.kind, other.flavour, other.mode)
            && held.lock.place.root == LockRoot::Parameter(0)
    };
    let are_several = rest.iter().any(|held| !held.lock.place.is_same(&first.lock.place));
    if !are_several || !kept.iter().all(are_alike) {
        return None;
    }
    let is_kept = |lock: &Lock| kept.iter().any(|held| held.lock.place.is_same(&lock.place));
    let mut taken_in = BTreeSet::new();
    for event in events {
        let What::Acquire(lock, waits) = &event.what else { continue };
        if !is_kept(lock) {
            continue;
        }
        // What is taken on top of another, or only tried, is no other form of it.
        if *waits != Waits::Yes || event.held.iter().any(|held| is_kept(&held.lock)) {
            return None;
        }
        taken_in.insert(event.block);
    }
    if !takes_on_every_way(function, &taken_in) {
        return None;
    }
    let place = LockPlace { root: LockRoot::Parameter(0), fields: Vec::new(), is_exact: true, class: None };
    Some(Arc::new(Lock { place, ..Lock::clone(&first.lock) }))
}

/// Whether every way from the function's entry to a return leads through one of some blocks, ways left out on which a
/// value is none of those that a chain of tests goes through to choose among the blocks.
fn takes_on_every_way(function: &Function, blocks: &BTreeSet<BlockIndex>) -> bool {
    if !returns_past(function, blocks) {
        return true;
    }
    let leads_to_one = |target: &BlockIndex| {
        let mut at = *target;
        for _ in 0..4 {
            match &function.blocks[at.at()].next {
                _ if blocks.contains(&at) => return true,
                Next::Goto(next) => at = *next,
                _ => return false,
            }
        }
        false
    };
    let mut tested = None;
    let mut tests = 0;
    for (at, block) in function.blocks.iter().enumerate() {
        let Next::Branch(Some(value), targets) = &block.next else { continue };
        if !targets.iter().any(leads_to_one) {
            continue;
        }
        let Some(place) = compared_with_a_literal(function, *value) else { return false };
        let mut without = blocks.clone();
        without.insert(BlockIndex(at as u32));
        if tested.is_some_and(|tested| tested != place) || returns_past(function, &without) {
            return false;
        }
        tested = Some(place);
        tests += 1;
    }
    tests == blocks.len()
}

/// The place that a test compares with a literal.
fn compared_with_a_literal(function: &Function, value: crate::flow::ValueIndex) -> Option<&Place> {
    let ValueKind::Operation(parts) = &function.value(value).kind else { return None };
    let [place, literal] = parts[..] else { return None };
    match (&function.value(place).kind, &function.value(literal).kind) {
        (ValueKind::Place(place), ValueKind::Literal(_)) => Some(place),
        _ => None,
    }
}

/// Whether control can come from the entry to a return without one of some blocks.
fn returns_past(function: &Function, blocks: &BTreeSet<BlockIndex>) -> bool {
    let visit = |stretch: Stretch| match stretch.block.next {
        _ if blocks.contains(&stretch.at) => Goes::Aside,
        Next::Return(_) => Goes::Over(()),
        _ => Goes::On,
    };
    function.walk_steps((BlockIndex(0), 0), visit).is_some()
}
