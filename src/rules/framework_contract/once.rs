//! Something that counts its uses is made anew in every turn of the loop that uses it.

use crate::analysis::uses::Uses;
use crate::flow::{Callee, LoopKind, ValueIndex};
use crate::verdict::{Confidence, Level, Verdict};

use super::Body;

pub(super) fn check(body: &Body, out: &mut Vec<Verdict>) {
    let function = body.cx.function(body.id);
    for (call, name) in body.external_calls() {
        let Some(once) = body.tables().once(name) else { continue };
        let here = function.blocks[function.value(call).block.at()].in_loop;
        let Some(around) = here.map(|here| &function.loops[here.at()]) else { continue };
        if !matches!(around.kind, LoopKind::Forever | LoopKind::While) {
            continue;
        }
        let uses = Uses::of(&function);
        let Some(variable) = uses.only_bound(call) else { continue };
        let used: Vec<ValueIndex> = uses.reads(variable).iter().flat_map(|read| uses.parts_of(*read)).collect();
        let is_tick = |user: &&ValueIndex| {
            function
                .call(**user)
                .is_some_and(|call| matches!(&call.callee, Callee::Method(_, name) if *name == once.by))
        };
        let mut ticks = used.iter().filter(is_tick);
        let Some(tick) = ticks.next() else { continue };
        let is_once = ticks.next().is_none()
            && used.len() == 1
            && function.blocks[function.value(*tick).block.at()].in_loop == here;
        if !is_once {
            continue;
        }
        let text = body.cx.program.callee_text(body.id, call);
        let verdict = body
            .violated(Confidence::High, call, &text)
            .assumes(format!("what `{text}` makes outlives the turns of the loop that uses it"))
            .says(format!("`{text}` is called anew in every turn of the loop: {}", once.harm))
            .helps(format!("call `{text}` before the loop"))
            .evidence(body.cx.location(body.id, function.value(*tick).span), "it is used once in each turn")
            .level(Level::Warning);
        out.push(verdict);
    }
}
