//! What a function has opened and closes where anything fails: a cancellation is no failure, and leaves it open.
//!
//! ~~~text
//! connection = await connect(host)
//! try: await connection.greet()                      a cancellation arrives here …
//! except Exception: connection.close(); raise        … and does not come by here
//! return connection
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::cancellation::Taker;
use crate::catalogue::{Does, Takes};
use crate::flow::{BlockIndex, Function, Next, StepKind, Suspension, ValueIndex, ValueKind, VariableIndex};
use crate::text::Span;
use crate::verdict::{Confidence, Level, Verdict};

use super::super::context::RuleContext;
use super::NAME;
use super::halves::{handler_around, is_on_the_way_of_a_cancellation};

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if !function.is_async() || function.attempts.is_empty() {
        return;
    }
    let tables = cx.program.tables(cx.language(id.module));
    // A stack of managers may hold nothing yet where a cancellation arrives.
    let is_stack = |call| cx.resolution(id, call).external().is_some_and(|name| tables.leaves_what_it_entered(name));
    let closed: Vec<(ValueIndex, VariableIndex)> = cx
        .program
        .verbs(id, Does::Closes)
        .into_iter()
        .filter(|(call, _)| !is_stack(*call))
        .filter_map(|(call, receiver)| match &function.value(receiver).kind {
            ValueKind::Place(place) => Some((call, place.as_variable()?)),
            _ => None,
        })
        .collect();
    let mut told: Vec<(usize, usize)> = Vec::new();
    for &(call, variable) in &closed {
        let Some(found) = handler_around(&function, function.value(call).block) else { continue };
        if told.contains(&found) || !is_for_any_failure(cx, id, found) || !is_opened_here(cx, id, variable, call) {
            continue;
        }
        let is_closed_anyway = closed.iter().any(|(other, of)| {
            *of == variable && is_on_the_way_of_a_cancellation(cx, id, function.value(*other).block)
        });
        let body = &function.attempts[found.0].body;
        let Some(arrival) = arrival(cx, id, |block| body.has(block)).filter(|_| !is_closed_anyway) else { continue };
        let (begins, fails) = (function.attempts[found.0].span.start, &function.attempts[found.0].handlers[found.1]);
        if is_handed_out(&function, variable, begins) || is_kept(&function, variable, fails.header.start) {
            continue;
        }
        told.push(found);
        let name = &function.variable(variable).name;
        let class = function.attempts[found.0].handlers[found.1].catches[0];
        let class = cx.program.value_text(id, class);
        out.push(
            cx.violated(NAME, Confidence::Medium, id, function.value(call).span, &format!("`{name}`"))
                .assumes(format!("`{name}` is closed on every way out by an exception"))
                .says(format!("`{name}` is closed on `{class}` only: a cancellation leaves it open"))
                .helps("close it in a handler for `BaseException` that raises again")
                .evidence(cx.location(id, arrival), "a cancellation that arrives here goes past it")
                .level(Level::Warning),
        );
    }
}

/// Whether a handler takes whatever fails, but no cancellation, and only raises again, this or something else.
fn is_for_any_failure(cx: &RuleContext, id: FunctionId, (attempt, handler): (usize, usize)) -> bool {
    let function = cx.function(id);
    let catches = &function.attempts[attempt].handlers[handler].catches;
    let takes = |class: &ValueIndex| cx.program.takes_cancellation(id, *class).is_some();
    let whole = Taker::Handler { attempt, handler, class: None, takes: Takes::Everything };
    let ways = cx.program.ways_of(id, whole);
    let raises = |at: u32| matches!(function.blocks[at as usize].next, Next::Raise(_));
    let region = &function.attempts[attempt].handlers[handler].region;
    catches.iter().any(|class| cx.program.takes_failures(id, *class))
        && !function.attempts[attempt].handlers.iter().flat_map(|one| &one.catches).any(takes)
        && function.attempts[attempt].handlers.iter().all(|one| !one.catches.is_empty())
        && ways.lost.is_empty()
        && (raises(region.entry.0) || region.rest.clone().any(raises))
}

/// Whether a variable holds there what a call of this function gave it, and nothing else.
fn is_opened_here(cx: &RuleContext, id: FunctionId, variable: VariableIndex, closes: ValueIndex) -> bool {
    let function = cx.function(id);
    let at = function.value(closes);
    let reaching = cx.program.reaching(id, variable, at.block, at.step);
    let opens = |value: &ValueIndex| {
        let mut at = *value;
        if let ValueKind::Component(of, _) = function.value(at).kind {
            at = of;
        }
        if let ValueKind::Awaited(of) = function.value(at).kind {
            at = of;
        }
        function.call(at).is_some()
    };
    !reaching.from_entry && !reaching.values.is_empty() && reaching.values.iter().all(opens)
}

/// Whether somebody else gets it before the `try` begins, and may close it.
fn is_handed_out(function: &Function, variable: VariableIndex, before: u32) -> bool {
    let is_it = |value: ValueIndex| matches!(&function.value(value).kind, ValueKind::Place(place) if place.as_variable() == Some(variable));
    function.values.iter().filter(|value| value.span.start < before).any(|value| match &value.kind {
        ValueKind::Call(call) => call.arguments.iter().any(|argument| is_it(argument.value)),
        ValueKind::Collection(_, items) => items.iter().any(|(_, item)| is_it(*item)),
        _ => false,
    })
}

/// Whether it is kept somewhere else before a handler begins, where others find it.
fn is_kept(function: &Function, variable: VariableIndex, before: u32) -> bool {
    function.steps().any(|(_, _, step)| match step.kind {
        StepKind::Write(_, _, Some(value)) => {
            let is_it = matches!(&function.value(value).kind, ValueKind::Place(place)
                if place.as_variable() == Some(variable));
            step.span.start < before && is_it
        }
        _ => false,
    })
}

/// The first suspension among some blocks at which a cancellation may arrive.
fn arrival(cx: &RuleContext, id: FunctionId, is_meant: impl Fn(BlockIndex) -> bool) -> Option<Span> {
    let function = cx.function(id);
    function.steps().find_map(|(block, _, step)| match step.kind {
        StepKind::Suspend(how, of) => {
            let arrives = how != Suspension::Yield && is_meant(block) && cx.program.may_suspend(id, how, of);
            arrives.then_some(step.span)
        }
        _ => None,
    })
}
