//! An asynchronous context manager that keeps what it entered in itself: a second entry takes the place of the first.
//!
//! ~~~text
//! async def __aenter__(self):
//!     self._inner = self._app.change(self._token)       whoever comes in next takes its place …
//!     return await self._inner.__aenter__()
//! async def __aexit__(self, *exc):
//!     await self._inner.__aexit__(*exc)                 … and is left here by whoever leaves first
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::accesses::Touch;
use crate::analysis::held::{Event, What};
use crate::flow::{BlockIndex, Field, StepKind, Suspension, ValueKind};
use crate::text::Language;
use crate::verdict::{Level, Stance, Verdict};

use super::context::RuleContext;

const NAME: &str = "stale-read-across-await";

const ENTRY: &str = "__aenter__";
const EXIT: &str = "__aexit__";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let is_entry = function.name == ENTRY && function.owner.is_some() && function.is_async();
    if cx.language(id.module) != Language::Python || !is_entry || cx.program.is_test_code(id) {
        return;
    }
    let Some(owner) = cx.program.self_type(id) else { return };
    let module = cx.program.module(id.module);
    let Some((index, _)) = module.functions().find(|(index, other)| {
        other.name == EXIT && cx.program.self_type(FunctionId { index: *index, ..id }) == Some(owner)
    }) else {
        return;
    };
    let exit = FunctionId { index, ..id };
    for (block, number, step) in function.steps() {
        let StepKind::Write(place, _, Some(value)) = &step.kind else { continue };
        let [Field::Name(_)] = place.fields[..] else { continue };
        // What the exit enters and leaves with is what another entry would take away.
        if function.call(*value).is_none() || has_turn(cx, id, (block, number as u32)) {
            continue;
        }
        let Some((state, name)) = cx.program.state_named(id, place, block, number as u32) else { continue };
        let all = cx.program.accesses_of(id.module, &state);
        let is_checked = all.iter().any(|access| {
            access.function == id
                && access.touch == Touch::Reads
                && (access.block, access.step) < (block, number as u32)
        });
        let entered = awaited_on(cx, id, &state);
        let left = awaited_on(cx, exit, &state);
        let (false, Some(_), Some(left)) = (is_checked, entered, left) else { continue };
        let class = &cx.program.type_def(owner).name;
        out.push(
            cx.verdict(NAME, Stance::Unproven, id, step.span, &format!("`{name}`"))
                .assumes(format!("`{name}` is the same at the end of an `async with` as at its beginning"))
                .says(format!("`{class}` keeps in `{name}` what it enters, and a second entry takes its place"))
                .asks(format!("Can two tasks be in an `async with` of the same `{class}` at once?"))
                .helps("keep what was entered apart for each entry, or refuse the second")
                .level(Level::Warning)
                .evidence(cx.location(exit, left), format!("`{name}` is left here")),
        );
        return;
    }
}

/// Whether a lock has been taken before a step: whoever comes next waits for it.
fn has_turn(cx: &RuleContext, id: FunctionId, at: (BlockIndex, u32)) -> bool {
    let facts = cx.facts(id);
    let is_taking = |event: &Event| matches!(event.what, What::Acquire(..)) && (event.block, event.step) < at;
    !facts.held_at(at.0, at.1).is_empty() || facts.events.iter().any(is_taking)
}

/// Where a function awaits a call of a method on a piece of state.
fn awaited_on(cx: &RuleContext, id: FunctionId, state: &str) -> Option<crate::text::Span> {
    let function = cx.function(id);
    function.steps().find_map(|(_, _, step)| {
        let StepKind::Suspend(Suspension::Await, Some(of)) = step.kind else { return None };
        let crate::flow::Callee::Method(receiver, _) = function.call(of)?.callee else { return None };
        let node = function.value(receiver);
        let ValueKind::Place(place) = &node.kind else { return None };
        let (named, _) = cx.program.state_named(id, place, node.block, node.step)?;
        (named == state).then_some(step.span)
    })
}
