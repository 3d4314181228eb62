//! An await under a lock of which nobody knows when it ends.
//!
//! ~~~text
//! async with self._lock:
//!     return await self.controller.send(command)      a library of which nothing is known, and no timeout
//! ~~~
//!
//! A lock may be meant to be held over just this, as the turn at a device is. Then still nobody gets a turn once the
//! other side no longer answers. What is fetched once under a lock, so that nobody fetches it twice, is silent.

use crate::analysis::FunctionId;
use crate::analysis::calls::Target;
use crate::analysis::held::{Event, Held, HeldBy, What};
use crate::analysis::summary::Lasts;
use crate::analysis::types::Type;
use crate::analysis::uses::Uses;
use crate::catalogue::Tables;
use crate::flow::{Callee, StepKind, Suspension, ValueIndex, ValueKind};
use crate::text::{Language, Span};
use crate::verdict::{Hop, Location, Stake, Stance, Verdict};

use super::super::context::RuleContext;
use super::{NAME, is_state, is_taken_elsewhere, shuts_out};

/// How far down an await of unknown length is looked for.
const DEEPEST: u32 = 4;

/// How many functions are looked through for it.
const MOST_FUNCTIONS: usize = 32;

/// An await that may last.
struct Wait {
    /// The call in the user's own words.
    name: String,
    /// Where it stands.
    at: Location,
    /// The way to it, the function's own step first.
    hops: Vec<Hop>,
}

pub(super) fn check(cx: &RuleContext, id: FunctionId, reported: &[Span], out: &mut Vec<Verdict>) {
    if cx.language(id.module) != Language::Python || cx.program.is_test_code(id) {
        return;
    }
    let mut asked: Vec<(Held, Vec<(Span, Wait)>)> = Vec::new();
    for event in &cx.facts(id).events {
        let What::Suspend(how, Some(of)) = event.what else { continue };
        if matches!(how, Suspension::Exit | Suspension::Yield) || event.held.is_empty() || !cx.gives_way(id, event) {
            continue;
        }
        let held = event.held.iter().find(|held| shuts_out(held) && held.taken != event.span);
        let Some(held) = held.filter(|held| !reported.contains(&held.taken)) else { continue };
        let Some(wait) = wait_behind(cx, id, event, of, DEEPEST, &mut vec![id]) else { continue };
        if is_fetched_once(cx, id, event, of, held) {
            continue;
        }
        match asked.iter_mut().find(|(known, _)| known.taken == held.taken) {
            Some((_, waits)) => waits.push((event.span, wait)),
            None => asked.push((held.clone(), vec![(event.span, wait)])),
        }
    }
    for (held, waits) in asked {
        if is_needed_by_others(cx, id, &held) {
            out.extend(question(cx, id, &held, waits));
        }
    }
}

/// Whether somebody else may want the lock: another function of the file, or the same one for somebody else. One that
/// was looked up has others who look it up.
fn is_needed_by_others(cx: &RuleContext, id: FunctionId, held: &Held) -> bool {
    if held.lock.place.class.is_none() {
        return is_looked_up(cx, id, held);
    }
    is_taken_elsewhere(cx, id, held) || cx.program.met_by_itself(id, true).is_some()
}

/// Whether a lock comes out of a collection that outlives the function, or from a function of the project.
fn is_looked_up(cx: &RuleContext, id: FunctionId, held: &Held) -> bool {
    let HeldBy::Block(index) = held.by else { return false };
    let function = cx.function(id);
    let managed = function.managed[index.at()].value;
    let node = function.value(managed);
    let made = match &node.kind {
        ValueKind::Place(place) => match place.as_variable() {
            Some(variable) => cx.program.reaching(id, variable, node.block, node.step).values,
            None => vec![managed],
        },
        _ => vec![managed],
    };
    made.iter().any(|made| {
        // One that is made here has nobody else yet.
        let resolution = cx.resolution(id, *made);
        if resolution.external().is_some_and(|name| cx.program.tables(Language::Python).lock(name).is_some()) {
            return false;
        }
        let is_given = function.call(*made).is_some() && !cx.resolution(id, *made).functions().is_empty();
        let is_of_state = |read: &ValueIndex| {
            let node = function.value(*read);
            let ValueKind::Place(place) = &node.kind else { return false };
            cx.program.state_named(id, place, node.block, node.step).is_some()
        };
        is_given || cx.program.reads_behind(id, *made).iter().any(is_of_state)
    })
}

