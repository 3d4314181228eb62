//! Which names a body binds, found before it is lowered.
//!
//! ~~~text
//! def f(a):           # a
//!     global counter  # counter is the module's
//!     b = c = 1       # b, c
//!     import json     # stays a name: Import.scope says where it is visible
//!     [x for x in a]  # x belongs to the comprehension
//!     if (y := a): …  # y
//! ~~~

use rustc_hash::{FxHashMap, FxHashSet};

use crate::flow::VariableIndex;
use crate::syntax::python::tree::{Cursor, Field, Kind};

/// Names of a body and what they are there.
pub(super) type Names<'t> = FxHashMap<&'t str, Bound>;

/// What a name is in a body.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bound {
    /// A variable of the function; in a class body, an attribute.
    Local(VariableIndex),
    /// A variable that stands for one of the enclosing function.
    Captured(VariableIndex),
    /// The module's, by `global` or because it is the module's body.
    Global,
    /// Of an enclosing function, by `nonlocal`.
    Nonlocal,
}

/// What a body binds.
#[derive(Default)]
pub(super) struct Scope<'t> {
    /// Names that are assigned, in the order of their first binding.
    pub(super) bound: Vec<&'t str>,
    /// Where they are first bound.
    pub(super) nodes: Vec<Cursor<'t>>,
    /// Names declared `global`.
    pub(super) globals: Vec<&'t str>,
    /// Names declared `nonlocal`.
    pub(super) nonlocals: Vec<&'t str>,
    /// Names of imports and classes, whatever else binds them.
    pub(super) items: Vec<&'t str>,
    /// Names bound by `import a`, `class` or, at module level, `def`, and by nothing else.
    pub(super) fixed: FxHashSet<&'t str>,
    /// Names bound by an assignment of any kind.
    seen: FxHashSet<&'t str>,
    known: FxHashSet<&'t str>,
}

/// What a block binds by itself, without the functions and classes in it.
pub(super) fn of_block<'t>(block: Cursor<'t>, text: &'t str) -> Scope<'t> {
    let mut scope = Scope::default();
    scope.walk(block, text);
    for name in &scope.seen {
        scope.fixed.remove(name);
    }
    scope
}

impl<'t> Scope<'t> {
    fn bind(&mut self, node: Cursor<'t>, text: &'t str) {
        let name = node.span().text(text);
        self.seen.insert(name);
        self.add(name, node);
    }

    fn walk(&mut self, block: Cursor<'t>, text: &'t str) {
        // Preorder with skips: every node is met once by the innermost body that holds it.
        let mut ranges: Vec<Cursor<'t>> = vec![block];
        while let Some(node) = ranges.pop() {
            match node.kind() {
                Kind::Function => {
                    if let Some(name) = node.child(Field::Name) {
                        self.define(name, text);
                    }
                    push(&mut ranges, node, |child| !matches!(child.field(), Field::Body | Field::Name));
                }
                Kind::Class => {
                    if let Some(name) = node.child(Field::Name) {
                        self.fixed.insert(name.span().text(text));
                        self.items.push(name.span().text(text));
                    }
                    push(&mut ranges, node, |child| !matches!(child.field(), Field::Body | Field::Name));
                }
                Kind::Lambda => {
                    push(&mut ranges, node, |child| child.field() != Field::Body);
                }
                Kind::Identifier => {}
                Kind::Import => {
                    for name in node.all(Field::Name) {
                        let name = name.child(Field::Alias).or_else(|| name.first()).unwrap_or(name);
                        self.fixed.insert(name.span().text(text));
                        self.items.push(name.span().text(text));
                    }
                }
                Kind::ImportFrom => {
                    for name in node.all(Field::Name) {
                        let name = name.child(Field::Alias).or_else(|| name.first()).unwrap_or(name);
                        self.items.push(name.span().text(text));
                    }
                }
                Kind::FutureImport => {}
                Kind::Global | Kind::Nonlocal => {
                    let names = node.children().map(|child| child.span().text(text));
                    match node.kind() {
                        Kind::Global => self.globals.extend(names),
                        _ => self.nonlocals.extend(names),
                    }
                }
                Kind::Assignment | Kind::AugmentedAssignment | Kind::For => {
                    if let Some(left) = node.child(Field::Left) {
                        self.target(left, text);
                    }
                    push(&mut ranges, node, |_| true);
                }
                Kind::NamedExpression => {
                    if let Some(name) = node.child(Field::Name) {
                        self.bind(name, text);
                    }
                    push(&mut ranges, node, |child| child.field() != Field::Name);
                }
                Kind::AsPatternTarget | Kind::Delete => {
                    for child in node.children() {
                        self.target(child, text);
                    }
                    push(&mut ranges, node, |_| true);
                }
                Kind::Except => {
                    if let Some(alias) = node.child(Field::Alias) {
                        self.target(alias, text);
                    }
                    push(&mut ranges, node, |_| true);
                }
                Kind::TypeAlias => {
                    if let Some(name) = node.child(Field::Left).and_then(first_identifier) {
                        self.bind(name, text);
                    }
                }
                Kind::Case => {
                    for pattern in node.children().filter(|child| child.kind() == Kind::CasePattern) {
                        self.captures(pattern, text);
                    }
                    push(&mut ranges, node, |child| child.kind() != Kind::CasePattern);
                }
                _ => push(&mut ranges, node, |_| true),
            }
        }
    }

