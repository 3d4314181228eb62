//! A task that is left pending with nobody to wake it, since the change.
//!
//! ~~~text
//! Some(event) => { self.events.push_front(event); self.task = Some(cx.waker().clone()); Poll::Pending }
//! Some(event) => { self.events.push_front(event);                                       Poll::Pending }
//! ~~~
//!
//! A function that is polled says that it is pending when somebody has its waker: what it polled itself and found
//! pending, or what it gave the waker to. That somebody who got it at another time wakes it, only its author knows.

use std::collections::BTreeSet;

use crate::analysis::FunctionId;
use crate::analysis::names::Item;
use crate::flow::{BlockIndex, Callee, Function, Next, StepKind, ValueIndex, ValueKind};
use crate::text::{Language, Span};
use crate::verdict::Stance;

use super::NAME;
use crate::rules::context::RuleContext;
use crate::rules::manner::{Gone, OnBoth, Whole};

/// What a function and the closures inside it do with the waker of their task.
#[derive(Default)]
struct Polled {
    /// How often the waker is got.
    wakers: usize,
    /// How often it, or what it is got from, goes to somebody.
    uses: usize,
    /// Where the task is said to be pending.
    pending: Vec<(FunctionId, Span)>,
    /// Those of them on no way to which anybody is given the waker and keeps it.
    alone: Vec<(FunctionId, Span)>,
}

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let now = polled(&both.is);
    let Some(&last) = now.pending.last() else { return };
    let then = polled(&both.was);
    if then.uses == 0 {
        return;
    }
    let cx = both.is.cx;
    // Who still gives it to somebody may ask it fewer questions.
    let lost = now.wakers == 0 && then.wakers > 0 && now.uses < then.uses;
    let (at, what) = if now.alone.len() > then.alone.len() {
        (now.alone[now.alone.len() - 1], "is pending on a way on which it gives its waker to nobody")
    } else if lost {
        (last, "is pending, and no longer gives its waker to anybody itself")
    } else {
        return;
    };
    let name = &cx.function(both.is.id).name;
    let verdict = cx
        .verdict(NAME, Stance::Unproven, at.0, at.1, &format!("`{name}`"))
        .assumes(format!("somebody wakes the task that `{name}` leaves pending"))
        .says(format!("`{name}` {what}"))
        .asks(format!("who wakes the task when `{name}` leaves it pending here?"))
        .helps("give the waker to what is waited for, or poll that again until it is pending itself");
    let had = then.pending.last().copied().unwrap_or((both.was.id, cx_span(&both.was)));
    out.push(Gone { had, asked: verdict });
}

fn cx_span(whole: &Whole) -> Span {
    whole.cx.function(whole.id).span
}

fn polled(whole: &Whole) -> Polled {
    let mut all = Polled::default();
    for &by in &whole.parts {
        let function = whole.cx.function(by);
        let uses = uses(whole.cx, by, &function, &mut all);
        all.uses += uses.len();
        let pending = pending(whole.cx, by, &function);
        let keeping: Vec<ValueIndex> = if pending.is_empty() {
            Vec::new()
        } else {
            uses.into_iter().filter(|call| !is_consumed(&function, *call)).collect()
        };
        for value in pending {
            let node = function.value(value);
            let at = (by, node.span);
            all.pending.push(at);
            if !keeping.iter().any(|call| covers(whole.cx, by, &function, *call, value)) {
                all.alone.push(at);
            }
        }
    }
    all.pending.sort_by_key(|(_, span)| span.start);
    all.alone.sort_by_key(|(_, span)| span.start);
    all
}

/// The calls that are given a waker, or what it is got from.
fn uses(cx: &RuleContext, by: FunctionId, function: &Function, all: &mut Polled) -> Vec<ValueIndex> {
    let tables = cx.program.tables(Language::Rust);
    let is = |value: ValueIndex, known: &dyn Fn(&str) -> bool| {
        let of = cx.program.value_type(by, value);
        of.instance().is_some_and(|of| known(&of.name))
    };
    let mut found = Vec::new();
    for (_, _, step) in function.steps() {
        let StepKind::Call(value) = step.kind else { continue };
        let Some(call) = function.call(value) else { continue };
        let mut is_given = call.arguments.iter().any(|argument| is(argument.value, &|name| tables.wakes_tasks(name)));
        if let Callee::Method(receiver, _) = call.callee {
            let is_got = is(receiver, &|name| tables.gives_wakers(name));
            all.wakers += usize::from(is_got);
            is_given |= is_got;
        }
        if is_given {
            found.push(value);
        }
    }
    found
}

