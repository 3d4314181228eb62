//! Names that certainly stand for nothing: what an import, a path or a bare name asks for and no file has.
//!
//! Only files of the project are looked at, and only where nothing can have made the name unseen: a file that was read
//! as a whole, whose globs all lead to such files, that does not fill its own names while it runs (Python), and, in Rust,
//! where no macro can have made it: the name does not stand in the file at all and no item there has an attribute of which
//! nothing is known, or the other side of the change had it.

use std::collections::BTreeSet;

use super::outline::inside;
use super::rust_files::Spot;
use super::{Item, Want, below, folder_of};
use crate::analysis::{ModuleId, Program, mentions};
use crate::flow::{Generic, Import, ImportKind, Module, Quality, Scope, Submodule, is_special};
use crate::text::Language;

/// What is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The name that leads nowhere, as far as it was followed: `shop.rates`, `crate::rates::load`.
    pub name: String,
    /// The file that has no such name; `None` where it is the file itself that is missing.
    pub within: Option<ModuleId>,
}

/// Whether a name is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    There,
    Absent,
    Unclear,
}

/// By which texts a Python file says that it makes names while it runs.
const MAKES_NAMES: [&str; 7] = ["__getattr__", "sys.modules", "globals()", "setattr(", "exec(", "__import__", "vars()"];

/// By which texts a package says that it finds its modules in another way.
const MAKES_MODULES: [&str; 2] = ["sys.modules", "__path__"];

