//! A waiter can miss its signal.
//!
//! ~~~text
//! with changed: changed.wait()              nobody looked whether there is anything to wait for
//! if !*ready { ready = changed.wait(ready) }   or looks again when the wait ends
//! if !done.load() { notify.notified().await }  the signal may come between the look and the wait
//! await woken.wait(); await work(); woken.clear()   and what comes during the work is cleared away
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, Held, What};
use crate::analysis::locks::LockPlace;
use crate::analysis::uses::Uses;
use crate::catalogue::{Lock, LockKind};
use crate::flow::{BlockIndex, Callee, Function, Next, ParameterKind, Root, StepKind, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Confidence, Verdict};

use super::context::RuleContext;
use super::takings::leads_to;

const NAME: &str = "lost-wakeup";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if cx.program.is_test_code(id) {
        return;
    }
    let facts = cx.facts(id);
    for event in &facts.events {
        let What::Call(value) = event.what else { continue };
        let Some(wait) = wait_of(cx, id, value) else { continue };
        if wait.entry.kind == LockKind::Condition {
            out.extend(without_a_look(cx, id, event, &wait));
        } else if wait.entry.kind == LockKind::Event {
            out.extend(after_the_look(cx, id, event, &wait));
            out.extend(cleared_later(cx, id, event, &wait));
        }
    }
}

/// A call that waits for a signal.
struct Wait<'a> {
    entry: &'a Lock,
    method: String,
    receiver: ValueIndex,
    call: ValueIndex,
    place: LockPlace,
}

fn wait_of<'a>(cx: &RuleContext<'_, 'a>, id: FunctionId, call: ValueIndex) -> Option<Wait<'a>> {
    let (entry, method, receiver) = signal_call(cx, id, call)?;
    let is_wait = entry.is_wait(&method) && !entry.checked.contains(&method);
    // A time that is given ends the wait whatever happens.
    let function = cx.function(id);
    let is_timed = cx.language(id.module) == Language::Python && !function.call(call)?.arguments.is_empty();
    (is_wait && !is_timed).then(|| Wait { entry, method, receiver, call, place: cx.program.lock_place(id, receiver) })
}

/// A call on something that signals are given by.
fn signal_call<'a>(
    cx: &RuleContext<'_, 'a>,
    id: FunctionId,
    value: ValueIndex,
) -> Option<(&'a Lock, String, ValueIndex)> {
    let function = cx.function(id);
    let Callee::Method(receiver, method) = &function.call(value)?.callee else { return None };
    let language = cx.language(id.module);
    let resolution = cx.resolution(id, value);
    let (type_name, _) = resolution.external()?.rsplit_once(language.separator())?;
    let entry = cx.program.tables(language).lock(type_name)?;
    matches!(entry.kind, LockKind::Condition | LockKind::Event).then(|| (entry, method.clone(), *receiver))
}

/// A wait for a condition that nobody tests before it, or after it.
fn without_a_look(cx: &RuleContext, id: FunctionId, event: &Event, wait: &Wait) -> Option<Verdict> {
    let function = cx.function(id);
    let held = event.held.iter().rev().find(|held| held.is_certain && is_for_state(held))?;
    let facts = cx.facts(id);
    let is_it = |other: &&Event| other.span == held.taken && matches!(other.what, What::Acquire(..) | What::Runs(_));
    let taken = facts.events.iter().find(is_it);
    // A guard that the caller brings along, or gets back: the loop is the caller's.
    let taken = taken?;
    if hands_on(cx, id, &function, wait) {
        return None;
    }
    let decides = |at: BlockIndex, targets: &[BlockIndex]| {
        let dominates = !leads_to(&function, taken.block, event.block, at) && at != event.block;
        dominates && targets.iter().any(|target| !leads_to(&function, *target, event.block, at))
    };
    let tests: Vec<BlockIndex> = (0..)
        .zip(&function.blocks)
        .filter_map(|(at, block)| match &block.next {
            Next::Branch(Some(_), targets) if decides(BlockIndex(at), targets) => Some(BlockIndex(at)),
            _ => None,
        })
        .collect();
    let comes_back = |test: &BlockIndex| {
        let next = function.blocks[event.block.at()].next.targets();
        next.iter().any(|target| leads_to(&function, *target, *test, event.block))
    };
    if tests.iter().any(comes_back) {
        return None;
    }
    let name = cx.program.value_text(id, wait.receiver);
    let (what, help) = match tests.first() {
        None => (
            format!("`{}` waits for `{name}` without a look at what it waits for", function.name),
            "test the condition in a loop around the wait, under the lock",
        ),
        Some(_) => (
            format!("`{}` goes on when `{name}` wakes it, without another look at what it waited for", function.name),
            "test the condition in a loop around the wait: a wake-up does not mean that it holds",
        ),
    };
    let verdict = cx
        .violated(NAME, Confidence::Medium, id, event.span, &format!("`{name}`"))
        .assumes(format!("`{}` waits for `{name}` only while there is something to wait for", function.name))
        .says(what)
        .helps(help);
    Some(verdict.evidence(cx.location(id, held.taken), format!("`{}` is taken here", held.lock.name)))
}

