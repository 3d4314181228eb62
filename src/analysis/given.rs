//! Functions that are given to somebody who calls them while he holds a lock.
//!
//! ~~~text
//! fn with_peers(&self, f: impl FnOnce(&mut Peers)) { f(&mut self.peers.lock()) }
//! self.with_peers(|peers| self.store.lock().put(peers))          takes `store` under `peers`
//! ~~~

use std::rc::Rc;

use super::held::What;
use super::locks::{Binding, Lock, LockPlace};
use super::{FunctionId, Program};
use crate::flow::{Callee, Colour, ValueIndex, ValueKind};
use crate::verdict::Location;

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
    pub held: Rc<Lock>,
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
        for event in self.facts(by).events.iter().filter(|event| !event.held.is_empty()) {
            let What::Call(value) = event.what else { continue };
            let Some(Callee::Value(of)) = body.call(value).map(|call| &call.callee) else { continue };
            let ValueKind::Place(place) = &body.value(*of).kind else { continue };
            let Some(variable) = place.as_variable() else { continue };
            let Some(parameter) = body.parameters.iter().position(|known| known.variable == variable) else { continue };
            let is_as_given = self.reaching(by, variable, event.block, event.step).values.is_empty();
            let argument = self.argument_for(id, call, by, parameter as u32).filter(|_| is_as_given);
            let Some(argument) = argument else { continue };
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
        found
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
