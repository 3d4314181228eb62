//! Who runs a function: its calls, and the tasks, threads and callbacks that lead to them.
//!
//! A strand is one line of execution that somebody starts: a task, a thread, a handler that a framework calls. Strands
//! of a function are found upward along the calls of its own file:
//!
//! ~~~text
//! create_task(self.send_loop())   ->  send_loop  ->  start_reconnect
//! create_task(self.recv_loop())   ->  recv_loop  ->  start_reconnect      two strands
//! ~~~
//!
//! Two strands of one object are at work at once; that a function has none proves nothing.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::locks::Lock;
use super::{FunctionId, ModuleId, Program};
use crate::catalogue::{LockKind, Mode, Runs};
use crate::flow::{Callee, FunctionKind, ParameterKind, Place, ValueIndex, ValueKind, is_special};
use crate::verdict::Location;

/// How many functions are asked for their callers in one question.
const MOST_CALLERS: usize = 48;

/// How far up a lock is looked for that all callers hold.
const MOST_LEVELS: u32 = 4;

/// Who calls a function in its own file.
#[derive(Debug, Default)]
pub struct Calls {
    /// The calls, by function and place in it.
    pub by: Vec<(FunctionId, ValueIndex)>,
    /// Whether it is used as a value: whoever has it may call it.
    pub is_named: bool,
}

/// A line of execution that leads to a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strand {
    /// The function that it begins with.
    pub root: FunctionId,
    /// Where it runs.
    pub runs: Runs,
    /// Whether several such lines may be under way at once, on the same object as far as the text tells.
    pub is_several: bool,
    /// Whether each such line is known to work on the same object: what a framework makes an object for, it need not be.
    pub is_on_one_object: bool,
    /// Where it is started or declared.
    pub at: Location,
    /// What shows it, in the user's own words.
    pub what: String,
}

impl Strand {
    /// Whether it runs beside others, rather than in place or in a process of its own.
    pub fn is_beside(&self) -> bool {
        matches!(self.runs, Runs::Task | Runs::Thread | Runs::Loop)
    }
}

impl<'a> Program<'a> {
    /// Who calls a function in its own file.
    pub fn callers_in_file(&self, id: FunctionId) -> Arc<Calls> {
        if let Some(known) = self.calls.borrow().get(&id) {
            return known.clone();
        }
        let mut calls = Calls::default();
        let file = self.module(id.module);
        let name = file.function(id.index).name.as_str();
        let is_special = is_special(name);
        for index in self.may_mean(id) {
            let by = FunctionId { module: id.module, index };
            for (at, value) in file.function(index).values.iter().enumerate() {
                let at = ValueIndex(at as u32);
                match &value.kind {
                    ValueKind::Call(call) => {
                        let may_be_it = match &call.callee {
                            Callee::Path(path) | Callee::Macro(path) => path.last().is_some_and(|last| last == name),
                            Callee::Method(_, method) | Callee::Super(method) => method == name,
                            Callee::Value(_) => true,
                        };
                        if may_be_it || is_special {
                            let resolution = self.resolution(by, at);
                            let is_it = |target: &&super::calls::Target| target.function() == Some(id);
                            calls.by.extend(resolution.targets.iter().filter(is_it).map(|_| (by, at)));
                        }
                    }
                    ValueKind::Place(place) if place.last_name().is_some_and(|last| last == name) => {
                        calls.is_named |= self.function_named(by, at) == Some(id);
                    }
                    ValueKind::Path(path, _) if path.last().is_some_and(|last| last == name) => {
                        calls.is_named |= self.function_named(by, at) == Some(id);
                    }
                    _ => {}
                }
            }
        }
        let calls = Arc::new(calls);
        self.calls.borrow_mut().insert(id, calls.clone());
        calls
    }

    /// The function of the project that a value is, without being called.
    fn function_named(&self, id: FunctionId, value: ValueIndex) -> Option<FunctionId> {
        match self.value_type(id, value) {
            super::types::Type::Function(callee) => Some(callee),
            _ => None,
        }
    }

