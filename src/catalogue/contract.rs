//! What libraries ask of concurrent code, by the shape of the demand.
//!
//! A contract fits one of these shapes, or it is documentation and not code. Each shape is one table, `[contracts.…]`,
//! and one check; a library is one line.

use serde::Deserialize;

use super::entry::{Argument, entries};
use super::table::Table;
use super::{Tables, locks};

macro_rules! contracts {
    ($($(#[$doc:meta])* $table:ident: $entry:ty,)*) => {
        /// The tables of contracts, by shape.
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
        pub(super) struct Contracts {
            $($(#[$doc])* $table: Table<$entry>,)*
            /// Calls that give the thread a loop of its own, or ask which thread it is.
            own_loop: Vec<String>,
            /// Calls that say who is running: this thread, this task.
            who: Vec<String>,
            /// Calls that give nothing to await.
            plain: Vec<String>,
            /// Calls that start a thread around which nothing is set up.
            bare: Vec<String>,
            /// Calls that raise in a thread that has no loop.
            current_loop: Vec<String>,
            /// Calls that take a lock of the library's own, which its holder cannot take again.
            own_lock: Vec<String>,
        }

        impl Contracts {
            pub(super) fn absorb(&mut self, more: Self) {
                $(self.$table.absorb(more.$table);)*
                self.own_loop.extend(more.own_loop);
                self.who.extend(more.who);
                self.plain.extend(more.plain);
                self.bare.extend(more.bare);
                self.current_loop.extend(more.current_loop);
                self.own_lock.extend(more.own_lock);
            }
        }
    };
}

contracts! {
    /// Calls that only the loop's own thread may make.
    affine: Affine,
    /// What belongs to the loop in which it is made or first used.
    bound: LoopBound,
    /// Objects that one task at a time may use.
    exclusive: Exclusive,
    /// Handles that somebody must close.
    closed: Closed,
    /// Objects that lose what they have read.
    expires: Expires,
    /// Results that are there only after a wait.
    ready: Ready,
    /// Where a coroutine function, or a plain one, is not what is called for.
    colour: Colours,
    /// Types that are entered one way only.
    entered: Entered,
    /// Calls that refuse bare coroutines.
    tasks_only: Argument,
    /// Calls that refuse what cannot be awaited.
    awaitable_only: Argument,
    /// Calls that need something around them.
    needs: Needs,
    /// What must be made once, outside the loop that uses it.
    once: Once,
    /// How many workers an attribute's runtime has.
    workers: Workers,
    /// Waits whose failure need not be the end.
    goes_on: GoesOn,
}

/// A call that only the loop's own thread may make.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Affine {
    /// The canonical name of the function or method.
    #[serde(skip)]
    pub name: String,
    /// What other threads call instead.
    pub instead: String,
}

/// Something that belongs to one event loop.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoopBound {
    /// The canonical name of the function or type that makes it.
    #[serde(skip)]
    pub name: String,
    /// When it is bound.
    pub when: Binding,
    /// The Python version from which on it is bound only when it is first used: `3.10`.
    #[serde(default)]
    pub until: Option<Version>,
    /// Whether it cannot be made at all where no loop runs.
    #[serde(default)]
    pub running: bool,
}

/// When an object is bound to its loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Binding {
    /// When it is made.
    Made,
    /// When somebody first waits for it, or it opens its first connection.
    Used,
}

/// A version of Python: major and minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Version(pub u8, pub u8);

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts = text.split_once('.');
        let numbers = parts.and_then(|(major, minor)| Some(Self(major.parse().ok()?, minor.parse().ok()?)));
        numbers.ok_or_else(|| format!("`{text}` is not a version such as `3.10`"))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// An object that one task at a time may use.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusive {
    /// The canonical name of the type.
    #[serde(skip)]
    pub name: String,
    /// The methods during which nobody else may use it.
    pub uses: Vec<String>,
    /// What happens otherwise: "raises while another statement is under way".
    pub harm: String,
    /// What to do: "open a session for each task".
    pub instead: String,
}

