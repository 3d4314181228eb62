//! A loop is woken from another thread, after what belongs to it was touched there.
//!
//! ~~~text
//! queue.put_nowait(event)                     in whatever thread this is
//! loop.call_soon_threadsafe(lambda: None)     does nothing but wake the loop: it is another one
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::types::Type;
use crate::catalogue::Does;
use crate::flow::{Call, Callee, Function, Next, StepKind, ValueKind};
use crate::text::Language;
use crate::verdict::{Confidence, Verdict};

use super::super::context::RuleContext;
use super::{NAME, is_own};

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let tables = cx.program.tables(Language::Python);
    let calls = || function.calls().filter(|(at, _)| cx.program.shape(id).is_reachable(function.value(*at).block));
    for (wakes, _) in calls().filter(|(_, call)| only_wakes(cx, id, call)) {
        let (to, end) = (function.value(wakes).block, function.value(wakes).step);
        let touched = calls().find_map(|(at, _)| {
            let value = function.value(at);
            let is_before = if value.block == to { value.step < end } else { function.comes_to(value.block, to) };
            let resolution = cx.resolution(id, at);
            let entry = tables.affine(resolution.external()?)?;
            (is_before && !is_own(cx, id, at)).then_some((at, entry))
        });
        let Some((touch, entry)) = touched else { continue };
        let name = cx.program.callee_text(id, touch);
        let wake = cx.program.callee_text(id, wakes);
        out.push(
            cx.violated(NAME, Confidence::Medium, id, function.value(touch).span, &format!("`{name}`"))
                .assumes(format!("`{}` leaves what belongs to the event loop to the loop's own thread", function.name))
                .says(format!(
                    "`{name}` is called in a thread from which the loop has to be woken: it is not thread-safe"
                ))
                .helps(format!("give `{name}` to `{}` in the place of what does nothing", entry.instead))
                .evidence(cx.location(id, function.value(wakes).span), format!("`{wake}` only wakes the loop here")),
        );
        return;
    }
}

/// Whether a call hands a function to the loop's thread that does nothing.
fn only_wakes(cx: &RuleContext, id: FunctionId, call: &Call) -> bool {
    let Callee::Method(_, name) = &call.callee else { return false };
    let [given] = &call.arguments[..] else { return false };
    if cx.program.tables(Language::Python).verb(name) != Some(Does::HandsOver) {
        return false;
    }
    let handed = match cx.function(id).value(given.value).kind {
        ValueKind::Function(index) => FunctionId { index, ..id },
        _ => match cx.program.value_type(id, given.value) {
            Type::Function(of) => of,
            _ => return false,
        },
    };
    does_nothing(&cx.function(handed))
}

fn does_nothing(function: &Function) -> bool {
    let is_nothing = |kind: &StepKind| matches!(kind, StepKind::Discard(_));
    let ends = |next: &Next| matches!(next, Next::Return(_) | Next::Goto(_));
    !function.is_async()
        && function.steps().all(|(_, _, step)| is_nothing(&step.kind))
        && function.blocks.iter().all(|block| ends(&block.next))
}
