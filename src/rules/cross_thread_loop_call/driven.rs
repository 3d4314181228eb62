//! A loop that a thread of the same file drives, touched by code of another thread.
//!
//! ~~~text
//! Thread(target=self.loop.run_forever).start()     the loop runs there
//! self.loop.stop()                                 and this is called from here
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::held::What;
use crate::analysis::locks::LockPlace;
use crate::catalogue::{BlockingKind, Runs};
use crate::flow::{Callee, Field, FunctionKind, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Confidence, Evidence, Verdict};

use super::{NAME, RuleContext};

/// A loop and where a thread is given it to drive.
struct Driven {
    place: LockPlace,
    by: FunctionId,
    evidence: Evidence,
}

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    // What is handed over, or called by asynchronous code, may run in the loop's own thread.
    let is_plain = matches!(function.kind, FunctionKind::Free | FunctionKind::Method) && function.parent.is_none();
    if !is_plain || cx.context(id).is_on_loop() || cx.program.asks_for_a_loop(id) {
        return;
    }
    let tables = cx.program.tables(Language::Python);
    let mut driven = None;
    for event in &cx.facts(id).events {
        let What::Call(call) = event.what else { continue };
        let resolution = cx.resolution(id, call);
        let Some(entry) = resolution.external().and_then(|name| tables.affine(name)) else { continue };
        let Some(Callee::Method(receiver, _)) = function.call(call).map(|call| &call.callee) else { continue };
        let place = cx.program.lock_place(id, *receiver);
        let driven = driven.get_or_insert_with(|| driven_in(cx, id));
        let is_it = |driven: &&Driven| driven.place.class.is_some() && driven.place.class == place.class;
        let Some(found) = driven.iter().find(is_it) else { continue };
        if found.by == id || may_run_there(cx, id) {
            return;
        }
        let name = cx.program.callee_text(id, call);
        let mut verdict = cx
            .violated(NAME, Confidence::Medium, id, event.span, &format!("`{name}`"))
            .assumes(format!("`{}` leaves what belongs to the event loop to the loop's own thread", function.name))
            .says(format!(
                "`{name}` is called outside the thread that drives the loop: it is not thread-safe, and does not wake it"
            ))
            .helps(format!("use `{}`, which hands the call to the loop's thread", entry.instead));
        verdict.evidence.push(found.evidence.clone());
        out.push(verdict);
    }
}

/// Whether a function may be called in the loop's thread after all.
fn may_run_there(cx: &RuleContext, id: FunctionId) -> bool {
    let calls = cx.program.callers_in_file(id);
    let is_there = |caller: FunctionId| {
        let function = cx.function(caller);
        function.is_async() || function.parent.is_some() || cx.context(caller).is_on_loop()
    };
    let callers = &calls.by;
    calls.is_named
        || callers.iter().any(|(caller, _)| is_there(*caller))
        || (callers.is_empty() && cx.program.is_private(id))
}

/// The loops that threads of a file drive, with who starts the thread.
fn driven_in(cx: &RuleContext, id: FunctionId) -> Vec<Driven> {
    let mut found = Vec::new();
    let handed = cx.program.functions_of(id.module).flat_map(|by| cx.program.hands_over(by).to_vec());
    for hand_over in handed.filter(|hand_over| hand_over.runs == Runs::Thread) {
        let callee = hand_over.callee;
        for event in &cx.facts(callee).events {
            let What::Call(call) = event.what else { continue };
            let resolution = cx.resolution(callee, call);
            let entry = cx.program.blocking_call(callee, call, &resolution);
            let function = cx.function(callee);
            let Some(Callee::Method(receiver, _)) = function.call(call).map(|call| &call.callee) else { continue };
            if entry.is_some_and(|entry| entry.kind == BlockingKind::LoopEntry) {
                let note = format!("`{}` drives the loop in a thread of its own", hand_over.to);
                let evidence = Evidence { at: hand_over.at.clone(), note };
                found.push(Driven { place: cx.program.lock_place(callee, *receiver), by: hand_over.by, evidence });
            }
        }
    }
    let module = cx.program.module(id.module);
    for (index, function) in module.functions() {
        let by = FunctionId { module: id.module, index };
        for at in (0..function.values.len() as u32).map(ValueIndex) {
            found.extend(driven_directly(cx, by, at));
        }
    }
    found
}

/// The loop whose own method a call hands to a thread: `Thread(target=loop.run_forever)`.
fn driven_directly(cx: &RuleContext, by: FunctionId, call: ValueIndex) -> Option<Driven> {
    let function = cx.function(by);
    let written = function.call(call)?;
    if written.arguments.is_empty() {
        return None;
    }
    let target = cx.program.given_to_a_thread(by, call).into_iter().next()?;
    let value = function.value(target);
    let ValueKind::Place(place) = &value.kind else { return None };
    let (Field::Name(_), true) = (place.fields.last()?, !place.is_cut) else { return None };
    let of = cx.program.value_type(by, target);
    let entry = cx.program.tables(Language::Python).blocking(&of.instance()?.name)?;
    if entry.kind != BlockingKind::LoopEntry {
        return None;
    }
    let mut driven = place.clone();
    driven.fields.pop();
    let note = format!("`{}` runs in a thread of its own", cx.program.place_text(by, place));
    let evidence = Evidence { at: cx.location(by, function.value(call).span), note };
    Some(Driven { place: cx.program.canonical_place(by, &driven, value.block, value.step), by, evidence })
}