/// A handle that somebody must close.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// The canonical name of the function or type that makes it.
    #[serde(skip)]
    pub name: String,
    /// The methods that close it, the best first.
    pub by: Vec<String>,
    /// What happens otherwise: "its connections stay open".
    pub harm: String,
    /// Whether others only use it when they are lent it: it is closed by value.
    #[serde(default)]
    pub lends: bool,
}

/// An object whose things lose what they have read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expires {
    /// The canonical name of the type that things are read from.
    #[serde(skip)]
    pub name: String,
    /// The method after which they have lost it.
    pub by: String,
    /// Methods that give an argument its values back, or take it out.
    pub renewed: Vec<String>,
    /// Methods that put an argument in.
    pub added: Vec<String>,
    /// Methods, of it or of a result of it, that give things which expire rather than plain values.
    pub gives: Vec<String>,
    /// The setting that keeps them; a project in which it stands anywhere is not looked at.
    pub unless: String,
    /// What happens otherwise.
    pub harm: String,
}

/// A result that is there only after a wait.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ready {
    /// The canonical name of the method.
    #[serde(skip)]
    pub name: String,
    /// What it does too early.
    pub harm: String,
}

/// A place where only functions of one colour do what they should.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Colours {
    /// The canonical name of the decorator, or of the method that is overridden.
    #[serde(skip)]
    pub name: String,
    /// What becomes of an `async def` there.
    pub r#async: Option<String>,
    /// What becomes of the coroutine that a plain function there returns.
    pub returned: Option<String>,
}

/// How a type is entered.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entered {
    /// The canonical name of the function or type that makes it.
    #[serde(skip)]
    pub name: String,
    /// The managed block that it is made for.
    pub with: locks::Managed,
}

/// A call that needs something around it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// The canonical name of the function or method.
    #[serde(skip)]
    pub name: String,
    /// What it needs.
    pub what: Need,
    /// The exceptions that whoever takes one of them is ready for its failure.
    #[serde(default)]
    pub refusals: Vec<String>,
}

/// What a call needs around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// A running loop or an entered runtime on its thread.
    Runtime,
    /// A runtime with more than one worker.
    Workers,
    /// The main thread of the process.
    MainThread,
}

/// A wait whose failure need not be the end of what it waits for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoesOn {
    /// The canonical name of the method.
    #[serde(skip)]
    pub name: String,
    /// The failure after which it goes on.
    pub after: String,
    /// When that comes.
    pub when: String,
}

/// How many workers an attribute's runtime has, by what stands in its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workers {
    /// The canonical name of the attribute.
    #[serde(skip)]
    pub name: String,
    /// The argument that makes it a runtime with one worker.
    pub one: Option<String>,
    /// The argument without which it is one.
    pub many: Option<String>,
}

impl Workers {
    /// Whether there is one worker, given which arguments are written.
    pub fn is_single(&self, is_written: impl Fn(&str) -> bool) -> bool {
        self.one.as_deref().is_some_and(&is_written) || self.many.as_deref().is_some_and(|many| !is_written(many))
    }
}

/// Something that must be made once, outside the loop that uses it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Once {
    /// The canonical name of the function that makes it.
    #[serde(skip)]
    pub name: String,
    /// The method that uses it.
    pub by: String,
    /// What happens otherwise.
    pub harm: String,
}

entries!(Affine, LoopBound, Exclusive, Closed, Expires, Ready, Colours, Entered, Needs, Once, Workers, GoesOn);

impl Tables {
    /// What other threads than the loop's own call instead of this.
    pub fn affine(&self, name: &str) -> Option<&Affine> {
        self.find(&self.contracts.affine, name)
    }

    /// Whether a call makes something that belongs to one loop.
    pub fn loop_bound(&self, name: &str) -> Option<&LoopBound> {
        self.find(&self.contracts.bound, name)
    }

    /// Whether a call says who is running: this thread, this task.
    pub fn says_who(&self, name: &str) -> bool {
        let canonical = self.canonical(name);
        self.contracts.who.iter().any(|known| known == name || *known == *canonical)
    }

    /// Whether a call gives its thread a loop of its own, or asks which thread it is.
    pub fn has_own_loop(&self, name: &str) -> bool {
        let canonical = self.canonical(name);
        self.contracts.own_loop.iter().any(|known| known == name || *known == *canonical)
    }

