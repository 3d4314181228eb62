//! What the concurrent code of one side does.
//!
//! A [`Program`] holds the modules of one side that were asked for, and answers questions on demand, memoised:
//!
//! ~~~text
//! names    what does this path name?            -> Item
//! types    what type has this value?            -> Type
//! calls    what does this call call?            -> Resolution
//! held     which locks are held at this step?   -> Facts
//! summary  what does calling this function do?  -> Summary
//! contexts where does this function run?        -> Context
//! strands  who runs it, and who else at once?    -> Strands
//! accesses who touches what a file shares?       -> Accesses
//! ~~~
//!
//! Everything runs on one thread for one side, so the caches are plain cells and the order of questions is the order
//! of the code: same change, same answers. Files come through a [`Loader`], never from disk.

pub mod accesses;
mod awaiting;
pub mod binding;
pub mod calls;
pub mod cancellation;
pub mod channels;
pub mod colours;
pub mod contexts;
mod decorations;
mod deep;
pub mod delta;
mod driven;
mod eager;
pub mod effects;
mod fills;
mod first_use;
mod forwards;
pub mod given;
mod handed_on;
pub mod handlers;
pub mod held;
pub mod imprint;
pub mod in_place;
pub mod interruption;
pub mod locks;
pub mod makes;
mod memo;
pub mod mentions;
pub mod names;
pub mod operators;
mod own_locks;
mod owners;
mod readiness;
pub mod scopes;
pub mod shape;
mod solve;
mod stand_ins;
pub mod strands;
pub mod summary;
mod switches;
mod twins;
pub mod types;
mod unawaited;
pub mod uses;
mod vain;
mod vocabulary;
pub mod ways;
mod wording;
mod wrappers;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

pub use crate::catalogue::Version;
use crate::catalogue::{Catalogue, Tables};
use crate::flow::{Function, FunctionIndex, FunctionKind, Module, TypeDef, TypeIndex, ValueIndex};
use crate::text::{Language, Side};
use crate::verdict::Setting;
pub use vocabulary::Vocabulary;

/// Brings other files of a side. Implementations share lowered modules between the sides by content.
pub trait Loader: Sync {
    /// The lowered module of a file, or `None` where the side has no such file or it cannot be read.
    fn module(&self, side: Side, path: &str) -> Option<Arc<Module>>;
    /// Whether the side has this file. Cheaper than reading it.
    fn has(&self, side: Side, path: &str) -> bool;
    /// Those of some files whose bytes hold something, in the order given. Cheaper than reading them into modules.
    fn mentioning(&self, _side: Side, paths: &[Arc<str>], _mentions: &Mentions<'_>) -> Vec<Arc<str>> {
        paths.to_vec()
    }
    /// The words of a file, collected once; `None` where nobody knows them, and any may stand there.
    fn vocabulary(&self, _side: Side, _path: &str) -> Option<Arc<Vocabulary>> {
        None
    }
    /// Every source file of the side, sorted by path. Made once.
    fn files(&self, side: Side) -> Arc<[Arc<str>]>;
    /// The Rust packages of the side, sorted by folder. Made once.
    fn packages(&self, side: Side) -> Arc<[Package]>;
    /// Whether git is told to leave a path alone, as what is generated beside the sources: `.gitignore`.
    fn is_ignored(&self, _side: Side, _path: &str) -> bool {
        false
    }
    /// The least Python version that the project around a file says it runs on.
    fn python(&self, _side: Side, _path: &str) -> Option<Version> {
        None
    }
}

/// What the bytes of a file are asked.
pub type Mentions<'a> = dyn Fn(&[u8]) -> bool + Sync + 'a;

/// Whether a text stands in the bytes of a file.
pub fn mentions(bytes: &[u8], text: &str) -> bool {
    memchr::memmem::find(bytes, text.as_bytes()).is_some()
}

/// A Rust package of the project, as its `Cargo.toml` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The folder of its `Cargo.toml`, without a slash at the end; empty for the root.
    pub folder: String,
    /// The name that other crates use: dashes are underscores.
    pub name: String,
    /// Path of the library's root file.
    pub library: String,
    /// Paths of the root files that its manifest gives to other targets: `[[bin]]`, `[[test]]`, sorted.
    pub roots: Vec<String>,
    /// Its edition.
    pub edition: crate::lower::Edition,
    /// Whether the edition was written down.
    pub is_edition_known: bool,
    /// Whether closures capture only what they use, which is nothing of `x` in `let _ = x`: from edition 2021 on.
    pub captures_parts: bool,
    /// Its renamed dependencies.
    pub renamed: Vec<Renamed>,
}

/// A dependency that has another name in a package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Renamed {
    /// Its name there.
    pub alias: String,
    /// Its own name.
    pub name: String,
    /// Whether it is given by its folder: what comes from a registry is no package of the project, however it is called.
    pub is_by_path: bool,
}