fn is_for_state(held: &Held) -> bool {
    matches!(held.lock.kind, LockKind::Mutex | LockKind::Rwlock | LockKind::Condition)
}

/// Whether a function only hands the wait on: what it waits with comes from its caller, or its result goes back.
fn hands_on(cx: &RuleContext, id: FunctionId, function: &Function, wait: &Wait) -> bool {
    let is_private = function.name.starts_with("__") && function.name.ends_with("__");
    let made = cx.program.made_from(id, &Uses::of(function), wait.call);
    let goes_back = |value: ValueIndex| match cx.language(id.module) {
        Language::Python => value == wait.call || cx.program.shape(id).awaited(wait.call) == Some(value),
        Language::Rust => made.contains(&value) && cx.program.is_guard(&cx.program.value_type(id, value)),
    };
    let is_returned = function.blocks.iter().any(|block| match block.next {
        Next::Return(Some(value)) => goes_back(value),
        _ => false,
    });
    let is_given = wait.place.fields.is_empty() && is_plain_parameter(cx, id, wait.receiver);
    is_private || is_returned && !is_given
}

fn is_plain_parameter(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> bool {
    let function = cx.function(id);
    let ValueKind::Place(place) = &function.value(value).kind else { return false };
    function
        .parameters
        .iter()
        .any(|parameter| place.as_variable() == Some(parameter.variable) && parameter.kind == ParameterKind::Positional)
}

/// A wait for a signal that leaves nothing behind, begun after the look that decided on it.
fn after_the_look(cx: &RuleContext, id: FunctionId, event: &Event, wait: &Wait) -> Option<Verdict> {
    if wait.entry.fleeting.is_empty() || event.held.iter().any(is_for_state) {
        return None;
    }
    let function = cx.function(id);
    let class = wait.place.class.as_ref()?;
    let decisive = (0..).zip(&function.blocks).find_map(|(at, block)| {
        let Next::Branch(Some(value), targets) = &block.next else { return None };
        let at = BlockIndex(at);
        let decides = at != event.block
            && !leads_to(&function, BlockIndex(0), event.block, at)
            && targets.iter().any(|target| !leads_to(&function, *target, event.block, at));
        (decides && looks_at_shared(cx, id, &function, *value, 8)).then_some(*value)
    })?;
    let (signaller, signal) = fleeting_signal(cx, id, wait, class)?;
    let name = cx.program.value_text(id, wait.receiver);
    let verdict = cx
        .violated(NAME, Confidence::Medium, id, event.span, &format!("`{name}`"))
        .assumes(format!("a signal of `{name}` reaches `{}` even if it comes right after the look", function.name))
        .says(format!(
            "`{}` looks first and begins to wait for `{name}` afterwards: a signal in between is lost",
            function.name
        ))
        .helps(format!("make the `{}` before the look, and await it after", wait.method))
        .evidence(cx.location(id, function.value(decisive).span), "this decides whether to wait")
        .evidence(
            cx.location(signaller, cx.function(signaller).value(signal).span),
            "this reaches only those who wait already",
        );
    Some(verdict)
}

/// Whether a condition is made from something that others change: what is behind a lock, an atomic, a call.
fn looks_at_shared(cx: &RuleContext, id: FunctionId, function: &Function, value: ValueIndex, depth: u32) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let node = function.value(value);
    match &node.kind {
        ValueKind::Call(call) => match &call.callee {
            Callee::Method(receiver, _) => {
                cx.program.lock_place(id, *receiver).class.is_some()
                    || looks_at_shared(cx, id, function, *receiver, depth)
            }
            _ => false,
        },
        ValueKind::Place(place) => match place.root {
            Root::Variable(variable) => {
                let reaching = cx.program.reaching(id, variable, node.block, node.step);
                reaching.values.iter().any(|bound| looks_at_shared(cx, id, function, *bound, depth))
            }
            Root::Global(_) => false,
        },
        kind => {
            let mut found = false;
            crate::analysis::uses::for_each_part(kind, |part| {
                found |= looks_at_shared(cx, id, function, part, depth);
            });
            found
        }
    }
}

