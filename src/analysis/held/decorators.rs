//! Locks that a decorator of the project holds around the function that it decorates.
//!
//! ~~~text
//! def locked(function):                  W is what the decorator returns, F the decorated function
//!     def wrapper(self, *args):
//!         with self._lock:               the managed blocks that are open where W calls `function`, with W's first
//!             return function(self, *args)     parameter read as F's
//!     return wrapper
//! ~~~

use std::sync::Arc;

use super::state::{Entry, State};
use super::walk::{Acquisition, Walk};
use super::{HeldBy, Waits};
use crate::analysis::locks::{Lock, LockPlace, LockRoot};
use crate::analysis::names::{Item, Member};
use crate::analysis::types::Type;
use crate::analysis::{FunctionId, Program, TypeId};
use crate::catalogue::Mode;
use crate::flow::{
    BlockIndex, Callee, Decorator, Field, Function, Managed, ManagedIndex, Next, ParameterKind, Place, Root, StepKind,
    ValueIndex, ValueKind, VariableIndex,
};
use crate::text::{Language, Span};

/// What a decorator of the project makes of a function.
pub(in crate::analysis) struct Wrapped {
    /// The decorator, or what gives it where it is called.
    pub factory: FunctionId,
    /// What is given the decorated function.
    pub applied: FunctionId,
    /// What stands in its place.
    pub wrapper: FunctionId,
}

impl Walk<'_, '_> {
    /// What is held where the function begins: what it was given, and what its decorators hold around it.
    pub(super) fn taken_around(&mut self, given: State) -> State {
        let mut state = given;
        for (lock, span) in self.program.locks_around(self.id) {
            let acquisition = self.acquisitions.len();
            state.push(Entry { acquisition, by: HeldBy::Decorator, is_certain: true, asked: None });
            self.acquisitions.push(Acquisition { lock, span, waits: Waits::Yes });
        }
        state
    }
}

