//! Calls whose arguments no definition that they may mean takes.

use std::collections::BTreeSet;

use crate::analysis::calls::Target;
use crate::analysis::names::{Item, Member};
use crate::analysis::types::Type;
use crate::analysis::{FunctionId, TypeId};
use crate::flow::{Call, Callee, Function, FunctionKind, ParameterKind, Scope, TypeTerm, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Confidence, Evidence, Verdict};

use super::super::context::RuleContext;
use super::NAME;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let shape = cx.program.shape(id);
    // Calls of one definition in one function are mended together: the first speaks for them.
    let mut found: Vec<(FunctionId, Verdict)> = Vec::new();
    for (at, value) in function.values.iter().enumerate() {
        let index = ValueIndex(at as u32);
        if !matches!(value.kind, ValueKind::Call(_)) || !shape.is_reachable(value.block) {
            continue;
        }
        let Some((callee, why)) = refused(cx, id, index).filter(|_| !cx.is_to_fail(id, value.span)) else { continue };
        let name = cx.program.callee_text(id, index);
        if let Some((_, first)) = found.iter_mut().find(|(known, _)| *known == callee) {
            let at = cx.location(id, value.span);
            first.evidence.push(Evidence { at, note: format!("`{name}` is called {why} here as well") });
            continue;
        }
        let called = cx.function(callee);
        let verdict = cx
            .violated(NAME, Confidence::High, id, value.span, &format!("`{name}` {why}"))
            .assumes(format!("`{name}` takes what it is given"))
            .says(format!("`{name}` is called {why}"))
            .helps("bring the call and the definition together")
            .evidence(cx.location(callee, called.header), format!("`{}` is defined here", called.name));
        found.push((callee, verdict));
    }
    out.extend(found.into_iter().map(|(_, verdict)| verdict));
}

/// Why no definition that a call may mean takes its arguments, and the first of them: such a call fails where it stands.
pub(super) fn refused(cx: &RuleContext, id: FunctionId, index: ValueIndex) -> Option<(FunctionId, String)> {
    let function = cx.function(id);
    let call = function.call(index)?;
    let is_open = call.arguments.iter().any(|argument| argument.is_spread);
    if is_open || !is_direct(cx, id, index, call) { None } else { misfit(cx, id, index, call) }
}

/// Whether a call names what it calls, so that nothing can have been wrapped around it on the way.
fn is_direct(cx: &RuleContext, id: FunctionId, index: ValueIndex, call: &Call) -> bool {
    match &call.callee {
        Callee::Path(path) => {
            let scope = Scope { module: cx.function(id).scope.module.clone(), function: Some(id.index) };
            let item = cx.program.resolve(id.module, &scope, path);
            let is_python = cx.language(id.module) == Language::Python;
            let is_meant = matches!(item, Item::Function(_)) || is_python && matches!(item, Item::Type(_));
            is_meant && !cx.program.is_contested(&item)
        }
        Callee::Method(_, name) => match &cx.resolution(id, index).receiver {
            Some(Type::Module(module)) => {
                let item = cx.program.member(module, name);
                matches!(item, Item::Function(_) | Item::Type(_))
            }
            Some(Type::Instance(of)) => of.definition.is_none_or(|of| is_method(cx, of, name)),
            Some(Type::Class(of)) => is_method(cx, *of, name),
            _ => false,
        },
        Callee::Value(_) | Callee::Super(_) | Callee::Macro(_) => false,
    }
}

/// Whether a name of a type is a method and no attribute, which may hold a callable that has its receiver already.
fn is_method(cx: &RuleContext, of: TypeId, name: &str) -> bool {
    let members = cx.program.method(of, name);
    !members.is_empty() && members.iter().all(|member| matches!(member, Member::Function(_)))
}

/// Why a call does not fit, and the first definition; `None` if it fits one that may be meant.
fn misfit(cx: &RuleContext, id: FunctionId, index: ValueIndex, call: &Call) -> Option<(FunctionId, String)> {
    let resolution = cx.resolution(id, index);
    let is_method = matches!(call.callee, Callee::Method(..));
    let on_instance = matches!(resolution.receiver, Some(Type::Instance(_)));
    let mut first = None;
    for target in &resolution.targets {
        let callee = match target {
            Target::Function(callee) => *callee,
            Target::Construct(of, Some(constructor)) => {
                let is_made_otherwise = !cx.program.method(*of, "__new__").is_empty()
                    || cx.program.bases(*of).iter().any(|base| !base.is_of_project());
                if is_made_otherwise || is_made_by_decorator(cx, *of, *constructor) {
                    return None;
                }
                *constructor
            }
            Target::Construct(_, None) | Target::External(_) => return None,
        };
        let called = cx.function(callee);
        let is_kept_function = is_method && on_instance && called.kind == FunctionKind::Free;
        if is_kept_function
            || !cx.program.is_as_written(callee)
            || !cx.program.is_called_as_written(callee)
            || has_namesake(cx, callee)
            || is_for_all_types(cx, callee)
        {
            return None;
        }
        let binds = match cx.language(id.module) {
            Language::Python => resolution.binds_receiver,
            Language::Rust => is_method,
        };
        let given = usize::from(binds && called.takes_receiver());
        let why = match cx.language(id.module) {
            Language::Python if binds && takes_no_object(&called) => return None,
            Language::Python => python_misfit(&called, call, given)?,
            Language::Rust => rust_misfit(&called, call, given)?,
        };
        first = first.or(Some((callee, why)));
    }
    first
}

