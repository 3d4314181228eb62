//! What a call calls.
//!
//! A call resolves by definition, never by bare name. May is not must: where several definitions may be meant, all of
//! them are targets, and whoever wants certainty asks for the effect in every one.

use std::sync::Arc;

use super::names::{Item, Member};
use super::types::{Substitution, Type};
use super::{FunctionId, Program, TypeId};
use crate::catalogue::Runs;
use crate::flow::{Callee, FunctionKind, ImportKind, Literal, ValueIndex, ValueKind};
use crate::text::Language;

/// What a call resolves to.
#[derive(Clone, Debug, Default)]
pub struct Resolution {
    /// Every definition that may be meant; empty when nothing is known.
    pub targets: Vec<Target>,
    /// The receiver's type, for a method.
    pub receiver: Option<Type>,
    /// Whether the receiver is the callee's first parameter, so that arguments start at the second.
    pub binds_receiver: bool,
}

/// One definition that a call may mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A function of the project.
    Function(FunctionId),
    /// A type of the project is made: its constructor, if it has one of its own.
    Construct(TypeId, Option<FunctionId>),
    /// Something outside the project, by its canonical name.
    External(String),
}

impl Target {
    /// The project function that runs.
    pub fn function(&self) -> Option<FunctionId> {
        match self {
            Self::Function(id) | Self::Construct(_, Some(id)) => Some(*id),
            Self::Construct(_, None) | Self::External(_) => None,
        }
    }
}

impl Resolution {
    fn to(targets: Vec<Target>) -> Self {
        Self { targets, ..Self::default() }
    }

    /// The external name, when the call certainly means it.
    pub fn external(&self) -> Option<&str> {
        match &self.targets[..] {
            [Target::External(name)] => Some(name),
            _ => None,
        }
    }

    /// The project functions that may run; empty unless every target is one.
    pub fn functions(&self) -> Vec<FunctionId> {
        let functions: Vec<_> = self.targets.iter().filter_map(Target::function).collect();
        if functions.len() == self.targets.len() { functions } else { Vec::new() }
    }
}

impl<'a> Program<'a> {
    /// What a call calls. The value must be a call; any other resolves to nothing.
    pub fn resolution(&self, id: FunctionId, value: ValueIndex) -> Arc<Resolution> {
        let key = (id, value);
        if let Some(known) = self.resolutions.borrow().get(&key) {
            return known.clone();
        }
        self.resolutions.borrow_mut().insert(key, Arc::default());
        let found = Arc::new(self.deeper(Resolution::default(), || self.resolve_call(id, value)));
        self.resolutions.borrow_mut().insert(key, found.clone());
        found
    }

    fn resolve_call(&self, id: FunctionId, value: ValueIndex) -> Resolution {
        let function = self.function(id);
        let Some(call) = function.call(value) else { return Resolution::default() };
        match &call.callee {
            Callee::Path(segments) => {
                let item = self.resolve_in(id, segments);
                let mut resolution = self.call_of_item(&item);
                if resolution.targets.is_empty() {
                    resolution = self.call_through_type(id, segments);
                }
                resolution
            }
            Callee::Method(receiver, name) => {
                let of = self.value_type(id, *receiver);
                let mut resolution = self.extended_call(id, &of, name);
                if resolution.targets.is_empty() {
                    resolution = self.method_call(&of, name);
                }
                if let (Type::Tuple(parts), Language::Rust, true) =
                    (&of, self.language(id.module), resolution.targets.is_empty())
                {
                    // A tuple has methods by traits alone, and by those of its first part: `(host, 80).to_socket_addrs()`.
                    resolution = parts.first().map_or_else(Resolution::default, |part| self.method_call(part, name));
                }
                let is_nobodys = of.is_unknown() && resolution.targets.is_empty();
                if is_nobodys || self.is_of_no_known_library(&of) {
                    let imported = self.call_through_import(id, name, call.arguments.len());
                    resolution = if imported.targets.is_empty() { resolution } else { imported };
                }
                resolution.receiver = Some(of);
                resolution
            }
            Callee::Value(of) => {
                let of = self.value_type(id, *of);
                self.call_of_value(&of)
            }
            Callee::Super(name) => {
                let Some(owner) = self.owner_type(id).instance().and_then(|owner| owner.definition) else {
                    return Resolution::default();
                };
                let mut resolution = Resolution::default();
                for base in &*self.bases(owner) {
                    resolution = match base {
                        Item::Type(base) => self.method_call(&self.instance_of(*base), name),
                        Item::External(base) => Resolution::to(vec![Target::External(format!("{base}.{name}"))]),
                        _ => Resolution::default(),
                    };
                    // The static receiver is exact: overrides below it do not count.
                    resolution.targets.truncate(1);
                    if !resolution.targets.is_empty() {
                        break;
                    }
                }
                resolution.binds_receiver = true;
                resolution
            }
            Callee::Macro(path) => match self.resolve_in(id, path) {
                Item::External(name) => Resolution::to(vec![Target::External(name)]),
                // A macro of the project or of nobody known: its name alone, which the catalogue cannot have.
                _ => {
                    let name = self.macro_in_sight(id.module, path);
                    let name = name.unwrap_or_else(|| format!("{}!", path.join("::")));
                    Resolution::to(vec![Target::External(name)])
                }
            },
        }
    }