impl Program<'_> {
    /// The locks that decorators of the project hold around a function, outermost first, with the decorators.
    fn locks_around(&self, id: FunctionId) -> Vec<(Arc<Lock>, Span)> {
        let function = self.function(id);
        if self.language(id.module) != Language::Python || function.decorators.is_empty() {
            return Vec::new();
        }
        let mut found = Vec::new();
        for decorator in &function.decorators {
            let Some(Wrapped { factory, applied, wrapper }) = self.wrapped_by(id, decorator) else { continue };
            for managed in self.open_around_the_call(applied, wrapper) {
                let lock = self.lock_of_wrapper(id, decorator, factory, wrapper, managed);
                found.extend(lock.map(|lock| (Arc::new(lock), decorator.span)));
            }
        }
        found
    }

    /// What a decorator of the project makes of a function, where that is another function.
    pub(in crate::analysis) fn wrapped_by(&self, id: FunctionId, decorator: &Decorator) -> Option<Wrapped> {
        let factory = self.decorating_function(id, &decorator.path)?;
        let applied = if decorator.is_called { self.only_function_returned(factory)? } else { factory };
        let wrapper = self.only_function_returned(applied)?;
        Some(Wrapped { factory, applied, wrapper })
    }

    /// The function of the project that a decorator is; one in a class's body may stand in the class itself.
    pub fn decorating_function(&self, id: FunctionId, path: &[String]) -> Option<FunctionId> {
        if let (Some(owner), [name]) = (self.function(id).owner, path)
            && let Some(Member::Function(found)) = self.method(TypeId { module: id.module, index: owner }, name).first()
        {
            return Some(*found);
        }
        match self.resolve_in(id, path) {
            Item::Function(found) => Some(found),
            _ => None,
        }
    }

    /// The nested function that a function returns, if it returns only that.
    fn only_function_returned(&self, id: FunctionId) -> Option<FunctionId> {
        let function = self.function(id);
        let mut found = None;
        for block in &function.blocks {
            let Next::Return(Some(value)) = block.next else { continue };
            let Type::Function(inner) = self.value_type(id, value) else { return None };
            if found.is_some_and(|found| found != inner) {
                return None;
            }
            found = Some(inner);
        }
        found.filter(|inner| inner.module == id.module && self.function(*inner).parent == Some(id.index))
    }

    /// The managed blocks of a wrapper that stand around every call of what was decorated, outermost first. One that
    /// calls it without the lock as well, for whoever has it already, promises nothing.
    fn open_around_the_call(&self, applied: FunctionId, wrapper: FunctionId) -> Vec<ManagedIndex> {
        let Some(decorated) = self.function(applied).parameters.first().map(|first| first.variable) else {
            return Vec::new();
        };
        let body = self.function(wrapper);
        let called: Vec<Span> = body
            .steps()
            .filter_map(|(_, _, step)| match step.kind {
                StepKind::Call(value) if calls(&body, value, decorated) => Some(step.span),
                _ => None,
            })
            .collect();
        if called.is_empty() {
            return Vec::new();
        }
        let stands_around = |of: &Managed| called.iter().all(|call| of.body.contains(*call));
        let mut around: Vec<_> =
            (0..).map(ManagedIndex).zip(&body.managed).filter(|(_, of)| stands_around(of)).collect();
        around.sort_by_key(|(_, of)| of.body.start);
        around.into_iter().map(|(index, _)| index).collect()
    }

    /// The lock of a wrapper's managed block in terms of the decorated function.
    fn lock_of_wrapper(
        &self,
        id: FunctionId,
        decorator: &Decorator,
        factory: FunctionId,
        wrapper: FunctionId,
        managed: ManagedIndex,
    ) -> Option<Lock> {
        let body = self.function(wrapper);
        let managed = &body.managed[managed.at()];
        let value = body.value(managed.value);
        let ValueKind::Place(place) = &value.kind else { return None };
        let written = self.value_text(wrapper, managed.value);
        let (found, of, name) = match &place.root {
            Root::Global(_) => (
                self.canonical_place(wrapper, place, value.block, value.step),
                self.place_type(wrapper, place, value.block, value.step),
                written,
            ),
            Root::Variable(variable) if is_first_positional(&body, *variable) => {
                let receiver = self.function(id).parameters.first()?.variable;
                let (found, of) = self.at_entry(id, &Place { root: Root::Variable(receiver), ..place.clone() });
                (found, of, written)
            }
            Root::Variable(variable) => self.captured_lock(id, decorator, factory, wrapper, *variable, place)?,
        };
        let type_name = of.alternatives().iter().find_map(|of| self.lock_type_name(Language::Python, of))?;
        let known = self.tables(Language::Python).lock(&type_name)?;
        known.context?.fits(managed.is_async).then_some(Lock {
            place: found,
            kind: known.kind,
            flavour: known.flavour,
            mode: Mode::Exclusive,
            is_reentrant: known.reentrant,
            name,
            type_name,
            is_resolved: true,
        })
    }

    fn at_entry(&self, id: FunctionId, place: &Place) -> (LockPlace, Type) {
        let entry = BlockIndex(0);
        (self.canonical_place(id, place, entry, 0), self.place_type(id, place, entry, 0))
    }

    /// A lock that the wrapper captures: an argument of the decorator, or one that is made for each decorated function.
    fn captured_lock(
        &self,
        id: FunctionId,
        decorator: &Decorator,
        factory: FunctionId,
        wrapper: FunctionId,
        variable: VariableIndex,
        place: &Place,
    ) -> Option<(LockPlace, Type, String)> {
        let (owner, variable) = self.captured_from(wrapper, variable)?;
        let outer = self.function(owner);
        let parameter = outer.parameters.iter().position(|parameter| parameter.variable == variable);
        match parameter {
            Some(at) if owner == factory && decorator.is_called => {
                let name = &outer.variable(variable).name;
                let named = decorator.arguments.iter().find(|(given, _)| given.as_ref() == Some(name));
                let (_, text) = named.or_else(|| decorator.arguments.get(at).filter(|(given, _)| given.is_none()))?;
                let mut path = text.split('.').map(str::to_owned);
                let is_path = text.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '.'));
                let root = path.next().filter(|_| is_path)?;
                let fields = path.map(Field::Name).chain(place.fields.iter().cloned()).collect();
                let place = Place { root: Root::Global(vec![root]), fields, is_cut: place.is_cut };
                let (found, of) = self.at_entry(id, &place);
                Some((found, of, self.place_text(id, &place)))
            }
            Some(_) => None,
            None if place.fields.is_empty() => {
                let mut made = self.shape(owner).binds(variable).collect::<Vec<_>>().into_iter();
                let (Some(only), None) = (made.next(), made.next()) else { return None };
                let path = self.module(id.module).path.clone();
                let local = outer.variable(variable).name.clone();
                let name = format!("{path}:{}@{local}", self.function(id).qualified);
                let found = LockPlace {
                    root: LockRoot::Static(name.clone()),
                    fields: Vec::new(),
                    is_exact: true,
                    class: Some(name),
                };
                Some((found, self.value_type(owner, only), local))
            }
            None => None,
        }
    }

    /// The function that a captured variable belongs to, and what it is there.
    fn captured_from(&self, id: FunctionId, variable: VariableIndex) -> Option<(FunctionId, VariableIndex)> {
        let (mut at, mut variable) = (id, variable);
        while let Some(outer) = self.function(at).variable(variable).captures {
            at = FunctionId { module: at.module, index: self.function(at).parent? };
            variable = outer;
        }
        (at != id).then_some((at, variable))
    }
}

/// Whether a call calls a captured variable.
pub(in crate::analysis) fn calls(function: &Function, value: ValueIndex, captured: VariableIndex) -> bool {
    let Some(Callee::Value(of)) = function.call(value).map(|call| &call.callee) else { return false };
    match &function.value(*of).kind {
        ValueKind::Place(place) => {
            place.as_variable().is_some_and(|variable| function.variable(variable).captures == Some(captured))
        }
        _ => false,
    }
}

/// Whether a variable is the first parameter, passed by position.
fn is_first_positional(function: &Function, variable: VariableIndex) -> bool {
    function.parameters.first().is_some_and(|first| {
        first.variable == variable && matches!(first.kind, ParameterKind::Positional | ParameterKind::SelfReference)
    })
}
