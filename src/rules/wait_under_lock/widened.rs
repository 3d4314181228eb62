//! What was done without a lock before the change, and is done under it now.
//!
//! ~~~text
//! let work = { queue.lock().clone() };  if let Some(work) = work { mine(work) }      `mine` without the lock
//! if let Some(work) = queue.lock().clone() { mine(work) }                            `mine` under it
//! ~~~
//!
//! Whether that waits for somebody who needs the lock is often out of sight: a trait's method, a callback, another
//! task. One lock that covers more is one question.

use std::collections::BTreeMap;

use crate::analysis::FunctionId;
use crate::analysis::calls::Target;
use crate::analysis::held::{Event, Held, What};
use crate::catalogue::{BlockingKind, Flavour, LockKind, Mode};
use crate::flow::{Callee, Function, Suspension, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Confidence, Stance, Verdict};

use super::NAME;
use crate::analysis::types::Type;
use crate::rules::context::RuleContext;
use crate::rules::manner::{Gone, OnBoth, Whole};
use crate::rules::slow_await_under_lock;

/// How much speaks for a wait behind a call; what says nothing is not asked about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// Nobody knows what it calls.
    Unknown,
    /// A function of the project that calls others, or takes locks.
    Far,
    /// A function of the project that one of several may be, or a callback.
    Open,
    /// The task waits.
    Waits,
    /// The task waits for what has no known length, or for nothing but the time.
    Lasts,
}

/// Something that is done.
struct Deed {
    by: FunctionId,
    event: Event,
    call: ValueIndex,
    /// The function, where it is given by its name to a call that runs it: `handle.map(JoinHandle::join)`.
    given: Option<ValueIndex>,
    name: String,
}

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let cx = both.is.cx;
    let (then, now) = (deeds(&both.was), deeds(&both.is));
    let mut found: Vec<(Reach, &Deed, &Held, &Deed)> = Vec::new();
    for deed in &now {
        let namesakes: Vec<&Deed> = now.iter().filter(|now| now.name == deed.name).collect();
        let alike: Vec<&Deed> = then.iter().filter(|then| then.name == deed.name).collect();
        let Some(first) = alike.first() else { continue };
        // Of as many calls of the name as before, each is what it was in its place.
        let own = namesakes.iter().position(|now| std::ptr::eq(*now, deed));
        let own = own.filter(|_| namesakes.len() == alike.len()).map(|place| alike[place]);
        // A wait under a lock that blocks is a finding of its own.
        let waits = matches!(deed.event.what, What::Suspend(..));
        let counts = |held: &&Held| counts(held) && !(waits && held.lock.flavour == Flavour::Blocking);
        for held in deed.event.held.iter().filter(counts).filter(|held| held.taken != deed.event.span) {
            let covers = |deed: &&&Deed| deed.event.held.iter().any(|other| was_held(other, held));
            let (covered_then, covered_now) =
                (alike.iter().filter(covers).count(), namesakes.iter().filter(covers).count());
            // One more call of the name, besides those that still run without the lock, was not there before.
            let is_added = namesakes.len() - covered_now >= alike.len();
            let was_covered = match own {
                Some(own) => covered_now <= covered_then || covers(&&own),
                None => covered_then > 0,
            };
            if is_added || was_covered || !takes(&both.was, held) {
                continue;
            }
            // What certainly takes the lock again is a finding.
            if let Some(reach) = reach(both, deed).filter(|_| !takes_again(both, deed, held)) {
                found.push((reach, deed, held, own.unwrap_or(first)));
            }
        }
    }
    // The most telling one of each lock speaks.
    found.sort_by_key(|(reach, deed, held, _)| (held.taken.start, std::cmp::Reverse(*reach), deed.event.span.start));
    found.dedup_by_key(|(_, _, held, _)| held.taken);
    for (reach, deed, held, then) in found {
        if reach == Reach::Lasts && is_taken_elsewhere(both, deed, held) {
            out.push(Gone { had: (then.by, then.event.span), asked: lasts(both, deed, held) });
            continue;
        }
        let (what, by, lock) = (text(cx, deed), &cx.function(both.is.id).name, &held.lock.name);
        let verdict = cx
            .verdict(NAME, Stance::Unproven, deed.by, deed.event.span, &format!("`{lock}`, `{what}`"))
            .assumes(format!("`{what}` waits for nobody who needs `{lock}`"))
            .says(format!("`{by}` holds `{lock}` while `{what}` runs, which it did not before"))
            .asks(format!("can `{what}` lead to somebody who needs `{lock}`, or wait for one?"))
            .helps("let the lock go before the call, as it was")
            .evidence(
                cx.location(deed.by, held.taken),
                format!("`{lock}` is taken here, and held for longer than before"),
            );
        out.push(Gone { had: (then.by, then.event.span), asked: verdict });
    }
}

