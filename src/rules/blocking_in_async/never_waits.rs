//! A task that never gives way, around one call that nobody knows: it has the executor's thread for as long as that
//! takes.
//!
//! Whoever starts a task to make one call that is not asynchronous often means it to run beside the rest. It does, but
//! on a thread that others need.

use crate::analysis::FunctionId;
use crate::catalogue::Runs;
use crate::flow::{Callee, FunctionKind, Next, StepKind, ValueIndex};
use crate::text::Language;
use crate::verdict::{Level, Stance, Verdict};

use super::NAME;
use crate::rules::context::RuleContext;

pub(super) fn check(cx: &RuleContext, id: FunctionId) -> Option<Verdict> {
    let function = cx.function(id);
    if function.kind != FunctionKind::AsyncBlock || cx.language(id.module) != Language::Rust {
        return None;
    }
    let mut waits = function.steps().filter(|(_, _, step)| matches!(step.kind, StepKind::Suspend(..)));
    let handed = cx.program.handed_over(id);
    let started = handed.iter().find(|hand_over| hand_over.runs == Runs::Task)?;
    if waits.next().is_some() {
        return None;
    }
    let unknown: Vec<ValueIndex> = calls_for_their_own_sake(cx, id);
    let [call] = unknown[..] else { return None };
    let name = cx.program.callee_text(id, call);
    Some(
        cx.verdict(NAME, Stance::Unproven, id, function.value(call).span, &format!("`{name}`"))
            .assumes(format!("`{name}` takes a moment only: the task that makes it never gives way"))
            .says(format!(
                "the task only calls `{name}` and never waits: the executor's thread is busy until that returns"
            ))
            .asks(format!(
                "the task does nothing but call `{name}` and never gives way: does that return within milliseconds?"
            ))
            .helps("run it where blocking is allowed")
            .level(Level::Warning)
            .evidence(started.at.clone(), "the task is started here"),
    )
}

/// Calls of which nothing is known and whose result is thrown away, kept by name or given back.
fn calls_for_their_own_sake(cx: &RuleContext, id: FunctionId) -> Vec<ValueIndex> {
    let function = cx.function(id);
    let tables = cx.program.tables(Language::Rust);
    let is_unknown = |value: &ValueIndex| {
        let Some(call) = function.call(*value) else { return false };
        let resolution = cx.resolution(id, *value);
        let is_described = resolution.external().is_some_and(|name| tables.describes(name));
        let is_method = matches!(call.callee, Callee::Method(..));
        is_method && resolution.functions().is_empty() && !is_described
    };
    let mut found: Vec<ValueIndex> = function
        .steps()
        .filter_map(|(_, _, step)| match step.kind {
            StepKind::Discard(value) => Some(value),
            _ => None,
        })
        .collect();
    found.extend(function.blocks.iter().filter_map(|block| match block.next {
        Next::Return(value) => value,
        _ => None,
    }));
    found.retain(is_unknown);
    found.dedup();
    found
}
