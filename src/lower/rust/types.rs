//! Types as written, generic parameters, attributes.

use syn::punctuated::Punctuated;
use syn::{
    Attribute, Expr, GenericArgument, GenericParam, Generics, Meta, Path, PathArguments, ReturnType, Token, Type,
    TypeParamBound, WherePredicate,
};

use super::spans;
use crate::flow::{Decorator, Generic, TypeTerm};

/// Associated types that say what comes out of a trait: the only bindings that are kept.
const KEPT_BINDINGS: [&str; 3] = ["Output", "Item", "Target"];

/// A type as a term.
pub(super) fn term(ty: &Type, text: &str) -> TypeTerm {
    match ty {
        Type::Array(array) => TypeTerm::Slice(Box::new(term(&array.elem, text))),
        Type::Slice(slice) => TypeTerm::Slice(Box::new(term(&slice.elem, text))),
        Type::FnPtr(pointer) => TypeTerm::Function(
            pointer.inputs.iter().map(|input| term(&input.ty, text)).collect(),
            returned(&pointer.output, text).map(Box::new),
        ),
        Type::Group(group) => term(&group.elem, text),
        Type::Paren(paren) => term(&paren.elem, text),
        Type::ImplTrait(bounded) => TypeTerm::Bounds(bounds(&bounded.bounds, text)),
        Type::TraitObject(object) => TypeTerm::Bounds(bounds(&object.bounds, text)),
        Type::Path(typed) => {
            let head = typed.qself.as_ref().filter(|qself| qself.position == 0).map(|qself| term(&qself.ty, text));
            match (path_term(&typed.path, text), head) {
                (TypeTerm::Path { segments, args }, Some(TypeTerm::Path { segments: mut all, .. })) => {
                    all.extend(segments);
                    TypeTerm::Path { segments: all, args }
                }
                (path, _) => path,
            }
        }
        Type::Ptr(pointer) => TypeTerm::Reference(Box::new(term(&pointer.elem, text))),
        Type::Reference(reference) => TypeTerm::Reference(Box::new(term(&reference.elem, text))),
        Type::Tuple(tuple) => TypeTerm::Tuple(tuple.elems.iter().map(|elem| term(elem, text)).collect()),
        Type::Never(_) => TypeTerm::Other("!".to_owned()),
        Type::Infer(_) => TypeTerm::Other("_".to_owned()),
        _ => TypeTerm::Other(spans::node(ty).text(text).to_owned()),
    }
}

/// What a signature gives; `None` for nothing said.
pub(super) fn returned(output: &ReturnType, text: &str) -> Option<TypeTerm> {
    match output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some(term(ty, text)),
    }
}

/// A path used as a type or bound.
pub(super) fn path_term(path: &Path, text: &str) -> TypeTerm {
    if let Some(PathArguments::Parenthesized(signature)) = path.segments.last().map(|last| &last.arguments) {
        // `Fn(A) -> B` and its kin are functions to everyone who asks.
        return TypeTerm::Function(
            signature.inputs.iter().map(|input| term(&input.ty, text)).collect(),
            returned(&signature.output, text).map(Box::new),
        );
    }
    TypeTerm::Path { segments: segments(path), args: arguments(path, text) }
}

/// A path's segments without generic arguments.
pub(super) fn segments(path: &Path) -> Vec<String> {
    let of_a_crate = path.leading_colon.map(|_| String::new());
    of_a_crate.into_iter().chain(path.segments.iter().map(|segment| name_of(&segment.ident))).collect()
}

/// A name without its `r#`.
pub(super) fn name_of(ident: &proc_macro2::Ident) -> String {
    let name = ident.to_string();
    match name.strip_prefix("r#") {
        Some(plain) => plain.to_owned(),
        None => name,
    }
}

/// Generic arguments of the last segment that has some.
pub(super) fn arguments(path: &Path, text: &str) -> Vec<TypeTerm> {
    let arguments = path.segments.iter().rev().find_map(|segment| match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(arguments),
        PathArguments::None | PathArguments::Parenthesized(_) => None,
    });
    arguments.map_or_else(Vec::new, |arguments| generic_arguments(&arguments.args, text))
}

