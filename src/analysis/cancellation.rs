//! Where a cancellation goes that arrives while a function is suspended.
//!
//! It goes the way of exceptions, outwards, until somebody takes it:
//!
//! ~~~text
//! try:
//!     await job()             it arrives here
//! except OSError: …           does not take it
//! except BaseException: …     takes it, and hands it on only where the handler raises it again
//! finally: …                  sees it pass, unless it leaves by a jump of its own
//! ~~~

use std::collections::BTreeMap;

use super::types::Type;
use super::ways::{Ways, ways_out};
use super::{FunctionId, Program};
use crate::catalogue::{Does, Takes};
use crate::flow::{
    BlockIndex, Callee, Colour, Function, ManagedIndex, Next, Region, StepKind, Suspension, ValueIndex, ValueKind,
    VariableIndex,
};
use crate::text::Span;

/// Somebody who takes cancellations.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Who.
    pub taker: Taker,
    /// The suspensions at which they arrive.
    pub from: Vec<Arrival>,
}

/// A suspension at which a cancellation may arrive.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// The block.
    pub block: BlockIndex,
    /// Where it is written.
    pub span: Span,
    /// What is waited for.
    pub of: Option<ValueIndex>,
}

/// Who takes a cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Taker {
    /// A handler.
    Handler {
        /// The number of its `try`.
        attempt: usize,
        /// Its own number.
        handler: usize,
        /// The class that takes it; none where the handler names none.
        class: Option<ValueIndex>,
        /// What else that takes.
        takes: Takes,
    },
    /// A managed block that suppresses it.
    Suppressor {
        /// The block.
        managed: ManagedIndex,
        /// The class that takes it.
        class: ValueIndex,
        /// What else that takes.
        takes: Takes,
    },
    /// A `finally` that leaves by a jump of its own.
    Cleanup {
        /// The number of its `try`.
        attempt: usize,
    },
}

/// What stands at a block where exceptions come to.
#[derive(Clone, Copy)]
enum Stop {
    Handlers(usize),
    Cleanup(usize),
    Managed(ManagedIndex),
}

