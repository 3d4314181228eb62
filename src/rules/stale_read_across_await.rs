//! A write rests on a read that is older than a suspension.
//!
//! ~~~text
//! if self.token is None:                    read, and it decides a branch
//!     self.token = await self.login()       gives way, then writes what the branch decided on
//! ~~~
//!
//! The way from the read to the write is walked along the control flow. It ends without an answer where the same place
//! is tested again after giving way, or written before it: then nothing stale is left.

pub(super) mod looked_again;
mod through_method;
pub(super) mod unlocked;
mod waited_for;
mod way;

use crate::analysis::accesses::Access;
use crate::analysis::names::Item;
use crate::analysis::{FunctionId, FunctionRef};
use crate::catalogue::{Change, Flavour, Runs};
use crate::flow::{
    BlockIndex, Collection, Colour, Field, Literal, Place, Root, StepKind, ValueIndex, ValueKind, WriteKind, is_special,
};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Location, Stance, Verdict};
use way::{Guard, Rests, Stale, Way};

use super::context::RuleContext;

const NAME: &str = "stale-read-across-await";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if cx.language(id.module) == Language::Rust || function.colour != Colour::Async {
        return;
    }
    let writes: Vec<Write> = shared_writes(cx, id, &function);
    let helped = through_method::writes(cx, id, &function);
    if writes.is_empty() && helped.is_empty() {
        return;
    }
    let way = Way::of(cx, id, &function);
    if way.suspends.is_empty() {
        return;
    }
    let mut answered: Vec<Place> = Vec::new();
    for write in &writes {
        let whole = without_index(&write.place);
        if answered.contains(&whole) {
            continue;
        }
        let Some(stale) = way.stale(write) else { continue };
        answered.push(whole);
        out.extend(answer(cx, id, &way, write, &stale));
    }
    for helped in &helped {
        if !answered.contains(&without_index(&helped.write.place))
            && let Some(verdict) = through_method::answer(cx, id, &way, helped)
        {
            answered.push(without_index(&helped.write.place));
            out.push(verdict);
        }
    }
}

/// Where steps are counted from: a block and a number in it.
type At = (BlockIndex, u32);

/// A write of something that other tasks may see.
struct Write {
    place: Place,
    kind: WriteKind,
    value: Option<ValueIndex>,
    /// What a method that changes a collection is given, where the write is one.
    given: Vec<ValueIndex>,
    at: At,
    span: Span,
    sharing: Sharing,
}

impl Write {
    /// Whether it is a call that changes a collection.
    fn is_call(&self) -> bool {
        !self.given.is_empty()
    }
}

/// Who may see a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sharing {
    /// Every task: a global, an attribute of a class.
    Everybody,
    /// Whoever has the same object.
    Object,
    /// Whoever runs in the same call of the function around.
    Enclosing,
}

fn shared_writes(cx: &RuleContext, id: FunctionId, function: &FunctionRef) -> Vec<Write> {
    let shape = cx.program.shape(id);
    let mut writes = Vec::new();
    for (block, number, step) in function.steps() {
        let (place, kind, value, given) = match &step.kind {
            StepKind::Write(place, kind, value) => (place.clone(), *kind, *value, Vec::new()),
            StepKind::Call(value) => match (cx.program.change_of(id, *value), function.call(*value)) {
                (Some((place, Change::Adds)), Some(call)) => {
                    let given = call.arguments.iter().map(|argument| argument.value).collect();
                    (place, WriteKind::Augment, None, given)
                }
                _ => continue,
            },
            _ => continue,
        };
        if place.is_cut || !shape.is_reachable(block) {
            continue;
        }
        let Some(sharing) = sharing(cx, id, function, &place) else { continue };
        writes.push(Write { place, kind, value, given, at: (block, number as u32), span: step.span, sharing });
    }
    writes
}

