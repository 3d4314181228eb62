//! A function: how it is called, and where its body is kept.

use super::{
    Attempt, Block, BlockIndex, Call, Comparison, FunctionIndex, Generic, Loop, Managed, Quality, Scope, Step,
    TypeIndex, TypeTerm, Value, ValueIndex, ValueKind, ValueOf, VariableIndex,
};
use crate::text::Span;

/// What running a function gives at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Colour {
    /// A plain function.
    Plain,
    /// `async def`, `async fn`, async block or closure: a call gives a coroutine or future.
    Async,
    /// A function that yields.
    Generator,
    /// An `async def` that yields.
    AsyncGenerator,
}

/// What a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FunctionKind {
    /// The module's own code.
    Module,
    /// A free function, nested ones included.
    Free,
    /// A method with a receiver.
    Method,
    /// A `@classmethod`.
    ClassMethod,
    /// A `@staticmethod`, or an associated function without a receiver.
    Static,
    /// A `@property` or `cached_property`: runs when the attribute is read.
    Property,
    /// A lambda or closure.
    Closure,
    /// An `async { … }` block.
    AsyncBlock,
    /// A generator expression that is not consumed where it stands.
    GeneratorExpression,
}

/// One function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its own name; `<module>`, `<lambda>`, `<closure>`, `<async block>` where it has none.
    pub name: String,
    /// Qualified name within the file: `Cache.refresh`, `outer.<locals>.inner`, `store::Store::next`.
    pub qualified: String,
    /// What it is.
    pub kind: FunctionKind,
    /// Plain, async, generator.
    pub colour: Colour,
    /// The class or trait it is defined in (by [`types`](super::Module::types)); Rust methods name their
    /// [`Impl`](super::Impl) instead.
    pub owner: Option<TypeIndex>,
    /// The `impl` block it stands in: index into [`impls`](super::Module::impls).
    pub in_impl: Option<u32>,
    /// The function whose body it stands in; `None` at module and class level.
    pub parent: Option<FunctionIndex>,
    /// Inline module path (Rust).
    pub scope: Scope,
    /// Generic parameters.
    pub generics: Vec<Generic>,
    /// Parameters in order, the receiver first.
    pub parameters: Vec<Parameter>,
    /// The return type as written.
    pub returns: Option<TypeTerm>,
    /// Decorators or attributes, outermost first.
    pub decorators: Vec<Decorator>,
    /// Local variables, parameters first, captured ones included.
    pub variables: Vec<Variable>,
    /// The results of its expressions.
    pub values: Vec<Value>,
    /// What the operations among them ask that compare two for equality or membership, in order.
    pub comparisons: Vec<(ValueIndex, Comparison)>,
    /// The operations that are ranges, in order: `0..n` (Rust).
    pub ranges: Vec<ValueIndex>,
    /// Its blocks; the first is the entry.
    pub blocks: Vec<Block>,
    /// Its managed blocks.
    pub managed: Vec<Managed>,
    /// Its loops.
    pub loops: Vec<Loop>,
    /// Its `try` statements, outer ones before those inside them.
    pub attempts: Vec<Attempt>,
    /// The whole definition with decorators.
    pub span: Span,
    /// Its name, or the first token where it has none.
    pub header: Span,
    /// Whether it stands in test code by the language's own marks (`#[test]`, `#[cfg(test)]`).
    pub is_test: bool,
    /// Whether the body is empty by design: abstract, protocol, overload, trait method without a default, extern.
    pub is_bodiless: bool,
    /// Whether other modules can call it by its name: `pub`, methods of traits; in Python everything.
    pub is_public: bool,
    /// Whether a closure or async block takes what it captures by value (`move`).
    pub is_move: bool,
    /// How well it could be read.
    pub quality: Quality,
}

/// Whether Python itself calls what has this name: `__init__`, `__aenter__`.
pub fn is_special(name: &str) -> bool {
    name.starts_with("__") && name.ends_with("__")
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The variable that it binds; a pattern parameter binds a nameless variable, taken apart at the entry.
    pub variable: VariableIndex,
    /// The type as written.
    pub annotation: Option<TypeTerm>,
    /// How it is passed.
    pub kind: ParameterKind,
    /// Its default, a value of the enclosing function.
    pub default: Option<ValueOf>,
    /// Whether it is there for some targets or features only (`#[cfg]` in front of it).
    pub is_conditional: bool,
    /// Whether nobody else has what is passed for as long as the function has it: `&mut`.
    pub is_exclusive: bool,
}

