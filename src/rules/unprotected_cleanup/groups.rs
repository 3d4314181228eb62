//! What ends before the tasks of a group do, and jumps that have to wait for them.

use crate::analysis::FunctionId;
use crate::catalogue::ScopeKind;
use crate::flow::{
    Argument, BlockIndex, Callee, Function, Leave, Leaving, ManagedIndex, Next, StepKind, ValueIndex, ValueKind,
    VariableIndex,
};
use crate::verdict::{Confidence, Level, Verdict};

use super::super::context::RuleContext;
use super::NAME;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    for (at, _) in function.managed.iter().enumerate() {
        let group = ManagedIndex(at as u32);
        if cx.program.scope_kind(id, group) == Some(ScopeKind::Group) {
            jumps(cx, id, group, out);
            outlived(cx, id, group, out);
        }
    }
}

/// Jumps out of a group: they wait until its tasks are done.
fn jumps(cx: &RuleContext, id: FunctionId, group: ManagedIndex, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let managed = &function.managed[group.at()];
    let shape = cx.program.shape(id);
    for (at, block) in function.blocks.iter().enumerate() {
        let exits = |step: &crate::flow::Step| matches!(step.kind, StepKind::Exit(one) if one == group);
        if !shape.is_reachable(BlockIndex(at as u32)) || !block.steps.iter().any(exits) {
            continue;
        }
        let leave = jump_after(&function, BlockIndex(at as u32));
        let Some(leave) = leave.filter(|leave| managed.body.has(leave.span.start)) else { continue };
        let word = match leave.how {
            Leaving::Return => "return",
            Leaving::Break => "break",
            Leaving::Continue => "continue",
            Leaving::Raise => continue,
        };
        let name = cx.program.value_text(id, managed.value);
        out.push(
            cx.violated(NAME, Confidence::High, id, leave.span, &format!("`{word}`"))
                .assumes(format!("`{word}` leaves `{name}` at once"))
                .says(format!("`{word}` leaves `{name}` only once all its tasks have ended"))
                .helps("cancel the tasks first, or leave after the group")
                .evidence(cx.location(id, managed.span), "the group is entered here")
                .level(Level::Note),
        );
    }
}

/// The statement that a block which leaves a group goes on to.
fn jump_after(function: &Function, from: BlockIndex) -> Option<Leave> {
    let mut at = from;
    for _ in 0..8 {
        let block = &function.blocks[at.at()];
        match (block.left_by, &block.next) {
            (Some(leave), _) => return Some(leave),
            // What has other ways to it is no part of the way out.
            (None, Next::Goto(to)) if to.0 == at.0 + 1 && function.blocks[to.at()].steps.len() <= 2 => at = *to,
            (None, _) => return None,
        }
    }
    None
}

/// Resources that are opened inside a group, handed to one of its tasks, and closed before it ends.
fn outlived(cx: &RuleContext, id: FunctionId, group: ManagedIndex, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let inside = cx.program.steps_within(id, group);
    let Some(tasks) = bound_by(&function, group) else { return };
    for (block, step) in &inside {
        let StepKind::Enter(inner) = function.blocks[block.at()].steps[*step].kind else { continue };
        let Some(resource) = bound_by(&function, inner) else { continue };
        for (block, step) in cx.program.steps_within(id, inner) {
            let StepKind::Call(call) = function.blocks[block.at()].steps[step].kind else { continue };
            let Some(handed) = function.call(call) else { continue };
            let Callee::Method(receiver, _) = &handed.callee else { continue };
            let given = |argument: &Argument| mentions(&function, argument.value, resource);
            if variable_of(&function, *receiver) != Some(tasks) || !handed.arguments.iter().any(given) {
                continue;
            }
            let is_waited_for = cx.program.starts(id, call).is_some() && is_awaited_inside(cx, id, call);
            if is_waited_for {
                continue;
            }
            let name = function.variable(resource).name.clone();
            let to = cx.program.callee_text(id, call);
            let managed = &function.managed[inner.at()];
            out.push(
                cx.violated(NAME, Confidence::High, id, function.value(call).span, &format!("`{name}`"))
                    .assumes(format!("`{name}` is open for as long as the task that uses it"))
                    .says(format!("`{name}` is closed before the task that `{to}` starts with it has ended"))
                    .helps("open it around the group, or in the task itself")
                    .evidence(cx.location(id, managed.span), format!("`{name}` is open in this block only"))
                    .evidence(cx.location(id, function.managed[group.at()].span), "the group waits for its tasks here")
                    .level(Level::Warning),
            );
        }
    }
}

/// Whether the handle of a started task is awaited in the same function.
fn is_awaited_inside(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> bool {
    let function = cx.function(id);
    if cx.program.is_awaited(id, call) {
        return true;
    }
    let bound = function.steps().find_map(|(_, _, step)| match step.kind {
        StepKind::Bind(variable, value) if value == call => Some(variable),
        _ => None,
    });
    let Some(bound) = bound else { return false };
    function.steps().any(|(_, _, step)| match step.kind {
        StepKind::Suspend(_, Some(of)) => mentions(&function, of, bound),
        _ => false,
    })
}

fn bound_by(function: &Function, managed: ManagedIndex) -> Option<VariableIndex> {
    let of = function.managed[managed.at()].value;
    function.steps().find_map(|(_, _, step)| match step.kind {
        StepKind::Bind(variable, value)
            if matches!(function.value(value).kind, ValueKind::Entered(entered) if entered == of) =>
        {
            Some(variable)
        }
        _ => None,
    })
}

fn variable_of(function: &Function, value: ValueIndex) -> Option<VariableIndex> {
    match &function.value(value).kind {
        ValueKind::Place(place) => place.as_variable(),
        _ => None,
    }
}

fn mentions(function: &Function, value: ValueIndex, variable: VariableIndex) -> bool {
    let mut work = vec![value];
    let mut left = 64;
    while let Some(value) = work.pop() {
        if variable_of(function, value) == Some(variable) {
            return true;
        }
        left -= 1;
        if left == 0 {
            break;
        }
        crate::analysis::uses::for_each_part(&function.value(value).kind, |part| work.push(part));
    }
    false
}
