//! Calls and managed blocks that take or release a lock.

use std::borrow::Cow;
use std::sync::Arc;

use super::state::{Entry, State};
use super::walk::Walk;
use super::{HeldBy, Implicit, Waits, What};
use crate::analysis::FunctionId;
use crate::analysis::Program;
use crate::analysis::binding::Binding;
use crate::analysis::calls::{Resolution, Target};
use crate::analysis::locks::{Lock, LockPlace};
use crate::analysis::names::{Item, Member};
use crate::analysis::types::Type;
use crate::catalogue::{Flavour, Manner, Mode};
use crate::flow::{
    Block, BlockIndex, Call, Callee, Field, FunctionKind, Loop, LoopKind, ManagedIndex, Owner, Place, StepKind,
    ValueIndex, ValueKind,
};
use crate::text::{Language, Span};

impl Walk<'_, '_> {
    /// The lock that awaiting a value takes: `lock().await`, `await lock.acquire()`.
    pub(super) fn awaited_acquisition(&self, of: ValueIndex) -> Option<(Arc<Lock>, Waits, HeldBy)> {
        let function = self.program.function(self.id);
        let call = function.call(of)?;
        let resolution = self.program.resolution(self.id, of);
        let result = self.program.shape(self.id).awaited(of);
        if let Some((lock, waits)) = self.lock_call(call, &resolution) {
            // What is held only during the call is free again when the await is over.
            if lock.flavour != Flavour::Async || is_during(&resolution, self) {
                return None;
            }
            let by = match (self.language, result) {
                (Language::Rust, Some(result)) => HeldBy::Guard(Owner::Temporary(result)),
                _ => HeldBy::Manual,
            };
            return Some((lock, waits, by));
        }
        if let Some(lock) = self.taken_elsewhere(of) {
            return Some((lock, Waits::Yes, HeldBy::Manual));
        }
        // A project function that hands out a guard when awaited.
        let result = result?;
        // The type says it cheaply; the callee's body, and whatever it calls, is read only for those that are.
        if !self.program.is_guard(&self.program.value_type(self.id, result)) {
            return None;
        }
        let guard = self.guard_of_callee(of, &resolution)?;
        Some((guard, Waits::Yes, HeldBy::Guard(Owner::Temporary(result))))
    }

    /// The lock that a worker thread takes for the task that waits for it, without an end: `await to_thread(lock.acquire)`.
    /// The task gives way meanwhile, as it does for an asynchronous one.
    fn taken_elsewhere(&self, of: ValueIndex) -> Option<Arc<Lock>> {
        if self.language != Language::Python {
            return None;
        }
        let function = self.program.function(self.id);
        let given = self.program.given_to_a_thread(self.id, of);
        let [method] = given[..] else { return None };
        let last = function.call(of)?.arguments.last()?;
        let at = function.value(method);
        let ValueKind::Place(place) = &at.kind else { return None };
        let (Field::Name(name), head) = place.fields.split_last()? else { return None };
        let place = Place { root: place.root.clone(), fields: head.to_vec(), is_cut: place.is_cut };
        let of = self.program.place_type(self.id, &place, at.block, at.step);
        let type_name = self.program.lock_type_name(self.language, &of)?;
        let known = self.program.tables(self.language).lock(&type_name)?;
        let waits = known.flavour == Flavour::Blocking && !known.may_take_again(name);
        let acquisition = known.acquisition(name).filter(|how| waits && how.manner == Manner::Waits)?;
        // What it is given beside that may tell it to give up.
        (last.value == method).then(|| {
            Arc::new(Lock {
                place: self.program.canonical_place(self.id, &place, at.block, at.step),
                kind: known.kind,
                flavour: Flavour::Async,
                mode: acquisition.mode,
                is_reentrant: known.may_take_again(name),
                name: self.program.place_text(self.id, &place),
                type_name,
                is_resolved: true,
            })
        })
    }

