//! One guard from the look to what it decided on before the change, and a guard for each of them now.
//!
//! ~~~text
//! let mut device = device.lock(); if !device.is_active() { device.activate(mem) }
//! if !device.lock().is_active() { device.lock().activate(mem) }
//! ~~~
//!
//! What the two do to the state may lie behind a trait or in another crate: that one guard covered both before says that
//! they belong together.

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, Held, HeldBy, What};
use crate::analysis::uses::Uses;
use crate::catalogue::{Change, LockKind, Mode};
use crate::flow::{Callee, Function, Owner, Root, ValueIndex, ValueKind};
use crate::rules::context::RuleContext;
use crate::rules::manner::{Gone, OnBoth, Whole};
use crate::rules::worse::Worse;
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Stance, Verdict};

use super::NAME;

/// How many values lie between a method's receiver and the guard.
const DEEPEST: u32 = 6;

/// A method that is called on what is behind a guard.
struct Deed {
    by: FunctionId,
    event: Event,
    call: ValueIndex,
    name: String,
    held: Held,
}

/// A look, and what it decides on.
struct Pair<'d> {
    look: &'d Deed,
    act: &'d Deed,
}

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    for (was, is) in split(both, &deeds(&both.was), &deeds(&both.is)) {
        let place = format!("`{}`", is.1.held.lock.name);
        let told = |verdict: &Verdict| verdict.subject == place && verdict.stance != Stance::Upheld;
        if !of_one_side(both, is.1.by).iter().any(told) {
            out.push(Gone { had: was, asked: verdict(both, is) });
        }
    }
}

/// What the rule asks by itself about such a look was answered before the change.
pub(in crate::rules) fn weigh(both: &OnBoth, out: &mut Vec<Worse>) {
    for (_, (_, act)) in split(both, &deeds(&both.was), &deeds(&both.is)) {
        let place = format!("`{}`", act.held.lock.name);
        for asked in of_one_side(both, act.by) {
            if asked.stance == Stance::Unproven && asked.subject == place {
                let why = "one guard was held from the one to the other before the change".to_owned();
                out.push(Worse::answers(both.is.cx, NAME, act.by, asked.at.span, why));
            }
        }
    }
}

fn of_one_side(both: &OnBoth, by: FunctionId) -> Vec<Verdict> {
    let mut said = Vec::new();
    super::check(both.is.cx, by, &mut said);
    said
}

/// Where the before side had the act, and the look and the act of the after side.
type Split<'d> = ((FunctionId, Span), (&'d Deed, &'d Deed));

/// The looks and acts that one guard covered before and each has a guard of its own now, one for each lock.
fn split<'d>(both: &OnBoth, then: &'d [Deed], now: &'d [Deed]) -> Vec<Split<'d>> {
    if then.is_empty() || now.is_empty() {
        return Vec::new();
    }
    let (were, are) = (pairs(&both.was, then), pairs(&both.is, now));
    let mut found: Vec<Split> = Vec::new();
    for pair in &are {
        let class = &pair.act.held.lock.place.class;
        let alike = |other: &&Pair| {
            let of = &other.act.held.lock.place.class;
            other.look.name == pair.look.name && other.act.name == pair.act.name && of == class
        };
        let is_one = |pair: &Pair| pair.look.held.taken == pair.act.held.taken;
        let mut namesakes = were.iter().filter(alike).peekable();
        let Some(first) = namesakes.peek().map(|pair| (pair.act.by, pair.act.event.span)) else { continue };
        let is_told = found.iter().any(|(_, (_, act))| act.held.lock.place.class == *class);
        if is_told || is_one(pair) || !namesakes.all(is_one) || !counts(both, now, &are, pair) {
            continue;
        }
        found.push((first, (pair.look, pair.act)));
    }
    found
}

/// Whether somebody else may come between a look and an act, and the act changes something.
fn counts(both: &OnBoth, now: &[Deed], are: &[Pair], pair: &Pair) -> bool {
    let (look, act) = (pair.look, pair.act);
    let is_held_on = act.event.held.iter().any(|held| look.event.held.contains(held));
    let looks_again = are
        .iter()
        .any(|other| other.act.call == act.call && other.act.by == act.by && other.look.held.taken == act.held.taken);
    let of_name = |deed: &&Deed| deed.name == look.name && deed.held.taken == act.held.taken;
    let is_asked_again = now.iter().any(|deed| of_name(&deed) && deed.event.span.start < act.event.span.start);
    !is_held_on
        && !looks_again
        && !is_asked_again
        && act.held.lock.mode != Mode::Shared
        && changes(both.is.cx, act)
        && !both.is.cx.program.is_always_called_under_a_lock(act.by)
}

