//! A call that was handed to the loop's thread before the change, and is made in place now.
//!
//! ~~~text
//! self._loop.call_soon_threadsafe(self._rows.put_nowait, row)      from whatever thread
//! self._rows.put_nowait(row)                                       only in the loop's own
//! ~~~

use std::collections::BTreeSet;

use crate::analysis::FunctionId;
use crate::catalogue::{Does, Runs};
use crate::flow::{Call, Callee, FunctionKind, ValueIndex, ValueKind};
use crate::rules::context::RuleContext;
use crate::rules::manner::{Gone, OnBoth, Whole};
use crate::text::{Language, Span};
use crate::verdict::{Level, Stance};

use super::NAME;

/// A call, in place or handed over.
struct Made {
    by: FunctionId,
    /// What is called, as it is written.
    text: String,
    span: Span,
    is_handed: bool,
}

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let (then, now) = (made(&both.was), made(&both.is));
    let cx = both.is.cx;
    for handed in then.iter().filter(|made| made.is_handed) {
        let count = |of: &[Made], text: &str, is_handed| {
            of.iter().filter(|made| made.is_handed == is_handed && made.text == text).count()
        };
        if count(&now, &handed.text, true) > 0 {
            continue;
        }
        let none_left = !now.iter().any(|made| made.is_handed);
        let bare = now.iter().filter(|made| !made.is_handed).find(|made| {
            let is_new = || count(&now, &made.text, false) > count(&then, &made.text, false);
            let is_it = made.text == handed.text;
            // The way across is gone as a whole, and the same object is used in place.
            let is_of_it = none_left && of_one_object(&made.text, &handed.text);
            is_it && is_new() || is_of_it
        });
        let Some(bare) = bare.filter(|bare| may_be_elsewhere(cx, bare.by)) else { continue };
        let (text, by) = (&bare.text, &cx.function(both.is.id).name);
        let verdict = cx
            .verdict(NAME, Stance::Unproven, bare.by, bare.span, &format!("`{text}`"))
            .assumes(format!("`{by}` runs in the thread of the loop that `{text}` belongs to"))
            .says(format!(
                "`{by}` handed `{}` to the loop's thread before, and calls `{text}` in its own now",
                handed.text
            ))
            .asks(format!("is `{by}` only called in the loop's own thread, now that `{text}` is called in place?"))
            .helps("hand it to the loop's thread as before")
            .level(Level::Error);
        out.push(Gone { had: (handed.by, handed.span), asked: verdict });
        return;
    }
}

/// Whether a function is not known to run on the loop, and no thread of its own is known either, of which others speak.
fn may_be_elsewhere(cx: &RuleContext, id: FunctionId) -> bool {
    let is_in_thread = cx.program.handed_over(id).iter().any(|hand_over| hand_over.runs == Runs::Thread);
    !cx.function(id).is_async() && !cx.runs_on_loop(id) && !is_in_thread && !cx.context(id).is_in_thread()
}

/// Whether two calls are of one object that is not the function's own: `queue.put`, `queue.put_nowait`.
fn of_one_object(one: &str, other: &str) -> bool {
    let receiver = |text: &str| text.rsplit_once('.').map(|(receiver, _)| receiver.to_owned());
    let of = receiver(one);
    of.is_some() && of == receiver(other) && of.as_deref() != Some("self")
}

fn made(whole: &Whole) -> Vec<Made> {
    let cx = whole.cx;
    let mut found = Vec::new();
    let mut handed: BTreeSet<FunctionId> = BTreeSet::new();
    for &by in &whole.parts {
        let function = cx.function(by);
        let is_handed_itself = handed.contains(&by);
        for (at, value) in (0..).map(ValueIndex).zip(&function.values) {
            let ValueKind::Call(call) = &value.kind else { continue };
            if hands_over(cx, call) {
                let Some(given) = call.arguments.first() else { continue };
                let text = match &function.value(given.value).kind {
                    ValueKind::Function(index) => {
                        handed.insert(FunctionId { module: by.module, index: *index });
                        continue;
                    }
                    ValueKind::Call(_) => cx.program.callee_text(by, given.value),
                    _ => cx.program.value_text(by, given.value),
                };
                found.push(Made { by, text, span: value.span, is_handed: true });
            } else {
                let text = cx.program.callee_text(by, at);
                let is_given = function.values.iter().any(|other| match &other.kind {
                    ValueKind::Call(call) => {
                        hands_over(cx, call) && call.arguments.iter().any(|given| given.value == at)
                    }
                    _ => false,
                });
                // A function that has a name may be handed over, and called in place too.
                let is_handed = is_handed_itself && function.kind == FunctionKind::Closure;
                if !is_given {
                    found.push(Made { by, text, span: value.span, is_handed });
                }
            }
        }
    }
    found
}

/// Whether a call hands something to the thread of a loop.
fn hands_over(cx: &RuleContext, call: &Call) -> bool {
    let name = match &call.callee {
        Callee::Method(_, name) => Some(name),
        Callee::Path(path) => path.last(),
        Callee::Value(_) | Callee::Super(_) | Callee::Macro(_) => None,
    };
    name.is_some_and(|name| cx.program.tables(Language::Python).verb(name) == Some(Does::HandsOver))
}
