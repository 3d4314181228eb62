//! Which ends belong to one channel, and which loops drain it.
//!
//! An end is followed back to the call that made it, through names, clones and the functions that capture it:
//!
//! ~~~text
//! let (tx, mut rx) = channel(8);
//! let more = tx.clone();
//! spawn(async move { more.send(1).await });     the sending end of the channel made in the first line
//! ~~~

use super::calls::Resolution;
use super::types::Type;
use super::{FunctionId, Program, TypeId};
use crate::catalogue::{Channel, Receiver, Term};
use crate::flow::{
    Callee, Collection, Field, Function, LoopIndex, Place, Root, Suspension, ValueIndex, ValueKind, ValueOf,
    VariableIndex,
};

/// How many steps back an end is followed.
const FARTHEST: u32 = 12;

/// A channel, by the call that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelAt {
    /// The function that makes it.
    pub function: FunctionId,
    /// The call.
    pub call: ValueIndex,
}

/// One end of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The channel.
    pub channel: ChannelAt,
    /// Whether it is the receiving one; a queue that is one object is both.
    pub receives: bool,
}

/// A loop that takes what a channel gives.
#[derive(Clone, Debug)]
pub struct Drain<'a> {
    /// The function that the loop stands in.
    pub by: FunctionId,
    /// The loop.
    pub turns: LoopIndex,
    /// The receiving call, or what a `for` loop goes over.
    pub receive: ValueIndex,
    /// What is received from, as far as it is known.
    pub channel: Option<ChannelAt>,
    /// The value that is received from.
    pub end: ValueIndex,
    /// The catalogue's entry.
    pub entry: &'a Channel,
}

/// A send that waits for room.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The sending call.
    pub send: ValueIndex,
    /// The value that is sent to.
    pub end: ValueIndex,
    /// The channel, as far as it is known.
    pub channel: Option<ChannelAt>,
}

impl<'a> Program<'a> {
    /// The channel whose end a value is.
    pub fn channel_end(&self, id: FunctionId, value: ValueIndex) -> Option<End> {
        let (mut id, mut at) = (id, value);
        for _ in 0..FARTHEST {
            let function = self.function(id);
            let node = function.value(at);
            (id, at) = match &node.kind {
                ValueKind::Reference(of) | ValueKind::Dereference(of) | ValueKind::Try(of) => (id, *of),
                ValueKind::Component(of, number) if self.makes_channel(id, *of).is_some() => {
                    let channel = ChannelAt { function: id, call: *of };
                    return Some(End { channel, receives: *number == 1 });
                }
                ValueKind::Call(call) => {
                    if self.makes_channel(id, at).is_some() {
                        return Some(End { channel: ChannelAt { function: id, call: at }, receives: true });
                    }
                    let Callee::Method(receiver, _) = &call.callee else { return None };
                    let resolution = self.resolution(id, at);
                    let signature = self.tables(self.language(id.module)).signature(resolution.external()?)?;
                    let is_clone = signature.receiver == Some(Receiver::Ref) && signature.returns == Term::SelfType;
                    (id, is_clone.then_some(*receiver)?)
                }
                ValueKind::Place(place) => match place.as_variable() {
                    Some(variable) => self.given(id, variable, Some(at))?,
                    None => self.only_value_of_field(id, place)?,
                },
                _ => return None,
            };
        }
        None
    }

    /// The one value that a variable has, where it was given: in the function around for a captured one.
    fn given(
        &self,
        id: FunctionId,
        variable: VariableIndex,
        read: Option<ValueIndex>,
    ) -> Option<(FunctionId, ValueIndex)> {
        let (mut id, mut variable, mut read) = (id, variable, read);
        for _ in 0..FARTHEST {
            let function = self.function(id);
            let shape = self.shape(id);
            if shape.is_bound(variable) {
                let values = match read {
                    Some(read) => {
                        let node = function.value(read);
                        self.reaching(id, variable, node.block, node.step).values
                    }
                    None => shape.binds(variable).collect(),
                };
                return match values[..] {
                    [only] => Some((id, only)),
                    _ => None,
                };
            }
            variable = function.variable(variable).captures?;
            id = FunctionId { module: id.module, index: function.parent? };
            read = None;
        }
        None
    }

    /// What the only assignment of `self.field` gives it, or the only struct literal of the file.
    fn only_value_of_field(&self, id: FunctionId, place: &Place) -> Option<(FunctionId, ValueIndex)> {
        let [Field::Name(name)] = &place.fields[..] else { return None };
        let Root::Variable(root) = place.root else { return None };
        let function = self.function(id);
        if function.parameters.first()?.variable != root {
            return None;
        }
        let owner = self.self_type(id)?;
        let field = self.type_def(owner).fields.iter().find(|field| field.name == *name).cloned()?;
        let made = if field.values.is_empty() { self.in_literals(owner, name) } else { field.values };
        let [ValueOf { function, value }] = made[..] else { return None };
        Some((FunctionId { module: owner.module, index: function }, value))
    }

