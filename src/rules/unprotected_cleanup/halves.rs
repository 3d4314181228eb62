//! Cleanup that is written for one way out only: what a timeout ends, a cancellation leaves running.
//!
//! ~~~text
//! try:
//!     await wait_for(process.communicate(), 5)     a cancellation arrives here …
//! except TimeoutError:
//!     process.kill()                               … and does not come by here
//! ~~~
//!
//! A task that is awaited itself is cancelled with whoever awaits it, and needs no such way out.

use crate::analysis::FunctionId;
use crate::analysis::cancellation::{Arrival, Taker};
use crate::analysis::types::Type;
use crate::catalogue::Does;
use crate::flow::{
    Attempt, BlockIndex, Function, Goes, StepKind, Stretch, Suspension, ValueIndex, ValueKind, VariableIndex,
};
use crate::text::Span;
use crate::verdict::{Confidence, Level, Verdict};

use super::super::context::RuleContext;
use super::NAME;
use super::ends_quietly::ends_quietly;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if !function.is_async() {
        return;
    }
    raised_by_its_own(cx, id, out);
    if function.attempts.is_empty() {
        return;
    }
    left_by_a_wait(cx, id, out);
    let mut ends = cx.program.verbs(id, Does::Ends);
    ends.extend(cx.program.verbs(id, Does::Cancels));
    let ended: Vec<(ValueIndex, VariableIndex)> = ends
        .into_iter()
        .filter_map(|(call, receiver)| match &function.value(receiver).kind {
            ValueKind::Place(place) => Some((call, place.as_variable()?)),
            _ => None,
        })
        .collect();
    let mut told = Vec::new();
    for &(call, variable) in &ended {
        let at = function.value(call).block;
        let Some((attempt, handler)) = handler_around(&function, at) else { continue };
        if told.contains(&variable) || !is_made_here(cx, id, variable) {
            continue;
        }
        let takes = function.attempts[attempt].handlers[handler]
            .catches
            .iter()
            .any(|class| cx.program.takes_cancellation(id, *class).is_some());
        if takes || function.attempts[attempt].handlers[handler].catches.is_empty() {
            continue;
        }
        let is_ended_elsewhere = ended.iter().any(|(other, of)| {
            *of == variable && is_on_the_way_of_a_cancellation(cx, id, function.value(*other).block)
        });
        let arrival = arrival_in(cx, id, &function.attempts[attempt], variable);
        let (Some(arrival), false) = (arrival, is_ended_elsewhere) else { continue };
        told.push(variable);
        let name = &function.variable(variable).name;
        let class = function.attempts[attempt].handlers[handler].catches[0];
        let class = cx.program.value_text(id, class);
        out.push(
            cx.violated(NAME, Confidence::Medium, id, function.value(call).span, &format!("`{name}`"))
                .assumes(format!("`{name}` is ended on every way out"))
                .says(format!("`{name}` is ended on `{class}` only: a cancellation leaves it running"))
                .helps("end it in a `finally`, or in a handler for cancellation that raises it again")
                .evidence(cx.location(id, arrival), "a cancellation that arrives here goes past it")
                .level(Level::Warning),
        );
    }
}

