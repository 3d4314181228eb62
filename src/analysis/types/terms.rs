//! Types as written, in the code and in the catalogue.

use std::sync::Arc;

use super::{Instance, Type};
use crate::analysis::names::Item;
use crate::analysis::{FunctionId, ModuleId, Program, TypeId};
use crate::catalogue::{LockKind, Term};
use crate::flow::{Colour, Generic, Scope, TypeKind, TypeTerm};
use crate::text::Language;

impl<'a> Program<'a> {
    /// Resolves a path as written in a function, `Self` included.
    pub fn resolve_in(&self, id: FunctionId, segments: &[String]) -> Item {
        let function = self.function(id);
        let is_self = segments.first().is_some_and(|first| first == "Self");
        if is_self && function.module().language == Language::Rust {
            let owner = self.deeper(Type::Unknown, || self.owner_type(id));
            let start = match owner.instance() {
                Some(Instance { definition: Some(of), .. }) => Item::Type(*of),
                Some(instance) => Item::External(instance.name.clone()),
                None => return Item::Unknown,
            };
            return segments[1..].iter().fold(start, |item, segment| self.member(&item, segment));
        }
        let scope = Scope { module: function.scope.module.clone(), function: Some(id.index) };
        self.resolve(id.module, &scope, segments)
    }

    /// The type of a term as written in a function.
    pub fn term_type(&self, id: FunctionId, term: &TypeTerm) -> Type {
        let function = self.function(id);
        let scope = Scope { module: function.scope.module.clone(), function: Some(id.index) };
        let mut generics = function.generics.clone();
        let owner = match self.owner(id) {
            Some(Owner::Definition(of)) => Some(of),
            Some(Owner::Term(_, _, _, more)) => {
                generics.extend(more);
                match self.deeper(Type::Unknown, || self.owner_type(id)) {
                    Type::Instance(instance) => instance.definition,
                    _ => None,
                }
            }
            None => None,
        };
        self.deeper(Type::Unknown, || self.type_of_term(id.module, &scope, owner, &generics, term))
    }

    /// The type of a term as written anywhere.
    pub fn type_of_term(
        &self,
        module: ModuleId,
        scope: &Scope,
        owner: Option<TypeId>,
        generics: &[Generic],
        term: &TypeTerm,
    ) -> Type {
        let of = |term: &TypeTerm| self.type_of_term(module, scope, owner, generics, term);
        match term {
            TypeTerm::Path { segments, args } => {
                if let [only] = &segments[..] {
                    if only == "Self" {
                        return owner.map_or(Type::Unknown, |owner| self.instance_of(owner));
                    }
                    if let Some(generic) = generics.iter().find(|generic| generic.name == *only) {
                        // A bound may speak of its own parameter, `T: Add<T>`, which says no more of it.
                        let others: Vec<Generic> =
                            generics.iter().filter(|other| other.name != *only).cloned().collect();
                        let bounds = TypeTerm::Bounds(generic.bounds.clone());
                        return self
                            .deeper(Type::Unknown, || self.type_of_term(module, scope, owner, &others, &bounds));
                    }
                }
                match self.resolve(module, scope, segments) {
                    Item::Type(id) => match self.instance_of(id) {
                        Type::Instance(instance) if instance.definition == Some(id) => {
                            Type::Instance(Arc::new(Instance {
                                name: instance.name.clone(),
                                definition: Some(id),
                                arguments: args.iter().map(of).collect(),
                            }))
                        }
                        aliased => aliased,
                    },
                    Item::External(name) => self.external_term(module, &name, args.iter().map(of).collect()),
                    Item::Variant(of, _) => self.instance_of(of),
                    Item::Static(of, at) if self.language(of) == Language::Python => self.type_under_name(of, at),
                    Item::Function(_) | Item::Field(..) | Item::Static(..) | Item::Module(..) => Type::Unknown,
                    Item::Package { .. } | Item::Unknown => Type::Unknown,
                }
            }
            TypeTerm::Binding(_, of_term) | TypeTerm::Reference(of_term) | TypeTerm::Annotated(of_term, _) => {
                of(of_term)
            }
            TypeTerm::Tuple(parts) if parts.is_empty() => Type::None,
            TypeTerm::Tuple(parts) => Type::Tuple(parts.iter().map(of).collect()),
            TypeTerm::Union(parts) => Type::union(parts.iter().map(of)),
            TypeTerm::Slice(part) => Type::external_instance("slice", vec![of(part)]),
            TypeTerm::Bounds(bounds) => {
                // The first bound that says anything: marker traits and lifetimes do not.
                bounds.iter().map(of).find(|bound| !bound.is_unknown()).unwrap_or(Type::Unknown)
            }
            TypeTerm::Function(_, Some(gives)) if self.language(module) == Language::Python => match of(gives) {
                Type::Unknown => Type::Unknown,
                known => Type::Callable(Arc::new(known)),
            },
            TypeTerm::Function(..) => Type::Unknown,
            TypeTerm::Other(text) if text == "None" => Type::None,
            TypeTerm::Other(_) => Type::Unknown,
        }
    }

