//! What the catalogue's tables say, one type a table.
//!
//! Every entry carries the name it stands under, so that evidence can quote it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::term::Term;

/// An entry that knows its own name.
pub trait Entry {
    /// Called once, after the entry was read.
    fn put_name(&mut self, name: &str);
    /// The type terms in the entry.
    fn terms(&mut self) -> Vec<&mut Term> {
        Vec::new()
    }
}

macro_rules! entries {
    ($($entry:ty),*) => {
        $(impl Entry for $entry {
            fn put_name(&mut self, name: &str) {
                self.name = name.to_owned();
            }
        })*
    };
}
entries!(Blocking, Lock, Guard, Offload, Spawn, Awaitable, Context, Risk, Atomic, Store);

/// A call that makes a stretch of code worth a look, although nothing is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// The canonical name it stands under; ends in `*` when it covers everything below.
    #[serde(skip)]
    pub name: String,
    /// What it does.
    pub kind: RiskKind,
}

/// What a call does that a reviewer wants to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RiskKind {
    /// It gives a wait an end.
    Timeout,
    /// It cancels something, or keeps it from being cancelled.
    Cancellation,
    /// It makes a channel or queue.
    ChannelMade,
    /// It sends or receives.
    ChannelUsed,
    /// It touches what several threads share.
    Shared,
}

/// A call that keeps its thread waiting.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blocking {
    /// The canonical name it stands under; ends in `*` when it covers everything below.
    #[serde(skip)]
    pub name: String,
    /// What it waits for.
    pub kind: BlockingKind,
    /// How long that may take.
    pub stake: Stake,
    /// What to write in asynchronous code.
    pub instead: Option<String>,
    /// Arguments of which each alone makes the call return at once.
    #[serde(default)]
    pub unless: Vec<Condition>,
    /// The entry that holds where one of them is given, if the call does not return at once then.
    pub otherwise: Option<String>,
    /// What its receiver answers when there is nothing to wait for.
    pub unless_tested: Option<Tested>,
    /// What its receiver is told so that it never waits.
    #[serde(default)]
    pub unless_told: Vec<Told>,
    /// Exceptions by which it says that it would have to wait, instead of waiting: who catches one knows that it never
    /// does.
    #[serde(default)]
    pub unless_caught: Vec<String>,
}

/// `!empty`: a method of the receiver, and what it answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Tested {
    /// The method.
    pub method: String,
    /// Its answer.
    pub answer: bool,
}

impl From<String> for Tested {
    fn from(text: String) -> Self {
        match text.strip_prefix('!') {
            Some(method) => Self { method: method.to_owned(), answer: false },
            None => Self { method: text, answer: true },
        }
    }
}

/// `setblocking(False)`: a call of a method of the receiver.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Told {
    /// The method.
    pub method: String,
    /// Its first argument, a literal.
    pub argument: String,
}

impl TryFrom<String> for Told {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let call = text.strip_suffix(')').and_then(|call| call.split_once('('));
        let (method, argument) = call.ok_or_else(|| format!("`{text}` is no call such as `setblocking(False)`"))?;
        Ok(Self { method: method.to_owned(), argument: argument.to_owned() })
    }
}

/// What a blocking call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BlockingKind {
    /// The clock.
    Sleep,
    /// A peer on the network.
    Network,
    /// A database, embedded ones included.
    Database,
    /// The file system.
    File,
    /// As many files as a folder or archive holds.
    Tree,
    /// Another process.
    Process,
    /// The processor: work long enough to be felt.
    Cpu,
    /// Another thread: a lock, an event, a join, a future's result.
    LockWait,
    /// A message from another thread, or room for one.
    Channel,
    /// A person at the terminal, or the terminal itself.
    Console,
    /// A loop driven to completion, here and now.
    LoopEntry,
    /// An unpark.
    Park,
}

