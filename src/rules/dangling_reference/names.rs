//! Names that nothing binds, and attributes, paths and methods that are no more.

use std::collections::BTreeSet;

use crate::analysis::names::{Item, Missing};
use crate::analysis::types::Type;
use crate::analysis::{FunctionId, TypeId};
use crate::flow::{Callee, Field, Function, Root, Scope, Step, StepKind, ValueIndex, ValueKind};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Verdict};

use super::super::context::RuleContext;
use super::{NAME, is_guarded, of_missing};

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let shape = cx.program.shape(id);
    let mut told = BTreeSet::new();
    for (at, value) in function.values.iter().enumerate() {
        let index = ValueIndex(at as u32);
        if !shape.is_reachable(value.block) || is_guarded(&function, value.span) {
            continue;
        }
        let found = match cx.language(id.module) {
            Language::Python => in_python(cx, id, &value.kind, index),
            Language::Rust => in_rust(cx, id, &function, &value.kind, value.span),
        };
        let Some(found) = found.filter(|_| !cx.is_to_fail(id, value.span)) else { continue };
        let (name, verdict) = match found {
            Found::Unbound(name) => {
                let verdict = cx
                    .violated(NAME, Confidence::High, id, value.span, &format!("`{name}`"))
                    .assumes(format!("`{name}` is defined"))
                    .says(format!("`{name}` is used, and nothing defines it"))
                    .helps("define or import it, or take the reference out");
                (name, verdict)
            }
            Found::Missing(missing) => {
                let verdict = of_missing(cx, id, value.span, &missing, "used");
                (missing.name, verdict)
            }
            Found::Method(of, name) => {
                let definition = cx.program.type_def(of);
                let (owner, header) = (definition.name.clone(), definition.header);
                let at = crate::verdict::Location { path: cx.program.module(of.module).path.clone(), span: header };
                let verdict = cx
                    .violated(NAME, Confidence::High, id, value.span, &format!("`{owner}` `{name}`"))
                    .assumes(format!("`{owner}` has a `{name}`"))
                    .says(format!("`{name}` is called, which `{owner}` no longer has"))
                    .helps("call what took its place, or put it back")
                    .evidence(at, format!("`{owner}` is defined here"));
                (name, verdict)
            }
        };
        if told.insert(name) {
            out.push(verdict);
        }
    }
}

enum Found {
    /// A bare name that nothing binds.
    Unbound(String),
    /// A name of a file of the project that the file does not have.
    Missing(Missing),
    /// A method that the change took from a type.
    Method(TypeId, String),
}

fn in_python(cx: &RuleContext, id: FunctionId, kind: &ValueKind, index: ValueIndex) -> Option<Found> {
    let scope = Scope { module: Vec::new(), function: Some(id.index) };
    let unbound = |name: &String| cx.program.is_unbound(id.module, &scope, name);
    match kind {
        ValueKind::Place(place) => {
            let Root::Global(path) = &place.root else { return None };
            let [name] = &path[..] else { return None };
            if unbound(name) {
                return Some(Found::Unbound(name.clone()));
            }
            let Some(Field::Name(attribute)) = place.fields.first() else { return None };
            let Item::Module(module, path) = cx.program.resolve(id.module, &scope, std::slice::from_ref(name)) else {
                return None;
            };
            let lacks = cx.program.lacks_name(module, &path, attribute)
                && cx.program.is_surely_meant(id.module, module)
                && !is_given(cx, id, name, attribute);
            lacks.then(|| Found::Missing(Missing { name: attribute.clone(), within: Some(module) }))
        }
        ValueKind::Call(call) => match &call.callee {
            Callee::Path(path) => {
                let [name] = &path[..] else { return None };
                unbound(name).then(|| Found::Unbound(name.clone()))
            }
            Callee::Method(on, name) => {
                let receiver = cx.resolution(id, index).receiver.clone()?;
                let is_given = || match &cx.function(id).value(*on).kind {
                    ValueKind::Place(place) => match &place.root {
                        Root::Global(path) => path.last().is_some_and(|module| is_given(cx, id, module, name)),
                        Root::Variable(_) => false,
                    },
                    _ => false,
                };
                match receiver {
                    Type::Module(of) => {
                        let Item::Module(module, path) = &*of else { return None };
                        let is_missing = cx.program.lacks_name(*module, path, name)
                            && cx.program.is_surely_meant(id.module, *module)
                            && !is_given();
                        is_missing.then(|| Found::Missing(Missing { name: name.clone(), within: Some(*module) }))
                    }
                    Type::Instance(of) => lost(cx, of.definition?, name),
                    Type::Class(of) => lost(cx, of, name),
                    _ => None,
                }
            }
            Callee::Value(_) | Callee::Super(_) | Callee::Macro(_) => None,
        },
        _ => None,
    }
}

fn in_rust(cx: &RuleContext, id: FunctionId, function: &Function, kind: &ValueKind, span: Span) -> Option<Found> {
    let in_macro = || {
        function.values.iter().any(|value| match &value.kind {
            ValueKind::Call(call) => matches!(call.callee, Callee::Macro(_)) && value.span.contains(span),
            _ => false,
        })
    };
    let scope = Scope { module: function.scope.module.clone(), function: Some(id.index) };
    let (path, is_call) = match kind {
        ValueKind::Path(path, _) => (path, false),
        ValueKind::Call(call) => match &call.callee {
            Callee::Path(path) => (path, true),
            Callee::Method(receiver, name) => {
                let of = cx.program.value_type(id, *receiver).instance()?.definition?;
                return lost(cx, of, name);
            }
            Callee::Value(_) | Callee::Super(_) | Callee::Macro(_) => return None,
        },
        _ => return None,
    };
    if let [only] = &path[..] {
        // A macro may have defined it, so only what the other side had counts.
        let here = Scope { module: function.scope.module.clone(), function: None };
        let file = cx.program.module(id.module).path.clone();
        let is_gone = is_call
            && cx.program.bound_on_the_other_side(&file, &here, only)
            && cx.program.resolve(id.module, &scope, path) == Item::Unknown
            && cx.program.lacks_name(id.module, &here.module, only);
        return (is_gone && !in_macro()).then(|| Found::Unbound(only.clone()));
    }
    let missing = cx.program.missing_path(id.module, &scope, path)?;
    (!in_macro()).then_some(Found::Missing(missing))
}

/// Whether a file gives a module an attribute from outside, which it has from then on: `state.original = state.load`.
fn is_given(cx: &RuleContext, id: FunctionId, module: &str, attribute: &str) -> bool {
    let file = cx.program.module(id.module);
    let is_it = |step: &Step| match &step.kind {
        StepKind::Write(place, ..) => {
            matches!(&place.root, Root::Global(path) if path.last().is_some_and(|last| last == module))
                && matches!(place.fields.first(), Some(Field::Name(field)) if field == attribute)
        }
        _ => false,
    };
    file.functions.iter().any(|function| function.steps().any(|(_, _, step)| is_it(step)))
}

/// A method that a type of the project had on the other side of the change, and has no more.
fn lost(cx: &RuleContext, of: TypeId, name: &str) -> Option<Found> {
    let is_lost = cx.program.had_method(of, name)
        && !cx.program.may_have_from_outside(of)
        && !cx.program.may_be_given(of, name)
        && cx.program.method(of, name).is_empty()
        && cx.program.overrides(of, name).is_empty();
    is_lost.then(|| Found::Method(of, name.to_owned()))
}
