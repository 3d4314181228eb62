//! A cancellation is taken and not handed on, or has nowhere to arrive.

mod interrupted;
pub(super) mod kept;
mod powerless;
pub(super) mod undecided;

use crate::analysis::FunctionId;
use crate::analysis::cancellation::{Arrival, Taken, Taker};
use crate::analysis::ways::{Ways, reached};
use crate::catalogue::{Does, Runs, Takes};
use crate::flow::{BlockIndex, Function, Leaving, LoopKind, StepKind, ValueIndex, ValueKind};
use crate::text::Span;
use crate::verdict::{Confidence, Level, Stance, Verdict};

use super::context::RuleContext;

const NAME: &str = "swallowed-cancellation";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    for taken in cx.program.cancellations_taken(id) {
        out.extend(interrupted::ask(cx, id, taken.taker));
        out.extend(judge(cx, id, taken));
    }
    powerless::check(cx, id, out);
}

/// What becomes of a function that took a cancellation and did not hand it on.
enum Fate {
    /// It waits again where the cancellation arrived.
    Stays(Span),
    /// It ends, and whoever awaited it goes on.
    Returns(FunctionId, Span),
    /// Whoever waits for it is told of another error.
    Fails,
    /// It goes on to wait for something else.
    GoesOn(Span),
    /// It ends, which is what was asked for.
    Ends,
}

fn judge(cx: &RuleContext, id: FunctionId, taken: Taken) -> Option<Verdict> {
    let ways = cx.program.ways_of(id, taken.taker);
    if ways.lost.is_empty() && ways.replaced.is_empty() && ways.yields.is_empty() {
        return None;
    }
    let is_named = matches!(
        taken.taker,
        Taker::Handler { takes: Takes::Cancellation, .. } | Taker::Suppressor { takes: Takes::Cancellation, .. }
    );
    let arrivals = those_of_the_caller(cx, id, &taken.from, is_named);
    let first = arrivals.first()?;
    if is_decided(cx, id, taken.taker, &ways, is_named) {
        return None;
    }
    let is_sometimes = !ways.again.is_empty() || (ways.lost.is_empty() && ways.replaced.is_empty());
    let fate = fate(cx, id, &arrivals, &ways);
    let level = match fate {
        _ if is_sometimes => Level::Note,
        Fate::Stays(_) if for_ever(cx, id, first.block) => Level::Error,
        Fate::Stays(_) | Fate::Returns(..) | Fate::Fails => Level::Warning,
        Fate::Ends if is_started_only(cx, id) => return None,
        // Who names the cancellation means to end with it; who takes everything has not thought of it.
        Fate::GoesOn(_) | Fate::Ends if is_named => Level::Note,
        Fate::GoesOn(_) | Fate::Ends => Level::Warning,
    };
    Some(verdict(cx, id, taken.taker, &arrivals, &ways, &fate).level(level))
}

/// The suspensions at which a cancellation means this task, as far as anybody can tell: what comes out of a task that
/// the function cancelled itself is that task's own.
fn those_of_the_caller(cx: &RuleContext, id: FunctionId, from: &[Arrival], is_named: bool) -> Vec<Arrival> {
    let cancels = !cx.program.verbs(id, Does::Cancels).is_empty();
    let is_own = |arrival: &&Arrival| match arrival.of {
        Some(of) if cancels || is_named => !cx.program.waits_for_a_handle(id, of),
        _ => true,
    };
    from.iter().filter(is_own).copied().collect()
}

/// Asks whether a cancellation may be one of the function's own task.
fn own_cancellation(cx: &RuleContext, id: FunctionId, at: Span, of: &str) -> Verdict {
    let by = &cx.function(id).name;
    cx.verdict(NAME, Stance::Unproven, id, at, &format!("`{of}`"))
        .assumes(format!("a cancellation that arrives while `{by}` waits for `{of}` is one of `{of}`"))
        .asks(format!("can `{by}` be cancelled itself while it waits for `{of}`?"))
        .helps("raise it again where the task itself is being cancelled")
        .level(Level::Warning)
}

