//! What a function does that weighs in a review: plain facts of one side, to be compared with the other's.
//!
//! ~~~text
//! async def refresh(self):            awaits     fetch
//!     async with self._lock:          locks      self._lock over `fetch`, `store`
//!         rows = await fetch()        under lock fetch
//!         self.store(rows)            unresolved self.store
//! ~~~
//!
//! A fact is a kind and a subject in the user's own words, without positions, so that both sides can be subtracted; the
//! span only says where a reader finds it. Closures count for the named function around them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::accesses::Access;
use super::held::What;
use super::strands::Strand;
use super::{FunctionId, ModuleId, Program};
use crate::catalogue::{BlockingKind, Does, LockKind, RiskKind, Runs};
use crate::flow::{
    Callee, Collection, Function, FunctionKind, Place, Root, StepKind, Suspension, ValueIndex, ValueKind, WriteKind,
};
use crate::text::Span;

/// One thing that a function does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// What sort of thing.
    pub kind: DeedKind,
    /// What it is about, in the user's own words.
    pub subject: String,
    /// Where it stands.
    pub span: Span,
}

/// The sorts of deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DeedKind {
    /// The task may give way.
    Awaits,
    /// The task may give way while it holds a lock.
    AwaitsUnderLock,
    /// Something is started that runs on its own.
    Spawns,
    /// A channel or queue is made.
    MakesChannel,
    /// Something is sent or received.
    UsesChannel,
    /// A wait gets an end.
    SetsTimeout,
    /// It says what ends, or goes on, when something is cancelled.
    Cancels,
    /// State that others reach is touched before and after the task may give way.
    StateAcross,
    /// State is touched that another thread may touch.
    SharesState,
    /// State is touched without a lock that another task or thread touches too, and one of them changes it.
    MeetsOthers,
    /// Asynchronous code calls what could not be resolved.
    Unresolved,
}

/// A lock that a function takes, and what it does while it holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its name in the user's own words.
    pub lock: String,
    /// From where it is taken to the last thing done under it.
    pub span: Span,
    /// Where it is taken.
    pub taken: Span,
    /// What is done under it, in the user's own words, sorted.
    pub under: Vec<String>,
}

/// What a named function does, closures inside it included.
#[derive(Clone, Debug, Default)]
pub struct Deeds {
    /// Whether calling it only makes a coroutine or future.
    pub is_async: bool,
    /// Whether any of it runs as a task.
    pub runs_async: bool,
    /// Whether any of it is polled, and has to see to it that somebody wakes its task.
    pub is_polled: bool,
    /// Whether any of it handles exceptions.
    pub handles: bool,
    /// Whether others wait for what any of it owes them: an outcome, or something that it takes and gives back.
    pub owes: bool,
    /// What it does, by place in the source.
    pub deeds: Vec<Deed>,
    /// The locks it takes.
    pub regions: Vec<Region>,
    /// The last names of what it calls, sorted, once each.
    pub callees: Vec<String>,
    /// How many calls there are, and arguments of them.
    pub calls: usize,
    /// Whether any of it says what happens if it fails.
    pub tries: bool,
}

impl Deeds {
    /// Whether anything is done more often here than there.
    pub fn has_more_than(&self, other: &Self) -> bool {
        let alike = |one: &Deed, two: &Deed| (one.kind, &one.subject) == (two.kind, &two.subject);
        let count = |of: &Self, deed: &Deed| of.deeds.iter().filter(|one| alike(one, deed)).count();
        self.deeds.iter().any(|deed| count(self, deed) > count(other, deed))
    }
}

/// Named functions, each with the closures inside it, itself among them.
pub type Named = BTreeMap<FunctionId, Vec<FunctionId>>;

