//! What is lost when a future is dropped before its end.
//!
//! A future that comes second in a race is dropped where it waits. Some lose something with that, by their library's
//! own account; an asynchronous function of the project does where it awaits such a one, or where it waits with
//! something in its hands that it took from others:
//!
//! ~~~text
//! let job = jobs.recv().await;    taken out of the channel
//! store.save(job).await;          dropped here, the job is gone
//! ~~~
//!
//! What a function made itself is not lost: it is made anew when the function is called again.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::held::{Event, What};
use super::uses::Uses;
use super::{FunctionId, Program};
use crate::catalogue::Loses;
use crate::flow::{
    Block, BlockIndex, Callee, Function, FunctionKind, Root, Step, StepKind, Suspension, ValueIndex, ValueKind,
    VariableIndex,
};
use crate::verdict::{Hop, Location};

/// What a future loses when it is dropped before its end.
#[derive(Clone, Debug)]
pub struct Interruption {
    /// What is lost.
    pub loses: Loses,
    /// The call that loses it, in the user's own words: `stream.read_exact`.
    pub name: String,
    /// Where it stands.
    pub at: Location,
    /// Who is waited for, and where, with what was taken.
    pub waits: Option<(String, Location)>,
    /// The way to it from the future that is dropped; empty where that is the call itself.
    pub hops: Vec<Hop>,
}

