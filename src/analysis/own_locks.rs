//! Locks that a class of the project makes itself of a condition.
//!
//! ~~~text
//! def acquire_read(self):                     waits until a field is as it should be, and changes another
//!     with self._changed:
//!         while self._is_written:
//!             self._changed.wait()
//!         self._readers += 1
//!
//! def release_read(self): …                   changes that one back, and wakes the others
//!
//! @contextmanager
//! def reading(self): …                        both, around a block
//! ~~~
//!
//! The wait is for whoever is in such a block: as long as a wait for any other lock, and no longer.

use std::collections::BTreeSet;

use super::{FunctionId, Program};
use crate::catalogue::{Lock, LockKind};
use crate::flow::{Callee, Field, Function, LoopKind, Place, Root, StepKind, ValueIndex, ValueKind};
use crate::text::Language;

impl Program<'_> {
    /// Whether a wait for a condition is how a class of the project takes a lock that it makes of that.
    pub(super) fn takes_lock_of_its_own(&self, id: FunctionId, wait: ValueIndex) -> bool {
        let function = self.function(id);
        let (Some(owner), Language::Python) = (function.owner, self.language(id.module)) else { return false };
        let Some((condition, entry, method)) = self.on_a_condition(id, wait) else { return false };
        let in_loop = function.blocks[function.value(wait).block.at()].in_loop;
        let is_tested = in_loop.is_some_and(|around| function.loops[around.at()].kind == LoopKind::While);
        let taken = fields_written(&function);
        if !is_tested || !entry.is_wait(&method) || taken.is_empty() {
            return false;
        }
        let Some(wakes) = entry.wakes.get(&method) else { return false };
        let module = self.module(id.module);
        let peers = || {
            let methods = module.types[owner.at()].methods.iter();
            methods.map(|index| FunctionId { index: *index, ..id }).filter(|peer| *peer != id)
        };
        let releases = |peer: &FunctionId| {
            let body = self.function(*peer);
            let wakes_it = |at: usize| {
                let woken = self.on_a_condition(*peer, ValueIndex(at as u32));
                woken.is_some_and(|(by, _, how)| by == condition && wakes.contains(&how))
            };
            !fields_written(&body).is_disjoint(&taken) && (0..body.values.len()).any(wakes_it)
        };
        let does = |by: FunctionId, what: FunctionId| by == what || self.calls_of(by).contains(&what);
        let named = |name| peers().chain([id]).find(|peer| self.function(*peer).name == name);
        let entered_and_left =
            |begins: FunctionId, ends: FunctionId, release: FunctionId| does(begins, id) && does(ends, release);
        peers().filter(releases).any(|release| {
            let around = peers().any(|by| self.manager_of(by).is_some() && entered_and_left(by, by, release));
            around
                || [("__enter__", "__exit__"), ("__aenter__", "__aexit__")].into_iter().any(|(begins, ends)| {
                    matches!((named(begins), named(ends)), (Some(begins), Some(ends)) if entered_and_left(begins, ends, release))
                })
        })
    }

    /// A call of a method of a condition that the receiver keeps: the place, what the catalogue says of it, the method.
    fn on_a_condition(&self, id: FunctionId, call: ValueIndex) -> Option<(Place, &Lock, String)> {
        let function = self.function(id);
        let Callee::Method(receiver, method) = &function.call(call)?.callee else { return None };
        let ValueKind::Place(place) = &function.value(*receiver).kind else { return None };
        let language = self.language(id.module);
        let resolution = self.resolution(id, call);
        let (type_name, _) = resolution.external()?.rsplit_once(language.separator())?;
        let entry = self.tables(language).lock(type_name).filter(|entry| entry.kind == LockKind::Condition)?;
        own_field(&function, place)?;
        // Each method numbers its variables for itself.
        let place = Place { root: Root::Global(Vec::new()), ..place.clone() };
        Some((place, entry, method.clone()))
    }

    fn calls_of(&self, id: FunctionId) -> BTreeSet<FunctionId> {
        let function = self.function(id);
        let calls = function.values.iter().enumerate().filter(|(_, value)| matches!(value.kind, ValueKind::Call(_)));
        calls.flat_map(|(at, _)| self.resolution(id, ValueIndex(at as u32)).functions()).collect()
    }
}

/// The fields of its receiver that a method writes.
fn fields_written(function: &Function) -> BTreeSet<String> {
    let written = function.steps().filter_map(|(_, _, step)| match &step.kind {
        StepKind::Write(place, ..) => own_field(function, place),
        _ => None,
    });
    written.map(str::to_owned).collect()
}

/// The field of its receiver that a place in a method is.
fn own_field<'f>(function: &Function, place: &'f Place) -> Option<&'f str> {
    let receiver = function.parameters.first()?.variable;
    match (&place.root, &place.fields[..]) {
        (Root::Variable(of), [Field::Name(name)]) if *of == receiver => Some(name),
        _ => None,
    }
}
