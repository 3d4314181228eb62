//! A loop is started, or driven to its end, inside a running one.

pub(super) mod brought_back;

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, What};
use crate::analysis::in_place::InPlace;
use crate::analysis::summary::{Blocks, Summary};
use crate::catalogue::{Blocking, BlockingKind, Stake};
use crate::flow::FunctionKind;
use crate::text::Language;
use crate::verdict::{Confidence, Evidence, Stance, Verdict};

use super::advice;
use super::blocking_in_async::same_thing;
use super::context::RuleContext;

const NAME: &str = "nested-event-loop";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let place = if cx.runs_on_loop(id) {
        Inside::Loop
    } else if cx.program.is_destructor(id) {
        Inside::Destructor
    } else {
        return;
    };
    // An asynchronous function need not ask; a plain one that does may drive a loop only where none runs.
    let asks = !function.is_async() && cx.program.asks_for_a_loop(id);
    let facts = cx.facts(id);
    let mut entered: Vec<(&Event, &Blocking, String, String)> = Vec::new();
    for event in &facts.events {
        if let What::Call(value) = event.what {
            let entry = cx.program.blocking_call(id, value, &cx.resolution(id, value));
            let entry = entry.filter(|entry| entry.kind == BlockingKind::LoopEntry && !asks);
            entered.extend(
                entry.map(|entry| (event, entry, cx.program.callee_text(id, value), same_thing(cx, id, value))),
            );
        }
        for in_place in cx.program.in_place(id, event).iter().filter(|in_place| !in_place.is_awaited) {
            // A closure has the loop as its context too, and is looked at itself.
            let is_closure =
                in_place.candidates.iter().any(|callee| cx.function(*callee).kind == FunctionKind::Closure);
            if !is_closure && !asks {
                through_call(cx, id, place, event, in_place, out);
            }
        }
    }
    // Making a runtime and driving it are one fault.
    let is_driven = entered.iter().any(|(_, entry, ..)| entry.stake == Stake::Unbounded);
    let is_fault = |entry: &Blocking| entry.stake == Stake::Unbounded || (!is_driven && place == Inside::Loop);
    entered.retain(|(_, entry, ..)| is_fault(entry));
    for (event, entry, name, whole) in entered {
        let mut verdict = cx
            .violated(NAME, place.confidence(), id, event.span, &format!("`{name}`"))
            .assumes(format!("no event loop is started inside the one that runs `{}`", function.name))
            .says(format!("`{name}` {} {}: {}", does(entry), place.said(&function.name), harm(cx, id)))
            .helps(place.instead(entry))
            .stake(entry.stake)
            .part_of(whole);
        verdict.evidence.push(place.evidence(cx, id));
        out.push(verdict);
    }
}

/// What a function runs inside, as far as loops go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// A running loop.
    Loop,
    /// The end of an object, which may come inside a running loop.
    Destructor,
}

impl Inside {
    fn confidence(self) -> Confidence {
        match self {
            Self::Loop => Confidence::High,
            Self::Destructor => Confidence::Medium,
        }
    }

    fn said(self, function: &str) -> String {
        match self {
            Self::Loop => format!("inside the one that runs `{function}`"),
            Self::Destructor => {
                format!("in `{function}`, which runs wherever the object ends, inside another loop too")
            }
        }
    }

    fn instead(self, entry: &Blocking) -> String {
        match self {
            Self::Loop => entry.instead.as_deref().map_or_else(|| "await it".to_owned(), advice::help),
            Self::Destructor => "close what needs a loop in an asynchronous method, before the object ends".to_owned(),
        }
    }

    fn evidence(self, cx: &RuleContext, id: FunctionId) -> Evidence {
        match self {
            Self::Loop => cx.loop_evidence(id),
            Self::Destructor => {
                let function = cx.function(id);
                let note = format!("`{}` is called where the object ends", function.name);
                Evidence { at: cx.location(id, function.header), note }
            }
        }
    }
}

fn through_call(
    cx: &RuleContext,
    id: FunctionId,
    place: Inside,
    event: &Event,
    in_place: &InPlace,
    out: &mut Vec<Verdict>,
) {
    let function = cx.function(id);
    let summaries: Vec<_> = in_place.summaries(cx.program, id);
    let Some(enters) = summaries.iter().find_map(|summary| shortest(summary)) else { return };
    if place == Inside::Destructor && enters.entry.stake != Stake::Unbounded {
        return;
    }
    let harmless = in_place.candidates.iter().zip(&summaries).find(|(_, summary)| shortest(summary).is_none());
    let what = in_place.what(cx.program, id);
    let call = what.split('`').nth(1).unwrap_or_default();
    // May is not must: a candidate that drives no loop leaves it open.
    let stance = if harmless.is_some() { Stance::Unproven } else { Stance::Violated(place.confidence()) };
    let mut verdict = cx
        .verdict(NAME, stance, id, event.span, &format!("`{call}`, `{}`", enters.name))
        .assumes(format!("nothing that `{}` calls starts an event loop inside the one that runs it", function.name))
        .says(format!(
            "`{call}` leads to `{}`, which {} {}: {}",
            enters.name,
            does(enters.entry),
            place.said(&function.name),
            harm(cx, id)
        ))
        .helps(match place {
            Inside::Loop => {
                format!("call an asynchronous version of `{call}` and await it, or hand `{call}` to a thread")
            }
            Inside::Destructor => place.instead(enters.entry),
        })
        .evidence(enters.at.clone(), format!("`{}` {} here", enters.name, does(enters.entry)))
        .trace([cx.program.hop(id, event.span, what.clone())])
        .trace(enters.hops.iter().cloned())
        .stake(enters.entry.stake);
    if let Some((&harmless, _)) = harmless {
        let other = cx.function(harmless);
        verdict = verdict.asks(format!(
            "can `{call}` be the one that {} (`{}`) rather than `{}`?",
            does(enters.entry),
            enters.name,
            other.qualified
        ));
    } else if !function.is_async() {
        verdict.evidence.push(place.evidence(cx, id));
    }
    out.push(verdict);
}

fn shortest<'s, 'a>(summary: &'s Summary<'a>) -> Option<&'s Blocks<'a>> {
    let entries = summary.blocks.iter().filter(|blocks| blocks.is_loop_entry());
    entries.min_by_key(|blocks| (std::cmp::Reverse(blocks.entry.stake), blocks.hops.len()))
}

fn does(entry: &Blocking) -> &'static str {
    if entry.stake == Stake::Unbounded { "drives an event loop" } else { "makes an event loop" }
}

fn harm(cx: &RuleContext, id: FunctionId) -> &'static str {
    match cx.language(id.module) {
        Language::Python => "it raises, or waits for the loop that it keeps waiting",
        Language::Rust => "it panics, or keeps the executor's thread from what it waits for",
    }
}