    /// An external type with its arguments: wrappers that change nothing fall away, shapes that stand for a future
    /// become one.
    fn external_term(&self, module: ModuleId, name: &str, arguments: Vec<Type>) -> Type {
        let tables = self.tables(self.language(module));
        if tables.is_transparent(name) {
            return Type::union(arguments);
        }
        let shape = tables.type_shape(name);
        if let Some(Term::Future(of)) = shape.and_then(|shape| shape.deref.as_ref()) {
            let call = Substitution { receiver: Some(&Type::external_instance(name, arguments)), ..Default::default() };
            return Type::Future(Arc::new(self.catalogue_term(of, &call)));
        }
        Type::external_instance(name, arguments)
    }

    /// An instance of a type of the project.
    pub fn instance_of(&self, id: TypeId) -> Type {
        let definition = self.type_def(id);
        if definition.kind == TypeKind::Alias {
            return self.aliased(id, &definition);
        }
        let name = definition.qualified.clone();
        Type::Instance(Arc::new(Instance { name, definition: Some(id), arguments: Vec::new() }))
    }

    /// What an alias stands for.
    fn aliased(&self, id: TypeId, definition: &crate::flow::TypeDef) -> Type {
        let Some(term) = definition.bases.first() else { return Type::Unknown };
        let read = |of: &crate::flow::TypeDef, term: &TypeTerm| {
            self.type_of_term(id.module, &of.scope, Some(id), &of.generics, term)
        };
        self.alias_once(Alias::Type(id), || {
            let file = self.module(id.module);
            let is_it = |other: &&crate::flow::TypeDef| {
                other.kind == TypeKind::Alias && other.name == definition.name && other.scope == definition.scope
            };
            let others = file.types.iter().filter(is_it);
            match others.clone().count() {
                0 | 1 => read(definition, term),
                _ if self.language(id.module) == Language::Python => read(definition, term),
                _ => self.whichever(others.filter_map(|other| Some(read(other, other.bases.first()?)))),
            }
        })
    }

    /// The type of something that has another one for each feature or target (`#[cfg]`): the first, if all are locks of
    /// one flavour or one of them is the project's own or the only lock. Of two libraries, nobody knows which it is.
    pub(super) fn whichever(&self, alternatives: impl Iterator<Item = Type>) -> Type {
        let alternatives: Vec<Type> = alternatives.collect();
        let flavour = |of: &Type| {
            let name = self.lock_type_name(Language::Rust, of)?;
            self.tables(Language::Rust).lock(&name).map(|lock| lock.flavour)
        };
        let Some(first) = alternatives.first() else { return Type::Unknown };
        let of_one_flavour = || flavour(first).is_some() && alternatives.iter().all(|of| flavour(of) == flavour(first));
        if alternatives.iter().all(|of| of == first) || of_one_flavour() {
            return first.clone();
        }
        let own = alternatives.iter().find(|of| of.instance().is_some_and(|instance| instance.definition.is_some()));
        own.or_else(|| self.only_lock(&alternatives)).cloned().unwrap_or(Type::Unknown)
    }

