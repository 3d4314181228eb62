//! A method that takes the place of one of the other colour: an override, an implementation, a stand-in for what a
//! parameter asks for.

use crate::analysis::FunctionId;
use crate::analysis::TypeId;
use crate::analysis::calls::Target;
use crate::analysis::makes::Makes;
use crate::analysis::names::Member;
use crate::analysis::types::Type;
use crate::flow::{Colour, Function, FunctionKind, Next, ParameterKind, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Confidence, Verdict};

use super::super::context::RuleContext;
use super::NAME;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    overrides(cx, id, out);
    if cx.language(id.module) == Language::Python {
        stands_in(cx, id, out);
    }
}

/// Which of two methods that take each other's place is asynchronous.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clash {
    /// The one that was there first: the base's, the trait's, the one asked for.
    First,
    /// The other.
    Second,
}

/// Whether other classes had the method in this other colour before the change, so that who calls it through the base
/// looks at what it gets (Python).
fn is_custom(cx: &RuleContext, base: FunctionId, id: FunctionId, clash: Clash) -> bool {
    let Some(owner) = cx.program.self_type(base).filter(|_| cx.language(id.module) == Language::Python) else {
        return false;
    };
    let is_as_before = |id: FunctionId| cx.program.counterpart(id).is_some() && !cx.program.has_turned(id);
    let others = || cx.program.overrides(owner, &cx.function(id).name).into_iter().filter(|other| *other != id);
    is_as_before(base)
        && !cx.program.has_turned(id)
        && others().any(|other| is_as_before(other) && self::clash(cx, base, other) == Some(clash))
}

fn overrides(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if function.kind == FunctionKind::Property || cx.program.is_stub(id) && cx.language(id.module) == Language::Python {
        return;
    }
    let Some(base) = cx.program.overridden(id) else { return };
    let Some(clash) = clash(cx, base, id) else { return };
    if is_custom(cx, base, id, clash) {
        return;
    }
    let confidence = match cx.language(id.module) {
        // It does not compile.
        Language::Rust => Confidence::High,
        Language::Python if cx.program.has_turned(base) || cx.program.has_turned(id) => Confidence::High,
        Language::Python => Confidence::Medium,
    };
    let base_function = cx.function(base);
    let (name, of) = (&function.name, owner_name(cx, base));
    let (own, other) = match clash {
        Clash::First => ("is a plain function", "is asynchronous"),
        Clash::Second => ("is asynchronous", "is a plain function"),
    };
    let callers = match clash {
        Clash::First => "whoever awaits it through the base gets nothing to await",
        Clash::Second => "whoever calls it through the base gets a coroutine",
    };
    let says = match cx.language(id.module) {
        Language::Python => format!("`{name}` {own}, and the method of `{of}` that it overrides {other}: {callers}"),
        Language::Rust => format!("`{name}` {own}, and the method of `{of}` that it implements {other}"),
    };
    out.push(
        cx.violated(NAME, confidence, id, function.header, &format!("`{name}` of `{of}`"))
            .assumes(format!("`{name}` can be called as the method of `{of}` can"))
            .says(says)
            .helps("bring both to the same colour, and their callers with them")
            .evidence(cx.location(base, base_function.header), format!("`{name}` of `{of}` {other}")),
    );
}

/// Whether one of two methods gives something to await and the other certainly does not.
fn clash(cx: &RuleContext, first: FunctionId, second: FunctionId) -> Option<Clash> {
    let (one, two) = (cx.function(first), cx.function(second));
    if one.kind == FunctionKind::Property || !cx.program.is_as_written(first) || !cx.program.is_as_written(second) {
        return None;
    }
    // What is said in the same words and in another colour is another type, whatever the words mean.
    let is_rust = cx.language(first.module) == Language::Rust;
    let is_same = is_rust && one.returns == two.returns;
    match (one.colour, two.colour) {
        (Colour::Async, Colour::Plain) if is_same => Some(Clash::First),
        (Colour::Plain, Colour::Async) if is_same => Some(Clash::Second),
        (Colour::Async, Colour::Plain) => gives_nothing_to_await(cx, second).then_some(Clash::First),
        (Colour::Plain, Colour::Async) => cx.program.says_plain(first).then_some(Clash::Second),
        _ => None,
    }
}

/// Whether nothing that a plain function returns can be awaited, as far as its own text tells.
fn gives_nothing_to_await(cx: &RuleContext, id: FunctionId) -> bool {
    let function = cx.function(id);
    if cx.language(id.module) == Language::Rust {
        return match &function.returns {
            Some(_) => cx.program.says_plain(id),
            None => true,
        };
    }
    if cx.program.gives_plain(id) {
        return true;
    }
    !function.is_bodiless && returned(&function).all(|value| is_at_hand(cx, id, value))
}