/// How long a blocking call may take. The one test behind severities, the same for both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stake {
    /// Microseconds, unless something is badly wrong.
    Micro,
    /// A disk, a fork, heavy arithmetic: milliseconds.
    Io,
    /// As long as somebody else likes.
    Unbounded,
}

/// An argument of a call with a certain value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub enum Condition {
    /// `block=False`: the keyword is given this literal. `timeout!=None`: it is given, and is not this literal.
    Keyword {
        /// The keyword.
        name: String,
        /// The literal as written.
        value: String,
        /// Whether it is this literal, rather than anything else.
        is: bool,
    },
    /// `0=False`, `1!=None`: the same of a positional argument.
    Position {
        /// Counted from 0, without the receiver.
        at: u8,
        /// The literal as written.
        value: String,
        /// Whether it is this literal, rather than anything else.
        is: bool,
    },
    /// `arg:LOCK_NB`: the name occurs anywhere in the arguments.
    Mentions(String),
}

impl TryFrom<String> for Condition {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("arg:") {
            return Ok(Self::Mentions(name.to_owned()));
        }
        let Some((left, value)) = text.split_once('=') else {
            return Err(format!("`{text}` is not a condition such as `block=False`, `0=False` or `arg:LOCK_NB`"));
        };
        let value = value.to_owned();
        let (left, is) = match left.strip_suffix('!') {
            Some(left) => (left, false),
            None => (left, true),
        };
        Ok(match left.parse() {
            Ok(at) => Self::Position { at, value, is },
            Err(_) => Self::Keyword { name: left.to_owned(), value, is },
        })
    }
}

/// A type whose value keeps others out, or counts who is in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The canonical name of the type (Python: also of a function that makes one).
    #[serde(skip)]
    pub name: String,
    /// What a wait for it does to the thread.
    pub flavour: Flavour,
    /// What sort of thing it is.
    pub kind: LockKind,
    /// Whether its holder may take it again.
    #[serde(default)]
    pub reentrant: bool,
    /// Who counts as its holder, where that is not the value that was acquired. Tasks of one loop share
    /// their thread: a lock owned by threads does not keep them apart.
    pub owner: Option<Owner>,
    /// Methods that take it exclusively, waiting as the flavour says.
    #[serde(default)]
    pub acquire: Vec<String>,
    /// Methods that take it together with other readers.
    #[serde(default)]
    pub shared: Vec<String>,
    /// Methods that take it together with readers and may become exclusive.
    #[serde(default)]
    pub upgradable: Vec<String>,
    /// Methods that take it exclusively or fail at once (or after a stated time).
    #[serde(default)]
    pub r#try: Vec<String>,
    /// The same, shared.
    #[serde(default)]
    pub try_shared: Vec<String>,
    /// Methods among `shared` that do not queue behind a waiting writer, so that a reader may call them again.
    #[serde(default)]
    pub recursive: Vec<String>,
    /// Methods of an asynchronous lock that block the thread.
    #[serde(default)]
    pub blocking: Vec<String>,
    /// The same, shared.
    #[serde(default)]
    pub blocking_shared: Vec<String>,
    /// Methods that hold it only while they run.
    #[serde(default)]
    pub during: Vec<String>,
    /// Methods that wait for something else than the lock: a signal, an item, a value. A condition's
    /// wait gives its own lock back meanwhile.
    #[serde(default)]
    pub wait: Vec<String>,
    /// Those of them that look for themselves at what is waited for, or end after a stated time.
    #[serde(default)]
    pub checked: Vec<String>,
    /// Methods that end such a wait, by the method that waits.
    #[serde(default)]
    pub wakes: BTreeMap<String, Vec<String>>,
    /// Those of them that reach only who waits already, and leave nothing for who comes later.
    #[serde(default)]
    pub fleeting: Vec<String>,
    /// Methods that take a signal back.
    #[serde(default)]
    pub reset: Vec<String>,
    /// Methods that let it go.
    #[serde(default)]
    pub release: Vec<String>,
    /// The managed block that takes it at its start and lets it go at its end.
    pub context: Option<Managed>,
    /// What a reader of a finding ought to know.
    pub note: Option<String>,
}

