//! Functions that call each other further down than the recursion of the questions goes.
//!
//! Who is asked too deep has no answer, and without it nothing that was found on the way there holds. So the question at
//! the bottom starts anew, from the other end: the functions below it are listed without recursion, rings together, and
//! settled callees first. Whoever is asked first, and from how far above, the answers are the same.
//!
//! A ring that is itself too long for the recursion is gone round in the order of its own callees, from the function that
//! comes first by file and place, so that it does not matter which of them was asked.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::solve::{DEEPEST, MOST_ROUNDS};
use super::summary::Summary;
use super::{FunctionId, Program};

/// A function whose callees are being listed.
struct Visit {
    id: FunctionId,
    /// Which of its callees comes next.
    next: usize,
    /// The number of the outermost function of the stack that it leads back to.
    back_to: usize,
}

/// The functions that are asked for, and by whom.
#[derive(Default)]
struct Below {
    callees: FxHashMap<FunctionId, Arc<[FunctionId]>>,
    /// The order in which they were come to.
    numbers: FxHashMap<FunctionId, usize>,
    /// Those whose ring is still open.
    stack: Vec<FunctionId>,
    is_open: FxHashSet<FunctionId>,
}

impl Below {
    fn come_to(&mut self, id: FunctionId, callees: Vec<FunctionId>) -> Visit {
        let number = self.numbers.len();
        self.callees.insert(id, callees.into());
        self.numbers.insert(id, number);
        self.stack.push(id);
        self.is_open.insert(id);
        Visit { id, next: 0, back_to: number }
    }

    /// Takes the ring that begins with a function off the stack.
    fn ring(&mut self, head: FunctionId) -> Vec<FunctionId> {
        let from = self.stack.iter().rposition(|id| *id == head).unwrap_or(0);
        let ring = self.stack.split_off(from);
        for id in &ring {
            self.is_open.remove(id);
        }
        ring
    }
}

impl Program<'_> {
    /// Settles everything below a function, and then the function itself.
    pub(super) fn settle_from_below(&self, id: FunctionId) {
        let mut below = Below::default();
        let mut way = vec![below.come_to(id, self.asks_for(id))];
        while let Some(visit) = way.last_mut() {
            if let Some(&callee) = below.callees[&visit.id].get(visit.next) {
                visit.next += 1;
                if let Some(&number) = below.numbers.get(&callee) {
                    if below.is_open.contains(&callee) {
                        visit.back_to = visit.back_to.min(number);
                    }
                } else {
                    way.push(below.come_to(callee, self.asks_for(callee)));
                }
                continue;
            }
            let (id, back_to) = (visit.id, visit.back_to);
            way.pop();
            if back_to == below.numbers[&id] {
                let ring = below.ring(id);
                self.settle(id, &ring, &below.callees);
            } else if let Some(caller) = way.last_mut() {
                caller.back_to = caller.back_to.min(back_to);
            }
        }
    }

    /// Settles a ring, or one function, below which everything is settled.
    fn settle(&self, head: FunctionId, ring: &[FunctionId], callees: &FxHashMap<FunctionId, Arc<[FunctionId]>>) {
        if ring.len() <= DEEPEST {
            self.summary(head);
            return;
        }
        // Which of them was asked must not matter.
        let place = |id: &&FunctionId| (self.module(id.module).path.clone(), id.index);
        let first = ring.iter().min_by_key(place).copied().unwrap_or(head);
        let order = callees_first(first, ring, callees);
        let nothing = || Arc::new(Summary::default());
        self.solver.borrow_mut().round = order.iter().map(|id| (*id, nothing())).collect();
        let mut is_new = true;
        for _ in 0..MOST_ROUNDS {
            is_new = false;
            for &id in &order {
                let found = Arc::new(self.summarise(id));
                let former = self.solver.borrow_mut().round.insert(id, found.clone());
                is_new |= former.is_none_or(|former| !former.says_the_same(&found));
            }
            if !is_new {
                break;
            }
        }
        let mut solver = self.solver.borrow_mut();
        if is_new {
            solver.unsettled.extend(ring);
        }
        self.summaries.borrow_mut().extend(std::mem::take(&mut solver.round));
    }
}

/// The functions of a ring in an order in which callees come before their callers, as far as a ring has one.
fn callees_first(
    first: FunctionId,
    ring: &[FunctionId],
    callees: &FxHashMap<FunctionId, Arc<[FunctionId]>>,
) -> Vec<FunctionId> {
    let mut new: FxHashSet<FunctionId> = ring.iter().copied().filter(|id| *id != first).collect();
    let mut order = Vec::new();
    let mut way = vec![(first, 0)];
    while let Some((id, next)) = way.last_mut() {
        match callees[&*id].get(*next) {
            Some(callee) => {
                *next += 1;
                if new.remove(callee) {
                    way.push((*callee, 0));
                }
            }
            None => {
                order.push(*id);
                way.pop();
            }
        }
    }
    order
}