fn returned(function: &Function) -> impl Iterator<Item = ValueIndex> {
    function.blocks.iter().filter_map(|block| match block.next {
        Next::Return(Some(value)) => Some(value),
        _ => None,
    })
}

/// Whether a value is made in place, from data: no call and no attribute can have put a coroutine there.
fn is_at_hand(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> bool {
    match &cx.function(id).value(value).kind {
        ValueKind::Literal(_) | ValueKind::Collection(..) | ValueKind::Operation(_) => true,
        ValueKind::Choice(items) => items.iter().all(|item| is_at_hand(cx, id, *item)),
        _ => cx.program.is_unawaitable(&cx.program.value_type(id, value)),
    }
}

fn owner_name(cx: &RuleContext, id: FunctionId) -> String {
    let function = cx.function(id);
    function.owner.map_or_else(String::new, |owner| cx.program.module(id.module).types[owner.at()].name.clone())
}

/// An argument whose class has a method of another colour than the class that the parameter asks for.
fn stands_in(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let shape = cx.program.shape(id);
    for (at, value) in function.values.iter().enumerate() {
        let ValueKind::Call(call) = &value.kind else { continue };
        if call.arguments.is_empty() || !shape.is_reachable(value.block) {
            continue;
        }
        let resolution = cx.resolution(id, ValueIndex(at as u32));
        let callee = match resolution.targets[..] {
            [Target::Function(callee) | Target::Construct(_, Some(callee))] => callee,
            _ => continue,
        };
        let called = cx.function(callee);
        let skipped = usize::from(resolution.binds_receiver && called.takes_receiver());
        for (position, argument) in call.arguments.iter().enumerate() {
            let parameter = match &argument.name {
                _ if argument.is_spread => continue,
                Some(name) => called.parameters.iter().position(|one| called.variable(one.variable).name == *name),
                None => Some(position + skipped),
            };
            let Some(parameter) = parameter.filter(|at| {
                let kind = called.parameters.get(*at).map(|parameter| parameter.kind);
                matches!(kind, Some(ParameterKind::Positional | ParameterKind::Named))
            }) else {
                continue;
            };
            let definition = |of: &Type| of.instance().and_then(|of| of.definition);
            let Some(asked) = definition(&cx.program.parameter_type(callee, parameter)) else { continue };
            let Some(given) = definition(&cx.program.value_type(id, argument.value)) else { continue };
            let Some((first, second, clash)) = stand_in_clash(cx, asked, given) else { continue };
            let name = cx.function(second).name.clone();
            let (given_name, asked_name) =
                (cx.program.type_def(given).name.clone(), cx.program.type_def(asked).name.clone());
            let (own, other) = match clash {
                Clash::First => ("plain", "asynchronous"),
                Clash::Second => ("asynchronous", "plain"),
            };
            let span = function.value(argument.value).span;
            out.push(
                cx.violated(NAME, Confidence::Medium, id, span, &format!("`{given_name}` for `{asked_name}` `{name}`"))
                    .assumes(format!("`{given_name}` can be used as `{asked_name}` is"))
                    .says(format!(
                        "`{}` is given a `{given_name}`, whose `{name}` is {own}, and asks for a `{asked_name}`, whose `{name}` is {other}",
                        called.name
                    ))
                    .helps("bring both to the same colour, and their callers with them")
                    .evidence(super::defined(cx, second), format!("`{name}` of `{given_name}` is {own}"))
                    .evidence(super::defined(cx, first), format!("`{name}` of `{asked_name}` is {other}")),
            );
        }
    }
}

/// A method of one class that the other has in another colour. Classes below the one asked for override its methods,
/// which is told where they are defined.
fn stand_in_clash(cx: &RuleContext, asked: TypeId, given: TypeId) -> Option<(FunctionId, FunctionId, Clash)> {
    if asked == given {
        return None;
    }
    let file = cx.program.module(asked.module);
    for &index in &file.types[asked.index.at()].methods {
        let first = FunctionId { module: asked.module, index };
        let method = cx.function(first);
        if method.name.starts_with("__") || method.kind != FunctionKind::Method {
            continue;
        }
        let [Member::Function(second)] = cx.program.method(given, &method.name)[..] else { continue };
        if second == first || cx.program.overridden(second) == Some(first) {
            continue;
        }
        if let Some(clash) = stand_in(cx, first, second) {
            return Some((first, second, clash));
        }
    }
    None
}

fn stand_in(cx: &RuleContext, first: FunctionId, second: FunctionId) -> Option<Clash> {
    if cx.function(second).kind != FunctionKind::Method || cx.program.is_stub(second) {
        return None;
    }
    let makes = |id| cx.program.function_makes(id, 1) == Some(Makes::Coroutine);
    let clash = clash(cx, first, second)?;
    let is_sure = match clash {
        Clash::First => makes(first),
        Clash::Second => makes(second),
    };
    is_sure.then_some(clash)
}
