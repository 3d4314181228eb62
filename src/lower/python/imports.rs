//! Imports: names and what they name.

use super::{Lowering, Named};
use crate::flow::{FunctionIndex, Import, ImportKind, Place, Scope, StepKind, ValueKind};
use crate::syntax::python::tree::{Cursor, Field, Kind};
use crate::text::Span;

impl<'t> Lowering<'t> {
    /// The scope of what is defined here.
    pub(super) fn scope(&mut self) -> Scope {
        let index = self.cx().index;
        Scope { module: Vec::new(), function: (index != FunctionIndex(0)).then_some(index) }
    }

    /// `import a.b`, `import a.b as c`.
    pub(super) fn import(&mut self, node: Cursor<'t>) {
        for name in node.all(Field::Name) {
            let span = name.span();
            if name.kind() == Kind::AliasedImport {
                let target = name.child(Field::Name).map_or_else(Vec::new, |path| self.segments(path));
                let alias = self.child_text(name, Field::Alias);
                self.add_import(alias, target, 0, ImportKind::Module, span);
                continue;
            }
            let target = self.segments(name);
            let Some(first) = target.first().cloned() else { continue };
            let first_text = name.first().map_or("", |first| self.node_text(first));
            self.add_import(first_text, vec![first], 0, ImportKind::Module, span);
            if target.len() > 1 {
                self.add_import("", target, 0, ImportKind::Module, span);
            }
        }
    }

    /// `from a import b as c`, `from . import d`, `from a import *`.
    pub(super) fn import_from(&mut self, node: Cursor<'t>) {
        let (mut level, mut base) = (0, Vec::new());
        if let Some(module) = node.child(Field::ModuleName) {
            if module.kind() == Kind::RelativeImport {
                level = module
                    .child_of(Kind::ImportPrefix)
                    .map_or(0, |prefix| self.node_text(prefix).matches('.').count() as u32);
                base = module.child_of(Kind::DottedName).map_or_else(Vec::new, |path| self.segments(path));
            } else {
                base = self.segments(module);
            }
        } else if node.kind() == Kind::FutureImport {
            base = vec!["__future__".to_owned()];
        }
        if node.child_of(Kind::WildcardImport).is_some() {
            self.add_import("", base, level, ImportKind::Glob, node.span());
            return;
        }
        for name in node.all(Field::Name) {
            let is_aliased = name.kind() == Kind::AliasedImport;
            let path = if is_aliased { name.child(Field::Name) } else { Some(name) };
            let Some(path) = path else { continue };
            let mut target = base.clone();
            target.extend(self.segments(path));
            let visible = if is_aliased { self.child_text(name, Field::Alias) } else { self.node_text(path) };
            self.add_import(visible, target, level, ImportKind::Name, name.span());
        }
    }

    fn add_import(&mut self, name: &'t str, target: Vec<String>, level: u32, kind: ImportKind, span: Span) {
        let scope = self.scope();
        self.module.imports.push(Import {
            scope,
            name: name.to_owned(),
            target,
            level,
            kind,
            is_conditional: false,
            is_public: true,
            span,
        });
        if !name.is_empty() {
            self.bind_item(name, span);
        }
    }

    /// An import or class binds its name; where that name is a variable as well, the variable gets it.
    pub(super) fn bind_item(&mut self, name: &'t str, span: Span) {
        if self.cx().index != FunctionIndex(0)
            && let Named::Local(variable) = self.resolve(name, span)
        {
            let value = self.value(span, ValueKind::Place(Place::global(name)));
            self.step(span, StepKind::Bind(variable, value));
        }
    }

    fn segments(&self, path: Cursor<'t>) -> Vec<String> {
        path.children()
            .filter(|child| child.kind() == Kind::Identifier)
            .map(|child| self.node_text(child).to_owned())
            .collect()
    }
}
