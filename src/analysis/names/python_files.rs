//! Which file a Python module is.
//!
//! No interpreter is asked, so the search path is guessed from the files: the folders around the importing file, each
//! with its `src` and `lib`, as far as they are not packages themselves; then, where the whole project has exactly one
//! top-level package or module of the name, that one. What is found nowhere is outside the project.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{Item, Paths, below, folder_of};
use crate::analysis::{ModuleId, Program};
use crate::text::Language;

/// Where an absolute import leads from one folder.
#[derive(Default)]
pub(super) struct Cache {
    /// What imports name, by the file they stand in and their dots.
    imported: RefCell<FxHashMap<(ModuleId, u32), Paths>>,
    located: RefCell<FxHashMap<(String, String), Option<Found>>>,
    /// The folders that imports from a folder are looked for in.
    roots: RefCell<FxHashMap<String, Arc<[String]>>>,
    /// Whether anything of a name stands in a folder.
    stands: RefCell<FxHashMap<String, FxHashMap<String, bool>>>,
    /// Top-level packages and modules by name, with the folders that hold them.
    tops: OnceCell<BTreeMap<String, BTreeSet<String>>>,
    /// The files that speak of the module of builtins, and may put names into it.
    pub(super) makers_of_builtins: OnceCell<Vec<Arc<str>>>,
}

#[derive(Clone, Debug)]
enum Found {
    File(String),
    /// A package without a file of its own.
    Folder(String),
}

