//! What operators wait for: a loop over a cursor, `list(rows)`, `if rows:`.
//!
//! No call of a blocking function is written there; which method runs follows from the operator, and whether that
//! blocks from the type that it meets.

use super::types::Type;
use super::{FunctionId, Program};
use crate::catalogue::Blocking;
use crate::flow::{BlockIndex, LoopKind, Next, ValueIndex, ValueKind};
use crate::text::{Language, Span};

/// The methods behind a loop.
const LOOP: &[&str] = &["__iter__", "__next__"];

/// The method behind a loop in Rust.
const RUST_LOOP: &[&str] = &["into_iter"];

/// The method behind a condition.
const CONDITION: &[&str] = &["__bool__"];

/// An operator that keeps its thread waiting.
#[derive(Clone, Debug)]
pub struct Waiting<'a> {
    /// The catalogue's entry for the method behind it.
    pub entry: &'a Blocking,
    /// The operator with what it works on, in the user's own words: `for … in rows`.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// In which block.
    pub block: BlockIndex,
    /// Whether it waits again and again.
    pub is_repeated: bool,
}

impl<'a> Program<'a> {
    /// The operators of a function that keep its thread waiting.
    pub fn waiting_operators(&self, id: FunctionId) -> Vec<Waiting<'a>> {
        let mut found = Vec::new();
        let language = self.language(id.module);
        let methods = if language == Language::Rust { RUST_LOOP } else { LOOP };
        let function = self.function(id);
        let shape = self.shape(id);
        let is_in_loop = |block: BlockIndex| function.blocks[block.at()].in_loop.is_some();
        for around in function.loops.iter().filter(|around| around.kind == LoopKind::For) {
            let Some(over) = around.over.filter(|_| shape.is_reachable(around.header)) else { continue };
            let Some(entry) = self.behind(id, over, methods) else { continue };
            let name = format!("for … in {}", self.value_text(id, over));
            let (span, block) = (function.value(over).span, around.header);
            found.push(Waiting { entry, name, span, block, is_repeated: true });
        }
        // Nothing but a loop calls a method unwritten in Rust.
        if language == Language::Rust {
            return found;
        }
        for (at, block) in function.blocks.iter().enumerate() {
            let Next::Branch(Some(on), _) = block.next else { continue };
            let at = BlockIndex(at as u32);
            if !shape.is_reachable(at) {
                continue;
            }
            let Some(entry) = self.behind(id, on, CONDITION) else { continue };
            let name = format!("if {}", self.value_text(id, on));
            let span = function.value(on).span;
            found.push(Waiting { entry, name, span, block: at, is_repeated: is_in_loop(at) });
        }
        let tables = self.tables(Language::Python);
        for (at, value) in function.values.iter().enumerate() {
            let ValueKind::Call(call) = &value.kind else { continue };
            let Some(argument) = call.arguments.first().filter(|_| shape.is_reachable(value.block)) else { continue };
            let index = ValueIndex(at as u32);
            let resolution = self.resolution(id, index);
            let Some(method) = resolution.external().and_then(|name| tables.applies(name)) else { continue };
            let Some(entry) = self.behind(id, argument.value, &[method]) else { continue };
            let name = format!("{}({})", self.callee_text(id, index), self.value_text(id, argument.value));
            let is_repeated = is_in_loop(value.block);
            found.push(Waiting { entry, name, span: value.span, block: value.block, is_repeated });
        }
        found
    }

    /// The entry of the first of these methods, if whatever the value may be has it and blocks in it.
    fn behind(&self, id: FunctionId, value: ValueIndex, methods: &[&str]) -> Option<&'a Blocking> {
        let language = self.language(id.module);
        let tables = self.tables(language);
        let of = self.value_type(id, value);
        let mut first = None;
        for part in of.alternatives() {
            let Type::Instance(instance) = part else { return None };
            if instance.definition.is_some() {
                return None;
            }
            let entry = methods
                .iter()
                .find_map(|method| tables.blocking(&[&*instance.name, *method].join(language.separator())))?;
            // Every call below a library's client blocks; what such a call gave does not.
            if entry.name.ends_with('*') {
                return None;
            }
            first = first.or(Some(entry));
        }
        first
    }
}
