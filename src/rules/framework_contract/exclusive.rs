//! One object, several tasks at once: a session given to every branch of a `gather`.

use crate::analysis::FunctionId;
use crate::analysis::held::What;
use crate::analysis::locks::{LockPlace, LockRoot};
use crate::catalogue::{Exclusive, Runs};
use crate::flow::{BlockIndex, Callee, LoopIndex, StepKind, ValueIndex};
use crate::text::Language;
use crate::verdict::{Confidence, Location, Verdict};

use super::{Body, RuleContext};

/// How many calls below a started coroutine are looked at.
const DEEPEST: u32 = 3;

/// A coroutine that is started beside others.
struct Started {
    coroutine: ValueIndex,
    /// The loop that starts it again and again beside itself.
    again: Option<LoopIndex>,
}

/// An object that one task at a time may use, used by a coroutine.
struct Used<'a> {
    place: LockPlace,
    name: String,
    entry: &'a Exclusive,
    at: Location,
    /// Whether the coroutine itself is the use.
    is_direct: bool,
}

pub(super) fn check(body: &Body, out: &mut Vec<Verdict>) {
    if body.cx.language(body.id.module) != Language::Python {
        return;
    }
    let mut apart: Vec<(ValueIndex, Started)> = Vec::new();
    for (call, resolution) in &body.calls {
        let Some(spawn) = body.cx.program.spawn(body.id, resolution).filter(|spawn| spawn.runs == Runs::Task) else {
            continue;
        };
        let function = body.cx.function(body.id);
        let Some(written) = function.call(*call) else { continue };
        let here = loop_of(body, *call);
        let mut group = Vec::new();
        for coroutine in body.cx.program.arguments_meant(written, &spawn.argument) {
            // What is awaited where it is started runs once at a time.
            let again = if body.cx.program.is_awaited(body.id, *call) { None } else { here };
            group.push(Started { coroutine, again });
        }
        if spawn.argument.rest {
            for argument in written.arguments.iter().filter(|argument| argument.is_spread) {
                for coroutine in body.cx.program.items_of(body.id, argument.value) {
                    let around = loop_of(body, coroutine);
                    group.push(Started { coroutine, again: around.filter(|_| around != here) });
                }
            }
        }
        if spawn.argument.rest || group.iter().any(|started| started.again.is_some()) {
            report(body, *call, &group, out);
        } else {
            apart.extend(group.into_iter().map(|started| (*call, started)));
        }
    }
    // Tasks that are started one after the other, with nothing awaited between them.
    for pair in apart.windows(2) {
        let [(_, first), (call, second)] = pair else { continue };
        if are_side_by_side(body, first.coroutine, second.coroutine) {
            let group = [first, second].map(|one| Started { coroutine: one.coroutine, again: None });
            report(body, *call, &group, out);
        }
    }
}

fn loop_of(body: &Body, value: ValueIndex) -> Option<LoopIndex> {
    let function = body.cx.function(body.id);
    function.blocks[function.value(value).block.at()].in_loop
}

/// Whether two values of one block have no suspension between them.
fn are_side_by_side(body: &Body, first: ValueIndex, second: ValueIndex) -> bool {
    let function = body.cx.function(body.id);
    let (first, second) = (function.value(first), function.value(second));
    let steps = |block: BlockIndex| &function.blocks[block.at()].steps;
    first.block == second.block
        && first.step <= second.step
        && !steps(first.block)[first.step as usize..second.step as usize]
            .iter()
            .any(|step| matches!(step.kind, StepKind::Suspend(..)))
}

/// Reports the first object that two of a group use, or one that is started again and again.
fn report(body: &Body, call: ValueIndex, group: &[Started], out: &mut Vec<Verdict>) {
    let mut known: Vec<Used> = Vec::new();
    for started in group {
        for used in used_by(&body.cx, body.id, started.coroutine, DEEPEST) {
            let is_shared_place = outlives(body, &used.place, started.again);
            let other = known.iter().find(|known| known.place.is_same(&used.place));
            if is_shared_place && (started.again.is_some() || other.is_some()) {
                out.push(verdict(body, call, started, &used, other));
                return;
            }
            known.push(used);
        }
    }
}