/// A wait whose length nobody here decides needs no question: the code had let the lock go for it.
fn lasts(both: &OnBoth, deed: &Deed, held: &Held) -> Verdict {
    let cx = both.is.cx;
    let (what, by, lock) = (text(cx, deed), &cx.function(both.is.id).name, &held.lock.name);
    cx.violated(slow_await_under_lock::NAME, Confidence::Medium, deed.by, deed.event.span, &format!("`{lock}`"))
        .assumes(format!("nothing of unknown length is awaited in `{by}` under `{lock}`"))
        .says(format!(
            "`{by}` holds `{lock}` while it waits for `{what}`, and had let it go before: whoever needs the lock waits \
             as long"
        ))
        .helps("let the lock go before the wait, as it was")
        .evidence(cx.location(deed.by, held.taken), format!("`{lock}` is taken here, and held for longer than before"))
}

/// Whether somebody else in the file needs a lock that is held.
fn is_taken_elsewhere(both: &OnBoth, deed: &Deed, held: &Held) -> bool {
    let cx = both.is.cx;
    let is_it = |by: FunctionId, event: &Event| match &event.what {
        What::Acquire(lock, _) => {
            let is_one = lock.place.class.is_some() && lock.place.class == held.lock.place.class;
            let is_own = by == deed.by && event.span == held.taken;
            !is_own && (is_one || lock.place.is_same(&held.lock.place)) && !lock.shares_with(&held.lock)
        }
        _ => false,
    };
    if !matches!(held.lock.kind, LockKind::Mutex | LockKind::Rwlock) {
        return false;
    }
    let mut all = cx.program.functions_of(deed.by.module);
    all.any(|by| cx.facts(by).events.iter().any(|event| is_it(by, event)))
}

/// The calls and waits of a function, by their last names.
fn deeds(whole: &Whole) -> Vec<Deed> {
    let mut found = Vec::new();
    let around = around(whole);
    for &by in &whole.parts {
        let function = whole.cx.function(by);
        let facts = whole.cx.facts(by);
        let takes = |at: &Event| {
            let is_there = |event: &&Event| (event.block, event.step) == (at.block, at.step);
            facts.events.iter().filter(is_there).any(|event| matches!(event.what, What::Acquire(..)))
        };
        // What takes a lock itself is the matter of other rules.
        for event in facts.events.iter().filter(|event| !takes(event)) {
            let call = match event.what {
                What::Call(call) | What::Suspend(Suspension::Await, Some(call)) => call,
                What::Suspend(..) | What::Acquire(..) | What::Runs(_) => continue,
            };
            let name = match function.call(call).map(|call| &call.callee) {
                Some(Callee::Path(path) | Callee::Macro(path)) => path.last().cloned(),
                Some(Callee::Method(_, name)) => Some(name.clone()),
                Some(Callee::Value(of)) => Some(whole.cx.program.value_text(by, *of)),
                Some(Callee::Super(_)) | None => None,
            };
            let mut event = event.clone();
            event.held = event.held.iter().chain(around.get(&by).into_iter().flatten()).cloned().collect();
            for (given, name) in given(whole, by, call) {
                found.push(Deed { by, event: event.clone(), call, given: Some(given), name });
            }
            found.extend(name.map(|name| Deed { by, event, call, given: None, name }));
        }
    }
    found.sort_by_key(|deed| (deed.event.span.start, deed.event.span.end));
    found
}

/// The functions of libraries that are given by their names to a call of another library, which runs them.
fn given(whole: &Whole, by: FunctionId, call: ValueIndex) -> Vec<(ValueIndex, String)> {
    let (cx, function) = (whole.cx, whole.cx.function(by));
    let Some(written) = function.call(call) else { return Vec::new() };
    let is_path = |value: ValueIndex| matches!(function.value(value).kind, ValueKind::Path(..));
    if !written.arguments.iter().any(|argument| is_path(argument.value)) {
        return Vec::new();
    }
    let resolution = cx.resolution(by, call);
    let runs_elsewhere = cx.program.spawn(by, &resolution).is_some() || cx.program.offload(by, &resolution).is_some();
    if resolution.external().is_none() || runs_elsewhere {
        return Vec::new();
    }
    let named = |value: ValueIndex| match &function.value(value).kind {
        ValueKind::Path(path, _) => Some((value, path.last()?.clone())),
        _ => None,
    };
    written.arguments.iter().filter_map(|argument| named(argument.value)).collect()
}

/// What is held around the closures that run where they stand: `map.lock().entry(key).or_insert_with(|| make())`.
fn around(whole: &Whole) -> BTreeMap<FunctionId, Vec<Held>> {
    let mut found: BTreeMap<FunctionId, Vec<Held>> = BTreeMap::new();
    for &by in &whole.parts {
        for event in &whole.cx.facts(by).events {
            let held: Vec<Held> = event.held.iter().chain(found.get(&by).into_iter().flatten()).cloned().collect();
            if held.is_empty() || !matches!(event.what, What::Call(_)) {
                continue;
            }
            for in_place in whole.cx.program.in_place(by, event) {
                let closures = in_place.candidates.into_iter().filter(|run| *run != by && whole.parts.contains(run));
                closures.for_each(|closure| found.entry(closure).or_default().extend(held.iter().cloned()));
            }
        }
    }
    found
}

