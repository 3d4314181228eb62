//! Lookups that lead back to themselves, as in two packages that open each other with a glob.
//!
//! A lookup that is asked again while it is underway answers nothing. What was found with the help of such a cut answer
//! is right only below the lookup that was cut, so it is kept for as long as that one is underway, and asked anew after:
//!
//! ~~~text
//! a::*  ->  b::*  ->  a::* (cut)      b's answer holds while a is looked up
//!       ->  c::*  ->  b::*            no second search below b
//! ~~~
//!
//! Without the first every package of a circle would be searched once for each way that leads to it; without the second
//! an answer would depend on which of them was asked first.

use rustc_hash::FxHashMap;

use super::{Item, MOST_HOPS, Question};

/// The lookups underway, and the answers found so far.
#[derive(Default)]
pub(super) struct Circles {
    underway: Vec<Underway>,
    /// Answers that no circle touches.
    whole: FxHashMap<Question, Option<Item>>,
    /// Answers that rest on a cut, with their place in `order`.
    cut: FxHashMap<Question, (Option<Item>, usize)>,
    order: Vec<Question>,
    cuts: u32,
}

struct Underway {
    question: Question,
    /// The first of the lookups underway on whose cut answer this one rests.
    rests_on: usize,
    /// How many cut answers there were when it began.
    start: usize,
}

impl Circles {
    /// Gives up the lookups underway, after one of them failed. What rests on them goes too.
    pub(super) fn give_up(&mut self) {
        self.underway.clear();
        self.cut.clear();
        self.order.clear();
    }

    /// The answer, if there is one already; otherwise the lookup is underway, and must be ended.
    pub(super) fn begin(&mut self, question: &Question) -> Option<Option<Item>> {
        if let Some(known) = self.whole.get(question) {
            return Some(known.clone());
        }
        if let Some((known, at)) = self.cut.get(question) {
            let known = known.clone();
            // It was found below the last lookup that began before it, and rests on what that one rests on at most.
            let below = self.underway.iter().rposition(|lookup| lookup.start <= *at).unwrap_or(0);
            let rests_on = self.underway.get(below).map_or(0, |lookup| lookup.rests_on.min(below));
            self.rest_on(rests_on);
            return Some(known);
        }
        if let Some(at) = self.underway.iter().position(|lookup| lookup.question == *question) {
            self.rest_on(at);
            return Some(None);
        }
        if self.underway.len() >= MOST_HOPS {
            self.rest_on(0);
            return Some(None);
        }
        let start = self.order.len();
        self.underway.push(Underway { question: question.clone(), rests_on: usize::MAX, start });
        None
    }

    /// Ends the lookup that began last.
    pub(super) fn end(&mut self, question: Question, answer: &Option<Item>) {
        let Some(ended) = self.underway.pop() else { return };
        debug_assert!(ended.question == question, "lookups end in the order in which they began");
        if ended.rests_on >= self.underway.len() {
            for cut in self.order.drain(ended.start..) {
                self.cut.remove(&cut);
            }
            self.whole.insert(question, answer.clone());
        } else {
            if let Some(around) = self.underway.last_mut() {
                around.rests_on = around.rests_on.min(ended.rests_on);
            }
            self.cut.insert(question.clone(), (answer.clone(), self.order.len()));
            self.order.push(question);
        }
    }

    fn rest_on(&mut self, at: usize) {
        self.cuts += 1;
        if let Some(last) = self.underway.last_mut() {
            last.rests_on = last.rests_on.min(at);
        }
    }

    /// How often an answer was cut short.
    pub(super) fn cuts(&self) -> u32 {
        self.cuts
    }

    /// Whether what was found since then rests on no lookup that is still underway.
    pub(super) fn is_whole_since(&self, cuts: u32) -> bool {
        self.cuts == cuts || self.underway.is_empty()
    }
}