    /// Whether a value is of a type of a library that the catalogue says nothing about.
    fn is_of_no_known_library(&self, of: &Type) -> bool {
        let Some(instance) = of.instance().filter(|instance| instance.definition.is_none()) else { return false };
        let root = instance.name.split_once(Language::Rust.separator()).map(|(root, _)| root);
        root.is_some_and(|root| !self.tables(Language::Rust).has_root(root))
    }

    /// A method of a library's trait that the file imports, on a receiver of which nothing is known: a trait's methods
    /// need the trait in sight, and these mean the same whoever has them.
    fn call_through_import(&self, id: FunctionId, method: &str, arguments: usize) -> Resolution {
        if self.language(id.module) != Language::Rust {
            return Resolution::default();
        }
        let tables = self.tables(Language::Rust);
        let module = self.module(id.module);
        for import in &module.imports {
            let Item::External(name) = self.resolve(id.module, &import.scope, &import.target) else { continue };
            let is_opened = import.kind == ImportKind::Glob;
            if let Some(found) = tables.method_of_import(&name, is_opened, method, arguments) {
                return Resolution { binds_receiver: true, ..Resolution::to(vec![Target::External(found)]) };
            }
        }
        Resolution::default()
    }

    /// A method that the project's own trait gives a lock of a library: `impl HandyLock for Mutex<T>`.
    fn extended_call(&self, id: FunctionId, of: &Type, name: &str) -> Resolution {
        if self.language(id.module) != Language::Rust {
            return Resolution::default();
        }
        let tables = self.tables(Language::Rust);
        for of in self.pointees(of) {
            let Type::Instance(instance) = of else { break };
            let known = tables.lock(&instance.name);
            if let Some(lock) = known.filter(|_| instance.definition.is_none()) {
                let is_its_own = lock.acquisition(name).is_some()
                    || lock.is_release(name)
                    || lock.is_wait(name)
                    || tables.knows(&format!("{}::{name}", instance.name));
                if is_its_own {
                    return Resolution::default();
                }
                let targets = self.extension_method(id.module, &instance.name, name);
                let targets = targets.into_iter().map(Target::Function).collect();
                return Resolution { targets, receiver: None, binds_receiver: true };
            }
        }
        Resolution::default()
    }

    /// `T::method`, `<generic>::function`: the path's head is a type that names alone do not give.
    fn call_through_type(&self, id: FunctionId, segments: &[String]) -> Resolution {
        let Some((name, head)) = segments.split_last() else { return Resolution::default() };
        if head.is_empty() || self.language(id.module) != Language::Rust {
            return Resolution::default();
        }
        let term = crate::flow::TypeTerm::Path { segments: head.to_vec(), args: Vec::new() };
        let of = self.term_type(id, &term);
        let mut resolution = self.method_call(&of, name);
        resolution.binds_receiver = false;
        resolution
    }

