//! Something is taken out of what outlives the call and put back after a wait: whoever is dropped meanwhile keeps it.

use std::collections::BTreeSet;

use crate::analysis::FunctionId;
use crate::analysis::interruption::{is_from_outside, root_of};
use crate::analysis::uses::Uses;
use crate::flow::{
    BlockIndex, Callee, Collection, Function, Goes, Place, Root, StepKind, Suspension, ValueIndex, ValueKind, WriteKind,
};
use crate::text::Language;
use crate::verdict::{Confidence, Evidence, Level, Stance, Verdict};

use super::NAME;
use crate::rules::context::RuleContext;

/// How many values what was taken out is followed through.
const MOST_VALUES: usize = 256;

/// A step of a function.
type At = (BlockIndex, usize);

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if !function.is_async() || cx.language(id.module) != Language::Rust || runs_by_itself(cx, id) {
        return;
    }
    let mut uses = None;
    for (block, step, at) in function.steps() {
        let StepKind::Call(taking) = at.kind else { continue };
        let Some(place) = taken_from(cx, id, taking).filter(|place| is_shared(&function, place)) else { continue };
        let uses = uses.get_or_insert_with(|| Uses::of(&function));
        let carried = carried(cx, id, uses, taking);
        let puts: Vec<At> = puts_back(cx, id, &place, &carried);
        let is_put = |at: At| puts.contains(&at);
        let Some(waits) = first_wait(cx, id, (block, step), is_put) else { continue };
        if function.comes_to_step((waits.0.0, waits.0.1 + 1), |at, _| is_put(at)) {
            let asked = asked(cx, id, taking, &place, waits.1, &puts);
            out.push(match dropped_by(cx, id) {
                Some(evidence) => known(asked, evidence),
                None => asked,
            });
        }
    }
}

fn asked(
    cx: &RuleContext,
    id: FunctionId,
    taking: ValueIndex,
    place: &Place,
    waits: ValueIndex,
    puts: &[At],
) -> Verdict {
    let function = cx.function(id);
    let owner = cx.program.place_text(id, place);
    let (taking_text, waits_text) = (cx.program.callee_text(id, taking), cx.program.callee_text(id, waits));
    let name = if function.name.starts_with('<') { "the block".to_owned() } else { format!("`{}`", function.name) };
    let mut verdict = cx
        .verdict(NAME, Stance::Unproven, id, function.value(taking).span, &format!("`{owner}`"))
        .assumes(format!("{name} is not dropped between `{taking_text}` and what puts it back"))
        .says(format!(
            "`{taking_text}` takes out of `{owner}` what is put back only after `{waits_text}` was waited for: dropped meanwhile, {name} loses it"
        ))
        .asks(format!(
            "can {name} be dropped (a lost race, a timeout, a cancelled task) while it waits for `{waits_text}`, and lose what it took out of `{owner}`?"
        ))
        .helps("take it out after the wait, or put it back when the future is dropped")
        .level(Level::Warning)
        .evidence(cx.location(id, function.value(waits).span), format!("`{waits_text}` is waited for here"));
    if let Some((block, step)) = puts.first() {
        let span = function.blocks[block.at()].steps[*step].span;
        verdict = verdict.evidence(cx.location(id, span), "it is put back here");
    }
    verdict
}

/// The question is answered where the file shows who drops the function.
fn known(mut asked: Verdict, by: Evidence) -> Verdict {
    asked.stance = Stance::Violated(Confidence::Medium);
    asked.question.clear();
    asked.evidence.insert(0, by);
    asked
}

/// Where the file calls a function in a race or with a deadline and goes on with the same object after it has lost.
fn dropped_by(cx: &RuleContext, id: FunctionId) -> Option<Evidence> {
    cx.program.callers_in_file(id).by.iter().filter(|(by, _)| !cx.program.is_test_code(*by)).find_map(|&(by, call)| {
        let function = cx.function(by);
        let object = root_of(&function, call)?;
        let all = (0..).map(ValueIndex).zip(&function.values);
        let dropping = all.filter_map(|(at, value)| match &value.kind {
            ValueKind::Collection(Collection::Select(_), branches) => {
                let (starts, own) = super::arms(&function, at)?;
                let number = branches.iter().position(|(_, future)| *future == call)?;
                let is_own = |start: &&BlockIndex| own.get(number).is_some_and(|arm| arm.as_ref() == Some(*start));
                let mut others = starts.iter().filter(|start| !is_own(start));
                let goes_on = others.any(|start| cx.program.comes_back(by, *start, value.block, Some(object)));
                goes_on.then_some((at, "is dropped here when another branch is ready first"))
            }
            ValueKind::Call(timer) => {
                let resolution = cx.resolution(by, at);
                let deadline = cx.program.tables(Language::Rust).deadline(resolution.external()?)?;
                let is_it = cx.program.arguments_meant(timer, deadline).contains(&call);
                let next = function.blocks[value.block.at()].next.targets();
                let goes_on = || next.iter().any(|start| cx.program.comes_back(by, *start, value.block, Some(object)));
                (is_it && goes_on()).then_some((at, "is dropped here when its time is up"))
            }
            _ => None,
        });
        let (at, what) = dropping.into_iter().next()?;
        let note = format!("`{}` {what}, and called again", cx.function(id).name);
        Some(Evidence { at: cx.location(by, function.value(at).span), note })
    })
}

