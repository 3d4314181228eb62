//! Functions that a decorator of the project hands to a thread: a call of such a one only starts it.
//!
//! ~~~text
//! def in_background(function):
//!     def wrapper(*args):
//!         Thread(target=function, args=args).start()       `function` is never called in the thread of the caller
//!     return wrapper
//! ~~~
//!
//! A wrapper that waits for what it started keeps its caller waiting as if it had called it, be it in a helper.

use super::held::decorators::{Wrapped, calls};
use super::{FunctionId, Program};
use crate::catalogue::Runs;
use crate::flow::{Callee, Colour, Function, ValueIndex, ValueKind, VariableIndex};
use crate::text::Language;

/// How far down an argument the decorated function is looked for.
const DEEPEST: u32 = 4;

/// How many functions below a wrapper a wait is looked for.
const DEEPEST_WAIT: u32 = 2;

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
        let made = made.filter(|(_, value)| matches!(value.kind, ValueKind::Call(_)));
        let made: Vec<ValueIndex> = made.map(|(index, _)| index).collect();
        let (starts, others): (Vec<ValueIndex>, Vec<ValueIndex>) =
            made.into_iter().partition(|index| self.is_given_to_a_worker(id, *index, decorated));
        let waits = |index: &ValueIndex| self.waits_at(id, *index, DEEPEST_WAIT);
        let runs = |index: &ValueIndex| {
            calls(&body, *index, decorated)
                || self.runs_here(id, *index, decorated)
                || self.is_passed_on(id, *index, decorated)
        };
        !starts.is_empty() && !starts.iter().chain(&others).any(waits) && !others.iter().any(runs)
    }

    /// Whether a call waits, or a function of the project that it calls.
    fn waits_at(&self, id: FunctionId, call: ValueIndex, depth: u32) -> bool {
        let resolution = self.resolution(id, call);
        if self.blocking_call(id, call, &resolution).is_some() {
            return true;
        }
        let Some(depth) = depth.checked_sub(1) else { return false };
        resolution.functions().into_iter().filter(|callee| self.function(*callee).colour == Colour::Plain).any(
            |callee| {
                let body = self.function(callee);
                let calls = (0..).map(ValueIndex).zip(&body.values);
                let mut calls = calls.filter(|(_, value)| matches!(value.kind, ValueKind::Call(_)));
                calls.any(|(index, _)| self.waits_at(callee, index, depth))
            },
        )
    }

    /// Whether a function of the project that is called there calls a captured function: a closure of it, or one that is
    /// given it to call.
    fn runs_here(&self, id: FunctionId, call: ValueIndex, captured: VariableIndex) -> bool {
        let function = self.function(id);
        self.resolution(id, call).functions().into_iter().any(|callee| {
            let closure = self.function(callee);
            let own = closure.variables.iter().filter_map(|variable| variable.captures);
            let is_own = callee.module == id.module && closure.parent == Some(id.index);
            is_own && own.into_iter().any(|outer| stands_for(&function, outer, captured))
                || self.called_parameters(callee).into_iter().any(|parameter| {
                    let given = self.argument_for(id, call, callee, parameter);
                    given.is_some_and(|given| self.leads_to(id, given, captured, DEEPEST))
                })
        })
    }

    /// Whether a function of the project is given what the start of a captured function gave, and so may wait for it.
    fn is_passed_on(&self, id: FunctionId, call: ValueIndex, captured: VariableIndex) -> bool {
        let function = self.function(id);
        let is_start =
            |value: &ValueIndex| function.call(*value).is_some() && self.leads_to(id, *value, captured, DEEPEST);
        let is_started = |value: ValueIndex| {
            let node = function.value(value);
            match &node.kind {
                ValueKind::Place(place) => place.as_variable().is_some_and(|variable| {
                    self.reaching(id, variable, node.block, node.step).values.iter().any(is_start)
                }),
                _ => is_start(&value),
            }
        };
        !self.resolution(id, call).functions().is_empty()
            && function.call(call).is_some_and(|call| call.arguments.iter().any(|given| is_started(given.value)))
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
