//! Which lock is meant: places, and two equalities.
//!
//! A [`LockPlace`] names a lock in terms of one function: below a parameter (`self` is the first), a local variable, a
//! static. Two places in one function are *the same within one task* when both are exact and equal. Two places of
//! different functions *may be the same across tasks* when they have the same class: the same field of the same type.
//! An indexed lock is never the same for certain.

use std::rc::Rc;

use super::calls::Target;
use super::names::Item;
use super::types::Type;
use super::{FunctionId, Program, TypeId};
use crate::catalogue::{Flavour, LockKind, Mode, Term};
use crate::flow::{BlockIndex, Callee, Field, Next, Place, Root, ValueIndex, ValueKind, VariableIndex};

/// How many classes are asked for a field that a class does not declare itself.
const MOST_BASES: usize = 16;

/// A lock that is taken or held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Where it is found.
    pub place: LockPlace,
    /// What sort of lock it is.
    pub kind: LockKind,
    /// What a wait for it does.
    pub flavour: Flavour,
    /// Whom holding it keeps out.
    pub mode: Mode,
    /// Whether its holder may take it again, by the way that this was taken.
    pub is_reentrant: bool,
    /// Its name in the user's own words, without backquotes.
    pub name: String,
    /// Canonical name of its type.
    pub type_name: String,
    /// Whether its type was resolved; otherwise the shape of the call alone says that it is a lock.
    pub is_resolved: bool,
}

impl Lock {
    /// Whether taking this one while `held` is held by the same task waits for the task itself.
    pub fn waits_for_itself(&self, held: &Lock) -> bool {
        // A reader that may pass a waiting writer still waits for one that has the lock.
        let may_again = self.is_reentrant && (held.is_reentrant || held.mode != Mode::Exclusive);
        self.place.is_same(&held.place) && !may_again && self.kind == held.kind
    }

    /// Whether both only keep writers out, so that they wait for each other only behind a waiting writer. One of the
    /// two may mean to become a writer.
    pub fn shares_with(&self, held: &Lock) -> bool {
        match (self.mode, held.mode) {
            (Mode::Exclusive, _) | (_, Mode::Exclusive) | (Mode::Upgradable, Mode::Upgradable) => false,
            (Mode::Shared, Mode::Shared | Mode::Upgradable) | (Mode::Upgradable, Mode::Shared) => true,
        }
    }
}

/// Where a lock is found, in terms of one function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LockPlace {
    /// Where the way starts.
    pub root: LockRoot,
    /// The fields on the way.
    pub fields: Vec<String>,
    /// Whether the place names one object for certain.
    pub is_exact: bool,
    /// The field or static that it is, whatever the object: `cache.Cache._lock`.
    pub class: Option<String>,
}

/// How a callee's parameters are bound to the caller's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// By a call.
    Call(ValueIndex),
    /// No call is written: only the receiver is known.
    Receiver(LockPlace),
    /// A closure that runs where it stands, by its value: what it captures is the caller's.
    Closure(ValueIndex),
}

/// Where the way to a lock starts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LockRoot {
    /// A parameter by number; the receiver is the first.
    Parameter(u32),
    /// A local variable of a function.
    Local(FunctionId, VariableIndex),
    /// A static or global by its qualified name.
    Static(String),
    /// Not known.
    Unknown,
}

impl LockPlace {
    /// Nothing is known.
    pub fn unknown() -> Self {
        Self { root: LockRoot::Unknown, fields: Vec::new(), is_exact: false, class: None }
    }

    /// Whether both certainly name the same object within one task.
    pub fn is_same(&self, other: &LockPlace) -> bool {
        self.is_exact
            && other.is_exact
            && self.root != LockRoot::Unknown
            && self.root == other.root
            && self.fields == other.fields
    }

    fn then(mut self, field: &Field, class: Option<String>) -> Self {
        match field {
            Field::Name(name) => {
                self.fields.push(name.clone());
                self.class = class;
            }
            Field::Index => self.is_exact = false,
        }
        self
    }
}

/// How many steps of `a.b().c()…` are told.
const LONGEST_CHAIN: u32 = 64;

