//! A call blocks the event loop or the executor's thread.

use crate::analysis::FunctionId;
use crate::analysis::held::What;
use crate::catalogue::{Blocking, BlockingKind, Stake};
use crate::verdict::{Confidence, Level, Verdict};

use super::context::RuleContext;

const NAME: &str = "blocking-in-async";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if !cx.runs_on_loop(id) {
        return;
    }
    let function = cx.function(id);
    for event in &cx.facts(id).events {
        let What::Call(value) = event.what else { continue };
        let resolution = cx.resolution(id, value);
        let Some(entry) = cx.program.blocking_call(id, value, &resolution) else { continue };
        // A loop inside a loop is a rule of its own.
        if entry.kind == BlockingKind::LoopEntry {
            continue;
        }
        // A short lock, a `stat`, a line on the console: nobody's loop suffers, and a reader of such notes does.
        if entry.stake == Stake::Micro {
            continue;
        }
        let name = cx.program.callee_text(id, value);
        let in_loop = function.blocks[event.block.at()].in_loop.is_some();
        let mut verdict = cx
            .violated(NAME, Confidence::High, id, event.span, &format!("`{name}`"))
            .assumes(format!("nothing in `{}` blocks {}", function.name, what_it_blocks(cx, id)))
            .says(format!("`{name}` {} and blocks {}", waits_for(entry.kind), what_it_blocks(cx, id)))
            .helps(instead(entry))
            .stake(entry.stake);
        verdict.evidence.push(cx.loop_evidence(id));
        out.push(raised(verdict, entry, in_loop));
    }
}

/// Short input and output adds up in a loop, whether it is written here or walks a folder inside the call.
pub(super) fn raised(verdict: Verdict, entry: &Blocking, in_loop: bool) -> Verdict {
    let is_many = in_loop || entry.kind == BlockingKind::Tree;
    if is_many && entry.stake == Stake::Io { verdict.level(Level::Warning) } else { verdict }
}

pub(super) fn what_it_blocks(cx: &RuleContext, id: FunctionId) -> &'static str {
    match cx.language(id.module) {
        crate::text::Language::Python => "the event loop",
        crate::text::Language::Rust => "the executor's thread",
    }
}

pub(super) fn instead(entry: &Blocking) -> String {
    entry.instead.as_ref().map_or_else(String::new, |instead| format!("use `{instead}` instead"))
}

pub(super) fn waits_for(kind: BlockingKind) -> &'static str {
    match kind {
        BlockingKind::Sleep => "sleeps",
        BlockingKind::Network => "waits for the network",
        BlockingKind::Database => "waits for the database",
        BlockingKind::File => "reads or writes files",
        BlockingKind::Tree => "reads or writes whole folders",
        BlockingKind::Process => "waits for a process",
        BlockingKind::Cpu => "computes for long",
        BlockingKind::LockWait => "waits for another thread",
        BlockingKind::Channel => "waits for a message",
        BlockingKind::Console => "waits for the console",
        BlockingKind::LoopEntry => "drives another event loop to its end",
        BlockingKind::Park => "waits to be unparked",
    }
}
