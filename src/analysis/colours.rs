//! What can certainly be awaited, entered or looped over in the one way and not in the other.
//!
//! `await`, `async with` and `async for` ask for other methods than `with` and `for` do, and a coroutine has none of
//! what it gives. Everything here answers only where the text proves it: every definition that may be meant, known bases,
//! no decorator that makes another thing of a function.

use super::calls::Target;
use super::makes::Makes;
use super::names::{Item, Member};
use super::types::{Type, language_of};
use super::{FunctionId, Program, TypeId};
use crate::catalogue::{AwaitableKind, BlockingKind, Managed, Term};
use crate::flow::{
    Argument, Callee, Collection, Colour, Field, FunctionKind, Mark, Next, Place, Quality, TypeKind, TypeTerm,
    ValueIndex, ValueKind, is_special,
};
use crate::text::Language;

/// How many functions deep a returned coroutine is followed.
const DEEPEST: u32 = 4;

/// Most classes above a class that are looked at.
const MOST_BASES: usize = 64;

/// How a value can be looped over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Iterated {
    /// With `for`.
    Plainly,
    /// With `async for`.
    Asynchronously,
    /// Not at all: it is a coroutine.
    Coroutine,
}

/// A coroutine or future that nobody has awaited yet.
#[derive(Clone, Debug)]
pub struct Unawaited {
    /// The function that it was made in.
    pub by: FunctionId,
    /// The call that made it, or the property that did.
    pub value: ValueIndex,
    /// The functions of the project that were called.
    pub callees: Vec<FunctionId>,
}