impl Program<'_> {
    /// The named functions of a module, each with the closures inside it.
    pub fn named_functions(&self, module: ModuleId) -> Arc<Named> {
        if let Some(known) = self.named.borrow().get(&module) {
            return known.clone();
        }
        let file = self.module(module);
        let mut parts: BTreeMap<FunctionId, Vec<FunctionId>> = BTreeMap::new();
        for (index, function) in file.functions() {
            let mut named = (index, function);
            while let (true, Some(parent)) = (is_anonymous(named.1), named.1.parent) {
                named = (parent, file.function(parent));
            }
            let id = |index| FunctionId { module, index };
            parts.entry(id(named.0)).or_default().push(id(index));
        }
        let parts = Arc::new(parts);
        self.named.borrow_mut().insert(module, parts.clone());
        parts
    }

    /// What a function and the closures inside it do.
    pub fn deeds(&self, parts: &[FunctionId]) -> Deeds {
        let mut all = Deeds::default();
        if let Some(first) = parts.first() {
            all.is_async = self.function(*first).is_async();
        }
        for &id in parts {
            all.runs_async |= self.function(id).is_async() || self.context(id).is_on_loop();
            all.is_polled |= self.is_polled(id);
            all.handles |= self.function(id).attempts.iter().any(|attempt| !attempt.handlers.is_empty());
            all.owes |= self.owes(id);
            self.add_events(id, &mut all);
            self.add_values(id, &mut all);
            self.add_state(id, &mut all);
            self.add_meetings(id, &mut all);
            all.callees.extend(callees(&self.function(id)));
            all.calls += calls(&self.function(id));
            all.tries |= !self.function(id).attempts.is_empty();
        }
        all.callees.sort();
        all.callees.dedup();
        all.deeds.sort_by(|one, two| {
            (one.span.start, one.kind, &one.subject).cmp(&(two.span.start, two.kind, &two.subject))
        });
        all
    }

    /// Whether a function is given what a waker is got from.
    fn is_polled(&self, id: FunctionId) -> bool {
        let tables = self.tables(self.language(id.module));
        let given = 0..self.function(id).parameters.len();
        tables.knows_wakers()
            && given
                .into_iter()
                .any(|at| self.parameter_type(id, at).instance().is_some_and(|of| tables.gives_wakers(&of.name)))
    }

    /// Whether a function settles a future, or takes what is to be given back, as far as the names of methods say.
    fn owes(&self, id: FunctionId) -> bool {
        let tables = self.tables(self.language(id.module));
        self.function(id).values.iter().any(|value| match &value.kind {
            ValueKind::Call(call) => match &call.callee {
                Callee::Method(_, name) => {
                    tables.verb(name) == Some(Does::Settles) || tables.pairs().any(|(take, _)| take == name)
                }
                _ => false,
            },
            _ => false,
        })
    }

    fn add_events(&self, id: FunctionId, all: &mut Deeds) {
        let function = self.function(id);
        let facts = self.facts(id);
        let mut regions: Vec<Region> = Vec::new();
        for event in &facts.events {
            let text = match &event.what {
                What::Call(value) => self.callee_text(id, *value),
                What::Suspend(how, of) => {
                    if !function.is_async() || *how == Suspension::Exit {
                        continue;
                    }
                    let subject = of.map_or_else(|| way(*how).to_owned(), |of| self.callee_text(id, of));
                    if self.may_suspend(id, *how, *of) {
                        all.deeds.push(Deed { kind: DeedKind::Awaits, subject: subject.clone(), span: event.span });
                        // The wait for a lock at the entry of its own block is not under it.
                        let is_own = |taken: Span| *how == Suspension::Enter && taken == event.span;
                        let held = event.held.iter().filter(|held| keeps_out(held.lock.kind) && !is_own(held.taken));
                        for held in held {
                            let subject = format!("`{subject}` while it holds `{}`", held.lock.name);
                            all.deeds.push(Deed { kind: DeedKind::AwaitsUnderLock, subject, span: event.span });
                        }
                    }
                    format!("await {subject}")
                }
                What::Runs(_) => continue,
                What::Acquire(lock, _) => {
                    if keeps_out(lock.kind) {
                        let (lock, span) = (lock.name.clone(), event.span);
                        regions.push(Region { lock, span, taken: span, under: Vec::new() });
                    } else if lock.kind == LockKind::Queue {
                        let (kind, subject) = (DeedKind::UsesChannel, lock.name.clone());
                        all.deeds.push(Deed { kind, subject, span: event.span });
                    }
                    continue;
                }
            };
            for held in event.held.iter() {
                if let Some(region) = regions.iter_mut().find(|region| region.taken == held.taken) {
                    region.span = region.span.to(event.span);
                    region.under.push(text.clone());
                }
            }
        }
        for region in &mut regions {
            region.under.sort();
        }
        all.regions.append(&mut regions);
    }

    fn add_values(&self, id: FunctionId, all: &mut Deeds) {
        let function = self.function(id);
        let tables = self.tables(self.language(id.module));
        for (at, value) in function.values.iter().enumerate() {
            let index = ValueIndex(at as u32);
            let mut add = |kind, subject| all.deeds.push(Deed { kind, subject, span: value.span });
            match &value.kind {
                ValueKind::Collection(Collection::Select(_), _) => add(DeedKind::Cancels, "select".to_owned()),
                ValueKind::Call(_) => {
                    let resolution = self.resolution(id, index);
                    let text = || self.callee_text(id, index);
                    if resolution.targets.is_empty() && function.is_async() {
                        add(DeedKind::Unresolved, text());
                    }
                    let offload = self.offload(id, &resolution).filter(|offload| offload.runs != Runs::Same);
                    if self.spawn(id, &resolution).is_some() || offload.is_some() {
                        add(DeedKind::Spawns, text());
                    }
                    let Some(name) = resolution.external() else { continue };
                    if let Some(risk) = tables.risk(name) {
                        let kind = match risk.kind {
                            RiskKind::Timeout => DeedKind::SetsTimeout,
                            RiskKind::Cancellation => DeedKind::Cancels,
                            RiskKind::ChannelMade => DeedKind::MakesChannel,
                            RiskKind::ChannelUsed => DeedKind::UsesChannel,
                            RiskKind::Shared => DeedKind::SharesState,
                        };
                        add(kind, text());
                    } else if tables.lock(name).is_some_and(|lock| lock.kind == LockKind::Queue) {
                        add(DeedKind::MakesChannel, text());
                    } else if tables.blocking(name).is_some_and(|entry| entry.kind == BlockingKind::Channel) {
                        add(DeedKind::UsesChannel, text());
                    }
                }
                _ => {}
            }
        }
    }

    /// State that is touched on both sides of a suspension, and what a thread writes that others reach.
    fn add_state(&self, id: FunctionId, all: &mut Deeds) {
        let function = self.function(id);
        let is_in_thread = self.context(id).runs.contains(&Runs::Thread);
        if !function.is_async() && !is_in_thread {
            return;
        }
        let mut suspends: Vec<Span> = Vec::new();
        let mut touches: BTreeMap<&Place, Vec<(Span, Touch)>> = BTreeMap::new();
        for (_, _, step) in function.steps() {
            match &step.kind {
                StepKind::Suspend(Suspension::Exit, _) => {}
                StepKind::Suspend(..) => suspends.push(step.span),
                StepKind::Read(place) if is_state(&function, place) => {
                    touches.entry(place).or_default().push((step.span, Touch::Reads));
                }
                StepKind::Write(place, how, _) if is_state(&function, place) => {
                    let touch = if *how == WriteKind::Delete { Touch::Reads } else { Touch::Writes };
                    touches.entry(place).or_default().push((step.span, touch));
                }
                _ => {}
            }
        }
        for (place, touches) in touches {
            let subject = self.place_text(id, place);
            if is_in_thread {
                for (span, _) in touches.iter().filter(|(_, touch)| *touch == Touch::Writes) {
                    all.deeds.push(Deed { kind: DeedKind::SharesState, subject: subject.clone(), span: *span });
                }
            }
            if !function.is_async() || touches.iter().all(|(_, touch)| *touch == Touch::Reads) {
                continue;
            }
            let first = touches.iter().map(|(span, _)| span.start).min().unwrap_or(0);
            for (span, touch) in &touches {
                let is_across = suspends.iter().any(|way| first < way.start && way.end <= span.end);
                if *touch == Touch::Writes && is_across {
                    all.deeds.push(Deed { kind: DeedKind::StateAcross, subject: subject.clone(), span: *span });
                }
            }
        }
    }
}