impl<'a> Program<'a> {
    /// The place that a value stands for, one alias step followed.
    pub fn lock_place(&self, id: FunctionId, value: ValueIndex) -> LockPlace {
        if let Some(known) = self.places.borrow().get(&(id, value)) {
            return known.clone();
        }
        // A value that is made from itself, round a loop or through a call, is asked for once.
        self.places.borrow_mut().insert((id, value), LockPlace::unknown());
        let found = self.deeper(LockPlace::unknown(), || self.find_lock_place(id, value));
        self.places.borrow_mut().insert((id, value), found.clone());
        found
    }

    fn find_lock_place(&self, id: FunctionId, index: ValueIndex) -> LockPlace {
        let function = self.function(id);
        let value = function.value(index);
        match &value.kind {
            ValueKind::Place(place) => self.canonical_place(id, place, value.block, value.step),
            ValueKind::Reference(of) | ValueKind::Dereference(of) | ValueKind::Try(of) | ValueKind::Cast(of, _) => {
                self.lock_place(id, *of)
            }
            ValueKind::Field(of, name) => {
                let class = self.field_class(&self.value_type(id, *of), name);
                self.lock_place(id, *of).then(&Field::Name(name.clone()), class)
            }
            ValueKind::Index(of) | ValueKind::Element(of) => self.lock_place(id, *of).then(&Field::Index, None),
            ValueKind::Path(segments, _) => self.static_place(&self.resolve_in(id, segments)),
            ValueKind::Call(_) => self.place_of_call(id, index),
            _ => LockPlace::unknown(),
        }
    }

    /// A call that hands on what it was given (`clone`, `as_ref`), or a project accessor that returns a lock of its
    /// receiver.
    fn place_of_call(&self, id: FunctionId, index: ValueIndex) -> LockPlace {
        let function = self.function(id);
        let Some(call) = function.call(index) else { return LockPlace::unknown() };
        let resolution = self.resolution(id, index);
        let receiver = match &call.callee {
            Callee::Method(receiver, _) => Some(*receiver),
            _ => None,
        };
        let first = receiver.or_else(|| call.arguments.first().map(|argument| argument.value));
        match &resolution.targets[..] {
            [Target::External(name)] => {
                let signature = self.tables(self.language(id.module)).signature(name);
                let hands_on = signature.is_some_and(|signature| match &signature.returns {
                    _ if signature.same => true,
                    Term::SelfType => true,
                    Term::Reference(of) => matches!(**of, Term::SelfType | Term::Param(_)),
                    Term::Argument(0) => receiver.is_none(),
                    _ => false,
                });
                match first {
                    Some(first) if hands_on => self.lock_place(id, first),
                    _ => LockPlace::unknown(),
                }
            }
            [Target::Function(callee)] => {
                let body = self.function(*callee);
                let mut returned = body.blocks.iter().filter_map(|block| match block.next {
                    Next::Return(value) => value,
                    _ => None,
                });
                let (Some(only), None) = (returned.next(), returned.next()) else { return LockPlace::unknown() };
                if body.is_async() {
                    return LockPlace::unknown();
                }
                let place = self.lock_place(*callee, only);
                self.substitute(id, index, *callee, &place)
            }
            _ => LockPlace::unknown(),
        }
    }

    fn static_place(&self, item: &Item) -> LockPlace {
        let name = match item {
            Item::Static(module, at) => {
                let owner = self.module(*module);
                let Some(place) = owner.statics.get(*at as usize) else { return LockPlace::unknown() };
                format!("{}:{}", owner.path, place.name)
            }
            Item::Type(of) => self.type_def(*of).qualified.clone(),
            Item::External(name) => name.clone(),
            _ => return LockPlace::unknown(),
        };
        LockPlace { class: Some(name.clone()), root: LockRoot::Static(name), fields: Vec::new(), is_exact: true }
    }

