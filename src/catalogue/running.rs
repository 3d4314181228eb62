//! What the catalogue says of where code runs: what is handed to threads, what is started, what is awaited, who calls what.

use serde::{Deserialize, Serialize};

use super::Tables;
use super::entry::{Argument, entries};

entries!(Offload, Spawn, Awaitable, Context);

/// A call or decorator whose callable runs elsewhere, or only seems to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offload {
    /// The canonical name of the function or method.
    #[serde(skip)]
    pub name: String,
    /// Which argument is the callable.
    pub callable: Argument,
    /// Where it runs.
    pub runs: Runs,
    /// Whether the name also stands as a decorator or wrapper: what it returns runs its callable there.
    #[serde(default)]
    pub wraps: bool,
    /// Whether many of them may run at once.
    #[serde(default)]
    pub concurrent: bool,
    /// Whose threads run it, of which there are so many and no more.
    pub workers: Option<PoolAt>,
}

/// Where a call names the pool that it hands work to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PoolAt {
    /// `pool.submit(work)`.
    Receiver,
    /// `loop.run_in_executor(pool, work)`.
    First,
}

/// Where code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Runs {
    /// In a worker thread, where it may block.
    Thread,
    /// In another process.
    Process,
    /// On the event loop or an executor's worker, as a plain function: blocking it blocks the others.
    Loop,
    /// On the event loop, in a greenlet: queries of the database give way, everything else blocks the others.
    Greenlet,
    /// On the event loop or an executor, as a task of its own.
    Task,
    /// In place, before the call returns.
    Same,
    /// A plain function in a worker thread, an asynchronous one on the loop.
    Colour,
    /// In a signal handler.
    Signal,
    /// In the main thread, when no loop runs: a command line, the end of the process.
    Main,
    /// As a test, with a loop of its own if asynchronous.
    Test,
}

/// A call that starts something which runs on by itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spawn {
    /// The canonical name of the function or method.
    #[serde(skip)]
    pub name: String,
    /// Which argument runs: a coroutine, a future, a closure.
    pub argument: Argument,
    /// Where it runs.
    #[serde(default = "on_the_loop")]
    pub runs: Runs,
    /// The type of the handle that the call returns.
    pub handle: Option<String>,
    /// Whether somebody else (a group, a set, a scope) waits for it or cancels it.
    #[serde(default)]
    pub owned: bool,
    /// What becomes of it when its handle is dropped.
    pub detach: Detach,
}

fn on_the_loop() -> Runs {
    Runs::Task
}

/// What becomes of a task whose handle is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detach {
    /// It runs on, unattended; its failure goes unseen.
    Normal,
    /// It is cancelled.
    Cancels,
    /// It may be collected half-way: nothing else refers to it.
    Lost,
}

/// A call that gives something to await.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Awaitable {
    /// The canonical name of the function or method; ends in `*` when it covers everything below.
    #[serde(skip)]
    pub name: String,
    /// What happens if nobody awaits it.
    pub kind: AwaitableKind,
}

/// What an awaitable does by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AwaitableKind {
    /// Nothing, until it is awaited.
    Coroutine,
    /// It runs anyway; awaiting it gets the result.
    Future,
    /// Nothing, until it is awaited or entered with `async with`.
    Context,
    /// Nothing, until it is iterated with `async for`.
    Iterator,
    /// It is not awaitable: an exception from a wildcard.
    Plain,
}

/// Where a decorated function or an overriding method runs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// The canonical name of the decorator, attribute or method.
    #[serde(skip)]
    pub name: String,
    /// Where a plain function runs.
    pub sync: Option<Runs>,
    /// Where an asynchronous function runs.
    pub r#async: Option<Runs>,
    /// Whether several calls of it may be under way at once.
    #[serde(default)]
    pub concurrent: bool,
}

impl Tables {
    /// Where the callable handed to this call (or decorated with it) runs.
    pub fn offload(&self, name: &str) -> Option<&Offload> {
        self.find(&self.offload, name)
    }

    /// Where a function of the project runs what it is handed, where the user says so.
    pub fn own_offload(&self, name: &str) -> Option<&Offload> {
        self.own.contains(name).then(|| self.offload.exact(name)).flatten()
    }

    /// What the call starts.
    pub fn spawn(&self, name: &str) -> Option<&Spawn> {
        self.find(&self.spawns, name)
    }

