//! Which functions of a file hold a name.
//!
//! Most questions about a whole file are about one function or one piece of state of it: who calls `refresh`, who
//! touches `self._rows`. Only functions in which the name stands can answer, so nothing else of the file is resolved.

use std::hash::BuildHasher;
use std::sync::Arc;

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::{FunctionId, ModuleId, Program};
use crate::flow::{
    Callee, Field, Function, FunctionIndex, FunctionKind, Module, Place, Root, StepKind, ValueKind, is_special,
};

/// The functions of a file by the names that stand in them.
#[derive(Debug, Default)]
pub struct Mentions {
    /// By the hash of the name: what two names share is looked at in vain, and harms nobody.
    by_name: FxHashMap<u64, Vec<FunctionIndex>>,
}

impl Mentions {
    fn of_module(file: &Module) -> Self {
        let mut all = Self::default();
        for (index, function) in file.functions() {
            names(function, &mut |name| all.add(name, index));
        }
        all
    }

    fn add(&mut self, name: &str, by: FunctionIndex) {
        let known = self.by_name.entry(FxBuildHasher.hash_one(name)).or_default();
        if known.last() != Some(&by) {
            known.push(by);
        }
    }

    /// The functions that hold a name, in order.
    pub fn of(&self, name: &str) -> &[FunctionIndex] {
        self.by_name.get(&FxBuildHasher.hash_one(name)).map_or(&[], Vec::as_slice)
    }
}

/// The names in a function's body by which functions and state are known.
fn names(function: &Function, add: &mut impl FnMut(&str)) {
    let of_place = |place: &Place, add: &mut dyn FnMut(&str)| {
        match &place.root {
            Root::Variable(variable) => add(&function.variable(*variable).name),
            Root::Global(path) => path.iter().for_each(|name| add(name)),
        }
        for field in &place.fields {
            if let Field::Name(name) = field {
                add(name);
            }
        }
    };
    for value in &function.values {
        match &value.kind {
            ValueKind::Place(place) => of_place(place, add),
            ValueKind::Path(path, _) => path.iter().for_each(|name| add(name)),
            ValueKind::Field(_, name) => add(name),
            ValueKind::Call(call) => match &call.callee {
                Callee::Path(path) | Callee::Macro(path) => path.iter().for_each(|name| add(name)),
                Callee::Method(_, name) | Callee::Super(name) => add(name),
                Callee::Value(_) => {}
            },
            _ => {}
        }
    }
    for (_, _, step) in function.steps() {
        if let StepKind::Read(place) | StepKind::Write(place, ..) = &step.kind {
            of_place(place, add);
        }
    }
}

impl Program<'_> {
    /// The functions of a file by the names that stand in them.
    pub fn mentioned_in(&self, module: ModuleId) -> Arc<Mentions> {
        if let Some(known) = self.named_in.borrow().get(&module) {
            return known.clone();
        }
        let found = Arc::new(Mentions::of_module(&self.module(module)));
        self.named_in.borrow_mut().insert(module, found.clone());
        found
    }

    /// The functions of its file in which a function may be meant, in order.
    pub(super) fn may_mean(&self, id: FunctionId) -> Vec<FunctionIndex> {
        let file = self.module(id.module);
        let function = file.function(id.index);
        let all = || (0..file.functions.len() as u32).map(FunctionIndex).collect();
        match outermost(&file, id.index) {
            // What stands in a function is known there only.
            Some(FunctionIndex(0)) => all(),
            Some(outermost) => {
                file.functions().map(|(index, _)| index).filter(|index| is_within(&file, *index, outermost)).collect()
            }
            // The language calls it, under the name of its type.
            None if is_special(&function.name) => all(),
            None => self.mentioned_in(id.module).of(&function.name).to_vec(),
        }
    }
}

/// The outermost function around one that stands in another.
fn outermost(file: &Module, index: FunctionIndex) -> Option<FunctionIndex> {
    let function = file.function(index);
    let is_nameless =
        matches!(function.kind, FunctionKind::Closure | FunctionKind::AsyncBlock | FunctionKind::GeneratorExpression);
    let mut at = function.parent.filter(|parent| is_nameless || *parent != FunctionIndex(0))?;
    while let Some(parent) = file.function(at).parent.filter(|parent| *parent != FunctionIndex(0)) {
        at = parent;
    }
    Some(at)
}

/// Whether a function is another one or stands in it.
pub(super) fn is_within(file: &Module, index: FunctionIndex, other: FunctionIndex) -> bool {
    let mut at = Some(index);
    while let Some(index) = at {
        if index == other {
            return true;
        }
        at = file.function(index).parent;
    }
    false
}
