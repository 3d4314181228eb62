//! A future that got its outcome only if it had none yet, and gets it in any case now.
//!
//! ~~~text
//! if not reply.done():
//!     reply.set_result(row)      raises where whoever waited was cancelled, or where another was faster
//! ~~~

use crate::analysis::FunctionId;
use crate::catalogue::Does;
use crate::flow::{BlockIndex, Callee, Function, ValueIndex, ValueKind};
use crate::rules::context::RuleContext;
use crate::rules::manner::{Gone, OnBoth, Whole};
use crate::text::Span;
use crate::verdict::{Level, Stance};

use super::NAME;

/// How deep a condition is searched.
const DEEPEST: u32 = 6;

/// What is known of a future when it is given its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Look {
    Nothing,
    /// Nobody cancelled it.
    NotCancelled,
    /// It has no outcome, or whoever gives it minds no other.
    Open,
}

/// A call that gives a future its outcome.
struct Settling {
    by: FunctionId,
    /// The future, as it is written.
    of: String,
    call: ValueIndex,
    span: Span,
    look: Look,
}

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let cx = both.is.cx;
    let (then, now) = (settlings(&both.was), settlings(&both.is));
    for bare in &now {
        let alike: Vec<&Settling> = then.iter().filter(|then| then.of == bare.of).collect();
        let Some(weakest) = alike.iter().min_by_key(|then| then.look).filter(|then| then.look > bare.look) else {
            continue;
        };
        let (of, by) = (&bare.of, &cx.function(bare.by).name);
        let name = cx.program.callee_text(bare.by, bare.call);
        let says = match bare.look {
            Look::Nothing => {
                format!("`{by}` asked whether `{of}` has its outcome before it called `{name}`, and does not now")
            }
            Look::NotCancelled | Look::Open => {
                format!("`{by}` asked whether `{of}` has its outcome, and asks only whether it was cancelled now")
            }
        };
        let verdict = cx
            .verdict(NAME, Stance::Unproven, bare.by, bare.span, &format!("`{of}`"))
            .assumes(format!("`{of}` has no outcome when `{by}` gives it one"))
            .says(says)
            .asks(format!("can `{of}` have its outcome already, or be cancelled by whoever waits for it?"))
            .helps("ask whether it is done first")
            .level(Level::Warning);
        out.push(Gone { had: (weakest.by, weakest.span), asked: verdict });
        return;
    }
}

fn settlings(whole: &Whole) -> Vec<Settling> {
    let cx = whole.cx;
    let of_part = |&by: &FunctionId| {
        let function = cx.function(by);
        let calls = cx.program.verbs(by, Does::Settles).into_iter().map(|(call, receiver)| {
            let of = cx.program.value_text(by, receiver);
            let look = look(cx, by, &function, function.value(call).block, &of);
            Settling { by, of, call, span: function.value(call).span, look }
        });
        calls.collect::<Vec<_>>()
    };
    whole.parts.iter().flat_map(of_part).collect()
}

/// The most that a branch on the way to a block asked of a future.
fn look(cx: &RuleContext, id: FunctionId, function: &Function, to: BlockIndex, of: &str) -> Look {
    if function.attempts.iter().any(|attempt| attempt.body.has(to) && !attempt.handlers.is_empty()) {
        return Look::Open;
    }
    let decisive = function.conditions().filter(|(at, ..)| function.decides(*at, to));
    let decisive = decisive.map(|(_, value, _)| asked(cx, id, function, value, of, DEEPEST));
    decisive.max().unwrap_or(Look::Nothing)
}

/// What a condition asks of a future.
fn asked(cx: &RuleContext, id: FunctionId, function: &Function, value: ValueIndex, of: &str, depth: u32) -> Look {
    let Some(depth) = depth.checked_sub(1) else { return Look::Nothing };
    let node = function.value(value);
    if let ValueKind::Call(call) = &node.kind
        && let Callee::Method(receiver, method) = &call.callee
        && cx.program.value_text(id, *receiver) == of
    {
        return match cx.program.tables(cx.language(id.module)).verb(method) {
            Some(Does::Sees) => Look::Open,
            Some(Does::Asks) => Look::NotCancelled,
            _ => Look::Nothing,
        };
    }
    let mut most = Look::Nothing;
    let note = |part| most = most.max(asked(cx, id, function, part, of, depth));
    match &node.kind {
        // A flag that was bound to the answer.
        ValueKind::Place(place) => {
            let bound = place.as_variable().map(|one| cx.program.reaching(id, one, node.block, node.step).values);
            bound.into_iter().flatten().for_each(note);
        }
        kind => crate::analysis::uses::for_each_part(kind, note),
    }
    most
}
