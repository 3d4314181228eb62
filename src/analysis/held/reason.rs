//! Where a guard ends and why, in one sentence for the reviewer.

use super::{Held, HeldBy};
use crate::analysis::{FunctionId, Program};
use crate::flow::{Ending, Function, Owner, StepKind, ValueKind, VariableIndex};
use crate::lower::Edition;

impl Program<'_> {
    /// Why a lock is still held, in one sentence for the reviewer; empty when there is nothing to explain.
    pub fn held_because(&self, id: FunctionId, held: &Held) -> String {
        let function = self.function(id);
        match held.by {
            HeldBy::Guard(Owner::Variable(variable)) => kept_in(&function, variable),
            HeldBy::Guard(owner) => {
                let ending = function.steps().find_map(|(_, _, step)| match &step.kind {
                    StepKind::Drop(owners, ending) if owners.contains(&owner) => Some(*ending),
                    _ => None,
                });
                ending.map_or_else(String::new, |ending| self.kept_by(id, ending))
            }
            HeldBy::Decorator => "a decorator holds it around the whole function".to_owned(),
            HeldBy::Loop(_) => "the generator holds it while the loop is in a turn".to_owned(),
            HeldBy::Block(_) | HeldBy::Manual => String::new(),
        }
    }

    /// Why a temporary lives on.
    fn kept_by(&self, id: FunctionId, ending: Ending) -> String {
        let package = self.package_of(&self.module(id.module).path);
        let edition = package.as_ref().map_or_else(Edition::default, |package| package.edition);
        let assumed = match package.is_some_and(|package| package.is_edition_known) {
            true => "",
            false => "; the edition is not written down, that of 2021 is assumed",
        };
        match (ending, edition) {
            (Ending::IfLet, Edition::From2024) => {
                "its guard is a temporary of the `if let` and lives to the end of its body".to_owned()
            }
            (Ending::IfLet, Edition::Until2021) => {
                format!("its guard is a temporary of the `if let` and lives to its end, the `else` included{assumed}")
            }
            (Ending::Tail, Edition::Until2021) => format!(
                "its guard is a temporary of a block's last expression and lives to the end of the statement around \
                 the block{assumed}"
            ),
            (Ending::WhileLet, _) => {
                "its guard is a temporary of the `while let` and lives to the end of each turn".to_owned()
            }
            (Ending::Match, _) => "its guard is a temporary of the `match` and lives to its end".to_owned(),
            (Ending::For, _) => "its guard is a temporary of the `for` and lives to the end of the loop".to_owned(),
            (Ending::Scope, _) => "its guard is a temporary that a `let` keeps to the end of the block".to_owned(),
            (Ending::Statement, _) | (Ending::Tail, Edition::From2024) => {
                "its guard is a temporary and lives to the end of the statement".to_owned()
            }
            (Ending::Condition | Ending::Explicit | Ending::Reassigned, _) => String::new(),
        }
    }
}

/// Why a variable's guard lives on.
fn kept_in(function: &Function, variable: VariableIndex) -> String {
    let own = function.variable(variable);
    let name = &own.name;
    if name.is_empty() {
        return String::new();
    }
    let carries = function.steps().any(|(_, _, step)| {
        matches!(step.kind, StepKind::Bind(to, value)
            if to == variable && matches!(function.value(value).kind, ValueKind::Function(_)))
    });
    if carries {
        return format!("its guard was moved into `{name}` and lives as long as that");
    }
    if function.parameters.iter().any(|parameter| parameter.variable == variable) {
        return format!("its guard `{name}` is a parameter and lives to the end of the function");
    }
    let is_dropped = function.steps().any(|(_, _, step)| {
        matches!(&step.kind, StepKind::Drop(owners, Ending::Explicit) if owners.contains(&Owner::Variable(variable)))
    });
    if is_dropped {
        return format!("its guard `{name}` lives until it is dropped, and otherwise to the end of its block");
    }
    let is_hidden = function.variables.iter().any(|other| other.name == *name && other.span.start > own.span.start);
    if is_hidden {
        return format!("its guard `{name}` lives to the end of its block, also where another `{name}` hides it");
    }
    format!("its guard `{name}` lives to the end of its block")
}