/// Whether the code shows that its author thought about cancellation here: it asks whether there is one, passes it on by
/// other means, or raises it again on some ways.
fn is_decided(cx: &RuleContext, id: FunctionId, taker: Taker, ways: &Ways, is_named: bool) -> bool {
    let Taker::Handler { attempt, handler, .. } = taker else { return false };
    if is_named && !ways.again.is_empty() {
        return true;
    }
    let function = cx.function(id);
    let handler = &function.attempts[attempt].handlers[handler];
    let inside = |value: ValueIndex| handler.region.has(function.value(value).block);
    if cx.program.verbs(id, Does::Asks).iter().any(|(call, _)| inside(*call)) {
        return true;
    }
    let Some(received) = handler.received else { return false };
    let is_it = |value: ValueIndex| matches!(&function.value(value).kind, ValueKind::Place(place) if place.as_variable() == Some(received));
    let is_asked = function.values.iter().enumerate().any(|(at, value)| {
        let at = ValueIndex(at as u32);
        inside(at)
            && matches!(&value.kind, ValueKind::Call(call)
                if call.arguments.iter().any(|given| is_it(given.value))
                    && (ways.asked.iter().any(|asked| mentions(cx, id, *asked, at))
                        || cx.program.settles(id, at)))
    });
    let is_kept = function.steps().any(|(block, _, step)| match step.kind {
        StepKind::Write(_, _, Some(value)) => handler.region.has(block) && holds(cx, id, value, &is_it),
        _ => false,
    });
    let is_returned = handler_returns(cx, id, attempt, &is_it);
    is_asked || is_kept || is_returned
}

fn handler_returns(cx: &RuleContext, id: FunctionId, attempt: usize, is_it: &dyn Fn(ValueIndex) -> bool) -> bool {
    let function = cx.function(id);
    let regions: Vec<_> = function.attempts[attempt].handlers.iter().map(|handler| &handler.region).collect();
    function.blocks.iter().enumerate().any(|(at, block)| match block.next {
        crate::flow::Next::Return(Some(value)) => {
            regions.iter().any(|region| region.has(BlockIndex(at as u32))) && holds(cx, id, value, is_it)
        }
        _ => false,
    })
}

