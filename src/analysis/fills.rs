//! Collections that are filled and that nobody looks into.
//!
//! ~~~text
//! tasks = []
//! for url in urls: tasks.append(create_task(load(url)))
//! return found                                             what is in `tasks` ends with it
//! ~~~

use super::uses::Uses;
use super::{FunctionId, Program};
use crate::catalogue::Change;
use crate::flow::{Quality, StepKind, ValueIndex, ValueKind, VariableIndex};
use crate::text::Language;

impl Program<'_> {
    /// The variable whose collection a call puts a value into, if that is made here, and nobody does anything else with
    /// it (Python).
    pub(super) fn fills_unread(
        &self,
        id: FunctionId,
        uses: &Uses,
        call: ValueIndex,
        value: ValueIndex,
    ) -> Option<VariableIndex> {
        if self.language(id.module) != Language::Python {
            return None;
        }
        let function = self.function(id);
        let fills = |call: ValueIndex| match self.change_of(id, call) {
            Some((place, Change::Adds)) => place.as_variable(),
            _ => None,
        };
        let variable = fills(call)?;
        let is_given = function.call(call)?.arguments.iter().any(|argument| argument.value == value);
        let is_empty = |bound: ValueIndex| match &function.value(bound).kind {
            ValueKind::Collection(_, items) => items.is_empty(),
            ValueKind::Call(made) => made.arguments.is_empty() && self.resolution(id, bound).external().is_some(),
            _ => false,
        };
        let only_fills = |read: &ValueIndex| {
            let mut parts = uses.parts_of(*read).peekable();
            parts.peek().is_some()
                && uses.is_only_part(*read)
                && parts.all(|of| fills(of) == Some(variable) && uses.is_only_discarded(of))
        };
        let binds: Vec<ValueIndex> = self.shape(id).binds(variable).collect();
        let is_unread = is_given
            && function.quality == Quality::Whole
            && function.variable(variable).captures.is_none()
            && !self.is_captured(id, variable)
            && !binds.is_empty()
            && binds.into_iter().all(is_empty)
            && uses.reads(variable).iter().all(only_fills);
        is_unread.then_some(variable)
    }

    /// Whether a function can give way after a call: what its variables hold is there as long.
    pub(super) fn gives_way_after(&self, id: FunctionId, call: ValueIndex) -> bool {
        let function = self.function(id);
        let node = function.value(call);
        let after = (node.block, node.step as usize + 1);
        function.comes_to_step(after, |_, step| matches!(step.kind, StepKind::Suspend(..)))
    }
}
