//! A race that always has the same winner, and one that wins with nothing.

use crate::analysis::FunctionId;
use crate::analysis::uses::Uses;
use crate::catalogue::Loses;
use crate::flow::{
    BlockIndex, Callee, Collection, Function, Goes, Next, Polling, Stretch, Suspension, ValueIndex, ValueKind,
};
use crate::verdict::{Confidence, Level, Stance, Verdict};

use super::NAME;
use crate::rules::context::RuleContext;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let shape = cx.program.shape(id);
    for (at, value) in function.values.iter().enumerate() {
        let ValueKind::Collection(Collection::Select(polling), branches) = &value.kind else { continue };
        let select = ValueIndex(at as u32);
        if !shape.is_reachable(value.block) || function.blocks[value.block.at()].in_loop.is_none() {
            continue;
        }
        if *polling == Polling::InOrder && branches.len() > 1 {
            always_first(cx, id, select, branches[0].1, branches[1].1, out);
        }
        for (number, (_, future)) in branches.iter().enumerate() {
            wins_with_nothing(cx, id, select, number as u32, *future, out);
        }
    }
}

/// Branches that are asked in order: the first one is ready at every turn, or as long as items come.
fn always_first(
    cx: &RuleContext,
    id: FunctionId,
    select: ValueIndex,
    first: ValueIndex,
    second: ValueIndex,
    out: &mut Vec<Verdict>,
) {
    let function = cx.function(id);
    let block = function.value(select).block;
    let Some(arm) = arm(&function, select, 0) else { return };
    if !function.leads_to(arm, block) {
        return;
    }
    let span = function.value(first).span;
    let (name, other) = (text(cx, id, first), branch(cx, id, second));
    let subject = format!("`{name}`");
    let assumption = format!("`{name}` leaves turns to the branches behind it");
    if is_future_of_project(cx, id, first) && !cx.program.may_suspend(id, Suspension::Await, Some(first)) {
        out.push(
            cx.violated(NAME, Confidence::High, id, span, &subject)
                .assumes(assumption)
                .says(format!(
                    "`{name}` never waits and is asked first at every turn: {other} and what follows never run"
                ))
                .helps("put it last, or do it in the loop's body"),
        );
        return;
    }
    let gives_items = cx.program.interruption(id, first).is_some_and(|found| found.loses == Loses::Taken);
    if gives_items {
        out.push(
            cx.verdict(NAME, Stance::Unproven, id, span, &subject)
                .assumes(assumption)
                .says(format!("`{name}` is asked first at every turn: while it has items {other} does not run"))
                .asks(format!("can `{name}` have the next item ready at every turn, so that {other} never runs?"))
                .level(Level::Warning)
                .evidence(
                    cx.location(id, function.value(second).span),
                    format!("{other} is asked only while nothing is there"),
                ),
        );
    }
}

fn is_future_of_project(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> bool {
    match &cx.function(id).value(value).kind {
        ValueKind::Function(_) => true,
        ValueKind::Call(_) => !cx.resolution(id, value).functions().is_empty(),
        _ => false,
    }
}

/// A receiver that gives nothing at once, for ever, when its senders are gone, and a loop that takes no notice.
fn wins_with_nothing(
    cx: &RuleContext,
    id: FunctionId,
    select: ValueIndex,
    number: u32,
    future: ValueIndex,
    out: &mut Vec<Verdict>,
) {
    let function = cx.function(id);
    let Some(call) = function.call(future) else { return };
    let Callee::Method(receiver, _) = &call.callee else { return };
    let resolution = cx.resolution(id, future);
    let tables = cx.program.tables(cx.language(id.module));
    if resolution.external().is_none_or(|name| tables.receives(name).is_none()) {
        return;
    }
    let block = function.value(select).block;
    let (Some(arm), Some(turns)) = (arm(&function, select, number), function.blocks[block.at()].in_loop) else {
        return;
    };
    let Some(got) = component(&function, select, number) else { return };
    let uses = Uses::of(&function);
    let made = cx.program.made_from(id, &uses, got);
    // Anything that could tell the end from an item: a pattern, a branch, `?`, a method, a function that is asked.
    let is_noticed = made.iter().any(|value| match &function.value(*value).kind {
        ValueKind::Payload(..) | ValueKind::Try(_) | ValueKind::Collection(..) => true,
        ValueKind::Call(call) => !matches!(call.callee, Callee::Macro(_)),
        _ => function.blocks.iter().any(|block| matches!(block.next, Next::Branch(Some(by), _) if by == *value)),
    });
    if is_noticed
        || !function.leads_to(arm, block)
        || leaves_otherwise(cx, id, arm, block)
        || cx.program.waits_in_loop_beside(id, turns, select)
    {
        return;
    }
    let text = cx.program.value_text(id, *receiver);
    out.push(
        cx.verdict(NAME, Stance::Unproven, id, function.value(future).span, &format!("`{text}`"))
            .assumes(format!("`{text}` has a sender for as long as the loop turns"))
            .says(format!(
                "when the last sender of `{text}` is gone it gives nothing at once, for ever: the loop spins"
            ))
            .asks(format!("does a sender of `{text}` outlive this loop?"))
            .helps("leave the loop, or switch the branch off, when nothing comes any more"),
    );
}

/// Whether control can leave the loop from an arm before it comes back to the race.
fn leaves_otherwise(cx: &RuleContext, id: FunctionId, arm: BlockIndex, race: BlockIndex) -> bool {
    let function = cx.function(id);
    let visit = |stretch: Stretch| match stretch.block {
        _ if stretch.at == race => Goes::Aside,
        block if block.next.targets().is_empty() || block.in_loop.is_none() => Goes::Over(()),
        _ => Goes::On,
    };
    function.walk_steps((arm, 0), visit).is_some()
}

fn component(function: &Function, select: ValueIndex, number: u32) -> Option<ValueIndex> {
    let found = function.values.iter().position(|value| match value.kind {
        ValueKind::Component(of, at) => {
            at == number && matches!(function.value(of).kind, ValueKind::Awaited(awaited) if awaited == select)
        }
        _ => false,
    });
    found.map(|at| ValueIndex(at as u32))
}

fn arm(function: &Function, select: ValueIndex, number: u32) -> Option<BlockIndex> {
    component(function, select, number).map(|value| function.value(value).block)
}

/// A branch as a sentence names it.
fn branch(cx: &RuleContext, id: FunctionId, future: ValueIndex) -> String {
    match cx.function(id).value(future).kind {
        ValueKind::Function(_) => "the block behind it".to_owned(),
        _ => format!("`{}`", cx.program.callee_text(id, future)),
    }
}

fn text(cx: &RuleContext, id: FunctionId, future: ValueIndex) -> String {
    match cx.function(id).value(future).kind {
        ValueKind::Function(_) => "async block".to_owned(),
        _ => cx.program.callee_text(id, future),
    }
}
