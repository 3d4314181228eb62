//! A finaliser that takes a lock: it runs wherever the last reference goes, or the garbage collector comes by.
//!
//! ~~~text
//! def put(self, row):
//!     with self._lock:
//!         self._rows.append(row)     makes an object, which may start a collection …
//! def __del__(self):
//!     with self._lock: …             … and that runs this, in the very thread that holds the lock
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, Waits, What};
use crate::analysis::locks::Lock;
use crate::catalogue::{Flavour, LockKind};
use crate::text::Language;
use crate::verdict::{Location, Stance, Verdict};

use super::super::context::RuleContext;
use super::NAME;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if cx.language(id.module) != Language::Python || !cx.program.is_destructor(id) || cx.program.is_test_code(id) {
        return;
    }
    let facts = cx.facts(id);
    out.extend(facts.events.iter().find_map(|event| own_lock(cx, id, event).or_else(|| lock_within(cx, id, event))));
}

/// A lock of the project's that the finaliser takes, itself or further down.
fn own_lock(cx: &RuleContext, id: FunctionId, event: &Event) -> Option<Verdict> {
    if let What::Acquire(lock, Waits::Yes) = &event.what {
        let (at, other) = another_taker(cx, id, lock)?;
        let verdict = question(cx, id, event, &lock.name, &format!("takes `{}`", lock.name));
        return Some(verdict.evidence(at, format!("`{other}` takes it here")));
    }
    cx.program.in_place(id, event).into_iter().filter(|in_place| !in_place.is_awaited).find_map(|in_place| {
        let [callee] = in_place.candidates[..] else { return None };
        let summary = cx.program.summary_of_call(id, &in_place.binding, callee);
        let takes = summary.takes.iter().filter(|takes| takes.waits == Waits::Yes);
        takes.map(|takes| (takes, cx.program.bound(id, &in_place.binding, callee, &takes.lock))).find_map(
            |(takes, lock)| {
                let (at, other) = another_taker(cx, id, &lock)?;
                let hop = cx.program.hop(id, event.span, in_place.what(cx.program, id));
                let way = format!("{}, which takes `{}`", in_place.what(cx.program, id), lock.name);
                let verdict = question(cx, id, event, &lock.name, &way);
                let verdict = verdict.trace([hop]).trace(takes.hops.iter().cloned());
                Some(verdict.evidence(at, format!("`{other}` takes it here")))
            },
        )
    })
}

/// A call of a library that takes a lock of its own, which its other calls hold as well.
fn lock_within(cx: &RuleContext, id: FunctionId, event: &Event) -> Option<Verdict> {
    let What::Call(value) = event.what else { return None };
    let resolution = cx.resolution(id, value);
    if !cx.program.tables(Language::Python).locks_inside(resolution.external()?) {
        return None;
    }
    let name = cx.program.callee_text(id, value);
    Some(question(cx, id, event, &name, &format!("calls `{name}`, which takes a lock of its own")))
}

/// Where another function of the file takes a lock that makes its own thread wait.
fn another_taker(cx: &RuleContext, id: FunctionId, lock: &Lock) -> Option<(Location, String)> {
    let counts = lock.flavour == Flavour::Blocking
        && matches!(lock.kind, LockKind::Mutex | LockKind::Rwlock | LockKind::Condition)
        && !lock.is_reentrant
        && lock.place.class.is_some();
    let mut others = cx.program.functions_of(id.module);
    others.find_map(|other| {
        let facts = cx.facts(other);
        let taking = facts.events.iter().find(|event| match &event.what {
            What::Acquire(taken, _) => counts && other != id && taken.place.class == lock.place.class,
            _ => false,
        })?;
        Some((cx.location(other, taking.span), cx.function(other).name.clone()))
    })
}

fn question(cx: &RuleContext, id: FunctionId, event: &Event, lock: &str, way: &str) -> Verdict {
    let function = cx.function(id);
    let owner = cx.program.self_type(id).map(|owner| cx.program.type_def(owner).name.clone()).unwrap_or_default();
    cx.verdict(NAME, Stance::Unproven, id, event.span, &format!("`{lock}`"))
        .assumes(format!("`{}` never runs in a thread that holds what it takes", function.qualified))
        .says(format!(
            "`{}` {way}: a finaliser runs in whatever thread lets the last reference go, at whatever point",
            function.name
        ))
        .asks(format!(
            "Can a `{owner}` be collected in a thread that is in the middle of such a call, or holds `{lock}`?"
        ))
        .helps("let somebody end it by a call, or take no lock in `__del__`")
        .evidence(cx.location(id, function.header), "the interpreter calls this by itself")
}
