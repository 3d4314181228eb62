//! What an await runs to its end, where that is not just the call that stands there.
//!
//! ~~~text
//! timeout(limit, self.load()).await     by the catalogue
//! self.load().boxed().await             a future made of another
//! let load = self.load(); load.await    by name
//! join!(self.load(), self.store())      both
//! async { self.load().await }.await     a block
//! join_all(ids.map(|id| self.load(id))) what a closure makes, for each of many
//! ~~~
//!
//! Of a race nothing is run to its end for certain.

use super::binding::Binding;
use super::in_place::{InPlace, Way};
use super::locks::LockPlace;
use super::types::Type;
use super::{FunctionId, Program};
use crate::catalogue::Term;
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
        let (way, binding) = (Way::Call(call), Binding::Call(call));
        Some(InPlace { candidates: vec![block], is_awaited: true, is_once: false, way, binding })
    }

    /// The futures that a closure makes where all of them are run: `join_all(ids.iter().map(|id| self.load(id)))`.
    pub(super) fn mapped_behind(&self, id: FunctionId, value: ValueIndex) -> Vec<InPlace> {
        if self.language(id.module) != Language::Rust {
            return Vec::new();
        }
        let Some((at, inner)) = self.mapping(id, value, FARTHEST) else { return Vec::new() };
        let body = self.function(inner);
        let awaited = |callee: FunctionId, what: String, binding: Binding| InPlace {
            candidates: vec![callee],
            is_awaited: true,
            is_once: false,
            way: Way::Said(what),
            binding,
        };
        if body.is_async() {
            return vec![awaited(inner, "runs the block".to_owned(), Binding::Closure(at))];
        }
        let mut returned = body.blocks.iter().filter_map(|block| match block.next {
            Next::Return(value) => value,
            _ => None,
        });
        let (Some(only), None) = (returned.next(), returned.next()) else { return Vec::new() };
        let made = self.run_by_await(inner, only).into_iter().filter_map(|made| match &body.value(made).kind {
            ValueKind::Function(index) => {
                let block = FunctionId { module: id.module, index: *index };
                Some(awaited(block, "runs the block".to_owned(), Binding::Closure(at)))
            }
            ValueKind::Call(call) => {
                let [callee] = self.resolution(inner, made).functions()[..] else { return None };
                let receiver = match &call.callee {
                    Callee::Method(receiver, _) => self.captured_by(id, at, &self.lock_place(inner, *receiver)),
                    _ => LockPlace::unknown(),
                };
                let what = format!("calls `{}`", self.callee_text(inner, made));
                (self.function(callee).colour == Colour::Async)
                    .then(|| awaited(callee, what, Binding::Receiver(receiver)))
            }
            _ => None,
        });
        made.collect()
    }

    /// The closure that makes each item of an iterator, however that was named and collected since.
    fn mapping(&self, id: FunctionId, value: ValueIndex, depth: u32) -> Option<(ValueIndex, FunctionId)> {
        let depth = depth.checked_sub(1)?;
        let function = self.function(id);
        let node = function.value(value);
        match &node.kind {
            ValueKind::Function(index) => {
                let closure = FunctionId { module: id.module, index: *index };
                (self.function(closure).kind == FunctionKind::Closure).then_some((value, closure))
            }
            ValueKind::Call(call) => {
                let Callee::Method(receiver, method) = &call.callee else { return None };
                let tables = self.tables(Language::Rust);
                let resolution = self.resolution(id, value);
                let signature = resolution.external().and_then(|name| tables.signature(name));
                let gives = |at: usize| match signature.map(|signature| &signature.returns) {
                    Some(Term::Path { args, .. }) => args.contains(&Term::ClosureResult(at as u8)),
                    Some(_) => false,
                    None => resolution.targets.is_empty() && tables.is_combinator(method),
                };
                let mut given = call.arguments.iter().enumerate().filter(|(at, _)| gives(*at));
                match given.next() {
                    Some((_, closure)) => self.mapping(id, closure.value, depth),
                    None => self.mapping(id, *receiver, depth),
                }
            }
            ValueKind::Place(place) => {
                let reaching = self.reaching(id, place.as_variable()?, node.block, node.step);
                match (&reaching.values[..], reaching.from_entry) {
                    ([only], false) => self.mapping(id, *only, depth),
                    _ => None,
                }
            }
            ValueKind::Reference(of) | ValueKind::Dereference(of) => self.mapping(id, *of, depth),
            _ => None,
        }
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
                // A closure stands for the futures that it makes.
                let block = self.function(FunctionId { module: id.module, index: *index });
                if matches!(block.kind, FunctionKind::AsyncBlock | FunctionKind::Closure) {
                    found.push(value);
                }
            }
            _ => {}
        }
    }
}
