//! A future that loses something when it is dropped half-way stands where it may be: in a race, or with a deadline.

pub(super) mod guard_gone;
mod put_back;

use crate::analysis::FunctionId;
use crate::analysis::interruption::{Interruption, root_of};
use crate::analysis::uses::Uses;
use crate::catalogue::Loses;
use crate::flow::{BlockIndex, Collection, Function, Next, Root, ValueIndex, ValueKind, VariableIndex};
use crate::text::Language;
use crate::verdict::{Confidence, Level, Stance, Verdict};

use super::context::RuleContext;

const NAME: &str = "cancel-unsafe-branch";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    put_back::check(cx, id, out);
    let function = cx.function(id);
    let shape = cx.program.shape(id);
    for (at, value) in function.values.iter().enumerate() {
        let index = ValueIndex(at as u32);
        if !shape.is_reachable(value.block) {
            continue;
        }
        match &value.kind {
            ValueKind::Collection(Collection::Select(_), branches) => race(cx, id, index, branches, out),
            ValueKind::Call(_) if cx.language(id.module) == Language::Rust => deadline(cx, id, index, out),
            _ => {}
        }
    }
}

/// The branches of a race, each with what it loses when another is ready first.
fn race(
    cx: &RuleContext,
    id: FunctionId,
    select: ValueIndex,
    branches: &[(Option<String>, ValueIndex)],
    out: &mut Vec<Verdict>,
) {
    let function = cx.function(id);
    let block = function.value(select).block;
    let Some((starts, own)) = arms(&function, select) else { return };
    for (number, (_, future)) in branches.iter().enumerate() {
        // What is polled by reference goes on at the next turn.
        if matches!(function.value(*future).kind, ValueKind::Reference(_)) {
            continue;
        }
        out.extend(runs_on(cx, id, *future));
        let Some(found) = cx.program.interruption(id, *future) else { continue };
        let is_own = |start: &BlockIndex| own.get(number).is_some_and(|arm| arm == &Some(*start));
        let object = root_of(&function, *future);
        let mut others = starts.iter().filter(|start| !is_own(start));
        let goes_on = others.any(|start| cx.program.comes_back(id, *start, block, object));
        let is_repeated = function.blocks[block.at()].in_loop.is_some();
        let verdict = match (found.loses, &found.waits) {
            (Loses::Taken, None) => safe(cx, id, *future),
            (Loses::Turn, _) if goes_on => lost(cx, id, *future, &found).level(Level::Note),
            (Loses::Turn, _) => continue,
            _ if goes_on => lost(cx, id, *future, &found),
            // Nobody goes on with it yet: the next branch that somebody adds may.
            _ if is_repeated && found.hops.is_empty() => lost(cx, id, *future, &found).level(Level::Note),
            _ => continue,
        };
        out.push(verdict);
    }
}

/// A handle that is given to a race as a whole: when another branch is ready first it is dropped, and its task is not.
fn runs_on(cx: &RuleContext, id: FunctionId, future: ValueIndex) -> Option<Verdict> {
    let function = cx.function(id);
    let ValueKind::Place(place) = &function.value(future).kind else { return None };
    let variable = place.as_variable()?;
    let of = cx.program.value_type(id, future);
    let tables = cx.program.tables(cx.language(id.module));
    // Who keeps something to end the task with knows that it runs on; a program's end ends everything.
    let is_known = Uses::of(&function).reads(variable).len() > 1 || cx.program.is_captured(id, variable);
    if !tables.is_handle(&of.instance()?.name) || is_known || cx.program.drives_a_loop(id).is_some() {
        return None;
    }
    let name = &function.variable(variable).name;
    Some(
        cx.verdict(NAME, Stance::Unproven, id, function.value(future).span, &format!("`{name}`"))
            .assumes(format!("the task behind `{name}` may run on when another branch is ready first"))
            .says(format!("when another branch is ready first `{name}` is dropped, and its task runs on without it"))
            .asks(format!("may the task behind `{name}` run on when another branch is ready first?"))
            .helps("poll the handle by reference and abort the task in the other branches, or use a handle that aborts")
            .level(Level::Warning)
            .evidence(cx.location(id, function.variable(variable).span), "the handle is kept here"),
    )
}

