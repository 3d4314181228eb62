//! Which lock is meant: places, and two equalities.
//!
//! A [`LockPlace`] names a lock in terms of one function: below a parameter (`self` is the first), a local variable, a
//! static. Two places in one function are *the same within one task* when both are exact and equal. Two places of
//! different functions *may be the same across tasks* when they have the same class: the same field of the same type.
//! An indexed lock is never the same for certain.

use super::calls::Target;
use super::names::Item;
use super::types::Type;
use super::{FunctionId, Program, TypeId};
use crate::catalogue::{Flavour, LockKind, Mode, Term};
use crate::flow::{
    BlockIndex, Callee, Collection, Field, Next, ParameterKind, Place, Root, ValueIndex, ValueKind, VariableIndex,
};

/// How many classes are asked for a field that a class does not declare itself.
const MOST_BASES: usize = 16;

/// How far what an accessor gives is followed to its receiver.
const DEEPEST_PART: u32 = 12;

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

impl Program<'_> {
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
                let place = self.lock_place(id, *of);
                let of = self.value_type(id, *of);
                // A lock around whatever it is given is the field that holds it.
                if self.wraps_its_parameter(&of, name) {
                    return place;
                }
                place.then(&Field::Name(name.clone()), self.field_class(&of, name))
            }
            ValueKind::Index(of) | ValueKind::Element(of) => self.lock_place(id, *of).then(&Field::Index, None),
            ValueKind::Path(segments, _) => self.static_place(&self.resolve_in(id, segments)),
            ValueKind::Call(_) => self.place_of_call(id, index),
            // A tuple that is taken apart as soon as it is made: each part is what was put there.
            ValueKind::Component(of, at) => match &function.value(*of).kind {
                ValueKind::Collection(Collection::Tuple, items) => match items.get(*at as usize) {
                    Some((_, item)) => self.lock_place(id, *item),
                    None => LockPlace::unknown(),
                },
                _ => LockPlace::unknown(),
            },
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
            [Target::External(name)] => match first {
                Some(first) if self.hands_on(id, name, receiver.is_some()) => self.lock_place(id, first),
                _ => LockPlace::unknown(),
            },
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
                let place = match self.lock_place(*callee, only) {
                    place if place.root != LockRoot::Unknown => place,
                    _ => self.own_part(*callee, only).unwrap_or_else(LockPlace::unknown),
                };
                self.substitute(id, index, *callee, &place)
            }
            _ => LockPlace::unknown(),
        }
    }

    /// Whether a function of a library gives back what it is called on, or given first, or a reference into it.
    fn hands_on(&self, id: FunctionId, name: &str, is_method: bool) -> bool {
        let signature = self.tables(self.language(id.module)).signature(name);
        signature.is_some_and(|signature| match &signature.returns {
            _ if signature.same => true,
            Term::SelfType => true,
            Term::Reference(of) => matches!(**of, Term::SelfType | Term::Param(_)),
            Term::Argument(0) => !is_method,
            _ => false,
        })
    }

    /// What an accessor gives that hands out one part of its receiver, whichever that has, and so the same one when it
    /// is asked again: `match self { Self::Plain(of) => of.clone(), Self::Proxy(of) => of.clone() }`.
    fn own_part(&self, callee: FunctionId, given: ValueIndex) -> Option<LockPlace> {
        let body = self.function(callee);
        let is_accessor = matches!(&body.parameters[..], [only] if only.kind == ParameterKind::SelfReference);
        let ValueKind::Choice(parts) = &body.value(given).kind else { return None };
        let is_own = is_accessor && parts.iter().all(|part| self.is_own_part(callee, *part, DEEPEST_PART));
        is_own.then(|| LockPlace {
            root: LockRoot::Parameter(0),
            fields: vec![format!("{}()", body.name)],
            is_exact: true,
            class: None,
        })
    }

    /// Whether a value is part of a method's receiver, or another handle of such a part.
    fn is_own_part(&self, id: FunctionId, value: ValueIndex, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let function = self.function(id);
        let node = function.value(value);
        match &node.kind {
            ValueKind::Reference(of)
            | ValueKind::Dereference(of)
            | ValueKind::Field(of, _)
            | ValueKind::Payload(of, ..) => self.is_own_part(id, *of, depth),
            ValueKind::Choice(parts) => parts.iter().all(|part| self.is_own_part(id, *part, depth)),
            ValueKind::Place(place) => {
                let Root::Variable(variable) = place.root else { return false };
                let reaching = self.reaching(id, variable, node.block, node.step);
                match reaching.values[..] {
                    [] => function.parameters.first().is_some_and(|first| first.variable == variable),
                    [only] => !reaching.from_entry && self.is_own_part(id, only, depth),
                    _ => false,
                }
            }
            ValueKind::Call(call) => {
                let resolution = self.resolution(id, value);
                let hands_on = |name: &str, is_method| self.hands_on(id, name, is_method);
                match (&call.callee, &call.arguments[..], resolution.external()) {
                    (Callee::Method(of, _), [], Some(name)) => hands_on(name, true) && self.is_own_part(id, *of, depth),
                    (Callee::Path(_), [of], Some(name)) => {
                        hands_on(name, false) && self.is_own_part(id, of.value, depth)
                    }
                    _ => false,
                }
            }
            _ => false,
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
            if let Field::Name(name) = field
                && self.wraps_its_parameter(&of, name)
            {
                of = self.member_type(&of, name);
                continue;
            }
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

    pub(super) fn variable_place(
        &self,
        id: FunctionId,
        index: VariableIndex,
        block: BlockIndex,
        step: u32,
    ) -> LockPlace {
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

    pub(super) fn field_class(&self, of: &Type, name: &str) -> Option<String> {
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
            let bases = self.bases(of);
            let bases = bases.iter().filter_map(|base| match base {
                Item::Type(base) => Some(*base),
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

    /// The place of a variable that came with the function: a parameter, or what a closure captured.
    pub(super) fn unbound_place(&self, id: FunctionId, variable: VariableIndex) -> Option<LockPlace> {
        let function = self.function(id);
        let parameter = function.parameters.iter().position(|parameter| parameter.variable == variable);
        let (root, class) = match (parameter, function.variable(variable).captures, function.parent) {
            (Some(at), ..) => (LockRoot::Parameter(at as u32), None),
            (None, Some(outer), Some(parent)) => {
                let around = FunctionId { module: id.module, index: parent };
                (LockRoot::Local(around, outer), self.class_around(around, outer))
            }
            _ => return None,
        };
        Some(LockPlace { root, fields: Vec::new(), is_exact: true, class })
    }

    /// The field or static that a variable stands for which a closure captures: `let state = self.state.clone();`.
    fn class_around(&self, id: FunctionId, variable: VariableIndex) -> Option<String> {
        let shape = self.shape(id);
        let mut given = shape.binds(variable);
        let place = match (given.next(), given.next()) {
            (None, _) => self.unbound_place(id, variable)?,
            (Some(only), None) => self.lock_place(id, only),
            (Some(_), Some(_)) => return None,
        };
        place.class.filter(|_| place.is_exact)
    }
}
