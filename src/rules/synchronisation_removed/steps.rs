//! Two locks that a function took one inside the other, and takes one after the other now (Rust).
//!
//! ~~~text
//! let _gate = gate.read(); let rows = rows.read().clone();      let rows = rows.read().clone(); let _gate = gate.read();
//! ~~~

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
        let pairs = summary.pairs.iter().filter(|pair| is_held(&pair.held) && is_held(&pair.taken));
        let classes = pairs.filter_map(|pair| Some((pair.held.place.class.clone()?, pair.taken.place.class.clone()?)));
        classes.collect::<std::collections::BTreeSet<_>>()
    };
    let (then, now) = (nested(was), nested(is));
    let summary = is.cx.program.summary(is.id);
    let takes = |class: &str| {
        summary.takes.iter().find(|takes| is_held(&takes.lock) && takes.lock.place.class.as_deref() == Some(class))
    };
    let function = is.cx.function(is.id);
    // What was taken under one lock is one question, however much that was.
    let mut asked = std::collections::BTreeSet::new();
    for (outer, inner) in then.iter().filter(|pair| !now.contains(pair) && pair.0 != pair.1) {
        let (Some(first), Some(second)) = (takes(outer), takes(inner)) else { continue };
        let (Some(begun), Some(ended)) = (first.hops.first(), second.hops.first()) else { continue };
        // The outer one must be the function's own, or nothing of its extent is known.
        if first.hops.len() != 1 || begun.at.span == ended.at.span {
            continue;
        }
        // What comes first is let go before the second: they no longer stand one in the other. Readers who come one
        // after the other are many things; those who come the other way round, both in sight, let a writer in between.
        let is_turned = ended.at.span.start < begun.at.span.start;
        let counts = if is_turned { second.hops.len() == 1 } else { keeps_out(&first.lock) && keeps_out(&second.lock) };
        if !counts || now.contains(&(inner.clone(), outer.clone())) || !asked.insert(outer) {
            continue;
        }
        let (one, other, by) = (&first.lock.name, &second.lock.name, &function.name);
        let subject = format!("`{one}`, `{other}`");
        let (says, asks, shown) = if is_turned {
            (
                format!("`{by}` takes `{other}` before `{one}`, and lets it go; it took it under `{one}` before"),
                format!(
                    "`{by}` took `{other}` under `{one}` before, and is done with it before it takes `{one}` now: may \
                     others come between the two?"
                ),
                format!("`{one}` is taken only here"),
            )
        } else {
            (
                format!("`{by}` lets `{one}` go before it takes `{other}`, which it took under it before"),
                format!(
                    "`{by}` took `{other}` under `{one}` before, and takes it after `{one}` is let go now: may others \
                     come between the two?"
                ),
                format!("`{one}` is taken here, and let go again before `{other}`"),
            )
        };
        before.push(
            was.cx
                .verdict(NAME, Stance::Upheld, was.id, was.cx.function(was.id).header, &subject)
                .assumes(format!("what `{one}` and `{other}` protect changes in one step")),
        );
        after.push(
            is.cx
                .verdict(NAME, Stance::Unproven, is.id, ended.at.span, &subject)
                .assumes(format!("nobody needs what `{one}` and `{other}` protect to change in one step"))
                .says(says)
                .asks(asks)
                .evidence(begun.at.clone(), shown)
                .trace(second.hops.iter().cloned()),
        );
    }
}

fn is_held(lock: &Lock) -> bool {
    matches!(lock.kind, LockKind::Mutex | LockKind::Rwlock | LockKind::MapShard)
}

/// Whether a lock is held by one at a time.
fn keeps_out(lock: &Lock) -> bool {
    is_held(lock) && lock.mode != Mode::Shared
}