impl Program<'_> {
    /// State that this function and another one touch, each in a line of execution of its own.
    fn add_meetings(&self, id: FunctionId, all: &mut Deeds) {
        let on_one_object = self.is_method(id);
        if !self.strands(id).iter().any(Strand::is_beside) {
            return;
        }
        let states: BTreeSet<Arc<str>> = self.accesses_by(id).iter().map(|access| access.state.clone()).collect();
        for state in states {
            let accesses = self.accesses_of(id.module, &state);
            let own: Vec<&Access> = accesses.iter().filter(|access| access.function == id).collect();
            let (Some(first), Some(least)) =
                (own.first(), own.iter().find(|access| access.touch.is_change()).or(own.first()))
            else {
                continue;
            };
            let mut others: Vec<FunctionId> = Vec::new();
            for other in accesses.iter().filter(|other| least.touch.is_change() || other.touch.is_change()) {
                if !others.contains(&other.function) && !is_construction(&self.function(other.function).name) {
                    others.push(other.function);
                }
            }
            let is_met = others.iter().take(MOST_OTHERS).any(|other| self.meets(id, *other, on_one_object).is_some());
            if is_met && own.iter().any(|access| self.guards_at(access).is_empty()) {
                let (kind, subject) = (DeedKind::MeetsOthers, first.name.clone());
                all.deeds.push(Deed { kind, subject, span: least.span });
            }
        }
    }
}

