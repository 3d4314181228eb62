//! A lock that was held from the read to the write before the change, and is not taken any more.
//!
//! ~~~text
//! async with self._lock:                              whoever took it had seen two tasks there
//!     if self.token is None:
//!         self.token = await self.login()
//! ~~~

use crate::rules::manner::{OnBoth, is_wrapped_anew};
use crate::rules::worse::Worse;
use crate::verdict::{Stance, Verdict};

use super::NAME;

pub(in crate::rules) fn weigh(both: &OnBoth, out: &mut Vec<Worse>) {
    let (was, is) = (both.was.cx, both.is.cx);
    for &now in &both.is.parts {
        let name = &is.function(now).qualified;
        let Some(&then) = both.was.parts.iter().find(|then| was.function(**then).qualified == *name) else { continue };
        let mut asked = Vec::new();
        super::check(is, now, &mut asked);
        asked.retain(|verdict| verdict.stance == Stance::Unproven);
        if asked.is_empty() || is_wrapped_anew(both) {
            continue;
        }
        let mut held = Vec::new();
        super::check(was, then, &mut held);
        // Only a lock is evidence of that it holds.
        let by_a_lock = |verdict: &Verdict| verdict.stance == Stance::Upheld && !verdict.evidence.is_empty();
        for verdict in asked {
            let Some(lock) = held.iter().find(|held| by_a_lock(held) && held.subject == verdict.subject) else {
                continue;
            };
            let why = match lock.evidence[0].note.split('`').nth(1) {
                Some(name) => format!("`{name}` was held in between before the change"),
                None => "a lock was held in between before the change".to_owned(),
            };
            out.push(Worse::answers(is, NAME, now, verdict.at.span, why));
        }
    }
}
