//! Values that hold a lock for as long as they live, and how they move.

use std::rc::Rc;

use super::state::{Entry, State};
use super::walk::{Acquisition, Walk};
use super::{HeldBy, Waits, What};
use crate::analysis::calls::{Resolution, Target};
use crate::analysis::locks::{Binding, Lock, LockPlace};
use crate::analysis::types::Type;
use crate::analysis::{Program, TypeId};
use crate::catalogue::{Mode, Receiver};
use crate::flow::{BlockIndex, Call, Callee, Owner, TypeTerm, ValueIndex, ValueKind};
use crate::text::{Language, Span};

/// How many types inside types are looked through for a guard.
const MOST_LEVELS: u32 = 4;

impl<'a> Program<'a> {
    /// Whether a value of this type holds a lock for as long as it lives.
    pub fn is_guard(&self, of: &Type) -> bool {
        self.guard_lock(of).is_some()
    }

    /// The lock type that a guard, or something with a guard inside, holds.
    pub fn guard_lock(&self, of: &Type) -> Option<(String, Mode)> {
        let mut inside = Vec::new();
        if let Some(found) = self.guard_at(of, MOST_LEVELS, &mut inside) {
            return Some(found);
        }
        inside.into_iter().find_map(|id| self.guard_inside(id))
    }

    /// The lock type of a guard that a type is as it is written; the project's types in it go to `inside`.
    fn guard_at(&self, of: &Type, depth: u32, inside: &mut Vec<TypeId>) -> Option<(String, Mode)> {
        if depth == 0 {
            return None;
        }
        match of {
            Type::Instance(instance) => {
                if let Some(id) = instance.definition {
                    if self.language(id.module) == Language::Rust {
                        inside.push(id);
                    }
                    return None;
                }
                let tables = self.tables(Language::Rust);
                if let Some(guard) = tables.guard(&instance.name) {
                    return Some((guard.of.clone(), guard.mode));
                }
                // A shared pointer to a lock is not a guard; what owns its argument is.
                if tables.lock(&instance.name).is_some() {
                    return None;
                }
                instance.arguments.iter().find_map(|of| self.guard_at(of, depth - 1, inside))
            }
            Type::Tuple(parts) | Type::Union(parts) => parts.iter().find_map(|of| self.guard_at(of, depth - 1, inside)),
            _ => None,
        }
    }

    /// The lock type of a guard among the fields of a type, or of the types of its fields. Each type is looked into
    /// once, nearest first: types that hold each other in many ways are common.
    fn guard_inside(&self, id: TypeId) -> Option<(String, Mode)> {
        if let Some(known) = self.guards.borrow().get(&id) {
            return known.clone();
        }
        let mut found = None;
        let mut seen = vec![id];
        let mut level = 0..1;
        for _ in 1..MOST_LEVELS {
            for at in level.clone() {
                let fields = self.type_def(seen[at]).fields.len() as u32;
                for field in 0..fields {
                    let of = self.deeper(Type::Unknown, || self.field_type(seen[at], field));
                    let mut inside = Vec::new();
                    found = found.or(self.guard_at(&of, MOST_LEVELS, &mut inside));
                    inside.retain(|id| !seen.contains(id));
                    seen.extend(inside);
                }
            }
            level = level.end..seen.len();
            if found.is_some() || level.is_empty() {
                break;
            }
        }
        self.guards.borrow_mut().insert(id, found.clone());
        found
    }
}

impl Walk<'_, '_> {
    /// The guards that parameters bring along: they live through the whole function.
    pub(super) fn guards_given(&mut self) -> State {
        let mut state = State::new();
        if self.language == Language::Rust {
            let function = self.program.function(self.id);
            for (at, parameter) in function.parameters.iter().enumerate() {
                if matches!(parameter.annotation, None | Some(TypeTerm::Reference(_))) {
                    continue;
                }
                let of = self.program.parameter_type(self.id, at);
                let Some((type_name, mode)) = self.program.guard_lock(&of) else { continue };
                let Some(known) = self.program.tables(self.language).lock(&type_name) else { continue };
                let variable = function.variable(parameter.variable);
                let lock = Lock {
                    place: LockPlace::unknown(),
                    kind: known.kind,
                    flavour: known.flavour,
                    mode,
                    is_reentrant: known.reentrant,
                    name: variable.name.clone(),
                    type_name,
                    is_resolved: true,
                };
                let by = HeldBy::Guard(Owner::Variable(parameter.variable));
                state.push(Entry { acquisition: self.acquisitions.len(), by, is_certain: true, asked: None });
                self.acquisitions.push(Acquisition { lock: Rc::new(lock), span: variable.span });
            }
        }
        state
    }

