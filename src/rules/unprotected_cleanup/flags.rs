//! A flag that is set for the time of a wait, and stays set when the wait fails or is cancelled.
//!
//! ~~~text
//! if self._busy: return
//! self._busy = True
//! await self.sync()         an exception or a cancellation leaves here …
//! self._busy = False        … and does not come by: nobody gets past the check again
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::accesses::Touch;
use crate::flow::{BlockIndex, Field, Function, Literal, Place, Root, StepKind, Suspension, ValueIndex, ValueKind};
use crate::text::{Language, Span};
use crate::verdict::{Level, Location, Stance, Verdict};

use super::NAME;
use crate::rules::context::RuleContext;

/// A write of a flag.
struct Write<'f> {
    place: &'f Place,
    at: (BlockIndex, u32),
    span: Span,
    is_set: bool,
}

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if cx.language(id.module) != Language::Python || !function.is_async() || cx.program.is_test_code(id) {
        return;
    }
    let writes: Vec<Write> =
        function.steps().filter_map(|(block, at, step)| write(&function, block, at, step)).collect();
    for set in writes.iter().filter(|write| write.is_set) {
        let resets = |write: &&Write| !write.is_set && write.place == set.place;
        if !writes.iter().any(|write| resets(&write)) {
            continue;
        }
        let Some((awaits, reset)) = unprotected(cx, id, set, &writes) else { continue };
        let Some(reader) = reader(cx, id, set) else { continue };
        out.push(question(cx, id, set, awaits, reset, reader));
        return;
    }
}

fn write<'f>(function: &Function, block: BlockIndex, at: usize, step: &'f crate::flow::Step) -> Option<Write<'f>> {
    let StepKind::Write(place, _, Some(value)) = &step.kind else { return None };
    let is_shared = match place.root {
        Root::Variable(_) => matches!(place.fields[..], [Field::Name(_)]),
        Root::Global(_) => place.fields.is_empty(),
    };
    let ValueKind::Literal(Literal::Bool(is_set)) = function.value(*value).kind else { return None };
    is_shared.then_some(Write { place, at: (block, at as u32), span: step.span, is_set })
}

/// The first wait between a write and the one that takes it back, out of which no way leads by any write of the flag.
fn unprotected(cx: &RuleContext, id: FunctionId, set: &Write, writes: &[Write]) -> Option<(ValueIndex, Span)> {
    let function = cx.function(id);
    let mut seen = vec![false; function.blocks.len()];
    let mut work = vec![(set.at.0, set.at.1 + 1)];
    let mut waits: Vec<(BlockIndex, ValueIndex)> = Vec::new();
    let mut reset = None;
    while let Some((block, first)) = work.pop() {
        let body = &function.blocks[block.at()];
        let mut goes_on = true;
        for (number, step) in body.steps.iter().enumerate().skip(first as usize) {
            let at = (block, number as u32);
            if let Some(other) = writes.iter().find(|write| write.at == at && write.place == set.place) {
                reset = reset.or((!other.is_set).then_some(other.span));
                goes_on = false;
                break;
            }
            if let StepKind::Suspend(how, Some(of)) = step.kind
                && how != Suspension::Yield
                && cx.program.may_suspend(id, how, Some(of))
                && !only_pauses(cx, id, of)
            {
                waits.push((block, of));
            }
        }
        for &target in body.next.targets().iter().filter(|_| goes_on) {
            if !std::mem::replace(&mut seen[target.at()], true) {
                work.push((target, 0));
            }
        }
    }
    let touches = |block: BlockIndex| writes.iter().any(|write| write.at.0 == block && write.place == set.place);
    let is_open = |block: BlockIndex| {
        let Some(raised) = function.blocks[block.at()].on_raise else { return true };
        !reachable(&function, raised).into_iter().any(touches)
    };
    let reset = reset?;
    // Only what is waited for before the flag is taken back counts; later waits of a loop are on other ways.
    waits.into_iter().filter(|(block, _)| is_open(*block)).map(|(_, of)| (of, reset)).min_by_key(|(of, _)| *of)
}

/// Whether an await only lets time pass: nothing but a cancellation comes out of it, which mostly ends it all.
fn only_pauses(cx: &RuleContext, id: FunctionId, of: ValueIndex) -> bool {
    let resolution = cx.resolution(id, of);
    resolution.external().is_some_and(|name| cx.program.tables(Language::Python).pauses(name))
}

/// The blocks that control can get to from one, exceptions included.
fn reachable(function: &Function, from: BlockIndex) -> Vec<BlockIndex> {
    let mut seen = vec![from];
    let mut at = 0;
    while let Some(&block) = seen.get(at) {
        at += 1;
        let body = &function.blocks[block.at()];
        for next in body.next.targets().iter().copied().chain(body.on_raise) {
            if !seen.contains(&next) {
                seen.push(next);
            }
        }
    }
    seen
}

/// Somebody who looks at the flag: another function of the file, or this one before it sets it.
fn reader(cx: &RuleContext, id: FunctionId, set: &Write) -> Option<(Location, String)> {
    let (state, name) = cx.program.state_named(id, set.place, set.at.0, set.at.1)?;
    let accesses = cx.program.accesses_of(id.module, &state);
    let reads = accesses.iter().filter(|access| access.touch == Touch::Reads && !cx.is_set_up(access.function));
    let read = reads.min_by_key(|access| (access.function != id, access.function, access.span))?;
    let by = &cx.function(read.function).name;
    Some((cx.location(read.function, read.span), format!("`{by}` looks at `{name}` here")))
}

fn question(
    cx: &RuleContext,
    id: FunctionId,
    set: &Write,
    awaits: ValueIndex,
    reset: Span,
    (read_at, read): (Location, String),
) -> Verdict {
    let function = cx.function(id);
    let flag = cx.program.place_text(id, set.place);
    let awaited = cx.program.value_text(id, awaits);
    cx.verdict(NAME, Stance::Unproven, id, set.span, &format!("`{flag}`"))
        .assumes(format!("`{flag}` is taken back however the wait in `{}` ends", function.name))
        .says(format!("`{flag}` is set for the time of a wait, and stays set if that fails or is cancelled"))
        .asks(format!("Can `{awaited}` raise, or `{}` be cancelled there?", function.name))
        .helps("take it back in a `finally`")
        .level(Level::Warning)
        .evidence(cx.location(id, function.value(awaits).span), "this is waited for meanwhile")
        .evidence(cx.location(id, reset), format!("`{flag}` is taken back here"))
        .evidence(read_at, read)
}
