//! `with` and `for` around what is for `async with` and `async for`, and the other way round.

use crate::analysis::FunctionId;
use crate::analysis::colours::Iterated;
use crate::analysis::makes::Makes;
use crate::catalogue::Managed;
use crate::flow::{Colour, LoopKind, ManagedIndex, StepKind, ValueIndex};
use crate::text::Language;
use crate::verdict::{Confidence, Verdict};

use super::super::context::RuleContext;
use super::NAME;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if cx.language(id.module) == Language::Python {
        managed(cx, id, out);
        loops(cx, id, out);
    }
}

fn managed(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let shape = cx.program.shape(id);
    let entered: Vec<ManagedIndex> = function
        .steps()
        .filter(|(block, ..)| shape.is_reachable(*block))
        .filter_map(|(_, _, step)| match step.kind {
            StepKind::Enter(index) => Some(index),
            _ => None,
        })
        .collect();
    for index in entered {
        let block = &function.managed[index.at()];
        let word = if block.is_async { "async with" } else { "with" };
        let name = cx.program.value_text(id, block.value);
        let bare = name.strip_suffix("()").unwrap_or(&name);
        let what = if makes_coroutine(cx, id, block.value) {
            let await_it = if block.is_async { "async with await" } else { "with await" };
            Some(("which only makes a coroutine".to_owned(), format!("await it first: `{await_it} {name}`")))
        } else {
            match (cx.program.entered_by(id, block.value), block.is_async) {
                (Some(Managed::With), true) => {
                    Some(("which is for a plain `with`".to_owned(), "use `with`".to_owned()))
                }
                (Some(Managed::AsyncWith), false) => {
                    Some(("which is for `async with`".to_owned(), "use `async with`".to_owned()))
                }
                (Some(Managed::Both), false) if function.colour == Colour::Async => others_enter(cx, id, block.value)
                    .map(|times| {
                        let what = format!("which is for both, and which {times} here with `async with`");
                        (what, "use `async with` here as well, unless the plain form was meant".to_owned())
                    }),
                _ => None,
            }
        };
        let Some((what, help)) = what else { continue };
        let is_sure = !what.contains("both");
        let confidence = if is_sure { Confidence::High } else { Confidence::Medium };
        let mut verdict = cx
            .violated(NAME, confidence, id, block.span, &format!("{word} `{bare}`"))
            .assumes(format!("`{bare}` is entered in the way it is made for"))
            .says(format!("`{word}` enters `{bare}`, {what}"))
            .helps(help);
        if function.call(block.value).is_some() {
            for callee in cx.resolution(id, block.value).functions().into_iter().take(1) {
                verdict = verdict.evidence(super::defined(cx, callee), "it is defined here");
            }
        }
        out.push(verdict);
    }
}

fn makes_coroutine(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> bool {
    let is_library = |value| cx.resolution(id, value).external().is_some();
    cx.program.makes(id, value) == Some(Makes::Coroutine)
        && !is_library(value)
        && cx.program.entered_by(id, value).is_none()
        && cx.program.unawaited_behind(id, value).is_some()
}

/// How often other asynchronous functions of the file enter what this call gives with `async with`, if they all do.
fn others_enter(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> Option<String> {
    let of = cx.program.value_type(id, value);
    let file = cx.program.module(id.module);
    let mut asynchronously = 0_u32;
    for (index, other) in file.functions().filter(|(_, other)| other.colour == Colour::Async) {
        let other_id = FunctionId { module: id.module, index };
        for block in &other.managed {
            let is_here = index == id.index && block.value == value;
            if is_here || cx.program.value_type(other_id, block.value) != of {
                continue;
            }
            if block.is_async {
                asynchronously += 1;
            }
        }
    }
    match asynchronously {
        0 => None,
        1 => Some("another block enters".to_owned()),
        more => Some(format!("{more} other blocks enter")),
    }
}

fn loops(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let shape = cx.program.shape(id);
    for around in &function.loops {
        let Some(over) = around.over.filter(|_| shape.is_reachable(around.header)) else { continue };
        let (name, span) = (cx.program.value_text(id, over), function.value(over).span);
        let bare = name.strip_suffix("()").unwrap_or(&name);
        let bare = if bare == "it" { "a collection" } else { bare };
        let what = match (around.kind, cx.program.iterated_by(id, over)) {
            (LoopKind::AsyncFor, Some(Iterated::Plainly)) => ("async for", "which is for a plain `for`", "use `for`"),
            (LoopKind::AsyncFor, Some(Iterated::Coroutine)) => {
                ("async for", "which only makes a coroutine", "await it, and use `for`")
            }
            // A generator that a plain loop goes over is lost, which `unawaited-call` says.
            (LoopKind::For, Some(Iterated::Asynchronously)) if function.call(over).is_none() => {
                ("for", "which is for `async for`", "use `async for`")
            }
            _ => continue,
        };
        let (word, what, help) = what;
        let mut verdict = cx
            .violated(NAME, Confidence::High, id, span, &format!("{word} `{bare}`"))
            .assumes(format!("`{bare}` is looped over in the way it is made for"))
            .says(format!("`{word}` goes over `{bare}`, {what}"))
            .helps(help);
        if function.call(over).is_some() {
            for callee in cx.resolution(id, over).functions().into_iter().take(1) {
                verdict = verdict.evidence(super::defined(cx, callee), super::is_plain_note(cx, callee));
            }
        }
        out.push(verdict);
    }
}
