//! Searches along calls that found nothing.
//!
//! A rule that follows calls to a depth comes to a function once for each way that leads there. Of methods that all call
//! each other there are as many ways as numbers can be made of them; what was searched in vain once is not searched again.

use super::{FunctionId, Program};

/// What was searched for, in which function, and how many calls it was still to be followed.
pub(super) type Searched = (&'static str, FunctionId, u32);

impl Program<'_> {
    /// What a search finds in a function, unless the same search has been there in vain. What it finds must not depend on
    /// the way on which it came.
    pub fn search<T>(
        &self,
        what: &'static str,
        id: FunctionId,
        depth: u32,
        find: impl FnOnce() -> Option<T>,
    ) -> Option<T> {
        let searched = (what, id, depth);
        if self.vain.borrow().contains(&searched) {
            return None;
        }
        let found = find();
        if found.is_none() {
            self.vain.borrow_mut().insert(searched);
        }
        found
    }
}
