//! What becomes of a value: who uses it, and whether any use can still make something of it.
//!
//! A coroutine that is thrown away, tested for truth or written into a string is lost; one that is stored, returned or
//! handed to somebody is out of sight and taken for kept. A value is lost only if every one of its uses loses it:
//!
//! ~~~text
//! saving = save(row)        bound, and the only use of the name
//! if saving: …              is a condition: lost
//! ~~~

mod table;

use std::collections::BTreeSet;

use super::calls::Target;
use super::{FunctionId, Program};
use crate::catalogue::{Receiver, Runs, Term};
use crate::flow::{
    Call, Callee, Collection, FunctionKind, Next, ParameterKind, Quality, StepKind, Suspension, TypeTerm, ValueIndex,
    ValueKind, VariableIndex,
};
use crate::text::{Language, Span};
use table::Use;
pub use table::{Uses, for_each_part};

/// How often one value may lead to another.
const DEEPEST: u32 = 8;

/// What a value is, as far as it decides which uses lose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// Something to await, itself.
    Awaitable,
    /// A collection of things to await.
    Awaitables,
    /// The handle of something that runs.
    Handle,
    /// A collection of such handles.
    Handles,
}

/// How a value is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// It is thrown away where it is made.
    Discarded,
    /// It is bound to a variable that nobody reads afterwards.
    Unused(VariableIndex),
    /// It decides a branch.
    Condition,
    /// It goes into an operator or a string.
    Operation,
    /// It is handed to a call that does nothing with it.
    Sink(ValueIndex),
    /// It is handed to a function of the project that never looks at it.
    Ignored(ValueIndex),
    /// It is handed to a function of the project that is annotated to get what comes out of it.
    Mistyped(ValueIndex),
    /// It is looped over as if it were a list.
    Loop,
    /// It is taken apart as if it were a tuple.
    Unpacked,
    /// It is only given something to call when it is done, which keeps nothing.
    Callback(ValueIndex),
    /// It is only put where it may be collected all the same.
    Weak(ValueIndex),
}

/// One place where a value is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// How.
    pub how: Loss,
    /// Where.
    pub at: Span,
}