    /// The lock among types of the catalogue that are no locks otherwise: what is locked there is that one.
    fn only_lock<'t>(&self, alternatives: &'t [Type]) -> Option<&'t Type> {
        let tables = self.tables(Language::Rust);
        let is_lock = |of: &&Type| {
            let name = self.lock_type_name(Language::Rust, of);
            name.and_then(|name| tables.lock(&name)).is_some_and(|lock| lock.kind != LockKind::Cell)
        };
        let (locks, others): (Vec<&Type>, Vec<&Type>) = alternatives.iter().partition(is_lock);
        let is_known = |of: &&Type| of.instance().is_some_and(|other| tables.type_shape(&other.name).is_some());
        match locks[..] {
            [only] if others.iter().all(is_known) => Some(only),
            _ => None,
        }
    }

    /// Finds out once what an alias stands for. One that speaks of itself, as JSON does, is unknown inside itself.
    fn alias_once(&self, alias: Alias, find: impl FnOnce() -> Type) -> Type {
        let known = || self.aliases.borrow().get(&alias).cloned();
        if let Some(known) = known().or_else(|| self.aliases_underway.borrow().get(&alias).cloned()) {
            return known;
        }
        let is_outermost = self.aliases_underway.borrow().is_empty();
        self.aliases_underway.borrow_mut().insert(alias, Type::Unknown);
        let found = self.deeper(Type::Unknown, find);
        if is_outermost {
            // What another alias is within this one may have been cut short by this one.
            self.aliases_underway.borrow_mut().clear();
            self.aliases.borrow_mut().insert(alias, found.clone());
        } else {
            self.aliases_underway.borrow_mut().insert(alias, found.clone());
        }
        found
    }

    /// The type that a term of the catalogue stands for at a call.
    pub fn catalogue_term(&self, term: &Term, call: &Substitution) -> Type {
        let of = |term: &Term| self.catalogue_term(term, call);
        match term {
            Term::Path { name, args } => match name.as_str() {
                "None" => Type::None,
                _ => Type::external_instance(name.as_str(), args.iter().map(of).collect()),
            },
            Term::Reference(of_term) => of(of_term),
            Term::Tuple(parts) if parts.is_empty() => Type::None,
            Term::Tuple(parts) => Type::Tuple(parts.iter().map(of).collect()),
            Term::Unknown => Type::Unknown,
            Term::Param(name) => call.parameter(self, name),
            Term::SelfType => call.receiver.cloned().unwrap_or(Type::Unknown),
            Term::Argument(at) => call.arguments.get(usize::from(*at)).cloned().unwrap_or(Type::Unknown),
            Term::Item(at) => match call.arguments.get(usize::from(*at)) {
                Some(argument) => self.element_type(argument),
                None => Type::Unknown,
            },
            Term::Supplied(at) => match call.arguments.get(usize::from(*at)) {
                Some(argument) => self.supplied_by(argument),
                None => Type::Unknown,
            },
            Term::Future(of_term) => Type::Future(Arc::new(of(of_term))),
            Term::ClosureResult(at) => match call.arguments.get(usize::from(*at)) {
                Some(Type::Function(id)) => self.call_result(*id),
                _ => Type::Unknown,
            },
        }
    }

    /// What a framework gets from something that it calls for its result.
    fn supplied_by(&self, provider: &Type) -> Type {
        match provider {
            Type::Class(id) => self.instance_of(*id),
            Type::External(name) => Type::external_instance(&**name, Vec::new()),
            Type::Function(id) => {
                let result = self.call_result(*id);
                match self.function(*id).colour {
                    Colour::Plain => result,
                    Colour::Async => self.awaited_type(&result),
                    Colour::Generator | Colour::AsyncGenerator => self.element_type(&result),
                }
            }
            _ => Type::Unknown,
        }
    }

    /// The type that a module-level name stands for in an annotation: `SessionDep = Annotated[Session, Depends(f)]`.
    fn type_under_name(&self, module: ModuleId, at: u32) -> Type {
        let owner = self.module(module);
        let Some(place) = owner.statics.get(at as usize) else { return Type::Unknown };
        self.alias_once(Alias::Name(module, at), || match &place.alias {
            Some(term) => self.type_of_term(module, &place.scope, None, &[], term),
            None => match self.item_type(&Item::Static(module, at)) {
                Type::Class(id) => self.instance_of(id),
                Type::External(name) => self.external_term(module, &name, Vec::new()),
                _ => Type::Unknown,
            },
        })
    }

    /// The type whose method a function is, closures inside it included.
    pub fn owner_type(&self, id: FunctionId) -> Type {
        match self.owner(id) {
            Some(Owner::Definition(of)) => self.instance_of(of),
            Some(Owner::Term(at, term, scope, generics)) => self.type_of_term(at, &scope, None, &generics, &term),
            None => Type::Unknown,
        }
    }

    fn owner(&self, id: FunctionId) -> Option<Owner> {
        let function = self.function(id);
        if let Some(index) = function.owner {
            return Some(Owner::Definition(TypeId { module: id.module, index }));
        }
        if let Some(at) = function.in_impl {
            let block = &function.module().impls[at as usize];
            return Some(Owner::Term(id.module, block.self_type.clone(), block.scope.clone(), block.generics.clone()));
        }
        self.owner(FunctionId { module: id.module, index: function.parent? })
    }
}

/// What is an alias of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Alias {
    /// One that is declared to be.
    Type(TypeId),
    /// A module-level name that stands in annotations (Python).
    Name(ModuleId, u32),
}

enum Owner {
    Definition(TypeId),
    Term(ModuleId, TypeTerm, Scope, Vec<Generic>),
}

/// What the variables of a catalogue term stand for at one call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Substitution<'t> {
    /// The receiver's type.
    pub receiver: Option<&'t Type>,
    /// The arguments' types.
    pub arguments: &'t [Type],
}

impl Substitution<'_> {
    fn parameter(&self, program: &Program, name: &str) -> Type {
        let Some(receiver) = self.receiver else { return Type::Unknown };
        let Some(instance) = receiver.instance() else { return Type::Unknown };
        let shape = program.shape_of(&instance.name);
        let position = shape.map_or_else(
            || ["T", "E"].iter().position(|known| *known == name),
            |shape| shape.params.iter().position(|known| known == name),
        );
        // What a method of the base says of its parameter is, of an iterator, about what it gives.
        if position.is_none() && shape.is_some_and(|shape| shape.item.is_some() && !shape.bases.is_empty()) {
            return program.element_type(receiver);
        }
        position.and_then(|at| instance.arguments.get(at)).cloned().unwrap_or(Type::Unknown)
    }
}
