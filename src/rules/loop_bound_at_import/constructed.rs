//! What belongs to a loop as soon as it is made, made in a plain method of an object that may be made anywhere.
//!
//! ~~~text
//! class Pool:
//!     def __init__(self):
//!         self._lock = asyncio.Lock()     bound to the loop of whoever makes a Pool, on old versions of Python
//! ~~~

use crate::analysis::FunctionId;
use crate::catalogue::{Binding, Version};
use crate::flow::{Field, FunctionKind, StepKind, ValueIndex};
use crate::verdict::{Stance, Verdict};

use super::super::context::RuleContext;
use super::{NAME, bound_call};

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let is_plain_method = function.kind == FunctionKind::Method && function.owner.is_some() && !function.is_async();
    if !is_plain_method || cx.program.is_test_code(id) || cx.context(id).is_on_loop() {
        return;
    }
    let Some(Version(major, minor)) = cx.program.python(id.module) else { return };
    let kept = function.steps().filter_map(|(_, _, step)| match &step.kind {
        StepKind::Write(place, _, Some(value)) => match place.fields[..] {
            [Field::Name(_)] => Some((*value, cx.program.place_text(id, place))),
            _ => None,
        },
        _ => None,
    });
    let bound: Vec<(ValueIndex, String, Version)> = kept
        .filter_map(|(value, place)| {
            function.call(value)?;
            let entry = bound_call(cx, id, value)?;
            let until = entry.until.filter(|until| entry.when == Binding::Made && Version(major, minor) < *until)?;
            Some((value, place, until))
        })
        .collect();
    let Some(((first, place, until), more)) = bound.split_first() else { return };
    // Whoever is seen to make the object in a loop answers the question.
    if cx.program.callers_in_file(id).by.iter().any(|(caller, _)| cx.runs_on_loop(*caller)) {
        return;
    }
    let name = cx.program.callee_text(id, *first);
    let mut verdict = cx
        .verdict(NAME, Stance::Unproven, id, function.value(*first).span, &format!("`{place}`"))
        .assumes(format!("`{name}` is called in the loop that uses what it makes"))
        .says(format!(
            "`{place}` is made in plain code, and before Python {until} it belongs to the loop that is current there; \
             the project runs on {major}.{minor}"
        ))
        .asks(format!("Is `{}` only called where the loop that uses `{place}` is running?", function.qualified))
        .helps(format!("make `{place}` when it is first used in asynchronous code"));
    for (value, place, _) in more {
        verdict = verdict.evidence(cx.location(id, function.value(*value).span), format!("so is `{place}`"));
    }
    out.push(verdict);
}
