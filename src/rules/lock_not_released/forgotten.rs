//! Guards whose end never comes, and permits that a call gives back which not every way out passes (Rust).
//!
//! ~~~text
//! sem.acquire().await?.forget();
//! work().await?;                  a failure here, or a drop, keeps the permit out
//! sem.add_permits(1);
//! ~~~

use super::{NAME, is_it, is_let_go_elsewhere, keeps_out, releases};
use crate::analysis::FunctionId;
use crate::analysis::held::{Event, Held, HeldBy, What};
use crate::catalogue::LockKind;
use crate::flow::{Callee, Goes, Next, Owner, StepKind, Stretch, ValueIndex, ValueKind};
use crate::rules::context::RuleContext;
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Verdict};

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let tables = cx.program.tables(Language::Rust);
    for event in &cx.facts(id).events {
        let What::Call(value) = event.what else { continue };
        let resolution = cx.resolution(id, value);
        let leaks = resolution.external().and_then(|name| tables.signature(name)).is_some_and(|known| known.leaks);
        let Some(call) = function.call(value).filter(|_| leaks) else { continue };
        let subject = match &call.callee {
            Callee::Method(receiver, _) => Some(*receiver),
            _ => call.arguments.first().map(|argument| argument.value),
        };
        let Some(mut subject) = subject else { continue };
        while let ValueKind::Try(of) = function.value(subject).kind {
            subject = of;
        }
        let owner = match &function.value(subject).kind {
            ValueKind::Place(place) => place.as_variable().map(Owner::Variable),
            _ => Some(Owner::Temporary(subject)),
        };
        let held = event.held.iter().find(|held| Some(held.by) == owner.map(HeldBy::Guard));
        let Some(held) = held.filter(|held| held.is_certain && keeps_out(&held.lock)) else { continue };
        if held.lock.kind == LockKind::Semaphore && gives_permits(cx, id) {
            out.extend(missed(cx, id, event, held).map(|missed| kept(cx, id, event, held, missed)));
            continue;
        }
        // Whoever lets go by hand wants no guard to do so as well.
        let is_let_go = releases(cx, id).into_iter().any(|place| is_it(&place, &held.lock));
        if is_let_go || is_let_go_elsewhere(cx, id, &held.lock) {
            continue;
        }
        let name = &held.lock.name;
        out.push(
            cx.violated(NAME, cx.confidence_of(held), id, event.span, &format!("`{name}`"))
                .assumes(format!("the guard of `{name}` ends"))
                .says(format!("`{}` makes the guard of `{name}` be forgotten: it is never let go", function.name))
                .helps("drop the guard, or keep it where it will be dropped")
                .evidence(cx.location(id, held.taken), format!("`{name}` is taken here")),
        );
    }
}

/// A way past the call that gives a permit back by hand.
enum Missed {
    /// It returns before.
    Returns,
    /// It may be dropped at an await before.
    Dropped(Span),
}

/// How a function that forgets a permit and gives it back by a call of its own may come to an end before that call.
fn missed(cx: &RuleContext, id: FunctionId, forgets: &Event, held: &Held) -> Option<Missed> {
    if !releases(cx, id).into_iter().any(|place| is_it(&place, &held.lock)) {
        return None;
    }
    let function = cx.function(id);
    let gives_back =
        |value: ValueIndex| cx.program.released_by(id, value).is_some_and(|place| is_it(&place, &held.lock));
    let (mut dropped, mut returns, mut is_given_back) = (None, false, false);
    let visit = |stretch: Stretch| {
        for (_, step) in stretch.steps() {
            match step.kind {
                StepKind::Call(value) if gives_back(value) => {
                    is_given_back = true;
                    return Goes::Aside;
                }
                StepKind::Suspend(how, of) if cx.program.may_suspend(id, how, of) => {
                    dropped = dropped.or(Some(step.span));
                }
                _ => {}
            }
        }
        returns |= matches!(stretch.block.next, Next::Return(_));
        Goes::<()>::On
    };
    function.walk_steps((forgets.block, forgets.step as usize + 1), visit);
    // What no way from here gives back is meant to be gone: so a semaphore is made smaller.
    if !is_given_back {
        return None;
    }
    if returns { Some(Missed::Returns) } else { dropped.map(Missed::Dropped) }
}

fn kept(cx: &RuleContext, id: FunctionId, event: &Event, held: &Held, missed: Missed) -> Verdict {
    let (name, by) = (&held.lock.name, &cx.function(id).name);
    let verdict = cx.violated(NAME, Confidence::Medium, id, event.span, &format!("`{name}`"));
    let verdict = verdict.assumes(format!("the permit of `{name}` is given back on every way out of `{by}`"));
    match missed {
        Missed::Returns => verdict.says(format!(
            "`{by}` makes the permit of `{name}` be forgotten, and returns without giving it back on one of its ways"
        )),
        Missed::Dropped(at) => verdict
            .says(format!(
                "`{by}` makes the permit of `{name}` be forgotten, and awaits before it gives it back: dropped there, \
                 it never does"
            ))
            .evidence(cx.location(id, at), "it gives way here, with the permit out"),
    }
    .helps("keep the permit as long as it is needed, and let its end give it back")
    .evidence(cx.location(id, held.taken), format!("`{name}` is taken here"))
}

/// Whether the file gives a semaphore permits by another way than the end of one that was taken.
fn gives_permits(cx: &RuleContext, id: FunctionId) -> bool {
    let mut all = cx.program.functions_of(id.module);
    all.any(|other| !releases(cx, other).is_empty())
}