/// The kinds of parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// `self` by reference (every Python `self` too), or `cls`.
    SelfReference,
    /// `self` by value, also `self: Box<Self>`, `self: Arc<Self>`.
    SelfValue,
    /// By position (and by name, in Python).
    Positional,
    /// By name only.
    Named,
    /// `*args`.
    Rest,
    /// `**kwargs`.
    RestNamed,
}

/// A decorator or attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decorator {
    /// Its dotted path as written: `["app", "get"]`, `["tokio", "main"]`.
    pub path: Vec<String>,
    /// Arguments as text, name first where they have one.
    pub arguments: Vec<(Option<String>, String)>,
    /// Whether it is called.
    pub is_called: bool,
    /// Where.
    pub span: Span,
}

/// A local variable. Python has one per name and function; Rust one per binding, so shadowing makes a new one.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name; empty for nameless ones.
    pub name: String,
    /// The type as written at its declaration.
    pub annotation: Option<TypeTerm>,
    /// Values that it is given together with a type, which may be another one each time (Python).
    pub annotated: Vec<(ValueIndex, TypeTerm)>,
    /// The variable of the enclosing function that it stands for, if it is captured.
    pub captures: Option<VariableIndex>,
    /// Where it is declared.
    pub span: Span,
}

impl Function {
    /// A function without a name and a body, to be filled by lowering.
    pub fn blank(kind: FunctionKind, span: Span) -> Self {
        Self {
            name: String::new(),
            qualified: String::new(),
            kind,
            colour: Colour::Plain,
            owner: None,
            in_impl: None,
            parent: None,
            scope: Scope::default(),
            generics: Vec::new(),
            parameters: Vec::new(),
            returns: None,
            decorators: Vec::new(),
            variables: Vec::new(),
            values: Vec::new(),
            comparisons: Vec::new(),
            ranges: Vec::new(),
            blocks: Vec::new(),
            managed: Vec::new(),
            loops: Vec::new(),
            attempts: Vec::new(),
            span,
            header: span,
            is_test: false,
            is_bodiless: false,
            is_public: true,
            is_move: false,
            quality: Quality::Whole,
        }
    }

    /// The value at an index.
    pub fn value(&self, index: ValueIndex) -> &Value {
        &self.values[index.at()]
    }

    /// What an operation asks, if it compares two for equality or membership.
    pub fn comparison(&self, index: ValueIndex) -> Option<Comparison> {
        let at = self.comparisons.binary_search_by_key(&index, |(known, _)| *known).ok()?;
        Some(self.comparisons[at].1)
    }

    /// The variable at an index.
    pub fn variable(&self, index: VariableIndex) -> &Variable {
        &self.variables[index.at()]
    }

    /// The call behind a value, if it is one.
    pub fn call(&self, index: ValueIndex) -> Option<&Call> {
        match &self.value(index).kind {
            ValueKind::Call(call) => Some(call),
            _ => None,
        }
    }

    /// Its calls, by the values that they give.
    pub fn calls(&self) -> impl Iterator<Item = (ValueIndex, &Call)> {
        self.values.iter().zip(0..).filter_map(|(value, at)| match &value.kind {
            ValueKind::Call(call) => Some((ValueIndex(at), &**call)),
            _ => None,
        })
    }

    /// Whether its first parameter is what it is called on, or the class of that.
    pub fn takes_receiver(&self) -> bool {
        let kind = self.parameters.first().map(|parameter| parameter.kind);
        matches!(kind, Some(ParameterKind::SelfReference | ParameterKind::SelfValue))
    }

    /// Whether calling it only makes a coroutine or future.
    pub fn is_async(&self) -> bool {
        matches!(self.colour, Colour::Async | Colour::AsyncGenerator)
    }

    /// Every step with its block and its number in that block, in block order.
    pub fn steps(&self) -> impl Iterator<Item = (BlockIndex, usize, &Step)> {
        self.blocks.iter().enumerate().flat_map(|(block, body)| {
            body.steps.iter().enumerate().map(move |(at, step)| (BlockIndex(block as u32), at, step))
        })
    }
}
