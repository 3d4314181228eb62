//! Project functions that hand a function they are given to a thread.
//!
//! ~~~text
//! def in_thread(self, work, *args):
//!     return self.loop.run_in_executor(None, work, *args)      its second parameter runs in a thread
//!     return self.loop.run_in_executor(None, lambda: work(1))  and so does one that only a closure calls
//! ~~~
//!
//! Only threads and processes are followed: what is started as a task shows that by its colour.

use std::sync::Arc;

use super::mentions::is_within;
use super::{FunctionId, Program};
use crate::catalogue::Runs;
use crate::flow::{Callee, Colour, FunctionIndex, ValueIndex, ValueKind};

/// How many wrappers lie between a function and the thread that runs it.
const DEEPEST: u32 = 4;

/// A function, and how many wrappers may still lie behind it.
pub(super) type Asked = (FunctionId, u32);

/// A parameter whose function runs elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    /// The parameter, by number; the receiver is the first.
    pub parameter: u32,
    /// Where what is passed for it runs.
    pub runs: Runs,
}

impl Program<'_> {
    /// The parameters that a function hands to a thread or process.
    pub fn forwards(&self, id: FunctionId) -> Arc<Vec<Forward>> {
        self.forwards_within(id, DEEPEST)
    }

    fn forwards_within(&self, id: FunctionId, depth: u32) -> Arc<Vec<Forward>> {
        // What was found of one at the end of a long chain of wrappers is less than what there is.
        let asked = (id, depth);
        if let Some(known) = self.forwards.borrow().get(&asked) {
            return known.clone();
        }
        // The entry made here answers a wrapper that leads back to itself.
        self.forwards.borrow_mut().insert(asked, Arc::default());
        let found = Arc::new(self.deeper(Vec::new(), || self.find_forwards(id, depth)));
        self.forwards.borrow_mut().insert(asked, found.clone());
        found
    }

    fn find_forwards(&self, id: FunctionId, depth: u32) -> Vec<Forward> {
        let function = self.function(id);
        let mut found = Vec::new();
        // A decorator may make another function of it.
        if depth == 0 || function.parameters.is_empty() || !self.stays_a_function(id) {
            return found;
        }
        for (at, value) in function.values.iter().enumerate() {
            let ValueKind::Call(call) = &value.kind else { continue };
            let call_index = ValueIndex(at as u32);
            let gives_parameter = |argument: ValueIndex| self.parameter_read(id, argument);
            let is_closure = |argument: ValueIndex| matches!(function.value(argument).kind, ValueKind::Function(_));
            let may_be_it = |argument: ValueIndex| is_closure(argument) || gives_parameter(argument).is_some();
            if !call.arguments.iter().any(|argument| may_be_it(argument.value)) {
                continue;
            }
            for (argument, runs) in self.handed_to_threads(id, call_index, depth) {
                let called = match function.value(argument).kind {
                    ValueKind::Function(closure) => self.parameters_called_in(id, closure),
                    _ => gives_parameter(argument).into_iter().collect(),
                };
                for parameter in called {
                    let forward = Forward { parameter, runs };
                    if !found.contains(&forward) {
                        found.push(forward);
                    }
                }
            }
        }
        found
    }

    /// The parameters of a function that a closure in it calls, itself or in a closure of its own:
    /// `spawn_blocking(move || catch_unwind(|| work(&stop)))`.
    fn parameters_called_in(&self, id: FunctionId, closure: FunctionIndex) -> Vec<u32> {
        let file = self.module(id.module);
        let function = file.function(id.index);
        let mut found = Vec::new();
        for (_, inner) in file.functions().filter(|(index, _)| is_within(&file, *index, closure)) {
            for value in &inner.values {
                let ValueKind::Call(call) = &value.kind else { continue };
                let Callee::Value(called) = call.callee else { continue };
                let ValueKind::Place(place) = &inner.value(called).kind else { continue };
                let Some(mut variable) = place.as_variable() else { continue };
                let mut at = inner;
                let of_function = loop {
                    match (at.variable(variable).captures, at.parent) {
                        (Some(outer), Some(parent)) if parent == id.index => break Some(outer),
                        (Some(outer), Some(parent)) => (variable, at) = (outer, file.function(parent)),
                        _ => break None,
                    }
                };
                let number = of_function.and_then(|variable| {
                    function.parameters.iter().position(|parameter| parameter.variable == variable)
                });
                found.extend(number.map(|number| number as u32));
            }
        }
        found
    }

    /// The arguments of a call that run in a thread or process, by the catalogue or through a wrapper of the project.
    fn handed_to_threads(&self, id: FunctionId, call: ValueIndex, depth: u32) -> Vec<(ValueIndex, Runs)> {
        let function = self.function(id);
        let Some(written) = function.call(call) else { return Vec::new() };
        let resolution = self.resolution(id, call);
        if let Some(offload) = self.offload(id, &resolution) {
            let is_away = matches!(offload.runs, Runs::Thread | Runs::Process);
            let meant = self.arguments_meant(written, &offload.callable);
            return meant.into_iter().filter(|_| is_away).map(|argument| (argument, offload.runs)).collect();
        }
        self.wrapped_arguments(id, call, depth)
    }

    /// The arguments of a call that every project function it may mean hands to a thread or process.
    pub(super) fn arguments_forwarded(&self, id: FunctionId, call: ValueIndex) -> Vec<(ValueIndex, Runs)> {
        self.wrapped_arguments(id, call, DEEPEST)
    }

    fn wrapped_arguments(&self, id: FunctionId, call: ValueIndex, depth: u32) -> Vec<(ValueIndex, Runs)> {
        let callees = self.resolution(id, call).functions();
        let Some((first, others)) = callees.split_first() else { return Vec::new() };
        let Some(depth) = depth.checked_sub(1) else { return Vec::new() };
        let forwards = self.forwards_within(*first, depth);
        let is_everywhere =
            |forward: &&Forward| others.iter().all(|other| self.forwards_within(*other, depth).contains(forward));
        let argument = |forward: &Forward| {
            self.argument_for(id, call, *first, forward.parameter).map(|argument| (argument, forward.runs))
        };
        forwards.iter().filter(is_everywhere).filter_map(argument).collect()
    }

    /// The parameter that a value is, as it came.
    fn parameter_read(&self, id: FunctionId, value: ValueIndex) -> Option<u32> {
        let function = self.function(id);
        let read = function.value(value);
        let ValueKind::Place(place) = &read.kind else { return None };
        let variable = place.as_variable()?;
        let at = function.parameters.iter().position(|parameter| parameter.variable == variable)?;
        let reaching = self.reaching(id, variable, read.block, read.step);
        (reaching.values.is_empty() && function.colour != Colour::Generator).then_some(at as u32)
    }
}
