//! Which calls make something that is to be awaited, and which start something that runs by itself.
//!
//! A call makes a coroutine if every definition that it may mean does: an `async def`, a plain function that returns
//! what such a one gives, a library function by the catalogue. Decorators may replace a function; only those that are
//! known to leave its kind alone are seen through.

use super::calls::{Resolution, Target};
use super::names::{Item, Member};
use super::types::Type;
use super::uses::{Carries, Uses};
use super::{FunctionId, Program, TypeId};
use crate::catalogue::{AwaitableKind, Spawn, Term};
use crate::flow::{Callee, Colour, Decorator, Field, FunctionKind, Next, ValueIndex, ValueKind};
use crate::text::Language;

/// How many functions deep a returned coroutine or task is followed.
const DEEPEST: u32 = 4;

/// What a call makes that is nothing until somebody awaits it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Makes {
    /// A coroutine, or a future that does nothing by itself.
    Coroutine,
    /// An asynchronous generator.
    Generator,
}

/// What a call starts.
#[derive(Clone, Copy, Debug)]
pub struct Starts<'a> {
    /// The catalogue's entry.
    pub spawn: &'a Spawn,
    /// The project function that starts it and returns its handle; `None` for the spawner's own call.
    pub through: Option<FunctionId>,
    /// Whether only the name of the receiver says what it is.
    pub is_by_convention: bool,
}

impl<'a> Program<'a> {
    /// What a value is, if it does nothing until it is awaited.
    pub fn makes(&self, id: FunctionId, value: ValueIndex) -> Option<Makes> {
        self.makes_within(id, value, DEEPEST)
    }

    /// Whether a value is a collection made of what a lazy iterator gives, each of which does nothing until it is
    /// awaited.
    pub fn makes_many(&self, id: FunctionId, value: ValueIndex) -> bool {
        let function = self.function(id);
        let Some(crate::flow::Callee::Method(receiver, _)) = function.call(value).map(|call| &call.callee) else {
            return false;
        };
        let gives_futures = |of: &Type| {
            let item = of.instance().filter(|instance| instance.definition.is_none()).and_then(|instance| {
                let shape = self.tables(self.language(id.module)).type_shape(&instance.name)?;
                shape.item.as_ref().and(instance.arguments.first())
            });
            matches!(item, Some(Type::Future(_)))
        };
        let from = self.value_type(id, *receiver);
        let made = self.value_type(id, value);
        // What is still an iterator has made nothing yet.
        let is_gathered = match (from.instance(), made.instance()) {
            (Some(from), Some(made)) => from.name != made.name,
            _ => !matches!(made, Type::Future(_)),
        };
        function.call(*receiver).is_some() && gives_futures(&from) && is_gathered
    }

    fn makes_within(&self, id: FunctionId, value: ValueIndex, depth: u32) -> Option<Makes> {
        let function = self.function(id);
        match &function.value(value).kind {
            ValueKind::Call(_) => {
                let resolution = self.resolution(id, value);
                if resolution.targets.is_empty() {
                    if self.is_decoration(id, value) {
                        return None;
                    }
                    // An annotation that says so is the author's word.
                    let gives = self.callable_result(id, value);
                    return matches!(gives, Some(Type::Future(_))).then_some(Makes::Coroutine);
                }
                self.resolution_makes(id, &resolution, depth)
            }
            ValueKind::Function(index) => {
                let inner = FunctionId { module: id.module, index: *index };
                (self.function(inner).kind == FunctionKind::AsyncBlock).then_some(Makes::Coroutine)
            }
            _ => None,
        }
    }

    /// Whether a call hands a function to what another call gave: that is how a decorator is applied without its sign,
    /// and an annotation of what makes the decorator speaks of the function that comes out.
    fn is_decoration(&self, id: FunctionId, value: ValueIndex) -> bool {
        let function = self.function(id);
        let Some(call) = function.call(value) else { return false };
        let Callee::Value(of) = call.callee else { return false };
        let [given] = &call.arguments[..] else { return false };
        function.call(of).is_some() && matches!(self.value_type(id, given.value), Type::Function(_))
    }

