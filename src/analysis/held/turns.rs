//! Locks that a generator holds while it waits for its loop (Python).
//!
//! ~~~text
//! def rows(self): with self._lock: yield from self._rows        gives each row with the lock taken
//! for row in self.rows(): self.add(row)                         the lock is held here, in somebody else's loop
//! ~~~
//!
//! What is held wherever the generator yields is held in the body of the loop. What a loop that is left early leaves
//! behind is not followed.

use super::state::State;
use super::walk::Walk;
use super::{HeldBy, Waits, What};
use crate::analysis::binding::Binding;
use crate::analysis::channels::is_in_loop;
use crate::flow::{BlockIndex, Colour, Function, LoopIndex, ValueIndex, ValueKind};
use crate::text::{Language, Span};

impl Walk<'_, '_> {
    /// A loop that takes the next thing from a generator of the project.
    pub(super) fn take_turn(
        &mut self,
        (block, number): (BlockIndex, u32),
        value: ValueIndex,
        span: Span,
        state: &mut State,
    ) {
        let function = self.program.function(self.id);
        let mut at = value;
        while let ValueKind::Component(of, _) = function.value(at).kind {
            at = of;
        }
        let ValueKind::Element(over) = function.value(at).kind else { return };
        if self.language != Language::Python || function.call(over).is_none() {
            return;
        }
        let Some(around) = function.loops.iter().position(|around| around.over == Some(over)) else { return };
        let [callee] = self.program.resolution(self.id, over).functions()[..] else { return };
        let body = self.program.function(callee);
        if !matches!(body.colour, Colour::Generator | Colour::AsyncGenerator) || !body.decorators.is_empty() {
            return;
        }
        let by = HeldBy::Loop(LoopIndex(around as u32));
        for (at, lock) in self.program.facts(callee).yielded.iter().enumerate() {
            let lock = self.program.bound(self.id, &Binding::Call(over), callee, lock);
            self.record(block, number, span, What::Acquire(lock.clone(), Waits::Yes), state);
            self.take(block, number, at as u32, lock, span, by, Waits::Yes, state);
        }
    }
}

/// What is held in a block, if control comes to it with this: what a loop's generator holds is held in its turns.
pub(super) fn in_turn(function: &Function, block: BlockIndex, state: &State) -> Option<State> {
    let is_held = |by: HeldBy| match by {
        HeldBy::Loop(around) => {
            function.loops[around.at()].header != block
                && is_in_loop(function, function.blocks[block.at()].in_loop, around)
        }
        HeldBy::Block(_) | HeldBy::Decorator | HeldBy::Guard(_) | HeldBy::Manual => true,
    };
    let ends = state.iter().any(|entry| !is_held(entry.by));
    ends.then(|| state.iter().filter(|entry| is_held(entry.by)).cloned().collect())
}
