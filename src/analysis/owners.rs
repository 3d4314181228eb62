//! Locks that a function takes only if nobody has them yet on whose behalf it runs: a lock that is made re-entrant by hand.
//!
//! ~~~text
//! def add(self, row):
//!     if self._owner == threading.get_ident():       who has the lock comes no further
//!         return self._add(row)
//!     with self._lock: …
//! ~~~
//!
//! The test may stand in a helper (`if self._is_mine():`). It is worth what the field is worth: whoever takes the lock and
//! does not write there waits for itself all the same.

use std::collections::BTreeSet;

use super::names::Member;
use super::{FunctionId, Program};
use crate::flow::{
    BlockIndex, Callee, Comparison, Field, Function, FunctionKind, Next, Place, Root, StepKind, ValueIndex, ValueKind,
    WriteKind,
};

/// How many helpers, and values in them, a test is followed through.
const DEEPEST: u32 = 6;

/// A field that names who has a lock, and the blocks that are for everybody else.
pub(super) struct Asked {
    /// Its name.
    pub(super) field: String,
    /// What "no, it is not you" leads to and the other answer does not.
    pub(super) blocks: BTreeSet<BlockIndex>,
}

/// A comparison of a field with who is running.
struct Test {
    /// The field's name.
    field: String,
    /// Whether it holds for everybody else.
    is_denied: bool,
}

