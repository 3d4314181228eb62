//! What patterns bind.
//!
//! A pattern is first taken apart into names with the values that they get; alternatives that bind the same name give
//! it a choice. Wildcards take nothing, so what they stand for stays where it is.

use syn::{Expr, Member, Pat};

use super::{Lowerer, spans, types};
use crate::flow::{Collection, Owner, StepKind, TypeTerm, ValueIndex, ValueKind, Variable, VariableIndex};
use crate::text::Span;

/// A name that a pattern binds.
#[derive(Debug)]
pub(super) struct Binding {
    pub(super) name: String,
    pub(super) annotation: Option<TypeTerm>,
    pub(super) value: Option<ValueIndex>,
    pub(super) span: Span,
}

impl Lowerer<'_> {
    /// Binds what a pattern finds in a value, in new variables of the innermost block.
    pub(super) fn bind_pattern(&mut self, pattern: &Pat, value: Option<ValueIndex>) {
        let bindings = self.take_apart(pattern, value);
        for binding in bindings {
            let variable = self.declare(&binding);
            if let Some(value) = binding.value {
                self.consume(value);
                self.frame.body.step(binding.span, StepKind::Bind(variable, value));
            }
        }
    }

    /// Names and values of a pattern, in order of appearance.
    pub(super) fn take_apart(&mut self, pattern: &Pat, value: Option<ValueIndex>) -> Vec<Binding> {
        let mut bindings = Vec::new();
        self.collect(pattern, value, None, &mut bindings);
        bindings
    }

    /// Makes the variable of a binding, visible and owned in the innermost block.
    pub(super) fn declare(&mut self, binding: &Binding) -> VariableIndex {
        let variable = self.frame.body.variable(Variable {
            name: binding.name.clone(),
            annotation: binding.annotation.clone(),
            annotated: Vec::new(),
            captures: None,
            span: binding.span,
        });
        if let Some(at) = self.block_scope() {
            let scope = &mut self.frame.scopes[at];
            scope.names.push((binding.name.clone(), variable));
            scope.owners.push((Owner::Variable(variable), crate::flow::Ending::Scope));
        }
        variable
    }

    fn collect(
        &mut self,
        pattern: &Pat,
        value: Option<ValueIndex>,
        annotation: Option<TypeTerm>,
        found: &mut Vec<Binding>,
    ) {
        match pattern {
            Pat::Ident(ident) => {
                if is_constant(ident) {
                    return;
                }
                let span = spans::token(ident.ident.span());
                let bound = match (&ident.by_ref, value) {
                    (Some(_), Some(value)) => Some(self.make(span, ValueKind::Reference(value))),
                    _ => value,
                };
                let name = types::name_of(&ident.ident);
                found.push(Binding { name, annotation, value: bound, span });
                if let Some((_, inner)) = &ident.subpat {
                    self.collect(inner, value, None, found);
                }
            }
            Pat::Type(typed) => {
                let annotation = Some(types::term(&typed.ty, self.text));
                self.collect(&typed.pat, value, annotation, found);
            }
            Pat::Paren(inner) => self.collect(&inner.pat, value, annotation, found),
            Pat::Guard(inner) => self.collect(&inner.pat, value, annotation, found),
            Pat::Reference(reference) => {
                let span = spans::node(pattern);
                let target = value.map(|value| self.make(span, ValueKind::Dereference(value)));
                self.collect(&reference.pat, target, None, found);
            }
            Pat::Tuple(tuple) => self.components(tuple.elems.iter().collect(), value, annotation, found),
            Pat::Slice(slice) => self.components(slice.elems.iter().collect(), value, None, found),
            Pat::TupleStruct(variant) => {
                let path = types::segments(&variant.path);
                let mut after_rest = false;
                for (at, inner) in variant.elems.iter().enumerate() {
                    after_rest |= matches!(inner, Pat::Rest(_));
                    if !binds(inner) {
                        continue;
                    }
                    let span = spans::node(inner);
                    let kind = |value| match after_rest {
                        true => ValueKind::Unknown,
                        false => ValueKind::Payload(value, path.clone(), at.to_string()),
                    };
                    let payload = value.map(|value| self.make(span, kind(value)));
                    self.collect(inner, payload, None, found);
                }
            }
            Pat::Struct(variant) => {
                let path = types::segments(&variant.path);
                for field in variant.fields.iter().filter(|field| binds(&field.pat)) {
                    let span = spans::node(&*field.pat);
                    let name = member(&field.member);
                    let payload =
                        value.map(|value| self.make(span, ValueKind::Payload(value, path.clone(), name.clone())));
                    self.collect(&field.pat, payload, None, found);
                }
            }
            Pat::Or(cases) => self.alternatives(&cases.cases, value, found),
            // Constants, literals, ranges, paths, wildcards, macros: they bind nothing that could be named here.
            _ => {}
        }
    }

    /// Patterns of which one fits: a name is what any of them binds to it.
    fn alternatives<'p>(
        &mut self,
        cases: impl IntoIterator<Item = &'p Pat>,
        value: Option<ValueIndex>,
        found: &mut Vec<Binding>,
    ) {
        let start = found.len();
        for case in cases {
            let mut more = Vec::new();
            self.collect(case, value, None, &mut more);
            for binding in more {
                match found[start..].iter_mut().find(|known| known.name == binding.name) {
                    Some(known) => {
                        let values = [known.value, binding.value].into_iter().flatten().collect();
                        known.value = Some(self.make(binding.span, ValueKind::Choice(values)));
                    }
                    None => found.push(binding),
                }
            }
        }
    }

    fn components(
        &mut self,
        elements: Vec<&Pat>,
        value: Option<ValueIndex>,
        annotation: Option<TypeTerm>,
        found: &mut Vec<Binding>,
    ) {
        let known = value.and_then(|value| match &self.frame.body.values[value.at()].kind {
            ValueKind::Collection(Collection::Tuple | Collection::List, items) => Some(items.len()),
            _ => None,
        });
        let count = elements.len();
        let mut annotations = match annotation {
            Some(TypeTerm::Tuple(terms)) if terms.len() == count => terms.into_iter().map(Some).collect(),
            _ => vec![None; count],
        };
        let mut after_rest = false;
        for (at, inner) in elements.into_iter().enumerate() {
            after_rest |= is_rest(inner);
            if !binds(inner) {
                continue;
            }
            // Behind `..` elements count from the end, which only a known length can place.
            let position = match (after_rest, known) {
                (false, _) => Some(at),
                (true, Some(length)) => (length + at).checked_sub(count),
                (true, None) => None,
            };
            let span = spans::node(inner);
            let kind = |value| match position {
                Some(position) => ValueKind::Component(value, position as u32),
                None => ValueKind::Unknown,
            };
            let component = value.map(|value| self.make(span, kind(value)));
            self.collect(inner, component, annotations[at].take(), found);
        }
    }
}

