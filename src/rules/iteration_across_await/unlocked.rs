//! A loop that stood under a lock before the change, and gives way without one now.
//!
//! ~~~text
//! async with self._lock:
//!     for row in self._rows: await row.save()     whoever took it had seen somebody change `_rows`
//! ~~~

use std::collections::BTreeMap;

use crate::analysis::FunctionId;
use crate::flow::{LoopIndex, LoopKind, ValueKind};
use crate::rules::context::RuleContext;
use crate::rules::manner::{OnBoth, is_wrapped_anew};
use crate::rules::worse::Worse;
use crate::verdict::{Stance, Verdict};

use super::{DEEPEST, NAME, collection_of, suspension_in};

pub(in crate::rules) fn weigh(both: &OnBoth, out: &mut Vec<Worse>) {
    let (was, is) = (both.was.cx, both.is.cx);
    for &now in &both.is.parts {
        let mut asked: Vec<Verdict> = Vec::new();
        super::check(is, now, &mut asked);
        asked.retain(|verdict| verdict.stance == Stance::Unproven);
        let name = &is.function(now).qualified;
        let then = both.was.parts.iter().find(|then| was.function(**then).qualified == *name);
        let Some(&then) = then.filter(|_| !asked.is_empty()) else { continue };
        let mut before: Vec<Verdict> = Vec::new();
        super::check(was, then, &mut before);
        // What was asked before is no news.
        asked.retain(|verdict| !before.iter().any(|known| known.subject == verdict.subject));
        if is_wrapped_anew(both) {
            continue;
        }
        let (held, holds) = (locks(was, then), locks(is, now));
        for verdict in asked {
            let lock = held.get(&verdict.subject).and_then(Option::as_ref);
            if let (Some(lock), Some(None)) = (lock, holds.get(&verdict.subject)) {
                let why = format!("it stood under `{lock}` before the change");
                out.push(Worse::answers(is, NAME, now, verdict.at.span, why));
            }
        }
    }
}

/// The collections that a function gives way over while it loops, as verdicts name them, each with a lock that is held
/// over all such loops.
fn locks(cx: &RuleContext, id: FunctionId) -> BTreeMap<String, Option<String>> {
    let function = cx.function(id);
    let mut found: BTreeMap<String, Option<String>> = BTreeMap::new();
    for (at, around) in (0..).map(LoopIndex).zip(&function.loops) {
        let Some(over) = around.over.filter(|_| around.kind == LoopKind::For) else { continue };
        let Some(collection) = collection_of(cx, id, over, DEEPEST) else { continue };
        let holder = cx.function(collection.of);
        let value = holder.value(collection.at);
        let ValueKind::Place(place) = &value.kind else { continue };
        let Some((_, name)) = cx.program.state_named(collection.of, place, value.block, value.step) else { continue };
        let Some((_, locks)) = suspension_in(cx, id, &function, at) else { continue };
        let lock = locks.first().map(|lock| lock.name.clone());
        let known = found.entry(format!("`{name}`")).or_insert_with(|| lock.clone());
        if lock.is_none() {
            *known = None;
        }
    }
    found
}
