//! What was collected is taken out as a whole before a wait that needs it: if that fails, it is gone.
//!
//! ~~~text
//! rows, self._rows = self._rows, []
//! await self._send(rows)               an exception or a cancellation leaves here, and the rows are nowhere
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::uses::{Uses, for_each_part};
use crate::catalogue::Does;
use crate::flow::{
    BlockIndex, Collection, Field, Function, Goes, Place, Step, StepKind, Stretch, Suspension, ValueIndex, ValueKind,
    WriteKind,
};
use crate::text::Language;
use crate::verdict::{Level, Stance, Verdict};

use super::NAME;
use crate::rules::context::RuleContext;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let is_candidate = cx.language(id.module) == Language::Python && function.is_async();
    if !is_candidate || cx.program.is_test_code(id) || !cx.program.verbs(id, Does::Cancels).is_empty() {
        return;
    }
    let uses = Uses::of(&function);
    for (block, number, step) in function.steps() {
        let StepKind::Write(place, WriteKind::Assign, Some(value)) = &step.kind else { continue };
        if !is_attribute(place) || !is_empty(&function, *value) {
            continue;
        }
        let Some(taken) = taken_before(&function, place, block, number) else { continue };
        let made = cx.program.made_from(id, &uses, taken);
        let Some(wait) = first_wait(cx, id, (block, number), &made) else { continue };
        if is_put_back(&function, place, wait.0) {
            continue;
        }
        let (name, by, waits) = (cx.program.place_text(id, place), &function.name, cx.program.value_text(id, wait.1));
        out.push(
            cx.verdict(NAME, Stance::Unproven, id, step.span, &format!("`{name}`"))
                .assumes(format!("what `{by}` takes out of `{name}` gets to where it goes"))
                .says(format!(
                    "`{by}` empties `{name}` before `{waits}` has got what was in it: if that fails, it is lost"
                ))
                .asks(format!(
                    "Can `{waits}` fail, or `{by}` be cancelled there, with something in `{name}` that matters?"
                ))
                .helps("put it back where the wait fails, or take it out after that")
                .level(Level::Warning)
                .evidence(cx.location(id, function.value(wait.1).span), "this is waited for with what was taken out"),
        );
        return;
    }
}

fn is_attribute(place: &Place) -> bool {
    matches!(place.fields[..], [Field::Name(_)])
}

/// Whether a value is a collection with nothing in it.
fn is_empty(function: &Function, value: ValueIndex) -> bool {
    match &function.value(value).kind {
        ValueKind::Collection(kind, items) => {
            items.is_empty() && matches!(kind, Collection::List | Collection::Mapping | Collection::Set)
        }
        _ => false,
    }
}

/// The read of the place in the same block that was bound to a variable before.
fn taken_before(function: &Function, place: &Place, block: BlockIndex, before: usize) -> Option<ValueIndex> {
    function.blocks[block.at()].steps.iter().rev().find_map(|step| {
        let StepKind::Bind(_, value) = step.kind else { return None };
        let read = match &function.value(value).kind {
            ValueKind::Place(known) => known == place,
            ValueKind::Component(of, at) => match &function.value(*of).kind {
                ValueKind::Collection(_, items) => items.get(*at as usize).is_some_and(
                    |(_, item)| matches!(&function.value(*item).kind, ValueKind::Place(known) if known == place),
                ),
                _ => false,
            },
            _ => false,
        };
        let node = function.value(value);
        (read && node.block == block && node.step as usize <= before).then_some(value)
    })
}

/// The first wait after a step whose awaited call is given something of what was taken out.
fn first_wait(
    cx: &RuleContext,
    id: FunctionId,
    from: (BlockIndex, usize),
    made: &std::collections::BTreeSet<ValueIndex>,
) -> Option<(BlockIndex, ValueIndex)> {
    let function = cx.function(id);
    let waits = |step: &Step| match step.kind {
        StepKind::Suspend(Suspension::Await, Some(of)) => {
            let is_it = cx.program.may_suspend(id, Suspension::Await, Some(of)) && is_given(&function, of, made);
            is_it.then_some(of)
        }
        _ => None,
    };
    function.walk_steps((from.0, from.1 + 1), |stretch| {
        let first = stretch.steps().find_map(|(_, step)| waits(step));
        first.map_or(Goes::On, |of| Goes::Over((stretch.at, of)))
    })
}

/// Whether a value, or a part of it, is made from what was taken out.
fn is_given(function: &Function, of: ValueIndex, made: &std::collections::BTreeSet<ValueIndex>) -> bool {
    let mut found = made.contains(&of);
    for_each_part(&function.value(of).kind, |part| found |= made.contains(&part));
    found
}

/// Whether an exception out of a block comes by anything that touches the place.
fn is_put_back(function: &Function, place: &Place, block: BlockIndex) -> bool {
    let Some(raised) = function.blocks[block.at()].on_raise else { return false };
    let touches = |step: &Step| match &step.kind {
        StepKind::Read(known) | StepKind::Write(known, ..) => {
            known.root == place.root && known.fields.first() == place.fields.first()
        }
        _ => false,
    };
    let visit = |stretch: Stretch| match stretch.steps().any(|(_, step)| touches(step)) {
        true => Goes::Over(()),
        false => Goes::OnAndRaised,
    };
    function.walk_steps((raised, 0), visit).is_some()
}