/// How many functions that touch one piece of state are asked who runs them.
const MOST_OTHERS: usize = 12;

/// Nobody else has an object that is being made.
fn is_construction(name: &str) -> bool {
    matches!(name, "__init__" | "__new__" | "__post_init__")
}

/// The last names of what a function calls, sorted, once each.
pub fn callees(function: &Function) -> Vec<String> {
    let names = function.values.iter().filter_map(|value| match &value.kind {
        ValueKind::Call(call) => called_name(&call.callee).map(str::to_owned),
        _ => None,
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names.dedup();
    names
}

fn calls(function: &Function) -> usize {
    let of_value = |value: &crate::flow::Value| match &value.kind {
        ValueKind::Call(call) => 1 + call.arguments.len(),
        _ => 0,
    };
    function.values.iter().map(of_value).sum()
}

fn called_name(callee: &Callee) -> Option<&str> {
    match callee {
        Callee::Path(path) => path.last().map(String::as_str),
        Callee::Method(_, name) | Callee::Super(name) => Some(name),
        Callee::Value(_) | Callee::Macro(_) => None,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Touch {
    Reads,
    Writes,
}

/// Whether others than this call of the function reach a place.
fn is_state(function: &Function, place: &Place) -> bool {
    match &place.root {
        Root::Global(_) => true,
        Root::Variable(variable) => {
            let is_parameter = function.parameters.iter().any(|parameter| parameter.variable == *variable);
            function.variable(*variable).captures.is_some() || is_parameter && !place.fields.is_empty()
        }
    }
}

fn is_anonymous(function: &Function) -> bool {
    match function.kind {
        FunctionKind::Closure | FunctionKind::AsyncBlock | FunctionKind::GeneratorExpression => true,
        FunctionKind::Module | FunctionKind::Free | FunctionKind::Method | FunctionKind::ClassMethod => false,
        FunctionKind::Static | FunctionKind::Property => false,
    }
}

/// Whether holding it keeps other tasks or threads waiting.
fn keeps_out(kind: LockKind) -> bool {
    match kind {
        LockKind::Mutex | LockKind::Rwlock | LockKind::Semaphore | LockKind::Condition => true,
        LockKind::MapShard | LockKind::PermitPool | LockKind::RateLimit => true,
        LockKind::Event | LockKind::Barrier | LockKind::Queue | LockKind::Cell | LockKind::Watch => false,
        LockKind::Span | LockKind::Once | LockKind::Transaction | LockKind::Marked => false,
    }
}

fn way(how: Suspension) -> &'static str {
    match how {
        Suspension::Await => "await",
        Suspension::Next => "async for",
        Suspension::Enter => "async with",
        Suspension::Exit => "the end of async with",
        Suspension::Yield => "yield",
    }
}
