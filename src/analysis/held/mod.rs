//! Which locks are held at each step.
//!
//! The state runs forward along the control flow: who owns which acquisition. Guards move with the values that carry
//! them and end where lowering says that their owner ends:
//!
//! ~~~text
//! t0 = call self.queue.lock()     t0 owns the guard
//! t1 = call t0.unwrap()           by value, and the result is a guard: t1 owns it
//! bind g = t1                     g owns it
//! drop g (scope)                  nobody holds the lock
//! ~~~
//!
//! Two paths that meet keep what either holds; what only one of them holds is not certain.

mod branches;
pub(super) mod decorators;
mod either;
mod ending;
mod guarded;
mod guards;
mod handed;
mod reason;
mod state;
mod taking;
mod turns;
mod walk;

use std::sync::Arc;

use super::locks::{Lock, LockPlace};
use super::{FunctionId, Program};
use crate::flow::{BlockIndex, LoopIndex, ManagedIndex, Owner, Suspension, ValueIndex};
use crate::text::Span;
pub use guarded::Guarded;
use walk::Walk;

/// What happens in a function, in block order, with the locks held before it happens.
#[derive(Debug, Default)]
pub struct Facts {
    /// Calls, suspensions and acquisitions that control can get to.
    pub events: Vec<Event>,
    /// What is held where state is read or written, by block and step; steps where nothing is are left out.
    touched: Vec<Touched>,
    /// Locks whose guard the function returns.
    pub returned: Vec<Arc<Lock>>,
    /// Locks held wherever it yields: a context manager holds them for its caller. One that yields without the lock to
    /// whoever has it already (`if self._owner is current_task(): yield`) promises nothing.
    pub yielded: Vec<Arc<Lock>>,
    /// Locks taken without a guard and still held where it returns: `__enter__` holds them for its caller.
    pub kept: Vec<Arc<Lock>>,
    /// The receiver itself, where it is a lock in one of several forms: `__enter__` takes one of them and keeps it.
    pub kept_in_a_form: Option<Arc<Lock>>,
    /// The ways out of the function on which something is held.
    pub exits: Vec<Exit>,
    /// Whether more may be held somewhere than was followed.
    is_full: bool,
}

/// A step by its block and number, and what is held there.
type Touched = ((BlockIndex, u32), Arc<[Held]>);

/// A way out of a function.
#[derive(Clone, Debug)]
pub struct Exit {
    /// The block that ends there.
    pub block: BlockIndex,
    /// Whether an exception leaves the function, rather than a value.
    pub is_raise: bool,
    /// The locks held there.
    pub held: Arc<[Held]>,
}

impl Facts {
    /// Whether a lock of some sort is held anywhere.
    pub fn holds(&self, of: impl Fn(&Lock) -> bool) -> bool {
        let events = self.events.iter().map(|event| &event.held);
        let all = events.chain(self.touched.iter().map(|(_, held)| held));
        all.flat_map(|held| held.iter()).any(|held| of(&held.lock))
    }

    /// The locks held at a step: a call, a suspension, a read or a write.
    pub fn held_at(&self, block: BlockIndex, step: u32) -> &[Held] {
        let at = (block, step);
        if let Ok(found) = self.touched.binary_search_by_key(&at, |(at, _)| *at) {
            return &self.touched[found].1;
        }
        let after = self.events.partition_point(|event| (event.block, event.step) <= at);
        match self.events[..after].last() {
            Some(event) if (event.block, event.step) == at => &event.held,
            _ => &[],
        }
    }
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub struct Event {
    /// The block.
    pub block: BlockIndex,
    /// The step in its block.
    pub step: u32,
    /// Where it is written.
    pub span: Span,
    /// What it is.
    pub what: What,
    /// The locks held before it happens.
    pub held: Arc<[Held]>,
}

/// What happens.
#[derive(Clone, Debug)]
pub enum What {
    /// A call.
    Call(ValueIndex),
    /// The task may give way.
    Suspend(Suspension, Option<ValueIndex>),
    /// A lock is taken; whether the task or thread waits for it.
    Acquire(Arc<Lock>, Waits),
    /// A project function runs although no call of it is written: a property that is read, a managed block's entry.
    Runs(Arc<Implicit>),
}

/// A project function that runs although no call of it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Implicit {
    /// The function.
    pub callee: FunctionId,
    /// Where its receiver is found.
    pub receiver: LockPlace,
    /// What makes it run, in the user's own words: "reads `self.size`".
    pub what: String,
}

/// Whether taking a lock waits until it is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// It waits.
    Yes,
    /// It fails instead, at once or after a stated time.
    No,
}

/// A lock that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The lock.
    pub lock: Arc<Lock>,
    /// Where it was taken.
    pub taken: Span,
    /// Whether it is held on every path that leads here.
    pub is_certain: bool,
    /// Who holds it.
    pub by: HeldBy,
}

/// Who holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeldBy {
    /// A guard that a variable or temporary owns.
    Guard(Owner),
    /// A managed block.
    Block(ManagedIndex),
    /// A generator, while the loop over it is in a turn.
    Loop(LoopIndex),
    /// Nobody in particular: `acquire()` without a guard.
    Manual,
    /// A decorator, around the whole function.
    Decorator,
}

impl<'a> Program<'a> {
    /// What happens in a function.
    pub fn facts(&self, id: FunctionId) -> Arc<Facts> {
        if let Some(known) = self.facts.borrow().get(&id) {
            return known.clone();
        }
        // Recursion through guards returned by callees ends here.
        self.facts.borrow_mut().insert(id, Arc::default());
        let facts = Arc::new(self.deeper(Facts::default(), || Walk::new(self, id).run()));
        self.facts.borrow_mut().insert(id, facts.clone());
        facts
    }

    /// The functions that were asked about and hold more locks at once than were followed, in order.
    pub fn overfull(&self) -> std::collections::BTreeSet<FunctionId> {
        self.facts.borrow().iter().filter(|(_, facts)| facts.is_full).map(|(id, _)| id).collect()
    }
}
