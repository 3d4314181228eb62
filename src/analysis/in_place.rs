//! What runs before a call is over, in the thread and under the locks of whoever calls.
//!
//! Beside the function that is called, that is what it is given and calls itself (`retry(load)`), a closure that runs where
//! it stands, a generator that the very statement drives, and what a managed block enters.

use std::sync::Arc;

use super::binding::Binding;
use super::calls::{Resolution, Target};
use super::held::{Event, What};
use super::locks::{Lock, LockPlace, LockRoot};
use super::names::Member;
use super::summary::Summary;
use super::{FunctionId, Program};
use crate::catalogue::{self, LockKind, Manner, Runs};
use crate::flow::{Call, Callee, Colour, FunctionKind, StepKind, Suspension, ValueIndex, ValueKind};
use crate::text::Language;

/// Project functions that run before a call is over; all of them are candidates for the one that does.
#[derive(Clone, Debug)]
pub struct InPlace {
    /// The candidates.
    pub candidates: Vec<FunctionId>,
    /// Whether they run in an await of the call's result rather than in the call.
    pub is_awaited: bool,
    /// Whether they run once and never again, however often it is come to.
    pub is_once: bool,
    pub(super) way: Way,
    /// How its parameters are bound.
    pub binding: Binding,
}

/// How it comes to that, put into words only when somebody asks.
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// By a call of the function.
    Call(ValueIndex),
    /// In another way, in these words.
    Said(String),
}

impl InPlace {
    /// What happens in the function that it happens in: "calls `load_flags`".
    pub fn what(&self, program: &Program, within: FunctionId) -> String {
        match &self.way {
            Way::Call(value) => format!("calls `{}`", program.callee_text(within, *value)),
            Way::Said(what) => what.clone(),
        }
    }

    /// What each candidate does where it is called like this.
    pub fn summaries<'a>(&self, program: &Program<'a>, caller: FunctionId) -> Vec<Arc<Summary<'a>>> {
        self.candidates.iter().map(|callee| program.summary_of_call(caller, &self.binding, *callee)).collect()
    }
}

