//! A loop that gave way in between before the change, and no longer does.

use crate::flow::{Function, LoopIndex, StepKind};
use crate::text::Span;
use crate::verdict::{Stance, Verdict};

use super::{NAME, is_in};
use crate::rules::manner::{OnBoth, Whole};

pub(in crate::rules) fn check(both: &OnBoth, before: &mut Vec<Verdict>, after: &mut Vec<Verdict>) {
    let (was, is) = (both.was.cx, both.is.cx);
    let (then, now) = (was.function(both.was.id), is.function(both.is.id));
    if !then.is_async() || !(now.is_async() || is.context(both.is.id).runs.is_empty() || is.runs_on_loop(both.is.id)) {
        return;
    }
    let (then, now) = (loops(&both.was), loops(&both.is));
    if then.len() != now.len() {
        return;
    }
    for (then, now) in then.iter().zip(&now) {
        let Some(gave_way) = then.gives_way.filter(|_| now.gives_way.is_none() && now.works) else { continue };
        let name = &is.function(both.is.id).name;
        let verdict = is
            .verdict(NAME, Stance::Unproven, both.is.id, Span::new(now.span.start, now.span.start + 3), "the loop")
            .assumes(format!("the loop in `{name}` is over before anybody else must run"))
            .says(format!("this loop of `{name}` gave way in between, and no longer does"))
            .asks(format!("how long can the loop in `{name}` take, now that it gives way to nobody?"))
            .helps("give way every few turns, or let a thread do it");
        both.ask((both.was.id, gave_way), verdict, before, after);
    }
}

struct Turns {
    span: Span,
    gives_way: Option<Span>,
    /// Whether it calls anything.
    works: bool,
}

fn loops(whole: &Whole) -> Vec<Turns> {
    let (cx, id) = (whole.cx, whole.id);
    let function = cx.function(id);
    let function: &Function = &function;
    let of_loop = |at: usize| {
        let inside = || function.steps().filter(move |(block, _, _)| is_in(function, *block, LoopIndex(at as u32)));
        let gives_way = inside().find_map(|(_, _, step)| match step.kind {
            StepKind::Suspend(how, of) if cx.program.may_suspend(id, how, of) => Some(step.span),
            _ => None,
        });
        let works = inside().any(|(_, _, step)| matches!(step.kind, StepKind::Call(_)));
        Turns { span: function.loops[at].span, gives_way, works }
    };
    (0..function.loops.len()).map(of_loop).collect()
}
