//! A placeholder was left where a body should be.
//!
//! Most placeholders are meant: no-op overrides, hooks, what is not supported. So context decides: a body that the
//! change took out, a function that the change calls and that only says it is not there yet, a placeholder value beside
//! a comment that says so.

use std::cell::OnceCell;

use rustc_hash::FxHashSet;

use crate::analysis::calls::Target;
use crate::analysis::{FunctionId, ModuleId, TypeId};
use crate::flow::{
    BlockIndex, Callee, Collection, Function, FunctionIndex, Mark, Next, Scope, TypeTerm, ValueIndex, ValueKind,
};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Verdict};

use super::context::RuleContext;

const NAME: &str = "leftover-stub";

/// How many other definitions of a name are looked at.
const MOST_NAMESAKES: usize = 8;

/// Most values in a body that stands in for another.
const MOST_OF_A_PLACEHOLDER: usize = 6;

/// The changed files, and what is found out about all of them at once.
struct Around<'m> {
    modules: &'m [ModuleId],
    /// The types of which their functions make objects, tests left out.
    made: OnceCell<FxHashSet<TypeId>>,
}

impl Around<'_> {
    /// The functions that hold a name, tests left out.
    fn naming(&self, cx: &RuleContext, name: &str) -> Vec<FunctionId> {
        let of_module = |&module: &ModuleId| {
            let named = cx.program.mentioned_in(module).of(name).to_vec();
            named.into_iter().map(move |index| FunctionId { module, index })
        };
        let named = self.modules.iter().flat_map(of_module);
        named.filter(|caller| !cx.program.is_test_code(*caller)).collect()
    }

    fn makes(&self, cx: &RuleContext, owner: TypeId) -> bool {
        self.made.get_or_init(|| self.find_made(cx)).contains(&owner)
    }

    fn find_made(&self, cx: &RuleContext) -> FxHashSet<TypeId> {
        let mut made = FxHashSet::default();
        for &module in self.modules {
            let file = cx.program.module(module);
            for (index, function) in file.functions() {
                let id = FunctionId { module, index };
                if cx.program.is_test_code(id) {
                    continue;
                }
                // By the name of its file a class looks like a method of that: `base.Loader()`.
                for (call, _) in function.calls().filter(|(_, call)| !matches!(call.callee, Callee::Super(_))) {
                    made.extend(cx.resolution(id, call).targets.iter().filter_map(|target| match target {
                        Target::Construct(of, _) => Some(*of),
                        _ => None,
                    }));
                }
            }
        }
        made
    }
}

/// What a body is until somebody writes it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// It says that it will be written: `todo!()`.
    Promises,
    /// It fails: `raise NotImplementedError`, `unimplemented!()`.
    Refuses,
    /// It does nothing: `pass`, `...`, a comment alone.
    Empty,
}

pub(super) fn check(cx: &RuleContext, modules: &[ModuleId], out: &mut Vec<Verdict>) {
    let around = Around { modules, made: OnceCell::new() };
    for &module in modules {
        let file = cx.program.module(module);
        for mark in &file.marks {
            let Mark::Stub { function, form, span } = mark else { continue };
            let id = FunctionId { module, index: *function };
            if file.function(*function).is_bodiless || *function == FunctionIndex(0) || cx.program.is_test_code(id) {
                continue;
            }
            let verdict = stub(cx, &around, id, form, *span);
            out.extend(verdict.filter(|_| !has_another_body(cx, id) && !is_written_by_decorator(cx, id)));
        }
        for (index, function) in file.functions().skip(1) {
            let id = FunctionId { module, index };
            if !function.is_bodiless && function.values.len() <= MOST_OF_A_PLACEHOLDER && !cx.program.is_test_code(id) {
                out.extend(placeholder(cx, id, &file.marks).filter(|_| !cx.program.is_stub(id)));
            }
        }
    }
}

