//! Coroutines that go where they cannot be awaited, or not as the code expects.

use crate::analysis::FunctionId;
use crate::analysis::makes::Makes;
use crate::analysis::types::Type;
use crate::analysis::uses::{Carries, Uses};
use crate::flow::{BlockIndex, Call, Callee, Collection, Colour, FunctionKind, Next, ValueIndex, ValueKind};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Level, Stance, Verdict};

use super::super::context::RuleContext;
use super::NAME;

/// How many operators and variables a returned collection is followed through.
const MOST_STEPS: u32 = 4;

pub(super) fn call(
    cx: &RuleContext,
    id: FunctionId,
    index: ValueIndex,
    call: &Call,
    uses: &mut Option<Uses>,
    out: &mut Vec<Verdict>,
) {
    if cx.language(id.module) != Language::Python {
        return;
    }
    out.extend(awaited_elsewhere(cx, id, index, call));
    out.extend(handed_to_a_task(cx, id, index, call));
    if call.arguments.is_empty() {
        return;
    }
    let resolution = cx.resolution(id, index);
    let Some(name) = resolution.external() else { return };
    let tables = cx.program.tables(Language::Python);
    if tables.gather(name).is_some_and(|gather| gather.tasks.rest) {
        out.extend(gathered(cx, id, index, call));
    }
    if let Some(argument) = tables.maps(name) {
        let uses = uses.get_or_insert_with(|| Uses::of(&cx.function(id)));
        for mapped in cx.program.arguments_meant(call, argument) {
            out.extend(mapped_over(cx, id, index, mapped, uses));
        }
    }
}

/// A call that waits for several, one argument each, is given them in one collection.
fn gathered(cx: &RuleContext, id: FunctionId, index: ValueIndex, call: &Call) -> Option<Verdict> {
    let function = cx.function(id);
    let name = cx.program.callee_text(id, index);
    let span = function.value(index).span;
    let given: Vec<ValueIndex> = call
        .arguments
        .iter()
        .filter(|given| given.name.is_none() && !given.is_spread)
        .map(|given| given.value)
        .collect();
    let items = |value: ValueIndex| match &function.value(value).kind {
        ValueKind::Collection(Collection::List | Collection::Set | Collection::Tuple, items) => {
            Some(items.iter().map(|(_, item)| *item).collect::<Vec<_>>())
        }
        _ => None,
    };
    let together = given.iter().find(|value| items(**value).is_some())?;
    let made = items(*together)?.into_iter().find(|item| cx.program.makes(id, *item).is_some())?;
    let what = cx.program.callee_text(id, made);
    Some(
        cx.violated(NAME, Confidence::High, id, span, &format!("`{name}`"))
            .assumes(format!("the coroutines of `{what}` are awaited"))
            .says(format!("`{name}` takes awaitables one by one, and is given them all in one"))
            .helps("put a `*` in front")
            .evidence(cx.location(id, function.value(made).span), "these are never awaited"),
    )
}

/// `map` with an asynchronous function, whose coroutines go nowhere.
fn mapped_over(
    cx: &RuleContext,
    id: FunctionId,
    index: ValueIndex,
    mapped: ValueIndex,
    uses: &Uses,
) -> Option<Verdict> {
    let Type::Function(callee) = cx.program.value_type(id, mapped) else { return None };
    cx.program.function_makes(callee, 1)?;
    let lost = cx.program.losses(id, uses, index, Carries::Awaitables)?;
    let name = cx.function(callee).name.clone();
    let mut verdict = cx
        .violated(NAME, Confidence::High, id, cx.function(id).value(index).span, &format!("`{name}`"))
        .assumes(format!("the coroutines that `{name}` makes are awaited"))
        .says(format!(
            "`{}` makes a coroutine of each call of `{name}`, and nobody awaits them",
            cx.program.callee_text(id, index)
        ))
        .helps("gather them, or await each in a loop")
        .evidence(cx.location(callee, cx.function(callee).header), format!("`{name}` is asynchronous"));
    if let Some(first) = lost.first() {
        verdict = verdict.evidence(cx.location(id, first.at), "this does nothing with them");
    }
    Some(verdict)
}

