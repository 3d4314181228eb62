//! What type a variable has where it is read.

use super::{Substitution, Type};
use crate::analysis::{FunctionId, Program};
use crate::flow::{
    BlockIndex, Callee, Field, FunctionKind, Next, ParameterKind, Place, Root, ValueIndex, ValueKind, Variable,
    VariableIndex,
};
use crate::text::Language;

/// How many blocks above a read a test of its variable is looked for.
const FARTHEST_TEST: usize = 16;

impl<'a> Program<'a> {
    /// Where the definitions of a variable that reach a step give their values.
    pub fn reaching(&self, id: FunctionId, variable: VariableIndex, block: BlockIndex, step: u32) -> Reaching {
        let shape = self.shape(id);
        let mut found = Reaching::default();
        if !shape.is_bound(variable) {
            found.from_entry = shape.is_reachable(block);
            return found;
        }
        let mut seen = vec![false; shape.blocks()];
        let mut work = vec![(block, step)];
        while let Some((block, before)) = work.pop() {
            if let Some(value) = shape.last_bind(variable, block, before) {
                if !found.values.contains(&value) {
                    found.values.push(value);
                }
                continue;
            }
            found.from_entry |= block.0 == 0;
            for &former in shape.predecessors(block) {
                if !std::mem::replace(&mut seen[former.at()], true) {
                    work.push((former, u32::MAX));
                }
            }
        }
        found.values.sort_unstable();
        found
    }

    /// The type of a place when it is read before a step.
    pub fn place_type(&self, id: FunctionId, place: &Place, block: BlockIndex, step: u32) -> Type {
        if let Some(tested) = self.tested_type(id, place, block, step) {
            return tested;
        }
        let (mut of, fields) = match &place.root {
            Root::Variable(variable) => (self.variable_type(id, *variable, block, step), &place.fields[..]),
            Root::Global(path) => {
                let item = self.resolve_in(id, path);
                (self.item_type(&item), &place.fields[..])
            }
        };
        for field in fields {
            of = match field {
                Field::Name(name) => self.member_type(&of, name),
                Field::Index => self.indexed_type(&of),
            };
            if of.is_unknown() {
                break;
            }
        }
        if place.is_cut { Type::Unknown } else { of }
    }

    /// The type of a variable when it is read before a step.
    pub fn variable_type(&self, id: FunctionId, index: VariableIndex, block: BlockIndex, step: u32) -> Type {
        let function = self.function(id);
        let variable = function.variable(index);
        let declared = variable.annotation.as_ref().map_or(Type::Unknown, |term| self.term_type(id, term));
        // In Python a name that is given a value is of that value's type; in Rust it is what it was declared to be.
        let is_as_declared = self.language(id.module) == Language::Rust || !self.shape(id).is_bound(index);
        if is_as_declared && !declared.is_unknown() {
            return if declared.has_gaps() { self.filled(id, index, declared, (block, step)) } else { declared };
        }
        let parameter = function.parameters.iter().position(|parameter| parameter.variable == index);
        let reaching = self.reaching(id, index, block, step);
        let mut types: Vec<Type> =
            reaching.values.iter().map(|value| self.bound_type(id, variable, *value, &declared)).collect();
        if reaching.from_entry || (types.is_empty() && parameter.is_some()) {
            if let Some(at) = parameter {
                types.push(self.parameter_type(id, at));
            } else if let Some(outer) = variable.captures {
                types.push(self.captured_type(id, outer));
            }
        }
        // In Rust it is of one type, whichever of its values says so: `builder = builder.header(key);` in a loop does not.
        if self.language(id.module) == Language::Rust && types.iter().any(|one| !one.is_unknown()) {
            types.retain(|one| !one.is_unknown());
        }
        match Type::union(types) {
            Type::Unknown | Type::None if !declared.is_unknown() => declared,
            found if found.has_gaps() => self.put_in(id, index, found),
            found => found,
        }
    }

