//! Something that an asynchronous function calls blocks, in whatever file.

use crate::analysis::FunctionId;
use crate::analysis::held::What;
use crate::analysis::summary::Blocks;
use crate::catalogue::{Runs, Stake};
use crate::flow::FunctionKind;
use crate::text::Span;
use crate::verdict::{Confidence, Verdict};

use super::blocking_in_async::{instead, raised, stake, waits_for, what_it_blocks};
use super::context::RuleContext;

const NAME: &str = "blocking-through-call";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    check_callbacks(cx, id, out);
    // A plain function on the loop is reported where it is called or handed over, not at each of its own calls.
    if !cx.runs_on_loop(id) || !function.is_async() {
        return;
    }
    for event in &cx.facts(id).events {
        for in_place in cx.program.in_place(id, event).iter().filter(|in_place| !in_place.is_awaited) {
            let what = match event.what {
                What::Call(value) => cx.program.callee_text(id, value),
                _ => in_place.what.split('`').nth(1).unwrap_or_default().to_owned(),
            };
            let in_loop = function.blocks[event.block.at()].in_loop.is_some();
            report(cx, id, event.span, &in_place.candidates, &what, &in_place.what, in_loop, out);
        }
    }
}

/// Callbacks run on the loop wherever they are handed over.
fn check_callbacks(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    for hand_over in cx.program.hand_overs(id.module).iter() {
        let is_ours = hand_over.by == id && hand_over.runs == Runs::Loop;
        let callee = cx.function(hand_over.callee);
        // A closure is reported inside, where it blocks.
        if !is_ours || callee.is_async() || callee.kind == FunctionKind::Closure {
            continue;
        }
        let what = format!("hands `{}` to the loop", callee.name);
        let in_loop = function.loops.iter().any(|one| one.span.contains(hand_over.at.span));
        report(cx, id, hand_over.at.span, &[hand_over.callee], &callee.name, &what, in_loop, out);
    }
}

#[allow(clippy::too_many_arguments)]
fn report(
    cx: &RuleContext,
    id: FunctionId,
    span: Span,
    candidates: &[FunctionId],
    call: &str,
    hop: &str,
    in_loop: bool,
    out: &mut Vec<Verdict>,
) {
    let function = cx.function(id);
    let Some((first, others)) = candidates.split_first() else { return };
    let summary = cx.program.summary(*first);
    let Some(blocks) = longest(&summary.blocks) else { return };
    // May is not must: a candidate that does not block leaves it open.
    if others.iter().any(|other| longest(&cx.program.summary(*other).blocks).is_none()) {
        return;
    }
    let blocked = what_it_blocks(cx, id);
    let verdict = cx
        .violated(NAME, Confidence::High, id, span, &format!("`{call}`, `{}`", blocks.name))
        .assumes(format!("nothing that `{}` calls blocks {blocked}", function.name))
        .says(format!(
            "`{call}` blocks {blocked}: it leads to `{}`, which {}",
            blocks.name,
            waits_for(blocks.entry.kind)
        ))
        .helps(instead(blocks.entry))
        .evidence(blocks.at.clone(), format!("`{}` {} here", blocks.name, waits_for(blocks.entry.kind)))
        .trace([cx.program.hop(id, span, hop.to_owned())])
        .trace(blocks.hops.iter().cloned())
        .stake(stake(blocks.entry));
    out.push(raised(verdict, blocks.entry, in_loop));
}

/// The effect that waits longest; of several the one with the shortest way.
fn longest<'b, 'a>(blocks: &'b [Blocks<'a>]) -> Option<&'b Blocks<'a>> {
    let felt = blocks.iter().filter(|blocks| blocks.entry.stake != Stake::Micro);
    felt.min_by_key(|blocks| (std::cmp::Reverse(blocks.entry.stake), blocks.hops.len()))
}