    fn resolution_makes(&self, id: FunctionId, resolution: &Resolution, depth: u32) -> Option<Makes> {
        let mut made = None;
        for target in &resolution.targets {
            let one = match target {
                Target::Function(callee) => self.function_makes(*callee, depth)?,
                Target::External(name) => self.external_makes(self.language(id.module), name)?,
                Target::Construct(..) => return None,
            };
            if made.is_some_and(|made| made != one) {
                return None;
            }
            made = Some(one);
        }
        made
    }

    fn external_makes(&self, language: Language, name: &str) -> Option<Makes> {
        let tables = self.tables(language);
        let is_lazy = match language {
            Language::Python => tables
                .awaitable(name)
                .is_some_and(|entry| matches!(entry.kind, AwaitableKind::Coroutine | AwaitableKind::Context)),
            Language::Rust => {
                tables.spawn(name).is_none()
                    && tables.signature(name).is_some_and(|signature| matches!(signature.returns, Term::Future(_)))
            }
        };
        is_lazy.then_some(Makes::Coroutine)
    }

    /// What calling a project function makes, if it is to be awaited.
    pub fn function_makes(&self, id: FunctionId, depth: u32) -> Option<Makes> {
        let function = self.function(id);
        if function.kind == FunctionKind::Property || depth == 0 {
            return None;
        }
        if !self.stays_a_function(id) {
            return None;
        }
        match function.colour {
            Colour::Async => Some(Makes::Coroutine),
            Colour::AsyncGenerator => Some(Makes::Generator),
            Colour::Generator => None,
            Colour::Plain if self.language(id.module) == Language::Rust => {
                // A closure's body is its result, and a written `impl Future` says so.
                (function.returns.is_some() && matches!(self.return_type(id), Type::Future(_)))
                    .then_some(Makes::Coroutine)
            }
            Colour::Plain => {
                let mut made = None;
                for block in &function.blocks {
                    if let Next::Return(Some(value)) = &block.next {
                        let is_none =
                            matches!(function.value(*value).kind, ValueKind::Literal(crate::flow::Literal::None));
                        if !is_none {
                            made = Some(self.makes_within(id, *value, depth - 1)?);
                        }
                    }
                }
                made
            }
        }
    }

    /// Whether calling a class may give something else than an object of it: a `__new__` of the project says what comes
    /// out, or a metaclass of the project does.
    pub fn is_made_otherwise(&self, class: TypeId) -> bool {
        self.is_written(class, "__new__") || self.metaclass_calls(class, DEEPEST)
    }

    fn metaclass_calls(&self, class: TypeId, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let def = self.type_def(class);
        let made_by = def.metaclass.as_ref().map(|term| self.resolve_type(class.module, &def.scope, term));
        let of_base = |base: &Item| matches!(base, Item::Type(base) if self.metaclass_calls(*base, depth));
        matches!(made_by, Some(Item::Type(metaclass)) if self.is_written(metaclass, "__call__"))
            || self.bases(class).iter().any(of_base)
    }

    /// Whether a class of the project, or one that it inherits from, has a method of this name.
    fn is_written(&self, class: TypeId, name: &str) -> bool {
        self.method(class, name).iter().any(|member| matches!(member, Member::Function(_)))
    }

    /// Whether no decorator or attribute makes another thing of a function.
    pub fn stays_a_function(&self, id: FunctionId) -> bool {
        self.function(id).decorators.iter().all(|decorator| self.keeps_kind(id, decorator))
    }

    /// Whether a decorated function is still what its definition says.
    pub fn keeps_kind(&self, id: FunctionId, decorator: &Decorator) -> bool {
        self.is_known_to_keep(id, decorator)
            || match self.resolve_in(id, &decorator.path) {
                Item::Function(of) => self.keeps_colour(id, of, decorator.is_called),
                Item::Type(of) if decorator.is_called => self.object_keeps_colour(id, of),
                _ => false,
            }
    }

