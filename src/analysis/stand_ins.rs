//! A coroutine that takes the place of what was missing.
//!
//! ~~~text
//! async def greet(user=None):
//!     if user is None:
//!         user = default_user()      only makes a coroutine
//!     return user.name               which has no name
//! ~~~
//!
//! What was given may be of another kind, so the variable holds a coroutine on one way only. Nobody awaits it on that way
//! if nobody in the function awaits the variable, or asks what it is.

use super::colours::Unawaited;
use super::first_use::looks_at;
use super::{FunctionId, Program};
use crate::flow::{Function, Next, Place, Root, StepKind, ValueIndex, ValueKind, VariableIndex};
use crate::text::Language;

/// How deep a condition is looked into.
const DEEPEST: u32 = 4;

impl Program<'_> {
    /// The coroutine that the variable of a place holds on one of the ways that lead to where it is read, because it held
    /// nothing before.
    pub fn unawaited_stand_in(&self, id: FunctionId, value: ValueIndex, place: &Place) -> Option<Unawaited> {
        let Root::Variable(variable) = place.root else { return None };
        if self.language(id.module) != Language::Python || self.is_captured(id, variable) {
            return None;
        }
        let function = self.function(id);
        let at = function.value(value);
        let reaching = self.reaching(id, variable, at.block, at.step);
        let is_one = |call: &ValueIndex| {
            function.call(*call).is_some()
                && self.is_put_where_missing(id, *call, variable)
                && self.call_gives_coroutine(id, *call)
        };
        let call = reaching.values.iter().copied().find(is_one)?;
        let is_told_apart = is_awaited(&function, variable) || self.asks_what_it_is(id, variable);
        (!is_told_apart).then(|| Unawaited { by: id, value: call, callees: self.resolution(id, call).functions() })
    }

    /// Whether a variable is given a value where it was looked at just before, and only there.
    fn is_put_where_missing(&self, id: FunctionId, value: ValueIndex, variable: VariableIndex) -> bool {
        let function = self.function(id);
        let is_bind = |kind: &StepKind| matches!(kind, StepKind::Bind(to, of) if *to == variable && *of == value);
        let Some((block, ..)) = function.steps().find(|(.., step)| is_bind(&step.kind)) else { return false };
        let place = Place::variable(variable);
        let is_looked_at = |next: &Next| matches!(next, Next::Branch(Some(condition), _) if looks_at(&function, *condition, &place, DEEPEST));
        let shape = self.shape(id);
        let before = shape.predecessors(block);
        !before.is_empty() && before.iter().all(|before| is_looked_at(&function.blocks[before.at()].next))
    }
}

fn is_variable(function: &Function, value: ValueIndex, variable: VariableIndex) -> bool {
    matches!(&function.value(value).kind, ValueKind::Place(place) if place.as_variable() == Some(variable))
}

/// Whether a function awaits what a variable holds, anywhere.
fn is_awaited(function: &Function, variable: VariableIndex) -> bool {
    function.steps().any(|(.., step)| match step.kind {
        StepKind::Suspend(_, Some(of)) => is_variable(function, of, variable),
        _ => false,
    })
}