    /// The lock that a call takes by the catalogue, whether or not something is still to be awaited.
    pub(super) fn lock_call(&self, call: &Call, resolution: &Resolution) -> Option<(Arc<Lock>, Waits)> {
        let name = self.program.lock_method(self.language, resolution)?;
        let (type_name, method) = name.rsplit_once(self.language.separator())?;
        let tables = self.program.tables(self.language);
        let known = tables.lock(type_name)?;
        let acquisition = known.acquisition(method)?;
        let receiver = match &call.callee {
            Callee::Method(receiver, _) => *receiver,
            _ => call.arguments.first()?.value,
        };
        let is_try = acquisition.manner == Manner::Tries || self.is_told_not_to_wait(call);
        let place = self.program.lock_place(self.id, receiver);
        let flavour = if acquisition.manner == Manner::Blocks { Flavour::Blocking } else { known.flavour };
        let lock = Lock {
            place,
            kind: known.kind,
            flavour,
            mode: acquisition.mode,
            is_reentrant: known.may_take_again(method),
            name: self.program.value_text(self.id, receiver),
            type_name: type_name.to_owned(),
            is_resolved: true,
        };
        Some((Arc::new(lock), if is_try { Waits::No } else { Waits::Yes }))
    }

    /// Closures that are handed to a call which holds a lock only while it runs: they run under it.
    pub(super) fn run_under(
        &mut self,
        block: BlockIndex,
        number: u32,
        value: ValueIndex,
        lock: Arc<Lock>,
        span: Span,
        state: &State,
    ) {
        let function = self.program.function(self.id);
        let Some(call) = function.call(value).filter(|_| self.events.is_some()) else { return };
        let closures = call.arguments.iter().filter_map(|argument| match function.value(argument.value).kind {
            ValueKind::Function(index) => Some(FunctionId { module: self.id.module, index }),
            _ => None,
        });
        let closures: Vec<FunctionId> = closures.collect();
        if closures.is_empty() {
            return;
        }
        let mut under = state.clone();
        let by = HeldBy::Guard(Owner::Temporary(value));
        self.take(block, number, 0, lock, span, by, Waits::Yes, &mut under);
        for callee in closures {
            let what = format!("runs a closure in `{}`", self.program.callee_text(self.id, value));
            let implicit = Implicit { callee, receiver: LockPlace::unknown(), what };
            self.record(block, number, span, What::Runs(Arc::new(implicit)), &under);
        }
    }

    /// Whether the arguments say that it gives up rather than wait without an end.
    pub(super) fn is_told_not_to_wait(&self, call: &Call) -> bool {
        let told = self.program.tables(self.language).giving_up();
        told.iter().any(|condition| self.program.holds(self.id, call, condition))
    }

    pub(super) fn release(&self, value: ValueIndex, state: &mut State) -> bool {
        let Some(place) = self.program.released_by(self.id, value) else { return false };
        let is_it = |entry: &Entry| {
            let lock = &self.acquisitions[entry.acquisition].lock;
            lock.place.is_same(&place) || (lock.place == place && lock.place != LockPlace::unknown())
        };
        state.retain(|entry| !is_it(entry));
        true
    }

    pub(super) fn enter(&mut self, block: BlockIndex, number: u32, index: ManagedIndex, span: Span, state: &mut State) {
        let function = self.program.function(self.id);
        let managed = &function.managed[index.at()];
        self.enter_value((block, number), index, (managed.value, managed.is_async), span, state);
    }

