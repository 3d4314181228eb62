//! What is done for the time of a wait, and stays done when the wait fails or is cancelled.
//!
//! ~~~text
//! self._busy = True         self._pending += 1        self._waiters.append(waiter)
//! await self.sync()         an exception or a cancellation leaves here …
//! self._busy = False        … and does not come by: nobody gets past the check again
//!
//! try: await waiter
//! except Exception: self._waiters.remove(waiter); raise     a cancellation is no `Exception`
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::accesses::Touch;
use crate::catalogue::Change;
use crate::flow::{
    Attempt, Block, BlockIndex, Field, Function, Goes, Handler, Literal, Place, Root, StepKind, Suspension, ValueIndex,
    ValueKind, VariableIndex, WriteKind,
};
use crate::text::{Language, Span};
use crate::verdict::{Level, Location, Stance, Verdict};

use super::NAME;
use crate::rules::context::RuleContext;

/// A change of state that others see.
struct Write {
    place: Place,
    at: (BlockIndex, u32),
    span: Span,
    does: Act,
}

/// What a write does.
#[derive(Clone, Copy, PartialEq)]
enum Act {
    /// A flag is set, or taken back.
    Flag(bool),
    /// So much is added to a count.
    Count(i64),
    /// What a variable holds is put into a collection, or taken out of it.
    Member(bool, VariableIndex),
    /// Anything else.
    Other,
}

impl Act {
    fn is_begun(self) -> bool {
        matches!(self, Self::Flag(true) | Self::Count(1..) | Self::Member(true, _))
    }

    fn is_undone_by(self, other: Self) -> bool {
        match (self, other) {
            (Self::Flag(true), Self::Flag(false)) => true,
            (Self::Count(more), Self::Count(less)) => more == -less,
            (Self::Member(true, one), Self::Member(false, other)) => one == other,
            _ => false,
        }
    }
}

/// How something is taken back.
struct Undone {
    span: Span,
    /// The class of exceptions on which alone it is.
    only_on: Option<ValueIndex>,
}

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if cx.language(id.module) != Language::Python || !function.is_async() || cx.program.is_test_code(id) {
        return;
    }
    let writes: Vec<Write> =
        function.steps().filter_map(|(block, at, step)| write(cx, id, (block, at as u32), step)).collect();
    for set in writes.iter().filter(|write| write.does.is_begun()) {
        let undoes = |write: &Write| write.place == set.place && set.does.is_undone_by(write.does);
        if !writes.iter().any(undoes) {
            continue;
        }
        let Some((awaits, undone)) = unprotected(cx, id, set, &writes) else { continue };
        let Some(reader) = reader(cx, id, set) else { continue };
        out.push(question(cx, id, set, awaits, &undone, reader));
        return;
    }
}

fn write(cx: &RuleContext, id: FunctionId, at: (BlockIndex, u32), step: &crate::flow::Step) -> Option<Write> {
    let function = cx.function(id);
    let (place, does) = match &step.kind {
        StepKind::Write(place, kind, Some(value)) => (place.clone(), act(&function, *kind, *value)),
        StepKind::Call(call) => {
            let (place, change) = cx.program.change_of(id, *call)?;
            let [argument] = &function.call(*call)?.arguments[..] else { return None };
            let ValueKind::Place(member) = &function.value(argument.value).kind else { return None };
            (place, Act::Member(change != Change::Removes, member.as_variable()?))
        }
        _ => return None,
    };
    let is_shared = match place.root {
        Root::Variable(_) => matches!(place.fields[..], [Field::Name(_)]),
        Root::Global(_) => place.fields.is_empty(),
    };
    is_shared.then_some(Write { place, at, span: step.span, does })
}

fn act(function: &Function, kind: WriteKind, value: ValueIndex) -> Act {
    match (kind, &function.value(value).kind) {
        (WriteKind::Assign, ValueKind::Literal(Literal::Bool(is_set))) => Act::Flag(*is_set),
        (WriteKind::Augment, ValueKind::Operation(parts)) => match parts[..] {
            [_, by] => match function.value(by).kind {
                ValueKind::Literal(Literal::Int(by)) => Act::Count(by),
                _ => Act::Other,
            },
            _ => Act::Other,
        },
        _ => Act::Other,
    }
}

