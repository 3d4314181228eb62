//! A thread or task that waits for its own end (Python).
//!
//! ~~~text
//! self._thread = Thread(target=self._run)
//! def _run(self): … self.stop()               runs in that thread
//! def stop(self): … self._thread.join()       and waits there for it to be over
//! ~~~

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, What};
use crate::catalogue::{Does, Runs};
use crate::flow::{Field, Function, Next, Place, Root, StepKind, Suspension, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Confidence, Verdict};

use super::NAME;
use crate::rules::context::RuleContext;
use crate::rules::wait_under_lock::{start_of, waited_for};

/// How many methods of the same object may lie between what the thread runs and the wait.
const DEEPEST: u32 = 3;

/// How many values are looked through for what one comes from.
const MOST_VALUES: usize = 64;

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
    let wait = wait_for(cx, id, id, DEEPEST, &mut Vain::default()).filter(|wait| !is_kept_from(cx, wait));
    let Some(wait) = wait else { return };
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

/// The functions that were gone through in vain, and how deep.
type Vain = FxHashSet<(FunctionId, u32)>;

/// A wait in a function, or in a method of the same object that it calls, for the end of what runs `root`.
/// Methods that all call each other would be gone through once for each way that leads to them.
fn wait_for(cx: &RuleContext, by: FunctionId, root: FunctionId, depth: u32, vain: &mut Vain) -> Option<Wait> {
    if vain.contains(&(by, depth)) {
        return None;
    }
    let found = find_wait(cx, by, root, depth, vain);
    if found.is_none() {
        vain.insert((by, depth));
    }
    found
}

fn find_wait(cx: &RuleContext, by: FunctionId, root: FunctionId, depth: u32, vain: &mut Vain) -> Option<Wait> {
    let asks = |call| matches!(cx.resolution(by, call).functions()[..], [callee] if asks_who_runs_it(cx, callee));
    let is_asked = || asks_who_runs_it(cx, by) || cx.function(by).calls().any(|(call, _)| asks(call));
    if is_told_by_its_caller(cx, by) || is_asked() {
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
        let mut wait = wait_for(cx, callee, root, depth, vain)?;
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
    cx.program.search("asks who runs it", id, 0, || call_that_asks(cx, id)).is_some()
}

fn call_that_asks(cx: &RuleContext, id: FunctionId) -> Option<ValueIndex> {
    let function = cx.function(id);
    let tables = cx.program.tables(Language::Python);
    function.calls().map(|(call, _)| call).find(|&call| {
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

/// Whether what is done on the way to a wait may keep it from waiting: the way writes a field that decides there, or
/// the one that has the handle.
fn is_kept_from(cx: &RuleContext, wait: &Wait) -> bool {
    let way: Vec<FunctionId> = wait.calls.iter().map(|(by, _)| *by).collect();
    let mut written = BTreeSet::new();
    for &by in &way {
        written.extend(fields_written(cx, by));
        for (call, _) in cx.function(by).calls().filter(|(call, _)| cx.program.is_on_own_object(by, *call)) {
            let callees = cx.resolution(by, call).functions();
            let aside = callees.into_iter().filter(|callee| *callee != wait.by && !way.contains(callee));
            written.extend(aside.flat_map(|callee| fields_written(cx, callee)));
        }
    }
    if written.is_empty() {
        return false;
    }
    let reads = |by: FunctionId, value: ValueIndex| !fields_read(cx, by, value).is_disjoint(&written);
    let decides = |&by: &FunctionId| {
        let function = cx.function(by);
        function.blocks.iter().any(|block| matches!(block.next, Next::Branch(Some(value), _) if reads(by, value)))
    };
    handle(cx, wait.by, &wait.event).is_some_and(|handle| reads(wait.by, handle))
        || way.iter().skip(1).chain([&wait.by]).any(decides)
}

/// The field of the own object that a place goes through.
fn own_field<'p>(function: &Function, place: &'p Place) -> Option<&'p str> {
    let own = function.parameters.first()?.variable;
    match place.fields.first() {
        Some(Field::Name(name)) if place.root == Root::Variable(own) => Some(name),
        _ => None,
    }
}

fn fields_written(cx: &RuleContext, id: FunctionId) -> BTreeSet<String> {
    let function = cx.function(id);
    let written = function.steps().filter_map(|(_, _, step)| match &step.kind {
        StepKind::Write(place, ..) => own_field(&function, place).map(str::to_owned),
        _ => None,
    });
    written.collect()
}

/// The fields of the own object that a value comes from, by a variable or a method of the object as well.
fn fields_read(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> BTreeSet<String> {
    let function = cx.function(id);
    let mut read = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut work = vec![value];
    while let Some(value) = work.pop().filter(|_| seen.len() < MOST_VALUES) {
        if !seen.insert(value) {
            continue;
        }
        let node = function.value(value);
        match &node.kind {
            ValueKind::Place(place) => {
                read.extend(own_field(&function, place).map(str::to_owned));
                if let Some(variable) = place.as_variable() {
                    work.extend(cx.program.reaching(id, variable, node.block, node.step).values.iter());
                }
            }
            ValueKind::Call(_) if cx.program.is_on_own_object(id, value) => {
                for callee in cx.resolution(id, value).functions() {
                    let callee = cx.function(callee);
                    let fields = callee.values.iter().filter_map(|value| match &value.kind {
                        ValueKind::Place(place) => own_field(&callee, place).map(str::to_owned),
                        _ => None,
                    });
                    read.extend(fields);
                }
            }
            _ => {}
        }
        crate::analysis::uses::for_each_part(&node.kind, |part| work.push(part));
    }
    read
}
