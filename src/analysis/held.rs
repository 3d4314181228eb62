//! Which locks are held at each step.
//!
//! The state runs forward along the control flow: who owns which acquisition. Guards move with the values that carry
//! them and end where lowering says that their owner ends:
//!
//! ~~~text
//! t0 = call self.queue.lock()     t0 owns the guard
//! t1 = call t0.unwrap()           by value, and the result is a guard: t1 owns it
//! bind g = t1                     g owns it
//! drop g (scope)                  nobody holds the lock
//! ~~~
//!
//! Two paths that meet keep what either holds; what only one of them holds is not certain.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::calls::{Resolution, Target};
use super::locks::{Binding, Lock, LockPlace};
use super::names::Member;
use super::types::Type;
use super::{FunctionId, Program, TypeId};
use crate::catalogue::{Flavour, Manner, Mode, Receiver};
use crate::flow::{
    BlockIndex, Call, Callee, Ending, Field, FunctionKind, ManagedIndex, Next, Owner, Place, Step, StepKind,
    Suspension, TypeTerm, ValueIndex, ValueKind,
};
use crate::text::{Language, Span};

/// How many types inside types are looked through for a guard.
const MOST_LEVELS: u32 = 4;

/// What happens in a function, in block order, with the locks held before it happens.
#[derive(Debug, Default)]
pub struct Facts {
    /// Calls, suspensions and acquisitions that control can get to.
    pub events: Vec<Event>,
    /// Locks whose guard the function returns.
    pub returned: Vec<Rc<Lock>>,
    /// Locks held where it yields: a context manager holds them for its caller.
    pub yielded: Vec<Rc<Lock>>,
    /// Locks taken without a guard and still held where it returns: `__enter__` holds them for its caller.
    pub kept: Vec<Rc<Lock>>,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub struct Event {
    /// The block.
    pub block: BlockIndex,
    /// The step in its block.
    pub step: u32,
    /// Where it is written.
    pub span: Span,
    /// What it is.
    pub what: What,
    /// The locks held before it happens.
    pub held: Rc<[Held]>,
}

/// What happens.
#[derive(Clone, Debug)]
pub enum What {
    /// A call.
    Call(ValueIndex),
    /// The task may give way.
    Suspend(Suspension, Option<ValueIndex>),
    /// A lock is taken; whether the task or thread waits for it.
    Acquire(Rc<Lock>, Waits),
    /// A project function runs although no call of it is written: a property that is read, a managed block's entry.
    Runs(Rc<Implicit>),
}

/// A project function that runs although no call of it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Implicit {
    /// The function.
    pub callee: FunctionId,
    /// Where its receiver is found.
    pub receiver: LockPlace,
    /// What makes it run, in the user's own words: "reads `self.size`".
    pub what: String,
}

/// Whether taking a lock waits until it is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// It waits.
    Yes,
    /// It fails instead, at once or after a stated time.
    No,
}

/// A lock that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The lock.
    pub lock: Rc<Lock>,
    /// Where it was taken.
    pub taken: Span,
    /// Whether it is held on every path that leads here.
    pub is_certain: bool,
    /// Who holds it.
    pub by: HeldBy,
}

/// Who holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeldBy {
    /// A guard that a variable or temporary owns.
    Guard(Owner),
    /// A managed block.
    Block(ManagedIndex),
    /// Nobody in particular: `acquire()` without a guard.
    Manual,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    acquisition: usize,
    by: HeldBy,
    is_certain: bool,
    /// The call whose result says whether it is held at all; it does not count until a branch has asked.
    asked: Option<ValueIndex>,
}

type State = Vec<Entry>;

struct Acquisition {
    lock: Rc<Lock>,
    span: Span,
}

impl<'a> Program<'a> {
    /// What happens in a function.
    pub fn facts(&self, id: FunctionId) -> Rc<Facts> {
        if let Some(known) = self.facts.borrow().get(&id) {
            return known.clone();
        }
        // Recursion through guards returned by callees ends here.
        self.facts.borrow_mut().insert(id, Rc::default());
        let facts = Rc::new(self.deeper(Facts::default(), || Walk::new(self, id).run()));
        self.facts.borrow_mut().insert(id, facts.clone());
        facts
    }

    /// Whether a value of this type holds a lock for as long as it lives.
    pub fn is_guard(&self, of: &Type) -> bool {
        self.guard_lock(of).is_some()
    }

