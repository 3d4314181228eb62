//! What runs when a task is done, or a time has come, and does not reckon with a cancellation.

use crate::analysis::types::Type;
use crate::analysis::{FunctionId, Program};
use crate::catalogue::{Does, Runs};
use crate::flow::{Field, Function, FunctionKind, ParameterKind, Place, ValueIndex, ValueKind, VariableIndex};
use crate::verdict::{Confidence, Level, Verdict};

use super::super::context::RuleContext;
use super::NAME;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    for (call, _) in cx.program.verbs(id, Does::CallsBack) {
        let function = cx.function(id);
        let Some(given) = function.call(call).and_then(|call| call.arguments.first()) else { continue };
        let Type::Function(callback) = cx.program.value_type(id, given.value) else { continue };
        out.extend(fetches(cx, id, call, callback));
    }
    settles_later(cx, id, out);
}

/// A done callback that takes the outcome of what may have been cancelled.
fn fetches(cx: &RuleContext, by: FunctionId, registered: ValueIndex, id: FunctionId) -> Option<Verdict> {
    let function = cx.function(id);
    let done = function
        .parameters
        .iter()
        .find(|parameter| matches!(parameter.kind, ParameterKind::Positional | ParameterKind::Named))?;
    let is_it = |value: ValueIndex| variable_of(&function, value) == Some(done.variable);
    let (call, _) = cx.program.verbs(id, Does::Fetches).into_iter().find(|(_, receiver)| is_it(*receiver))?;
    if cx.program.verbs(id, Does::Asks).iter().any(|(_, receiver)| is_it(*receiver)) {
        return None;
    }
    let block = function.value(call).block;
    let is_guarded = function.attempts.iter().any(|attempt| {
        attempt.body.has(block)
            && attempt.handlers.iter().any(|handler| {
                handler.catches.is_empty()
                    || handler.catches.iter().any(|class| cx.program.takes_cancellation(id, *class).is_some())
            })
    });
    if is_guarded {
        return None;
    }
    let name = cx.program.callee_text(id, call);
    let registrar = cx.function(by).value(registered).span;
    let level = if function.kind == FunctionKind::Closure { Level::Note } else { Level::Warning };
    Some(
        cx.violated(NAME, Confidence::Medium, id, function.value(call).span, &format!("`{name}`"))
            .assumes(format!("`{}` runs to its end when the task was cancelled", function.name))
            .says(format!("`{name}` raises if the task was cancelled, and the rest of this callback does not run"))
            .helps("ask `cancelled()` first")
            .evidence(cx.location(by, registrar), "the callback is registered here")
            .level(level),
    )
}

/// A future that a timer gives its outcome, whatever became of it meanwhile.
fn settles_later(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    for (at, value) in function.values.iter().enumerate() {
        let ValueKind::Call(call) = &value.kind else { continue };
        let index = ValueIndex(at as u32);
        if call.arguments.is_empty() {
            continue;
        }
        let Some(offload) = cx.program.offload(id, &cx.resolution(id, index)) else { continue };
        if offload.runs != Runs::Loop {
            continue;
        }
        for callable in cx.program.arguments_meant(call, &offload.callable) {
            let Some(future) = settled(cx, id, &function, callable) else { continue };
            let name = cx.program.value_text(id, callable);
            let cancelled = cancelled_somewhere(cx.program, id, &future);
            let Some((by, call)) = cancelled else { continue };
            let span = cx.function(by).value(call).span;
            out.push(
                cx.violated(NAME, Confidence::Medium, id, value.span, &format!("`{name}`"))
                    .assumes(format!("nobody cancels the future before `{name}` is called"))
                    .says(format!("`{name}` is called later and raises if the future was cancelled meanwhile"))
                    .helps("call a function that asks `done()` first")
                    .evidence(cx.location(by, span), "it is cancelled here")
                    .level(Level::Warning),
            );
        }
    }
}

/// The last field of the future whose method is handed over: `future` of `self.future.set_result`.
fn settled(cx: &RuleContext, id: FunctionId, function: &Function, callable: ValueIndex) -> Option<String> {
    let ValueKind::Place(Place { fields, .. }) = &function.value(callable).kind else { return None };
    let (Field::Name(method), before) = fields.split_last()? else { return None };
    let settles = cx.program.tables(cx.language(id.module)).verb(method) == Some(Does::Settles);
    match before.last() {
        Some(Field::Name(name)) if settles => Some(name.clone()),
        _ => None,
    }
}

/// Where a function of the same file cancels an attribute of this name.
fn cancelled_somewhere(program: &Program, id: FunctionId, name: &str) -> Option<(FunctionId, ValueIndex)> {
    let module = program.module(id.module);
    module.functions().find_map(|(index, function)| {
        let by = FunctionId { module: id.module, index };
        let found = program.verbs(by, Does::Cancels).into_iter().find(|(_, receiver)| {
            matches!(&function.value(*receiver).kind, ValueKind::Place(place)
                if matches!(place.fields.last(), Some(Field::Name(last)) if last == name))
        });
        found.map(|(call, _)| (by, call))
    })
}

fn variable_of(function: &Function, value: ValueIndex) -> Option<VariableIndex> {
    match &function.value(value).kind {
        ValueKind::Place(place) => place.as_variable(),
        _ => None,
    }
}
