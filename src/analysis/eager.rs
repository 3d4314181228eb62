//! Plain functions that do something before they return a future (Rust).
//!
//! ~~~text
//! fn send(&self, order: Order) -> impl Future<Output = Receipt> {
//!     let (answer, receipt) = oneshot::channel();
//!     self.orders.push((order, answer));         done by the call, whether or not anybody awaits the rest
//!     async move { receipt.await.unwrap() }
//! }
//! ~~~

use super::types::Type;
use super::{FunctionId, Program};
use crate::flow::{Argument, Callee, Colour, Next, StepKind, ValueIndex, ValueKind};
use crate::text::Language;

/// How many functions deep a returned future is followed.
const DEEPEST: u32 = 4;

impl Program<'_> {
    /// Whether a call does something besides making what is to be awaited.
    pub fn does_more_than_make(&self, id: FunctionId, call: ValueIndex) -> bool {
        self.language(id.module) == Language::Rust && self.calls_what_does_more(id, call, DEEPEST)
    }

    fn calls_what_does_more(&self, id: FunctionId, call: ValueIndex, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        self.function(id).call(call).is_some()
            && self.resolution(id, call).functions().into_iter().any(|callee| self.does_more(callee, depth))
    }

    fn does_more(&self, id: FunctionId, depth: u32) -> bool {
        let function = self.function(id);
        if function.colour != Colour::Plain {
            return false;
        }
        let is_done = |value: ValueIndex| {
            let is_macro = |callee: &Callee| matches!(callee, Callee::Macro(_));
            function.call(value).is_some_and(|call| !is_macro(&call.callee))
                && self.makes(id, value).is_none()
                && !self.changes_its_own(id, value)
        };
        let is_something = |kind: &StepKind| match kind {
            StepKind::Discard(value) => is_done(*value),
            StepKind::Write(place, ..) => place.as_variable().is_none(),
            StepKind::Store(..) => true,
            StepKind::Call(value) => self.spawn(id, &self.resolution(id, *value)).is_some(),
            StepKind::Suspend(..)
            | StepKind::Enter(_)
            | StepKind::Exit(_)
            | StepKind::Bind(..)
            | StepKind::Read(_)
            | StepKind::Drop(..) => false,
        };
        // What it calls for its result, of which nothing is known, may do as much, unless it makes that of a future.
        let returns_more = |next: &Next| match next {
            Next::Return(Some(value)) => {
                matches!(function.value(*value).kind, ValueKind::Call(_))
                    && (self.is_of_nobody(id, *value) || self.calls_what_does_more(id, *value, depth))
            }
            _ => false,
        };
        function.steps().any(|(_, _, step)| is_something(&step.kind))
            || function.blocks.iter().any(|block| returns_more(&block.next))
    }

    /// Whether nothing is known of a call, neither what it calls nor that it makes a future of another.
    fn is_of_nobody(&self, id: FunctionId, call: ValueIndex) -> bool {
        self.resolution(id, call).targets.is_empty() && !self.is_of_a_future(id, call, DEEPEST)
    }

    /// Whether a value is a future, or made of one: `future.boxed()`, `wrap(async { … })`.
    fn is_of_a_future(&self, id: FunctionId, value: ValueIndex, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let function = self.function(id);
        let node = function.value(value);
        if self.makes(id, value).is_some() || matches!(self.value_type(id, value), Type::Future(_)) {
            return true;
        }
        match &node.kind {
            ValueKind::Call(call) => {
                let receiver = match call.callee {
                    Callee::Method(receiver, _) => Some(receiver),
                    _ => None,
                };
                let mut parts = receiver.into_iter().chain(call.arguments.iter().map(|given| given.value));
                parts.any(|part| self.is_of_a_future(id, part, depth))
            }
            ValueKind::Place(place) => place.as_variable().is_some_and(|variable| {
                let given = self.reaching(id, variable, node.block, node.step).values;
                matches!(given[..], [only] if self.is_of_a_future(id, only, depth))
            }),
            _ => false,
        }
    }

    /// Whether a call only changes a collection that its function has made.
    fn changes_its_own(&self, id: FunctionId, call: ValueIndex) -> bool {
        let function = self.function(id);
        let Some(Callee::Method(receiver, _)) = function.call(call).map(|call| &call.callee) else { return false };
        let resolution = self.resolution(id, call);
        let changes = resolution.external().is_some_and(|name| self.tables(Language::Rust).change(name).is_some());
        let node = function.value(*receiver);
        let ValueKind::Place(place) = &node.kind else { return false };
        let Some(variable) = place.as_variable().filter(|_| changes) else { return false };
        let is_literal = |given: &Argument| matches!(function.value(given.value).kind, ValueKind::Literal(_));
        let is_made = |value: &ValueIndex| match &function.value(*value).kind {
            ValueKind::Collection(..) => true,
            ValueKind::Call(made) => {
                matches!(made.callee, Callee::Path(_) | Callee::Macro(_)) && made.arguments.iter().all(is_literal)
            }
            _ => false,
        };
        let reaching = self.reaching(id, variable, node.block, node.step);
        !reaching.from_entry && !reaching.values.is_empty() && reaching.values.iter().all(is_made)
    }
}
