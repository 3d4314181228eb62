//! Where a function runs: on the loop, in a worker thread, as several tasks at once.
//!
//! Colour is syntax, context is a fact of its own. A function's context comes from its decorators, from the class or
//! trait whose method it overrides, from whom it is handed to in its own file, and else from its colour.

use std::sync::Arc;

use super::names::Item;
use super::types::Type;
use super::{FunctionId, Program};
use crate::catalogue::Runs;
use crate::flow::{Callee, FunctionKind, Root, TypeTerm, ValueIndex, ValueKind};
use crate::text::{Language, Span};
use crate::verdict::Location;

/// Where a function runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Every place that is known; empty when nothing is.
    pub runs: Vec<Runs>,
    /// What shows that it runs on the loop although its colour does not say so.
    pub shown: Option<(Location, String)>,
    /// Where it shows that several calls of it may be under way at once, and what shows it.
    pub concurrent: Option<(Location, String)>,
}

impl Context {
    /// Whether it runs on an event loop or an executor's worker.
    pub fn is_on_loop(&self) -> bool {
        self.runs.iter().any(|runs| matches!(runs, Runs::Loop | Runs::Greenlet | Runs::Task | Runs::Test))
    }

    /// Whether queries of a database give way where it runs.
    pub fn gives_way_at_queries(&self) -> bool {
        self.runs.contains(&Runs::Greenlet)
    }

    /// Whether it runs in a worker thread, whatever else.
    pub fn is_in_thread(&self) -> bool {
        self.runs.contains(&Runs::Thread)
    }

    /// Whether it is known to run where blocking is allowed, and nowhere else.
    pub fn is_elsewhere_only(&self) -> bool {
        !self.runs.is_empty()
            && self.runs.iter().all(|runs| matches!(runs, Runs::Thread | Runs::Process | Runs::Main | Runs::Signal))
    }
}

/// A function that is handed over to run somewhere.
#[derive(Clone, Debug)]
pub struct HandOver {
    /// The function.
    pub callee: FunctionId,
    /// Who hands it over.
    pub by: FunctionId,
    /// Where it will run.
    pub runs: Runs,
    /// Whether several may run at once: handed over in a loop, or several times.
    pub is_repeated: bool,
    /// Whether it is a method of the same object each time, as far as the text tells.
    pub is_same_receiver: bool,
    /// Where it is handed over.
    pub at: Location,
    /// To whom, in the user's own words.
    pub to: String,
}

impl<'a> Program<'a> {
    /// Where a function runs.
    pub fn context(&self, id: FunctionId) -> Arc<Context> {
        if let Some(known) = self.contexts.borrow().get(&id) {
            return known.clone();
        }
        self.contexts.borrow_mut().insert(id, Arc::default());
        let found = Arc::new(self.deeper(Context::default(), || self.find_context(id)));
        self.contexts.borrow_mut().insert(id, found.clone());
        found
    }