    /// Whether a function is called with the arguments that its definition asks for, by whoever that is for: a decorator
    /// of the project may take some for itself, bring some, or keep the function for others to call.
    pub fn is_called_as_written(&self, id: FunctionId) -> bool {
        self.function(id).decorators.iter().all(|decorator| self.is_known_to_keep(id, decorator))
    }

    fn is_known_to_keep(&self, id: FunctionId, decorator: &Decorator) -> bool {
        let tables = self.tables(self.language(id.module));
        let written = decorator.path.join(self.language(id.module).separator());
        tables.keeps_kind(&written)
            || matches!(self.resolve_in(id, &decorator.path), Item::External(name) if tables.keeps_kind(&name))
    }

    /// What a call starts whose handle the caller gets, and nobody else.
    pub fn starts(&self, id: FunctionId, value: ValueIndex) -> Option<Starts<'a>> {
        self.starts_within(id, value, DEEPEST)
    }

    fn starts_within(&self, id: FunctionId, value: ValueIndex, depth: u32) -> Option<Starts<'a>> {
        self.function(id).call(value)?;
        let resolution = self.resolution(id, value);
        match &resolution.targets[..] {
            [Target::External(_)] => match self.spawn(id, &resolution) {
                Some(spawn) => Some(Starts { spawn, through: None, is_by_convention: false }),
                // An attribute of a library's object that nobody describes: only its name says what it is.
                None => {
                    let spawn = self.spawn_by_convention(id, value)?;
                    Some(Starts { spawn, through: None, is_by_convention: true })
                }
            },
            [Target::Function(callee)] => {
                let spawn = self.returns_handle(*callee, depth)?;
                Some(Starts { spawn, through: Some(*callee), is_by_convention: false })
            }
            [] => {
                let spawn = self.spawn_by_convention(id, value)?;
                Some(Starts { spawn, through: None, is_by_convention: true })
            }
            _ => None,
        }
    }

    /// What a method starts whose receiver is known by its name alone: `self.bot.loop.create_task(…)`.
    fn spawn_by_convention(&self, id: FunctionId, value: ValueIndex) -> Option<&'a Spawn> {
        let function = self.function(id);
        let Callee::Method(receiver, method) = &function.call(value)?.callee else { return None };
        let name = match &function.value(*receiver).kind {
            ValueKind::Place(place) => match place.fields.last() {
                Some(Field::Name(name)) => name.clone(),
                Some(Field::Index) => return None,
                None => function.variable(place.as_variable()?).name.clone(),
            },
            ValueKind::Field(_, name) => name.clone(),
            _ => return None,
        };
        let tables = self.tables(self.language(id.module));
        let of = tables.convention(&name)?;
        tables.spawn(&[of, method].join(self.language(id.module).separator()))
    }

    /// What a plain function starts only to return the handle.
    fn returns_handle(&self, id: FunctionId, depth: u32) -> Option<&'a Spawn> {
        let function = self.function(id);
        if function.colour != Colour::Plain || depth == 0 || !self.stays_a_function(id) {
            return None;
        }
        let uses = Uses::of(&function);
        let mut found = None;
        for block in &function.blocks {
            let Next::Return(Some(value)) = block.next else { continue };
            let made = match &function.value(value).kind {
                ValueKind::Place(place) => {
                    let variable = place.as_variable()?;
                    let at = function.value(value);
                    let reaching = self.reaching(id, variable, at.block, at.step);
                    let &[only] = &reaching.values[..] else { return None };
                    // Something to call when it is done keeps no handle.
                    let only_returned = uses
                        .reads(variable)
                        .iter()
                        .all(|read| *read == value || self.losses(id, &uses, *read, Carries::Handle).is_some());
                    (uses.only_bound(only) == Some(variable) && only_returned).then_some(only)?
                }
                _ => value,
            };
            found = Some(self.starts_within(id, made, depth - 1)?.spawn);
        }
        found
    }
}
