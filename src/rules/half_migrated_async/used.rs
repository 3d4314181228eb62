//! A coroutine or future is used as if it were what it gives.

use crate::analysis::FunctionId;
use crate::analysis::calls::Target;
use crate::analysis::colours::Unawaited;
use crate::analysis::types::Type;
use crate::flow::{Callee, Field, Value, ValueIndex, ValueKind, is_special};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Verdict};

use super::super::context::RuleContext;
use super::NAME;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let shape = cx.program.shape(id);
    let mut told: Vec<(FunctionId, ValueIndex)> = Vec::new();
    for (at, value) in function.values.iter().enumerate() {
        if !shape.is_reachable(value.block) {
            continue;
        }
        let index = ValueIndex(at as u32);
        let Some((unawaited, how)) = used(cx, id, index, value) else { continue };
        // One call is one thing to mend, however often its result is used.
        if told.contains(&(unawaited.by, unawaited.value)) {
            continue;
        }
        told.push((unawaited.by, unawaited.value));
        out.push(verdict(cx, id, &unawaited, value.span, &how));
    }
}

/// The coroutine that a value takes something from, and what it does with it.
fn used(cx: &RuleContext, id: FunctionId, index: ValueIndex, value: &Value) -> Option<(Unawaited, String)> {
    let is_python = cx.language(id.module) == Language::Python;
    let tables = cx.program.tables(cx.language(id.module));
    let behind = |of: ValueIndex| cx.program.unawaited_behind(id, of);
    match &value.kind {
        ValueKind::Call(call) => {
            let Callee::Method(receiver, name) = &call.callee else { return None };
            // What the language itself calls, a coroutine has of its own: `load().__await__()`. What it has by other names
            // gives nothing to await: `await session.send(…)` means the session.
            let is_its_own = tables.is_of_futures(name) && !(is_python && cx.program.is_awaited(id, index));
            if is_its_own || is_special(name) {
                return None;
            }
            let unawaited = behind(*receiver).or_else(|| stand_in(cx, id, *receiver))?;
            let is_meant = is_python || has_method(cx, &unawaited, name);
            is_meant.then(|| (unawaited, format!("`{name}` is called on it")))
        }
        ValueKind::Field(of, name) if is_python && !tables.is_of_futures(name) && !is_special(name) => {
            Some((behind(*of)?, format!("`{name}` is read from it")))
        }
        ValueKind::Index(of) if is_python => Some((behind(*of)?, "it is indexed".to_owned())),
        ValueKind::Place(place) if is_python && !place.fields.is_empty() => {
            let on_one_way = || cx.program.unawaited_stand_in(id, index, place);
            let unawaited = cx.program.unawaited_root(id, index, place).or_else(on_one_way)?;
            match &place.fields[0] {
                Field::Name(name) if tables.is_of_futures(name) || is_special(name) => None,
                Field::Name(name) => Some((unawaited, format!("`{name}` is read from it"))),
                Field::Index => Some((unawaited, "it is indexed".to_owned())),
            }
        }
        ValueKind::Try(of) if !is_python => Some((behind(*of)?, "`?` asks it for a failure".to_owned())),
        ValueKind::Dereference(of) if !is_python => Some((behind(*of)?, "it is dereferenced".to_owned())),
        _ => None,
    }
}

/// The coroutine that a variable holds on one way, where it held nothing before.
fn stand_in(cx: &RuleContext, id: FunctionId, receiver: ValueIndex) -> Option<Unawaited> {
    match &cx.function(id).value(receiver).kind {
        ValueKind::Place(place) if place.as_variable().is_some() => cx.program.unawaited_stand_in(id, receiver, place),
        _ => None,
    }
}

/// Whether what a future gives has a method of this name, so that the method was meant for that: one of its own, or one
/// of those that take a result apart.
fn has_method(cx: &RuleContext, unawaited: &Unawaited, name: &str) -> bool {
    let Type::Future(given) = cx.program.value_type(unawaited.by, unawaited.value) else { return false };
    let tables = cx.program.tables(Language::Rust);
    let is_known = |of: &Type| {
        cx.program.method_call(of, name).targets.iter().any(|target| match target {
            Target::Function(_) | Target::Construct(..) => true,
            Target::External(path) => tables.knows(path),
        })
    };
    tables.is_unpacking(name) || is_known(&given)
}

fn verdict(cx: &RuleContext, id: FunctionId, unawaited: &Unawaited, span: Span, how: &str) -> Verdict {
    let name = cx.program.callee_text(unawaited.by, unawaited.value);
    let (thing, help) = match cx.language(id.module) {
        Language::Python => ("coroutine", "await it first"),
        Language::Rust => ("future", "`.await` it first"),
    };
    let mut verdict = cx
        .violated(NAME, Confidence::High, id, span, &format!("`{name}`"))
        .assumes(format!("the {thing} that `{name}` makes is awaited before it is used"))
        .says(format!("`{name}` only makes a {thing}, and {how}"))
        .helps(help);
    let made = cx.function(unawaited.by).value(unawaited.value).span;
    if !span.contains(made) {
        verdict = verdict.evidence(cx.location(unawaited.by, made), format!("the {thing} is made here"));
    }
    for callee in unawaited.callees.iter().take(2) {
        let note = format!("`{}` is asynchronous", cx.function(*callee).name);
        verdict = verdict.evidence(super::defined(cx, *callee), note);
    }
    verdict
}
