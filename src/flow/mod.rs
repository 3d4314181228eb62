//! What the code does, in one small representation for both languages.
//!
//! A [`Module`] owns type definitions and [`Function`]s. A function is a graph of [`Block`]s; a block is a list of
//! [`Step`]s; steps refer to [`Value`]s, the results of expressions. Nothing here has meaning yet: that a call takes a
//! lock or blocks is said by the catalogue and worked out in `analysis`. No syntax node is left.
//!
//! ~~~text
//! async fn cache.Cache.refresh(self, key)
//!   b0  enter  m0 = self._lock            @6   suspend(enter)
//!       read   self._rows                 @7   -> b1 | b2
//!   b1  v3 = call self._load(key)         @8
//!       suspend(await) v3                 @8
//!       write  self._rows[*]              @8   -> b2
//!   b2  exit   m0                         @6   suspend(exit)   -> return
//! ~~~
//!
//! Deliberately absent: resolved names, resolved types, lifetimes of guards. Lowering says where a temporary's scope
//! ends and what is moved by the shape of the text; whether the thing is a guard is known only to `analysis/held`.

mod attempt;
pub mod build;
pub mod place;
pub mod print;

use std::sync::Arc;

use crate::text::{Language, Span};
pub use attempt::{Attempt, Handler, Region};
pub use place::{Field, Place, Root};

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// As an index into the vector that it names.
            pub fn at(self) -> usize {
                self.0 as usize
            }
        }
    };
}

index!(
    /// A function of one module: index into [`Module::functions`]. `FunctionIndex(0)` is the module's own code.
    FunctionIndex
);
index!(
    /// A type definition of one module: index into [`Module::types`].
    TypeIndex
);
index!(
    /// A variable of one function: index into [`Function::variables`].
    VariableIndex
);
index!(
    /// A value of one function: index into [`Function::values`].
    ValueIndex
);
index!(
    /// A block of one function: index into [`Function::blocks`]. `BlockIndex(0)` is the entry.
    BlockIndex
);
index!(
    /// A managed block (`with`, `async with`) of one function: index into [`Function::managed`].
    ManagedIndex
);
index!(
    /// A loop of one function: index into [`Function::loops`].
    LoopIndex
);

/// How well a file or function could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quality {
    /// Everything was understood.
    Whole,
    /// Damaged: what is here is sound, something around it is missing.
    InPieces,
    /// Nothing could be read.
    NotAtAll,
}

/// One source file, lowered.
#[derive(Clone, Debug)]
pub struct Module {
    /// Path from the repository's root.
    pub path: Arc<str>,
    /// The language.
    pub language: Language,
    /// What it imports, in source order; those inside functions too.
    pub imports: Vec<Import>,
    /// Classes, structs, enums, traits, aliases, in source order.
    pub types: Vec<TypeDef>,
    /// `impl` blocks (Rust), in source order.
    pub impls: Vec<Impl>,
    /// Functions, methods, closures, lambdas, async blocks. The first is the module's own code: top-level statements
    /// in Python, initialisers of statics and constants in Rust.
    pub functions: Vec<Function>,
    /// Module-level places: globals, statics, constants.
    pub statics: Vec<Static>,
    /// Inline modules and `mod` declarations (Rust).
    pub submodules: Vec<Submodule>,
    /// Plain facts about the text that rules may want.
    pub marks: Vec<Mark>,
    /// How well the file could be read.
    pub quality: Quality,
}

/// Where a name is visible.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Scope {
    /// Inline module path within the file (Rust `mod a { mod b {` gives `["a", "b"]`); empty in Python.
    pub module: Vec<String>,
    /// The function whose body it stands in, for imports and types defined inside functions.
    pub function: Option<FunctionIndex>,
}

/// One imported name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Where the name is visible.
    pub scope: Scope,
    /// The name that it gives here; empty for a glob.
    pub name: String,
    /// What it names, as written: `["os", "path"]`, `["crate", "db", "Pool"]`. For `import a.b` (no alias) the name is
    /// `a` and the target `["a"]`, and a second [`Import`] with an empty name and target `["a", "b"]` of kind
    /// [`ImportKind::Module`] says that the submodule is loaded.
    pub target: Vec<String>,
    /// Leading dots of a relative Python import; 0 otherwise.
    pub level: u32,
    /// What kind of import it is.
    pub kind: ImportKind,
    /// Whether others can import it from here (`pub use`, `__init__` re-export, always true in Python).
    pub is_public: bool,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportKind {
    /// `import a`, `import a.b as c`: the target is a module.
    Module,
    /// `from a import b`, `use a::b`: the target's last segment is a name in what comes before it (or a submodule).
    Name,
    /// `from a import *`, `use a::*`: the target is what is opened.
    Glob,
}