    /// What is entered on a stack of managers is left with the stack: `stack.enter_context(lock)`.
    pub(super) fn enter_on_stack(
        &mut self,
        (block, number): (BlockIndex, u32),
        call: ValueIndex,
        is_async: bool,
        span: Span,
        state: &mut State,
    ) {
        let function = self.program.function(self.id);
        let Some(written) = function.call(call) else { return };
        let (Callee::Method(stack, _), Some(entered)) = (&written.callee, written.arguments.first()) else { return };
        let resolution = self.program.resolution(self.id, call);
        let applies = resolution.external().and_then(|name| self.program.tables(self.language).applies(name));
        if applies != Some(if is_async { "__aenter__" } else { "__enter__" }) {
            return;
        }
        let Some(index) = self.stack_at(*stack) else { return };
        // In a loop that the stack stands around each turn enters another one, and which it is nobody can tell.
        let begins =
            |of: &Block| of.steps.iter().any(|step| matches!(step.kind, StepKind::Enter(entered) if entered == index));
        let around = function.blocks.iter().find(|of| begins(of)).and_then(|of| of.in_loop);
        if function.blocks[block.at()].in_loop == around {
            self.enter_value((block, number), index, (entered.value, is_async), span, state);
        }
    }

    /// A stack of managers is left before its end: `stack.close()`, `stack.pop_all()`.
    pub(super) fn leave_stack(&self, call: &Call, resolution: &Resolution, state: &mut State) {
        let Callee::Method(stack, _) = &call.callee else { return };
        let leaves = |name: &str| self.program.tables(self.language).leaves_what_it_entered(name);
        if !state.is_empty()
            && resolution.external().is_some_and(leaves)
            && let Some(index) = self.stack_at(*stack)
        {
            state.retain(|entry| entry.by != HeldBy::Block(index));
        }
    }

    /// The managed block that a stack of managers is made for.
    fn stack_at(&self, stack: ValueIndex) -> Option<ManagedIndex> {
        let function = self.program.function(self.id);
        let node = function.value(stack);
        let ValueKind::Place(place) = &node.kind else { return None };
        let reaching = self.program.reaching(self.id, place.as_variable()?, node.block, node.step);
        let [only] = reaching.values[..] else { return None };
        let ValueKind::Entered(of) = function.value(only).kind else { return None };
        let at = function.managed.iter().position(|managed| managed.value == of)?;
        Some(ManagedIndex(at as u32))
    }

    /// Enters a value, to be left at the end of a managed block.
    fn enter_value(
        &mut self,
        (block, number): (BlockIndex, u32),
        index: ManagedIndex,
        (value, is_async): (ValueIndex, bool),
        span: Span,
        state: &mut State,
    ) {
        let by = HeldBy::Block(index);
        if let Some(lock) = self.managed_lock(value, is_async) {
            self.record(block, number, span, What::Acquire(lock.clone(), Waits::Yes), state);
            self.take(block, number, 0, lock, span, by, Waits::Yes, state);
            return;
        }
        let Some((callee, binding)) = self.program.entered_function(self.id, value, is_async) else { return };
        let what = format!("enters `{}`", self.program.value_text(self.id, value));
        let receiver = match &binding {
            Binding::Receiver(receiver) => Some(receiver.clone()),
            Binding::Made(_) => Some(LockPlace::unknown()),
            Binding::Call(_) | Binding::Closure(_) => None,
        };
        if let Some(receiver) = receiver {
            let implicit = Implicit { callee, receiver, what };
            self.record(block, number, span, What::Runs(Arc::new(implicit)), state);
        }
        // A context manager of the project holds for its caller what it holds where it yields, or returns.
        let facts = self.program.facts(callee);
        let holds = if matches!(binding, Binding::Call(_)) { &facts.yielded } else { &facts.kept };
        for (at, lock) in holds.iter().enumerate() {
            let lock = self.program.bound(self.id, &binding, callee, lock);
            self.record(block, number, span, What::Acquire(lock.clone(), Waits::Yes), state);
            self.take(block, number, at as u32, lock, span, by, Waits::Yes, state);
        }
        // The wrapper is what its holders have in common, whichever lock it takes.
        if let (Binding::Receiver(_) | Binding::Made(_), Some(lock)) = (&binding, &facts.kept_in_a_form) {
            let name = self.program.value_text(self.id, value);
            let bound = self.program.bound(self.id, &binding, callee, lock);
            let lock = Arc::new(Lock { name, ..Lock::clone(&bound) });
            self.record(block, number, span, What::Acquire(lock.clone(), Waits::Yes), state);
            self.take(block, number, 0, lock, span, by, Waits::Yes, state);
        }
    }

