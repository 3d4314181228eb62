//! Something is used that is not there, or not in the form in which it is used.
//!
//! ~~~text
//! from .rates import load    no file `rates`, or no `load` in it
//! rates.load()               the same by an attribute or a path
//! refund(order)              nothing binds the name
//! store.load(key, deep)      every definition that may be meant takes other arguments
//! ~~~
//!
//! Files that the change leaves alone are looked at where they name what it took away.

mod calls;
mod names;

use std::collections::BTreeSet;

use crate::analysis::FunctionId;
use crate::analysis::names::Missing;
use crate::flow::{Function, FunctionIndex, ValueIndex};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Location, Verdict};

use super::context::RuleContext;

const NAME: &str = "dangling-reference";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    imports(cx, id, out);
    modules(cx, id, out);
    names::check(cx, id, out);
    calls::check(cx, id, out);
}

/// Whether a call fails where it stands, since nothing that it may mean takes its arguments.
pub(super) fn is_refused(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> bool {
    calls::refused(cx, id, call).is_some()
}

/// Imports of what no file has.
fn imports(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let file = cx.program.module(id.module);
    let function = file.function(id.index);
    let mut told = BTreeSet::new();
    for import in &file.imports {
        let is_here = import.scope.function.unwrap_or(FunctionIndex(0)) == id.index;
        // Who has another way where an import fails knows that it may.
        if !is_here || is_guarded(function, import.span) {
            continue;
        }
        let Some(missing) = cx.program.missing_import(id.module, import) else { continue };
        if told.insert(missing.name.clone()) {
            out.push(of_missing(cx, id, import.span, &missing, "imported"));
        }
    }
}

/// Declared modules without a file.
fn modules(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if id.index != FunctionIndex(0) || cx.language(id.module) != Language::Rust {
        return;
    }
    for submodule in &cx.program.module(id.module).submodules {
        if !cx.program.is_file_of_module_missing(id.module, submodule) {
            continue;
        }
        let Some(name) = submodule.path.last() else { continue };
        out.push(
            cx.violated(NAME, Confidence::High, id, submodule.span, &format!("mod `{name}`"))
                .assumes(format!("the module `{name}` has a file"))
                .says(format!("the module `{name}` is declared, and there is no file of it"))
                .helps("add the file, or take the declaration out"),
        );
    }
}

/// Whether a place stands in a `try` whose handlers may be there for its failure.
fn is_guarded(function: &Function, span: Span) -> bool {
    function.attempts.iter().any(|attempt| !attempt.handlers.is_empty() && attempt.span.contains(span))
}

fn of_missing(cx: &RuleContext, id: FunctionId, span: Span, missing: &Missing, how: &str) -> Verdict {
    let name = &missing.name;
    let verdict = cx
        .violated(NAME, Confidence::High, id, span, &format!("`{name}`"))
        .assumes(format!("`{name}` is there"))
        .helps("finish what was to define it, or take the reference out");
    match missing.within {
        Some(within) => {
            let path = cx.program.module(within).path.clone();
            let verdict = verdict.says(format!("`{name}` is {how}, and `{path}` has no such name"));
            // The file is shown where it is another, so that a change to it can be seen to be the cause.
            let at = Location { path, span: Span::new(0, 0) };
            if within == id.module { verdict } else { verdict.evidence(at, format!("`{name}` is not among its names")) }
        }
        None => verdict.says(format!("`{name}` is {how}, and there is no such file")),
    }
}
