//! What the catalogue says of cancellation: who takes it, what bounds a stretch of code, what outcomes come back.

use serde::Deserialize;

use super::Tables;
use super::entry::{Argument, Condition, entries};

entries!(Exception, Scope, Gather, Verb);

/// A class of exceptions that a cancellation is an instance of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Its canonical name, or that of the function that gives it.
    #[serde(skip)]
    pub name: String,
    /// What else it takes.
    pub takes: Takes,
}

/// What a handler for a class takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Takes {
    /// Cancellations alone: whoever names it means them.
    Cancellation,
    /// Whatever comes, cancellations too.
    Everything,
}

/// A managed block that bounds what stands in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// The canonical name of the function or type that makes it.
    #[serde(skip)]
    pub name: String,
    /// How it bounds.
    pub kind: ScopeKind,
}

/// How a managed block bounds what stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScopeKind {
    /// It cancels its block when the time is up.
    Deadline,
    /// It cancels its block when somebody says so.
    Cancel,
    /// It ends when all tasks that were started in it have.
    Group,
}

/// A call that waits for tasks and gives back what became of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gather {
    /// The canonical name of the function.
    #[serde(skip)]
    pub name: String,
    /// The tasks.
    pub tasks: Argument,
    /// Whether failures never come out of the call itself, so that somebody must look for them.
    #[serde(default)]
    pub silent: bool,
    /// Arguments of which each alone makes it so.
    #[serde(default)]
    pub unless: Vec<Condition>,
}

/// What a method of this name does to a task, future or process, if it is one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verb {
    /// The method's own name.
    #[serde(skip)]
    pub name: String,
    /// What it does.
    pub does: Does,
}

/// What a method does to what others wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Does {
    /// Asks it to stop.
    Cancels,
    /// Asks whether it was, or is being, cancelled.
    Asks,
    /// Asks whether it has its outcome.
    Sees,
    /// Gives it its outcome.
    Settles,
    /// Takes its outcome, which a cancelled one does not have.
    Fetches,
    /// Ends it at once.
    Ends,
    /// Closes it: nobody can use it afterwards.
    Closes,
    /// Takes something to call when it is done.
    CallsBack,
    /// Hands something to the loop's own thread, from whatever thread it is called in.
    HandsOver,
}

impl Tables {
    /// What a handler for this class takes, if it takes cancellations.
    pub fn exception(&self, class: &str) -> Option<&Exception> {
        self.find(&self.exceptions, class)
    }

    /// Whether everything is an instance of a class but what ends a program or a task from outside.
    pub fn is_of_failures(&self, class: &str) -> bool {
        self.has(&self.failures, class)
    }

    /// Which arguments of a managed block's call are the classes that the block takes.
    pub fn suppresses(&self, name: &str) -> Option<&Argument> {
        self.find(&self.suppressors, name)
    }

    /// How a managed block bounds what stands in it.
    pub fn bounds(&self, name: &str) -> Option<&Scope> {
        self.find(&self.bounds, name)
    }

    /// Whether a call waits for nothing but the time.
    pub fn pauses(&self, name: &str) -> bool {
        self.has(&self.pausing, name)
    }

    /// Whether the scopes of a library, once cancelled, cancel every await in them.
    pub fn cancels_again(&self, library: &str) -> bool {
        self.cancelling_again.iter().any(|known| known == library)
    }

    /// How a call gives back what became of tasks.
    pub fn gather(&self, name: &str) -> Option<&Gather> {
        self.find(&self.gathers, name)
    }

    /// Which argument a call keeps from being cancelled with its caller.
    pub fn shields(&self, name: &str) -> Option<&Argument> {
        self.find(&self.shields, name)
    }

    /// What a method of this name does, whoever has it.
    pub fn verb(&self, method: &str) -> Option<Does> {
        self.verbs.exact(method).map(|verb| verb.does)
    }
}
