//! A generator that yields inside something that must be ended: nobody ends it if the consumer does not come back.
//!
//! ~~~text
//! async def rows():
//!     async with timeout(5):      the time runs on while the consumer works, and the cancellation hits the consumer
//!         for row in …:
//!             yield row
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::held::{HeldBy, What};
use crate::catalogue::ScopeKind;
use crate::flow::{
    BlockIndex, Colour, Function, Leaving, Literal, LoopKind, ManagedIndex, StepKind, Suspension, ValueIndex, ValueKind,
};
use crate::text::Span;
use crate::verdict::{Confidence, Level, Stance, Verdict};

use super::super::context::RuleContext;
use super::NAME;

/// A place where a generator hands out a value.
#[derive(Clone, Copy)]
struct Yield {
    block: BlockIndex,
    at: usize,
    span: Span,
    value: Option<ValueIndex>,
}

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    broken_off(cx, id, out);
    if !matches!(function.colour, Colour::Generator | Colour::AsyncGenerator) {
        return;
    }
    // A decorator may make it something else than a generator: a context manager, a fixture.
    let decorated = match decorators(cx, id) {
        Decorated::Other => return,
        Decorated::Generator => None,
        Decorated::By(name) => Some(name),
    };
    let asked = |verdict: Verdict| match &decorated {
        Some(name) => ask(verdict, &function.name, name),
        None => verdict,
    };
    let yields = yields(cx, id);
    let mut told: Vec<Span> = Vec::new();
    for (at, _) in function.managed.iter().enumerate() {
        let index = ManagedIndex(at as u32);
        let inside = cx.program.steps_within(id, index);
        let within: Vec<Yield> =
            yields.iter().filter(|one| inside.binary_search(&(one.block, one.at)).is_ok()).copied().collect();
        let Some(first) = within.first() else { continue };
        match cx.program.scope_kind(id, index) {
            Some(kind) => out.push(asked(in_scope(cx, id, index, kind, &within))),
            None if function.colour != Colour::AsyncGenerator => {}
            None if hands_out(&function, &yields) || told.contains(&first.span) => {}
            None => {
                told.extend(within.iter().map(|one| one.span));
                out.push(asked(in_block(cx, id, index, &within)));
            }
        }
    }
    if function.colour == Colour::AsyncGenerator && decorated.is_none() && !hands_out(&function, &yields) {
        in_attempts(cx, id, &yields, out);
    }
}

/// What the decorators of a generator leave of it.
enum Decorated {
    /// It is still one.
    Generator,
    /// What this function of the project makes of it: it gives back what nobody can tell.
    By(String),
    /// Something else, or something of which nothing is known.
    Other,
}

fn decorators(cx: &RuleContext, id: FunctionId) -> Decorated {
    let function = cx.function(id);
    let mut found = Decorated::Generator;
    for decorator in function.decorators.iter().filter(|decorator| !cx.program.keeps_kind(id, decorator)) {
        match cx.program.decorating_function(id, &decorator.path) {
            Some(by) if !makes_a_manager(cx, by) => found = Decorated::By(decorator.path.join(".")),
            _ => return Decorated::Other,
        }
    }
    found
}

/// Whether a decorator of the project makes a context manager, or has a library make something of what it is given.
fn makes_a_manager(cx: &RuleContext, decorator: FunctionId) -> bool {
    let function = cx.function(decorator);
    function.values.iter().enumerate().any(|(at, value)| {
        matches!(value.kind, ValueKind::Call(_)) && cx.resolution(decorator, ValueIndex(at as u32)).external().is_some()
    }) || cx.program.module(decorator.module).functions().any(|(index, inner)| {
        inner.parent == Some(decorator.index) && !inner.decorators.is_empty() && index != decorator.index
    })
}

/// The same as a question, where only a decorator can make it harmless.
fn ask(mut verdict: Verdict, function: &str, decorator: &str) -> Verdict {
    verdict.stance = Stance::Unproven;
    let question = format!("does `{decorator}` make a context manager of `{function}`, or leave it a generator?");
    verdict.asks(question)
}

fn yields(cx: &RuleContext, id: FunctionId) -> Vec<Yield> {
    let function = cx.function(id);
    let shape = cx.program.shape(id);
    let steps = function.steps().filter(|(block, ..)| shape.is_reachable(*block));
    let yields = steps.filter_map(|(block, at, step)| match step.kind {
        StepKind::Suspend(Suspension::Yield, value) => Some(Yield { block, at, span: step.span, value }),
        _ => None,
    });
    yields.collect()
}

/// Whether a generator hands out one thing, once: a context manager or dependency that a framework drives.
fn hands_out(function: &Function, yields: &[Yield]) -> bool {
    let [only] = yields else { return false };
    let is_thing = only.value.is_some_and(|value| {
        !matches!(function.value(value).kind, ValueKind::Literal(Literal::Int(_) | Literal::Text(_) | Literal::None))
    });
    is_thing && function.blocks[only.block.at()].in_loop.is_none()
}

