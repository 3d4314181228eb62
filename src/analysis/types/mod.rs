//! What type a value has, as far as the text tells.
//!
//! Types are found on demand and remembered. What is not known is [`Type::Unknown`], never a guess: a variable that may
//! hold something unknown is unknown. An external thing is its dotted path: the result of calling an external `X` that
//! the catalogue does not describe is the opaque type named `X`, and its attribute `f` is `X.f`.

mod closures;
mod constructed;
mod members;
mod terms;
mod variables;

use std::sync::Arc;

use super::names::Item;
use super::{FunctionId, ModuleId, Program, TypeId};
use crate::flow::{
    Collection, FunctionKind, Literal, Parameter, StepKind, Suspension, TypeTerm, ValueIndex, ValueKind,
};
use crate::text::Language;

pub use terms::{Alias, Substitution};
pub use variables::Reaching;

/// How deep one question may lead to others before the answer is unknown.
const DEEPEST: u32 = 120;

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Not known.
    Unknown,
    /// An instance of a type.
    Instance(Arc<Instance>),
    /// A class or type itself.
    Class(TypeId),
    /// A module or package of the project.
    Module(Arc<Item>),
    /// A function of the project.
    Function(FunctionId),
    /// Something outside the project by its path: a module, class, function or global object.
    External(Arc<str>),
    /// A coroutine or future, by what awaiting it gives.
    Future(Arc<Type>),
    /// Something that is called, by what that gives: `Callable[[int], str]` (Python).
    Callable(Arc<Type>),
    /// A tuple.
    Tuple(Arc<[Type]>),
    /// One of several.
    Union(Arc<[Type]>),
    /// `None`, `()`.
    None,
}

/// An instance of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Canonical name: the catalogue's for external types, the definition's own qualified name for the project's.
    pub name: String,
    /// Its definition, if it is in the project.
    pub definition: Option<TypeId>,
    /// Its type arguments, as far as they were written.
    pub arguments: Vec<Type>,
}

impl Type {
    /// An instance of an external type.
    pub fn external_instance(name: impl Into<String>, arguments: Vec<Type>) -> Self {
        Self::Instance(Arc::new(Instance { name: name.into(), definition: None, arguments }))
    }

    /// The instance, if it is one.
    pub fn instance(&self) -> Option<&Instance> {
        match self {
            Self::Instance(instance) => Some(instance),
            _ => None,
        }
    }

    /// Whether nothing is known of it.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// One of several; `None` gives way to anything else, a single one stays as it is, an unknown one spoils all.
    pub fn union(types: impl IntoIterator<Item = Type>) -> Type {
        let mut known: Vec<Type> = Vec::new();
        let mut is_maybe_none = false;
        for one in types {
            match one {
                Type::Unknown => return Type::Unknown,
                Type::None => is_maybe_none = true,
                Type::Union(parts) => {
                    for part in parts.iter() {
                        if !known.contains(part) {
                            known.push(part.clone());
                        }
                    }
                }
                other if known.contains(&other) => {}
                other => known.push(other),
            }
        }
        match known.len() {
            0 if is_maybe_none => Type::None,
            0 => Type::Unknown,
            1 => known.remove(0),
            _ => Type::Union(known.into()),
        }
    }

    /// Whether a type of a library leaves arguments open: `Vec<_>`.
    fn has_gaps(&self) -> bool {
        self.instance()
            .is_some_and(|instance| instance.definition.is_none() && instance.arguments.iter().any(Type::is_unknown))
    }

    /// Whether it is the same type of a library with nothing left open.
    fn fills(&self, open: &Type) -> bool {
        match (self.instance(), open.instance()) {
            (Some(full), Some(open)) => {
                full.name == open.name && full.definition.is_none() && !self.has_gaps() && !full.arguments.is_empty()
            }
            _ => false,
        }
    }