    /// A place in terms of the function, class attributes made one object.
    pub fn canonical_place(&self, id: FunctionId, place: &Place, block: BlockIndex, step: u32) -> LockPlace {
        let mut fields = &place.fields[..];
        let (mut found, mut of) = match &place.root {
            Root::Variable(variable) => {
                (self.variable_place(id, *variable, block, step), self.variable_type(id, *variable, block, step))
            }
            Root::Global(path) => {
                let mut item = self.resolve_in(id, path);
                // `module.lock` is the module's own static.
                while let (
                    Item::Module(..) | Item::Package { .. } | Item::External(_),
                    [Field::Name(name), rest @ ..],
                ) = (&item, fields)
                {
                    item = self.member(&item, name);
                    fields = rest;
                }
                (self.static_place(&item), self.item_type(&item))
            }
        };
        for field in fields {
            let class = match field {
                Field::Name(name) => self.field_class(&of, name),
                Field::Index => None,
            };
            if let (Field::Name(name), Some(class)) = (field, &class) {
                // An attribute of the class is one object however it is reached.
                if self.is_class_attribute(&of, name) {
                    found = LockPlace {
                        root: LockRoot::Static(class.clone()),
                        fields: Vec::new(),
                        is_exact: true,
                        class: Some(class.clone()),
                    };
                    of = self.member_type(&of, name);
                    continue;
                }
            }
            found = found.then(field, class);
            of = match field {
                Field::Name(name) => self.member_type(&of, name),
                Field::Index => self.element_type(&of),
            };
        }
        found.is_exact &= !place.is_cut;
        found
    }

    fn variable_place(&self, id: FunctionId, index: VariableIndex, block: BlockIndex, step: u32) -> LockPlace {
        let reaching = self.reaching(id, index, block, step);
        if let ([only], false) = (&reaching.values[..], reaching.from_entry) {
            let aliased = self.lock_place(id, *only);
            if aliased.root != LockRoot::Unknown {
                return aliased;
            }
        }
        if reaching.values.is_empty()
            && let Some(came) = self.unbound_place(id, index)
        {
            return came;
        }
        // Several definitions reach: which object it is differs from path to path, but not within one.
        LockPlace { root: LockRoot::Local(id, index), fields: Vec::new(), is_exact: true, class: None }
    }

    fn field_class(&self, of: &Type, name: &str) -> Option<String> {
        self.pointees(of).iter().find_map(|of| match of {
            Type::Instance(instance) => instance.definition.map(|id| self.declared_field(id, name)),
            Type::Class(id) => Some(self.declared_field(*id, name)),
            _ => None,
        })
    }

    /// A field by the type that declares it, so that it is one field however it was inherited.
    fn declared_field(&self, id: TypeId, name: &str) -> String {
        let declares = |id: &TypeId| self.type_def(*id).fields.iter().any(|field| field.name == name);
        let mut line = vec![id];
        let mut at = 0;
        while let Some(&of) = line.get(at).filter(|_| at < MOST_BASES) {
            if declares(&of) {
                break;
            }
            let bases = self.bases(of).into_iter().filter_map(|base| match base {
                Item::Type(base) => Some(base),
                _ => None,
            });
            let new: Vec<TypeId> = bases.filter(|base| !line.contains(base)).collect();
            line.extend(new);
            at += 1;
        }
        let owner = line.get(at).filter(|of| declares(of)).copied().unwrap_or(id);
        format!("{}:{}.{name}", self.module(owner.module).path, self.type_def(owner).qualified)
    }

