//! Two locks that a function took in one order, and takes in the other now.
//!
//! Who else takes the two is not always in sight; that the order was another one is.

use std::collections::BTreeMap;

use crate::analysis::summary::Pair;
use crate::verdict::Stance;

use super::NAME;
use crate::rules::manner::{Gone, OnBoth, Whole};

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let (then, now) = (pairs(&both.was), pairs(&both.is));
    let cx = both.is.cx;
    for ((held, taken), pair) in &now {
        let turned = (taken.clone(), held.clone());
        let Some(former) = then.get(&turned).filter(|_| !now.contains_key(&turned)) else { continue };
        if then.contains_key(&(held.clone(), taken.clone())) || held == taken {
            continue;
        }
        let (one, other, by) = (&pair.held.name, &pair.taken.name, &cx.function(both.is.id).name);
        // In the order of now, so that the way back is another matter.
        let names = [format!("`{one}`"), format!("`{other}`")];
        let at = pair.hops.get(1).map_or(&pair.at, |hop| &hop.at);
        let verdict = cx
            .verdict(NAME, Stance::Unproven, both.is.id, at.span, &names.join(", "))
            .assumes(format!("nobody who holds `{other}` waits for `{one}`"))
            .says(format!("`{by}` takes `{other}` while it holds `{one}`, and took them the other way round before"))
            .asks(format!("does anybody still take `{one}` while he holds `{other}`, as `{by}` did?"))
            .helps("take them in the order in which all others do")
            .evidence(pair.held_at.clone(), format!("`{one}` is taken first here"))
            .trace(pair.hops.iter().cloned());
        out.push(Gone { had: (both.was.id, former.held_at.span), asked: verdict });
    }
}

/// The pairs of locks that a function takes one under the other, by their classes.
fn pairs(whole: &Whole) -> BTreeMap<(String, String), Pair> {
    let summary = whole.cx.program.summary(whole.id);
    let known = summary.pairs.iter().filter_map(|pair| {
        let (held, taken) = (pair.held.place.class.clone()?, pair.taken.place.class.clone()?);
        Some(((held, taken), pair.clone()))
    });
    // The first of several speaks.
    let mut found = BTreeMap::new();
    for (key, pair) in known {
        found.entry(key).or_insert(pair);
    }
    found
}
