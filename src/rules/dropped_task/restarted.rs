//! What is started once only, ended by somebody, and never marked as ended: it is not started again.
//!
//! ~~~text
//! def start(self):
//!     if self._task is None:                    true the first time only …
//!         self._task = create_task(self.run())
//! def stop(self):
//!     self._task.cancel()                       … as nobody sets it back to None
//! ~~~

use crate::analysis::{FunctionId, TypeId};
use crate::catalogue::{BlockingKind, Does, Runs};
use crate::flow::{BlockIndex, Field, Function, Literal, Next, Place, Root, StepKind, ValueIndex, ValueKind};
use crate::text::{Language, Span};
use crate::verdict::{Level, Stance, Verdict};

use super::super::context::RuleContext;
use super::NAME;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if cx.language(id.module) != Language::Python || cx.program.is_test_code(id) || cx.is_set_up(id) {
        return;
    }
    let Some(owner) = cx.program.self_type(id) else { return };
    let Some(own) = function.parameters.first().map(|first| first.variable) else { return };
    let handed = cx.program.hands_over(id);
    let Some(started) = handed.iter().find(|one| matches!(one.runs, Runs::Task | Runs::Thread)) else {
        return;
    };
    let of_own = |place: &Place| match (&place.root, &place.fields[..]) {
        (Root::Variable(variable), [Field::Name(name)]) if *variable == own => Some(name.clone()),
        _ => None,
    };
    let given: Vec<(String, BlockIndex)> = function
        .steps()
        .filter_map(|(block, _, step)| match &step.kind {
            StepKind::Write(place, _, Some(value)) if function.call(*value).is_some() => Some((of_own(place)?, block)),
            _ => None,
        })
        .collect();
    for (at, block) in function.blocks.iter().enumerate() {
        let Next::Branch(Some(condition), targets) = &block.next else { continue };
        let Some((mark, checked)) = tested_for_nothing(&function, *condition, &of_own) else { continue };
        let is_given = given.iter().any(|(name, at)| *name == mark && targets.contains(at));
        let is_asked = |(_, of): &(ValueIndex, ValueIndex)| matches!(&function.value(*of).kind, ValueKind::Place(place) if of_own(place).as_ref() == Some(&mark));
        // Whoever asks whether it has ended starts it again where it has.
        if [Does::Sees, Does::Asks].into_iter().any(|does| cx.program.verbs(id, does).iter().any(is_asked)) {
            continue;
        }
        if !is_given || is_set_elsewhere(cx, id, &mark, (BlockIndex(at as u32), condition)) {
            continue;
        }
        let kept: Vec<&String> = given.iter().map(|(name, _)| name).collect();
        let Some((ender, ended)) = ender(cx, id, owner, &kept) else { continue };
        let (name, end) = (&function.name, &cx.function(ender).name);
        out.push(
            cx.verdict(NAME, Stance::Unproven, id, checked, &format!("`self.{mark}`"))
                .assumes(format!("`{name}` starts again what `{end}` has ended"))
                .says(format!(
                    "`{name}` starts `{}` only while `{mark}` is not set, and `{end}`, which ends it, leaves `{mark}` set",
                    started.to
                ))
                .asks(format!("Is `{name}` never called again after `{end}`?"))
                .helps(format!("set `{mark}` back to `None` in `{end}`"))
                .level(Level::Warning)
                .evidence(started.at.clone(), format!("`{}` is started here", started.to))
                .evidence(cx.location(ender, ended), format!("`{end}` ends it here")),
        );
        return;
    }
}

/// The own attribute that a condition asks to be None, and where: `self.x is None`, `not self.x`.
fn tested_for_nothing(
    function: &Function,
    condition: ValueIndex,
    of_own: &dyn Fn(&Place) -> Option<String>,
) -> Option<(String, Span)> {
    let read = |value: &ValueIndex| match &function.value(*value).kind {
        ValueKind::Place(place) => of_own(place),
        _ => None,
    };
    let is_none = |value: &ValueIndex| matches!(function.value(*value).kind, ValueKind::Literal(Literal::None));
    let name = match &function.value(condition).kind {
        // `not` may be left to the order of the branches.
        ValueKind::Place(_) => read(&condition),
        ValueKind::Operation(parts) => match &parts[..] {
            [only] => read(only),
            [first, second] if is_none(second) => read(first),
            _ => None,
        },
        _ => None,
    }?;
    Some((name, function.value(condition).span))
}

/// Whether anybody but the function and what sets the object up gives the attribute another value.
fn is_set_elsewhere(
    cx: &RuleContext,
    id: FunctionId,
    mark: &str,
    (block, condition): (BlockIndex, &ValueIndex),
) -> bool {
    let function = cx.function(id);
    let place = Place {
        root: Root::Variable(function.parameters[0].variable),
        fields: vec![Field::Name(mark.to_owned())],
        is_cut: false,
    };
    let step = function.value(*condition).step;
    let Some((state, _)) = cx.program.state_named(id, &place, block, step) else { return true };
    let accesses = cx.program.accesses_of(id.module, &state);
    accesses.iter().any(|access| access.touch.is_write() && access.function != id && !cx.is_set_up(access.function))
}

/// A method of the class that ends what one of these attributes holds.
fn ender(cx: &RuleContext, id: FunctionId, owner: TypeId, kept: &[&String]) -> Option<(FunctionId, Span)> {
    let module = cx.program.module(id.module);
    let tables = cx.program.tables(Language::Python);
    module.functions().filter(|(index, other)| *index != id.index && other.owner.is_some()).find_map(
        |(index, other)| {
            let other_id = FunctionId { module: id.module, index };
            if cx.program.self_type(other_id) != Some(owner) {
                return None;
            }
            let own = other.parameters.first()?.variable;
            let mut ends = cx.program.verbs(other_id, Does::Cancels);
            ends.extend(other.values.iter().enumerate().filter_map(|(at, value)| {
                let call = ValueIndex(at as u32);
                let ValueKind::Call(written) = &value.kind else { return None };
                let crate::flow::Callee::Method(receiver, _) = written.callee else { return None };
                let resolution = cx.resolution(other_id, call);
                let entry = tables.blocking(resolution.external()?)?;
                (entry.kind == BlockingKind::LockWait).then_some((call, receiver))
            }));
            ends.into_iter().find_map(|(call, receiver)| {
                let ValueKind::Place(place) = &other.value(receiver).kind else { return None };
                let is_kept = match (&place.root, &place.fields[..]) {
                    (Root::Variable(variable), [Field::Name(name)]) => *variable == own && kept.contains(&name),
                    _ => false,
                };
                is_kept.then(|| (other_id, other.value(call).span))
            })
        },
    )
}
