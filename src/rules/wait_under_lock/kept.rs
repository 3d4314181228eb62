//! A thread whose handle the object keeps, waited for under a lock that the thread got a share of (Rust).
//!
//! ~~~text
//! let theirs = state.clone();
//! let thread = spawn(move || … theirs.lock() …);         takes what `state` is
//! Self { state, thread: Some(thread) }
//! fn stop(&mut self) { let state = self.state.lock(); self.thread.take().join() }
//! ~~~

use super::{counts, ends_never, keeps_out};
use crate::analysis::FunctionId;
use crate::analysis::held::{Event, Held, Waits};
use crate::analysis::locks::{Lock, LockRoot};
use crate::catalogue::Runs;
use crate::flow::{FunctionKind, ValueIndex};
use crate::rules::context::RuleContext;
use crate::rules::starved_task::kept_by_owner::{inside_some, kept, started};
use crate::text::Language;
use crate::verdict::Verdict;

pub(super) fn check(cx: &RuleContext, id: FunctionId, event: &Event, handle: ValueIndex) -> Option<Verdict> {
    if cx.language(id.module) != Language::Rust {
        return None;
    }
    let kept = kept(cx, id, handle)?;
    let (start, argument, inner) = started(cx, kept.by, kept.given)?;
    let runs = cx.program.spawn(kept.by, &cx.resolution(kept.by, start))?.runs;
    if !matches!(runs, Runs::Thread | Runs::Task) {
        return None;
    }
    let summary = cx.program.summary(inner);
    let is_own = |held: &&Held| {
        counts(held) && held.lock.place.root == LockRoot::Parameter(0) && held.lock.place.fields.len() == 1
    };
    for held in event.held.iter().filter(is_own) {
        let is_it = |(name, _): &&(String, ValueIndex)| *name == held.lock.place.fields[0];
        let Some((_, shared)) = kept.fields.iter().find(is_it) else { continue };
        let shared = cx.program.lock_place(kept.by, inside_some(cx, kept.by, *shared));
        let takes = summary.takes.iter().filter(|takes| takes.waits == Waits::Yes).find(|takes| {
            // A lock that was made where the object was, and is the object's by one of its handles.
            let mut lock = Lock::clone(&cx.program.bound_at_start(kept.by, argument, inner, &takes.lock));
            if !lock.place.is_same(&shared) {
                return false;
            }
            lock.place = held.lock.place.clone();
            keeps_out(held, &lock, runs)
        });
        if let Some(takes) = takes {
            let started = cx.function(inner);
            let name = match started.kind {
                FunctionKind::Closure | FunctionKind::AsyncBlock => "<",
                _ => started.name.as_str(),
            };
            let at = cx.location(kept.by, cx.function(kept.by).value(start).span);
            return Some(ends_never(cx, id, event, held, takes, name, at));
        }
    }
    None
}