    /// What the struct literals of a type's own file give one of its fields.
    fn in_literals(&self, owner: TypeId, field: &str) -> Vec<ValueOf> {
        let (module, own_name) = (self.module(owner.module), self.type_def(owner).name.clone());
        let mut found = Vec::new();
        for (index, function) in module.functions() {
            for value in &function.values {
                let ValueKind::Collection(Collection::Struct(path), items) = &value.kind else { continue };
                let is_of_it = match path.last() {
                    Some(last) if last == "Self" => {
                        self.self_type(FunctionId { module: owner.module, index }) == Some(owner)
                    }
                    last => last == Some(&own_name),
                };
                let given = items.iter().filter(|(name, _)| is_of_it && name.as_deref() == Some(field));
                found.extend(given.map(|(_, value)| ValueOf { function: index, value: *value }));
            }
        }
        found
    }

    fn makes_channel(&self, id: FunctionId, value: ValueIndex) -> Option<&'a Channel> {
        self.function(id).call(value)?;
        let resolution = self.resolution(id, value);
        self.tables(self.language(id.module)).channel(resolution.external()?)
    }

    /// Whether whoever sends to a channel waits while it is full.
    pub fn is_bounded(&self, channel: ChannelAt) -> bool {
        let Some(entry) = self.makes_channel(channel.function, channel.call) else { return false };
        let function = self.function(channel.function);
        let Some(room) = &entry.room else { return entry.bounded };
        let given = function.call(channel.call).map(|call| self.arguments_meant(call, room)).unwrap_or_default();
        given.first().is_some_and(|room| !self.is_literal(channel.function, *room, "0"))
    }

    /// The loops of a function that drain a channel.
    pub fn drains(&self, id: FunctionId) -> Vec<Drain<'a>> {
        let function = self.function(id);
        let tables = self.tables(self.language(id.module));
        let mut found = Vec::new();
        let mut add = |receive: ValueIndex, end: ValueIndex, turns: LoopIndex, resolution: &Resolution| {
            let Some(entry) = resolution.external().and_then(|name| tables.receives(name)) else { return };
            let channel = self.channel_end(id, end).filter(|end| end.receives).map(|end| end.channel);
            found.push(Drain { by: id, turns, receive, channel, end, entry });
        };
        for (at, value) in function.values.iter().enumerate() {
            let index = ValueIndex(at as u32);
            if let ValueKind::Call(call) = &value.kind
                && let Callee::Method(receiver, _) = &call.callee
                && let Some(turns) = function.blocks[value.block.at()].in_loop
            {
                add(index, *receiver, turns, &self.resolution(id, index));
            }
        }
        for (at, turns) in function.loops.iter().enumerate() {
            let Some(over) = turns.over else { continue };
            let turns = LoopIndex(at as u32);
            match &function.value(over).kind {
                ValueKind::Call(call) => {
                    if let Callee::Method(receiver, _) = &call.callee {
                        add(over, *receiver, turns, &self.resolution(id, over));
                    }
                }
                // `for item in receiver` calls `into_iter`.
                _ => add(over, over, turns, &self.method_call(&self.value_type(id, over), "into_iter")),
            }
        }
        found
    }

    /// The calls in a loop that send something and wait for room.
    pub fn feeds(&self, id: FunctionId, turns: LoopIndex) -> Vec<Feed> {
        let function = self.function(id);
        let tables = self.tables(self.language(id.module));
        let mut found = Vec::new();
        for (at, value) in function.values.iter().enumerate() {
            let send = ValueIndex(at as u32);
            let ValueKind::Call(call) = &value.kind else { continue };
            let Callee::Method(end, _) = &call.callee else { continue };
            let is_inside = is_in_loop(&function, function.blocks[value.block.at()].in_loop, turns);
            if !is_inside || !tables.sends(self.resolution(id, send).external().unwrap_or_default()) {
                continue;
            }
            // A future that is not awaited sends nothing; a call of the blocking kind waits by itself.
            let waits = self.is_awaited(id, send) || !matches!(self.value_type(id, send), Type::Future(_));
            if waits {
                let channel = self.channel_end(id, *end).map(|end| end.channel);
                found.push(Feed { send, end: *end, channel });
            }
        }
        found
    }

    /// Whether the task waits in a loop for anything but one call.
    pub fn waits_in_loop_beside(&self, id: FunctionId, turns: LoopIndex, call: ValueIndex) -> bool {
        let function = self.function(id);
        function.steps().any(|(block, _, step)| match step.kind {
            crate::flow::StepKind::Suspend(how, of) => {
                let is_inside = is_in_loop(&function, function.blocks[block.at()].in_loop, turns);
                is_inside && of != Some(call) && (how != Suspension::Await || self.may_suspend(id, how, of))
            }
            _ => false,
        })
    }
}

/// Whether a loop is another or stands in it.
pub fn is_in_loop(function: &Function, inner: Option<LoopIndex>, outer: LoopIndex) -> bool {
    let mut at = inner;
    while let Some(index) = at {
        if index == outer {
            return true;
        }
        at = function.loops[index.at()].parent;
    }
    false
}