    /// The types it may be, itself if it is one.
    pub fn alternatives(&self) -> &[Type] {
        match self {
            Self::Union(parts) => parts,
            _ => std::slice::from_ref(self),
        }
    }
}

impl<'a> Program<'a> {
    /// The type of a value.
    pub fn value_type(&self, function: FunctionId, value: ValueIndex) -> Type {
        let key = (function, value);
        if let Some(known) = self.types.borrow().get(&key) {
            return known.clone();
        }
        // The entry made here answers a question that leads back to itself.
        self.types.borrow_mut().insert(key, Type::Unknown);
        let found = self.deeper(Type::Unknown, || self.find_value_type(function, value));
        self.types.borrow_mut().insert(key, found.clone());
        found
    }

    /// Runs a question one level deeper, or gives up with `otherwise`.
    pub(super) fn deeper<T>(&self, otherwise: T, question: impl FnOnce() -> T) -> T {
        let depth = self.depth.get();
        if depth >= DEEPEST {
            return otherwise;
        }
        self.depth.set(depth + 1);
        let answer = question();
        self.depth.set(depth);
        answer
    }

    fn find_value_type(&self, id: FunctionId, index: ValueIndex) -> Type {
        let function = self.function(id);
        let value = function.value(index);
        match &value.kind {
            ValueKind::Unknown | ValueKind::Received => Type::Unknown,
            ValueKind::Literal(literal) => self.literal_type(id, literal),
            ValueKind::Place(place) => self.place_type(id, place, value.block, value.step),
            ValueKind::Path(segments, _) => {
                let item = self.resolve_in(id, segments);
                self.item_type(&item)
            }
            ValueKind::Field(of, name) => {
                let of = self.value_type(id, *of);
                self.member_type(&of, name)
            }
            ValueKind::Index(of) => {
                let of = self.value_type(id, *of);
                self.indexed_type(&of)
            }
            ValueKind::Element(of) => {
                let of = self.value_type(id, *of);
                self.element_type(&of)
            }
            ValueKind::Call(_) => self.call_type(id, index),
            ValueKind::Awaited(of) => {
                let of = self.value_type(id, *of);
                self.awaited_type(&of)
            }
            ValueKind::Entered(of) => {
                let of = self.value_type(id, *of);
                self.entered_type(&of)
            }
            ValueKind::Component(of, at) => match self.value_type(id, *of) {
                Type::Tuple(parts) => parts.get(*at as usize).cloned().unwrap_or(Type::Unknown),
                other => self.element_type(&other),
            },
            ValueKind::Payload(of, variant, field) => {
                let of = self.value_type(id, *of);
                self.payload_type(&of, variant, field)
            }
            ValueKind::Function(index) => self.closure_type(FunctionId { module: id.module, index: *index }),
            ValueKind::Collection(kind, items) => self.collection_type(id, kind, items),
            ValueKind::Choice(items) => self.choice_type(id, items),
            ValueKind::Try(of) => {
                let of = self.value_type(id, *of);
                match of.instance() {
                    Some(instance) => instance.arguments.first().cloned().unwrap_or(Type::Unknown),
                    None => Type::Unknown,
                }
            }
            ValueKind::Reference(of) => self.value_type(id, *of),
            ValueKind::Dereference(of) => {
                let of = self.value_type(id, *of);
                self.deref(&of).unwrap_or(of)
            }
            ValueKind::Cast(_, term) => self.term_type(id, term),
            // What a range is used for is going through it.
            ValueKind::Operation(ends) if function.ranges.binary_search(&index).is_ok() => {
                let from = ends.first().map_or(Type::Unknown, |end| self.value_type(id, *end));
                Type::external_instance("std::iter::Iterator", vec![from])
            }
            ValueKind::Operation(_) => Type::Unknown,
        }
    }

