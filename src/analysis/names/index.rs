//! Who mentions a type: subclasses and `impl` blocks of the loaded modules, by the last name they write.
//!
//! A module that is loaded is noted here without resolving anything; what mentions a name is resolved once somebody asks
//! about a type of that name.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::analysis::{ModuleId, Program, TypeId};
use crate::flow::{Module, TypeIndex, TypeTerm};

/// An `impl` block: index into [`Module::impls`].
pub(super) type ImplId = (ModuleId, u32);

/// Who mentions a type by its last name.
#[derive(Default)]
pub(super) struct Index {
    /// How many modules are in it.
    modules: usize,
    pub(super) heirs: FxHashMap<String, Vec<TypeId>>,
    pub(super) impls: FxHashMap<String, Vec<ImplId>>,
    pub(super) of_traits: FxHashMap<String, Vec<ImplId>>,
    /// What else a type is called where it was imported under another name.
    aliases: FxHashMap<String, BTreeSet<String>>,
    /// `impl<T: Bound> Trait for T`.
    pub(super) blanket: Vec<ImplId>,
}

impl Program<'_> {
    /// Filters candidates from the index, in the order in which their modules were loaded. A filter may load modules,
    /// which may bring more candidates.
    pub(super) fn settled<T: Ord + Copy>(
        &self,
        candidates: impl Fn(&Index) -> Vec<T>,
        is_one: impl Fn(&T) -> bool,
    ) -> Vec<T> {
        let mut seen = BTreeSet::new();
        let mut kept = BTreeSet::new();
        loop {
            let all = self.indexed(&candidates);
            let fresh: Vec<T> = all.into_iter().filter(|candidate| seen.insert(*candidate)).collect();
            if fresh.is_empty() {
                return kept.into_iter().collect();
            }
            kept.extend(fresh.into_iter().filter(&is_one));
        }
    }

    pub(super) fn indexed<T>(&self, look: impl FnOnce(&Index) -> T) -> T {
        let mut index = self.names.members.index.borrow_mut();
        let modules = self.modules.borrow();
        while let Some(module) = modules.get(index.modules) {
            let id = ModuleId(index.modules as u32);
            index.add(id, module);
            index.modules += 1;
        }
        look(&index)
    }
}

impl Index {
    fn add(&mut self, id: ModuleId, module: &Module) {
        for (at, def) in module.types.iter().enumerate() {
            let heir = TypeId { module: id, index: TypeIndex(at as u32) };
            for name in def.bases.iter().filter_map(last_name) {
                self.heirs.entry(name.clone()).or_default().push(heir);
            }
        }
        for (at, block) in module.impls.iter().enumerate() {
            let this = (id, at as u32);
            if let Some(name) = last_name(&block.self_type) {
                if block.of_trait.is_some() && block.generics.iter().any(|generic| generic.name == *name) {
                    self.blanket.push(this);
                } else {
                    self.impls.entry(name.clone()).or_default().push(this);
                }
            }
            if let Some(name) = block.of_trait.as_ref().and_then(last_name) {
                self.of_traits.entry(name.clone()).or_default().push(this);
            }
        }
        for import in &module.imports {
            if let Some(original) = import.target.last().filter(|original| **original != import.name) {
                self.aliases.entry(original.clone()).or_default().insert(import.name.clone());
            }
        }
    }

    /// The entries of a table under a name and under what that name was changed to by imports.
    pub(super) fn under<T: Copy>(&self, table: &FxHashMap<String, Vec<T>>, name: &str) -> Vec<T> {
        let names = self.aliases.get(name).into_iter().flatten().map(String::as_str).chain([name]);
        names.filter_map(|name| table.get(name)).flatten().copied().collect()
    }
}

/// The last name of a type as written.
fn last_name(term: &TypeTerm) -> Option<&String> {
    match term {
        TypeTerm::Path { segments, .. } => segments.last(),
        TypeTerm::Reference(inner) | TypeTerm::Annotated(inner, _) => last_name(inner),
        TypeTerm::Binding(..) | TypeTerm::Tuple(_) | TypeTerm::Union(_) | TypeTerm::Slice(_) => None,
        TypeTerm::Bounds(_) | TypeTerm::Function(..) | TypeTerm::Other(_) => None,
    }
}