    fn call_of_item(&self, item: &Item) -> Resolution {
        match item {
            Item::Function(id) => Resolution::to(self.by_feature(*id).into_iter().map(Target::Function).collect()),
            Item::Type(id) => self.construction(*id),
            Item::External(name) => Resolution::to(vec![Target::External(name.clone())]),
            Item::Variant(of, _) => Resolution::to(vec![Target::Construct(*of, None)]),
            Item::Static(..) | Item::Field(..) => self.call_of_value(&self.item_type(item)),
            Item::Module(..) | Item::Package { .. } | Item::Unknown => Resolution::default(),
        }
    }

    /// A function, and those of its name beside it that are asynchronous where it is not, or the other way round: one
    /// for each feature (`#[cfg]`). Those of one colour differ by target, and the first stands for all.
    fn by_feature(&self, id: FunctionId) -> Vec<FunctionId> {
        let colour = self.function(id).colour;
        let beside = self.namesakes(id).into_iter().filter(|other| self.function(*other).colour != colour);
        std::iter::once(id).chain(beside).collect()
    }

    fn construction(&self, id: TypeId) -> Resolution {
        let constructor = match self.method(id, "__init__").first() {
            Some(Member::Function(function)) => Some(*function),
            _ => None,
        };
        Resolution { targets: vec![Target::Construct(id, constructor)], receiver: None, binds_receiver: true }
    }

    fn call_of_value(&self, of: &Type) -> Resolution {
        match of {
            Type::Function(id) => Resolution {
                targets: vec![Target::Function(*id)],
                receiver: None,
                // A bound method that was taken as a value has its receiver already.
                binds_receiver: matches!(self.function(*id).kind, FunctionKind::Method | FunctionKind::ClassMethod),
            },
            Type::Class(id) => self.construction(*id),
            Type::External(name) => Resolution::to(vec![Target::External(name.to_string())]),
            Type::Instance(instance) => match instance.definition {
                Some(_) => self.method_call(of, "__call__"),
                None => Resolution::to(vec![Target::External(format!("{}.__call__", instance.name))]),
            },
            Type::Union(parts) => self.every(parts.iter().map(|part| self.call_of_value(part))),
            _ => Resolution::default(),
        }
    }

    /// One resolution of several: the targets of all, or none where one is not known.
    fn every(&self, all: impl Iterator<Item = Resolution>) -> Resolution {
        let mut together = Resolution::default();
        for one in all {
            if one.targets.is_empty() {
                return Resolution::default();
            }
            together.binds_receiver |= one.binds_receiver;
            for target in one.targets {
                if !together.targets.contains(&target) {
                    together.targets.push(target);
                }
            }
        }
        together
    }

    /// What calling a method on a value of this type calls.
    pub fn method_call(&self, of: &Type, name: &str) -> Resolution {
        self.deeper(Resolution::default(), || self.find_method_call(of, name))
    }

    fn find_method_call(&self, of: &Type, name: &str) -> Resolution {
        match of {
            Type::Unknown | Type::None | Type::Tuple(_) | Type::Function(_) => Resolution::default(),
            Type::Future(_) | Type::Callable(_) => Resolution::default(),
            Type::Module(module) => {
                let item = self.member(module, name);
                self.call_of_item(&item)
            }
            Type::External(path) => Resolution::to(vec![Target::External(format!("{path}.{name}"))]),
            Type::Union(parts) => {
                // An alternative that has no such method is not the one that is meant.
                let lacks = |part: &&Type| match part {
                    Type::Instance(instance) => instance.definition.is_some_and(|id| self.has(id, name) == Some(false)),
                    _ => false,
                };
                let meant: Vec<&Type> = parts.iter().filter(|part| !lacks(part)).collect();
                self.every(meant.into_iter().map(|part| self.method_call(part, name)))
            }
            Type::Class(id) => {
                let mut resolution = self.project_method(*id, name, false);
                // `Class.method(instance)` passes its receiver itself; a class method is bound to the class.
                resolution.binds_receiver = resolution.targets.iter().any(|target| {
                    target.function().is_some_and(|id| self.function(id).kind == FunctionKind::ClassMethod)
                });
                resolution
            }
            Type::Instance(instance) => {
                if let Some(id) = instance.definition {
                    let resolution = self.project_method(id, name, true);
                    if !resolution.targets.is_empty() {
                        return resolution;
                    }
                    return match self.deref(of) {
                        Some(target) => self.method_call(&target, name),
                        None => Resolution::default(),
                    };
                }
                self.external_method(of, &instance.name, name)
            }
        }
    }

