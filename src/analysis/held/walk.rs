//! The walk along the control flow.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::state::{Entry, MOST_HELD, State, add, merge};
use super::{Event, Exit, Facts, Held, HeldBy, Touched, Waits, What};
use super::{either, taking, turns};
use crate::analysis::locks::Lock;
use crate::analysis::{FunctionId, Program};
use crate::catalogue::Flavour;
use crate::flow::{Block, BlockIndex, Function, Next, Owner, Step, StepKind, Suspension, ValueIndex, VariableIndex};
use crate::text::{Language, Span};

pub(super) struct Acquisition {
    pub(super) lock: Arc<Lock>,
    pub(super) span: Span,
    pub(super) waits: Waits,
}

pub(super) struct Walk<'p, 'a> {
    pub(super) program: &'p Program<'a>,
    pub(super) id: FunctionId,
    pub(super) language: Language,
    pub(super) acquisitions: Vec<Acquisition>,
    by_step: FxHashMap<(BlockIndex, u32, u32), usize>,
    pub(super) events: Option<Vec<Event>>,
    touched: Vec<Touched>,
    /// What is held wherever it yields; `None` before it does.
    yielded: Option<Vec<Arc<Lock>>>,
    returned: Vec<Arc<Lock>>,
    kept: Vec<Arc<Lock>>,
    exits: Vec<Exit>,
    is_full: bool,
}

impl<'p, 'a> Walk<'p, 'a> {
    pub(super) fn new(program: &'p Program<'a>, id: FunctionId) -> Self {
        Self {
            program,
            id,
            language: program.language(id.module),
            acquisitions: Vec::new(),
            by_step: FxHashMap::default(),
            events: None,
            touched: Vec::new(),
            yielded: None,
            returned: Vec::new(),
            kept: Vec::new(),
            exits: Vec::new(),
            is_full: false,
        }
    }

    pub(super) fn run(mut self) -> Facts {
        let function = self.program.function(self.id);
        if function.blocks.is_empty() {
            return Facts::default();
        }
        let given = self.guards_given();
        let around = self.taken_around(given.clone());
        let before = self.settled(&function, &around);
        self.events = Some(Vec::new());
        for entry in given.len()..around.len() {
            let Acquisition { lock, span, .. } = &self.acquisitions[around[entry].acquisition];
            let (lock, span) = (lock.clone(), *span);
            self.record(BlockIndex(0), 0, span, What::Acquire(lock, Waits::Yes), &around[..entry]);
        }
        for (at, state) in before.into_iter().enumerate() {
            let Some(mut state) = state else { continue };
            let at = BlockIndex(at as u32);
            let block = &function.blocks[at.at()];
            self.begin_turn(at, &state);
            for (number, step) in block.steps.iter().enumerate() {
                self.step(at, number as u32, step, &mut state);
            }
            self.go_out(at, block, &state);
        }
        let events = self.events.unwrap_or_default();
        let kept_in_a_form = if self.kept.is_empty() { either::either(&function, &events, &self.exits) } else { None };
        Facts {
            events,
            touched: self.touched,
            returned: self.returned,
            yielded: self.yielded.unwrap_or_default(),
            kept: self.kept,
            kept_in_a_form,
            exits: self.exits,
            is_full: self.is_full,
        }
    }

