//! Asynchronous blocks that a thread of their own drives.
//!
//! ~~~text
//! thread::spawn(move || handle.block_on(async move { jobs.recv() }))     nobody else waits for that thread
//! in_a_thread(async move { jobs.recv() })                                nor here, where the wrapper does the same
//! ~~~

use std::collections::BTreeSet;

use super::mentions::is_within;
use super::{FunctionId, Program};
use crate::catalogue::BlockingKind;
use crate::flow::{Function, FunctionIndex, FunctionKind, StepKind, ValueIndex, ValueKind, VariableIndex};

impl Program<'_> {
    /// Whether an asynchronous block is driven to its end by a thread that does nothing else.
    pub(super) fn is_driven_in_a_thread(&self, id: FunctionId) -> bool {
        let function = self.function(id);
        let Some(parent) = function.parent.filter(|_| function.kind == FunctionKind::AsyncBlock) else { return false };
        let parent = FunctionId { module: id.module, index: parent };
        let around = self.function(parent);
        let given = |value: ValueIndex| matches!(around.value(value).kind, ValueKind::Function(at) if at == id.index);
        around.values.iter().enumerate().any(|(at, value)| {
            let ValueKind::Call(call) = &value.kind else { return false };
            let Some(block) = call.arguments.iter().find(|argument| given(argument.value)) else { return false };
            let call = ValueIndex(at as u32);
            if self.drives(parent, call) {
                return self.context(parent).is_elsewhere_only();
            }
            let callees = self.resolution(parent, call).functions();
            let is_its =
                |callee: FunctionId, number: u32| self.argument_for(parent, call, callee, number) == Some(block.value);
            !callees.is_empty()
                && callees.iter().all(|callee| {
                    let parameters = 0..self.function(*callee).parameters.len() as u32;
                    parameters
                        .into_iter()
                        .any(|number| is_its(*callee, number) && self.drives_in_a_thread(*callee, number))
                })
        })
    }

    fn drives(&self, id: FunctionId, call: ValueIndex) -> bool {
        let entry = self.blocking_call(id, call, &self.resolution(id, call));
        entry.is_some_and(|entry| entry.kind == BlockingKind::LoopEntry)
    }

    /// Whether a function starts a thread that drives what it is given, as it came or wrapped in a future of its own.
    fn drives_in_a_thread(&self, id: FunctionId, parameter: u32) -> bool {
        let file = self.module(id.module);
        let function = file.function(id.index);
        let inner: Vec<(FunctionIndex, &Function)> =
            file.functions().filter(|(index, _)| *index != id.index && is_within(&file, *index, id.index)).collect();
        // The variable of the function that one of a closure in it is.
        let outward = |mut at: FunctionIndex, mut variable: VariableIndex| {
            while at != id.index {
                let of = file.function(at);
                (variable, at) = (of.variable(variable).captures?, of.parent?);
            }
            Some(variable)
        };
        let read = |at: FunctionIndex, value: ValueIndex| match &file.function(at).value(value).kind {
            ValueKind::Place(place) => outward(at, place.as_variable()?),
            _ => None,
        };
        let mut carries = BTreeSet::from([function.parameters[parameter as usize].variable]);
        for (_, _, step) in function.steps() {
            let StepKind::Bind(variable, value) = step.kind else { continue };
            let made = function.value(value);
            let reads_it = |at: FunctionIndex| {
                file.function(at).values.iter().enumerate().any(|(number, part)| {
                    made.span.contains(part.span)
                        && read(at, ValueIndex(number as u32)).is_some_and(|it| carries.contains(&it))
                })
            };
            if reads_it(id.index) || inner.iter().any(|(at, _)| reads_it(*at)) {
                carries.insert(variable);
            }
        }
        inner.iter().any(|(at, closure)| {
            let by = FunctionId { module: id.module, index: *at };
            closure.values.iter().enumerate().any(|(number, value)| {
                let ValueKind::Call(call) = &value.kind else { return false };
                let is_given =
                    call.arguments.iter().any(|given| read(*at, given.value).is_some_and(|it| carries.contains(&it)));
                is_given && self.drives(by, ValueIndex(number as u32)) && self.context(by).is_elsewhere_only()
            })
        })
    }
}
