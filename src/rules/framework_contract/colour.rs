//! A coroutine function where a plain one is called for, or a coroutine where a value or a task is.

use crate::analysis::makes::Makes;
use crate::analysis::types::Type;
use crate::flow::{Colour, FunctionKind, Next, StepKind, Suspension};
use crate::text::Language;
use crate::verdict::{Confidence, Evidence, Verdict};

use super::{Body, NAME};

/// The class that every class derives from, as the catalogue writes it.
const EVERY_CLASS: &str = "builtins.object";

pub(super) fn check(body: &Body, out: &mut Vec<Verdict>) {
    if body.cx.language(body.id.module) != Language::Python {
        return;
    }
    of_decorators(body, out);
    of_overridden(body, out);
    of_awaited(body, out);
    of_arguments(body, out);
}

fn of_decorators(body: &Body, out: &mut Vec<Verdict>) {
    let function = body.cx.function(body.id);
    // What stands between a decorator and the function may make a plain one of it.
    for decorator in function.decorators.iter().rev() {
        let name = body.cx.program.decorator_name(body.id, &decorator.path);
        let colours = name.as_ref().and_then(|name| body.tables().colours_of_decorator(name));
        let evidence = Evidence {
            at: body.cx.location(body.id, decorator.span),
            note: format!("`{}` is what `{}` is decorated with", decorator.path.join("."), function.name),
        };
        if let Some(harm) = colours.and_then(|colours| colours.r#async.as_deref()).filter(|_| function.is_async()) {
            out.push(wrong_colour(body, &decorator.path.join("."), harm, evidence.clone()));
        }
        if let Some(harm) = colours.and_then(|colours| colours.returned.as_deref()).filter(|_| !function.is_async()) {
            out.extend(returned(body, harm, &evidence));
        }
        if colours.is_none() && !body.cx.program.keeps_kind(body.id, decorator) {
            break;
        }
    }
}

fn of_overridden(body: &Body, out: &mut Vec<Verdict>) {
    let function = body.cx.function(body.id);
    // A generator is made by a plain call, whatever its colour: `async def __aiter__` with a `yield` is an iterator.
    if function.colour != Colour::Async || function.kind != FunctionKind::Method {
        return;
    }
    let Type::Instance(owner) = body.cx.program.owner_type(body.id) else { return };
    let Some(definition) = owner.definition else { return };
    if !body.cx.program.stays_a_function(body.id) {
        return;
    }
    let bases = body.cx.program.all_bases(definition);
    let known = bases.iter().map(String::as_str).chain([EVERY_CLASS]);
    let found = known
        .filter_map(|base| Some((base, body.tables().colours_of_method(base, &function.name)?)))
        .find_map(|(base, colours)| Some((base, colours.r#async.as_deref()?)));
    if let Some((base, harm)) = found {
        let class = owner.name.rsplit('.').next().unwrap_or(&owner.name);
        let note = if base == EVERY_CLASS {
            format!("Python itself calls `{}` of `{class}`, as a plain method", function.name)
        } else {
            format!("`{class}` derives from `{base}`, which calls `{}` as a plain method", function.name)
        };
        let at = body.cx.location(body.id, function.header);
        out.push(wrong_colour(body, &function.name, harm, Evidence { at, note }));
    }
}

fn wrong_colour(body: &Body, by: &str, harm: &str, evidence: Evidence) -> Verdict {
    let function = body.cx.function(body.id);
    let mut verdict = body
        .cx
        .violated(NAME, Confidence::High, body.id, function.header, &format!("`{by}`"))
        .assumes(format!("`{}` is of the colour that its caller expects", function.name))
        .says(format!("`{}` is asynchronous, and is called as a plain function: {harm}", function.name))
        .helps(format!("make `{}` a plain function, or use what is made for asynchronous ones", function.name));
    verdict.evidence.push(evidence);
    verdict
}

/// Coroutines that a plain function returns to somebody who does not await them.
fn returned(body: &Body, harm: &str, evidence: &Evidence) -> Vec<Verdict> {
    let function = body.cx.function(body.id);
    let values = function.blocks.iter().filter_map(|block| match block.next {
        Next::Return(Some(value)) => Some(value),
        _ => None,
    });
    let coroutines = values.filter(|value| body.cx.program.makes(body.id, *value) == Some(Makes::Coroutine));
    coroutines
        .map(|value| {
            let name = body.cx.program.callee_text(body.id, value);
            let mut verdict = body
                .violated(Confidence::High, value, &name)
                .assumes(format!("what `{}` returns is no coroutine", function.name))
                .says(format!("`{}` returns the coroutine that `{name}` makes: {harm}", function.name))
                .helps(format!("make `{}` an `async def` and await `{name}`", function.name));
            verdict.evidence.push(evidence.clone());
            verdict
        })
        .collect()
}

/// Awaits of what gives nothing to await.
fn of_awaited(body: &Body, out: &mut Vec<Verdict>) {
    let function = body.cx.function(body.id);
    for (_, _, step) in function.steps() {
        let StepKind::Suspend(Suspension::Await, Some(value)) = step.kind else { continue };
        let called = body.calls.iter().find(|(call, _)| *call == value);
        let Some(name) = called.and_then(|(_, resolution)| resolution.external()) else { continue };
        if body.tables().is_plain(name) {
            let text = body.cx.program.callee_text(body.id, value);
            let verdict = body
                .cx
                .violated(NAME, Confidence::High, body.id, step.span, &format!("`{text}`"))
                .assumes(format!("`{text}` gives something to await"))
                .says(format!("`{text}` is a plain call: awaiting what it returns raises TypeError"))
                .helps("take the `await` away, or call the asynchronous counterpart");
            out.push(verdict);
        }
    }
}

/// Bare coroutines where only tasks and futures are taken.
fn of_arguments(body: &Body, out: &mut Vec<Verdict>) {
    for (call, name) in body.external_calls() {
        let Some(argument) = body.tables().refuses_coroutines(name) else { continue };
        let meant = body.written(call, |written| Some(body.cx.program.arguments_meant(written, argument)));
        let items = meant.unwrap_or_default().into_iter().flat_map(|of| body.cx.program.items_of(body.id, of));
        let is_coroutine = |item: &_| body.cx.program.makes(body.id, *item) == Some(Makes::Coroutine);
        let Some(item) = items.into_iter().find(is_coroutine) else { continue };
        let (text, made) = (body.cx.program.callee_text(body.id, call), body.cx.program.callee_text(body.id, item));
        let verdict = body
            .violated(Confidence::High, call, &text)
            .assumes(format!("`{text}` is given tasks or futures"))
            .says(format!(
                "`{text}` is given the bare coroutine that `{made}` makes: since Python 3.11 it raises TypeError"
            ))
            .helps(format!("start a task with each, or use `gather` for `{made}`"))
            .evidence(
                body.cx.location(body.id, body.cx.function(body.id).value(item).span),
                "the coroutine is made here",
            );
        out.push(verdict);
    }
}
