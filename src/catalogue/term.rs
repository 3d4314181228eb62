//! Types as the catalogue writes them.
//!
//! ~~~text
//! Result<std::sync::MutexGuard<T>, _>     T is the receiver's own parameter, _ is not known
//! Future<(arg0, Option<closure0>)>        awaiting it gives a tuple
//! builtins.list<(_, item0)>               item0 is what a loop over the first argument gives
//! supplied0                               what a framework gets from the provider that is the first argument
//! ~~~
//!
//! The same grammar serves Python (`dict<K, V>`), so that resolving a signature is one piece of code.
//! Lifetimes, bounds, `dyn` and `impl` have no place here: they decide nothing about concurrency.

use serde::Deserialize;

/// A type, or how to get at one from the call that a signature describes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub enum Term {
    /// A named type with its type arguments.
    Path {
        /// Canonical qualified name.
        name: String,
        /// Type arguments, in order; may be fewer than the type has.
        args: Vec<Term>,
    },
    /// `&T` or `&mut T`.
    Reference(Box<Term>),
    /// `(A, B)`; empty for the unit type.
    Tuple(Vec<Term>),
    /// Nothing is known.
    Unknown,
    /// A parameter of the receiver's type: one upper-case letter, by the name its shape gives it.
    Param(String),
    /// The receiver's own type, references taken off.
    SelfType,
    /// The type of an argument, counted from 0 without the receiver, references taken off.
    Argument(u8),
    /// What a loop over an argument gives.
    Item(u8),
    /// What a framework gets from the function, generator or class at this argument: called, awaited, advanced.
    Supplied(u8),
    /// Must be awaited, and gives this then.
    Future(Box<Term>),
    /// What the closure at this argument returns.
    ClosureResult(u8),
}

impl Term {
    /// Reads a term; the error is a sentence for the person who wrote it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { text, rest: text };
        let term = reader.term()?;
        if reader.rest.trim().is_empty() { Ok(term) } else { Err(reader.unexpected()) }
    }

    /// Applies `change` to the name of every path in the term.
    pub(super) fn rename(&mut self, change: &impl Fn(&str) -> Option<String>) {
        match self {
            Self::Path { name, args } => {
                if let Some(better) = change(name) {
                    *name = better;
                }
                args.iter_mut().for_each(|arg| arg.rename(change));
            }
            Self::Reference(inner) | Self::Future(inner) => inner.rename(change),
            Self::Tuple(parts) => parts.iter_mut().for_each(|part| part.rename(change)),
            Self::Unknown | Self::Param(_) | Self::SelfType => {}
            Self::Argument(_) | Self::Item(_) | Self::Supplied(_) | Self::ClosureResult(_) => {}
        }
    }
}

impl TryFrom<String> for Term {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl Reader<'_> {
    fn term(&mut self) -> Result<Term, String> {
        if self.eat('&') {
            if let Some(rest) = self.rest.strip_prefix("mut ") {
                self.rest = rest;
            }
            return Ok(Term::Reference(Box::new(self.term()?)));
        }
        if self.eat('(') {
            return Ok(Term::Tuple(self.list(')')?));
        }
        let name = self.name()?;
        let args = if self.eat('<') { self.list('>')? } else { Vec::new() };
        let numbered = |prefix: &str| name.strip_prefix(prefix).and_then(|number| number.parse().ok());
        Ok(match (name.as_str(), args.len()) {
            ("_", 0) => Term::Unknown,
            ("Self", 0) => Term::SelfType,
            ("Future", 1) => Term::Future(Box::new(args.into_iter().next().unwrap_or(Term::Unknown))),
            (one, 0) if one.len() == 1 && one.starts_with(|c: char| c.is_ascii_uppercase()) => Term::Param(name),
            (_, 0) => {
                let form = numbered("arg").map(Term::Argument);
                let form = form.or_else(|| numbered("item").map(Term::Item));
                let form = form.or_else(|| numbered("supplied").map(Term::Supplied));
                let form = form.or_else(|| numbered("closure").map(Term::ClosureResult));
                form.unwrap_or(Term::Path { name, args })
            }
            _ => Term::Path { name, args },
        })
    }

    fn list(&mut self, close: char) -> Result<Vec<Term>, String> {
        let mut terms = Vec::new();
        while !self.eat(close) {
            if !terms.is_empty() && !self.eat(',') {
                return Err(self.unexpected());
            }
            terms.push(self.term()?);
        }
        Ok(terms)
    }

    fn name(&mut self) -> Result<String, String> {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || "_.:".contains(c))).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            return Err(self.unexpected());
        }
        self.rest = rest;
        Ok(name.to_owned())
    }

    fn eat(&mut self, wanted: char) -> bool {
        let rest = self.rest.trim_start();
        let found = rest.strip_prefix(wanted);
        self.rest = found.unwrap_or(rest);
        found.is_some()
    }

    fn unexpected(&self) -> String {
        match self.rest.chars().next() {
            Some(found) => format!("unexpected `{found}` in the type `{}`", self.text),
            None => format!("the type `{}` ends too early", self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str, args: Vec<Term>) -> Term {
        Term::Path { name: name.to_owned(), args }
    }

    #[test]
    fn terms_nest() {
        let guard = path("std::sync::MutexGuard", vec![Term::Param("T".to_owned())]);
        assert_eq!(Term::parse("Result<std::sync::MutexGuard<T>, _>"), Ok(path("Result", vec![guard, Term::Unknown])));
        assert_eq!(
            Term::parse("Future<(&mut arg0, closure1, Self)>"),
            Ok(Term::Future(Box::new(Term::Tuple(vec![
                Term::Reference(Box::new(Term::Argument(0))),
                Term::ClosureResult(1),
                Term::SelfType
            ]))))
        );
        assert_eq!(Term::parse("()"), Ok(Term::Tuple(vec![])));
        assert_eq!(Term::parse("io.TextIOWrapper"), Ok(path("io.TextIOWrapper", vec![])));
    }

    #[test]
    fn malformed_terms_say_where() {
        assert_eq!(Term::parse("Vec<T"), Err("the type `Vec<T` ends too early".to_owned()));
        assert_eq!(Term::parse("Vec<T>>"), Err("unexpected `>` in the type `Vec<T>>`".to_owned()));
        assert!(Term::parse("").is_err());
    }
}
