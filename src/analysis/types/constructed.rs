//! What a constructor is given whose parameters have no types (Python).

use super::Type;
use crate::analysis::calls::Target;
use crate::analysis::{FunctionId, Program};
use crate::flow::{Callee, ParameterKind, ValueIndex, ValueKind};
use crate::text::Language;

/// How many calls that make the object are looked at.
const MOST_CALLS: usize = 8;

impl Program<'_> {
    /// What the file of a class gives a parameter of its constructor wherever it makes one, if that is always the same
    /// class of the project: `Transaction(self)`.
    pub(super) fn constructor_parameter(&self, id: FunctionId, at: usize) -> Type {
        let function = self.function(id);
        if function.name != "__init__" || self.language(id.module) != Language::Python {
            return Type::Unknown;
        }
        if !matches!(function.parameters[at].kind, ParameterKind::Positional | ParameterKind::Named) {
            return Type::Unknown;
        }
        let Some(owner) = self.self_type(id) else { return Type::Unknown };
        let class = &self.type_def(owner).name;
        let mut found = Vec::new();
        for (index, body) in self.module(id.module).functions() {
            let by = FunctionId { module: id.module, index };
            for (number, value) in (0..).map(ValueIndex).zip(&body.values) {
                let ValueKind::Call(call) = &value.kind else { continue };
                let is_named = match &call.callee {
                    Callee::Path(path) => path.last() == Some(class),
                    _ => false,
                };
                if !is_named || self.resolution(by, number).targets[..] != [Target::Construct(owner, Some(id))] {
                    continue;
                }
                if found.len() == MOST_CALLS {
                    return Type::Unknown;
                }
                let Some(given) = self.argument_for(by, number, id, at as u32) else { return Type::Unknown };
                found.push(self.value_type(by, given));
            }
        }
        let is_of_the_project = |of: &Type| of.instance().is_some_and(|instance| instance.definition.is_some());
        match found.split_first() {
            Some((first, others)) if is_of_the_project(first) && others.iter().all(|other| other == first) => {
                first.clone()
            }
            _ => Type::Unknown,
        }
    }
}
