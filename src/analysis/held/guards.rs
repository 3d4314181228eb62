//! How values that hold a lock move.

use std::sync::Arc;

use super::guarded::{Guarded, is_borrowed};
use super::state::{Entry, State};
use super::walk::{Acquisition, Walk};
use super::{HeldBy, Waits, What};
use crate::analysis::binding::Binding;
use crate::analysis::calls::{Resolution, Target};
use crate::analysis::locks::{Lock, LockPlace};
use crate::analysis::types::Type;
use crate::analysis::{FunctionId, Program};
use crate::catalogue::{LockKind, Receiver};
use crate::flow::{
    BlockIndex, Call, Callee, Ending, Function, Owner, StepKind, TypeTerm, ValueIndex, ValueKind, VariableIndex,
};
use crate::text::{Language, Span};

/// Where the numbers begin of acquisitions that a call only changes: a call takes fewer locks than that.
const OF_CHANGED: u32 = 1 << 16;

impl Program<'_> {
    /// What guard a parameter is that is given by value.
    pub(super) fn guarded_parameter(&self, id: FunctionId, at: usize) -> Option<Guarded> {
        let function = self.function(id);
        if function.parameters[at].annotation.as_ref().is_none_or(is_borrowed) {
            return None;
        }
        self.guarded(&self.parameter_type(id, at))
    }
}