    /// Guards move with what a call is given by value, and a call of the project may hand one out.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn move_guards(
        &mut self,
        block: BlockIndex,
        number: u32,
        value: ValueIndex,
        call: &Call,
        resolution: &Resolution,
        span: Span,
        state: &mut State,
    ) {
        let result = self.program.value_type(self.id, value);
        let holds_on = self.program.is_guard(&result) || matches!(result, Type::Future(_));
        let mut was_moved = false;
        if !state.is_empty() {
            let mut given: Vec<Owner> = Vec::new();
            if let Callee::Method(receiver, name) = &call.callee
                && self.takes_receiver_by_value(*receiver, name, resolution, holds_on)
            {
                given.extend(self.carriers(*receiver));
            }
            for argument in &call.arguments {
                given.extend(self.carriers(argument.value));
            }
            // A constructor keeps what it is given whatever its type says.
            let keeps = holds_on || result.is_unknown() && is_constructor(call);
            state.retain_mut(|entry| match entry.by {
                HeldBy::Guard(owner) if given.contains(&owner) => {
                    was_moved = true;
                    entry.by = HeldBy::Guard(Owner::Temporary(value));
                    keeps
                }
                _ => true,
            });
        }
        if !was_moved
            && (self.program.is_guard(&result) || self.may_hide_guard(resolution))
            && let Some(lock) = self.guard_of_callee(value, resolution)
        {
            self.record(block, number, span, What::Acquire(lock.clone(), Waits::Yes), state);
            self.take(block, number, 0, lock, span, HeldBy::Guard(Owner::Temporary(value)), Waits::Yes, state);
        }
    }

    /// Whether a callee returns something that names no type: `impl Deref<Target = Rows>` may be a guard.
    pub(super) fn may_hide_guard(&self, resolution: &Resolution) -> bool {
        let [Target::Function(callee)] = resolution.targets[..] else { return false };
        matches!(self.program.function(callee).returns, Some(TypeTerm::Bounds(_)))
            && !self.program.facts(callee).returned.is_empty()
    }

    /// The lock whose guard a project function hands out.
    pub(super) fn guard_of_callee(&self, value: ValueIndex, resolution: &Resolution) -> Option<Rc<Lock>> {
        let [Target::Function(callee)] = resolution.targets[..] else { return None };
        if let Some(lock) = self.program.facts(callee).returned.first() {
            return Some(self.program.bound(self.id, &Binding::Call(value), callee, lock));
        }
        let (type_name, mode) = self.program.guard_lock(&self.program.return_type(callee))?;
        let known = self.program.tables(self.language).lock(&type_name)?;
        Some(Rc::new(Lock {
            place: LockPlace::unknown(),
            kind: known.kind,
            flavour: known.flavour,
            mode,
            is_reentrant: known.reentrant,
            name: self.program.value_text(self.id, value),
            type_name,
            is_resolved: true,
        }))
    }

    pub(super) fn takes_receiver_by_value(
        &self,
        receiver: ValueIndex,
        method: &str,
        resolution: &Resolution,
        gives_guard: bool,
    ) -> bool {
        match &resolution.targets[..] {
            [Target::External(name)] => {
                match self.program.tables(self.language).signature(name).and_then(|signature| signature.receiver) {
                    Some(how) => {
                        // Only a method of the guard itself, or of what wraps it, takes the guard; one of the data
                        // behind it takes what `Deref` gives.
                        how == Receiver::Value && self.is_method_of(receiver, name, method)
                    }
                    None => gives_guard,
                }
            }
            [Target::Function(callee)] => self
                .program
                .function(*callee)
                .parameters
                .first()
                .is_some_and(|first| first.kind == crate::flow::ParameterKind::SelfValue),
            _ => gives_guard,
        }
    }

    pub(super) fn is_method_of(&self, receiver: ValueIndex, name: &str, method: &str) -> bool {
        let of = self.program.value_type(self.id, receiver);
        let owner = name.strip_suffix(method).map(|owner| owner.trim_end_matches("::"));
        of.instance().is_some_and(|instance| Some(instance.name.as_str()) == owner)
    }

    /// The owners that a value may take a guard from when it is used by value.
    pub(super) fn carriers(&self, value: ValueIndex) -> Vec<Owner> {
        let mut found = Vec::new();
        self.collect_carriers(value, &mut found, 0);
        found
    }

    pub(super) fn collect_carriers(&self, index: ValueIndex, found: &mut Vec<Owner>, depth: u32) {
        let function = self.program.function(self.id);
        if depth > 12 {
            return;
        }
        match &function.value(index).kind {
            ValueKind::Call(_) => found.push(Owner::Temporary(index)),
            ValueKind::Awaited(of) => {
                found.push(Owner::Temporary(index));
                self.collect_carriers(*of, found, depth + 1);
            }
            ValueKind::Place(place) => {
                if let Some(variable) = place.as_variable() {
                    found.push(Owner::Variable(variable));
                }
            }
            ValueKind::Try(of) | ValueKind::Payload(of, ..) | ValueKind::Component(of, _) | ValueKind::Cast(of, _) => {
                // What is taken out of something carries a guard only if it is one, as far as its type is known.
                let of_type = self.program.value_type(self.id, index);
                if of_type.is_unknown() || self.program.is_guard(&of_type) {
                    self.collect_carriers(*of, found, depth + 1);
                }
            }
            ValueKind::Field(of, _) if self.program.is_guard(&self.program.value_type(self.id, index)) => {
                self.collect_carriers(*of, found, depth + 1);
            }
            ValueKind::Collection(_, items) => {
                for (_, item) in items {
                    self.collect_carriers(*item, found, depth + 1);
                }
            }
            ValueKind::Choice(items) => {
                for item in items {
                    self.collect_carriers(*item, found, depth + 1);
                }
            }
            _ => {}
        }
    }
}

/// Whether a call by path makes a value of the last segment's name: `Some(x)`, `Holder::new(x)`, `Box::new(x)`.
fn is_constructor(call: &Call) -> bool {
    match &call.callee {
        Callee::Path(path) => path.iter().rev().take(2).any(|part| part.starts_with(|c: char| c.is_uppercase())),
        _ => false,
    }
}