    fn literal_type(&self, id: FunctionId, literal: &Literal) -> Type {
        let name = match literal {
            Literal::None => return Type::None,
            Literal::Bool(_) => "bool",
            Literal::Int(_) => "int",
            Literal::Text(_) => "str",
            Literal::Other => return Type::Unknown,
        };
        match self.language(id.module) {
            Language::Python => Type::external_instance(format!("builtins.{name}"), Vec::new()),
            Language::Rust => Type::external_instance(name, Vec::new()),
        }
    }

    /// One of several. A parameter that nothing is said of is taken for what stands in for it where it is missing:
    /// `pool or ThreadPoolExecutor()`.
    fn choice_type(&self, id: FunctionId, items: &[ValueIndex]) -> Type {
        let function = self.function(id);
        let types: Vec<Type> = items.iter().map(|item| self.value_type(id, *item)).collect();
        let is_made = |(item, of): (&ValueIndex, &Type)| function.call(*item).is_some() && self.is_telling(id, of);
        if self.language(id.module) == Language::Rust || !items.iter().zip(&types).any(is_made) {
            return Type::union(types);
        }
        let is_open = |item: &ValueIndex| match &function.value(*item).kind {
            ValueKind::Place(place) => place.as_variable().is_some_and(|variable| {
                let is_it = |parameter: &&Parameter| parameter.variable == variable && parameter.annotation.is_none();
                function.parameters.iter().any(|parameter| is_it(&parameter))
            }),
            _ => false,
        };
        let said = items.iter().zip(types).filter(|(item, of)| !(of.is_unknown() && is_open(item)));
        Type::union(said.map(|(_, of)| of))
    }

    /// A closure's own type: an async block is the future itself, anything else is called first.
    fn closure_type(&self, id: FunctionId) -> Type {
        match self.function(id).kind {
            FunctionKind::AsyncBlock => Type::Future(Arc::new(self.return_type(id))),
            _ => Type::Function(id),
        }
    }

    fn collection_type(&self, id: FunctionId, kind: &Collection, items: &[(Option<String>, ValueIndex)]) -> Type {
        let parts = || items.iter().map(|(_, item)| self.value_type(id, *item));
        let language = self.language(id.module);
        let named = |python: &str, rust: &str| {
            let name = if language == Language::Python { format!("builtins.{python}") } else { rust.to_owned() };
            Type::external_instance(name, vec![Type::union(parts())])
        };
        match kind {
            Collection::Tuple | Collection::Join => Type::Tuple(parts().collect()),
            Collection::List => named("list", "slice"),
            Collection::Set => named("set", "slice"),
            Collection::Mapping => Type::external_instance("builtins.dict", vec![Type::Unknown, Type::union(parts())]),
            Collection::Struct(path) => match self.resolve_in(id, path) {
                Item::Type(of) | Item::Variant(of, _) => self.instance_of(of),
                Item::External(name) => self.external_variant(&name, parts),
                _ => Type::Unknown,
            },
            Collection::Select(_) => Type::Unknown,
        }
    }

    /// A struct of a library, or a variant of one of its enums: `Some(x)` is an `Option` of what `x` is.
    fn external_variant<I: Iterator<Item = Type>>(&self, name: &str, parts: impl Fn() -> I) -> Type {
        let of_enum = name.rsplit_once("::").filter(|(of, _)| self.shape_of(of).is_some());
        let Some((of, variant)) = of_enum else { return Type::external_instance(name, Vec::new()) };
        let mut arguments: Vec<Type> = vec![Type::Unknown; members::argument_of(variant)];
        arguments.extend(parts().next());
        Type::external_instance(of, arguments)
    }

    /// What calling a function and, if it is asynchronous, awaiting it gives.
    pub fn return_type(&self, id: FunctionId) -> Type {
        if let Some(known) = self.returns.borrow().get(&id) {
            return known.clone();
        }
        self.returns.borrow_mut().insert(id, Type::Unknown);
        let found = self.deeper(Type::Unknown, || self.find_return_type(id));
        self.returns.borrow_mut().insert(id, found.clone());
        found
    }

