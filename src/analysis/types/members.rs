//! What lies below a type: fields, elements, payloads, what it dereferences to.

use std::sync::Arc;

use super::{Instance, Substitution, Type, language_of};
use crate::analysis::names::{Item, Member};
use crate::analysis::{FunctionId, ModuleId, Program, TypeId};
use crate::flow::{FunctionKind, Generic, Scope, TypeTerm};
use crate::text::Language;

/// How many pointers may lie around one value; nobody writes more.
const MOST_POINTERS: usize = 8;

impl<'a> Program<'a> {
    /// The type of an attribute or field.
    pub fn member_type(&self, of: &Type, name: &str) -> Type {
        self.deeper(Type::Unknown, || self.find_member_type(of, name))
    }

    fn find_member_type(&self, of: &Type, name: &str) -> Type {
        match of {
            Type::Unknown | Type::None | Type::Future(_) | Type::Callable(_) | Type::Function(_) => Type::Unknown,
            Type::Union(parts) => Type::union(parts.iter().map(|part| self.member_type(part, name))),
            Type::Tuple(parts) => {
                name.parse().ok().and_then(|at: usize| parts.get(at).cloned()).unwrap_or(Type::Unknown)
            }
            Type::External(path) => Type::External(format!("{path}.{name}").into()),
            Type::Module(module) => {
                let item = self.member(module, name);
                self.item_type(&item)
            }
            Type::Class(_) | Type::Instance(_) if self.definition_of(of).is_some() => {
                let Some(id) = self.definition_of(of) else { return Type::Unknown };
                // In Rust a field and a method may share a name; what is not called is the field.
                if self.language(id.module) == Language::Rust
                    && let Some(at) = self.type_def(id).fields.iter().position(|field| field.name == name)
                {
                    return self.field_type_in(of, id, at as u32);
                }
                match self.method(id, name).first() {
                    Some(Member::Field(owner, at)) => self.field_type(*owner, *at),
                    Some(Member::Function(function)) => match self.function(*function).kind {
                        FunctionKind::Property => self.call_result(*function),
                        _ => Type::Function(*function),
                    },
                    Some(Member::External(path)) => {
                        // An attribute that a library gives each class for itself, as a manager of its rows.
                        let is_of_class = self.shape_of(path).is_some_and(|shape| !shape.params.is_empty());
                        let arguments = if is_of_class { vec![self.instance_of(id)] } else { Vec::new() };
                        Type::external_instance(path.clone(), arguments)
                    }
                    None => match self.deref(of) {
                        Some(target) => self.member_type(&target, name),
                        None => Type::Unknown,
                    },
                }
            }
            Type::Class(_) => Type::Unknown,
            Type::Instance(instance) => match self.deref(of) {
                Some(target) => self.member_type(&target, name),
                None => {
                    let language = language_of(&instance.name);
                    let path = [&*instance.name, name].join(language.separator());
                    // Attributes that are made on demand: `client.orders` is a database.
                    let made = match self.tables(language).describes(&path) {
                        true => None,
                        false => self.special(of, "__getattr__"),
                    };
                    made.unwrap_or_else(|| Type::external_instance(path, Vec::new()))
                }
            },
        }
    }

    fn definition_of(&self, of: &Type) -> Option<TypeId> {
        match of {
            Type::Class(id) => Some(*id),
            Type::Instance(instance) => instance.definition,
            _ => None,
        }
    }

    /// The type of a field of a project type.
    pub fn field_type(&self, owner: TypeId, at: u32) -> Type {
        let definition = self.type_def(owner);
        let Some(field) = definition.fields.get(at as usize) else { return Type::Unknown };
        if let Some(annotation) = &field.annotation {
            let read =
                |term| self.type_of_term(owner.module, &definition.scope, Some(owner), &definition.generics, term);
            let is_rust = self.language(owner.module) == Language::Rust;
            let others = definition.fields.iter().filter(|other| is_rust && other.name == field.name);
            let of = match others.clone().count() {
                0 | 1 => read(annotation),
                _ => self.whichever(others.filter_map(|other| other.annotation.as_ref()).map(read)),
            };
            if !of.is_unknown() {
                return of;
            }
        }
        let given = field.values.iter();
        Type::union(given.map(|of| self.value_type(FunctionId { module: owner.module, index: of.function }, of.value)))
    }

    /// The type of a field of an instance, whose type arguments stand for the parameters of its type.
    fn field_type_in(&self, of: &Type, owner: TypeId, at: u32) -> Type {
        let definition = self.type_def(owner);
        let annotation = definition.fields.get(at as usize).and_then(|field| field.annotation.as_ref());
        match (of.instance(), annotation) {
            (Some(instance), Some(term)) if !instance.arguments.is_empty() => {
                let names = definition.generics.iter().map(|generic| generic.name.as_str()).collect();
                let given = Given { names, types: &instance.arguments };
                let (module, scope, generics) = (owner.module, &definition.scope, &definition.generics[..]);
                self.type_given(&Written { module, scope, owner, generics, given }, term)
            }
            _ => self.field_type(owner, at),
        }
    }