    /// What is held at the start of each block, where control comes to it.
    fn settled(&mut self, function: &Function, around: &[Entry]) -> Vec<Option<State>> {
        let blocks = function.blocks.len();
        let mut before: Vec<Option<State>> = vec![None; blocks];
        before[0] = Some(around.to_vec());
        let mut work = BTreeSet::from([0usize]);
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
                let former = raised.is_some().then(|| without_what_is_entered(block, number, &state));
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
                let state = answered.as_ref().unwrap_or(&state);
                let in_turn = turns::in_turn(function, *target, state);
                if merge(&mut before[target.at()], in_turn.as_ref().unwrap_or(state)) {
                    work.insert(target.at());
                }
            }
            if let Some((handler, Some(raised))) = raised
                && merge(
                    &mut before[handler.at()],
                    turns::in_turn(function, handler, &raised).as_ref().unwrap_or(&raised),
                )
            {
                work.insert(handler.at());
            }
        }
        before
    }

    /// Takes down what is held where control leaves the function at the end of a block, and what goes out with it.
    fn go_out(&mut self, at: BlockIndex, block: &Block, state: &[Entry]) {
        self.is_full |= state.len() == MOST_HELD;
        let is_raise = matches!(block.next, Next::Raise(_)) && block.on_raise.is_none();
        if !state.is_empty() && (is_raise || matches!(block.next, Next::Return(_))) {
            let held = self.held(state);
            self.exits.push(Exit { block: at, is_raise, held });
        }
        let Next::Return(value) = block.next else { return };
        let is_kept = |entry: &&Entry| entry.by == HeldBy::Manual && entry.is_certain && entry.asked.is_none();
        for entry in state.iter().filter(is_kept) {
            let lock = &self.acquisitions[entry.acquisition].lock;
            if !self.kept.contains(lock) {
                self.kept.push(lock.clone());
            }
        }
        let Some(value) = value else { return };
        let carriers = self.carriers(value);
        let goes_along = |entry: &&Entry| matches!(entry.by, HeldBy::Guard(owner) if carriers.contains(&owner));
        for entry in state.iter().filter(goes_along) {
            let lock = &self.acquisitions[entry.acquisition].lock;
            if !self.returned.contains(lock) {
                self.returned.push(lock.clone());
            }
        }
    }

    fn step(&mut self, block: BlockIndex, number: u32, step: &Step, state: &mut State) {
        match &step.kind {
            StepKind::Call(value) => {
                let during = self.held_during(*value, state);
                self.record(block, number, step.span, What::Call(*value), during.as_ref().unwrap_or(state));
                self.call(block, number, *value, step.span, state);
            }
            StepKind::Suspend(how, of) => self.suspend(block, number, *how, *of, step.span, state),
            StepKind::Enter(managed) => self.enter(block, number, *managed, step.span, state),
            StepKind::Exit(managed) => {
                self.leave(block, number, *managed, step.span, state);
                state.retain(|entry| entry.by != HeldBy::Block(*managed));
            }
            StepKind::Bind(variable, value) => {
                if self.language == Language::Rust {
                    self.bind(block, number, *variable, *value, step.span, state);
                } else {
                    self.take_turn((block, number), *value, step.span, state);
                }
            }
            StepKind::Drop(owners, ending) => {
                for owner in owners {
                    self.run_destructors(block, number, *owner, *ending, step.span, state);
                    if !state.is_empty() {
                        let ended = self.ended_with(*owner);
                        state.retain(|entry| !matches!(entry.by, HeldBy::Guard(owner) if ended.contains(&owner)));
                    }
                }
            }
            StepKind::Read(place) => {
                self.touch(block, number, state);
                self.read(block, number, place, step.span, state);
            }
            StepKind::Write(..) | StepKind::Store(..) => self.touch(block, number, state),
            StepKind::Discard(_) => {}
        }
    }

    fn bind(
        &mut self,
        block: BlockIndex,
        number: u32,
        variable: VariableIndex,
        value: ValueIndex,
        span: Span,
        state: &mut State,
    ) {
        let by = HeldBy::Guard(Owner::Variable(variable));
        if !state.is_empty() {
            let carriers = self.carriers(value);
            for entry in state.iter_mut() {
                if matches!(entry.by, HeldBy::Guard(owner) if carriers.contains(&owner)) {
                    entry.by = by;
                }
            }
        }
        if let Some(lock) = self.program.marked_made(self.id, value) {
            self.take(block, number, 0, Arc::new(lock), span, by, Waits::Yes, state);
        }
    }

    /// Notes what is held at a `yield`, as far as it is at every other.
    fn yield_holding(&mut self, state: &State) {
        let lock = |entry: &Entry| self.acquisitions[entry.acquisition].lock.clone();
        let mut held: Vec<Arc<Lock>> = state.iter().filter(|entry| entry.is_certain).map(lock).collect();
        held.dedup();
        match &mut self.yielded {
            Some(always) => always.retain(|lock| held.contains(lock)),
            None => self.yielded = Some(held),
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
        let during = of.and_then(|of| self.held_during(of, state));
        self.record(block, number, span, What::Suspend(how, of), during.as_ref().unwrap_or(state));
        if how == Suspension::Yield && self.events.is_some() {
            self.yield_holding(state);
        }
        let Some(of) = of.filter(|_| how == Suspension::Await) else { return };
        if self.language == Language::Python {
            self.enter_on_stack((block, number), of, true, span, state);
            return;
        }
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

    fn call(&mut self, block: BlockIndex, number: u32, value: ValueIndex, span: Span, state: &mut State) {
        let function = self.program.function(self.id);
        let Some(call) = function.call(value) else { return };
        let resolution = self.program.resolution(self.id, value);
        if let Some((lock, waits)) = self.lock_call(call, &resolution) {
            let is_awaited_later = lock.flavour == Flavour::Async && taking::waits_by_awaiting(&resolution, self);
            if !is_awaited_later {
                self.record(block, number, span, What::Acquire(lock.clone(), waits), state);
                if taking::is_during(&resolution, self) {
                    self.run_under(block, number, value, lock, span, state);
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
        if self.release(value, state) {
            return;
        }
        match self.language {
            Language::Python => {
                self.apply(block, number, call, &resolution, span, state);
                self.enter_on_stack((block, number), value, false, span, state);
                self.leave_stack(call, &resolution, state);
            }
            Language::Rust => self.move_guards(block, number, value, call, &resolution, span, state),
        }
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn take(
        &mut self,
        block: BlockIndex,
        step: u32,
        ordinal: u32,
        lock: Arc<Lock>,
        span: Span,
        by: HeldBy,
        waits: Waits,
        state: &mut State,
    ) {
        let acquisition = self.acquisition_at((block, step, ordinal), Acquisition { lock, span, waits });
        // A lock that is only tried may not be held; what its guard's pattern finds is, but that costs nothing.
        let is_certain = waits == Waits::Yes || matches!(by, HeldBy::Guard(_));
        let entry_now = Entry { acquisition, by, is_certain, asked: None };
        match state.iter().position(|entry| entry.acquisition == acquisition) {
            Some(at) => state[at] = entry_now,
            None if state.len() < MOST_HELD => state.push(entry_now),
            None => {}
        }
    }

    /// The number of an acquisition, the same whenever the walk comes by.
    pub(super) fn acquisition_at(&mut self, at: (BlockIndex, u32, u32), acquisition: Acquisition) -> usize {
        let next = self.acquisitions.len();
        let number = *self.by_step.entry(at).or_insert(next);
        if number == next {
            self.acquisitions.push(acquisition);
        }
        number
    }

    pub(super) fn record(&mut self, block: BlockIndex, step: u32, span: Span, what: What, state: &[Entry]) {
        let Some(held) = self.events.is_some().then(|| self.held(state)) else { return };
        if let Some(events) = &mut self.events {
            events.push(Event { block, step, span, what, held });
        }
    }

    /// Remembers what is held where state is read or written, if anything is.
    fn touch(&mut self, block: BlockIndex, step: u32, state: &[Entry]) {
        if self.events.is_some() && !state.is_empty() {
            let held = self.held(state);
            self.touched.push(((block, step), held));
        }
    }

    fn held(&self, state: &[Entry]) -> Arc<[Held]> {
        let held = state.iter().filter(|entry| entry.asked.is_none()).map(|entry| {
            let acquisition = &self.acquisitions[entry.acquisition];
            Held { lock: acquisition.lock.clone(), taken: acquisition.span, is_certain: entry.is_certain, by: entry.by }
        });
        held.collect()
    }
}

/// What is held if a step fails: entering a block that suspends has taken nothing until it comes back.
fn without_what_is_entered(block: &Block, number: usize, state: &State) -> State {
    let mut state = state.clone();
    if let StepKind::Suspend(Suspension::Enter, _) = block.steps[number].kind
        && let Some(StepKind::Enter(managed)) = number.checked_sub(1).map(|before| &block.steps[before].kind)
    {
        state.retain(|entry| entry.by != HeldBy::Block(*managed));
    }
    state
}

/// Whether an exception or cancellation may come out of a step.
fn may_raise(step: &StepKind) -> bool {
    match step {
        StepKind::Call(_) | StepKind::Suspend(..) | StepKind::Enter(_) | StepKind::Read(_) => true,
        StepKind::Exit(_) | StepKind::Bind(..) | StepKind::Write(..) | StepKind::Store(..) => false,
        StepKind::Discard(_) | StepKind::Drop(..) => false,
    }
}