/// A field's name or number.
pub(super) fn member(member: &Member) -> String {
    match member {
        Member::Named(name) => types::name_of(name),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

/// Whether a lone name in a pattern is a constant or unit variant: it is written like one.
fn is_constant(ident: &syn::PatIdent) -> bool {
    ident.by_ref.is_none()
        && ident.mutability.is_none()
        && ident.subpat.is_none()
        && ident.ident.to_string().starts_with(|first: char| first.is_uppercase())
}

fn is_rest(pattern: &Pat) -> bool {
    match pattern {
        Pat::Rest(_) => true,
        Pat::Ident(ident) => ident.subpat.as_ref().is_some_and(|(_, inner)| is_rest(inner)),
        _ => false,
    }
}

/// Whether a pattern binds a name.
fn binds(pattern: &Pat) -> bool {
    match pattern {
        Pat::Ident(ident) => !is_constant(ident),
        Pat::Type(inner) => binds(&inner.pat),
        Pat::Paren(inner) => binds(&inner.pat),
        Pat::Guard(inner) => binds(&inner.pat),
        Pat::Reference(inner) => binds(&inner.pat),
        Pat::Tuple(inner) => inner.elems.iter().any(binds),
        Pat::Slice(inner) => inner.elems.iter().any(binds),
        Pat::TupleStruct(inner) => inner.elems.iter().any(binds),
        Pat::Struct(inner) => inner.fields.iter().any(|field| binds(&field.pat)),
        Pat::Or(inner) => inner.cases.iter().any(binds),
        _ => false,
    }
}

/// Whether a pattern is `_`, with or without a type.
pub(super) fn is_wildcard(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) => true,
        Pat::Type(inner) => is_wildcard(&inner.pat),
        Pat::Paren(inner) => is_wildcard(&inner.pat),
        _ => false,
    }
}

/// Whether a pattern borrows from what it takes apart: `ref x` extends a `let`'s temporaries.
pub(super) fn borrows(pattern: &Pat) -> bool {
    match pattern {
        Pat::Ident(ident) => ident.by_ref.is_some() || ident.subpat.as_ref().is_some_and(|(_, p)| borrows(p)),
        Pat::Type(inner) => borrows(&inner.pat),
        Pat::Paren(inner) => borrows(&inner.pat),
        Pat::Tuple(inner) => inner.elems.iter().any(borrows),
        Pat::Slice(inner) => inner.elems.iter().any(borrows),
        Pat::TupleStruct(inner) => inner.elems.iter().any(borrows),
        Pat::Struct(inner) => inner.fields.iter().any(|field| borrows(&field.pat)),
        Pat::Or(inner) => inner.cases.iter().any(borrows),
        _ => false,
    }
}

/// The guard of a match arm: syn keeps it on the pattern.
pub(super) fn guard(pattern: &Pat) -> Option<&Expr> {
    match pattern {
        Pat::Guard(guarded) => Some(&guarded.guard),
        _ => None,
    }
}