fn form_of(text: &str) -> Form {
    match text {
        "pass" | "..." => Form::Empty,
        text if text.starts_with("todo") => Form::Promises,
        text if text.starts_with("unimplemented") || text.starts_with("raise") => Form::Refuses,
        _ => Form::Empty,
    }
}

fn stub(cx: &RuleContext, around: &Around, id: FunctionId, text: &str, span: Span) -> Option<Verdict> {
    let function = cx.function(id);
    let form = form_of(text);
    let name = &function.name;
    let shown = if form == Form::Empty && text != "pass" && text != "..." { "a comment" } else { text };
    let verdict = |confidence, says: String| {
        cx.violated(NAME, confidence, id, span, &format!("`{name}`"))
            .assumes(format!("`{name}` has the body that it needs"))
            .says(says)
            .helps("write the body, or take the function and its calls out")
    };
    let was = cx.program.counterpart(id);
    if was.as_deref().is_some_and(is_substantial) && !is_substantial(&function) {
        let was_stub = was.as_ref().is_some_and(|was| {
            let is_its = |mark: &Mark| matches!(mark, Mark::Stub { function, .. } if was.module().function(*function).qualified == was.qualified);
            was.module().marks.iter().any(is_its)
        });
        if !was_stub {
            let confidence = if form == Form::Empty { Confidence::Medium } else { Confidence::High };
            return Some(verdict(
                confidence,
                format!("`{name}` had a body, and `{}` is left of it", first_line(shown)),
            ));
        }
    }
    let is_replaced = cx.program.overridden(id).is_some()
        || has_overrides(cx, id)
        || in_open_class(cx, id)
        || makes_others(cx, id)
        || is_one_of_several_bodies(cx, id)
        || form == Form::Refuses && is_left_to_heirs(cx, around, id);
    // One way that is not supported is no body that is missing.
    let is_partial = || form == Form::Refuses && may_return(cx, id);
    let call = (!is_replaced && form != Form::Promises && !is_partial()).then(|| caller(cx, around, id)).flatten();
    match (form, call) {
        (Form::Promises, _) => {
            let how = if may_return(cx, id) { "in whole: one way through it" } else { "yet: it" };
            let says = format!("`{name}` is not written {how} ends in `{}`", first_line(text));
            Some(verdict(Confidence::Medium, says))
        }
        (Form::Refuses, Some((caller, at))) => {
            let says =
                format!("`{name}` only fails with `{}`, and `{}` calls it", first_line(text), cx.function(caller).name);
            Some(verdict(Confidence::High, says).evidence(cx.location(caller, at), format!("`{name}` is called here")))
        }
        (Form::Empty, Some((caller, at))) if gives_something(&function) && cx.program.is_as_written(id) => {
            let shown = if shown == "a comment" { shown.to_owned() } else { format!("`{shown}`") };
            let says = format!("`{name}` has no body but {shown}, and says that it gives something");
            Some(
                verdict(Confidence::Medium, says).evidence(cx.location(caller, at), format!("`{name}` is called here")),
            )
        }
        (Form::Refuses | Form::Empty, _) => None,
    }
}

/// Whether some way through a function comes to its end.
fn may_return(cx: &RuleContext, id: FunctionId) -> bool {
    let (function, shape) = (cx.function(id), cx.program.shape(id));
    let mut blocks = function.blocks.iter().zip(0..);
    blocks.any(|(block, at)| matches!(block.next, Next::Return(_)) && shape.is_reachable(BlockIndex(at)))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or(text)
}

/// Whether a body does something: it calls, or computes from more than a value or two.
fn is_substantial(function: &Function) -> bool {
    let is_call = |kind: &ValueKind| match kind {
        ValueKind::Call(call) => !matches!(call.callee, Callee::Macro(_)),
        _ => false,
    };
    let calls = function.values.iter().filter(|value| is_call(&value.kind)).count();
    !function.is_bodiless && (calls > 1 || calls == 1 && function.values.len() > 2 || function.values.len() > 6)
}

