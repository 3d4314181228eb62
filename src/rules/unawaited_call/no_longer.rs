//! A call that was awaited before the change, and is not any more.
//!
//! Of what nobody knows the definition, only the other side tells that it gives something to await.

use std::collections::BTreeSet;

use crate::analysis::FunctionId;
use crate::analysis::makes::Makes;
use crate::analysis::uses::{Carries, Loss, Uses};
use crate::flow::{Callee, Function, FunctionKind, Next, ValueIndex, ValueKind};
use crate::rules::context::RuleContext;
use crate::rules::manner::{Done, Gone, OnBoth};
use crate::text::Language;
use crate::verdict::{Confidence, Stance, Verdict};

use super::{NAME, misplaced};

/// What is said of a coroutine that goes into calls for which it is a value like any other.
const HANDED_ON: &str = "hands it on as it is";

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let (was, cx) = (both.was.cx, both.is.cx);
    // A function that turned into a plain one awaits nothing.
    if was.function(both.was.id).is_async() && !cx.function(both.is.id).is_async() {
        return;
    }
    for (now, then) in both.kept() {
        if now.is_awaited || !now.manner.is_empty() || !then.iter().any(|then| then.is_awaited) {
            continue;
        }
        let name = cx.program.callee_text(now.by, now.call);
        let then: Vec<&Done> =
            then.iter().copied().filter(|then| was.program.callee_text(then.by, then.call) == name).collect();
        let alike = both.now[&now.name].iter().filter(|other| cx.program.callee_text(other.by, other.call) == name);
        let (awaited, bare): (Vec<&Done>, Vec<&Done>) = alike.partition(|done| done.is_awaited);
        let (was_awaited, was_bare): (Vec<&Done>, Vec<&Done>) = then.iter().partition(|done| done.is_awaited);
        let Some(first) = was_awaited.first().filter(|_| awaited.len() < was_awaited.len()) else { continue };
        if bare.len() <= was_bare.len() {
            continue;
        }
        if let Some(verdict) = returned_as_it_is(both, first, now) {
            out.push(Gone { had: (first.by, first.span), asked: verdict });
            return;
        }
        let Some(where_it_goes) = lost(both, now).or_else(|| taken_as_before(both, first, now).map(|_| HANDED_ON))
        else {
            continue;
        };
        let by = &cx.function(both.is.id).name;
        if let Some(taker) = taken_as_before(both, first, now) {
            let taker = cx.program.callee_text(now.by, taker);
            let verdict = cx
                .violated(NAME, Confidence::Medium, now.by, now.span, &format!("`{name}`"))
                .assumes(format!("the coroutine that `{name}` makes is awaited"))
                .says(format!(
                    "`{name}` only makes a coroutine, and `{by}`, which awaited it before the change, hands it to \
                     `{taker}` in the place of its result"
                ))
                .helps("await it as before");
            out.push(Gone { had: (first.by, first.span), asked: verdict });
            return;
        }
        let verdict = cx
            .verdict(NAME, Stance::Unproven, now.by, now.span, &format!("`{name}`"))
            .assumes(format!("`{name}` gives nothing that must be awaited"))
            .says(format!("`{by}` awaited what `{name}` gives, and {where_it_goes} now"))
            .asks(if where_it_goes == HANDED_ON {
                format!("is the coroutine that `{name}` makes awaited by whoever gets it?")
            } else {
                format!("does `{name}` still give something to await, as it did before the change?")
            })
            .helps("await it as before");
        out.push(Gone { had: (first.by, first.span), asked: verdict });
        // One question is enough to make somebody look at all of them.
        return;
    }
}