/// Whether a place is the same object for every coroutine of the group.
fn outlives(body: &Body, place: &LockPlace, again: Option<LoopIndex>) -> bool {
    if !place.is_exact {
        return false;
    }
    match &place.root {
        LockRoot::Parameter(_) | LockRoot::Static(_) => true,
        LockRoot::Local(of, variable) if *of == body.id => {
            let function = body.cx.function(body.id);
            let is_in = |value: ValueIndex| {
                let mut around = loop_of(body, value);
                while let Some(inner) = around {
                    if Some(inner) == again {
                        return true;
                    }
                    around = function.loops[inner.at()].parent;
                }
                false
            };
            !body.cx.program.shape(body.id).binds(*variable).any(|value| again.is_some() && is_in(value))
        }
        // What a function around this one holds.
        LockRoot::Local(of, _) => is_around(&body.cx, *of, body.id),
        LockRoot::Unknown => false,
    }
}

fn is_around(cx: &RuleContext, outer: FunctionId, inner: FunctionId) -> bool {
    let mut at = Some(inner);
    while let Some(id) = at {
        if id == outer {
            return true;
        }
        at = cx.function(id).parent.map(|index| FunctionId { module: id.module, index });
    }
    false
}

/// The objects that a coroutine uses, in terms of who makes it.
fn used_by<'a>(cx: &RuleContext<'_, 'a>, id: FunctionId, coroutine: ValueIndex, depth: u32) -> Vec<Used<'a>> {
    let function = cx.function(id);
    let Some(call) = function.call(coroutine) else { return Vec::new() };
    if let Callee::Method(receiver, method) = &call.callee
        && let Some(entry) = exclusive(cx, id, *receiver).filter(|entry| entry.uses.contains(method))
    {
        let place = cx.program.lock_place(id, *receiver);
        let name = cx.program.value_text(id, *receiver);
        let at = cx.location(id, function.value(coroutine).span);
        return vec![Used { place, name, entry, at, is_direct: true }];
    }
    let resolution = cx.resolution(id, coroutine);
    let (Some(depth), [callee]) = (depth.checked_sub(1), &resolution.functions()[..]) else { return Vec::new() };
    let callee = *callee;
    let inner = cx.program.search("used by one task", callee, depth, || {
        let facts = cx.facts(callee);
        // What a lock keeps apart is used by one at a time.
        let calls = facts.events.iter().filter(|event| event.held.is_empty()).filter_map(|event| match event.what {
            What::Call(call) => Some(call),
            _ => None,
        });
        let used: Vec<Used> = calls.flat_map(|call| used_by(cx, callee, call, depth)).collect();
        (!used.is_empty()).then_some(used)
    });
    let here = |used: Used<'a>| {
        let place = cx.program.substitute(id, coroutine, callee, &used.place);
        Used { place, is_direct: false, ..used }
    };
    inner.into_iter().flatten().map(here).collect()
}

/// What the catalogue says of a value that one task at a time may use.
fn exclusive<'a>(cx: &RuleContext<'_, 'a>, id: FunctionId, value: ValueIndex) -> Option<&'a Exclusive> {
    let of = cx.program.value_type(id, value);
    let of = of.instance().filter(|of| of.definition.is_none())?;
    cx.program.tables(Language::Python).exclusive(&of.name)
}

fn verdict(body: &Body, call: ValueIndex, started: &Started, used: &Used, other: Option<&Used>) -> Verdict {
    let starter = body.cx.program.callee_text(body.id, call);
    let by = body.cx.program.callee_text(body.id, started.coroutine);
    let confidence = if used.is_direct { Confidence::High } else { Confidence::Medium };
    let mut verdict = body
        .violated(confidence, call, &used.name)
        .assumes(format!("`{}` is used by one task at a time", used.name))
        .says(format!("`{starter}` lets several tasks use `{}` at once: {}", used.name, used.entry.harm))
        .helps(used.entry.instead.clone());
    let note = if used.is_direct { format!("`{by}` uses it") } else { format!("`{by}` uses it here") };
    verdict = verdict.evidence(used.at.clone(), note);
    if let Some(other) = other.filter(|other| other.at != used.at) {
        verdict = verdict.evidence(other.at.clone(), format!("and so does another task, as `{}`", other.name));
    }
    verdict
}