impl Lock {
    /// What calling `method` does to the lock; `None` if nothing.
    pub fn acquisition(&self, method: &str) -> Option<Acquisition> {
        use {Manner as M, Mode as D};
        let lists = [
            (&self.acquire, D::Exclusive, M::Waits),
            (&self.shared, D::Shared, M::Waits),
            (&self.upgradable, D::Upgradable, M::Waits),
            (&self.r#try, D::Exclusive, M::Tries),
            (&self.try_shared, D::Shared, M::Tries),
            (&self.blocking, D::Exclusive, M::Blocks),
            (&self.blocking_shared, D::Shared, M::Blocks),
            (&self.during, D::Exclusive, M::During),
        ];
        let has = |methods: &[String]| methods.iter().any(|known| known == method);
        lists.into_iter().find(|(methods, ..)| has(methods)).map(|(_, mode, manner)| Acquisition { mode, manner })
    }

    /// Whether whoever holds the lock may take it again by `method`.
    pub fn may_take_again(&self, method: &str) -> bool {
        self.reentrant || self.recursive.iter().any(|known| known == method)
    }

    /// Whether `method` lets the lock go.
    pub fn is_release(&self, method: &str) -> bool {
        self.release.iter().any(|known| known == method)
    }

    /// Whether `method` waits for something else than the lock.
    pub fn is_wait(&self, method: &str) -> bool {
        self.wait.iter().any(|known| known == method)
    }
}

/// What a call does to a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acquisition {
    /// Whom it keeps out.
    pub mode: Mode,
    /// How it gets there.
    pub manner: Manner,
}

/// How a method takes a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Waits as the lock's flavour says.
    Waits,
    /// Fails rather than wait without bound.
    Tries,
    /// Blocks the thread although the lock is asynchronous.
    Blocks,
    /// Waits, and has let go again when it returns.
    During,
}

/// Whom a lock that is held keeps out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Everybody.
    Exclusive,
    /// Writers.
    Shared,
    /// Writers, and others who mean to become one.
    Upgradable,
}

/// What a wait for a lock does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Flavour {
    /// Stops the thread.
    Blocking,
    /// Suspends the task.
    Async,
    /// Panics at once: a borrow flag.
    Cell,
    /// Nobody waits: an entered tracing span or runtime context, a flag against concurrent use.
    Span,
}

/// What sort of lock it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LockKind {
    /// One holder.
    Mutex,
    /// One writer or many readers.
    Rwlock,
    /// A fixed number of holders.
    Semaphore,
    /// A lock to wait on for a change.
    Condition,
    /// A flag to wait for.
    Event,
    /// Everybody waits for everybody.
    Barrier,
    /// Items handed from one to the other.
    Queue,
    /// A borrow flag.
    Cell,
    /// One part of a sharded map.
    MapShard,
    /// A limited stock of connections, or of slots in a channel.
    PermitPool,
    /// The latest value, read under a lock.
    Watch,
    /// A tracing span or runtime context.
    Span,
    /// Initialised once.
    Once,
    /// A transaction: rows, not objects.
    Transaction,
    /// So many in a stretch of time.
    RateLimit,
    /// No lock that is known: a value whose own type says where it must not be alive.
    Marked,
}

/// Who counts as the holder of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// The thread.
    Thread,
    /// The task.
    Task,
    /// The process.
    Process,
    /// Whoever has the same lock object.
    Instance,
    /// Whoever knows the name: shared beyond the machine.
    Lease,
}

/// The managed block that goes with a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, schemars::JsonSchema)]
pub enum Managed {
    /// `with`.
    #[serde(rename = "with")]
    With,
    /// `async with`.
    #[serde(rename = "async with")]
    AsyncWith,
    /// Either.
    #[serde(rename = "both")]
    Both,
}