    fn project_method(&self, id: TypeId, name: &str, with_overrides: bool) -> Resolution {
        let mut targets = Vec::new();
        for member in self.method(id, name) {
            match member {
                // In Rust only what takes a receiver is called on one.
                Member::Function(function)
                    if self.language(id.module) == Language::Rust && !self.function(function).takes_receiver() => {}
                Member::Function(function) => targets.push(Target::Function(function)),
                Member::External(path) => targets.push(Target::External(path)),
                // In Rust a field is only called in brackets, `(self.run)()`, which is no method call.
                Member::Field(..) if self.language(id.module) == Language::Rust => {}
                Member::Field(owner, at) => {
                    let of = self.field_type(owner, at);
                    return self.call_of_value(&of);
                }
            }
            if self.language(id.module) == Language::Python {
                // The first in the order of resolution is the one; what lies behind it is hidden.
                break;
            }
        }
        if with_overrides && self.language(id.module) == Language::Python {
            let is_bodiless = |target: &Target| target.function().is_some_and(|id| self.function(id).is_bodiless);
            let overrides = self.overrides(id, name);
            if !overrides.is_empty() {
                targets.retain(|target| !is_bodiless(target));
            }
            for function in overrides {
                let target = Target::Function(function);
                if !self.is_test_code(function) && !targets.contains(&target) {
                    targets.push(target);
                }
            }
        }
        Resolution { targets, receiver: None, binds_receiver: true }
    }

    /// A method of an external type: the first along its dereferences that the catalogue knows.
    fn external_method(&self, of: &Type, type_name: &str, name: &str) -> Resolution {
        let language = super::types::language_of(type_name);
        let separator = language.separator();
        let tables = self.tables(language);
        let direct = format!("{type_name}{separator}{name}");
        let is_lock_method = tables
            .lock(type_name)
            .is_some_and(|lock| lock.acquisition(name).is_some() || lock.is_release(name) || lock.is_wait(name));
        let by_path = tables.signature(&direct).is_some_and(|signature| signature.path);
        if !by_path && (is_lock_method || tables.knows(&direct)) {
            return Resolution { targets: vec![Target::External(direct)], receiver: None, binds_receiver: true };
        }
        if let Some(target) = self.deref(of) {
            let further = self.method_call(&target, name);
            if !further.targets.is_empty() {
                return further;
            }
        }
        if by_path {
            return Resolution::default();
        }
        Resolution { targets: vec![Target::External(direct)], receiver: None, binds_receiver: true }
    }

    /// The type of a call's result.
    pub(super) fn call_type(&self, id: FunctionId, value: ValueIndex) -> Type {
        let resolution = self.resolution(id, value);
        if resolution.targets.is_empty() {
            return self.callable_result(id, value).unwrap_or(Type::Unknown);
        }
        Type::union(resolution.targets.iter().map(|target| match target {
            Target::Function(function) => self.result_for(*function, resolution.receiver.as_ref()),
            Target::Construct(of, _) => self.instance_of(*of),
            Target::External(name) => self.external_result(id, value, &resolution, name),
        }))
    }