/// A `mod` item of Rust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submodule {
    /// Its path within the file, its own name last.
    pub path: Vec<String>,
    /// Whether its body is in this file.
    pub is_inline: bool,
    /// The value of a `#[path = "…"]` attribute.
    pub file: Option<String>,
    /// Whether it stands under `#[cfg(test)]`.
    pub is_test: bool,
    /// Where it stands.
    pub span: Span,
}

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
    /// Fields and attributes, in source order of their first mention.
    pub fields: Vec<FieldDef>,
    /// Methods defined in its body (Python classes, Rust traits); for Rust types see [`Module::impls`].
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

/// A value of a named function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ValueOf {
    /// The function.
    pub function: FunctionIndex,
    /// Its value.
    pub value: ValueIndex,
}

/// A Rust `impl` block.
#[derive(Clone, Debug)]
pub struct Impl {
    /// The type it is for.
    pub self_type: TypeTerm,
    /// The trait, if it implements one.
    pub of_trait: Option<TypeTerm>,
    /// Its generic parameters.
    pub generics: Vec<Generic>,
    /// Associated types: `Target`, `Output`, `Item`, …
    pub associated: Vec<(String, TypeTerm)>,
    /// Its functions.
    pub functions: Vec<FunctionIndex>,
    /// Where it stands.
    pub scope: Scope,
    /// The whole block.
    pub span: Span,
}

/// A module-level place.
#[derive(Clone, Debug)]
pub struct Static {
    /// Its name.
    pub name: String,
    /// Where it is visible.
    pub scope: Scope,
    /// The type as written, if any.
    pub annotation: Option<TypeTerm>,
    /// What it stands for in an annotation, where its value is written as a type with arguments (Python).
    pub alias: Option<TypeTerm>,
    /// Every value it is given in this file, `global x` in functions included.
    pub values: Vec<ValueOf>,
    /// Whether it can be assigned again (`static mut`, any Python global that is not assigned once only).
    pub is_mutable: bool,
    /// Where it is first defined.
    pub span: Span,
}

/// Something about the text that is no flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A stretch that could not be parsed.
    Broken {
        /// The line that a person must mend, not the rest of the file.
        span: Span,
        /// What is wrong: "this `(` is never closed".
        reason: String,
    },
    /// The file nests too deeply to be read, which is no damage.
    TooDeep {
        /// Where it gets too deep.
        span: Span,
        /// What nests: "brackets nest more than 256 levels deep".
        reason: String,
    },
    /// A function's body is a placeholder.
    Stub {
        /// The function.
        function: FunctionIndex,
        /// `pass`, `...`, `todo!()`, `raise NotImplementedError`, …
        form: String,
        /// Where.
        span: Span,
    },
    /// A comment, without its marker characters and outer white space.
    Comment {
        /// Where.
        span: Span,
        /// Its text.
        text: String,
    },
    /// The file is generated, by its own header.
    Generated {
        /// Where it says so.
        span: Span,
    },
}

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
    /// The class or trait it is defined in (by [`Module::types`]); Rust methods name their [`Impl`] instead.
    pub owner: Option<TypeIndex>,
    /// The `impl` block it stands in: index into [`Module::impls`].
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
    /// Whether it is `*args` or `**kwargs`.
    pub is_spread: bool,
}

/// A managed block: `with value:`, `async with value:`.
#[derive(Clone, Debug)]
pub struct Managed {
    /// The context manager.
    pub value: ValueIndex,
    /// Whether it is `async with`.
    pub is_async: bool,
    /// The managed expression.
    pub span: Span,
    /// The statements that it manages.
    pub body: Span,
}

/// A loop.
#[derive(Clone, Debug)]
pub struct Loop {
    /// What kind it is.
    pub kind: LoopKind,
    /// The loop it stands in.
    pub parent: Option<LoopIndex>,
    /// Where each turn begins.
    pub header: BlockIndex,
    /// What is iterated over, for `for` loops.
    pub over: Option<ValueIndex>,
    /// The whole loop.
    pub span: Span,
}

/// The kinds of loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopKind {
    /// Over an iterable; comprehensions too.
    For,
    /// `async for`.
    AsyncFor,
    /// While a condition holds.
    While,
    /// Until it is left: `loop`, `while True`.
    Forever,
}

/// A list of steps without a branch.
#[derive(Clone, Debug)]
pub struct Block {
    /// The steps in order of evaluation.
    pub steps: Vec<Step>,
    /// Where control goes next.
    pub next: Next,
    /// The statement that sends it there, where one is written.
    pub left_by: Option<Leave>,
    /// Where an exception or a cancellation at any step goes; `None` leaves the function.
    pub on_raise: Option<BlockIndex>,
    /// The innermost loop it stands in.
    pub in_loop: Option<LoopIndex>,
}