fn has_overrides(cx: &RuleContext, id: FunctionId) -> bool {
    let owner = cx.program.self_type(id);
    owner.is_some_and(|owner| !cx.program.overrides(owner, &cx.function(id).name).is_empty())
}

/// Whether the name stands for something else as well, of which one is chosen when the file is loaded: another definition
/// with a body, as for each version of the interpreter, or an import, of which this takes the place where it fails.
fn has_another_body(cx: &RuleContext, id: FunctionId) -> bool {
    let file = cx.program.module(id.module);
    let function = file.function(id.index);
    let is_namesake = |(index, other): &(FunctionIndex, &Function)| {
        *index != id.index
            && other.qualified == function.qualified
            && other.in_impl == function.in_impl
            && !other.is_bodiless
    };
    let mut namesakes = file.functions().filter(is_namesake).take(MOST_NAMESAKES);
    let around = |scope: &Scope| scope.function.unwrap_or(FunctionIndex(0));
    let is_imported = function.owner.is_none()
        && function.in_impl.is_none()
        && file
            .imports
            .iter()
            .any(|import| import.name == function.name && around(&import.scope) == around(&function.scope));
    is_imported || namesakes.any(|(index, _)| !cx.program.is_stub(FunctionId { index, ..id }))
}

/// Whether a decorator of the class writes the method that makes its objects: what stands in its place is for readers.
fn is_written_by_decorator(cx: &RuleContext, id: FunctionId) -> bool {
    let function = cx.function(id);
    let file = cx.program.module(id.module);
    cx.language(id.module) == Language::Python
        && function.name == "__init__"
        && function.owner.is_some_and(|owner| !file.types[owner.at()].decorators.is_empty())
}

/// Whether a class hands out objects of another one, which has the body that is missing here.
fn makes_others(cx: &RuleContext, id: FunctionId) -> bool {
    cx.language(id.module) == Language::Python
        && cx.program.self_type(id).is_some_and(|owner| !cx.program.method(owner, "__new__").is_empty())
}

/// Whether the class around a method inherits from something, or a trait asks for the method: then the placeholder may
/// answer for what is not supported.
fn in_open_class(cx: &RuleContext, id: FunctionId) -> bool {
    let function = cx.function(id);
    let file = cx.program.module(id.module);
    let of_class = function.owner.is_some_and(|owner| !file.types[owner.at()].bases.is_empty());
    let of_trait = function.in_impl.is_some_and(|at| file.impls[at as usize].of_trait.is_some());
    of_class || of_trait
}

/// Whether a function says that it gives something.
fn gives_something(function: &Function) -> bool {
    match &function.returns {
        Some(TypeTerm::Other(text)) => text != "None",
        Some(TypeTerm::Path { segments, .. }) => segments.last().is_none_or(|last| last != "None"),
        Some(TypeTerm::Tuple(parts)) => !parts.is_empty(),
        Some(_) => true,
        None => false,
    }
}

/// Whether a decorator calls another body wherever one fits what is given, and this one refuses the rest.
fn is_one_of_several_bodies(cx: &RuleContext, id: FunctionId) -> bool {
    let tables = cx.program.tables(cx.language(id.module));
    let decorators = &cx.function(id).decorators;
    decorators
        .iter()
        .any(|one| cx.program.decorator_name(id, &one.path).is_some_and(|name| tables.chooses_a_body(&name)))
}

