//! A thread or task that waits for its own end (Python).
//!
//! ~~~text
//! self._thread = Thread(target=self._run)
//! def _run(self): … self.stop()               runs in that thread
//! def stop(self): … self._thread.join()       and waits there for it to be over
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, What};
use crate::catalogue::{Does, Runs};
use crate::flow::{Next, Suspension, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Confidence, Verdict};

use super::NAME;
use crate::rules::context::RuleContext;
use crate::rules::wait_under_lock::{start_of, waited_for};

/// How many methods of the same object may lie between what the thread runs and the wait.
const DEEPEST: u32 = 3;

/// A wait for the end of what is itself on the way.
struct Wait {
    by: FunctionId,
    event: Event,
    /// The calls that lead to it, outermost first.
    calls: Vec<(FunctionId, Event)>,
}

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if cx.language(id.module) != Language::Python || cx.program.is_test_code(id) {
        return;
    }
    let is_strand = |runs: Runs| matches!(runs, Runs::Thread | Runs::Task);
    let handed = cx.program.handed_over(id);
    let Some(started) = handed.iter().find(|handed| is_strand(handed.runs)) else { return };
    let Some(wait) = wait_for(cx, id, id, DEEPEST) else { return };
    let (name, what) = (&cx.function(id).name, handle_text(cx, &wait));
    let first = wait.calls.first().map_or(&wait.event, |(_, event)| event);
    let mut verdict = cx
        .violated(NAME, Confidence::Medium, id, first.span, &format!("`{what}`"))
        .assumes(format!("whoever waits for `{what}` is not run by it"))
        .says(match wait.calls.last() {
            Some((_, _)) => format!(
                "`{what}` runs `{name}`, which leads to `{}`, which waits for the end of `{what}`: it waits for itself",
                cx.function(wait.by).name
            ),
            None => format!("`{what}` runs `{name}`, which waits for the end of `{what}`: it waits for itself"),
        })
        .helps("only say there that it is to end, and wait for the end from outside")
        .evidence(started.at.clone(), format!("`{name}` is started here"));
    if !wait.calls.is_empty() {
        verdict = verdict.evidence(cx.location(wait.by, wait.event.span), "its end is waited for here");
    }
    for (by, event) in &wait.calls {
        let (What::Call(call) | What::Suspend(_, Some(call))) = event.what else { continue };
        verdict =
            verdict.trace([cx.program.hop(*by, event.span, format!("calls `{}`", cx.program.callee_text(*by, call)))]);
    }
    out.push(verdict.trace([cx.program.hop(wait.by, wait.event.span, format!("waits for the end of `{what}`"))]));
}

/// A wait in a function, or in a method of the same object that it calls, for the end of what runs `root`.
fn wait_for(cx: &RuleContext, by: FunctionId, root: FunctionId, depth: u32) -> Option<Wait> {
    if asks_who_runs_it(cx, by) || is_told_by_its_caller(cx, by) {
        return None;
    }
    let facts = cx.facts(by);
    let own = facts.events.iter().find(|event| {
        handle(cx, by, event).and_then(|handle| start_of(cx, by, handle)).is_some_and(|(starter, start)| {
            match cx.program.given_to_run(starter, start) {
                Some((given, Runs::Thread)) => is_only(cx, starter, &given, root),
                // A task that is told to stop finds that out where it waits for itself.
                Some((given, Runs::Task)) => {
                    cx.program.verbs(by, Does::Cancels).is_empty() && is_only(cx, starter, &given, root)
                }
                _ => false,
            }
        })
    });
    if let Some(event) = own {
        return Some(Wait { by, event: event.clone(), calls: Vec::new() });
    }
    let depth = depth.checked_sub(1)?;
    facts.events.iter().find_map(|event| {
        let (call, is_awaited) = match event.what {
            What::Call(call) => (call, false),
            What::Suspend(Suspension::Await, Some(call)) => (call, true),
            _ => return None,
        };
        cx.function(by).call(call)?;
        if !cx.program.is_on_own_object(by, call) {
            return None;
        }
        let [callee] = cx.resolution(by, call).functions()[..] else { return None };
        if callee == by || callee == root || cx.function(callee).is_async() != is_awaited {
            return None;
        }
        let mut wait = wait_for(cx, callee, root, depth)?;
        wait.calls.insert(0, (by, event.clone()));
        Some(wait)
    })
}

/// The handle whose end is waited for.
fn handle(cx: &RuleContext, by: FunctionId, event: &Event) -> Option<ValueIndex> {
    match event.what {
        What::Call(value) => waited_for(cx, by, value),
        What::Suspend(Suspension::Await, Some(of)) => {
            matches!(cx.function(by).value(of).kind, ValueKind::Place(_)).then_some(of)
        }
        _ => None,
    }
}

fn handle_text(cx: &RuleContext, wait: &Wait) -> String {
    handle(cx, wait.by, &wait.event).map_or_else(String::new, |handle| cx.program.value_text(wait.by, handle))
}

/// Whether what is given to run is one function.
fn is_only(cx: &RuleContext, starter: FunctionId, given: &[ValueIndex], root: FunctionId) -> bool {
    let [given] = given else { return false };
    cx.program.functions_meant(starter, *given) == [root]
}

/// Whether a function asks which thread or task runs it: then it knows when not to wait.
fn asks_who_runs_it(cx: &RuleContext, id: FunctionId) -> bool {
    let function = cx.function(id);
    let tables = cx.program.tables(Language::Python);
    (0..function.values.len() as u32).map(ValueIndex).filter(|value| function.call(*value).is_some()).any(|call| {
        let resolution = cx.resolution(id, call);
        let is_handle = || {
            let of = cx.program.value_type(id, call);
            of.instance().is_some_and(|of| tables.is_handle(&of.name))
        };
        resolution.external().is_some_and(|name| tables.has_own_loop(name))
            || cx.program.spawn(id, &resolution).is_none() && is_handle()
    })
}

/// Whether a parameter may keep it from waiting.
fn is_told_by_its_caller(cx: &RuleContext, id: FunctionId) -> bool {
    let function = cx.function(id);
    let is_given = |value: ValueIndex| {
        let mut reads = vec![value];
        while let Some(value) = reads.pop() {
            if let ValueKind::Place(place) = &function.value(value).kind
                && function.parameters.iter().skip(1).any(|one| place.as_variable() == Some(one.variable))
            {
                return true;
            }
            crate::analysis::uses::for_each_part(&function.value(value).kind, |part| reads.push(part));
        }
        false
    };
    function.blocks.iter().any(|block| matches!(block.next, Next::Branch(Some(value), _) if is_given(value)))
}
