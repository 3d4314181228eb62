//! Full names for people.

use super::folder_of;
use crate::analysis::{FunctionId, ModuleId, Program, TypeId};
use crate::flow::FunctionIndex;
use crate::text::Language;

impl Program<'_> {
    /// A function's full name: `pkg.mod.Class.method`, `crate_name::module::Type::method`.
    pub fn qualified_name(&self, id: FunctionId) -> String {
        let module = self.module(id.module);
        let qualified = &module.function(id.index).qualified;
        let separator = module.language.separator();
        let name = self.module_name(id.module);
        match (id.index, name.is_empty() || qualified.is_empty()) {
            (FunctionIndex(0), _) => name,
            (_, true) => qualified.clone(),
            (_, false) => [&name, separator, qualified].concat(),
        }
    }

    /// A type's full name.
    pub fn type_name(&self, id: TypeId) -> String {
        let module = self.module(id.module);
        let name = self.module_name(id.module);
        let qualified = &module.types[id.index.at()].qualified;
        if name.is_empty() { qualified.clone() } else { [&name, module.language.separator(), qualified].concat() }
    }

    /// The name of a file's module: `pkg.mod`, `crate_name::module`.
    pub fn module_name(&self, id: ModuleId) -> String {
        let module = self.module(id);
        match module.language {
            Language::Python => self.python_module_name(&module.path),
            Language::Rust => self.rust_module_name(&module.path),
        }
    }

    fn python_module_name(&self, path: &str) -> String {
        let path = path.strip_suffix(".py").or_else(|| path.strip_suffix(".pyi")).unwrap_or(path);
        let path = path.strip_suffix("/__init__").unwrap_or(path);
        let mut top = folder_of(path);
        if self.is_package(top) {
            while self.is_package(top) && !top.is_empty() {
                top = folder_of(top);
            }
        } else {
            // Without `__init__` files every folder may be part of the name, except the customary roots.
            top = ["src", "lib"].into_iter().find(|root| super::rust_files::is_below(path, root)).unwrap_or("");
        }
        path.strip_prefix(top).unwrap_or(path).trim_start_matches('/').replace('/', ".")
    }

    fn rust_module_name(&self, path: &str) -> String {
        let stem = path.strip_suffix(".rs").unwrap_or(path);
        let Some(package) = self.package_of(path) else { return stem.replace('/', "::") };
        let inside = stem.strip_prefix(&*package.folder).unwrap_or(stem).trim_start_matches('/');
        let inside = inside.strip_prefix("src/").unwrap_or(inside);
        let inside = inside.strip_suffix("/mod").unwrap_or(inside);
        let is_root = path == package.library || matches!(inside, "lib" | "main");
        if is_root { package.name } else { [package.name.as_str(), "::", &inside.replace('/', "::")].concat() }
    }
}
