//! Which names each scope of one file binds, found once per file.

use rustc_hash::FxHashMap;

use crate::flow::{Function, FunctionIndex, FunctionKind, ImportKind, Module, Scope, TypeIndex};
use crate::text::Language;

/// What binds a name: an index into the module's own lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    Function(FunctionIndex),
    Type(TypeIndex),
    Static(u32),
    Import(u32),
    Submodule(u32),
}

/// The names of one scope.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_name: FxHashMap<String, Vec<Binding>>,
    /// Glob imports, in source order: indices into [`Module::imports`].
    pub(super) globs: Vec<u32>,
}

impl Names {
    /// What binds a name here, in source order.
    pub(super) fn of(&self, name: &str) -> &[Binding] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }
}

/// The scopes of one file.
#[derive(Debug, Default)]
pub(super) struct Outline {
    scopes: FxHashMap<Scope, Names>,
    /// Classes defined in the body of a class, with the class around them.
    inner: Vec<(TypeIndex, TypeIndex)>,
    /// For each function the innermost one around it, or itself, that binds a name at all (Python). Few do: their
    /// variables are no names here.
    binding: Vec<Option<FunctionIndex>>,
}

impl Outline {
    pub(super) fn new(module: &Module) -> Self {
        let mut outline = Self { inner: inner_types(module), ..Self::default() };
        let mut bound: Vec<(u32, Scope, &str, Binding)> = Vec::new();
        for (index, function) in module.functions().filter(|(_, function)| is_bound(function)) {
            let scope = Scope { module: function.scope.module.clone(), function: function.parent };
            bound.push((function.span.start, scope, &function.name, Binding::Function(index)));
        }
        for (at, def) in module.types.iter().enumerate() {
            let index = TypeIndex(at as u32);
            if !outline.inner.iter().any(|(_, inner)| *inner == index) {
                bound.push((def.span.start, def.scope.clone(), &def.name, Binding::Type(index)));
            }
        }
        for (at, place) in module.statics.iter().enumerate() {
            bound.push((place.span.start, place.scope.clone(), &place.name, Binding::Static(at as u32)));
        }
        for (at, import) in module.imports.iter().enumerate().filter(|(_, import)| import.kind != ImportKind::Glob) {
            bound.push((import.span.start, import.scope.clone(), &import.name, Binding::Import(at as u32)));
        }
        for (at, submodule) in module.submodules.iter().enumerate() {
            if let Some((name, around)) = submodule.path.split_last() {
                let scope = Scope { module: around.to_vec(), function: None };
                bound.push((submodule.span.start, scope, name, Binding::Submodule(at as u32)));
            }
        }
        bound.sort_by_key(|(start, ..)| *start);
        for (_, scope, name, binding) in bound {
            // `import a.b` also says that `a.b` is loaded; that binds no name.
            if !name.is_empty() {
                outline.scope_mut(scope).by_name.entry(name.to_owned()).or_default().push(binding);
            }
        }
        for (at, import) in module.imports.iter().enumerate().filter(|(_, import)| import.kind == ImportKind::Glob) {
            outline.scope_mut(import.scope.clone()).globs.push(at as u32);
        }
        if module.language == Language::Python {
            let binding = module.functions().map(|(index, _)| outline.find_binding(module, index));
            outline.binding = binding.collect();
        }
        outline
    }

    fn find_binding(&self, module: &Module, index: FunctionIndex) -> Option<FunctionIndex> {
        let mut function = inside(Some(index));
        while let Some(around) = function {
            if self.scopes.contains_key(&Scope { module: Vec::new(), function }) {
                break;
            }
            function = inside(module.function(around).parent);
        }
        function
    }

    /// The innermost function around some code that binds names of its own; `None` for the module (Python).
    pub(super) fn binding_function(&self, function: Option<FunctionIndex>) -> Option<FunctionIndex> {
        self.binding.get(function?.at()).copied().flatten()
    }

    fn scope_mut(&mut self, mut scope: Scope) -> &mut Names {
        scope.function = inside(scope.function);
        self.scopes.entry(scope).or_default()
    }

    /// The names that one scope binds itself.
    pub(super) fn scope(&self, scope: &Scope) -> Option<&Names> {
        self.scopes.get(scope)
    }

    /// The class of this name in the body of a class.
    pub(super) fn inner(&self, module: &Module, outer: TypeIndex, name: &str) -> Option<TypeIndex> {
        self.inner
            .iter()
            .rfind(|(around, inner)| *around == outer && module.types[inner.at()].name == name)
            .map(|(_, inner)| *inner)
    }

    /// The class around a class.
    pub(super) fn outer(&self, inner: TypeIndex) -> Option<TypeIndex> {
        self.inner.iter().find(|(_, of)| *of == inner).map(|(outer, _)| *outer)
    }
}

/// A function whose body names are looked up in; the module's own code has no scope of its own.
pub(super) fn inside(function: Option<FunctionIndex>) -> Option<FunctionIndex> {
    function.filter(|function| function.0 != 0)
}

fn is_bound(function: &Function) -> bool {
    let is_named = match function.kind {
        FunctionKind::Free | FunctionKind::Method | FunctionKind::Static => true,
        FunctionKind::ClassMethod | FunctionKind::Property => true,
        FunctionKind::Module | FunctionKind::Closure | FunctionKind::AsyncBlock | FunctionKind::GeneratorExpression => {
            false
        }
    };
    is_named && function.owner.is_none() && function.in_impl.is_none()
}

fn inner_types(module: &Module) -> Vec<(TypeIndex, TypeIndex)> {
    // A type in a Rust module of the same name as another type stands in no type's body.
    if module.language == Language::Rust {
        return Vec::new();
    }
    let by_name: FxHashMap<&str, TypeIndex> =
        module.types.iter().enumerate().map(|(at, def)| (def.qualified.as_str(), TypeIndex(at as u32))).collect();
    let outer = |qualified: &str| {
        let (outer, _) = qualified.rsplit_once('.')?;
        by_name.get(outer).copied()
    };
    let types = module.types.iter().enumerate();
    types.filter_map(|(at, def)| Some((outer(&def.qualified)?, TypeIndex(at as u32)))).collect()
}
