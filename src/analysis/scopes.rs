//! Managed blocks: what stands in them, and whether they bound it.

use std::collections::BTreeSet;

use super::{FunctionId, Program};
use crate::catalogue::ScopeKind;
use crate::flow::{BlockIndex, ManagedIndex, StepKind};

impl Program<'_> {
    /// How a managed block bounds what stands in it, if it does.
    pub fn scope_kind(&self, id: FunctionId, managed: ManagedIndex) -> Option<ScopeKind> {
        let function = self.function(id);
        let value = function.managed[managed.at()].value;
        function.call(value)?;
        let resolution = self.resolution(id, value);
        self.tables(self.language(id.module)).bounds(resolution.external()?).map(|scope| scope.kind)
    }

    /// The steps between the entry of a managed block and its exits, the entry's own suspension left out.
    pub fn steps_within(&self, id: FunctionId, managed: ManagedIndex) -> Vec<(BlockIndex, usize)> {
        let function = self.function(id);
        let entry = function.steps().find_map(|(block, at, step)| {
            matches!(step.kind, StepKind::Enter(one) if one == managed).then_some((block, at))
        });
        let Some((block, at)) = entry else { return Vec::new() };
        let own = usize::from(function.managed[managed.at()].is_async);
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        let mut work = vec![(block, at + 1 + own)];
        while let Some((block, from)) = work.pop() {
            let body = &function.blocks[block.at()];
            let mut is_left = false;
            for (number, step) in body.steps.iter().enumerate().skip(from) {
                if matches!(step.kind, StepKind::Exit(one) if one == managed) {
                    is_left = true;
                    break;
                }
                found.push((block, number));
            }
            if !is_left {
                // What goes wrong where the block is entered is none of its business.
                let raised = body.on_raise.filter(|_| from == 0);
                let next = body.next.targets().iter().chain(&raised);
                work.extend(next.filter(|next| seen.insert(**next)).map(|next| (*next, 0)));
            }
        }
        found.sort_unstable();
        found
    }
}