    /// A type as written inside a generic one.
    fn type_given(&self, at: &Written, term: &TypeTerm) -> Type {
        let plain = || self.type_of_term(at.module, at.scope, Some(at.owner), at.generics, term);
        match term {
            TypeTerm::Reference(of) => self.type_given(at, of),
            TypeTerm::Path { segments, args } => {
                let parameter =
                    plain_name(term).and_then(|name| at.given.names.iter().position(|known| *known == name));
                if let Some(given) =
                    parameter.and_then(|number| at.given.types.get(number)).filter(|given| !given.is_unknown())
                {
                    return given.clone();
                }
                let plain = plain();
                match plain.instance() {
                    // What an alias stands for has parameters of its own.
                    Some(instance)
                        if !args.is_empty()
                            && instance.arguments.len() == args.len()
                            && instance.name.rsplit("::").next() == segments.last().map(String::as_str) =>
                    {
                        let arguments = args.iter().map(|arg| self.type_given(at, arg)).collect();
                        let (name, definition) = (instance.name.clone(), instance.definition);
                        Type::Instance(Arc::new(Instance { name, definition, arguments }))
                    }
                    _ => plain,
                }
            }
            _ => plain(),
        }
    }

    /// What a value dereferences to, if it does.
    pub fn deref(&self, of: &Type) -> Option<Type> {
        let instance = of.instance()?;
        if let Some(id) = instance.definition {
            let (module, at) = self.impl_with(id, "Target")?;
            let owner = self.module(module);
            let block = &owner.impls[at as usize];
            let (_, term) = block.associated.iter().find(|(name, _)| name == "Target")?;
            let names: Vec<&str> = match &block.self_type {
                TypeTerm::Path { args, .. } => args.iter().map(|arg| plain_name(arg).unwrap_or("")).collect(),
                _ => Vec::new(),
            };
            let given = Given { names, types: &instance.arguments };
            let (scope, generics) = (&block.scope, &block.generics[..]);
            return Some(self.type_given(&Written { module, scope, owner: id, generics, given }, term));
        }
        // Only Rust types dereference; Python's transparent ones are peeled when the term is read. A review of Python should
        // not pay for reading what is known of Rust.
        if !instance.name.contains(Language::Rust.separator()) {
            return None;
        }
        let tables = self.tables(Language::Rust);
        let shape = tables.type_shape(&instance.name)?;
        let term = shape.deref.as_ref()?;
        let call = Substitution { receiver: Some(of), ..Default::default() };
        Some(self.catalogue_term(term, &call))
    }

    /// A type and what it dereferences to, step by step. A chain that leads back to itself ends before it does, and one
    /// that grows for ever after a bounded number of steps.
    pub fn pointees(&self, of: &Type) -> Vec<Type> {
        let mut chain = vec![of.clone()];
        while let Some(next) = chain.last().and_then(|last| self.deref(last))
            && chain.len() <= MOST_POINTERS
            && !chain.contains(&next)
        {
            chain.push(next);
        }
        chain
    }

    /// What an element of a container is.
    pub fn element_type(&self, of: &Type) -> Type {
        match of {
            Type::Tuple(parts) => Type::union(parts.iter().cloned()),
            Type::Union(parts) => Type::union(parts.iter().map(|part| self.element_type(part))),
            Type::Instance(instance) if instance.definition.is_none() => {
                if let Some(item) = self.shape_of(&instance.name).and_then(|shape| shape.item.as_ref()) {
                    let call = Substitution { receiver: Some(of), ..Default::default() };
                    return self.catalogue_term(item, &call);
                }
                if let Some(target) = self.deref(of) {
                    return self.element_type(&target);
                }
                // A mapping has keys and values, a sequence its elements: the last argument either way.
                instance.arguments.last().cloned().unwrap_or(Type::Unknown)
            }
            _ => Type::Unknown,
        }
    }

    /// What a method that Python calls by itself gives, where the catalogue says so.
    fn special(&self, of: &Type, method: &str) -> Option<Type> {
        let instance = of.instance().filter(|instance| instance.definition.is_none())?;
        let signature = self.tables(language_of(&instance.name)).signature(&format!("{}.{method}", instance.name))?;
        let call = Substitution { receiver: Some(of), ..Default::default() };
        Some(self.catalogue_term(&signature.returns, &call))
    }

