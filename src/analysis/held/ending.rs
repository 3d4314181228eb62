//! What runs when a value ends: its destructor, and those of what it owns.
//!
//! ~~~text
//! let session = Session::new(registry);
//! let rows = registry.rows.lock();
//! drop(session);                      runs `Session::drop`, which may take the lock that is held here
//! ~~~
//!
//! A value may be gone before its variable is, and a reference ends nothing. Only what certainly is there and owned is
//! taken to end: made here or given by value, and never used as a whole but by reference. Whoever takes something out of
//! it first (`self.path.take()`) leaves its destructor nothing to do, by custom.

use std::sync::Arc;

use super::state::State;
use super::walk::Walk;
use super::{Implicit, What};
use crate::analysis::calls::Target;
use crate::analysis::names::Member;
use crate::analysis::types::Type;
use crate::analysis::uses::Uses;
use crate::analysis::{FunctionId, Program, TypeId};
use crate::flow::{
    BlockIndex, Callee, Collection, Ending, Owner, Place, StepKind, TypeTerm, ValueIndex, ValueKind, VariableIndex,
};
use crate::lower::prelude;
use crate::text::{Language, Span};

/// How deep types inside types are looked through for destructors.
const MOST_LEVELS: u32 = 3;

impl Program<'_> {
    /// The destructors that run when a value of a project type ends, its own first.
    fn destructors(&self, of: &Type) -> Vec<FunctionId> {
        let mut found = Vec::new();
        if let Some(id) = of.instance().and_then(|instance| instance.definition) {
            self.collect_destructors(id, MOST_LEVELS, &mut found);
        }
        found
    }

    fn collect_destructors(&self, id: TypeId, depth: u32, found: &mut Vec<FunctionId>) {
        if depth == 0 || self.language(id.module) != Language::Rust {
            return;
        }
        let is_destructor = |id: &FunctionId| {
            let function = self.function(*id);
            let block = function.in_impl.map(|at| &function.module().impls[at as usize]);
            match block.and_then(|block| block.of_trait.as_ref()) {
                Some(TypeTerm::Path { segments, .. }) => {
                    segments.last().is_some_and(|last| last == prelude::DESTRUCTOR.0)
                }
                _ => false,
            }
        };
        let own = self.method(id, prelude::DESTRUCTOR.1).into_iter().filter_map(|member| match member {
            Member::Function(function) => Some(function),
            Member::Field(..) | Member::External(_) => None,
        });
        found.extend(own.filter(is_destructor));
        let fields = self.type_def(id).fields.len() as u32;
        for field in 0..fields {
            let of = self.deeper(Type::Unknown, || self.field_type(id, field));
            let written = self.type_def(id).fields[field as usize].annotation.clone();
            let inner = of.instance().and_then(|instance| instance.definition);
            // One of several variants may be there or not.
            let is_there = self.type_def(id).kind != crate::flow::TypeKind::Enum;
            if let (Some(inner), Some(TypeTerm::Path { .. }), true) = (inner, written, is_there) {
                self.collect_destructors(inner, depth - 1, found);
            }
        }
    }
}

impl Walk<'_, '_> {
    /// Notes the destructors that run where an owner ends, with what is held then.
    pub(super) fn run_destructors(
        &mut self,
        block: BlockIndex,
        number: u32,
        owner: Owner,
        ending: Ending,
        span: Span,
        state: &State,
    ) {
        let Owner::Variable(variable) = owner else { return };
        if self.language != Language::Rust || self.events.is_none() || !self.is_owned(variable) {
            return;
        }
        let of = self.program.variable_type(self.id, variable, block, number);
        let destructors = self.program.destructors(&of);
        if destructors.is_empty() || !self.is_whole_until(variable, ending) {
            return;
        }
        let place = Place::variable(variable);
        let receiver = self.program.canonical_place(self.id, &place, block, number);
        let what = format!("ends `{}`", self.program.place_text(self.id, &place));
        for callee in destructors {
            let implicit = Implicit { callee, receiver: receiver.clone(), what: what.clone() };
            self.record(block, number, span, What::Runs(Arc::new(implicit)), state);
        }
    }

    /// Whether everything that a variable is ever given is a value of its own.
    fn is_owned(&self, variable: VariableIndex) -> bool {
        let function = self.program.function(self.id);
        let binds: Vec<ValueIndex> = self.program.shape(self.id).binds(variable).collect();
        if binds.is_empty() {
            let parameter = function.parameters.iter().find(|parameter| parameter.variable == variable);
            return parameter.is_some_and(|parameter| matches!(parameter.annotation, Some(TypeTerm::Path { .. })));
        }
        binds.into_iter().all(|value| self.is_made_here(value, 0))
    }

