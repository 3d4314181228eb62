//! A loop whose only wait is for an event, and whose condition is about something else: while the event is set, the wait
//! comes back at once, without giving way.
//!
//! ~~~text
//! while not self._restored:
//!     await self._ready.wait()       set, and not restored: nobody else runs who could restore
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::channels::is_in_loop;
use crate::analysis::held::What;
use crate::catalogue::{Flavour, LockKind};
use crate::flow::{BlockIndex, LoopIndex, LoopKind, StepKind, Suspension, ValueIndex};
use crate::rules::context::RuleContext;
use crate::rules::lost_wakeup::signal_call;
use crate::verdict::{Level, Stance, Verdict};

use super::NAME;

/// The question whether the event of a loop may be set while the loop goes on.
pub(super) fn ask(cx: &RuleContext, id: FunctionId, index: LoopIndex) -> Option<Verdict> {
    let function = cx.function(id);
    let around = &function.loops[index.at()];
    if around.kind != LoopKind::While || cx.program.is_test_code(id) {
        return None;
    }
    let is_inside = |block: BlockIndex| is_in_loop(&function, function.blocks[block.at()].in_loop, index);
    let mut event = None;
    for (block, _, step) in function.steps().filter(|(block, ..)| is_inside(*block)) {
        let (StepKind::Suspend(..) | StepKind::Call(_) | StepKind::Write(..) | StepKind::Enter(_)) = step.kind else {
            continue;
        };
        match step.kind {
            StepKind::Call(call) => {
                // Whatever else is called may put the event back.
                let (entry, method, _) = signal_call(cx, id, call)?;
                let is_event = entry.kind == LockKind::Event && entry.flavour == Flavour::Async;
                let is_fleeting = !entry.fleeting.is_empty();
                if !is_event || is_fleeting || !entry.is_wait(&method) {
                    return None;
                }
            }
            StepKind::Suspend(Suspension::Await, Some(of)) => {
                let (_, _, receiver) = signal_call(cx, id, of)?;
                event = Some((receiver, step.span, block));
            }
            _ => return None,
        }
    }
    let (receiver, span, _) = event?;
    let place = cx.program.lock_place(id, receiver);
    let is_about_it = function.values.iter().enumerate().any(|(at, value)| {
        let at = ValueIndex(at as u32);
        at != receiver
            && is_inside(value.block)
            && matches!(value.kind, crate::flow::ValueKind::Place(_))
            && cx.program.lock_place(id, at).is_same(&place)
    });
    // Who waits for a lock on the way gives way there.
    let is_under = cx
        .facts(id)
        .events
        .iter()
        .any(|event| matches!(event.what, What::Suspend(..)) && event.span == span && !event.held.is_empty());
    if is_about_it || is_under || place.class.is_none() {
        return None;
    }
    let (name, by) = (cx.program.value_text(id, receiver), &function.name);
    Some(
        cx.verdict(NAME, Stance::Unproven, id, span, &format!("`{name}`"))
            .assumes(format!("`{name}` is not set while the loop in `{by}` goes on"))
            .says(format!("the loop in `{by}` waits for `{name}` alone and looks at something else: while `{name}` is set, it never gives way"))
            .asks(format!("can `{name}` be set while the loop in `{by}` still goes round?"))
            .helps("clear the event before the wait, or set it only when what the loop looks at is so")
            .level(Level::Error),
    )
}
