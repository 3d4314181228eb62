//! What type a variable has where it is read.

use super::Type;
use crate::analysis::{FunctionId, Program};
use crate::flow::{BlockIndex, Field, FunctionKind, ParameterKind, Place, Root, ValueIndex, VariableIndex};

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
                Field::Index => self.element_type(&of),
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
        if let Some(annotation) = &variable.annotation {
            let written = self.term_type(id, annotation);
            if !written.is_unknown() {
                return written;
            }
        }
        let parameter = function.parameters.iter().position(|parameter| parameter.variable == index);
        let reaching = self.reaching(id, index, block, step);
        let mut types: Vec<Type> = reaching.values.iter().map(|value| self.value_type(id, *value)).collect();
        if reaching.from_entry || (types.is_empty() && parameter.is_some()) {
            if let Some(at) = parameter {
                types.push(self.parameter_type(id, at));
            } else if let Some(outer) = variable.captures {
                types.push(self.captured_type(id, outer));
            }
        }
        Type::union(types)
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
            return self.term_type(id, annotation);
        }
        match parameter.default {
            Some(default) => {
                let of = FunctionId { module: id.module, index: default.function };
                match self.value_type(of, default.value) {
                    Type::None => Type::Unknown,
                    known => known,
                }
            }
            None => Type::Unknown,
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
