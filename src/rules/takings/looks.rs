//! Takings that another function of the project makes, only to look.
//!
//! ~~~text
//! fn driver(&self) -> Option<Driver> { self.loaded.lock().unwrap().clone() }
//!
//! if self.driver().is_none() {            looks under a guard of its own, which is gone when it answers
//!     *self.loaded.lock().unwrap() = …
//! }
//! ~~~

use std::collections::BTreeSet;

use super::{Part, Taking, is_of_state, taking_at};
use crate::analysis::FunctionId;
use crate::analysis::held::{Waits, What};
use crate::analysis::locks::Lock;
use crate::analysis::uses::Uses;
use crate::flow::{Callee, Next, StepKind, ValueIndex};
use crate::rules::context::RuleContext;

/// The calls of a function that only look at what one of some locks guards, as takings of that lock.
pub(super) fn takings(cx: &RuleContext, id: FunctionId, of: &[&Lock]) -> Vec<Taking> {
    let mut found = Vec::new();
    if of.is_empty() {
        return found;
    }
    let function = cx.function(id);
    let facts = cx.facts(id);
    let uses = Uses::of(&function);
    for (block, at, step) in function.steps() {
        let StepKind::Call(call) = step.kind else { continue };
        let Some(callee) = looker(cx, id, call) else { continue };
        let Some((field, lock)) = looks_at(cx, callee) else { continue };
        let place = cx.program.substitute(id, call, callee, &lock.place);
        let Some(lock) = of.iter().find(|lock| lock.place.is_same(&place)) else { continue };
        let answer = match cx.function(callee).is_async() {
            true => cx.program.shape(id).awaited(call),
            false => Some(call),
        };
        let Some(answer) = answer else { continue };
        let step = at as u32;
        found.push(Taking {
            lock: (*lock).clone().into(),
            held: facts.held_at(block, step).into(),
            block,
            step,
            span: function.value(call).span,
            guard: answer,
            parts: vec![Part::of(cx, id, &uses, answer, field, Some(call))],
            acts: Vec::new(),
            is_given_away: false,
        });
    }
    found
}

/// The function of the project that a call of a method certainly means.
fn looker(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> Option<FunctionId> {
    let Callee::Method(..) = cx.function(id).call(call)?.callee else { return None };
    let functions = cx.resolution(id, call).functions();
    let [callee] = functions[..] else { return None };
    (callee != id).then_some(callee)
}

/// The one lock that a function takes, and the field behind it that its answer is made of, if all that it does there is
/// to look.
fn looks_at(cx: &RuleContext, id: FunctionId) -> Option<(Option<String>, Lock)> {
    let facts = cx.facts(id);
    let mut taken = facts.events.iter().filter_map(|event| match &event.what {
        What::Acquire(lock, waits) => Some((event, lock, *waits)),
        _ => None,
    });
    let (Some((event, lock, Waits::Yes)), None) = (taken.next(), taken.next()) else { return None };
    if !is_of_state(lock) || !facts.returned.is_empty() {
        return None;
    }
    let taking = taking_at(cx, id, event, lock)?;
    if !taking.acts.is_empty() || taking.is_given_away {
        return None;
    }
    let function = cx.function(id);
    let answers: BTreeSet<ValueIndex> = function
        .blocks
        .iter()
        .filter_map(|block| match block.next {
            Next::Return(value) => value,
            _ => None,
        })
        .collect();
    let mut parts = taking.parts.iter().filter(|part| part.made.iter().any(|value| answers.contains(value)));
    let first = parts.next()?;
    let field = parts.all(|part| part.field == first.field).then(|| first.field.clone());
    // An answer made of several fields speaks of none of them alone.
    Some((field?, (**lock).clone()))
}
