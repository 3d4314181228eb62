//! A type is declared fit for several threads although a part of it is fit for one.
//!
//! ~~~text
//! struct Cache { hits: Cell<u32> }
//! unsafe impl Sync for Cache {}         from now on the compiler lets two threads at `hits` at once
//! ~~~
//!
//! Such a declaration is how a lock is built, out of raw parts that say nothing by themselves; those are silent. A cell
//! or a counted pointer is the safe form for one thread, and nobody who builds a lock takes it. What a comment claims
//! is no evidence.

use std::collections::BTreeSet;

use crate::analysis::names::Item;
use crate::analysis::types::Type;
use crate::analysis::{FunctionId, ModuleId};
use crate::flow::{FunctionIndex, Impl, Module, TypeKind, TypeTerm};
use crate::text::Language;
use crate::verdict::{Confidence, Setting, Verdict};

use super::context::RuleContext;

const NAME: &str = "unguarded-shared-state";

/// How deep a part may lie in the types around it: `Option<Box<Vec<Cell<u32>>>>`.
const DEEPEST: u32 = 4;

pub(super) fn check(cx: &RuleContext, module: ModuleId, out: &mut Vec<Verdict>) {
    if cx.language(module) != Language::Rust {
        return;
    }
    let file = cx.program.module(module);
    let mut told = BTreeSet::new();
    for block in &file.impls {
        // Declared to be both, it is one mistake.
        out.extend(of_block(cx, module, &file, block).filter(|verdict| told.insert(verdict.subject.clone())));
    }
}

fn of_block(cx: &RuleContext, module: ModuleId, file: &Module, block: &Impl) -> Option<Verdict> {
    let Some(TypeTerm::Path { segments, .. }) = &block.of_trait else { return None };
    let Item::External(declared) = cx.program.resolve(module, &block.scope, segments) else { return None };
    let Item::Type(of) = cx.program.resolve_type(module, &block.scope, &block.self_type) else { return None };
    let definition = cx.program.type_def(of);
    if definition.kind != TypeKind::Struct {
        return None;
    }
    // What a pointer leads to belongs to whoever made the pointer.
    let is_its_own = |term: &TypeTerm| !matches!(term, TypeTerm::Reference(_));
    let (field, part) = definition.fields.iter().enumerate().find_map(|(at, field)| {
        field.annotation.as_ref().filter(|term| is_its_own(term))?;
        let part = part_without(cx, &cx.program.field_type(of, at as u32), &declared, DEEPEST)?;
        Some((field, part))
    })?;
    let trait_name = segments.last()?;
    let part = part.rsplit("::").next().unwrap_or(&part).to_owned();
    let (name, field_name) = (&definition.name, &field.name);
    let id = FunctionId { module, index: FunctionIndex(0) };
    let at = FunctionId { module: of.module, index: FunctionIndex(0) };
    let mut verdict = cx
        .violated(NAME, Confidence::Medium, id, block.span, &format!("`{name}.{field_name}`"))
        .assumes(format!("one thread at a time reaches `{field_name}` of `{name}`"))
        .says(format!(
            "`{name}` is declared `{trait_name}`, which its `{field_name}` is not: nothing keeps two threads from \
                 that `{part}` at once"
        ))
        .helps("give it a lock or an atomic, and the compiler will find the type fit by itself")
        .evidence(cx.location(at, field.span), format!("`{field_name}` holds `{part}`, which is for one thread"));
    if file.submodules.iter().any(|inner| inner.is_test && block.scope.module.starts_with(&inner.path)) {
        verdict.setting = Setting::Test;
    }
    Some(verdict)
}

/// A part of a type, found through what it holds by value, that lacks a marker trait.
fn part_without(cx: &RuleContext, of: &Type, marker: &str, depth: u32) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    let deeper = |of: &Type| part_without(cx, of, marker, depth);
    match of {
        Type::Instance(instance) if instance.definition.is_none() => {
            let tables = cx.program.tables(Language::Rust);
            let shape = tables.type_shape(&instance.name)?;
            if shape.lacks.iter().any(|lacked| lacked == marker) {
                return Some(instance.name.clone());
            }
            let is_holder = tables.lock(&instance.name).is_none() && (shape.deref.is_some() || shape.item.is_some());
            instance.arguments.iter().filter(|_| is_holder).find_map(deeper)
        }
        Type::Tuple(parts) => parts.iter().find_map(deeper),
        _ => None,
    }
}