/// Whether a decorator may have written the constructor of a class, in the place of one that a base class has.
fn is_made_by_decorator(cx: &RuleContext, of: TypeId, constructor: FunctionId) -> bool {
    let is_own = |of: TypeId| cx.program.self_type(constructor) == Some(of);
    let mut open = vec![of];
    let mut seen = BTreeSet::new();
    while let Some(of) = open.pop() {
        if is_own(of) || !seen.insert(of) {
            continue;
        }
        if !cx.program.type_def(of).decorators.is_empty() {
            return true;
        }
        open.extend(cx.program.bases(of).iter().filter_map(|base| match base {
            Item::Type(base) => Some(*base),
            _ => None,
        }));
    }
    false
}

/// Whether a method has no place for the object that it is called on: what only says how an interface looks.
fn takes_no_object(called: &Function) -> bool {
    let first = called.parameters.first().map(|first| &called.variable(first.variable).name);
    let is_object = |name: &String| {
        let name = name.trim_start_matches('_');
        name.is_empty() || name.starts_with("self") || matches!(name, "cls" | "klass" | "mcs" | "mcls" | "this")
    };
    called.kind == FunctionKind::Method && !first.is_some_and(is_object)
}

/// Whether another definition of the same name stands in the same file, of which one is chosen when the code runs or is
/// compiled.
fn has_namesake(cx: &RuleContext, id: FunctionId) -> bool {
    let file = cx.program.module(id.module);
    let own = file.function(id.index);
    // In Rust blocks for other arguments of a type, which may stand in other files as well, have their own.
    let is_other =
        |(index, other): (_, &Function)| index != id.index && other.qualified == own.qualified && !other.is_bodiless;
    file.functions().any(is_other)
}

/// Whether a method stands in an `impl<T: Bound> Trait for T`: a type that does not fit the bound has its own, which a macro
/// may have made.
fn is_for_all_types(cx: &RuleContext, id: FunctionId) -> bool {
    let file = cx.program.module(id.module);
    let Some(block) = file.function(id.index).in_impl.map(|at| &file.impls[at as usize]) else { return false };
    matches!(&block.self_type, TypeTerm::Path { segments, .. }
        if matches!(&segments[..], [only] if block.generics.iter().any(|generic| generic.name == *only)))
}

fn rust_misfit(called: &Function, call: &Call, given: usize) -> Option<String> {
    let (most, got) = (called.parameters.len(), given + call.arguments.len());
    let wanted = most - called.parameters.iter().filter(|parameter| parameter.is_conditional).count();
    (!(wanted..=most).contains(&got))
        .then(|| format!("with {}, and takes {}", count(got - given), wanted.saturating_sub(given)))
}

fn python_misfit(called: &Function, call: &Call, given: usize) -> Option<String> {
    let name = |at: usize| called.variable(called.parameters[at].variable).name.as_str();
    let kinds: Vec<ParameterKind> = called.parameters.iter().map(|parameter| parameter.kind).collect();
    let is_positional = |kind: ParameterKind| match kind {
        ParameterKind::Positional | ParameterKind::SelfReference | ParameterKind::SelfValue => true,
        ParameterKind::Named | ParameterKind::Rest | ParameterKind::RestNamed => false,
    };
    let positional = call.arguments.iter().filter(|argument| argument.name.is_none()).count();
    let places = kinds.iter().filter(|kind| is_positional(**kind)).count();
    if given + positional > places && !kinds.contains(&ParameterKind::Rest) {
        let takes = places.saturating_sub(given);
        return Some(format!("with {}, and takes {takes}", count(positional)));
    }
    let takes_any = kinds.contains(&ParameterKind::RestNamed);
    let keywords = || call.arguments.iter().filter_map(|argument| argument.name.as_deref());
    let is_known = |keyword: &str| {
        (0..kinds.len())
            .any(|at| (is_positional(kinds[at]) || kinds[at] == ParameterKind::Named) && name(at) == keyword)
    };
    if let Some(keyword) = keywords().find(|keyword| !takes_any && !is_known(keyword)) {
        return Some(format!("with `{keyword}`, which it does not take"));
    }
    let mut place = 0;
    for (at, parameter) in called.parameters.iter().enumerate() {
        let is_given = match parameter.kind {
            ParameterKind::Rest | ParameterKind::RestNamed => continue,
            ParameterKind::Named => false,
            ParameterKind::Positional | ParameterKind::SelfReference | ParameterKind::SelfValue => {
                place += 1;
                place <= given + positional
            }
        };
        if !is_given && parameter.default.is_none() && !keywords().any(|keyword| keyword == name(at)) {
            return Some(format!("without `{}`", name(at)));
        }
    }
    None
}

fn count(arguments: usize) -> String {
    match arguments {
        1 => "1 argument".to_owned(),
        more => format!("{more} arguments"),
    }
}
