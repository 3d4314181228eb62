//! What takes a coroutine is given something else: the result of a plain function, or the function itself.

use crate::analysis::FunctionId;
use crate::analysis::types::Type;
use crate::flow::{Colour, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Confidence, Verdict};

use super::super::context::RuleContext;
use super::{NAME, defined, is_plain_note};

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if cx.language(id.module) != Language::Python {
        return;
    }
    let function = cx.function(id);
    let tables = cx.program.tables(Language::Python);
    let shape = cx.program.shape(id);
    for (at, value) in function.values.iter().enumerate() {
        let ValueKind::Call(call) = &value.kind else { continue };
        if call.arguments.is_empty() || !shape.is_reachable(value.block) {
            continue;
        }
        let index = ValueIndex(at as u32);
        let resolution = cx.resolution(id, index);
        let Some(name) = resolution.external() else { continue };
        let Some(argument) = tables.refuses_results(name) else { continue };
        for given in cx.program.arguments_meant(call, argument) {
            out.extend(of_argument(cx, id, index, given));
        }
    }
}

fn of_argument(cx: &RuleContext, id: FunctionId, call: ValueIndex, given: ValueIndex) -> Option<Verdict> {
    let to = cx.program.callee_text(id, call);
    let span = cx.function(id).value(given).span;
    if let Some(made) = cx.program.plain_behind(id, given) {
        let name = cx.program.callee_text(id, made);
        let mut verdict = cx
            .violated(NAME, Confidence::High, id, span, &format!("`{name}`"))
            .assumes(format!("`{name}` gives `{to}` something to await"))
            .says(format!("`{name}` is run at once, and `{to}` is given its result, which nobody can await"))
            .helps(format!("make `{name}` asynchronous, or call it without `{to}`"));
        for callee in cx.resolution(id, made).functions().into_iter().take(2) {
            verdict = verdict.evidence(defined(cx, callee), is_plain_note(cx, callee));
        }
        return Some(verdict);
    }
    let Type::Function(meant) = cx.program.value_type(id, given) else { return None };
    let is_named = matches!(cx.function(id).value(given).kind, ValueKind::Place(_) | ValueKind::Path(..));
    if !is_named || cx.function(meant).colour != Colour::Async {
        return None;
    }
    let name = &cx.function(meant).name;
    Some(
        cx.violated(NAME, Confidence::High, id, span, &format!("`{name}`"))
            .assumes(format!("`{to}` is given a coroutine"))
            .says(format!("`{name}` itself is given to `{to}`, which wants the coroutine that calling it makes"))
            .helps(format!("call it: `{name}(…)`"))
            .evidence(defined(cx, meant), format!("`{name}` is defined here")),
    )
}
