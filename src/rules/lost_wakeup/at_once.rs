//! A signal that was put off until something was done, and is given at once now.

use crate::flow::Callee;
use crate::verdict::Stance;

use super::NAME;
use crate::rules::manner::{Done, Gone, Manner, OnBoth};

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let cx = both.is.cx;
    for (now, then) in both.kept() {
        let was_put_off = |then: &&Done| then.manner.first() == Some(&Manner::Later);
        if now.manner.contains(&Manner::Later) || !then.iter().all(was_put_off) || !is_signal(both, now) {
            continue;
        }
        let name = cx.program.callee_text(now.by, now.call);
        let verdict = cx
            .verdict(NAME, Stance::Unproven, now.by, now.span, &format!("`{name}`"))
            .assumes(format!("what `{name}` tells of can be seen when it tells"))
            .says(format!("`{name}` was put off into a closure, and gives its signal at once now"))
            .asks(format!(
                "can whoever `{name}` wakes see what it is woken for, or may it look too early and sleep again?"
            ))
            .helps("give the signal when what it tells of is there");
        out.push(Gone { had: (then[0].by, then[0].span), asked: verdict });
    }
}

fn is_signal(both: &OnBoth, done: &Done) -> bool {
    let cx = both.is.cx;
    let tables = cx.program.tables(cx.language(done.by.module));
    let function = cx.function(done.by);
    let Some(Callee::Method(_, method)) = function.call(done.call).map(|call| &call.callee) else { return false };
    let resolution = cx.resolution(done.by, done.call);
    let Some((of, _)) = resolution.external().and_then(|name| name.rsplit_once("::")) else { return false };
    tables.lock(of).is_some_and(|lock| lock.wakes.values().any(|wakes| wakes.contains(method)))
}