/// The wait of unknown length behind an await, in the function itself or in what it awaits.
fn wait_behind(
    cx: &RuleContext,
    id: FunctionId,
    event: &Event,
    of: ValueIndex,
    depth: u32,
    seen: &mut Vec<FunctionId>,
) -> Option<Wait> {
    if cx.program.ends_in_time(id, event) {
        return None;
    }
    if let Some(Lasts { name, at, hops, .. }) = cx.program.lasts(id, event, of) {
        return Some(Wait { name, at, hops });
    }
    if let Some(name) = unknown_call(cx, id, of) {
        let hops = vec![cx.program.hop(id, event.span, format!("awaits `{name}`"))];
        return Some(Wait { name, at: cx.location(id, event.span), hops });
    }
    if let Some(name) = thread_work(cx, id, of) {
        let hops = vec![cx.program.hop(id, event.span, format!("waits for a thread to call `{name}`"))];
        return Some(Wait { name, at: cx.location(id, event.span), hops });
    }
    let depth = depth.checked_sub(1)?;
    for in_place in cx.program.in_place(id, event).into_iter().filter(|in_place| in_place.is_awaited) {
        for &callee in &in_place.candidates {
            if seen.contains(&callee) || seen.len() >= MOST_FUNCTIONS {
                continue;
            }
            seen.push(callee);
            let found = cx.facts(callee).events.iter().find_map(|event| match event.what {
                What::Suspend(Suspension::Await | Suspension::Enter, Some(of)) => {
                    wait_behind(cx, callee, event, of, depth, seen)
                }
                _ => None,
            });
            if let Some(wait) = found {
                let hop = cx.program.hop(id, event.span, in_place.what(cx.program, id));
                return Some(Wait { hops: std::iter::once(hop).chain(wait.hops).collect(), ..wait });
            }
        }
    }
    None
}

/// A call of which nothing is known, in the user's own words.
fn unknown_call(cx: &RuleContext, id: FunctionId, of: ValueIndex) -> Option<String> {
    let function = cx.function(id);
    let call = function.call(of)?;
    let tables = cx.program.tables(Language::Python);
    let resolution = cx.resolution(id, of);
    let is_unknown = match &resolution.targets[..] {
        // A name that nobody binds says nothing at all; a method, or what was handed in, has an owner who knows.
        [] => !matches!(call.callee, Callee::Path(_)),
        [Target::External(name)] => {
            let is_told = tables.describes(name) || tables.consumes_awaitables(name).is_some() || tables.pauses(name);
            !is_told && tables.gather(name).is_none() && tables.risk(name).is_none()
        }
        _ => false,
    };
    is_unknown.then(|| cx.program.callee_text(id, of))
}

/// What a thread is given to do, if nobody knows how long that takes or it waits for somebody else.
fn thread_work(cx: &RuleContext, id: FunctionId, of: ValueIndex) -> Option<String> {
    let function = cx.function(id);
    let tables = cx.program.tables(Language::Python);
    cx.program.given_to_a_thread(id, of).into_iter().find_map(|work| {
        // What a wrapper such as `partial` is given first is what runs.
        let bound = function.call(work).and_then(|call| call.arguments.first());
        let work = bound.map_or(work, |bound| bound.value);
        let meant = cx.program.functions_meant(id, work);
        let lasts = match cx.program.value_type(id, work) {
            _ if !meant.is_empty() => meant.iter().all(|callee| {
                let summary = cx.program.summary(*callee);
                summary.blocks.iter().any(|blocks| blocks.entry.stake == Stake::Unbounded)
            }),
            Type::External(name) => lasts_by_name(tables, &name),
            Type::Instance(of) if of.definition.is_none() => lasts_by_name(tables, &of.name),
            of => of.is_unknown() && matches!(function.value(work).kind, ValueKind::Place(_) | ValueKind::Field(..)),
        };
        lasts.then(|| cx.program.value_text(id, work))
    })
}