    /// A managed block of the project runs code of its own when it is left, too.
    pub(super) fn leave(&mut self, block: BlockIndex, number: u32, index: ManagedIndex, span: Span, state: &State) {
        let function = self.program.function(self.id);
        let managed = &function.managed[index.at()];
        if !managed.is_async && self.events.is_some() {
            let what = format!("leaves `{}`", self.program.value_text(self.id, managed.value));
            self.runs_method((block, number), managed.value, "__exit__", what, span, state);
        }
    }

    /// A loop over an object of the project runs code of its class at every turn.
    pub(super) fn begin_turn(&mut self, header: BlockIndex, state: &State) {
        if self.language != Language::Python {
            return;
        }
        let function = self.program.function(self.id);
        let begins = |around: &&Loop| around.kind == LoopKind::For && around.header == header;
        let Some(over) = function.loops.iter().find(begins).and_then(|around| around.over) else { return };
        let (span, text) = (function.value(over).span, self.program.value_text(self.id, over));
        for method in ["__iter__", "__next__"] {
            self.runs_method((header, 0), over, method, format!("loops over `{text}`"), span, state);
        }
    }

    /// `len(x)` and the like run a method of an object of the project.
    pub(super) fn apply(
        &mut self,
        block: BlockIndex,
        number: u32,
        call: &Call,
        resolution: &Resolution,
        span: Span,
        state: &State,
    ) {
        let Some(argument) = call.arguments.first().filter(|_| self.events.is_some()) else { return };
        let tables = self.program.tables(self.language);
        let Some(method) = resolution.external().and_then(|name| tables.applies(name)) else { return };
        // What a manager does when it is entered is told there.
        if matches!(method, "__enter__" | "__aenter__") {
            return;
        }
        let what = format!("runs `{method}` of `{}`", self.program.value_text(self.id, argument.value));
        self.runs_method((block, number), argument.value, method, what, span, state);
    }

    /// A method of an object of the project that runs although nobody writes its name.
    fn runs_method(
        &mut self,
        (block, number): (BlockIndex, u32),
        receiver: ValueIndex,
        method: &str,
        what: String,
        span: Span,
        state: &State,
    ) {
        let of = self.program.value_type(self.id, receiver);
        let Some(definition) = of.instance().and_then(|instance| instance.definition) else { return };
        if let Some(Member::Function(callee)) = self.program.method(definition, method).first() {
            let receiver = self.program.lock_place(self.id, receiver);
            let implicit = Implicit { callee: *callee, receiver, what };
            self.record(block, number, span, What::Runs(Arc::new(implicit)), state);
        }
    }

    /// A property of the project that is read runs as a call does.
    pub(super) fn read(&mut self, block: BlockIndex, number: u32, place: &Place, span: Span, state: &State) {
        if self.language != Language::Python || self.events.is_none() {
            return;
        }
        let Some((Field::Name(last), rest)) = place.fields.split_last() else { return };
        if place.is_cut || !self.program.is_property_name(last) {
            return;
        }
        let head = Place { root: place.root.clone(), fields: rest.to_vec(), is_cut: false };
        let of = self.program.place_type(self.id, &head, block, number);
        let Some(definition) = of.instance().and_then(|instance| instance.definition) else { return };
        if let Some(Member::Function(callee)) = self.program.method(definition, last).first()
            && self.program.function(*callee).kind == FunctionKind::Property
        {
            let receiver = self.program.canonical_place(self.id, &head, block, number);
            let what = format!("reads the property `{}`", self.program.place_text(self.id, place));
            let implicit = Implicit { callee: *callee, receiver, what };
            self.record(block, number, span, What::Runs(Arc::new(implicit)), state);
        }
    }