/// Where the arms of a race begin, and which of them belongs to which branch.
fn arms(function: &Function, select: ValueIndex) -> Option<(Vec<BlockIndex>, Vec<Option<BlockIndex>>)> {
    let block = function.value(select).block;
    let Next::Branch(Some(won), starts) = &function.blocks[block.at()].next else { return None };
    if !matches!(function.value(*won).kind, ValueKind::Awaited(of) if of == select) {
        return None;
    }
    let mut own: Vec<Option<BlockIndex>> = Vec::new();
    for value in &function.values {
        if let ValueKind::Component(of, number) = value.kind
            && of == *won
            && starts.contains(&value.block)
        {
            own.resize(own.len().max(number as usize + 1), None);
            own[number as usize] = Some(value.block);
        }
    }
    Some((starts.clone(), own))
}

fn safe(cx: &RuleContext, id: FunctionId, future: ValueIndex) -> Verdict {
    let name = cx.program.callee_text(id, future);
    let span = cx.function(id).value(future).span;
    cx.verdict(NAME, Stance::Upheld, id, span, &format!("`{name}`"))
        .assumes(format!("`{name}` loses nothing when another branch is ready first"))
}

fn lost(cx: &RuleContext, id: FunctionId, future: ValueIndex, found: &Interruption) -> Verdict {
    let name = name(cx, id, future);
    told(cx, id, future, found)
        .assumes(format!("{name} loses nothing when another branch is ready first"))
        .says(format!("{name} is dropped when another branch is ready first: {}", harm(found)))
        .helps(match found.loses {
            Loses::Item => "wait for room in the branch, and send once there is some",
            Loses::Turn => "make the future once, before the loop, and poll it by reference",
            _ => "make the future once, before the loop, and poll it by reference; or let a task of its own do this",
        })
}

/// A future with a deadline that nobody minds having missed.
fn deadline(cx: &RuleContext, id: FunctionId, call: ValueIndex, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let resolution = cx.resolution(id, call);
    let Some(name) = resolution.external() else { return };
    let Some(argument) = cx.program.tables(cx.language(id.module)).deadline(name) else { return };
    let Some(result) = cx.program.shape(id).awaited(call) else { return };
    let arguments = function.call(call).map(|call| cx.program.arguments_meant(call, argument));
    let Some(&future) = arguments.as_ref().and_then(|arguments| arguments.first()) else { return };
    if matches!(function.value(future).kind, ValueKind::Reference(_)) {
        return;
    }
    let Some(found) = cx.program.interruption(id, future) else { return };
    let is_told = matches!(found.loses, Loses::Input | Loses::Output | Loses::Item)
        || (found.loses == Loses::Taken && found.waits.is_some());
    if !is_told {
        return;
    }
    let object = root_of(&function, future);
    let block = function.value(call).block;
    let missed = late_arms(&function, result);
    let again = missed.iter().any(|start| cx.program.comes_back(id, *start, block, object));
    let is_ignored = is_ignored(cx, id, result);
    let verdict = if again || (is_ignored && object.is_some_and(|object| is_used_after(cx, id, call, object))) {
        late(cx, id, call, future, &found)
    } else if is_ignored && matches!(found.loses, Loses::Input | Loses::Output) {
        late(cx, id, call, future, &found).level(Level::Note)
    } else {
        return;
    };
    out.push(verdict);
}

fn late(cx: &RuleContext, id: FunctionId, call: ValueIndex, future: ValueIndex, found: &Interruption) -> Verdict {
    let (name, timer) = (name(cx, id, future), cx.program.callee_text(id, call));
    told(cx, id, future, found)
        .assumes(format!("{name} loses nothing when its time is up"))
        .says(format!("`{timer}` drops {name} when its time is up: {}", harm(found)))
        .helps("give up what it works on when the time is up, or let a task of its own do this")
}