/// An asynchronous function that returned what awaiting a call gives, and returns what is still to be awaited (Python):
/// whoever awaits the function gets that in the place of its result.
fn returned_as_it_is(both: &OnBoth, then: &Done, now: &Done) -> Option<Verdict> {
    let (was, cx) = (both.was.cx, both.is.cx);
    let (former, function) = (was.function(then.by), cx.function(now.by));
    let is_named = !matches!(function.kind, FunctionKind::Closure | FunctionKind::AsyncBlock);
    if cx.language(now.by.module) != Language::Python || !is_named || !former.is_async() || !function.is_async() {
        return None;
    }
    let returns = |of: &Function, is_it: &dyn Fn(ValueIndex) -> bool| {
        of.blocks.iter().any(|block| matches!(block.next, Next::Return(Some(value)) if is_it(value)))
    };
    let awaited = |value| matches!(former.value(value).kind, ValueKind::Awaited(of) if of == then.call);
    if !returns(&former, &awaited) || !returns(&function, &|value| value == now.call) {
        return None;
    }
    let resolution = cx.resolution(now.by, now.call);
    let gathers =
        || resolution.external().is_some_and(|name| cx.program.tables(Language::Python).gather(name).is_some());
    let made = cx.program.makes(now.by, now.call);
    if !(made == Some(Makes::Coroutine) || gathers()) || misplaced::is_told(cx, now.by, now.call) {
        return None;
    }
    let (name, by) = (cx.program.callee_text(now.by, now.call), &function.name);
    let thing = if made.is_some() { "a coroutine" } else { "a future" };
    let verdict = cx
        .violated(NAME, Confidence::Medium, now.by, now.span, &format!("`{name}`"))
        .assumes(format!("what `{name}` makes is awaited in `{by}`"))
        .says(format!(
            "`{name}` only makes {thing}, and `{by}`, which awaited it before the change, returns it as it is"
        ))
        .helps("await it as before");
    Some(verdict)
}

/// What becomes of a call's result, if nobody awaits it; `None` where that is no news or well known.
fn lost(both: &OnBoth, now: &Done) -> Option<&'static str> {
    let cx = both.is.cx;
    let function = cx.function(now.by);
    let resolution = cx.resolution(now.by, now.call);
    let made = cx.program.makes(now.by, now.call);
    // A definition in sight that gives a plain value says that the change is right.
    if made.is_none() && !resolution.targets.is_empty() {
        let tables = cx.program.tables(cx.language(now.by.module));
        let is_known = resolution.external().is_none_or(|name| tables.knows(name) || tables.signature(name).is_some());
        if is_known {
            return None;
        }
    }
    let is_returned =
        function.blocks.iter().any(|block| matches!(block.next, Next::Return(Some(value)) if value == now.call));
    if is_returned {
        // Whoever awaits an asynchronous function awaits its result no more.
        let is_handed_on = !function.is_async() || cx.language(now.by.module) == Language::Rust;
        let is_named = !matches!(function.kind, FunctionKind::Closure | FunctionKind::AsyncBlock);
        let is_known =
            made == Some(Makes::Coroutine) && (function.returns.is_some() || misplaced::is_told(cx, now.by, now.call));
        return (!is_handed_on && is_named && !is_known).then_some("returns it as it is");
    }
    if made == Some(Makes::Coroutine) && cx.language(now.by.module) == Language::Python {
        return handed_on(both, now).then_some(HANDED_ON);
    }
    if made.is_some() {
        // A finding of its own.
        return None;
    }
    let uses = Uses::of(&function);
    let lost = cx.program.losses(now.by, &uses, now.call, Carries::Awaitable)?;
    let is_dropped = lost.iter().all(|lost| matches!(lost.how, Loss::Discarded | Loss::Unused(_)));
    Some(if is_dropped { "throws it away" } else { "takes it for what awaiting it gives" })
}

