//! What calling a function does to its caller's thread and locks.
//!
//! Summaries are made bottom-up on demand. Every effect keeps its way down, hop by hop; when several ways lead to one
//! effect the shortest is kept, then the first in source order.

use std::rc::Rc;

use super::calls::Resolution;
use super::held::{Event, Waits, What};
use super::locks::{Binding, Lock, LockPlace, LockRoot};
use super::names::Member;
use super::operators::Waiting;
use super::{FunctionId, Program};
use crate::catalogue::{self, Blocking, BlockingKind, LockKind, Manner, RiskKind, Runs, Stake, WaitsFor};
use crate::flow::place::MOST_FIELDS;
use crate::flow::{Call, Callee, Colour, FunctionKind, Suspension, ValueIndex, ValueKind};
use crate::text::{Language, Span};
use crate::verdict::{Hop, Location};

/// How many blocking calls and acquisitions a summary keeps.
const MOST_EFFECTS: usize = 12;

/// How many long waits a summary keeps.
const MOST_WAITS: usize = 2;

/// How many pairs of locks a summary keeps.
const MOST_PAIRS: usize = 24;

/// What calling a function does.
#[derive(Clone, Debug, Default)]
pub struct Summary<'a> {
    /// Calls that keep the thread waiting before the function returns.
    pub blocks: Vec<Blocks<'a>>,
    /// Locks taken, in terms of the function's own parameters.
    pub takes: Vec<Takes>,
    /// Locks taken while others are held, in terms of the function's own parameters.
    pub pairs: Vec<Pair>,
    /// Whether it may give way to other tasks, if it is asynchronous.
    pub may_suspend: bool,
    /// Awaits of it that last as long as somebody else likes.
    pub waits: Vec<Lasts>,
}

/// An await somewhere below that lasts as long as somebody else likes.
#[derive(Clone, Debug)]
pub struct Lasts {
    /// For whom it waits.
    pub waits_for: WaitsFor,
    /// The call in the user's own words.
    pub name: String,
    /// Where it stands.
    pub at: Location,
    /// The way to it, the function's own step first.
    pub hops: Vec<Hop>,
}

/// A blocking call somewhere below.
#[derive(Clone, Debug)]
pub struct Blocks<'a> {
    /// The catalogue's entry.
    pub entry: &'a Blocking,
    /// The call in the user's own words: `requests.get`.
    pub name: String,
    /// Where it stands.
    pub at: Location,
    /// Whether a loop on the way, or around it, repeats it.
    pub is_repeated: bool,
    /// Whether something on the way runs what is below it once and never again, however often it is come to.
    pub is_once: bool,
    /// The way to it, the function's own call first.
    pub hops: Vec<Hop>,
}

impl Summary<'_> {
    /// Whether another round found the same, by whatever way.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let blocks = |summary: &Self| summary.blocks.iter().map(|blocks| blocks.at.clone()).collect::<Vec<_>>();
        let lock = |lock: &Lock| (lock.place.clone(), lock.mode);
        let takes = |summary: &Self| summary.takes.iter().map(|takes| lock(&takes.lock)).collect::<Vec<_>>();
        let pairs =
            |summary: &Self| summary.pairs.iter().map(|pair| (lock(&pair.held), lock(&pair.taken))).collect::<Vec<_>>();
        let waits = |summary: &Self| summary.waits.iter().map(|lasts| lasts.at.clone()).collect::<Vec<_>>();
        self.may_suspend == other.may_suspend
            && waits(self) == waits(other)
            && blocks(self) == blocks(other)
            && takes(self) == takes(other)
            && pairs(self) == pairs(other)
    }
}

impl Blocks<'_> {
    /// Whether it drives an event loop rather than wait for something.
    pub fn is_loop_entry(&self) -> bool {
        self.entry.kind == BlockingKind::LoopEntry
    }
}

/// A lock taken somewhere below.
#[derive(Clone, Debug)]
pub struct Takes {
    /// The lock, in terms of the summarised function.
    pub lock: Rc<Lock>,
    /// Whether it waits for it.
    pub waits: Waits,
    /// Where it is taken.
    pub at: Location,
    /// The way to it, the function's own call first.
    pub hops: Vec<Hop>,
}

