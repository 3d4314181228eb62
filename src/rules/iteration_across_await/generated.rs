//! A loop over what a function of the project gives one by one, while that goes over the collection.
//!
//! ~~~text
//! def waiting(self): return (key for key in self._rows if key)      goes on with `_rows` at each turn …
//! def waiting(self): for key in self._rows: yield key
//! for key in self.waiting(): await self.send(key)                   … of whoever loops over it
//! ~~~

use crate::analysis::FunctionId;
use crate::flow::{Colour, Function, FunctionIndex, FunctionKind, LoopIndex, LoopKind, Next, StepKind, Suspension};
use crate::flow::{ValueIndex, ValueKind};
use crate::text::Language;

use super::{Collection, collection_of};
use crate::rules::context::RuleContext;
use crate::rules::loop_without_yield::is_in;

/// The collection behind a call of a function of the project, where looping over what it gives loops over that.
pub(super) fn behind_call(cx: &RuleContext, id: FunctionId, call: ValueIndex, depth: u32) -> Option<Collection> {
    let &[callee] = &cx.resolution(id, call).functions()[..] else { return None };
    if cx.language(callee.module) != Language::Python || !cx.program.stays_a_function(callee) {
        return None;
    }
    let body = cx.function(callee);
    match body.colour {
        Colour::Generator => yielded_from(cx, callee, &body, depth),
        Colour::Plain => returned(cx, callee, &body, depth),
        _ => None,
    }
}

/// The collection behind a generator expression, which begins with what the function around it gives it.
pub(super) fn behind_expression(
    cx: &RuleContext,
    id: FunctionId,
    expression: FunctionIndex,
    depth: u32,
) -> Option<Collection> {
    let expression = cx.function(FunctionId { index: expression, ..id });
    let given = expression.parameters.first().filter(|_| expression.kind == FunctionKind::GeneratorExpression)?;
    let clause = expression.variable(given.variable).span;
    let function = cx.function(id);
    let inside = (0..).map(ValueIndex).zip(&function.values).filter(|(_, value)| clause.contains(value.span));
    let (whole, _) = inside.max_by_key(|(at, value)| (value.span.end - value.span.start, *at))?;
    collection_of(cx, id, whole, depth)
}

/// The collection whose loop a generator yields in.
fn yielded_from(cx: &RuleContext, id: FunctionId, body: &Function, depth: u32) -> Option<Collection> {
    let is_yield = |kind: &StepKind| matches!(kind, StepKind::Suspend(Suspension::Yield, _));
    let (yields, ..) = body.steps().find(|(_, _, step)| is_yield(&step.kind))?;
    (0..).map(LoopIndex).zip(&body.loops).find_map(|(at, around)| {
        let over = around.over.filter(|_| around.kind == LoopKind::For && is_in(body, yields, at))?;
        collection_of(cx, id, over, depth)
    })
}

/// The collection that a function returns, or something that goes over it, where it returns nothing else.
fn returned(cx: &RuleContext, id: FunctionId, body: &Function, depth: u32) -> Option<Collection> {
    let mut returned = body.blocks.iter().filter_map(|block| match block.next {
        Next::Return(value) => Some(value),
        _ => None,
    });
    let (Some(Some(value)), None) = (returned.next(), returned.next()) else { return None };
    // Of what it holds itself nobody else knows.
    let is_bare_variable = matches!(&body.value(value).kind, ValueKind::Place(place) if place.as_variable().is_some());
    collection_of(cx, id, value, depth).filter(|_| !is_bare_variable)
}
