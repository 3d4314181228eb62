//! What calling a function does to its caller's thread and locks.
//!
//! Summaries are made bottom-up on demand. Every effect keeps its way down, hop by hop; when several ways lead to one
//! effect the shortest is kept, then the first in source order.

use std::cell::{LazyCell, OnceCell};
use std::sync::Arc;

use super::held::{Event, Waits, What};
use super::locks::{Lock, LockPlace};
use super::operators::Waiting;
use super::{FunctionId, Program};
use crate::catalogue::{Blocking, BlockingKind, RiskKind, Stake, WaitsFor};
use crate::flow::place::MOST_FIELDS;
use crate::flow::{Colour, Suspension, ValueIndex, ValueKind};
use crate::text::Span;
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
        let takes = |summary: &Self| {
            summary.takes.iter().map(|takes| (lock(&takes.lock), takes.unless.clone())).collect::<Vec<_>>()
        };
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
    pub lock: Arc<Lock>,
    /// Whether it waits for it.
    pub waits: Waits,
    /// Where it is taken.
    pub at: Location,
    /// The field that names who has it, where it is taken only for others, or for that one only.
    pub unless: Option<String>,
    /// The way to it, the function's own call first.
    pub hops: Vec<Hop>,
}

/// A lock that is waited for while another is held.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The lock that is held, in terms of the summarised function.
    pub held: Arc<Lock>,
    /// Where it was taken.
    pub held_at: Location,
    /// The lock that is waited for.
    pub taken: Arc<Lock>,
    /// Where it is taken.
    pub at: Location,
    /// The way, where the held lock is taken first.
    pub hops: Vec<Hop>,
    /// Every lock that is held meanwhile, this one included.
    pub under: Vec<Arc<Lock>>,
}

impl Pair {
    /// Whether one of the two is known to the caller only.
    fn is_open(&self) -> bool {
        self.held.place.class.is_none() || self.taken.place.class.is_none()
    }
}

