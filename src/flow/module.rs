//! A file: what it imports, defines and is marked with.

use std::sync::Arc;

use super::{Function, FunctionIndex, Generic, Quality, TypeDef, TypeTerm, ValueOf};
use crate::text::{Language, Span};

/// One source file, lowered.
#[derive(Clone, Debug)]
pub struct Module {
    /// Path from the repository's root.
    pub path: Arc<str>,
    /// The language.
    pub language: Language,
    /// What it imports, in source order; those inside functions too.
    pub imports: Vec<Import>,
    /// Classes, structs, enums, traits, aliases, in source order.
    pub types: Vec<TypeDef>,
    /// `impl` blocks (Rust), in source order.
    pub impls: Vec<Impl>,
    /// Functions, methods, closures, lambdas, async blocks. The first is the module's own code: top-level statements
    /// in Python, initialisers of statics and constants in Rust.
    pub functions: Vec<Function>,
    /// Module-level places: globals, statics, constants.
    pub statics: Vec<Static>,
    /// Inline modules and `mod` declarations (Rust).
    pub submodules: Vec<Submodule>,
    /// Plain facts about the text that rules may want.
    pub marks: Vec<Mark>,
    /// How well the file could be read.
    pub quality: Quality,
}

/// Where a name is visible.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Scope {
    /// Inline module path within the file (Rust `mod a { mod b {` gives `["a", "b"]`); empty in Python.
    pub module: Vec<String>,
    /// The function whose body it stands in, for imports and types defined inside functions.
    pub function: Option<FunctionIndex>,
}

/// One imported name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Where the name is visible.
    pub scope: Scope,
    /// The name that it gives here; empty for a glob.
    pub name: String,
    /// What it names, as written: `["os", "path"]`, `["crate", "db", "Pool"]`. For `import a.b` (no alias) the name is
    /// `a` and the target `["a"]`, and a second [`Import`] with an empty name and target `["a", "b"]` of kind
    /// [`ImportKind::Module`] says that the submodule is loaded.
    pub target: Vec<String>,
    /// Leading dots of a relative Python import; 0 otherwise.
    pub level: u32,
    /// What kind of import it is.
    pub kind: ImportKind,
    /// Whether some targets or features only have it (`#[cfg]` in front of it).
    pub is_conditional: bool,
    /// Whether others can import it from here (`pub use`, `__init__` re-export, always true in Python).
    pub is_public: bool,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportKind {
    /// `import a`, `import a.b as c`: the target is a module.
    Module,
    /// `from a import b`, `use a::b`: the target's last segment is a name in what comes before it (or a submodule).
    Name,
    /// `from a import *`, `use a::*`: the target is what is opened.
    Glob,
    /// `#[macro_use] extern crate a`: the macros of the target are in sight in the whole crate; no name is given.
    Macros,
}

/// A `mod` item of Rust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submodule {
    /// Its path within the file, its own name last.
    pub path: Vec<String>,
    /// Whether its body is in this file.
    pub is_inline: bool,
    /// The value of a `#[path = "…"]` attribute.
    pub file: Option<String>,
    /// Whether it stands under `#[cfg(test)]`.
    pub is_test: bool,
    /// Whether others than what stands in the module around it see it.
    pub is_public: bool,
    /// Where it stands.
    pub span: Span,
}

/// A Rust `impl` block.
#[derive(Clone, Debug)]
pub struct Impl {
    /// The type it is for.
    pub self_type: TypeTerm,
    /// The trait, if it implements one.
    pub of_trait: Option<TypeTerm>,
    /// Its generic parameters.
    pub generics: Vec<Generic>,
    /// Associated types: `Target`, `Output`, `Item`, …
    pub associated: Vec<(String, TypeTerm)>,
    /// Its functions.
    pub functions: Vec<FunctionIndex>,
    /// Where it stands.
    pub scope: Scope,
    /// The whole block.
    pub span: Span,
}

/// A module-level place.
#[derive(Clone, Debug)]
pub struct Static {
    /// Its name.
    pub name: String,
    /// Where it is visible.
    pub scope: Scope,
    /// The type as written, if any.
    pub annotation: Option<TypeTerm>,
    /// What it stands for in an annotation, where its value is written as a type with arguments (Python).
    pub alias: Option<TypeTerm>,
    /// Every value it is given in this file, `global x` in functions included.
    pub values: Vec<ValueOf>,
    /// Whether it can be assigned again (`static mut`, any Python global that is not assigned once only).
    pub is_mutable: bool,
    /// Where it is first defined.
    pub span: Span,
}

/// Something about the text that is no flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A stretch that could not be parsed.
    Broken {
        /// The line that a person must mend, not the rest of the file.
        span: Span,
        /// What is wrong: "this `(` is never closed".
        reason: String,
    },
    /// The file nests too deeply to be read, which is no damage.
    TooDeep {
        /// Where it gets too deep.
        span: Span,
        /// What nests: "brackets nest more than 256 levels deep".
        reason: String,
    },
    /// A function's body is a placeholder.
    Stub {
        /// The function.
        function: FunctionIndex,
        /// `pass`, `...`, `todo!()`, `raise NotImplementedError`, …
        form: String,
        /// Where.
        span: Span,
    },
    /// A comment, without its marker characters and outer white space.
    Comment {
        /// Where.
        span: Span,
        /// Its text.
        text: String,
    },
    /// The file is generated, by its own header.
    Generated {
        /// Where it says so.
        span: Span,
    },
    /// A macro that stands among items (Rust): it may make any.
    MakesItems {
        /// The inline module that it stands in.
        module: Vec<String>,
        /// Where.
        span: Span,
    },
}

impl Module {
    /// The function at an index.
    pub fn function(&self, index: FunctionIndex) -> &Function {
        &self.functions[index.at()]
    }

    /// Functions with their indices.
    pub fn functions(&self) -> impl Iterator<Item = (FunctionIndex, &Function)> {
        self.functions.iter().enumerate().map(|(at, function)| (FunctionIndex(at as u32), function))
    }

    /// The innermost function whose span holds a byte; the module's own code where none does.
    pub fn function_at(&self, offset: u32) -> FunctionIndex {
        self.functions()
            .skip(1)
            .filter(|(_, function)| function.span.has(offset))
            .min_by_key(|(_, function)| function.span.end - function.span.start)
            .map_or(FunctionIndex(0), |(index, _)| index)
    }
}
