//! A loop that ends when every sender is gone, while its own function still has one.

use crate::analysis::FunctionId;
use crate::analysis::channels::{ChannelAt, Drain, End, is_in_loop};
use crate::analysis::uses::Uses;
use crate::catalogue::Receiver;
use crate::flow::{
    BlockIndex, Callee, Function, LoopIndex, Next, Owner, StepKind, ValueIndex, ValueKind, VariableIndex,
};
use crate::verdict::{Confidence, Verdict};

use super::NAME;
use crate::rules::context::RuleContext;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    for drain in cx.program.drains(id) {
        // What ends by being dropped has two ends.
        let Some(channel) = drain.channel.filter(|channel| channel.function == id && drain.entry.room.is_none()) else {
            continue;
        };
        if !ends_with_its_senders(cx, &drain) {
            continue;
        }
        let kept = senders(cx, id, channel).into_iter().find(|sender| is_kept(cx, &drain, *sender));
        if let Some(sender) = kept.filter(|sender| matters(cx, &drain, *sender)) {
            out.push(never_ends(cx, &drain, channel, sender));
        }
    }
}

fn never_ends(cx: &RuleContext, drain: &Drain, channel: ChannelAt, sender: VariableIndex) -> Verdict {
    let id = drain.by;
    let function = cx.function(id);
    let receiver = cx.program.value_text(id, drain.end);
    let variable = function.variable(sender);
    let name = &variable.name;
    let made = function.value(channel.call).span;
    cx.violated(NAME, Confidence::High, id, function.value(drain.receive).span, &format!("`{receiver}`, `{name}`"))
        .assumes(format!("the loop over `{receiver}` ends when the last sender is gone"))
        .says(format!(
            "`{receiver}` waits for the last sender to go, and `{name}` stays until the loop is over: it never ends"
        ))
        .helps(format!("let `{name}` go before the loop: drop it, or move it into the last task that sends"))
        .evidence(cx.location(id, variable.span), format!("`{name}` lives to the end of `{}`", function.name))
        .evidence(cx.location(id, made), "the channel is made here")
}

/// The variables of the function that made a channel which hold a sending end of it.
fn senders(cx: &RuleContext, id: FunctionId, channel: ChannelAt) -> Vec<VariableIndex> {
    let function = cx.function(id);
    let mut found = Vec::new();
    for (_, _, step) in function.steps() {
        if let StepKind::Bind(variable, value) = step.kind
            && cx.program.channel_end(id, value) == Some(End { channel, receives: false })
            && !found.contains(&variable)
        {
            found.push(variable);
        }
    }
    found
}

/// Whether a variable certainly holds its sender when the loop begins and as long as it turns.
fn is_kept(cx: &RuleContext, drain: &Drain, sender: VariableIndex) -> bool {
    let id = drain.by;
    let function = cx.function(id);
    let header = function.loops[drain.turns.at()].header;
    let shape = cx.program.shape(id);
    let binds: Vec<ValueIndex> = shape.binds(sender).collect();
    let [bound] = binds[..] else { return false };
    let from = function.value(bound).block;
    let inside = |block: BlockIndex| is_in_loop(&function, function.blocks[block.at()].in_loop, drain.turns);
    if inside(from) || !function.leads_to(from, header) {
        return false;
    }
    // Whoever uses it in the loop means it to be there.
    let uses = Uses::of(&function);
    let touched = |block: BlockIndex| {
        let mut next = function.blocks[block.at()].next.targets().iter();
        next.any(|next| cx.program.comes_back(id, *next, header, Some(sender)))
    };
    let given_away = uses.reads(sender).iter().any(|read| {
        let block = function.value(*read).block;
        inside(block) || (touched(block) && is_moved(cx, id, *read))
    });
    let captured =
        captures(cx, id, sender).into_iter().any(|(block, by_value)| inside(block) || (by_value && touched(block)));
    let dropped = function.steps().any(|(block, _, step)| {
        matches!(&step.kind, StepKind::Drop(owners, _) if owners.contains(&Owner::Variable(sender))) && touched(block)
    });
    // A variable of an inner block that holds the loop ends with it; one that is dropped on no way to the loop is there.
    !given_away && !captured && !dropped
}

/// Whether a read of a variable hands its value on.
fn is_moved(cx: &RuleContext, id: FunctionId, read: ValueIndex) -> bool {
    let function = cx.function(id);
    let is_bound = function.steps().any(|(_, _, step)| match step.kind {
        StepKind::Bind(_, value) | StepKind::Write(_, _, Some(value)) => value == read,
        _ => false,
    });
    let is_returned = function.blocks.iter().any(|block| block.next == Next::Return(Some(read)));
    is_bound
        || is_returned
        || function.values.iter().enumerate().any(|(at, value)| {
            let user = ValueIndex(at as u32);
            match &value.kind {
                ValueKind::Call(call) => {
                    let is_receiver = matches!(call.callee, Callee::Method(receiver, _) if receiver == read);
                    call.arguments.iter().any(|argument| argument.value == read)
                        || (is_receiver && takes_itself(cx, id, user))
                }
                ValueKind::Collection(_, items) => items.iter().any(|(_, item)| *item == read),
                ValueKind::Choice(items) => items.contains(&read),
                _ => false,
            }
        })
}

