//! Who owns which acquisition, on one path or on several that meet.

use super::HeldBy;
use crate::flow::ValueIndex;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) acquisition: usize,
    pub(super) by: HeldBy,
    pub(super) is_certain: bool,
    /// The call whose result says whether it is held at all; it does not count until a branch has asked.
    pub(super) asked: Option<ValueIndex>,
}

pub(super) type State = Vec<Entry>;

/// Most acquisitions that are followed at one place. Nobody holds so many locks at once; files that are made to be slow do.
pub(super) const MOST_HELD: usize = 64;

pub(super) fn add(into: &mut Option<State>, state: &State) {
    match into {
        Some(known) => join(known, state),
        None => *into = Some(state.clone()),
    }
}

/// Adds what another path holds; what only one holds is no longer certain.
pub(super) fn join(into: &mut State, other: &State) {
    for entry in into.iter_mut() {
        let same = other.iter().find(|known| known.acquisition == entry.acquisition && known.by == entry.by);
        entry.is_certain &= same.is_some_and(|same| same.is_certain);
    }
    for entry in other {
        if into.len() < MOST_HELD
            && !into.iter().any(|known| known.acquisition == entry.acquisition && known.by == entry.by)
        {
            into.push(Entry { is_certain: false, ..entry.clone() });
        }
    }
}

/// Joins a state into a block's; whether that changed anything.
pub(super) fn merge(into: &mut Option<State>, state: &State) -> bool {
    match into {
        None => {
            *into = Some(state.clone());
            true
        }
        Some(known) => {
            let former = known.clone();
            join(known, state);
            known.sort_by_key(|entry| (entry.acquisition, entry.by));
            *known != former
        }
    }
}
