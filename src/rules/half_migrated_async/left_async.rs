//! A function from which the change took the last await, and which is asynchronous still.
//!
//! ~~~text
//! async def load(path):                        async def load(path):
//!     return await store.read(path)      ->        return cache[path]
//! ~~~
//!
//! Nothing fails: whoever calls it awaits what does not give way. It may be that the call which was awaited is missing,
//! or that the function and its callers were meant to become plain. As code stands it is style, and none of our business.
//! Where another rule says what came in the place of the await (a call that blocks, a coroutine that nobody awaits, a lock
//! that is gone), one finding is enough.

use crate::analysis::FunctionId;
use crate::analysis::makes::Makes;
use crate::flow::{Colour, Quality, StepKind, Suspension, ValueIndex, is_special};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Level};

use super::super::context::RuleContext;
use super::super::manner::Gone;
use super::NAME;

pub(in crate::rules) fn check(
    (was, then): (&RuleContext, FunctionId),
    (is, now): (&RuleContext, FunctionId),
) -> Option<Gone> {
    let function = is.function(now);
    let awaited = waits_at(was, then, &[Suspension::Await, Suspension::Next])
        .filter(|_| was.function(then).colour == function.colour);
    let (Some(awaited), Language::Python) = (awaited, is.language(now.module)) else { return None };
    let all = [Suspension::Await, Suspension::Next, Suspension::Enter, Suspension::Exit];
    let is_async = matches!(function.colour, Colour::Async | Colour::AsyncGenerator);
    if !is_async || waits_at(is, now, &all).is_some() || is_bound_to_be_async(is, now) || is_told_of(is, now) {
        return None;
    }
    let (name, subject) = (&function.name, format!("`{}`", function.name));
    let asked = is
        .violated(NAME, Confidence::High, now, function.header, &subject)
        .assumes(format!("`{name}` is asynchronous because it awaits something"))
        .says(format!("`{name}` no longer awaits anything, and is asynchronous still"))
        .helps("make it and its callers plain, or look for the await that is missing")
        .level(Level::Note);
    Some(Gone { had: (then, awaited), asked })
}

/// Where a function waits in one of some ways.
fn waits_at(cx: &RuleContext, id: FunctionId, ways: &[Suspension]) -> Option<Span> {
    cx.function(id).steps().find_map(|(_, _, step)| match step.kind {
        StepKind::Suspend(how, _) if ways.contains(&how) => Some(step.span),
        _ => None,
    })
}

/// Whether another rule speaks of what stands where the await was.
fn is_told_of(cx: &RuleContext, id: FunctionId) -> bool {
    let function = cx.function(id);
    let makes = |at: usize| cx.program.makes(id, ValueIndex(at as u32)) == Some(Makes::Coroutine);
    function.quality != Quality::Whole
        || !cx.program.summary(id).blocks.is_empty()
        || (0..function.values.len()).any(makes)
}

/// Whether somebody else may ask for the colour: a base class, a protocol, a decorator. What is still to be written is
/// another rule's.
fn is_bound_to_be_async(cx: &RuleContext, id: FunctionId) -> bool {
    let function = cx.function(id);
    let has_bases = || {
        let owner = function.owner.map(|index| crate::analysis::TypeId { module: id.module, index });
        owner.is_some_and(|owner| !cx.program.type_def(owner).bases.is_empty())
    };
    function.is_bodiless
        || is_special(&function.name)
        || cx.program.is_stub(id)
        || !cx.program.is_called_as_written(id)
        || has_bases()
}
