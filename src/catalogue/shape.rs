//! What the catalogue says of the form of things: what calls return, what types are made of.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Tables;
use super::entry::Entry;
use super::term::Term;

/// What a call returns, and what it does with its receiver.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The canonical name of the function or method.
    #[serde(skip)]
    pub name: String,
    /// How a method takes its receiver; `None` for functions. A method called by its path
    /// (`Arc::clone(&x)`) has its receiver as the first argument.
    #[serde(rename = "self")]
    pub receiver: Option<Receiver>,
    /// Whether it is only called by its path. `shared.get_mut(&key)` is no `Arc::get_mut`: such a name belongs to what
    /// the receiver dereferences to.
    #[serde(default)]
    pub path: bool,
    /// What it returns.
    pub returns: Term,
    /// Whether the result is the receiver, or the one thing in it: a lock reached through it is the same lock.
    #[serde(default)]
    pub same: bool,
    /// Whether what was in the receiver (of a function: in its first argument) moves out into the result, although it
    /// is given by reference.
    #[serde(default)]
    pub takes: bool,
    /// Whether what it is given by value never ends: `mem::forget`.
    #[serde(default)]
    pub leaks: bool,
    /// The types of the parameters of a closure handed to it.
    #[serde(default)]
    pub closure: Vec<Term>,
    /// What a call tells of the parameters of its receiver's type, in their order: `push(x)` says what is in the list.
    #[serde(default)]
    pub fills: Vec<Term>,
}

impl Entry for Signature {
    fn put_name(&mut self, name: &str) {
        self.name = name.to_owned();
    }

    fn terms(&mut self) -> Vec<&mut Term> {
        std::iter::once(&mut self.returns).chain(&mut self.closure).chain(&mut self.fills).collect()
    }
}

/// How a Rust method takes `self`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Receiver {
    /// `self`: the receiver moves in and ends there, or lives on in the result.
    Value,
    /// `&self` or `&mut self`.
    Ref,
}

/// What is known of a type's form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeShape {
    /// The canonical name of the type.
    #[serde(skip)]
    pub name: String,
    /// Names of its type parameters, as signatures use them.
    #[serde(default)]
    pub params: Vec<String>,
    /// What it dereferences to.
    pub deref: Option<Term>,
    /// What a loop over it yields by value.
    pub item: Option<Term>,
    /// What its variants hold, where that is none of its parameters in their order.
    #[serde(default)]
    pub variants: BTreeMap<String, Term>,
    /// Types whose methods it has as well.
    #[serde(default)]
    pub bases: Vec<String>,
    /// The marker traits that it does not have, whatever its parameters.
    #[serde(default)]
    pub lacks: Vec<String>,
}

impl Entry for TypeShape {
    fn put_name(&mut self, name: &str) {
        self.name = name.to_owned();
    }

    fn terms(&mut self) -> Vec<&mut Term> {
        self.deref.iter_mut().chain(&mut self.item).chain(self.variants.values_mut()).collect()
    }
}

impl Tables {
    /// What a function or method returns and does with its receiver.
    pub fn signature(&self, name: &str) -> Option<&Signature> {
        self.find(&self.signatures, name)
    }

    /// A type's parameters, target and bases.
    pub fn type_shape(&self, name: &str) -> Option<&TypeShape> {
        self.types.exact(name).or_else(|| self.types.exact(&self.alias(name)?))
    }

    /// Whether a type in an annotation only wraps the one that matters: `Annotated[Lock, …]`.
    pub fn is_transparent(&self, type_name: &str) -> bool {
        self.names(&self.transparent, type_name)
    }

    /// The method of its first argument that a function runs.
    pub fn applies(&self, function: &str) -> Option<&str> {
        self.applying.exact(function).map(String::as_str)
    }

    /// Whether a method of a stack of managers leaves what was entered on it, or hands that on.
    pub fn leaves_what_it_entered(&self, method: &str) -> bool {
        self.leaving.iter().any(|known| known == method)
    }

    /// What a method answers if there is nothing in its receiver, if it asks that.
    pub fn says_empty(&self, method: &str) -> Option<bool> {
        self.emptiness.exact(method).copied()
    }

    /// Whether a name was a builtin before Python 3.
    pub fn was_builtin(&self, name: &str) -> bool {
        self.former.iter().any(|known| known == name)
    }

    /// Whether something is to fail in the block of a manager.
    pub fn expects_failure(&self, manager: &str) -> bool {
        self.has(&self.expecting, manager)
    }

    /// Whether a function is true of its first argument only if that is of the type which the second names.
    pub fn narrows(&self, function: &str) -> bool {
        self.narrowing.iter().any(|known| known == function)
    }

    /// Whether a call asks what a value is.
    pub fn inspects(&self, name: &str) -> bool {
        self.has(&self.inspecting, name)
    }

    /// Whether a call or decorator puts a double in the place of something.
    pub fn patches(&self, name: &str) -> bool {
        self.has(&self.patching, name)
    }
}
