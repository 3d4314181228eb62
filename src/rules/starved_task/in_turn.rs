//! What ran beside others before the change and now comes before them: if it needs them to go on, neither does.

use crate::verdict::Stance;

use super::NAME;
use crate::rules::manner::{Done, Gone, Manner, OnBoth};

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let cx = both.is.cx;
    let aside = |manner: &Manner| matches!(manner, Manner::Task | Manner::OwnedTask | Manner::Beside);
    let mut asked = false;
    for (now, then) in both.kept() {
        let inner = |then: &&Done| {
            let (first, rest) = then.manner.split_first()?;
            (aside(first) && rest == now.manner).then_some(*first)
        };
        let waits = now.is_awaited && cx.program.may_suspend(now.by, crate::flow::Suspension::Await, Some(now.call));
        if asked || !waits || !then.iter().all(|then| inner(then).is_some()) {
            continue;
        }
        // What has nothing beside it keeps nobody waiting.
        let Some(other) = left_behind(both, now) else { continue };
        asked = true;
        let (name, other) = (cx.program.callee_text(now.by, now.call), cx.program.callee_text(other.by, other.call));
        let verdict = cx
            .verdict(NAME, Stance::Unproven, now.by, now.span, &format!("`{name}`"))
            .assumes(format!("`{name}` comes to its end without `{other}`"))
            .says(format!("`{name}` ran beside `{other}`, which now waits until it is over"))
            .asks(format!("can `{name}` come to its end while nobody waits for `{other}`?"))
            .helps("let them run beside each other as before");
        out.push(Gone { had: (then[0].by, then[0].span), asked: verdict });
    }
}

/// Another wait of the function, behind the call or of its loop, that was there before.
fn left_behind<'b>(both: &'b OnBoth, now: &Done) -> Option<&'b Done> {
    let cx = both.is.cx;
    let waits = |done: &&Done| {
        let is_awaited = done.is_awaited || done.manner.first() == Some(&Manner::Beside);
        is_awaited && done.call != now.call && done.by == now.by && both.then.contains_key(&done.name)
    };
    let in_loop = cx.function(now.by).blocks[cx.function(now.by).value(now.call).block.at()].in_loop.is_some();
    both.now
        .values()
        .flatten()
        .filter(waits)
        .find(|done| done.span.start > now.span.start || in_loop && done.manner.first() == Some(&Manner::Beside))
}