fn told(cx: &RuleContext, id: FunctionId, future: ValueIndex, found: &Interruption) -> Verdict {
    let span = cx.function(id).value(future).span;
    let is_direct = found.hops.is_empty() && found.waits.is_none();
    let confidence = if is_direct { Confidence::High } else { Confidence::Medium };
    let mut verdict = cx.violated(NAME, confidence, id, span, &name(cx, id, future));
    if !is_direct {
        let note = match found.loses {
            Loses::Taken => format!("`{}` takes it here", found.name),
            _ => format!("`{}` may be dropped half-way here", found.name),
        };
        verdict = verdict.evidence(found.at.clone(), note);
    }
    if let Some((waits, at)) = &found.waits {
        verdict = verdict.evidence(at.clone(), format!("`{waits}` is waited for with it here"));
    }
    verdict.trace(found.hops.iter().cloned())
}

fn name(cx: &RuleContext, id: FunctionId, future: ValueIndex) -> String {
    let function = cx.function(id);
    match &function.value(future).kind {
        ValueKind::Function(_) => "the block".to_owned(),
        ValueKind::Call(_) => format!("`{}`", cx.program.callee_text(id, future)),
        _ => format!("`{}`", cx.program.value_text(id, future)),
    }
}

fn harm(found: &Interruption) -> String {
    let name = &found.name;
    let through = !found.hops.is_empty();
    match (found.loses, &found.waits) {
        (Loses::Taken, Some((waits, _))) => {
            format!("what it took from `{name}` is lost while it waits for `{waits}`")
        }
        (Loses::Input, _) if through => format!("what `{name}` has read for it is lost"),
        (Loses::Input, _) => "what it has read is lost".to_owned(),
        (Loses::Output, _) if through => format!("nobody knows how much `{name}` has written for it"),
        (Loses::Output, _) => "nobody knows how much it has written".to_owned(),
        (Loses::Item, _) => "what it was to send is lost".to_owned(),
        (Loses::Arrival, _) => "the others count an arrival that is none".to_owned(),
        (Loses::Turn, _) => "it queues up from the end again".to_owned(),
        (Loses::Taken, None) => String::new(),
    }
}

/// Where control goes when the time was up, if the arms can be told apart: those in which nothing is taken out.
fn late_arms(function: &Function, result: ValueIndex) -> Vec<BlockIndex> {
    let mut late = Vec::new();
    for block in &function.blocks {
        let Next::Branch(Some(value), starts) = &block.next else { continue };
        let is_it = *value == result || is_place_of(function, *value, result);
        if !is_it {
            continue;
        }
        let takes_result = |start: &&BlockIndex| {
            function.values.iter().any(|other| {
                other.block == **start
                    && matches!(&other.kind, ValueKind::Payload(of, path, _)
                        if of == value && path.last().is_some_and(|last| last == "Ok"))
            })
        };
        let (taking, others): (Vec<&BlockIndex>, Vec<&BlockIndex>) = starts.iter().partition(takes_result);
        // A `?` leaves the function; without an arm that takes the result the arms look alike.
        if !taking.is_empty() {
            late.extend(others);
        }
    }
    late
}

fn is_place_of(function: &Function, value: ValueIndex, result: ValueIndex) -> bool {
    let ValueKind::Place(place) = &function.value(value).kind else { return false };
    place.as_variable().is_some_and(|variable| {
        function.steps().any(|(_, _, step)| {
            matches!(step.kind, crate::flow::StepKind::Bind(bound, of) if bound == variable && of == result)
        })
    })
}

/// Whether nobody looks at a result.
fn is_ignored(cx: &RuleContext, id: FunctionId, result: ValueIndex) -> bool {
    let uses = Uses::of(&cx.function(id));
    uses.is_only_discarded(result) || uses.only_bound(result).is_some_and(|variable| uses.reads(variable).is_empty())
}

/// Whether a variable is looked at after a call.
fn is_used_after(cx: &RuleContext, id: FunctionId, call: ValueIndex, variable: VariableIndex) -> bool {
    let function = cx.function(id);
    let made = function.value(call);
    let reads = |value: &crate::flow::Value| matches!(&value.kind, ValueKind::Place(place) if place.root == Root::Variable(variable));
    function.values.iter().filter(|value| reads(value)).any(|value| {
        let is_later = value.block == made.block && value.step > made.step;
        let mut next = function.blocks[made.block.at()].next.targets().iter();
        is_later || next.any(|from| cx.program.comes_back(id, *from, value.block, Some(variable)))
    })
}