impl Managed {
    /// Whether it is a managed block of this colour.
    pub fn fits(self, is_async: bool) -> bool {
        match self {
            Self::With => !is_async,
            Self::AsyncWith => is_async,
            Self::Both => true,
        }
    }
}

impl Entry for Managed {
    fn put_name(&mut self, _: &str) {}
}

/// A type whose value holds a lock for as long as it lives.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// The canonical name of the guard's type.
    #[serde(skip)]
    pub name: String,
    /// The lock type that it holds.
    pub of: String,
    /// Whom it keeps out.
    pub mode: Mode,
    /// Functions that take the guard and a closure and let the lock go while that runs.
    #[serde(default)]
    pub unlocked: Vec<String>,
}

/// What a type says of its values by an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Marker {
    /// They must not be alive where the task gives way.
    NotOverSuspension,
    /// Something happens when they end that others may wait for.
    EndMatters,
}

impl Entry for Marker {
    fn put_name(&mut self, _: &str) {}
}

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
}

impl Entry for Signature {
    fn put_name(&mut self, name: &str) {
        self.name = name.to_owned();
    }

    fn terms(&mut self) -> Vec<&mut Term> {
        std::iter::once(&mut self.returns).chain(&mut self.closure).collect()
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
        self.deref.iter_mut().chain(&mut self.item).collect()
    }
}

/// An argument of a call, by position, by keyword, or by whichever of them is there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "ArgumentForm")]
pub struct Argument {
    /// Counted from 0, without the receiver.
    pub position: Option<u8>,
    /// Keyword.
    pub keyword: Option<String>,
    /// Whether every positional argument from `position` on is meant: `gather(*tasks)`.
    pub rest: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ArgumentForm {
    Position(u8),
    Keyword(String),
    Both(u8, String),
}

impl From<ArgumentForm> for Argument {
    fn from(form: ArgumentForm) -> Self {
        let (position, keyword) = match form {
            ArgumentForm::Position(position) => (Some(position), None),
            ArgumentForm::Keyword(keyword) => (None, Some(keyword)),
            ArgumentForm::Both(position, keyword) => (Some(position), Some(keyword)),
        };
        match keyword {
            Some(keyword) if keyword == "*" => Self { position, keyword: None, rest: true },
            keyword => Self { position, keyword, rest: false },
        }
    }
}

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

/// What a method does to the collection that it is called on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It puts something in, whatever is there.
    Adds,
    /// It puts something in unless it is there, in one step.
    Ensures,
    /// It takes something out, if it is there.
    Removes,
}

impl Entry for Change {
    fn put_name(&mut self, _: &str) {}
}

/// A type of which every access is one step, and two accesses are two.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Atomic {
    /// The canonical name of the type.
    #[serde(skip)]
    pub name: String,
    /// Methods that read it.
    pub load: Vec<String>,
    /// Methods that write it.
    #[serde(default)]
    pub store: Vec<String>,
    /// Methods that write it if nobody has done so before, and fail otherwise.
    #[serde(default)]
    pub once: Vec<String>,
    /// Methods that read and write it in one step.
    #[serde(default)]
    pub update: Vec<String>,
    /// Those of them that may fail although nobody else was there, and are to be tried again.
    #[serde(default)]
    pub weak: Vec<String>,
}

/// A store of values by key that lies outside of the program and is shared with others.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// The canonical name of its client's type.
    #[serde(skip)]
    pub name: String,
    /// Methods that give the value of a key, which is their first argument.
    #[serde(default)]
    pub read: Vec<String>,
    /// Methods that replace it.
    #[serde(default)]
    pub write: Vec<String>,
    /// Methods that do several things in one step, or do them only if nothing changed.
    #[serde(default)]
    pub together: Vec<String>,
}

/// For what a call waits, when it is awaited, as long as somebody else likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitsFor {
    /// Another machine.
    Network,
    /// Another process.
    Process,
    /// Another task.
    Signal,
}

impl Entry for WaitsFor {
    fn put_name(&mut self, _: &str) {}
}
