//! A loop that asks again and again for what others bring about, and never waits for it.

use crate::analysis::FunctionId;
use crate::analysis::channels::is_in_loop;
use crate::flow::{Function, LoopIndex, LoopKind, StepKind, Suspension, ValueIndex};
use crate::verdict::{Confidence, Verdict};

use super::NAME;
use crate::rules::context::RuleContext;

/// What the turns of a loop do.
struct Turns {
    /// The call that asks.
    asks: ValueIndex,
    /// The call that gives way without waiting, if the loop gives way at all.
    gives_way: Option<ValueIndex>,
}

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if !cx.runs_on_loop(id) {
        return;
    }
    let function = cx.function(id);
    for (at, turns) in function.loops.iter().enumerate() {
        let is_bounded = matches!(turns.kind, LoopKind::For | LoopKind::AsyncFor);
        let is_reachable = cx.program.shape(id).is_reachable(turns.header);
        if let Some(found) = (!is_bounded && is_reachable).then(|| turns_of(cx, id, LoopIndex(at as u32))).flatten() {
            out.push(spins(cx, id, &found));
        }
    }
}

fn turns_of(cx: &RuleContext, id: FunctionId, index: LoopIndex) -> Option<Turns> {
    let function = cx.function(id);
    let tables = cx.program.tables(cx.language(id.module));
    let mut found = None;
    let mut gives_way = None;
    let mut does_more = false;
    for (block, _, step) in function.steps() {
        if !is_in_loop(&function, function.blocks[block.at()].in_loop, index) {
            continue;
        }
        match step.kind {
            StepKind::Call(call) => {
                let resolution = cx.resolution(id, call);
                match resolution.external() {
                    Some(name) if tables.polls(name) => found = found.or(Some(call)),
                    Some(name) if tables.yields(name) => {}
                    _ => does_more = true,
                }
            }
            StepKind::Suspend(Suspension::Await, Some(of)) => {
                function.call(of)?;
                let resolution = cx.resolution(id, of);
                resolution.external().filter(|name| tables.yields(name))?;
                gives_way = gives_way.or(Some(of));
            }
            StepKind::Suspend(..) | StepKind::Enter(_) => return None,
            _ => {}
        }
    }
    // A loop that does something at every turn may well do so for long; one that only asks does nothing but spin.
    let only_asks = !does_more && !writes(&function, index);
    let asks = found.filter(|_| gives_way.is_some() || only_asks)?;
    Some(Turns { asks, gives_way })
}

fn writes(function: &Function, index: LoopIndex) -> bool {
    function.steps().any(|(block, _, step)| {
        matches!(step.kind, StepKind::Write(..)) && is_in_loop(function, function.blocks[block.at()].in_loop, index)
    })
}

fn spins(cx: &RuleContext, id: FunctionId, found: &Turns) -> Verdict {
    let function = cx.function(id);
    let span = |value: ValueIndex| function.value(value).span;
    let name = cx.program.callee_text(id, found.asks);
    let (at, confidence, what) = match found.gives_way {
        // What is asked for may come soon: the loop costs a processor meanwhile, no more.
        Some(way) => (way, Confidence::Medium, "gives way but never waits: it spins until something is there"),
        None => {
            (found.asks, Confidence::High, "never gives way: its thread runs nothing else until another thread answers")
        }
    };
    let mut verdict = cx
        .violated(NAME, confidence, id, span(at), &format!("`{name}`"))
        .assumes(format!("the loop that asks `{name}` waits for an answer"))
        .says(format!("the loop that asks `{name}` again and again {what}"))
        .helps("wait for it: a receive, a notification, or at least a timer");
    if at != found.asks {
        verdict = verdict.evidence(cx.location(id, span(found.asks)), format!("`{name}` is asked here"));
    }
    verdict.evidence.push(cx.loop_evidence(id));
    verdict
}
