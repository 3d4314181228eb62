//! A handler that handed the cancellation on before the change, and keeps it now.
//!
//! ~~~text
//! except CancelledError:                  except CancelledError:
//!     self.close()                            self.close()
//!     raise                                   return
//! ~~~
//!
//! Who names the cancellation may mean to end with it; who takes the `raise` out has changed what was meant.

use std::collections::BTreeSet;

use crate::analysis::FunctionId;
use crate::analysis::cancellation::Taker;
use crate::flow::{Callee, ValueKind};
use crate::rules::manner::{OnBoth, Whole};
use crate::rules::worse::Worse;
use crate::text::Span;

use super::NAME;

/// A handler that takes cancellations.
struct Handler {
    by: FunctionId,
    span: Span,
    /// The last names of what its `try` calls, by which it is known on the other side.
    tries: BTreeSet<String>,
    hands_on: bool,
}

pub(in crate::rules) fn weigh(both: &OnBoth, out: &mut Vec<Worse>) {
    let cx = both.is.cx;
    let then = handlers(&both.was);
    for now in handlers(&both.is).into_iter().filter(|now| !now.hands_on) {
        let mut alike = then.iter().filter(|then| then.tries == now.tries).peekable();
        if alike.peek().is_some() && alike.all(|then| then.hands_on) {
            let why = "it was raised again here before the change".to_owned();
            out.push(Worse::raises(cx, NAME, now.by, now.span, why));
        }
    }
}

fn handlers(whole: &Whole) -> Vec<Handler> {
    let cx = whole.cx;
    let mut found = Vec::new();
    for &by in &whole.parts {
        let function = cx.function(by);
        for taken in cx.program.cancellations_taken(by) {
            let Taker::Handler { attempt, class: Some(class), .. } = taken.taker else { continue };
            let body = &function.attempts[attempt].body;
            let calls = function.values.iter().filter(|value| body.has(value.block));
            let tries = calls.filter_map(|value| match &value.kind {
                ValueKind::Call(call) => match &call.callee {
                    Callee::Path(path) => path.last().cloned(),
                    Callee::Method(_, name) => Some(name.clone()),
                    _ => None,
                },
                _ => None,
            });
            let ways = cx.program.ways_of(by, taken.taker);
            let hands_on = ways.lost.is_empty() && ways.replaced.is_empty() && !ways.again.is_empty();
            let span = function.value(class).span;
            found.push(Handler { by, span, tries: tries.collect(), hands_on });
        }
    }
    found
}