#[cfg(test)]
impl From<&(&str, &str, bool)> for Renamed {
    fn from((alias, name, is_by_path): &(&str, &str, bool)) -> Self {
        Self { alias: (*alias).to_owned(), name: (*name).to_owned(), is_by_path: *is_by_path }
    }
}

impl Package {
    /// The one of several that a file belongs to: the one in the nearest folder above it.
    pub fn of<'p>(packages: &'p [Self], path: &str) -> Option<&'p Self> {
        let holds = |package: &&Self| {
            let folder = &*package.folder;
            folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
        };
        packages.iter().filter(holds).max_by_key(|package| package.folder.len())
    }
}

/// A module of one program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleId(pub u32);

/// A function of one program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FunctionId {
    /// Its module.
    pub module: ModuleId,
    /// Which one.
    pub index: FunctionIndex,
}

/// A type definition of one program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId {
    /// Its module.
    pub module: ModuleId,
    /// Which one.
    pub index: TypeIndex,
}

/// A module of a program, and what its path says.
struct Loaded {
    module: Arc<Module>,
    is_test: bool,
}

/// The modules of one side and what was found out about them.
pub struct Program<'a> {
    /// Which side it is.
    pub side: Side,
    catalogue: &'a Catalogue,
    loader: &'a dyn Loader,
    modules: RefCell<Vec<Loaded>>,
    by_path: RefCell<FxHashMap<Arc<str>, Option<ModuleId>>>,
    names: names::Cache,
    depth: Cell<u32>,
    /// What the catalogue says of names of Python, and of Rust.
    effects: [RefCell<FxHashMap<String, effects::Effects<'a>>>; 2],
    types: RefCell<memo::ByValue<types::Type>>,
    returns: RefCell<memo::ByFunction<types::Type>>,
    aliases: RefCell<FxHashMap<types::Alias, types::Type>>,
    aliases_underway: RefCell<FxHashMap<types::Alias, types::Type>>,
    guards: RefCell<FxHashMap<TypeId, Option<held::Guarded>>>,
    resolutions: RefCell<memo::ByValue<Arc<calls::Resolution>>>,
    shapes: RefCell<memo::ByFunction<Arc<shape::Shape>>>,
    facts: RefCell<memo::ByFunction<Arc<held::Facts>>>,
    summaries: RefCell<memo::ByFunction<Arc<summary::Summary<'a>>>>,
    solver: RefCell<solve::Solver<'a>>,
    contexts: RefCell<memo::ByFunction<Arc<contexts::Context>>>,
    interruptions: RefCell<memo::ByFunction<Option<Arc<interruption::Interruption>>>>,
    awaiting: RefCell<FxHashMap<ModuleId, Arc<handlers::Awaiting>>>,
    property_names: RefCell<(usize, FxHashSet<String>)>,
    places: RefCell<FxHashMap<(FunctionId, ValueIndex), locks::LockPlace>>,
    named: RefCell<FxHashMap<ModuleId, Arc<delta::Named>>>,
    named_in: RefCell<FxHashMap<ModuleId, Arc<mentions::Mentions>>>,
    handing: RefCell<memo::ByFunction<Arc<Vec<contexts::HandOver>>>>,
    handed: RefCell<memo::ByFunction<Arc<Vec<contexts::HandOver>>>>,
    calls: RefCell<memo::ByFunction<Arc<strands::Calls>>>,
    strands: RefCell<memo::ByFunction<Arc<Vec<strands::Strand>>>>,
    forwards: RefCell<FxHashMap<forwards::Asked, Arc<Vec<forwards::Forward>>>>,
    parameters_run: RefCell<FxHashMap<forwards::Asked, Arc<[u32]>>>,
    vain: RefCell<FxHashSet<vain::Searched>>,
    mentions: RefCell<FxHashMap<String, bool>>,
    accesses: RefCell<memo::ByFunction<Arc<Vec<accesses::Access>>>>,
    accesses_of: RefCell<accesses::ByState>,
}

impl<'a> Program<'a> {
    /// A program without modules.
    pub fn new(side: Side, catalogue: &'a Catalogue, loader: &'a dyn Loader) -> Self {
        Self {
            side,
            catalogue,
            loader,
            modules: RefCell::default(),
            by_path: RefCell::default(),
            names: names::Cache::default(),
            depth: Cell::new(0),
            effects: Default::default(),
            types: RefCell::default(),
            returns: RefCell::default(),
            aliases: RefCell::default(),
            aliases_underway: RefCell::default(),
            guards: RefCell::default(),
            resolutions: RefCell::default(),
            shapes: RefCell::default(),
            facts: RefCell::default(),
            summaries: RefCell::default(),
            solver: RefCell::default(),
            contexts: RefCell::default(),
            interruptions: RefCell::default(),
            awaiting: RefCell::default(),
            property_names: RefCell::default(),
            places: RefCell::default(),
            named: RefCell::default(),
            named_in: RefCell::default(),
            handing: RefCell::default(),
            handed: RefCell::default(),
            calls: RefCell::default(),
            strands: RefCell::default(),
            forwards: RefCell::default(),
            parameters_run: RefCell::default(),
            vain: RefCell::default(),
            mentions: RefCell::default(),
            accesses: RefCell::default(),
            accesses_of: RefCell::default(),
        }
    }

