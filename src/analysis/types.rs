//! What type a value has, as far as the text tells.
//!
//! Types are found on demand and remembered. What is not known is [`Type::Unknown`], never a guess: a variable that may
//! hold something unknown is unknown. An external thing is its dotted path: the result of calling an external `X` that
//! the catalogue does not describe is the opaque type named `X`, and its attribute `f` is `X.f`.

use std::rc::Rc;

use super::names::{Item, Member};
use super::{FunctionId, ModuleId, Program, TypeId};
use crate::catalogue::Term;
use crate::flow::{
    BlockIndex, Collection, Field, FunctionKind, Generic, Literal, ParameterKind, Place, Root, Scope, TypeKind,
    TypeTerm, ValueIndex, ValueKind, VariableIndex,
};
use crate::text::Language;

/// How deep one question may lead to others before the answer is unknown.
const DEEPEST: u32 = 40;

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Not known.
    Unknown,
    /// An instance of a type.
    Instance(Rc<Instance>),
    /// A class or type itself.
    Class(TypeId),
    /// A module of the project, with the inline path within its file.
    Module(ModuleId, Vec<String>),
    /// A folder of the project that is imported as a package, and the name by which it was reached (Python).
    Package(Rc<str>, Rc<str>),
    /// A function of the project.
    Function(FunctionId),
    /// Something outside the project by its path: a module, class, function or global object.
    External(Rc<str>),
    /// A coroutine or future, by what awaiting it gives.
    Future(Rc<Type>),
    /// A tuple.
    Tuple(Rc<[Type]>),
    /// One of several.
    Union(Rc<[Type]>),
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
        Self::Instance(Rc::new(Instance { name: name.into(), definition: None, arguments }))
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
            ValueKind::Index(of) | ValueKind::Element(of) => {
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
            ValueKind::Choice(items) => Type::union(items.iter().map(|item| self.value_type(id, *item))),
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

    /// A closure's own type: an async block is the future itself, anything else is called first.
    fn closure_type(&self, id: FunctionId) -> Type {
        match self.function(id).kind {
            FunctionKind::AsyncBlock => Type::Future(Rc::new(self.return_type(id))),
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
                Item::Type(of) => self.instance_of(of),
                Item::External(name) => Type::external_instance(name, Vec::new()),
                _ => Type::Unknown,
            },
            Collection::Select => Type::Unknown,
        }
    }

    /// An instance of a type of the project.
    pub fn instance_of(&self, id: TypeId) -> Type {
        let definition = self.type_def(id);
        if definition.kind == TypeKind::Alias {
            return self.aliased(id, &definition);
        }
        let name = definition.qualified.clone();
        Type::Instance(Rc::new(Instance { name, definition: Some(id), arguments: Vec::new() }))
    }

    /// What an alias stands for. One that speaks of itself, as JSON does, is unknown inside itself.
    fn aliased(&self, id: TypeId, definition: &crate::flow::TypeDef) -> Type {
        let known = || self.aliases.borrow().get(&id).cloned();
        if let Some(known) = known().or_else(|| self.aliases_underway.borrow().get(&id).cloned()) {
            return known;
        }
        let Some(term) = definition.bases.first() else { return Type::Unknown };
        let is_outermost = self.aliases_underway.borrow().is_empty();
        self.aliases_underway.borrow_mut().insert(id, Type::Unknown);
        let found = self.deeper(Type::Unknown, || {
            self.type_of_term(id.module, &definition.scope, Some(id), &definition.generics, term)
        });
        if is_outermost {
            // What another alias is within this one may have been cut short by this one.
            self.aliases_underway.borrow_mut().clear();
            self.aliases.borrow_mut().insert(id, found.clone());
        } else {
            self.aliases_underway.borrow_mut().insert(id, found.clone());
        }
        found
    }

    /// Where the definitions of a variable that reach a step give their values.
    pub fn reaching(&self, id: FunctionId, variable: VariableIndex, block: BlockIndex, step: u32) -> Reaching {
        let shape = self.shape(id);
        let mut found = Reaching::default();
        if !shape.is_bound(variable) {
            found.from_entry = shape.is_reachable(block);
            return found;
        }
        let mut seen = vec![false; shape.blocks()];
        let mut work = vec![(block, step)];
        while let Some((block, before)) = work.pop() {
            if let Some(value) = shape.last_bind(variable, block, before) {
                if !found.values.contains(&value) {
                    found.values.push(value);
                }
                continue;
            }
            found.from_entry |= block.0 == 0;
            for &former in shape.predecessors(block) {
                if !std::mem::replace(&mut seen[former.at()], true) {
                    work.push((former, u32::MAX));
                }
            }
        }
        found.values.sort_unstable();
        found
    }

    /// The type of a place when it is read before a step.
    pub fn place_type(&self, id: FunctionId, place: &Place, block: BlockIndex, step: u32) -> Type {
        let (mut of, fields) = match &place.root {
            Root::Variable(variable) => (self.variable_type(id, *variable, block, step), &place.fields[..]),
            Root::Global(path) => {
                let item = self.resolve_in(id, path);
                (self.item_type(&item), &place.fields[..])
            }
        };
        for field in fields {
            of = match field {
                Field::Name(name) => self.member_type(&of, name),
                Field::Index => self.element_type(&of),
            };
            if of.is_unknown() {
                break;
            }
        }
        if place.is_cut { Type::Unknown } else { of }
    }

    /// The type of a variable when it is read before a step.
    pub fn variable_type(&self, id: FunctionId, index: VariableIndex, block: BlockIndex, step: u32) -> Type {
        let function = self.function(id);
        let variable = function.variable(index);
        if let Some(annotation) = &variable.annotation {
            let written = self.term_type(id, annotation);
            if !written.is_unknown() {
                return written;
            }
        }
        let parameter = function.parameters.iter().position(|parameter| parameter.variable == index);
        let reaching = self.reaching(id, index, block, step);
        let mut types: Vec<Type> = reaching.values.iter().map(|value| self.value_type(id, *value)).collect();
        if reaching.from_entry || (types.is_empty() && parameter.is_some()) {
            if let Some(at) = parameter {
                types.push(self.parameter_type(id, at));
            } else if let Some(outer) = variable.captures {
                types.push(self.captured_type(id, outer));
            }
        }
        Type::union(types)
    }

    /// A captured variable's type: one of everything that the enclosing function gives it.
    fn captured_type(&self, id: FunctionId, outer: VariableIndex) -> Type {
        let Some(parent) = self.function(id).parent else { return Type::Unknown };
        let parent = FunctionId { module: id.module, index: parent };
        self.deeper(Type::Unknown, || self.any_type_of(parent, outer))
    }

    /// One of everything that a function gives a variable anywhere.
    fn any_type_of(&self, id: FunctionId, index: VariableIndex) -> Type {
        let function = self.function(id);
        let Some(variable) = function.variables.get(index.at()) else { return Type::Unknown };
        if let Some(annotation) = &variable.annotation {
            let written = self.term_type(id, annotation);
            if !written.is_unknown() {
                return written;
            }
        }
        let bound: Vec<ValueIndex> = self.shape(id).binds(index).collect();
        let mut types: Vec<Type> = bound.into_iter().map(|value| self.value_type(id, value)).collect();
        if let Some(at) = function.parameters.iter().position(|parameter| parameter.variable == index) {
            types.push(self.parameter_type(id, at));
        } else if let (true, Some(outer)) = (types.is_empty(), variable.captures) {
            types.push(self.captured_type(id, outer));
        }
        Type::union(types)
    }

    /// The type of a parameter.
    pub fn parameter_type(&self, id: FunctionId, at: usize) -> Type {
        let function = self.function(id);
        let Some(parameter) = function.parameters.get(at) else { return Type::Unknown };
        if matches!(parameter.kind, ParameterKind::SelfReference | ParameterKind::SelfValue) {
            let owner = self.owner_type(id);
            return match (function.kind, owner) {
                (FunctionKind::ClassMethod, Type::Instance(instance)) => {
                    instance.definition.map_or(Type::Unknown, Type::Class)
                }
                (_, owner) => owner,
            };
        }
        if !matches!(parameter.kind, ParameterKind::Positional | ParameterKind::Named) {
            return Type::Unknown;
        }
        if let Some(annotation) = &parameter.annotation {
            return self.term_type(id, annotation);
        }
        match parameter.default {
            Some(default) => {
                let of = FunctionId { module: id.module, index: default.function };
                match self.value_type(of, default.value) {
                    Type::None => Type::Unknown,
                    known => known,
                }
            }
            None => Type::Unknown,
        }
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
                            Type::Instance(Rc::new(Instance {
                                name: instance.name.clone(),
                                definition: Some(id),
                                arguments: args.iter().map(of).collect(),
                            }))
                        }
                        aliased => aliased,
                    },
                    Item::External(name) => self.external_term(module, &name, args.iter().map(of).collect()),
                    // `x: "module.attribute"` of a static: no type.
                    Item::Variant(of, _) => self.instance_of(of),
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
            return Type::Future(Rc::new(self.catalogue_term(module, of, &call)));
        }
        Type::external_instance(name, arguments)
    }

    /// The type that an item has as a value.
    pub fn item_type(&self, item: &Item) -> Type {
        match item {
            Item::Function(id) => Type::Function(*id),
            Item::Type(id) => Type::Class(*id),
            Item::Variant(id, _) => self.instance_of(*id),
            Item::Field(id, at) => self.field_type(*id, *at),
            Item::Package { folder, name } => Type::Package(folder.as_str().into(), name.as_str().into()),
            Item::Static(module, at) => self.static_type(*module, *at),
            Item::Module(module, path) => Type::Module(*module, path.clone()),
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

    /// The type of an attribute or field.
    pub fn member_type(&self, of: &Type, name: &str) -> Type {
        self.deeper(Type::Unknown, || self.find_member_type(of, name))
    }

    fn find_member_type(&self, of: &Type, name: &str) -> Type {
        match of {
            Type::Unknown | Type::None | Type::Future(_) | Type::Function(_) => Type::Unknown,
            Type::Union(parts) => Type::union(parts.iter().map(|part| self.member_type(part, name))),
            Type::Tuple(parts) => {
                name.parse().ok().and_then(|at: usize| parts.get(at).cloned()).unwrap_or(Type::Unknown)
            }
            Type::External(path) => Type::External(format!("{path}.{name}").into()),
            Type::Module(module, path) => {
                let item = self.member(&Item::Module(*module, path.clone()), name);
                self.item_type(&item)
            }
            Type::Package(folder, path) => {
                let package = Item::Package { folder: folder.to_string(), name: path.to_string() };
                let item = self.member(&package, name);
                self.item_type(&item)
            }
            Type::Class(_) | Type::Instance(_) if self.definition_of(of).is_some() => {
                let Some(id) = self.definition_of(of) else { return Type::Unknown };
                // In Rust a field and a method may share a name; what is not called is the field.
                if self.language(id.module) == Language::Rust
                    && let Some(at) = self.type_def(id).fields.iter().position(|field| field.name == name)
                {
                    return self.field_type(id, at as u32);
                }
                match self.method(id, name).first() {
                    Some(Member::Field(owner, at)) => self.field_type(*owner, *at),
                    Some(Member::Function(function)) => match self.function(*function).kind {
                        FunctionKind::Property => self.return_type(*function),
                        _ => Type::Function(*function),
                    },
                    Some(Member::External(path)) => Type::external_instance(path.clone(), Vec::new()),
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
                    let separator = if instance.name.contains("::") { "::" } else { "." };
                    Type::external_instance(format!("{}{separator}{name}", instance.name), Vec::new())
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
            let of = self.type_of_term(owner.module, &definition.scope, Some(owner), &definition.generics, annotation);
            if !of.is_unknown() {
                return of;
            }
        }
        let given = field.values.iter();
        Type::union(given.map(|of| self.value_type(FunctionId { module: owner.module, index: of.function }, of.value)))
    }

    /// What a value dereferences to, if it does.
    pub fn deref(&self, of: &Type) -> Option<Type> {
        let instance = of.instance()?;
        if let Some(id) = instance.definition {
            let (module, at) = self.impls_of(id).into_iter().find(|&(module, at)| {
                let owner = self.module(module);
                owner.impls[at as usize].associated.iter().any(|(name, _)| name == "Target")
            })?;
            let owner = self.module(module);
            let block = &owner.impls[at as usize];
            let (_, term) = block.associated.iter().find(|(name, _)| name == "Target")?;
            return Some(self.type_of_term(module, &block.scope, Some(id), &block.generics, term));
        }
        // Only Rust types dereference; Python's transparent ones are peeled when the term is read.
        let tables = self.tables(Language::Rust);
        let shape = tables.type_shape(&instance.name)?;
        let term = shape.deref.as_ref()?;
        let call = Substitution { receiver: Some(of), ..Default::default() };
        Some(self.catalogue_term_of(Language::Rust, term, &call))
    }

    /// What an element of a container is.
    pub fn element_type(&self, of: &Type) -> Type {
        match of {
            Type::Tuple(parts) => Type::union(parts.iter().cloned()),
            Type::Union(parts) => Type::union(parts.iter().map(|part| self.element_type(part))),
            Type::Instance(instance) if instance.definition.is_none() => {
                if let Some(item) = self.shape_of(&instance.name).and_then(|shape| shape.item.as_ref()) {
                    let call = Substitution { receiver: Some(of), ..Default::default() };
                    return self.catalogue_term_of(language_of(&instance.name), item, &call);
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

    fn shape_of(&self, name: &str) -> Option<&'a crate::catalogue::TypeShape> {
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
    fn entered_type(&self, of: &Type) -> Type {
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
            _ => of.clone(),
        }
    }

    fn payload_type(&self, of: &Type, variant: &[String], field: &str) -> Type {
        let Some(instance) = of.instance() else { return Type::Unknown };
        let variant = variant.last().map_or("", String::as_str);
        if let Some(id) = instance.definition {
            let name = format!("{variant}.{field}");
            let definition = self.type_def(id);
            let at = definition.fields.iter().position(|known| known.name == name || known.name == field);
            return at.map_or(Type::Unknown, |at| self.field_type(id, at as u32));
        }
        // The payload of a failure is the second argument, that of every other variant of the prelude the first.
        let at = usize::from(variant == "Err" || variant == "Break");
        match instance.arguments.get(at) {
            Some(payload) => payload.clone(),
            None => match self.deref(of) {
                Some(target) => self.payload_type(&target, &[variant.to_owned()], field),
                None => Type::Unknown,
            },
        }
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

    /// The type that a term of the catalogue stands for at a call.
    pub fn catalogue_term(&self, module: ModuleId, term: &Term, call: &Substitution) -> Type {
        self.catalogue_term_of(self.language(module), term, call)
    }

    fn catalogue_term_of(&self, language: Language, term: &Term, call: &Substitution) -> Type {
        let of = |term: &Term| self.catalogue_term_of(language, term, call);
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
            Term::Future(of_term) => Type::Future(Rc::new(of(of_term))),
            Term::ClosureResult(at) => match call.arguments.get(usize::from(*at)) {
                Some(Type::Function(id)) => self.call_result(*id),
                _ => Type::Unknown,
            },
        }
    }

    /// What calling a project function gives, before anything is awaited.
    pub fn call_result(&self, id: FunctionId) -> Type {
        let function = self.function(id);
        match function.colour {
            crate::flow::Colour::Async => Type::Future(Rc::new(self.return_type(id))),
            crate::flow::Colour::Plain => self.return_type(id),
            crate::flow::Colour::Generator | crate::flow::Colour::AsyncGenerator => Type::Unknown,
        }
    }

    /// The language of a module.
    pub fn language(&self, module: ModuleId) -> Language {
        self.modules.borrow()[module.0 as usize].language
    }
}

enum Owner {
    Definition(TypeId),
    Term(ModuleId, TypeTerm, Scope, Vec<Generic>),
}

/// The definitions of a variable that reach a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reaching {
    /// The values bound.
    pub values: Vec<ValueIndex>,
    /// Whether the function's entry reaches it too: what a parameter or captured variable came with.
    pub from_entry: bool,
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
        let Some(instance) = self.receiver.and_then(Type::instance) else { return Type::Unknown };
        let position = program.shape_of(&instance.name).map_or_else(
            || ["T", "E"].iter().position(|known| *known == name),
            |shape| shape.params.iter().position(|known| known == name),
        );
        position.and_then(|at| instance.arguments.get(at)).cloned().unwrap_or(Type::Unknown)
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
