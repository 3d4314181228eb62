//! Locks that a generic type wraps around whatever it is given.
//!
//! ~~~text
//! struct Ranked<T> { inner: Mutex<T>, rank: u8 }     every `Ranked` in the project has this field
//! struct Device { queue: Ranked<Queue>, trackers: Ranked<Trackers> }     but these two are not one lock
//! ~~~
//!
//! Which lock it is says the field that holds the wrapper: its place is the wrapper's own.

use super::names::Item;
use super::types::Type;
use super::{Program, TypeId};
use crate::flow::{Generic, TypeTerm};
use crate::text::Language;

/// How many pointers lie at most around the lock.
const MOST_POINTERS: u32 = 4;

impl Program<'_> {
    /// Whether a field is a lock around a parameter of the type that has it, and the only such one.
    pub(super) fn wraps_its_parameter(&self, of: &Type, name: &str) -> bool {
        self.pointees(of).iter().find_map(|of| of.instance()?.definition).is_some_and(|id| self.is_wrapped(id, name))
    }

    fn is_wrapped(&self, id: TypeId, name: &str) -> bool {
        let definition = self.type_def(id);
        if definition.generics.is_empty() || self.language(id.module) != Language::Rust {
            return false;
        }
        let mut wrapped = definition.fields.iter().filter(|field| {
            field.annotation.as_ref().is_some_and(|term| self.is_lock_around(id, term, &definition.generics))
        });
        matches!((wrapped.next(), wrapped.next()), (Some(only), None) if only.name == name)
    }

    fn is_lock_around(&self, id: TypeId, term: &TypeTerm, generics: &[Generic]) -> bool {
        let definition = self.type_def(id);
        let mut term = term;
        for _ in 0..MOST_POINTERS {
            let TypeTerm::Path { segments, args } = term else { return false };
            let (Item::External(of), Some(last)) = (self.resolve(id.module, &definition.scope, segments), args.last())
            else {
                return false;
            };
            let tables = self.tables(Language::Rust);
            if tables.lock(&of).is_some() {
                return is_parameter(last, generics);
            }
            if tables.type_shape(&of).is_none_or(|shape| shape.deref.is_none()) {
                return false;
            }
            term = last;
        }
        false
    }
}

/// Whether a term is a type parameter, or one that may be missing.
fn is_parameter(term: &TypeTerm, generics: &[Generic]) -> bool {
    match term {
        TypeTerm::Path { segments, args } => match (&segments[..], &args[..]) {
            ([only], []) => generics.iter().any(|generic| generic.name == *only),
            ([only], [inside]) => only == "Option" && is_parameter(inside, generics),
            _ => false,
        },
        _ => false,
    }
}
