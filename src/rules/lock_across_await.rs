//! A blocking lock, borrow or entered span is held while the task gives way.

use crate::analysis::FunctionId;
use crate::analysis::held::{HeldBy, What};
use crate::catalogue::{Flavour, LockKind};
use crate::flow::Suspension;
use crate::verdict::Verdict;

use super::context::RuleContext;

const NAME: &str = "lock-across-await";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let facts = cx.facts(id);
    // A lock that is held over several awaits is one finding, at the first.
    let mut reported = Vec::new();
    for event in &facts.events {
        let What::Suspend(how, _) = event.what else { continue };
        if event.held.is_empty() || !cx.gives_way(id, event) {
            continue;
        }
        for held in event.held.iter().filter(|held| held.lock.flavour != Flavour::Async) {
            if reported.contains(&held.taken) {
                continue;
            }
            reported.push(held.taken);
            let lock = &held.lock;
            let name = &function.name;
            let (assumption, message) = match lock.flavour {
                Flavour::Cell => (
                    format!("`{}` is not borrowed where `{name}` gives way", lock.name),
                    format!("`{}` stays borrowed while `{name}` {}", lock.name, gives_way(how)),
                ),
                Flavour::Span => (
                    format!("`{}` is not entered where `{name}` gives way", lock.name),
                    format!("`{}` stays entered while `{name}` {}", lock.name, gives_way(how)),
                ),
                Flavour::Blocking | Flavour::Async => (
                    format!("`{}` is not held where `{name}` gives way", lock.name),
                    format!("`{}` is held while `{name}` {}", lock.name, gives_way(how)),
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

fn gives_way(how: Suspension) -> &'static str {
    match how {
        Suspension::Await => "awaits",
        Suspension::Next => "waits for the next item",
        Suspension::Enter => "enters an `async with`",
        Suspension::Exit => "leaves an `async with`",
        Suspension::Yield => "yields",
    }
}
