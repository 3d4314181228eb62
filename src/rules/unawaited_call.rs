//! A coroutine or future is made and never awaited.

mod misplaced;
pub(super) mod no_longer;

use crate::analysis::FunctionId;
use crate::analysis::makes::Makes;
use crate::analysis::types::Type;
use crate::analysis::uses::{Carries, Loss, Lost, Uses};
use crate::catalogue::Runs;
use crate::flow::{Call, Colour, FunctionKind, Next, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Confidence, Verdict};

use super::context::RuleContext;
use super::dangling_reference;

const NAME: &str = "unawaited-call";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let shape = cx.program.shape(id);
    let mut uses = None;
    for (at, value) in function.values.iter().enumerate() {
        let index = ValueIndex(at as u32);
        if !shape.is_reachable(value.block) {
            continue;
        }
        if let ValueKind::Call(call) = &value.kind {
            handed_to_plain_code(cx, id, index, call, out);
            misplaced::call(cx, id, index, call, &mut uses, out);
        }
        let made = cx.program.makes(id, index).map(|made| (made, Carries::Awaitable));
        let many = || cx.program.makes_many(id, index).then_some((Makes::Coroutine, Carries::Awaitables));
        let Some((made, carries)) = made.or_else(many) else { continue };
        let uses = uses.get_or_insert_with(|| Uses::of(&function));
        let Some(lost) = cx.program.losses(id, uses, index, carries) else { continue };
        // A plain function may have done what it is called for before it returns a future of the rest.
        if cx.program.does_more_than_make(id, index) {
            continue;
        }
        // A call that fails where it stands makes nothing.
        if cx.is_to_fail(id, value.span) || dangling_reference::is_refused(cx, id, index) {
            continue;
        }
        match carries {
            Carries::Awaitables => out.push(none_awaited(cx, id, index, &lost)),
            _ => out.push(never_awaited(cx, id, index, made, &lost)),
        }
    }
    yielded(cx, id, out);
    misplaced::returned(cx, id, out);
}

/// A collection of futures that nobody goes through.
fn none_awaited(cx: &RuleContext, id: FunctionId, index: ValueIndex, lost: &[Lost]) -> Verdict {
    let name = cx.program.callee_text(id, index);
    let what = lost.iter().min_by_key(|lost| lost.at.start).map_or_else(String::new, |lost| loss(cx, id, *lost));
    cx.violated(NAME, Confidence::High, id, cx.function(id).value(index).span, &format!("`{name}`"))
        .assumes(format!("the futures that `{name}` gathers are awaited"))
        .says(format!("`{name}` only gathers futures, and nobody awaits them: {what}"))
        .helps("await them together, or one after the other")
}

/// An async block or closure whose result is a future of its own: whoever awaits the block has awaited nothing yet.
fn yielded(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let is_anonymous = matches!(function.kind, FunctionKind::AsyncBlock | FunctionKind::Closure);
    let (true, Colour::Async, Some(parent)) = (is_anonymous, function.colour, function.parent) else { return };
    for block in &function.blocks {
        let Next::Return(Some(value)) = block.next else { continue };
        let node = function.value(value);
        // A closure without braces hands on what it calls: that is its point.
        let is_bare_call = function.kind == FunctionKind::Closure
            && matches!(node.kind, ValueKind::Call(_))
            && node.span.end == function.span.end;
        let is_future = cx.program.makes(id, value) == Some(Makes::Coroutine) || is_own_future(cx, id, value);
        if !is_future || is_bare_call || is_awaited_twice(cx, FunctionId { index: parent, ..id }, id) {
            continue;
        }
        let name = name(cx, id, value);
        let whole = if function.kind == FunctionKind::Closure { "closure" } else { "block" };
        out.push(
            cx.violated(NAME, Confidence::High, id, node.span, &format!("`{name}`"))
                .assumes(format!("the future that `{name}` makes is awaited"))
                .says(format!(
                    "the async {whole} ends with the future that `{name}` makes: awaiting the {whole} does not run it"
                ))
                .helps("`.await` it in there")
                .evidence(cx.location(id, function.header), format!("the {whole} begins here")),
        );
    }
}