    /// What a call gives by the annotation of what is called, where its definition is not known.
    pub fn callable_result(&self, id: FunctionId, value: ValueIndex) -> Option<Type> {
        let function = self.function(id);
        let of = match &function.call(value)?.callee {
            Callee::Path(segments) => self.item_type(&self.resolve_in(id, segments)),
            Callee::Method(receiver, name) => self.member_type(&self.value_type(id, *receiver), name),
            Callee::Value(of) => self.value_type(id, *of),
            Callee::Super(_) | Callee::Macro(_) => return None,
        };
        let results = of.alternatives().iter().map(|one| match one {
            Type::Callable(gives) => Some((**gives).clone()),
            _ => None,
        });
        let results = results.collect::<Option<Vec<_>>>()?;
        // One that gives a coroutine, or nothing, as it pleases whoever handed it over.
        let gives_future = |of: &&Type| matches!(of, Type::Future(_));
        let futures = results.iter().filter(gives_future).count();
        Some(if futures == 0 || futures == results.len() { Type::union(results) } else { Type::Unknown })
    }

    fn external_result(&self, id: FunctionId, value: ValueIndex, resolution: &Resolution, name: &str) -> Type {
        let tables = self.tables(self.language(id.module));
        if let Some(signature) = tables.signature(name) {
            let function = self.function(id);
            let mut arguments: Vec<Type> = function
                .call(value)
                .map(|call| call.arguments.iter().map(|argument| self.value_type(id, argument.value)).collect())
                .unwrap_or_default();
            // `Arc::clone(&x)`: a method by its path has its receiver as the first argument.
            let mut receiver = resolution.receiver.clone();
            if receiver.is_none() && signature.receiver.is_some() && !arguments.is_empty() {
                receiver = Some(arguments.remove(0));
            }
            let receiver = receiver.map(|of| self.receiver_at(&of, name));
            let call = Substitution { receiver: receiver.as_ref(), arguments: &arguments };
            return self.catalogue_term(&signature.returns, &call);
        }
        if let Some(wrapper) = tables.offload(name).filter(|offload| offload.wraps && offload.runs == Runs::Same) {
            // What wraps a callable and runs it in place is that callable: `functools.partial`.
            let function = self.function(id);
            let wrapped = function.call(value).map(|call| self.arguments_meant(call, &wrapper.callable));
            if let Some([wrapped]) = wrapped.as_deref() {
                return self.value_type(id, *wrapped);
            }
        }
        if tables.awaitable(name).is_some_and(|awaitable| {
            !matches!(
                awaitable.kind,
                crate::catalogue::AwaitableKind::Plain | crate::catalogue::AwaitableKind::Iterator
            )
        }) {
            return Type::Future(Arc::new(Type::external_instance(name, Vec::new())));
        }
        if let (Language::Rust, Some((head, _))) = (self.language(id.module), name.rsplit_once("::")) {
            // An associated function of a type most often makes one: `Client::new()`.
            let last = head.rsplit("::").next().unwrap_or(head);
            let is_type = last.starts_with(|first: char| first.is_uppercase());
            if is_type && resolution.receiver.is_none() {
                return Type::external_instance(head, Vec::new());
            }
        }
        Type::external_instance(name, Vec::new())
    }

    /// The receiver's type at the level of dereference that a method belongs to.
    pub(super) fn receiver_at(&self, of: &Type, method: &str) -> Type {
        let fits = |at: &Type| {
            at.instance().is_some_and(|instance| {
                method.strip_prefix(&instance.name).is_some_and(|rest| rest.starts_with("::") || rest.starts_with('.'))
            })
        };
        self.pointees(of).into_iter().find(fits).unwrap_or_else(|| of.clone())
    }

    /// Whether an argument of a call is a literal with this text: `False`, `0`.
    pub fn is_literal(&self, id: FunctionId, value: ValueIndex, text: &str) -> bool {
        match &self.function(id).value(value).kind {
            ValueKind::Literal(Literal::Bool(given)) => {
                text.eq_ignore_ascii_case(if *given { "true" } else { "false" })
            }
            ValueKind::Literal(Literal::Int(given)) => text == given.to_string(),
            ValueKind::Literal(Literal::None) => text == "None",
            ValueKind::Literal(Literal::Text(given)) => given == text,
            _ => false,
        }
    }

    /// Whether a function stands in test code, by the language's own marks or by its file's path.
    pub fn is_test_code(&self, id: FunctionId) -> bool {
        self.is_of_tests(id.module) || self.function(id).is_test
    }
}