impl Walk<'_, '_> {
    /// The guards that parameters bring along: they live through the whole function.
    pub(super) fn guards_given(&mut self) -> State {
        let mut state = State::new();
        if self.language == Language::Rust {
            let function = self.program.function(self.id);
            for (at, parameter) in function.parameters.iter().enumerate() {
                let Some(guarded) = self.program.guarded_parameter(self.id, at) else { continue };
                let variable = function.variable(parameter.variable);
                let by = HeldBy::Guard(Owner::Variable(parameter.variable));
                state.push(Entry { acquisition: self.acquisitions.len(), by, is_certain: true, asked: None });
                let lock = Arc::new(guarded.lock(variable.name.clone()));
                self.acquisitions.push(Acquisition { lock, span: variable.span, waits: Waits::Yes });
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
        let guarded = self.program.guarded(&result);
        let holds_on = guarded.is_some() || matches!(result, Type::Future(_));
        let mut was_moved = false;
        if !state.is_empty() {
            let signature = resolution.external().and_then(|name| self.program.tables(self.language).signature(name));
            let takes = signature.is_some_and(|signature| signature.takes);
            let leaks = signature.is_some_and(|signature| signature.leaks);
            let mut given: Vec<Owner> = Vec::new();
            match &call.callee {
                Callee::Method(receiver, name) => {
                    let is_taken_out = takes && self.is_method_of_it(*receiver, name, resolution);
                    let is_given = is_taken_out || self.takes_receiver_by_value(*receiver, name, resolution, holds_on);
                    if is_given {
                        given.extend(self.carriers(*receiver));
                    }
                }
                // A closure that ends what it holds is called once.
                Callee::Value(callee) => given.extend(self.ended_by_calling(*callee)),
                Callee::Path(_) | Callee::Super(_) | Callee::Macro(_) => {}
            }
            for (at, argument) in call.arguments.iter().enumerate() {
                given.extend(self.carriers(argument.value));
                if takes && at == 0 {
                    given.extend(self.behind_reference(argument.value));
                }
            }
            // A constructor keeps what it is given whatever its type says.
            let keeps = holds_on || result.is_unknown() && (takes || is_constructor(call));
            let put_in = if takes { self.put_in(call, resolution) } else { None };
            for entry in state.iter_mut() {
                let HeldBy::Guard(owner) = entry.by else { continue };
                if let Some((_, place)) = put_in.as_ref().filter(|(given, _)| given.contains(&owner)) {
                    entry.by = HeldBy::Guard(*place);
                } else if given.contains(&owner) {
                    was_moved = true;
                    entry.by = if leaks { HeldBy::Manual } else { HeldBy::Guard(Owner::Temporary(value)) };
                    if let Some(guarded) = &guarded {
                        self.change_mode(block, number, entry, guarded);
                    }
                }
            }
            state.retain(|entry| keeps || entry.by != HeldBy::Guard(Owner::Temporary(value)));
        }
        let given_out = || match &guarded {
            // Of a library nothing is known but the type that a user has marked.
            Some(guarded) if guarded.kind == LockKind::Marked && resolution.external().is_some() => {
                Some(Arc::new(guarded.lock(self.program.value_text(self.id, value))))
            }
            Some(_) => self.guard_of_callee(value, resolution),
            None if self.may_hide_guard(resolution) => self.guard_of_callee(value, resolution),
            None => None,
        };
        if let Some(lock) = if was_moved { None } else { given_out() } {
            self.record(block, number, span, What::Acquire(lock.clone(), Waits::Yes), state);
            self.take(block, number, 0, lock, span, HeldBy::Guard(Owner::Temporary(value)), Waits::Yes, state);
        }
    }

    /// What a call made of a guard may keep others out than the guard did: `downgrade`, `upgrade`.
    fn change_mode(&mut self, block: BlockIndex, number: u32, entry: &mut Entry, guarded: &Guarded) {
        let Acquisition { lock, span, waits } = &self.acquisitions[entry.acquisition];
        if lock.type_name == guarded.type_name && lock.mode != guarded.mode {
            let lock = Arc::new(Lock { mode: guarded.mode, ..(**lock).clone() });
            let changed = Acquisition { lock, span: *span, waits: *waits };
            entry.acquisition = self.acquisition_at((block, number, OF_CHANGED + entry.acquisition as u32), changed);
        }
    }

    /// Whether a callee returns something that names no type: `impl Deref<Target = Rows>` may be a guard.
    pub(super) fn may_hide_guard(&self, resolution: &Resolution) -> bool {
        let [Target::Function(callee)] = resolution.targets[..] else { return false };
        matches!(self.program.function(callee).returns, Some(TypeTerm::Bounds(_)))
            && !self.program.facts(callee).returned.is_empty()
    }

    /// The lock whose guard a project function hands out. Of several candidates every one must, and where they do not
    /// agree on the place, it is not known.
    pub(super) fn guard_of_callee(&self, value: ValueIndex, resolution: &Resolution) -> Option<Arc<Lock>> {
        let callees = resolution.functions();
        let (first, others) = callees.split_first()?;
        let lock = self.guard_of(value, *first)?;
        let mut is_one = true;
        for other in others {
            let theirs = self.guard_of(value, *other)?;
            is_one &= theirs.place == lock.place && theirs.type_name == lock.type_name;
        }
        if is_one {
            return Some(lock);
        }
        Some(Arc::new(Lock { place: LockPlace::unknown(), ..(*lock).clone() }))
    }

    fn guard_of(&self, value: ValueIndex, callee: FunctionId) -> Option<Arc<Lock>> {
        if let Some(lock) = self.program.facts(callee).returned.first() {
            return Some(self.program.bound(self.id, &Binding::Call(value), callee, lock));
        }
        if self.program.function(callee).returns.as_ref().is_some_and(is_borrowed) {
            return None;
        }
        let guarded = self.program.guarded(&self.program.return_type(callee))?;
        Some(Arc::new(guarded.lock(self.program.value_text(self.id, value))))
    }

    /// What a call puts where something else was, and the variable where that is: `mem::replace(&mut kept, new)`.
    fn put_in(&self, call: &Call, resolution: &Resolution) -> Option<(Vec<Owner>, Owner)> {
        let arguments: Vec<ValueIndex> = call.arguments.iter().map(|argument| argument.value).collect();
        let (place, new) = match (&call.callee, &arguments[..]) {
            (Callee::Method(receiver, name), [new]) if self.is_method_of_it(*receiver, name, resolution) => {
                (self.carriers(*receiver), *new)
            }
            (Callee::Path(_), [place, new]) => (self.behind_reference(*place), *new),
            _ => return None,
        };
        Some((self.carriers(new), *place.first()?))
    }

    /// What a variable owns that is given by reference: `&mut guard`.
    fn behind_reference(&self, value: ValueIndex) -> Vec<Owner> {
        match &self.program.function(self.id).value(value).kind {
            ValueKind::Reference(of) => self.carriers(*of),
            _ => Vec::new(),
        }
    }

    /// The closure that a variable holds, if its body ends what it captured.
    fn ended_by_calling(&self, callee: ValueIndex) -> Vec<Owner> {
        let function = self.program.function(self.id);
        let ValueKind::Place(place) = &function.value(callee).kind else { return Vec::new() };
        let Some(variable) = place.as_variable() else { return Vec::new() };
        let ends = self.program.shape(self.id).binds(variable).any(|bound| match function.value(bound).kind {
            ValueKind::Function(index) => {
                let inner = self.program.function(FunctionId { module: self.id.module, index });
                captured(&inner).any(|(at, _)| uses_up(&inner, at))
            }
            _ => false,
        });
        if ends { vec![Owner::Variable(variable)] } else { Vec::new() }
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

    /// Whether a method is one of the receiver itself rather than of the data behind it.
    fn is_method_of_it(&self, receiver: ValueIndex, method: &str, resolution: &Resolution) -> bool {
        resolution.external().is_some_and(|name| self.is_method_of(receiver, name, method))
    }

    pub(super) fn is_method_of(&self, receiver: ValueIndex, name: &str, method: &str) -> bool {
        let of = self.program.value_type(self.id, receiver);
        let owner = name.strip_suffix(method).map(|owner| owner.trim_end_matches("::"));
        of.instance().is_some_and(|instance| Some(instance.name.as_str()) == owner)
    }

    /// The owners that end with one: what was put together of others ends with all of them.
    pub(super) fn ended_with(&self, owner: Owner) -> Vec<Owner> {
        let mut ended = vec![owner];
        if let Owner::Temporary(value) = owner
            && let ValueKind::Collection(..) | ValueKind::Choice(_) | ValueKind::Try(_) | ValueKind::Function(_) =
                self.program.function(self.id).value(value).kind
        {
            self.collect_carriers(value, &mut ended, 0);
        }
        ended
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
            // A closure or future carries what it captured by value.
            ValueKind::Function(inner) => {
                let inner = self.program.function(FunctionId { module: self.id.module, index: *inner });
                let moved = captured(&inner).filter(|(at, _)| inner.is_move || uses_up(&inner, *at));
                found.extend(moved.map(|(_, outer)| Owner::Variable(outer)));
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

/// The variables of the function around it that a closure or async block uses: its own, and theirs.
fn captured(inner: &Function) -> impl Iterator<Item = (VariableIndex, VariableIndex)> {
    let variables = inner.variables.iter().enumerate();
    variables.filter_map(|(at, variable)| Some((VariableIndex(at as u32), variable.captures?)))
}

/// Whether a function ends a variable, hands it on or binds it anew.
fn uses_up(function: &Function, variable: VariableIndex) -> bool {
    let is_it = |value: ValueIndex| match &function.value(value).kind {
        ValueKind::Place(place) => place.as_variable() == Some(variable),
        _ => false,
    };
    function.steps().any(|(_, _, step)| match &step.kind {
        StepKind::Drop(owners, Ending::Explicit) => owners.contains(&Owner::Variable(variable)),
        StepKind::Bind(_, value) => is_it(*value),
        StepKind::Call(value) => {
            function.call(*value).is_some_and(|call| call.arguments.iter().any(|argument| is_it(argument.value)))
        }
        _ => false,
    })
}
