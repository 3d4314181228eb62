//! What a program makes when it is first asked for, and keeps.
//!
//! ~~~text
//! if cls._main is None:
//!     cls._main = App()       whatever this costs, it costs once
//! return cls._main
//! ~~~

use super::{FunctionId, Program};
use crate::flow::{Function, FunctionKind, Next, Place, Root, StepKind, ValueIndex, ValueKind, WriteKind};

/// How deep a condition is looked into.
const DEEPEST: u32 = 4;

impl Program<'_> {
    /// Whether a call makes what a module or class keeps, where it was seen that it has none yet.
    pub(super) fn is_made_on_first_use(&self, id: FunctionId, call: ValueIndex) -> bool {
        let function = self.function(id);
        let block = function.value(call).block;
        // Control comes to the block from where the place was looked at, and from nowhere else.
        let shape = self.shape(id);
        let [before] = shape.predecessors(block) else { return false };
        let Next::Branch(Some(condition), to) = &function.blocks[before.at()].next else { return false };
        if to.iter().filter(|target| **target == block).count() != 1 {
            return false;
        }
        let kept = function.blocks[block.at()].steps.iter().find_map(|step| match &step.kind {
            StepKind::Write(place, WriteKind::Assign, Some(value)) if *value == call => Some(place),
            _ => None,
        });
        kept.is_some_and(|place| is_of_the_program(&function, place) && looks_at(&function, *condition, place, DEEPEST))
    }
}

/// Whether a place belongs to a module, or to the class that a class method is called on.
fn is_of_the_program(function: &Function, place: &Place) -> bool {
    let is_named = place.fields.iter().all(|field| matches!(field, crate::flow::Field::Name(_)));
    is_named
        && !place.is_cut
        && match &place.root {
            Root::Global(_) => true,
            Root::Variable(variable) => {
                function.kind == FunctionKind::ClassMethod
                    && !place.fields.is_empty()
                    && function.parameters.first().is_some_and(|first| first.variable == *variable)
            }
        }
}

/// Whether a condition reads a place, as it stands or in an operation.
pub(super) fn looks_at(function: &Function, condition: ValueIndex, place: &Place, left: u32) -> bool {
    match &function.value(condition).kind {
        ValueKind::Place(read) => read == place,
        ValueKind::Operation(of) if left > 0 => of.iter().any(|of| looks_at(function, *of, place, left - 1)),
        _ => false,
    }
}