    /// Whether a type is that of a handle whose task runs on without it.
    pub fn is_handle(&self, type_name: &str) -> bool {
        let is_it = |spawn: &Spawn| {
            spawn.detach == Detach::Normal && spawn.runs == Runs::Task && spawn.handle.as_deref() == Some(type_name)
        };
        self.spawns.iter().any(|(_, spawn)| is_it(spawn))
    }

    /// Whether a method starts what was made before.
    pub fn is_starter(&self, name: &str) -> bool {
        self.has(&self.starters, name)
    }

    /// Whether a method of an object that nobody knows starts the coroutine it is given.
    pub fn is_spawning(&self, method: &str) -> bool {
        self.spawning.iter().any(|known| known == method)
    }

    /// Whether a method of this name runs the closure that it is given on the spot, where nothing is known of what it is
    /// called on.
    pub fn is_combinator(&self, method: &str) -> bool {
        self.combinators.iter().any(|known| known == method)
    }

    /// Whether an associated function of this name keeps what it is given in the value that it makes.
    pub fn is_constructor(&self, name: &str) -> bool {
        self.constructors.iter().any(|known| known == name)
    }

    /// Whether what a call makes runs only when one of its methods is called.
    pub fn waits_to_be_started(&self, name: &str) -> bool {
        let below = [name, self.separator].concat();
        self.starters.iter().any(|starter| starter.starts_with(&below))
    }

    /// What the call gives to await.
    pub fn awaitable(&self, name: &str) -> Option<&Awaitable> {
        self.find(&self.awaitables, name).filter(|found| found.kind != AwaitableKind::Plain)
    }

    /// Which argument of the call may be a coroutine that the call takes care of.
    pub fn consumes_awaitables(&self, name: &str) -> Option<&Argument> {
        self.find(&self.consumers, name)
    }

    /// Which argument of the call is thrown away unawaited if it is a coroutine.
    pub fn swallows_awaitables(&self, name: &str) -> Option<&Argument> {
        self.find(&self.sinks, name)
    }

    /// Whether a value of this type is certainly no awaitable, no asynchronous context manager and no asynchronous
    /// iterable.
    pub fn is_unawaitable(&self, type_name: &str) -> bool {
        self.names(&self.unawaitable, type_name)
    }

    /// Whether a coroutine or future has a method or attribute of this name by itself.
    pub fn is_of_futures(&self, name: &str) -> bool {
        self.of_futures.iter().any(|known| known == name)
    }

    /// Whether a method takes a result apart that is there already, as no future's does.
    pub fn is_unpacking(&self, method: &str) -> bool {
        self.unpacking.iter().any(|known| known == method)
    }

    /// Where a function with this decorator or attribute runs.
    pub fn context_of_decorator(&self, name: &str) -> Option<&Context> {
        self.find(&self.decorators, name)
    }

    /// Where a method that overrides or implements `method` of a base class or trait runs.
    pub fn context_of_method(&self, base_or_trait: &str, method: &str) -> Option<&Context> {
        self.find(&self.methods, &[base_or_trait, method].join(self.separator))
    }

    /// Whether a function is called as it stands in spite of this decorator or attribute: `staticmethod`, `inline`.
    pub fn keeps_kind(&self, decorator: &str) -> bool {
        self.has(&self.keeping, decorator)
    }

    /// Whether a derive or attribute makes no names beside the item that it stands on.
    pub fn makes_no_names(&self, attribute: &str) -> bool {
        self.has(&self.nameless, attribute)
            || self.keeps_kind(attribute)
            || self.context_of_decorator(attribute).is_some()
    }

    /// The methods that a derive of this name writes, if that is known.
    pub fn derived(&self, derive: &str) -> Option<&[String]> {
        self.derived.exact(derive).map(Vec::as_slice)
    }

    /// Whether a function with this decorator is run once for the same arguments.
    pub fn keeps_results(&self, decorator: &str) -> bool {
        self.names(&self.caching, decorator)
    }

    /// Whether a function with this decorator is only what runs where no other body fits what is given.
    pub fn chooses_a_body(&self, decorator: &str) -> bool {
        self.names(&self.choosing, decorator)
    }

    /// Whether a call asks whether a loop is running, or lets one be entered again.
    pub fn asks_for_loop(&self, name: &str) -> bool {
        self.has(&self.asking, name)
    }
}