/// Whether a value is made from one of those that are meant.
fn holds(cx: &RuleContext, id: FunctionId, value: ValueIndex, is_it: &dyn Fn(ValueIndex) -> bool) -> bool {
    let function = cx.function(id);
    let mut work = vec![value];
    let mut left = 64;
    while let Some(value) = work.pop() {
        if is_it(value) {
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

fn mentions(cx: &RuleContext, id: FunctionId, value: ValueIndex, other: ValueIndex) -> bool {
    holds(cx, id, value, &|one| one == other)
}

fn fate(cx: &RuleContext, id: FunctionId, arrivals: &[Arrival], ways: &Ways) -> Fate {
    let function = cx.function(id);
    let blocks = reached(&function, &ways.lost);
    if let Some(again) = arrivals.iter().find(|arrival| blocks.contains(&arrival.block)) {
        return Fate::Stays(again.span);
    }
    if ways.lost.is_empty() && !ways.replaced.is_empty() {
        return Fate::Fails;
    }
    if let Some((by, span)) = cx.program.awaited_directly(id) {
        return Fate::Returns(by, span);
    }
    let next = blocks.iter().flat_map(|block| function.blocks[block.at()].steps.iter()).find(|step| match step.kind {
        StepKind::Suspend(how, of) => cx.program.may_suspend(id, how, of),
        _ => false,
    });
    match next {
        Some(step) => Fate::GoesOn(step.span),
        None => Fate::Ends,
    }
}

/// Whether the loop around a block goes on until it is left.
fn for_ever(cx: &RuleContext, id: FunctionId, block: BlockIndex) -> bool {
    let function = cx.function(id);
    let mut around = function.blocks[block.at()].in_loop;
    while let Some(index) = around {
        let one = &function.loops[index.at()];
        if one.kind == LoopKind::Forever {
            return true;
        }
        around = one.parent;
    }
    false
}

/// Whether a function is only ever started as a task, as far as its file shows.
fn is_started_only(cx: &RuleContext, id: FunctionId) -> bool {
    let handed = cx.program.handed_over(id);
    handed.iter().any(|hand_over| hand_over.runs == Runs::Task)
}

/// Returns of a handler to which control does not come as it stands: behind another jump, in the handler of a `try` that
/// cannot fail. A change of the lines before them makes them count, and nobody looks at them then.
fn would_leave(function: &Function, taker: Taker, ways: &Ways) -> Vec<Span> {
    let Taker::Handler { attempt, handler, .. } = taker else { return Vec::new() };
    let region = &function.attempts[attempt].handlers[handler].region;
    let blocks = function.blocks.iter().enumerate().filter(|(at, _)| region.has(BlockIndex(*at as u32)));
    let leaves = blocks.filter_map(|(_, block)| block.left_by.filter(|leave| leave.how == Leaving::Return));
    let mut found: Vec<Span> = leaves.map(|leave| leave.span).collect();
    found.retain(|span| !ways.jumps.iter().any(|jump| jump.span == *span));
    found.sort_unstable();
    found.dedup();
    found
}

fn verdict(cx: &RuleContext, id: FunctionId, taker: Taker, arrivals: &[Arrival], ways: &Ways, fate: &Fate) -> Verdict {
    let function = cx.function(id);
    let text = |value: ValueIndex| cx.program.value_text(id, value);
    let (taken_at, subject) = match taker {
        Taker::Handler { class: Some(class), .. } => (function.value(class).span, format!("`except {}`", text(class))),
        Taker::Handler { attempt, handler, .. } => {
            (function.attempts[attempt].handlers[handler].header, "a bare `except`".to_owned())
        }
        Taker::Suppressor { managed, class, .. } => {
            let block = &function.managed[managed.at()];
            (block.span, format!("`{}` of `{}`", cx.program.callee_text(id, block.value), text(class)))
        }
        Taker::Cleanup { .. } => {
            let by = ways.lost.iter().find_map(|way| way.by).map_or(function.header, |leave| leave.span);
            (by, "the jump out of `finally`".to_owned())
        }
    };
    let span = match (fate, ways.replaced.first()) {
        (Fate::Fails, Some(raised)) => *raised,
        _ => taken_at,
    };
    let what = match fate {
        Fate::Stays(_) if arrivals.iter().any(|arrival| for_ever(cx, id, arrival.block)) => {
            "the loop goes on: the task cannot be stopped"
        }
        // A loop that comes to its end some time only goes on too long.
        Fate::Stays(_) => "the loop goes on as if it had not been cancelled",
        Fate::Returns(..) => "whoever awaits this goes on as if it had not been cancelled",
        Fate::Fails if matches!(taker, Taker::Handler { .. }) => {
            "another error is raised in its place: whoever cancelled is told that this failed"
        }
        Fate::Fails | Fate::GoesOn(_) => "the function goes on as if it had not been cancelled",
        Fate::Ends if ways.lost.is_empty() => "a value is handed out before it is raised again",
        Fate::Ends => "the function ends as if it had not been cancelled",
    };
    let confidence = if ways.again.is_empty() { Confidence::High } else { Confidence::Medium };
    let mut verdict = cx
        .violated(NAME, confidence, id, span, &subject)
        .assumes(format!("a cancellation that arrives in `{}` reaches its caller", function.name))
        .says(format!("{subject} takes the cancellation, and {what}"))
        .helps("raise it again after cleaning up, or catch `Exception` instead");
    if let Some(arrival) = arrivals.first() {
        verdict = verdict.evidence(cx.location(id, arrival.span), "it arrives here");
    }
    if taken_at != span {
        verdict = verdict.evidence(cx.location(id, taken_at), "it is taken here");
    }
    for raised in ways.replaced.iter().filter(|raised| **raised != span) {
        verdict = verdict.evidence(cx.location(id, *raised), "this is raised instead");
    }
    for leave in ways.jumps.iter().filter(|leave| leave.span != span) {
        let how = match leave.how {
            Leaving::Return => "`return` ends it here",
            Leaving::Break | Leaving::Continue => "control goes on from here",
            Leaving::Raise => "this is raised instead",
        };
        verdict = verdict.evidence(cx.location(id, leave.span), how);
    }
    for span in would_leave(&function, taker, ways) {
        verdict = verdict.evidence(cx.location(id, span), "this would end it as well, if control came here");
    }
    for span in &ways.yields {
        verdict = verdict.evidence(cx.location(id, *span), "a value is handed out before it is raised again");
    }
    match fate {
        Fate::Returns(by, at) => {
            let caller = cx.function(*by);
            verdict.evidence(cx.location(*by, *at), format!("`{}` awaits it and goes on", caller.name))
        }
        Fate::Stays(at) | Fate::GoesOn(at) => verdict.evidence(cx.location(id, *at), "it waits again here"),
        Fate::Fails | Fate::Ends => verdict,
    }
}
