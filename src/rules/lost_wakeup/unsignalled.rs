//! A signal that a function gave before the change and does not give now, while others still wait for it endlessly.
//!
//! ~~~text
//! except Exception as error:
//!     self._opened.set()          gone: `self._opened.wait()` in `start` goes on waiting
//!     raise
//! ~~~

use crate::analysis::{FunctionId, ModuleId};
use crate::catalogue::LockKind;
use crate::flow::{StepKind, ValueIndex};
use crate::rules::context::RuleContext;
use crate::rules::manner::{Gone, OnBoth, Whole};
use crate::text::Span;
use crate::verdict::{Level, Location, Stance};

use super::{NAME, signal_call, wait_of};

/// A call that wakes those who wait.
struct Signal {
    by: FunctionId,
    class: String,
    name: String,
    span: Span,
}

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let (was, is) = (both.was.cx, both.is.cx);
    let (then, now) = (given(&both.was), given(&both.is));
    for gone in &then {
        let is_it = |signal: &&Signal| signal.class == gone.class;
        // Where a function gives it on one of several ways, another question is asked.
        let fewer = now.iter().filter(is_it).count() < then.iter().filter(is_it).count();
        let in_file = |cx: &RuleContext, module| signals_in(cx, module, &gone.class);
        let Some((waiter, at)) = is_waited_for(is, both.is.id.module, &gone.class).filter(|_| fewer) else { continue };
        if now.iter().any(|signal| signal.class == gone.class)
            || in_file(is, both.is.id.module) >= in_file(was, both.was.id.module)
            || both.called_now().iter().any(|id| signals_of(is, *id).any(|signal| signal.class == gone.class))
        {
            continue;
        }
        let (name, by) = (&gone.name, &is.function(both.is.id).name);
        let verdict = is
            .verdict(NAME, Stance::Unproven, both.is.id, is.function(both.is.id).header, &format!("`{name}`"))
            .assumes(format!("those who wait for `{name}` need nothing of `{by}`"))
            .says(format!("`{by}` gave the signal of `{name}` before, and does not give it now"))
            .asks(format!("who wakes `{waiter}` now that `{by}` no longer gives the signal of `{name}`?"))
            .helps("give the signal on every way on which others may wait for it")
            .evidence(at, format!("`{waiter}` waits here, without an end"))
            .level(Level::Warning);
        out.push(Gone { had: (gone.by, gone.span), asked: verdict });
        return;
    }
}

/// What is signalled by a call, if it is a signal.
pub(super) fn signalled(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> Option<String> {
    let (entry, method, receiver) = signal_call(cx, id, call)?;
    let wakes = entry.wakes.values().any(|methods| methods.contains(&method))
        || entry.kind == LockKind::Event && entry.release.contains(&method);
    cx.program.lock_place(id, receiver).class.filter(|_| wakes)
}

/// Who in a file waits for a signal without an end, and where.
pub(super) fn is_waited_for(cx: &RuleContext, module: ModuleId, class: &str) -> Option<(String, Location)> {
    cx.program.functions_of(module).find_map(|id| {
        let function = cx.function(id);
        let found = function.steps().find_map(|(_, _, step)| match step.kind {
            StepKind::Call(call) => {
                let wait = wait_of(cx, id, call)?;
                (wait.place.class.as_deref() == Some(class) && !cx.program.is_test_code(id)).then_some(step.span)
            }
            _ => None,
        });
        found.map(|span| (function.name.clone(), cx.location(id, span)))
    })
}

fn signals_in(cx: &RuleContext, module: ModuleId, class: &str) -> usize {
    cx.program.functions_of(module).map(|id| signals_of(cx, id).filter(|signal| signal.class == class).count()).sum()
}

fn signals_of(cx: &RuleContext, by: FunctionId) -> impl Iterator<Item = Signal> {
    let function = cx.function(by);
    let calls = function.steps().filter_map(|(_, _, step)| {
        let StepKind::Call(call) = step.kind else { return None };
        let class = signalled(cx, by, call)?;
        let text = cx.program.callee_text(by, call);
        let name = text.rsplit_once('.').map_or(text.clone(), |(receiver, _)| receiver.to_owned());
        Some(Signal { by, class, name, span: step.span })
    });
    calls.collect::<Vec<_>>().into_iter()
}

fn given(whole: &Whole) -> Vec<Signal> {
    whole.parts.iter().flat_map(|&part| signals_of(whole.cx, part)).collect()
}
