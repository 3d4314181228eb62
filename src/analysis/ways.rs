//! How control leaves a piece of a function, and where it goes from there.
//!
//! A `finally` is lowered once, with a branch to every place that it can go on to; which of them depends on how it was
//! come to. A walk that forgets this would find a way from every `return` back into the loop around it:
//!
//! ~~~text
//! while True:
//!     try:
//!         return first()      goes through the finally, and out
//!     finally:
//!         done()              goes on out of the function, not to the next turn
//! ~~~

use std::collections::BTreeSet;

use crate::flow::{
    BlockIndex, Function, Leave, Leaving, ManagedIndex, Next, Region, StepKind, Suspension, ValueIndex, ValueKind,
};
use crate::text::Span;

/// The ways out of a piece of a function.
#[derive(Clone, Debug, Default)]
pub struct Ways {
    /// Blocks that raise again what was taken.
    pub again: Vec<BlockIndex>,
    /// Where something else is raised instead.
    pub replaced: Vec<Span>,
    /// Where control leaves as if nothing had been raised.
    pub lost: Vec<Way>,
    /// What branches in it are decided by.
    pub asked: Vec<ValueIndex>,
    /// Where it yields.
    pub yields: Vec<Span>,
    /// The statements that jump out of it, a cleanup inside it left out.
    pub jumps: Vec<Leave>,
}

/// One way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// The statement that says so; none where it comes to its end.
    pub by: Option<Leave>,
    /// Where control goes on, if it does.
    pub to: Option<BlockIndex>,
}

/// The ways out of a region. `is_again` says of a written `raise` whether it raises again what was taken, `None` if it
/// raises something that came up in the region and is nobody's business. `never_ends` says of a block whether it calls
/// what never returns, which is then taken to raise again: what it raises is its own affair.
pub fn ways_out(
    function: &Function,
    region: &Region,
    is_again: impl Fn(BlockIndex, Option<ValueIndex>) -> Option<bool>,
    never_ends: impl Fn(BlockIndex) -> bool,
) -> Ways {
    let mut ways = Ways::default();
    function.reached([region.entry], |at, block, on| {
        let yields = block.steps.iter().filter(|step| matches!(step.kind, StepKind::Suspend(Suspension::Yield, _)));
        ways.yields.extend(yields.map(|step| step.span));
        let inner = block.on_raise.filter(|handler| region.has(*handler));
        if !block.steps.is_empty() || matches!(block.next, Next::Raise(_)) {
            on.extend(inner);
        }
        if never_ends(at) {
            ways.again.push(at);
            return;
        }
        match &block.next {
            Next::Raise(value) => {
                if let (Some(leave), None) = (block.left_by, inner) {
                    match is_again(at, *value) {
                        Some(true) => ways.again.push(at),
                        Some(false) => ways.replaced.push(leave.span),
                        None => {}
                    }
                }
            }
            Next::Return(_) => {
                ways.jumps.extend(block.left_by);
                ways.lost.push(Way { by: block.left_by, to: None });
            }
            Next::Goto(_) | Next::Branch(..) | Next::Unreachable => {
                if let Next::Branch(Some(value), _) = &block.next {
                    ways.asked.push(*value);
                }
                ways.jumps.extend(block.left_by);
                for target in block.next.targets() {
                    if region.has(*target) {
                        on.push(first_turn(function, at, *target));
                    } else {
                        ways.lost.push(Way { by: block.left_by, to: Some(*target) });
                    }
                }
            }
        }
    });
    ways
}

/// The first turn of a loop over something that is written there and not empty, when control comes to it from outside.
fn first_turn(function: &Function, from: BlockIndex, to: BlockIndex) -> BlockIndex {
    let Some(index) = function.blocks[to.at()].in_loop else { return to };
    let around = &function.loops[index.at()];
    let is_written = around
        .over
        .is_some_and(|over| matches!(&function.value(over).kind, ValueKind::Collection(_, items) if !items.is_empty()));
    match function.blocks[to.at()].next.targets() {
        [turn, _] if around.header == to && is_written && function.blocks[from.at()].in_loop != Some(index) => *turn,
        _ => to,
    }
}

impl Ways {
    /// The way on from a managed block that takes an exception: as from its end.
    pub fn after(function: &Function, managed: ManagedIndex) -> Self {
        let mut ways = Self::default();
        for block in &function.blocks {
            let exits = |step: &crate::flow::Step| matches!(step.kind, StepKind::Exit(one) if one == managed);
            if block.left_by.is_none() && !matches!(block.next, Next::Raise(_)) && block.steps.iter().any(exits) {
                let targets = block.next.targets().iter();
                ways.lost.extend(targets.map(|to| Way { by: None, to: Some(*to) }));
                if matches!(block.next, Next::Return(_)) {
                    ways.lost.push(Way { by: None, to: None });
                }
            }
        }
        ways
    }
}

/// The blocks that control may come to along some ways, in the order in which they are met.
pub fn reached(function: &Function, ways: &[Way]) -> Vec<BlockIndex> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let mut work: Vec<(BlockIndex, Option<Leaving>)> =
        ways.iter().filter_map(|way| Some((way.to?, passing(function, way.to?, way.by)))).collect();
    while let Some((at, leaving)) = work.pop() {
        if !seen.insert((at, leaving)) {
            continue;
        }
        if !found.contains(&at) {
            found.push(at);
        }
        let block = &function.blocks[at.at()];
        let cleanup = function
            .attempts
            .iter()
            .filter_map(|attempt| attempt.cleanup.as_ref())
            .filter(|region| region.has(at))
            .min_by_key(|region| region.span.end - region.span.start);
        for &target in block.next.targets() {
            let goes = match cleanup {
                Some(region) if !region.has(target) && block.left_by.is_none() => {
                    match (leaving, jump_at(function, region, target)) {
                        (None, Exit::Through) => Some(None),
                        (Some(how), Exit::Jump(other)) if how == other => Some(None),
                        _ => None,
                    }
                }
                // Still on the way out, inside the cleanup.
                Some(_) if block.left_by.is_none() => Some(leaving),
                _ => Some(None),
            };
            if let Some(kept) = goes {
                work.push((target, kept.or_else(|| passing(function, target, block.left_by))));
            }
        }
    }
    found
}

/// How a cleanup goes on to a block.
#[derive(PartialEq, Eq)]
enum Exit {
    /// As if nothing had happened.
    Through,
    /// A jump that passes through.
    Jump(Leaving),
    /// An exception that passes through.
    Raise,
}

fn jump_at(function: &Function, cleanup: &Region, target: BlockIndex) -> Exit {
    // What follows the statement was made before its cleanup.
    if target < cleanup.entry {
        return Exit::Through;
    }
    let mut at = target;
    for _ in 0..8 {
        let block = &function.blocks[at.at()];
        match (block.left_by, &block.next) {
            (Some(leave), _) => return Exit::Jump(leave.how),
            (None, Next::Goto(next)) => at = *next,
            (None, _) => break,
        }
    }
    Exit::Raise
}

/// The jump that is under way at a block: it came to a cleanup by it.
fn passing(function: &Function, to: BlockIndex, by: Option<Leave>) -> Option<Leaving> {
    let is_cleanup =
        function.attempts.iter().any(|attempt| attempt.cleanup.as_ref().is_some_and(|region| region.entry == to));
    by.map(|leave| leave.how).filter(|_| is_cleanup)
}
