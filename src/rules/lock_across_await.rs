//! A blocking lock, borrow or entered span is held while the task gives way.

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, Held, HeldBy, What};
use crate::analysis::locks::LockRoot;
use crate::catalogue::{Flavour, LockKind, Runs};
use crate::flow::{Collection, Owner, Suspension, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Stance, Verdict};

use super::context::RuleContext;

const NAME: &str = "lock-across-await";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let facts = cx.facts(id);
    // A lock that is held over several awaits is one finding, at the first.
    let mut reported = Vec::new();
    for event in &facts.events {
        let What::Suspend(how, of) = event.what else { continue };
        if event.held.is_empty() || !cx.gives_way(id, event) {
            continue;
        }
        for held in event.held.iter().filter(|held| held.lock.flavour != Flavour::Async) {
            if reported.contains(&held.taken) || is_ended_inside(cx, id, of, held) {
                continue;
            }
            reported.push(held.taken);
            if keeps_tests_apart(cx, id, held) {
                continue;
            }
            let lock = &held.lock;
            let name = &function.name;
            if lock.kind == LockKind::Marked {
                out.push(marked(cx, id, event, held, how));
                continue;
            }
            let (assumption, message) = match lock.flavour {
                Flavour::Cell => (
                    format!("`{}` is not borrowed where `{name}` gives way", lock.name),
                    format!("`{}` stays borrowed while `{name}` {}", lock.name, how.told()),
                ),
                Flavour::Span => (
                    format!("`{}` is not entered where `{name}` gives way", lock.name),
                    format!("`{}` stays entered while `{name}` {}", lock.name, how.told()),
                ),
                Flavour::Blocking | Flavour::Async => (
                    format!("`{}` is not held where `{name}` gives way", lock.name),
                    format!("`{}` is held while `{name}` {}", lock.name, how.told()),
                ),
            };
            let because = cx.program.held_because(id, held);
            let taken = if because.is_empty() {
                format!("`{}` is taken here", lock.name)
            } else {
                format!("`{}` is taken here; {because}", lock.name)
            };
            let help = match (lock.kind, held.by) {
                (LockKind::Cell, _) => "end the borrow before the await: copy what is needed out of it",
                (_, HeldBy::Guard(_)) => {
                    "end the guard in a block of its own before the await, or use an asynchronous lock"
                }
                (_, HeldBy::Decorator) => "take the lock inside, around what needs it, or use an asynchronous lock",
                (_, HeldBy::Loop(_)) => "loop over a copy that was made under the lock",
                (_, HeldBy::Block(_) | HeldBy::Manual) => {
                    "leave the lock before the await, or use an asynchronous lock with `async with`"
                }
            };
            out.push(
                cx.violated(NAME, cx.confidence_of(held), id, event.span, &format!("`{}`", lock.name))
                    .assumes(assumption)
                    .says(message)
                    .helps(help)
                    .evidence(cx.location(id, held.taken), taken),
            );
        }
    }
}

/// Whether a lock only keeps tests from running at once: each runs on a runtime and a thread of its own, and nothing
/// beside this one wants the lock there. What helps tests may run beside itself in one of them.
fn keeps_tests_apart(cx: &RuleContext, id: FunctionId, held: &Held) -> bool {
    let function = cx.function(id);
    let runs_beside = || {
        let is_left = |call| {
            let callees = cx.resolution(id, call).functions();
            callees.iter().any(|callee| cx.function(*callee).is_async()) && !cx.program.is_awaited(id, call)
        };
        let is_several =
            |kind: &ValueKind| matches!(kind, ValueKind::Collection(Collection::Join | Collection::Select(_), _));
        function.values.iter().any(|value| is_several(&value.kind))
            || function.calls().any(|(call, _)| cx.program.starts(id, call).is_some() || is_left(call))
    };
    cx.language(id.module) == Language::Rust
        && held.lock.flavour == Flavour::Blocking
        && matches!(held.lock.place.root, LockRoot::Static(_))
        && cx.context(id).runs.contains(&Runs::Test)
        && !runs_beside()
}

/// Whether a guard went into the call that is awaited, and ends there before anything is waited for.
fn is_ended_inside(cx: &RuleContext, id: FunctionId, of: Option<ValueIndex>, held: &Held) -> bool {
    let Some(of) = of.filter(|of| held.by == HeldBy::Guard(Owner::Temporary(*of))) else { return false };
    let callees = cx.resolution(id, of).functions();
    !callees.is_empty() && !callees.iter().any(|callee| cx.program.gives_way_under_its_guards(*callee))
}

/// A value is alive whose own type says that it must not be, or that its end matters.
fn marked(cx: &RuleContext, id: FunctionId, event: &Event, held: &Held, how: Suspension) -> Verdict {
    let name = &cx.function(id).name;
    let of = &held.lock.type_name;
    let because = cx.program.held_because(id, held).replace("its guard", "it");
    let made = if because.is_empty() { "made here".to_owned() } else { format!("made here; {because}") };
    // What happens at the end of such a value only its author knows.
    let is_forbidden = held.lock.flavour == Flavour::Span;
    let stance = if is_forbidden { Stance::Violated(cx.confidence_of(held)) } else { Stance::Unproven };
    let verdict = cx
        .verdict(NAME, stance, id, event.span, &format!("`{of}`"))
        .assumes(format!("no `{of}` is alive where `{name}` gives way"))
        .helps("end it in a block of its own before the await")
        .evidence(cx.location(id, held.taken), made);
    if is_forbidden {
        return verdict.says(format!("a `{of}` is alive while `{name}` {}, which its type forbids", how.told()));
    }
    verdict.asks(format!("may a `{of}`, whose end matters by its own word, be alive while `{name}` {}?", how.told()))
}
