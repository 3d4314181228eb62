//! Who reads and changes what one file's functions share: attributes of objects and classes, globals.
//!
//! A piece of state is named as a lock is: by the field of the type that declares it (`cache.py:Cache._rows`), or by
//! the global. Only what a method does to its own object counts for an attribute; whose object another one is, is not
//! known.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::locks::{Lock, LockPlace, LockRoot};
use super::strands::excludes;
use super::{FunctionId, ModuleId, Program};
use crate::catalogue::Change;
use crate::flow::{BlockIndex, Callee, Field, FunctionIndex, Place, Root, StepKind, ValueIndex, ValueKind, WriteKind};
use crate::text::{Language, Span};

/// One access of a piece of state.
#[derive(Clone, Debug)]
pub struct Access {
    /// The state that is touched.
    pub state: Arc<str>,
    /// The function that it stands in.
    pub function: FunctionId,
    /// The block.
    pub block: BlockIndex,
    /// The step in its block.
    pub step: u32,
    /// Where it is written.
    pub span: Span,
    /// What it does.
    pub touch: Touch,
    /// The place in the user's own words.
    pub name: String,
}

/// Accesses by file and state.
pub(super) type ByState = FxHashMap<(ModuleId, String), Arc<Vec<Access>>>;

/// What an access does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// It reads.
    Reads,
    /// It gives a value to the state itself, or, where the last part says so, to an element of it.
    Writes(WriteKind, Option<ValueIndex>, bool),
    /// It changes a collection by a method.
    Changes(Change, ValueIndex),
}

impl Touch {
    /// Whether the state is another one afterwards.
    pub fn is_change(self) -> bool {
        self != Self::Reads
    }

    /// Whether the state itself is given a value, rather than a part of it.
    pub fn is_write(self) -> bool {
        matches!(self, Self::Writes(_, _, false))
    }
}

impl<'a> Program<'a> {
    /// Every piece of state of a Python file with its accesses, in source order.
    pub fn accesses(&self, module: ModuleId) -> BTreeMap<Arc<str>, Vec<Access>> {
        let mut all: BTreeMap<Arc<str>, Vec<Access>> = BTreeMap::new();
        for id in self.functions_of(module) {
            for access in self.accesses_by(id).iter() {
                all.entry(access.state.clone()).or_default().push(access.clone());
            }
        }
        all
    }

    /// What the functions of a Python file do to a piece of state, in source order.
    pub fn accesses_of(&self, module: ModuleId, state: &str) -> Arc<Vec<Access>> {
        let key = (module, state.to_owned());
        if let Some(known) = self.accesses_of.borrow().get(&key) {
            return known.clone();
        }
        let mut found = Vec::new();
        let name = state.rsplit(['.', ':']).next().unwrap_or(state);
        for &index in self.mentioned_in(module).of(name) {
            let all = self.accesses_by(FunctionId { module, index });
            found.extend(all.iter().filter(|access| *access.state == *state).cloned());
        }
        let found = Arc::new(found);
        self.accesses_of.borrow_mut().insert(key, found.clone());
        found
    }

    /// What a Python function does to state that it shares with others.
    pub fn accesses_by(&self, id: FunctionId) -> Arc<Vec<Access>> {
        if let Some(known) = self.accesses.borrow().get(&id) {
            return known.clone();
        }
        let mut all = Vec::new();
        let function = self.function(id);
        // Module code runs before anybody shares anything.
        if self.language(id.module) == Language::Python && id.index != FunctionIndex(0) {
            for (block, at, step) in function.steps() {
                let (place, touch) = match &step.kind {
                    StepKind::Read(place) => (place.clone(), Touch::Reads),
                    StepKind::Write(place, kind, value) => {
                        let is_element = place.fields.last() == Some(&Field::Index);
                        (place.clone(), Touch::Writes(*kind, *value, is_element))
                    }
                    StepKind::Call(value) => match self.change_of(id, *value) {
                        Some((place, change)) => (place, Touch::Changes(change, *value)),
                        None => continue,
                    },
                    _ => continue,
                };
                let step_at = at as u32;
                let Some((state, name)) = self.state_named(id, &place, block, step_at) else { continue };
                let state = state.into();
                all.push(Access { state, function: id, block, step: step_at, span: step.span, touch, name });
            }
        }
        let all = Arc::new(all);
        self.accesses.borrow_mut().insert(id, all.clone());
        all
    }

    /// The place whose collection a call changes, and how.
    pub fn change_of(&self, id: FunctionId, value: ValueIndex) -> Option<(Place, Change)> {
        let function = self.function(id);
        let Callee::Method(receiver, _) = &function.call(value)?.callee else { return None };
        let ValueKind::Place(place) = &function.value(*receiver).kind else { return None };
        let resolution = self.resolution(id, value);
        let change = self.tables(self.language(id.module)).change(resolution.external()?)?;
        Some((place.clone(), change))
    }

    /// The state that a place of a function belongs to, and its name: an attribute of the function's own object or of a
    /// class, or a global. Elements belong to their collection.
    pub fn state_named(&self, id: FunctionId, place: &Place, block: BlockIndex, step: u32) -> Option<(String, String)> {
        let whole = without_elements(place)?;
        let found: LockPlace = self.canonical_place(id, &whole, block, step);
        let is_own = match (&found.root, &whole.root) {
            (LockRoot::Static(_), _) => true,
            (LockRoot::Parameter(0), Root::Variable(_)) => found.fields.len() == 1 && self.is_method(id),
            _ => false,
        };
        let class = found.class.filter(|_| is_own && found.is_exact)?;
        Some((class, self.place_text(id, &whole)))
    }

    /// The locks that keep others out at an access, those that every caller holds included.
    pub fn guards_at(&self, access: &Access) -> Vec<Arc<Lock>> {
        let facts = self.facts(access.function);
        let held = facts.held_at(access.block, access.step).iter();
        let mut found: Vec<Arc<Lock>> =
            held.filter(|held| held.is_certain && excludes(&held.lock)).map(|held| held.lock.clone()).collect();
        found.extend(self.locks_at_entry(access.function));
        found
    }
}

/// A place without the index of an element: `self.rows` for `self.rows[key]`; `None` for what lies below an element.
fn without_elements(place: &Place) -> Option<Place> {
    let mut whole = place.clone();
    while whole.fields.last() == Some(&Field::Index) {
        whole.fields.pop();
    }
    (!whole.is_cut && !whole.fields.contains(&Field::Index)).then_some(whole)
}
