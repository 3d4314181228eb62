//! Work on the threads of a pool that waits for other work of the same pool.
//!
//! ~~~text
//! def load(self, path): return [part.result() for part in [self._pool.submit(parse, line) for line in lines(path)]]
//! for path in paths: self._pool.submit(self.load, path)
//! ~~~
//!
//! As soon as every thread of the pool waits like this, none is left for what they wait for.

use crate::analysis::FunctionId;
use crate::analysis::contexts::HandOver;
use crate::analysis::held::What;
use crate::analysis::uses::Uses;
use crate::catalogue::{BlockingKind, PoolAt, Runs};
use crate::flow::{Call, Callee, Function, Literal, ValueIndex, ValueKind};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Stance, Verdict};

use super::NAME;
use crate::rules::context::RuleContext;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if cx.language(id.module) != Language::Python || function.is_async() || cx.program.is_test_code(id) {
        return;
    }
    let handing = function.calls().filter_map(|(call, _)| Some((call, pool(cx, id, call)?)));
    let handing: Vec<(ValueIndex, String)> = handing.collect();
    if handing.is_empty() {
        return;
    }
    let uses = Uses::of(&function);
    for (call, pool) in handing {
        let Some(waits) = waits_for(cx, id, &uses, call) else { continue };
        let Some((started, is_several)) = started_on(cx, id, &pool) else { continue };
        let stance = if is_several { Stance::Violated(Confidence::Medium) } else { Stance::Unproven };
        let (name, pool) = (&function.name, pool_text(cx, id, call));
        let root = &cx.function(started.callee).name;
        out.push(
            cx.verdict(NAME, stance, id, waits, &format!("`{pool}`"))
                .assumes(format!("a thread of `{pool}` is free for what `{name}` waits for"))
                .says(format!(
                    "`{name}` runs on a thread of `{pool}` and waits for other work of `{pool}`: once all its threads \
                     wait like this, none is left to do it"
                ))
                .asks(format!("can as many `{root}` run at once as `{pool}` has threads?"))
                .helps("do that work in place, or on a pool of its own")
                .evidence(started.at.clone(), format!("`{root}` is handed to the pool here"))
                .evidence(cx.location(id, function.value(call).span), "so is what is waited for"),
        );
        return;
    }
}

/// The pool of threads that a call hands work to, by its class.
fn pool(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> Option<String> {
    let offload = cx.program.offload(id, &cx.resolution(id, call)).filter(|offload| offload.runs == Runs::Thread)?;
    let named = pool_named(cx, id, call, offload.workers?)?;
    cx.program.lock_place(id, named).class
}

fn pool_named(cx: &RuleContext, id: FunctionId, call: ValueIndex, workers: PoolAt) -> Option<ValueIndex> {
    let function = cx.function(id);
    let written = function.call(call)?;
    match (workers, &written.callee) {
        (PoolAt::Receiver, Callee::Method(receiver, _)) => Some(*receiver),
        (PoolAt::Receiver, _) => None,
        (PoolAt::First, _) => written.arguments.first().map(|argument| argument.value),
    }
}

fn pool_text(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> String {
    let workers = cx.program.offload(id, &cx.resolution(id, call)).and_then(|offload| offload.workers);
    let named = workers.and_then(|workers| pool_named(cx, id, call, workers));
    named.map_or_else(String::new, |named| cx.program.value_text(id, named))
}

/// Where a function waits for what a call hands over.
fn waits_for(cx: &RuleContext, id: FunctionId, uses: &Uses, call: ValueIndex) -> Option<Span> {
    let function = cx.function(id);
    let made = cx.program.made_from(id, uses, call);
    let waits = cx.facts(id).events.iter().find_map(|event| {
        let What::Call(value) = event.what else { return None };
        let entry = cx.program.blocking_call(id, value, &cx.resolution(id, value)).filter(|_| value != call)?;
        let written = function.call(value)?;
        let receiver = match &written.callee {
            Callee::Method(receiver, _) => Some(*receiver),
            _ => None,
        };
        let of_it = receiver.into_iter().chain(written.arguments.iter().map(|argument| argument.value));
        // A wait with a bound ends: `done.result(3)`, `wait(parts, timeout=3)`.
        let is_bounded = match receiver {
            Some(_) => !written.arguments.is_empty(),
            None => written.arguments.iter().filter(|argument| argument.name.is_none()).count() > 1,
        };
        let is_endless = !is_bounded && !is_given_a_time(&function, written);
        let is_it =
            entry.kind == BlockingKind::LockWait && is_endless && of_it.into_iter().any(|one| made.contains(&one));
        is_it.then_some(event.span)
    });
    waits.or_else(|| {
        // `pool.map(work, items)` waits where its results are taken.
        if !is_taken_one_by_one(cx, id, call)
            || function.call(call).is_some_and(|call| is_given_a_time(&function, call))
        {
            return None;
        }
        let direct = |value: ValueIndex| value == call || cx.program.users(id, uses, call).contains(&value);
        (0..).zip(&function.values).find_map(|(at, value)| match &value.kind {
            ValueKind::Element(of) if direct(*of) => Some(function.value(*of).span),
            ValueKind::Call(written) => {
                let resolution = cx.resolution(id, ValueIndex(at));
                let takes = resolution.external().is_some_and(|name| name.starts_with("builtins."))
                    && written.arguments.iter().any(|argument| direct(argument.value));
                takes.then_some(value.span)
            }
            _ => None,
        })
    })
}

/// Whether a call is given a time after which it gives up.
fn is_given_a_time(function: &Function, call: &Call) -> bool {
    call.arguments.iter().any(|argument| {
        argument.name.as_deref() == Some("timeout")
            && !matches!(function.value(argument.value).kind, ValueKind::Literal(Literal::None))
    })
}

/// Whether the results of a call are waited for one by one, as they are taken.
fn is_taken_one_by_one(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> bool {
    let tables = cx.program.tables(Language::Python);
    cx.resolution(id, call).external().is_some_and(|name| tables.blocking(&format!("{name}.__iter__")).is_some())
}

/// Where a function, or one that leads to it, is handed to a pool, and whether that is known to be done many times.
fn started_on(cx: &RuleContext, id: FunctionId, on: &str) -> Option<(HandOver, bool)> {
    let mut asked = None;
    for strand in cx.program.strands(id).iter().filter(|strand| strand.runs == Runs::Thread) {
        for handed in cx.program.handed_over(strand.root).iter() {
            let by = cx.function(handed.by);
            let mut calls = by.calls().map(|(call, _)| call);
            let Some(call) = calls.find(|call| by.value(*call).span == handed.at.span) else { continue };
            if pool(cx, handed.by, call).as_deref() != Some(on) {
                continue;
            }
            // What hands itself over does so again and again.
            if handed.is_repeated || handed.by == id || is_taken_one_by_one(cx, handed.by, call) {
                return Some((handed.clone(), true));
            }
            // What is done for a caller may be done for many.
            let is_given = |value: ValueIndex| match &by.value(value).kind {
                ValueKind::Place(place) => {
                    let own = usize::from(cx.program.is_method(handed.by));
                    by.parameters.iter().skip(own).any(|one| place.as_variable() == Some(one.variable))
                }
                _ => false,
            };
            let is_for_a_caller =
                by.call(call).is_some_and(|call| call.arguments.iter().any(|given| is_given(given.value)));
            if is_for_a_caller {
                asked = asked.or_else(|| Some(handed.clone()));
            }
        }
    }
    asked.map(|handed| (handed, false))
}
