//! The number of owners of a counted pointer, asked by one of them at its end.
//!
//! ~~~text
//! fn drop(&mut self) { if Arc::strong_count(&self.0) == 1 { close() } }     two that end at once both find two
//! ~~~
//!
//! An owner counts until its fields are gone, which is after its `drop`: a lock that is held in there changes nothing.

use crate::analysis::FunctionId;
use crate::analysis::uses::Uses;
use crate::flow::{Function, Root, StepKind, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Confidence, Verdict};

use super::super::context::RuleContext;
use super::NAME;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if !cx.program.is_destructor(id) {
        return;
    }
    let function = cx.function(id);
    let tables = cx.program.tables(Language::Rust);
    let asks = function.steps().find_map(|(_, _, step)| {
        let StepKind::Call(call) = step.kind else { return None };
        cx.resolution(id, call).external().filter(|name| tables.counts_owners(name))?;
        let counted = function.call(call)?.arguments.first()?.value;
        is_own_field(&function, counted).then_some((call, counted))
    });
    let Some((call, counted)) = asks else { return };
    let made = cx.program.made_from(id, &Uses::of(&function), call);
    if !function.conditions().any(|(_, on, _)| made.contains(&on)) {
        return;
    }
    let place = cx.program.value_text(id, counted);
    out.push(
        cx.violated(NAME, Confidence::Medium, id, function.value(call).span, &format!("`{place}`"))
            .assumes(format!("no two owners of `{place}` end at once"))
            .says(format!(
                "`{}` asks how many others own `{place}`: of two that end at once each still counts the other",
                function.name
            ))
            .helps("do it in the `drop` of what is counted, or use `Arc::into_inner`, which answers one owner only"),
    );
}

/// Whether a value is a field of what ends, by reference.
fn is_own_field(function: &Function, value: ValueIndex) -> bool {
    match &function.value(value).kind {
        ValueKind::Reference(of) => is_own_field(function, *of),
        ValueKind::Place(place) => {
            let receiver = function.parameters.first().map(|first| Root::Variable(first.variable));
            !place.fields.is_empty() && receiver.as_ref() == Some(&place.root)
        }
        _ => false,
    }
}