/// Whether a call of a library waits for somebody else, or nothing is known of the library.
fn lasts_by_name(tables: &Tables, name: &str) -> bool {
    match tables.blocking(name) {
        Some(entry) => entry.stake == Stake::Unbounded,
        None => !tables.is_builtin(name) && name.split_once('.').is_some_and(|(root, _)| !tables.has_root(root)),
    }
}

/// Whether an await fetches what the lock protects: it is looked for under the lock before, and kept there afterwards.
fn is_fetched_once(cx: &RuleContext, id: FunctionId, event: &Event, of: ValueIndex, held: &Held) -> bool {
    let function = cx.function(id);
    let facts = cx.facts(id);
    let here = (event.block, event.step);
    let is_under = |at| {
        let (block, step) = at;
        facts.held_at(block, step).iter().any(|other| other.taken == held.taken)
    };
    let is_entered = |value: &crate::flow::Value| matches!(value.kind, ValueKind::Entered(entered) if entered == of);
    let entered = || function.values.iter().position(is_entered).map(|at| ValueIndex(at as u32));
    let result = cx.program.shape(id).awaited(of).or_else(entered);
    let uses = Uses::of(&function);
    let made = result.map(|result| cx.program.made_from(id, &uses, result)).unwrap_or_default();
    let (mut is_looked_for, mut is_kept) = (false, false);
    for (block, number, step) in function.steps() {
        let at = (block, number as u32);
        match &step.kind {
            StepKind::Read(place) if at < here && step.span != held.taken => {
                is_looked_for |= is_under(at) && is_state(cx, id, place, at);
            }
            StepKind::Write(place, _, Some(value)) => {
                is_kept |= made.contains(value) && is_under(at) && is_state(cx, id, place, at);
            }
            _ => {}
        }
    }
    is_looked_for && is_kept
}

fn question(cx: &RuleContext, id: FunctionId, held: &Held, waits: Vec<(Span, Wait)>) -> Option<Verdict> {
    let mut waits = waits;
    waits.sort_by_key(|(span, _)| *span);
    let mut waits = waits.into_iter();
    let (span, first) = waits.next()?;
    let function = cx.function(id);
    let (lock, by, name) = (&held.lock.name, &function.name, &first.name);
    let way = if first.hops.len() > 1 {
        format!("{}, which awaits `{name}`", first.hops[0].what)
    } else {
        format!("awaits `{name}`")
    };
    let mut verdict = cx
        .verdict(NAME, Stance::Unproven, id, span, &format!("`{lock}`"))
        .assumes(format!("nothing of unknown length is awaited in `{by}` under `{lock}`"))
        .says(format!("`{by}` holds `{lock}` and {way}: whoever needs the lock waits as long"))
        .asks(format!("Does `{name}` come back in time even when the other side does not answer?"))
        .helps("give the wait a timeout, or let the lock go before it")
        .evidence(cx.location(id, held.taken), format!("`{lock}` is taken here"))
        .stake(Stake::Unbounded);
    if first.hops.len() > 1 {
        verdict = verdict.evidence(first.at.clone(), format!("`{name}` is awaited here")).trace(first.hops);
    }
    for (span, wait) in waits {
        verdict = verdict.evidence(cx.location(id, span), format!("`{}` is awaited under it as well", wait.name));
    }
    Some(verdict)
}