    fn is_class_attribute(&self, of: &Type, name: &str) -> bool {
        let definition = match of {
            Type::Class(id) => Some(*id),
            Type::Instance(instance) => instance.definition,
            _ => None,
        };
        definition.is_some_and(|id| {
            self.type_def(id)
                .fields
                .iter()
                .any(|field| field.name == name && field.is_of_class && field.values.len() == 1)
        })
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

    /// The place of a variable that came with the function: a parameter, or what a closure captured.
    fn unbound_place(&self, id: FunctionId, variable: VariableIndex) -> Option<LockPlace> {
        let function = self.function(id);
        let parameter = function.parameters.iter().position(|parameter| parameter.variable == variable);
        let root = match (parameter, function.variable(variable).captures, function.parent) {
            (Some(at), ..) => LockRoot::Parameter(at as u32),
            (None, Some(outer), Some(parent)) => {
                LockRoot::Local(FunctionId { module: id.module, index: parent }, outer)
            }
            _ => return None,
        };
        Some(LockPlace { root, fields: Vec::new(), is_exact: true, class: None })
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
    pub fn bound(&self, caller: FunctionId, binding: &Binding, callee: FunctionId, lock: &Lock) -> Rc<Lock> {
        let place = match binding {
            Binding::Call(call) => self.substitute(caller, *call, callee, &lock.place),
            Binding::Closure(closure) => match lock.place.root {
                LockRoot::Local(owner, variable) if owner == caller => {
                    self.captured_place(caller, *closure, variable, &lock.place)
                }
                LockRoot::Static(_) => lock.place.clone(),
                LockRoot::Parameter(_) | LockRoot::Local(..) | LockRoot::Unknown => {
                    LockPlace { root: LockRoot::Unknown, is_exact: false, ..lock.place.clone() }
                }
            },
            Binding::Receiver(receiver) => match &lock.place.root {
                LockRoot::Parameter(0) => {
                    let mut place = receiver.clone();
                    place.fields.extend(lock.place.fields.iter().cloned());
                    place.is_exact &= lock.place.is_exact;
                    place.class = lock.place.class.clone().or(place.class);
                    place
                }
                LockRoot::Static(_) => lock.place.clone(),
                LockRoot::Local(owner, variable) if *owner == caller => self.own_place(caller, *variable, &lock.place),
                // A captured variable of an enclosing function is the same object in its closures.
                LockRoot::Local(owner, _) if self.encloses(*owner, caller) => lock.place.clone(),
                LockRoot::Parameter(_) | LockRoot::Local(..) | LockRoot::Unknown => {
                    LockPlace { root: LockRoot::Unknown, is_exact: false, ..lock.place.clone() }
                }
            },
        };
        Rc::new(Lock { place, name: self.bound_name(caller, binding, callee, lock), ..lock.clone() })
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
    pub fn bound_at_start(&self, id: FunctionId, argument: ValueIndex, callee: FunctionId, lock: &Lock) -> Rc<Lock> {
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
                Rc::new(Lock { place, ..lock.clone() })
            }
            _ => self.bound(id, &binding, callee, lock),
        }
    }

    /// A place in the user's own words.
    pub fn place_text(&self, id: FunctionId, place: &Place) -> String {
        let function = self.function(id);
        let mut text = match &place.root {
            Root::Variable(variable) => function.variable(*variable).name.clone(),
            Root::Global(path) => path.join(self.language(id.module).separator()),
        };
        for field in &place.fields {
            match field {
                Field::Name(name) => {
                    text.push('.');
                    text.push_str(name);
                }
                Field::Index => text.push_str("[…]"),
            }
        }
        text
    }

    /// A value in the user's own words: a place as it is written, a call by its name.
    /// Of a chain longer than anybody reads only the end is told.
    pub fn value_text(&self, id: FunctionId, index: ValueIndex) -> String {
        self.text_within(id, index, LONGEST_CHAIN)
    }

    fn text_within(&self, id: FunctionId, index: ValueIndex, left: u32) -> String {
        let Some(left) = left.checked_sub(1) else { return "…".to_owned() };
        let function = self.function(id);
        match &function.value(index).kind {
            ValueKind::Place(place) => self.place_text(id, place),
            ValueKind::Path(segments, _) => segments.join("::"),
            ValueKind::Field(of, name) => format!("{}.{name}", self.text_within(id, *of, left)),
            ValueKind::Index(of) => format!("{}[…]", self.text_within(id, *of, left)),
            ValueKind::Awaited(of)
            | ValueKind::Try(of)
            | ValueKind::Reference(of)
            | ValueKind::Dereference(of)
            | ValueKind::Cast(of, _)
            | ValueKind::Entered(of)
            | ValueKind::Element(of) => self.text_within(id, *of, left),
            ValueKind::Call(call) => match &call.callee {
                Callee::Path(path) => format!("{}()", path.join(self.language(id.module).separator())),
                Callee::Method(receiver, name) => format!("{}.{name}()", self.text_within(id, *receiver, left)),
                Callee::Value(of) => format!("{}()", self.text_within(id, *of, left)),
                Callee::Super(name) => format!("super().{name}()"),
                Callee::Macro(path) => format!("{}!", path.join("::")),
            },
            _ => "it".to_owned(),
        }
    }

    /// What a call calls, in the user's own words, without its parentheses.
    pub fn callee_text(&self, id: FunctionId, call: ValueIndex) -> String {
        let text = self.value_text(id, call);
        text.strip_suffix("()").map_or(text.clone(), str::to_owned)
    }
}
