//! What a path names.
//!
//! A path as written is followed through imports, re-exports and globs to where the thing is defined, or out of the
//! project:
//!
//! ~~~text
//! from .store import Store as S     S.load   ->  Function(pkg/store.py, Store.load)
//! from redis import asyncio as r    r.Redis  ->  External("redis.asyncio.Redis")
//! ~~~
//!
//! Two things of one name in different files are never confused: what cannot be followed is [`Item::Unknown`], not the
//! nearest thing of that name. Types of values are not known here; `types` asks [`Program::method`] once it knows one.

mod circles;
mod derived;
mod display;
mod heirs;
mod index;
mod members;
mod missing;
mod outline;
mod python;
mod python_files;
mod rust;
mod rust_files;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{FunctionId, ModuleId, Program, TypeId};
use crate::flow::{FunctionIndex, Scope, TypeTerm};
use crate::text::Language;
pub use members::Member;
pub use missing::Missing;
use outline::Outline;

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// A function of the project.
    Function(FunctionId),
    /// A type of the project.
    Type(TypeId),
    /// A variant of an enum of the project (Rust).
    Variant(TypeId, String),
    /// An attribute of a class of the project, reached through the class: index into [`crate::flow::TypeDef::fields`].
    Field(TypeId, u32),
    /// A module-level place of the project: index into [`crate::flow::Module::statics`].
    Static(ModuleId, u32),
    /// A module of the project; the path is the inline module within the file (Rust).
    Module(ModuleId, Vec<String>),
    /// A folder of the project that is imported as a package without a file of its own (Python).
    Package {
        /// The folder, from the repository's root.
        folder: String,
        /// The name by which it was reached: `google.cloud`.
        name: String,
    },
    /// Something outside the project, by its canonical qualified name: `requests.get`, `std::sync::Mutex`.
    External(String),
    /// Not found.
    Unknown,
}

impl Item {
    /// Whether its definition is in the project.
    pub fn is_of_project(&self) -> bool {
        match self {
            Self::Function(_) | Self::Type(_) | Self::Variant(..) | Self::Field(..) => true,
            Self::Static(..) | Self::Module(..) => true,
            Self::Package { .. } | Self::External(_) | Self::Unknown => false,
        }
    }
}

/// Most files that one program loads because a name led there. Past it names are unknown and the review says so.
pub const MOST_FILES: u32 = 600;

/// Most re-exports between a name and its definition.
const MOST_HOPS: usize = 12;

/// What a path segment is wanted for, where a name stands for two things: `mod join; pub use join::join;`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Want {
    /// More segments follow: a module or type.
    Inside,
    /// It is the last one: a function, type or static rather than a module.
    Thing,
}

/// One lookup of one name in one scope.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Question {
    module: ModuleId,
    scope: Scope,
    name: String,
    lookup: Lookup,
}

/// The sorts of lookup; one may lead to another of the same name without going round in a circle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Lookup {
    /// What a scope binds itself.
    Own(Want),
    /// What its globs bring in, to the scope itself or to those who import from it.
    Globs { want: Want, is_from_elsewhere: bool },
    /// What stands below an alias.
    Alias,
    /// Which library its globs open.
    Outside { is_from_elsewhere: bool },
}

/// What paths stand for.
type Paths = FxHashMap<Vec<String>, Item>;

/// What paths stand for by the inline module that they are written in, empty in Python.
type PathsByModule = FxHashMap<Vec<String>, Paths>;

/// What was looked up before.
#[derive(Default)]
pub(crate) struct Cache {
    /// By the file and function that they are written in.
    resolved: RefCell<FxHashMap<(ModuleId, Option<FunctionIndex>), PathsByModule>>,
    outlines: RefCell<FxHashMap<ModuleId, Arc<Outline>>>,
    circles: RefCell<circles::Circles>,
    /// Whether a file holds one of some texts, which the first of them stands for.
    mentions: RefCell<FxHashMap<(Arc<str>, &'static str), bool>>,
    loaded: Cell<u32>,
    is_exhausted: Cell<bool>,
    /// What names led to although another target or feature leads them elsewhere.
    contested: RefCell<FxHashSet<Item>>,
    python: python_files::Cache,
    rust: rust_files::Cache,
    members: members::Cache,
}

impl Program<'_> {
    /// What a path stands for, as written in a scope of a module.
    pub fn resolve(&self, module: ModuleId, scope: &Scope, segments: &[String]) -> Item {
        let language = self.language(module);
        let function = match language {
            Language::Python => self.outline(module).binding_function(scope.function),
            Language::Rust => scope.function,
        };
        let place = (module, function);
        let known = self.names.resolved.borrow();
        if let Some(known) = known.get(&place).and_then(|at| at.get(&scope.module)?.get(segments)) {
            return known.clone();
        }
        drop(known);
        let cuts = self.names.circles.borrow().cuts();
        let item = match language {
            Language::Python => self.python_path(module, function, segments),
            Language::Rust => self.rust_path(module, scope, segments, Want::Thing),
        };
        let item = self.canonical(language, item);
        // An answer that was cut short by a question further up is right only for that question.
        if self.names.circles.borrow().is_whole_since(cuts) {
            let mut resolved = self.names.resolved.borrow_mut();
            let paths = resolved.entry(place).or_default().entry(scope.module.clone()).or_default();
            paths.insert(segments.to_vec(), item.clone());
        }
        item
    }

