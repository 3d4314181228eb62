//! Types as they are written and as they are defined; nothing is resolved.

use super::{Decorator, FunctionIndex, Scope, ValueOf};
use crate::text::Span;

/// A type as written, unresolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TypeTerm {
    /// A path with its generic arguments: `std::sync::Mutex<T>`, `dict[str, int]`, `asyncio.Lock`.
    Path {
        /// Segments as written.
        segments: Vec<String>,
        /// Generic arguments of the last segment; associated type bindings are left out except `Output`/`Item`/`Target`,
        /// which come as [`TypeTerm::Binding`].
        args: Vec<TypeTerm>,
    },
    /// `Target = T` among generic arguments.
    Binding(String, Box<TypeTerm>),
    /// `&T`, `&mut T`, `*const T`.
    Reference(Box<TypeTerm>),
    /// `(A, B)`; the empty tuple is unit.
    Tuple(Vec<TypeTerm>),
    /// `A | B` in Python.
    Union(Vec<TypeTerm>),
    /// `[T]`, `[T; N]`.
    Slice(Box<TypeTerm>),
    /// `impl A + B` or `dyn A + B`.
    Bounds(Vec<TypeTerm>),
    /// `fn(A) -> B`, `Fn(A) -> B`, `Callable[[A], B]`.
    Function(Vec<TypeTerm>, Option<Box<TypeTerm>>),
    /// A Python annotation that holds a call or metadata, `Annotated[T, Depends(f)]`: the type, and what stands beside it.
    Annotated(Box<TypeTerm>, Vec<String>),
    /// None, `!`, a literal or something not understood, as text.
    Other(String),
}

/// A class, struct, enum, trait or alias.
#[derive(Clone, Debug)]
pub struct TypeDef {
    /// Its own name.
    pub name: String,
    /// Qualified name within the file: `Outer.Inner`, `a::b::Store`.
    pub qualified: String,
    /// Where its name is visible.
    pub scope: Scope,
    /// What it is.
    pub kind: TypeKind,
    /// Names of its generic parameters with bounds.
    pub generics: Vec<Generic>,
    /// Base classes (Python), supertraits (Rust), the aliased type of an alias.
    pub bases: Vec<TypeTerm>,
    /// What the class itself is made by, where that is written.
    pub metaclass: Option<TypeTerm>,
    /// Fields and attributes, in source order of their first mention.
    pub fields: Vec<FieldDef>,
    /// Methods defined in its body (Python classes, Rust traits); for Rust types see [`impls`](super::Module::impls).
    pub methods: Vec<FunctionIndex>,
    /// Decorators, attributes, derives.
    pub decorators: Vec<Decorator>,
    /// The whole definition.
    pub span: Span,
    /// Its name.
    pub header: Span,
}

/// The kinds of type definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeKind {
    /// A Python class.
    Class,
    /// A Rust struct or union.
    Struct,
    /// A Rust enum; variants with payload are fields named `Variant.0`, `Variant.name`.
    Enum,
    /// A Rust trait.
    Trait,
    /// `type A = B`.
    Alias,
}

/// A generic parameter with its bounds, those of `where` clauses included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generic {
    /// Its name.
    pub name: String,
    /// Its bounds.
    pub bounds: Vec<TypeTerm>,
}

/// A field of a struct or an attribute of a class.
#[derive(Clone, Debug)]
pub struct FieldDef {
    /// Its name; `0`, `1` in tuple structs.
    pub name: String,
    /// The type as written, if any.
    pub annotation: Option<TypeTerm>,
    /// Every value that the class itself gives it: class body, `self.x = …` in any method. Values belong to the
    /// function named.
    pub values: Vec<ValueOf>,
    /// Whether it is an attribute of the class, shared by all instances (Python class body).
    pub is_of_class: bool,
    /// Where it is first mentioned.
    pub span: Span,
}