    /// The lock type that a guard, or something with a guard inside, holds.
    fn guard_lock(&self, of: &Type) -> Option<(String, Mode)> {
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

    /// Why a lock is still held, in one sentence for the reviewer; empty when there is nothing to explain.
    pub fn held_because(&self, id: FunctionId, held: &Held) -> String {
        let function = self.function(id);
        let owner = match held.by {
            HeldBy::Guard(owner) => owner,
            HeldBy::Block(_) | HeldBy::Manual => return String::new(),
        };
        let ending = function.steps().find_map(|(_, _, step)| match &step.kind {
            StepKind::Drop(owners, ending) if owners.contains(&owner) => Some(*ending),
            _ => None,
        });
        match (owner, ending) {
            (Owner::Variable(variable), _) if !function.variable(variable).name.is_empty() => {
                format!("its guard `{}` lives to the end of its block", function.variable(variable).name)
            }
            (_, Some(Ending::IfLet)) => "its guard is a temporary of the `if let` and lives to its end".to_owned(),
            (_, Some(Ending::WhileLet)) => {
                "its guard is a temporary of the `while let` and lives to the end of each turn".to_owned()
            }
            (_, Some(Ending::Match)) => "its guard is a temporary of the `match` and lives to its end".to_owned(),
            (_, Some(Ending::For)) => {
                "its guard is a temporary of the `for` and lives to the end of the loop".to_owned()
            }
            (_, Some(Ending::Statement | Ending::Tail)) => {
                "its guard is a temporary and lives to the end of the statement".to_owned()
            }
            _ => String::new(),
        }
    }
}

struct Walk<'p, 'a> {
    program: &'p Program<'a>,
    id: FunctionId,
    language: Language,
    acquisitions: Vec<Acquisition>,
    by_step: FxHashMap<(BlockIndex, u32, u32), usize>,
    events: Option<Vec<Event>>,
    yielded: Vec<Rc<Lock>>,
    returned: Vec<Rc<Lock>>,
    kept: Vec<Rc<Lock>>,
}

impl<'p, 'a> Walk<'p, 'a> {
    fn new(program: &'p Program<'a>, id: FunctionId) -> Self {
        Self {
            program,
            id,
            language: program.language(id.module),
            acquisitions: Vec::new(),
            by_step: FxHashMap::default(),
            events: None,
            yielded: Vec::new(),
            returned: Vec::new(),
            kept: Vec::new(),
        }
    }

    fn run(mut self) -> Facts {
        let function = self.program.function(self.id);
        let blocks = function.blocks.len();
        if blocks == 0 {
            return Facts::default();
        }
        let mut before: Vec<Option<State>> = vec![None; blocks];
        before[0] = Some(self.guards_given());
        let mut work = std::collections::BTreeSet::from([0usize]);
        // Each block is visited a bounded number of times: states only grow, and only towards uncertainty.
        let mut budget = blocks * 12 + 64;
        while let Some(at) = work.pop_first() {
            if budget == 0 {
                break;
            }
            budget -= 1;
            let Some(mut state) = before[at].clone() else { continue };
            let block = &function.blocks[at];
            let mut raised: Option<(BlockIndex, Option<State>)> = block.on_raise.map(|handler| (handler, None));
            for (number, step) in block.steps.iter().enumerate() {
                let former = raised.is_some().then(|| state.clone());
                self.step(BlockIndex(at as u32), number as u32, step, &mut state);
                if let (Some((_, raised)), Some(former), true) = (&mut raised, former, may_raise(&step.kind)) {
                    // What fails to take a lock does not hold it; what fails to release one has done so as far as
                    // anybody can tell.
                    add(raised, if state.len() < former.len() { &state } else { &former });
                }
            }
            if let (Next::Raise(_), Some((_, raised))) = (&block.next, &mut raised) {
                add(raised, &state);
            }
            for (branch, target) in block.next.targets().iter().enumerate() {
                let answered = self.answered(&block.next, branch, &state);
                if merge(&mut before[target.at()], answered.as_ref().unwrap_or(&state)) {
                    work.insert(target.at());
                }
            }
            if let Some((handler, Some(raised))) = raised
                && merge(&mut before[handler.at()], &raised)
            {
                work.insert(handler.at());
            }
        }
        self.events = Some(Vec::new());
        for (at, state) in before.into_iter().enumerate() {
            let Some(mut state) = state else { continue };
            let block = &function.blocks[at];
            for (number, step) in block.steps.iter().enumerate() {
                self.step(BlockIndex(at as u32), number as u32, step, &mut state);
            }
            if let Next::Return(_) = block.next {
                for entry in
                    state.iter().filter(|entry| entry.by == HeldBy::Manual && entry.is_certain && entry.asked.is_none())
                {
                    let lock = &self.acquisitions[entry.acquisition].lock;
                    if !self.kept.contains(lock) {
                        self.kept.push(lock.clone());
                    }
                }
            }
            if let Next::Return(Some(value)) = block.next {
                let carriers = self.carriers(value);
                for entry in &state {
                    if matches!(entry.by, HeldBy::Guard(owner) if carriers.contains(&owner)) {
                        let lock = &self.acquisitions[entry.acquisition].lock;
                        if !self.returned.contains(lock) {
                            self.returned.push(lock.clone());
                        }
                    }
                }
            }
        }
        Facts {
            events: self.events.unwrap_or_default(),
            returned: self.returned,
            yielded: self.yielded,
            kept: self.kept,
        }
    }

