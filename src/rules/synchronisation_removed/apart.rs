//! A lock that let one call at a time through a wait, and that nobody takes on the
//! way there now.
//!
//! ~~~text
//! async with self._lock: await self._refresh()          await self._refresh()
//! with _loading: requests.get(url)                      requests.get(url)
//! ~~~
//!
//! What it kept apart may lie behind the call, where nothing of it is seen.

use crate::analysis::held::{Event, What};
use crate::catalogue::Stake;
use crate::flow::{BlockIndex, Suspension};
use crate::text::Language;
use crate::verdict::{Stance, Verdict};

use super::{Guarding, NAME, Of, guarding};

/// Something that one call at a time went through.
struct Passed {
    name: String,
    event: Event,
    is_wait: bool,
}

/// Where a wait stands that a lock was held over, if it is one.
pub(super) type Across = Option<(BlockIndex, u32)>;

/// What the before side upheld and what the after side is asked. Where what a lock protects is in sight, others speak.
pub(super) fn asked(was: Of, is: Of, is_seen: &dyn Fn(&Guarding, Across) -> bool) -> Option<(Verdict, Verdict)> {
    let (then, now) = (passed(was), passed(is));
    let guards = |event: &Event| event.held.iter().filter(|held| held.is_certain).find_map(guarding);
    let takes_still = |class: &str| {
        let summary = is.cx.program.summary(is.id);
        summary.takes.iter().any(|takes| takes.lock.place.class.as_deref() == Some(class))
            || !is.cx.program.locks_at_entry(is.id).is_empty()
    };
    then.iter().find_map(|one| {
        let (name, event) = (&one.name, &one.event);
        let across = one.is_wait.then_some((event.block, event.step));
        let lock = guards(event).filter(|lock| lock.is_async == one.is_wait)?;
        if is_seen(&lock, across) || takes_still(&lock.class) {
            return None;
        }
        let alike: Vec<&Event> = now.iter().filter(|other| other.name == *name).map(|other| &other.event).collect();
        // What stands under another lock now, or under none because it stood so before too, is no news.
        let stood_bare = then.iter().any(|other| other.name == *name && other.event.held.is_empty());
        let bare = alike.first().filter(|_| !stood_bare && alike.iter().all(|event| event.held.is_empty()))?;
        let (lock_name, by) = (&lock.name, &is.cx.function(is.id).name);
        let subject = format!("`{lock_name}`, `{name}`");
        let what = if one.is_wait { format!("wait for `{name}`") } else { format!("be in `{name}`") };
        let assumption = format!("several calls of `{by}` may {what} at once");
        let held = was.cx.verdict(NAME, Stance::Upheld, was.id, lock.taken?, &subject).assumes(assumption.clone());
        let asked = is
            .cx
            .verdict(NAME, Stance::Unproven, is.id, bare.span, &subject)
            .assumes(assumption)
            .says(format!("`{lock_name}` let one call of `{by}` at a time {what}, and is not taken now"))
            .asks(format!("may several calls of `{by}` {what} at once, now that `{lock_name}` is gone?"))
            .helps(format!("keep `{lock_name}` around it, or say why it is no longer needed"));
        Some((held, asked))
    })
}

fn passed(of: Of) -> Vec<Passed> {
    let Of { cx, id } = of;
    let function = cx.function(id);
    let is_plain = cx.language(id.module) == Language::Python && !function.is_async();
    let facts = cx.facts(id);
    let found = facts.events.iter().filter_map(|event| match event.what {
        What::Suspend(Suspension::Await, Some(awaited)) => {
            function.call(awaited)?;
            Some(Passed { name: cx.program.callee_text(id, awaited), event: event.clone(), is_wait: true })
        }
        What::Call(call) if is_plain => {
            let resolution = cx.resolution(id, call);
            cx.program.blocking_call(id, call, &resolution).filter(|entry| entry.stake != Stake::Micro)?;
            Some(Passed { name: cx.program.callee_text(id, call), event: event.clone(), is_wait: false })
        }
        _ => None,
    });
    found.collect()
}