impl Program<'_> {
    /// Where a value is lost, if every one of its uses loses it; `None` if anybody may have it.
    pub fn losses(&self, id: FunctionId, uses: &Uses, value: ValueIndex, carries: Carries) -> Option<Vec<Lost>> {
        let mut lost = Vec::new();
        self.is_lost(id, uses, value, carries, DEEPEST, &mut lost).then_some(lost)
    }

    fn is_lost(
        &self,
        id: FunctionId,
        uses: &Uses,
        value: ValueIndex,
        carries: Carries,
        depth: u32,
        lost: &mut Vec<Lost>,
    ) -> bool {
        // A use that lowering does not record is not seen: no use at all proves nothing.
        let mut all = uses.of_value(value).peekable();
        if depth == 0 || all.peek().is_none() {
            return false;
        }
        let is_handle = matches!(carries, Carries::Handle | Carries::Handles);
        all.all(|one| match *one {
            Use::Kept => false,
            Use::Discarded(at) => {
                lost.push(Lost { how: Loss::Discarded, at });
                true
            }
            Use::Decides(at) => {
                // A handle that decides a branch where it is made is gone afterwards; one in a variable is there still.
                lost.push(Lost { how: Loss::Condition, at });
                !is_handle || matches!(self.function(id).value(value).kind, ValueKind::Call(_))
            }
            Use::Bound(variable, at) => self.is_lost_in(id, uses, (variable, value, at), carries, depth - 1, lost),
            Use::Part(user) => self.is_lost_as_part(id, uses, value, user, carries, depth - 1, lost),
        })
    }

    fn is_lost_in(
        &self,
        id: FunctionId,
        uses: &Uses,
        (variable, value, at): (VariableIndex, ValueIndex, Span),
        carries: Carries,
        depth: u32,
        lost: &mut Vec<Lost>,
    ) -> bool {
        let function = self.function(id);
        if function.quality != Quality::Whole || self.is_captured(id, variable) {
            return false;
        }
        let reads = uses.reads(variable).iter().filter(|&&read| {
            let read = function.value(read);
            self.reaching(id, variable, read.block, read.step).values.contains(&value)
        });
        let reads: Vec<ValueIndex> = reads.copied().collect();
        if reads.is_empty() {
            lost.push(Lost { how: Loss::Unused(variable), at });
            return true;
        }
        reads.into_iter().all(|read| match &function.value(read).kind {
            ValueKind::Place(place) if place.as_variable().is_some() => {
                self.is_lost(id, uses, read, carries, depth, lost)
            }
            _ => false,
        })
    }

    /// Whether a function inside this one uses a variable of it.
    pub fn is_captured(&self, id: FunctionId, variable: VariableIndex) -> bool {
        let module = self.module(id.module);
        module.functions.iter().any(|inner| {
            inner.parent == Some(id.index) && inner.variables.iter().any(|known| known.captures == Some(variable))
        })
    }

    #[allow(clippy::too_many_arguments)]
    fn is_lost_as_part(
        &self,
        id: FunctionId,
        uses: &Uses,
        value: ValueIndex,
        user: ValueIndex,
        carries: Carries,
        depth: u32,
        lost: &mut Vec<Lost>,
    ) -> bool {
        let function = self.function(id);
        let at = function.value(user).span;
        let is_python = self.language(id.module) == Language::Python;
        let mut lose = |how| {
            lost.push(Lost { how, at });
            true
        };
        if let Some(variable) = self.fills_unread(id, uses, user, value) {
            // For as long as the function waits for something else, its list keeps what runs.
            let is_handle = matches!(carries, Carries::Handle | Carries::Handles);
            return !(is_handle && self.gives_way_after(id, user)) && lose(Loss::Unused(variable));
        }
        match &function.value(user).kind {
            ValueKind::Choice(_) | ValueKind::Reference(_) => self.is_lost(id, uses, user, carries, depth, lost),
            ValueKind::Collection(kind, _) => match kind {
                Collection::Tuple | Collection::List | Collection::Set | Collection::Mapping => {
                    let together = match carries {
                        Carries::Awaitable | Carries::Awaitables => Carries::Awaitables,
                        Carries::Handle | Carries::Handles => Carries::Handles,
                    };
                    self.is_lost(id, uses, user, together, depth, lost)
                }
                Collection::Struct(_) | Collection::Join | Collection::Select(_) => false,
            },
            ValueKind::Operation(_) if carries == Carries::Awaitable && is_python => lose(Loss::Operation),
            ValueKind::Element(_) if carries == Carries::Awaitable && is_python => lose(Loss::Loop),
            ValueKind::Component(..) if carries == Carries::Awaitable && is_python => lose(Loss::Unpacked),
            ValueKind::Call(call) if self.collects(id, user, call, value) => {
                self.is_lost(id, uses, user, carries, depth, lost)
            }
            ValueKind::Call(call) => match carries {
                Carries::Awaitable | Carries::Awaitables if self.swallows(id, user, call, value) => {
                    lose(Loss::Sink(user))
                }
                Carries::Awaitable if self.only_wraps(id, user, call, value) => {
                    self.is_lost(id, uses, user, carries, depth, lost)
                }
                Carries::Awaitable if self.ignores(id, user, call, value) => lose(Loss::Ignored(user)),
                Carries::Awaitable if is_python && self.takes_a_plain_one(id, user, value) => {
                    lose(Loss::Mistyped(user))
                }
                Carries::Awaitables if self.only_asks(id, user, call, value) => lose(Loss::Sink(user)),
                Carries::Handle if self.only_calls_back(id, user, call, value) => lose(Loss::Callback(user)),
                Carries::Handle if self.keeps_weakly(id, user, call, value) => lose(Loss::Weak(user)),
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a call throws away what it is given here, if that is to be awaited.
    fn swallows(&self, id: FunctionId, user: ValueIndex, call: &Call, value: ValueIndex) -> bool {
        let resolution = self.resolution(id, user);
        let sink =
            resolution.external().and_then(|name| self.tables(self.language(id.module)).swallows_awaitables(name));
        sink.is_some_and(|argument| self.arguments_meant(call, argument).contains(&value))
    }

    /// Whether a call is one of a function of the project whose body never looks at this argument. What may be another
    /// method than it seems, or is not written yet, is left alone.
    fn ignores(&self, id: FunctionId, user: ValueIndex, call: &Call, value: ValueIndex) -> bool {
        let resolution = self.resolution(id, user);
        let &[Target::Function(callee)] = &resolution.targets[..] else { return false };
        let body = self.function(callee);
        let is_plain = call.arguments.iter().all(|argument| argument.name.is_none() && !argument.is_spread);
        let is_free = body.kind == FunctionKind::Free && body.owner.is_none() && body.in_impl.is_none();
        let is_whole = !body.is_bodiless && body.quality == Quality::Whole;
        if !is_plain || !is_free || !is_whole || !self.is_called_as_written(callee) {
            return false;
        }
        if !body.blocks.iter().any(|block| matches!(block.next, Next::Return(_))) {
            return false;
        }
        // An empty body in Python stands for one that somebody else brings.
        if self.language(callee.module) == Language::Python && body.steps().next().is_none() {
            return false;
        }
        let at = call.arguments.iter().position(|argument| argument.value == value);
        let Some(parameter) = at.and_then(|at| body.parameters.get(at)) else { return false };
        parameter.kind == ParameterKind::Positional
            && !body.variable(parameter.variable).name.is_empty()
            && Uses::of(&body).reads(parameter.variable).is_empty()
            && !self.is_captured(callee, parameter.variable)
    }

    /// Whether every function that a call may mean is one of the project that is annotated to get something that cannot be
    /// awaited here, and neither awaits it nor asks what it is (Python).
    fn takes_a_plain_one(&self, id: FunctionId, user: ValueIndex, value: ValueIndex) -> bool {
        let resolution = self.resolution(id, user);
        let takes = |target: &Target| {
            let (Target::Function(callee) | Target::Construct(_, Some(callee))) = *target else { return false };
            let body = self.function(callee);
            let is_it = |at: &u32| self.argument_for(id, user, callee, *at) == Some(value);
            let Some(at) = (0..body.parameters.len() as u32).find(is_it) else { return false };
            let parameter = &body.parameters[at as usize];
            let Some(annotation) = &parameter.annotation else { return false };
            // Anything at all is an object.
            let is_anything = matches!(annotation, TypeTerm::Path { segments, .. } if segments.last().is_some_and(|last| last == "object"));
            !is_anything
                && self.is_unawaitable(&self.term_type(callee, annotation))
                && self.is_called_as_written(callee)
                && !self.may_await(callee, parameter.variable)
        };
        !resolution.targets.is_empty() && resolution.targets.iter().all(takes)
    }

    /// Whether a function awaits a variable of its own, asks what it is, or leaves that to a function inside it (Python).
    pub fn may_await(&self, id: FunctionId, variable: VariableIndex) -> bool {
        let function = self.function(id);
        let is_it = |value: ValueIndex| matches!(&function.value(value).kind, ValueKind::Place(place) if place.as_variable() == Some(variable));
        let awaits = function.steps().any(|(.., step)| match step.kind {
            StepKind::Suspend(_, Some(of)) => is_it(of),
            _ => false,
        });
        awaits || self.asks_what_it_is(id, variable) || self.is_captured(id, variable)
    }

    /// Whether a call only puts an argument into a wrapper that it returns: `Box::pin(future)`.
    fn only_wraps(&self, id: FunctionId, user: ValueIndex, call: &Call, value: ValueIndex) -> bool {
        let Callee::Path(_) = call.callee else { return false };
        let resolution = self.resolution(id, user);
        let signature = resolution.external().and_then(|name| self.tables(self.language(id.module)).signature(name));
        let mut returned = signature.map(|signature| &signature.returns);
        while let Some(Term::Path { args, .. }) = returned {
            returned = args.first();
        }
        let Some(Term::Argument(at)) = returned else { return false };
        call.arguments.get(usize::from(*at)).is_some_and(|argument| argument.value == value)
    }

    /// Whether a method of a collection only says how much is in it.
    fn only_asks(&self, id: FunctionId, user: ValueIndex, call: &Call, value: ValueIndex) -> bool {
        let Callee::Method(receiver, _) = &call.callee else { return false };
        let resolution = self.resolution(id, user);
        let signature = resolution.external().and_then(|name| self.tables(self.language(id.module)).signature(name));
        *receiver == value && signature.is_some_and(|signature| {
            signature.receiver == Some(Receiver::Ref)
                && matches!(&signature.returns, Term::Path { name, args } if args.is_empty() && !name.contains("::"))
        })
    }

    /// Whether a call keeps what it is given only as long as somebody else does.
    fn keeps_weakly(&self, id: FunctionId, user: ValueIndex, call: &Call, value: ValueIndex) -> bool {
        let resolution = self.resolution(id, user);
        let kept = resolution.external().and_then(|name| self.tables(self.language(id.module)).keeps_weakly(name));
        kept.is_some_and(|argument| self.arguments_meant(call, argument).contains(&value))
    }

    /// Whether a call gives back what it is given, in another collection: `list(…)`.
    fn collects(&self, id: FunctionId, user: ValueIndex, call: &Call, value: ValueIndex) -> bool {
        let resolution = self.resolution(id, user);
        let argument = resolution.external().and_then(|name| self.tables(self.language(id.module)).collects(name));
        argument.is_some_and(|argument| self.arguments_meant(call, argument).contains(&value))
    }

    /// Whether a method of a handle only takes something to call later.
    fn only_calls_back(&self, id: FunctionId, user: ValueIndex, call: &Call, value: ValueIndex) -> bool {
        let Callee::Method(receiver, _) = &call.callee else { return false };
        *receiver == value
            && self.offload(id, &self.resolution(id, user)).is_some_and(|offload| offload.runs == Runs::Loop)
    }

    /// Everything in a function that is made from a value, itself included.
    pub fn made_from(&self, id: FunctionId, uses: &Uses, value: ValueIndex) -> BTreeSet<ValueIndex> {
        let mut found = BTreeSet::from([value]);
        let mut work = vec![value];
        while let Some(value) = work.pop() {
            work.extend(self.users(id, uses, value).into_iter().filter(|next| found.insert(*next)));
        }
        found
    }

    /// The values that are made from one at once, or read it by the name it was given.
    pub fn users(&self, id: FunctionId, uses: &Uses, value: ValueIndex) -> Vec<ValueIndex> {
        let function = self.function(id);
        let mut found: Vec<ValueIndex> = uses.parts_of(value).collect();
        for variable in uses.bound_to(value) {
            found.extend(uses.reads(variable).iter().filter(|&&read| {
                let read = function.value(read);
                self.reaching(id, variable, read.block, read.step).values.contains(&value)
            }));
        }
        found
    }

    /// The reads of places that a value is made from, through the variables that hold them on the way.
    pub fn reads_behind(&self, id: FunctionId, value: ValueIndex) -> Vec<ValueIndex> {
        let function = self.function(id);
        let mut found = Vec::new();
        let mut seen = BTreeSet::from([value]);
        let mut work = vec![value];
        while let Some(value) = work.pop() {
            let node = function.value(value);
            match &node.kind {
                ValueKind::Place(place) => match place.as_variable() {
                    Some(variable) => {
                        let reaching = self.reaching(id, variable, node.block, node.step);
                        work.extend(reaching.values.into_iter().filter(|bound| seen.insert(*bound)));
                    }
                    None => found.push(value),
                },
                kind => for_each_part(kind, |part| {
                    if seen.insert(part) {
                        work.push(part);
                    }
                }),
            }
        }
        found.sort_unstable();
        found
    }

    /// Whether a function waits at length, or yields, at or after a step: what its variables hold lives as long.
    pub fn stays_after(&self, id: FunctionId, block: crate::flow::BlockIndex) -> bool {
        let function = self.function(id);
        let is_in_loop = |at: crate::flow::BlockIndex| {
            function.blocks[at.at()].in_loop.is_some_and(|index| {
                let around = &function.loops[index.at()];
                // The loop that the value is bound in binds it anew at every turn.
                around.kind != crate::flow::LoopKind::For && function.blocks[block.at()].in_loop != Some(index)
            })
        };
        function.comes_to_step((block, 0), |(at, _), step| match step.kind {
            StepKind::Suspend(Suspension::Yield, _) => true,
            StepKind::Suspend(..) => is_in_loop(at),
            _ => false,
        })
    }
}
