//! Managed blocks: what stands in them, and whether they bound it.

use super::{FunctionId, Program};
use crate::catalogue::ScopeKind;
use crate::flow::{BlockIndex, Goes, ManagedIndex, StepKind};

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
        function.walk_steps((block, at + 1 + own), |stretch| {
            for (number, step) in stretch.steps() {
                if matches!(step.kind, StepKind::Exit(one) if one == managed) {
                    return Goes::Aside;
                }
                found.push((stretch.at, number));
            }
            // What goes wrong where the block is entered is none of its business.
            if stretch.first == 0 { Goes::<()>::OnAndRaised } else { Goes::On }
        });
        found.sort_unstable();
        found
    }
}
