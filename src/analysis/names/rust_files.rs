//! The module tree of Rust: which file a `mod` declares, which file declares this one, where a crate starts.
//!
//! Declarations lead down. Up it goes by convention first (`a/b.rs` is declared in `a/mod.rs`, `a.rs` or the crate's
//! root), checked against the declaration there; a `#[path]` is believed if a file that is loaded says so.

use std::cell::RefCell;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{Item, below, folder_of};
use crate::analysis::{ModuleId, Package, Program};
use crate::flow::{Import, ImportKind, Submodule};
use crate::text::Language;

/// A module: a file, and the inline module within it.
pub(super) type Spot = (ModuleId, Vec<String>);

/// Which module each file is declared in.
#[derive(Default)]
pub(super) struct Cache {
    parents: RefCell<FxHashMap<ModuleId, Option<Spot>>>,
}

/// Most modules between a file and its crate's root.
const MOST_LEVELS: usize = 32;

impl Program<'_> {
    /// The package that a file belongs to.
    pub fn package_of(&self, path: &str) -> Option<Package> {
        Package::of(&self.loader.packages(self.side), path).cloned()
    }

    /// The root module of a crate of the project, or what a crate from elsewhere is called.
    pub(super) fn rust_crate(&self, from: ModuleId, name: &str) -> Option<Item> {
        let path = self.module(from).path.clone();
        let own = self.package_of(&path);
        let renamed = own.as_ref().and_then(|own| own.renamed.iter().find(|renamed| renamed.alias == name));
        if let Some(other) = renamed.filter(|renamed| !renamed.is_by_path) {
            return Some(Item::External(other.name.clone()));
        }
        if let Some(module) = own.as_ref().and_then(|own| self.module_at_root(own, name)) {
            return Some(module);
        }
        let declared = own.as_ref().and_then(|own| self.declared_crate(own, name));
        let original = renamed.map(|renamed| renamed.name.clone()).or(declared);
        let wanted = original.as_deref().unwrap_or(name);
        let packages = self.loader.packages(self.side);
        let library = packages.iter().find(|package| package.name == wanted && package.library != *path);
        let root = library.and_then(|package| self.led_to(&package.library));
        let outside = || original.clone().map(Item::External);
        root.map(|root| Item::Module(root, Vec::new())).or_else(outside)
    }

    /// The crate that the root declares under another name, for the whole package: `extern crate grin_util as util;`.
    fn declared_crate(&self, own: &Package, name: &str) -> Option<String> {
        let root = self.module(self.led_to(&own.library)?);
        let is_it = |import: &&Import| import.kind == ImportKind::Module && import.name == name;
        match root.imports.iter().find(is_it)?.target.as_slice() {
            [original] if original != name => Some(original.clone()),
            _ => None,
        }
    }

    /// A package without an edition is of 2015, where every path of a `use` starts at the root: `use types::Peer;`.
    fn module_at_root(&self, own: &Package, name: &str) -> Option<Item> {
        if own.is_edition_known {
            return None;
        }
        let root = self.led_to(&own.library)?;
        let (module, path) = self.rust_submodule(&(root, Vec::new()), name)?;
        Some(Item::Module(module, path))
    }

    /// A module declared in another.
    pub(super) fn rust_submodule(&self, spot: &Spot, name: &str) -> Option<Spot> {
        let (module, around) = spot;
        let file = self.module(*module);
        let declares = |submodule: &&Submodule| {
            submodule.path.split_last().is_some_and(|(last, before)| last == name && before == around.as_slice())
        };
        // `#[cfg]` may give one name to several files; the first that exists counts.
        file.submodules.iter().filter(declares).find_map(|submodule| {
            if submodule.is_inline {
                return Some((*module, submodule.path.clone()));
            }
            let path =
                self.files_of(&file.path, submodule).into_iter().find(|path| self.loader.has(self.side, path))?;
            Some((self.led_to(&path)?, Vec::new()))
        })
    }

    /// Where the file of a `mod` may be, the likeliest first.
    pub(super) fn files_of(&self, path: &str, submodule: &Submodule) -> Vec<String> {
        let Some((name, around)) = submodule.path.split_last() else { return Vec::new() };
        let folder = folder_of(path);
        let stem = path.rsplit('/').next().and_then(|file| file.strip_suffix(".rs")).unwrap_or("");
        let own = if self.is_at_top_of_folder(path) { folder.to_owned() } else { below(folder, stem) };
        let inner = around.iter().fold(own, |at, segment| below(&at, segment));
        if let Some(file) = &submodule.file {
            return vec![normal(&below(if around.is_empty() { folder } else { &inner }, file))];
        }
        let mut files = vec![below(&inner, &format!("{name}.rs")), below(&inner, &format!("{name}/mod.rs"))];
        // A file that was itself reached by `#[path]` keeps its modules beside it.
        if around.is_empty() {
            files.push(below(folder, &format!("{name}.rs")));
        }
        files
    }

    /// Whether the modules that a file declares stand beside it: `mod.rs` and the roots of crates.
    fn is_at_top_of_folder(&self, path: &str) -> bool {
        path == "mod.rs" || path.ends_with("/mod.rs") || self.is_crate_root(path)
    }

    /// Whether a crate starts at a file, by Cargo's conventions.
    pub(super) fn is_crate_root(&self, path: &str) -> bool {
        let Some(package) = self.package_of(path) else {
            return matches!(path.rsplit('/').next(), Some("lib.rs" | "main.rs"));
        };
        if package.library == path || package.roots.iter().any(|root| root == path) {
            return true;
        }
        let inside = path.strip_prefix(&*package.folder).unwrap_or(path).trim_start_matches('/');
        let parts: Vec<&str> = inside.split('/').collect();
        matches!(
            parts.as_slice(),
            ["build.rs"]
                | ["src", "lib.rs" | "main.rs"]
                | ["src", "bin", _]
                | ["src", "bin", _, "main.rs"]
                | ["tests" | "examples" | "benches", _]
                | ["tests" | "examples" | "benches", _, "main.rs"]
        )
    }

    /// The macro of a library that a bare name means where the crate's root opens the macros of some
    /// (`#[macro_use] extern crate`), if the catalogue knows one of that name.
    pub fn macro_in_sight(&self, module: ModuleId, path: &[String]) -> Option<String> {
        let [name] = path else { return None };
        let mut spot = (module, Vec::new());
        for _ in 0..MOST_LEVELS {
            let Some(around) = self.rust_parent(&spot) else { break };
            spot = around;
        }
        let root = self.module(spot.0);
        let opened = root.imports.iter().filter(|import| import.kind == ImportKind::Macros);
        let mut names = opened.map(|import| format!("{}::{name}", import.target.join("::")));
        names.find(|name| self.tables(Language::Rust).knows(name))
    }

    /// The module around a module; `None` for a crate's root.
    pub(super) fn rust_parent(&self, spot: &Spot) -> Option<Spot> {
        let (module, inline) = spot;
        if let Some((_, around)) = inline.split_last() {
            return Some((*module, around.to_vec()));
        }
        if let Some(known) = self.names.rust.parents.borrow().get(module) {
            return known.clone();
        }
        let path = self.module(*module).path.clone();
        let parent = if self.is_crate_root(&path) { None } else { self.declared_in(*module, &path) };
        self.names.rust.parents.borrow_mut().insert(*module, parent.clone());
        parent
    }

    fn declared_in(&self, module: ModuleId, path: &Arc<str>) -> Option<Spot> {
        let folder = folder_of(path);
        let is_mod = path.ends_with("/mod.rs");
        let near = if is_mod { folder_of(folder) } else { folder };
        // An inline module adds a folder: `mod a { mod b; }` in `lib.rs` declares `a/b.rs`.
        let mut folders = vec![near, folder_of(near), folder];
        folders.dedup();
        let library = self.package_of(path).map(|package| package.library);
        for at in folders {
            let mut files: Vec<String> = ["mod.rs", "lib.rs", "main.rs"].iter().map(|file| below(at, file)).collect();
            files.insert(1, format!("{at}.rs"));
            files.extend(library.clone().filter(|library| folder_of(library) == at));
            files.dedup();
            for file in files.iter().filter(|file| **file != **path && self.loader.has(self.side, file)) {
                let declared = self.led_to(file).filter(|id| *id != module).and_then(|id| self.declaration(id, path));
                if declared.is_some() {
                    return declared;
                }
            }
        }
        self.loaded().into_iter().filter(|id| *id != module).find_map(|id| self.declaration(id, path))
    }

    /// Where a file is declared in another file.
    fn declaration(&self, in_module: ModuleId, path: &str) -> Option<Spot> {
        let file = self.module(in_module);
        let declares = |submodule: &&Submodule| {
            !submodule.is_inline && self.files_of(&file.path, submodule).iter().any(|file| file == path)
        };
        let (_, around) = file.submodules.iter().find(declares)?.path.split_last()?;
        Some((in_module, around.to_vec()))
    }

    /// The root module of the crate that a module is in.
    pub(super) fn rust_root(&self, spot: &Spot) -> Spot {
        let mut at: Spot = (spot.0, Vec::new());
        for _ in 0..MOST_LEVELS {
            match self.rust_parent(&at) {
                Some((parent, _)) => at = (parent, Vec::new()),
                None => break,
            }
        }
        // A file that nothing declares, such as one that only a macro includes, belongs to the library beside it.
        let path = self.module(at.0).path.clone();
        if self.is_crate_root(&path) {
            return at;
        }
        let library = self.package_of(&path).map(|package| package.library);
        let library = library.filter(|library| is_below(&path, folder_of(library)));
        library.and_then(|library| self.led_to(&library)).map_or(at, |root| (root, Vec::new()))
    }
}

/// Whether a path lies in a folder, at any depth.
pub(super) fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// A path without `.` and `..`.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
