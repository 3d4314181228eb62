//! One end of a call is asynchronous and the other is not.
//!
//! ~~~text
//! await plain()            a plain function's result is awaited
//! create_task(plain())     what takes a coroutine is given a plain function's result, or the function itself
//! coroutine()["key"]       a coroutine is used as if it were what it gives
//! with asynchronous: …     the block and what it is for do not fit, and so for loops
//! async def over plain     a method takes the place of one of the other colour
//! ~~~
//!
//! A coroutine that is thrown away is the business of `unawaited-call`; a function that lost its last await is seen only
//! where both sides are.

mod blocks;
mod consumed;
pub(super) mod left_async;
mod places;
mod used;

use crate::analysis::FunctionId;
use crate::flow::{Callee, Colour, FunctionKind, StepKind, Suspension, ValueKind};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Verdict};

use super::context::RuleContext;

const NAME: &str = "half-migrated-async";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    gives_way_in_plain_code(cx, id, out);
    awaits_what_is_plain(cx, id, out);
    blocks::check(cx, id, out);
    consumed::check(cx, id, out);
    used::check(cx, id, out);
    places::check(cx, id, out);
}

/// `await` in a function that is not asynchronous: it does not even compile.
fn gives_way_in_plain_code(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let is_plain = matches!(function.colour, Colour::Plain | Colour::Generator);
    let is_written = match function.kind {
        FunctionKind::Free | FunctionKind::Method | FunctionKind::ClassMethod => true,
        FunctionKind::Static | FunctionKind::Property => true,
        // A lambda's is the business of the function around it.
        FunctionKind::Closure | FunctionKind::AsyncBlock | FunctionKind::GeneratorExpression => false,
        // The shells that people try things in allow it.
        FunctionKind::Module => false,
    };
    if !is_plain || !is_written {
        return;
    }
    // An attribute may make another function of it, and a macro another expression of its arguments.
    let is_rust = cx.language(id.module) == Language::Rust;
    if is_rust && !cx.program.is_as_written(id) {
        return;
    }
    let in_macro = |span: Span| {
        is_rust
            && function.values.iter().any(|value| match &value.kind {
                ValueKind::Call(call) => matches!(call.callee, Callee::Macro(_)) && value.span.contains(span),
                _ => false,
            })
    };
    let suspends = |kind: &StepKind| match kind {
        StepKind::Suspend(how, _) => match how {
            Suspension::Await | Suspension::Enter | Suspension::Next => Some(*how),
            Suspension::Exit | Suspension::Yield => None,
        },
        _ => None,
    };
    let found = function
        .steps()
        .filter_map(|(_, _, step)| Some((step.span, suspends(&step.kind)?)))
        .filter(|(span, _)| !in_macro(*span))
        .min_by_key(|(span, _)| *span);
    let Some((span, how)) = found else { return };
    let name = &function.name;
    let word = match (how, is_rust) {
        (Suspension::Enter, _) => "async with",
        (Suspension::Next, _) => "async for",
        (_, true) => ".await",
        _ => "await",
    };
    let definition = if is_rust { "async fn" } else { "async def" };
    out.push(
        cx.violated(NAME, Confidence::High, id, span, &format!("`{name}` {word}"))
            .assumes(format!("`{name}` is asynchronous, for it has an `{word}`"))
            .says(format!("`{word}` stands in `{name}`, which is not asynchronous"))
            .helps(format!("make `{name}` an `{definition}` and await its callers' calls, or take the `{word}` out"))
            .evidence(cx.location(id, function.header), format!("`{name}` is a plain function")),
    );
}

/// `await` of a call that certainly gives nothing to await.
fn awaits_what_is_plain(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let shape = cx.program.shape(id);
    for (block, _, step) in function.steps() {
        let StepKind::Suspend(Suspension::Await, Some(of)) = step.kind else { continue };
        if !shape.is_reachable(block) {
            continue;
        }
        let Some(call) = cx.program.plain_behind(id, of) else { continue };
        let name = cx.program.callee_text(id, call);
        let mut verdict = cx
            .violated(NAME, Confidence::High, id, step.span, &format!("await `{name}`"))
            .assumes(format!("`{name}` gives something to await"))
            .says(format!("`{name}` is awaited, and it gives nothing to await"))
            .helps("take the await out, or make the callee asynchronous");
        for callee in cx.resolution(id, call).functions().into_iter().take(2) {
            verdict = verdict.evidence(defined(cx, callee), is_plain_note(cx, callee));
        }
        out.push(verdict);
    }
}

fn defined(cx: &RuleContext, id: FunctionId) -> crate::verdict::Location {
    cx.location(id, cx.function(id).header)
}

fn is_plain_note(cx: &RuleContext, id: FunctionId) -> String {
    let function = cx.function(id);
    match function.colour {
        Colour::Generator => format!("`{}` is a generator", function.name),
        Colour::AsyncGenerator => format!("`{}` is an asynchronous generator, for `async for`", function.name),
        Colour::Plain | Colour::Async => format!("`{}` is a plain function", function.name),
    }
}