/// Whether a method changes what it is called on, as far as that is known.
fn changes(cx: &RuleContext, act: &Deed) -> bool {
    let resolution = cx.resolution(act.by, act.call);
    if let Some(name) = resolution.external() {
        let change = cx.program.tables(Language::Rust).change(name);
        return matches!(change, Some(Change::Adds | Change::Ensures));
    }
    let callees = resolution.functions();
    let takes_alone =
        |callee: &FunctionId| cx.function(*callee).parameters.first().is_some_and(|receiver| receiver.is_exclusive);
    !callees.is_empty() && callees.iter().all(takes_alone)
}

/// The deeds of which one decides whether the other happens.
fn pairs<'d>(whole: &Whole, deeds: &'d [Deed]) -> Vec<Pair<'d>> {
    let mut found = Vec::new();
    for look in deeds {
        let function = whole.cx.function(look.by);
        let after = |act: &&Deed| {
            let at = |deed: &Deed| (deed.event.block, deed.event.step);
            act.by == look.by
                && at(look) < at(act)
                && act.held.lock.place.class == look.held.lock.place.class
                && act.name != look.name
        };
        let mut acts = deeds.iter().filter(after).peekable();
        if acts.peek().is_none() {
            continue;
        }
        let made = whole.cx.program.made_from(look.by, &Uses::of(&function), look.call);
        let decides = |act: &&Deed| {
            function.conditions().any(|(at, on, _)| made.contains(&on) && function.decides(at, act.event.block))
        };
        found.extend(acts.filter(decides).map(|act| Pair { look, act }));
    }
    found
}

fn deeds(whole: &Whole) -> Vec<Deed> {
    let cx = whole.cx;
    let mut found = Vec::new();
    for &by in &whole.parts {
        let facts = cx.facts(by);
        if !facts.holds(|lock| matches!(lock.kind, LockKind::Mutex | LockKind::Rwlock)) {
            continue;
        }
        let function = cx.function(by);
        for event in facts.events.iter().filter(|event| !event.held.is_empty()) {
            let What::Call(call) = event.what else { continue };
            let Some(Callee::Method(receiver, name)) = function.call(call).map(|call| &call.callee) else { continue };
            let owners = owners(cx, by, &function, *receiver, DEEPEST);
            let is_it = |held: &&Held| {
                let is_state = matches!(held.lock.kind, LockKind::Mutex | LockKind::Rwlock);
                let is_exact = held.lock.place.is_exact && held.lock.place.class.is_some();
                is_state && is_exact && matches!(held.by, HeldBy::Guard(owner) if owners.contains(&owner))
            };
            // What unwraps a guard is no deed.
            let is_guard = cx.program.is_guard(&cx.program.value_type(by, call));
            let Some(held) = event.held.iter().find(is_it).filter(|_| !is_guard) else { continue };
            found.push(Deed { by, event: event.clone(), call, name: name.clone(), held: held.clone() });
        }
    }
    found
}

/// Who may own the guard that a value is reached through.
fn owners(cx: &RuleContext, id: FunctionId, function: &Function, value: ValueIndex, depth: u32) -> Vec<Owner> {
    let mut found = vec![Owner::Temporary(value)];
    let Some(depth) = depth.checked_sub(1) else { return found };
    let node = function.value(value);
    match &node.kind {
        ValueKind::Place(place) => {
            let Root::Variable(variable) = place.root else { return found };
            found.push(Owner::Variable(variable));
            let reaching = cx.program.reaching(id, variable, node.block, node.step);
            for bound in &reaching.values {
                found.extend(owners(cx, id, function, *bound, depth));
            }
        }
        ValueKind::Field(of, _) | ValueKind::Index(of) | ValueKind::Reference(of) | ValueKind::Dereference(of) => {
            found.extend(owners(cx, id, function, *of, depth));
        }
        _ => {}
    }
    found
}

fn verdict(both: &OnBoth, (look, act): (&Deed, &Deed)) -> Verdict {
    let (cx, place) = (both.is.cx, &act.held.lock.name);
    let (by, looked, done) = (&cx.function(act.by).name, &look.name, &act.name);
    cx.violated(NAME, Confidence::Medium, act.by, act.event.span, &format!("`{place}`"))
        .assumes(format!("what `{looked}` said under `{place}` in `{by}` still holds where `{done}` is called"))
        .says(format!(
            "`{by}` lets go of `{place}` between `{looked}` and the `{done}` that rests on it; one guard covered both \
             before"
        ))
        .helps("hold one guard from the look to the act, or look again under the second")
        .evidence(cx.location(look.by, look.event.span), format!("`{looked}` is asked under one guard here"))
        .evidence(cx.location(act.by, act.held.taken), format!("`{place}` is taken again here, for `{done}`"))
}
