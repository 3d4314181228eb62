//! Somebody who began to watch before the look, and begins after it now.
//!
//! ~~~text
//! let mut changes = self.subscribe();  if let Some(it) = self.look() { return it }  changes.next().await
//! if let Some(it) = self.look() { return it }  let mut changes = self.subscribe();  changes.next().await
//! self.task.register(cx.waker());      match self.queue.pop() { … }
//! ~~~
//!
//! Or somebody who looked once more after he had begun to watch, and goes to wait at once now:
//!
//! ~~~text
//! if self.is_closed() { return Ready }  self.tasks.push(cx.waker().clone());  if self.is_closed() { return Ready }  Pending
//! if self.is_closed() { return Ready }  self.tasks.push(cx.waker().clone());  Pending
//! ~~~
//!
//! What comes between the two is told to nobody. Whether anything can, is known to whoever knows what is watched.

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, What};
use crate::analysis::types::Type;
use crate::catalogue::LockKind;
use crate::flow::{Callee, Next, StepKind, Suspension, ValueIndex};
use crate::text::Language;
use crate::verdict::Stance;

use super::{NAME, signal_call};
use crate::analysis::uses::Uses;
use crate::rules::context::RuleContext;
use crate::rules::manner::{Gone, OnBoth, Whole};

/// How many types lie between a subscription and what it wraps.
const DEEPEST: u32 = 2;

/// A call of a function, in the order of the text.
struct Step {
    event: Event,
    call: ValueIndex,
    name: String,
    /// Whether it begins to watch something.
    watches: bool,
    /// Whether the function decides by its answer, or waits for it.
    looks: bool,
}

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let now = steps(&both.is);
    if !now.iter().any(|step| step.watches) {
        return;
    }
    let then = steps(&both.was);
    let cx = both.is.cx;
    let id = both.is.id;
    let only = |steps: &[Step], name: &str| {
        let mut named = steps.iter().enumerate().filter(|(_, step)| step.name == name);
        let (first, None) = (named.next()?, named.next()) else { return None };
        Some(first.0)
    };
    for (at, watch) in now.iter().enumerate().filter(|(_, step)| step.watches) {
        let Some(had) = only(&then, &watch.name).filter(|_| only(&now, &watch.name).is_some()) else { continue };
        // What stood behind the watching, and decides or is waited for before it now.
        let look = now[..at].iter().find(|look| {
            let was = only(&then, &look.name).filter(|_| only(&now, &look.name).is_some());
            look.looks && !look.watches && was.is_some_and(|was| was > had && then[was].looks)
        });
        let Some(look) = look else {
            looked_again(both, (&now, at), (&then, had), out);
            continue;
        };
        let is_kept_out = watch.event.held.iter().any(|held| look.event.held.iter().any(|other| other == held));
        if is_kept_out {
            continue;
        }
        let (what, looked) = (cx.program.callee_text(id, watch.call), cx.program.callee_text(id, look.call));
        let verdict = cx
            .verdict(NAME, Stance::Unproven, id, watch.event.span, &format!("`{what}`"))
            .assumes(format!("nothing that `{what}` watches for comes right after `{looked}`"))
            .says(format!("`{what}` stood before `{looked}`, and begins to watch after it now"))
            .asks(format!("can what `{what}` watches for come after `{looked}` and before the watching begins?"))
            .helps("begin to watch before the look, or look again after it")
            .evidence(cx.location(id, look.event.span), "this is looked at first now");
        out.push(Gone { had: (both.was.id, then[had].event.span), asked: verdict });
    }
}