/// Who may see a place; `None` for what only this call can reach, or of which that is not known.
fn sharing(cx: &RuleContext, id: FunctionId, function: &FunctionRef, place: &Place) -> Option<Sharing> {
    match &place.root {
        Root::Variable(variable) => {
            let receiver = function.parameters.first().map(|first| first.variable);
            let is_own = receiver == Some(*variable) && function.owner.is_some();
            if is_own {
                return matches!(place.fields.first(), Some(Field::Name(_))).then_some(Sharing::Object);
            }
            function.variable(*variable).captures.is_some().then_some(Sharing::Enclosing)
        }
        Root::Global(path) => match cx.program.resolve_in(id, path) {
            Item::Static(..) | Item::Type(_) | Item::Field(..) => Some(Sharing::Everybody),
            _ => None,
        },
    }
}

/// A place without what lies at an index: `self.rows` for `self.rows[key]`.
fn without_index(place: &Place) -> Place {
    let mut whole = place.clone();
    while whole.fields.last() == Some(&Field::Index) {
        whole.fields.pop();
    }
    whole
}

fn answer(cx: &RuleContext, id: FunctionId, way: &Way, write: &Write, stale: &Stale) -> Option<Verdict> {
    let function = &way.function;
    let place = cx.program.place_text(id, &without_index(&write.place));
    let subject = format!("`{place}`");
    let rests = match stale.rests {
        Rests::Value => "what was read of",
        Rests::Condition => "what was checked of",
    };
    let assumption = format!("{rests} `{place}` in `{}` still holds where it is written", function.name);
    if let Guard::Lock(lock, taken) = &stale.guard {
        let verdict = cx.verdict(NAME, Stance::Upheld, id, write.span, &subject).assumes(assumption);
        return Some(verdict.evidence(cx.location(id, *taken), format!("`{lock}` is held from the read to the write")));
    }
    if stale.guard == Guard::Unknown {
        return None;
    }
    let read = match stale.rests {
        Rests::Value => format!("`{place}` is read here"),
        Rests::Condition => format!("`{place}` is checked here"),
    };
    let evidence = |verdict: Verdict| {
        verdict
            .evidence(cx.location(id, stale.read), read.clone())
            .evidence(cx.location(id, stale.gives_way), format!("`{}` {} here", function.name, stale.how.told()))
    };
    let help = "hold one asynchronous lock from the read to the write, or look again after the await";
    let clears = stale.rests == Rests::Condition && clears(way, write);
    match runs(cx, id, way, write, stale) {
        Together::Yes(..) if clears => None,
        Together::Yes(at, what) => {
            let verdict = cx
                .violated(NAME, Confidence::Medium, id, write.span, &subject)
                .assumes(assumption)
                .says(format!(
                    "`{place}` is written on the strength of {} that another task may have overtaken: `{}` gives way \
                     in between",
                    if stale.rests == Rests::Value { "a read" } else { "a check" },
                    function.name
                ))
                .helps(help);
            Some(evidence(verdict).evidence(at, what))
        }
        Together::No => Some(cx.verdict(NAME, Stance::Upheld, id, write.span, &subject).assumes(assumption)),
        Together::Unknown => {
            if write.is_call() || clears || is_quiet(cx, id, way, write, stale) {
                return None;
            }
            let verb = if stale.rests == Rests::Value { "read" } else { "check" };
            let verdict = cx
                .verdict(NAME, Stance::Unproven, id, write.span, &subject)
                .assumes(assumption)
                .says(format!("`{place}` is written after `{}` gave way since its {verb}", function.name))
                .asks(format!(
                    "Between the {verb} and the write `{}` gives way and holds nothing: can two tasks run it for the \
                     same `{place}` at once?",
                    function.name
                ))
                .helps(help);
            Some(evidence(verdict))
        }
    }
}

/// Whether the question is not worth a reviewer's time.
fn is_quiet(cx: &RuleContext, id: FunctionId, way: &Way, write: &Write, stale: &Stale) -> bool {
    let function = &way.function;
    // The language calls these by itself, in turn; tests call everything in turn.
    if is_special(&function.name) || cx.program.is_test_code(id) {
        return true;
    }
    if stale.rests == Rests::Value {
        return false;
    }
    write.value.is_none() || write.kind == WriteKind::Delete
}

