//! Functions that are given to somebody who calls them while he holds a lock.
//!
//! ~~~text
//! fn with_peers(&self, f: impl FnOnce(&mut Peers)) { f(&mut self.peers.lock()) }
//! self.with_peers(|peers| self.store.lock().put(peers))          takes `store` under `peers`
//! ~~~
//!
//! Who hands on what he was given under his lock, to a function that calls it, calls it under that lock.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::binding::Binding;
use super::held::What;
use super::locks::{Lock, LockPlace};
use super::{FunctionId, Program};
use crate::flow::{Callee, Colour, ValueIndex, ValueKind};
use crate::verdict::Location;

/// How many functions hand on what they were given before one calls it.
const DEEPEST: u32 = 3;

/// A function that is called under a lock by whoever it is given to.
#[derive(Clone, Debug)]
pub struct GivenUnder {
    /// The function.
    pub given: FunctionId,
    /// How its locks are bound where it is given.
    pub binding: Binding,
    /// Who calls it.
    pub by: FunctionId,
    /// Where.
    pub called: Location,
    /// The lock, in terms of the function that gives.
    pub held: Arc<Lock>,
    /// Where the lock is taken.
    pub taken: Location,
}

impl Program<'_> {
    /// The functions that a call gives to a function of the project which calls them under locks.
    pub fn given_under(&self, id: FunctionId, call: ValueIndex) -> Vec<GivenUnder> {
        let mut found = Vec::new();
        let function = self.function(id);
        let Some(written) = function.call(call).filter(|written| !written.arguments.is_empty()) else { return found };
        let may_be_one = |kind: &ValueKind| matches!(kind, ValueKind::Function(_) | ValueKind::Place(_));
        if !written.arguments.iter().any(|argument| may_be_one(&function.value(argument.value).kind)) {
            return found;
        }
        let [by] = self.resolution(id, call).functions()[..] else { return found };
        let body = self.function(by);
        let facts = self.facts(by);
        if body.parameters.is_empty() || facts.events.iter().all(|event| event.held.is_empty()) {
            return found;
        }
        for event in facts.events.iter().filter(|event| !event.held.is_empty()) {
            let What::Call(value) = event.what else { continue };
            for parameter in self.parameters_called(by, value, DEEPEST) {
                let Some(argument) = self.argument_for(id, call, by, parameter) else { continue };
                let Some((given, binding)) = self.plain_function(id, argument) else { continue };
                for held in event.held.iter().filter(|held| held.is_certain) {
                    found.push(GivenUnder {
                        given,
                        binding: binding.clone(),
                        by,
                        called: self.location(by, event.span),
                        held: self.bound(id, &Binding::Call(call), by, &held.lock),
                        taken: self.location(by, held.taken),
                    });
                }
            }
        }
        found
    }

    /// The parameters of a function that one of its calls runs, by number: it is a call of them, or hands them to a
    /// function that calls them.
    fn parameters_called(&self, by: FunctionId, call: ValueIndex, depth: u32) -> Vec<u32> {
        let body = self.function(by);
        let Some(written) = body.call(call) else { return Vec::new() };
        if let Callee::Value(of) = written.callee {
            return self.parameter_at(by, of).into_iter().collect();
        }
        let handed: Vec<u32> =
            written.arguments.iter().filter_map(|argument| self.parameter_at(by, argument.value)).collect();
        let Some(depth) = depth.checked_sub(1).filter(|_| !handed.is_empty()) else { return Vec::new() };
        let [to] = self.resolution(by, call).functions()[..] else { return Vec::new() };
        if self.function(to).colour != Colour::Plain {
            return Vec::new();
        }
        let run = self.all_parameters_run(to, depth);
        let comes_from = |parameter: &u32| self.parameter_at(by, self.argument_for(by, call, to, *parameter)?);
        run.iter().filter_map(comes_from).collect()
    }

    /// The parameters of a function that any of its calls runs. Functions that hand them to each other would be gone
    /// through once for each way that leads to them.
    fn all_parameters_run(&self, id: FunctionId, depth: u32) -> Arc<[u32]> {
        if let Some(known) = self.parameters_run.borrow().get(&(id, depth)) {
            return known.clone();
        }
        let calls: Vec<ValueIndex> = self.function(id).calls().map(|(call, _)| call).collect();
        let run: BTreeSet<u32> = calls.into_iter().flat_map(|call| self.parameters_called(id, call, depth)).collect();
        let run: Arc<[u32]> = run.into_iter().collect();
        self.parameters_run.borrow_mut().insert((id, depth), run.clone());
        run
    }

    /// The parameter that a value is, as it was given.
    fn parameter_at(&self, by: FunctionId, value: ValueIndex) -> Option<u32> {
        let body = self.function(by);
        let node = body.value(value);
        let ValueKind::Place(place) = &node.kind else { return None };
        let variable = place.as_variable()?;
        let parameter = body.parameters.iter().position(|known| known.variable == variable)?;
        self.reaching(by, variable, node.block, node.step).values.is_empty().then_some(parameter as u32)
    }

    /// The one function that a value is, if calling it runs it.
    fn plain_function(&self, id: FunctionId, value: ValueIndex) -> Option<(FunctionId, Binding)> {
        let found = match self.function(id).value(value).kind {
            ValueKind::Function(index) => (FunctionId { module: id.module, index }, Binding::Closure(value)),
            _ => match self.functions_meant(id, value)[..] {
                [given] => (given, Binding::Receiver(LockPlace::unknown())),
                _ => return None,
            },
        };
        (self.function(found.0).colour == Colour::Plain).then_some(found)
    }
}