/// Tasks of this function that it waits for in a way that does not cancel them with it, inside a `try` whose `finally`
/// does not do so either.
fn left_by_a_wait(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let tables = cx.program.tables(cx.language(id.module));
    let touches = |variable: VariableIndex| move |value: &crate::flow::Value| matches!(&value.kind, ValueKind::Place(place) if place.as_variable() == Some(variable));
    for (at, value) in function.values.iter().enumerate() {
        let index = ValueIndex(at as u32);
        let ValueKind::Call(call) = &value.kind else { continue };
        if call.arguments.is_empty() || !cx.program.is_awaited(id, index) {
            continue;
        }
        let resolution = cx.resolution(id, index);
        let gather = resolution.external().and_then(|name| tables.gather(name));
        let Some(gather) = gather.filter(|gather| gather.silent) else { continue };
        let around = function.attempts.iter().filter(|attempt| attempt.body.has(value.block));
        let cleanups: Vec<_> = around.filter_map(|attempt| attempt.cleanup.as_ref()).collect();
        if cleanups.is_empty() {
            continue;
        }
        let waited = cx.program.arguments_meant(call, &gather.tasks).into_iter().flat_map(|meant| {
            match &function.value(meant).kind {
                ValueKind::Collection(_, items) => items.iter().map(|(_, item)| *item).collect(),
                _ => vec![meant],
            }
        });
        let own: Vec<VariableIndex> = waited
            .filter_map(|one| match &function.value(one).kind {
                ValueKind::Place(place) => place.as_variable(),
                _ => None,
            })
            .filter(|variable| is_made_here(cx, id, *variable))
            .collect();
        // Whatever the cleanup does with one of them, it reckons with it.
        let is_left = |variable: &&VariableIndex| {
            !function
                .values
                .iter()
                .filter(|value| cleanups.iter().any(|region| region.has(value.block)))
                .any(touches(**variable))
        };
        let handles = function.attempts.iter().flat_map(|attempt| &attempt.handlers).any(|handler| {
            handler.catches.is_empty()
                || handler.catches.iter().any(|class| cx.program.takes_cancellation(id, *class).is_some())
        });
        let Some(variable) = own.iter().find(is_left).filter(|_| !handles) else { continue };
        let name = &function.variable(*variable).name;
        let waits = cx.program.callee_text(id, index);
        let made = cx.program.shape(id).binds(*variable).next().map_or(value.span, |made| function.value(made).span);
        out.push(
            cx.violated(NAME, Confidence::Medium, id, made, &format!("`{name}`"))
                .assumes(format!("`{name}` ends when `{}` does", function.name))
                .says(format!("a cancellation leaves `{name}` running: `{waits}` does not pass it on"))
                .helps("cancel it in the `finally`")
                .evidence(cx.location(id, value.span), "a cancellation arrives here")
                .evidence(cx.location(id, first_line(cleanups[0].span)), "this cleanup does not end it")
                .level(Level::Warning),
        );
    }
}

/// The innermost handler that a block belongs to.
pub(super) fn handler_around(function: &Function, block: BlockIndex) -> Option<(usize, usize)> {
    let handlers = function.attempts.iter().enumerate().flat_map(|(attempt, body)| {
        body.handlers.iter().enumerate().map(move |(handler, one)| (attempt, handler, one))
    });
    let around = handlers.filter(|(_, _, one)| one.region.has(block));
    around.max_by_key(|(_, _, one)| one.header.start).map(|(attempt, handler, _)| (attempt, handler))
}

/// Whether a variable holds something that this function started and that runs on by itself: a process, a task.
fn is_made_here(cx: &RuleContext, id: FunctionId, variable: VariableIndex) -> bool {
    let function = cx.function(id);
    let bound: Vec<ValueIndex> = cx.program.shape(id).binds(variable).collect();
    let runs = |value: &ValueIndex| match function.value(*value).kind {
        ValueKind::Call(_) => cx.program.starts(id, *value).is_some_and(|starts| !starts.spawn.owned),
        ValueKind::Awaited(of) => {
            function.call(of).is_some()
                && matches!(cx.program.value_type(id, *value), Type::Instance(instance) if instance.definition.is_none())
        }
        _ => false,
    };
    !bound.is_empty() && bound.iter().all(runs)
}

/// Whether a block runs when a cancellation passes: a cleanup, or a handler that takes it.
pub(super) fn is_on_the_way_of_a_cancellation(cx: &RuleContext, id: FunctionId, block: BlockIndex) -> bool {
    let function = cx.function(id);
    function.attempts.iter().any(|attempt| {
        attempt.cleanup.as_ref().is_some_and(|cleanup| cleanup.has(block))
            || attempt.handlers.iter().any(|handler| {
                handler.region.has(block)
                    && (handler.catches.is_empty()
                        || handler.catches.iter().any(|class| cx.program.takes_cancellation(id, *class).is_some()))
            })
    })
}

/// The first suspension in a `try` at which a cancellation arrives without ending what the variable holds.
fn arrival_in(cx: &RuleContext, id: FunctionId, attempt: &Attempt, variable: VariableIndex) -> Option<Span> {
    let function = cx.function(id);
    function.steps().find_map(|(block, _, step)| match step.kind {
        StepKind::Suspend(how, of)
            if how != Suspension::Yield
                && attempt.body.has(block)
                && cx.program.may_suspend(id, how, of)
                && !of.is_some_and(|of| cx.program.is_cancelled_with_its_waiter(id, of, variable)) =>
        {
            Some(step.span)
        }
        _ => None,
    })
}

