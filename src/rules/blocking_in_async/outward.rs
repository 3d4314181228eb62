//! A call that may well wait, by its name, and of which nothing is known.
//!
//! ~~~text
//! page = tubes.request.get(url)           a library of which nothing is known, and a word that speaks of the network
//! if agent.fileobject_set.exists(): …     a manager, if `agent` is the model that it looks like
//! report.seal()                           a method of a plain file that nobody describes
//! ~~~
//!
//! Only what is certainly not awaited counts: its result is used as a plain value at once. What a plain file does is.

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, What};
use crate::analysis::uses::Uses;
use crate::catalogue::{BlockingKind, Stake};
use crate::flow::{Callee, Collection, Field, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Level, Stance, Verdict};

use super::NAME;
use crate::rules::context::RuleContext;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if cx.language(id.module) != Language::Python || !function.is_async() || cx.program.is_test_code(id) {
        return;
    }
    let mut uses = None;
    for event in &cx.facts(id).events {
        let What::Call(call) = event.what else { continue };
        if let Some(asked) = of_a_file(cx, id, event, call) {
            out.push(asked);
            continue;
        }
        let Some((what, why)) = by_convention(cx, id, call).or_else(|| by_name(cx, id, call)) else { continue };
        let uses = uses.get_or_insert_with(|| Uses::of(&function));
        if is_plain(cx, id, uses, call, 3) {
            out.push(question(cx, id, event, call, &what, why));
        }
    }
}

/// A method of an open file that nobody describes: what such methods do waits for the disk.
fn of_a_file(cx: &RuleContext, id: FunctionId, event: &Event, call: ValueIndex) -> Option<Verdict> {
    let resolution = cx.resolution(id, call);
    let is_one = cx.program.tables(Language::Python).is_unknown_of_a_file(resolution.external()?);
    let Callee::Method(receiver, _) = cx.function(id).call(call)?.callee else { return None };
    if !is_one || cx.program.is_awaited(id, call) {
        return None;
    }
    let (name, file) = (cx.program.callee_text(id, call), cx.program.value_text(id, receiver));
    let mut verdict = cx
        .verdict(NAME, Stance::Unproven, id, event.span, &format!("`{name}`"))
        .assumes(format!("nothing in `{}` blocks the event loop", cx.function(id).name))
        .says(format!("`{file}` is a plain file, and nothing is known of `{name}`"))
        .asks(format!("does `{name}` wait for the disk, as what a plain file does?"))
        .helps("hand it to a thread, or use a file that is made for asynchronous code")
        .level(Level::Warning)
        .stake(Stake::Io);
    verdict.evidence.push(cx.loop_evidence(id));
    Some(verdict)
}

/// A method of what an attribute is, where only its name says so: whether it is that decides.
fn by_convention(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> Option<(String, String)> {
    let function = cx.function(id);
    let Callee::Method(receiver, method) = &function.call(call)?.callee else { return None };
    let name = match &function.value(*receiver).kind {
        ValueKind::Place(place) => match place.fields.last()? {
            Field::Name(name) => name,
            Field::Index => return None,
        },
        ValueKind::Field(_, name) => name,
        _ => return None,
    };
    let resolution = cx.resolution(id, call);
    let tables = cx.program.tables(Language::Python);
    let is_known = match resolution.external() {
        Some(known) => tables.describes(known),
        None => !resolution.targets.is_empty(),
    };
    let of = tables.convention(name).filter(|_| !is_known)?;
    let entry = tables.blocking(&format!("{of}.{method}"))?;
    if entry.stake != Stake::Unbounded || entry.kind == BlockingKind::LoopEntry {
        return None;
    }
    let receiver = cx.program.value_text(id, *receiver);
    let what = format!("`{receiver}` looks like a `{of}`, whose `{method}` {}", super::waits_for(entry));
    Some((what, format!("Is `{receiver}` a `{of}`?")))
}

/// A call of a library of which nothing is known, by a word that speaks of the network on both sides of the last dot.
fn by_name(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> Option<(String, String)> {
    let resolution = cx.resolution(id, call);
    let name = resolution.external()?;
    let tables = cx.program.tables(Language::Python);
    let (root, _) = name.split_once('.')?;
    if tables.describes(name) || tables.has_root(root) || tables.is_builtin(name) || !tables.speaks_of_network(name) {
        return None;
    }
    let text = cx.program.callee_text(id, call);
    Some((
        format!("`{text}` speaks of the network, and its result is used at once"),
        format!("Does `{text}` wait for the network?"),
    ))
}

/// Whether what a call gives is used as a plain value, by all that uses it.
fn is_plain(cx: &RuleContext, id: FunctionId, uses: &Uses, value: ValueIndex, depth: u32) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let function = cx.function(id);
    if cx.program.shape(id).awaited(value).is_some() || function.managed.iter().any(|managed| managed.value == value) {
        return false;
    }
    let users = cx.program.users(id, uses, value);
    !users.is_empty()
        && users.iter().all(|user| match &function.value(*user).kind {
            ValueKind::Place(place) if place.as_variable().is_some() => is_plain(cx, id, uses, *user, depth),
            ValueKind::Place(_) | ValueKind::Field(..) | ValueKind::Index(_) | ValueKind::Operation(_) => true,
            ValueKind::Element(_) | ValueKind::Component(..) | ValueKind::Collection(Collection::Mapping, _) => true,
            // What it is handed to may await it, unless that is of the same library or known to be plain itself.
            ValueKind::Call(used) => match used.callee {
                Callee::Method(receiver, _) if receiver == value => true,
                _ => is_of_same_library(cx, id, value, *user),
            },
            _ => false,
        })
}

/// Whether two calls are of one library; a variable that holds what the first gave stands for it.
fn is_of_same_library(cx: &RuleContext, id: FunctionId, value: ValueIndex, other: ValueIndex) -> bool {
    let root = |call: ValueIndex| {
        let resolution = cx.resolution(id, call);
        resolution.external().and_then(|name| name.split('.').next().map(str::to_owned))
    };
    let function = cx.function(id);
    let node = function.value(value);
    let made = match &node.kind {
        ValueKind::Place(place) => match place.as_variable() {
            Some(variable) => cx.program.reaching(id, variable, node.block, node.step).values,
            None => Vec::new(),
        },
        _ => vec![value],
    };
    let [made] = made[..] else { return false };
    root(made).is_some() && root(made) == root(other)
}

fn question(cx: &RuleContext, id: FunctionId, event: &Event, call: ValueIndex, what: &str, asks: String) -> Verdict {
    let name = cx.program.callee_text(id, call);
    let by = &cx.function(id).name;
    let mut verdict = cx
        .verdict(NAME, Stance::Unproven, id, event.span, &format!("`{name}`"))
        .assumes(format!("nothing in `{by}` blocks the event loop"))
        .says(format!("{what}: if it waits, the event loop does"))
        .asks(asks)
        .helps("hand it to a thread, or use what the library has for asynchronous code")
        .level(Level::Error)
        .stake(Stake::Unbounded);
    verdict.evidence.push(cx.loop_evidence(id));
    verdict
}
