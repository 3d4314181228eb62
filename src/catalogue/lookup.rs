//! How a name is found: as it stands, by its alias, as a method of a base, under the longest `*` above it.

use std::borrow::Cow;

use super::Tables;
use super::table::{self, Table};

impl Tables {
    /// The canonical name of something that is known by another, whole or by the path before it;
    /// `None` when the name is canonical already.
    pub fn alias(&self, name: &str) -> Option<String> {
        follow(&self.aliases, self.separator, name)
    }

    /// The name in a known library of what another hands on of it: `store::Env` for `engine::store::Env`, where nothing is
    /// known of the other.
    pub fn handed_on(&self, name: &str) -> Option<String> {
        let (head, rest) = name.split_once(self.separator)?;
        let library = rest.split(self.separator).next()?;
        let is_handed_on = library != rest && self.handed_on.iter().any(|one| one == library) && !self.has_root(head);
        is_handed_on.then(|| self.alias(rest).unwrap_or_else(|| rest.to_owned()))
    }

    /// The canonical name, which may be the name itself.
    pub fn canonical<'a>(&self, name: &'a str) -> Cow<'a, str> {
        match self.alias(name) {
            Some(canonical) => Cow::Owned(canonical),
            None => Cow::Borrowed(name),
        }
    }

    /// The canonical name of what the language lets everybody use without an import.
    pub fn prelude(&self, bare: &str) -> Option<&str> {
        self.prelude.exact(bare).map(String::as_str)
    }

    /// Whether a canonical name is that of something which the language itself gives everybody.
    pub fn is_builtin(&self, canonical: &str) -> bool {
        let bare = canonical.rsplit(self.separator).next().unwrap_or(canonical);
        self.prelude(bare) == Some(canonical)
    }

    /// The type of an attribute or variable of this name, where nothing but the name, or its ending after an
    /// underscore, says so.
    pub fn convention(&self, name: &str) -> Option<&str> {
        let by_ending = || {
            let (_, ending) = name.rsplit_once('_').filter(|(head, _)| !head.is_empty())?;
            self.conventions.exact(&format!("*_{ending}"))
        };
        self.conventions.exact(name).or_else(by_ending).map(String::as_str)
    }

    /// Whether the user states anything.
    pub fn has_own(&self) -> bool {
        !self.own.is_empty()
    }

    /// Whether anything is known of a library, given the first segment of its names.
    pub fn has_root(&self, root: &str) -> bool {
        self.blocking.goes_on_from(root)
            || self.locks.goes_on_from(root)
            || self.signatures.goes_on_from(root)
            || self.types.goes_on_from(root)
            || self.aliases.goes_on_from(root)
            || self.spawns.goes_on_from(root)
            || self.offload.goes_on_from(root)
    }

    /// Whether a call of this name means something here, so that looking through a dereference would lose it.
    pub fn knows(&self, name: &str) -> bool {
        self.find(&self.signatures, name).is_some()
            || self.blocking(name).is_some()
            || self.offload(name).is_some()
            || self.spawn(name).is_some()
            || self.awaitable(name).is_some()
    }

    /// Whether a thing of this name is described: a type, a lock, a guard or a call.
    pub fn describes(&self, name: &str) -> bool {
        self.lock(name).is_some() || self.guard(name).is_some() || self.type_shape(name).is_some() || self.knows(name)
    }

    /// The blocking method of this name that an imported trait brings, given what was imported: the trait, or the
    /// module that is opened.
    pub fn method_of_import(&self, imported: &str, is_opened: bool, method: &str, arguments: usize) -> Option<String> {
        let canonical = self.canonical(imported);
        let is_meant = |name: &str| match is_opened {
            true => name.rsplit_once(self.separator).is_some_and(|(module, _)| module == canonical),
            false => name == canonical,
        };
        let fitting = self.traits.iter().filter(|(name, least)| is_meant(name) && arguments >= usize::from(**least));
        let mut methods = fitting.map(|(name, _)| [name, method].join(self.separator));
        methods.find(|name| self.blocking.exact(name).is_some())
    }

    /// Whether a module of this name is likely made by a build, so that no repository has it.
    pub fn is_generated_module(&self, name: &str) -> bool {
        self.generated.iter().any(|known| match known.strip_prefix('*') {
            Some(ending) => name.ends_with(ending),
            None => name == known,
        })
    }

    pub(super) fn find<'t, T>(&'t self, table: &'t Table<T>, name: &str) -> Option<&'t T> {
        if let Some(found) = table.exact(name) {
            return Some(found);
        }
        let head = table::head(name);
        let is_known = table.begins_with(head) || self.types.begins_with(head);
        if !is_known && !self.aliases.begins_with(head) && !self.prelude.begins_with(head) {
            return None;
        }
        let name = match self.prelude.exact(name) {
            Some(canonical) => Cow::Borrowed(canonical.as_str()),
            None => self.canonical(name),
        };
        self.inherited(table, &name, BASES).or_else(|| table.covering(&name, self.separator))
    }

    pub(super) fn find_type<'t, T>(&'t self, table: &'t Table<T>, name: &str) -> Option<&'t T> {
        table.exact(name).or_else(|| table.exact(&self.alias(name)?))
    }

    fn inherited<'t, T>(&'t self, table: &'t Table<T>, name: &str, depth: u8) -> Option<&'t T> {
        if let Some(found) = table.exact(name) {
            return Some(found);
        }
        let (owner, method) = name.rsplit_once(self.separator)?;
        let bases = &self.types.exact(owner)?.bases;
        let deeper = depth.checked_sub(1)?;
        bases.iter().find_map(|base| self.inherited(table, &[base, method].join(self.separator), deeper))
    }

    pub(super) fn has(&self, list: &[String], name: &str) -> bool {
        let canonical = self.canonical(name);
        list.iter().any(|known| known == name || *known == *canonical)
    }

    pub(super) fn names(&self, known: &[String], name: &str) -> bool {
        let canonical = self.canonical(name);
        known.iter().any(|known| *known == *canonical)
    }
}

/// How many bases up a method is looked for; a cycle in a user's table must end.
pub(super) const BASES: u8 = 4;

/// Replaces the longest known path at the start of a name, as often as that helps.
pub(super) fn follow(aliases: &Table<String>, separator: &str, name: &str) -> Option<String> {
    let mut current: Option<String> = None;
    for _ in 0..BASES {
        let name = current.as_deref().unwrap_or(name);
        if !aliases.begins_with(table::head(name)) {
            break;
        }
        let Some((known, rest)) = prefixes(name, separator).find_map(|(head, rest)| Some((aliases.exact(head)?, rest)))
        else {
            break;
        };
        current = Some(format!("{known}{rest}"));
    }
    current
}

/// A name's leading paths, the longest first, each with what follows it.
pub(super) fn prefixes<'n>(name: &'n str, separator: &str) -> impl Iterator<Item = (&'n str, &'n str)> {
    let mut next = Some(name.len());
    std::iter::from_fn(move || {
        let at = next?;
        // The last byte of a separator stands in no name, and a byte is found sooner than a text.
        let last = *separator.as_bytes().last()?;
        next = memchr::memrchr(last, &name.as_bytes()[..at]).and_then(|found| (found + 1).checked_sub(separator.len()));
        Some(name.split_at(at))
    })
}
