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
use super::summary::Summary;
use super::types::Type;
use super::{FunctionId, Program};
use crate::flow::{Literal, Next, Place, ValueIndex, ValueKind};
use crate::text::{Language, Span};
use crate::verdict::{Hop, Location};

/// Texts of so many bytes may be cut.
const LONGEST: usize = 80;

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
        let mut reached = vec![false; function.blocks.len()];
        let mut open = vec![0];
        while let Some(at) = open.pop() {
            let Some(block) = function.blocks.get(at).filter(|_| !std::mem::replace(&mut reached[at], true)) else {
                continue;
            };
            open.extend(block.on_raise.map(|handler| handler.at()));
            let answer = match &block.next {
                Next::Branch(Some(condition), targets) if targets.len() == 2 => {
                    self.answer(caller, call, callee, *condition)
                }
                _ => None,
            };
            is_answered |= answer.is_some();
            match (answer, block.next.targets()) {
                (Some(true), [then, _]) => open.push(then.at()),
                (Some(false), [_, otherwise]) => open.push(otherwise.at()),
                (_, targets) => open.extend(targets.iter().map(|target| target.at())),
            }
        }
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
    /// or compares such a parameter with `None` or a text.
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

    /// Whether a value is `None`, where the text says so or its type is known.
    fn is_none(&self, id: FunctionId, value: ValueIndex) -> Option<bool> {
        let function = self.function(id);
        match &function.value(value).kind {
            ValueKind::Literal(Literal::None) => Some(true),
            ValueKind::Literal(_)
            | ValueKind::Function(_)
            | ValueKind::Path(..)
            | ValueKind::Collection(..)
            | ValueKind::Operation(_) => Some(false),
            // Somebody else's may be left out; a lock never is.
            ValueKind::Place(place) => {
                let of = self.value_type(id, value);
                let is_own = place.as_variable().is_some_and(|variable| {
                    !function.parameters.iter().any(|parameter| parameter.variable == variable)
                });
                let is_there = is_own && matches!(of, Type::Instance(_))
                    || self.lock_type_name(self.language(id.module), &of).is_some();
                is_there.then_some(false)
            }
            ValueKind::Unknown
            | ValueKind::Field(..)
            | ValueKind::Index(_)
            | ValueKind::Call(_)
            | ValueKind::Awaited(_)
            | ValueKind::Entered(_)
            | ValueKind::Element(_)
            | ValueKind::Component(..)
            | ValueKind::Payload(..)
            | ValueKind::Choice(_)
            | ValueKind::Try(_)
            | ValueKind::Reference(_)
            | ValueKind::Dereference(_)
            | ValueKind::Cast(..)
            | ValueKind::Received => None,
        }
    }
}

/// Whether a value is a literal text, where it is one, and no part of it, which may be looked for in it. A literal keeps
/// only the beginning of a long one.
fn same_text(literal: &str, given: &ValueKind) -> Option<bool> {
    match given {
        ValueKind::Literal(Literal::Text(given)) if given.len().max(literal.len()) < LONGEST => {
            (given == literal || !literal.contains(given.as_str())).then_some(given == literal)
        }
        _ => None,
    }
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
