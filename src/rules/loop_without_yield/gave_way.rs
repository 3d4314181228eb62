//! A loop that gave way in between before the change, and no longer does.
//!
//! ~~~text
//! loop { yield_now().await; step().await; }     steps aside at every turn, whatever `step` does
//! loop { step().await; }                        gives way where `step` waits, if it ever does
//! loop { work(); }                              gives way to nobody
//! ~~~

use crate::analysis::FunctionId;
use crate::catalogue::Does;
use crate::flow::{Function, LoopIndex, StepKind, Suspension, ValueIndex};
use crate::text::{Language, Span};
use crate::verdict::Stance;

use super::{NAME, is_in};
use crate::rules::context::RuleContext;
use crate::rules::manner::{Gone, OnBoth, Whole};

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let is = both.is.cx;
    let (then, now) = (loops(&both.was), loops(&both.is));
    if then.len() != now.len() {
        return;
    }
    let name = &is.function(both.is.id).name;
    for (then, now) in then.iter().zip(&now).filter(|(then, now)| then.is_in_a_task && now.is_in_a_task) {
        let start = |assumption: String| {
            let head = Span::new(now.span.start, now.span.start + 3);
            is.verdict(NAME, Stance::Unproven, now.by, head, "the loop").assumes(assumption)
        };
        let (was_there, verdict) = match (then.steps_aside, then.gives_way) {
            (_, Some(gave_way)) if now.gives_way.is_none() && now.works => (
                gave_way,
                start(format!("the loop in `{name}` is over before anybody else must run"))
                    .says(format!("this loop of `{name}` gave way in between, and no longer does"))
                    .asks(format!("how long can the loop in `{name}` take, now that it gives way to nobody?"))
                    .helps("give way every few turns, or let a thread do it"),
            ),
            (Some(stepped), _) if now.steps_aside.is_none() && now.gives_way.is_some() => (
                stepped,
                start(format!("what the loop in `{name}` waits for gives way often enough"))
                    .says(format!("this loop of `{name}` stepped aside for others, and no longer does"))
                    .asks(format!("does what the loop in `{name}` waits for always let others run in between?"))
                    .helps("step aside as before, or every few turns"),
            ),
            _ => continue,
        };
        out.push(Gone { had: (then.by, was_there), asked: verdict });
    }
}

struct Turns {
    by: FunctionId,
    span: Span,
    /// Whether others wait while it runs.
    is_in_a_task: bool,
    gives_way: Option<Span>,
    /// Where it waits for nothing but its next turn.
    steps_aside: Option<Span>,
    /// Whether it does anything but ask others to stop and make what others run.
    works: bool,
}

/// The loops of a function, and of the closures and blocks inside it.
fn loops(whole: &Whole) -> Vec<Turns> {
    whole.parts.iter().flat_map(|&part| loops_of(whole.cx, part)).collect()
}

fn loops_of(cx: &RuleContext, id: FunctionId) -> Vec<Turns> {
    let function = cx.function(id);
    let function: &Function = &function;
    // Plain Rust may well be called by a task, and nothing says so.
    let may_be = || cx.language(id.module) == Language::Rust && cx.context(id).runs.is_empty();
    let is_in_a_task = function.is_async() || cx.runs_on_loop(id) || may_be();
    let stops = cx.program.verbs(id, Does::Cancels);
    let is_stop = |call: ValueIndex| stops.iter().any(|(stop, _)| *stop == call);
    let of_loop = |at: usize| {
        let inside = || function.steps().filter(move |(block, _, _)| is_in(function, *block, LoopIndex(at as u32)));
        let gives_way = inside().find_map(|(_, _, step)| match step.kind {
            StepKind::Suspend(how, of) if cx.program.may_suspend(id, how, of) => Some(step.span),
            _ => None,
        });
        let steps_aside = inside().find_map(|(_, _, step)| match step.kind {
            StepKind::Suspend(Suspension::Await, Some(of)) => is_step_aside(cx, id, of).then_some(step.span),
            _ => None,
        });
        // A coroutine that is only made runs elsewhere.
        let is_work = |call: ValueIndex| !is_stop(call) && cx.program.makes(id, call).is_none();
        let works = inside().any(|(_, _, step)| matches!(step.kind, StepKind::Call(call) if is_work(call)));
        Turns { by: id, span: function.loops[at].span, is_in_a_task, gives_way, steps_aside, works }
    };
    (0..function.loops.len()).map(of_loop).collect()
}

/// Whether an await only lets others run: `yield_now()`, `sleep(0)`.
fn is_step_aside(cx: &RuleContext, id: FunctionId, of: ValueIndex) -> bool {
    let function = cx.function(id);
    let (Some(call), resolution) = (function.call(of), cx.resolution(id, of)) else { return false };
    let Some(name) = resolution.external() else { return false };
    let tables = cx.program.tables(cx.language(id.module));
    let is_nothing = || matches!(&call.arguments[..], [only] if cx.program.is_literal(id, only.value, "0"));
    tables.yields(name) || tables.pauses(name) && is_nothing()
}