    /// The state on a branch that asks whether a lock was got: the first target is where the answer is yes.
    fn answered(&self, next: &Next, branch: usize, state: &State) -> Option<State> {
        let Next::Branch(Some(on), _) = next else { return None };
        let call = self.call_behind(*on)?;
        state.iter().any(|entry| entry.asked == Some(call)).then(|| {
            let mut state = state.clone();
            state.retain_mut(|entry| {
                let is_it = entry.asked == Some(call);
                if is_it && branch == 0 {
                    (entry.asked, entry.is_certain) = (None, true);
                }
                !is_it || branch == 0
            });
            state
        })
    }

    /// The call whose result a value is, as it stands, awaited, or through a variable.
    fn call_behind(&self, value: ValueIndex) -> Option<ValueIndex> {
        let function = self.program.function(self.id);
        match &function.value(value).kind {
            ValueKind::Call(_) => Some(value),
            ValueKind::Awaited(of) => self.call_behind(*of),
            ValueKind::Place(place) => {
                let at = function.value(value);
                let reaching = self.program.reaching(self.id, place.as_variable()?, at.block, at.step);
                match (&reaching.values[..], reaching.from_entry) {
                    ([only], false) => self.call_behind(*only),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The guards that parameters bring along: they live through the whole function.
    fn guards_given(&mut self) -> State {
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

    fn step(&mut self, block: BlockIndex, number: u32, step: &Step, state: &mut State) {
        match &step.kind {
            StepKind::Call(value) => {
                self.record(block, number, step.span, What::Call(*value), state);
                self.call(block, number, *value, step.span, state);
            }
            StepKind::Suspend(how, of) => self.suspend(block, number, *how, *of, step.span, state),
            StepKind::Enter(managed) => self.enter(block, number, *managed, step.span, state),
            StepKind::Exit(managed) => state.retain(|entry| entry.by != HeldBy::Block(*managed)),
            StepKind::Bind(variable, value) => {
                if self.language == Language::Rust && !state.is_empty() {
                    let to = Owner::Variable(*variable);
                    let carriers = self.carriers(*value);
                    for entry in state.iter_mut() {
                        if matches!(entry.by, HeldBy::Guard(owner) if carriers.contains(&owner)) {
                            entry.by = HeldBy::Guard(to);
                        }
                    }
                }
            }
            StepKind::Drop(owners, _) => {
                state.retain(|entry| !matches!(entry.by, HeldBy::Guard(owner) if owners.contains(&owner)));
            }
            StepKind::Read(place) => self.read(block, number, place, step.span, state),
            StepKind::Write(..) | StepKind::Discard(_) => {}
        }
    }

    fn suspend(
        &mut self,
        block: BlockIndex,
        number: u32,
        how: Suspension,
        of: Option<ValueIndex>,
        span: Span,
        state: &mut State,
    ) {
        let acquired = of.filter(|_| how == Suspension::Await).and_then(|of| self.awaited_acquisition(of));
        if let Some((lock, waits, by)) = acquired {
            self.record(block, number, span, What::Acquire(lock.clone(), waits), state);
            self.record(block, number, span, What::Suspend(how, of), state);
            self.take(block, number, 0, lock, span, by, waits, state);
            return;
        }
        self.record(block, number, span, What::Suspend(how, of), state);
        if how == Suspension::Yield && self.events.is_some() {
            for entry in state.iter() {
                let lock = &self.acquisitions[entry.acquisition].lock;
                if !self.yielded.contains(lock) {
                    self.yielded.push(lock.clone());
                }
            }
        }
        let Some(of) = of.filter(|_| how == Suspension::Await) else { return };
        // A future that was handed a guard ends with it; what comes out may hold it on.
        let result = self.program.shape(self.id).awaited(of);
        let holds_on = result.is_some_and(|result| self.program.is_guard(&self.program.value_type(self.id, result)));
        let carriers = self.carriers(of);
        state.retain_mut(|entry| match (entry.by, result) {
            (HeldBy::Guard(Owner::Temporary(by)), Some(result)) if carriers.contains(&Owner::Temporary(by)) => {
                entry.by = HeldBy::Guard(Owner::Temporary(result));
                holds_on
            }
            _ => true,
        });
    }

    /// The lock that awaiting a value takes: `lock().await`, `await lock.acquire()`.
    fn awaited_acquisition(&self, of: ValueIndex) -> Option<(Rc<Lock>, Waits, HeldBy)> {
        let function = self.program.function(self.id);
        let call = function.call(of)?;
        let resolution = self.program.resolution(self.id, of);
        let result = self.program.shape(self.id).awaited(of);
        if let Some((lock, waits)) = self.lock_call(call, &resolution) {
            if lock.flavour != Flavour::Async {
                return None;
            }
            let by = match (self.language, result) {
                (Language::Rust, Some(result)) => HeldBy::Guard(Owner::Temporary(result)),
                _ => HeldBy::Manual,
            };
            return Some((lock, waits, by));
        }
        // A project function that hands out a guard when awaited.
        let result = result?;
        let guard = self.guard_of_callee(of, &resolution)?;
        self.program.is_guard(&self.program.value_type(self.id, result)).then_some(())?;
        Some((guard, Waits::Yes, HeldBy::Guard(Owner::Temporary(result))))
    }

    fn call(&mut self, block: BlockIndex, number: u32, value: ValueIndex, span: Span, state: &mut State) {
        let function = self.program.function(self.id);
        let Some(call) = function.call(value) else { return };
        let resolution = self.program.resolution(self.id, value);
        if let Some((lock, waits)) = self.lock_call(call, &resolution) {
            let is_awaited_later = lock.flavour == Flavour::Async && waits_by_awaiting(&resolution, self);
            if !is_awaited_later {
                self.record(block, number, span, What::Acquire(lock.clone(), waits), state);
                if is_during(&resolution, self) {
                    return;
                }
                let by = match self.language {
                    Language::Rust => HeldBy::Guard(Owner::Temporary(value)),
                    Language::Python => HeldBy::Manual,
                };
                self.take(block, number, 0, lock, span, by, waits, state);
                if let (Waits::No, HeldBy::Manual, Some(entry)) = (waits, by, state.last_mut()) {
                    entry.asked = Some(value);
                }
            }
            return;
        }
        if self.release(call, &resolution, state) {
            return;
        }
        match self.language {
            Language::Python => {}
            Language::Rust => self.move_guards(block, number, value, call, &resolution, span, state),
        }
    }

    /// The lock that a call takes by the catalogue, whether or not something is still to be awaited.
    fn lock_call(&self, call: &Call, resolution: &Resolution) -> Option<(Rc<Lock>, Waits)> {
        let name = resolution.external()?;
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
            is_reentrant: known.reentrant,
            name: self.program.value_text(self.id, receiver),
            type_name: type_name.to_owned(),
            is_resolved: true,
        };
        Some((Rc::new(lock), if is_try { Waits::No } else { Waits::Yes }))
    }

    /// `acquire(blocking=False)`, `acquire(False)`, `acquire(timeout=1)`.
    fn is_told_not_to_wait(&self, call: &Call) -> bool {
        call.arguments.iter().enumerate().any(|(at, argument)| match argument.name.as_deref() {
            Some("blocking" | "block") => self.program.is_literal(self.id, argument.value, "False"),
            Some("timeout") => !self.program.is_literal(self.id, argument.value, "None"),
            None => at == 0 && self.program.is_literal(self.id, argument.value, "False"),
            Some(_) => false,
        })
    }

    fn release(&self, call: &Call, resolution: &Resolution, state: &mut State) -> bool {
        let Some((type_name, method)) =
            resolution.external().and_then(|name| name.rsplit_once(self.language.separator()))
        else {
            return false;
        };
        let Some(known) = self.program.tables(self.language).lock(type_name) else { return false };
        let Callee::Method(receiver, _) = &call.callee else { return false };
        if !known.is_release(method) {
            return false;
        }
        let place = self.program.lock_place(self.id, *receiver);
        let is_it = |entry: &Entry| {
            let lock = &self.acquisitions[entry.acquisition].lock;
            lock.place.is_same(&place) || (lock.place == place && lock.place != LockPlace::unknown())
        };
        state.retain(|entry| !is_it(entry));
        true
    }

    fn enter(&mut self, block: BlockIndex, number: u32, index: ManagedIndex, span: Span, state: &mut State) {
        let function = self.program.function(self.id);
        let managed = &function.managed[index.at()];
        let by = HeldBy::Block(index);
        let value = managed.value;
        if let Some(lock) = self.managed_lock(value, managed.is_async) {
            self.record(block, number, span, What::Acquire(lock.clone(), Waits::Yes), state);
            self.take(block, number, 0, lock, span, by, Waits::Yes, state);
            return;
        }
        let Some((callee, binding)) = self.program.entered_function(self.id, value, managed.is_async) else { return };
        let what = format!("enters `{}`", self.program.value_text(self.id, value));
        if let Binding::Receiver(receiver) = &binding {
            let implicit = Implicit { callee, receiver: receiver.clone(), what };
            self.record(block, number, span, What::Runs(Rc::new(implicit)), state);
        }
        // A context manager of the project holds for its caller what it holds where it yields, or returns.
        let facts = self.program.facts(callee);
        let holds = if matches!(binding, Binding::Call(_)) { &facts.yielded } else { &facts.kept };
        for (at, lock) in holds.iter().enumerate() {
            let lock = self.program.bound(self.id, &binding, callee, lock);
            self.record(block, number, span, What::Acquire(lock.clone(), Waits::Yes), state);
            self.take(block, number, at as u32, lock, span, by, Waits::Yes, state);
        }
    }

    /// A property of the project that is read runs as a call does.
    fn read(&mut self, block: BlockIndex, number: u32, place: &Place, span: Span, state: &State) {
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
            self.record(block, number, span, What::Runs(Rc::new(implicit)), state);
        }
    }

    /// The lock that `with value` takes.
    fn managed_lock(&self, value: ValueIndex, is_async: bool) -> Option<Rc<Lock>> {
        let of = self.program.value_type(self.id, value);
        let tables = self.program.tables(self.language);
        let name = of.alternatives().iter().find_map(|of| self.lock_type_name(of))?;
        let known = tables.lock(&name)?;
        let fits = match known.context? {
            crate::catalogue::Managed::With => !is_async,
            crate::catalogue::Managed::AsyncWith => is_async,
            crate::catalogue::Managed::Both => true,
        };
        fits.then(|| {
            Rc::new(Lock {
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

    /// The catalogue's name of the lock type that a type is, or derives from.
    fn lock_type_name(&self, of: &Type) -> Option<String> {
        let tables = self.program.tables(self.language);
        match of {
            Type::Instance(instance) => match instance.definition {
                None => tables.lock(&instance.name).is_some().then(|| instance.name.clone()),
                Some(id) => self.program.bases(id).iter().find_map(|base| match base {
                    super::names::Item::External(name) => tables.lock(name).is_some().then(|| name.clone()),
                    _ => None,
                }),
            },
            // A factory's result, or the attribute of an external object.
            Type::External(name) => tables.lock(name).is_some().then(|| name.to_string()),
            _ => None,
        }
    }

    /// Guards move with what a call is given by value, and a call of the project may hand one out.
    #[allow(clippy::too_many_arguments)]
    fn move_guards(
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
    fn may_hide_guard(&self, resolution: &Resolution) -> bool {
        let [Target::Function(callee)] = resolution.targets[..] else { return false };
        matches!(self.program.function(callee).returns, Some(TypeTerm::Bounds(_)))
            && !self.program.facts(callee).returned.is_empty()
    }

    /// The lock whose guard a project function hands out.
    fn guard_of_callee(&self, value: ValueIndex, resolution: &Resolution) -> Option<Rc<Lock>> {
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

    fn takes_receiver_by_value(
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

    fn is_method_of(&self, receiver: ValueIndex, name: &str, method: &str) -> bool {
        let of = self.program.value_type(self.id, receiver);
        let owner = name.strip_suffix(method).map(|owner| owner.trim_end_matches("::"));
        of.instance().is_some_and(|instance| Some(instance.name.as_str()) == owner)
    }

    /// The owners that a value may take a guard from when it is used by value.
    fn carriers(&self, value: ValueIndex) -> Vec<Owner> {
        let mut found = Vec::new();
        self.collect_carriers(value, &mut found, 0);
        found
    }

    fn collect_carriers(&self, index: ValueIndex, found: &mut Vec<Owner>, depth: u32) {
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
            ValueKind::Field(of, _) => {
                if self.program.is_guard(&self.program.value_type(self.id, index)) {
                    self.collect_carriers(*of, found, depth + 1);
                }
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

    #[allow(clippy::too_many_arguments)]
    fn take(
        &mut self,
        block: BlockIndex,
        step: u32,
        ordinal: u32,
        lock: Rc<Lock>,
        span: Span,
        by: HeldBy,
        waits: Waits,
        state: &mut State,
    ) {
        let next = self.acquisitions.len();
        let acquisition = *self.by_step.entry((block, step, ordinal)).or_insert(next);
        if acquisition == next {
            self.acquisitions.push(Acquisition { lock, span });
        }
        // A lock that is only tried may not be held; what its guard's pattern finds is, but that costs nothing.
        let is_certain = waits == Waits::Yes || matches!(by, HeldBy::Guard(_));
        let entry_now = Entry { acquisition, by, is_certain, asked: None };
        match state.iter_mut().find(|entry| entry.acquisition == acquisition) {
            Some(entry) => *entry = entry_now,
            None => state.push(entry_now),
        }
    }

    fn record(&mut self, block: BlockIndex, step: u32, span: Span, what: What, state: &State) {
        let held = || {
            state
                .iter()
                .filter(|entry| entry.asked.is_none())
                .map(|entry| {
                    let acquisition = &self.acquisitions[entry.acquisition];
                    Held {
                        lock: acquisition.lock.clone(),
                        taken: acquisition.span,
                        is_certain: entry.is_certain,
                        by: entry.by,
                    }
                })
                .collect()
        };
        let Some(held) = self.events.is_some().then(held) else { return };
        if let Some(events) = &mut self.events {
            events.push(Event { block, step, span, what, held });
        }
    }
}

/// Whether a lock call only gives a future, which takes the lock when it is awaited.
fn waits_by_awaiting(resolution: &Resolution, walk: &Walk) -> bool {
    manner(resolution, walk) == Some(Manner::Waits)
}

fn is_during(resolution: &Resolution, walk: &Walk) -> bool {
    manner(resolution, walk) == Some(Manner::During)
}

fn manner(resolution: &Resolution, walk: &Walk) -> Option<Manner> {
    let (type_name, method) = resolution.external()?.rsplit_once(walk.language.separator())?;
    Some(walk.program.tables(walk.language).lock(type_name)?.acquisition(method)?.manner)
}

/// Whether a call by path makes a value of the last segment's name: `Some(x)`, `Holder::new(x)`, `Box::new(x)`.
fn is_constructor(call: &Call) -> bool {
    match &call.callee {
        Callee::Path(path) => path.iter().rev().take(2).any(|part| part.starts_with(|c: char| c.is_uppercase())),
        _ => false,
    }
}

/// Whether an exception or cancellation may come out of a step.
fn may_raise(step: &StepKind) -> bool {
    match step {
        StepKind::Call(_) | StepKind::Suspend(..) | StepKind::Enter(_) | StepKind::Read(_) => true,
        StepKind::Exit(_) | StepKind::Bind(..) | StepKind::Write(..) | StepKind::Discard(_) | StepKind::Drop(..) => {
            false
        }
    }
}

fn add(into: &mut Option<State>, state: &State) {
    match into {
        Some(known) => join(known, state),
        None => *into = Some(state.clone()),
    }
}

/// Adds what another path holds; what only one holds is no longer certain.
fn join(into: &mut State, other: &State) {
    for entry in into.iter_mut() {
        let same = other.iter().find(|known| known.acquisition == entry.acquisition && known.by == entry.by);
        entry.is_certain &= same.is_some_and(|same| same.is_certain);
    }
    for entry in other {
        if !into.iter().any(|known| known.acquisition == entry.acquisition && known.by == entry.by) {
            into.push(Entry { is_certain: false, ..entry.clone() });
        }
    }
}

/// Joins a state into a block's; whether that changed anything.
fn merge(into: &mut Option<State>, state: &State) -> bool {
    match into {
        None => {
            *into = Some(state.clone());
            true
        }
        Some(known) => {
            let former = known.clone();
            join(known, state);
            known.sort_by_key(|entry| (entry.acquisition, entry.by));
            *known != former
        }
    }
}
