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
//!
//! How far the questions go down is bounded as well. Nothing that was found on a way which ends at that bound is kept:
//! [`deep`](super::deep) begins at its other end.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::summary::Summary;
use super::{FunctionId, Program};

/// How often a ring is gone round. Each round brings at least one effect more, and a summary keeps few.
pub(super) const MOST_ROUNDS: u32 = 12;

/// How many functions may be under way at once.
pub(super) const DEEPEST: usize = 64;

/// What is under way, and what holds as long as it is.
#[derive(Default)]
pub(super) struct Solver<'a> {
    /// The functions under way, outermost first.
    open: Vec<Open>,
    /// What was found last, of functions whose ring is still open.
    so_far: FxHashMap<FunctionId, Arc<Summary<'a>>>,
    /// Those of them that this round has been through already, with the number that they came back to.
    done: FxHashMap<FunctionId, usize>,
    /// Functions whose ring did not settle.
    pub(super) unsettled: BTreeSet<FunctionId>,
    /// Whether somebody stood too deep to be asked, so that what is found on the way back is not kept.
    is_cut: bool,
    /// What was found last of a ring that is gone round without recursion.
    pub(super) round: FxHashMap<FunctionId, Arc<Summary<'a>>>,
    /// The functions that were asked for, while questions are only listed.
    asked: Option<Vec<FunctionId>>,
    /// Whether what stands too deep is being settled.
    is_below: bool,
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
    /// What is said of a function that is not looked at now.
    fn at_hand(&mut self, id: FunctionId) -> Option<Arc<Summary<'a>>> {
        if let Some(asked) = &mut self.asked {
            asked.push(id);
            return Some(Arc::default());
        }
        if self.is_cut {
            return Some(Arc::default());
        }
        self.round.get(&id).cloned().or_else(|| self.come_back_to(id))
    }

    /// What is known of a function that is under way, or whose ring is.
    fn come_back_to(&mut self, id: FunctionId) -> Option<Arc<Summary<'a>>> {
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

    /// Forgets what was under way when a question stood too deep, and says whether that was on the way from below.
    fn turn_back(&mut self) -> bool {
        self.open.clear();
        self.so_far.clear();
        self.done.clear();
        self.is_cut = false;
        std::mem::replace(&mut self.is_below, true)
    }

    /// Takes down what a round through a function found, and says what follows.
    fn close(&mut self, found: &Arc<Summary<'a>>) -> Then {
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
    pub fn summary(&self, id: FunctionId) -> Arc<Summary<'a>> {
        if let Some(known) = self.summaries.borrow().get(&id) {
            return known.clone();
        }
        if let Some(at_hand) = self.solver.borrow_mut().at_hand(id) {
            return at_hand;
        }
        let number = self.solver.borrow().open.len();
        if number >= DEEPEST {
            self.solver.borrow_mut().is_cut = true;
            return Arc::default();
        }
        let mut round = 0;
        loop {
            self.solver.borrow_mut().open.push(Open { id, back_to: number, is_head: false, is_new: false });
            let found = Arc::new(self.summarise(id));
            let mut solver = self.solver.borrow_mut();
            if solver.is_cut {
                if number > 0 {
                    return found;
                }
                drop(solver);
                return self.asked_from_below(id, found);
            }
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

    /// What calling a function does from which the questions lead too deep; `found` if nothing better comes of it.
    fn asked_from_below(&self, id: FunctionId, found: Arc<Summary<'a>>) -> Arc<Summary<'a>> {
        let is_below = self.solver.borrow_mut().turn_back();
        if is_below {
            // Everything below was settled when its turn came, so it asks for more now than when that was listed.
            self.solver.borrow_mut().unsettled.insert(id);
        } else {
            self.settle_from_below(id);
            self.solver.borrow_mut().is_below = false;
        }
        self.summaries.borrow_mut().get_or_insert(id, found).clone()
    }

    /// The functions whose summaries a summary needs and that have none yet, in the order in which it asks for them.
    pub(super) fn asks_for(&self, id: FunctionId) -> Vec<FunctionId> {
        self.solver.borrow_mut().asked = Some(Vec::new());
        self.summarise(id);
        let mut asked = self.solver.borrow_mut().asked.take().unwrap_or_default();
        let mut seen = FxHashSet::default();
        asked.retain(|callee| seen.insert(*callee));
        asked
    }

    /// Functions whose calls were not followed to the end: their rings did not settle.
    pub fn unsettled(&self) -> BTreeSet<FunctionId> {
        self.solver.borrow().unsettled.clone()
    }

    /// Forgets which summaries are under way, after a question failed.
    pub(super) fn give_up_summaries(&self) {
        let unsettled = std::mem::take(&mut self.solver.borrow_mut().unsettled);
        *self.solver.borrow_mut() = Solver { unsettled, ..Solver::default() };
    }
}
