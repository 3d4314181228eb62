//! Python: from a syntax tree to flow.
//!
//! One pass over the tree, one `Context` for each function that is being lowered. Names are settled before a body
//! is lowered (`scopes`), since Python decides by the whole body whether a name is local.
//!
//! Imports, classes and module-level functions stay names ([`crate::flow::Root::Global`]), wherever they stand: what
//! they mean is found through [`Module::imports`] and [`Module::types`] with their scopes.

mod classes;
mod comprehensions;
mod expressions;
mod functions;
mod imports;
mod literals;
mod managed;
mod marks;
mod patterns;
mod scopes;
mod statements;
mod targets;
mod types;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::flow::build::Body;
use crate::flow::{
    FunctionIndex, Mark, Module, Place, Quality, Root, StepKind, TypeIndex, ValueIndex, ValueKind, Variable,
    VariableIndex,
};
use crate::syntax::nesting;
use crate::syntax::python::tree::{Cursor, Field, Kind, Tree};
use crate::syntax::python::{Parsed, parse};
use crate::text::{SourceFile, Span};
use scopes::{Bound, Names};

/// Parses and lowers a Python file.
pub fn lower(file: &SourceFile) -> Module {
    match too_deep(file) {
        Some(mark) => unread(file, mark),
        None => lower_parsed(file, parse(file)),
    }
}

fn too_deep(file: &SourceFile) -> Option<Mark> {
    let (line, depth) = nesting::too_deep(&file.text, file.language)?;
    let reason = format!("it nests {depth} levels deep, and no more than {} are read", nesting::LIMIT);
    Some(Mark::TooDeep { span: file.lines.line_span(line), reason })
}

fn unread(file: &SourceFile, mark: Mark) -> Module {
    Module { marks: vec![mark], ..super::empty(file) }
}

fn lower_parsed(file: &SourceFile, parsed: Parsed) -> Module {
    let mut module = super::empty(file);
    module.quality = if parsed.broken.is_empty() { Quality::Whole } else { Quality::InPieces };
    let mut lowering = Lowering::new(&file.text, &parsed.tree, module);
    lowering.module_body();
    lowering.finish(file, parsed.broken)
}

/// How deep expressions may nest without brackets (`not not …`, `lambda: lambda: …`). Brackets are bounded by the
/// nesting scan.
const DEEPEST: u32 = 600;

/// What is lowered so far.
struct Lowering<'t> {
    text: &'t str,
    tree: &'t Tree,
    module: Module,
    /// The functions that are being lowered, innermost last; the first is the module.
    stack: Vec<Context<'t>>,
    /// Statics by name.
    statics: FxHashMap<&'t str, usize>,
    /// Fields by type and name.
    fields: FxHashMap<(TypeIndex, &'t str), usize>,
    depth: u32,
}

/// A function that is being lowered.
struct Context<'t> {
    index: FunctionIndex,
    body: Body,
    names: Names<'t>,
    /// Names bound in its body by `import a` or `class` and by nothing else.
    fixed: FxHashSet<&'t str>,
    /// Variables of the comprehensions around this place, innermost last.
    overlays: Vec<(&'t str, VariableIndex)>,
    /// The class bodies around this place, innermost last.
    classes: Vec<ClassBody<'t>>,
    /// The loops, managed blocks and `finally` around this place, innermost last.
    frames: Vec<managed::Frame>,
    /// `self` or `cls` with its class.
    receiver: Option<Receiver>,
    /// Whether a `yield` was met.
    yields: bool,
    /// Whether it awaits, which makes a generator expression asynchronous.
    awaits: bool,
    is_damaged: bool,
}

/// The first parameter of a method.
#[derive(Clone, Copy)]
struct Receiver {
    variable: VariableIndex,
    class: TypeIndex,
    is_class: bool,
}

/// A class body that is being lowered in the function around it.
struct ClassBody<'t> {
    class: TypeIndex,
    place: Place,
    names: Names<'t>,
}

/// What a name stands for at a place.
enum Named {
    Local(VariableIndex),
    Captured(VariableIndex),
    Place(Place),
}

impl<'t> Context<'t> {
    fn new(index: FunctionIndex) -> Self {
        Self {
            index,
            body: Body::new(),
            names: Names::default(),
            fixed: FxHashSet::default(),
            overlays: Vec::new(),
            classes: Vec::new(),
            frames: Vec::new(),
            receiver: None,
            yields: false,
            awaits: false,
            is_damaged: false,
        }
    }

    fn overlay(&self, name: &str) -> Option<VariableIndex> {
        self.overlays.iter().rev().find(|(known, _)| *known == name).map(|(_, variable)| *variable)
    }
}

impl<'t> Lowering<'t> {
    fn new(text: &'t str, tree: &'t Tree, module: Module) -> Self {
        Self {
            text,
            tree,
            module,
            stack: Vec::new(),
            statics: FxHashMap::default(),
            fields: FxHashMap::default(),
            depth: 0,
        }
    }

