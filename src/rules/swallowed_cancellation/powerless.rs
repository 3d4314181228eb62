//! A deadline that cannot cut off anything: around code that never gives way, or taken away from a wait.

use crate::analysis::FunctionId;
use crate::catalogue::ScopeKind;
use crate::flow::{Literal, ManagedIndex, StepKind, Suspension, ValueIndex, ValueKind};
use crate::verdict::{Confidence, Level, Verdict};

use super::super::context::RuleContext;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if !function.is_async() {
        return;
    }
    taken_away(cx, id, out);
    let shape = cx.program.shape(id);
    for (at, managed) in function.managed.iter().enumerate() {
        let index = ManagedIndex(at as u32);
        if cx.program.scope_kind(id, index) != Some(ScopeKind::Deadline) {
            continue;
        }
        let is_entered = function.steps().any(|(block, _, step)| {
            matches!(step.kind, StepKind::Enter(one) if one == index) && shape.is_reachable(block)
        });
        let inside = cx.program.steps_within(id, index);
        let gives_way = inside.iter().any(|(block, step)| match function.blocks[block.at()].steps[*step].kind {
            StepKind::Suspend(Suspension::Yield, _) => true,
            StepKind::Suspend(how, of) => cx.program.may_suspend(id, how, of),
            _ => false,
        });
        if gives_way || !is_entered {
            continue;
        }
        let name = cx.program.value_text(id, managed.value);
        out.push(
            cx.violated(super::NAME, Confidence::High, id, managed.span, &format!("`{name}`"))
                .assumes(format!("`{name}` can end what stands in it"))
                .says(format!("nothing in this block gives way, so `{name}` cannot cut it off"))
                .helps("take it away, or put what takes long into the block and await it there")
                .level(Level::Warning),
        );
    }
}

/// A wait of a library that is told to have no deadline.
fn taken_away(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    for (at, value) in function.values.iter().enumerate() {
        let (ValueKind::Call(call), index) = (&value.kind, ValueIndex(at as u32)) else { continue };
        let none = call.arguments.iter().find(|given| {
            given.name.as_deref() == Some("timeout")
                && matches!(function.value(given.value).kind, ValueKind::Literal(Literal::None))
        });
        let Some(none) = none.filter(|_| cx.program.is_awaited(id, index)) else { continue };
        if cx.resolution(id, index).external().is_none() {
            continue;
        }
        let name = cx.program.callee_text(id, index);
        out.push(
            cx.violated(super::NAME, Confidence::High, id, function.value(none.value).span, &format!("`{name}`"))
                .assumes(format!("`{name}` comes to an end"))
                .says(format!("`{name}` is told to have no deadline, and may wait for ever"))
                .helps("state one, or leave the library's own")
                .level(Level::Note),
        );
    }
}
