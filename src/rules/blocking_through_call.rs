//! Something that an asynchronous function calls blocks, in whatever file.

pub(super) mod brought_back;

use crate::analysis::FunctionId;
use crate::analysis::contexts::HandOver;
use crate::analysis::held::{Event, What};
use crate::analysis::in_place::InPlace;
use crate::analysis::summary::Blocks;
use crate::catalogue::{BlockingKind, Runs, Stake};
use crate::flow::FunctionKind;
use crate::verdict::{Confidence, Stance, Verdict};

use super::blocking_in_async::{instead, is_felt, raised, waits_for, what_it_blocks};
use super::context::RuleContext;

const NAME: &str = "blocking-through-call";

/// How many calls below what a handler calls short input and output still counts as the handler's own.
const MOST_HOT_HOPS: usize = 2;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    for hand_over in cx.program.hands_over(id).iter() {
        check_callback(cx, id, hand_over, out);
    }
    if !cx.runs_on_loop(id) {
        return;
    }
    for event in &cx.facts(id).events {
        for in_place in cx.program.in_place(id, event).iter().filter(|in_place| !in_place.is_awaited) {
            // A closure has the loop as its context too, and is looked at itself.
            let is_closure =
                in_place.candidates.iter().any(|callee| cx.function(*callee).kind == FunctionKind::Closure);
            if !is_closure {
                check_call(cx, id, event, in_place, out);
            }
        }
    }
}

/// A function of another file that the loop is given to call. One of the same file is looked at itself.
fn check_callback(cx: &RuleContext, id: FunctionId, hand_over: &HandOver, out: &mut Vec<Verdict>) {
    let callee = cx.function(hand_over.callee);
    if hand_over.runs != Runs::Loop || hand_over.callee.module == id.module || callee.is_async() {
        return;
    }
    let summary = cx.program.summary(hand_over.callee);
    let Some(blocks) = longest(&summary.blocks, false) else { return };
    let (name, blocked, waits) = (&callee.name, what_it_blocks(cx, id), waits_for(blocks.entry));
    let hop = cx.program.hop(id, hand_over.at.span, format!("hands `{name}` to the loop"));
    let verdict = cx
        .violated(NAME, Confidence::High, id, hand_over.at.span, &format!("`{name}`, `{}`", blocks.name))
        .assumes(format!("nothing that the loop calls blocks {blocked}"))
        .says(format!("`{name}` is called by the loop and blocks it: it leads to `{}`, which {waits}", blocks.name))
        .helps(instead(blocks.entry))
        .evidence(blocks.at.clone(), format!("`{}` {waits} here", blocks.name))
        .trace([hop])
        .trace(blocks.hops.iter().cloned())
        .stake(blocks.entry.stake);
    out.push(raised(verdict, blocks.entry, blocks.is_repeated));
}

fn check_call(cx: &RuleContext, id: FunctionId, event: &Event, in_place: &InPlace, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let summaries: Vec<_> = in_place.summaries(cx.program, id);
    let gives_way = cx.context(id).gives_way_at_queries();
    let Some(blocks) = summaries.iter().find_map(|summary| longest(&summary.blocks, gives_way)) else { return };
    if !is_felt(cx, id, blocks.entry) {
        return;
    }
    let harmless = in_place
        .candidates
        .iter()
        .zip(&summaries)
        .find(|(_, summary)| longest(&summary.blocks, gives_way).is_none())
        .map(|(callee, _)| *callee);
    let call = match event.what {
        What::Call(value) => cx.program.callee_text(id, value),
        _ => in_place.what(cx.program, id).split('`').nth(1).unwrap_or_default().to_owned(),
    };
    let blocked = what_it_blocks(cx, id);
    let waits = waits_for(blocks.entry);
    // May is not must: a candidate that does not block leaves it open, and only a wait without bound is worth asking.
    let stance = match harmless {
        None => Stance::Violated(Confidence::High),
        Some(_) if blocks.entry.stake == Stake::Unbounded => Stance::Unproven,
        Some(_) => return,
    };
    let mut verdict = cx
        .verdict(NAME, stance, id, event.span, &format!("`{call}`, `{}`", blocks.name))
        .assumes(format!("nothing that `{}` calls blocks {blocked}", function.name))
        .says(format!("`{call}` blocks {blocked}: it leads to `{}`, which {waits}", blocks.name))
        .helps(instead(blocks.entry))
        .evidence(blocks.at.clone(), format!("`{}` {waits} here", blocks.name))
        .trace([cx.program.hop(id, event.span, in_place.what(cx.program, id))])
        .trace(blocks.hops.iter().cloned())
        .stake(blocks.entry.stake);
    if let Some(harmless) = harmless {
        let other = cx.function(harmless);
        verdict = verdict
            .asks(format!("can `{call}` be the one that blocks (`{}`) rather than `{}`?", blocks.name, other.qualified))
            .evidence(cx.location(harmless, other.header), format!("`{}` does not block", other.qualified));
    } else if !function.is_async() {
        verdict.evidence.push(cx.loop_evidence(id));
    }
    // How often a handler comes to what lies further down depends on every condition on the way.
    let is_hot = blocks.hops.len() <= MOST_HOT_HOPS && cx.is_hot(id);
    let is_once = blocks.is_once || in_place.is_once;
    let is_often = !is_once && (blocks.is_repeated || is_hot || cx.program.is_in_loop(id, event));
    out.push(raised(verdict, blocks.entry, is_often));
}

/// The effect that waits longest; of several the one with the shortest way.
fn longest<'b, 'a>(blocks: &'b [Blocks<'a>], gives_way_at_queries: bool) -> Option<&'b Blocks<'a>> {
    // A loop inside a loop is a rule of its own.
    let felt = blocks.iter().filter(|blocks| {
        let gives_way = gives_way_at_queries && blocks.entry.kind == BlockingKind::Database;
        !blocks.is_loop_entry() && !gives_way
    });
    felt.min_by_key(|blocks| (std::cmp::Reverse((blocks.entry.stake, blocks.is_repeated)), blocks.hops.len()))
}