    /// What `Vec<_>` leaves open is said by what the variable is given.
    fn filled(&self, id: FunctionId, index: VariableIndex, open: Type, (block, step): (BlockIndex, u32)) -> Type {
        let given = self.reaching(id, index, block, step).values;
        let mut given = given.into_iter().map(|value| self.value_type(id, value));
        given.find(|given| given.fills(&open)).unwrap_or_else(|| self.put_in(id, index, open))
    }

    /// What a collection leaves open is said by what the function puts into it: `handles.push(thread::spawn(work))`.
    fn put_in(&self, id: FunctionId, index: VariableIndex, open: Type) -> Type {
        let Some(instance) = open.instance().filter(|_| self.language(id.module) == Language::Rust) else {
            return open;
        };
        let function = self.function(id);
        let tables = self.tables(Language::Rust);
        let mut arguments = instance.arguments.clone();
        for value in self.shape(id).given_to(index) {
            let Some(call) = function.call(value) else { continue };
            let Callee::Method(_, method) = &call.callee else { continue };
            let Some(signature) = tables.signature(&format!("{}::{method}", instance.name)) else { continue };
            if signature.fills.is_empty() {
                continue;
            }
            let given: Vec<Type> = call.arguments.iter().map(|given| self.value_type(id, given.value)).collect();
            let call = Substitution { receiver: None, arguments: &given };
            let told = signature.fills.iter().map(|term| self.catalogue_term(term, &call));
            for (open, told) in arguments.iter_mut().zip(told).filter(|(open, _)| open.is_unknown()) {
                *open = told;
            }
            if !arguments.iter().any(Type::is_unknown) {
                break;
            }
        }
        Type::external_instance(&*instance.name, arguments)
    }

    /// The type that a variable has once it is given a value: the value's own, or what is written where that says more.
    fn bound_type(&self, id: FunctionId, variable: &Variable, value: ValueIndex, declared: &Type) -> Type {
        let own = self.value_type(id, value);
        let beside = variable.annotated.iter().find(|(annotated, _)| *annotated == value);
        let written = match beside.map(|(_, term)| self.term_type(id, term)) {
            Some(written) if !written.is_unknown() => written,
            _ => declared.clone(),
        };
        if written.is_unknown() || self.is_telling(id, &own) { own } else { written }
    }

    /// Whether a type is more than the path of an unknown function that gave it.
    pub(super) fn is_telling(&self, id: FunctionId, of: &Type) -> bool {
        match of {
            Type::Unknown | Type::None | Type::External(_) => false,
            Type::Union(parts) => parts.iter().all(|part| self.is_telling(id, part)),
            Type::Instance(instance) if instance.definition.is_none() => {
                let tables = self.tables(self.language(id.module));
                let last = instance.name.rsplit('.').next().unwrap_or_default();
                last.starts_with(char::is_uppercase)
                    || tables.is_builtin(&instance.name)
                    || tables.describes(&instance.name)
            }
            _ => true,
        }
    }

    /// The type that a variable was tested for on the only way here: `if isinstance(x, Path):`.
    fn tested_type(&self, id: FunctionId, place: &Place, mut block: BlockIndex, step: u32) -> Option<Type> {
        let variable = place.as_variable().filter(|_| self.language(id.module) == Language::Python)?;
        let function = self.function(id);
        let shape = self.shape(id);
        let mut before = step;
        for _ in 0..FARTHEST_TEST {
            if shape.last_bind(variable, block, before).is_some() {
                return None;
            }
            before = u32::MAX;
            let mut from = shape.predecessors(block).iter().filter(|former| shape.is_reachable(**former));
            let (Some(&former), None) = (from.next(), from.next()) else { return None };
            if let Next::Branch(Some(on), targets) = &function.blocks[former.at()].next
                && targets.first() == Some(&block)
                && !targets[1..].contains(&block)
                && let Some(tested) = self.test_of(id, variable, *on)
            {
                return Some(tested);
            }
            block = former;
        }
        None
    }