/// Whether a value is made here of a type that is a future by an `impl` of the project. What is only handed on, a
/// variable or what a call gives, is meant: its type says so.
fn is_own_future(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> bool {
    let function = cx.function(id);
    let is_made_here = match &function.value(value).kind {
        ValueKind::Place(place) => place.as_variable().is_none(),
        ValueKind::Path(..) | ValueKind::Collection(..) | ValueKind::Operation(_) => true,
        _ => false,
    };
    let of = cx.program.value_type(id, value);
    let definition = match &of {
        Type::Instance(instance) => instance.definition,
        Type::Class(definition) => Some(*definition),
        _ => None,
    };
    is_made_here && definition.is_some_and(|definition| cx.program.is_future(definition))
}

/// Whether what awaiting a block gives is awaited in turn.
fn is_awaited_twice(cx: &RuleContext, around: FunctionId, block: FunctionId) -> bool {
    let function = cx.function(around);
    let uses = Uses::of(&function);
    let made = function
        .values
        .iter()
        .position(|value| matches!(value.kind, ValueKind::Function(index) if index == block.index));
    made.is_some_and(|at| {
        let all = cx.program.made_from(around, &uses, ValueIndex(at as u32));
        all.iter().filter(|value| matches!(function.value(**value).kind, ValueKind::Awaited(_))).count() > 1
    })
}

fn never_awaited(cx: &RuleContext, id: FunctionId, index: ValueIndex, made: Makes, lost: &[Lost]) -> Verdict {
    let function = cx.function(id);
    let name = name(cx, id, index);
    let thing = thing(cx, id, made);
    let first = lost.iter().min_by_key(|lost| lost.at.start);
    let what = first.map_or_else(String::new, |lost| format!(": {}", loss(cx, id, *lost)));
    let verb = if made == Makes::Generator { "iterates" } else { "awaits" };
    let help = match cx.language(id.module) {
        Language::Python if made == Makes::Generator => "loop over it with `async for`",
        Language::Python => "await it, or start a task with it and keep the task",
        Language::Rust => "`.await` it, or spawn it",
    };
    let mut verdict = cx
        .violated(NAME, Confidence::High, id, function.value(index).span, &format!("`{name}`"))
        .assumes(format!("the {thing} that `{name}` makes is awaited"))
        .says(format!("`{name}` only makes a {thing}, and nobody {verb} it{what}"))
        .helps(help);
    if let Some(first) = first.filter(|lost| !matches!(lost.how, Loss::Discarded | Loss::Unused(_))) {
        verdict = verdict.evidence(cx.location(id, first.at), loss(cx, id, *first));
    }
    for callee in cx.resolution(id, index).functions().into_iter().take(2) {
        let callee_function = cx.function(callee);
        let note = format!("`{}` is defined here", callee_function.name);
        verdict = verdict.evidence(cx.location(callee, callee_function.header), note);
    }
    verdict
}

/// An asynchronous function that is handed to somebody who calls it and expects no coroutine.
fn handed_to_plain_code(cx: &RuleContext, id: FunctionId, index: ValueIndex, call: &Call, out: &mut Vec<Verdict>) {
    if call.arguments.is_empty() {
        return;
    }
    let resolution = cx.resolution(id, index);
    let Some(external) = resolution.external() else { return };
    let Some(sink) = cx.program.tables(cx.language(id.module)).swallows_awaitables(external) else { return };
    let runs = cx.program.offload(id, &resolution).map(|offload| offload.runs);
    if !matches!(runs, Some(Runs::Thread | Runs::Process | Runs::Loop | Runs::Main | Runs::Signal)) {
        return;
    }
    for argument in cx.program.arguments_meant(call, sink) {
        let Type::Function(callee) = cx.program.value_type(id, argument) else { continue };
        if cx.program.function_makes(callee, 1).is_none() {
            continue;
        }
        let name = cx.function(callee).name.clone();
        let to = cx.program.callee_text(id, index);
        let span = cx.function(id).value(index).span;
        let definition = cx.location(callee, cx.function(callee).header);
        out.push(
            cx.violated(NAME, Confidence::High, id, span, &format!("`{name}`"))
                .assumes(format!("the coroutine that `{name}` makes is awaited"))
                .says(format!("`{to}` calls `{name}`, which only makes a coroutine, and nobody awaits it"))
                .helps("hand over a plain function, or run the coroutine on the loop")
                .evidence(definition, format!("`{name}` is asynchronous")),
        );
    }
}

fn name(cx: &RuleContext, id: FunctionId, index: ValueIndex) -> String {
    let function = cx.function(id);
    match &function.value(index).kind {
        ValueKind::Function(_) => "async block".to_owned(),
        _ => cx.program.callee_text(id, index),
    }
}

fn thing(cx: &RuleContext, id: FunctionId, made: Makes) -> &'static str {
    match (made, cx.language(id.module)) {
        (Makes::Generator, _) => "generator",
        (Makes::Coroutine, Language::Python) => "coroutine",
        (Makes::Coroutine, Language::Rust) => "future",
    }
}

fn loss(cx: &RuleContext, id: FunctionId, lost: Lost) -> String {
    let function = cx.function(id);
    match lost.how {
        Loss::Discarded => "it is thrown away".to_owned(),
        Loss::Unused(variable) => format!("`{}` is not used after this", function.variable(variable).name),
        Loss::Condition => "as a condition it is always true".to_owned(),
        Loss::Operation => "it goes into an operator or a string as it is".to_owned(),
        Loss::Sink(call) => format!("`{}` does nothing with it", cx.program.callee_text(id, call)),
        Loss::Mistyped(call) => {
            format!("`{}` is annotated to get what comes out of it", cx.program.callee_text(id, call))
        }
        Loss::Ignored(call) => format!("`{}` never looks at it", cx.program.callee_text(id, call)),
        Loss::Loop => "a plain loop cannot go over it".to_owned(),
        Loss::Unpacked => "it is taken apart like a tuple".to_owned(),
        Loss::Callback(_) => "it is only given a callback".to_owned(),
        Loss::Weak(call) => {
            format!("`{}` keeps it only as long as somebody else does", cx.program.callee_text(id, call))
        }
    }
}
