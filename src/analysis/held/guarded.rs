//! Which types hold a lock for as long as their values live.

use crate::analysis::locks::{Lock, LockPlace};
use crate::analysis::types::Type;
use crate::analysis::{FunctionId, Program, TypeId};
use crate::catalogue::{Flavour, LockKind, Marker, Mode};
use crate::flow::{Collection, TypeTerm, ValueIndex, ValueKind};
use crate::text::Language;

/// How many types inside types are looked through for a guard.
const MOST_LEVELS: u32 = 4;

/// What a value holds for as long as it lives, as far as its type tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guarded {
    /// Canonical name of the lock's type, or of the type that says of itself where it must not be alive.
    pub type_name: String,
    pub(super) kind: LockKind,
    flavour: Flavour,
    pub(super) mode: Mode,
    is_reentrant: bool,
}

impl Guarded {
    /// The lock of a guard whose way is not known.
    pub(super) fn lock(&self, name: String) -> Lock {
        Lock {
            place: LockPlace::unknown(),
            kind: self.kind,
            flavour: self.flavour,
            mode: self.mode,
            is_reentrant: self.is_reentrant,
            name,
            type_name: self.type_name.clone(),
            is_resolved: self.kind != LockKind::Marked || self.flavour == Flavour::Span,
        }
    }
}

impl<'a> Program<'a> {
    /// Whether a value of this type holds a lock for as long as it lives.
    pub fn is_guard(&self, of: &Type) -> bool {
        self.guarded(of).is_some()
    }

    /// What a guard, or something with a guard inside, holds.
    pub fn guarded(&self, of: &Type) -> Option<Guarded> {
        let mut inside = Vec::new();
        if let Some(found) = self.guard_at(of, MOST_LEVELS, &mut inside) {
            return Some(found);
        }
        inside.into_iter().find_map(|id| self.guard_inside(id))
    }

    /// What a guard holds that a type is as it is written; the project's types in it go to `inside`.
    fn guard_at(&self, of: &Type, depth: u32, inside: &mut Vec<TypeId>) -> Option<Guarded> {
        if depth == 0 {
            return None;
        }
        match of {
            Type::Instance(instance) => {
                if let Some(id) = instance.definition {
                    if self.language(id.module) == Language::Rust {
                        inside.push(id);
                    }
                    return None;
                }
                let tables = self.tables(Language::Rust);
                if let Some(guard) = tables.guard(&instance.name) {
                    let lock = tables.lock(&guard.of)?;
                    return Some(Guarded {
                        type_name: guard.of.clone(),
                        kind: lock.kind,
                        flavour: lock.flavour,
                        mode: guard.mode,
                        is_reentrant: lock.reentrant,
                    });
                }
                // A shared pointer to a lock is not a guard; what owns its argument is.
                if tables.lock(&instance.name).is_some() {
                    return None;
                }
                // What an error may carry nobody means to keep.
                if tables.type_shape(&instance.name).is_some_and(|shape| shape.item.is_some()) {
                    return self.guard_at(&self.element_type(of), depth - 1, inside);
                }
                instance.arguments.iter().find_map(|of| self.guard_at(of, depth - 1, inside))
            }
            Type::Tuple(parts) | Type::Union(parts) => parts.iter().find_map(|of| self.guard_at(of, depth - 1, inside)),
            _ => None,
        }
    }

    /// What a guard holds that is among the fields of a type, or of the types of its fields; or else what one of these
    /// types says of itself. Each type is looked into once, nearest first: types that hold each other in many ways are
    /// common.
    fn guard_inside(&self, id: TypeId) -> Option<Guarded> {
        if let Some(known) = self.guards.borrow().get(&id) {
            return known.clone();
        }
        let mut found = None;
        let mut seen = vec![id];
        let mut level = 0..1;
        for _ in 1..MOST_LEVELS {
            for at in level.clone() {
                let definition = self.type_def(seen[at]);
                for (field, of) in definition.fields.iter().enumerate() {
                    if of.annotation.as_ref().is_some_and(is_borrowed) {
                        continue;
                    }
                    let of = self.deeper(Type::Unknown, || self.field_type(seen[at], field as u32));
                    let mut inside = Vec::new();
                    found = found.or(self.guard_at(&of, MOST_LEVELS, &mut inside));
                    inside.retain(|id| !seen.contains(id));
                    seen.extend(inside);
                }
            }
            level = level.end..seen.len();
            if found.is_some() || level.is_empty() {
                break;
            }
        }
        found = found.or_else(|| seen.iter().find_map(|id| self.marked(*id)));
        self.guards.borrow_mut().insert(id, found.clone());
        found
    }

    /// What a type of the project says of its own values' lives by an attribute, as it stands or behind a `cfg_attr`.
    fn marked(&self, id: TypeId) -> Option<Guarded> {
        let definition = self.type_def(id);
        let tables = self.tables(Language::Rust);
        let marker = definition.decorators.iter().find_map(|attribute| {
            tables.marker(&attribute.path.join("::")).or_else(|| {
                let hidden = attribute.arguments.iter().skip(1);
                hidden.filter_map(|(name, text)| tables.marker(name.as_ref().unwrap_or(text))).next()
            })
        })?;
        let flavour = match marker {
            Marker::NotOverSuspension => Flavour::Span,
            Marker::EndMatters => Flavour::Blocking,
        };
        Some(Guarded {
            type_name: definition.qualified.clone(),
            kind: LockKind::Marked,
            flavour,
            mode: Mode::Exclusive,
            is_reentrant: true,
        })
    }

    /// Whether a value is made here whose type says of itself where it must not be alive.
    pub(super) fn marked_made(&self, id: FunctionId, value: ValueIndex) -> Option<Lock> {
        let function = self.function(id);
        let ValueKind::Collection(Collection::Struct(path), _) = &function.value(value).kind else { return None };
        let definition = self.value_type(id, value).instance()?.definition?;
        Some(self.marked(definition)?.lock(path.last().cloned().unwrap_or_default()))
    }
}

/// Whether a value of a type as it is written owns nothing: `&Guard`, `Option<&Guard>`.
pub(super) fn is_borrowed(term: &TypeTerm) -> bool {
    match term {
        TypeTerm::Reference(_) => true,
        TypeTerm::Path { args, .. } | TypeTerm::Tuple(args) => !args.is_empty() && args.iter().all(is_borrowed),
        _ => false,
    }
}
