//! What the catalogue says of waits among tasks: for what, through which channel, by whose waker, and what is lost with
//! a future that is dropped.

use serde::Deserialize;

use super::Tables;
use super::entry::{Argument, Entry, entries};

entries!(Interrupted, Channel, TaskOwner);

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

/// A call whose future loses something when it is dropped before its end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interrupted {
    /// The canonical name of the function or method.
    #[serde(skip)]
    pub name: String,
    /// What it loses.
    pub loses: Loses,
}

/// What a future loses when it is dropped before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loses {
    /// What it has read already.
    Input,
    /// Nobody knows how much of the output is written.
    Output,
    /// The item that it was given to send.
    Item,
    /// Its arrival, which the others wait for.
    Arrival,
    /// Its place in the queue.
    Turn,
    /// Nothing itself; what it gives is lost if whoever got it is dropped later.
    Taken,
}

/// A call that makes both ends of a channel, the sending one first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// The canonical name of the function.
    #[serde(skip)]
    pub name: String,
    /// Whether a sender waits while the channel is full.
    #[serde(default)]
    pub bounded: bool,
    /// The argument that says how much goes in, where a sender waits only if it is given and not 0.
    pub room: Option<Argument>,
    /// Methods that send.
    pub sends: Vec<String>,
    /// Methods that wait for an item, and end when every sender is gone.
    pub receives: Vec<String>,
}

/// A type whose value ends the tasks that it owns when it is dropped.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskOwner {
    /// The canonical name of the type.
    #[serde(skip)]
    pub name: String,
    /// Methods that only ask about the tasks.
    #[serde(default)]
    pub asks: Vec<String>,
}

impl Tables {
    /// For whom a call waits without an end when it is awaited, needing no lock for itself.
    pub fn waits(&self, name: &str) -> Option<WaitsFor> {
        self.find(&self.waits, name).copied()
    }

    /// Whether a call asks for what only others bring about, and returns at once.
    pub fn polls(&self, name: &str) -> bool {
        self.has(&self.polling, name)
    }

    /// Whether a call gives way, or stops the processor for a moment, without waiting for anything.
    pub fn yields(&self, name: &str) -> bool {
        self.has(&self.yielding, name)
    }

    /// Whether a method takes a result for a good one, and ends the thread otherwise.
    pub fn insists(&self, method: &str) -> bool {
        self.names(&self.insisting, method)
    }

    /// Which argument of the call is a future that it drops when its time is up.
    pub fn deadline(&self, name: &str) -> Option<&Argument> {
        self.find(&self.deadlines, name)
    }

    /// What the future of the call loses when it is dropped before its end.
    pub fn interrupted(&self, name: &str) -> Option<&Interrupted> {
        self.find(&self.interrupted, name)
    }

    /// The channel whose ends the call makes.
    pub fn channel(&self, name: &str) -> Option<&Channel> {
        self.find(&self.channels, name)
    }

    /// The channel that the method receives from, waiting, until every sender is gone.
    pub fn receives(&self, method: &str) -> Option<&Channel> {
        let method = self.canonical(method);
        self.channels.iter().map(|(_, channel)| channel).find(|channel| channel.receives.iter().any(|m| *m == *method))
    }

    /// Whether the method sends to a channel.
    pub fn sends(&self, method: &str) -> bool {
        let method = self.canonical(method);
        self.channels.iter().any(|(_, channel)| channel.sends.iter().any(|known| *known == *method))
    }

    /// Whether a method that sends never waits on channels of one making, and does on those of another.
    pub fn may_send_without_bound(&self, method: &str) -> bool {
        let sends = |channel: &&Channel| channel.sends.iter().any(|known| known == method);
        self.channels
            .iter()
            .map(|(_, channel)| channel)
            .filter(sends)
            .any(|known| !known.bounded && known.room.is_none())
    }

    /// Whether a type tells of what comes after it was made, and of nothing before.
    pub fn is_subscription(&self, type_name: &str) -> bool {
        self.names(&self.subscriptions, type_name)
    }

    /// What a type ends with it when its value is dropped.
    pub fn owner(&self, type_name: &str) -> Option<&TaskOwner> {
        self.find_type(&self.owners, type_name)
    }

    /// Whether a type is what a task hands on to be woken, or what that is got from.
    pub fn wakes_tasks(&self, type_name: &str) -> bool {
        self.names(&self.wakers, type_name) || self.gives_wakers(type_name)
    }

    /// Whether a type is what a waker is got from.
    pub fn gives_wakers(&self, type_name: &str) -> bool {
        self.names(&self.wakers_in, type_name)
    }

    /// Whether the language's tasks hand on what wakes them.
    pub fn knows_wakers(&self) -> bool {
        !self.wakers_in.is_empty()
    }

    /// Whether a value says that the task is to be woken later.
    pub fn is_pending(&self, value: &str) -> bool {
        self.names(&self.pending, value)
    }
}
