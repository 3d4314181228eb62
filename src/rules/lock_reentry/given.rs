//! A function that is given to somebody who calls it while he holds a lock, and that takes that lock itself.

use crate::analysis::FunctionId;
use crate::analysis::held::{Waits, What};
use crate::catalogue::LockKind;
use crate::verdict::{Confidence, Hop, Verdict};

use super::super::context::RuleContext;
use super::{NAME, harm};

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    for event in &cx.facts(id).events {
        let What::Call(call) = event.what else { continue };
        let all = cx.program.given_under(id, call);
        let again = all.iter().find_map(|under| {
            let summary = cx.program.summary(under.given);
            summary.takes.iter().filter(|takes| takes.waits == Waits::Yes).find_map(|takes| {
                let lock = cx.program.bound(id, &under.binding, under.given, &takes.lock);
                let waits = lock.waits_for_itself(&under.held) && !lock.shares_with(&under.held);
                // A second permit may be there.
                let is_one = matches!(lock.kind, LockKind::Mutex | LockKind::Rwlock | LockKind::Cell);
                (waits && is_one).then(|| (under, takes.clone(), lock))
            })
        });
        let Some((under, takes, lock)) = again else { continue };
        let (name, by) = (&under.held.name, cx.program.callee_text(id, call));
        let is_sure = under.held.is_resolved && lock.is_resolved;
        let confidence = if is_sure { Confidence::High } else { Confidence::Medium };
        let called = Hop {
            function: cx.function(under.by).qualified.clone(),
            at: under.called.clone(),
            what: format!("calls what it is given under `{name}`"),
        };
        out.push(
            cx.violated(NAME, confidence, id, event.span, &format!("`{name}`"))
                .assumes(format!("nothing that `{by}` is given takes `{name}`"))
                .says(format!(
                    "`{by}` holds `{name}` while it calls what it is given here, which takes it again: {}",
                    harm(&lock)
                ))
                .helps("take nothing in there that is held already, or do it before or after")
                .evidence(under.taken.clone(), format!("`{name}` is taken here"))
                .evidence(takes.at.clone(), format!("`{}` is taken again here", takes.lock.name))
                .trace([cx.program.hop(id, event.span, format!("gives a function to `{by}`")), called])
                .trace(takes.hops.iter().cloned()),
        );
    }
}
