//! Who mentions a type: subclasses and `impl` blocks of the loaded modules, by the last name they write.
//!
//! A module that is loaded is noted here without resolving anything; what mentions a name is resolved once somebody asks
//! about a type of that name.

use std::collections::BTreeSet;
use std::hash::BuildHasher;

use rustc_hash::{FxBuildHasher, FxHashMap};

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
    /// The types in whose body a method stands, in order, by the hash of its name: what two names share is looked at in
    /// vain.
    methods: FxHashMap<u64, Vec<TypeId>>,
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
            index.add(id, &module.module);
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
            for method in &def.methods {
                let known = self.methods.entry(FxBuildHasher.hash_one(&module.function(*method).name)).or_default();
                if known.last() != Some(&heir) {
                    known.push(heir);
                }
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

    /// The types in whose body a method of this name may stand, in order.
    pub(super) fn having(&self, name: &str) -> &[TypeId] {
        self.methods.get(&FxBuildHasher.hash_one(name)).map_or(&[], Vec::as_slice)
    }

    /// How many entries of a table there are under a name and under what that name was changed to by imports.
    pub(super) fn number_under<T>(&self, table: &FxHashMap<String, Vec<T>>, name: &str) -> usize {
        self.names_of(name).filter_map(|name| table.get(name)).map(Vec::len).sum()
    }

    fn names_of<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n str> {
        self.aliases.get(name).into_iter().flatten().map(String::as_str).chain([name])
    }

    /// The entries of a table under a name and under what that name was changed to by imports.
    pub(super) fn under<T: Copy>(&self, table: &FxHashMap<String, Vec<T>>, name: &str) -> Vec<T> {
        self.names_of(name).filter_map(|name| table.get(name)).flatten().copied().collect()
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