/// Where control goes after a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// To one block.
    Goto(BlockIndex),
    /// To one of several, decided by a value where it is known.
    Branch(Option<ValueIndex>, Vec<BlockIndex>),
    /// Out of the function with a value.
    Return(Option<ValueIndex>),
    /// Out of the block by an exception (to [`Block::on_raise`]) or a panic.
    Raise(Option<ValueIndex>),
    /// Nowhere: control does not get here.
    Unreachable,
}

/// A statement that says where control goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leave {
    /// What it is.
    pub how: Leaving,
    /// Where it stands.
    pub span: Span,
}

/// The statements that say where control goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Leaving {
    /// `return`, `?`.
    Return,
    /// `raise`, a panic that is written.
    Raise,
    /// `break`.
    Break,
    /// `continue`.
    Continue,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where it is written.
    pub span: Span,
    /// What it is.
    pub kind: StepKind,
}

/// What happens in a step. A new kind must be wanted by two rules.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// A call whose result is the value (of kind [`ValueKind::Call`]).
    Call(ValueIndex),
    /// The task may give way.
    Suspend(Suspension, Option<ValueIndex>),
    /// A managed block is entered (an `async with` is followed by its own suspension).
    Enter(ManagedIndex),
    /// A managed block is left (an `async with` is followed by its own suspension).
    Exit(ManagedIndex),
    /// A variable gets a value; in Rust a value without [`ValueKind::Reference`] is moved.
    Bind(VariableIndex, ValueIndex),
    /// A place with fields, a global or a captured variable is read.
    Read(Place),
    /// A place with fields, a global or a captured variable is written.
    Write(Place, WriteKind, Option<ValueIndex>),
    /// Something is written through a value that is no place: `*guard = value`, `lock().field = value` (Rust). The first
    /// is what is written through, the last what is written.
    Store(ValueIndex, WriteKind, ValueIndex),
    /// A value is thrown away: an expression statement, `let _ = value`.
    Discard(ValueIndex),
    /// Owners end here, in this order (Rust).
    Drop(Vec<Owner>, Ending),
}

/// How the task gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Suspension {
    /// `await`.
    Await,
    /// `async for`, asynchronous comprehension.
    Next,
    /// Entry of `async with`.
    Enter,
    /// Exit of `async with`.
    Exit,
    /// `yield`.
    Yield,
}

/// How a place is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WriteKind {
    /// `place = value`.
    Assign,
    /// `place += value`: read and written; the read is a step of its own before the value is evaluated (Python) or
    /// where the language puts it (Rust).
    Augment,
    /// `del place`.
    Delete,
}

/// Who owns a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// A variable.
    Variable(VariableIndex),
    /// A temporary.
    Temporary(ValueIndex),
}

/// Why owners end; the sentence that reviewers read is made from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ending {
    /// The block that declares the variable ends.
    Scope,
    /// The statement ends.
    Statement,
    /// The condition of `if` or `while` is evaluated.
    Condition,
    /// The `if let` ends (2021: with its else; 2024: before it).
    IfLet,
    /// The `while let` turn ends.
    WhileLet,
    /// The `match` ends.
    Match,
    /// The `for` loop ends.
    For,
    /// The block's tail expression ends (2021: after its variables; 2024: before them).
    Tail,
    /// `drop(x)`, `mem::drop(x)`.
    Explicit,
    /// The variable is assigned anew.
    Reassigned,
}

impl Module {
    /// The function at an index.
    pub fn function(&self, index: FunctionIndex) -> &Function {
        &self.functions[index.at()]
    }

    /// Functions with their indices.
    pub fn functions(&self) -> impl Iterator<Item = (FunctionIndex, &Function)> {
        self.functions.iter().enumerate().map(|(at, function)| (FunctionIndex(at as u32), function))
    }

    /// The innermost function whose span holds a byte; the module's own code where none does.
    pub fn function_at(&self, offset: u32) -> FunctionIndex {
        self.functions()
            .skip(1)
            .filter(|(_, function)| function.span.has(offset))
            .min_by_key(|(_, function)| function.span.end - function.span.start)
            .map_or(FunctionIndex(0), |(index, _)| index)
    }
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

impl Next {
    /// The blocks that control can go to.
    pub fn targets(&self) -> &[BlockIndex] {
        match self {
            Self::Goto(to) => std::slice::from_ref(to),
            Self::Branch(_, to) => to,
            Self::Return(_) | Self::Raise(_) | Self::Unreachable => &[],
        }
    }
}