    fn find_return_type(&self, id: FunctionId) -> Type {
        let function = self.function(id);
        if let Some(term) = &function.returns {
            let written = self.term_type(id, term);
            if !written.is_unknown() || function.module().language == Language::Rust {
                return written;
            }
        }
        if function.module().language == Language::Rust && !is_anonymous(function.kind) {
            return Type::None;
        }
        Type::union(function.blocks.iter().filter_map(|block| match &block.next {
            crate::flow::Next::Return(Some(value)) => Some(self.value_type(id, *value)),
            crate::flow::Next::Return(None) => Some(Type::None),
            _ => None,
        }))
    }

    /// What calling a project function gives, before anything is awaited.
    pub fn call_result(&self, id: FunctionId) -> Type {
        let function = self.function(id);
        match function.colour {
            crate::flow::Colour::Async => Type::Future(Arc::new(self.return_type(id))),
            crate::flow::Colour::Plain => self.return_type(id),
            crate::flow::Colour::Generator => self.generator("generator", id),
            crate::flow::Colour::AsyncGenerator => self.generator("async_generator", id),
        }
    }

    /// What a function of the project gives. A class method that gives an object of its own class gives one of the heir
    /// that it is called on, `Heir.create()`, and a method that gives `Self` one of its receiver's (Python).
    pub(super) fn result_for(&self, function: FunctionId, receiver: Option<&Type>) -> Type {
        let result = self.call_result(function);
        let heir = match receiver {
            Some(Type::Class(heir)) if self.function(function).kind == FunctionKind::ClassMethod => Some(heir),
            Some(Type::Instance(of)) if self.gives_self(function) => of.definition.as_ref(),
            _ => None,
        };
        let Some(heir) = heir else { return result };
        let own = self.self_type(function);
        let is_own = |of: &Type| of.instance().is_some_and(|of| of.definition.is_some() && of.definition == own);
        match &result {
            Type::Future(inner) if is_own(inner) => Type::Future(Arc::new(self.instance_of(*heir))),
            of if is_own(of) => self.instance_of(*heir),
            _ => result,
        }
    }

    /// Whether a Python method says that it gives an object of its receiver's class, whichever that is.
    pub(super) fn gives_self(&self, id: FunctionId) -> bool {
        let said = &self.function(id).returns;
        self.language(id.module) == Language::Python
            && matches!(said, Some(TypeTerm::Path { segments, .. }) if segments.last().is_some_and(|last| last == "Self"))
    }

    /// What calling a function that yields gives (Python).
    fn generator(&self, name: &str, id: FunctionId) -> Type {
        let yielded = self.deeper(Type::Unknown, || self.yielded_type(id));
        Type::external_instance(format!("builtins.{name}"), vec![yielded])
    }

    /// What a function yields: as its return type says, `Iterator[Session]`, or what stands behind its `yield`s.
    fn yielded_type(&self, id: FunctionId) -> Type {
        let function = self.function(id);
        if let Some(term) = &function.returns
            && let Some(first) = self.term_type(id, term).instance().and_then(|written| written.arguments.first())
        {
            return first.clone();
        }
        Type::union(function.steps().filter_map(|(_, _, step)| match step.kind {
            StepKind::Suspend(Suspension::Yield, Some(value)) => Some(self.value_type(id, value)),
            _ => None,
        }))
    }

    /// The language of a module.
    pub fn language(&self, module: ModuleId) -> Language {
        self.modules.borrow()[module.0 as usize].module.language
    }
}

/// Whether a function has no name of its own and so no written return type to rely on.
fn is_anonymous(kind: FunctionKind) -> bool {
    matches!(kind, FunctionKind::Closure | FunctionKind::AsyncBlock | FunctionKind::GeneratorExpression)
}

/// The language whose names are written like this one.
pub(super) fn language_of(name: &str) -> Language {
    if name.contains("::") || !name.contains('.') { Language::Rust } else { Language::Python }
}
