//! Whether a call that waits has nothing to wait for: its receiver was asked before, or told not to wait.
//!
//! ~~~text
//! while not jobs.empty():        asked, on the only way here
//!     job = jobs.get()
//!
//! peer.setblocking(False)        told, in this function or the class whose attribute it is
//! peer.recv(64)
//!
//! if handles[i].is_finished() { handles.swap_remove(i).join() }       an element is asked, and taken out
//!
//! try: peer.recv(64)             whoever expects that it would block has a receiver that does not
//! except BlockingIOError: …
//! ~~~

use super::types::Type;
use super::{FunctionId, Program};
use crate::catalogue::{Blocking, BlockingKind, Told};
use crate::flow::{Callee, Next, Root, ValueIndex, ValueKind};

/// How many blocks above a call a test of its receiver is looked for.
const FARTHEST: usize = 16;

impl Program<'_> {
    /// Whether the text shows that a call which an entry describes returns at once.
    pub(super) fn is_ready(&self, id: FunctionId, call: ValueIndex, entry: &Blocking) -> bool {
        if entry.kind == BlockingKind::Channel && self.may_always_have_room(id, call, entry) {
            return true;
        }
        if entry.unless_told.is_empty() && entry.unless_tested.is_none() && entry.unless_caught.is_empty() {
            return false;
        }
        if self.is_expected_to_fail(id, call, &entry.unless_caught) {
            return true;
        }
        let function = self.function(id);
        let Some(Callee::Method(receiver, _)) = function.call(call).map(|call| &call.callee) else { return false };
        let name = self.value_text(id, *receiver);
        if let Some(tested) = &entry.unless_tested
            && (self.is_tested(id, call, &name, &tested.method, tested.answer)
                || self.is_tested_element(id, call, *receiver, &tested.method, tested.answer))
        {
            return true;
        }
        let place = match &function.value(*receiver).kind {
            ValueKind::Place(place) => place,
            _ => return false,
        };
        // What stands in an attribute of `self` may have been told anywhere in the class.
        let is_of_self = matches!(place.root, Root::Variable(variable) if !place.fields.is_empty()
            && function.parameters.first().is_some_and(|first| first.variable == variable));
        let module = self.module(id.module);
        let here = module.functions().filter(|(index, other)| {
            *index == id.index || is_of_self && other.owner.is_some() && other.owner == function.owner
        });
        here.map(|(index, _)| FunctionId { module: id.module, index })
            .any(|id| entry.unless_told.iter().any(|told| self.is_told(id, &name, told)))
    }

    /// Whether what is sent may go to a channel that takes any number, as far as is known: one type of sender serves
    /// both kinds.
    fn may_always_have_room(&self, id: FunctionId, call: ValueIndex, entry: &Blocking) -> bool {
        if !self.tables(self.language(id.module)).may_send_without_bound(&entry.name) {
            return false;
        }
        let function = self.function(id);
        let Some(Callee::Method(sender, _)) = function.call(call).map(|call| &call.callee) else { return true };
        !self.channel_end(id, *sender).is_some_and(|end| self.is_bounded(end.channel))
    }

    /// Whether a call stands in a `try` that catches what it raises where it would have to wait.
    fn is_expected_to_fail(&self, id: FunctionId, call: ValueIndex, raised: &[String]) -> bool {
        let function = self.function(id);
        let block = function.value(call).block;
        let catches = |class: &ValueIndex| match self.value_type(id, *class) {
            Type::External(name) => raised.iter().any(|one| **one == *name),
            _ => false,
        };
        function.attempts.iter().any(|attempt| {
            attempt.body.has(block) && attempt.handlers.iter().any(|handler| handler.catches.iter().any(catches))
        })
    }

    fn is_told(&self, id: FunctionId, name: &str, told: &Told) -> bool {
        let function = self.function(id);
        function.values.iter().any(|value| {
            let ValueKind::Call(call) = &value.kind else { return false };
            matches!(&call.callee, Callee::Method(receiver, method)
                if *method == told.method && self.value_text(id, *receiver) == name)
                && call.arguments.first().is_some_and(|given| self.is_literal(id, given.value, &told.argument))
        })
    }

    /// Whether a method of the same receiver gave a certain answer on the only way to a call.
    fn is_tested(&self, id: FunctionId, call: ValueIndex, name: &str, method: &str, answer: bool) -> bool {
        let function = self.function(id);
        let shape = self.shape(id);
        let mut block = function.value(call).block;
        for _ in 0..FARTHEST {
            let mut from = shape.predecessors(block).iter().filter(|former| shape.is_reachable(**former));
            let (Some(&former), None) = (from.next(), from.next()) else { return false };
            if let Next::Branch(Some(on), targets) = &function.blocks[former.at()].next
                && let (on, answer) = self.without_denial(id, *on, answer)
                && targets.iter().position(|target| *target == block) == Some(usize::from(!answer))
                && let Some(asked) = function.call(on)
                && matches!(&asked.callee, Callee::Method(receiver, known)
                    if known == method && self.value_text(id, *receiver) == name)
            {
                return true;
            }
            block = former;
        }
        false
    }

    /// Whether a receiver was just taken out of a collection, after that very element was asked there: by its index, or
    /// in the search for it.
    fn is_tested_element(
        &self,
        id: FunctionId,
        call: ValueIndex,
        receiver: ValueIndex,
        method: &str,
        answer: bool,
    ) -> bool {
        let function = self.function(id);
        let only = |value: ValueIndex| {
            let node = function.value(value);
            let ValueKind::Place(place) = &node.kind else { return Some(value) };
            let reaching = self.reaching(id, place.as_variable()?, node.block, node.step).values;
            reaching.first().copied().filter(|_| reaching.len() == 1)
        };
        let Some(taken) = only(receiver).and_then(|value| function.call(value)) else { return false };
        let (Callee::Method(from, _), [at]) = (&taken.callee, &taken.arguments[..]) else { return false };
        let element = format!("{}[…]", self.value_text(id, *from));
        let by_search = only(at.value).is_some_and(|found| self.is_found_by(id, found, method, answer));
        by_search || self.is_tested(id, call, &element, method, answer)
    }

    /// Whether a value comes out of a search with a closure that asks each element: `iter().position(|x| x.is_finished())`.
    fn is_found_by(&self, id: FunctionId, value: ValueIndex, method: &str, answer: bool) -> bool {
        let function = self.function(id);
        let ValueKind::Payload(of, ..) = &function.value(value).kind else { return false };
        let asks = |closure: FunctionId| {
            let body = self.function(closure);
            body.blocks.iter().all(|block| match block.next {
                Next::Return(Some(value)) => {
                    let (on, answer) = self.without_denial(closure, value, answer);
                    let asked = body.call(on).map(|call| &call.callee);
                    answer && matches!(asked, Some(Callee::Method(_, known)) if known == method)
                }
                _ => true,
            })
        };
        function.call(*of).is_some_and(|search| {
            let given = search.arguments.iter().map(|argument| &function.value(argument.value).kind);
            given.into_iter().any(|kind| match kind {
                ValueKind::Function(index) => asks(FunctionId { module: id.module, index: *index }),
                _ => false,
            })
        })
    }

    /// What a condition asks, and the answer for which it holds, where `!` stands before a call.
    fn without_denial(&self, id: FunctionId, on: ValueIndex, answer: bool) -> (ValueIndex, bool) {
        let function = self.function(id);
        match &function.value(on).kind {
            ValueKind::Operation(parts) => match parts[..] {
                [only] if function.call(only).is_some() => (only, !answer),
                _ => (on, answer),
            },
            _ => (on, answer),
        }
    }
}
