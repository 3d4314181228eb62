//! The results of expressions.

use super::{BlockIndex, FunctionIndex, Place, TypeTerm, ValueIndex};
use crate::text::Span;

/// The result of an expression.
#[derive(Clone, Debug)]
pub struct Value {
    /// How it comes about.
    pub kind: ValueKind,
    /// The expression.
    pub span: Span,
    /// The block in which it is evaluated.
    pub block: BlockIndex,
    /// How many steps of that block come before it.
    pub step: u32,
}

/// How a value comes about.
#[derive(Clone, Debug)]
pub enum ValueKind {
    /// Not known.
    Unknown,
    /// A literal.
    Literal(Literal),
    /// Reads a place.
    Place(Place),
    /// Names an item by path (Rust): a function, constant, unit struct, static of another module.
    Path(Vec<String>, Vec<TypeTerm>),
    /// `value.name` where the value is no place.
    Field(ValueIndex, String),
    /// `value[…]` where the value is no place.
    Index(ValueIndex),
    /// A call.
    Call(Box<Call>),
    /// What awaiting gives.
    Awaited(ValueIndex),
    /// What a managed block binds: `with value as x`.
    Entered(ValueIndex),
    /// What a loop takes from an iterable.
    Element(ValueIndex),
    /// Component `n` of a tuple or sequence that is taken apart.
    Component(ValueIndex, u32),
    /// What a pattern finds inside a variant: `Some(x)`, `Ok(g)`, `State::Ready { job }`.
    Payload(ValueIndex, Vec<String>, String),
    /// A nested function, lambda, closure, async block.
    Function(FunctionIndex),
    /// A tuple, list, struct literal …, with field names where they have one.
    Collection(Collection, Vec<(Option<String>, ValueIndex)>),
    /// One of several: conditional expression, `or`, `match` as a value.
    Choice(Vec<ValueIndex>),
    /// `value?`.
    Try(ValueIndex),
    /// `&value`, `&mut value`.
    Reference(ValueIndex),
    /// `*value` (Rust).
    Dereference(ValueIndex),
    /// `value as T`.
    Cast(ValueIndex, TypeTerm),
    /// An operator or format string over values: arithmetic, comparison, f-string.
    Operation(Vec<ValueIndex>),
    /// What a `yield` expression is given, what an exception handler binds.
    Received,
}

/// What a comparison of two values asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`, `is`.
    Equal,
    /// `!=`, `is not`.
    Unequal,
    /// `in`.
    Within,
    /// `not in`.
    Without,
}

/// A literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// `None`, `()`.
    None,
    /// `True`, `false`.
    Bool(bool),
    /// An integer that fits.
    Int(i64),
    /// A string, without quotes, at most 80 bytes of it.
    Text(String),
    /// Any other.
    Other,
}

/// What a collection is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Collection {
    /// A tuple.
    Tuple,
    /// A list, array, `vec![…]`.
    List,
    /// A set.
    Set,
    /// A mapping; items are the values, keys are left out.
    Mapping,
    /// A struct literal, with its path.
    Struct(Vec<String>),
    /// The futures of `join!`, `try_join!`: all run in this task.
    Join,
    /// The futures of `select!`: the first wins, the others are dropped.
    Select(Polling),
}

/// In which order the futures of `select!` are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polling {
    /// Another one is the first at every turn.
    AtRandom,
    /// As they are written: a later one is asked only while none before it is ready.
    InOrder,
}

/// A call.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is called.
    pub callee: Callee,
    /// Generic arguments as written (`::<T>`).
    pub generics: Vec<TypeTerm>,
    /// Arguments in order of evaluation, the receiver left out.
    pub arguments: Vec<Argument>,
}

/// What is called, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Callee {
    /// An item by path: `tokio::spawn`, `Self::new`, a Python global `open`.
    Path(Vec<String>),
    /// A method: `receiver.name(…)`. In Python the receiver may be a module.
    Method(ValueIndex, String),
    /// Any other value: a local variable, the result of a call.
    Value(ValueIndex),
    /// `super().name(…)`.
    Super(String),
    /// A macro that is not part of the language's prelude, opened or not.
    Macro(Vec<String>),
}

/// An argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its keyword, if any.
    pub name: Option<String>,
    /// Its value.
    pub value: ValueIndex,
    /// Whether it may be any number of them: `*args`, `**kwargs`, in Rust one that `#[cfg]` decides about.
    pub is_spread: bool,
}

/// A value of a named function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ValueOf {
    /// The function.
    pub function: FunctionIndex,
    /// Its value.
    pub value: ValueIndex,
}