/// Whether only the class itself calls a method, on its own object, and nobody makes an object of just that class: what
/// is missing is for those who inherit to write, wherever they are.
fn is_left_to_heirs(cx: &RuleContext, around: &Around, id: FunctionId) -> bool {
    let function = cx.function(id);
    let Some(owner) = cx.program.self_type(id).filter(|_| cx.language(id.module) == Language::Python) else {
        return false;
    };
    let is_own = |by: &Function, receiver: ValueIndex| {
        let own = by.parameters.first().filter(|_| by.owner.is_some()).map(|first| first.variable);
        matches!(&by.value(receiver).kind, ValueKind::Place(place) if own.is_some() && place.as_variable() == own)
    };
    let is_called_by_others = around.naming(cx, &function.name).into_iter().any(|caller| {
        let by = cx.function(caller);
        by.calls().any(|(at, call)| match &call.callee {
            Callee::Method(receiver, name) if *name == function.name => {
                !is_own(&by, *receiver) && cx.resolution(caller, at).targets.contains(&Target::Function(id))
            }
            _ => false,
        })
    });
    !is_called_by_others && !around.makes(cx, owner)
}

/// A call of a function in the changed files that can mean nothing else.
fn caller(cx: &RuleContext, around: &Around, id: FunctionId) -> Option<(FunctionId, Span)> {
    let name = cx.function(id).name.clone();
    around.naming(cx, &name).into_iter().filter(|caller| *caller != id).find_map(|caller| {
        let by = cx.function(caller);
        let mut named = by.calls().filter(|(_, call)| called_name(&call.callee) == Some(&name));
        let call = named.find(|(call, _)| cx.resolution(caller, *call).functions() == [id]);
        call.map(|(call, _)| (caller, by.value(call).span))
    })
}

fn called_name(callee: &Callee) -> Option<&String> {
    match callee {
        Callee::Path(path) => path.last(),
        Callee::Method(_, name) | Callee::Super(name) => Some(name),
        Callee::Value(_) | Callee::Macro(_) => None,
    }
}

/// A constant in the place of a result, beside a comment that says what it is.
fn placeholder(cx: &RuleContext, id: FunctionId, marks: &[Mark]) -> Option<Verdict> {
    let function = cx.function(id);
    let mut returned = function.blocks.iter().filter_map(|block| match block.next {
        Next::Return(value) => value,
        _ => None,
    });
    let is_constant = |value: ValueIndex| is_constant(&function, value, cx.language(id.module));
    let first = returned.next()?;
    if !is_constant(first) || !returned.all(is_constant) {
        return None;
    }
    let says_so = |mark: &&Mark| match mark {
        Mark::Comment { span, text } => function.span.contains(*span) && admits(text),
        _ => false,
    };
    let Some(Mark::Comment { span, .. }) = marks.iter().find(says_so) else { return None };
    let name = &function.name;
    let given = function.value(first).span;
    Some(
        cx.violated(NAME, Confidence::Medium, id, given, &format!("`{name}` placeholder"))
            .assumes(format!("`{name}` gives a real result"))
            .says(format!("`{name}` gives a constant, and a comment says that it is a placeholder"))
            .helps("write the body, or take the function and its calls out")
            .evidence(cx.location(id, *span), "the comment that says so"),
    )
}

/// Whether a value is the same whatever the function is given.
fn is_constant(function: &Function, value: ValueIndex, language: Language) -> bool {
    match &function.value(value).kind {
        ValueKind::Literal(_) => true,
        ValueKind::Collection(kind, items) => !matches!(kind, Collection::Struct(_)) && items.is_empty(),
        // A success or failure of the language around a constant.
        ValueKind::Call(call) if language == Language::Rust => {
            let is_variant = matches!(&call.callee, Callee::Path(path)
                if matches!(&path[..], [only] if only.starts_with(char::is_uppercase)));
            is_variant && call.arguments.iter().all(|argument| is_constant(function, argument.value, language))
        }
        _ => false,
    }
}

/// Whether a comment says that what stands beside it is not the real thing.
fn admits(comment: &str) -> bool {
    const WORDS: [&str; 8] = [
        "placeholder",
        "not implemented",
        "not yet implemented",
        "todo: implement",
        "todo implement",
        "real implementation",
        "implement this",
        "stub implementation",
    ];
    let lower = comment.to_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}
