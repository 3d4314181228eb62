//! A task is started and its handle is thrown away.

use crate::analysis::FunctionId;
use crate::analysis::makes::Starts;
use crate::analysis::uses::{Carries, Loss, Lost, Uses};
use crate::catalogue::Detach;
use crate::flow::{ValueIndex, ValueKind};
use crate::verdict::{Confidence, Stance, Verdict};

use super::context::RuleContext;

const NAME: &str = "dropped-task";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let shape = cx.program.shape(id);
    let mut uses = None;
    for (at, value) in function.values.iter().enumerate() {
        let index = ValueIndex(at as u32);
        if !matches!(value.kind, ValueKind::Call(_)) || !shape.is_reachable(value.block) {
            continue;
        }
        let Some(starts) = cx.program.starts(id, index) else { continue };
        // What somebody else waits for or what runs on regardless may be let go.
        if starts.spawn.owned || starts.spawn.detach == Detach::Normal {
            continue;
        }
        let uses = uses.get_or_insert_with(|| Uses::of(&function));
        let name = cx.program.callee_text(id, index);
        let lost = cx.program.losses(id, uses, index, Carries::Handle).filter(|lost| is_over(cx, id, index, lost));
        let assumption = format!("the task that `{name}` starts is kept, awaited or supervised");
        let subject = format!("`{name}`");
        out.push(match lost {
            Some(lost) => dropped(cx, id, index, &starts, &lost).assumes(assumption),
            None => cx.verdict(NAME, Stance::Upheld, id, value.span, &subject).assumes(assumption),
        });
    }
}

/// Whether the handle really ends: a variable lives as long as its function, which may wait at length itself.
fn is_over(cx: &RuleContext, id: FunctionId, index: ValueIndex, lost: &[Lost]) -> bool {
    let is_bound = lost.iter().any(|lost| matches!(lost.how, Loss::Unused(_) | Loss::Callback(_)));
    !is_bound || !cx.program.stays_after(id, cx.function(id).value(index).block)
}

fn dropped(cx: &RuleContext, id: FunctionId, index: ValueIndex, starts: &Starts, lost: &[Lost]) -> Verdict {
    let function = cx.function(id);
    let name = cx.program.callee_text(id, index);
    let callback = lost.iter().find(|lost| matches!(lost.how, Loss::Callback(_)));
    let unused = lost.iter().find_map(|lost| match lost.how {
        Loss::Unused(variable) => Some(function.variable(variable).name.clone()),
        _ => None,
    });
    let confidence = if callback.is_some() { Confidence::Medium } else { Confidence::High };
    let gone = match (&unused, callback) {
        (Some(variable), _) => format!("`{variable}` is not used after this"),
        (None, Some(_)) => "its handle is only given a callback".to_owned(),
        (None, None) => "its handle is thrown away".to_owned(),
    };
    let harm = match starts.spawn.detach {
        Detach::Cancels => "the task is cancelled at once",
        Detach::Lost | Detach::Normal => "the loop keeps only a weak reference, so the task may be collected half-way",
    };
    let mut verdict = cx
        .violated(NAME, confidence, id, function.value(index).span, &format!("`{name}`"))
        .says(format!("`{name}` starts a task and {gone}: {harm}"))
        .helps("keep the handle for as long as the task may run, await it, or start it in a task group");
    if let Some(callback) = callback {
        verdict = verdict.evidence(cx.location(id, callback.at), "a callback does not keep the task");
    }
    if let Some(through) = starts.through {
        let callee = cx.function(through);
        verdict =
            verdict.evidence(cx.location(through, callee.header), format!("`{}` returns the handle", callee.name));
    }
    verdict
}
