//! A call that panics without a runtime around it, or with too small a one.

use crate::analysis::FunctionId;
use crate::catalogue::Need;
use crate::flow::{FunctionKind, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Confidence, Evidence, Level, Verdict};

use super::Body;

pub(super) fn check(body: &Body, out: &mut Vec<Verdict>) {
    let function = body.cx.function(body.id);
    if body.cx.language(body.id.module) != Language::Rust {
        return;
    }
    for (call, name) in body.external_calls() {
        let Some(need) = body.tables().needs(name) else { continue };
        let lack = match need {
            Need::Runtime if !function.is_async() => no_runtime(body),
            Need::Workers if function.is_async() => one_worker(body),
            Need::Runtime | Need::Workers => None,
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
            });
        if confidence == Confidence::Medium {
            verdict = verdict.level(Level::Warning);
        }
        verdict.evidence.push(evidence);
        out.push(verdict);
    }
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
