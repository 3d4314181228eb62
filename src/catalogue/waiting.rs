//! What is lost with a future that is dropped, what belongs to one channel, what ends with its owner.

use serde::Deserialize;

use super::entry::{Argument, Entry};

macro_rules! entries {
    ($($entry:ty),*) => {
        $(impl Entry for $entry {
            fn put_name(&mut self, name: &str) {
                self.name = name.to_owned();
            }
        })*
    };
}
entries!(Interrupted, Channel, TaskOwner);

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
