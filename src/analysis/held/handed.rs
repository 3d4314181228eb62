//! Guards that a call hands to its callee, which ends them before anything can wait for the lock.
//!
//! ~~~text
//! async fn finish(rows: MutexGuard<'_, Rows>) {
//!     let count = rows.len();
//!     drop(rows);                    from here on nobody holds the lock, whatever the caller had
//!     tell(count).await
//! }
//! ~~~

use super::state::{Entry, State};
use super::walk::Walk;
use super::{HeldBy, What};
use crate::analysis::{FunctionId, Program};
use crate::flow::{Owner, ValueIndex};

impl Program<'_> {
    /// Whether a function gives way while it holds a guard that it was given by value; it may where that is not known.
    pub fn gives_way_under_its_guards(&self, callee: FunctionId) -> bool {
        self.does_under_its_guards(callee, |what| matches!(what, What::Suspend(..)))
    }

    /// Whether a function does something while it holds a guard that it was given by value, or has no such parameter.
    fn does_under_its_guards(&self, callee: FunctionId, matters: impl Fn(&What) -> bool) -> bool {
        let function = self.function(callee);
        let is_guard = |at: usize| self.guarded_parameter(callee, at).is_some();
        let given = function.parameters.iter().enumerate().filter(|(at, _)| is_guard(*at));
        let given: Vec<_> = given.map(|(_, parameter)| HeldBy::Guard(Owner::Variable(parameter.variable))).collect();
        let facts = self.facts(callee);
        // A function that is being looked at, because it calls itself, has no events yet.
        if given.is_empty() || facts.events.is_empty() {
            return true;
        }
        let is_under = |held: &super::Held| given.contains(&held.by);
        facts.events.iter().any(|event| event.held.iter().any(is_under) && matters(&event.what))
    }
}

impl Walk<'_, '_> {
    /// What of a state still is held while a call runs: not what its callee was handed, if it does nothing under it for
    /// which somebody might wait.
    pub(super) fn held_during(&self, value: ValueIndex, state: &State) -> Option<State> {
        if self.events.is_none() || state.is_empty() {
            return None;
        }
        let function = self.program.function(self.id);
        let call = function.call(value)?;
        let mut given = vec![Owner::Temporary(value)];
        given.extend(call.arguments.iter().flat_map(|argument| self.carriers(argument.value)));
        let is_given = |entry: &Entry| matches!(entry.by, HeldBy::Guard(owner) if given.contains(&owner));
        if !state.iter().any(is_given) {
            return None;
        }
        let callees = self.program.resolution(self.id, value).functions();
        let is_idle = |callee: &FunctionId| {
            let matters = |what: &What| match what {
                What::Call(inner) => !self.program.resolution(*callee, *inner).functions().is_empty(),
                What::Suspend(..) | What::Acquire(..) | What::Runs(_) => true,
            };
            !self.program.does_under_its_guards(*callee, matters)
        };
        let all_idle = !callees.is_empty() && callees.iter().all(is_idle);
        all_idle.then(|| state.iter().filter(|entry| !is_given(entry)).cloned().collect())
    }
}
