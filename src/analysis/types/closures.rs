//! What a closure's parameters are whose types nobody wrote: what the call says that is handed the closure.

use super::{Substitution, Type};
use crate::analysis::calls::Target;
use crate::analysis::{FunctionId, Program};
use crate::flow::{FunctionKind, TypeTerm};
use crate::text::Language;

impl Program<'_> {
    /// The type of a closure's parameter, by the call that it is an argument of.
    pub(super) fn closure_parameter(&self, id: FunctionId, at: usize) -> Type {
        let function = self.function(id);
        let Some(parent) = function.parent.filter(|_| function.kind == FunctionKind::Closure) else {
            return Type::Unknown;
        };
        let around = FunctionId { module: id.module, index: parent };
        if self.language(id.module) != Language::Rust {
            return Type::Unknown;
        }
        let Some((call, position)) = self.shape(around).handed_to(id.index) else { return Type::Unknown };
        let resolution = self.resolution(around, call);
        match &resolution.targets[..] {
            [Target::External(name)] => {
                let signature = self.tables(Language::Rust).signature(name);
                let Some(term) = signature.and_then(|signature| signature.closure.get(at)) else {
                    return Type::Unknown;
                };
                let receiver = resolution.receiver.as_ref().map(|of| self.receiver_at(of, name));
                self.catalogue_term(term, &Substitution { receiver: receiver.as_ref(), arguments: &[] })
            }
            [Target::Function(callee)] => {
                let parameter = position + usize::from(resolution.binds_receiver);
                self.handed_by(*callee, parameter, at)
            }
            _ => Type::Unknown,
        }
    }

    /// What a project function hands to the callable that it is given: `impl FnOnce(&mut State)`, `F: Fn(Row)`.
    fn handed_by(&self, callee: FunctionId, parameter: usize, at: usize) -> Type {
        let function = self.function(callee);
        let written = function.parameters.get(parameter).and_then(|parameter| parameter.annotation.as_ref());
        let bounds = match written {
            Some(TypeTerm::Path { segments, .. }) => {
                let generic = function.generics.iter().find(|generic| [generic.name.as_str()] == segments[..]);
                generic.map_or(&[][..], |generic| &generic.bounds[..])
            }
            Some(TypeTerm::Bounds(bounds)) => &bounds[..],
            Some(TypeTerm::Reference(of)) => match &**of {
                TypeTerm::Bounds(bounds) => &bounds[..],
                _ => &[],
            },
            Some(of @ TypeTerm::Function(..)) => std::slice::from_ref(of),
            _ => &[],
        };
        let handed = bounds.iter().find_map(|bound| match bound {
            TypeTerm::Function(takes, _) => takes.get(at),
            _ => None,
        });
        handed.map_or(Type::Unknown, |term| self.term_type(callee, term))
    }
}