impl Program<'_> {
    /// Everybody in an asynchronous function who takes cancellations, with where these arrive.
    pub fn cancellations_taken(&self, id: FunctionId) -> Vec<Taken> {
        let function = self.function(id);
        let mut by_handler: BTreeMap<BlockIndex, Vec<Arrival>> = BTreeMap::new();
        if !function.is_async() || (function.attempts.is_empty() && function.managed.is_empty()) {
            return Vec::new();
        }
        let shape = self.shape(id);
        for (block, _, step) in function.steps() {
            let StepKind::Suspend(how, of) = step.kind else { continue };
            let Some(to) = function.blocks[block.at()].on_raise else { continue };
            if how != Suspension::Yield && shape.is_reachable(block) && self.may_suspend(id, how, of) {
                by_handler.entry(to).or_default().push(Arrival { block, span: step.span, of });
            }
        }
        let stops = stops(&function);
        let mut taken: BTreeMap<Taker, Vec<Arrival>> = BTreeMap::new();
        for (to, arrivals) in by_handler {
            function.reached([to], |at, block, on| {
                let outwards = block.on_raise;
                match stops.get(&at) {
                    Some(Stop::Handlers(attempt)) => match self.handler_for(id, *attempt) {
                        Some(taker) => {
                            let again = self.ways_of(id, taker).again;
                            on.extend(again.iter().filter_map(|block| function.blocks[block.at()].on_raise));
                            taken.entry(taker).or_default().extend(arrivals.iter().copied());
                        }
                        None => on.extend(outwards),
                    },
                    Some(Stop::Cleanup(attempt)) => {
                        let taker = Taker::Cleanup { attempt: *attempt };
                        if self.ways_of(id, taker).lost.iter().any(|way| way.by.is_some()) {
                            taken.entry(taker).or_default().extend(arrivals.iter().copied());
                        } else {
                            on.extend(outwards);
                        }
                    }
                    Some(Stop::Managed(managed)) => match self.suppressed_class(id, *managed) {
                        Some((class, takes)) => {
                            let taker = Taker::Suppressor { managed: *managed, class, takes };
                            taken.entry(taker).or_default().extend(arrivals.iter().copied());
                        }
                        None => on.extend(outwards),
                    },
                    None => {}
                }
            });
        }
        taken.into_iter().map(|(taker, from)| Taken { taker, from }).collect()
    }

    /// The first handler of a `try` that takes cancellations.
    fn handler_for(&self, id: FunctionId, attempt: usize) -> Option<Taker> {
        let function = self.function(id);
        function.attempts[attempt].handlers.iter().enumerate().find_map(|(handler, body)| {
            if body.catches.is_empty() {
                return Some(Taker::Handler { attempt, handler, class: None, takes: Takes::Everything });
            }
            let named = |class: &ValueIndex| Some((*class, self.takes_cancellation(id, *class)?));
            // Of two classes that both take it, the narrower one says what was meant.
            let (class, takes) = body.catches.iter().filter_map(named).min_by_key(|(_, takes)| *takes)?;
            Some(Taker::Handler { attempt, handler, class: Some(class), takes })
        })
    }

    /// What a class of exceptions takes, if it takes cancellations.
    pub fn takes_cancellation(&self, id: FunctionId, class: ValueIndex) -> Option<Takes> {
        let tables = self.tables(self.language(id.module));
        let of_type = |of: &Type| match of {
            Type::External(name) => tables.exception(name).map(|known| known.takes),
            Type::Instance(instance) if instance.definition.is_none() => {
                tables.exception(&instance.name).map(|known| known.takes)
            }
            _ => None,
        };
        of_type(&self.value_type(id, class))
    }

    /// Whether a class of exceptions takes whatever fails, and no cancellation.
    pub fn takes_failures(&self, id: FunctionId, class: ValueIndex) -> bool {
        let tables = self.tables(self.language(id.module));
        matches!(&self.value_type(id, class), Type::External(name) if tables.is_of_failures(name))
    }

    /// The class by which a managed block takes cancellations.
    fn suppressed_class(&self, id: FunctionId, managed: ManagedIndex) -> Option<(ValueIndex, Takes)> {
        let function = self.function(id);
        let value = function.managed[managed.at()].value;
        let call = function.call(value)?;
        let name = self.resolution(id, value);
        let classes = self.tables(self.language(id.module)).suppresses(name.external()?)?;
        let given = self.arguments_meant(call, classes);
        given.into_iter().find_map(|class| Some((class, self.takes_cancellation(id, class)?)))
    }

    /// How control leaves what takes a cancellation.
    pub fn ways_of(&self, id: FunctionId, taker: Taker) -> Ways {
        let function = self.function(id);
        match taker {
            Taker::Handler { attempt, handler, .. } => {
                let handler = &function.attempts[attempt].handlers[handler];
                let is_again = |block, value| self.is_it_again(id, block, value);
                ways_out(&function, &handler.region, is_again, |block| self.calls_what_never_returns(id, block))
            }
            Taker::Cleanup { attempt } => match &function.attempts[attempt].cleanup {
                Some(region) => {
                    let mut ways = ways_out(&function, region, |_, _| None, |_| false);
                    // At its end the exception goes on; only a jump takes it.
                    ways.lost.retain(|way| way.by.is_some());
                    ways
                }
                None => Ways::default(),
            },
            Taker::Suppressor { managed, .. } => Ways::after(&function, managed),
        }
    }

    /// Whether a block calls a function of the project that only ever raises: `self._convert(error)`, for a handler that
    /// several methods share.
    fn calls_what_never_returns(&self, id: FunctionId, block: BlockIndex) -> bool {
        let function = self.function(id);
        function.blocks[block.at()].steps.iter().any(|step| match step.kind {
            StepKind::Call(call) => {
                let resolution = self.resolution(id, call);
                let callees = resolution.functions();
                let is_all = callees.len() == resolution.targets.len() && !callees.is_empty();
                is_all && callees.into_iter().all(|callee| self.never_returns(callee))
            }
            _ => false,
        })
    }

    /// Whether control never comes to the end of a plain function with a body.
    fn never_returns(&self, id: FunctionId) -> bool {
        let function = self.function(id);
        let shape = self.shape(id);
        let ends = |(at, block): (usize, &crate::flow::Block)| {
            matches!(block.next, Next::Return(_)) && shape.is_reachable(BlockIndex(at as u32))
        };
        function.colour == Colour::Plain
            && !function.is_bodiless
            && !self.is_stub(id)
            && !function.blocks.iter().enumerate().any(ends)
    }

    /// Whether a `raise` raises the cancellation again that a handler around it took; `None` if it raises what another
    /// handler took.
    fn is_it_again(&self, id: FunctionId, block: BlockIndex, raised: Option<ValueIndex>) -> Option<bool> {
        let function = self.function(id);
        let around: Vec<_> = function
            .attempts
            .iter()
            .flat_map(|attempt| &attempt.handlers)
            .filter(|handler| handler.region.has(block))
            .collect();
        let takes = |handler: &crate::flow::Handler| {
            handler.catches.is_empty()
                || handler.catches.iter().any(|class| self.takes_cancellation(id, *class).is_some())
        };
        let Some(raised) = raised else {
            let innermost = around.iter().max_by_key(|handler| handler.header.start)?;
            return takes(innermost).then_some(true);
        };
        if let Some(variable) = root_variable(&function, raised) {
            let of = around.iter().find(|handler| handler.received == Some(variable));
            if let Some(handler) = of {
                return Some(takes(handler));
            }
        }
        Some(self.takes_cancellation(id, raised) == Some(Takes::Cancellation))
    }

    /// Whether what is waited for at a suspension is a task or future rather than a coroutine that runs in this task: a
    /// cancellation that comes out of it may be its own.
    pub fn waits_for_a_handle(&self, id: FunctionId, of: ValueIndex) -> bool {
        let function = self.function(id);
        let value = function.value(of);
        match &value.kind {
            ValueKind::Place(place) => match place.as_variable() {
                Some(variable) => {
                    let bound = self.reaching(id, variable, value.block, value.step).values;
                    bound.is_empty() || !bound.iter().all(|bound| self.makes(id, *bound).is_some())
                }
                None => true,
            },
            ValueKind::Field(..) | ValueKind::Index(_) => true,
            ValueKind::Call(call) => {
                let resolution = self.resolution(id, of);
                let tables = self.tables(self.language(id.module));
                let Some(name) = resolution.external() else { return false };
                let Some(argument) = tables.consumes_awaitables(name) else { return false };
                let mut waited = self.arguments_meant(call, argument);
                waited.extend(call.arguments.iter().filter(|argument| argument.is_spread).map(|given| given.value));
                !waited.is_empty()
                    && waited.iter().all(|one| {
                        !matches!(function.value(*one).kind, ValueKind::Call(_)) && self.waits_for_a_handle(id, *one)
                    })
            }
            _ => false,
        }
    }

    /// Whether a task or future in a variable is cancelled with the function that waits for a value: it is awaited
    /// itself, or by a call that passes a cancellation on to what it is given.
    pub fn is_cancelled_with_its_waiter(&self, id: FunctionId, of: ValueIndex, variable: VariableIndex) -> bool {
        let function = self.function(id);
        match &function.value(of).kind {
            ValueKind::Place(place) => place.as_variable() == Some(variable),
            ValueKind::Collection(_, items) => {
                items.iter().any(|(_, item)| self.is_cancelled_with_its_waiter(id, *item, variable))
            }
            ValueKind::Call(call) => {
                let resolution = self.resolution(id, of);
                let tables = self.tables(self.language(id.module));
                let Some(name) = resolution.external() else { return false };
                let stands_between =
                    tables.shields(name).is_some() || tables.gather(name).is_some_and(|one| one.silent);
                let Some(argument) = tables.consumes_awaitables(name).filter(|_| !stands_between) else { return false };
                let given = self.arguments_meant(call, argument);
                given.into_iter().any(|one| self.is_cancelled_with_its_waiter(id, one, variable))
            }
            _ => false,
        }
    }

    /// Where a function of the same file awaits a call of a function that may mean this one.
    pub fn awaited_directly(&self, id: FunctionId) -> Option<(FunctionId, Span)> {
        let name = &self.function(id).name;
        let module = self.module(id.module);
        module.functions().find_map(|(index, caller)| {
            let by = FunctionId { module: id.module, index };
            let shape = self.shape(by);
            let calls = caller.values.iter().enumerate().filter(|(_, value)| {
                let ValueKind::Call(call) = &value.kind else { return false };
                match &call.callee {
                    Callee::Path(path) => path.last() == Some(name),
                    Callee::Method(_, method) | Callee::Super(method) => method == name,
                    Callee::Value(_) => true,
                    Callee::Macro(_) => false,
                }
            });
            let awaited = calls.filter(|(at, _)| shape.awaited(ValueIndex(*at as u32)).is_some());
            let here = |at: usize| self.resolution(by, ValueIndex(at as u32)).functions().contains(&id);
            let mut found = awaited.filter(|(at, _)| here(*at)).map(|(_, value)| (by, value.span));
            found.next()
        })
    }

    /// Whether a call gives a future its outcome, by the method's name.
    pub fn settles(&self, id: FunctionId, call: ValueIndex) -> bool {
        let function = self.function(id);
        let name = function.call(call).and_then(|call| match &call.callee {
            Callee::Method(_, name) => Some(name),
            _ => None,
        });
        name.is_some_and(|name| self.tables(self.language(id.module)).verb(name) == Some(Does::Settles))
    }

    /// The calls of methods in a function that do something of one sort, by their names: the call and its receiver.
    pub fn verbs(&self, id: FunctionId, does: Does) -> Vec<(ValueIndex, ValueIndex)> {
        let function = self.function(id);
        let tables = self.tables(self.language(id.module));
        let calls = function.values.iter().enumerate().filter_map(|(at, value)| match &value.kind {
            ValueKind::Call(call) => match &call.callee {
                Callee::Method(receiver, name) if tables.verb(name) == Some(does) => {
                    Some((ValueIndex(at as u32), *receiver))
                }
                _ => None,
            },
            _ => None,
        });
        calls.collect()
    }
}

