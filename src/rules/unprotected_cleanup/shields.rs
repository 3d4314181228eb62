//! A shield inside a lock: the cancellation lets the lock go while the work that needs it runs on.

use crate::analysis::FunctionId;
use crate::analysis::held::What;
use crate::flow::{Suspension, ValueIndex, ValueKind};
use crate::verdict::{Level, Verdict};

use super::super::context::RuleContext;
use super::NAME;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if !function.is_async() {
        return;
    }
    for event in &cx.facts(id).events {
        let What::Suspend(Suspension::Await, Some(of)) = event.what else { continue };
        let Some(held) = event.held.iter().find(|held| held.is_certain) else { continue };
        let resolution = cx.resolution(id, of);
        let tables = cx.program.tables(cx.language(id.module));
        let Some(shielded) = resolution.external().and_then(|name| tables.shields(name)) else { continue };
        let Some(call) = function.call(of) else { continue };
        // A task that somebody else started and keeps runs without this lock anyway: here it is only waited for.
        let is_anothers = |value: &ValueIndex| match &function.value(*value).kind {
            ValueKind::Place(place) => !place.fields.is_empty(),
            _ => false,
        };
        if cx.program.arguments_meant(call, shielded).iter().all(is_anothers) {
            continue;
        }
        let (lock, name) = (&held.lock.name, cx.program.callee_text(id, of));
        out.push(
            cx.violated(NAME, cx.confidence_of(held), id, event.span, &format!("`{lock}`"))
                .assumes(format!("`{lock}` is held for as long as what it protects"))
                .says(format!("a cancellation lets `{lock}` go here, while the work in `{name}` runs on without it"))
                .helps("shield the whole block that takes the lock, not the work inside it")
                .evidence(cx.location(id, held.taken), format!("`{lock}` is taken here"))
                .level(Level::Warning),
        );
    }
}
