//! A task that was asked to stop and waited for, and is only asked to stop now.
//!
//! ~~~text
//! self._reader.cancel()
//! try: await self._reader            gone: the reader may still be at work with what is closed next
//! except CancelledError: pass
//! ~~~

use crate::analysis::FunctionId;
use crate::catalogue::Does;
use crate::flow::{Function, Next, ValueIndex, ValueKind};
use crate::rules::context::RuleContext;
use crate::rules::manner::{Gone, OnBoth, Whole, bared};
use crate::text::Span;
use crate::verdict::{Level, Stance};

use super::NAME;

/// How deep what is awaited is searched.
const DEEPEST: u32 = 5;

/// A call that asks something to stop.
struct Stopped {
    by: FunctionId,
    /// What is asked, as it is written.
    of: String,
    span: Span,
    /// Whether it is waited for afterwards.
    is_awaited: bool,
    /// Whether anybody but the function may wait for it: it is looked at again, or handed on.
    is_met_again: bool,
}

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let cx = both.is.cx;
    let (then, now) = (stopped(&both.was), stopped(&both.is));
    for (first, bare) in bared(&then, &now, |one| &one.of, |one| one.is_awaited) {
        let function = cx.function(bare.by);
        if bare.is_met_again || !function.is_async() {
            continue;
        }
        let (of, by) = (&bare.of, &function.name);
        let verdict = cx
            .verdict(NAME, Stance::Unproven, bare.by, bare.span, &format!("`{of}`"))
            .assumes(format!("`{of}` has ended before `{by}` goes on"))
            .says(format!("`{of}` was asked to stop and waited for before, and is only asked to stop now"))
            .asks(format!("can `{of}` still be at work when `{by}` goes on, now that it is not waited for?"))
            .helps("await it after the cancellation, with its cancellation caught")
            .level(Level::Warning);
        out.push(Gone { had: (first.by, first.span), asked: verdict });
        return;
    }
}

fn stopped(whole: &Whole) -> Vec<Stopped> {
    let cx = whole.cx;
    let of_part = |&by: &FunctionId| {
        let function = cx.function(by);
        let calls = cx.program.verbs(by, Does::Cancels).into_iter().map(|(call, receiver)| {
            let span = function.value(call).span;
            let of = cx.program.value_text(by, receiver);
            let later = |(_, value): &(usize, &crate::flow::Value)| value.span.start >= span.end;
            let values = || function.values.iter().enumerate().filter(later);
            // Whoever waits for all of a collection waits for each of it: `gather(*tasks)`.
            let all = taken_from(cx, by, receiver);
            let awaited = |value: &ValueKind| match value {
                ValueKind::Awaited(one) => [Some(&of), all.as_ref()]
                    .into_iter()
                    .flatten()
                    .any(|name| mentions(cx, by, &function, *one, name, DEEPEST)),
                _ => false,
            };
            let is_awaited = values().any(|(_, value)| awaited(&value.kind));
            let hands_on = |value: &ValueKind| match value {
                ValueKind::Call(call) => {
                    call.arguments.iter().any(|given| mentions(cx, by, &function, given.value, &of, DEEPEST))
                }
                _ => false,
            };
            let returns = function.blocks.iter().any(|block| match block.next {
                Next::Return(Some(value)) => mentions(cx, by, &function, value, &of, DEEPEST),
                _ => false,
            });
            let is_met_again = returns || values().any(|(_, value)| hands_on(&value.kind));
            Stopped { by, of, span, is_awaited, is_met_again }
        });
        calls.collect::<Vec<_>>()
    };
    whole.parts.iter().flat_map(of_part).collect()
}

/// The collection that a loop takes a value from, as it is written.
fn taken_from(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> Option<String> {
    let function = cx.function(id);
    let node = function.value(value);
    let ValueKind::Place(place) = &node.kind else { return None };
    let reaching = cx.program.reaching(id, place.as_variable()?, node.block, node.step);
    let &[only] = &reaching.values[..] else { return None };
    match function.value(only).kind {
        ValueKind::Element(of) => Some(cx.program.value_text(id, of)),
        _ => None,
    }
}

/// Whether a value is made from what is written so.
fn mentions(cx: &RuleContext, id: FunctionId, function: &Function, value: ValueIndex, of: &str, depth: u32) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let kind = &function.value(value).kind;
    if matches!(kind, ValueKind::Place(_) | ValueKind::Field(..) | ValueKind::Index(_)) {
        return cx.program.value_text(id, value) == of;
    }
    let mut found = false;
    crate::analysis::uses::for_each_part(kind, |part| found |= mentions(cx, id, function, part, of, depth));
    found
}