/// Where a function says that its task is pending.
fn pending(cx: &RuleContext, by: FunctionId, function: &Function) -> Vec<ValueIndex> {
    let tables = cx.program.tables(Language::Rust);
    let mut answers: BTreeSet<ValueIndex> = BTreeSet::new();
    let mut work: Vec<ValueIndex> = Vec::new();
    for block in &function.blocks {
        if let Next::Return(Some(value)) = block.next {
            work.push(value);
        }
    }
    while let Some(value) = work.pop() {
        if !answers.insert(value) {
            continue;
        }
        if let ValueKind::Choice(of) = &function.value(value).kind {
            work.extend(of.iter().copied());
        }
    }
    let is_it = |value: &ValueIndex| match &function.value(*value).kind {
        ValueKind::Path(path, _) => {
            matches!(cx.program.resolve_in(by, path), Item::External(name) if tables.is_pending(&name))
        }
        _ => false,
    };
    answers.into_iter().filter(is_it).collect()
}

/// Whether a macro takes what a call answers: it returns by itself where that is pending.
fn is_consumed(function: &Function, call: ValueIndex) -> bool {
    let is_it = |value: ValueIndex| {
        value == call || matches!(function.value(value).kind, ValueKind::Reference(of) if of == call)
    };
    function.values.iter().any(|value| match &value.kind {
        ValueKind::Call(other) if matches!(other.callee, Callee::Macro(_)) => {
            other.arguments.iter().any(|argument| is_it(argument.value))
        }
        _ => false,
    })
}

/// Whether a call may have left the waker with somebody where the task is said to be pending: nobody looks at its answer
/// on the way, or the way is one on which nothing is made of that.
fn covers(cx: &RuleContext, by: FunctionId, function: &Function, call: ValueIndex, pending: ValueIndex) -> bool {
    let (made, at) = (function.value(call), function.value(pending));
    if made.block != at.block && !function.leads_to(made.block, at.block) {
        return false;
    }
    let mut looks = function.blocks.iter().filter(|block| match &block.next {
        Next::Branch(Some(on), _) => rests_on(cx, by, function, *on, call, 8),
        _ => false,
    });
    let Some(first) = looks.next() else { return true };
    let is_plain = |target: &BlockIndex| {
        let mut binds = function.blocks[target.at()].steps.iter();
        !binds.any(|step| match step.kind {
            StepKind::Bind(_, value) => matches!(function.value(value).kind, ValueKind::Payload(of, ..) if rests_on(cx, by, function, of, call, 8)),
            _ => false,
        })
    };
    std::iter::once(first).chain(looks).any(|block| {
        let targets = block.next.targets();
        targets.iter().filter(|target| is_plain(target)).any(|target| function.leads_to(*target, at.block))
    })
}

/// Whether a value is what a call answers, or asked of it.
fn rests_on(
    cx: &RuleContext,
    by: FunctionId,
    function: &Function,
    value: ValueIndex,
    call: ValueIndex,
    depth: u32,
) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    if value == call {
        return true;
    }
    let node = function.value(value);
    match &node.kind {
        ValueKind::Try(of) | ValueKind::Reference(of) | ValueKind::Dereference(of) | ValueKind::Payload(of, ..) => {
            rests_on(cx, by, function, *of, call, depth)
        }
        ValueKind::Operation(of) => of.iter().any(|of| rests_on(cx, by, function, *of, call, depth)),
        ValueKind::Call(other) => match other.callee {
            Callee::Method(receiver, _) => rests_on(cx, by, function, receiver, call, depth),
            _ => false,
        },
        ValueKind::Place(place) => place.as_variable().is_some_and(|variable| {
            let reaching = cx.program.reaching(by, variable, node.block, node.step);
            reaching.values.iter().any(|bound| rests_on(cx, by, function, *bound, call, depth))
        }),
        _ => false,
    }
}