fn in_scope(cx: &RuleContext, id: FunctionId, index: ManagedIndex, kind: ScopeKind, within: &[Yield]) -> Verdict {
    let function = cx.function(id);
    let managed = &function.managed[index.at()];
    let name = cx.program.value_text(id, managed.value);
    let harm = match kind {
        ScopeKind::Deadline | ScopeKind::Cancel => "its cancellation hits whoever is consuming at the time",
        ScopeKind::Group => "a failing task cancels whoever is consuming at the time",
    };
    let mut verdict = cx
        .violated(NAME, Confidence::High, id, within[0].span, &format!("`{name}`"))
        .assumes(format!("`{name}` ends before control leaves `{}`", function.name))
        .says(format!("`{}` yields inside `{name}`: {harm}", function.name))
        .helps("gather the values first, hand them over by a queue, or make it a context manager")
        .evidence(cx.location(id, managed.span), format!("`{name}` is entered here"))
        .level(Level::Warning);
    for one in &within[1..] {
        verdict = verdict.evidence(cx.location(id, one.span), "here as well");
    }
    verdict
}

fn in_block(cx: &RuleContext, id: FunctionId, index: ManagedIndex, within: &[Yield]) -> Verdict {
    let function = cx.function(id);
    let managed = &function.managed[index.at()];
    let name = cx.program.value_text(id, managed.value);
    let facts = cx.facts(id);
    let holds_lock = facts.events.iter().any(|event| {
        matches!(event.what, What::Suspend(Suspension::Yield, _))
            && event.held.iter().any(|held| held.by == HeldBy::Block(index))
    });
    let what = if holds_lock { "the lock is held" } else { "it stays open" };
    let mut verdict = cx
        .violated(NAME, Confidence::High, id, within[0].span, &format!("`{name}`"))
        .assumes(format!("`{name}` is left when its consumer stops"))
        .says(format!("`{}` yields inside `{name}`: {what} until somebody closes the generator", function.name))
        .helps("consume it in `async with aclosing(…)`, or make it a context manager")
        .evidence(cx.location(id, managed.span), format!("`{name}` is entered here"))
        .level(if holds_lock { Level::Warning } else { Level::Note });
    for one in &within[1..] {
        verdict = verdict.evidence(cx.location(id, one.span), "here as well");
    }
    verdict
}

/// A `finally` that awaits, around a yield.
fn in_attempts(cx: &RuleContext, id: FunctionId, yields: &[Yield], out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    for attempt in &function.attempts {
        let Some(cleanup) = &attempt.cleanup else { continue };
        let Some(one) = yields.iter().find(|one| attempt.body.has(one.block)) else { continue };
        let awaits = function.steps().find_map(|(block, _, step)| match step.kind {
            StepKind::Suspend(how, of)
                if how != Suspension::Yield && cleanup.has(block) && cx.program.may_suspend(id, how, of) =>
            {
                Some(step.span)
            }
            _ => None,
        });
        let Some(awaits) = awaits else { continue };
        out.push(
            cx.violated(NAME, Confidence::High, id, awaits, "the cleanup")
                .assumes(format!("the cleanup of `{}` runs when its consumer stops", function.name))
                .says(format!(
                    "this cleanup of `{}` waits, and runs only once somebody closes the generator",
                    function.name
                ))
                .helps("consume it in `async with aclosing(…)`, or make it a context manager")
                .evidence(cx.location(id, one.span), "a consumer that stops here leaves it open")
                .level(Level::Note),
        );
    }
}

/// A loop over an asynchronous generator that is left early although the generator has something to clean up.
fn broken_off(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    for (at, around) in function.loops.iter().enumerate() {
        let (LoopKind::AsyncFor, Some(over)) = (around.kind, around.over) else { continue };
        if function.call(over).is_none() {
            continue;
        }
        let [callee] = cx.resolution(id, over).functions()[..] else { continue };
        let generator = cx.function(callee);
        if generator.colour != Colour::AsyncGenerator || !generator.decorators.is_empty() {
            continue;
        }
        let yields = yields(cx, callee);
        let kept = generator.managed.iter().enumerate().find_map(|(at, managed)| {
            let inside = cx.program.steps_within(callee, ManagedIndex(at as u32));
            yields.iter().any(|one| inside.binary_search(&(one.block, one.at)).is_ok()).then_some(managed.span)
        });
        let Some(kept) = kept else { continue };
        let leaves = function.blocks.iter().find_map(|block| {
            let leave = block.left_by.filter(|leave| matches!(leave.how, Leaving::Break | Leaving::Return))?;
            let is_inside = around.span.has(leave.span.start) && innermost(&function, block.in_loop, at, leave.how);
            is_inside.then_some(leave.span)
        });
        let Some(leaves) = leaves else { continue };
        let name = cx.program.callee_text(id, over);
        out.push(
            cx.violated(NAME, Confidence::High, id, function.value(over).span, &format!("`{name}`"))
                .assumes(format!("`{name}` is closed when the loop over it ends"))
                .says(format!("the loop over `{name}` is left early, and what it opened stays open"))
                .helps("consume it in `async with aclosing(…)`")
                .evidence(cx.location(id, leaves), "it is left here")
                .evidence(cx.location(callee, kept), "this is open meanwhile")
                .level(Level::Note),
        );
    }
}

/// Whether a jump in a loop leaves this one: a `break` leaves the innermost, a `return` all.
fn innermost(function: &Function, inside: Option<crate::flow::LoopIndex>, of: usize, how: Leaving) -> bool {
    let mut around = inside;
    while let Some(one) = around {
        if one.at() == of {
            return true;
        }
        if how == Leaving::Break {
            return false;
        }
        around = function.loops[one.at()].parent;
    }
    false
}
