//! A handle that nobody closes: it is made here, stays here, and the function ends.

use crate::analysis::uses::for_each_part;
use crate::catalogue::{Closed, Receiver};
use crate::flow::{
    Call, Callee, Field, Function, FunctionKind, Next, Quality, Root, StepKind, Suspension, ValueIndex, ValueKind,
    VariableIndex,
};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Level, Verdict};

use super::Body;

/// How many wrappers lie between the call that makes a handle and the variable that holds it: `begin().await?`.
const MOST_WRAPPERS: usize = 4;

/// What becomes of a handle.
#[derive(Debug)]
enum Fate {
    /// Somebody else may close it, or it is closed here.
    SeenTo,
    /// It is used here, first at this place, and ends with the function.
    Left(Option<Span>),
}

pub(super) fn check(body: &Body, out: &mut Vec<Verdict>) {
    let function = body.cx.function(body.id);
    if function.quality != Quality::Whole || function.kind == FunctionKind::Module {
        return;
    }
    for (call, name) in body.external_calls() {
        let Some(closed) = body.tables().closed(name) else { continue };
        let Some((text, Fate::Left(used))) = fate(body, &function, call, closed) else { continue };
        // Nothing is lost with what was never used.
        if used.is_none() && body.cx.language(body.id.module) == Language::Rust {
            continue;
        }
        out.push(verdict(body, call, &text, closed, used));
    }
}

fn verdict(body: &Body, call: ValueIndex, text: &str, closed: &Closed, used: Option<Span>) -> Verdict {
    let by = closed.by.first().map_or("", String::as_str);
    let help = match body.cx.language(body.id.module) {
        Language::Python => format!("open it with `async with`, or await `{text}.{by}()` in a `finally`"),
        Language::Rust => format!("end it with `{text}.{by}().await`"),
    };
    let verb = match body.cx.language(body.id.module) {
        Language::Python => "closes",
        Language::Rust => "ends",
    };
    let mut verdict = body
        .violated(Confidence::High, call, text)
        .assumes(format!("somebody {verb} `{text}`"))
        .says(format!("`{text}` is opened here and nobody {verb} it: {}", closed.harm))
        .helps(help)
        .level(Level::Warning);
    if let Some(used) = used {
        verdict = verdict.evidence(body.cx.location(body.id, used), format!("`{text}` is used here"));
    }
    verdict
}

/// What becomes of what a call makes, with its name; `None` where that cannot be followed.
fn fate(body: &Body, function: &Function, call: ValueIndex, closed: &Closed) -> Option<(String, Fate)> {
    let mut value = call;
    for _ in 0..MOST_WRAPPERS {
        let using = Using::of(function, value);
        if using.is_kept {
            return None;
        }
        match (&using.binds[..], &using.parts[..]) {
            (&[variable], []) if !body.cx.program.is_captured(body.id, variable) => {
                return Some((function.variable(variable).name.clone(), of_variable(function, variable, closed)));
            }
            (&[], &[outer]) => match &function.value(outer).kind {
                ValueKind::Awaited(_) | ValueKind::Try(_) => value = outer,
                ValueKind::Call(used) if takes_itself(body, outer) => match method_on(used, value) {
                    Some(_) => value = outer,
                    None => return None,
                },
                ValueKind::Call(used) => {
                    let method = method_on(used, value).filter(|method| !closed.by.iter().any(|by| by == method))?;
                    // Of a chain of calls only the first is a use of the handle itself.
                    let is_python = body.cx.language(body.id.module) == Language::Python && !method.is_empty();
                    let text = format!("{}()", body.cx.program.callee_text(body.id, call));
                    return is_python.then(|| (text, Fate::Left(Some(function.value(outer).span))));
                }
                _ => return None,
            },
            _ => return None,
        }
    }
    None
}

/// What becomes of a handle that a variable holds.
fn of_variable(function: &Function, variable: VariableIndex, closed: &Closed) -> Fate {
    let is_closing = |name: &str| closed.by.iter().any(|by| by == name);
    let mut used: Option<Span> = None;
    for (at, read) in function.values.iter().enumerate() {
        let ValueKind::Place(place) = &read.kind else { continue };
        if place.root != Root::Variable(variable) {
            continue;
        }
        if let Some(field) = place.fields.first() {
            if matches!(field, Field::Name(name) if is_closing(name)) {
                return Fate::SeenTo;
            }
            continue;
        }
        let read_index = ValueIndex(at as u32);
        let using = Using::of(function, read_index);
        if using.is_kept || !using.binds.is_empty() {
            return Fate::SeenTo;
        }
        for part in using.parts {
            let is_left = match &function.value(part).kind {
                ValueKind::Call(call) => method_on(call, read_index).is_some_and(|method| !is_closing(method)),
                ValueKind::Reference(_) | ValueKind::Dereference(_) => closed.lends,
                ValueKind::Field(_, name) => !is_closing(name),
                ValueKind::Operation(_) => true,
                _ => false,
            };
            if !is_left {
                return Fate::SeenTo;
            }
            used = used.or(Some(function.value(part).span));
        }
    }
    Fate::Left(used)
}

/// The method that a call calls on a value which it is not given otherwise.
fn method_on(call: &Call, value: ValueIndex) -> Option<&str> {
    let Callee::Method(receiver, method) = &call.callee else { return None };
    let is_argument = call.arguments.iter().any(|argument| argument.value == value);
    (*receiver == value && !is_argument).then_some(method)
}

/// Whether a method takes its receiver by value and hands the thing in it on: `unwrap`, `expect`.
fn takes_itself(body: &Body, call: ValueIndex) -> bool {
    let resolution = body.cx.resolution(body.id, call);
    let signature = resolution.external().and_then(|name| body.tables().signature(name));
    signature.is_some_and(|signature| signature.receiver == Some(Receiver::Value))
}

/// Everything that uses a value.
#[derive(Default)]
struct Using {
    /// The values that are made from it.
    parts: Vec<ValueIndex>,
    /// The variables that it is bound to.
    binds: Vec<VariableIndex>,
    /// Whether it is stored, returned, yielded or entered.
    is_kept: bool,
}

impl Using {
    fn of(function: &Function, value: ValueIndex) -> Self {
        let mut using = Self::default();
        for (at, user) in function.values.iter().enumerate() {
            for_each_part(&user.kind, |part| {
                if part == value && !using.parts.contains(&ValueIndex(at as u32)) {
                    using.parts.push(ValueIndex(at as u32));
                }
            });
        }
        for (_, _, step) in function.steps() {
            match &step.kind {
                StepKind::Bind(variable, bound) if *bound == value => using.binds.push(*variable),
                StepKind::Write(_, _, Some(kept)) | StepKind::Suspend(Suspension::Yield, Some(kept)) => {
                    using.is_kept |= *kept == value;
                }
                _ => {}
            }
        }
        using.is_kept |= function.managed.iter().any(|managed| managed.value == value)
            || function.blocks.iter().any(|block| match block.next {
                Next::Return(Some(left)) | Next::Raise(Some(left)) => left == value,
                _ => false,
            });
        using
    }
}