/// Whether a coroutine goes into calls for which it is a value like any other, and nobody awaits what they give.
fn handed_on(both: &OnBoth, now: &Done) -> bool {
    let cx = both.is.cx;
    let function = cx.function(now.by);
    let uses = Uses::of(&function);
    // What is lost for certain is a finding of its own.
    if cx.program.losses(now.by, &uses, now.call, Carries::Awaitable).is_some() {
        return false;
    }
    let tables = cx.program.tables(Language::Python);
    let made = cx.program.made_from(now.by, &uses, now.call);
    let mut calls = 0;
    made.iter().filter(|value| **value != now.call).all(|&value| match &function.value(value).kind {
        ValueKind::Place(place) => place.as_variable().is_some(),
        ValueKind::Call(_) => {
            calls += 1;
            let resolution = cx.resolution(now.by, value);
            let takes = resolution
                .external()
                .is_some_and(|name| tables.consumes_awaitables(name).is_some() || tables.gather(name).is_some());
            // Whoever gives nothing back keeps it: `jobs.append(…)`.
            !takes && cx.program.starts(now.by, value).is_none() && !uses.is_only_discarded(value)
        }
        _ => false,
    }) && calls > 0
}

/// A call that takes the coroutine now, where all that do took what awaiting it gave before the change, and none of them
/// is known to do anything with a coroutine.
fn taken_as_before(both: &OnBoth, then: &Done, now: &Done) -> Option<ValueIndex> {
    let (was, cx) = (both.was.cx, both.is.cx);
    if cx.language(now.by.module) != Language::Python || cx.program.makes(now.by, now.call) != Some(Makes::Coroutine) {
        return None;
    }
    let former = was.function(then.by);
    let results = former.values.iter().enumerate().filter_map(|(at, value)| match value.kind {
        ValueKind::Awaited(of) if of == then.call => Some(ValueIndex(at as u32)),
        _ => None,
    });
    let took: BTreeSet<String> = results
        .flat_map(|result| takers(was, then.by, result).0)
        .map(|call| was.program.callee_text(then.by, call))
        .collect();
    let (take, is_all) = takers(cx, now.by, now.call);
    let took_it = |call: &ValueIndex| {
        took.contains(&cx.program.callee_text(now.by, *call)) && !may_take_a_coroutine(cx, now.by, *call)
    };
    take.first().copied().filter(|_| is_all && take.iter().all(took_it))
}

/// The calls that a value is an argument of, itself or by a name; and whether nothing else is done with it.
fn takers(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> (Vec<ValueIndex>, bool) {
    let function = cx.function(id);
    let uses = Uses::of(&function);
    let (mut found, mut is_all) = (Vec::new(), uses.is_only_read(value));
    let users = cx.program.users(id, &uses, value);
    let by_name = |user: &ValueIndex| matches!(&function.value(*user).kind, ValueKind::Place(place) if place.as_variable().is_some());
    let (named, direct): (Vec<ValueIndex>, Vec<ValueIndex>) = users.into_iter().partition(by_name);
    let of_names = named.iter().flat_map(|read| {
        is_all &= uses.is_only_part(*read);
        uses.parts_of(*read).map(|user| (*read, user)).collect::<Vec<_>>()
    });
    let of_names: Vec<_> = of_names.collect();
    for (given, user) in direct.into_iter().map(|user| (value, user)).chain(of_names) {
        match &function.value(user).kind {
            ValueKind::Call(call) if call.arguments.iter().any(|argument| argument.value == given) => found.push(user),
            _ => is_all = false,
        }
    }
    (found, is_all)
}

/// Whether a call may be meant to get something to await: it runs it, keeps it, asks what it is, or is a function of the
/// project that awaits what it is given.
fn may_take_a_coroutine(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> bool {
    let tables = cx.program.tables(Language::Python);
    let resolution = cx.resolution(id, call);
    let is_for_them = |name: &str| {
        tables.consumes_awaitables(name).is_some() || tables.gather(name).is_some() || tables.inspects(name)
    };
    let keeps = match cx.function(id).call(call).map(|call| &call.callee) {
        Some(Callee::Method(_, name)) => tables.changes_by_name(name),
        _ => false,
    };
    let awaits = |callee: FunctionId| {
        let body = cx.function(callee);
        body.parameters.iter().any(|parameter| cx.program.may_await(callee, parameter.variable))
    };
    resolution.external().is_some_and(is_for_them)
        || cx.program.starts(id, call).is_some()
        || cx.program.change_of(id, call).is_some()
        || keeps
        || resolution.functions().into_iter().any(awaits)
}