impl Program<'_> {
    /// What a future loses when it is dropped before its end, as far as that is known.
    pub fn interruption(&self, id: FunctionId, value: ValueIndex) -> Option<Interruption> {
        self.deeper(None, || self.find_interruption(id, value))
    }

    fn find_interruption(&self, id: FunctionId, value: ValueIndex) -> Option<Interruption> {
        let function = self.function(id);
        let node = function.value(value);
        match &node.kind {
            ValueKind::Function(index) => {
                let inner = FunctionId { module: id.module, index: *index };
                let is_block = self.function(inner).kind == FunctionKind::AsyncBlock;
                let found = self.function_interruption(inner).filter(|_| is_block)?;
                Some(Interruption::clone(&found))
            }
            // A future that was made before and is not borrowed ends with the race.
            ValueKind::Place(place) => {
                let variable = place.as_variable()?;
                let reaching = self.reaching(id, variable, node.block, node.step);
                match (&reaching.values[..], reaching.from_entry) {
                    ([only], false) if *only != value => self.interruption(id, *only),
                    _ => None,
                }
            }
            ValueKind::Call(call) => {
                let resolution = self.resolution(id, value);
                if let Some(name) = resolution.external() {
                    let tables = self.tables(self.language(id.module));
                    if let Some(entry) = tables.interrupted(name) {
                        let (name, at) = (self.callee_text(id, value), self.location(id, node.span));
                        return Some(Interruption { loses: entry.loses, name, at, waits: None, hops: Vec::new() });
                    }
                    // A future in a wrapper: with a deadline, in a box, fused.
                    if let Some(argument) = tables.consumes_awaitables(name) {
                        let inner = self.arguments_meant(call, argument).into_iter().next()?;
                        return self.interruption(id, inner);
                    }
                    return match &call.callee {
                        Callee::Method(receiver, _) if self.makes(id, *receiver).is_some() => {
                            self.interruption(id, *receiver)
                        }
                        _ => None,
                    };
                }
                let mut first = None;
                for callee in resolution.functions() {
                    let found = self.function_interruption(callee)?;
                    let what = format!("calls `{}`", self.callee_text(id, value));
                    first = first.or_else(|| {
                        let mut found = Interruption::clone(&found);
                        found.hops.insert(0, self.hop(id, node.span, what));
                        Some(found)
                    });
                }
                first
            }
            _ => None,
        }
    }

    /// What an asynchronous function loses that is dropped while it waits, of what others can miss.
    fn function_interruption(&self, id: FunctionId) -> Option<Arc<Interruption>> {
        if let Some(known) = self.interruptions.borrow().get(&id) {
            return known.clone();
        }
        // Recursion ends here.
        self.interruptions.borrow_mut().insert(id, None);
        let found = self.deeper(None, || self.find_in_function(id)).map(Arc::new);
        self.interruptions.borrow_mut().insert(id, found.clone());
        found
    }

    fn find_in_function(&self, id: FunctionId) -> Option<Interruption> {
        let function = self.function(id);
        if !function.is_async() {
            return None;
        }
        let facts = self.facts(id);
        let awaits = || {
            facts.events.iter().filter_map(|event| match event.what {
                What::Suspend(Suspension::Await, Some(of)) => Some((event, of)),
                _ => None,
            })
        };
        let mut uses = None;
        for (_, of) in awaits() {
            if !root_of(&function, of).is_none_or(|root| is_from_outside(&function, root)) {
                continue;
            }
            let Some(found) = self.interruption(id, of) else { continue };
            match found.loses {
                Loses::Input | Loses::Output => return Some(found),
                Loses::Taken if found.waits.is_some() => return Some(found),
                Loses::Taken if found.hops.is_empty() => {
                    let uses = uses.get_or_insert_with(|| Uses::of(&function));
                    let waits = self.waits_with(id, uses, of, awaits());
                    if let Some((waits, event)) = waits {
                        let who = self.callee_text(id, waits);
                        let waits = Some((who, self.location(id, event.span)));
                        return Some(Interruption { waits, ..found });
                    }
                }
                // What is sent may be what the function made itself.
                Loses::Taken | Loses::Item | Loses::Arrival | Loses::Turn => {}
            }
        }
        None
    }

    /// A later wait for a call that is handed what an earlier one gave.
    fn waits_with<'e>(
        &self,
        id: FunctionId,
        uses: &Uses,
        taken: ValueIndex,
        awaits: impl Iterator<Item = (&'e Event, ValueIndex)>,
    ) -> Option<(ValueIndex, &'e Event)> {
        let got = self.shape(id).awaited(taken)?;
        let made = self.made_from(id, uses, got);
        awaits
            .filter(|(_, of)| *of != taken && made.contains(of))
            .find(|(_, of)| self.function(id).call(*of).is_some() && self.may_suspend(id, Suspension::Await, Some(*of)))
            .map(|(event, of)| (of, event))
    }

    /// Whether control gets from one block to another without giving a variable a new value.
    pub fn comes_back(&self, id: FunctionId, from: BlockIndex, to: BlockIndex, kept: Option<VariableIndex>) -> bool {
        let function = self.function(id);
        let renews = |step: &Step| matches!(step.kind, StepKind::Bind(bound, _) if Some(bound) == kept);
        let visit = |at, block: &Block, on: &mut Vec<BlockIndex>| {
            if block.steps.iter().any(renews) {
                return ControlFlow::Continue(());
            }
            on.extend(block.next.targets());
            if at == to { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        function.walk([from], visit).is_some()
    }
}

/// The variable at the root of what a call works on: its receiver, and that one's receiver in turn.
pub fn root_of(function: &Function, value: ValueIndex) -> Option<VariableIndex> {
    let mut at = value;
    loop {
        at = match &function.value(at).kind {
            ValueKind::Place(place) => {
                return match place.root {
                    Root::Variable(variable) => Some(variable),
                    Root::Global(_) => None,
                };
            }
            ValueKind::Reference(of)
            | ValueKind::Dereference(of)
            | ValueKind::Field(of, _)
            | ValueKind::Index(of)
            | ValueKind::Try(of)
            | ValueKind::Awaited(of) => *of,
            ValueKind::Call(call) => match (&call.callee, &call.arguments[..]) {
                (Callee::Method(receiver, _), _) => *receiver,
                (_, [first, ..]) => first.value,
                _ => return None,
            },
            _ => return None,
        };
    }
}

/// Whether a variable holds something that outlives the call: a parameter, a captured one.
pub fn is_from_outside(function: &Function, variable: VariableIndex) -> bool {
    function.variable(variable).captures.is_some()
        || function.parameters.iter().any(|parameter| parameter.variable == variable)
}