    /// What a type as written stands for, its arguments and references left out.
    pub fn resolve_type(&self, module: ModuleId, scope: &Scope, term: &TypeTerm) -> Item {
        match term {
            TypeTerm::Path { segments, .. } => self.resolve(module, scope, segments),
            TypeTerm::Reference(inner) | TypeTerm::Annotated(inner, _) => self.resolve_type(module, scope, inner),
            TypeTerm::Binding(..) | TypeTerm::Tuple(_) | TypeTerm::Union(_) | TypeTerm::Slice(_) => Item::Unknown,
            TypeTerm::Bounds(_) | TypeTerm::Function(..) | TypeTerm::Other(_) => Item::Unknown,
        }
    }

    /// What a name below an item stands for: a name of a module, a method or variant of a type.
    pub fn member(&self, item: &Item, name: &str) -> Item {
        let language = self.language_of(item);
        let below = match language {
            Language::Python => self.python_member(item, name),
            Language::Rust => self.rust_member(item, name, Want::Thing),
        };
        self.canonical(language, below)
    }

    fn language_of(&self, item: &Item) -> Language {
        match item {
            Item::Type(id) => self.module(id.module).language,
            Item::Module(id, _) => self.module(*id).language,
            // A crate by itself is no value that a member could be asked of; a Python module is.
            Item::External(name) if name.contains("::") => Language::Rust,
            _ => Language::Python,
        }
    }

    /// Whether what a name led to, or the module that it stands in, is one of several between which `#[cfg]` decides.
    pub fn is_contested(&self, item: &Item) -> bool {
        let contested = self.names.contested.borrow();
        contested.contains(item)
            || match item {
                Item::Function(id) => {
                    let scope = &self.function(*id).scope;
                    contested.contains(&Item::Module(id.module, scope.module.clone()))
                }
                Item::Type(id) => {
                    let scope = &self.type_def(*id).scope;
                    contested.contains(&Item::Module(id.module, scope.module.clone()))
                }
                _ => false,
            }
    }

    /// Gives up the lookups underway.
    pub(super) fn give_up_lookups(&self) {
        self.names.circles.borrow_mut().give_up();
    }

    /// Whether some name is unknown only because too many files would have had to be read.
    pub fn exhausted(&self) -> bool {
        self.names.is_exhausted.get()
    }

    fn canonical(&self, language: Language, item: Item) -> Item {
        match item {
            Item::External(name) => {
                let tables = self.tables(language);
                Item::External(tables.alias(&name).or_else(|| tables.handed_on(&name)).unwrap_or(name))
            }
            other => other,
        }
    }

    fn outline(&self, module: ModuleId) -> Arc<Outline> {
        if let Some(known) = self.names.outlines.borrow().get(&module) {
            return known.clone();
        }
        let outline = Arc::new(Outline::new(&self.module(module)));
        self.names.outlines.borrow_mut().insert(module, outline.clone());
        outline
    }

    /// The module of a file to which a name led, within the bound.
    fn led_to(&self, path: &str) -> Option<ModuleId> {
        if let Some(known) = self.by_path.borrow().get(path) {
            return *known;
        }
        if self.names.loaded.get() >= MOST_FILES {
            self.names.is_exhausted.set(true);
            return None;
        }
        self.names.loaded.set(self.names.loaded.get() + 1);
        self.module_at(path)
    }

    /// Looks a name up, unless that very lookup is underway, as in two packages that import from each other.
    fn once(
        &self,
        module: ModuleId,
        scope: &Scope,
        name: &str,
        lookup: Lookup,
        find: impl FnOnce() -> Option<Item>,
    ) -> Option<Item> {
        let question = Question { module, scope: scope.clone(), name: name.to_owned(), lookup };
        let known = self.names.circles.borrow_mut().begin(&question);
        if let Some(answer) = known {
            return answer;
        }
        let found = find();
        self.names.circles.borrow_mut().end(question, &found);
        found
    }

    /// The one library that is opened with a glob in a scope: a name that nothing else binds comes from there.
    fn glob_outside(&self, module: ModuleId, scope: &Scope, is_from_elsewhere: bool) -> Option<String> {
        self.outline(module).scope(scope).filter(|names| !names.globs.is_empty())?;
        // The head of a glob may be a name that only another glob of the scope gives: `use Direction::*`.
        let find = || self.find_glob_outside(module, scope, is_from_elsewhere).map(Item::External);
        match self.once(module, scope, "*", Lookup::Outside { is_from_elsewhere }, find) {
            Some(Item::External(library)) => Some(library),
            _ => None,
        }
    }

    fn find_glob_outside(&self, module: ModuleId, scope: &Scope, is_from_elsewhere: bool) -> Option<String> {
        let file = self.module(module);
        let outline = self.outline(module);
        let globs = outline.scope(scope)?.globs.iter().map(|&at| &file.imports[at as usize]);
        let mut outside = None;
        for glob in globs.filter(|glob| glob.is_public || !is_from_elsewhere) {
            match (self.opened(module, glob), &outside) {
                (Item::External(_), Some(_)) | (Item::Unknown, _) => return None,
                (Item::External(name), None) => outside = Some(name),
                _ => {}
            }
        }
        outside
    }

    /// What a glob import opens.
    fn opened(&self, module: ModuleId, glob: &crate::flow::Import) -> Item {
        match self.module(module).language {
            Language::Python => self.python_module(module, &glob.target, glob.level),
            Language::Rust => self.rust_path(module, &glob.scope, &glob.target, Want::Inside),
        }
    }
}

/// The folder of a path; empty for the root.
fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A path below a folder, which may be the root.
fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

#[cfg(test)]
mod tests;
