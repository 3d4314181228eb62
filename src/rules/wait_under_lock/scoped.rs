//! A scope that waits at its end for the threads that were started in it, entered with a lock that they need (Rust).
//!
//! ~~~text
//! let mut out = self.out.lock();
//! scope(|s| for row in rows { s.spawn(|| self.render(row)) });      `render` takes `self.out`, and the scope waits
//! ~~~

use super::{counts, ends_never, keeps_out};
use crate::analysis::FunctionId;
use crate::analysis::held::{Event, Waits};
use crate::catalogue::Runs;
use crate::flow::{Callee, ValueIndex, ValueKind};
use crate::rules::context::RuleContext;
use crate::text::Language;
use crate::verdict::Verdict;

pub(super) fn check(cx: &RuleContext, id: FunctionId, event: &Event, call: ValueIndex, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let resolution = cx.resolution(id, call);
    let is_scope = || cx.program.offload(id, &resolution).is_some_and(|offload| offload.runs == Runs::Same);
    if cx.language(id.module) != Language::Rust || !is_scope() {
        return;
    }
    let Some(written) = function.call(call) else { return };
    for argument in &written.arguments {
        let ValueKind::Function(index) = function.value(argument.value).kind else { continue };
        let body = FunctionId { module: id.module, index };
        let inside = cx.function(body);
        let Some(scope) = inside.parameters.first().map(|first| first.variable) else { continue };
        for (start, starting) in inside.calls() {
            let Callee::Method(receiver, _) = &starting.callee else { continue };
            let is_own =
                matches!(&inside.value(*receiver).kind, ValueKind::Place(place) if place.as_variable() == Some(scope));
            let spawn = cx.program.spawn(body, &cx.resolution(body, start)).filter(|spawn| is_own && spawn.owned);
            let Some(runs) = spawn.map(|spawn| spawn.runs) else { continue };
            let given = cx.program.given_to_run(body, start).map(|(given, _)| given).unwrap_or_default();
            for started in given {
                let [callee] = cx.program.functions_meant(body, started)[..] else { continue };
                let summary = cx.program.summary(callee);
                let found = summary.takes.iter().filter(|takes| takes.waits == Waits::Yes).find_map(|takes| {
                    let there = cx.program.bound_at_start(body, started, callee, &takes.lock);
                    let here = cx.program.bound_at_start(id, argument.value, body, &there);
                    let held =
                        event.held.iter().filter(|held| counts(held)).find(|held| keeps_out(held, &here, runs))?;
                    Some((held, takes))
                });
                if let Some((held, takes)) = found {
                    let at = cx.location(body, inside.value(start).span);
                    out.push(ends_never(cx, id, event, held, takes, &cx.function(callee).name, at));
                    return;
                }
            }
        }
    }
}