impl Program<'_> {
    /// Whether calling a function does what its definition says: no decorator makes another thing of it, and no other
    /// definition of the name has another colour.
    pub fn is_as_written(&self, id: FunctionId) -> bool {
        let function = self.function(id);
        let file = self.module(id.module);
        let is_other = |other: &crate::flow::Function| {
            other.qualified == function.qualified && other.colour != function.colour && !other.is_bodiless
        };
        function.quality == Quality::Whole
            && self.stays_a_function(id)
            && (function.is_bodiless || !file.functions.iter().any(is_other))
    }

    /// Whether a function's body is a placeholder.
    pub fn is_stub(&self, id: FunctionId) -> bool {
        let is_its = |mark: &Mark| matches!(mark, Mark::Stub { function, .. } if *function == id.index);
        self.module(id.module).marks.iter().any(is_its)
    }

    /// Whether what calling a function of the project gives can certainly not be awaited.
    pub fn gives_plain(&self, id: FunctionId) -> bool {
        let function = self.function(id);
        let is_python = self.language(id.module) == Language::Python;
        // Whoever overrides a placeholder may do as they like.
        if function.is_bodiless || is_python && self.is_stub(id) || !self.is_as_written(id) {
            return false;
        }
        match function.colour {
            Colour::Async => false,
            Colour::Generator | Colour::AsyncGenerator => is_python,
            Colour::Plain => self.says_plain_or_shows(id),
        }
    }

    /// Whether a function's definition says that what it gives cannot be awaited, whether it has a body or not.
    pub fn says_plain(&self, id: FunctionId) -> bool {
        let function = self.function(id);
        function.colour == Colour::Plain
            && function.returns.is_some()
            && self.is_as_written(id)
            && self.says_plain_or_shows(id)
    }

    fn says_plain_or_shows(&self, id: FunctionId) -> bool {
        self.function(id).kind != FunctionKind::Property
            && !self.hands_on_what_is_unknown(id)
            && self.function_makes(id, DEEPEST).is_none()
            && (self.is_unawaitable(&self.return_type(id)) || self.returns_primitive(id))
    }

    /// Whether a Python method returns what a call gives of which nobody knows what it is: such a mixin serves plain and
    /// asynchronous classes alike, and its annotation is right for one kind only.
    fn hands_on_what_is_unknown(&self, id: FunctionId) -> bool {
        let function = self.function(id);
        let Some(owner) = self.self_type(id).filter(|_| self.language(id.module) == Language::Python) else {
            return false;
        };
        let tables = self.tables(Language::Python);
        let bases = self.bases_outside(owner);
        // What a base outside the project is said to have, only because nothing else has it.
        let is_guessed = |target: &Target| match target {
            Target::External(name) => {
                let is_of = |base: &String| name.strip_prefix(base.as_str()).is_some_and(|rest| rest.starts_with('.'));
                bases.iter().any(is_of) && tables.signature(name).is_none() && tables.awaitable(name).is_none()
            }
            Target::Function(_) | Target::Construct(..) => false,
        };
        let is_unknown = |value: ValueIndex| {
            matches!(function.value(value).kind, ValueKind::Call(_))
                && self.resolution(id, value).targets.iter().all(is_guessed)
        };
        function.blocks.iter().any(|block| match block.next {
            Next::Return(Some(value)) => is_unknown(value),
            _ => false,
        })
    }

    /// Whether a Rust function is written to return a type that is no item of any crate: `u32`, `&str`.
    fn returns_primitive(&self, id: FunctionId) -> bool {
        let mut term = self.function(id).returns.clone();
        while let Some(TypeTerm::Reference(inner)) = term {
            term = Some(*inner);
        }
        let tables = self.tables(Language::Rust);
        self.language(id.module) == Language::Rust
            && matches!(term, Some(TypeTerm::Path { ref segments, .. })
                if matches!(&segments[..], [only] if tables.is_unawaitable(only)))
    }

    /// Whether a value of this type can certainly not be awaited.
    pub fn is_unawaitable(&self, of: &Type) -> bool {
        match of {
            Type::None | Type::Tuple(_) | Type::Function(_) | Type::Module(_) => true,
            Type::Class(id) => self.language(id.module) == Language::Python,
            Type::Unknown | Type::Future(_) | Type::Callable(_) | Type::External(_) => false,
            Type::Union(parts) => parts.iter().all(|part| self.is_unawaitable(part)),
            Type::Instance(instance) => match instance.definition {
                Some(id) if self.language(id.module) == Language::Python => self.has(id, "__await__") == Some(false),
                Some(id) => self.is_plain_data(id),
                None => {
                    let tables = self.tables(language_of(&instance.name));
                    tables.is_unawaitable(&instance.name) || tables.guard(&instance.name).is_some()
                }
            },
        }
    }

    /// Whether a Rust type implements nothing that has an `Output`, as futures and what becomes one do.
    fn is_plain_data(&self, id: TypeId) -> bool {
        matches!(self.type_def(id).kind, TypeKind::Struct | TypeKind::Enum)
            && self.impl_with(id, "Output").is_none()
            && self.impl_with(id, "IntoFuture").is_none()
    }

    /// Whether a Python class has a method; `None` where a base is not known well enough to tell.
    pub(super) fn has(&self, id: TypeId, name: &str) -> Option<bool> {
        let is_own = |member: &Member| matches!(member, Member::Function(_) | Member::Field(..));
        if self.method(id, name).iter().any(is_own) {
            return Some(true);
        }
        let libraries = self.library_bases(id)?;
        let tables = self.tables(Language::Python);
        libraries.iter().all(|base| tables.is_unawaitable(base)).then_some(false)
    }

    /// The classes of libraries above a Python class; `None` if one of its bases is not known at all.
    fn library_bases(&self, id: TypeId) -> Option<Vec<String>> {
        let mut found = Vec::new();
        let mut seen = vec![id];
        let mut at = 0;
        while let Some(&class) = seen.get(at) {
            at += 1;
            for base in &*self.bases(class) {
                match base {
                    Item::Type(base) if seen.contains(base) => {}
                    Item::Type(base) if seen.len() < MOST_BASES => seen.push(*base),
                    Item::External(name) => found.push(name.clone()),
                    _ => return None,
                }
            }
        }
        Some(found)
    }

    /// Whether what a call gives can certainly not be awaited: every definition that may be meant gives such a thing.
    pub fn call_gives_plain(&self, id: FunctionId, call: ValueIndex) -> bool {
        let resolution = self.resolution(id, call);
        let is_plain = |target: &Target| match target {
            Target::Function(callee) => {
                self.gives_plain(*callee)
                    && (!self.gives_self(*callee) || self.is_unawaitable(&self.value_type(id, call)))
            }
            Target::Construct(of, _) => !self.is_made_otherwise(*of) && self.is_unawaitable(&self.value_type(id, call)),
            Target::External(name) => self.library_gives_plain(id, call, name),
        };
        !resolution.targets.is_empty() && !self.is_ambiguous(id, call) && resolution.targets.iter().all(is_plain)
    }

    /// Whether a call of a library gives something that cannot be awaited: by what it returns, or because it is a plain
    /// function that waits itself.
    fn library_gives_plain(&self, id: FunctionId, call: ValueIndex, name: &str) -> bool {
        let tables = self.tables(self.language(id.module));
        // What Python itself calls is of the colour of what it is called for.
        if name.rsplit(self.language(id.module).separator()).next().is_some_and(is_special) {
            return false;
        }
        // What is listed as plain is the business of the libraries' contracts.
        if tables.awaitable(name).is_some() || tables.is_plain(name) {
            return false;
        }
        if let Some(signature) = tables.signature(name) {
            if matches!(signature.returns, Term::Future(_)) {
                return false;
            }
            if self.is_unawaitable(&self.value_type(id, call)) {
                return true;
            }
        }
        let of_object = match self.resolution(id, call).receiver {
            None if matches!(self.function(id).call(call).map(|call| &call.callee), Some(Callee::Path(_))) => false,
            Some(Type::External(_)) => false,
            Some(Type::Instance(_)) if self.language(id.module) == Language::Python => true,
            _ => return false,
        };
        let waits_itself = |entry: &crate::catalogue::Blocking| match entry.kind {
            BlockingKind::Sleep | BlockingKind::File | BlockingKind::Tree | BlockingKind::Process => true,
            BlockingKind::Network | BlockingKind::Console => true,
            BlockingKind::LockWait | BlockingKind::Channel => of_object,
            // One class for both colours, as clients of databases are, gives what its connection is.
            BlockingKind::Database | BlockingKind::Cpu => false,
            BlockingKind::LoopEntry | BlockingKind::Park => false,
        };
        tables.blocking(name).is_some_and(|entry| entry.name == name && waits_itself(entry))
    }

    /// Whether a method may be an attribute of the same name as well, as where a test puts a double in its place.
    fn is_ambiguous(&self, id: FunctionId, call: ValueIndex) -> bool {
        let function = self.function(id);
        let Some(Callee::Method(_, name)) = function.call(call).map(|call| &call.callee) else { return false };
        let resolution = self.resolution(id, call);
        let definition = resolution.receiver.as_ref().and_then(Type::instance).and_then(|of| of.definition);
        let Some(of) = definition.filter(|of| self.language(of.module) == Language::Python) else { return false };
        self.method(of, name).iter().any(|member| matches!(member, Member::Field(..)))
    }

    /// The calls that a value comes from, if each of them gives something that cannot be awaited. What is asked first
    /// whether it can be may well be of both kinds.
    pub fn plain_behind(&self, id: FunctionId, value: ValueIndex) -> Option<ValueIndex> {
        let call = self.calls_behind(id, value, |call| self.call_gives_plain(id, call))?;
        (!self.is_inspected(id, value)).then_some(call)
    }

    /// Whether somebody asks what a variable holds.
    fn is_inspected(&self, id: FunctionId, value: ValueIndex) -> bool {
        let function = self.function(id);
        let ValueKind::Place(place) = &function.value(value).kind else { return false };
        let is_it = |argument: &Argument| match &function.value(argument.value).kind {
            ValueKind::Place(other) => other == place,
            _ => false,
        };
        let tables = self.tables(self.language(id.module));
        function.values.iter().enumerate().any(|(at, value)| match &value.kind {
            ValueKind::Call(call) if call.arguments.iter().any(is_it) => {
                self.resolution(id, ValueIndex(at as u32)).external().is_some_and(|name| tables.inspects(name))
            }
            _ => false,
        })
    }

    /// The coroutine or future that a value certainly is.
    pub fn unawaited_behind(&self, id: FunctionId, value: ValueIndex) -> Option<Unawaited> {
        if let ValueKind::Place(place) = &self.function(id).value(value).kind
            && let Some(property) = self.async_property(id, value, place)
        {
            return Some(Unawaited { by: id, value, callees: vec![property] });
        }
        let Some(call) = self.calls_behind(id, value, |call| self.call_gives_coroutine(id, call)) else {
            let function = self.function(id);
            let ValueKind::Place(place) = &function.value(value).kind else { return None };
            return self.unawaited_around(id, place.as_variable()?);
        };
        Some(Unawaited { by: id, value: call, callees: self.resolution(id, call).functions() })
    }

    fn calls_behind(
        &self,
        id: FunctionId,
        value: ValueIndex,
        is_one: impl Fn(ValueIndex) -> bool,
    ) -> Option<ValueIndex> {
        let function = self.function(id);
        let at = function.value(value);
        match &at.kind {
            ValueKind::Call(_) => is_one(value).then_some(value),
            ValueKind::Place(place) => {
                let variable = place.as_variable()?;
                let reaching = self.reaching(id, variable, at.block, at.step);
                let first = *reaching.values.first()?;
                let all = |call: &ValueIndex| function.call(*call).is_some() && is_one(*call);
                (!reaching.from_entry && reaching.values.iter().all(all)).then_some(first)
            }
            _ => None,
        }
    }

    /// Whether a call gives a coroutine or future and nothing else.
    pub(super) fn call_gives_coroutine(&self, id: FunctionId, call: ValueIndex) -> bool {
        if self.makes(id, call) != Some(Makes::Coroutine) || self.is_ambiguous(id, call) {
            return false;
        }
        let language = self.language(id.module);
        let tables = self.tables(language);
        self.resolution(id, call).targets.iter().all(|target| match (target, language) {
            (Target::Function(callee), Language::Python) => self.is_as_written(*callee),
            // What a plain function returns may be more than a future.
            (Target::Function(callee), Language::Rust) => {
                self.function(*callee).colour == Colour::Async && self.is_as_written(*callee)
            }
            // A name that only a wildcard covers may be an exception to it.
            (Target::External(name), Language::Python) => tables
                .awaitable(name)
                .is_some_and(|entry| entry.kind == AwaitableKind::Coroutine && !entry.name.ends_with('*')),
            (Target::External(_), Language::Rust) => true,
            (Target::Construct(..), _) => false,
        })
    }

    /// The asynchronous property that a place reads.
    fn async_property(&self, id: FunctionId, value: ValueIndex, place: &Place) -> Option<FunctionId> {
        let (Field::Name(name), around) = place.fields.split_last()? else { return None };
        if place.is_cut {
            return None;
        }
        let at = self.function(id).value(value).clone();
        let around = Place { root: place.root.clone(), fields: around.to_vec(), is_cut: false };
        let of = self.place_type(id, &around, at.block, at.step).instance()?.definition?;
        let [Member::Function(property)] = self.method(of, name)[..] else { return None };
        let function = self.function(property);
        let is_one = function.kind == FunctionKind::Property && function.colour == Colour::Async;
        (is_one && function.decorators.len() == 1).then_some(property)
    }

    /// The managed block that something of the project is for, where that is certain.
    pub fn entered_by(&self, id: FunctionId, value: ValueIndex) -> Option<Managed> {
        let function = self.function(id);
        if function.call(value).is_some() {
            let resolution = self.resolution(id, value);
            let mut all = None;
            let mut is_function = false;
            for target in &resolution.targets {
                let Target::Function(callee) = target else { continue };
                is_function = true;
                let Some(one) = self.manager_of(*callee) else { break };
                if all.is_some_and(|all| all != one) {
                    return None;
                }
                all = Some(one);
            }
            if is_function && all.is_some() {
                return all.filter(|_| resolution.targets.iter().all(|target| matches!(target, Target::Function(_))));
            }
        }
        self.type_entered_by(&self.value_type(id, value))
    }

    fn type_entered_by(&self, of: &Type) -> Option<Managed> {
        match of {
            Type::Instance(instance) => match instance.definition {
                Some(id) => self.class_entered_by(id),
                None => None,
            },
            Type::Union(parts) => {
                let first = self.type_entered_by(parts.first()?)?;
                parts.iter().all(|part| self.type_entered_by(part) == Some(first)).then_some(first)
            }
            _ => None,
        }
    }

    fn class_entered_by(&self, id: TypeId) -> Option<Managed> {
        if self.language(id.module) != Language::Python {
            return None;
        }
        let tables = self.tables(Language::Python);
        if !self.library_bases(id)?.iter().all(|base| tables.is_unawaitable(base)) {
            return None;
        }
        let has = |name| self.method(id, name).iter().any(|member| !matches!(member, Member::External(_)));
        match (has("__enter__"), has("__aenter__")) {
            (true, true) => Some(Managed::Both),
            (true, false) => Some(Managed::With),
            (false, true) => Some(Managed::AsyncWith),
            (false, false) => None,
        }
    }

    /// What sort of context manager a decorator makes of a function.
    pub fn manager_of(&self, id: FunctionId) -> Option<Managed> {
        let function = self.function(id);
        let tables = self.tables(self.language(id.module));
        let mut found = None;
        for decorator in &function.decorators {
            let manager = self.decorator_name(id, &decorator.path).and_then(|name| tables.manager(&name));
            match manager {
                Some(manager) => found = Some(manager),
                None if self.keeps_kind(id, decorator) => {}
                None => return None,
            }
        }
        found
    }

    /// How a value can be looped over, where that is certain.
    pub fn iterated_by(&self, id: FunctionId, value: ValueIndex) -> Option<Iterated> {
        let function = self.function(id);
        match &function.value(value).kind {
            ValueKind::Call(_) => {
                let resolution = self.resolution(id, value);
                let mut all = None;
                for target in &resolution.targets {
                    let Target::Function(callee) = target else { return self.type_iterated_by(id, value) };
                    let one = self.function_iterated_by(*callee)?;
                    if all.is_some_and(|all| all != one) {
                        return None;
                    }
                    all = Some(one);
                }
                all
            }
            ValueKind::Collection(kind, _) => match kind {
                Collection::Tuple | Collection::List | Collection::Set | Collection::Mapping => Some(Iterated::Plainly),
                Collection::Struct(_) | Collection::Join | Collection::Select(..) => None,
            },
            _ => self.type_iterated_by(id, value),
        }
    }

    fn function_iterated_by(&self, id: FunctionId) -> Option<Iterated> {
        let function = self.function(id);
        if function.is_bodiless || self.is_stub(id) || !self.is_as_written(id) {
            return None;
        }
        match function.colour {
            Colour::Generator => Some(Iterated::Plainly),
            Colour::AsyncGenerator => Some(Iterated::Asynchronously),
            // A coroutine has neither of the two methods, whatever it gives.
            Colour::Async => Some(Iterated::Coroutine),
            Colour::Plain => None,
        }
    }

    fn type_iterated_by(&self, id: FunctionId, value: ValueIndex) -> Option<Iterated> {
        match self.value_type(id, value) {
            Type::Tuple(_) => Some(Iterated::Plainly),
            Type::Instance(instance) => match instance.definition {
                Some(of) if self.language(of.module) == Language::Python => {
                    match (self.has(of, "__iter__"), self.has(of, "__aiter__")) {
                        (Some(true), Some(false)) => Some(Iterated::Plainly),
                        (Some(false), Some(true)) => Some(Iterated::Asynchronously),
                        _ => None,
                    }
                }
                Some(_) => None,
                None => self.tables(Language::Python).is_unawaitable(&instance.name).then_some(Iterated::Plainly),
            },
            _ => None,
        }
    }

    /// The function of the same file and name on the other side of the change.
    pub fn counterpart(&self, id: FunctionId) -> Option<super::FunctionRef> {
        let module = self.module(id.module);
        let other = self.loader.module(self.side.other(), &module.path)?;
        let qualified = &module.function(id.index).qualified;
        let (index, _) = other.functions().find(|(_, function)| function.qualified == *qualified)?;
        Some(super::FunctionRef { module: other, index })
    }

    /// Whether a function is asynchronous on one side of the change and plain on the other.
    pub fn has_turned(&self, id: FunctionId) -> bool {
        self.counterpart(id).is_some_and(|other| other.is_async() != self.function(id).is_async())
    }
}