/// A method whose result is thrown away here, and awaited elsewhere in the same function on the same object.
fn awaited_elsewhere(cx: &RuleContext, id: FunctionId, index: ValueIndex, call: &Call) -> Option<Verdict> {
    let Callee::Method(receiver, method) = &call.callee else { return None };
    let function = cx.function(id);
    let shape = cx.program.shape(id);
    let ValueKind::Place(place) = &function.value(*receiver).kind else { return None };
    let is_known = !cx.resolution(id, index).targets.is_empty();
    if is_known || !function.is_async() || place.is_inexact() || !shape.is_discarded(index) {
        return None;
    }
    let alike = |value: &ValueKind| match value {
        ValueKind::Call(other) => matches!(&other.callee, Callee::Method(on, name)
            if name == method && matches!(&function.value(*on).kind, ValueKind::Place(of) if of == place)),
        _ => false,
    };
    let others = function.values.iter().enumerate().filter(|(_, value)| alike(&value.kind));
    let (mut awaited, mut dropped) = (None, 0);
    for (at, value) in others {
        let at = ValueIndex(at as u32);
        if cx.program.is_awaited(id, at) {
            if is_asked_which(cx, id, value.block, function.value(index).block) {
                return None;
            }
            awaited = awaited.or(Some(value.span));
        } else if shape.is_discarded(at) {
            dropped += 1;
        }
    }
    // Where it is thrown away again and again, it may well be a task that runs on.
    let awaited = awaited.filter(|_| dropped == 1)?;
    let name = cx.program.callee_text(id, index);
    Some(
        cx.violated(NAME, Confidence::Medium, id, function.value(index).span, &format!("`{name}`"))
            .assumes(format!("what `{name}` makes is awaited"))
            .says(format!("`{name}` is not awaited here, and is elsewhere in this function"))
            .helps("await it")
            .evidence(cx.location(id, awaited), "here it is awaited"),
    )
}

/// Whether a condition decides between two blocks that says by its words to ask which of the two is right:
/// `iscoroutinefunction(call)`, `self.is_async`.
fn is_asked_which(cx: &RuleContext, id: FunctionId, one: BlockIndex, other: BlockIndex) -> bool {
    let function = cx.function(id);
    function.conditions().any(|(at, asked, arms)| {
        let leads_only = |to, past| {
            let mut arms = arms.iter();
            arms.any(|arm| function.leads_past(*arm, to, at) && !function.leads_past(*arm, past, at))
        };
        let words = || cx.program.value_text(id, asked).to_lowercase();
        let says_so = || ["async", "coroutine", "await"].iter().any(|word| words().contains(word));
        leads_only(one, other) && leads_only(other, one) && says_so()
    })
}

/// A coroutine that is made at once and awaited only in a task, which may be cancelled before it begins.
fn handed_to_a_task(cx: &RuleContext, id: FunctionId, index: ValueIndex, call: &Call) -> Option<Verdict> {
    let function = cx.function(id);
    if call.arguments.is_empty() {
        return None;
    }
    let spawn = cx.program.spawn(id, &cx.resolution(id, index))?;
    let outer = cx.program.arguments_meant(call, &spawn.argument).into_iter().find_map(|argument| {
        let given = function.call(argument)?;
        cx.program.makes(id, argument).map(|_| (argument, given))
    });
    let (outer, given) = outer?;
    let made = |value: ValueIndex| {
        let node = function.value(value);
        match &node.kind {
            ValueKind::Place(place) => {
                let variable = place.as_variable()?;
                let bound = cx.program.reaching(id, variable, node.block, node.step);
                let all = !bound.from_entry && bound.values.iter().all(|one| cx.program.makes(id, *one).is_some());
                bound.values.first().copied().filter(|_| all)
            }
            _ => cx.program.makes(id, value).map(|_| value),
        }
    };
    let inner = given.arguments.iter().find_map(|argument| made(argument.value))?;
    let (name, task) = (cx.program.callee_text(id, inner), cx.program.callee_text(id, outer));
    Some(
        cx.verdict(NAME, Stance::Unproven, id, function.value(inner).span, &format!("`{name}`"))
            .assumes(format!("the coroutine that `{name}` makes is awaited"))
            .says(format!("the coroutine that `{name}` makes is awaited only once `{task}` runs"))
            .asks(format!("Can the task of `{task}` be cancelled before it begins, so that nobody awaits `{name}`?"))
            .helps("hand over the function, and make the coroutine in the task")
            .evidence(cx.location(id, function.value(index).span), "the task is started here"),
    )
}

