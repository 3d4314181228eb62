//! What met a cancellation before the change, and is not there any more.
//!
//! ~~~text
//! await shield(save(row))                              await save(row)
//! try: await ask()  except CancelledError: close()     await ask()
//! ~~~
//!
//! What the function leaves behind where it is cancelled now, nothing here tells.

use std::collections::BTreeMap;

use crate::analysis::FunctionId;
use crate::analysis::cancellation::Taker;
use crate::catalogue::Takes;
use crate::flow::{Function, StepKind, ValueIndex, ValueKind};
use crate::rules::manner::{Done, Gone, OnBoth, Whole};
use crate::text::Span;
use crate::verdict::Stance;

use super::NAME;

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    unshielded(both, out);
    unanswered(both, out);
}

/// A call that was kept from cancellations, and is awaited as it is now.
fn unshielded(both: &OnBoth, out: &mut Vec<Gone>) {
    let cx = both.is.cx;
    let (then, now) = (shielded(&both.was, &both.then), shielded(&both.is, &both.now));
    for (name, shield) in &then {
        if now.contains_key(name) {
            continue;
        }
        let Some(bare) = both.now.get(*name).and_then(|all| all.iter().find(|done| done.is_awaited)) else { continue };
        let (what, by) = (cx.program.callee_text(bare.by, bare.call), &cx.function(both.is.id).name);
        let verdict = cx
            .verdict(NAME, Stance::Unproven, bare.by, bare.span, &format!("`{what}`"))
            .assumes(format!("`{what}` may stop half-way when `{by}` is cancelled"))
            .says(format!("a cancellation of `{by}` did not reach `{what}` before, and does now"))
            .asks(format!("may `{what}` stop half-way when `{by}` is cancelled, now that nothing shields it?"))
            .helps("shield it as before, or put right what it leaves half done");
        out.push(Gone { had: *shield, asked: verdict });
    }
    bared(both, out);
}

/// A future of others that was waited for behind a shield, and is cancelled itself now with whoever waits for it.
fn bared(both: &OnBoth, out: &mut Vec<Gone>) {
    let cx = both.is.cx;
    let (then, now) = (shielded_places(&both.was), shielded_places(&both.is));
    for (of, shield) in then.iter().filter(|(of, _)| !now.contains_key(*of)) {
        let bare = both.is.parts.iter().find_map(|&part| {
            let function = cx.function(part);
            let awaits = |value: &ValueKind| match value {
                ValueKind::Awaited(one) => {
                    matches!(function.value(*one).kind, ValueKind::Place(_)) && cx.program.value_text(part, *one) == *of
                }
                _ => false,
            };
            Some((part, function.values.iter().find(|value| awaits(&value.kind))?.span))
        });
        let Some((part, at)) = bare else { continue };
        let by = &cx.function(both.is.id).name;
        let verdict = cx
            .verdict(NAME, Stance::Unproven, part, at, &format!("`{of}`"))
            .assumes(format!("`{of}` may be cancelled with `{by}`"))
            .says(format!("a cancellation of `{by}` left `{of}` alone before, and cancels it now"))
            .asks(format!("may `{of}` be cancelled when `{by}` is, now that nothing shields it?"))
            .helps("shield it as before, or let those who complete it ask whether it is done");
        out.push(Gone { had: *shield, asked: verdict });
    }
}

/// The variables and attributes that a function waits for behind a shield, with the call that shields.
fn shielded_places(whole: &Whole) -> BTreeMap<String, (FunctionId, Span)> {
    let cx = whole.cx;
    let mut found = BTreeMap::new();
    for &part in &whole.parts {
        let function = cx.function(part);
        let tables = cx.program.tables(cx.language(part.module));
        for (at, value) in function.values.iter().enumerate() {
            let ValueKind::Call(call) = &value.kind else { continue };
            let at = ValueIndex(at as u32);
            let resolution = cx.resolution(part, at);
            let shields = resolution.external().and_then(|name| tables.shields(name));
            let Some(argument) = shields.filter(|_| cx.program.is_awaited(part, at)) else { continue };
            for given in cx.program.arguments_meant(call, argument) {
                if matches!(function.value(given).kind, ValueKind::Place(_)) {
                    found.entry(cx.program.value_text(part, given)).or_insert((part, value.span));
                }
            }
        }
    }
    found
}

/// The calls that a function keeps from cancellations, by their names, with the call that does.
fn shielded<'d>(whole: &Whole, done: &'d BTreeMap<String, Vec<Done>>) -> BTreeMap<&'d str, (FunctionId, Span)> {
    let cx = whole.cx;
    let mut found = BTreeMap::new();
    for &part in &whole.parts {
        let function = cx.function(part);
        let tables = cx.program.tables(cx.language(part.module));
        for (at, value) in function.values.iter().enumerate() {
            let ValueKind::Call(call) = &value.kind else { continue };
            let resolution = cx.resolution(part, ValueIndex(at as u32));
            let Some(argument) = resolution.external().and_then(|name| tables.shields(name)) else { continue };
            let given = cx.program.arguments_meant(call, argument);
            let is_given = |done: &&Done| done.by == part && given.contains(&done.call);
            for done in done.values().flatten().filter(is_given) {
                found.entry(done.name.as_str()).or_insert((part, value.span));
            }
        }
    }
    found
}

/// A handler for cancellations that did something, and is gone with nothing in its place.
fn unanswered(both: &OnBoth, out: &mut Vec<Gone>) {
    let (was, is) = (both.was.cx, both.is.cx);
    let (then, now) = (was.function(both.was.id), is.function(both.is.id));
    let cleanups = |function: &Function| {
        function.attempts.iter().filter(|attempt| attempt.cleanup.is_some()).count() + function.managed.len()
    };
    let names_it = |taker: Taker| matches!(taker, Taker::Handler { takes: Takes::Cancellation, .. });
    let taken = was.program.cancellations_taken(both.was.id);
    let mut answered = taken.iter().filter(|taken| names_it(taken.taker)).peekable();
    if answered.peek().is_none() || cleanups(&now) > cleanups(&then) {
        return;
    }
    if is.program.cancellations_taken(both.is.id).iter().any(|taken| !matches!(taken.taker, Taker::Cleanup { .. })) {
        return;
    }
    for one in answered {
        let Taker::Handler { attempt, handler, .. } = one.taker else { continue };
        let handler = &then.attempts[attempt].handlers[handler];
        let works = |step: &StepKind| matches!(step, StepKind::Suspend(..) | StepKind::Write(..));
        let works = then.steps().any(|(block, _, step)| handler.region.has(block) && works(&step.kind));
        let arrives = one.from.iter().filter_map(|arrival| {
            let done = both.then.values().flatten();
            done.into_iter().find(|done| done.by == both.was.id && Some(done.call) == arrival.of)
        });
        let still = arrives.filter_map(|was| both.now.get(&was.name)?.iter().find(|done| done.is_awaited)).next();
        let (true, Some(still)) = (works, still) else { continue };
        let (what, by) = (is.program.callee_text(still.by, still.call), &now.name);
        let verdict = is
            .verdict(NAME, Stance::Unproven, still.by, still.span, &format!("`{what}`"))
            .assumes(format!("a cancellation of `{by}` at `{what}` leaves nothing half done"))
            .says(format!("`{by}` answered to a cancellation at `{what}` before, and no longer does"))
            .asks(format!(
                "what puts right what `{by}` has begun when it is cancelled at `{what}`, as its handler did?"
            ))
            .helps("keep the handler, or a `finally` in its place");
        out.push(Gone { had: (both.was.id, handler.header), asked: verdict });
        return;
    }
}