    /// Whether a call raises in a thread that has no loop.
    pub fn wants_current_loop(&self, name: &str) -> bool {
        let canonical = self.canonical(name);
        self.contracts.current_loop.iter().any(|known| *known == *canonical)
    }

    /// Whether a call takes a lock of the library's own, which its holder cannot take again.
    pub fn locks_inside(&self, name: &str) -> bool {
        let canonical = self.canonical(name);
        self.contracts.own_lock.iter().any(|known| *known == *canonical)
    }

    /// Whether one task at a time may use an object of this type.
    pub fn exclusive(&self, type_name: &str) -> Option<&Exclusive> {
        self.find_with_bases(&self.contracts.exclusive, type_name)
    }

    /// How what this call makes is closed.
    pub fn closed(&self, name: &str) -> Option<&Closed> {
        self.find(&self.contracts.closed, name)
    }

    /// What makes the things of an object of this type lose their values.
    pub fn expires(&self, type_name: &str) -> Option<&Expires> {
        self.find_with_bases(&self.contracts.expires, type_name)
    }

    /// Whether the result of this method is there only after a wait.
    pub fn ready(&self, method: &str) -> Option<&Ready> {
        self.find(&self.contracts.ready, method)
    }

    /// Which colours a decorator is made for.
    pub fn colours_of_decorator(&self, name: &str) -> Option<&Colours> {
        self.find(&self.contracts.colour, name)
    }

    /// Which colours a method that overrides one of `base` may have.
    pub fn colours_of_method(&self, base: &str, method: &str) -> Option<&Colours> {
        self.find(&self.contracts.colour, &[base, method].join(self.separator))
    }

    /// How what this call makes is entered.
    pub fn entered(&self, name: &str) -> Option<locks::Managed> {
        self.find(&self.contracts.entered, name).map(|entered| entered.with)
    }

    /// Whether a call gives nothing to await.
    pub fn is_plain(&self, name: &str) -> bool {
        let canonical = self.canonical(name);
        self.contracts.plain.iter().any(|known| *known == *canonical) || self.inherits_plain(&canonical)
    }

    /// Which argument of the call refuses bare coroutines.
    pub fn refuses_coroutines(&self, name: &str) -> Option<&Argument> {
        self.find(&self.contracts.tasks_only, name)
    }

    /// Which argument of the call refuses what cannot be awaited.
    pub fn refuses_results(&self, name: &str) -> Option<&Argument> {
        self.find(&self.contracts.awaitable_only, name)
    }

    /// What a call needs around it.
    pub fn needs(&self, name: &str) -> Option<&Needs> {
        self.find(&self.contracts.needs, name)
    }

    /// Whether what this call makes must be made once, outside the loop that uses it.
    pub fn once(&self, name: &str) -> Option<&Once> {
        self.find(&self.contracts.once, name)
    }

    /// After which failure a wait goes on.
    pub fn goes_on(&self, method: &str) -> Option<&GoesOn> {
        self.find(&self.contracts.goes_on, method)
    }

    /// How many workers the runtime of an attribute has.
    pub fn workers(&self, attribute: &str) -> Option<&Workers> {
        self.find(&self.contracts.workers, attribute)
    }

    /// Whether a call starts a thread around which nothing is set up.
    pub fn starts_bare_thread(&self, name: &str) -> bool {
        let canonical = self.canonical(name);
        self.contracts.bare.iter().any(|known| *known == *canonical)
    }

    fn inherits_plain(&self, name: &str) -> bool {
        let Some((owner, method)) = name.rsplit_once(self.separator) else { return false };
        let Some(shape) = self.type_shape(owner) else { return false };
        let of_base = |base: &String| [base, method].join(self.separator);
        shape.bases.iter().any(|base| self.contracts.plain.contains(&of_base(base)))
    }

    fn find_with_bases<'t, T>(&'t self, table: &'t Table<T>, type_name: &str) -> Option<&'t T> {
        self.find_type(table, type_name).or_else(|| {
            let bases = &self.type_shape(type_name)?.bases;
            bases.iter().find_map(|base| self.find_type(table, base))
        })
    }
}
