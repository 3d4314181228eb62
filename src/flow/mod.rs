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
mod function;
mod graph;
mod module;
pub mod place;
pub mod print;
mod types;
mod value;
mod walk;

pub use attempt::{Attempt, Handler, Region};
pub use function::{Colour, Decorator, Function, FunctionKind, Parameter, ParameterKind, Variable, is_special};
pub use graph::{
    Block, Ending, Leave, Leaving, Loop, LoopKind, Managed, Next, Owner, Step, StepKind, Suspension, WriteKind,
};
pub use module::{Impl, Import, ImportKind, Mark, Module, Scope, Static, Submodule};
pub use place::{Field, MOST_FIELDS, Place, Root};
pub use types::{FieldDef, Generic, TypeDef, TypeKind, TypeTerm};
pub use value::{Argument, Call, Callee, Collection, Comparison, Literal, Polling, Value, ValueKind, ValueOf};
pub use walk::{Goes, Stretch};

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
