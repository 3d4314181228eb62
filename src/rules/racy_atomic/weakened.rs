//! Accesses of an atomic that were one step, or ordered something, and no longer are.
//!
//! ~~~text
//! last.fetch_max(ts, …)            ->  last.store(ts, …)              who comes late takes it back
//! ready.load(Acquire)              ->  ready.load(Relaxed)            what was published need not be there
//! state.compare_exchange(…) twice  ->  once                           what was looked at again is not
//! ~~~

use crate::analysis::FunctionId;
use crate::rules::manner::{Gone, OnBoth, Whole};
use crate::rules::worse::Worse;
use crate::text::Span;
use crate::verdict::{Stance, Verdict};

use super::{Access, How, NAME, accesses, dependent_stores, is_guarded};

/// Questions about a load and the store that rests on it, where the two were one step before the change, or stood under
/// one lock: whoever wrote it so had seen others there.
pub(in crate::rules) fn weigh(both: &OnBoth, out: &mut Vec<Worse>) {
    let asked = dependent(both);
    if asked.is_empty() {
        return;
    }
    let (then, now) = (all(&both.was), all(&both.is));
    let is_step = |how: How| matches!(how, How::Update | How::Weak);
    for (by, verdict) in asked {
        let Some(name) = verdict.subject.split('`').nth(1) else { continue };
        let of_name = |(_, access): &&(FunctionId, Access)| access.name == name;
        let steps = |all: &[(FunctionId, Access)]| all.iter().filter(of_name).any(|(_, access)| is_step(access.how));
        let why = if steps(&then) && !steps(&now) {
            format!("`{name}` was changed in one step before the change")
        } else if is_under_one_lock(both, &then, name) {
            format!("one lock was held over both accesses of `{name}` before the change")
        } else {
            continue;
        };
        out.push(Worse::answers(both.is.cx, NAME, by, verdict.at.span, why));
    }
}

/// What is asked of the stores that rest on an earlier load now.
fn dependent(both: &OnBoth) -> Vec<(FunctionId, Verdict)> {
    let mut found = Vec::new();
    for &part in &both.is.parts {
        let mut out = Vec::new();
        dependent_stores(both.is.cx, part, &accesses(both.is.cx, part), &mut out);
        found.extend(out.into_iter().filter(|verdict| verdict.stance == Stance::Unproven).map(|it| (part, it)));
    }
    found
}

/// Whether one lock was held from a load of an atomic to a store of it.
fn is_under_one_lock(both: &OnBoth, then: &[(FunctionId, Access)], name: &str) -> bool {
    let of = |how: How| then.iter().filter(move |(_, access)| access.name == name && access.how == how);
    of(How::Load).any(|(by, load)| {
        let mut stores = of(How::Store).filter(|(other, store)| other == by && load.step_before(store));
        stores.any(|(_, store)| is_guarded(both.was.cx, *by, load, store))
    })
}

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let (then, now) = (all(&both.was), all(&both.is));
    let dependent = dependent(both);
    let mut told: Vec<&str> = Vec::new();
    for (by, access) in &now {
        // What rests on an earlier load is told already.
        let is_told = || dependent.iter().any(|(of, verdict)| of == by && verdict.at.span == access.span);
        if told.contains(&access.name.as_str()) || access.how == How::Store && is_told() {
            continue;
        }
        let of_place = |all: &'_ [(FunctionId, Access)], how: Option<How>| {
            let is_it =
                |other: &&(FunctionId, Access)| other.1.name == access.name && how.is_none_or(|how| other.1.how == how);
            all.iter().filter(is_it).count()
        };
        let updates = |all: &[(FunctionId, Access)]| of_place(all, Some(How::Update)) + of_place(all, Some(How::Weak));
        let (had, has) = (updates(&then), updates(&now));
        let found = if had > 0 && has == 0 && access.how == How::Store && of_place(&then, Some(How::Store)) == 0 {
            Some((
                format!("`{}` was changed in one step that looks at what it is, and is overwritten now", access.name),
                format!(
                    "can somebody else have changed `{}` meanwhile, so that this store takes it back?",
                    access.name
                ),
                "change it in one step as before",
                How::Update,
            ))
        } else if access.is_relaxed && of_place(&then, Some(access.how)) > 0 && ordered(&then, access) {
            Some((
                format!("`{}` ordered what stands around it, and is relaxed now", access.name),
                format!("does anybody who sees `{}` rely on what was written before it?", access.name),
                "keep the order, or say what else gives it",
                access.how,
            ))
        } else if had > has && has > 0 && acts_alone(both, &now, (*by, access)) {
            Some((
                format!("`{}` is looked at fewer times than before around what is done to others with it", access.name),
                format!("can `{}` have changed after it was looked at, now that nobody looks again?", access.name),
                "look again in the step that acts, or change both in one",
                How::Update,
            ))
        } else {
            None
        };
        let Some((says, asks, help, how)) = found else { continue };
        let mut had = then.iter().filter(|(_, other)| other.name == access.name && other.how == how);
        let Some((was_by, was)) = had.next_back() else { continue };
        told.push(&access.name);
        let at = if how == How::Update && has > 0 {
            beside(both, &now, (*by, access)).unwrap_or(access.span)
        } else {
            access.span
        };
        let verdict = both
            .is
            .cx
            .verdict(NAME, Stance::Unproven, *by, at, &format!("`{}`", access.name))
            .assumes(format!("nobody comes between the accesses of `{}`", access.name))
            .says(says)
            .asks(asks)
            .helps(help);
        out.push(Gone { had: (*was_by, was.span), asked: verdict });
    }
}

fn all(whole: &Whole) -> Vec<(FunctionId, Access)> {
    let of_part = |&part: &FunctionId| accesses(whole.cx, part).into_iter().map(move |access| (part, access));
    whole.parts.iter().flat_map(of_part).collect()
}

/// Whether no access of a place of one kind was relaxed.
fn ordered(then: &[(FunctionId, Access)], now: &Access) -> bool {
    let mut alike = then.iter().filter(|(_, then)| then.name == now.name && then.how == now.how);
    alike.all(|(_, then)| !then.is_relaxed)
}

/// Whether another atomic is changed on a way on which this one is only looked at.
fn acts_alone(both: &OnBoth, now: &[(FunctionId, Access)], (by, access): (FunctionId, &Access)) -> bool {
    access.how == How::Load && beside(both, now, (by, access)).is_some()
}

/// Where another atomic is changed with no exchange of this one on the way.
fn beside(both: &OnBoth, now: &[(FunctionId, Access)], (by, access): (FunctionId, &Access)) -> Option<Span> {
    let function = both.is.cx.function(by);
    let changes = |how: How| matches!(how, How::Update | How::Weak | How::Store);
    let of_part = || now.iter().filter(|(of, other)| *of == by && changes(other.how)).map(|(_, other)| other);
    let is_won = |other: &Access| {
        let mut own = of_part().filter(|own| own.name == access.name);
        own.any(|own| function.leads_to(own.block, other.block))
    };
    let mut others = of_part().filter(|other| other.name != access.name && access.step_before(other));
    others.find(|other| !is_won(other)).map(|other| other.span)
}