impl Program<'_> {
    /// The tests of a function whether it runs on behalf of whom a field names.
    pub(super) fn asks_who(&self, id: FunctionId) -> Vec<Asked> {
        let function = self.function(id);
        let mut found = Vec::new();
        for (at, condition, targets) in function.conditions() {
            let [then, otherwise] = targets[..] else { continue };
            let Some(test) = self.who_is_compared(id, condition, DEEPEST) else { continue };
            let (same, others) = if test.is_denied { (otherwise, then) } else { (then, otherwise) };
            let reached = |only: BlockIndex| {
                function.reached([BlockIndex(0)], |block, body, on| match block == at {
                    true => on.extend([only].into_iter().chain(body.on_raise)),
                    false => on.extend(body.successors()),
                })
            };
            let (by_others, by_same) = (reached(others), reached(same));
            let is_theirs = |block: &BlockIndex| by_others[block.at()] && !by_same[block.at()];
            let blocks = (0..function.blocks.len() as u32).map(BlockIndex).filter(is_theirs).collect();
            found.push(Asked { field: test.field, blocks });
        }
        found
    }

    /// How a condition compares a field with who is running.
    fn who_is_compared(&self, id: FunctionId, value: ValueIndex, depth: u32) -> Option<Test> {
        let depth = depth.checked_sub(1)?;
        let function = self.function(id);
        let node = function.value(value);
        match &node.kind {
            ValueKind::Operation(parts) | ValueKind::Choice(parts) => {
                let named = || parts.iter().find_map(|part| self.field_read(id, *part));
                let is_asked = parts.iter().any(|part| self.says_who(id, *part, depth));
                let asked = function.comparison(value);
                let is_denied = matches!(asked, Some(Comparison::Unequal | Comparison::Without));
                let compared = named().filter(|_| is_asked && asked.is_some());
                // Of one operand it is `not operand`.
                let is_turned = matches!((&node.kind, &parts[..]), (ValueKind::Operation(_), [_]));
                let turned = |test: Test| Test { is_denied: test.is_denied != is_turned, ..test };
                let inside = || parts.iter().find_map(|part| self.who_is_compared(id, *part, depth)).map(turned);
                compared.map(|field| Test { field, is_denied }).or_else(inside)
            }
            ValueKind::Call(_) => match self.resolution(id, value).functions()[..] {
                [helper] => self.who_is_returned(helper, depth),
                _ => None,
            },
            ValueKind::Place(place) => match place.as_variable() {
                Some(variable) => match self.reaching(id, variable, node.block, node.step).values[..] {
                    [only] => self.who_is_compared(id, only, depth),
                    _ => None,
                },
                None => self.who_is_returned(self.property_read(id, value, place)?, depth),
            },
            _ => None,
        }
    }

    /// How a helper compares a field with who is running, whatever way it returns.
    fn who_is_returned(&self, helper: FunctionId, depth: u32) -> Option<Test> {
        let function = self.function(helper);
        let mut found = None;
        for block in &function.blocks {
            let Next::Return(Some(value)) = block.next else { continue };
            if !matches!(function.value(value).kind, ValueKind::Literal(_)) {
                found = Some(self.who_is_compared(helper, value, depth)?);
            }
        }
        found
    }

    fn property_read(&self, id: FunctionId, value: ValueIndex, place: &Place) -> Option<FunctionId> {
        let (Field::Name(name), around) = place.fields.split_last()? else { return None };
        let at = self.function(id).value(value).clone();
        let around = Place { root: place.root.clone(), fields: around.to_vec(), is_cut: place.is_cut };
        let of = self.place_type(id, &around, at.block, at.step).instance()?.definition?;
        let [Member::Function(property)] = self.method(of, name)[..] else { return None };
        (self.function(property).kind == FunctionKind::Property).then_some(property)
    }

    /// The name of the field that a value reads, also by a method of it: `self.owner.load(…)`.
    fn field_read(&self, id: FunctionId, value: ValueIndex) -> Option<String> {
        let function = self.function(id);
        match &function.value(value).kind {
            ValueKind::Place(place) => named(place).map(str::to_owned),
            ValueKind::Call(call) => match call.callee {
                Callee::Method(receiver, _) => self.field_read(id, receiver),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a value says who is running: the call, what it gave before, or what belongs to that.
    fn says_who(&self, id: FunctionId, value: ValueIndex, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let function = self.function(id);
        let node = function.value(value);
        match &node.kind {
            ValueKind::Call(call) => {
                let tables = self.tables(self.language(id.module));
                self.resolution(id, value).external().is_some_and(|name| tables.says_who(name))
                    || matches!(call.callee, Callee::Method(receiver, _) if self.says_who(id, receiver, depth))
            }
            ValueKind::Field(of, _) => self.says_who(id, *of, depth),
            // `Some(current().id())`
            ValueKind::Collection(_, items) => matches!(items[..], [(_, only)] if self.says_who(id, only, depth)),
            ValueKind::Place(Place { root: Root::Variable(variable), .. }) => {
                match self.reaching(id, *variable, node.block, node.step).values[..] {
                    [only] => self.says_who(id, only, depth),
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// Whether a function says who has a lock, in a field of this name: it writes there, or something that it calls does.
    /// A literal or a constant names nobody.
    pub fn names_holder(&self, id: FunctionId, field: &str) -> bool {
        let writes = |id: FunctionId| {
            let function = self.function(id);
            let is_it = |place: &Place| named(place) == Some(field);
            let is_called_on = |value: &crate::flow::Value| match &value.kind {
                ValueKind::Call(call) => match call.callee {
                    Callee::Method(receiver, _) => match &function.value(receiver).kind {
                        ValueKind::Place(place) => {
                            is_it(place) && call.arguments.iter().any(|given| is_somebody(&function, given.value))
                        }
                        _ => false,
                    },
                    _ => false,
                },
                _ => false,
            };
            let names = |step: &StepKind| match step {
                StepKind::Write(place, kind, value) => {
                    is_it(place)
                        && *kind == WriteKind::Assign
                        && value.is_none_or(|value| is_somebody(&function, value))
                }
                _ => false,
            };
            function.steps().any(|(_, _, step)| names(&step.kind)) || function.values.iter().any(is_called_on)
        };
        let function = self.function(id);
        let calls = (0..).map(ValueIndex).zip(&function.values);
        let mut calls = calls.filter(|(_, value)| matches!(value.kind, ValueKind::Call(_)));
        writes(id) || calls.any(|(index, _)| self.resolution(id, index).functions().into_iter().any(writes))
    }
}

/// Whether a value may say who somebody is.
fn is_somebody(function: &Function, value: ValueIndex) -> bool {
    !matches!(function.value(value).kind, ValueKind::Literal(_) | ValueKind::Path(..))
}

/// The field that a place ends in.
fn named(place: &Place) -> Option<&str> {
    place.last_name().filter(|_| !place.fields.is_empty() || matches!(place.root, Root::Global(_)))
}
