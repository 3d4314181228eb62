//! Accesses of an atomic that were one step, or ordered something, and no longer are.
//!
//! ~~~text
//! last.fetch_max(ts, …)            ->  last.store(ts, …)              who comes late takes it back
//! ready.load(Acquire)              ->  ready.load(Relaxed)            what was published need not be there
//! state.compare_exchange(…) twice  ->  once                           what was looked at again is not
//! ~~~

use crate::analysis::FunctionId;
use crate::text::Span;
use crate::verdict::Stance;

use super::{Access, How, NAME, accesses};
use crate::rules::manner::{Gone, OnBoth, Whole};

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let (then, now) = (all(&both.was), all(&both.is));
    let mut told: Vec<&str> = Vec::new();
    for (by, access) in &now {
        if told.contains(&access.name.as_str()) {
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