/// The variable at the root of a value: `error` of `error.with_traceback(…)`.
fn root_variable(function: &Function, value: ValueIndex) -> Option<crate::flow::VariableIndex> {
    match &function.value(value).kind {
        ValueKind::Place(place) => place.as_variable(),
        ValueKind::Call(call) => match call.callee {
            Callee::Method(receiver, _) => root_variable(function, receiver),
            _ => None,
        },
        _ => None,
    }
}

/// What stands where exceptions come to.
fn stops(function: &Function) -> BTreeMap<BlockIndex, Stop> {
    let mut stops = BTreeMap::new();
    for (number, attempt) in function.attempts.iter().enumerate() {
        let first = function.blocks[attempt.body.entry.at()].on_raise;
        if let (Some(first), false) = (first, attempt.handlers.is_empty()) {
            stops.insert(first, Stop::Handlers(number));
        }
        if let Some(Region { entry, .. }) = &attempt.cleanup {
            stops.insert(*entry, Stop::Cleanup(number));
        }
    }
    for (at, block) in function.blocks.iter().enumerate() {
        if let (Some(first), Next::Raise(None)) = (block.steps.first(), &block.next)
            && let StepKind::Exit(managed) = first.kind
        {
            stops.insert(BlockIndex(at as u32), Stop::Managed(managed));
        }
    }
    stops
}
