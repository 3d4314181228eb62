//! A thread is started before its object has all that the thread uses.
//!
//! ~~~text
//! self._thread.start()               the thread may be where it takes the lock already …
//! self._lock = threading.Lock()      … and there is none yet
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::accesses::{Access, Touch};
use crate::flow::{StepKind, ValueIndex};
use crate::text::Language;
use crate::verdict::{Confidence, Verdict};

use super::context::RuleContext;
use super::stale_read_before_start::kept_thread;

const NAME: &str = "unguarded-shared-state";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let is_candidate = cx.language(id.module) == Language::Python && function.owner.is_some() && cx.is_set_up(id);
    if !is_candidate || cx.program.is_test_code(id) {
        return;
    }
    let own = cx.program.accesses_by(id);
    for (block, number, step) in function.steps() {
        let StepKind::Call(call) = step.kind else { continue };
        let Some(begun) = kept_thread(cx, id, call) else { continue };
        let started = (block, number as u32);
        let gives = |access: &&Access| access.touch.is_write();
        let is_there = |late: &Access| {
            own.iter().filter(gives).any(|other| other.state == late.state && (other.block, other.step) < started)
        };
        let theirs = cx.program.accesses_by(begun);
        let found = own.iter().filter(gives).find_map(|late| {
            let used = theirs.iter().find(|access| access.state == late.state && access.touch == Touch::Reads)?;
            ((late.block, late.step) > started && !is_there(late)).then_some((late, used))
        });
        if let Some((late, used)) = found {
            out.push(verdict(cx, id, call, late, used));
            return;
        }
    }
}

fn verdict(cx: &RuleContext, id: FunctionId, call: ValueIndex, late: &Access, used: &Access) -> Verdict {
    let function = cx.function(id);
    let (name, by, begun) = (&late.name, &function.name, &cx.function(used.function).name);
    let start = cx.program.callee_text(id, call);
    cx.violated(NAME, Confidence::Medium, id, late.span, &format!("`{name}`"))
        .assumes(format!("`{name}` is there before `{begun}` uses it"))
        .says(format!(
            "`{by}` gives `{name}` its value only after it has started the thread in which `{begun}` uses it"
        ))
        .helps("start the thread at the end")
        .evidence(cx.location(id, function.value(call).span), format!("`{start}` starts the thread here"))
        .evidence(cx.location(used.function, used.span), format!("`{begun}` uses `{name}` here"))
}
