//! What a loop starts for later looks at the loop's variable when it runs, and finds the value of another turn.
//!
//! ~~~text
//! for url in urls:
//!     pool.submit(lambda: fetch(url))       one variable for all turns: the thread reads whatever stands there by then
//! ~~~
//!
//! Silent where the loop waits before it goes on, and where the closure gets the value of its turn: `lambda url=url: …`.

use std::collections::BTreeSet;

use crate::analysis::FunctionId;
use crate::analysis::contexts::HandOver;
use crate::catalogue::Runs;
use crate::flow::{BlockIndex, Function, Goes, StepKind, ValueIndex, VariableIndex};
use crate::text::Language;
use crate::verdict::{Confidence, Verdict};

use super::context::RuleContext;

const NAME: &str = "unguarded-shared-state";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if cx.language(id.module) != Language::Python || function.loops.is_empty() || cx.program.is_test_code(id) {
        return;
    }
    let mut told = BTreeSet::new();
    for handed in cx.program.hands_over(id).iter() {
        let is_later = matches!(handed.runs, Runs::Thread | Runs::Task | Runs::Loop);
        let closure = cx.function(handed.callee);
        let is_own = handed.callee.module == id.module && closure.parent == Some(id.index);
        if !is_own || !is_later || !handed.is_repeated || !told.insert(handed.callee) {
            continue;
        }
        let Some((block, step)) = place_of(&function, handed) else { continue };
        let found = closure.variables.iter().enumerate().find_map(|(at, inner)| {
            let variable = inner.captures?;
            let is_changed_inside = cx.program.shape(handed.callee).is_bound(VariableIndex(at as u32));
            let given = cx.program.reaching(id, variable, block, step).values;
            let again = (!is_changed_inside).then(|| given_again(cx, id, (block, step), variable, &given)).flatten()?;
            Some((variable, again))
        });
        if let Some((variable, again)) = found {
            out.push(verdict(cx, id, handed, variable, again));
        }
    }
}

/// The step in which a function is handed over.
fn place_of(function: &Function, handed: &HandOver) -> Option<(BlockIndex, u32)> {
    let is_it = |kind: &StepKind| matches!(kind, StepKind::Call(call) if function.value(*call).span == handed.at.span);
    function.steps().find(|(_, _, step)| is_it(&step.kind)).map(|(block, number, _)| (block, number as u32))
}

/// Where the loop gives a variable its next value, if nothing waits on the way there.
fn given_again(
    cx: &RuleContext,
    id: FunctionId,
    from: (BlockIndex, u32),
    variable: VariableIndex,
    given: &[ValueIndex],
) -> Option<ValueIndex> {
    let function = cx.function(id);
    function.walk_steps((from.0, from.1 as usize + 1), |stretch| {
        for (_, step) in stretch.steps() {
            match step.kind {
                StepKind::Bind(bound, value) if bound == variable => {
                    return if given.contains(&value) { Goes::Over(value) } else { Goes::Aside };
                }
                // The tasks get their turn, or what was started is waited for: at the end of a pool's block as well.
                StepKind::Suspend(..) | StepKind::Exit(_) => return Goes::Aside,
                StepKind::Call(call) if cx.program.blocking_call(id, call, &cx.resolution(id, call)).is_some() => {
                    return Goes::Aside;
                }
                _ => {}
            }
        }
        Goes::On
    })
}

fn verdict(cx: &RuleContext, id: FunctionId, handed: &HandOver, variable: VariableIndex, again: ValueIndex) -> Verdict {
    let function = cx.function(id);
    let name = &function.variable(variable).name;
    // A thread may be quick enough; what waits for its turn on the loop never is.
    let (confidence, when) = match handed.runs {
        Runs::Thread => (Confidence::Medium, "may find the value of a later turn"),
        _ => (Confidence::High, "finds the value of a later turn"),
    };
    cx.violated(NAME, confidence, id, handed.at.span, &format!("`{name}`"))
        .assumes(format!("what each turn of the loop starts works on the `{name}` of that turn"))
        .says(format!("`{name}` is one variable for all turns of the loop: what is started here {when}"))
        .helps(format!("hand the value over: `lambda {name}={name}: …`, a parameter, `partial`"))
        .evidence(cx.location(id, function.value(again).span), format!("`{name}` gets its next value here"))
}
