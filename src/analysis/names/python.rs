//! Names of Python: scopes, imports, members of modules and classes.

use super::outline::Binding;
use super::{Item, Lookup, Member, Want, folder_of};
use crate::analysis::{FunctionId, ModuleId, Program, TypeId};
use crate::flow::{FunctionIndex, Import, ImportKind, Module, Scope};
use crate::text::Language;

impl Program<'_> {
    /// What a path stands for in the innermost function that binds names, or in the module.
    pub(super) fn python_path(&self, module: ModuleId, within: Option<FunctionIndex>, segments: &[String]) -> Item {
        let Some((first, rest)) = segments.split_first() else { return Item::Unknown };
        let head = self.python_name(module, within, first);
        rest.iter().fold(head, |item, segment| self.python_member(&item, segment))
    }

    /// A bare name: the functions around it, the module, what star imports bring, the builtins.
    fn python_name(&self, module: ModuleId, within: Option<FunctionIndex>, name: &str) -> Item {
        let (file, outline) = (self.module(module), self.outline(module));
        let mut function = within;
        while let Some(around) = function {
            let local = Scope { module: Vec::new(), function };
            if let Some(item) = self.python_bound(module, &local, name) {
                return item;
            }
            function = outline.binding_function(file.function(around).parent);
        }
        let top = Scope::default();
        self.python_bound(module, &top, name)
            .or_else(|| self.python_star(module, name))
            .or_else(|| self.tables(Language::Python).prelude(name).map(|known| Item::External(known.to_owned())))
            .or_else(|| self.glob_outside(module, &top, false).map(|library| external(&library, name)))
            .unwrap_or(Item::Unknown)
    }

    /// What a name stands for if this very scope binds it.
    fn python_bound(&self, module: ModuleId, scope: &Scope, name: &str) -> Option<Item> {
        let outline = self.outline(module);
        let bindings = outline.scope(scope)?.of(name);
        if bindings.is_empty() {
            return None;
        }
        // What leads nowhere else needs no guard against going round in a circle.
        self.python_definition(module, bindings).or_else(|| {
            self.once(module, scope, name, Lookup::Own(Want::Thing), || self.python_choice(module, bindings))
        })
    }

    /// The definition among several bindings. Definitions win over imports: those are fall-backs (`except ImportError:`) or
    /// stand under `TYPE_CHECKING`.
    fn python_definition(&self, module: ModuleId, bindings: &[Binding]) -> Option<Item> {
        let file = self.module(module);
        let definition = |binding: &&Binding| match binding {
            Binding::Function(index) => !file.function(*index).is_bodiless,
            Binding::Type(_) => true,
            Binding::Static(_) | Binding::Import(_) | Binding::Submodule(_) => false,
        };
        // Overloads have no body; the last definition that has one counts.
        let last_function = |binding: &&Binding| matches!(binding, Binding::Function(_));
        match bindings.iter().rfind(definition).or_else(|| bindings.iter().rfind(last_function)) {
            Some(Binding::Function(index)) => Some(Item::Function(FunctionId { module, index: *index })),
            Some(Binding::Type(index)) => Some(Item::Type(TypeId { module, index: *index })),
            Some(Binding::Static(_) | Binding::Import(_) | Binding::Submodule(_)) | None => None,
        }
    }

    /// One of several bindings of which none is a definition. Imports that lead into the project win over others, and a
    /// global loses to both, as in `try: import uvloop` with `except ImportError: uvloop = None`.
    fn python_choice(&self, module: ModuleId, bindings: &[Binding]) -> Option<Item> {
        let file = self.module(module);
        let mut outside = None;
        for binding in bindings.iter().rev() {
            let Binding::Import(at) = binding else { continue };
            let item = self.python_import(module, &file.imports[*at as usize]);
            match item {
                Item::Unknown => {}
                Item::External(_) | Item::Package { .. } => outside = Some(item),
                _ => return Some(item),
            }
        }
        let place = bindings.iter().rev().find_map(|binding| match binding {
            Binding::Static(at) => Some(Item::Static(module, *at)),
            _ => None,
        });
        let is_import = bindings.iter().any(|binding| matches!(binding, Binding::Import(_)));
        // An import whose target is missing hides what lies outside this scope all the same.
        outside.or(place).or(is_import.then_some(Item::Unknown))
    }

    fn python_import(&self, module: ModuleId, import: &Import) -> Item {
        match import.kind {
            ImportKind::Module => self.python_module(module, &import.target, import.level),
            ImportKind::Name => {
                let Some((name, from)) = import.target.split_last() else { return Item::Unknown };
                let source = self.python_module(module, from, import.level);
                self.python_member(&source, name)
            }
            ImportKind::Glob | ImportKind::Macros => Item::Unknown,
        }
    }

    /// What the star imports of a module bring in under a name.
    fn python_star(&self, module: ModuleId, name: &str) -> Option<Item> {
        let outline = self.outline(module);
        let globs = &outline.scope(&Scope::default())?.globs;
        if globs.is_empty() || name.starts_with('_') {
            return None;
        }
        let file = self.module(module);
        let lookup = Lookup::Globs { want: Want::Thing, is_from_elsewhere: true };
        self.once(module, &Scope::default(), name, lookup, || {
            globs.iter().rev().find_map(|&at| match self.opened(module, &file.imports[at as usize]) {
                Item::Module(source, _) => self.python_top(source, name),
                _ => None,
            })
        })
    }

    /// A name that a module has at its top level, by itself or by star imports.
    fn python_top(&self, module: ModuleId, name: &str) -> Option<Item> {
        self.python_bound(module, &Scope::default(), name).or_else(|| self.python_star(module, name))
    }

    pub(super) fn python_member(&self, item: &Item, name: &str) -> Item {
        match item {
            Item::Module(module, _) => self.python_attribute(*module, name),
            Item::Package { folder, name: package } => {
                let dotted = format!("{package}.{name}");
                self.python_below(folder, &[name.to_owned()], &dotted).unwrap_or(Item::External(dotted))
            }
            Item::Type(id) => self.python_class_member(*id, name),
            Item::External(library) => external(library, name),
            Item::Function(_) | Item::Variant(..) | Item::Field(..) | Item::Static(..) | Item::Unknown => Item::Unknown,
        }
    }

    /// A name of a module: what the module binds, before a submodule of that name.
    fn python_attribute(&self, module: ModuleId, name: &str) -> Item {
        let own = self.python_bound(module, &Scope::default(), name).filter(|found| *found != Item::Unknown);
        let from_star = || self.python_star(module, name).filter(|found| *found != Item::Unknown);
        let submodule = || {
            let file = self.module(module);
            let package = is_package_file(&file).then(|| folder_of(&file.path))?;
            self.python_below(package, &[name.to_owned()], "").filter(|below| below.is_of_project())
        };
        // A star import rarely means to bring the module of another package in the place of the package's own.
        own.or_else(submodule)
            .or_else(from_star)
            .or_else(|| self.glob_outside(module, &Scope::default(), true).map(|library| external(&library, name)))
            .unwrap_or(Item::Unknown)
    }

    fn python_class_member(&self, id: TypeId, name: &str) -> Item {
        let module = self.module(id.module);
        if let Some(index) = self.outline(id.module).inner(&module, id.index, name) {
            return Item::Type(TypeId { module: id.module, index });
        }
        match self.method(id, name).into_iter().next() {
            Some(Member::Function(function)) => Item::Function(function),
            Some(Member::Field(owner, at)) => Item::Field(owner, at),
            Some(Member::External(name)) => Item::External(name),
            None => Item::Unknown,
        }
    }
}

fn external(library: &str, name: &str) -> Item {
    Item::External(format!("{library}.{name}"))
}

fn is_package_file(module: &Module) -> bool {
    matches!(module.path.rsplit('/').next(), Some("__init__.py" | "__init__.pyi"))
}