    fn is_made_here(&self, value: ValueIndex, depth: u32) -> bool {
        let function = self.program.function(self.id);
        match &function.value(value).kind {
            ValueKind::Collection(Collection::Struct(_), _) => true,
            ValueKind::Awaited(of) | ValueKind::Try(of) if depth < 4 => self.is_made_here(*of, depth + 1),
            ValueKind::Call(call) => match (&self.program.resolution(self.id, value).targets[..], &call.callee) {
                ([Target::Function(callee)], _) => {
                    self.program.function(*callee).returns.as_ref().is_some_and(names_no_reference)
                }
                ([Target::External(name)], Callee::Method(receiver, _)) if depth < 4 => {
                    let signature = self.program.tables(self.language).signature(name);
                    signature.is_some_and(|signature| signature.same) && self.is_made_here(*receiver, depth + 1)
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a variable still has its value where it ends in this way.
    fn is_whole_until(&self, variable: VariableIndex, ending: Ending) -> bool {
        if ending == Ending::Explicit {
            return true;
        }
        let function = self.program.function(self.id);
        let module = self.program.module(self.id.module);
        let is_captured = module.functions.iter().any(|inner| {
            inner.parent == Some(self.id.index) && inner.variables.iter().any(|known| known.captures == Some(variable))
        });
        let is_dropped = function.steps().any(|(_, _, step)| {
            matches!(&step.kind, StepKind::Drop(owners, Ending::Explicit) if owners.contains(&Owner::Variable(variable)))
        });
        if is_captured || is_dropped {
            return false;
        }
        let uses = Uses::of(&function);
        uses.reads(variable).iter().all(|&read| {
            let is_all = matches!(&function.value(read).kind, ValueKind::Place(place) if place.as_variable().is_some());
            if !is_all {
                return !uses.parts_of(read).any(|user| self.is_taken_out(&uses, read, user));
            }
            uses.is_only_part(read) && uses.parts_of(read).all(|user| self.leaves_whole(read, user))
        })
    }

    /// Whether what stands in a part of a variable is moved out of it, or left behind empty.
    fn is_taken_out(&self, uses: &Uses, part: ValueIndex, user: ValueIndex) -> bool {
        let function = self.program.function(self.id);
        match &function.value(user).kind {
            ValueKind::Reference(_) => uses.parts_of(user).any(|call| self.empties(call)),
            ValueKind::Call(call) => {
                let ends = || !self.program.destructors(&self.program.value_type(self.id, part)).is_empty();
                let is_moved = match &call.callee {
                    Callee::Method(receiver, name) if *receiver == part => {
                        self.takes_receiver_by_value(part, name, &self.program.resolution(self.id, user), false)
                    }
                    _ => call.arguments.iter().any(|argument| argument.value == part),
                };
                self.empties(user) || is_moved && ends()
            }
            _ => false,
        }
    }

    /// Whether a call takes out what its receiver or first argument holds: `take()`, `mem::replace`.
    fn empties(&self, call: ValueIndex) -> bool {
        let is_call = self.program.function(self.id).call(call).is_some();
        let resolution = is_call.then(|| self.program.resolution(self.id, call));
        let name = resolution.as_ref().and_then(|resolution| resolution.external());
        let signature = name.and_then(|name| self.program.tables(self.language).signature(name));
        signature.is_some_and(|signature| signature.takes)
    }

    /// Whether a value that is made from a variable leaves it what it is.
    fn leaves_whole(&self, read: ValueIndex, user: ValueIndex) -> bool {
        let function = self.program.function(self.id);
        match &function.value(user).kind {
            ValueKind::Reference(_) | ValueKind::Dereference(_) | ValueKind::Field(..) | ValueKind::Index(_) => true,
            ValueKind::Operation(_) => true,
            ValueKind::Call(call) => match &call.callee {
                Callee::Method(receiver, name) if *receiver == read => {
                    let resolution = self.program.resolution(self.id, user);
                    let is_argument = call.arguments.iter().any(|argument| argument.value == read);
                    let is_known = !resolution.functions().is_empty();
                    is_known && !is_argument && !self.takes_receiver_by_value(read, name, &resolution, false)
                }
                _ => false,
            },
            _ => false,
        }
    }
}

/// Whether nothing in a type as it is written is borrowed.
fn names_no_reference(term: &TypeTerm) -> bool {
    match term {
        TypeTerm::Path { args, .. } => args.iter().all(names_no_reference),
        TypeTerm::Tuple(parts) => parts.iter().all(names_no_reference),
        _ => false,
    }
}
