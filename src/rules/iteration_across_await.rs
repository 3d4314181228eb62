//! A shared collection is looped over while the loop gives way, and somebody else changes it.
//!
//! ~~~text
//! for client in self.clients:          the loop stands in the middle of the collection …
//!     await client.send(text)          … and gives way
//! def leave(self, client):
//!     self.clients.remove(client)      changed while the loop is suspended
//! ~~~
//!
//! A dictionary, set or deque then raises, a list skips. A copy (`list(self.clients)`) is another collection.

mod changes;
pub(super) mod copied;
mod generated;
pub(super) mod unlocked;

use crate::analysis::accesses::{Access, Touch};
use crate::analysis::strands::is_alike;
use crate::analysis::{FunctionId, FunctionRef};
use crate::catalogue::Change;
use crate::flow::{Callee, Function, LoopIndex, LoopKind, Root, ValueIndex, ValueKind, WriteKind};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Stance, Verdict};

use super::context::RuleContext;
use super::loop_without_yield::is_in;
use changes::upsets_loop;

const NAME: &str = "iteration-across-await";

/// How many names and views may lie between the loop and the collection.
const DEEPEST: u32 = 5;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if cx.language(id.module) != Language::Python || !function.is_async() || cx.program.is_test_code(id) {
        return;
    }
    for (at, around) in (0..).zip(&function.loops) {
        let Some(over) = around.over.filter(|_| around.kind == LoopKind::For) else { continue };
        let Some(collection) = collection_of(cx, id, over, DEEPEST) else { continue };
        let (holder, at_holder) = (cx.function(collection.of), collection.at);
        let value = holder.value(at_holder);
        let ValueKind::Place(place) = &value.kind else { continue };
        let state = cx.program.state_named(collection.of, place, value.block, value.step);
        let Some((state, name)) = state else { continue };
        let Some((way, locks)) = suspension_in(cx, id, &function, LoopIndex(at)) else { continue };
        let kind = kind_of(cx, collection.of, at_holder);
        let accesses = cx.program.accesses_of(collection.of.module, &state);
        let elsewhere = accesses.iter().filter(|access| {
            access.function != id && !cx.is_set_up(access.function) && !cx.program.is_test_code(access.function)
        });
        let changes: Vec<(&Access, Span)> = elsewhere
            .filter_map(|access| Some((access, upsets_loop(cx, &accesses, access, place, kind)?)))
            .filter(|(access, _)| {
                let theirs = cx.program.guards_at(access);
                !locks.iter().any(|lock| theirs.iter().any(|other| is_alike(lock, other)))
            })
            .collect();
        let on_one_object = matches!(place.root, Root::Variable(_));
        let shown = changes.iter().find_map(|one| Some((*one, cx.program.meets(id, one.0.function, on_one_object)?)));
        let (change, shown) = match (shown, changes.first()) {
            (Some((change, shown)), _) => (change, Some(shown)),
            (None, Some(change)) => (*change, None),
            (None, None) => continue,
        };
        let span = if collection.of == id { value.span } else { function.value(over).span };
        let mut verdict = verdict(cx, id, span, &name, way, change, shown);
        if collection.of != id {
            verdict = verdict.evidence(cx.location(collection.of, value.span), format!("it goes over `{name}` here"));
        }
        out.push(verdict);
    }
}

/// What becomes of a loop over a collection that changes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It raises when anything comes or goes.
    Raises,
    /// It skips what moves up.
    Skips,
    Unknown,
}

fn kind_of(cx: &RuleContext, id: FunctionId, collection: ValueIndex) -> Kind {
    let of = cx.program.value_type(id, collection);
    let Some(instance) = of.instance().filter(|instance| instance.definition.is_none()) else { return Kind::Unknown };
    let tables = cx.program.tables(Language::Python);
    match tables.is_sequence(&instance.name) {
        true => Kind::Skips,
        false => Kind::Raises,
    }
}

/// Whether a change does harm to a loop that stands in the middle.
fn upsets(touch: Touch, kind: Kind) -> bool {
    match touch {
        Touch::Reads => false,
        // A new collection leaves the loop the old one.
        Touch::Writes(_, _, false) => false,
        Touch::Writes(WriteKind::Delete, _, true) => true,
        // Giving an element a value may be the first of its key.
        Touch::Writes(_, _, true) => kind == Kind::Raises,
        Touch::Changes(Change::Removes, _) => true,
        Touch::Changes(Change::Adds | Change::Ensures, _) => kind != Kind::Skips,
    }
}

