//! Places: what can be read, written and held.

use super::VariableIndex;

/// A root and up to three fields below it. What lies deeper is cut and [`Place::is_cut`] says so: two cut places are
/// never the same for certain.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Where it starts.
    pub root: Root,
    /// The way down.
    pub fields: Vec<Field>,
    /// Whether fields were cut off.
    pub is_cut: bool,
}

/// Where a place starts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Root {
    /// A local variable, a parameter, `self`, a captured variable (see [`super::Variable::captures`]).
    Variable(VariableIndex),
    /// A name of the module or of its imports, unresolved: Python globals, Rust statics by path.
    Global(Vec<String>),
}

/// One step down.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// A named field or attribute; `0`, `1` in tuples.
    Name(String),
    /// An element by index or key. Two are never the same for certain.
    Index,
}

/// How many fields a place keeps.
pub const MOST_FIELDS: usize = 3;

impl Place {
    /// A variable.
    pub fn variable(variable: VariableIndex) -> Self {
        Self { root: Root::Variable(variable), fields: Vec::new(), is_cut: false }
    }

    /// A module-level name.
    pub fn global(name: impl Into<String>) -> Self {
        Self { root: Root::Global(vec![name.into()]), fields: Vec::new(), is_cut: false }
    }

    /// The place one step further down.
    pub fn then(&self, field: Field) -> Self {
        let is_cut = self.is_cut || self.fields.len() >= MOST_FIELDS;
        // Room for what is there and no more: a file has thousands of places, and they are kept.
        let mut fields = Vec::with_capacity(self.fields.len() + usize::from(!is_cut));
        fields.extend_from_slice(&self.fields);
        if !is_cut {
            fields.push(field);
        }
        Self { root: self.root.clone(), fields, is_cut }
    }

    /// The variable, if the place is one as a whole.
    pub fn as_variable(&self) -> Option<VariableIndex> {
        match &self.root {
            Root::Variable(variable) if self.fields.is_empty() && !self.is_cut => Some(*variable),
            Root::Variable(_) | Root::Global(_) => None,
        }
    }

    /// The name that it ends in, if it ends in one.
    pub fn last_name(&self) -> Option<&str> {
        match (self.fields.last(), &self.root) {
            (Some(Field::Name(name)), _) => Some(name),
            (None, Root::Global(path)) => path.last().map(String::as_str),
            (Some(Field::Index), _) | (None, Root::Variable(_)) => None,
        }
    }

    /// Whether an element by index or key lies on the way, or something was cut.
    pub fn is_inexact(&self) -> bool {
        self.is_cut || self.fields.contains(&Field::Index)
    }
}
