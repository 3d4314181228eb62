//! A signal that comes before anybody waits for it, or is thrown away.
//!
//! ~~~text
//! if !done.load() { notify.notified().await }       the signal may come between the look and the wait
//! if !state.is_up() { rx = state.subscribe(); rx.changed().await }   so may the change
//! await woken.wait(); await work(); woken.clear()   what comes during the work is cleared away
//! ~~~

use std::ops::ControlFlow;

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, What};
use crate::analysis::uses::Uses;
use crate::flow::{Block, BlockIndex, Callee, Function, LoopIndex, Next, Root, StepKind, ValueIndex, ValueKind};
use crate::verdict::{Confidence, Verdict};

use super::context::RuleContext;
use super::lost_wakeup::{NAME, Wait, is_for_state, signal_call};

/// How often one value may lead to another.
const DEEPEST: u32 = 8;

/// A wait for a signal that leaves nothing behind, begun after the look that decided on it.
pub(super) fn after_the_look(cx: &RuleContext, id: FunctionId, event: &Event, wait: &Wait) -> Option<Verdict> {
    if wait.entry.fleeting.is_empty() || event.held.iter().any(is_for_state) {
        return None;
    }
    let function = cx.function(id);
    let class = wait.place.class.as_ref()?;
    let decisive = function.conditions().find_map(|(at, value, _)| {
        let decides = function.decides(at, event.block);
        (decides && looks_at_shared(cx, id, &function, value, DEEPEST)).then_some(value)
    })?;
    if looks_once_more(cx, id, event, wait) {
        return None;
    }
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

/// Whether the wait is only begun there, and its end waited for behind another look.
fn looks_once_more(cx: &RuleContext, id: FunctionId, event: &Event, wait: &Wait) -> bool {
    let function = cx.function(id);
    let made = cx.program.made_from(id, &Uses::of(&function), wait.call);
    let ends = cx.facts(id).events.iter().find_map(|other| match other.what {
        What::Suspend(_, Some(of)) if of != wait.call && made.contains(&of) => Some(other.block),
        _ => None,
    });
    let Some(ends) = ends else { return false };
    function.conditions().any(|(at, value, targets)| {
        let is_behind = match at == event.block {
            true => function.value(value).step > event.step,
            false => function.leads_past(event.block, at, ends) && !function.leads_past(event.block, ends, at),
        };
        is_behind
            && targets.iter().any(|target| !function.leads_past(*target, ends, at))
            && looks_at_shared(cx, id, &function, value, DEEPEST)
    })
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
            let place = is_it.then(|| cx.program.lock_place(other, receiver).class).flatten();
            if place.is_some_and(|of| of == *class || cx.program.are_one_object(id.module, &of, class)) {
                return Some((other, call));
            }
        }
    }
    None
}