/// A lock that is waited for while another is held.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The lock that is held, in terms of the summarised function.
    pub held: Rc<Lock>,
    /// Where it was taken.
    pub held_at: Location,
    /// The lock that is waited for.
    pub taken: Rc<Lock>,
    /// Where it is taken.
    pub at: Location,
    /// The way, where the held lock is taken first.
    pub hops: Vec<Hop>,
    /// Every lock that is held meanwhile, this one included.
    pub under: Vec<Rc<Lock>>,
}

impl<'a> Program<'a> {
    /// One round through a function, with what is known of its callees.
    pub(super) fn summarise(&self, id: FunctionId) -> Summary<'a> {
        let mut summary = Summary::default();
        for event in &self.facts(id).events {
            match &event.what {
                What::Call(value) => {
                    let resolution = self.resolution(id, *value);
                    // What takes a moment is nobody's finding, and would crowd out what is.
                    let entry = self.blocking_call(id, *value, &resolution);
                    let is_asked = |entry: &Blocking| entry.kind == BlockingKind::LoopEntry && self.asks_for_a_loop(id);
                    let is_own = |entry: &Blocking| {
                        entry.kind == BlockingKind::LockWait && self.takes_lock_of_its_own(id, *value)
                    };
                    let is_long = |entry: &&Blocking| entry.stake != Stake::Micro && !is_asked(entry) && !is_own(entry);
                    if let Some(entry) = entry.filter(is_long) {
                        let name = self.callee_text(id, *value);
                        let hops = vec![self.hop(id, event.span, format!("calls `{name}`"))];
                        let at = self.location(id, event.span);
                        let is_repeated = self.is_in_loop(id, event);
                        add_blocking(&mut summary, Blocks { entry, name, at, is_repeated, is_once: false, hops });
                    }
                    self.add_callees(id, event, &mut summary);
                    self.add_given(id, event, *value, &mut summary);
                }
                What::Runs(_) => self.add_callees(id, event, &mut summary),
                What::Suspend(how, of) => {
                    summary.may_suspend |= self.may_suspend(id, *how, *of);
                    let lasting = of.filter(|_| *how != Suspension::Exit).into_iter();
                    summary.waits.extend(lasting.filter_map(|of| self.lasts(id, event, of)));
                    summary.waits.truncate(MOST_WAITS);
                    self.add_callees(id, event, &mut summary);
                }
                What::Acquire(lock, waits) => {
                    let at = self.location(id, event.span);
                    let hops = vec![self.hop(id, event.span, format!("takes `{}`", lock.name))];
                    if *waits == Waits::Yes {
                        self.add_pairs(id, event, lock, &at, &hops, &mut summary);
                    }
                    add_taking(&mut summary, Takes { lock: lock.clone(), waits: *waits, at, hops });
                }
            }
        }
        for waiting in self.waiting_operators(id) {
            if waiting.entry.stake != Stake::Micro {
                let hops = vec![self.hop(id, waiting.span, format!("comes to `{}`", waiting.name))];
                let at = self.location(id, waiting.span);
                let Waiting { entry, name, is_repeated, .. } = waiting;
                add_blocking(&mut summary, Blocks { entry, name, at, is_repeated, is_once: false, hops });
            }
        }
        summary
    }

    /// What an await waits for, if the catalogue says that it lasts as long as somebody else likes.
    pub fn lasts(&self, id: FunctionId, event: &Event, of: ValueIndex) -> Option<Lasts> {
        let resolution = self.resolution(id, of);
        let waits_for = self.tables(self.language(id.module)).waits(resolution.external()?)?;
        let name = self.callee_text(id, of);
        let hops = vec![self.hop(id, event.span, format!("awaits `{name}`"))];
        Some(Lasts { waits_for, name, at: self.location(id, event.span), hops })
    }

    /// Whether an await ends after a stated time, whatever is awaited.
    pub fn ends_in_time(&self, id: FunctionId, event: &Event) -> bool {
        let What::Suspend(_, Some(of)) = event.what else { return false };
        let tables = self.tables(self.language(id.module));
        let function = self.function(id);
        let ends = |value: ValueIndex| {
            function.call(value).is_some()
                && self
                    .resolution(id, value)
                    .external()
                    .and_then(|name| tables.risk(name))
                    .is_some_and(|risk| risk.kind == RiskKind::Timeout)
        };
        ends(of) || function.managed.iter().any(|managed| ends(managed.value))
    }

    fn add_callees(&self, id: FunctionId, event: &Event, summary: &mut Summary<'a>) {
        for runs in self.in_place(id, event) {
            // Every candidate must do it: an effect of one alone is no effect of the call.
            let summaries: Vec<_> = runs.candidates.iter().map(|callee| (*callee, self.summary(*callee))).collect();
            let Some(((callee, first), others)) = summaries.split_first() else { continue };
            let hop = self.hop(id, event.span, runs.what.clone());
            if !runs.is_awaited {
                for blocks in &first.blocks {
                    let alike = |other: &Blocks| other.is_loop_entry() == blocks.is_loop_entry();
                    if others.iter().all(|(_, other)| other.blocks.iter().any(alike)) {
                        let hops = std::iter::once(hop.clone()).chain(blocks.hops.iter().cloned()).collect();
                        let is_once = blocks.is_once || runs.is_once;
                        let is_repeated = blocks.is_repeated || !is_once && self.is_in_loop(id, event);
                        add_blocking(summary, Blocks { hops, is_repeated, is_once, ..blocks.clone() });
                    }
                }
            }
            if runs.is_awaited
                && !self.ends_in_time(id, event)
                && others.iter().all(|(_, other)| !other.waits.is_empty())
            {
                for lasts in first.waits.iter().take(MOST_WAITS.saturating_sub(summary.waits.len())) {
                    let hops = std::iter::once(hop.clone()).chain(lasts.hops.iter().cloned()).collect();
                    summary.waits.push(Lasts { hops, ..lasts.clone() });
                }
            }
            for takes in &first.takes {
                let lock = cut(self.bound(id, &runs.binding, *callee, &takes.lock));
                let is_everywhere = others.iter().all(|(other, summary)| {
                    let theirs = |takes: &Takes| cut(self.bound(id, &runs.binding, *other, &takes.lock));
                    summary.takes.iter().any(|takes| theirs(takes).place == lock.place)
                });
                if is_everywhere {
                    let hops: Vec<Hop> = std::iter::once(hop.clone()).chain(takes.hops.iter().cloned()).collect();
                    if takes.waits == Waits::Yes {
                        self.add_pairs(id, event, &lock, &takes.at, &hops, summary);
                    }
                    add_taking(summary, Takes { lock, hops, ..takes.clone() });
                }
            }
            // Which locks a callee takes that is given them, only its caller knows.
            for pair in first.pairs.iter().filter(|pair| others.is_empty() && pair.is_open()) {
                let bound = |lock: &Rc<Lock>| cut(self.bound(id, &runs.binding, *callee, lock));
                let hops = std::iter::once(hop.clone()).chain(pair.hops.iter().cloned()).collect();
                let mut under: Vec<Rc<Lock>> = pair.under.iter().map(bound).collect();
                under.extend(event.held.iter().map(|held| held.lock.clone()));
                let pair = Pair { held: bound(&pair.held), taken: bound(&pair.taken), hops, under, ..pair.clone() };
                add_pair(summary, pair);
            }
        }
    }

    /// The locks that a function takes which is given to somebody who calls it under another.
    fn add_given(&self, id: FunctionId, event: &Event, call: ValueIndex, summary: &mut Summary) {
        for under in self.given_under(id, call) {
            for takes in self.summary(under.given).takes.iter().filter(|takes| takes.waits == Waits::Yes) {
                let taken = cut(self.bound(id, &under.binding, under.given, &takes.lock));
                if taken.place.is_same(&under.held.place) {
                    continue;
                }
                let given = self.hop(id, event.span, format!("gives a function to `{}`", self.callee_text(id, call)));
                let first = Hop {
                    function: self.function(under.by).qualified.clone(),
                    at: under.taken.clone(),
                    what: format!("takes `{}`", under.held.name),
                };
                let mut locks: Vec<Rc<Lock>> = event.held.iter().map(|held| held.lock.clone()).collect();
                locks.push(under.held.clone());
                let pair = Pair {
                    held: under.held.clone(),
                    held_at: under.taken.clone(),
                    taken,
                    at: takes.at.clone(),
                    hops: [first, given].into_iter().chain(takes.hops.iter().cloned()).collect(),
                    under: locks,
                };
                add_pair(summary, pair);
            }
        }
    }

    /// Every lock that is held for certain when another is taken.
    fn add_pairs(
        &self,
        id: FunctionId,
        event: &Event,
        lock: &Rc<Lock>,
        at: &Location,
        hops: &[Hop],
        summary: &mut Summary,
    ) {
        // Whoever holds it already does not wait for it, or waits for itself.
        if event.held.iter().any(|held| held.lock.place.is_same(&lock.place)) {
            return;
        }
        for held in event.held.iter().filter(|held| held.is_certain) {
            let first = self.hop(id, held.taken, format!("takes `{}`", held.lock.name));
            let pair = Pair {
                held: held.lock.clone(),
                held_at: self.location(id, held.taken),
                taken: lock.clone(),
                at: at.clone(),
                hops: std::iter::once(first).chain(hops.iter().cloned()).collect(),
                under: event.held.iter().map(|held| held.lock.clone()).collect(),
            };
            add_pair(summary, pair);
        }
    }

    /// Whether an event stands in a loop.
    pub fn is_in_loop(&self, id: FunctionId, event: &Event) -> bool {
        self.function(id).blocks[event.block.at()].in_loop.is_some()
    }

    /// The project functions that run before what happens at an event is over.
    pub fn in_place(&self, id: FunctionId, event: &Event) -> Vec<InPlace> {
        match &event.what {
            What::Call(value) => self.runs_at(id, *value, false),
            // What an asynchronous callee does, it does where it is awaited.
            What::Suspend(Suspension::Await, Some(value)) if self.function(id).call(*value).is_some() => {
                let mut found = self.runs_at(id, *value, true);
                for argument in self.awaited_arguments(id, *value) {
                    found.extend(self.runs_at(id, argument, true));
                }
                found
            }
            What::Runs(implicit) => vec![InPlace {
                candidates: vec![implicit.callee],
                is_awaited: self.function(implicit.callee).is_async(),
                is_once: event.held.iter().any(|held| is_initialiser(&held.lock)),
                what: implicit.what.clone(),
                binding: Binding::Receiver(implicit.receiver.clone()),
            }],
            What::Suspend(..) | What::Acquire(..) => Vec::new(),
        }
    }

    /// The calls whose results a call takes care of, as `gather(one(), two())` does.
    fn awaited_arguments(&self, id: FunctionId, value: ValueIndex) -> Vec<ValueIndex> {
        let function = self.function(id);
        let Some(call) = function.call(value) else { return Vec::new() };
        let resolution = self.resolution(id, value);
        let tables = self.tables(self.language(id.module));
        let consumer = resolution.external().and_then(|name| tables.consumes_awaitables(name));
        let meant = consumer.map(|argument| self.arguments_meant(call, argument)).unwrap_or_default();
        meant.into_iter().filter(|argument| function.call(*argument).is_some()).collect()
    }

    /// Whether a call's result is awaited, as it stands or by what it is handed to.
    fn is_awaited_somehow(&self, id: FunctionId, value: ValueIndex) -> bool {
        let function = self.function(id);
        self.is_awaited(id, value)
            || function.values.iter().enumerate().any(|(at, other)| {
                let consumer = ValueIndex(at as u32);
                matches!(&other.kind, ValueKind::Call(call)
                    if call.arguments.iter().any(|argument| argument.value == value))
                    && self.is_awaited(id, consumer)
                    && self.awaited_arguments(id, consumer).contains(&value)
            })
    }

    fn runs_at(&self, id: FunctionId, value: ValueIndex, awaited: bool) -> Vec<InPlace> {
        let mut found = self.runs_in_place(id, value, &self.resolution(id, value));
        found.retain(|in_place| in_place.is_awaited == awaited);
        found
    }

    /// The project functions that run before a call, or the await of its result, is over.
    pub fn runs_in_place(&self, id: FunctionId, value: ValueIndex, resolution: &Resolution) -> Vec<InPlace> {
        let mut found = Vec::new();
        let functions = resolution.functions();
        let text = || self.callee_text(id, value);
        if let Some(first) = functions.first() {
            let is_awaited = self.function(*first).colour == Colour::Async;
            let runs = match self.function(*first).colour {
                Colour::Plain => true,
                Colour::Async => self.is_awaited_somehow(id, value) && self.drives_a_loop(*first).is_none(),
                Colour::Generator => self.is_driven_here(id, value),
                Colour::AsyncGenerator => false,
            };
            if runs && !functions.iter().any(|callee| self.is_wrapped_elsewhere(*callee)) {
                if let [callee] = functions[..] {
                    self.add_callbacks(id, value, callee, &mut found);
                }
                let what = format!("calls `{}`", text());
                let is_kept = functions.iter().all(|callee| self.computes_once(*callee));
                let is_once = is_kept || self.is_made_on_first_use(id, value);
                let binding = Binding::Call(value);
                found.insert(0, InPlace { candidates: functions, is_awaited, is_once, what, binding });
            }
        }
        let function = self.function(id);
        let Some(call) = function.call(value) else { return found };
        let handed_over = self.offload(id, resolution);
        if let Some(offload) = handed_over.filter(|offload| offload.runs == Runs::Same) {
            for argument in self.arguments_meant(call, &offload.callable) {
                self.add_closure(id, argument, &text(), &mut found);
            }
        } else if handed_over.is_none()
            && self.spawn(id, resolution).is_none()
            && self.language(id.module) == Language::Rust
            && resolution.external().is_some()
        {
            // A closure that is handed to no spawner runs where it stands: `iter().map(|x| …)`, `unwrap_or_else`.
            for argument in &call.arguments {
                self.add_closure(id, argument.value, &text(), &mut found);
            }
        }
        if self.initialises(id, call, resolution) {
            found.iter_mut().for_each(|in_place| in_place.is_once = true);
        }
        found
    }

    /// Whether a call runs what it is given once in the life of the program: `READY.call_once(…)` of a static.
    fn initialises(&self, id: FunctionId, call: &Call, resolution: &Resolution) -> bool {
        let language = self.language(id.module);
        let Callee::Method(receiver, _) = call.callee else { return false };
        let Some((of, method)) = resolution.external().and_then(|name| name.rsplit_once(language.separator())) else {
            return false;
        };
        let is_during = |lock: &catalogue::Lock| {
            lock.kind == LockKind::Once && lock.acquisition(method).is_some_and(|how| how.manner == Manner::During)
        };
        self.tables(language).lock(of).is_some_and(is_during)
            && matches!(self.lock_place(id, receiver).root, LockRoot::Static(_))
    }

    /// Whether a function keeps its only result, and calling it once more gives that: `@cache` without parameters.
    fn computes_once(&self, id: FunctionId) -> bool {
        let function = self.function(id);
        let tables = self.tables(self.language(id.module));
        function.parameters.is_empty()
            && function.decorators.iter().any(|decorator| {
                self.decorator_name(id, &decorator.path).is_some_and(|name| tables.keeps_results(&name))
            })
    }

    /// Plain functions that a callee is given and calls itself: `retry(load)`.
    fn add_callbacks(&self, id: FunctionId, value: ValueIndex, callee: FunctionId, found: &mut Vec<InPlace>) {
        if self.language(id.module) == Language::Rust {
            return;
        }
        for parameter in self.called_parameters(callee) {
            let Some(argument) = self.argument_for(id, value, callee, parameter) else { continue };
            let is_plain = |given: &FunctionId| {
                let given = self.function(*given);
                given.colour == Colour::Plain && given.kind != FunctionKind::Closure
            };
            let candidates: Vec<FunctionId> = self.functions_meant(id, argument).into_iter().filter(is_plain).collect();
            if !candidates.is_empty() {
                let (given, to) = (self.value_text(id, argument), self.callee_text(id, value));
                let what = format!("hands `{given}` to `{to}`, which calls it");
                let binding = Binding::Receiver(LockPlace::unknown());
                found.push(InPlace { candidates, is_awaited: false, is_once: false, what, binding });
            }
        }
    }

    /// The parameters that a function calls, by number.
    fn called_parameters(&self, id: FunctionId) -> Vec<u32> {
        let function = self.function(id);
        let mut found = Vec::new();
        for value in &function.values {
            let ValueKind::Call(call) = &value.kind else { continue };
            let Callee::Value(of) = call.callee else { continue };
            let ValueKind::Place(place) = &function.value(of).kind else { continue };
            let Some(variable) = place.as_variable() else { continue };
            let Some(at) = function.parameters.iter().position(|known| known.variable == variable) else { continue };
            // One that was given another value meanwhile is no longer what the caller handed over.
            if self.reaching(id, variable, value.block, value.step).values.is_empty() && !found.contains(&(at as u32)) {
                found.push(at as u32);
            }
        }
        found
    }

    fn add_closure(&self, id: FunctionId, argument: ValueIndex, callee: &str, found: &mut Vec<InPlace>) {
        let function = self.function(id);
        if let ValueKind::Function(index) = function.value(argument).kind {
            let closure = FunctionId { module: id.module, index };
            let body = self.function(closure);
            if body.kind == FunctionKind::Closure && body.colour == Colour::Plain {
                let what = format!("runs a closure in `{callee}`");
                let binding = Binding::Closure(argument);
                found.push(InPlace { candidates: vec![closure], is_awaited: false, is_once: false, what, binding });
            }
        }
    }

    /// Whether a generator that a call makes is driven by the very statement: a loop over it, a managed block.
    fn is_driven_here(&self, id: FunctionId, value: ValueIndex) -> bool {
        let function = self.function(id);
        function.loops.iter().any(|one| one.over == Some(value))
            || function.managed.iter().any(|managed| managed.value == value)
    }

    /// Whether a decorator hands the function to a thread, so that calling it only makes something to await.
    fn is_wrapped_elsewhere(&self, id: FunctionId) -> bool {
        let function = self.function(id);
        let tables = self.tables(self.language(id.module));
        function.decorators.iter().any(|decorator| {
            self.decorator_name(id, &decorator.path)
                .and_then(|name| tables.offload(&name))
                .is_some_and(|offload| offload.wraps && offload.runs != Runs::Same)
        })
    }

    /// The function that a managed block's entry runs: a context manager of the project, or its class's `__enter__`.
    pub fn entered_function(&self, id: FunctionId, value: ValueIndex, is_async: bool) -> Option<(FunctionId, Binding)> {
        let function = self.function(id);
        if let ValueKind::Call(_) = function.value(value).kind {
            let resolution = self.resolution(id, value);
            if let [super::calls::Target::Function(callee)] = resolution.targets[..]
                && matches!(self.function(callee).colour, Colour::Generator | Colour::AsyncGenerator)
            {
                return Some((callee, Binding::Call(value)));
            }
        }
        let definition = self.value_type(id, value).instance()?.definition?;
        let name = if is_async { "__aenter__" } else { "__enter__" };
        match self.method(definition, name).first() {
            Some(Member::Function(callee)) => Some((*callee, Binding::Receiver(self.lock_place(id, value)))),
            _ => None,
        }
    }

    /// Whether the task may really give way at a suspension: an awaited project function that never suspends does not.
    pub fn may_suspend(&self, id: FunctionId, how: Suspension, of: Option<ValueIndex>) -> bool {
        let (Suspension::Await, Some(of)) = (how, of) else { return true };
        let function = self.function(id);
        match &function.value(of).kind {
            ValueKind::Call(_) => {
                let resolution = self.resolution(id, of);
                let functions = resolution.functions();
                functions.is_empty()
                    || functions.iter().any(|callee| {
                        let body = self.function(*callee);
                        // A trait method without a body: it may.
                        body.is_bodiless || body.colour != Colour::Async || self.summary(*callee).may_suspend
                    })
            }
            ValueKind::Function(index) => {
                let block = FunctionId { module: id.module, index: *index };
                self.summary(block).may_suspend
            }
            _ => true,
        }
    }

    /// A place in a function's file.
    pub fn location(&self, id: FunctionId, span: Span) -> Location {
        Location { path: self.module(id.module).path.clone(), span }
    }

    /// A hop of a trace.
    pub fn hop(&self, id: FunctionId, span: Span, what: String) -> Hop {
        Hop { function: self.function(id).qualified.clone(), at: self.location(id, span), what }
    }
}

