//! What a function does to an object by a method, and whether it does so where it fails.
//!
//! ~~~text
//! try: rows = parse(answer)
//! except ValueError as error:
//!     reply.set_exception(error)     where it fails
//! reply.set_result(rows)             where all goes well
//! ~~~

use std::collections::BTreeSet;

use crate::analysis::FunctionId;
use crate::flow::{BlockIndex, Callee, Function, ValueIndex, ValueKind};
use crate::text::Span;

use super::context::RuleContext;
use super::manner::Whole;

/// A call of a method.
pub(super) struct Deed {
    pub(super) by: FunctionId,
    pub(super) call: ValueIndex,
    /// The object, as it is written.
    pub(super) of: String,
    pub(super) span: Span,
    /// Whether it stands in a handler or a cleanup.
    pub(super) is_on_failure: bool,
}

/// The calls of methods that are meant, by the calls and the names of the methods.
pub(super) fn deeds(whole: &Whole, is_meant: impl Fn(FunctionId, ValueIndex, &str) -> bool) -> Vec<Deed> {
    let cx = whole.cx;
    let of_part = |&by: &FunctionId| {
        let function = cx.function(by);
        let calls = function.values.iter().enumerate().filter_map(|(at, value)| {
            let ValueKind::Call(call) = &value.kind else { return None };
            let Callee::Method(receiver, method) = &call.callee else { return None };
            let index = ValueIndex(at as u32);
            is_meant(by, index, method).then(|| Deed {
                by,
                call: index,
                of: cx.program.value_text(by, *receiver),
                span: value.span,
                is_on_failure: is_on_failure(&function, value.block),
            })
        });
        calls.collect::<Vec<_>>()
    };
    whole.parts.iter().flat_map(of_part).collect()
}

/// Whether control is in a handler or a cleanup.
fn is_on_failure(function: &Function, block: BlockIndex) -> bool {
    function.attempts.iter().any(|attempt| {
        let handles = attempt.handlers.iter().any(|handler| handler.region.has(block));
        handles || attempt.cleanup.as_ref().is_some_and(|cleanup| cleanup.has(block))
    })
}

/// Whether a function has something for failures that it did not have: a managed block, a call in a handler or cleanup.
pub(super) fn has_more(was: &Whole, is: &Whole) -> bool {
    let managed =
        |whole: &Whole| -> usize { whole.parts.iter().map(|&part| whole.cx.function(part).managed.len()).sum() };
    managed(is) > managed(was) || !called(is).is_subset(&called(was))
}

/// What a function calls where it fails, as it is written.
fn called(whole: &Whole) -> BTreeSet<String> {
    let cx: &RuleContext = whole.cx;
    let of_part = |&by: &FunctionId| {
        let function = cx.function(by);
        let calls = function
            .values
            .iter()
            .enumerate()
            .filter(|(_, value)| matches!(value.kind, ValueKind::Call(_)) && is_on_failure(&function, value.block));
        calls.map(|(at, _)| cx.program.callee_text(by, ValueIndex(at as u32))).collect::<Vec<_>>()
    };
    whole.parts.iter().flat_map(of_part).collect()
}