    /// The lines of execution that lead to a function on its own object, by the calls of its file.
    pub fn strands(&self, id: FunctionId) -> Arc<Vec<Strand>> {
        if let Some(known) = self.strands.borrow().get(&id) {
            return known.clone();
        }
        let mut found: Vec<Strand> = Vec::new();
        let mut seen = FxHashSet::from_iter([id]);
        let mut order = vec![id];
        let mut at = 0;
        while let Some(&here) = order.get(at).filter(|_| at < MOST_CALLERS) {
            at += 1;
            let function = self.function(here);
            let mut is_started = false;
            for handed in self.handed_over(here).iter() {
                is_started = true;
                let several = handed.is_repeated && (handed.is_same_receiver || !self.is_method(here));
                let what = if several {
                    format!("`{}` is started here several times", handed.to)
                } else {
                    format!("`{}` is started here", handed.to)
                };
                let known = found.iter_mut().find(|strand| strand.root == here);
                match known {
                    Some(known) => known.is_several |= several,
                    None => found.push(Strand {
                        root: here,
                        runs: handed.runs,
                        is_several: several,
                        is_on_one_object: true,
                        at: handed.at.clone(),
                        what,
                    }),
                }
            }
            for (span, entry) in self.declared_contexts(here) {
                let runs = if function.is_async() { entry.r#async } else { entry.sync };
                if let Some(runs) = runs.filter(|_| !found.iter().any(|strand| strand.root == here)) {
                    let runs = match runs {
                        Runs::Colour if function.is_async() => Runs::Task,
                        Runs::Colour => Runs::Thread,
                        other => other,
                    };
                    let what = if entry.concurrent {
                        format!("`{}` may be called again while a call of it is under way", function.name)
                    } else {
                        format!("`{}` is run by this", function.name)
                    };
                    let at = self.location(here, span);
                    // A decorator is given a method of one object; a class that a framework knows it may make anew.
                    let is_on_one_object = span != function.header;
                    found.push(Strand { root: here, runs, is_several: entry.concurrent, is_on_one_object, at, what });
                }
            }
            let mut above: Vec<FunctionId> = Vec::new();
            let is_inner = matches!(function.kind, FunctionKind::Closure | FunctionKind::AsyncBlock);
            if let (true, false, Some(parent)) = (is_inner, is_started, function.parent) {
                above.push(FunctionId { module: here.module, index: parent });
            }
            for (caller, call) in &self.callers_in_file(here).by {
                // A method of another object is another matter, unless everybody shares the state.
                let is_own = !self.is_method(here) || self.is_on_own_object(*caller, *call);
                if is_own && !self.is_started_by(*caller, *call) {
                    above.push(*caller);
                }
            }
            order.extend(above.into_iter().filter(|caller| seen.insert(*caller)));
        }
        found.retain(|strand| !self.is_test_code(strand.root));
        let found = Arc::new(found);
        self.strands.borrow_mut().insert(id, found.clone());
        found
    }

    /// What shows that two lines of execution may be in a function at once; on the same object, if one has to be.
    pub fn met_by_itself(&self, id: FunctionId, on_one_object: bool) -> Option<(Location, String)> {
        let strands = self.strands(id);
        let counts = |strand: &&Strand| strand.is_beside() && (strand.is_on_one_object || !on_one_object);
        let beside: Vec<&Strand> = strands.iter().filter(counts).collect();
        if let Some(several) = beside.iter().find(|strand| strand.is_several) {
            return Some((several.at.clone(), several.what.clone()));
        }
        match &beside[..] {
            [first, second, ..] => {
                let other = &self.function(first.root).name;
                Some((second.at.clone(), format!("{}, beside `{other}`", second.what)))
            }
            _ => None,
        }
    }

    /// What shows that somebody may be in one function while somebody else is in another, on the same object if so
    /// asked.
    pub fn meets(&self, id: FunctionId, other: FunctionId, on_one_object: bool) -> Option<(Location, String)> {
        let (own, theirs) = (self.strands(id), self.strands(other));
        let counts = |strand: &&Strand| strand.is_beside() && (strand.is_on_one_object || !on_one_object);
        let own: Vec<&Strand> = own.iter().filter(counts).collect();
        let is_beside_own = |strand: &&Strand| own.iter().any(|known| known.root != strand.root || known.is_several);
        let found = theirs.iter().filter(counts).find(is_beside_own)?;
        Some((found.at.clone(), found.what.clone()))
    }

    /// Whether a function has a receiver.
    pub fn is_method(&self, id: FunctionId) -> bool {
        let function = self.function(id);
        function.parameters.first().is_some_and(|first| match first.kind {
            ParameterKind::SelfReference | ParameterKind::SelfValue => true,
            ParameterKind::Positional | ParameterKind::Named => false,
            ParameterKind::Rest | ParameterKind::RestNamed => false,
        })
    }

    /// Whether a call is of a method on the caller's own object.
    pub fn is_on_own_object(&self, caller: FunctionId, call: ValueIndex) -> bool {
        let function = self.function(caller);
        match function.call(call).map(|call| &call.callee) {
            Some(Callee::Super(_)) => true,
            Some(Callee::Method(receiver, _)) => match &function.value(*receiver).kind {
                ValueKind::Place(place) => self.is_own_object(caller, place),
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a place is the receiver of a method, as it stands or captured by a closure in it.
    fn is_own_object(&self, id: FunctionId, place: &Place) -> bool {
        let Some(mut variable) = place.as_variable() else { return false };
        let mut at = id;
        loop {
            let function = self.function(at);
            match (function.variable(variable).captures, function.parent) {
                (Some(outer), Some(parent)) => {
                    (variable, at) = (outer, FunctionId { module: at.module, index: parent });
                }
                _ => return self.is_method(at) && function.parameters[0].variable == variable,
            }
        }
    }

    /// Whether a call only makes what is handed over to run by itself.
    fn is_started_by(&self, caller: FunctionId, call: ValueIndex) -> bool {
        let function = self.function(caller);
        let span = function.value(call).span;
        let handed_over = self.hands_over(caller);
        handed_over.iter().any(|handed| handed.at.span.start <= span.start && span.end <= handed.at.span.end)
    }

    /// Whether every caller of a private function holds a lock that keeps others out, where all of them are known.
    pub fn is_always_called_under_a_lock(&self, id: FunctionId) -> bool {
        !self.locks_of_callers(id, MOST_LEVELS).is_empty()
    }

    /// Whether anything in a file is done under a lock that keeps others out.
    pub fn keeps_others_out(&self, module: ModuleId) -> bool {
        self.functions_of(module).any(|id| self.facts(id).holds(excludes))
    }

    /// The locks that every caller of a private function holds, by their class.
    pub fn locks_at_entry(&self, id: FunctionId) -> Vec<Arc<Lock>> {
        self.locks_of_callers(id, MOST_LEVELS)
    }

    fn locks_of_callers(&self, id: FunctionId, depth: u32) -> Vec<Arc<Lock>> {
        let calls = self.callers_in_file(id);
        let callers = &calls.by;
        let function = self.function(id);
        let is_inner = matches!(function.kind, FunctionKind::Closure | FunctionKind::AsyncBlock);
        if depth == 0 || callers.is_empty() || is_inner || calls.is_named || !self.is_private(id) {
            return Vec::new();
        }
        let mut common: Option<Vec<Arc<Lock>>> = None;
        for &(caller, call) in callers.iter() {
            let value = self.function(caller);
            let value = value.value(call);
            let facts = self.facts(caller);
            let mut held: Vec<Arc<Lock>> = facts
                .held_at(value.block, value.step)
                .iter()
                .filter(|held| held.is_certain && excludes(&held.lock))
                .map(|held| held.lock.clone())
                .collect();
            if caller != id {
                held.extend(self.locks_of_callers(caller, depth - 1));
            }
            common = Some(match common {
                None => held,
                Some(known) => {
                    known.into_iter().filter(|lock| held.iter().any(|other| is_alike(lock, other))).collect()
                }
            });
        }
        common.unwrap_or_default()
    }

    /// Whether no other file is meant to call a function, by the language's marks or customs.
    pub fn is_private(&self, id: FunctionId) -> bool {
        let function = self.function(id);
        match self.language(id.module) {
            crate::text::Language::Python => function.name.starts_with('_') && !function.name.ends_with("__"),
            crate::text::Language::Rust => !function.is_public,
        }
    }
}

/// Whether holding a lock keeps others out of what it guards.
pub fn excludes(lock: &Lock) -> bool {
    let is_one = matches!(lock.kind, LockKind::Mutex | LockKind::Rwlock | LockKind::Condition);
    is_one && lock.mode != Mode::Shared
}

/// Whether two functions mean the same lock, each on its own object.
pub fn is_alike(one: &Lock, other: &Lock) -> bool {
    one.place.class.is_some() && one.place.class == other.place.class
}
