//! A handler that waits while it cleans up after a cancellation: some libraries cancel it again at every await.

use crate::analysis::FunctionId;
use crate::analysis::cancellation::Taker;
use crate::flow::{ManagedIndex, StepKind, Suspension};
use crate::verdict::{Stance, Verdict};

use super::super::context::RuleContext;
use super::super::unprotected_cleanup;

/// The question whether the handler runs in a scope that stays cancelled, where the file uses a library that has them.
pub(super) fn ask(cx: &RuleContext, id: FunctionId, taker: Taker) -> Option<Verdict> {
    let Taker::Handler { attempt, handler, .. } = taker else { return None };
    let function = cx.function(id);
    let tables = cx.program.tables(cx.language(id.module));
    let module = function.module();
    let import = module.imports.iter().find(|import| {
        import.level == 0 && import.target.first().is_some_and(|library| tables.cancels_again(library))
    })?;
    let region = &function.attempts[attempt].handlers[handler].region;
    let shielded: Vec<_> = (0..function.managed.len() as u32)
        .map(ManagedIndex)
        .filter(|managed| cx.program.scope_kind(id, *managed).is_some())
        .flat_map(|managed| cx.program.steps_within(id, managed))
        .collect();
    let awaits = function.steps().find_map(|(block, at, step)| match step.kind {
        StepKind::Suspend(how, of)
            if how != Suspension::Yield
                && region.has(block)
                && shielded.binary_search(&(block, at)).is_err()
                && cx.program.may_suspend(id, how, of) =>
        {
            Some(step.span)
        }
        _ => None,
    })?;
    let library = &import.target[0];
    Some(
        cx.verdict(unprotected_cleanup::NAME, Stance::Unproven, id, awaits, "the cleanup")
            .assumes(format!("the cleanup of `{}` runs to its end under cancellation", function.name))
            .says(format!("`{}` waits here while it cleans up after a cancellation", function.name))
            .asks(format!(
                "Does `{}` run in a scope of `{library}`, which once cancelled cancels this await as well?",
                function.name
            ))
            .helps("put the cleanup into a shielded scope")
            .evidence(cx.location(id, import.span), format!("`{library}` is used in this file")),
    )
}