/// Whether the function is handed to somebody who runs it as a task: such a one is dropped on purpose only.
fn runs_by_itself(cx: &RuleContext, id: FunctionId) -> bool {
    let handed = cx.program.handed_over(id);
    handed.iter().any(|hand_over| hand_over.runs == crate::catalogue::Runs::Task)
}

/// Whether a place lies in something that outlives the call.
fn is_shared(function: &Function, place: &Place) -> bool {
    match place.root {
        Root::Variable(variable) => {
            !place.fields.is_empty() && !place.is_inexact() && is_from_outside(function, variable)
        }
        Root::Global(_) => false,
    }
}

/// The place that a call takes something out of: `self.queue.pop()`, `take(&mut self.buffer)`.
fn taken_from(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> Option<Place> {
    let function = cx.function(id);
    let resolution = cx.resolution(id, call);
    let tables = cx.program.tables(Language::Rust);
    resolution.external().filter(|name| tables.takes_out(name))?;
    let call = function.call(call)?;
    let from = match &call.callee {
        Callee::Method(receiver, _) => *receiver,
        _ => call.arguments.first()?.value,
    };
    place_of(&function, from)
}

fn place_of(function: &Function, value: ValueIndex) -> Option<Place> {
    match &function.value(value).kind {
        ValueKind::Place(place) => Some(place.clone()),
        ValueKind::Reference(of) => place_of(function, *of),
        _ => None,
    }
}

/// Everything that is made of what was taken out, through the local collections that it is put into.
fn carried(cx: &RuleContext, id: FunctionId, uses: &Uses, taking: ValueIndex) -> BTreeSet<ValueIndex> {
    let function = cx.function(id);
    let tables = cx.program.tables(Language::Rust);
    let mut found = BTreeSet::new();
    let mut work = vec![taking];
    while let Some(value) = work.pop() {
        if found.len() > MOST_VALUES || found.contains(&value) {
            continue;
        }
        for made in cx.program.made_from(id, uses, value) {
            if !found.insert(made) {
                continue;
            }
            let Some(call) = function.call(made) else { continue };
            let Callee::Method(receiver, _) = &call.callee else { continue };
            let puts_in = cx.resolution(id, made).external().is_some_and(|name| tables.puts_in(name));
            if let (true, ValueKind::Place(place)) = (puts_in, &function.value(*receiver).kind)
                && let Some(variable) = place.as_variable()
            {
                work.extend(uses.reads(variable));
            }
        }
    }
    found
}

/// The steps that put something of these values into a place.
fn puts_back(cx: &RuleContext, id: FunctionId, place: &Place, carried: &BTreeSet<ValueIndex>) -> Vec<At> {
    let function = cx.function(id);
    let tables = cx.program.tables(Language::Rust);
    let puts = |kind: &StepKind| match kind {
        StepKind::Write(to, WriteKind::Assign, Some(value)) => to == place && carried.contains(value),
        StepKind::Call(call) => {
            let Some(made) = function.call(*call) else { return false };
            let Callee::Method(receiver, _) = &made.callee else { return false };
            place_of(&function, *receiver).as_ref() == Some(place)
                && made.arguments.iter().any(|argument| carried.contains(&argument.value))
                && cx.resolution(id, *call).external().is_some_and(|name| tables.puts_in(name))
        }
        _ => false,
    };
    function.steps().filter(|(_, _, step)| puts(&step.kind)).map(|(block, at, _)| (block, at)).collect()
}

/// The first wait that control comes to after a step, before it puts anything back.
fn first_wait(cx: &RuleContext, id: FunctionId, from: At, is_put: impl Fn(At) -> bool) -> Option<(At, ValueIndex)> {
    let function = cx.function(id);
    function.walk_steps((from.0, from.1 + 1), |stretch| {
        for (number, step) in stretch.steps() {
            let at = (stretch.at, number);
            match step.kind {
                _ if is_put(at) => return Goes::Aside,
                StepKind::Suspend(Suspension::Await, Some(of))
                    if function.call(of).is_some() && cx.program.may_suspend(id, Suspension::Await, Some(of)) =>
                {
                    return Goes::Over((at, of));
                }
                _ => {}
            }
        }
        Goes::On
    })
}