    fn cx(&mut self) -> &mut Context<'t> {
        self.stack.last_mut().expect("a function is being lowered: the module's context is pushed first")
    }

    fn body(&mut self) -> &mut Body {
        &mut self.cx().body
    }

    fn node_text(&self, node: Cursor<'t>) -> &'t str {
        node.span().text(self.text)
    }

    fn child_text(&self, node: Cursor<'t>, field: Field) -> &'t str {
        node.child(field).map_or("", |child| self.node_text(child))
    }

    fn value(&mut self, span: Span, kind: ValueKind) -> ValueIndex {
        self.body().value(span, kind)
    }

    fn step(&mut self, span: Span, kind: StepKind) {
        self.body().step(span, kind);
    }

    /// Adds a value that a step of its own produces.
    fn value_with_step(&mut self, span: Span, kind: ValueKind, step: impl Fn(ValueIndex) -> StepKind) -> ValueIndex {
        let value = self.value(span, kind);
        self.step(span, step(value));
        value
    }

    fn fresh_variable(&mut self, name: &str, span: Span) -> VariableIndex {
        self.body().variable(Variable {
            name: name.to_owned(),
            annotation: None,
            annotated: Vec::new(),
            captures: None,
            span,
        })
    }

    /// What a name stands for here.
    fn resolve(&mut self, name: &'t str, span: Span) -> Named {
        let level = self.stack.len() - 1;
        let here = &self.stack[level];
        if let Some(variable) = here.overlay(name) {
            return Named::Local(variable);
        }
        for (depth, class) in here.classes.iter().enumerate().rev() {
            // A class body sees its own names and then those of the functions around it, not of classes around it.
            if depth + 1 < here.classes.len() {
                break;
            }
            match class.names.get(name) {
                Some(Bound::Global) => return Named::Place(Place::global(name)),
                Some(Bound::Local(_)) => {
                    return Named::Place(class.place.then(crate::flow::Field::Name(name.to_owned())));
                }
                Some(Bound::Captured(_) | Bound::Nonlocal) | None => {}
            }
        }
        match here.names.get(name) {
            Some(Bound::Local(variable)) => return Named::Local(*variable),
            Some(Bound::Captured(variable)) => return Named::Captured(*variable),
            Some(Bound::Global) => return Named::Place(Place::global(name)),
            Some(Bound::Nonlocal) | None => {}
        }
        let owner = (0..level).rev().find_map(|outer| {
            let cx = &self.stack[outer];
            if let Some(variable) = cx.overlay(name) {
                return Some(Some((outer, variable)));
            }
            match cx.names.get(name) {
                Some(Bound::Local(variable) | Bound::Captured(variable)) => Some(Some((outer, *variable))),
                Some(Bound::Global) => Some(None),
                Some(Bound::Nonlocal) | None => None,
            }
        });
        let Some(Some((outer, mut variable))) = owner else {
            return Named::Place(Place::global(name));
        };
        for cx in &mut self.stack[outer + 1..] {
            let captures = Some(variable);
            variable = cx.body.variable(Variable {
                name: name.to_owned(),
                annotation: None,
                annotated: Vec::new(),
                captures,
                span,
            });
            cx.names.insert(name, Bound::Captured(variable));
        }
        Named::Captured(variable)
    }

    /// The place that a name stands for, and whether reading or writing it is a step.
    fn name_place(&mut self, name: &'t str, span: Span) -> (Place, bool) {
        match self.resolve(name, span) {
            Named::Local(variable) => (Place::variable(variable), false),
            Named::Captured(variable) => (Place::variable(variable), true),
            Named::Place(place) => {
                let is_fixed = self.is_fixed(name) && place.fields.is_empty();
                (place, !is_fixed)
            }
        }
    }

    /// Whether reading or writing a place is a step: it has fields, is global or captured.
    fn is_shared(&mut self, place: &Place) -> bool {
        if !place.fields.is_empty() || place.is_cut {
            return true;
        }
        match &place.root {
            Root::Variable(variable) => self.body().variables[variable.at()].captures.is_some(),
            Root::Global(path) => !path.first().is_some_and(|name| self.is_fixed(name)),
        }
    }

    /// Whether a global means one thing for good, so that reading it bare says nothing: an imported module, a class, a
    /// module-level function.
    fn is_fixed(&self, name: &str) -> bool {
        self.stack.iter().any(|cx| cx.fixed.contains(name))
    }

    /// Lowers the module's own code.
    fn module_body(&mut self) {
        let root = self.tree.root();
        let index = self.reserve_function(root.span());
        let mut cx = Context::new(index);
        let scope = scopes::of_block(root, self.text);
        cx.fixed = scope.fixed;
        for name in scope.bound {
            cx.names.insert(name, Bound::Global);
        }
        self.stack.push(cx);
        self.statements(root);
        self.close_module(index, root);
    }
}

/// Kinds that stand for a statement.
fn is_statement(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Assert
            | Kind::Break
            | Kind::Class
            | Kind::Continue
            | Kind::Decorated
            | Kind::Delete
            | Kind::Exec
            | Kind::ExpressionStatement
            | Kind::For
            | Kind::Function
            | Kind::FutureImport
            | Kind::Global
            | Kind::If
            | Kind::Import
            | Kind::ImportFrom
            | Kind::Match
            | Kind::Nonlocal
            | Kind::Pass
            | Kind::Print
            | Kind::Raise
            | Kind::Return
            | Kind::Try
            | Kind::TypeAlias
            | Kind::While
            | Kind::With
    )
}

#[cfg(test)]
mod tests;