/// Whether a write clears what was there, as at the end of a life, which comes to the same however often it is done.
fn clears(way: &Way, write: &Write) -> bool {
    match write.value.map(|value| &way.function.value(value).kind) {
        Some(ValueKind::Literal(Literal::None | Literal::Bool(false))) => true,
        Some(ValueKind::Collection(Collection::List | Collection::Mapping | Collection::Set, items)) => {
            items.is_empty()
        }
        _ => false,
    }
}

/// Whether it is for the caller to say if a write happens: two calls of the function may each write something else.
fn is_for_the_caller_to_say(way: &Way, write: &Write) -> bool {
    let function = &way.function;
    let is_parameter = |value: ValueIndex| match &function.value(value).kind {
        ValueKind::Place(place) => function.parameters.iter().any(|one| place.as_variable() == Some(one.variable)),
        _ => false,
    };
    way.deciding.iter().any(|(block, value)| {
        let targets = function.blocks[block.at()].next.targets();
        let is_told = match &function.value(*value).kind {
            ValueKind::Operation(parts) => matches!(parts[..], [only] if is_parameter(only)),
            _ => is_parameter(*value),
        };
        is_told
            && way.dominates(*block, write.at.0)
            && targets.iter().any(|target| !function.leads_past(*target, write.at.0, *block))
    })
}

/// Whether two tasks may be in the function at once, with the same state.
enum Together {
    Yes(Location, String),
    No,
    Unknown,
}

fn runs(cx: &RuleContext, id: FunctionId, way: &Way, write: &Write, stale: &Stale) -> Together {
    let is_test =
        cx.context(id).runs.contains(&Runs::Test) || !cx.function(id).is_async() && cx.program.is_test_code(id);
    if is_test || is_for_the_caller_to_say(way, write) {
        return Together::Unknown;
    }
    let on_one_object = write.sharing == Sharing::Object;
    let shown = cx.program.met_by_itself(id, on_one_object);
    let shown = shown.or_else(|| waited_for::by_others(way, write, stale));
    if let Some((at, what)) = shown.or_else(|| changed_elsewhere(cx, id, write, stale)) {
        return Together::Yes(at, what);
    }
    if is_called_in_turn(cx, id, 4) { Together::No } else { Together::Unknown }
}

/// What shows that somebody else changes the same state meanwhile: a task that does, or a lock under which others do.
fn changed_elsewhere(cx: &RuleContext, id: FunctionId, write: &Write, stale: &Stale) -> Option<(Location, String)> {
    let (block, step) = write.at;
    let (state, name) = cx.program.state_named(id, &write.place, block, step)?;
    let accesses = cx.program.accesses_of(id.module, &state);
    let elsewhere =
        |access: &&Access| access.function != id && access.touch.is_change() && !cx.is_set_up(access.function);
    accesses.iter().filter(elsewhere).find_map(|access| {
        let other = &cx.function(access.function).name;
        if let Some(lock) = cx.program.guards_at(access).iter().find(|lock| lock.flavour == Flavour::Async) {
            let at = cx.location(access.function, access.span);
            return Some((at, format!("`{other}` changes `{name}` under `{}` here", lock.name)));
        }
        if stale.rests != Rests::Value {
            return None;
        }
        let (at, what) = cx.program.meets(id, access.function, write.sharing == Sharing::Object)?;
        Some((at, format!("{what}, and changes `{name}` in `{other}`")))
    })
}

/// Whether a function has one caller in its file, which awaits it, and no other file can mean it.
fn is_called_in_turn(cx: &RuleContext, id: FunctionId, depth: u32) -> bool {
    let function = cx.function(id);
    let is_private = function.name.starts_with('_') && !function.name.starts_with("__");
    if depth == 0 || (!is_private && depth == 4) || function.owner.is_some() {
        return false;
    }
    let calls = cx.program.callers_in_file(id);
    let [(caller, call)] = calls.by[..] else { return false };
    if calls.is_named {
        return false;
    }
    if caller.index.0 == 0 {
        return true;
    }
    cx.program.is_awaited(caller, call) && is_called_in_turn(cx, caller, depth - 1)
}
