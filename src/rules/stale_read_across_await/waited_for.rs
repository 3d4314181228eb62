//! Who comes second waits for what who came first has put there: the code itself reckons with several at once.
//!
//! ~~~text
//! if key in self._pending:
//!     await self._pending[key].wait()     somebody else is here already …
//! else:
//!     await self.trace()                  … and another comes by, before anything is put there
//!     self._pending[key] = Event()
//! ~~~

use super::way::{Rests, Stale, Way};
use super::{Write, without_index};
use crate::flow::{Callee, Place, StepKind, Suspension, ValueIndex, ValueKind};
use crate::verdict::Location;

/// Where another task waits for what this write puts there, on a way that does not come by the write itself.
pub(super) fn by_others(way: &Way, write: &Write, stale: &Stale) -> Option<(Location, String)> {
    let function = &way.function;
    if stale.rests != Rests::Condition || write.is_call() || write.value.is_none() {
        return None;
    }
    let tables = way.cx.program.tables(way.cx.language(way.id.module));
    let whole = without_index(&write.place);
    let is_it = |place: &Place| without_index(place) == whole && place.fields.len() >= write.place.fields.len();
    let awaited = |of: ValueIndex| match &function.value(of).kind {
        ValueKind::Place(place) => is_it(place),
        ValueKind::Call(call) => match &call.callee {
            Callee::Method(receiver, method) if tables.waits_by_name(method) => {
                matches!(&function.value(*receiver).kind, ValueKind::Place(place) if is_it(place))
            }
            _ => false,
        },
        _ => false,
    };
    let (_, _, waits) = function.steps().find(|(block, _, step)| match step.kind {
        StepKind::Suspend(Suspension::Await, Some(of)) => {
            let lies_apart = !function.comes_to(write.at.0, *block) && !function.comes_to(*block, write.at.0);
            awaited(of) && *block != write.at.0 && lies_apart
        }
        _ => false,
    })?;
    let what = format!("`{}` waits here for who came before it", function.name);
    Some((way.cx.location(way.id, waits.span), what))
}
