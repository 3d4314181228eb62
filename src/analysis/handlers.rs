//! Which code answers requests: handlers that may be called again while a call of them is under way, and what they
//! await in their own file. While such code blocks, somebody else waits.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::{FunctionId, ModuleId, Program};
use crate::flow::{ValueIndex, ValueKind};

/// How many calls above a function are followed.
const FARTHEST: u32 = 6;

/// The functions of one file that await each function of that file.
pub(super) type Awaiting = BTreeMap<FunctionId, Vec<FunctionId>>;

impl Program<'_> {
    /// Whether a function is a handler, or what a handler of its file awaits.
    pub fn answers_requests(&self, id: FunctionId) -> bool {
        let mut seen = FxHashSet::from_iter([id]);
        let mut work = vec![(id, FARTHEST)];
        while let Some((id, left)) = work.pop() {
            if self.context(id).concurrent.is_some() {
                return true;
            }
            let Some(left) = left.checked_sub(1) else { continue };
            let awaiting = self.awaiting(id.module);
            for &caller in awaiting.get(&id).into_iter().flatten() {
                if seen.insert(caller) {
                    work.push((caller, left));
                }
            }
        }
        false
    }

    fn awaiting(&self, module: ModuleId) -> Arc<Awaiting> {
        if let Some(known) = self.awaiting.borrow().get(&module) {
            return known.clone();
        }
        let mut found = Awaiting::new();
        let owner = self.module(module);
        for (index, function) in owner.functions().filter(|(_, function)| function.is_async()) {
            let caller = FunctionId { module, index };
            for (at, value) in function.values.iter().enumerate() {
                let at = ValueIndex(at as u32);
                if matches!(value.kind, ValueKind::Call(_)) && self.is_awaited(caller, at) {
                    for callee in self.resolution(caller, at).functions() {
                        found.entry(callee).or_default().push(caller);
                    }
                }
            }
        }
        let found = Arc::new(found);
        self.awaiting.borrow_mut().insert(module, found.clone());
        found
    }
}
