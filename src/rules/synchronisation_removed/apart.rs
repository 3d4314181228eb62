//! An asynchronous lock that let one call at a time through a wait, and that nobody takes on the way there now.
//!
//! ~~~text
//! async with self._lock: await self._refresh()          await self._refresh()
//! ~~~
//!
//! What it kept apart may lie behind the wait, where nothing of it is seen.

use crate::analysis::held::{Event, What};
use crate::flow::Suspension;
use crate::verdict::{Stance, Verdict};

use super::{NAME, Of, guarding};

/// What the before side upheld and what the after side is asked. Where what a lock protects is in sight, others speak.
pub(super) fn asked(was: Of, is: Of, is_seen: &dyn Fn(&str) -> bool) -> Option<(Verdict, Verdict)> {
    let waits = |of: Of| {
        let facts = of.cx.facts(of.id);
        let waits = facts.events.iter().filter_map(|event| match event.what {
            What::Suspend(Suspension::Await, Some(awaited)) => {
                of.cx.function(of.id).call(awaited)?;
                Some((of.cx.program.callee_text(of.id, awaited), event.clone()))
            }
            _ => None,
        });
        waits.collect::<Vec<_>>()
    };
    let (then, now) = (waits(was), waits(is));
    let guards = |event: &Event| event.held.iter().filter(|held| held.is_certain).find_map(guarding);
    let takes_still = |class: &str| {
        let summary = is.cx.program.summary(is.id);
        summary.takes.iter().any(|takes| takes.lock.place.class.as_deref() == Some(class))
            || !is.cx.program.locks_at_entry(is.id).is_empty()
    };
    then.iter().find_map(|(name, event)| {
        let lock = guards(event).filter(|lock| lock.is_async && !is_seen(&lock.class) && !takes_still(&lock.class))?;
        let alike: Vec<&Event> = now.iter().filter(|(known, _)| known == name).map(|(_, event)| event).collect();
        // What stands under another lock now, or under none because it stood so before too, is no news.
        let stood_bare = then.iter().any(|(known, event)| known == name && event.held.is_empty());
        let bare = alike.first().filter(|_| !stood_bare && alike.iter().all(|event| event.held.is_empty()))?;
        let (lock_name, by) = (&lock.name, &is.cx.function(is.id).name);
        let subject = format!("`{lock_name}`, `{name}`");
        let assumption = format!("several calls of `{by}` may wait for `{name}` at once");
        let held = was.cx.verdict(NAME, Stance::Upheld, was.id, lock.taken?, &subject).assumes(assumption.clone());
        let asked = is
            .cx
            .verdict(NAME, Stance::Unproven, is.id, bare.span, &subject)
            .assumes(assumption)
            .says(format!("`{lock_name}` let one call of `{by}` at a time wait for `{name}`, and is not taken now"))
            .asks(format!("may several calls of `{by}` wait for `{name}` at once, now that `{lock_name}` is gone?"))
            .helps(format!("keep `{lock_name}` around it, or say why it is no longer needed"));
        Some((held, asked))
    })
}