    /// The type that a variable has where a condition holds.
    fn test_of(&self, id: FunctionId, variable: VariableIndex, on: ValueIndex) -> Option<Type> {
        let function = self.function(id);
        let [subject, class] = &function.call(on)?.arguments[..] else { return None };
        let ValueKind::Place(place) = &function.value(subject.value).kind else { return None };
        if place.as_variable() != Some(variable) {
            return None;
        }
        let resolution = self.resolution(id, on);
        if !self.tables(Language::Python).narrows(resolution.external()?) {
            return None;
        }
        let instance = |class: &Type| match class {
            Type::Class(of) => self.instance_of(*of),
            Type::External(name) => Type::external_instance(&**name, Vec::new()),
            _ => Type::Unknown,
        };
        let tested = match self.value_type(id, class.value) {
            Type::Tuple(classes) => Type::union(classes.iter().map(instance)),
            class => instance(&class),
        };
        (!tested.is_unknown()).then_some(tested)
    }

    /// A captured variable's type: one of everything that the enclosing function gives it.
    fn captured_type(&self, id: FunctionId, outer: VariableIndex) -> Type {
        let Some(parent) = self.function(id).parent else { return Type::Unknown };
        let parent = FunctionId { module: id.module, index: parent };
        self.deeper(Type::Unknown, || self.any_type_of(parent, outer))
    }

    /// One of everything that a function gives a variable anywhere.
    fn any_type_of(&self, id: FunctionId, index: VariableIndex) -> Type {
        let function = self.function(id);
        let Some(variable) = function.variables.get(index.at()) else { return Type::Unknown };
        if let Some(annotation) = &variable.annotation {
            let written = self.term_type(id, annotation);
            if !written.is_unknown() {
                return written;
            }
        }
        let bound: Vec<ValueIndex> = self.shape(id).binds(index).collect();
        let mut types: Vec<Type> = bound.into_iter().map(|value| self.value_type(id, value)).collect();
        if let Some(at) = function.parameters.iter().position(|parameter| parameter.variable == index) {
            types.push(self.parameter_type(id, at));
        } else if let (true, Some(outer)) = (types.is_empty(), variable.captures) {
            types.push(self.captured_type(id, outer));
        }
        Type::union(types)
    }

    /// The type of a parameter.
    pub fn parameter_type(&self, id: FunctionId, at: usize) -> Type {
        let function = self.function(id);
        let Some(parameter) = function.parameters.get(at) else { return Type::Unknown };
        if matches!(parameter.kind, ParameterKind::SelfReference | ParameterKind::SelfValue) {
            let owner = self.owner_type(id);
            return match (function.kind, owner) {
                (FunctionKind::ClassMethod, Type::Instance(instance)) => {
                    instance.definition.map_or(Type::Unknown, Type::Class)
                }
                (_, owner) => owner,
            };
        }
        if !matches!(parameter.kind, ParameterKind::Positional | ParameterKind::Named) {
            return Type::Unknown;
        }
        if let Some(annotation) = &parameter.annotation {
            let written = self.term_type(id, annotation);
            if !written.is_unknown() || self.language(id.module) == Language::Rust {
                return written;
            }
        }
        match parameter.default {
            Some(default) => {
                let of = FunctionId { module: id.module, index: default.function };
                match self.value_type(of, default.value) {
                    Type::None => Type::Unknown,
                    known => known,
                }
            }
            None => self.deeper(Type::Unknown, || match self.closure_parameter(id, at) {
                Type::Unknown => self.constructor_parameter(id, at),
                known => known,
            }),
        }
    }
}

/// The definitions of a variable that reach a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reaching {
    /// The values bound.
    pub values: Vec<ValueIndex>,
    /// Whether the function's entry reaches it too: what a parameter or captured variable came with.
    pub from_entry: bool,
}
