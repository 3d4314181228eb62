//! A call that fails without something around it: a runtime, one that is large enough, the main thread.

use crate::analysis::FunctionId;
use crate::analysis::types::Type;
use crate::catalogue::Need;
use crate::flow::{FunctionKind, Handler, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Confidence, Evidence, Level, Stance, Verdict};

use super::{Body, NAME};

pub(super) fn check(body: &Body, out: &mut Vec<Verdict>) {
    let function = body.cx.function(body.id);
    if body.cx.language(body.id.module) == Language::Python {
        out.extend(another_thread(body));
        return;
    }
    for (call, name) in body.external_calls() {
        let Some(need) = body.tables().needs(name) else { continue };
        let need = need.what;
        let lack = match need {
            Need::Runtime if !function.is_async() => no_runtime(body),
            Need::Workers if function.is_async() => one_worker(body),
            Need::Runtime | Need::Workers | Need::MainThread => None,
        };
        let Some((confidence, what, evidence)) = lack else { continue };
        let text = body.cx.program.callee_text(body.id, call);
        let mut verdict = body
            .violated(confidence, call, &text)
            .assumes(format!("`{text}` is called where a runtime is there for it"))
            .says(format!("`{text}` panics here: {what}"))
            .helps(match need {
                Need::Runtime => "take a `Handle` along and use it, or ask for one with `Handle::try_current`",
                Need::Workers => "give the runtime several workers, or use `spawn_blocking`",
                Need::MainThread => "call it in the main thread",
            });
        if confidence == Confidence::Medium {
            verdict = verdict.level(Level::Warning);
        }
        verdict.evidence.push(evidence);
        out.push(verdict);
    }
}

/// A call that only the main thread may make, in a method of an object that may be used in any: who embeds it decides.
fn another_thread(body: &Body) -> Option<Verdict> {
    let function = body.cx.function(body.id);
    let needs = |(call, name)| Some((call, body.tables().needs(name)?));
    let (call, need) = body.external_calls().filter_map(needs).find(|(_, need)| need.what == Need::MainThread)?;
    let is_asked = body.external_calls().any(|(_, name)| body.tables().has_own_loop(name));
    let is_ready = function.attempts.iter().any(|attempt| {
        let block = function.value(call).block;
        attempt.body.has(block) && attempt.handlers.iter().any(|handler| takes_one_of(body, handler, &need.refusals))
    });
    if function.owner.is_none() || is_asked || is_ready || body.cx.program.is_test_code(body.id) {
        return None;
    }
    let text = body.cx.program.callee_text(body.id, call);
    let context = body.cx.context(body.id);
    let stance = if context.is_in_thread() { Stance::Violated(Confidence::Medium) } else { Stance::Unproven };
    let mut verdict = body
        .cx
        .verdict(NAME, stance, body.id, function.value(call).span, &format!("`{text}`"))
        .assumes(format!("`{text}` is called in the main thread only"))
        .says(format!("`{text}` raises in every thread but the main one, and nothing here asks which one this is"))
        .asks(format!("Is `{}` only ever used in the main thread of its process?", function.qualified))
        .helps("ask first whether this is the main thread");
    if let Some((at, what)) = context.shown.clone().filter(|_| context.is_in_thread()) {
        verdict = verdict.evidence(at, what);
    }
    Some(verdict)
}

/// Whether a handler takes one of these exceptions, or whatever comes.
fn takes_one_of(body: &Body, handler: &Handler, exceptions: &[String]) -> bool {
    let is_one = |class: &ValueIndex| match body.cx.program.value_type(body.id, *class) {
        Type::External(name) => exceptions.iter().any(|known| **known == *name),
        _ => false,
    };
    handler.catches.is_empty() || handler.catches.iter().any(is_one)
}

type Lack = (Confidence, String, Evidence);

/// Why no runtime is there.
fn no_runtime(body: &Body) -> Option<Lack> {
    let function = body.cx.function(body.id);
    let asks = body.cx.program.asks_for_a_loop(body.id)
        || body.external_calls().any(|(_, name)| body.tables().has_own_loop(name));
    if asks {
        return None;
    }
    if body.cx.program.is_destructor(body.id) {
        let note = "a value is dropped wherever its owner ends, on threads without a runtime too".to_owned();
        let evidence = Evidence { at: body.cx.location(body.id, function.header), note };
        return Some((Confidence::Medium, "nothing says that `drop` runs inside a runtime".to_owned(), evidence));
    }
    let parent = function.parent.filter(|_| function.kind == FunctionKind::Closure)?;
    let parent = FunctionId { module: body.id.module, index: parent };
    let starter = bare_starter(body, parent)?;
    let note = format!("`{}` starts a thread of its own", body.cx.program.callee_text(parent, starter));
    let at = body.cx.location(parent, body.cx.function(parent).value(starter).span);
    Some((Confidence::High, "the thread that runs this has no runtime".to_owned(), Evidence { at, note }))
}

/// The call that hands a closure to a thread that no runtime started.
fn bare_starter(body: &Body, parent: FunctionId) -> Option<ValueIndex> {
    let function = body.cx.function(parent);
    let is_this =
        |value: ValueIndex| matches!(function.value(value).kind, ValueKind::Function(at) if at == body.id.index);
    let calls = (0..function.values.len() as u32).map(ValueIndex);
    calls.into_iter().find(|call| {
        let Some(written) = function.call(*call) else { return false };
        written.arguments.iter().any(|argument| is_this(argument.value))
            && body.cx.resolution(parent, *call).external().is_some_and(|name| body.tables().starts_bare_thread(name))
    })
}

/// Why there is one worker only.
fn one_worker(body: &Body) -> Option<Lack> {
    let function = body.cx.function(body.id);
    function.decorators.iter().find_map(|decorator| {
        let name = body.cx.program.decorator_name(body.id, &decorator.path)?;
        let workers = body.tables().workers(&name)?;
        let is_written = |text: &str| decorator.arguments.iter().any(|(_, value)| value.trim_matches('"') == text);
        if !workers.is_single(is_written) {
            return None;
        }
        let note = format!("`{}` makes a runtime with one worker", decorator.path.join("::"));
        let evidence = Evidence { at: body.cx.location(body.id, decorator.span), note };
        Some((Confidence::High, "the runtime has one worker, and no other can take its tasks".to_owned(), evidence))
    })
}
