//! What a call does to the thread and the task that make it, by the catalogue.

use super::calls::{Resolution, Target};
use super::{FunctionId, Program};
use crate::catalogue::{Argument, Blocking, BlockingKind, Condition, Offload, Runs, Spawn};
use crate::flow::{Call, Colour, FunctionIndex, Value, ValueIndex, ValueKind};
use crate::text::Language;

/// What the catalogue says of a call by its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effects<'a> {
    blocking: Option<&'a Blocking>,
    offload: Option<&'a Offload>,
    spawn: Option<&'a Spawn>,
}

impl<'a> Program<'a> {
    /// What the catalogue says of a name. Nearly every rule asks it of every call, and a name is looked up in many ways.
    fn effects(&self, language: Language, name: &str) -> Effects<'a> {
        let known = &self.effects[usize::from(language == Language::Rust)];
        if let Some(known) = known.borrow().get(name) {
            return *known;
        }
        let tables = self.tables(language);
        let found =
            Effects { blocking: tables.blocking(name), offload: tables.offload(name), spawn: tables.spawn(name) };
        known.borrow_mut().insert(name.to_owned(), found);
        found
    }

    /// The catalogue's entry for a call that keeps its thread waiting, unless its arguments say otherwise. Every target
    /// must block; the first one's entry is given.
    pub fn blocking_call(&self, id: FunctionId, value: ValueIndex, resolution: &Resolution) -> Option<&'a Blocking> {
        let function = self.function(id);
        let call = function.call(value)?;
        let language = self.language(id.module);
        let tables = self.tables(language);
        let by_pattern = || {
            let text = tables.has_blocking_patterns().then(|| self.callee_text(id, value))?;
            tables.blocking_by_pattern(&text)
        };
        let mut first = None;
        for target in &resolution.targets {
            let mut entry = match target {
                Target::External(name) => match self.effects(language, name).blocking {
                    Some(entry) => entry,
                    // A team's own pattern goes by the text where the catalogue does not know the name.
                    None => by_pattern()?,
                },
                Target::Function(callee) => match self.own_blocking(*callee) {
                    Some(entry) => entry,
                    None => self.drives_a_loop(*callee)?,
                },
                Target::Construct(..) => return None,
            };
            if entry.unless.iter().any(|condition| self.holds(id, call, condition)) {
                entry = tables.blocking(entry.otherwise.as_deref()?)?;
            }
            if self.is_ready(id, value, entry) {
                return None;
            }
            first = first.or(Some(entry));
        }
        first = first.or_else(by_pattern);
        // What is awaited is no call of the blocking kind, whatever its name: the receiver is another type.
        first.filter(|_| !self.is_awaited(id, value))
    }

    /// The catalogue's entry for an asynchronous function that an attribute makes a plain one, which drives a loop of
    /// its own to the end: `#[tokio::main]`.
    pub fn drives_a_loop(&self, id: FunctionId) -> Option<&'a Blocking> {
        let function = self.function(id);
        if function.colour != Colour::Async {
            return None;
        }
        let language = self.language(id.module);
        let tables = self.tables(language);
        function.decorators.iter().find_map(|decorator| {
            let name = self.decorator_name(id, &decorator.path)?;
            let called = || tables.blocking(&[&name, "__call__"].join(language.separator()));
            tables.blocking(&name).or_else(called).filter(|entry| entry.kind == BlockingKind::LoopEntry)
        })
    }

    /// Whether a function asks whether a loop is running, so that what it drives it may drive only where none is.
    pub fn asks_for_a_loop(&self, id: FunctionId) -> bool {
        let tables = self.tables(self.language(id.module));
        [id, FunctionId { module: id.module, index: FunctionIndex(0) }].into_iter().any(|id| {
            let function = self.function(id);
            let is_call = |value: &Value| matches!(value.kind, ValueKind::Call(_));
            function.values.iter().enumerate().filter(|(_, value)| is_call(value)).any(|(at, _)| {
                let resolution = self.resolution(id, ValueIndex(at as u32));
                resolution.external().is_some_and(|name| tables.asks_for_loop(name))
            })
        })
    }

    /// Whether the arguments of a call are as a condition of the catalogue says.
    pub fn holds(&self, id: FunctionId, call: &Call, condition: &Condition) -> bool {
        match condition {
            Condition::Keyword { name, value, is } => call.arguments.iter().any(|argument| {
                argument.name.as_ref() == Some(name) && self.is_literal(id, argument.value, value) == *is
            }),
            Condition::Position { at, value, is } => call
                .arguments
                .get(usize::from(*at))
                .is_some_and(|argument| argument.name.is_none() && self.is_literal(id, argument.value, value) == *is),
            Condition::Mentions(name) => {
                call.arguments.iter().any(|argument| self.mentions(id, argument.value, name, 4))
            }
        }
    }

    fn mentions(&self, id: FunctionId, value: ValueIndex, name: &str, depth: u32) -> bool {
        if depth == 0 {
            return false;
        }
        if self.value_text(id, value).rsplit(['.', ':']).next() == Some(name) {
            return true;
        }
        match &self.function(id).value(value).kind {
            ValueKind::Operation(parts) | ValueKind::Choice(parts) => {
                parts.iter().any(|part| self.mentions(id, *part, name, depth - 1))
            }
            _ => false,
        }
    }

    /// The catalogue's entry for a call whose callable runs elsewhere than where it is handed over.
    pub fn offload(&self, id: FunctionId, resolution: &Resolution) -> Option<&'a Offload> {
        let language = self.language(id.module);
        if let Some(name) = resolution.external() {
            return self.effects(language, name).offload;
        }
        let tables = self.tables(language);
        match resolution.targets.as_slice() {
            [Target::Function(callee)] if tables.has_own() => tables.own_offload(&self.qualified_name(*callee)),
            _ => None,
        }
    }

    /// What the user says of a function of the project that keeps its thread waiting.
    fn own_blocking(&self, callee: FunctionId) -> Option<&'a Blocking> {
        let tables = self.tables(self.language(callee.module));
        if !tables.has_own() || self.function(callee).colour == Colour::Async {
            return None;
        }
        tables.own_blocking(&self.qualified_name(callee))
    }

    /// The catalogue's entry for a call that starts something.
    pub fn spawn(&self, id: FunctionId, resolution: &Resolution) -> Option<&'a Spawn> {
        let language = self.language(id.module);
        resolution.targets.iter().find_map(|target| match target {
            Target::External(name) => self.effects(language, name).spawn,
            _ => None,
        })
    }

    /// What a call gives somebody to run elsewhere or as a task, and where that runs: `Thread(target=work)`,
    /// `pool.submit(work, path)`, `create_task(work())`.
    pub fn given_to_run(&self, id: FunctionId, call: ValueIndex) -> Option<(Vec<ValueIndex>, Runs)> {
        let function = self.function(id);
        let written = function.call(call)?;
        let resolution = self.resolution(id, call);
        // What is said of the callable is the more exact: a pool of processes starts things as any executor does.
        let callable = self.offload(id, &resolution).map(|offload| (&offload.callable, offload.runs));
        let started = || self.spawn(id, &resolution).map(|spawn| (&spawn.argument, spawn.runs));
        let (argument, runs) = callable.or_else(started)?;
        let mut given = self.arguments_meant(written, argument);
        if argument.rest {
            let spread = written.arguments.iter().filter(|argument| argument.is_spread);
            given.extend(spread.flat_map(|argument| self.items_of(id, argument.value)));
        }
        Some((given, runs))
    }

    /// What a call gives a worker thread to run; nothing, if it gives it nothing.
    pub fn given_to_a_thread(&self, id: FunctionId, call: ValueIndex) -> Vec<ValueIndex> {
        match self.given_to_run(id, call) {
            Some((given, Runs::Thread)) => given,
            _ => Vec::new(),
        }
    }

    /// The values that an argument of the catalogue means at a call.
    pub fn arguments_meant(&self, call: &Call, argument: &Argument) -> Vec<ValueIndex> {
        if let Some(keyword) = &argument.keyword
            && let Some(given) = call.arguments.iter().find(|given| given.name.as_ref() == Some(keyword))
        {
            return vec![given.value];
        }
        let Some(position) = argument.position else { return Vec::new() };
        let positional = call.arguments.iter().filter(|given| given.name.is_none() && !given.is_spread);
        let from = positional.skip(usize::from(position)).map(|given| given.value);
        if argument.rest { from.collect() } else { from.take(1).collect() }
    }
}
