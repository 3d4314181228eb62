//! Functions that call each other in a ring: the fixed point of their summaries.
//!
//! A summary is asked for in the middle of another, so the walk over the call graph is the recursion of the questions
//! itself. Who is asked while under way answers with what the last round found, nothing at first:
//!
//! ~~~text
//! ping -> pong -> ping      ping is the head: it was asked first, and the ring comes back to it
//!   round 1   pong = {}           ping = {takes a}
//!   round 2   pong = {takes a}    ping = {takes a}
//!   round 3   nothing new: both are settled
//! ~~~
//!
//! Only the head goes round again; what was found on the way is settled with it. Rounds are bounded; where they do not
//! suffice, what was found holds, and the functions of the ring are remembered as not settled.

use std::collections::BTreeSet;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::summary::Summary;
use super::{FunctionId, Program};

/// How often a ring is gone round. Each round brings at least one effect more, and a summary keeps few.
const MOST_ROUNDS: u32 = 12;

/// How many functions may be under way at once.
const DEEPEST: usize = 64;

/// What is under way, and what holds as long as it is.
#[derive(Default)]
pub(super) struct Solver<'a> {
    /// The functions under way, outermost first.
    open: Vec<Open>,
    /// What was found last, of functions whose ring is still open.
    so_far: FxHashMap<FunctionId, Rc<Summary<'a>>>,
    /// Those of them that this round has been through already, with the number that they came back to.
    done: FxHashMap<FunctionId, usize>,
    /// Functions whose ring did not settle, or that stand too deep.
    unsettled: BTreeSet<FunctionId>,
}

/// A function under way.
struct Open {
    id: FunctionId,
    /// The number of the outermost function under way that it came back to, its own if to none.
    back_to: usize,
    /// Whether a ring came back to it.
    is_head: bool,
    /// Whether this round found anything that the last one did not.
    is_new: bool,
}

impl<'a> Solver<'a> {
    /// What is known of a function that is under way, or whose ring is.
    fn come_back_to(&mut self, id: FunctionId) -> Option<Rc<Summary<'a>>> {
        let under_way = self.open.iter().position(|open| open.id == id);
        let number = under_way.or_else(|| self.done.get(&id).copied())?;
        if under_way.is_some() {
            self.open[number].is_head = true;
        }
        if let Some(last) = self.open.last_mut() {
            last.back_to = last.back_to.min(number);
        }
        Some(self.so_far.get(&id).cloned().unwrap_or_default())
    }

    /// Takes down what a round through a function found, and says what follows.
    fn close(&mut self, found: &Rc<Summary<'a>>) -> Then {
        let Some(mut closed) = self.open.pop() else { return Then::Settled(Vec::new()) };
        let (id, number) = (closed.id, self.open.len());
        if let (false, true) = (closed.is_head, closed.back_to == number) {
            return Then::Settled(Vec::new());
        }
        let former = self.so_far.insert(id, found.clone()).unwrap_or_default();
        closed.is_new |= !former.says_the_same(found);
        if closed.back_to < number {
            // The head of the ring is further out, and decides.
            self.done.insert(id, closed.back_to);
            if let Some(outer) = self.open.last_mut() {
                outer.back_to = outer.back_to.min(closed.back_to);
                outer.is_new |= closed.is_new;
            }
            return Then::Open;
        }
        let mut ring: Vec<FunctionId> =
            self.done.iter().filter(|(_, back_to)| **back_to >= number).map(|(id, _)| *id).collect();
        ring.push(id);
        ring.sort_unstable();
        for id in &ring {
            self.done.remove(id);
        }
        if closed.is_new { Then::Again(ring) } else { Then::Settled(ring) }
    }
}

/// What follows a round.
enum Then {
    /// The function is part of a ring that is still open.
    Open,
    /// The function is the head of this ring, which may not have settled.
    Again(Vec<FunctionId>),
    /// Nothing changes any more, for this ring.
    Settled(Vec<FunctionId>),
}

impl<'a> Program<'a> {
    /// What calling a function does.
    pub fn summary(&self, id: FunctionId) -> Rc<Summary<'a>> {
        if let Some(known) = self.summaries.borrow().get(&id) {
            return known.clone();
        }
        if let Some(so_far) = self.solver.borrow_mut().come_back_to(id) {
            return so_far;
        }
        let number = self.solver.borrow().open.len();
        if number >= DEEPEST {
            // Whoever asked, and whoever asked them, does not learn what it does.
            let mut solver = self.solver.borrow_mut();
            let asking: Vec<FunctionId> = solver.open.iter().map(|open| open.id).collect();
            solver.unsettled.extend(asking);
            return Rc::new(Summary { may_suspend: true, ..Summary::default() });
        }
        let mut round = 0;
        loop {
            self.solver.borrow_mut().open.push(Open { id, back_to: number, is_head: false, is_new: false });
            let found = Rc::new(self.summarise(id));
            let mut solver = self.solver.borrow_mut();
            round += 1;
            let ring = match solver.close(&found) {
                Then::Open => return found,
                Then::Again(_) if round < MOST_ROUNDS => continue,
                Then::Again(ring) => {
                    solver.unsettled.extend(&ring);
                    ring
                }
                Then::Settled(ring) => ring,
            };
            let mut summaries = self.summaries.borrow_mut();
            for id in ring {
                summaries.extend(solver.so_far.remove(&id).map(|settled| (id, settled)));
            }
            summaries.insert(id, found.clone());
            return found;
        }
    }

    /// Functions whose calls were not followed to the end: their rings did not settle, or they stand too deep.
    pub fn unsettled(&self) -> BTreeSet<FunctionId> {
        self.solver.borrow().unsettled.clone()
    }

    /// Forgets which summaries are under way, after a question failed.
    pub(super) fn give_up_summaries(&self) {
        let unsettled = std::mem::take(&mut self.solver.borrow_mut().unsettled);
        *self.solver.borrow_mut() = Solver { unsettled, ..Solver::default() };
    }
}