/// Asks about a look that stood before the watching and once more behind it, and stands before it alone now.
fn looked_again(both: &OnBoth, (now, at): (&[Step], usize), (then, had): (&[Step], usize), out: &mut Vec<Gone>) {
    let looks = |step: &&Step| step.looks && !step.watches;
    if now[at + 1..].iter().any(|step| looks(&step)) {
        return;
    }
    let is_before = |look: &Step| {
        let first = |steps: &[Step]| steps.iter().filter(looks).any(|step| step.name == look.name);
        first(&now[..at]) && first(&then[..had])
    };
    let Some(again) = then[had + 1..].iter().filter(looks).find(|look| is_before(look)) else { return };
    let (cx, id) = (both.is.cx, both.is.id);
    let watch = &now[at];
    if watch.event.held.iter().any(|held| now[..at].iter().any(|step| step.event.held.contains(held))) {
        return;
    }
    let what = cx.program.callee_text(id, watch.call);
    let looked = both.was.cx.program.callee_text(both.was.id, again.call);
    let verdict = cx
        .verdict(NAME, Stance::Unproven, id, watch.event.span, &format!("`{what}`"))
        .assumes(format!("nothing that `{what}` watches for comes right after `{looked}`"))
        .says(format!(
            "`{looked}` was asked once more after `{what}` had begun to watch, and is asked only before it now"
        ))
        .asks(format!("can what `{what}` watches for come after `{looked}` and before the watching begins?"))
        .helps("look again after the watching has begun");
    out.push(Gone { had: (both.was.id, again.event.span), asked: verdict });
}

fn steps(whole: &Whole) -> Vec<Step> {
    let (cx, id) = (whole.cx, whole.id);
    let function = cx.function(id);
    let facts = cx.facts(id);
    let uses = Uses::of(&function);
    let mut found = Vec::new();
    for event in &facts.events {
        let What::Call(call) = event.what else { continue };
        let name = match function.call(call).map(|call| &call.callee) {
            Some(Callee::Path(path)) => path.last().cloned(),
            Some(Callee::Method(_, name)) => Some(name.clone()),
            _ => None,
        };
        let Some(name) = name else { continue };
        let watches = watches(cx, id, call);
        let is_awaited = || {
            facts
                .events
                .iter()
                .any(|other| matches!(other.what, What::Suspend(Suspension::Await, Some(of)) if of == call))
        };
        let looks = !watches && !is_of_the_task(cx, id, call) && {
            let made = cx.program.made_from(id, &uses, call);
            let decides =
                |block: &crate::flow::Block| matches!(&block.next, Next::Branch(Some(on), _) if made.contains(on));
            is_awaited() || function.blocks.iter().any(decides)
        };
        found.push(Step { event: event.clone(), call, name, watches, looks });
    }
    found.sort_by_key(|step| (step.event.span.end, step.event.span.start));
    found
}

/// Whether a call only asks for the waker of the task itself.
fn is_of_the_task(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> bool {
    let function = cx.function(id);
    let Some(Callee::Method(receiver, _)) = function.call(call).map(|call| &call.callee) else { return false };
    let of = cx.program.value_type(id, *receiver);
    of.instance().is_some_and(|of| cx.program.tables(Language::Rust).gives_wakers(&of.name))
}

/// Whether a call gives something that tells of what comes from then on, or hands a waker to somebody.
fn watches(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> bool {
    let function = cx.function(id);
    let tables = cx.program.tables(Language::Rust);
    let Some(written) = function.call(call) else { return false };
    let is_waker = |value: ValueIndex| {
        let of = cx.program.value_type(id, value);
        of.instance().is_some_and(|of| tables.wakes_tasks(&of.name) && !tables.gives_wakers(&of.name))
    };
    if written.arguments.iter().any(|argument| is_waker(argument.value)) {
        return true;
    }
    // A wait that is begun here, and comes to its end later.
    if let Some((entry, method, _)) = signal_call(cx, id, call)
        && entry.kind == LockKind::Event
        && entry.is_wait(&method)
    {
        let is_awaited_here = |step: &StepKind| matches!(step, StepKind::Suspend(_, Some(of)) if *of == call);
        return !entry.fleeting.is_empty() && !function.steps().any(|(_, _, step)| is_awaited_here(&step.kind));
    }
    let Callee::Method(receiver, _) = written.callee else { return false };
    let (made, from) = (cx.program.value_type(id, call), cx.program.value_type(id, receiver));
    // A handle that is copied, or borrowed from, watches nothing new.
    made != from && is_subscription(cx, &made, DEEPEST)
}

fn is_subscription(cx: &RuleContext, of: &Type, depth: u32) -> bool {
    let Some(instance) = of.instance() else { return false };
    if cx.program.tables(Language::Rust).is_subscription(&instance.name) {
        return true;
    }
    let (Some(definition), Some(depth)) = (instance.definition, depth.checked_sub(1)) else { return false };
    let fields = cx.program.type_def(definition).fields.len() as u32;
    fields <= 2 && (0..fields).any(|at| is_subscription(cx, &cx.program.field_type(definition, at), depth))
}
