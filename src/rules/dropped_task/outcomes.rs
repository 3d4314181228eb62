//! The outcome of a task that nobody looks at: its failure is as if it had not been.

use std::collections::BTreeSet;

use crate::analysis::FunctionId;
use crate::analysis::uses::Uses;
use crate::catalogue::Does;
use crate::flow::{Function, ValueIndex, ValueKind, VariableIndex};
use crate::verdict::{Confidence, Level, Verdict};

use super::super::context::RuleContext;
use super::NAME;

pub(super) fn check(cx: &RuleContext, id: FunctionId, uses: &mut Option<Uses>, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let tables = cx.program.tables(cx.language(id.module));
    let shape = cx.program.shape(id);
    for (at, value) in function.values.iter().enumerate() {
        let index = ValueIndex(at as u32);
        let ValueKind::Call(call) = &value.kind else { continue };
        if call.arguments.is_empty() || !shape.is_reachable(value.block) {
            continue;
        }
        let resolution = cx.resolution(id, index);
        let Some(name) = resolution.external() else { continue };
        if tables.gather(name).is_some() {
            let uses = uses.get_or_insert_with(|| Uses::of(&function));
            out.extend(unlooked_at(cx, id, uses, index));
        } else if let Some(argument) = tables.shields(name) {
            for shielded in cx.program.arguments_meant(call, argument) {
                out.extend(unreferenced(cx, id, index, shielded));
            }
        }
    }
    let uses = uses.get_or_insert_with(|| Uses::of(&function));
    for (call, receiver) in cx.program.verbs(id, Does::Cancels) {
        out.extend(left_to_itself(cx, id, uses, call, receiver));
    }
}

/// A wait for tasks that swallows their failures, whose result is thrown away, for tasks that nobody asks afterwards.
fn unlooked_at(cx: &RuleContext, id: FunctionId, uses: &Uses, index: ValueIndex) -> Option<Verdict> {
    let function = cx.function(id);
    let call = function.call(index)?;
    let resolution = cx.resolution(id, index);
    let gather = cx.program.tables(cx.language(id.module)).gather(resolution.external()?)?;
    let keeps_quiet = gather.silent || gather.unless.iter().any(|one| cx.program.holds(id, call, one));
    let result = cx.program.shape(id).awaited(index)?;
    // Who cancels what it waits for does so to see it gone.
    if !keeps_quiet || !uses.is_only_discarded(result) || !cx.program.verbs(id, Does::Cancels).is_empty() {
        return None;
    }
    let mut waited = cx.program.arguments_meant(call, &gather.tasks);
    waited.extend(call.arguments.iter().filter(|given| given.is_spread).map(|given| given.value));
    let tasks = Tasks::of(cx, id, &waited)?;
    if tasks.variables.iter().any(|variable| is_read_after(&function, uses, *variable, index)) {
        return None;
    }
    let name = cx.program.callee_text(id, index);
    let harm = if gather.silent { "may not even have ended" } else { "may have failed" };
    Some(
        cx.violated(NAME, Confidence::High, id, function.value(index).span, &format!("`{name}`"))
            .assumes(format!("somebody looks at what became of the tasks that `{name}` waits for"))
            .says(format!("nobody looks at what `{name}` gives back: the tasks {harm}, and nobody knows"))
            .helps("ask each task for its result, or log what failed")
            .level(if gather.silent { Level::Warning } else { Level::Note }),
    )
}

/// Tasks that this function alone knows: made on the spot, or held by variables of it.
struct Tasks {
    variables: BTreeSet<VariableIndex>,
}

impl Tasks {
    /// `None` if anybody else may know one of them.
    fn of(cx: &RuleContext, id: FunctionId, waited: &[ValueIndex]) -> Option<Self> {
        let function = cx.function(id);
        let mut variables = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut work = waited.to_vec();
        let mut is_any = false;
        while let Some(value) = work.pop() {
            if !seen.insert(value) {
                continue;
            }
            match &function.value(value).kind {
                ValueKind::Call(_) if cx.program.makes(id, value).is_some() => is_any = true,
                ValueKind::Call(_) if cx.program.starts(id, value).is_some() => is_any = true,
                ValueKind::Collection(_, items) => work.extend(items.iter().map(|(_, item)| *item)),
                ValueKind::Place(place) => {
                    let variable = place.as_variable()?;
                    let bound =
                        cx.program.reaching(id, variable, function.value(value).block, function.value(value).step);
                    if bound.from_entry || bound.values.is_empty() {
                        return None;
                    }
                    variables.insert(variable);
                    work.extend(bound.values);
                }
                _ => return None,
            }
        }
        is_any.then_some(Self { variables })
    }
}

/// Whether a variable is read where control may come after a value was made, or at another place of its loop.
fn is_read_after(function: &Function, uses: &Uses, variable: VariableIndex, value: ValueIndex) -> bool {
    let from = function.value(value);
    let next = function.blocks[from.block.at()].successors();
    let later = function.reached(next, |_, block, on| on.extend(block.successors()));
    uses.reads(variable).iter().any(|read| {
        let at = function.value(*read);
        later[at.block.at()] || (at.block == from.block && at.step > from.step)
    })
}

/// A shield around something that nobody else refers to: once its caller is cancelled, nothing keeps it.
fn unreferenced(cx: &RuleContext, id: FunctionId, index: ValueIndex, shielded: ValueIndex) -> Option<Verdict> {
    let function = cx.function(id);
    let is_made_here = cx.program.makes(id, shielded).is_some() || cx.program.starts(id, shielded).is_some();
    if !is_made_here || !cx.program.is_awaited(id, index) {
        return None;
    }
    let (name, what) = (cx.program.callee_text(id, index), cx.program.callee_text(id, shielded));
    Some(
        cx.violated(NAME, Confidence::High, id, function.value(index).span, &format!("`{name}`"))
            .assumes(format!("somebody keeps what `{name}` protects"))
            .says(format!(
                "nothing but `{name}` refers to the task from `{what}`: if this is cancelled, the task may be collected"
            ))
            .helps("start the task first and keep it, then shield it")
            .level(Level::Note),
    )
}

/// A task of this function that is cancelled and then let go: it may go on for as long as it likes to clean up.
fn left_to_itself(
    cx: &RuleContext,
    id: FunctionId,
    uses: &Uses,
    call: ValueIndex,
    receiver: ValueIndex,
) -> Option<Verdict> {
    let function = cx.function(id);
    let ValueKind::Place(place) = &function.value(receiver).kind else { return None };
    let variable = place.as_variable()?;
    let at = function.value(receiver);
    let bound = cx.program.reaching(id, variable, at.block, at.step);
    let is_own = |value: &ValueIndex| {
        cx.program.starts(id, *value).is_some_and(|starts| !starts.spawn.owned)
            && uses.only_bound(*value) == Some(variable)
    };
    if bound.from_entry || bound.values.is_empty() || !bound.values.iter().all(is_own) {
        return None;
    }
    // Every other use of it may be one that waits for it, or hands it to somebody who does.
    if uses.reads(variable) != [receiver] {
        return None;
    }
    let name = cx.program.value_text(id, receiver);
    Some(
        cx.violated(NAME, Confidence::High, id, function.value(call).span, &format!("`{name}`"))
            .assumes(format!("`{name}` has ended when `{}` does", function.name))
            .says(format!("`{name}` is asked to stop, and nobody waits until it has"))
            .helps("await it, with its cancellation caught")
            .level(Level::Note),
    )
}