/// The first wait between a write and the one that undoes it, out of which a cancellation does not come by any write of
/// the same.
fn unprotected(cx: &RuleContext, id: FunctionId, set: &Write, writes: &[Write]) -> Option<(ValueIndex, Undone)> {
    let function = cx.function(id);
    let mut waits: Vec<(BlockIndex, ValueIndex)> = Vec::new();
    let mut undone = None;
    // Other members of a collection come and go.
    let concerns = |write: &&Write| {
        write.place == set.place
            && match (set.does, write.does) {
                (Act::Member(_, one), Act::Member(_, other)) => one == other,
                _ => true,
            }
    };
    function.walk_steps((set.at.0, set.at.1 as usize + 1), |stretch| {
        for (number, step) in stretch.steps() {
            let at = (stretch.at, number as u32);
            if let Some(other) = writes.iter().filter(concerns).find(|write| write.at == at) {
                let is_later = matches!(set.does, Act::Flag(_)) || other.span.start > set.span.start;
                undone = undone.or((set.does.is_undone_by(other.does) && is_later).then_some(other.span));
                return Goes::Aside;
            }
            if let StepKind::Suspend(how, Some(of)) = step.kind
                && how != Suspension::Yield
                && cx.program.may_suspend(id, how, Some(of))
                && !only_pauses(cx, id, of)
            {
                waits.push((stretch.at, of));
            }
        }
        Goes::<()>::On
    });
    // A handler that undoes it, and that a cancellation goes past.
    let partial: Vec<(&Attempt, &Handler, Span)> = function
        .attempts
        .iter()
        .flat_map(|attempt| attempt.handlers.iter().map(move |handler| (attempt, handler)))
        .filter(|(_, handler)| !takes_cancellation(cx, id, handler))
        .filter_map(|(attempt, handler)| {
            let undoes = |write: &&Write| {
                write.place == set.place && set.does.is_undone_by(write.does) && handler.region.has(write.at.0)
            };
            Some((attempt, handler, writes.iter().find(undoes)?.span))
        })
        .collect();
    let touches = |block: BlockIndex| writes.iter().any(|write| write.at.0 == block && write.place == set.place);
    let is_passed_by = |block: BlockIndex| partial.iter().any(|(_, handler, _)| handler.region.has(block));
    let is_open = |block: BlockIndex| {
        let Some(raised) = function.blocks[block.at()].on_raise else { return true };
        let on = |_, block: &Block, on: &mut Vec<BlockIndex>| {
            on.extend(block.successors().filter(|next| !is_passed_by(*next)));
        };
        !function
            .reached([raised], on)
            .into_iter()
            .zip(0..)
            .any(|(is_reached, at)| is_reached && touches(BlockIndex(at)))
    };
    // Only what is waited for before it is undone counts; later waits of a loop are on other ways.
    let mut open: Vec<_> = waits.into_iter().filter(|(block, _)| is_open(*block)).collect();
    open.sort_by_key(|(_, of)| *of);
    open.into_iter().find_map(|(block, of)| {
        let around = partial.iter().find(|(attempt, ..)| attempt.body.has(block));
        let on_some =
            around.map(|(_, handler, span)| Undone { span: *span, only_on: handler.catches.first().copied() });
        Some((of, on_some.or(undone.map(|span| Undone { span, only_on: None }))?))
    })
}

/// Whether a handler is asked for cancellations as well.
fn takes_cancellation(cx: &RuleContext, id: FunctionId, handler: &Handler) -> bool {
    handler.catches.is_empty()
        || handler.catches.iter().any(|class| cx.program.takes_cancellation(id, *class).is_some())
}

/// Whether an await only lets time pass: nothing but a cancellation comes out of it, which mostly ends it all.
fn only_pauses(cx: &RuleContext, id: FunctionId, of: ValueIndex) -> bool {
    let resolution = cx.resolution(id, of);
    resolution.external().is_some_and(|name| cx.program.tables(Language::Python).pauses(name))
}

/// Somebody who looks at it: another function of the file, or this one before it changes it.
fn reader(cx: &RuleContext, id: FunctionId, set: &Write) -> Option<(Location, String)> {
    let (state, name) = cx.program.state_named(id, &set.place, set.at.0, set.at.1)?;
    let accesses = cx.program.accesses_of(id.module, &state);
    // To count up, a count is read; that is no look at it. Nor is the change of a collection.
    let is_changed = |by: FunctionId, span: Span| {
        accesses.iter().any(|access| access.function == by && access.touch.is_change() && access.span.contains(span))
    };
    let reads = accesses.iter().filter(|access| {
        access.touch == Touch::Reads && !cx.is_set_up(access.function) && !is_changed(access.function, access.span)
    });
    let read = reads.min_by_key(|access| (access.function != id, access.function, access.span))?;
    let by = &cx.function(read.function).name;
    Some((cx.location(read.function, read.span), format!("`{by}` looks at `{name}` here")))
}

fn question(
    cx: &RuleContext,
    id: FunctionId,
    set: &Write,
    awaits: ValueIndex,
    undone: &Undone,
    (read_at, read): (Location, String),
) -> Verdict {
    let function = cx.function(id);
    let (place, by) = (cx.program.place_text(id, &set.place), &function.name);
    let (what, back, done) = match set.does {
        Act::Member(_, variable) => {
            let member = &function.variable(variable).name;
            (
                format!("`{member}` is taken out of `{place}`"),
                "taken out".to_owned(),
                format!("`{member}` is put into `{place}`"),
            )
        }
        Act::Count(_) => {
            (format!("`{place}` is counted down"), "counted down".to_owned(), format!("`{place}` is counted up"))
        }
        _ => (format!("`{place}` is taken back"), "taken back".to_owned(), format!("`{place}` is set")),
    };
    let class = undone.only_on.map(|class| cx.program.value_text(id, class));
    let (says, asks) = match &class {
        Some(class) => (
            format!("{done} before a wait and {back} on `{class}` only: a cancellation goes past that"),
            format!("Can `{by}` be cancelled there and somebody go on with what it leaves?"),
        ),
        None => (
            format!("{done} for the time of a wait, and stays so if that fails or is cancelled"),
            format!("Can `{}` raise, or `{by}` be cancelled there?", cx.program.value_text(id, awaits)),
        ),
    };
    cx.verdict(NAME, Stance::Unproven, id, set.span, &format!("`{place}`"))
        .assumes(format!("{what} however the wait in `{by}` ends"))
        .says(says)
        .asks(asks)
        .helps(match class {
            Some(_) => "do so in a handler for `BaseException` that raises again",
            None => "do so in a `finally`",
        })
        .level(Level::Warning)
        .evidence(cx.location(id, function.value(awaits).span), "this is waited for meanwhile")
        .evidence(cx.location(id, undone.span), format!("it is {back} here"))
        .evidence(read_at, read)
}