impl Program<'_> {
    /// The module that an import names: `level` dots, then segments.
    pub(super) fn python_module(&self, from: ModuleId, target: &[String], level: u32) -> Item {
        let known = self.names.python.imported.borrow();
        if let Some(known) = known.get(&(from, level)).and_then(|of| of.get(target)) {
            return known.clone();
        }
        drop(known);
        let found = self.find_python_module(from, target, level);
        let mut imported = self.names.python.imported.borrow_mut();
        imported.entry((from, level)).or_default().insert(target.to_vec(), found.clone());
        found
    }

    fn find_python_module(&self, from: ModuleId, target: &[String], level: u32) -> Item {
        let path = self.module(from).path.clone();
        let name = target.join(".");
        if level > 0 {
            let mut package = folder_of(&path);
            for _ in 1..level {
                if package.is_empty() {
                    return Item::Unknown;
                }
                package = folder_of(package);
            }
            return self.python_below(package, target, &name).unwrap_or(Item::Unknown);
        }
        if target.is_empty() {
            return Item::Unknown;
        }
        let folder = folder_of(&path).to_owned();
        let key = (folder, name);
        let known = self.names.python.located.borrow().get(&key).cloned();
        let found = known.unwrap_or_else(|| {
            let found = self.locate(&key.0, target);
            self.names.python.located.borrow_mut().insert(key.clone(), found.clone());
            found
        });
        match found {
            Some(found) => self.found_item(found, key.1),
            None => Item::External(key.1),
        }
    }

    /// A module below a folder; `name` is what it is called if it is a folder only.
    pub(super) fn python_below(&self, folder: &str, segments: &[String], name: &str) -> Option<Item> {
        let path = segments.iter().fold(folder.to_owned(), |path, segment| below(&path, segment));
        let found =
            self.file_of(&path).map(Found::File).or_else(|| self.is_folder(&path).then_some(Found::Folder(path)));
        found.map(|found| self.found_item(found, name.to_owned()))
    }

    fn found_item(&self, found: Found, name: String) -> Item {
        match found {
            Found::File(path) => self.led_to(&path).map_or(Item::Unknown, |id| Item::Module(id, Vec::new())),
            Found::Folder(folder) => Item::Package { folder, name },
        }
    }

    fn locate(&self, folder: &str, target: &[String]) -> Option<Found> {
        let top = target.first()?;
        let mut roots = self.search_path(folder).to_vec();
        roots.retain(|root| self.stands_in(root, top));
        let under = |root: &str| target.iter().fold(root.to_owned(), |path, segment| below(&path, segment));
        // A library's name beside the importing file is rather a sibling that is imported in another way (`from . import
        // queue`) than a module that hides the library.
        let is_library = self.tables(Language::Python).has_root(top);
        let file = roots.iter().find_map(|root| {
            let at_top = below(root, top);
            let is_project_root = matches!(root.as_str(), "" | "src" | "lib");
            if is_library && !is_project_root && !self.is_package(&at_top) {
                return None;
            }
            self.file_of(&under(root))
        });
        if let Some(file) = file {
            return Some(Found::File(file));
        }
        let has_top = |root: &String| self.file_of(&below(root, top)).is_some();
        if !is_library
            && !roots.iter().any(has_top)
            && let Some(root) = self.only_root(top)
        {
            return self.file_of(&under(&root)).map(Found::File);
        }
        roots.iter().map(|root| under(root)).find(|path| self.is_folder(path)).map(Found::Folder)
    }

    /// The folders that an absolute import from `folder` is looked for in, the nearest first.
    pub(super) fn search_path(&self, folder: &str) -> Arc<[String]> {
        if let Some(known) = self.names.python.roots.borrow().get(folder) {
            return known.clone();
        }
        let found: Arc<[String]> = self.find_search_path(folder).into();
        self.names.python.roots.borrow_mut().insert(folder.to_owned(), found.clone());
        found
    }

    fn find_search_path(&self, folder: &str) -> Vec<String> {
        let mut roots = Vec::new();
        let mut around = folder;
        loop {
            if around.is_empty() || !self.is_package(around) {
                roots.extend([around.to_owned(), below(around, "src"), below(around, "lib")]);
            }
            if around.is_empty() {
                return roots;
            }
            around = folder_of(around);
        }
    }

    /// Whether a file or folder in a folder is called like this, whatever its ending.
    fn stands_in(&self, folder: &str, name: &str) -> bool {
        if let Some(known) = self.names.python.stands.borrow().get(folder).and_then(|names| names.get(name)) {
            return *known;
        }
        let path = below(folder, name);
        let files = self.loader.files(self.side);
        let at = files.partition_point(|file| **file < *path);
        let stands = files.get(at).is_some_and(|file| file.starts_with(&path));
        self.names.python.stands.borrow_mut().entry(folder.to_owned()).or_default().insert(name.to_owned(), stands);
        stands
    }

    /// The folder above the only package or module of a name that is at the top level of its package tree.
    fn only_root(&self, name: &str) -> Option<String> {
        let tops = self.names.python.tops.get_or_init(|| self.top_levels());
        let folders = tops.get(name)?;
        if folders.len() == 1 { folders.first().cloned() } else { None }
    }

    fn top_levels(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut tops: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for path in self.loader.files(self.side).iter() {
            let Some(module) = path.strip_suffix(".py").or_else(|| path.strip_suffix(".pyi")) else { continue };
            let folder = folder_of(path);
            let is_init = module.ends_with("/__init__");
            let top = match self.is_package(folder) {
                // A file in a package is seen through the package's own `__init__` file.
                true if !is_init || self.is_package(folder_of(folder)) => continue,
                true => folder,
                false => module,
            };
            let name = top.rsplit('/').next().unwrap_or(top);
            tops.entry(name.to_owned()).or_default().insert(folder_of(top).to_owned());
        }
        tops
    }

    /// The file of a module, given its path without an ending. Stubs come last: they have no bodies.
    fn file_of(&self, path: &str) -> Option<String> {
        let endings = ["/__init__.py", ".py", ".pyi", "/__init__.pyi"];
        endings.iter().map(|ending| format!("{path}{ending}")).find(|file| self.loader.has(self.side, file))
    }

    /// Whether a folder is a package with a file of its own.
    pub(super) fn is_package(&self, folder: &str) -> bool {
        ["__init__.py", "__init__.pyi"].iter().any(|file| self.loader.has(self.side, &below(folder, file)))
    }

    /// Whether source files lie below a path.
    fn is_folder(&self, path: &str) -> bool {
        let prefix = format!("{path}/");
        let files = self.loader.files(self.side);
        let at = files.partition_point(|file| **file < *prefix);
        files.get(at).is_some_and(|file| file.starts_with(&prefix) && Language::of_path(file) == Some(Language::Python))
    }
}