    fn find_context(&self, id: FunctionId) -> Context {
        let function = self.function(id);
        let mut context = Context::default();
        let mut add = |runs: Runs| {
            let runs = match runs {
                Runs::Colour if function.is_async() => Runs::Task,
                Runs::Colour => Runs::Thread,
                other => other,
            };
            if runs != Runs::Same && !context.runs.contains(&runs) {
                context.runs.push(runs);
            }
        };
        let mut concurrent = None;
        let mut shown = None;
        for (span, entry) in self.declared_contexts(id) {
            let runs = if function.is_async() { entry.r#async } else { entry.sync };
            // No loop runs while a runner calls a plain test, fixture or helper, in a class of asynchronous tests neither.
            if let Some(runs) = runs.filter(|runs| *runs != Runs::Test || function.is_async()) {
                add(runs);
                let what = format!("`{}` runs on the loop by this", function.name);
                shown = shown.or(Some((self.location(id, span), what)));
            }
            if entry.concurrent {
                let what = format!("`{}` may be called again while a call of it is under way", function.name);
                concurrent = concurrent.or(Some((self.location(id, span), what)));
            }
        }
        for hand_over in self.handed_over(id).iter() {
            add(hand_over.runs);
            let what = format!("`{}` is handed over here", hand_over.to);
            shown = shown.or(Some((hand_over.at.clone(), what)));
            if hand_over.is_repeated && concurrent.is_none() {
                let what = format!("`{}` is started here several times", hand_over.to);
                concurrent = Some((hand_over.at.clone(), what));
            }
        }
        if self.is_driven_in_a_thread(id) {
            context.runs = vec![Runs::Thread];
        } else if function.is_async() {
            if !context.runs.iter().any(|runs| matches!(runs, Runs::Test)) {
                context.runs.push(Runs::Task);
            }
        } else if context.runs.is_empty()
            && let Some(parent) = function.parent.map(|index| FunctionId { module: id.module, index })
            && (function.kind == FunctionKind::GeneratorExpression
                || function.kind == FunctionKind::Closure && self.runs_where_it_stands(id, parent))
        {
            let parent = self.context(parent);
            context.runs = parent.runs.clone();
            shown = parent.shown.clone();
        }
        context.concurrent = concurrent;
        context.shown = shown;
        context
    }

    /// Whether a function runs where its object ends, on whatever thread that is.
    pub fn is_destructor(&self, id: FunctionId) -> bool {
        let function = self.function(id);
        match self.language(id.module) {
            Language::Python => function.kind == FunctionKind::Method && function.name == "__del__",
            Language::Rust => {
                let of_trait = function.in_impl.and_then(|at| function.module().impls[at as usize].of_trait.clone());
                matches!(&of_trait, Some(TypeTerm::Path { segments, .. })
                    if function.name == "drop" && segments.last().is_some_and(|last| last == "Drop"))
            }
        }
    }

    /// Whether the end of a type's values runs code of the project.
    pub fn ends_with_code(&self, of: super::TypeId) -> bool {
        let runs = |member: &super::names::Member| matches!(member, super::names::Member::Function(id) if self.is_destructor(*id));
        self.method(of, "drop").iter().any(runs)
    }

    /// What decorators, attributes and overridden methods say.
    pub(super) fn declared_contexts(&self, id: FunctionId) -> Vec<(Span, &'a crate::catalogue::Context)> {
        let function = self.function(id);
        let language = self.language(id.module);
        let tables = self.tables(language);
        let mut found = Vec::new();
        for decorator in &function.decorators {
            let Some(name) = self.decorator_name(id, &decorator.path) else { continue };
            found.extend(tables.context_of_decorator(&name).map(|entry| (decorator.span, entry)));
        }
        if let Type::Instance(owner) = self.owner_type(id)
            && let Some(definition) = owner.definition
        {
            for base in self.all_bases(definition) {
                found.extend(tables.context_of_method(&base, &function.name).map(|entry| (function.header, entry)));
            }
        }
        if let Some(at) = function.in_impl {
            let module = self.module(id.module);
            let block = &module.impls[at as usize];
            if let Some(TypeTerm::Path { segments, .. }) = &block.of_trait
                && let Item::External(name) = self.resolve(id.module, &block.scope, segments)
            {
                found.extend(tables.context_of_method(&name, &function.name).map(|entry| (function.header, entry)));
            }
        }
        found
    }

    /// The external names that a type derives from, through the project's own classes.
    pub fn all_bases(&self, id: super::TypeId) -> Vec<String> {
        let mut found = Vec::new();
        let mut work = vec![id];
        let mut seen = vec![id];
        while let Some(id) = work.pop() {
            for base in &*self.bases(id) {
                match base {
                    Item::External(name) => found.push(name.clone()),
                    Item::Type(base) if !seen.contains(base) => {
                        seen.push(*base);
                        work.push(*base);
                    }
                    _ => {}
                }
            }
        }
        found
    }

    /// The canonical name of a decorator: `app.get` where `app` is an instance is its type's `get`.
    pub fn decorator_name(&self, id: FunctionId, path: &[String]) -> Option<String> {
        let (last, head) = path.split_last()?;
        if let Item::External(name) = self.resolve_in(id, path) {
            return Some(name);
        }
        if head.is_empty() {
            return None;
        }
        let head = self.resolve_in(id, head);
        match self.item_type(&head) {
            Type::Instance(instance) if instance.definition.is_none() => Some(format!("{}.{last}", instance.name)),
            Type::Instance(instance) => {
                let bases = self.all_bases(instance.definition?);
                bases.first().map(|base| format!("{base}.{last}"))
            }
            Type::External(name) => Some(format!("{name}.{last}")),
            _ => None,
        }
    }

    /// Every time that its own file hands a function over to somebody who runs it.
    pub fn handed_over(&self, id: FunctionId) -> Arc<Vec<HandOver>> {
        if let Some(known) = self.handed.borrow().get(&id) {
            return known.clone();
        }
        self.handed.borrow_mut().insert(id, Arc::default());
        let mut found: Vec<HandOver> = Vec::new();
        for index in self.may_mean(id) {
            let handing = self.hands_over(FunctionId { module: id.module, index });
            found.extend(handing.iter().filter(|hand_over| hand_over.callee == id).cloned());
        }
        // The same function handed over at two places runs at least twice.
        let is_task = |hand_over: &&mut HandOver| hand_over.runs == Runs::Task;
        if found.iter_mut().filter(is_task).count() > 1 {
            found.iter_mut().filter(is_task).for_each(|hand_over| hand_over.is_repeated = true);
        }
        let found = Arc::new(found);
        self.handed.borrow_mut().insert(id, found.clone());
        found
    }

    /// What a function hands over to somebody who runs it.
    pub fn hands_over(&self, id: FunctionId) -> Arc<Vec<HandOver>> {
        if let Some(known) = self.handing.borrow().get(&id) {
            return known.clone();
        }
        self.handing.borrow_mut().insert(id, Arc::default());
        let mut found = Vec::new();
        for (at, value) in self.function(id).values.iter().enumerate() {
            if let ValueKind::Call(call) = &value.kind {
                self.add_hand_overs(id, ValueIndex(at as u32), call, &mut found);
            }
        }
        let found = Arc::new(found);
        self.handing.borrow_mut().insert(id, found.clone());
        found
    }

    fn add_hand_overs(&self, id: FunctionId, value: ValueIndex, call: &crate::flow::Call, found: &mut Vec<HandOver>) {
        if call.arguments.is_empty() {
            return;
        }
        let resolution = self.resolution(id, value);
        let function = self.function(id);
        let made = function.value(value);
        let here = function.blocks[made.block.at()].in_loop;
        // What is awaited where it is started runs once at a time, however often.
        let again = here.is_some() && !self.is_awaited(id, value);
        let mut add = |argument: ValueIndex, runs: Runs| {
            let around = function.blocks[function.value(argument).block.at()].in_loop;
            let several = around.is_some() && around != here;
            for callee in self.functions_meant(id, argument) {
                found.push(HandOver {
                    callee,
                    by: id,
                    runs,
                    is_repeated: again || several,
                    is_same_receiver: self.is_same_receiver(id, argument),
                    at: self.location(id, made.span),
                    to: self.function(callee).name.clone(),
                });
            }
        };
        // A coroutine that a loop of unknown origin is given to start.
        if let (Callee::Method(_, method), true) = (&call.callee, resolution.targets.is_empty())
            && self.tables(self.language(id.module)).is_spawning(method)
        {
            for argument in call.arguments.iter().filter(|argument| function.call(argument.value).is_some()) {
                add(argument.value, Runs::Task);
            }
        }
        if let Some(offload) = self.offload(id, &resolution) {
            for argument in self.arguments_meant(call, &offload.callable) {
                add(argument, offload.runs);
            }
        } else if call.arguments.iter().any(|argument| may_name_a_function(&function.value(argument.value).kind)) {
            for (argument, runs) in self.arguments_forwarded(id, value) {
                // A wrapper looks first whether it is given a coroutine function, and awaits that.
                if self.functions_meant(id, argument).iter().all(|callee| !self.function(*callee).is_async()) {
                    add(argument, runs);
                }
            }
        }
        if let Some(spawn) = self.spawn(id, &resolution) {
            for argument in self.arguments_meant(call, &spawn.argument) {
                add(argument, spawn.runs);
            }
            if spawn.argument.rest {
                for argument in call.arguments.iter().filter(|argument| argument.is_spread) {
                    for item in self.items_of(id, argument.value) {
                        add(item, spawn.runs);
                    }
                }
            }
        }
    }

    /// What a collection was written with: `[f(x) for x in xs]`, also by the name it was given.
    pub fn items_of(&self, id: FunctionId, value: ValueIndex) -> Vec<ValueIndex> {
        let function = self.function(id);
        let node = function.value(value);
        match &node.kind {
            ValueKind::Collection(_, items) => items.iter().map(|(_, item)| *item).collect(),
            ValueKind::Place(place) => {
                let Some(variable) = place.as_variable() else { return Vec::new() };
                let bound = self.reaching(id, variable, node.block, node.step).values;
                let items = bound.into_iter().filter_map(|bound| match &function.value(bound).kind {
                    ValueKind::Collection(_, items) => Some(items.iter().map(|(_, item)| *item)),
                    _ => None,
                });
                items.flatten().collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether a method that is handed over belongs to one object however often that happens.
    fn is_same_receiver(&self, id: FunctionId, argument: ValueIndex) -> bool {
        let function = self.function(id);
        let value = function.value(argument);
        let receiver = match &value.kind {
            ValueKind::Call(call) => match &call.callee {
                Callee::Method(receiver, _) => &function.value(*receiver).kind,
                _ => return true,
            },
            kind => kind,
        };
        let ValueKind::Place(place) = receiver else { return false };
        let Root::Variable(variable) = place.root else { return true };
        let around = function.blocks[value.block.at()].in_loop;
        // A variable that the loop gives a value is another object at every turn.
        let is_made_anew = |bound: &ValueIndex| {
            let inside = function.blocks[function.value(*bound).block.at()].in_loop;
            inside.is_some() && inside == around
        };
        !self.shape(id).binds(variable).any(|bound| is_made_anew(&bound))
    }

    /// The project functions that an argument means: the function itself, or the one whose coroutine it is.
    pub fn functions_meant(&self, id: FunctionId, argument: ValueIndex) -> Vec<FunctionId> {
        let function = self.function(id);
        match &function.value(argument).kind {
            ValueKind::Function(index) => vec![FunctionId { module: id.module, index: *index }],
            ValueKind::Call(_) => {
                let resolution = self.resolution(id, argument);
                resolution.functions().into_iter().filter(|callee| self.function(*callee).is_async()).collect()
            }
            _ => match self.value_type(id, argument) {
                Type::Function(callee) => vec![callee],
                _ => Vec::new(),
            },
        }
    }
}

/// Whether a value may be a function that is handed over; what a call gives is none.
fn may_name_a_function(kind: &ValueKind) -> bool {
    matches!(kind, ValueKind::Function(_) | ValueKind::Place(_) | ValueKind::Path(..) | ValueKind::Field(..))
}
