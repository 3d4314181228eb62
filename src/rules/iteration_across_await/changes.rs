//! Who changes the very collection that is looped over, rather than one that it holds.
//!
//! ~~~text
//! for key in self._rows: …
//! self._rows[key] = []           one more key
//! self._rows[key].append(row)    the same keys; one more only where looking a key up makes it (`defaultdict`)
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::accesses::{Access, Touch};
use crate::analysis::types::Type;
use crate::analysis::uses::Uses;
use crate::catalogue::Change;
use crate::flow::{BlockIndex, Callee, Field, Place, Root, StepKind, Value, ValueIndex, ValueKind, WriteKind};
use crate::text::{Language, Span};

use super::{DEEPEST, Kind, upsets};
use crate::rules::context::RuleContext;

/// Where an access does harm to a loop over a collection that stands in the middle of it.
pub(super) fn upsets_loop(cx: &RuleContext, all: &[Access], access: &Access, over: &Place, kind: Kind) -> Option<Span> {
    let function = cx.function(access.function);
    let step = &function.blocks[access.block.at()].steps[access.step as usize];
    let depth = trailing(over);
    let place = match &step.kind {
        StepKind::Write(place, ..) | StepKind::Read(place) => place.clone(),
        StepKind::Call(call) => cx.program.change_of(access.function, *call)?.0,
        _ => return None,
    };
    let here = |is_meant: bool| is_meant.then_some(access.span);
    // Of a name for something that is not known, only what is done by it tells.
    let Some(at) = elements(cx, access.function, &place, (access.block, access.step), DEEPEST) else {
        return here(access.touch.is_change() && upsets(access.touch, kind));
    };
    match access.touch {
        Touch::Writes(_, _, true) if at == depth + 1 => here(upsets(access.touch, kind)),
        Touch::Changes(Change::Adds | Change::Ensures, _) if at == depth + 1 => here(is_filled_by_looking(cx, all)),
        Touch::Changes(..) if at == depth => here(upsets(access.touch, kind)),
        Touch::Reads if at == depth + 1 && is_filled_by_looking(cx, all) => {
            changed_by_name(cx, access, |change| change != Change::Removes)
        }
        Touch::Reads if at == depth && depth > 0 => {
            changed_by_name(cx, access, |change| change == Change::Removes || kind != Kind::Skips)
        }
        _ => None,
    }
}

/// How many elements below an attribute or global a place lies, the elements that a variable is a name for included.
fn elements(cx: &RuleContext, id: FunctionId, place: &Place, at: (BlockIndex, u32), depth: u32) -> Option<usize> {
    let depth = depth.checked_sub(1)?;
    let own = trailing(place);
    match place.root {
        Root::Variable(variable) if own == place.fields.len() => {
            let reaching = cx.program.reaching(id, variable, at.0, at.1);
            let ([only], false) = (&reaching.values[..], reaching.from_entry) else { return None };
            let function = cx.function(id);
            let value = function.value(*only);
            let ValueKind::Place(place) = &value.kind else { return None };
            Some(own + elements(cx, id, place, (value.block, value.step), depth)?)
        }
        _ => Some(own),
    }
}

fn trailing(place: &Place) -> usize {
    place.fields.iter().rev().take_while(|field| **field == Field::Index).count()
}

/// Whether what a piece of state is given, wherever that is, makes an element when somebody looks for it: it is made with
/// a function to call for that.
fn is_filled_by_looking(cx: &RuleContext, all: &[Access]) -> bool {
    let tables = cx.program.tables(Language::Python);
    let mut given = all.iter().filter_map(|access| match access.touch {
        Touch::Writes(WriteKind::Assign, Some(value), false) => Some((access.function, value)),
        _ => None,
    });
    given.any(|(by, value)| {
        let function = cx.function(by);
        let first = function.call(value).and_then(|call| call.arguments.first());
        let Some(first) = first.filter(|first| first.name.is_none()) else { return false };
        let is_callable = matches!(function.value(first.value).kind, ValueKind::Function(_))
            || matches!(cx.program.value_type(by, first.value), Type::Class(_) | Type::External(_) | Type::Function(_));
        let of = cx.program.value_type(by, value);
        let of = of.instance().filter(|of| of.definition.is_none());
        is_callable && of.is_some_and(|of| tables.is_filled_by_looking(&of.name))
    })
}

/// Where an element that is read there is changed by the name that the function gives it.
fn changed_by_name(cx: &RuleContext, access: &Access, is_meant: impl Fn(Change) -> bool) -> Option<Span> {
    let id = access.function;
    let function = cx.function(id);
    let uses = Uses::of(&function);
    let tables = cx.program.tables(Language::Python);
    let reads = |value: &Value| value.span == access.span && matches!(value.kind, ValueKind::Place(_));
    let read = (0..).map(ValueIndex).zip(&function.values).filter(|(_, value)| reads(value)).map(|(at, _)| at);
    let read: Vec<ValueIndex> = read.collect();
    let named: Vec<ValueIndex> = read.iter().flat_map(|read| cx.program.users(id, &uses, *read)).collect();
    let of_name = |block, step, place: &Place| match (&place.root, &place.fields[..]) {
        (Root::Variable(variable), [Field::Index]) => {
            let reaching = cx.program.reaching(id, *variable, block, step);
            !reaching.from_entry && reaching.values.iter().all(|value| read.contains(value))
        }
        _ => false,
    };
    function.steps().find_map(|(block, at, step)| match &step.kind {
        StepKind::Call(call) => match &function.call(*call)?.callee {
            Callee::Method(receiver, method) if named.contains(receiver) => {
                tables.change_by_name(method).filter(|change| is_meant(*change)).map(|_| step.span)
            }
            _ => None,
        },
        StepKind::Write(place, kind, _) if of_name(block, at as u32, place) => {
            let change = if *kind == WriteKind::Delete { Change::Removes } else { Change::Ensures };
            is_meant(change).then_some(step.span)
        }
        _ => None,
    })
}