/// The files that say how a distribution is built, or what an application is run with.
const DISTRIBUTIONS: [&str; 6] =
    ["pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "Pipfile", "manage.py"];

/// An import of more segments is not looked for.
const MOST_SEGMENTS: usize = 32;

/// The endings of files that Python imports and this program does not read.
const COMPILED: [&str; 6] = [".pyx", ".pxd", ".so", ".pyd", ".c", ".cpp"];

/// Most globs that one question follows.
const MOST_GLOBS: usize = 64;

impl Program<'_> {
    /// What an import asks for that is not there.
    pub fn missing_import(&self, module: ModuleId, import: &Import) -> Option<Missing> {
        match self.language(module) {
            // Nobody runs a stub.
            Language::Python if is_stub_file(&self.module(module).path) => None,
            Language::Python => self.python_missing(module, import),
            Language::Rust => match import.kind {
                ImportKind::Module | ImportKind::Macros => None,
                ImportKind::Name | ImportKind::Glob => self.missing_path(module, &import.scope, &import.target),
            },
        }
    }

    /// The name that a module of the project does not have, if it certainly does not.
    pub fn lacks_name(&self, module: ModuleId, path: &[String], name: &str) -> bool {
        let presence = match self.language(module) {
            Language::Python => self.python_presence(module, name),
            Language::Rust => self.rust_presence(&(module, path.to_vec()), name),
        };
        presence == Presence::Absent
    }

    /// Whether the absolute imports of a file that lead to another can mean nothing else (Python).
    pub fn is_surely_meant(&self, from: ModuleId, source: ModuleId) -> bool {
        let found = self.module(source).path.clone();
        let leads_there = |target: &[String]| {
            let path = target.join("/");
            [format!("{path}.py"), format!("{path}/__init__.py")]
                .iter()
                .any(|end| found.strip_suffix(end.as_str()).is_some_and(|root| root.is_empty() || root.ends_with('/')))
        };
        let file = self.module(from);
        let mut imports = file.imports.iter().filter(|import| import.level == 0 && leads_there(&import.target));
        imports.all(|import| self.is_where_it_seems(from, source, &import.target))
    }

    /// Whether a bare name is certainly bound by nothing that can be seen from a scope (Python).
    pub fn is_unbound(&self, module: ModuleId, scope: &Scope, name: &str) -> bool {
        if name == "_" || is_special(name) || self.tables(Language::Python).prelude(name).is_some() {
            return false;
        }
        let file = self.module(module);
        let outline = self.outline(module);
        // Code for both versions asks which it runs on before it speaks of what only the former has.
        let may_be_former =
            || self.tables(Language::Python).was_builtin(name) && self.python(module).is_none_or(|least| least.0 < 3);
        if self.is_type_parameter(module, scope, name) || may_be_former() {
            return false;
        }
        let binds = |function| {
            let scope = Scope { module: Vec::new(), function };
            outline.scope(&scope).is_some_and(|names| !names.of(name).is_empty() || !names.globs.is_empty())
        };
        let mut function = inside(scope.function);
        while let Some(around) = function {
            if binds(function) {
                return false;
            }
            function = inside(file.function(around).parent);
        }
        self.python_presence(module, name) == Presence::Absent && !self.is_made_a_builtin(name)
    }

    /// Whether the project gives a name to every file, as translation does with `_` (Python).
    fn is_made_a_builtin(&self, name: &str) -> bool {
        // The whole project is searched once, whatever the names are.
        let makers = self.names.python.makers_of_builtins.get_or_init(|| {
            let files = self.loader.files(self.side);
            self.loader.mentioning(self.side, &files, &|bytes| mentions(bytes, "builtins"))
        });
        let texts = [format!("builtins.{name} ="), "builtins.__dict__".to_owned(), "__builtins__".to_owned()];
        let makes = |bytes: &[u8]| texts.iter().any(|text| mentions(bytes, text));
        !self.loader.mentioning(self.side, makers, &makes).is_empty()
    }

    /// Whether a name is a type parameter of a function around a scope, or of a class or alias of the file (Python).
    fn is_type_parameter(&self, module: ModuleId, scope: &Scope, name: &str) -> bool {
        let file = self.module(module);
        let has = |generics: &[Generic]| generics.iter().any(|generic| generic.name == name);
        let mut function = scope.function;
        while let Some(around) = function {
            if has(&file.function(around).generics) {
                return true;
            }
            function = file.function(around).parent;
        }
        file.types.iter().any(|of| has(&of.generics))
    }

    fn python_missing(&self, module: ModuleId, import: &Import) -> Option<Missing> {
        let (base, name) = match import.kind {
            ImportKind::Module | ImportKind::Glob | ImportKind::Macros => (&import.target[..], None),
            ImportKind::Name => {
                let (name, base) = import.target.split_last()?;
                (base, Some(name))
            }
        };
        let dots = ".".repeat(import.level as usize);
        let spelled = |segments: &[String]| format!("{dots}{}", segments.join("."));
        let source = if base.is_empty() && import.level == 0 {
            return None;
        } else {
            self.python_module(module, base, import.level)
        };
        match (source, name) {
            (Item::Module(source, _), Some(name)) => {
                if import.level == 0 && !self.is_where_it_seems(module, source, base) {
                    return None;
                }
                let is_absent = self.python_presence(source, name) == Presence::Absent && !self.changes_path(module);
                is_absent.then(|| Missing { name: name.clone(), within: Some(source) })
            }
            (Item::Unknown | Item::External(_), _) => {
                let (folder, from) = self.python_base(module, base, import.level)?;
                if import.level == 0 && self.has_another_portion(base) {
                    return None;
                }
                self.is_file_missing(&folder, &base[from..]).then(|| Missing { name: spelled(base), within: None })
            }
            (Item::Package { folder, .. }, Some(name)) if import.level > 0 => {
                let target = [base, std::slice::from_ref(name)].concat();
                self.is_file_missing(&folder, std::slice::from_ref(name))
                    .then(|| Missing { name: spelled(&target), within: None })
            }
            _ => None,
        }
    }

    /// The folder of the project in which an import certainly looks, and how many segments lead there.
    fn python_base(&self, module: ModuleId, base: &[String], level: u32) -> Option<(String, usize)> {
        let path = self.module(module).path.clone();
        let mut folder = folder_of(&path);
        if level > 0 {
            for _ in 1..level {
                folder = if folder.is_empty() { return None } else { folder_of(folder) };
            }
            return Some((folder.to_owned(), 0));
        }
        let top = base.first().filter(|_| (2..=MOST_SEGMENTS).contains(&base.len()))?;
        // Only a package with a file of its own is the project's alone; of others, parts may be installed.
        let folder_of_first = |root: &str, segments: usize| {
            base[..segments].iter().fold(root.to_owned(), |path, segment| below(&path, segment))
        };
        let in_root = |root: &String| {
            let longest = (1..base.len()).rev().find(|&segments| self.is_package(&folder_of_first(root, segments)))?;
            Some((root.clone(), longest))
        };
        let (root, segments) = self.search_path(folder).iter().find_map(in_root)?;
        if !self.is_certain_root(&path, &root, top) || self.is_inside_namespace(module, &root) {
            return None;
        }
        let is_at_root = matches!(root.as_str(), "" | "src" | "lib");
        let is_library = self.tables(Language::Python).has_root(top) && !is_at_root;
        (!is_library && !self.changes_path(module)).then(|| (folder_of_first(&root, segments), segments))
    }

    /// Whether an absolute import can mean nothing else than the file that it was followed to.
    fn is_where_it_seems(&self, module: ModuleId, source: ModuleId, base: &[String]) -> bool {
        let found = self.module(source).path.clone();
        let stem = found.strip_suffix("/__init__.py").or_else(|| found.strip_suffix(".py")).unwrap_or(&found);
        let Some(root) = stem.strip_suffix(base.join("/").as_str()) else { return false };
        let Some(top) = base.first() else { return false };
        let root = root.trim_end_matches('/');
        self.is_certain_root(&self.module(module).path, root, top) && !self.is_inside_namespace(module, root)
    }

    /// Whether a folder is certainly searched by a file for a package: it is outside of every package, and it is the
    /// project's usual one, or a distribution's and the file is in that very package. Elsewhere something installed may
    /// have the name.
    fn is_certain_root(&self, path: &str, root: &str, top: &str) -> bool {
        let mut around = root;
        while !around.is_empty() {
            if self.is_package(around) {
                return false;
            }
            around = folder_of(around);
        }
        matches!(root, "" | "src" | "lib")
            || path.starts_with(&format!("{}/", below(root, top))) && self.is_root_of_project(root)
    }

    /// Whether a folder is where the packages of a distribution begin: what says how it is built stands in it, or beside
    /// it. Another folder may lie in a package of several parts without a file of its own.
    fn is_root_of_project(&self, root: &str) -> bool {
        let beside = root.strip_suffix("/src").or_else(|| root.strip_suffix("/lib"));
        [Some(root), beside]
            .into_iter()
            .flatten()
            .any(|folder| DISTRIBUTIONS.iter().any(|file| self.loader.has(self.side, &below(folder, file))))
    }

    /// Whether a file's imports name a folder that a root lies in: then the search begins above that root, in a package
    /// of several parts without a file of its own, and what has a name of the root's is something installed. A
    /// distribution's folder may only be called as the package that lies in it is.
    fn is_inside_namespace(&self, module: ModuleId, root: &str) -> bool {
        let file = self.module(module);
        let is_around =
            |name: &String| root.split('/').any(|folder| folder == name) && !self.is_package(&below(root, name));
        file.imports.iter().any(|import| import.level == 0 && import.target.first().is_some_and(is_around))
    }

    /// Whether another folder of the project has a module of this name: one distribution's part of a shared package.
    fn has_another_portion(&self, base: &[String]) -> bool {
        let path = base.join("/");
        let endings = [format!("/{path}.py"), format!("/{path}/__init__.py")];
        self.loader.files(self.side).iter().any(|file| endings.iter().any(|ending| file.ends_with(ending)))
    }

    /// Whether a file puts folders on the search path.
    fn changes_path(&self, module: ModuleId) -> bool {
        self.file_mentions(&self.module(module).path, &["sys.path"])
    }

    /// Whether nothing stands where a module is looked for, and nothing is likely to be made there later.
    fn is_file_missing(&self, folder: &str, segments: &[String]) -> bool {
        let mut path = folder.to_owned();
        for segment in segments {
            // What is found is looked at further; a file instead of a folder has nothing below it.
            path = below(&path, segment);
            let is_there = self.python_below(&path, &[], "").is_some();
            if is_there {
                continue;
            }
            let was_there = || {
                let endings = ["/__init__.py", ".py"];
                endings.iter().any(|ending| self.loader.has(self.side.other(), &format!("{path}{ending}")))
            };
            let is_made = self.tables(Language::Python).is_generated_module(segment) || segment.starts_with('_');
            let is_compiled = COMPILED.iter().any(|ending| self.loader.has(self.side, &format!("{path}{ending}")));
            let package = folder_of(&path);
            let makes_modules = self
                .module_at(&below(package, "__init__.py"))
                .is_some_and(|init| self.file_mentions(&self.module(init).path, &MAKES_MODULES));
            let is_generated = self.is_ignored_module(&path);
            return !is_compiled && !is_generated && !makes_modules && (!is_made || was_there());
        }
        false
    }

    /// Whether a Python module of this path would be a file that git is told to leave alone, as what is generated is.
    fn is_ignored_module(&self, path: &str) -> bool {
        [".py", "/__init__.py"].iter().any(|ending| self.loader.is_ignored(self.side, &format!("{path}{ending}")))
    }

    fn file_mentions(&self, path: &std::sync::Arc<str>, texts: &'static [&'static str]) -> bool {
        // Asked for every name of a file that nothing binds.
        let key = (path.clone(), texts.first().copied().unwrap_or(""));
        if let Some(known) = self.names.mentions.borrow().get(&key) {
            return *known;
        }
        let found = self.file_holds(path, texts);
        self.names.mentions.borrow_mut().insert(key, found);
        found
    }

    fn file_holds(&self, path: &std::sync::Arc<str>, texts: &[&str]) -> bool {
        let mentions = |bytes: &[u8]| texts.iter().any(|text| mentions(bytes, text));
        !self.loader.mentioning(self.side, std::slice::from_ref(path), &mentions).is_empty()
    }

    fn makes_names(&self, file: &Module) -> bool {
        self.file_mentions(&file.path, &MAKES_NAMES)
    }

    fn python_presence(&self, module: ModuleId, name: &str) -> Presence {
        let mut open = vec![module];
        let mut seen = BTreeSet::new();
        while let Some(module) = open.pop() {
            if !seen.insert(module) {
                continue;
            }
            let file = self.module(module);
            if name.starts_with("__") || file.quality != Quality::Whole || seen.len() > MOST_GLOBS {
                return Presence::Unclear;
            }
            let outline = self.outline(module);
            if let Some(names) = outline.scope(&Scope::default()) {
                if !names.of(name).is_empty() {
                    return Presence::There;
                }
                for &at in &names.globs {
                    match self.opened(module, &file.imports[at as usize]) {
                        Item::Module(source, _) => open.push(source),
                        _ => return Presence::Unclear,
                    }
                }
            }
            if let Some(folder) =
                file.path.strip_suffix("/__init__.py").or_else(|| file.path.strip_suffix("/__init__.pyi"))
            {
                let path = below(folder, name);
                let is_compiled = COMPILED.iter().any(|ending| self.loader.has(self.side, &format!("{path}{ending}")));
                if is_compiled || self.python_below(&path, &[], "").is_some() {
                    return Presence::There;
                }
                if self.is_ignored_module(&path) {
                    return Presence::Unclear;
                }
            }
            // A stub without its file tells of a compiled module as much as somebody wrote down.
            let was_there = || self.bound_on_the_other_side(&file.path, &Scope::default(), name);
            if self.makes_names(&file) || is_stub_file(&file.path) && !was_there() {
                return Presence::Unclear;
            }
        }
        Presence::Absent
    }

    /// The first segment of a Rust path that certainly names nothing.
    pub fn missing_path(&self, module: ModuleId, scope: &Scope, segments: &[String]) -> Option<Missing> {
        let (first, rest) = segments.split_first()?;
        let here: Spot = (module, scope.module.clone());
        let mut item = match first.as_str() {
            "crate" | "$crate" => Item::Module(self.rust_root(&here).0, self.rust_root(&here).1),
            "self" => Item::Module(here.0, here.1),
            "super" => {
                let (module, path) = self.rust_parent(&here)?;
                Item::Module(module, path)
            }
            "Self" | "" => return None,
            // Beside a module of that name, everybody has the type: `str::len`.
            name if self.tables(Language::Rust).prelude(name).is_some() => return None,
            // `use regex::regex` takes a macro from a crate, which may have a module of that name for itself.
            name if self.is_imported_from_its_namesake(module, scope, name) => return None,
            _ => self.rust_path(module, scope, std::slice::from_ref(first), Want::Inside),
        };
        for (at, segment) in rest.iter().enumerate() {
            let Item::Module(within, path) = &item else { return None };
            if self.is_contested(&item) {
                return None;
            }
            if matches!(segment.as_str(), "self" | "super") {
                item = self.rust_member(&item, segment, Want::Inside);
                continue;
            }
            if self.lacks_name(*within, path, segment) {
                return Some(Missing { name: segments[..at + 2].join("::"), within: Some(*within) });
            }
            item = self.rust_member(&item, segment, Want::Inside);
        }
        None
    }

    /// Whether an import in sight gives a name and begins with it.
    fn is_imported_from_its_namesake(&self, module: ModuleId, scope: &Scope, name: &str) -> bool {
        let file = self.module(module);
        let is_it = |import: &&Import| import.name == name && import.target.len() > 1 && import.target[0] == name;
        file.imports.iter().any(|import| is_it(&import) && import.scope.module == scope.module)
    }

    fn rust_presence(&self, spot: &Spot, name: &str) -> Presence {
        let mut open = vec![spot.clone()];
        let mut seen: BTreeSet<Spot> = BTreeSet::new();
        let mut is_told = false;
        while let Some(spot) = open.pop() {
            if !seen.insert(spot.clone()) {
                continue;
            }
            let (module, path) = &spot;
            let file = self.module(*module);
            if file.quality != Quality::Whole || seen.len() > MOST_GLOBS || is_chosen_when_compiled(&file, path) {
                return Presence::Unclear;
            }
            let scope = Scope { module: path.clone(), function: None };
            let outline = self.outline(*module);
            if let Some(names) = outline.scope(&scope) {
                if !names.of(name).is_empty() {
                    return Presence::There;
                }
                for &at in &names.globs {
                    match self.opened(*module, &file.imports[at as usize]) {
                        Item::Module(source, path) => open.push((source, path)),
                        Item::Type(_) => {}
                        _ => return Presence::Unclear,
                    }
                }
            }
            if self.file_mentions(&file.path, &["include!", "#[macro_use]"]) {
                return Presence::Unclear;
            }
            let was_there = self.bound_on_the_other_side(&file.path, &scope, name);
            is_told |= was_there;
            // A macro may have made it, of a name that stands in the file or beside an item that it is put on.
            if !was_there && (self.file_holds(&file.path, &[name]) || self.may_make_names(*module, path)) {
                return Presence::Unclear;
            }
        }
        // A macro of the crate is named at its root, wherever it stands.
        let may_be_macro = spot.1.is_empty()
            && self.rust_parent(spot).is_none()
            && name.starts_with(|first: char| first.is_lowercase() || first == '_');
        if may_be_macro && !is_told { Presence::Unclear } else { Presence::Absent }
    }

    /// Whether the other side of the change binds a name at the same place.
    pub fn bound_on_the_other_side(&self, path: &str, scope: &Scope, name: &str) -> bool {
        let Some(other) = self.loader.module(self.side.other(), path) else { return false };
        let is_here = |of: &Scope| of.module == scope.module && inside(of.function).is_none();
        other.functions.iter().any(|one| {
            one.name == name && one.owner.is_none() && one.in_impl.is_none() && is_here(&one.scope) && {
                inside(one.parent).is_none()
            }
        }) || other.types.iter().any(|one| one.name == name && is_here(&one.scope))
            || other.statics.iter().any(|one| one.name == name && is_here(&one.scope))
            || other.imports.iter().any(|one| one.name == name && is_here(&one.scope))
            || other.submodules.iter().any(|one| {
                one.path.split_last().is_some_and(|(last, around)| last == name && around == scope.module.as_slice())
            })
    }

    /// Whether the file that a `mod` declares is not there.
    pub fn is_file_of_module_missing(&self, module: ModuleId, submodule: &Submodule) -> bool {
        let file = self.module(module);
        // Which file it is may depend on the target.
        let is_there = |path: &String| self.loader.has(self.side, path) || self.loader.is_ignored(self.side, path);
        !submodule.is_inline
            && !self.files_of(&file.path, submodule).iter().any(is_there)
            && !self.file_mentions(&file.path, &["cfg_attr"])
    }
}

/// Whether a file only describes what another has, which may be compiled (Python).
fn is_stub_file(path: &str) -> bool {
    path.ends_with(".pyi")
}

/// Whether a module stands several times in its file, as it does where the target says which one is compiled.
fn is_chosen_when_compiled(file: &Module, path: &[String]) -> bool {
    file.submodules.iter().filter(|one| one.path == path).count() > 1
}
