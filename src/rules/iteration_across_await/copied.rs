//! A loop that went over a copy before the change, and goes over the collection itself now.
//!
//! ~~~text
//! for key in list(self._rows): self.drop(key)      goes on whatever becomes of `_rows`
//! for key in self._rows:       self.drop(key)      raises, or skips one, when anything comes or goes
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::strands::is_alike;
use crate::catalogue::Change;
use crate::flow::{BlockIndex, Callee, Field, FunctionKind, LoopIndex, LoopKind, Place, StepKind, ValueIndex};
use crate::flow::{Function, ValueKind, WriteKind};
use crate::rules::context::RuleContext;
use crate::rules::loop_without_yield::is_in;
use crate::rules::manner::{Gone, OnBoth, Whole, bared};
use crate::rules::worse::Worse;
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Evidence, Stance};

use super::changes::upsets_loop;
use super::generated;
use super::{DEEPEST, Kind, NAME, kind_of};

/// A loop over something that has a name.
struct Over {
    by: FunctionId,
    at: LoopIndex,
    /// What it goes over, as it is written, behind views and copies.
    of: String,
    place: ValueIndex,
    span: Span,
    is_copy: bool,
}

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let cx = both.is.cx;
    let (then, now) = (loops(&both.was), loops(&both.is));
    for (first, bare) in bared(&then, &now, |one| &one.of, |one| one.is_copy) {
        let Some((stance, what)) = own_change(cx, bare).or_else(|| change_elsewhere(cx, bare)) else { continue };
        let (of, by) = (&bare.of, &cx.function(bare.by).name);
        let mut verdict = cx
            .verdict(NAME, stance, bare.by, bare.span, &format!("`{of}`"))
            .assumes(format!("nobody changes `{of}` while the loop of `{by}` goes over it"))
            .says(format!("`{by}` went over a copy of `{of}` before, and goes over what changes meanwhile now"))
            .asks(format!("what keeps `{of}` as it is while `{by}` goes over it, now that it is no copy?"))
            .helps(format!("loop over a copy as before: `list({of})`"));
        verdict.evidence.push(what);
        out.push(Gone { had: (first.by, first.span), asked: verdict });
    }
}

/// Where the loop gives way and somebody else changes the collection, the copy was the answer to the rule's question.
pub(in crate::rules) fn weigh(both: &OnBoth, out: &mut Vec<Worse>) {
    let cx = both.is.cx;
    let (then, now) = (loops(&both.was), loops(&both.is));
    for (_, bare) in bared(&then, &now, |one| &one.of, |one| one.is_copy) {
        // What the comparison itself speaks of is told already.
        if !cx.function(bare.by).is_async() || own_change(cx, bare).is_some() {
            continue;
        }
        let span = cx.function(bare.by).value(bare.place).span;
        out.push(Worse::answers(cx, NAME, bare.by, span, "it went over a copy before the change".to_owned()));
    }
}

fn loops(whole: &Whole) -> Vec<Over> {
    let cx = whole.cx;
    let mut found = Vec::new();
    for &by in &whole.parts {
        let function = cx.function(by);
        for (at, around) in (0..).map(LoopIndex).zip(&function.loops) {
            let Some(over) = around.over.filter(|_| around.kind == LoopKind::For) else { continue };
            let mut places = Vec::new();
            sources(cx, by, &function, (over, false), DEEPEST, &mut places);
            let span = function.value(over).span;
            found.extend(places.into_iter().map(|(place, is_copy)| {
                let of = cx.program.value_text(by, place);
                Over { by, at, of, place, span, is_copy }
            }));
        }
    }
    found
}

/// The places of what is looped over, behind views, copies and names, and whether there is a copy on the way.
fn sources(
    cx: &RuleContext,
    id: FunctionId,
    function: &Function,
    (value, is_copy): (ValueIndex, bool),
    depth: u32,
    found: &mut Vec<(ValueIndex, bool)>,
) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let node = function.value(value);
    let tables = cx.program.tables(Language::Python);
    match &node.kind {
        ValueKind::Place(place) => {
            found.push((value, is_copy));
            let Some(variable) = place.as_variable() else { return };
            let reaching = cx.program.reaching(id, variable, node.block, node.step);
            if let ([only], false) = (&reaching.values[..], reaching.from_entry) {
                sources(cx, id, function, (*only, is_copy), depth, found);
            }
        }
        ValueKind::Call(call) => match &call.callee {
            Callee::Method(receiver, method)
                if call.arguments.is_empty() && (tables.is_view_by_name(method) || tables.is_copy_by_name(method)) =>
            {
                let is_copy = is_copy || tables.is_copy_by_name(method);
                sources(cx, id, function, (*receiver, is_copy), depth, found);
            }
            Callee::Path(_) | Callee::Value(_) | Callee::Method(..) => {
                let resolution = cx.resolution(id, value);
                let Some(name) = resolution.external() else {
                    // What a function of the project goes over is known by the call.
                    found.extend(generated::behind_call(cx, id, value, depth).map(|_| (value, is_copy)));
                    return;
                };
                let copies = tables.is_copy(name);
                for given in call.arguments.iter().filter(|_| copies || tables.is_lazy(name)) {
                    sources(cx, id, function, (given.value, is_copy || copies), depth, found);
                }
            }
            Callee::Super(_) | Callee::Macro(_) => {}
        },
        _ => {}
    }
}