/// Generic arguments; lifetimes and most associated bindings are left out.
pub(super) fn generic_arguments(arguments: &Punctuated<GenericArgument, Token![,]>, text: &str) -> Vec<TypeTerm> {
    let term_of = |argument: &GenericArgument| match argument {
        GenericArgument::Type(ty) => Some(term(ty, text)),
        GenericArgument::Const(value) => Some(TypeTerm::Other(spans::expr(value).text(text).to_owned())),
        GenericArgument::AssocType(binding) if KEPT_BINDINGS.iter().any(|kept| binding.ident == kept) => {
            Some(TypeTerm::Binding(name_of(&binding.ident), Box::new(term(&binding.ty, text))))
        }
        GenericArgument::Constraint(bounded) if KEPT_BINDINGS.iter().any(|kept| bounded.ident == kept) => {
            let bounds = TypeTerm::Bounds(bounds(&bounded.bounds, text));
            Some(TypeTerm::Binding(name_of(&bounded.ident), Box::new(bounds)))
        }
        _ => None,
    };
    arguments.iter().filter_map(term_of).collect()
}

/// Trait bounds as terms; lifetimes are left out.
pub(super) fn bounds(bounds: &Punctuated<TypeParamBound, Token![+]>, text: &str) -> Vec<TypeTerm> {
    let term_of = |bound: &TypeParamBound| match bound {
        TypeParamBound::Trait(bound) => Some(path_term(&bound.path, text)),
        _ => None,
    };
    bounds.iter().filter_map(term_of).collect()
}

/// Type parameters with their bounds, those of the where-clause included. A predicate over something that is no
/// parameter (`Vec<T>: Send`) is left out.
pub(super) fn generics(generics: &Generics, text: &str) -> Vec<Generic> {
    let mut found: Vec<Generic> = generics
        .params
        .iter()
        .filter_map(|param| match param {
            GenericParam::Type(param) => {
                Some(Generic { name: name_of(&param.ident), bounds: bounds(&param.bounds, text) })
            }
            GenericParam::Lifetime(_) | GenericParam::Const(_) => None,
        })
        .collect();
    for predicate in generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
        if let WherePredicate::Type(predicate) = predicate
            && let Type::Path(bounded) = &predicate.bounded_ty
            && bounded.qself.is_none()
        {
            let name = segments(&bounded.path).join("::");
            let more = bounds(&predicate.bounds, text);
            match found.iter_mut().find(|generic| generic.name == name) {
                Some(generic) => generic.bounds.extend(more),
                // `Self: Sized` and `T::Item: Send` say something about names that bodies may mention.
                None => found.push(Generic { name, bounds: more }),
            }
        }
    }
    found
}

/// Attributes, outermost first; documentation comments are left out.
pub(super) fn decorators(attributes: &[Attribute], text: &str) -> Vec<Decorator> {
    attributes.iter().filter(|attribute| !attribute.path().is_ident("doc")).map(|a| decorator(a, text)).collect()
}

fn decorator(attribute: &Attribute, text: &str) -> Decorator {
    let arguments = match &attribute.meta {
        Meta::Path(_) => Vec::new(),
        Meta::List(list) => split_at_commas(spans::token(list.delimiter.span().join()).text(text)),
        Meta::NameValue(pair) => vec![(None, spans::expr(&pair.value).text(text).to_owned())],
    };
    Decorator {
        path: segments(attribute.path()),
        arguments,
        is_called: matches!(attribute.meta, Meta::List(_)),
        span: spans::between(attribute.pound_token.span, attribute.bracket_token.span.close()),
    }
}

/// The arguments of a delimited list as text, split at the commas of its own level.
fn split_at_commas(delimited: &str) -> Vec<(Option<String>, String)> {
    let inside = delimited.get(1..delimited.len().saturating_sub(1)).unwrap_or("");
    let mut parts = Vec::new();
    let (mut depth, mut is_text, mut start) = (0usize, false, 0);
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            b'"' => is_text = !is_text,
            b'(' | b'[' | b'{' if !is_text => depth += 1,
            b')' | b']' | b'}' if !is_text => depth = depth.saturating_sub(1),
            b',' if !is_text && depth == 0 => {
                parts.push(&inside[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inside[start..]);
    let argument = |part: &str| match part.split_once('=') {
        Some((name, value)) if name.trim().chars().all(|c| c.is_alphanumeric() || c == '_') => {
            (Some(name.trim().to_owned()), value.trim().to_owned())
        }
        _ => (None, part.trim().to_owned()),
    };
    parts.into_iter().map(argument).filter(|(_, text)| !text.is_empty()).collect()
}

/// The string in `#[path = "…"]`.
pub(super) fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find(|attribute| attribute.path().is_ident("path")).and_then(|attribute| match &attribute.meta {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                syn::Lit::Str(value) => Some(value.value()),
                _ => None,
            },
            _ => None,
        },
        Meta::Path(_) | Meta::List(_) => None,
    })
}