    /// A `def` binds a variable in a function; at module level it stays a name.
    fn define(&mut self, name: Cursor<'t>, text: &'t str) {
        self.fixed.insert(name.span().text(text));
        self.add(name.span().text(text), name);
    }

    fn add(&mut self, name: &'t str, node: Cursor<'t>) {
        if self.known.insert(name) {
            self.bound.push(name);
            self.nodes.push(node);
        }
    }

    /// Names in an assignment's target.
    fn target(&mut self, target: Cursor<'t>, text: &'t str) {
        let mut open = vec![target];
        while let Some(node) = open.pop() {
            match node.kind() {
                Kind::Identifier => self.bind(node, text),
                Kind::PatternList
                | Kind::TuplePattern
                | Kind::ListPattern
                | Kind::ListSplatPattern
                | Kind::ListSplat
                | Kind::Tuple
                | Kind::List
                | Kind::ExpressionList
                | Kind::AsPatternTarget
                | Kind::Parenthesized => push(&mut open, node, |_| true),
                _ => {}
            }
        }
    }

    /// Names that a `case` pattern captures.
    pub(super) fn captures(&mut self, pattern: Cursor<'t>, text: &'t str) {
        let mut open = vec![pattern];
        while let Some(node) = open.pop() {
            match node.kind() {
                Kind::DottedName => {
                    let mut names = node.children();
                    if let (Some(name), None) = (names.next(), names.next())
                        && node.span().text(text) != "_"
                    {
                        self.bind(name, text);
                    }
                }
                Kind::ClassPattern => push(&mut open, node, |child| child.kind() != Kind::DottedName),
                Kind::KeywordPattern => {
                    let mut is_first = true;
                    push(&mut open, node, |_| !std::mem::take(&mut is_first));
                }
                Kind::AsPattern | Kind::SplatPattern => {
                    for name in node.children().filter(|child| child.kind() == Kind::Identifier) {
                        self.bind(name, text);
                    }
                    push(&mut open, node, |child| child.kind() != Kind::Identifier);
                }
                _ => push(&mut open, node, |child| child.field() != Field::Key),
            }
        }
    }
}

fn first_identifier(node: Cursor<'_>) -> Option<Cursor<'_>> {
    node.descendants().find(|child| child.kind() == Kind::Identifier)
}

/// Puts the children of a node on a stack, so that the first comes off first.
fn push<'t>(open: &mut Vec<Cursor<'t>>, node: Cursor<'t>, mut keep: impl FnMut(Cursor<'t>) -> bool) {
    let from = open.len();
    for child in node.children() {
        if keep(child) {
            open.push(child);
        }
    }
    open[from..].reverse();
}