impl Program<'_> {
    /// The project functions that run before what happens at an event is over.
    pub fn in_place(&self, id: FunctionId, event: &Event) -> Vec<InPlace> {
        match &event.what {
            What::Call(value) => self.runs_at(id, *value, false),
            // What an asynchronous callee does, it does where it is awaited.
            What::Suspend(Suspension::Await, Some(value)) => {
                let run = self.run_by_await(id, *value).into_iter();
                let runs = |future: ValueIndex| {
                    let own = self.runs_at(id, future, true).into_iter().chain(self.block_behind(id, future));
                    own.chain(self.mapped_behind(id, future))
                };
                run.flat_map(runs).collect()
            }
            What::Runs(implicit) => vec![InPlace {
                candidates: vec![implicit.callee],
                is_awaited: self.function(implicit.callee).is_async(),
                is_once: event.held.iter().any(|held| is_initialiser(&held.lock)),
                way: Way::Said(implicit.what.clone()),
                binding: Binding::Receiver(implicit.receiver.clone()),
            }],
            What::Suspend(..) | What::Acquire(..) => Vec::new(),
        }
    }

    fn runs_at(&self, id: FunctionId, value: ValueIndex, awaited: bool) -> Vec<InPlace> {
        if let ValueKind::Function(index) = self.function(id).value(value).kind
            && self.function(FunctionId { module: id.module, index }).kind == FunctionKind::AsyncBlock
        {
            let candidates = vec![FunctionId { module: id.module, index }];
            let (way, binding) = (Way::Said("runs the block".to_owned()), Binding::Closure(value));
            return vec![InPlace { candidates, is_awaited: true, is_once: false, way, binding }];
        }
        let mut found = self.runs_in_place(id, value, &self.resolution(id, value));
        found.retain(|in_place| in_place.is_awaited == awaited);
        found
    }

    /// The project functions that run before a call, or the await of its result, is over.
    pub fn runs_in_place(&self, id: FunctionId, value: ValueIndex, resolution: &Resolution) -> Vec<InPlace> {
        let mut found = Vec::new();
        let functions = self.of_the_colour_called(id, value, resolution.functions());
        if let Some(first) = functions.first() {
            let is_awaited = self.function(*first).colour == Colour::Async;
            let runs = match self.function(*first).colour {
                // A plain function whose call is awaited is not what its decorator made of it.
                Colour::Plain => {
                    !self.is_awaited(id, value) || functions.iter().all(|callee| !self.is_decorated(*callee))
                }
                Colour::Async => self.is_run_somehow(id, value) && self.drives_a_loop(*first).is_none(),
                Colour::Generator => self.is_driven_here(id, value),
                Colour::AsyncGenerator => false,
            };
            if runs && !functions.iter().any(|callee| self.is_wrapped_elsewhere(*callee)) {
                if let [callee] = functions[..] {
                    self.add_callbacks(id, value, callee, &mut found);
                }
                let is_kept = functions.iter().all(|callee| self.computes_once(*callee));
                let is_once = is_kept || self.is_made_on_first_use(id, value);
                let binding = Binding::Call(value);
                let way = Way::Call(value);
                found.insert(0, InPlace { candidates: functions, is_awaited, is_once, way, binding });
            }
        }
        let function = self.function(id);
        let Some(call) = function.call(value) else { return found };
        let gives_closure =
            call.arguments.iter().any(|argument| matches!(function.value(argument.value).kind, ValueKind::Function(_)));
        if gives_closure {
            self.add_closures(id, call, resolution, &self.callee_text(id, value), &mut found);
        }
        if !found.is_empty() && self.initialises(id, call, resolution) {
            found.iter_mut().for_each(|in_place| in_place.is_once = true);
        }
        found
    }

    /// The closures among its arguments that a call runs before it is over.
    fn add_closures(
        &self,
        id: FunctionId,
        call: &Call,
        resolution: &Resolution,
        callee: &str,
        found: &mut Vec<InPlace>,
    ) {
        let handed_over = self.offload(id, resolution);
        if let Some(offload) = handed_over.filter(|offload| offload.runs == Runs::Same) {
            for argument in self.arguments_meant(call, &offload.callable) {
                self.add_closure(id, argument, callee, found);
            }
        } else if handed_over.is_none()
            && self.spawn(id, resolution).is_none()
            && self.language(id.module) == Language::Rust
            && resolution
                .external()
                .is_some_and(|name| !self.keeps_what_it_is_given(call, name) && !self.lets_go_around(name))
        {
            // A closure that is handed to no spawner runs where it stands: `iter().map(|x| …)`, `unwrap_or_else`.
            for argument in &call.arguments {
                self.add_closure(id, argument.value, callee, found);
            }
        }
    }

    /// Of functions that are one for each feature (`#[cfg]`), an asynchronous one and a plain one, those that a call means:
    /// what is awaited is not the plain one, and a call whose result nobody looks at is no asynchronous one. Of any other
    /// it may be both.
    fn of_the_colour_called(&self, id: FunctionId, call: ValueIndex, functions: Vec<FunctionId>) -> Vec<FunctionId> {
        let Some((first, others)) = functions.split_first() else { return functions };
        let is_twin = |other: &FunctionId| {
            let (one, another) = (self.function(*first), self.function(*other));
            first.module == other.module && one.qualified == another.qualified
        };
        if self.language(id.module) == Language::Python || others.is_empty() || !others.iter().all(is_twin) {
            return functions;
        }
        let function = self.function(id);
        let is_discarded =
            || function.steps().any(|(_, _, step)| matches!(step.kind, StepKind::Discard(value) if value == call));
        let is_async = self.is_run_somehow(id, call);
        if !is_async && !is_discarded() {
            return functions;
        }
        let meant = functions.iter().filter(|callee| self.function(**callee).is_async() == is_async);
        let meant: Vec<FunctionId> = meant.copied().collect();
        if meant.is_empty() { functions } else { meant }
    }

    /// Whether a library function lets go of the guard that it is given while it runs a closure: nothing that the caller
    /// holds by that guard is held there.
    fn lets_go_around(&self, name: &str) -> bool {
        let guard = |(of, method): (&str, &str)| {
            self.tables(Language::Rust)
                .guard(of)
                .is_some_and(|guard| guard.unlocked.iter().any(|known| known == method))
        };
        name.rsplit_once(Language::Rust.separator()).is_some_and(guard)
    }

    /// The calls whose results a call takes care of, as `gather(one(), two())` does.
    pub(super) fn awaited_arguments(&self, id: FunctionId, value: ValueIndex) -> Vec<ValueIndex> {
        let function = self.function(id);
        let Some(call) = function.call(value) else { return Vec::new() };
        let resolution = self.resolution(id, value);
        let tables = self.tables(self.language(id.module));
        let consumer = resolution.external().and_then(|name| tables.consumes_awaitables(name));
        let meant = consumer.map(|argument| self.arguments_meant(call, argument)).unwrap_or_default();
        let is_python = self.language(id.module) == Language::Python;
        meant.into_iter().filter(|argument| !is_python || function.call(*argument).is_some()).collect()
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
                let way = Way::Said(format!("hands `{given}` to `{to}`, which calls it"));
                let binding = Binding::Receiver(LockPlace::unknown());
                found.push(InPlace { candidates, is_awaited: false, is_once: false, way, binding });
            }
        }
    }

    /// The parameters that a function calls, by number.
    pub(super) fn called_parameters(&self, id: FunctionId) -> Vec<u32> {
        let function = self.function(id);
        let mut found = Vec::new();
        for value in self.shape(id).calls_of_values() {
            let value = function.value(*value);
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

    /// Whether a library's function only stores a closure: a constructor (`Box::new`), a collection's `push`.
    fn keeps_what_it_is_given(&self, call: &Call, name: &str) -> bool {
        let tables = self.tables(Language::Rust);
        let is_constructor = matches!(&call.callee, Callee::Path(path)
            if path.len() > 1 && path.last().is_some_and(|last| tables.is_constructor(last)));
        is_constructor || tables.puts_in(name)
    }

    /// Whether a closure is known to run in the function that it stands in: it is called there, or given to somebody who
    /// calls it before returning. One that is stored, returned or given to nobody knows whom runs nobody knows where.
    pub(super) fn runs_where_it_stands(&self, closure: FunctionId, within: FunctionId) -> bool {
        let function = self.function(within);
        function.values.iter().enumerate().any(|(at, value)| {
            let ValueKind::Call(call) = &value.kind else { return false };
            let index = ValueIndex(at as u32);
            let is_given =
                call.arguments.iter().any(|argument| self.functions_meant(within, argument.value).contains(&closure));
            if !is_given && !matches!(call.callee, Callee::Value(_)) {
                return false;
            }
            let resolution = self.resolution(within, index);
            let tables = self.tables(self.language(within.module));
            if let (Callee::Method(_, method), true) = (&call.callee, resolution.targets.is_empty())
                && is_given
                && tables.is_combinator(method)
            {
                return true;
            }
            let maps = resolution.external().and_then(|name| tables.maps(name));
            let is_mapped = maps.is_some_and(|argument| {
                let meant = self.arguments_meant(call, argument);
                meant.iter().any(|argument| self.functions_meant(within, *argument).contains(&closure))
            });
            let is_called = |callee: &FunctionId| {
                self.called_parameters(*callee).into_iter().any(|parameter| {
                    let given = self.argument_for(within, index, *callee, parameter);
                    given.is_some_and(|given| self.functions_meant(within, given).contains(&closure))
                })
            };
            is_mapped
                || resolution.functions().iter().any(is_called)
                || resolution.functions().contains(&closure)
                || self.runs_in_place(within, index, &resolution).iter().any(|runs| runs.candidates.contains(&closure))
        })
    }

    fn add_closure(&self, id: FunctionId, argument: ValueIndex, callee: &str, found: &mut Vec<InPlace>) {
        let function = self.function(id);
        if let ValueKind::Function(index) = function.value(argument).kind {
            let closure = FunctionId { module: id.module, index };
            let body = self.function(closure);
            if body.kind == FunctionKind::Closure && body.colour == Colour::Plain {
                let way = Way::Said(format!("runs a closure in `{callee}`"));
                let binding = Binding::Closure(argument);
                found.push(InPlace { candidates: vec![closure], is_awaited: false, is_once: false, way, binding });
            }
        }
    }

    /// Whether a generator that a call makes is driven by the very statement: a loop over it, a managed block.
    fn is_driven_here(&self, id: FunctionId, value: ValueIndex) -> bool {
        let function = self.function(id);
        function.loops.iter().any(|one| one.over == Some(value))
            || function.managed.iter().any(|managed| managed.value == value)
    }

    /// Whether any decorator stands on a function.
    fn is_decorated(&self, id: FunctionId) -> bool {
        !self.function(id).decorators.is_empty()
    }

    /// Whether a decorator hands the function to a thread, so that calling it only starts it, or makes something to await.
    fn is_wrapped_elsewhere(&self, id: FunctionId) -> bool {
        let function = self.function(id);
        let tables = self.tables(self.language(id.module));
        function.decorators.iter().any(|decorator| {
            self.decorator_name(id, &decorator.path)
                .and_then(|name| tables.offload(&name))
                .is_some_and(|offload| offload.wraps && offload.runs != Runs::Same)
        }) || self.is_handed_on(id)
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

    /// The function that a managed block's entry runs: a context manager of the project, or its class's `__enter__`.
    pub fn entered_function(&self, id: FunctionId, value: ValueIndex, is_async: bool) -> Option<(FunctionId, Binding)> {
        let function = self.function(id);
        if let ValueKind::Call(_) = function.value(value).kind {
            let resolution = self.resolution(id, value);
            if let [Target::Function(callee)] = resolution.targets[..]
                && matches!(self.function(callee).colour, Colour::Generator | Colour::AsyncGenerator)
            {
                return Some((callee, Binding::Call(value)));
            }
        }
        let definition = self.value_type(id, value).instance()?.definition?;
        let name = if is_async { "__aenter__" } else { "__enter__" };
        match self.method(definition, name).first() {
            Some(Member::Function(callee)) => {
                let receiver = self.lock_place(id, value);
                let is_known = receiver.root != LockRoot::Unknown;
                Some((*callee, if is_known { Binding::Receiver(receiver) } else { Binding::Made(value) }))
            }
            _ => None,
        }
    }
}

/// Whether a lock is held while what it is for runs, once in the life of the program.
fn is_initialiser(lock: &Lock) -> bool {
    lock.kind == LockKind::Once && matches!(lock.place.root, LockRoot::Static(_))
}