/// Whether a method takes its receiver by value, or may.
fn takes_itself(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> bool {
    let resolution = cx.resolution(id, call);
    let tables = cx.program.tables(cx.language(id.module));
    let signature = resolution.external().and_then(|name| tables.signature(name));
    signature.is_none_or(|signature| signature.receiver != Some(Receiver::Ref))
}

/// Where functions inside capture a variable, and whether by value.
fn captures(cx: &RuleContext, id: FunctionId, variable: VariableIndex) -> Vec<(BlockIndex, bool)> {
    let module = cx.program.module(id.module);
    let function = cx.function(id);
    let mut found = Vec::new();
    for value in &function.values {
        let ValueKind::Function(index) = value.kind else { continue };
        let inner = module.function(index);
        if inner.variables.iter().any(|known| known.captures == Some(variable)) {
            found.push((value.block, inner.is_move));
        }
    }
    found
}

/// Whether the loop is meant to end: something comes after it, or all who send are tasks that were started here.
fn matters(cx: &RuleContext, drain: &Drain, sender: VariableIndex) -> bool {
    let function = cx.function(drain.by);
    let inside = |block: BlockIndex| is_in_loop(&function, function.blocks[block.at()].in_loop, drain.turns);
    let header = function.loops[drain.turns.at()].header;
    let goes_on = function.steps().any(|(block, _, step)| {
        matches!(step.kind, StepKind::Call(_) | StepKind::Suspend(..) | StepKind::Write(..))
            && !inside(block)
            && function.blocks[block.at()].in_loop == function.loops[drain.turns.at()].parent
            && function.leads_to(header, block)
    });
    goes_on || function.returns.is_some() || only_tasks_send(cx, &function, drain, sender)
}

/// Whether every clone of a sender goes into a closure or block of the function.
fn only_tasks_send(cx: &RuleContext, function: &Function, drain: &Drain, sender: VariableIndex) -> bool {
    let id = drain.by;
    let uses = Uses::of(function);
    let mut clones = uses.reads(sender).iter().flat_map(|read| uses.parts_of(*read)).filter(|user| {
        matches!(&function.value(*user).kind, ValueKind::Call(_)) && cx.program.channel_end(id, *user).is_some()
    });
    clones.all(|clone| {
        uses.only_bound(clone)
            .is_some_and(|variable| uses.reads(variable).is_empty() && !captures(cx, id, variable).is_empty())
    })
}

/// Whether a loop has no other way out than that nothing comes any more.
pub(super) fn ends_with_its_senders(cx: &RuleContext, drain: &Drain) -> bool {
    let id = drain.by;
    let function = cx.function(id);
    let shape = cx.program.shape(id);
    let got = shape.awaited(drain.receive).unwrap_or(drain.receive);
    let turns = &function.loops[drain.turns.at()];
    if turns.over.is_some() {
        // A `for` loop ends by itself; what leaves it earlier is looked at below.
        return turns.over == Some(drain.receive)
            && leaves(&function, drain.turns).all(|(_, by)| by == turns.over || is_error(&function, by));
    }
    let mut by_the_end = false;
    for (block, by) in leaves(&function, drain.turns) {
        let Some(value) = by else {
            if ends_by_panic(&function, block) {
                continue;
            }
            return false;
        };
        if is_error(&function, by) {
            continue;
        }
        let decides = value == got || reads(cx, id, value, got) || asks_for_nothing(cx, id, value, got);
        if !decides {
            return false;
        }
        by_the_end = true;
    }
    by_the_end
}

/// The ways out of a loop: the block that leaves it, and the value that decides about that where one of two ways does.
fn leaves(function: &Function, turns: LoopIndex) -> impl Iterator<Item = (BlockIndex, Option<ValueIndex>)> {
    let inside = move |block: BlockIndex| is_in_loop(function, function.blocks[block.at()].in_loop, turns);
    let blocks = (0..function.blocks.len() as u32).map(BlockIndex).filter(move |block| inside(*block));
    let leaving = blocks.filter(move |block| match &function.blocks[block.at()].next {
        Next::Return(_) => true,
        next => next.targets().iter().any(|target| !inside(*target)),
    });
    leaving.map(move |block| (block, decided_by(function, block)))
}

/// The value that leads to a block: its own branch, or that of the one block before it.
fn decided_by(function: &Function, block: BlockIndex) -> Option<ValueIndex> {
    let mut at = block;
    for _ in 0..8 {
        if let Next::Branch(value, targets) = &function.blocks[at.at()].next
            && (at != block || targets.len() > 1)
        {
            return value.filter(|_| targets.len() == 2);
        }
        let mut before = function.blocks.iter().enumerate().filter(|(_, other)| other.next.targets().contains(&at));
        let (Some((only, _)), None) = (before.next(), before.next()) else { return None };
        at = BlockIndex(only as u32);
    }
    None
}

/// Whether a value is one that `?` looks at.
fn is_error(function: &Function, value: Option<ValueIndex>) -> bool {
    value.is_some_and(|value| {
        function.values.iter().any(|other| matches!(other.kind, ValueKind::Try(of) if of == value))
    })
}

fn ends_by_panic(function: &Function, block: BlockIndex) -> bool {
    matches!(function.blocks[block.at()].next, Next::Raise(_) | Next::Unreachable)
}

/// Whether a value reads a variable that was given another.
fn reads(cx: &RuleContext, id: FunctionId, value: ValueIndex, got: ValueIndex) -> bool {
    let function = cx.function(id);
    let node = function.value(value);
    let ValueKind::Place(place) = &node.kind else { return false };
    place.as_variable().is_some_and(|variable| cx.program.reaching(id, variable, node.block, node.step).values == [got])
}

/// `got.is_none()`, `got.is_err()`: a question without arguments.
fn asks_for_nothing(cx: &RuleContext, id: FunctionId, value: ValueIndex, got: ValueIndex) -> bool {
    let function = cx.function(id);
    let Some(call) = function.call(value) else { return false };
    match &call.callee {
        Callee::Method(receiver, _) => call.arguments.is_empty() && (*receiver == got || reads(cx, id, *receiver, got)),
        _ => false,
    }
}
