//! What a callee calls a lock, in terms of its caller.
//!
//! A summary speaks of the parameters of the function that it is about; at a call they stand for values of the caller. What
//! a closure captures is the caller's already.

use std::sync::Arc;

use super::calls::Target;
use super::locks::{Lock, LockPlace, LockRoot};
use super::{FunctionId, Program};
use crate::flow::{Callee, Colour, Field, Next, Place, Root, StepKind, ValueIndex, ValueKind, VariableIndex};

/// How many calls and names an object is followed through to where it is made.
const DEEPEST: u32 = 4;

/// How a callee's parameters are bound to the caller's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// By a call.
    Call(ValueIndex),
    /// No call is written: only the receiver is known.
    Receiver(LockPlace),
    /// Nor that, but the value that it is: an object made here may have from here what is in it.
    Made(ValueIndex),
    /// A closure that runs where it stands, by its value: what it captures is the caller's.
    Closure(ValueIndex),
}

impl Program<'_> {
    /// The caller's value for a callee's parameter.
    pub fn argument_for(
        &self,
        caller: FunctionId,
        call: ValueIndex,
        callee: FunctionId,
        parameter: u32,
    ) -> Option<ValueIndex> {
        let function = self.function(caller);
        let call_value = function.call(call)?;
        let resolution = self.resolution(caller, call);
        let mut position = parameter as usize;
        if resolution.binds_receiver {
            match &call_value.callee {
                Callee::Method(receiver, _) if position == 0 => return Some(*receiver),
                Callee::Super(_) if position == 0 => {
                    // The caller's own receiver.
                    let own = function.parameters.first()?.variable;
                    return function.values.iter().enumerate().find_map(|(at, value)| match &value.kind {
                        ValueKind::Place(place) if place.as_variable() == Some(own) => Some(ValueIndex(at as u32)),
                        _ => None,
                    });
                }
                _ if position == 0 => return None,
                _ => position -= 1,
            }
        }
        let callee = self.function(callee);
        let name = &callee.variable(callee.parameters.get(parameter as usize)?.variable).name;
        let named = call_value.arguments.iter().find(|argument| argument.name.as_ref() == Some(name));
        if let Some(argument) = named {
            return Some(argument.value);
        }
        let mut positional = call_value.arguments.iter().filter(|argument| argument.name.is_none());
        if positional.clone().take(position + 1).any(|argument| argument.is_spread) {
            return None;
        }
        positional.nth(position).map(|argument| argument.value)
    }

    /// A callee's lock in terms of the caller.
    pub fn bound(&self, caller: FunctionId, binding: &Binding, callee: FunctionId, lock: &Arc<Lock>) -> Arc<Lock> {
        // What everybody knows by one name is no other for the caller.
        if let LockRoot::Static(_) = lock.place.root {
            return lock.clone();
        }
        let place = match binding {
            Binding::Call(call) => self.substitute(caller, *call, callee, &lock.place),
            Binding::Closure(closure) => self.captured_by(caller, *closure, &lock.place),
            Binding::Made(value) => match (&lock.place.root, &lock.place.fields[..]) {
                (LockRoot::Parameter(0), [field, rest @ ..]) => {
                    let place = self.put_into(caller, *value, field, DEEPEST).unwrap_or_else(LockPlace::unknown);
                    below(place, rest, &lock.place)
                }
                (LockRoot::Static(_), _) => lock.place.clone(),
                _ => LockPlace { root: LockRoot::Unknown, is_exact: false, ..lock.place.clone() },
            },
            Binding::Receiver(receiver) => match &lock.place.root {
                LockRoot::Parameter(0) => below(receiver.clone(), &lock.place.fields, &lock.place),
                LockRoot::Static(_) => lock.place.clone(),
                LockRoot::Local(owner, variable) if *owner == caller => self.own_place(caller, *variable, &lock.place),
                // A captured variable of an enclosing function is the same object in its closures.
                LockRoot::Local(owner, _) if self.encloses(*owner, caller) => lock.place.clone(),
                LockRoot::Parameter(_) | LockRoot::Local(..) | LockRoot::Unknown => {
                    LockPlace { root: LockRoot::Unknown, is_exact: false, ..lock.place.clone() }
                }
            },
        };
        Arc::new(Lock { place, name: self.bound_name(caller, binding, callee, lock), ..Lock::clone(lock) })
    }

    /// What a field of an object holds that was made here, by its constructor or by a function that gives it back:
    /// `Transaction(self)`, `self.db.transaction()`.
    fn put_into(&self, id: FunctionId, value: ValueIndex, field: &str, depth: u32) -> Option<LockPlace> {
        let depth = depth.checked_sub(1)?;
        let function = self.function(id);
        let node = function.value(value);
        if let ValueKind::Place(place) = &node.kind {
            let reaching = self.reaching(id, place.as_variable()?, node.block, node.step);
            let (&[only], false) = (&reaching.values[..], reaching.from_entry) else { return None };
            return self.put_into(id, only, field, depth);
        }
        let (callee, place) = match self.resolution(id, value).targets[..] {
            [Target::Construct(_, Some(constructor))] => {
                let body = self.function(constructor);
                let own = body.parameters.first()?.variable;
                let is_it = |place: &Place| {
                    place.root == Root::Variable(own) && place.fields[..] == [Field::Name(field.to_owned())]
                };
                let mut given = body.steps().filter_map(|(_, _, step)| match &step.kind {
                    StepKind::Write(place, _, given) if is_it(place) => Some(*given),
                    _ => None,
                });
                let (Some(Some(only)), None) = (given.next(), given.next()) else { return None };
                (constructor, self.lock_place(constructor, only))
            }
            [Target::Function(callee)] => {
                let body = self.function(callee);
                let mut returned = body.blocks.iter().filter_map(|block| match block.next {
                    Next::Return(returned) => Some(returned),
                    _ => None,
                });
                let (Some(Some(only)), None) = (returned.next(), returned.next()) else { return None };
                let is_plain = body.colour == Colour::Plain && !self.is_test_code(callee);
                (callee, self.put_into(callee, only, field, depth).filter(|_| is_plain)?)
            }
            _ => return None,
        };
        matches!(place.root, LockRoot::Parameter(_) | LockRoot::Static(_))
            .then(|| self.substitute(id, value, callee, &place))
    }

    /// The lock's name in the caller's words: what stands for the parameter that it is reached through.
    fn bound_name(&self, caller: FunctionId, binding: &Binding, callee: FunctionId, lock: &Lock) -> String {
        let (Binding::Call(call), LockRoot::Parameter(at)) = (binding, &lock.place.root) else {
            return lock.name.clone();
        };
        let function = self.function(callee);
        let parameter = function.parameters.get(*at as usize).map(|parameter| parameter.variable);
        let name = parameter.map_or("", |variable| function.variable(variable).name.as_str());
        match (lock.name.strip_prefix(name), self.argument_for(caller, *call, callee, *at)) {
            (Some(rest), Some(value)) if rest.is_empty() || rest.starts_with('.') => {
                format!("{}{rest}", self.value_text(caller, value))
            }
            _ => lock.name.clone(),
        }
    }

    /// The lock of a function that was handed over to run elsewhere, in terms of who handed it over: by name, as a
    /// method of an object, as a coroutine, or as a closure that captures it.
    pub fn bound_at_start(
        &self,
        id: FunctionId,
        argument: ValueIndex,
        callee: FunctionId,
        lock: &Arc<Lock>,
    ) -> Arc<Lock> {
        let function = self.function(id);
        let value = function.value(argument);
        let binding = match &value.kind {
            ValueKind::Call(_) => Binding::Call(argument),
            ValueKind::Field(of, _) => Binding::Receiver(self.lock_place(id, *of)),
            ValueKind::Place(place) => {
                let above = place.fields.split_last().map(|(_, above)| above.to_vec());
                let place = above.map(|fields| Place { fields, ..place.clone() });
                let receiver = place.map(|place| self.canonical_place(id, &place, value.block, value.step));
                Binding::Receiver(receiver.unwrap_or_else(LockPlace::unknown))
            }
            _ => Binding::Receiver(LockPlace::unknown()),
        };
        match lock.place.root {
            LockRoot::Local(owner, variable) if owner == id => {
                let place = self.captured_place(id, argument, variable, &lock.place);
                Arc::new(Lock { place, ..Lock::clone(lock) })
            }
            _ => self.bound(id, &binding, callee, lock),
        }
    }

    /// A callee's place in terms of the caller at one call.
    pub fn substitute(&self, caller: FunctionId, call: ValueIndex, callee: FunctionId, place: &LockPlace) -> LockPlace {
        match &place.root {
            LockRoot::Static(_) => place.clone(),
            LockRoot::Local(owner, variable) if *owner == caller => self.own_place(caller, *variable, place),
            // A captured variable of an enclosing function is the same object in its closures.
            LockRoot::Local(owner, _) if self.encloses(*owner, caller) => place.clone(),
            LockRoot::Parameter(at) => {
                let Some(value) = self.argument_for(caller, call, callee, *at) else {
                    return LockPlace { root: LockRoot::Unknown, is_exact: false, ..place.clone() };
                };
                let mut found = self.lock_place(caller, value);
                found.fields.extend(place.fields.iter().cloned());
                found.is_exact &= place.is_exact;
                if place.class.is_some() {
                    found.class = place.class.clone();
                }
                found
            }
            // What a block that the callee gives back has captured there.
            LockRoot::Local(owner, variable) if self.resolution(caller, call).functions() == [*owner] => {
                let there = self.own_place(*owner, *variable, place);
                match there.root {
                    LockRoot::Parameter(_) => self.substitute(caller, call, *owner, &there),
                    _ => LockPlace { root: LockRoot::Unknown, is_exact: false, ..place.clone() },
                }
            }
            LockRoot::Local(..) | LockRoot::Unknown => {
                LockPlace { root: LockRoot::Unknown, is_exact: false, ..place.clone() }
            }
        }
    }

    /// What a closure reaches through a variable of the function around it, in terms of that function.
    fn own_place(&self, id: FunctionId, variable: VariableIndex, place: &LockPlace) -> LockPlace {
        let shape = self.shape(id);
        let mut given = shape.binds(variable);
        let root = match (given.next(), given.next()) {
            (None, _) => self.unbound_place(id, variable),
            (Some(only), None) => Some(self.lock_place(id, only)).filter(|known| known.root != LockRoot::Unknown),
            (Some(_), Some(_)) => None,
        };
        let Some(mut found) = root else { return place.clone() };
        found.fields.extend(place.fields.iter().cloned());
        found.is_exact &= place.is_exact;
        found.class = place.class.clone().or(found.class);
        found
    }

    /// What a closure, or a block inside it, reaches, in terms of the function that the closure stands in.
    pub(super) fn captured_by(&self, id: FunctionId, closure: ValueIndex, place: &LockPlace) -> LockPlace {
        let mut place = place.clone();
        for _ in 0..DEEPEST {
            match place.root {
                LockRoot::Static(_) => return place,
                LockRoot::Local(owner, variable) if owner == id => {
                    return self.captured_place(id, closure, variable, &place);
                }
                // A block that the closure makes has what it captures from the closure, which may have it from here.
                LockRoot::Local(owner, variable) if self.encloses(id, owner) => {
                    let around = self.own_place(owner, variable, &place);
                    if around == place {
                        break;
                    }
                    place = around;
                }
                LockRoot::Parameter(_) | LockRoot::Local(..) | LockRoot::Unknown => break,
            }
        }
        LockPlace { root: LockRoot::Unknown, is_exact: false, ..place }
    }

    /// A lock that is reached through what a closure captures, in terms of the outermost function that says what that is.
    pub fn as_seen_around(&self, id: FunctionId, lock: &Arc<Lock>) -> Arc<Lock> {
        let mut place = lock.place.clone();
        for _ in 0..DEEPEST {
            let LockRoot::Local(owner, variable) = place.root else { break };
            if owner == id {
                break;
            }
            let around = self.own_place(owner, variable, &place);
            if around == place {
                break;
            }
            place = around;
        }
        if place == lock.place { lock.clone() } else { Arc::new(Lock { place, ..Lock::clone(lock) }) }
    }

    /// A place below a variable that a closure captures, in terms of the function that the closure stands in.
    fn captured_place(&self, id: FunctionId, closure: ValueIndex, of: VariableIndex, place: &LockPlace) -> LockPlace {
        let function = self.function(id);
        let value = function.value(closure);
        let mut found = self.variable_place(id, of, value.block, value.step);
        found.fields.extend(place.fields.iter().cloned());
        found.is_exact &= place.is_exact;
        found.class = place.class.clone().or(found.class);
        found
    }

    fn encloses(&self, outer: FunctionId, inner: FunctionId) -> bool {
        let mut at = inner;
        while let Some(parent) = self.function(at).parent {
            at = FunctionId { module: inner.module, index: parent };
            if at == outer {
                return true;
            }
        }
        false
    }
}

/// A place below another, by the fields of a lock.
fn below(mut place: LockPlace, fields: &[String], of: &LockPlace) -> LockPlace {
    place.fields.extend(fields.iter().cloned());
    place.is_exact &= of.is_exact;
    place.class = of.class.clone().or(place.class);
    place
}
