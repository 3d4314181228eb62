//! What a call does to the thread and the task that make it, by the catalogue.

use super::calls::Resolution;
use super::{FunctionId, Program};
use crate::catalogue::{Argument, Blocking, Condition, Offload, Spawn};
use crate::flow::{Call, ValueIndex, ValueKind};

impl<'a> Program<'a> {
    /// The catalogue's entry for a call that keeps its thread waiting, unless its arguments say otherwise. Every target
    /// must block; the first one's entry is given.
    pub fn blocking_call(&self, id: FunctionId, value: ValueIndex, resolution: &Resolution) -> Option<&'a Blocking> {
        let function = self.function(id);
        let call = function.call(value)?;
        let tables = self.tables(self.language(id.module));
        let mut first = None;
        for target in &resolution.targets {
            let super::calls::Target::External(name) = target else { return None };
            let entry = tables.blocking(name)?;
            if entry.unless.iter().any(|condition| self.holds(id, call, condition)) {
                return None;
            }
            first = first.or(Some(entry));
        }
        // What is awaited is no call of the blocking kind, whatever its name: the receiver is another type.
        first.filter(|_| !self.is_awaited(id, value))
    }

    fn holds(&self, id: FunctionId, call: &Call, condition: &Condition) -> bool {
        match condition {
            Condition::Keyword { name, value } => call
                .arguments
                .iter()
                .any(|argument| argument.name.as_ref() == Some(name) && self.is_literal(id, argument.value, value)),
            Condition::Position { at, value } => call
                .arguments
                .get(usize::from(*at))
                .is_some_and(|argument| argument.name.is_none() && self.is_literal(id, argument.value, value)),
            Condition::Mentions(name) => {
                call.arguments.iter().any(|argument| self.mentions(id, argument.value, name, 4))
            }
        }
    }

    fn mentions(&self, id: FunctionId, value: ValueIndex, name: &str, depth: u32) -> bool {
        if depth == 0 {
            return false;
        }
        if self.value_text(id, value).rsplit(['.', ':']).next() == Some(name) {
            return true;
        }
        match &self.function(id).value(value).kind {
            ValueKind::Operation(parts) | ValueKind::Choice(parts) => {
                parts.iter().any(|part| self.mentions(id, *part, name, depth - 1))
            }
            _ => false,
        }
    }

    /// The catalogue's entry for a call whose callable runs elsewhere than where it is handed over.
    pub fn offload(&self, id: FunctionId, resolution: &Resolution) -> Option<&'a Offload> {
        self.tables(self.language(id.module)).offload(resolution.external()?)
    }

    /// The catalogue's entry for a call that starts something.
    pub fn spawn(&self, id: FunctionId, resolution: &Resolution) -> Option<&'a Spawn> {
        let tables = self.tables(self.language(id.module));
        resolution.targets.iter().find_map(|target| match target {
            super::calls::Target::External(name) => tables.spawn(name),
            _ => None,
        })
    }

    /// The values that an argument of the catalogue means at a call.
    pub fn arguments_meant(&self, call: &Call, argument: &Argument) -> Vec<ValueIndex> {
        if let Some(keyword) = &argument.keyword
            && let Some(given) = call.arguments.iter().find(|given| given.name.as_ref() == Some(keyword))
        {
            return vec![given.value];
        }
        let Some(position) = argument.position else { return Vec::new() };
        let positional = call.arguments.iter().filter(|given| given.name.is_none() && !given.is_spread);
        let from = positional.skip(usize::from(position)).map(|given| given.value);
        if argument.rest { from.collect() } else { from.take(1).collect() }
    }
}