    /// The lock that `with value` takes.
    pub(super) fn managed_lock(&self, value: ValueIndex, is_async: bool) -> Option<Arc<Lock>> {
        let of = self.program.value_type(self.id, value);
        let tables = self.program.tables(self.language);
        let name = of.alternatives().iter().find_map(|of| self.program.lock_type_name(self.language, of))?;
        let known = tables.lock(&name)?;
        known.context?.fits(is_async).then(|| {
            Arc::new(Lock {
                place: self.program.lock_place(self.id, value),
                kind: known.kind,
                flavour: known.flavour,
                mode: Mode::Exclusive,
                is_reentrant: known.reentrant,
                name: self.program.value_text(self.id, value),
                type_name: name,
                is_resolved: true,
            })
        })
    }
}

impl Program<'_> {
    /// The lock that a call lets go by the catalogue.
    pub fn released_by(&self, id: FunctionId, value: ValueIndex) -> Option<LockPlace> {
        let function = self.function(id);
        let Callee::Method(receiver, _) = &function.call(value)?.callee else { return None };
        let language = self.language(id.module);
        let resolution = self.resolution(id, value);
        let name = self.lock_method(language, &resolution)?;
        let (type_name, method) = name.rsplit_once(language.separator())?;
        let known = self.tables(language).lock(type_name)?;
        known.is_release(method).then(|| self.lock_place(id, *receiver))
    }

    /// The name by which the catalogue may know the method of a lock that a call means: of a library, or of the project
    /// where the user says that its type is a lock.
    pub(super) fn lock_method<'r>(&self, language: Language, resolution: &'r Resolution) -> Option<Cow<'r, str>> {
        if let Some(name) = resolution.external() {
            return Some(Cow::Borrowed(name));
        }
        let tables = self.tables(language);
        let [Target::Function(callee)] = resolution.targets.as_slice() else { return None };
        if !tables.has_own() {
            return None;
        }
        let name = self.qualified_name(*callee);
        let (type_name, _) = name.rsplit_once(language.separator())?;
        tables.own_lock(type_name)?;
        Some(Cow::Owned(name))
    }

    /// The catalogue's name of the lock type that a type is, or derives from.
    pub fn lock_type_name(&self, language: Language, of: &Type) -> Option<String> {
        let tables = self.tables(language);
        match of {
            Type::Instance(instance) => match instance.definition {
                None => tables.lock(&instance.name).is_some().then(|| instance.name.clone()),
                Some(id) if tables.own_lock(&self.type_name(id)).is_some() => Some(self.type_name(id)),
                Some(id) => self.bases(id).iter().find_map(|base| match base {
                    Item::External(name) => tables.lock(name).is_some().then(|| name.clone()),
                    _ => None,
                }),
            },
            // A factory's result, or the attribute of an external object.
            Type::External(name) => tables.lock(name).is_some().then(|| name.to_string()),
            _ => None,
        }
    }
}

/// Whether a lock call only gives a future, which takes the lock when it is awaited.
pub(super) fn waits_by_awaiting(resolution: &Resolution, walk: &Walk) -> bool {
    manner(resolution, walk) == Some(Manner::Waits)
}

pub(super) fn is_during(resolution: &Resolution, walk: &Walk) -> bool {
    manner(resolution, walk) == Some(Manner::During)
}

pub(super) fn manner(resolution: &Resolution, walk: &Walk) -> Option<Manner> {
    let name = walk.program.lock_method(walk.language, resolution)?;
    let (type_name, method) = name.rsplit_once(walk.language.separator())?;
    Some(walk.program.tables(walk.language).lock(type_name)?.acquisition(method)?.manner)
}
