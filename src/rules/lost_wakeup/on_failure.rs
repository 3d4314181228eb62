//! Whoever waits was told of a failure before the change, and is not any more.
//!
//! ~~~text
//! try: row = parse(answer)
//! except ValueError as error: reply.set_exception(error)      gone: a failure leaves the waiter waiting
//! reply.set_result(row)
//!
//! try: self._rows = load()
//! finally: self._ready.set()                                  moved into the `try`: so does this one
//! ~~~

use crate::analysis::FunctionId;
use crate::catalogue::Does;
use crate::flow::{StepKind, ValueIndex};
use crate::rules::context::RuleContext;
use crate::rules::manner::{Gone, OnBoth, Whole};
use crate::rules::on_failure::{Deed, deeds, has_more};
use crate::text::Language;
use crate::verdict::{Level, Stance};

use super::NAME;
use super::unsignalled::{is_waited_for, signalled};

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let cx = both.is.cx;
    let (then, now) = (told(&both.was), told(&both.is));
    for told in then.iter().filter(|deed| deed.is_on_failure) {
        let alike: Vec<&Deed> = now.iter().filter(|deed| deed.of == told.of).collect();
        // What was told of failures alone may be told of them elsewhere now.
        let Some(left) = alike.first().filter(|_| alike.iter().all(|deed| !deed.is_on_failure)) else { continue };
        let signal = signalled(cx, left.by, left.call);
        if signal.is_some_and(|class| is_waited_for(cx, left.by.module, &class).is_none()) {
            continue;
        }
        let function = cx.function(left.by);
        let fails = function.steps().find_map(|(_, _, step)| match step.kind {
            StepKind::Call(call) if call != left.call && step.span.end <= left.span.start => Some((call, step.span)),
            _ => None,
        });
        let Some((call, at)) = fails.filter(|_| !has_more(&both.was, &both.is)) else { continue };
        let (of, by) = (&told.of, &function.name);
        let name = cx.program.callee_text(left.by, call);
        let verdict = cx
            .verdict(NAME, Stance::Unproven, left.by, left.span, &format!("`{of}`"))
            .assumes(format!("whoever waits for `{of}` hears of it when `{by}` fails"))
            .says(format!(
                "`{by}` told those who wait for `{of}` of a failure before, and tells them only of success now"
            ))
            .asks(format!("who wakes those who wait for `{of}` when `{by}` fails before this?"))
            .helps("hand the failure to it as before")
            .evidence(cx.location(left.by, at), format!("`{name}` may fail here"))
            .level(Level::Warning);
        out.push(Gone { had: (told.by, told.span), asked: verdict });
        return;
    }
}

/// The calls that wake others: outcomes of futures, and signals.
fn told(whole: &Whole) -> Vec<Deed> {
    let cx: &RuleContext = whole.cx;
    let tables = cx.program.tables(Language::Python);
    deeds(whole, |by: FunctionId, call: ValueIndex, method: &str| {
        tables.verb(method) == Some(Does::Settles) || signalled(cx, by, call).is_some()
    })
}
