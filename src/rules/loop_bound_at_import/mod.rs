//! Something that belongs to one event loop is made when its module is imported.
//!
//! No loop runs then. What is bound to a loop as it is made is bound to none or to the wrong one; what is bound when it
//! is first used goes wrong as soon as a second loop uses it.

mod constructed;
mod imported;
mod loops;

use crate::analysis::FunctionId;
use crate::catalogue::{Binding, LoopBound, Version};
use crate::flow::{FunctionIndex, ValueIndex};
use crate::text::Language;
use crate::verdict::{Confidence, Level, Verdict};

use super::context::RuleContext;
use imported::Made;

const NAME: &str = "loop-bound-at-import";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if cx.language(id.module) != Language::Python {
        return;
    }
    if id.index == FunctionIndex(0) {
        for made in imported::made_at_import(cx, id) {
            out.extend(at_import(cx, id, &made));
        }
    }
    loops::check(cx, id, out);
    constructed::check(cx, id, out);
}

/// Why an object that is bound as it is made is bound to the wrong loop.
fn at_import(cx: &RuleContext, module: FunctionId, made: &Made) -> Option<Verdict> {
    let why = why_bound(cx, module, made.entry)?;
    if made.entry.when == Binding::Made && !made.entry.running && made.entry.until.is_none() {
        // A loop that the module itself goes on to drive is the right one.
        if loops::drives_its_own(cx, module, made) {
            return None;
        }
    }
    let confidence =
        if made.entry.running || made.entry.until.is_some() { Confidence::High } else { Confidence::Medium };
    let name = cx.program.callee_text(made.function, made.call);
    let level = if made.entry.running { Level::Error } else { Level::Warning };
    let mut verdict = cx
        .violated(NAME, confidence, module, made.span, &format!("`{name}`"))
        .assumes(format!("`{name}` is called in the loop that uses what it makes"))
        .says(format!("`{name}` is called when the module is imported, where no loop runs: {why}"))
        .helps(format!("call `{name}` in asynchronous code, and keep the result for as long as its loop runs"))
        .level(level);
    for evidence in &made.evidence {
        verdict.evidence.push(evidence.clone());
    }
    Some(verdict)
}

/// What goes wrong with an object that is made at import; `None` if nothing need to.
fn why_bound(cx: &RuleContext, module: FunctionId, entry: &LoopBound) -> Option<String> {
    if entry.running {
        return Some("it raises RuntimeError there".to_owned());
    }
    if entry.when == Binding::Used {
        return None;
    }
    let Some(until) = entry.until else {
        return Some("the loop that it gives is not the one that runs later".to_owned());
    };
    let Version(major, minor) = cx.program.python(module.module)?;
    (Version(major, minor) < until).then(|| {
        format!(
            "the project runs on Python {major}.{minor}, and before {until} it is bound at once to a loop that need not \
             be the one that runs later"
        )
    })
}

/// What a call makes, if that belongs to one loop.
fn bound_call<'a>(cx: &RuleContext<'_, 'a>, id: FunctionId, call: ValueIndex) -> Option<&'a LoopBound> {
    let resolution = cx.resolution(id, call);
    cx.program.tables(Language::Python).loop_bound(resolution.external()?)
}
