//! What a caller can notice of a function, so that two sides can be compared.
//!
//! An [`Imprint`] holds what calling a function does and how it is called, without the way there: a helper that blocks
//! in another of its lines leaves the same imprint, one that begins to block does not. It names nothing by an id of one
//! program, so imprints of the two sides are compared as they are.

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use super::locks::{Lock, LockRoot};
use super::makes::Makes;
use super::{FunctionId, ModuleId, Program};
use crate::catalogue::Stake;
use crate::flow::{Colour, FunctionIndex, FunctionKind, ParameterKind, TypeTerm, ValueKind};

/// What a caller can notice of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imprint {
    colour: Colour,
    kind: FunctionKind,
    /// Name, kind and whether there is a default.
    parameters: Vec<(String, ParameterKind, bool)>,
    returns: Option<TypeTerm>,
    decorators: Vec<String>,
    makes: Option<Makes>,
    /// The longest wait, of a function that is not asynchronous.
    blocks: Option<Stake>,
    takes: BTreeSet<String>,
    /// Locks that its caller holds afterwards, or while it is suspended.
    leaves: BTreeSet<String>,
    may_suspend: bool,
}

impl Imprint {
    /// Whether calling it does nothing that concurrent code could mind.
    pub fn is_quiet(&self) -> bool {
        self.colour == Colour::Plain
            && self.makes.is_none()
            && self.blocks.is_none()
            && self.takes.is_empty()
            && self.leaves.is_empty()
    }
}

impl Program<'_> {
    /// What a caller can notice of a function.
    pub fn imprint(&self, id: FunctionId) -> Imprint {
        let function = self.function(id);
        let summary = self.summary(id);
        let facts = self.facts(id);
        let parameters = function.parameters.iter().map(|parameter| {
            let name = function.variable(parameter.variable).name.clone();
            (name, parameter.kind, parameter.default.is_some())
        });
        let felt = summary.blocks.iter().map(|blocks| blocks.entry.stake).filter(|stake| *stake != Stake::Micro);
        // What an asynchronous function blocks is its own fault: whoever awaits it is not told of it.
        let blocks = if function.is_async() { None } else { felt.max() };
        let left = facts.returned.iter().chain(&facts.yielded).chain(&facts.kept);
        Imprint {
            colour: function.colour,
            kind: function.kind,
            parameters: parameters.collect(),
            returns: function.returns.clone(),
            decorators: function.decorators.iter().map(|decorator| decorator.path.join(".")).collect(),
            makes: self.function_makes(id, 1),
            blocks,
            takes: summary
                .takes
                .iter()
                .filter_map(|takes| Some(format!("{} {:?}", noticed(&takes.lock)?, takes.waits)))
                .collect(),
            leaves: left.filter_map(|lock| noticed(lock)).collect(),
            may_suspend: function.is_async() && summary.may_suspend,
        }
    }

    /// The functions of a file that lead to one of these where one of the given bytes stands, by a call, an implicit
    /// run or as a value, or take the place of one in a class or `impl` of their own, with the functions around them.
    pub fn leading_to(
        &self,
        module: ModuleId,
        changed: &FxHashSet<FunctionId>,
        offsets: &[u32],
    ) -> BTreeSet<FunctionIndex> {
        let file = self.module(module);
        if file.functions.is_empty() {
            return BTreeSet::new();
        }
        let mut found = BTreeSet::new();
        let mut seen = FxHashSet::default();
        for &offset in offsets {
            let index = file.function_at(offset);
            if found.contains(&index) {
                continue;
            }
            let id = FunctionId { module, index };
            let takes_its_place = || {
                let is_named = file.function(index).header.has(offset);
                is_named && self.overridden(id).is_some_and(|method| changed.contains(&method))
            };
            // What runs implicitly has no value of its own, and is looked for once in a function. The whole function has to
            // be followed for it, so it comes last.
            let mut implicit = || seen.insert(index) && self.runs_one_of(id, changed);
            if !self.names_one_of(id, changed, offset) && !takes_its_place() && !implicit() {
                continue;
            }
            let mut around = Some(index);
            while let Some(index) = around {
                found.insert(index);
                around = file.function(index).parent.filter(|parent| *parent != FunctionIndex(0));
            }
        }
        found
    }

    fn runs_one_of(&self, id: FunctionId, changed: &FxHashSet<FunctionId>) -> bool {
        self.facts(id).events.iter().any(|event| {
            self.in_place(id, event).iter().any(|runs| runs.candidates.iter().any(|callee| changed.contains(callee)))
        })
    }

    /// Whether a value at a byte is one of these functions, or a call that may mean one.
    fn names_one_of(&self, id: FunctionId, changed: &FxHashSet<FunctionId>, offset: u32) -> bool {
        let function = self.function(id);
        let at = |index: usize| super::ValueIndex(index as u32);
        function.values.iter().enumerate().filter(|(_, value)| value.span.has(offset)).any(|(index, value)| {
            match &value.kind {
                ValueKind::Call(_) => {
                    let resolution = self.resolution(id, at(index));
                    resolution.targets.iter().filter_map(|target| target.function()).any(|one| changed.contains(&one))
                }
                ValueKind::Place(_) | ValueKind::Path(..) | ValueKind::Field(..) => {
                    matches!(self.value_type(id, at(index)), super::types::Type::Function(one) if changed.contains(&one))
                }
                _ => false,
            }
        })
    }
}

/// A lock as callers know it; `None` for one that lives in the function alone.
fn noticed(lock: &Lock) -> Option<String> {
    let root = match &lock.place.root {
        LockRoot::Local(..) => return None,
        LockRoot::Parameter(at) => format!("parameter {at}"),
        LockRoot::Static(name) => name.clone(),
        LockRoot::Unknown => lock.place.class.clone()?,
    };
    let fields = lock.place.fields.join(".");
    Some(format!("{root} {fields} {:?} {:?} {:?} {}", lock.kind, lock.flavour, lock.mode, lock.is_reentrant))
}
