//! Functions that a decorator of the project hands to a thread: a call of such a one only starts it.
//!
//! ~~~text
//! def in_background(function):
//!     def wrapper(*args):
//!         Thread(target=function, args=args).start()       `function` is never called in the thread of the caller
//!     return wrapper
//! ~~~
//!
//! A wrapper that waits for what it started keeps its caller waiting as if it had called it.

use super::held::decorators::{Wrapped, calls};
use super::{FunctionId, Program};
use crate::catalogue::Runs;
use crate::flow::{Callee, Function, ValueIndex, ValueKind, VariableIndex};
use crate::text::Language;

/// How far down an argument the decorated function is looked for.
const DEEPEST: u32 = 4;

impl Program<'_> {
    /// Whether a decorator of the project hands a function to a thread or process, and does not wait for it.
    pub(super) fn is_handed_on(&self, id: FunctionId) -> bool {
        self.language(id.module) == Language::Python
            && self.function(id).decorators.iter().any(|decorator| {
                self.wrapped_by(id, decorator).is_some_and(|wrapped| self.hands_on_what_it_wraps(&wrapped))
            })
    }

    fn hands_on_what_it_wraps(&self, wrapped: &Wrapped) -> bool {
        let Some(decorated) = self.function(wrapped.applied).parameters.first().map(|first| first.variable) else {
            return false;
        };
        let id = wrapped.wrapper;
        let body = self.function(id);
        let made = (0..).map(ValueIndex).zip(&body.values);
        let mut is_handed_on = false;
        for (index, _) in made.filter(|(_, value)| matches!(value.kind, ValueKind::Call(_))) {
            let waits = || self.blocking_call(id, index, &self.resolution(id, index)).is_some();
            if calls(&body, index, decorated) || waits() {
                return false;
            }
            is_handed_on |= self.is_given_to_a_worker(id, index, decorated);
        }
        is_handed_on
    }

    /// Whether a call gives a captured function, or something that calls it, to a thread or process.
    fn is_given_to_a_worker(&self, id: FunctionId, call: ValueIndex, captured: VariableIndex) -> bool {
        let starts = self.given_to_run(id, call).is_some_and(|(_, runs)| matches!(runs, Runs::Thread | Runs::Process));
        // What is started may be a helper that is given the function: `submit(report_failure, function, *args)`.
        let given = self.function(id).call(call).map(|call| call.arguments.clone()).unwrap_or_default();
        let given = given.into_iter().map(|given| given.value).filter(|_| starts);
        let forwarded = self.arguments_forwarded(id, call).into_iter().map(|(argument, _)| argument);
        given.chain(forwarded).any(|argument| self.leads_to(id, argument, captured, DEEPEST))
    }

    /// Whether a value is a captured function, or something that is made of it: a closure, a `partial`.
    fn leads_to(&self, id: FunctionId, value: ValueIndex, captured: VariableIndex, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let function = self.function(id);
        let of_argument = match &function.value(value).kind {
            ValueKind::Place(place) => place.as_variable().is_some_and(|one| stands_for(&function, one, captured)),
            ValueKind::Call(call) => {
                let is_called = matches!(call.callee, Callee::Value(of) if self.leads_to(id, of, captured, depth));
                is_called || call.arguments.iter().any(|given| self.leads_to(id, given.value, captured, depth))
            }
            ValueKind::Collection(_, items) => items.iter().any(|(_, item)| self.leads_to(id, *item, captured, depth)),
            _ => false,
        };
        of_argument
            || self.functions_meant(id, value).into_iter().any(|inner| {
                let closure = self.function(inner);
                let own = closure.variables.iter().filter_map(|variable| variable.captures);
                inner.module == id.module
                    && closure.parent == Some(id.index)
                    && own.into_iter().any(|outer| stands_for(&function, outer, captured))
            })
    }
}

/// Whether a variable of a closure is one of the function around it.
fn stands_for(function: &Function, variable: VariableIndex, captured: VariableIndex) -> bool {
    function.variable(variable).captures == Some(captured)
}
