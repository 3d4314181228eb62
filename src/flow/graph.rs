//! The graph of a body: blocks of steps, and where control goes.

use super::{BlockIndex, LoopIndex, ManagedIndex, Place, ValueIndex, VariableIndex};
use crate::text::Span;

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
    /// A call whose result is the value (of kind [`ValueKind::Call`](super::ValueKind::Call)).
    Call(ValueIndex),
    /// The task may give way.
    Suspend(Suspension, Option<ValueIndex>),
    /// A managed block is entered (an `async with` is followed by its own suspension).
    Enter(ManagedIndex),
    /// A managed block is left (an `async with` is followed by its own suspension).
    Exit(ManagedIndex),
    /// A variable gets a value; in Rust a value without
    /// [`ValueKind::Reference`](super::ValueKind::Reference) is moved.
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

impl Suspension {
    /// What a function does there, in words.
    pub fn told(self) -> &'static str {
        match self {
            Self::Await => "awaits",
            Self::Next => "waits for the next item",
            Self::Enter => "enters an `async with`",
            Self::Exit => "leaves an `async with`",
            Self::Yield => "yields",
        }
    }
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