/// A coroutine that is returned where the function stands for what comes out of it.
pub(super) fn returned(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let shape = cx.program.shape(id);
    if cx.language(id.module) != Language::Python || !matches!(function.colour, Colour::Async | Colour::Plain) {
        return;
    }
    for (at, block) in function.blocks.iter().enumerate() {
        let (Some(leave), at) = (block.left_by, BlockIndex(at as u32)) else { continue };
        let Some(value) = returned_value(&block.next, &function.blocks, leave) else { continue };
        if !shape.is_reachable(at) {
            continue;
        }
        out.extend(returned_among_others(cx, id, value));
        if function.call(value).is_none() || cx.program.makes(id, value).is_none() {
            continue;
        }
        let name = cx.program.callee_text(id, value);
        let span = function.value(value).span;
        let base = |what: String, confidence| {
            cx.violated(NAME, confidence, id, span, &format!("`{name}`"))
                .assumes(format!("the coroutine that `{name}` makes is awaited in `{}`", function.name))
                .says(what)
                .helps("await it before it is returned")
        };
        let caught = function
            .attempts
            .iter()
            .find(|attempt| attempt.body.has(function.value(value).block) && !attempt.handlers.is_empty());
        if let Some(attempt) = caught {
            let what = format!("`{name}` is returned without being awaited: this `try` never sees its errors");
            let handler = attempt.handlers[0].header;
            let verdict = base(what, Confidence::High).evidence(cx.location(id, handler), "this cannot catch them");
            out.push(verdict.level(Level::Warning));
        } else if is_its_result(cx, id, value) {
            let what = format!("`{name}` only makes a coroutine, and `{}` returns it as its result", function.name);
            out.push(base(what, Confidence::High));
        } else if let Some(overridden) = overridden(cx, id, value) {
            let what = format!("`{name}` only makes a coroutine, and `{}` returns it as it is", function.name);
            let header = cx.function(overridden).header;
            let verdict = base(what, Confidence::High);
            out.push(verdict.evidence(cx.location(overridden, header), "whoever awaits this gets its result"));
        } else if let Some(awaited) = awaited_on_another_way(cx, id, value) {
            let what = format!("`{name}` only makes a coroutine, and `{}` returns it as it is", function.name);
            let verdict = base(what, Confidence::Medium);
            out.push(verdict.evidence(cx.location(id, awaited), "here it returns what awaiting gives"));
        }
    }
}