/// A task that is cancelled and then awaited: its cancellation comes out here, as if this one were meant.
fn raised_by_its_own(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let cancels = cx.program.verbs(id, Does::Cancels);
    if cancels.is_empty() {
        return;
    }
    let taken = cx.program.cancellations_taken(id);
    let taken = taken.iter().filter(|taken| !matches!(taken.taker, Taker::Cleanup { .. }));
    let taken: Vec<(Span, Option<Span>)> = taken
        .flat_map(|taken| {
            taken.from.iter().map(|arrival| (arrival.span, leaves_a_loop(&function, taken.taker, arrival)))
        })
        .collect();
    for (call, receiver) in cancels {
        let ValueKind::Place(place) = &function.value(receiver).kind else { continue };
        if place.is_inexact() {
            continue;
        }
        let from = function.value(call);
        let awaited = function.steps().find(|(block, at, step)| match step.kind {
            StepKind::Suspend(Suspension::Await, Some(of)) => {
                matches!(&function.value(of).kind, ValueKind::Place(other) if other == place)
                    && !taken.iter().any(|(span, leaves)| *span == step.span && leaves.is_none())
                    && follows(cx, id, place, (from.block, from.step as usize), (*block, *at))
            }
            _ => false,
        });
        let Some((_, _, step)) = awaited else { continue };
        if ends_quietly(cx, id, place, (from.block, from.step)) {
            continue;
        }
        let name = cx.program.value_text(id, receiver);
        let leaves = taken.iter().find_map(|(span, leaves)| leaves.filter(|_| *span == step.span));
        let says = match leaves {
            Some(_) => format!("`{name}` was cancelled, so awaiting it raises that here, and the loop ends with it"),
            None => format!("`{name}` was cancelled, so awaiting it raises that here, as if this task were meant"),
        };
        let verdict = cx
            .violated(NAME, Confidence::Medium, id, step.span, &format!("`{name}`"))
            .assumes(format!("awaiting `{name}` after its cancellation comes back"))
            .says(says)
            .helps("catch its cancellation around the await, or gather it with `return_exceptions=True`")
            .evidence(cx.location(id, from.span), format!("`{name}` is cancelled here"))
            .level(Level::Warning);
        out.push(match leaves {
            Some(leaves) => verdict.evidence(cx.location(id, leaves), "only this takes it, outside the loop"),
            None => verdict,
        });
    }
}

/// The handler, where the one that takes a cancellation stands outside the loop in which it arrives: the turns to come
/// are lost.
fn leaves_a_loop(function: &Function, taker: Taker, arrival: &Arrival) -> Option<Span> {
    let around = &function.loops[function.blocks[arrival.block.at()].in_loop?.at()];
    match taker {
        Taker::Handler { attempt, handler, .. } => {
            let attempt = &function.attempts[attempt];
            attempt.body.has(around.header).then_some(attempt.handlers[handler].header)
        }
        Taker::Suppressor { managed, .. } => {
            let managed = &function.managed[managed.at()];
            managed.body.contains(around.span).then_some(managed.span)
        }
        Taker::Cleanup { .. } => None,
    }
}

/// Whether control may come from one step to another while a place keeps its value, and in the same turn of any loop.
fn follows(
    cx: &RuleContext,
    id: FunctionId,
    place: &crate::flow::Place,
    (from, step): (BlockIndex, usize),
    (to, at): (BlockIndex, usize),
) -> bool {
    let function = cx.function(id);
    let gives = |kind: &StepKind| match kind {
        StepKind::Bind(variable, _) => place.as_variable() == Some(*variable),
        StepKind::Write(written, ..) => written == place,
        _ => false,
    };
    let visit = |stretch: Stretch| {
        let is_it = |number| (stretch.at, number) == (to, at);
        match stretch.steps().find(|(number, one)| is_it(*number) || gives(&one.kind)) {
            Some((number, _)) if is_it(number) => Goes::Over(()),
            Some(_) => Goes::Aside,
            None => Goes::On,
        }
    };
    function.walk_steps((from, step), visit).is_some()
}

/// The beginning of a stretch, so that evidence does not point at all of it.
fn first_line(span: Span) -> Span {
    Span::new(span.start, span.end.min(span.start + 1))
}
