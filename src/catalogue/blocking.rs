//! What the catalogue says of calls that keep their thread waiting: how, how long, and when they do not.

use serde::{Deserialize, Serialize};

use super::entry::{Condition, entries};
use super::lookup::{BASES, prefixes};
use super::{Tables, table};

entries!(Blocking);

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

impl Tables {
    /// How a call blocks, if it does.
    pub fn blocking(&self, name: &str) -> Option<&Blocking> {
        self.blocking_within(name, BASES)
    }

    fn blocking_within(&self, name: &str, depth: u8) -> Option<&Blocking> {
        if let Some(found) = self.find(&self.blocking, name) {
            let covered = found.name.ends_with('*');
            let harmless = covered && self.harmless.iter().any(|harmless| *harmless == *self.canonical(name));
            return (!harmless).then_some(found);
        }
        // What covers everything below a type covers it below the types that derive from it.
        let deeper = depth.checked_sub(1)?;
        let name = self.canonical(name);
        if !self.types.begins_with(table::head(&name)) {
            return None;
        }
        prefixes(&name, self.separator).skip(1).find_map(|(owner, rest)| {
            let bases = &self.types.exact(owner)?.bases;
            bases.iter().find_map(|base| self.blocking_within(&[base, rest].concat(), deeper))
        })
    }

    /// How a call of a function of the project blocks, where the user says so. What its body shows does not count then.
    pub fn own_blocking(&self, name: &str) -> Option<&Blocking> {
        self.own.contains(name).then(|| self.blocking.exact(name)).flatten()
    }

    /// Whether any pattern of names is listed.
    pub fn has_blocking_patterns(&self) -> bool {
        self.blocking.iter().next().is_some_and(|(name, _)| name.starts_with('*'))
    }

    /// How a call blocks whose name fits a pattern, `*.drain`: the text of a call of which nothing else is known. The `*` at
    /// the head stands for one part or more, any other for one.
    pub fn blocking_by_pattern(&self, text: &str) -> Option<&Blocking> {
        self.blocking.iter().take_while(|(name, _)| name.starts_with('*')).find_map(|(pattern, entry)| {
            let parts: Vec<&str> = text.split(self.separator).collect();
            let tail: Vec<&str> = pattern.split(self.separator).skip(1).collect();
            let at = parts.len().checked_sub(tail.len()).filter(|at| *at > 0)?;
            let fits = tail.iter().zip(&parts[at..]).all(|(wanted, part)| *wanted == "*" || wanted == part);
            fits.then_some(entry)
        })
    }

    /// Whether a call of which nothing else is known speaks of the network by its name: `tubes.request.get`.
    pub fn speaks_of_network(&self, name: &str) -> bool {
        let mut parts = name.rsplit(self.separator);
        let last = parts.next().unwrap_or_default();
        self.network_verbs.iter().any(|verb| verb == last)
            && parts.any(|part| {
                let words = part.to_lowercase();
                self.network_places.iter().any(|place| words.ends_with(place.as_str()))
            })
    }

    /// Whether a call is one of a method of an open file of which nothing else is known.
    pub fn is_unknown_of_a_file(&self, name: &str) -> bool {
        let Some((of, method)) = name.rsplit_once(self.separator) else { return false };
        let is_known = method.starts_with("__") || self.file_methods_at_once.iter().any(|known| known == method);
        self.file_types.iter().any(|known| known == of) && !is_known && self.blocking(name).is_none()
    }

    /// Whether a method of this name comes back at once, whoever has it.
    pub fn is_brief(&self, method: &str) -> bool {
        self.brief.iter().any(|known| known == method)
    }
}