/// The method of the same name above, where an asynchronous method returns what calling that makes: awaiting the one
/// gives what awaiting the other still has to give.
fn overridden(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> Option<FunctionId> {
    let function = cx.function(id);
    let Callee::Super(name) = &function.call(value)?.callee else { return None };
    if *name != function.name || !is_for_its_result(cx, id, value) {
        return None;
    }
    let above = cx.resolution(id, value).functions();
    above.into_iter().next().filter(|above| cx.function(*above).colour == Colour::Async)
}

/// Where an asynchronous function awaits what it returns, beside a way out on which it does not.
fn awaited_on_another_way(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> Option<Span> {
    let function = cx.function(id);
    let is_named = !matches!(function.kind, FunctionKind::Closure | FunctionKind::AsyncBlock);
    if !is_named || !is_for_its_result(cx, id, value) {
        return None;
    }
    let others =
        function.blocks.iter().filter_map(|block| returned_value(&block.next, &function.blocks, block.left_by?));
    let awaited = others.filter(|other| match function.value(*other).kind {
        ValueKind::Awaited(of) => function.call(of).is_some() && !is_awaitable(cx, id, of),
        _ => false,
    });
    awaited.map(|other| function.value(other).span).min_by_key(|span| span.start)
}

/// Whether an asynchronous function returns a coroutine of something that is not to be awaited in turn. An asynchronous
/// generator is not awaited, and whoever awaits the function may go through it.
fn is_for_its_result(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> bool {
    cx.function(id).colour == Colour::Async
        && cx.program.makes(id, call) == Some(Makes::Coroutine)
        && !is_awaitable(cx, id, call)
}

/// Whether awaiting a call gives something that is to be awaited in turn.
fn is_awaitable(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> bool {
    matches!(cx.program.awaited_type(&cx.program.value_type(id, call)), Type::Future(_))
}

/// Whether an asynchronous function returns a coroutine where it is annotated to give what comes out of that.
fn is_its_result(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> bool {
    cx.function(id).colour == Colour::Async && gives_its_result(cx, id, value)
}

/// Whether a coroutine that an asynchronous function returns as it is is a finding without a look at the other side.
pub(super) fn is_told(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> bool {
    is_its_result(cx, id, value)
        || overridden(cx, id, value).is_some()
        || awaited_on_another_way(cx, id, value).is_some()
}

/// What a block returns, also where that passes through a cleanup first.
fn returned_value(next: &Next, blocks: &[crate::flow::Block], leave: crate::flow::Leave) -> Option<ValueIndex> {
    match next {
        Next::Return(value) => *value,
        Next::Goto(_) => blocks.iter().find_map(|block| match (block.left_by, &block.next) {
            (Some(other), Next::Return(value)) if other.span == leave.span => *value,
            _ => None,
        }),
        _ => None,
    }
}

/// A coroutine in a collection that is returned, where the function is annotated to give one of what comes out of it.
fn returned_among_others(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> Option<Verdict> {
    let function = cx.function(id);
    let written = function.returns.as_ref().filter(|_| function.colour == Colour::Async)?;
    let written = cx.program.term_type(id, written);
    let [promised] = &written.instance()?.arguments[..] else { return None };
    let is_it = |call: &ValueIndex| {
        !promised.is_unknown()
            && cx.program.makes(id, *call) == Some(Makes::Coroutine)
            && cx.program.awaited_type(&cx.program.value_type(id, *call)) == *promised
    };
    let mut items = Vec::new();
    collected(cx, id, value, MOST_STEPS, &mut items);
    let call = items.into_iter().find(is_it)?;
    let (name, by) = (cx.program.callee_text(id, call), &function.name);
    Some(
        cx.violated(NAME, Confidence::High, id, function.value(call).span, &format!("`{name}`"))
            .assumes(format!("the coroutine that `{name}` makes is awaited in `{by}`"))
            .says(format!("`{name}` only makes a coroutine, and `{by}` returns it among its results"))
            .helps("await it before it is returned")
            .evidence(cx.location(id, function.value(value).span), "it is returned here"),
    )
}

/// The calls whose results stand in a collection, joined from several or not.
fn collected(cx: &RuleContext, id: FunctionId, value: ValueIndex, left: u32, found: &mut Vec<ValueIndex>) {
    let Some(left) = left.checked_sub(1) else { return };
    let function = cx.function(id);
    match &function.value(value).kind {
        ValueKind::Collection(Collection::List | Collection::Set, items) => {
            let behind = items.iter().filter_map(|(_, item)| only_value(cx, id, *item));
            found.extend(behind.filter(|item| function.call(*item).is_some()));
        }
        ValueKind::Operation(parts) => parts.iter().for_each(|part| collected(cx, id, *part, left, found)),
        ValueKind::Place(_) => {
            if let Some(bound) = only_value(cx, id, value) {
                collected(cx, id, bound, left, found);
            }
        }
        _ => {}
    }
}

/// What a value is, looked at through a variable that holds nothing else.
fn only_value(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> Option<ValueIndex> {
    let function = cx.function(id);
    let node = function.value(value);
    let ValueKind::Place(place) = &node.kind else { return Some(value) };
    let reaching = cx.program.reaching(id, place.as_variable()?, node.block, node.step);
    match reaching.values[..] {
        [only] if !reaching.from_entry => Some(only),
        _ => None,
    }
}

/// Whether a function is annotated to give what awaiting a call gives.
fn gives_its_result(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> bool {
    let function = cx.function(id);
    let Some(written) = &function.returns else { return false };
    let written = cx.program.term_type(id, written);
    let given = cx.program.awaited_type(&cx.program.value_type(id, value));
    !written.is_unknown() && written == given
}
