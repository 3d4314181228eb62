//! Answers that were found before, by what they are about.
//!
//! Functions and values are numbered without gaps, and most of those of a file that is asked about at all are asked
//! about, so that answers stand in plain rows: nothing is hashed, and what is asked of one function stands together.

use super::{FunctionId, ModuleId};
use crate::flow::{FunctionIndex, ValueIndex};

/// One answer for each function.
#[derive(Debug)]
pub(super) struct ByFunction<T> {
    /// By module, then by function.
    rows: Vec<Vec<Option<T>>>,
}

impl<T> Default for ByFunction<T> {
    fn default() -> Self {
        Self { rows: Vec::new() }
    }
}

impl<T> ByFunction<T> {
    pub(super) fn get(&self, id: &FunctionId) -> Option<&T> {
        self.rows.get(id.module.0 as usize)?.get(id.index.at())?.as_ref()
    }

    pub(super) fn insert(&mut self, id: FunctionId, answer: T) {
        *self.slot(id) = Some(answer);
    }

    /// The answer, or this one from now on.
    pub(super) fn get_or_insert(&mut self, id: FunctionId, answer: T) -> &T {
        self.slot(id).get_or_insert(answer)
    }

    /// The answers, in the order of functions.
    pub(super) fn iter(&self) -> impl Iterator<Item = (FunctionId, &T)> {
        self.rows.iter().zip(0..).flat_map(|(row, module)| {
            let id = move |index| FunctionId { module: ModuleId(module), index: FunctionIndex(index) };
            row.iter().zip(0..).filter_map(move |(answer, index)| Some((id(index), answer.as_ref()?)))
        })
    }

    fn slot(&mut self, id: FunctionId) -> &mut Option<T> {
        at(at(&mut self.rows, id.module.0 as usize), id.index.at())
    }
}

impl<T> Extend<(FunctionId, T)> for ByFunction<T> {
    fn extend<I: IntoIterator<Item = (FunctionId, T)>>(&mut self, answers: I) {
        answers.into_iter().for_each(|(id, answer)| self.insert(id, answer));
    }
}

/// One answer for each value of each function.
#[derive(Debug)]
pub(super) struct ByValue<T> {
    rows: ByFunction<Vec<Option<T>>>,
}

impl<T> Default for ByValue<T> {
    fn default() -> Self {
        Self { rows: ByFunction::default() }
    }
}

impl<T> ByValue<T> {
    pub(super) fn get(&self, (id, value): &(FunctionId, ValueIndex)) -> Option<&T> {
        self.rows.get(id)?.get(value.at())?.as_ref()
    }

    pub(super) fn insert(&mut self, (id, value): (FunctionId, ValueIndex), answer: T) {
        *at(self.rows.slot(id).get_or_insert_default(), value.at()) = Some(answer);
    }
}

/// A place in a row that is made long enough.
fn at<T: Default>(row: &mut Vec<T>, place: usize) -> &mut T {
    if row.len() <= place {
        row.resize_with(place + 1, T::default);
    }
    &mut row[place]
}