    /// The module of a file, loaded at the first question.
    pub fn module_at(&self, path: &str) -> Option<ModuleId> {
        if let Some(known) = self.by_path.borrow().get(path) {
            return *known;
        }
        let loaded = self.loader.module(self.side, path);
        let id = loaded.map(|module| {
            let mut modules = self.modules.borrow_mut();
            let is_test = Setting::of_path(&module.path) == Setting::Test;
            modules.push(Loaded { module, is_test });
            ModuleId(modules.len() as u32 - 1)
        });
        self.by_path.borrow_mut().insert(path.into(), id);
        id
    }

    /// Whether a file is loaded.
    pub fn is_loaded(&self, path: &str) -> bool {
        self.by_path.borrow().get(path).is_some_and(Option::is_some)
    }

    /// A loaded module.
    pub fn module(&self, id: ModuleId) -> Arc<Module> {
        self.modules.borrow()[id.0 as usize].module.clone()
    }

    /// Whether a module is test code by its path.
    fn is_of_tests(&self, id: ModuleId) -> bool {
        self.modules.borrow()[id.0 as usize].is_test
    }

    /// The modules loaded so far.
    pub fn loaded(&self) -> Vec<ModuleId> {
        (0..self.modules.borrow().len() as u32).map(ModuleId).collect()
    }

    /// Whether a loaded module has a property of this name.
    fn is_property_name(&self, name: &str) -> bool {
        let modules = self.modules.borrow();
        let mut known = self.property_names.borrow_mut();
        for Loaded { module, .. } in &modules[known.0..] {
            let properties = module.functions.iter().filter(|function| function.kind == FunctionKind::Property);
            known.1.extend(properties.map(|property| property.name.clone()));
        }
        known.0 = modules.len();
        known.1.contains(name)
    }

    /// Forgets which questions are being answered, after one of them ended in a panic: the next one starts afresh.
    pub fn give_up_questions(&self) {
        self.depth.set(0);
        self.give_up_summaries();
        self.aliases_underway.borrow_mut().clear();
        self.give_up_lookups();
    }

    /// Where files come from.
    pub fn loader(&self) -> &'a dyn Loader {
        self.loader
    }

    /// The least Python version that the project around a module says it runs on.
    pub fn python(&self, id: ModuleId) -> Option<Version> {
        self.loader.python(self.side, &self.module(id).path)
    }

    /// Whether a text stands anywhere in the source files of the side.
    pub fn mentions_anywhere(&self, text: &str) -> bool {
        if let Some(known) = self.mentions.borrow().get(text) {
            return *known;
        }
        let files = self.loader.files(self.side);
        let found = !self.loader.mentioning(self.side, &files, &|bytes| mentions(bytes, text)).is_empty();
        self.mentions.borrow_mut().insert(text.to_owned(), found);
        found
    }

    /// What the world's libraries do, for one language.
    pub fn tables(&self, language: Language) -> &'a Tables {
        self.catalogue.tables(language)
    }

    /// A function, with the module that owns it.
    pub fn function(&self, id: FunctionId) -> FunctionRef {
        FunctionRef { module: self.module(id.module), index: id.index }
    }

    /// The functions of a module, in order, its own code first.
    pub fn functions_of(&self, module: ModuleId) -> impl Iterator<Item = FunctionId> + use<> {
        let count = self.modules.borrow()[module.0 as usize].module.functions.len() as u32;
        (0..count).map(move |index| FunctionId { module, index: FunctionIndex(index) })
    }

    /// A type definition, with the module that owns it.
    pub fn type_def(&self, id: TypeId) -> TypeRef {
        TypeRef { module: self.module(id.module), index: id.index }
    }
}

/// A function that keeps its module alive.
#[derive(Clone)]
pub struct FunctionRef {
    module: Arc<Module>,
    index: FunctionIndex,
}

impl FunctionRef {
    /// Its module.
    pub fn module(&self) -> &Arc<Module> {
        &self.module
    }
}

impl std::ops::Deref for FunctionRef {
    type Target = Function;

    fn deref(&self) -> &Function {
        self.module.function(self.index)
    }
}

/// A type definition that keeps its module alive.
#[derive(Clone)]
pub struct TypeRef {
    module: Arc<Module>,
    index: TypeIndex,
}

impl std::ops::Deref for TypeRef {
    type Target = TypeDef;

    fn deref(&self) -> &TypeDef {
        &self.module.types[self.index.at()]
    }
}
