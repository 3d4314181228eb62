//! Two locks that a function took one inside the other, and takes one after the other now (Rust).

use crate::analysis::locks::Lock;
use crate::catalogue::{LockKind, Mode};
use crate::text::Language;
use crate::verdict::{Stance, Verdict};

use super::{NAME, Of};

/// What the two protect no longer changes in one step. That may be what the change is for, so it is a question.
pub(super) fn check(was: Of, is: Of, before: &mut Vec<Verdict>, after: &mut Vec<Verdict>) {
    if is.cx.language(is.id.module) != Language::Rust {
        return;
    }
    let nested = |of: Of| {
        let summary = of.cx.program.summary(of.id);
        let pairs = summary.pairs.iter().filter(|pair| keeps_out(&pair.held) && keeps_out(&pair.taken));
        let classes = pairs.filter_map(|pair| Some((pair.held.place.class.clone()?, pair.taken.place.class.clone()?)));
        classes.collect::<std::collections::BTreeSet<_>>()
    };
    let (then, now) = (nested(was), nested(is));
    let summary = is.cx.program.summary(is.id);
    let takes = |class: &str| {
        summary.takes.iter().find(|takes| keeps_out(&takes.lock) && takes.lock.place.class.as_deref() == Some(class))
    };
    let function = is.cx.function(is.id);
    for (outer, inner) in then.iter().filter(|pair| !now.contains(pair) && pair.0 != pair.1) {
        let (Some(first), Some(second)) = (takes(outer), takes(inner)) else { continue };
        let (Some(begun), Some(ended)) = (first.hops.first(), second.hops.first()) else { continue };
        // The outer one must be the function's own, or nothing of its extent is known.
        if first.hops.len() != 1 || begun.at.span.start >= ended.at.span.start {
            continue;
        }
        let (one, other, by) = (&first.lock.name, &second.lock.name, &function.name);
        let subject = format!("`{one}`, `{other}`");
        before.push(
            was.cx
                .verdict(NAME, Stance::Upheld, was.id, was.cx.function(was.id).header, &subject)
                .assumes(format!("what `{one}` and `{other}` protect changes in one step")),
        );
        after.push(
            is.cx
                .verdict(NAME, Stance::Unproven, is.id, ended.at.span, &subject)
                .assumes(format!("nobody needs what `{one}` and `{other}` protect to change in one step"))
                .says(format!("`{by}` lets `{one}` go before it takes `{other}`, which it took under it before"))
                .asks(format!(
                    "`{by}` took `{other}` under `{one}` before, and takes it after `{one}` is let go now: may others \
                     come between the two?"
                ))
                .evidence(begun.at.clone(), format!("`{one}` is taken here, and let go again before `{other}`"))
                .trace(second.hops.iter().cloned()),
        );
    }
}

/// Whether a lock is held by one at a time.
fn keeps_out(lock: &Lock) -> bool {
    let is_one = matches!(lock.kind, LockKind::Mutex | LockKind::Rwlock | LockKind::MapShard);
    is_one && lock.mode != Mode::Shared
}
