//! What an await runs to its end, where that is not just the call that stands there.
//!
//! ~~~text
//! timeout(limit, self.load()).await     by the catalogue
//! self.load().boxed().await             a future made of another
//! let load = self.load(); load.await    by name
//! join!(self.load(), self.store())      both
//! async { self.load().await }.await     a block
//! ~~~
//!
//! Of a race nothing is run to its end for certain.

use super::binding::Binding;
use super::in_place::InPlace;
use super::types::Type;
use super::{FunctionId, Program};
use crate::flow::{Callee, Collection, Colour, FunctionKind, Next, StepKind, Suspension, ValueIndex, ValueKind};
use crate::text::Language;

/// How many values lie between an await and the call whose future it runs.
const FARTHEST: u32 = 8;

impl Program<'_> {
    /// The calls and asynchronous blocks whose futures run before an await of a value is over.
    pub(super) fn run_by_await(&self, id: FunctionId, value: ValueIndex) -> Vec<ValueIndex> {
        let mut found = Vec::new();
        match self.language(id.module) {
            Language::Rust => self.collect_run(id, value, FARTHEST, &mut found),
            Language::Python if self.function(id).call(value).is_some() => {
                found.push(value);
                found.extend(self.awaited_arguments(id, value));
            }
            Language::Python => {}
        }
        found
    }

    /// Whether a value is a future that some await of its function runs.
    pub(super) fn is_run_somehow(&self, id: FunctionId, value: ValueIndex) -> bool {
        let function = self.function(id);
        self.is_awaited(id, value)
            || function.steps().any(|(_, _, step)| match step.kind {
                StepKind::Suspend(Suspension::Await, Some(of)) => self.run_by_await(id, of).contains(&value),
                _ => false,
            })
    }

    /// The asynchronous block that a call of a plain function gives back: `fn load(&self) -> BoxFuture<…>`.
    pub(super) fn block_behind(&self, id: FunctionId, call: ValueIndex) -> Option<InPlace> {
        let function = self.function(id);
        if self.language(id.module) != Language::Rust || function.call(call).is_none() {
            return None;
        }
        let [callee] = self.resolution(id, call).functions()[..] else { return None };
        let body = self.function(callee);
        let mut returned = body.blocks.iter().filter_map(|block| match block.next {
            Next::Return(value) => value,
            _ => None,
        });
        let (Some(only), None, Colour::Plain) = (returned.next(), returned.next(), body.colour) else { return None };
        let run = self.run_by_await(callee, only);
        let mut blocks = run.iter().filter_map(|value| match body.value(*value).kind {
            ValueKind::Function(index) => Some(FunctionId { module: callee.module, index }),
            _ => None,
        });
        let (Some(block), None) = (blocks.next(), blocks.next()) else { return None };
        let what = format!("calls `{}`", self.callee_text(id, call));
        Some(InPlace { candidates: vec![block], is_awaited: true, is_once: false, what, binding: Binding::Call(call) })
    }

    fn collect_run(&self, id: FunctionId, value: ValueIndex, depth: u32, found: &mut Vec<ValueIndex>) {
        let Some(depth) = depth.checked_sub(1) else { return };
        if found.contains(&value) {
            return;
        }
        let function = self.function(id);
        let node = function.value(value);
        match &node.kind {
            ValueKind::Call(call) => {
                found.push(value);
                if !self.resolution(id, value).functions().is_empty() {
                    return;
                }
                for argument in self.awaited_arguments(id, value) {
                    self.collect_run(id, argument, depth, found);
                }
                let tables = self.tables(Language::Rust);
                if let Callee::Method(receiver, name) = &call.callee
                    && tables.is_of_futures(name)
                    && matches!(self.value_type(id, *receiver), Type::Future(_))
                {
                    self.collect_run(id, *receiver, depth, found);
                }
            }
            ValueKind::Place(place) => {
                let Some(variable) = place.as_variable() else { return };
                let reaching = self.reaching(id, variable, node.block, node.step);
                if let ([only], false) = (&reaching.values[..], reaching.from_entry) {
                    self.collect_run(id, *only, depth, found);
                }
            }
            ValueKind::Reference(of) | ValueKind::Dereference(of) => self.collect_run(id, *of, depth, found),
            ValueKind::Collection(Collection::Join, futures) => {
                for (_, future) in futures {
                    self.collect_run(id, *future, depth, found);
                }
            }
            ValueKind::Function(index) => {
                let block = self.function(FunctionId { module: id.module, index: *index });
                if block.kind == FunctionKind::AsyncBlock {
                    found.push(value);
                }
            }
            _ => {}
        }
    }
}
