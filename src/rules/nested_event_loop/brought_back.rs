//! A loop that was driven in a thread of its own, or by a worker that had given up its tasks, and is driven in place now.
//!
//! ~~~text
//! block_in_place(|| handle.block_on(list()))       the function is called inside a runtime, and whoever wrote it knew
//! block_on(list())                                 and now the runtime's worker waits
//! ~~~

use crate::analysis::held::What;
use crate::catalogue::{BlockingKind, Stake};
use crate::rules::manner::{Done, Gone, Manner, OnBoth, Whole};
use crate::verdict::{Confidence, Stance};

use super::{NAME, does, harm};

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let cx = both.is.cx;
    let in_thread = |done: &Done| done.manner.contains(&Manner::Thread);
    let driven = |whole: &Whole, done: &Done| {
        let entry = whole.cx.program.blocking_call(done.by, done.call, &whole.cx.resolution(done.by, done.call));
        !done.is_given()
            && entry.is_some_and(|entry| entry.kind == BlockingKind::LoopEntry && entry.stake == Stake::Unbounded)
    };
    let now = both.now.values().flatten().filter(|done| driven(&both.is, done) && !in_thread(done));
    // On the loop for certain, or in a thread for certain, needs no other side.
    let mut bare = now.filter(|done| !cx.runs_on_loop(done.by) && !cx.context(done.by).is_in_thread());
    let Some(bare) = bare.next() else { return };
    let mut then = both.then.values().flatten().filter(|done| driven(&both.was, done)).peekable();
    let Some(first) = then.peek().map(|done| (done.by, done.span)) else { return };
    if !then.all(in_thread) {
        return;
    }
    let (facts, by) = (cx.facts(bare.by), &cx.function(both.is.id).name);
    let event = facts.events.iter().find(|event| matches!(event.what, What::Call(call) if call == bare.call));
    let Some(event) = event else { return };
    let entry = cx.program.blocking_call(bare.by, bare.call, &cx.resolution(bare.by, bare.call));
    let (Some(entry), name) = (entry, cx.program.callee_text(bare.by, bare.call)) else { return };
    let verdict = cx
        .verdict(NAME, Stance::Violated(Confidence::Medium), bare.by, event.span, &format!("`{name}`"))
        .assumes(format!("`{by}` is not called inside a running event loop"))
        .says(format!(
            "`{name}` {} in `{by}` itself, which had it done in a thread before the change: inside a running one {}",
            does(entry),
            harm(cx, bare.by)
        ))
        .helps("drive it in a thread as before, or make the function asynchronous");
    out.push(Gone { had: first, asked: verdict });
}
