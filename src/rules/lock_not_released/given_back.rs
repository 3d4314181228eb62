//! What a function takes by hand was given back before the change, and is not any more, or only where all goes well.
//!
//! ~~~text
//! await slots.acquire()
//! try: await prepare()
//! except: slots.release(); raise       gone: whoever fails keeps the slot
//! ~~~
//!
//! What is taken need not be known: that it was given back here says enough.

use crate::flow::StepKind;
use crate::rules::manner::{Gone, OnBoth};
use crate::rules::on_failure::{Deed, deeds, has_more};
use crate::text::Language;
use crate::verdict::{Level, Stance};

use super::{NAME, by_hand};

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let cx = both.is.cx;
    let tables = cx.program.tables(Language::Python);
    for (take, give) in tables.pairs() {
        let taken = deeds(&both.is, |_, _, method| method == take);
        if taken.is_empty() {
            continue;
        }
        let stood = deeds(&both.was, |_, _, method| method == take);
        let (then, now) =
            (deeds(&both.was, |_, _, method| method == give), deeds(&both.is, |_, _, method| method == give));
        for take in &taken {
            let is_new = !stood.iter().any(|one| one.of == take.of);
            let of_it = |all: &[Deed]| {
                all.iter().filter(|deed| deed.of == take.of).map(|deed| deed.is_on_failure).collect::<Vec<_>>()
            };
            let (given, gives) = (of_it(&then), of_it(&now));
            let is_never = gives.is_empty() && !given.is_empty();
            let is_only_on_success = given.contains(&true) && !gives.contains(&true);
            let (true, false) = (is_never || is_only_on_success, is_new) else { continue };
            let function = cx.function(take.by);
            let goes_on = |step: &StepKind| matches!(step, StepKind::Call(_) | StepKind::Suspend(..));
            let may_fail = function.steps().any(|(_, _, step)| goes_on(&step.kind) && step.span.start >= take.span.end);
            if !may_fail || has_more(&both.was, &both.is) {
                continue;
            }
            let subject = format!("`{}`", take.of);
            // Where the kind of lock is known, more is known of the ways that leave it taken.
            let mut known = Vec::new();
            by_hand(cx, take.by, &mut known);
            if known.iter().any(|verdict| verdict.subject == subject) {
                continue;
            }
            let Some(had) = then.iter().find(|deed| deed.of == take.of) else { continue };
            let (of, by) = (&take.of, &function.name);
            let (says, asks) = if is_never && given.contains(&false) {
                (
                    format!("`{by}` gave `{of}` back before, and no longer does"),
                    format!("who gives `{of}` back, now that `{by}` does not?"),
                )
            } else {
                (
                    format!("`{by}` gave `{of}` back when it failed, and does not any more"),
                    format!("who gives `{of}` back when `{by}` fails after it took it?"),
                )
            };
            let verdict = cx
                .verdict(NAME, Stance::Unproven, take.by, take.span, &subject)
                .assumes(format!("`{of}` is given back on every way out of `{by}`"))
                .says(says)
                .asks(asks)
                .helps("give it back in a `finally`, or say who does")
                .level(Level::Warning);
            out.push(Gone { had: (had.by, had.span), asked: verdict });
            return;
        }
    }
}
