//! What the catalogue says of locks: who keeps whom out, by which methods, and what holds one for as long as it lives.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Tables;
use super::entry::{Condition, Entry, entries};

entries!(Lock, Guard);

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

impl super::Tables {
    /// Whether a method of this name waits for some event, where nothing is known of what it is called on.
    pub fn waits_by_name(&self, method: &str) -> bool {
        self.locks.iter().any(|(_, lock)| lock.kind == LockKind::Event && lock.is_wait(method))
    }
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

impl Tables {
    /// What sort of lock a type is, if it is one.
    pub fn lock(&self, type_name: &str) -> Option<&Lock> {
        self.find_type(&self.locks, type_name)
    }

    /// What sort of lock a type of the project is, where the user says so.
    pub fn own_lock(&self, type_name: &str) -> Option<&Lock> {
        self.own.contains(type_name).then(|| self.locks.exact(type_name)).flatten()
    }

    /// Arguments by which whoever takes a lock gives up rather than wait without an end.
    pub fn giving_up(&self) -> &[Condition] {
        &self.giving_up
    }

    /// What a value of this type holds, if it is a guard.
    pub fn guard(&self, type_name: &str) -> Option<&Guard> {
        self.find_type(&self.guards, type_name)
    }

    /// Whether a value of this type does something for as long as it lives, without being a lock's guard.
    pub fn is_scope(&self, type_name: &str) -> bool {
        self.names(&self.scopes, type_name)
    }

    /// What an attribute of a type says of its values' lives, if it says anything.
    pub fn marker(&self, attribute: &str) -> Option<Marker> {
        self.markers.exact(attribute).copied()
    }

    /// What sort of context manager a decorator makes of a generator function.
    pub fn manager(&self, decorator: &str) -> Option<Managed> {
        self.find_type(&self.managers, decorator).copied()
    }

    /// Methods that take something, each with the one that gives it back, whoever has them.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(take, give)| (take, give.as_str()))
    }
}
