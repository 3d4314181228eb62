//! Places, values and calls in the user's own words, for messages and evidence.

use super::{FunctionId, Program};
use crate::flow::{Callee, Field, Place, Root, ValueIndex, ValueKind};

/// How many steps of `a.b().c()…` are told.
const LONGEST_CHAIN: u32 = 64;

impl Program<'_> {
    /// A place in the user's own words.
    pub fn place_text(&self, id: FunctionId, place: &Place) -> String {
        let function = self.function(id);
        let mut text = match &place.root {
            Root::Variable(variable) => function.variable(*variable).name.clone(),
            Root::Global(path) => path.join(self.language(id.module).separator()),
        };
        for field in &place.fields {
            match field {
                Field::Name(name) => {
                    text.push('.');
                    text.push_str(name);
                }
                Field::Index => text.push_str("[…]"),
            }
        }
        text
    }

    /// A value in the user's own words: a place as it is written, a call by its name.
    /// Of a chain longer than anybody reads only the end is told.
    pub fn value_text(&self, id: FunctionId, index: ValueIndex) -> String {
        self.text_within(id, index, LONGEST_CHAIN)
    }

    fn text_within(&self, id: FunctionId, index: ValueIndex, left: u32) -> String {
        let Some(left) = left.checked_sub(1) else { return "…".to_owned() };
        let function = self.function(id);
        match &function.value(index).kind {
            ValueKind::Place(place) => self.place_text(id, place),
            ValueKind::Path(segments, _) => segments.join("::"),
            ValueKind::Field(of, name) => format!("{}.{name}", self.text_within(id, *of, left)),
            ValueKind::Index(of) => format!("{}[…]", self.text_within(id, *of, left)),
            ValueKind::Awaited(of)
            | ValueKind::Try(of)
            | ValueKind::Reference(of)
            | ValueKind::Dereference(of)
            | ValueKind::Cast(of, _)
            | ValueKind::Entered(of)
            | ValueKind::Element(of) => self.text_within(id, *of, left),
            ValueKind::Call(call) => match &call.callee {
                Callee::Path(path) => format!("{}()", path.join(self.language(id.module).separator())),
                Callee::Method(receiver, name) => format!("{}.{name}()", self.text_within(id, *receiver, left)),
                Callee::Value(of) => format!("{}()", self.text_within(id, *of, left)),
                Callee::Super(name) => format!("super().{name}()"),
                Callee::Macro(path) => format!("{}!", path.join("::")),
            },
            _ => "it".to_owned(),
        }
    }

    /// What a call calls, in the user's own words, without its parentheses.
    pub fn callee_text(&self, id: FunctionId, call: ValueIndex) -> String {
        let text = self.value_text(id, call);
        text.strip_suffix("()").map_or(text.clone(), str::to_owned)
    }
}
