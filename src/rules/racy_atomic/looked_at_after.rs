//! A counter that is changed in one step, and looked at in another that takes the place of the first one's answer.
//!
//! ~~~text
//! self.open.fetch_sub(1, …);                        two who leave at once may both find none left, or neither
//! if self.open.load(…) == 0 { self.done.notify() }
//! NEXT.fetch_add(1, …); NEXT.load(…)                two callers may get one number
//! ~~~

use super::{Access, How, NAME, is_guarded, is_shared};
use crate::analysis::FunctionId;
use crate::analysis::uses::Uses;
use crate::flow::{BlockIndex, Function, Next, ValueIndex, ValueKind};
use crate::rules::context::RuleContext;
use crate::verdict::{Confidence, Stance, Verdict};

pub(super) fn check(cx: &RuleContext, id: FunctionId, accesses: &[Access], out: &mut Vec<Verdict>) {
    let counts = |access: &&Access| access.counts && is_shared(cx, id, &access.place);
    if !accesses.iter().any(|access| access.how == How::Load) || !accesses.iter().any(|access| counts(&access)) {
        return;
    }
    let function = cx.function(id);
    let uses = Uses::of(&function);
    for counted in accesses.iter().filter(counts).filter(|counted| uses.is_only_discarded(counted.call)) {
        let next = accesses.iter().find(|next| counted.step_before(next) && next.place.is_same(&counted.place));
        // Whatever stands between may take long, and be why it is looked at anew.
        let Some(load) = next.filter(|next| next.how == How::Load && next.block == counted.block) else { continue };
        if is_guarded(cx, id, counted, load) || !takes_its_place(&function, load) {
            continue;
        }
        if cx.program.is_always_called_under_a_lock(id) {
            continue;
        }
        out.push(two_steps(cx, id, counted, load));
        return;
    }
}

/// Whether what was loaded decides where control goes at once, compared with a number, or is what the function gives.
fn takes_its_place(function: &Function, load: &Access) -> bool {
    let is_number =
        |value: &ValueIndex| matches!(function.value(*value).kind, ValueKind::Literal(_) | ValueKind::Path(..));
    let is_compared = |value: ValueIndex| match &function.value(value).kind {
        ValueKind::Operation(parts) => parts.contains(&load.call) && parts.iter().any(is_number) && parts.len() == 2,
        _ => value == load.call,
    };
    (0..).zip(&function.blocks).any(|(at, block)| match &block.next {
        Next::Branch(Some(value), _) => BlockIndex(at) == load.block && is_compared(*value),
        Next::Return(Some(value)) => *value == load.call,
        _ => false,
    })
}

fn two_steps(cx: &RuleContext, id: FunctionId, counted: &Access, load: &Access) -> Verdict {
    let (place, name) = (&load.name, &cx.function(id).name);
    let met = cx.program.met_by_itself(id, true);
    let stance = if met.is_some() { Stance::Violated(Confidence::Medium) } else { Stance::Unproven };
    let mut verdict = cx
        .verdict(NAME, stance, id, load.span, &format!("`{place}`"))
        .assumes(format!("nobody changes `{place}` between the two steps of `{name}`"))
        .says(format!("`{name}` changes `{place}` and then loads it again: the two are not one step"))
        .asks(format!("Can `{name}` run twice at once, or somebody else change `{place}` in between?"))
        .helps("use what the first step answers: the value before it")
        .evidence(cx.location(id, counted.span), format!("`{place}` is changed here, and the answer thrown away"));
    if let Some((at, what)) = met {
        verdict = verdict.evidence(at, what);
    }
    verdict
}