/// Project functions that run before a call is over; all of them are candidates for the one that does.
#[derive(Clone, Debug)]
pub struct InPlace {
    /// The candidates.
    pub candidates: Vec<FunctionId>,
    /// Whether they run in an await of the call's result rather than in the call.
    pub is_awaited: bool,
    /// Whether they run once and never again, however often it is come to.
    pub is_once: bool,
    /// What happens: "calls `load_flags`".
    pub what: String,
    /// How its parameters are bound.
    pub binding: Binding,
}

/// Whether a lock is held while what it is for runs, once in the life of the program.
fn is_initialiser(lock: &Lock) -> bool {
    lock.kind == LockKind::Once && matches!(lock.place.root, LockRoot::Static(_))
}

fn add_blocking<'a>(summary: &mut Summary<'a>, blocks: Blocks<'a>) {
    if let Some(known) = summary.blocks.iter_mut().find(|known| known.at == blocks.at) {
        // What may happen often says more than what happens once, by however short a way.
        if (blocks.is_once, blocks.hops.len()) < (known.is_once, known.hops.len()) {
            *known = blocks;
        }
    } else if summary.blocks.len() < MOST_EFFECTS {
        summary.blocks.push(blocks);
    }
}

fn add_taking(summary: &mut Summary, takes: Takes) {
    let same = |known: &Takes| known.lock.place == takes.lock.place && known.lock.mode == takes.lock.mode;
    if let Some(known) = summary.takes.iter_mut().find(|known| same(known)) {
        if takes.hops.len() < known.hops.len() {
            *known = takes;
        }
    } else if summary.takes.len() < MOST_EFFECTS {
        summary.takes.push(takes);
    }
}

impl Pair {
    /// Whether one of the two is known to the caller only.
    fn is_open(&self) -> bool {
        self.held.place.class.is_none() || self.taken.place.class.is_none()
    }
}

fn add_pair(summary: &mut Summary, pair: Pair) {
    let same = |known: &Pair| {
        known.held.place == pair.held.place
            && known.taken.place == pair.taken.place
            && (known.held.mode, known.taken.mode) == (pair.held.mode, pair.taken.mode)
    };
    if let Some(known) = summary.pairs.iter_mut().find(|known| same(known)) {
        // The way with fewer locks around it is the one that others can meet.
        if (pair.under.len(), pair.hops.len()) < (known.under.len(), known.hops.len()) {
            *known = pair;
        }
    } else if summary.pairs.len() < MOST_PAIRS {
        summary.pairs.push(pair);
    }
}

/// A lock that lies deeper than places go: recursion down a list would find another one at every turn.
fn cut(lock: Rc<Lock>) -> Rc<Lock> {
    if lock.place.fields.len() <= MOST_FIELDS {
        return lock;
    }
    Rc::new(Lock { place: LockPlace { class: lock.place.class.clone(), ..LockPlace::unknown() }, ..(*lock).clone() })
}
