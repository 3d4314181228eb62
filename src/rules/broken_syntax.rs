//! A file does not parse.

use crate::analysis::{FunctionId, ModuleId};
use crate::flow::Mark;
use crate::verdict::{Confidence, Location, Stance, Verdict};

use super::context::RuleContext;

const NAME: &str = "broken-syntax";

pub(super) fn check(cx: &RuleContext, module: ModuleId, out: &mut Vec<Verdict>) {
    let owner = cx.program.module(module);
    for mark in &owner.marks {
        let Mark::Broken { span, reason } = mark else { continue };
        let index = owner.function_at(span.start);
        // A file may be so broken that it has no functions, not even its own code.
        let verdict = if index.at() < owner.functions.len() {
            cx.violated(NAME, Confidence::High, FunctionId { module, index }, *span, reason)
        } else {
            let at = Location { path: owner.path.clone(), span: *span };
            Verdict::new(NAME, Stance::Violated(Confidence::High), at, "", reason.as_str())
        };
        out.push(
            verdict
                .assumes("the file parses")
                .says(format!("the file does not parse: {reason}"))
                .helps("complete what was begun here, or take it out"),
        );
    }
}
