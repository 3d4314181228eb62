//! Tasks that are asked to stop, and not waited for: their cleanup runs beside whatever comes next.
//!
//! ~~~text
//! for task in self._tasks:
//!     task.cancel()               only asks …
//! await self._client.close()      … and the tasks may still be using what is closed here
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::uses::Uses;
use crate::catalogue::Does;
use crate::flow::{BlockIndex, Field, Function, Place, Root, StepKind, Suspension, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Level, Stance, Verdict};

use super::super::context::RuleContext;
use super::NAME;

pub(super) fn check(cx: &RuleContext, id: FunctionId, uses: &Uses, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if cx.language(id.module) != Language::Python || cx.program.is_test_code(id) {
        return;
    }
    for (call, receiver) in cx.program.verbs(id, Does::Cancels) {
        let Some(group) = several(cx, id, receiver) else { continue };
        let ValueKind::Place(member) = &function.value(receiver).kind else { continue };
        let is_waited_for = member.as_variable().is_some_and(|one| is_awaited(&function, uses.reads(one)));
        if is_waited_for || is_met_again(&function, &group, call) {
            continue;
        }
        let Some(next) = goes_on(cx, id, call) else { continue };
        let (name, tasks) = (&function.name, cx.program.place_text(id, &group));
        out.push(
            cx.verdict(NAME, Stance::Unproven, id, function.value(call).span, &format!("`{tasks}`"))
                .assumes(format!("the tasks in `{tasks}` have ended before `{name}` goes on"))
                .says(format!(
                    "the tasks in `{tasks}` are asked to stop, and `{name}` goes on without waiting for them"
                ))
                .asks(format!("Can the tasks in `{tasks}` still be at work with what `{name}` ends?"))
                .helps("gather them after the cancellation, with their exceptions returned")
                .level(Level::Warning)
                .evidence(next, "this comes next"),
        );
        return;
    }
}

/// The collection whose members are cancelled one after the other, where they are known to be tasks or futures.
fn several(cx: &RuleContext, id: FunctionId, receiver: ValueIndex) -> Option<Place> {
    let function = cx.function(id);
    let node = function.value(receiver);
    let ValueKind::Place(place) = &node.kind else { return None };
    let variable = place.as_variable()?;
    let bound = cx.program.reaching(id, variable, node.block, node.step).values;
    let [element] = bound[..] else { return None };
    let ValueKind::Element(over) = function.value(element).kind else { return None };
    let tables = cx.program.tables(Language::Python);
    let is_handle = cx.program.value_type(id, receiver).instance().is_some_and(|of| tables.is_handle(&of.name));
    let behind = group_of(cx, id, over)?;
    (is_handle || holds_started(cx, id, &behind)).then_some(behind)
}

/// The variable or attribute that is looped over, through calls such as `list(…)` and `.values()`.
fn group_of(cx: &RuleContext, id: FunctionId, over: ValueIndex) -> Option<Place> {
    let function = cx.function(id);
    match &function.value(over).kind {
        ValueKind::Place(place) => {
            let is_plain = match place.root {
                Root::Variable(_) => matches!(place.fields[..], [] | [Field::Name(_)]),
                Root::Global(_) => place.fields.is_empty(),
            };
            is_plain.then(|| place.clone())
        }
        ValueKind::Call(call) => {
            let of = match call.callee {
                crate::flow::Callee::Method(receiver, _) => receiver,
                _ => call.arguments.first()?.value,
            };
            group_of(cx, id, of)
        }
        _ => None,
    }
}

/// Whether a function of the file puts tasks that it starts into a collection.
fn holds_started(cx: &RuleContext, id: FunctionId, group: &Place) -> bool {
    let Some((state, _)) = cx.program.state_named(id, group, BlockIndex(0), 0) else { return false };
    let accesses = cx.program.accesses_of(id.module, &state);
    accesses.iter().any(|access| {
        let by = cx.function(access.function);
        let values = by.values.iter().enumerate().filter(|(_, value)| access.span.contains(value.span));
        access.touch.is_change()
            && values.into_iter().any(|(at, _)| {
                let at = ValueIndex(at as u32);
                let made = match &by.value(at).kind {
                    ValueKind::Place(place) => match place.as_variable() {
                        Some(variable) => {
                            let node = by.value(at);
                            cx.program.reaching(access.function, variable, node.block, node.step).values
                        }
                        None => Vec::new(),
                    },
                    _ => vec![at],
                };
                made.into_iter().any(|one| cx.program.starts(access.function, one).is_some())
            })
    })
}

/// Whether any of these reads is awaited.
fn is_awaited(function: &Function, reads: &[ValueIndex]) -> bool {
    function.steps().any(|(_, _, step)| matches!(step.kind, StepKind::Suspend(_, Some(of)) if reads.contains(&of)))
}

/// Whether a collection is looked at where control may come after a call, outside of the loop that the call stands in.
fn is_met_again(function: &Function, group: &Place, call: ValueIndex) -> bool {
    let from = function.value(call);
    let own = function.blocks[from.block.at()].in_loop;
    let later = function.reached([from.block], |_, block, on| on.extend(block.next.targets()));
    function.values.iter().any(|value| {
        let is_group = matches!(&value.kind, ValueKind::Place(place) if place == group);
        let is_inside = own.is_some() && function.blocks[value.block.at()].in_loop == own;
        is_group && !is_inside && later[value.block.at()] && value.span.start > from.span.start
    })
}

/// What the function waits for, or how it leaves, after a call.
fn goes_on(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> Option<crate::verdict::Location> {
    let function = cx.function(id);
    let from = function.value(call);
    let later = function.reached([from.block], |_, block, on| on.extend(block.next.targets()));
    let waits = function.steps().filter(|(block, _, step)| {
        let is_wait = matches!(step.kind, StepKind::Suspend(how, _) if how != Suspension::Yield);
        is_wait && later[block.at()] && step.span.start > from.span.end
    });
    let leaves = function.blocks.iter().enumerate().filter_map(|(at, block)| {
        let leave = block.left_by?;
        (later[at] && leave.span.start > from.span.end).then_some(leave.span)
    });
    let span = waits.map(|(_, _, step)| step.span).chain(leaves).min()?;
    Some(cx.location(id, span))
}
