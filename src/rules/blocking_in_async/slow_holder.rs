//! A lock that is short for whoever takes it, and long for whoever holds it: a thread sleeps under it.
//!
//! ~~~text
//! def _loop(self):                       in a thread
//!     with self._lock: frame = grab(); sleep(0.04)
//! async def snapshot(self):
//!     with self._lock: return self._frame        waits for the thread, and every task with it
//! ~~~

use std::collections::BTreeSet;

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, Waits, What};
use crate::analysis::locks::Lock;
use crate::catalogue::{BlockingKind, Flavour, LockKind, Mode, Stake};
use crate::verdict::{Confidence, Hop, Level, Location, Verdict};

use super::{NAME, what_it_blocks};
use crate::rules::context::RuleContext;

const THROUGH: &str = "blocking-through-call";

/// Where a lock is taken, and the way to it.
struct Taken<'l> {
    lock: &'l Lock,
    at: Location,
    hops: Vec<Hop>,
}

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if !function.is_async() || cx.program.is_test_code(id) || cx.program.summary(id).takes.is_empty() {
        return;
    }
    let mut told = BTreeSet::new();
    for event in &cx.facts(id).events {
        if let What::Acquire(lock, Waits::Yes) = &event.what {
            let taken = Taken { lock, at: cx.location(id, event.span), hops: Vec::new() };
            out.extend(verdict(cx, id, event, &taken, &mut told));
            continue;
        }
        for in_place in cx.program.in_place(id, event).iter().filter(|in_place| !in_place.is_awaited) {
            // Whoever is meant must be known.
            let [summary] = &in_place.summaries(cx.program, id)[..] else { continue };
            for takes in summary.takes.iter().filter(|takes| takes.waits == Waits::Yes) {
                let hop = cx.program.hop(id, event.span, in_place.what(cx.program, id));
                let hops = std::iter::once(hop).chain(takes.hops.iter().cloned()).collect();
                let taken = Taken { lock: &takes.lock, at: takes.at.clone(), hops };
                out.extend(verdict(cx, id, event, &taken, &mut told));
            }
        }
    }
}

fn verdict(
    cx: &RuleContext,
    id: FunctionId,
    event: &Event,
    taken: &Taken,
    told: &mut BTreeSet<String>,
) -> Option<Verdict> {
    let lock = taken.lock;
    let is_lock = matches!(lock.kind, LockKind::Mutex | LockKind::Rwlock) && lock.flavour == Flavour::Blocking;
    let class = lock.place.class.as_ref().filter(|_| is_lock)?;
    if told.contains(class) {
        return None;
    }
    let (holder, waits, what) = slow_holder(cx, id, lock, class)?;
    told.insert(class.clone());
    let (name, blocked, by) = (&lock.name, what_it_blocks(cx, id), &cx.function(holder).name);
    let rule = if taken.hops.is_empty() { NAME } else { THROUGH };
    let verdict = cx
        .violated(rule, Confidence::Medium, id, event.span, &format!("`{name}`"))
        .assumes(format!("nobody holds `{name}` for long while `{}` waits for it", cx.function(id).name))
        .says(format!(
            "`{name}` blocks {blocked} for as long as `{by}` holds it, which calls `{what}` under it in a thread"
        ))
        .helps("take it in a thread, or let the holder wait without it")
        .stake(Stake::Unbounded)
        .level(Level::Warning)
        .evidence(waits, format!("`{by}` waits here, with `{name}` taken"))
        .evidence(taken.at.clone(), format!("`{name}` is waited for here"));
    Some(verdict.trace(taken.hops.iter().cloned()))
}

/// A function of the lock's file that runs in a thread and waits, with the lock taken, for something without a bound.
fn slow_holder(cx: &RuleContext, id: FunctionId, lock: &Lock, class: &str) -> Option<(FunctionId, Location, String)> {
    let module = cx.program.module_at(class.split_once(':')?.0)?;
    cx.program.functions_of(module).filter(|by| *by != id && !cx.function(*by).is_async()).find_map(|by| {
        let facts = cx.facts(by);
        let holds = |event: &&Event| {
            event.held.iter().any(|held| {
                let keeps_out = held.lock.mode == Mode::Exclusive || lock.mode == Mode::Exclusive;
                held.is_certain && held.lock.place.class.as_deref() == Some(class) && keeps_out
            })
        };
        let mut under = facts.events.iter().filter(holds).peekable();
        if under.peek().is_none() || !cx.context(by).is_in_thread() {
            return None;
        }
        under.find_map(|event| {
            let What::Call(call) = event.what else { return None };
            let entry = cx.program.blocking_call(by, call, &cx.resolution(by, call))?;
            let is_long = entry.stake == Stake::Unbounded
                && matches!(entry.kind, BlockingKind::Sleep | BlockingKind::Network | BlockingKind::Process);
            is_long.then(|| (by, cx.location(by, event.span), cx.program.callee_text(by, call)))
        })
    })
}