/// Where the file gives a signal of this kind that leaves nothing behind.
fn fleeting_signal(cx: &RuleContext, id: FunctionId, wait: &Wait, class: &String) -> Option<(FunctionId, ValueIndex)> {
    let module = cx.program.module(id.module);
    for (index, function) in module.functions() {
        let other = FunctionId { module: id.module, index };
        for (_, _, step) in function.steps() {
            let StepKind::Call(call) = step.kind else { continue };
            let Some((entry, method, receiver)) = signal_call(cx, other, call) else { continue };
            let is_it = entry.name == wait.entry.name && entry.fleeting.contains(&method);
            if is_it && cx.program.lock_place(other, receiver).class.as_ref() == Some(class) {
                return Some((other, call));
            }
        }
    }
    None
}

/// A signal that is taken back only after the work that it called for: what came meanwhile goes with it.
fn cleared_later(cx: &RuleContext, id: FunctionId, event: &Event, wait: &Wait) -> Option<Verdict> {
    let function = cx.function(id);
    let around = function.blocks[event.block.at()].in_loop?;
    let facts = cx.facts(id);
    let cleared = facts.events.iter().find(|other| {
        let What::Call(call) = other.what else { return false };
        let is_reset = signal_call(cx, id, call).is_some_and(|(entry, method, receiver)| {
            entry.reset.contains(&method) && cx.program.lock_place(id, receiver).is_same(&wait.place)
        });
        is_reset
            && function.blocks[other.block.at()].in_loop == Some(around)
            && (event.block, event.step) < (other.block, other.step)
    })?;
    // On the loop only a suspension lets somebody else give the signal; the wait itself is the first one.
    let between = facts.events.iter().filter(|other| {
        let at = (other.block, other.step);
        (event.block, event.step) < at && at < (cleared.block, cleared.step)
    });
    let gives_way: Vec<&Event> = if function.is_async() {
        between.filter(|other| matches!(other.what, What::Suspend(..)) && cx.gives_way(id, other)).skip(1).collect()
    } else {
        let works = |other: &&Event| match other.what {
            What::Call(call) => !cx.resolution(id, call).functions().is_empty(),
            _ => false,
        };
        between.filter(works).collect()
    };
    let work = gives_way.first()?;
    // Only what lies on every way from the wait to the clearing counts.
    let is_passed = work.block == cleared.block
        || work.block == event.block
        || !leads_to(&function, event.block, cleared.block, work.block);
    if !is_passed || looks_after(&function, cleared, around) {
        return None;
    }
    let name = cx.program.value_text(id, wait.receiver);
    let verdict = cx
        .violated(NAME, Confidence::Medium, id, cleared.span, &format!("`{name}`"))
        .assumes(format!("no signal of `{name}` comes while `{}` is at work", function.name))
        .says(format!("`{}` clears `{name}` after the work: a signal that came during it is lost", function.name))
        .helps("clear it before the work: what comes during it then wakes the next turn")
        .evidence(cx.location(id, event.span), format!("`{name}` is waited for here"))
        .evidence(cx.location(id, work.span), "others may give it meanwhile");
    Some(verdict)
}

/// Whether the loop decides anything after the clearing, before it waits again.
fn looks_after(function: &Function, cleared: &Event, around: crate::flow::LoopIndex) -> bool {
    let header = function.loops[around.at()].header;
    let mut work = vec![cleared.block];
    let mut seen = vec![false; function.blocks.len()];
    while let Some(block) = work.pop() {
        if block == header || std::mem::replace(&mut seen[block.at()], true) {
            continue;
        }
        let body = &function.blocks[block.at()];
        if matches!(body.next, Next::Branch(Some(_), _)) && body.in_loop == Some(around) {
            return true;
        }
        work.extend(body.next.targets());
    }
    false
}
