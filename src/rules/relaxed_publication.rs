//! A flag that says that something else is there, and orders nothing.

use crate::analysis::FunctionId;
use crate::analysis::uses::Uses;
use crate::flow::{BlockIndex, Literal, ValueKind};
use crate::verdict::{Confidence, Verdict};

use super::context::RuleContext;
use super::racy_atomic::{Access, How, NAME, accesses};

/// How many functions of a file are looked through for a reader.
const MOST_READERS: usize = 64;

/// A relaxed store of `true` after a store of something else, where a reader takes the one for a sign of the other.
pub(super) fn check(cx: &RuleContext, id: FunctionId, stores: &[Access], out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    for flag in stores.iter().filter(|access| access.how == How::Store && access.is_relaxed) {
        let is_raised = function.call(flag.call).and_then(|call| call.arguments.first()).is_some_and(|argument| {
            matches!(function.value(argument.value).kind, ValueKind::Literal(Literal::Bool(true)))
        });
        let Some(flag_class) = flag.place.class.as_ref().filter(|_| is_raised) else { continue };
        let published = stores.iter().filter(|data| {
            data.how != How::Load && data.step_before(flag) && data.place.class.as_ref() != Some(flag_class)
        });
        let classes: Vec<&String> = published.filter_map(|data| data.place.class.as_ref()).collect();
        if classes.is_empty() {
            continue;
        }
        let Some((reader, load, data)) = reader(cx, id, flag_class, &classes) else { continue };
        let (name, other) = (&flag.name, &data.name);
        let reads = cx.function(reader).name.clone();
        out.push(
            cx.violated(NAME, Confidence::Medium, id, flag.span, &format!("`{name}`"))
                .assumes(format!("whoever sees `{name}` set sees `{other}` as well"))
                .says(format!(
                    "`{name}` is set with a relaxed store, and `{reads}` takes it for a sign that `{other}` is there: \
                     nothing orders the two"
                ))
                .helps("store the flag with `Release` and load it with `Acquire`")
                .evidence(cx.location(reader, load.span), format!("`{name}` is looked at here"))
                .evidence(cx.location(reader, data.span), format!("and then `{other}`")),
        );
    }
}

/// A function of the file that looks at the flag without order and goes on to load what it published.
fn reader(
    cx: &RuleContext,
    id: FunctionId,
    flag: &String,
    published: &[&String],
) -> Option<(FunctionId, Access, Access)> {
    let mut looked = 0;
    for reader in cx.program.functions_of(id.module) {
        if reader == id || cx.program.is_test_code(reader) {
            continue;
        }
        let found = accesses(cx, reader);
        if found.is_empty() {
            continue;
        }
        looked += 1;
        if looked > MOST_READERS {
            return None;
        }
        let is_look = |access: &&Access| {
            access.how == How::Load && access.is_relaxed && access.place.class.as_ref() == Some(flag)
        };
        let Some(at) = found.iter().position(|access| is_look(&access)) else { continue };
        let function = cx.function(reader);
        let made = cx.program.made_from(reader, &Uses::of(&function), found[at].call);
        let is_decided = |data: &Access| {
            function.conditions().any(|(block, value, _)| {
                made.contains(&value) && block != data.block && !function.leads_past(BlockIndex(0), data.block, block)
            })
        };
        let data = found.iter().position(|data| {
            let is_published = data.place.class.as_ref().is_some_and(|class| published.contains(&class));
            data.how == How::Load && is_published && is_decided(data)
        });
        if let Some(data) = data {
            let mut found = found;
            let (load, data) = if at < data {
                let data = found.remove(data);
                (found.remove(at), data)
            } else {
                let load = found.remove(at);
                (load, found.remove(data))
            };
            return Some((reader, load, data));
        }
    }
    None
}
