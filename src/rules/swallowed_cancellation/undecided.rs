//! A handler that takes a cancellation of its own task for one of what it waits for, where the before side did not.
//!
//! ~~~text
//! task.cancel()
//! try: await task
//! except CancelledError:
//!     if current_task().cancelling(): raise      gone: the caller's own cancellation ends here
//!
//! try: await future
//! except CancelledError: pass                     new: so does this one
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::cancellation::{Taken, Taker};
use crate::catalogue::{Does, Takes};
use crate::flow::{StepKind, Suspension};
use crate::rules::context::RuleContext;
use crate::rules::manner::{Gone, OnBoth};
use crate::text::Span;

use super::{is_decided, is_started_only, judge, own_cancellation};

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let (was, is) = (both.was.cx, both.is.cx);
    let id = both.is.id;
    let taken = is.program.cancellations_taken(id);
    if taken.is_empty() {
        return;
    }
    let asked: Vec<Taken> = was.program.cancellations_taken(both.was.id);
    // Who asks for the cancellation knows that it will come.
    let cancels = !is.program.verbs(id, Does::Cancels).is_empty();
    for one in taken {
        let Some(header) = named(is, id, one.taker) else { continue };
        let ways = is.program.ways_of(id, one.taker);
        if ways.lost.is_empty() || is_decided(is, id, one.taker, &ways, true) {
            continue;
        }
        let waited = awaited(is, id, &one);
        let decided = asked.iter().find_map(|then| {
            let header = named(was, both.was.id, then.taker)?;
            let again = !was.program.ways_of(both.was.id, then.taker).again.is_empty();
            let is_it = awaited(was, both.was.id, then).iter().any(|of| waited.contains(of));
            (again && is_it && asks(was, both.was.id, then.taker)).then_some(header)
        });
        let (by, of) = (&is.function(id).name, waited.first().cloned().unwrap_or_default());
        let (had, says) = match (decided, passed_on(both, &asked, &waited)) {
            (Some(had), _) => {
                (had, format!("`{by}` told its own cancellation from one of `{of}` before, and takes both now"))
            }
            (None, Some(had)) if !cancels && !is_started_only(is, id) => (
                had,
                format!(
                    "a cancellation that arrives while `{by}` waits for `{of}` went to its caller before, and ends here now"
                ),
            ),
            (None, _) => continue,
        };
        // What is certain is a finding of its own.
        if judge(is, id, one).is_some() {
            continue;
        }
        out.push(Gone { had: (both.was.id, had), asked: own_cancellation(is, id, header, &of).says(says) });
        return;
    }
}

/// Where the before side waited for one of these, and took no cancellation there.
fn passed_on(both: &OnBoth, asked: &[Taken], waited: &[String]) -> Option<Span> {
    let was = both.was.cx;
    let function = was.function(both.was.id);
    let taken: Vec<String> = asked.iter().flat_map(|then| awaited(was, both.was.id, then)).collect();
    function.steps().find_map(|(_, _, step)| {
        let StepKind::Suspend(Suspension::Await, Some(of)) = step.kind else { return None };
        let of = was.program.value_text(both.was.id, of);
        (waited.contains(&of) && !taken.contains(&of)).then_some(step.span)
    })
}

/// The first line of a handler that names cancellations.
fn named(cx: &RuleContext, id: FunctionId, taker: Taker) -> Option<Span> {
    let Taker::Handler { attempt, handler, takes: Takes::Cancellation, .. } = taker else { return None };
    Some(cx.function(id).attempts[attempt].handlers[handler].header)
}

/// Whether a handler asks who was cancelled.
fn asks(cx: &RuleContext, id: FunctionId, taker: Taker) -> bool {
    let Taker::Handler { attempt, handler, .. } = taker else { return false };
    let function = cx.function(id);
    let region = &function.attempts[attempt].handlers[handler].region;
    cx.program.verbs(id, Does::Asks).iter().any(|(call, _)| region.has(function.value(*call).block))
}

/// What is waited for where the cancellations arrive, as it is written.
fn awaited(cx: &RuleContext, id: FunctionId, taken: &Taken) -> Vec<String> {
    taken.from.iter().filter_map(|arrival| arrival.of).map(|of| cx.program.value_text(id, of)).collect()
}
