//! A loop that ends at a failure after which there is more to come.
//!
//! ~~~text
//! while let Ok(event) = events.recv().await { … }      ends for ever as soon as the receiver falls behind
//! ~~~

use crate::flow::{LoopKind, ValueIndex, ValueKind};
use crate::verdict::{Confidence, Level, Verdict};

use super::Body;

pub(super) fn check(body: &Body, out: &mut Vec<Verdict>) {
    let function = body.cx.function(body.id);
    for (call, name) in body.external_calls() {
        let Some(goes_on) = body.tables().goes_on(name) else { continue };
        let Some(awaited) = body.cx.program.shape(body.id).awaited(call) else { continue };
        if !is_loop_condition(body, call) || !is_only_taken_as(body, awaited, "Ok") {
            continue;
        }
        let text = body.cx.program.callee_text(body.id, call);
        let verdict = body
            .violated(Confidence::High, call, &text)
            .assumes(format!("the loop goes on while `{text}` has more to give"))
            .says(format!(
                "the loop ends at every failure of `{text}`: `{}` comes {}, and there is more after it",
                goes_on.after, goes_on.when
            ))
            .helps(format!("match on the failure, and go on after `{}`", goes_on.after))
            .evidence(body.cx.location(body.id, function.value(awaited).span), "any failure ends the loop here")
            .level(Level::Warning);
        out.push(verdict);
    }
}

/// Whether a call decides whether a loop goes on.
fn is_loop_condition(body: &Body, call: ValueIndex) -> bool {
    let function = body.cx.function(body.id);
    let block = function.value(call).block;
    function.blocks[block.at()].in_loop.is_some_and(|at| {
        let around = &function.loops[at.at()];
        around.kind == LoopKind::While && around.header == block
    })
}

/// Whether a value is looked at for one variant only.
fn is_only_taken_as(body: &Body, value: ValueIndex, wanted: &str) -> bool {
    let function = body.cx.function(body.id);
    let variants = function.values.iter().filter_map(|user| match &user.kind {
        ValueKind::Payload(of, variant, _) if *of == value => Some(variant),
        _ => None,
    });
    let mut is_taken = false;
    let is_only = variants.into_iter().all(|variant| {
        is_taken = true;
        variant.last().is_some_and(|last| last == wanted)
    });
    is_taken && is_only
}
