//! What a call turns off by its arguments.
//!
//! ~~~text
//! def add(self, row, locked=False):
//!     if not locked:
//!         with self._lock: …           not taken by `self.add(row, locked=True)`
//! ~~~

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::binding::Binding;
use super::summary::Summary;
use super::{FunctionId, Program};
use crate::flow::{Literal, Next, ValueIndex, ValueKind};
use crate::text::{Language, Span};
use crate::verdict::{Hop, Location};

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

    /// What a condition of a callee comes to, where it is a parameter that the call gives a literal or leaves as it is.
    fn answer(&self, caller: FunctionId, call: ValueIndex, callee: FunctionId, condition: ValueIndex) -> Option<bool> {
        let function = self.function(callee);
        let place = match &function.value(condition).kind {
            ValueKind::Place(place) => place,
            // Of one operand a Rust condition makes only `!operand`; in Python `not` is a branch the other way round.
            ValueKind::Operation(operands) if self.language(callee.module) == Language::Rust && operands.len() == 1 => {
                return self.answer(caller, call, callee, operands[0]).map(|answer| !answer);
            }
            _ => return None,
        };
        let variable = place.as_variable()?;
        let at = function.parameters.iter().position(|parameter| parameter.variable == variable)?;
        if self.shape(callee).is_bound(variable) {
            return None;
        }
        if let Some(given) = self.argument_for(caller, call, callee, at as u32) {
            return truth(&self.function(caller).value(given).kind);
        }
        if self.function(caller).call(call)?.arguments.iter().any(|argument| argument.is_spread) {
            return None;
        }
        let default = function.parameters[at].default?;
        let owner = self.function(FunctionId { module: callee.module, index: default.function });
        truth(&owner.value(default.value).kind)
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
