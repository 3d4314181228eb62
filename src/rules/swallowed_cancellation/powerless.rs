//! A deadline around code that never gives way: it cannot cut off anything.

use crate::analysis::FunctionId;
use crate::catalogue::ScopeKind;
use crate::flow::{ManagedIndex, StepKind, Suspension};
use crate::verdict::{Confidence, Level, Verdict};

use super::super::context::RuleContext;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if !function.is_async() {
        return;
    }
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