/// A change of the collection in the loop over it, before its next turn.
fn own_change(cx: &RuleContext, over: &Over) -> Option<(Stance, Evidence)> {
    let function = cx.function(over.by);
    let tables = cx.program.tables(Language::Python);
    let kind = kind_of(cx, over.by, over.place);
    let header = function.loops[over.at.at()].header;
    let goes_on = |block: BlockIndex| is_in(&function, block, over.at) && function.comes_to(block, header);
    let span = function.steps().filter(|(block, ..)| goes_on(*block)).find_map(|(_, _, step)| match &step.kind {
        StepKind::Write(place, WriteKind::Delete, _) if place.fields.last() == Some(&Field::Index) => {
            (cx.program.place_text(over.by, &whole(place)) == over.of).then_some(step.span)
        }
        StepKind::Call(call) => {
            let Callee::Method(receiver, method) = &function.call(*call)?.callee else { return None };
            let removes = match cx.program.change_of(over.by, *call) {
                Some((_, change)) => kind != Kind::Skips || change == Change::Removes,
                None => kind == Kind::Unknown && tables.changes_by_name(method),
            };
            (removes && cx.program.value_text(over.by, *receiver) == over.of).then_some(step.span)
        }
        _ => None,
    })?;
    let note = format!("`{}` is changed here, in the middle of the loop", over.of);
    Some((Stance::Violated(Confidence::Medium), Evidence { at: cx.location(over.by, span), note }))
}

/// A change of the collection by another function, which what the loop calls may lead to, or another thread.
fn change_elsewhere(cx: &RuleContext, over: &Over) -> Option<(Stance, Evidence)> {
    let function = cx.function(over.by);
    // Between two suspensions nobody else is there, and where there is one the rule itself speaks.
    if function.is_async() || function.kind == FunctionKind::GeneratorExpression || cx.runs_on_loop(over.by) {
        return None;
    }
    let value = function.value(over.place);
    let ValueKind::Place(place) = &value.kind else { return None };
    let (state, _) = cx.program.state_named(over.by, place, value.block, value.step)?;
    let kind = kind_of(cx, over.by, over.place);
    let held = cx.facts(over.by);
    let held = held.held_at(value.block, value.step).iter().filter(|held| held.is_certain);
    let locks: Vec<_> = held.map(|held| held.lock.clone()).chain(cx.program.locks_at_entry(over.by)).collect();
    let accesses = cx.program.accesses_of(over.by.module, &state);
    let change = accesses.iter().find(|access| {
        let theirs = cx.program.guards_at(access);
        access.function != over.by
            && !cx.is_set_up(access.function)
            && !cx.program.is_test_code(access.function)
            && upsets_loop(cx, &accesses, access, place, kind).is_some()
            && !locks.iter().any(|lock| theirs.iter().any(|other| is_alike(lock, other)))
    })?;
    // Only who calls out may come back, or be interrupted for long.
    let calls_out = function.steps().any(|(block, _, step)| match step.kind {
        StepKind::Call(call) if is_in(&function, block, over.at) => {
            let resolution = cx.resolution(over.by, call);
            let tables = cx.program.tables(Language::Python);
            !resolution.external().is_some_and(|name| tables.knows(name) || tables.is_builtin(name))
        }
        _ => false,
    });
    let other = &cx.function(change.function).name;
    let note = format!("`{other}` changes `{}` here", over.of);
    let evidence = Evidence { at: cx.location(change.function, change.span), note };
    calls_out.then_some((Stance::Unproven, evidence))
}

fn whole(place: &Place) -> Place {
    let mut whole = place.clone();
    whole.fields.pop();
    whole
}
