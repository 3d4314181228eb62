//! A library's own rule of concurrent use is broken.
//!
//! The catalogue holds the rules as data of a few shapes; each shape is checked in a file of its own. What fits no
//! shape is documentation.

mod closed;
mod colour;
mod condition;
mod entered;
mod exclusive;
mod expires;
mod goes_on;
mod needs;
mod once;
mod ready;
pub(super) mod settled;

use std::sync::Arc;

use crate::analysis::FunctionId;
use crate::analysis::calls::Resolution;
use crate::catalogue::Tables;
use crate::flow::{Call, ValueIndex};
use crate::verdict::{Confidence, Verdict};

use super::context::RuleContext;

const NAME: &str = "framework-contract";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let body = Body::of(*cx, id);
    colour::check(&body, out);
    entered::check(&body, out);
    exclusive::check(&body, out);
    closed::check(&body, out);
    expires::check(&body, out);
    condition::check(&body, out);
    ready::check(&body, out);
    needs::check(&body, out);
    once::check(&body, out);
    goes_on::check(&body, out);
}

/// A function as the checks see it.
struct Body<'p, 'a> {
    cx: RuleContext<'p, 'a>,
    id: FunctionId,
    /// Its calls that control can get to, with what they call.
    calls: Vec<(ValueIndex, Arc<Resolution>)>,
}

impl<'p, 'a> Body<'p, 'a> {
    fn of(cx: RuleContext<'p, 'a>, id: FunctionId) -> Self {
        let function = cx.function(id);
        let shape = cx.program.shape(id);
        let calls = function.values.iter().enumerate().filter_map(|(at, value)| {
            let index = ValueIndex(at as u32);
            function.call(index).filter(|_| shape.is_reachable(value.block))?;
            Some((index, cx.resolution(id, index)))
        });
        Self { cx, id, calls: calls.collect() }
    }

    fn tables(&self) -> &'a Tables {
        self.cx.program.tables(self.cx.language(self.id.module))
    }

    /// The calls that certainly mean something outside the project, with its name.
    fn external_calls(&self) -> impl Iterator<Item = (ValueIndex, &str)> {
        self.calls.iter().filter_map(|(call, resolution)| Some((*call, resolution.external()?)))
    }

    /// Runs a question about a call as it is written.
    fn written<T>(&self, call: ValueIndex, question: impl FnOnce(&Call) -> Option<T>) -> Option<T> {
        question(self.cx.function(self.id).call(call)?)
    }

    /// A violated verdict at a value of the function.
    fn violated(&self, confidence: Confidence, at: ValueIndex, subject: &str) -> Verdict {
        let span = self.cx.function(self.id).value(at).span;
        self.cx.violated(NAME, confidence, self.id, span, &format!("`{subject}`"))
    }
}
