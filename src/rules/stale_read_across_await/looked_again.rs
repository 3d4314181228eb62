//! State that was looked at again after a wait before the change, and is not any more.
//!
//! ~~~text
//! if not await peer.is_well(): …
//! if key in self._peers:                gone: another task may have taken it out meanwhile
//!     self._peers[key] = renewed
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, What};
use crate::flow::{BlockIndex, Function, Leaving, Suspension, ValueIndex, ValueKind};
use crate::rules::context::RuleContext;
use crate::rules::manner::{Gone, OnBoth, Whole};
use crate::text::Span;
use crate::verdict::{Level, Location, Stance, Verdict};

use super::NAME;

/// How deep a condition is searched.
const DEEPEST: u32 = 6;

/// A condition that state which others reach has a part in.
struct Look {
    by: FunctionId,
    state: String,
    name: String,
    span: Span,
    /// The block that branches on it.
    at: BlockIndex,
    /// What was waited for last before it, as it is written.
    after: Option<String>,
    /// Whether one of its ways leaves the function at once.
    leaves: bool,
}

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let (then, now) = (looks(&both.was), looks(&both.is));
    let mut told: Vec<&str> = Vec::new();
    for look in then.iter() {
        let Some(waited) = &look.after else { continue };
        let is_it = |other: &&Look| other.state == look.state && other.after.as_ref() == Some(waited);
        if told.contains(&&*look.state) || now.iter().filter(is_it).count() >= then.iter().filter(is_it).count() {
            continue;
        }
        let Some(verdict) = asked(both, look, waited, &now) else { continue };
        told.push(&look.state);
        out.push(Gone { had: (look.by, look.span), asked: verdict });
    }
}

fn asked(both: &OnBoth, look: &Look, waited: &str, now: &[Look]) -> Option<Verdict> {
    let cx = both.is.cx;
    let (by, event): (FunctionId, Event) = both.is.parts.iter().find_map(|&part| {
        let function = cx.function(part);
        let facts = cx.facts(part);
        let waits = suspensions(cx, part, &function, &facts.events);
        let event = waits.into_iter().find(|(_, of)| of == waited).map(|(event, _)| event.clone())?;
        Some((part, event))
    })?;
    // Who is held off meanwhile changes nothing.
    if event.held.iter().any(|held| held.is_certain) || !cx.program.locks_at_entry(by).is_empty() {
        return None;
    }
    let change = changed_elsewhere(both, &look.state)?;
    let touched = cx.program.accesses_by(by);
    let function = cx.function(by);
    let of_state = |other: &&Look| other.by == by && other.state == look.state;
    let again: Vec<&Look> = now.iter().filter(of_state).filter(|other| other.span.start >= event.span.end).collect();
    // Where somebody looks on the way, that is seen to.
    let is_seen_to = |block: BlockIndex| {
        again.iter().any(|look| look.at == block || !function.leads_past(event.block, block, look.at))
    };
    let next = touched.iter().find(|access| {
        *access.state == *look.state
            && access.span.start >= event.span.end
            && function.leads_to(event.block, access.block)
            && !is_seen_to(access.block)
    });
    let looked = now.iter().filter(of_state).any(|other| other.span.start < event.span.start);
    if next.is_none() && (!again.is_empty() || !looked && !look.leaves) {
        return None;
    }
    // Who is new here may look in its stead.
    let looks = |id: &FunctionId| cx.program.accesses_by(*id).iter().any(|access| *access.state == *look.state);
    if both.called_now().iter().any(looks) {
        return None;
    }
    let (name, function) = (&look.name, &function.name);
    let at = next.map_or(event.span, |access| access.span);
    let verdict = cx
        .verdict(NAME, Stance::Unproven, by, at, &format!("`{name}`"))
        .assumes(format!("`{name}` is still what it was when `{function}` goes on after `{waited}`"))
        .says(format!("`{function}` looked at `{name}` again after it waited for `{waited}`, and does not now"))
        .asks(format!("can another task change `{name}` while `{function}` waits for `{waited}`?"))
        .helps(format!("look at `{name}` again after the wait, as before"))
        .evidence(cx.location(by, event.span), format!("`{function}` gives way here"))
        .evidence(change.0, change.1)
        .level(Level::Warning);
    Some(verdict)
}

/// Where another function changes the state.
fn changed_elsewhere(both: &OnBoth, state: &str) -> Option<(Location, String)> {
    let cx = both.is.cx;
    let accesses = cx.program.accesses_of(both.is.id.module, state);
    let access = accesses.iter().find(|access| {
        access.touch.is_change()
            && !both.is.parts.contains(&access.function)
            && !cx.is_set_up(access.function)
            && !cx.program.is_test_code(access.function)
    })?;
    let note = format!("`{}` changes `{}` here", cx.function(access.function).name, access.name);
    Some((cx.location(access.function, access.span), note))
}

/// The conditions of the asynchronous parts of a function.
fn looks(whole: &Whole) -> Vec<Look> {
    let cx = whole.cx;
    let mut found = Vec::new();
    for &by in &whole.parts {
        let function = cx.function(by);
        if !function.is_async() {
            continue;
        }
        let facts = cx.facts(by);
        let waits = suspensions(cx, by, &function, &facts.events);
        for (at, value, targets) in function.conditions() {
            let leaves = targets.iter().any(|target| {
                let left_by = function.blocks[target.at()].left_by;
                left_by.is_some_and(|leave| matches!(leave.how, Leaving::Return | Leaving::Raise))
            });
            let mut read = Vec::new();
            collect(cx, by, &function, value, DEEPEST, &mut read);
            for (state, name, span) in read {
                let after = waits
                    .iter()
                    .rev()
                    .find(|(event, _)| event.span.end <= span.start && function.leads_to(event.block, at));
                let after = after.map(|(_, of)| of.clone());
                found.push(Look { by, state, name, span, at, after, leaves });
            }
        }
    }
    found
}

/// Where a function waits, in source order, with what for.
fn suspensions<'e>(
    cx: &RuleContext,
    id: FunctionId,
    function: &Function,
    events: &'e [Event],
) -> Vec<(&'e Event, String)> {
    let mut found: Vec<(&Event, String)> = events
        .iter()
        .filter_map(|event| match event.what {
            What::Suspend(Suspension::Await | Suspension::Next, Some(of)) if cx.gives_way(id, event) => {
                function.call(of)?;
                Some((event, cx.program.callee_text(id, of)))
            }
            _ => None,
        })
        .collect();
    found.sort_by_key(|(event, _)| event.span.start);
    found
}

/// The state that a condition is made from.
fn collect(
    cx: &RuleContext,
    id: FunctionId,
    function: &Function,
    value: ValueIndex,
    depth: u32,
    found: &mut Vec<(String, String, Span)>,
) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let node = function.value(value);
    if let ValueKind::Place(place) = &node.kind {
        if place.as_variable().is_none()
            && let Some((state, name)) = cx.program.state_named(id, place, node.block, node.step)
        {
            found.push((state, name, node.span));
        }
        return;
    }
    if matches!(node.kind, ValueKind::Awaited(_)) {
        return;
    }
    crate::analysis::uses::for_each_part(&node.kind, |part| collect(cx, id, function, part, depth, found));
}
