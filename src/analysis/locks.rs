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
use crate::flow::{BlockIndex, Callee, Collection, Field, Next, Place, Root, ValueIndex, ValueKind, VariableIndex};

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
        let root = match (parameter, function.variable(variable).captures, function.parent) {
            (Some(at), ..) => LockRoot::Parameter(at as u32),
            (None, Some(outer), Some(parent)) => {
                LockRoot::Local(FunctionId { module: id.module, index: parent }, outer)
            }
            _ => return None,
        };
        Some(LockPlace { root, fields: Vec::new(), is_exact: true, class: None })
    }
}
