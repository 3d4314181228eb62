//! Something that an asynchronous function calls blocks, in whatever file.

use crate::analysis::FunctionId;
use crate::analysis::held::What;
use crate::analysis::summary::Blocks;
use crate::catalogue::Stake;
use crate::verdict::{Confidence, Verdict};

use super::blocking_in_async::{instead, raised, stake, waits_for, what_it_blocks};
use super::context::RuleContext;

const NAME: &str = "blocking-through-call";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    // A plain function on the loop is reported where it is called or handed over, not at each of its own calls.
    if !cx.runs_on_loop(id) || !function.is_async() {
        return;
    }
    for event in &cx.facts(id).events {
        let What::Call(value) = event.what else { continue };
        let resolution = cx.resolution(id, value);
        for in_place in cx.program.runs_in_place(id, value, &resolution) {
            if in_place.is_awaited {
                continue;
            }
            let Some((first, others)) = in_place.candidates.split_first() else { continue };
            let summary = cx.program.summary(*first);
            let Some(blocks) = longest(&summary.blocks) else { continue };
            // May is not must: a candidate that does not block leaves it open.
            if others.iter().any(|other| longest(&cx.program.summary(*other).blocks).is_none()) {
                continue;
            }
            let call = cx.program.callee_text(id, value);
            let in_loop = function.blocks[event.block.at()].in_loop.is_some();
            let verdict = cx
                .violated(NAME, Confidence::High, id, event.span, &format!("`{call}`, `{}`", blocks.name))
                .assumes(format!("nothing that `{}` calls blocks {}", function.name, what_it_blocks(cx, id)))
                .says(format!(
                    "`{call}` blocks {}: it leads to `{}`, which {}",
                    what_it_blocks(cx, id),
                    blocks.name,
                    waits_for(blocks.entry.kind)
                ))
                .helps(instead(blocks.entry))
                .evidence(blocks.at.clone(), format!("`{}` {} here", blocks.name, waits_for(blocks.entry.kind)))
                .trace([cx.program.hop(id, event.span, in_place.what.clone())])
                .trace(blocks.hops.iter().cloned())
                .stake(stake(blocks.entry));
            out.push(raised(verdict, blocks.entry, in_loop));
        }
    }
}

/// The effect that waits longest; of several the one with the shortest way.
fn longest<'b, 'a>(blocks: &'b [Blocks<'a>]) -> Option<&'b Blocks<'a>> {
    let felt = blocks.iter().filter(|blocks| blocks.entry.stake != Stake::Micro);
    felt.min_by_key(|blocks| (std::cmp::Reverse(blocks.entry.stake), blocks.hops.len()))
}
