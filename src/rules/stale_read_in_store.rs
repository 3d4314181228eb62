//! A value is read from a store that others share, and written back in another round trip.
//!
//! ~~~text
//! row = decode(await store.get(key))     read …
//! row.until = later
//! await store.set(key, encode(row))      … and written back, over whatever came in between
//! ~~~
//!
//! The store is outside of the program, and so are most of those who use it: nothing here keeps them apart, unless a
//! lock is held from the read to the write or the store is asked to do both at once.

use crate::analysis::FunctionId;
use crate::analysis::uses::Uses;
use crate::flow::{Callee, StepKind, ValueIndex};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Stance, Verdict};

use super::context::RuleContext;
use super::stale_read_behind_lock::name_of;

const NAME: &str = "stale-read-across-await";

/// One request to a store.
struct Request {
    call: ValueIndex,
    receiver: ValueIndex,
    span: Span,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Reads,
    Writes,
    /// Does several things at once, or only if nothing changed.
    Together,
}

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if cx.language(id.module) != Language::Python || !function.is_async() || cx.program.is_test_code(id) {
        return;
    }
    let requests = requests(cx, id);
    if requests.iter().any(|request| request.what == What::Together) {
        return;
    }
    // A managed block may be a lock of the store's, whatever it is called.
    if function.managed.iter().any(|managed| managed.is_async) {
        return;
    }
    let shape = cx.program.shape(id);
    let key = |request: &Request| {
        let first = function.call(request.call)?.arguments.first()?;
        name_of(&function, first.value, 4)
    };
    let uses = Uses::of(&function);
    for write in requests.iter().filter(|request| request.what == What::Writes) {
        let Some(written) = key(write) else { continue };
        let given = function.call(write.call).map_or(&[][..], |call| call.arguments.get(1..).unwrap_or_default());
        let read = requests.iter().filter(|request| request.what == What::Reads).find(|read| {
            let Some(result) = shape.awaited(read.call) else { return false };
            let made = cx.program.made_from(id, &uses, result);
            key(read).as_ref() == Some(&written) && given.iter().any(|argument| made.contains(&argument.value))
        });
        let Some(read) = read.filter(|read| !is_guarded(cx, id, read, write)) else { continue };
        out.push(verdict(cx, id, read, write));
        return;
    }
}

fn requests(cx: &RuleContext, id: FunctionId) -> Vec<Request> {
    let function = cx.function(id);
    let tables = cx.program.tables(Language::Python);
    let mut found = Vec::new();
    for (_, _, step) in function.steps() {
        let StepKind::Call(call) = step.kind else { continue };
        let Some(Callee::Method(receiver, method)) = function.call(call).map(|call| &call.callee) else { continue };
        let resolution = cx.resolution(id, call);
        let Some((type_name, _)) = resolution.external().and_then(|name| name.rsplit_once('.')) else { continue };
        let Some(store) = tables.store(type_name) else { continue };
        let has = |methods: &[String]| methods.iter().any(|known| known == method);
        let what = if has(&store.read) {
            What::Reads
        } else if has(&store.write) {
            What::Writes
        } else if has(&store.together) {
            What::Together
        } else {
            continue;
        };
        found.push(Request { call, receiver: *receiver, span: step.span, what });
    }
    found
}

/// Whether a lock is held from one request to the other, by the function or by all of its callers.
fn is_guarded(cx: &RuleContext, id: FunctionId, read: &Request, write: &Request) -> bool {
    let function = cx.function(id);
    let facts = cx.facts(id);
    let held = |request: &Request| {
        let value = function.value(request.call);
        facts.held_at(value.block, value.step).to_vec()
    };
    let at_write = held(write);
    held(read).iter().any(|lock| at_write.contains(lock)) || cx.program.is_always_called_under_a_lock(id)
}

fn verdict(cx: &RuleContext, id: FunctionId, read: &Request, write: &Request) -> Verdict {
    let function = cx.function(id);
    let (store, name) = (cx.program.value_text(id, read.receiver), &function.name);
    let met = cx.program.met_by_itself(id, false);
    let stance = if met.is_some() { Stance::Violated(Confidence::Medium) } else { Stance::Unproven };
    let mut verdict = cx
        .verdict(NAME, stance, id, write.span, &format!("`{store}`"))
        .assumes(format!("nobody changes in `{store}` what `{name}` read there before it writes it back"))
        .says(format!("`{name}` writes back to `{store}` what it read there before, over whatever came in between"))
        .asks(format!("Can somebody else change the same entry of `{store}` between the read and the write?"))
        .helps("let the store do both in one step, watch the entry, or hold a lock that all of its users know")
        .evidence(cx.location(id, read.span), "it is read here");
    if let Some((at, what)) = met {
        verdict = verdict.evidence(at, what);
    }
    verdict
}
