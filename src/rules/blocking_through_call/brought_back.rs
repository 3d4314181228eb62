//! What the change took out of a thread and lets run on the loop: how long it takes is known to nobody here, and whoever
//! put it into a thread had a reason.

use crate::analysis::calls::Target;
use crate::catalogue::Stake;
use crate::flow::{Callee, FunctionKind};
use crate::verdict::Stance;

use super::NAME;
use crate::rules::blocking_in_async;
use crate::rules::context::RuleContext;
use crate::rules::manner::{Done, Gone, Manner, OnBoth};
use crate::rules::worse::Worse;

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let cx = both.is.cx;
    let in_thread = |done: &Done| done.manner.first() == Some(&Manner::Thread);
    // Whoever awaited the function calls it in place now.
    let became_plain = both.was.cx.function(both.was.id).is_async() && !cx.function(both.is.id).is_async();
    let mut found: Vec<(bool, &Done, &Done)> = both
        .kept()
        .filter(|(now, _)| !now.is_awaited && !now.manner.contains(&Manner::Thread))
        .filter(|(now, _)| cx.runs_on_loop(now.by) || became_plain && !cx.context(now.by).is_in_thread())
        .filter_map(|(now, then)| {
            // Calls of it that were awaited already are of another kind: `await f()` if it is asynchronous.
            let mut plain = then.iter().filter(|then| !then.is_awaited || in_thread(then));
            let first = *then.iter().find(|then| in_thread(then))?;
            let all = plain.all(|then| in_thread(then));
            let is_own = is_of_unknown_length(both, now).filter(|_| all)?;
            Some((is_own, now, first))
        })
        .collect();
    // One thread that is gone is one question, about the project's own function where there is one; a function that left
    // its threads as a whole is one as well.
    let thread = |then: &Done| match became_plain {
        true => (both.was.id, None),
        false => (then.by, then.is_given().then_some(then.span)),
    };
    found.sort_by_key(|(is_own, now, then)| (thread(then), !is_own, now.span.start));
    found.dedup_by_key(|(_, _, then)| thread(then));
    for (_, now, then) in found {
        let name = cx.program.callee_text(now.by, now.call);
        let function = cx.function(both.is.id);
        let verdict = cx
            .verdict(NAME, Stance::Unproven, now.by, now.span, &format!("`{name}`"))
            .assumes(format!("`{name}` takes no longer than `{}` may keep its thread", function.name))
            .says(format!("`{name}` ran in a thread of its own, and now runs where other tasks wait for it"))
            .asks(format!("how long can `{name}` take, now that it no longer runs in a thread of its own?"))
            .helps("hand it to a thread as before, or give way in between")
            .stake(Stake::Unbounded);
        out.push(Gone { had: (then.by, then.span), asked: verdict });
    }
}

/// Whether nothing says how long a call takes; and then whether it is a function of the project.
fn is_of_unknown_length(both: &OnBoth, done: &Done) -> Option<bool> {
    let cx = both.is.cx;
    let tables = cx.program.tables(cx.language(done.by.module));
    let resolution = cx.resolution(done.by, done.call);
    match &resolution.targets[..] {
        [] => (!tables.is_brief(&done.name)).then_some(false),
        // What the catalogue describes either blocks, which is a finding, or does not.
        [Target::External(name)] => (!tables.knows(name) && tables.blocking(name).is_none()).then_some(false),
        targets => {
            let works = |target: &Target| {
                let Some(callee) = target.function() else { return false };
                let function = cx.function(callee);
                // What is known to block is a finding, and what calls nothing is over at once.
                let calls = function.is_bodiless
                    || function.values.iter().any(|value| matches!(value.kind, crate::flow::ValueKind::Call(_)));
                function.kind != FunctionKind::Closure
                    && !function.is_async()
                    && calls
                    && cx.program.summary(callee).blocks.is_empty()
            };
            targets.iter().any(works).then_some(true)
        }
    }
}

/// What waits for files, and was handed to a thread or had an asynchronous twin before the change: whoever wrote that
/// found the wait worth it.
pub(in crate::rules) fn weigh(both: &OnBoth, out: &mut Vec<Worse>) {
    let cx = both.is.cx;
    let in_place = |now: &Done| !now.is_awaited && !now.is_given() && now.manner.is_empty() && cx.runs_on_loop(now.by);
    let in_thread = |then: &Done| then.manner.first() == Some(&Manner::Thread);
    let mut add = |now: &Done, why: &str| {
        for rule in [NAME, blocking_in_async::NAME] {
            out.push(Worse::shows(cx, rule, now.by, now.span, why.to_owned()));
        }
    };
    for (now, then) in both.kept().filter(|(now, _)| in_place(now)) {
        if then.iter().all(|then| in_thread(then)) {
            add(now, "it ran in a thread before the change");
        }
    }
    for (name, calls) in &both.now {
        let alike = both.then.get(name);
        for now in calls.iter().filter(|now| in_place(now)) {
            let why = match alike {
                Some(then) => {
                    let is_it = |then: &Done| is_of_the_same(both, then, now);
                    let was = then.iter().all(|then| is_asynchronous(both, then)) && then.iter().any(is_it);
                    was.then_some("it was awaited before the change")
                }
                None => took_the_place(both, now).then_some("an awaited call stood in its place before the change"),
            };
            if let Some(why) = why {
                add(now, why);
            }
        }
    }
}

/// Whether a call stands where an asynchronous one of another name stood that is gone: of the same object, with the same
/// arguments.
fn took_the_place(both: &OnBoth, now: &Done) -> bool {
    let gone = both.then.iter().filter(|(name, _)| !both.now.contains_key(*name));
    let Some((Some(of), with)) = given(both.is.cx, now).filter(|(_, with)| !with.is_empty()) else { return false };
    let is_it = |then: &Done| {
        is_asynchronous(both, then)
            && given(both.was.cx, then).is_some_and(|was| was == (Some(of.clone()), with.clone()))
    };
    gone.flat_map(|(_, then)| then).any(is_it)
}

fn is_asynchronous(both: &OnBoth, then: &Done) -> bool {
    !then.is_given() && (then.is_awaited || both.was.cx.program.makes(then.by, then.call).is_some())
}

/// Whether two calls are of one object, or begin with the same argument where neither has any.
fn is_of_the_same(both: &OnBoth, then: &Done, now: &Done) -> bool {
    match (given(both.was.cx, then), given(both.is.cx, now)) {
        (Some((Some(was), _)), Some((Some(is), _))) => was == is,
        (Some((_, was)), Some((_, is))) => !was.is_empty() && was.first() == is.first(),
        _ => false,
    }
}

/// The object that a call is of, and its arguments, as they are written.
fn given(cx: &RuleContext, done: &Done) -> Option<(Option<String>, Vec<String>)> {
    let function = cx.function(done.by);
    let call = function.call(done.call)?;
    let text = |value| cx.program.value_text(done.by, value);
    let receiver = match call.callee {
        Callee::Method(receiver, _) => Some(text(receiver)),
        _ => None,
    };
    Some((receiver, call.arguments.iter().map(|argument| text(argument.value)).collect()))
}