/// Where a loop's collection stands.
struct Collection {
    /// The function that names it: the one that loops, or one that gives what is looped over.
    of: FunctionId,
    /// Its place there.
    at: ValueIndex,
}

/// The collection itself, behind views, names, functions that loop only when they are looped over, and generators.
fn collection_of(cx: &RuleContext, id: FunctionId, value: ValueIndex, depth: u32) -> Option<Collection> {
    let depth = depth.checked_sub(1)?;
    let function = cx.function(id);
    let node = function.value(value);
    let tables = cx.program.tables(Language::Python);
    match &node.kind {
        ValueKind::Place(_) if is_whole_slice(&function, node.span) => None,
        ValueKind::Place(place) => match place.as_variable() {
            Some(variable) => {
                let reaching = cx.program.reaching(id, variable, node.block, node.step);
                match (&reaching.values[..], reaching.from_entry) {
                    ([only], false) => collection_of(cx, id, *only, depth),
                    _ => None,
                }
            }
            None => Some(Collection { of: id, at: value }),
        },
        ValueKind::Function(expression) => generated::behind_expression(cx, id, *expression, depth),
        ValueKind::Call(call) => {
            let resolution = cx.resolution(id, value);
            let Some(name) = resolution.external() else { return generated::behind_call(cx, id, value, depth) };
            match &call.callee {
                Callee::Method(receiver, _) if tables.is_view(name) => collection_of(cx, id, *receiver, depth),
                Callee::Path(_) | Callee::Value(_) if tables.is_lazy(name) => {
                    let given = call.arguments.iter().map(|argument| argument.value);
                    given.into_iter().find_map(|argument| collection_of(cx, id, argument, depth))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether what is written there is a copy by a slice without bounds: `clients[:]`.
fn is_whole_slice(function: &Function, span: Span) -> bool {
    let is_bare = |kind: &ValueKind| matches!(kind, ValueKind::Operation(bounds) if bounds.is_empty());
    function.values.iter().any(|value| is_bare(&value.kind) && span.contains(value.span))
}

/// Where a loop gives way and comes back for its next turn, and the locks that are held there.
fn suspension_in(
    cx: &RuleContext,
    id: FunctionId,
    function: &FunctionRef,
    around: LoopIndex,
) -> Option<(Span, Vec<std::sync::Arc<crate::analysis::locks::Lock>>)> {
    let facts = cx.facts(id);
    let header = function.loops[around.at()].header;
    let event = facts.events.iter().find(|event| {
        is_in(function, event.block, around) && cx.gives_way(id, event) && function.comes_to(event.block, header)
    })?;
    let locks = event.held.iter().filter(|held| held.is_certain).map(|held| held.lock.clone());
    Some((event.span, locks.chain(cx.program.locks_at_entry(id)).collect()))
}

fn verdict(
    cx: &RuleContext,
    id: FunctionId,
    over: Span,
    name: &str,
    way: Span,
    (change, changed): (&Access, Span),
    shown: Option<(crate::verdict::Location, String)>,
) -> Verdict {
    let function = &cx.function(id).name;
    let other = &cx.function(change.function).name;
    let stance = if shown.is_some() { Stance::Violated(Confidence::Medium) } else { Stance::Unproven };
    let mut verdict = cx
        .verdict(NAME, stance, id, over, &format!("`{name}`"))
        .assumes(format!("nobody changes `{name}` while the loop of `{function}` is suspended"))
        .says(format!("`{function}` gives way while it loops over `{name}`, which `{other}` changes"))
        .asks(format!("Can `{other}` run while `{function}` is in the middle of `{name}`?"))
        .helps(format!("loop over a copy: `list({name})`"))
        .evidence(cx.location(id, way), format!("`{function}` gives way here"))
        .evidence(cx.location(change.function, changed), format!("`{name}` is changed here"));
    if let Some((at, what)) = shown {
        verdict = verdict.evidence(at, what);
    }
    verdict
}
