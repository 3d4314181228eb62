//! The coroutine that a variable holds wherever it is read, in the function itself or in one inside it.
//!
//! ~~~text
//! editor = builder.client(name)          only makes a coroutine
//! async def run(item):
//!     await editor.add(item)             which has no `add`
//! ~~~

use super::colours::Unawaited;
use super::{FunctionId, Program};
use crate::flow::{Place, Quality, Root, StepKind, ValueIndex, VariableIndex};
use crate::text::Language;

impl Program<'_> {
    /// The coroutine that the variable of a place certainly holds where the place is read.
    pub fn unawaited_root(&self, id: FunctionId, value: ValueIndex, place: &Place) -> Option<Unawaited> {
        let Root::Variable(variable) = place.root else { return None };
        let function = self.function(id);
        let at = function.value(value);
        let reaching = self.reaching(id, variable, at.block, at.step);
        let all = |call: &ValueIndex| function.call(*call).is_some() && self.call_gives_coroutine(id, *call);
        let Some(&first) = reaching.values.first() else { return self.unawaited_around(id, variable) };
        let is_certain = !reaching.from_entry && reaching.values.iter().all(all);
        is_certain.then(|| Unawaited { by: id, value: first, callees: self.resolution(id, first).functions() })
    }

    /// The coroutine that a variable of the function around certainly holds, whenever a function inside it reads that
    /// (Python).
    pub(super) fn unawaited_around(&self, id: FunctionId, variable: VariableIndex) -> Option<Unawaited> {
        let function = self.function(id);
        let outer = function.variable(variable).captures?;
        let by = FunctionId { index: function.parent?, ..id };
        let around = self.function(by);
        let is_given = around.parameters.iter().any(|parameter| parameter.variable == outer);
        if is_given || around.quality != Quality::Whole || self.language(id.module) != Language::Python {
            return None;
        }
        // A function inside may give it something else.
        let file = self.module(id.module);
        for (_, inner) in file.functions().filter(|(_, inner)| inner.parent == Some(by.index)) {
            let its = (0..).map(VariableIndex).zip(&inner.variables).find(|(_, known)| known.captures == Some(outer));
            let Some((its, _)) = its else { continue };
            let gives = |kind: &StepKind| match kind {
                StepKind::Bind(variable, _) => *variable == its,
                StepKind::Write(place, ..) => place.as_variable() == Some(its),
                _ => false,
            };
            if inner.steps().any(|(.., step)| gives(&step.kind)) {
                return None;
            }
        }
        let bound: Vec<ValueIndex> = self.shape(by).binds(outer).collect();
        let all = |call: &ValueIndex| around.call(*call).is_some() && self.call_gives_coroutine(by, *call);
        let first = *bound.first().filter(|_| bound.iter().all(all))?;
        Some(Unawaited { by, value: first, callees: self.resolution(by, first).functions() })
    }
}
