//! What a thread was to run, called where it should have been handed over (Python).
//!
//! ~~~text
//! Thread(target=work(job)).start()        `work` runs here, and the thread is given what it returns: nothing to run
//! ~~~

use crate::analysis::FunctionId;
use crate::catalogue::Runs;
use crate::flow::{Colour, Literal, Next, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Confidence, Verdict};

use super::super::context::RuleContext;
use super::NAME;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if cx.language(id.module) != Language::Python {
        return;
    }
    let function = cx.function(id);
    for (call, written) in function.calls().filter(|(_, call)| !call.arguments.is_empty()) {
        let Some(offload) = cx.program.offload(id, &cx.resolution(id, call)) else { continue };
        if !matches!(offload.runs, Runs::Thread | Runs::Process | Runs::Loop) {
            continue;
        }
        for given in cx.program.arguments_meant(written, &offload.callable) {
            let callees = cx.resolution(id, given).functions();
            let is_called = function.call(given).is_some() && !callees.is_empty();
            if !is_called || !callees.iter().all(|callee| gives_nothing(cx, *callee)) {
                continue;
            }
            let (what, to) = (cx.program.callee_text(id, given), cx.program.callee_text(id, call));
            out.push(
                cx.violated(NAME, Confidence::High, id, function.value(given).span, &format!("`{what}`, `{to}`"))
                    .assumes(format!("`{to}` is given something to run"))
                    .says(format!("`{what}` runs here, before `{to}` is called, which is given nothing to run"))
                    .helps(format!("hand `{what}` over without calling it, and its arguments beside it")),
            );
        }
    }
}

/// Whether calling a function gives nothing, so that there is nothing to run.
fn gives_nothing(cx: &RuleContext, id: FunctionId) -> bool {
    let function = cx.function(id);
    let is_nothing = |value: Option<ValueIndex>| {
        value.is_none_or(|value| matches!(function.value(value).kind, ValueKind::Literal(Literal::None)))
    };
    let returns = || {
        function.blocks.iter().filter_map(|block| match block.next {
            Next::Return(value) => Some(value),
            _ => None,
        })
    };
    function.colour == Colour::Plain
        && function.decorators.is_empty()
        && !function.is_bodiless
        && function.steps().next().is_some()
        && returns().next().is_some()
        && returns().all(is_nothing)
}