/// A signal that is taken back only after the work that it called for: what came meanwhile goes with it.
pub(super) fn cleared_later(cx: &RuleContext, id: FunctionId, event: &Event, wait: &Wait) -> Option<Verdict> {
    let function = cx.function(id);
    let around = function.blocks[event.block.at()].in_loop?;
    let facts = cx.facts(id);
    let is_reset = |other: &&Event| match other.what {
        What::Call(call) => signal_call(cx, id, call).is_some_and(|(entry, method, receiver)| {
            entry.reset.contains(&method) && cx.program.lock_place(id, receiver).is_same(&wait.place)
        }),
        _ => false,
    };
    let cleared = facts.events.iter().find(|other| {
        is_reset(other)
            && function.blocks[other.block.at()].in_loop == Some(around)
            && (event.block, event.step) < (other.block, other.step)
    })?;
    let clears: Vec<BlockIndex> = facts.events.iter().filter(is_reset).map(|other| other.block).collect();
    if goes_round(&function, event.block, around, &clears) {
        return None;
    }
    // Where a task of its own waits, nothing says when its wait ends and the work begins.
    let waits_here = |other: &Event| {
        matches!(other.what, What::Suspend(..)) && other.span.contains(event.span) && other.block >= event.block
    };
    if function.is_async() && !facts.events.iter().any(waits_here) {
        return None;
    }
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
        || !function.leads_past(event.block, cleared.block, work.block);
    if !is_passed || looks_after(&function, cleared, around) {
        return None;
    }
    if function.is_async() && looks_before(&function, gives_way[gives_way.len() - 1], cleared, around) {
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

/// Whether the loop comes to the next wait on some way without the signal being cleared: then it is a gate that stands
/// open until somebody shuts it, and is no count of what there is to do.
fn goes_round(function: &Function, from: BlockIndex, around: LoopIndex, clears: &[BlockIndex]) -> bool {
    let header = function.loops[around.at()].header;
    let mut is_first = true;
    let visit = |at: BlockIndex, block: &Block, on: &mut Vec<BlockIndex>| {
        if at == header && !std::mem::take(&mut is_first) {
            return ControlFlow::Break(());
        }
        is_first = false;
        if !clears.contains(&at) {
            on.extend(block.next.targets());
        }
        ControlFlow::Continue(())
    };
    function.walk([from], visit).is_some()
}

/// Whether a look at shared state decides, after the last suspension, whether the signal is cleared: nobody gives it in
/// between.
fn looks_before(function: &Function, last: &Event, cleared: &Event, around: LoopIndex) -> bool {
    let header = function.loops[around.at()].header;
    function.conditions().any(|(at, value, targets)| {
        let leads = |target: &BlockIndex| function.leads_past(*target, cleared.block, header);
        // Round the loop a look is an older one.
        at != cleared.block
            && (at != header || last.block == header)
            && function.leads_past(last.block, at, header)
            && targets.iter().any(leads)
            && !targets.iter().all(leads)
            && reads_shared(function, value, DEEPEST)
    })
}

/// Whether a value is made from a field or a global.
fn reads_shared(function: &Function, value: ValueIndex, depth: u32) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match &function.value(value).kind {
        ValueKind::Place(place) => matches!(place.root, Root::Global(_)) || !place.fields.is_empty(),
        kind => {
            let mut found = false;
            crate::analysis::uses::for_each_part(kind, |part| found |= reads_shared(function, part, depth));
            found
        }
    }
}

/// Whether the loop decides anything after the clearing, before it waits again.
fn looks_after(function: &Function, cleared: &Event, around: LoopIndex) -> bool {
    let header = function.loops[around.at()].header;
    let visit = |at, block: &Block, on: &mut Vec<BlockIndex>| {
        if at != header {
            if matches!(block.next, Next::Branch(Some(_), _)) && block.in_loop == Some(around) {
                return ControlFlow::Break(());
            }
            on.extend(block.next.targets());
        }
        ControlFlow::Continue(())
    };
    function.walk([cleared.block], visit).is_some()
}

/// A wait for a change, by somebody who began to watch only after the look that decided on it: the change may have come
/// in between, and counts as seen.
pub(super) fn subscribed_after_the_look(
    cx: &RuleContext,
    id: FunctionId,
    event: &Event,
    wait: &Wait,
) -> Option<Verdict> {
    let function = cx.function(id);
    let ValueKind::Place(place) = &function.value(wait.receiver).kind else { return None };
    let node = function.value(wait.receiver);
    let reaching = cx.program.reaching(id, place.as_variable()?, node.block, node.step);
    let &[made] = &reaching.values[..] else { return None };
    let Callee::Method(watched, _) = &function.call(made)?.callee else { return None };
    let watched = root_of(&function, *watched)?;
    let begun = function.value(made);
    let decisive = function.conditions().find_map(|(at, value, _)| {
        let decides = function.decides(at, begun.block);
        (decides && asks(&function, value, &watched, DEEPEST)).then_some(value)
    })?;
    // A look at the value itself, after the watching has begun and before the wait, sees what came in between.
    let looks = function.steps().any(|(block, at, step)| {
        let StepKind::Call(call) = step.kind else { return false };
        let Some((entry, method, receiver)) = signal_call(cx, id, call) else { return false };
        let is_look = entry.acquisition(&method).is_some() && root_of(&function, receiver) == place.as_variable();
        let is_after = (begun.block, begun.step) < (block, at as u32);
        is_look
            && is_after
            && (block, (at as u32)) < (event.block, event.step)
            && !function.leads_past(begun.block, event.block, block)
    });
    if looks {
        return None;
    }
    let name = cx.program.value_text(id, wait.receiver);
    let verdict = cx
        .violated(NAME, Confidence::Medium, id, begun.span, &format!("`{name}`"))
        .assumes(format!("`{}` sees a change that comes right after the look", function.name))
        .says(format!(
            "`{}` looks first and watches `{name}` afterwards: a change in between counts as seen",
            function.name
        ))
        .helps("begin to watch before the look, or look at the watched value before the first wait")
        .evidence(cx.location(id, function.value(decisive).span), "this decides whether to wait")
        .evidence(cx.location(id, event.span), format!("`{name}` is waited for here"));
    Some(verdict)
}

/// The variable that a value is reached from.
fn root_of(function: &Function, value: ValueIndex) -> Option<crate::flow::VariableIndex> {
    let mut at = value;
    for _ in 0..DEEPEST {
        match &function.value(at).kind {
            ValueKind::Place(place) => {
                return match place.root {
                    Root::Variable(variable) => Some(variable),
                    Root::Global(_) => None,
                };
            }
            ValueKind::Reference(of) | ValueKind::Dereference(of) | ValueKind::Field(of, _) => at = *of,
            _ => return None,
        }
    }
    None
}

/// Whether a value is made from what a method of a variable answers.
fn asks(function: &Function, value: ValueIndex, variable: &crate::flow::VariableIndex, depth: u32) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let kind = &function.value(value).kind;
    if let ValueKind::Call(call) = kind
        && let Callee::Method(receiver, _) = &call.callee
        && root_of(function, *receiver) == Some(*variable)
    {
        return true;
    }
    let mut found = false;
    crate::analysis::uses::for_each_part(kind, |part| found |= asks(function, part, variable, depth));
    found
}
