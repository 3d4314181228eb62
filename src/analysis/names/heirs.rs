//! What stands below a class: its subclasses, and the methods that take the place of its own.
//!
//! Classes come to light as modules are loaded, so what was found holds for as long as no more of them may be meant.

use std::cell::RefCell;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Item;
use crate::analysis::{FunctionId, Program, TypeId};
use crate::flow::TypeKind;

/// Classes, and how many candidates or modules there were when they were looked for.
type Found = (usize, Arc<[TypeId]>);

/// What was found below classes.
#[derive(Default)]
pub(super) struct Cache {
    /// The next below, and how many candidates there were.
    next: RefCell<FxHashMap<TypeId, Found>>,
    /// All below, and how many modules were loaded.
    all: RefCell<FxHashMap<TypeId, Found>>,
}

impl Program<'_> {
    /// The classes of loaded modules that name this class among their bases.
    pub fn subclasses(&self, id: TypeId) -> Arc<[TypeId]> {
        let def = self.type_def(id);
        let name = &def.name;
        let candidates = || self.indexed(|index| index.number_under(&index.heirs, name));
        if let Some((number, known)) = self.names.members.heirs.next.borrow().get(&id)
            && *number == candidates()
        {
            return known.clone();
        }
        let cuts = self.names.circles.borrow().cuts();
        let heirs: Arc<[TypeId]> = self
            .settled(
                |index| index.under(&index.heirs, name),
                |heir| *heir != id && self.bases(*heir).contains(&Item::Type(id)),
            )
            .into();
        if self.names.circles.borrow().is_whole_since(cuts) {
            self.names.members.heirs.next.borrow_mut().insert(id, (candidates(), heirs.clone()));
        }
        heirs
    }

    /// The methods of this name in the classes below a class, or in the implementations of a trait, as far as loaded.
    pub fn overrides(&self, id: TypeId, name: &str) -> Vec<FunctionId> {
        if self.type_def(id).kind == TypeKind::Trait {
            return self.in_impls(&self.impls_of(id), name);
        }
        let below = self.below(id);
        if below.is_empty() {
            return Vec::new();
        }
        let having = self.indexed(|index| index.having(name).to_vec());
        let has_it = |heir: &&TypeId| having.binary_search(heir).is_ok();
        below.iter().filter(has_it).flat_map(|heir| self.own_method(*heir, name)).collect()
    }

    /// The classes of loaded modules below a class, the nearest first.
    fn below(&self, id: TypeId) -> Arc<[TypeId]> {
        let loaded = || self.modules.borrow().len();
        if let Some((at, known)) = self.names.members.heirs.all.borrow().get(&id)
            && *at == loaded()
        {
            return known.clone();
        }
        loop {
            let (cuts, number) = (self.names.circles.borrow().cuts(), loaded());
            let mut below = self.subclasses(id).to_vec();
            let mut seen: FxHashSet<TypeId> = below.iter().copied().chain([id]).collect();
            let mut at = 0;
            while let Some(&heir) = below.get(at) {
                below.extend(self.subclasses(heir).iter().filter(|more| seen.insert(**more)));
                at += 1;
            }
            // A module that was loaded on the way may hold more heirs of a class that was looked at before.
            if loaded() != number {
                continue;
            }
            let below: Arc<[TypeId]> = below.into();
            if self.names.circles.borrow().is_whole_since(cuts) {
                self.names.members.heirs.all.borrow_mut().insert(id, (number, below.clone()));
            }
            return below;
        }
    }
}