    /// What is found in a container under an index or key.
    pub fn indexed_type(&self, of: &Type) -> Type {
        if let Some(known) = self.special(of, "__getitem__") {
            return known;
        }
        match of {
            Type::Union(parts) => Type::union(parts.iter().map(|part| self.indexed_type(part))),
            // A loop over a mapping gives its keys; asked for one, it gives the value.
            Type::Instance(instance)
                if instance.definition.is_none() && language_of(&instance.name) == Language::Python =>
            {
                instance.arguments.last().cloned().unwrap_or(Type::Unknown)
            }
            _ => self.element_type(of),
        }
    }

    pub(super) fn shape_of(&self, name: &str) -> Option<&'a crate::catalogue::TypeShape> {
        self.tables(language_of(name)).type_shape(name)
    }

    /// What awaiting gives.
    pub fn awaited_type(&self, of: &Type) -> Type {
        match of {
            Type::Future(of) => (**of).clone(),
            Type::Union(parts) => Type::union(parts.iter().map(|part| self.awaited_type(part))),
            Type::Instance(instance) if instance.definition.is_none() => match self.deref(of) {
                Some(target) => self.awaited_type(&target),
                None => Type::Unknown,
            },
            _ => Type::Unknown,
        }
    }

    /// What `with value as x` binds.
    pub(super) fn entered_type(&self, of: &Type) -> Type {
        if let Some(id) = of.instance().and_then(|instance| instance.definition) {
            for name in ["__aenter__", "__enter__"] {
                if let Some(Member::Function(function)) = self.method(id, name).first() {
                    let returned = self.return_type(*function);
                    return if returned.is_unknown() { of.clone() } else { returned };
                }
            }
        }
        match of {
            Type::Future(of) => (**of).clone(),
            _ => {
                let entered = self.special(of, "__aenter__").or_else(|| self.special(of, "__enter__"));
                entered.unwrap_or_else(|| of.clone())
            }
        }
    }

    pub(super) fn payload_type(&self, of: &Type, variant: &[String], field: &str) -> Type {
        let Some(instance) = of.instance() else { return Type::Unknown };
        let variant = variant.last().map_or("", String::as_str);
        if let Some(id) = instance.definition {
            let name = format!("{variant}.{field}");
            let definition = self.type_def(id);
            let at = definition.fields.iter().position(|known| known.name == name || known.name == field);
            return at.map_or(Type::Unknown, |at| self.field_type(id, at as u32));
        }
        let shape = self.shape_of(&instance.name);
        if let Some(term) = shape.and_then(|shape| shape.variants.get(variant)) {
            return self.catalogue_term(term, &Substitution { receiver: Some(of), arguments: &[] });
        }
        match instance.arguments.get(argument_of(variant)) {
            Some(payload) => payload.clone(),
            None => match self.deref(of) {
                Some(target) => self.payload_type(&target, &[variant.to_owned()], field),
                None => Type::Unknown,
            },
        }
    }

    /// The type that an item has as a value.
    pub fn item_type(&self, item: &Item) -> Type {
        match item {
            Item::Function(id) => Type::Function(*id),
            Item::Type(id) => Type::Class(*id),
            Item::Variant(id, _) => self.instance_of(*id),
            Item::Field(id, at) => self.field_type(*id, *at),
            Item::Static(module, at) => self.static_type(*module, *at),
            Item::Module(..) | Item::Package { .. } => Type::Module(Arc::new(item.clone())),
            Item::External(name) => Type::External(name.as_str().into()),
            Item::Unknown => Type::Unknown,
        }
    }

    fn static_type(&self, module: ModuleId, at: u32) -> Type {
        let owner = self.module(module);
        let Some(place) = owner.statics.get(at as usize) else { return Type::Unknown };
        self.deeper(Type::Unknown, || {
            if let Some(annotation) = &place.annotation {
                let written = self.type_of_term(module, &place.scope, None, &[], annotation);
                if !written.is_unknown() {
                    return written;
                }
            }
            let given = place.values.iter();
            Type::union(given.map(|of| self.value_type(FunctionId { module, index: of.function }, of.value)))
        })
    }
}

/// Where a type is written that may speak of a generic type's parameters, and what stands for them.
struct Written<'w> {
    module: ModuleId,
    scope: &'w Scope,
    owner: TypeId,
    generics: &'w [Generic],
    given: Given<'w>,
}

/// Type arguments by the names of the parameters that they stand for.
struct Given<'w> {
    names: Vec<&'w str>,
    types: &'w [Type],
}

/// The name that a term is, without a path or arguments.
fn plain_name(term: &TypeTerm) -> Option<&str> {
    match term {
        TypeTerm::Path { segments, args } if args.is_empty() => match &segments[..] {
            [only] => Some(only),
            _ => None,
        },
        _ => None,
    }
}

/// Which type argument of an enum the payload of a variant is: of a failure the second, of every other variant of the
/// prelude the first.
pub(super) fn argument_of(variant: &str) -> usize {
    usize::from(variant == "Err" || variant == "Break")
}
