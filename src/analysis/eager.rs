//! Plain functions that do something before they return a future (Rust).
//!
//! ~~~text
//! fn send(&self, order: Order) -> impl Future<Output = Receipt> {
//!     let (answer, receipt) = oneshot::channel();
//!     self.orders.push((order, answer));         done by the call, whether or not anybody awaits the rest
//!     async move { receipt.await.unwrap() }
//! }
//! ~~~

use super::{FunctionId, Program};
use crate::flow::{Callee, Colour, Next, StepKind, ValueIndex, ValueKind};
use crate::text::Language;

/// How many functions deep a returned future is followed.
const DEEPEST: u32 = 4;

impl Program<'_> {
    /// Whether a call does something besides making what is to be awaited.
    pub fn does_more_than_make(&self, id: FunctionId, call: ValueIndex) -> bool {
        self.language(id.module) == Language::Rust && self.calls_what_does_more(id, call, DEEPEST)
    }

    fn calls_what_does_more(&self, id: FunctionId, call: ValueIndex, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        self.function(id).call(call).is_some()
            && self.resolution(id, call).functions().into_iter().any(|callee| self.does_more(callee, depth))
    }

    fn does_more(&self, id: FunctionId, depth: u32) -> bool {
        let function = self.function(id);
        if function.colour != Colour::Plain {
            return false;
        }
        let is_done = |value: ValueIndex| {
            let is_macro = |callee: &Callee| matches!(callee, Callee::Macro(_));
            function.call(value).is_some_and(|call| !is_macro(&call.callee)) && self.makes(id, value).is_none()
        };
        let is_something = |kind: &StepKind| match kind {
            StepKind::Discard(value) => is_done(*value),
            StepKind::Write(place, ..) => place.as_variable().is_none(),
            StepKind::Store(..) => true,
            StepKind::Call(value) => self.spawn(id, &self.resolution(id, *value)).is_some(),
            StepKind::Suspend(..)
            | StepKind::Enter(_)
            | StepKind::Exit(_)
            | StepKind::Bind(..)
            | StepKind::Read(_)
            | StepKind::Drop(..) => false,
        };
        // What it calls for its result, of which nothing is known, may do as much.
        let returns_more = |next: &Next| match next {
            Next::Return(Some(value)) => {
                matches!(function.value(*value).kind, ValueKind::Call(_))
                    && (self.resolution(id, *value).targets.is_empty() || self.calls_what_does_more(id, *value, depth))
            }
            _ => false,
        };
        function.steps().any(|(_, _, step)| is_something(&step.kind))
            || function.blocks.iter().any(|block| returns_more(&block.next))
    }
}
