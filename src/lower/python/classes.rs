//! Classes and type aliases: what they are, and the fields that their own code gives them.

use super::scopes::{self, Bound};
use super::{ClassBody, Lowering, types};
use crate::flow::{
    FieldDef, FunctionIndex, Place, Root, TypeDef, TypeIndex, TypeKind, TypeTerm, ValueIndex, ValueOf, VariableIndex,
};
use crate::syntax::python::tree::{Cursor, Field, Kind};
use crate::text::Span;

impl<'t> Lowering<'t> {
    /// `class`: its body runs in the function around it.
    pub(super) fn class(&mut self, node: Cursor<'t>, decorated: Option<Cursor<'t>>) {
        let Some(name) = node.child(Field::Name) else { return };
        let text = self.node_text(name);
        let decorators = self.decorators(decorated);
        let superclasses = node.child(Field::Superclasses);
        let mut bases = Vec::new();
        let mut metaclass = None;
        for base in superclasses.into_iter().flat_map(Cursor::children) {
            match base.kind() {
                Kind::KeywordArgument => {
                    if let Some(value) = base.child(Field::Value) {
                        if base.child(Field::Name).is_some_and(|name| self.node_text(name) == "metaclass") {
                            metaclass = Some(types::term(self.node_text(value)));
                        }
                        self.expression(value);
                    }
                }
                Kind::Error => {}
                _ => {
                    bases.push(types::term(self.node_text(base)));
                    if !matches!(base.kind(), Kind::Identifier | Kind::Attribute | Kind::Subscript) {
                        self.expression(base);
                    }
                }
            }
        }
        let generics = self.generics(node.child(Field::TypeParameters));
        let definition = TypeDef {
            name: text.to_owned(),
            qualified: self.qualified(text),
            scope: self.scope(),
            kind: TypeKind::Class,
            generics,
            bases,
            metaclass,
            fields: Vec::new(),
            methods: Vec::new(),
            decorators,
            span: decorated.unwrap_or(node).span(),
            header: name.span(),
        };
        let class = TypeIndex(self.module.types.len() as u32);
        self.module.types.push(definition);
        let mut path: Vec<String> = match self.cx().classes.last().map(|outer| &outer.place.root) {
            Some(Root::Global(path)) => path.clone(),
            Some(Root::Variable(_)) | None => Vec::new(),
        };
        path.push(text.to_owned());
        let place = Place { root: Root::Global(path), fields: Vec::new(), is_cut: false };
        if let Some(body) = node.child(Field::Body) {
            let scope = scopes::of_block(body, self.text);
            let mut names = scopes::Names::default();
            for name in scope.globals {
                names.insert(name, Bound::Global);
            }
            for name in scope.bound.into_iter().chain(scope.items) {
                // An attribute; the number means nothing there.
                names.entry(name).or_insert(Bound::Local(VariableIndex(0)));
            }
            self.cx().classes.push(ClassBody { class, place, names });
            self.statements(body);
            self.cx().classes.pop();
        }
        if self.cx().classes.is_empty() {
            self.bind_item(text, name.span());
        }
    }

    /// `type X = …`.
    pub(super) fn type_alias(&mut self, node: Cursor<'t>) {
        let (Some(left), Some(right)) = (node.child(Field::Left), node.child(Field::Right)) else { return };
        let Some(name) = left.descendants().find(|child| child.kind() == Kind::Identifier) else { return };
        let parameters = left.descendants().find(|child| child.kind() == Kind::TypeParameter);
        let definition = TypeDef {
            name: self.node_text(name).to_owned(),
            qualified: {
                let text = self.node_text(name);
                self.qualified(text)
            },
            scope: self.scope(),
            kind: TypeKind::Alias,
            generics: self.generics(parameters),
            bases: vec![types::term(self.node_text(right))],
            metaclass: None,
            fields: Vec::new(),
            methods: Vec::new(),
            decorators: Vec::new(),
            span: node.span(),
            header: name.span(),
        };
        self.module.types.push(definition);
    }

    /// The field of a class, made at its first mention.
    fn field(&mut self, class: TypeIndex, name: &'t str, is_of_class: bool, span: Span) -> &mut FieldDef {
        let fields = &mut self.module.types[class.at()].fields;
        let at = *self.fields.entry((class, name)).or_insert_with(|| {
            fields.push(FieldDef { name: name.to_owned(), annotation: None, values: Vec::new(), is_of_class, span });
            fields.len() - 1
        });
        &mut fields[at]
    }

    /// Notes that a class gives a field a value or a type: in its body, or through `self` in a method.
    pub(super) fn note_field(
        &mut self,
        class: TypeIndex,
        name: &'t str,
        is_of_class: bool,
        given: (Option<ValueIndex>, Option<TypeTerm>),
        span: Span,
    ) {
        let function: FunctionIndex = self.cx().index;
        let field = self.field(class, name, is_of_class, span);
        field.values.extend(given.0.map(|value| ValueOf { function, value }));
        if field.annotation.is_none() {
            field.annotation = given.1;
        }
    }
}