impl<'a> Program<'a> {
    /// One round through a function, with what is known of its callees.
    pub(super) fn summarise(&self, id: FunctionId) -> Summary<'a> {
        let mut summary = Summary::default();
        let asked = OnceCell::new();
        let named = |event: &Event| -> Option<String> {
            let mut asked = asked.get_or_init(|| self.asks_who(id)).iter();
            asked.find(|asked| asked.blocks.contains(&event.block)).map(|asked| asked.field.clone())
        };
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
                    self.add_callees(id, event, &named, &mut summary);
                    self.add_given(id, event, *value, &mut summary);
                }
                What::Runs(_) => self.add_callees(id, event, &named, &mut summary),
                What::Suspend(how, of) => {
                    summary.may_suspend |= self.may_suspend(id, *how, *of);
                    let lasting = of.filter(|_| *how != Suspension::Exit).into_iter();
                    summary.waits.extend(lasting.filter_map(|of| self.lasts(id, event, of)));
                    summary.waits.truncate(MOST_WAITS);
                    self.add_callees(id, event, &named, &mut summary);
                }
                What::Acquire(lock, waits) => {
                    let at = self.location(id, event.span);
                    let hops = vec![self.hop(id, event.span, format!("takes `{}`", lock.name))];
                    if *waits == Waits::Yes {
                        self.add_pairs(id, event, lock, &at, || hops.iter(), &mut summary);
                    }
                    add_taking(
                        &mut summary,
                        Takes { lock: lock.clone(), waits: *waits, at, unless: named(event), hops },
                    );
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

    fn add_callees(
        &self,
        id: FunctionId,
        event: &Event,
        named: &impl Fn(&Event) -> Option<String>,
        summary: &mut Summary<'a>,
    ) {
        for runs in self.in_place(id, event) {
            // Every candidate must do it: an effect of one alone is no effect of the call.
            let summaries: Vec<_> = runs
                .candidates
                .iter()
                .map(|callee| (*callee, self.summary_of_call(id, &runs.binding, *callee)))
                .collect();
            let Some(((callee, first), others)) = summaries.split_first() else { continue };
            let hop = LazyCell::new(|| self.hop(id, event.span, runs.what(self, id)));
            if !runs.is_awaited {
                for blocks in &first.blocks {
                    let alike = |other: &Blocks| other.is_loop_entry() == blocks.is_loop_entry();
                    let is_once = blocks.is_once || runs.is_once;
                    if others.iter().all(|(_, other)| other.blocks.iter().any(alike))
                        && wants_blocking(summary, &blocks.at, is_once, blocks.hops.len() + 1)
                    {
                        let hops = std::iter::once((*hop).clone()).chain(blocks.hops.iter().cloned()).collect();
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
                    let hops = std::iter::once((*hop).clone()).chain(lasts.hops.iter().cloned()).collect();
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
                    let way = || std::iter::once(&*hop).chain(&takes.hops);
                    if takes.waits == Waits::Yes {
                        self.add_pairs(id, event, &lock, &takes.at, way, summary);
                    }
                    let unless = takes.unless.clone().or_else(|| named(event));
                    if wants_taking(summary, &lock, unless.is_some(), takes.hops.len() + 1) {
                        add_taking(summary, Takes { lock, unless, hops: way().cloned().collect(), ..takes.clone() });
                    }
                }
            }
            // Which locks a callee takes that is given them, only its caller knows.
            for pair in first.pairs.iter().filter(|pair| others.is_empty() && pair.is_open()) {
                let bound = |lock: &Arc<Lock>| cut(self.bound(id, &runs.binding, *callee, lock));
                let hops = std::iter::once((*hop).clone()).chain(pair.hops.iter().cloned()).collect();
                let mut under: Vec<Arc<Lock>> = pair.under.iter().map(bound).collect();
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
                let mut locks: Vec<Arc<Lock>> = event.held.iter().map(|held| held.lock.clone()).collect();
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

    /// Every lock that is held for certain when another is taken, by a way.
    fn add_pairs<'h, I: Iterator<Item = &'h Hop>>(
        &self,
        id: FunctionId,
        event: &Event,
        lock: &Arc<Lock>,
        at: &Location,
        way: impl Fn() -> I,
        summary: &mut Summary,
    ) {
        // Whoever holds it already does not wait for it, or waits for itself.
        if event.held.iter().any(|held| held.lock.place.is_same(&lock.place)) {
            return;
        }
        for held in event.held.iter().filter(|held| held.is_certain) {
            if !wants_pair(summary, &held.lock, lock, (event.held.len(), way().count() + 1)) {
                continue;
            }
            let first = self.hop(id, held.taken, format!("takes `{}`", held.lock.name));
            let pair = Pair {
                held: held.lock.clone(),
                held_at: self.location(id, held.taken),
                taken: lock.clone(),
                at: at.clone(),
                hops: std::iter::once(first).chain(way().cloned()).collect(),
                under: event.held.iter().map(|held| held.lock.clone()).collect(),
            };
            add_pair(summary, pair);
        }
    }

    /// Whether an event stands in a loop.
    pub fn is_in_loop(&self, id: FunctionId, event: &Event) -> bool {
        self.function(id).blocks[event.block.at()].in_loop.is_some()
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

/// Whether a blocking call, at the end of so many hops, adds anything to what is known.
fn wants_blocking(summary: &Summary, at: &Location, is_once: bool, hops: usize) -> bool {
    match summary.blocks.iter().find(|known| known.at == *at) {
        // What may happen often says more than what happens once, by however short a way.
        Some(known) => (is_once, hops) < (known.is_once, known.hops.len()),
        None => summary.blocks.len() < MOST_EFFECTS,
    }
}

fn add_blocking<'a>(summary: &mut Summary<'a>, blocks: Blocks<'a>) {
    if wants_blocking(summary, &blocks.at, blocks.is_once, blocks.hops.len()) {
        let known = summary.blocks.iter().position(|known| known.at == blocks.at);
        put(&mut summary.blocks, known, blocks);
    }
}

fn taking(summary: &Summary, lock: &Lock) -> Option<usize> {
    summary.takes.iter().position(|known| known.lock.place == lock.place && known.lock.mode == lock.mode)
}

/// Whether an acquisition, at the end of so many hops, adds anything to what is known.
fn wants_taking(summary: &Summary, lock: &Lock, is_for_others: bool, hops: usize) -> bool {
    match taking(summary, lock).map(|known| &summary.takes[known]) {
        Some(known) => (is_for_others, hops) < (known.unless.is_some(), known.hops.len()),
        None => summary.takes.len() < MOST_EFFECTS,
    }
}

fn add_taking(summary: &mut Summary, takes: Takes) {
    if wants_taking(summary, &takes.lock, takes.unless.is_some(), takes.hops.len()) {
        let known = taking(summary, &takes.lock);
        put(&mut summary.takes, known, takes);
    }
}

fn pair(summary: &Summary, held: &Lock, taken: &Lock) -> Option<usize> {
    summary.pairs.iter().position(|known| {
        known.held.place == held.place
            && known.taken.place == taken.place
            && (known.held.mode, known.taken.mode) == (held.mode, taken.mode)
    })
}

/// Whether a pair of locks adds anything to what is known, with so many locks around it and so many hops.
fn wants_pair(summary: &Summary, held: &Lock, taken: &Lock, (under, hops): (usize, usize)) -> bool {
    match pair(summary, held, taken).map(|known| &summary.pairs[known]) {
        // The way with fewer locks around it is the one that others can meet.
        Some(known) => (under, hops) < (known.under.len(), known.hops.len()),
        None => summary.pairs.len() < MOST_PAIRS,
    }
}

fn add_pair(summary: &mut Summary, new: Pair) {
    if wants_pair(summary, &new.held, &new.taken, (new.under.len(), new.hops.len())) {
        let known = pair(summary, &new.held, &new.taken);
        put(&mut summary.pairs, known, new);
    }
}

/// Puts something in the place of what is known, or behind everything.
fn put<T>(all: &mut Vec<T>, known: Option<usize>, new: T) {
    match known {
        Some(at) => all[at] = new,
        None => all.push(new),
    }
}

/// A lock that lies deeper than places go: recursion down a list would find another one at every turn.
fn cut(lock: Arc<Lock>) -> Arc<Lock> {
    if lock.place.fields.len() <= MOST_FIELDS {
        return lock;
    }
    Arc::new(Lock { place: LockPlace { class: lock.place.class.clone(), ..LockPlace::unknown() }, ..(*lock).clone() })
}
