//! Fields of several types that are given one object.
//!
//! ~~~text
//! let room = Arc::new(Notify::new());
//! (Sender { room: room.clone() }, Receiver { room })     one signal, whoever gives it and whoever waits
//! ~~~

use std::collections::BTreeMap;

use super::locks::{LockPlace, LockRoot};
use super::{FunctionId, ModuleId, Program};
use crate::flow::{Collection, ValueIndex, ValueKind, VariableIndex};

impl Program<'_> {
    /// Whether a function of a file makes values of which two fields, by their classes, are given one object.
    pub fn are_one_object(&self, file: ModuleId, one: &str, other: &str) -> bool {
        let mut given: BTreeMap<(FunctionId, VariableIndex), [bool; 2]> = BTreeMap::new();
        for (index, function) in self.module(file).functions() {
            let id = FunctionId { module: file, index };
            for (at, value) in function.values.iter().enumerate() {
                let ValueKind::Collection(Collection::Struct(_), items) = &value.kind else { continue };
                let of = self.value_type(id, ValueIndex(at as u32));
                for (name, item) in items {
                    let class = name.as_ref().and_then(|name| self.field_class(&of, name));
                    let is = [one, other].map(|known| class.as_deref() == Some(known));
                    if !is.contains(&true) {
                        continue;
                    }
                    for object in self.objects_given(id, *item) {
                        let known = given.entry(object).or_default();
                        *known = [known[0] | is[0], known[1] | is[1]];
                    }
                }
            }
        }
        given.values().any(|known| *known == [true, true])
    }

    /// The variables that a value is the object of: its own, or those that the callers of a constructor give.
    fn objects_given(&self, id: FunctionId, value: ValueIndex) -> Vec<(FunctionId, VariableIndex)> {
        let place = self.lock_place(id, value);
        if let LockRoot::Parameter(at) = place.root
            && place.fields.is_empty()
        {
            let calls = self.callers_in_file(id);
            let of_caller = |(by, call): &(FunctionId, ValueIndex)| {
                let argument = self.argument_for(*by, *call, id, at)?;
                variable_of(&self.lock_place(*by, argument))
            };
            return calls.by.iter().filter_map(of_caller).collect();
        }
        variable_of(&place).into_iter().collect()
    }
}

/// The variable that a place is as a whole.
fn variable_of(place: &LockPlace) -> Option<(FunctionId, VariableIndex)> {
    match place.root {
        LockRoot::Local(by, variable) if place.fields.is_empty() => Some((by, variable)),
        _ => None,
    }
}
