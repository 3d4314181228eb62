//! What a call turns off by its arguments.
//!
//! ~~~text
//! def add(self, row, locked=False):
//!     if not locked:
//!         with self._lock: …           not taken by `self.add(row, locked=True)`
//!
//! def next(self, timeout=None):
//!     if timeout is None:
//!         return self._ready()         `self.next()` comes no further
//!     return self._queue.get(timeout=timeout)
//! ~~~

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::binding::Binding;
use super::calls::Target;
use super::summary::Summary;
use super::{FunctionId, ModuleId, Program};
use crate::flow::{BlockIndex, Comparison, Field, Literal, Next, Place, Root, ValueIndex, ValueKind, ValueOf};
use crate::text::{Language, Span};
use crate::verdict::{Hop, Location};

/// Texts of so many bytes may be cut.
const LONGEST: usize = 80;

/// How many values lie between an argument and what it is made of.
const FARTHEST: u32 = 6;

impl<'a> Program<'a> {
    /// What a function does where it is called like this: what stands behind a condition on a parameter that the
    /// arguments answer otherwise is left out.
    pub fn summary_of_call(&self, caller: FunctionId, binding: &Binding, callee: FunctionId) -> Arc<Summary<'a>> {
        let summary = self.summary(callee);
        let Binding::Call(call) = binding else { return summary };
        if summary.blocks.is_empty() && summary.takes.is_empty() && summary.waits.is_empty() {
            return summary;
        }
        let Some(off) = self.turned_off(caller, *call, callee) else { return summary };
        let path = self.module(callee.module).path.clone();
        let is_on = |hops: &[Hop], at: &Location| {
            let own = hops.first().map_or(at, |hop| &hop.at);
            own.path != path || !off.contains(&own.span)
        };
        let mut left = Summary::clone(&summary);
        left.blocks.retain(|blocks| is_on(&blocks.hops, &blocks.at));
        left.takes.retain(|takes| is_on(&takes.hops, &takes.at));
        left.waits.retain(|lasts| is_on(&lasts.hops, &lasts.at));
        Arc::new(left)
    }

    /// The steps of a callee that a call never comes to; `None` where it may come to all of them.
    fn turned_off(&self, caller: FunctionId, call: ValueIndex, callee: FunctionId) -> Option<FxHashSet<Span>> {
        let function = self.function(callee);
        let mut is_answered = false;
        let reached = function.reached([BlockIndex(0)], |_, block, on| {
            on.extend(block.on_raise);
            let answer = match &block.next {
                Next::Branch(Some(condition), targets) if targets.len() == 2 => {
                    self.answer(caller, call, callee, *condition)
                }
                _ => None,
            };
            is_answered |= answer.is_some();
            match (answer, block.next.targets()) {
                (Some(true), [then, _]) => on.push(*then),
                (Some(false), [_, otherwise]) => on.push(*otherwise),
                (_, targets) => on.extend(targets),
            }
        });
        if !is_answered {
            return None;
        }
        let steps = |wanted: bool| {
            let blocks = function.blocks.iter().zip(&reached).filter(move |(_, reached)| **reached == wanted);
            blocks.flat_map(|(block, _)| block.steps.iter().map(|step| step.span))
        };
        // A `finally` is left on several ways, by the same steps.
        let on: FxHashSet<Span> = steps(true).collect();
        Some(steps(false).filter(|span| !on.contains(span)).collect())
    }

    /// What a condition of a callee comes to, where it is a parameter that the call gives a literal or leaves as it is,
    /// or asks whether such a parameter is `None` or a text.
    fn answer(&self, caller: FunctionId, call: ValueIndex, callee: FunctionId, condition: ValueIndex) -> Option<bool> {
        let function = self.function(callee);
        let language = self.language(callee.module);
        match &function.value(condition).kind {
            ValueKind::Place(place) => {
                let (within, given) = self.value_given(caller, call, callee, place)?;
                truth(&self.function(within).value(given).kind)
            }
            // Of one operand a Rust condition makes only `!operand`; in Python `not` is a branch the other way round,
            // and so is `is not`.
            ValueKind::Operation(operands) => match (language, &operands[..]) {
                (Language::Rust, [operand]) => self.answer(caller, call, callee, *operand).map(|answer| !answer),
                (Language::Python, [operand, literal]) => {
                    if function.comparison(condition) != Some(Comparison::Equal) {
                        return None;
                    }
                    let ValueKind::Place(place) = &function.value(*operand).kind else { return None };
                    let ValueKind::Literal(literal) = &function.value(*literal).kind else { return None };
                    let (within, given) = self.value_given(caller, call, callee, place)?;
                    match literal {
                        Literal::None => self.is_none(within, given),
                        Literal::Text(literal) => same_text(literal, &self.function(within).value(given).kind),
                        Literal::Bool(_) | Literal::Int(_) | Literal::Other => None,
                    }
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// What a parameter of a callee is, if nothing else is ever put into it: a value, and the function that it stands in.
    fn value_given(
        &self,
        caller: FunctionId,
        call: ValueIndex,
        callee: FunctionId,
        place: &Place,
    ) -> Option<(FunctionId, ValueIndex)> {
        let function = self.function(callee);
        let variable = place.as_variable()?;
        let at = function.parameters.iter().position(|parameter| parameter.variable == variable)?;
        if self.shape(callee).is_bound(variable) {
            return None;
        }
        if let Some(given) = self.argument_for(caller, call, callee, at as u32) {
            return Some((caller, given));
        }
        if self.function(caller).call(call)?.arguments.iter().any(|argument| argument.is_spread) {
            return None;
        }
        let default = function.parameters[at].default?;
        Some((FunctionId { module: callee.module, index: default.function }, default.value))
    }

    /// Whether a value is `None`, where the text says so of all that it may be.
    fn is_none(&self, id: FunctionId, value: ValueIndex) -> Option<bool> {
        match self.function(id).value(value).kind {
            ValueKind::Literal(Literal::None) => Some(true),
            _ => self.is_something(id, value, FARTHEST).then_some(false),
        }
    }

    /// Whether a value is made where it comes from: a literal, a display, an object that is constructed. A type does not
    /// say so: what may also be `None` has the same one.
    fn is_something(&self, id: FunctionId, value: ValueIndex, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let function = self.function(id);
        let node = function.value(value);
        match &node.kind {
            ValueKind::Literal(literal) => *literal != Literal::None,
            ValueKind::Function(_) | ValueKind::Collection(..) | ValueKind::Operation(_) => true,
            ValueKind::Call(_) => self.is_constructed(id, value),
            ValueKind::Choice(items) => items.iter().all(|item| self.is_something(id, *item, depth)),
            ValueKind::Place(place) => match place.as_variable() {
                Some(variable) => {
                    let reaching = self.reaching(id, variable, node.block, node.step);
                    let mut values = reaching.values.iter();
                    !reaching.from_entry
                        && !reaching.values.is_empty()
                        && values.all(|given| self.is_something(id, *given, depth))
                }
                None => self.field_values(id, place).is_some_and(|(module, given)| {
                    let within = |index| FunctionId { module, index };
                    let mut given = given.iter();
                    given.len() > 0 && given.all(|of| self.is_something(within(of.function), of.value, depth))
                }),
            },
            _ => false,
        }
    }

    /// Whether a call makes an object, of a class of the project or a lock.
    fn is_constructed(&self, id: FunctionId, call: ValueIndex) -> bool {
        let tables = self.tables(self.language(id.module));
        match &self.resolution(id, call).targets[..] {
            [Target::Construct(of, _)] => !self.is_made_otherwise(*of),
            [Target::External(name)] => tables.lock(name).is_some(),
            _ => false,
        }
    }

    /// Everything that is ever given to a field of the function's own object: `self.field`.
    fn field_values(&self, id: FunctionId, place: &Place) -> Option<(ModuleId, Vec<ValueOf>)> {
        let ([Field::Name(name)], Root::Variable(root)) = (&place.fields[..], &place.root) else { return None };
        let function = self.function(id);
        if function.parameters.first()?.variable != *root || self.shape(id).is_bound(*root) {
            return None;
        }
        let owner = self.self_type(id)?;
        let field = self.type_def(owner).fields.iter().find(|field| field.name == *name).cloned()?;
        // One that is declared in the class's body may be given to a constructor that nobody wrote.
        let is_declared = field.is_of_class && field.annotation.is_some();
        (!is_declared).then_some((owner.module, field.values))
    }
}

/// Whether a value is a literal text, where both are short enough to be kept whole and say what they are without escapes.
fn same_text(literal: &str, given: &ValueKind) -> Option<bool> {
    let ValueKind::Literal(Literal::Text(given)) = given else { return None };
    let is_plain = |text: &str| text.len() < LONGEST && !text.contains('\\');
    (is_plain(literal) && is_plain(given)).then_some(given == literal)
}

/// Whether a literal counts as true.
fn truth(kind: &ValueKind) -> Option<bool> {
    match kind {
        ValueKind::Literal(Literal::Bool(answer)) => Some(*answer),
        ValueKind::Literal(Literal::None) => Some(false),
        ValueKind::Literal(Literal::Int(number)) => Some(*number != 0),
        _ => None,
    }
}
