//! A cell that is looked at, found empty, and then set by somebody who takes it for granted that nobody was faster.
//!
//! ~~~text
//! match CELL.get() { Some(it) => it, None => { CELL.set(make()).unwrap(); … } }     two threads: one of them panics
//! CELL.get_or_init(make)                                                            one step
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::uses::Uses;
use crate::flow::{Callee, Function, StepKind, ValueIndex};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Stance, Verdict};

use super::super::context::RuleContext;
use super::{Access, How, NAME, accesses, decides, is_guarded, is_shared};

/// A store that the thread does not outlive if somebody was there before.
struct Setting {
    access: Access,
    /// Where it stands in the function that is looked at, and where the store itself does.
    span: Span,
    at: (FunctionId, Span),
}

pub(super) fn check(cx: &RuleContext, id: FunctionId, all: &[Access], out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let loads: Vec<&Access> =
        all.iter().filter(|access| access.how == How::Load && is_shared(cx, id, &access.place)).collect();
    if loads.is_empty() {
        return;
    }
    let own = all.iter().filter(|access| access.how == How::Once && is_insisted_on(cx, id, &function, access.call));
    let own = own.map(|access| Setting { access: copy(access), span: access.span, at: (id, access.span) });
    let settings: Vec<Setting> = own.chain(below(cx, id, &function)).collect();
    let uses = Uses::of(&function);
    for setting in &settings {
        let access = &setting.access;
        let rests_on = |load: &&&Access| {
            load.place.is_same(&access.place)
                && load.step_before(access)
                && !is_guarded(cx, id, load, access)
                && decides(&function, &cx.program.made_from(id, &uses, load.call), load, access)
        };
        let Some(load) = loads.iter().find(rests_on) else { continue };
        if cx.program.is_always_called_under_a_lock(id) {
            continue;
        }
        let name = &load.name;
        let met = cx.program.met_by_itself(id, true);
        let stance = if met.is_some() { Stance::Violated(Confidence::Medium) } else { Stance::Unproven };
        let mut verdict = cx
            .verdict(NAME, stance, id, setting.span, &format!("`{name}`"))
            .assumes(format!("nobody sets `{name}` between the look and the setting of `{}`", function.name))
            .says(format!(
                "`{}` sets `{name}`, which it found empty before, and panics if somebody was faster",
                function.name
            ))
            .asks(format!("Can `{}` run twice at once, or somebody else set `{name}` in between?", function.name))
            .helps("let the one step that looks and sets, `get_or_init` and its kin, do it")
            .evidence(cx.location(id, load.span), format!("`{name}` is looked at here"));
        if setting.at.0 != id {
            verdict = verdict.evidence(cx.location(setting.at.0, setting.at.1), "it is set here");
        }
        if let Some((at, what)) = met {
            verdict = verdict.evidence(at, what);
        }
        out.push(verdict);
    }
}

fn copy(access: &Access) -> Access {
    Access { place: access.place.clone(), name: access.name.clone(), ..*access }
}

/// The settings in functions that are called here and given the cell.
fn below(cx: &RuleContext, id: FunctionId, function: &Function) -> Vec<Setting> {
    let mut found = Vec::new();
    for (block, at, step) in function.steps() {
        let StepKind::Call(call) = step.kind else { continue };
        let [callee] = cx.resolution(id, call).functions()[..] else { continue };
        if callee == id || cx.language(callee.module) != Language::Rust {
            continue;
        }
        let body = cx.function(callee);
        for access in accesses(cx, callee) {
            if access.how != How::Once || !is_insisted_on(cx, callee, &body, access.call) {
                continue;
            }
            let place = cx.program.substitute(id, call, callee, &access.place);
            let set = (callee, access.span);
            found.push(Setting {
                access: Access { place, call, block, step: at as u32, ..access },
                span: step.span,
                at: set,
            });
        }
    }
    found
}

/// Whether a result is taken for the good one.
fn is_insisted_on(cx: &RuleContext, id: FunctionId, function: &Function, made: ValueIndex) -> bool {
    let tables = cx.program.tables(Language::Rust);
    (0..function.values.len() as u32).map(ValueIndex).any(|value| {
        let Some(Callee::Method(receiver, _)) = function.call(value).map(|call| &call.callee) else { return false };
        *receiver == made && cx.resolution(id, value).external().is_some_and(|name| tables.insists(name))
    })
}