/// Whether others wait for a held lock.
fn counts(held: &Held) -> bool {
    let is_lock = matches!(
        held.lock.kind,
        LockKind::Mutex | LockKind::Rwlock | LockKind::MapShard | LockKind::PermitPool | LockKind::Semaphore
    );
    is_lock && matches!(held.lock.flavour, Flavour::Blocking | Flavour::Async)
}

/// Whether a lock that was held is the one that is held now, and kept as many out.
fn was_held(then: &Held, now: &Held) -> bool {
    let is_one = match (&then.lock.place.class, &now.lock.place.class) {
        (Some(then), Some(now)) => then == now,
        _ => then.lock.name == now.lock.name,
    };
    is_one && (then.lock.mode != Mode::Shared || now.lock.mode == Mode::Shared)
}

/// Whether a function took a lock before. A lock that is new covers what it is meant to cover.
fn takes(whole: &Whole, held: &Held) -> bool {
    let is_it = |event: &Event| match &event.what {
        What::Acquire(lock, _) => match (&lock.place.class, &held.lock.place.class) {
            (Some(one), Some(other)) => one == other,
            _ => lock.name == held.lock.name,
        },
        _ => false,
    };
    whole.parts.iter().any(|part| whole.cx.facts(*part).events.iter().any(is_it))
}

/// Whether what is called takes a held lock itself.
fn takes_again(both: &OnBoth, deed: &Deed, held: &Held) -> bool {
    let cx = both.is.cx;
    let class = &held.lock.place.class;
    let callees = cx.resolution(deed.by, deed.call).functions();
    // What an await runs beside what is called: a block, each of many futures.
    let run = cx.program.in_place(deed.by, &deed.event).into_iter().flat_map(|run| run.candidates);
    class.is_some()
        && callees
            .into_iter()
            .chain(run)
            .any(|callee| cx.program.summary(callee).takes.iter().any(|takes| takes.lock.place.class == *class))
}

fn reach(both: &OnBoth, deed: &Deed) -> Option<Reach> {
    let cx = both.is.cx;
    if let What::Suspend(how, of) = deed.event.what {
        let known = of.and_then(|of| {
            let is_pause = || {
                let resolution = cx.resolution(deed.by, of);
                resolution.external().is_some_and(|name| cx.program.tables(Language::Rust).pauses(name))
            };
            let lasts = slow_await_under_lock::lasts(cx, deed.by, &deed.event, of).is_some() || is_pause();
            lasts.then_some(Reach::Lasts)
        });
        return known.or_else(|| cx.program.may_suspend(deed.by, how, of).then_some(Reach::Waits));
    }
    if let Some(given) = deed.given {
        let Type::External(name) = cx.program.value_type(deed.by, given) else { return None };
        let entry = cx.program.tables(cx.language(deed.by.module)).blocking(&name)?;
        return waits_for_another(entry.kind).then_some(Reach::Waits);
    }
    let resolution = cx.resolution(deed.by, deed.call);
    let function = cx.function(deed.by);
    match &resolution.targets[..] {
        [] => {
            let call = function.call(deed.call)?;
            let is_callback = matches!(call.callee, Callee::Value(_));
            Some(if is_callback { Reach::Open } else { Reach::Unknown })
        }
        // What somebody put into a box.
        [Target::External(_)] if is_boxed(&function, deed.call) => Some(Reach::Open),
        // Another thread is waited for, and nobody knows what that one needs.
        [Target::External(_)] => {
            let entry = cx.program.blocking_call(deed.by, deed.call, &resolution)?;
            waits_for_another(entry.kind).then_some(Reach::Waits)
        }
        [only] => {
            let callee = only.function()?;
            let body = cx.function(callee);
            if body.is_bodiless {
                return Some(Reach::Open);
            }
            let calls = |value: &crate::flow::Value| matches!(value.kind, ValueKind::Call(_));
            let is_plain = !body.is_async() && body.values.iter().any(calls);
            is_plain.then_some(Reach::Far)
        }
        _ => Some(Reach::Open),
    }
}

fn text(cx: &RuleContext, deed: &Deed) -> String {
    match deed.given {
        Some(given) => cx.program.value_text(deed.by, given),
        None => cx.program.callee_text(deed.by, deed.call),
    }
}

/// Whether somebody who waits like this waits for another thread.
fn waits_for_another(kind: BlockingKind) -> bool {
    matches!(kind, BlockingKind::LockWait | BlockingKind::Channel | BlockingKind::Park)
}

/// Whether a call is of a value, such as a boxed closure, rather than of a function by its name.
fn is_boxed(function: &Function, call: ValueIndex) -> bool {
    let Some(Callee::Value(of)) = function.call(call).map(|call| &call.callee) else { return false };
    matches!(function.value(*of).kind, ValueKind::Place(_))
}
