//! A task's result is asked for before the task can have run.

use crate::flow::{BlockIndex, Callee, Next, StepKind, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Confidence, Verdict};

use super::Body;

pub(super) fn check(body: &Body, out: &mut Vec<Verdict>) {
    if body.cx.language(body.id.module) != Language::Python {
        return;
    }
    for (call, name) in body.external_calls() {
        let Some(ready) = body.tables().ready(name) else { continue };
        let Some(made) = too_early(body, call) else { continue };
        let function = body.cx.function(body.id);
        let text = body.cx.program.callee_text(body.id, call);
        let verdict = body
            .violated(Confidence::High, call, &text)
            .assumes(format!("the task is done where `{text}` is called"))
            .says(format!("`{text}` is called before the task can have run: it raises {}", ready.harm))
            .helps("await the task instead")
            .evidence(
                body.cx.location(body.id, function.value(made).span),
                "the task is started here, and nothing is awaited after that",
            );
        out.push(verdict);
    }
}

/// The call that starts the task, if nothing lets it run before its result is asked for.
fn too_early(body: &Body, call: ValueIndex) -> Option<ValueIndex> {
    let function = body.cx.function(body.id);
    let Callee::Method(receiver, _) = &function.call(call)?.callee else { return None };
    let read = function.value(*receiver);
    // Who catches the exception has thought of it.
    if function.blocks[read.block.at()].on_raise.is_some() {
        return None;
    }
    let made = match &read.kind {
        ValueKind::Call(_) => *receiver,
        ValueKind::Place(place) => {
            let reaching = body.cx.program.reaching(body.id, place.as_variable()?, read.block, read.step);
            match &reaching.values[..] {
                [made] if !reaching.from_entry => *made,
                _ => return None,
            }
        }
        _ => return None,
    };
    let starts = body.cx.program.starts(body.id, made)?;
    let started = function.value(made);
    (starts.through.is_none() && is_straight(body, (started.block, started.step), (read.block, read.step)))
        .then_some(made)
}

/// Whether control goes from one step to the other without a branch and without giving way.
fn is_straight(body: &Body, from: (BlockIndex, u32), to: (BlockIndex, u32)) -> bool {
    let function = body.cx.function(body.id);
    let (mut block, mut start) = from;
    for _ in 0..function.blocks.len() {
        let steps = &function.blocks[block.at()].steps;
        let end = if block == to.0 { to.1 as usize } else { steps.len() };
        let Some(passed) = steps.get(start as usize..end) else { return false };
        if passed.iter().any(|step| matches!(step.kind, StepKind::Suspend(..))) {
            return false;
        }
        if block == to.0 {
            return true;
        }
        let Next::Goto(next) = function.blocks[block.at()].next else { return false };
        (block, start) = (next, 0);
    }
    false
}
