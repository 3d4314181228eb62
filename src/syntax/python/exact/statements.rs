//! Statements.

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{Alias, ExceptHandler, Expr, Stmt, StmtFor, StmtIf, StmtImportFrom, StmtTry, StmtWith};
use ruff_text_size::Ranged;

use super::{Builder, end, span, start};
use crate::syntax::python::tree::{Field, Kind};
use crate::text::Span;

impl<'a> Builder<'a> {
    pub(super) fn statement(&mut self, statement: &'a Stmt) {
        let whole = span(statement.range());
        let none = Field::None;
        match statement {
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::ClassDef(class) => self.class(class),
            Stmt::Return(returned) => self.node(Kind::Return, none, whole, |this| {
                if let Some(value) = &returned.value {
                    this.expression(value, none);
                }
            }),
            Stmt::Delete(deleted) => self.node(Kind::Delete, none, whole, |this| match &*deleted.targets {
                [only] => this.expression(only, none),
                targets => {
                    let at = this.open(Kind::ExpressionList, none, targets.first().map_or(whole.end, start));
                    this.all(targets);
                    this.close(at, whole.end);
                }
            }),
            Stmt::Assign(assignment) => self.node(Kind::ExpressionStatement, none, whole, |this| {
                this.assignment(&assignment.targets, &assignment.value);
            }),
            Stmt::AugAssign(assignment) => self.node(Kind::ExpressionStatement, none, whole, |this| {
                this.node(Kind::AugmentedAssignment, none, whole, |this| {
                    this.expression(&assignment.target, Field::Left);
                    this.expression(&assignment.value, Field::Right);
                });
            }),
            Stmt::AnnAssign(assignment) => self.node(Kind::ExpressionStatement, none, whole, |this| {
                this.node(Kind::Assignment, none, whole, |this| {
                    this.expression(&assignment.target, Field::Left);
                    this.annotation(&assignment.annotation, Field::Type);
                    if let Some(value) = &assignment.value {
                        this.expression(value, Field::Right);
                    }
                });
            }),
            Stmt::TypeAlias(alias) => self.type_alias(alias),
            Stmt::For(each) => self.for_loop(each),
            Stmt::While(looped) => self.compound(Kind::While, none, whole.start, |this| {
                this.expression(&looped.test, Field::Condition);
                this.block(&looped.body, Field::Body);
                this.otherwise(&looped.orelse, Field::Alternative);
            }),
            Stmt::If(branch) => self.branches(branch),
            Stmt::With(with) => self.with(with),
            Stmt::Match(matched) => self.compound(Kind::Match, none, whole.start, |this| {
                this.each(&matched.subject, Field::Subject);
                let from = matched.cases.first().map_or(whole.end, start);
                let at = this.open(Kind::Block, Field::Body, from);
                for case in &matched.cases {
                    this.case(case);
                }
                this.comments_behind(from);
                this.close(at, this.end);
            }),
            Stmt::Raise(raised) => self.node(Kind::Raise, none, whole, |this| {
                if let Some(exception) = &raised.exc {
                    this.expression(exception, none);
                }
                if let Some(cause) = &raised.cause {
                    this.expression(cause, Field::Cause);
                }
            }),
            Stmt::Try(attempt) => self.attempt(attempt),
            Stmt::Assert(assertion) => self.node(Kind::Assert, none, whole, |this| {
                this.expression(&assertion.test, none);
                if let Some(message) = &assertion.msg {
                    this.expression(message, none);
                }
            }),
            Stmt::Import(import) => self.node(Kind::Import, none, whole, |this| this.imported(&import.names)),
            Stmt::ImportFrom(import) => self.import_from(import),
            Stmt::Global(global) => self.node(Kind::Global, none, whole, |this| {
                for name in &global.names {
                    this.leaf(Kind::Identifier, none, span(name.range));
                }
            }),
            Stmt::Nonlocal(nonlocal) => self.node(Kind::Nonlocal, none, whole, |this| {
                for name in &nonlocal.names {
                    this.leaf(Kind::Identifier, none, span(name.range));
                }
            }),
            Stmt::Expr(expression) => self.node(Kind::ExpressionStatement, none, whole, |this| {
                this.each(&expression.value, none);
            }),
            Stmt::Pass(_) => self.leaf(Kind::Pass, none, whole),
            Stmt::Break(_) => self.leaf(Kind::Break, none, whole),
            Stmt::Continue(_) => self.leaf(Kind::Continue, none, whole),
            // No part of a module.
            Stmt::IpyEscapeCommand(_) => self.leaf(Kind::Other, none, whole),
        }
    }

    /// `a = b = value`: what stands to the right of the first target is an assignment itself.
    fn assignment(&mut self, targets: &'a [Expr], value: &'a Expr) {
        let mut opened = Vec::with_capacity(targets.len());
        for target in targets {
            let field = if opened.is_empty() { Field::None } else { Field::Right };
            let from = self.outer_start(target);
            opened.push(self.open(Kind::Assignment, field, from));
            self.expression(target, Field::Left);
        }
        self.expression(value, Field::Right);
        for &node in opened.iter().rev() {
            self.close(node, self.end);
        }
    }

    /// A type. Lowering reads its text, so nothing stands in it.
    pub(super) fn annotation(&mut self, annotation: &'a Expr, field: Field) {
        let at = self.tree.nodes.len();
        self.expression(annotation, Field::None);
        let from = self.tree.nodes.get(at).map_or(start(annotation), |node| node.start);
        self.tree.nodes.truncate(at);
        self.leaf(Kind::Type, field, Span::new(from, self.end));
    }

    fn for_loop(&mut self, each: &'a StmtFor) {
        self.compound(Kind::For, Field::None, start(each), |this| {
            if each.is_async {
                this.keyword_async(start(each));
            }
            this.expression(&each.target, Field::Left);
            this.expression(&each.iter, Field::Right);
            this.block(&each.body, Field::Body);
            this.otherwise(&each.orelse, Field::Alternative);
        });
    }

    /// `else:` with its body, if there is one.
    fn otherwise(&mut self, body: &'a [Stmt], field: Field) {
        let Some(first) = body.first() else { return };
        let from = self.keyword_before(start(first), TokenKind::Else);
        let at = self.open(Kind::Else, field, from);
        self.block(body, Field::Body);
        self.close(at, self.end);
    }

    fn branches(&mut self, branch: &'a StmtIf) {
        self.compound(Kind::If, Field::None, start(branch), |this| {
            this.expression(&branch.test, Field::Condition);
            this.block(&branch.body, Field::Consequence);
            for clause in &branch.elif_else_clauses {
                let from = start(clause);
                match &clause.test {
                    Some(test) => this.compound(Kind::Elif, Field::Alternative, from, |this| {
                        this.expression(test, Field::Condition);
                        this.block(&clause.body, Field::Consequence);
                    }),
                    None => this.compound(Kind::Else, Field::Alternative, from, |this| {
                        this.block(&clause.body, Field::Body);
                    }),
                }
            }
        });
    }

    fn with(&mut self, with: &'a StmtWith) {
        self.compound(Kind::With, Field::None, start(with), |this| {
            if with.is_async {
                this.keyword_async(start(with));
            }
            let from = with.items.first().map_or(end(with), start);
            // Parentheses around all items are nobody's.
            this.floor = from;
            let clause = this.open(Kind::WithClause, Field::None, from);
            for item in &with.items {
                let whole = span(item.range);
                this.node(Kind::WithItem, Field::None, whole, |this| match &item.optional_vars {
                    Some(target) => this.node(Kind::AsPattern, Field::Value, whole, |this| {
                        this.expression(&item.context_expr, Field::None);
                        let from = this.outer_start(&**target);
                        let at = this.open(Kind::AsPatternTarget, Field::Alias, from);
                        this.expression(target, Field::None);
                        this.close(at, this.end);
                    }),
                    None => this.expression(&item.context_expr, Field::Value),
                });
            }
            this.close(clause, this.end);
            this.block(&with.body, Field::Body);
        });
    }

    fn attempt(&mut self, attempt: &'a StmtTry) {
        self.compound(Kind::Try, Field::None, start(attempt), |this| {
            this.block(&attempt.body, Field::Body);
            for ExceptHandler::ExceptHandler(handler) in &attempt.handlers {
                this.compound(Kind::Except, Field::None, start(handler), |this| {
                    if let Some(caught) = &handler.type_ {
                        this.each(caught, Field::Value);
                    }
                    if let Some(name) = &handler.name {
                        this.leaf(Kind::Identifier, Field::Alias, span(name.range));
                    }
                    this.block(&handler.body, Field::None);
                });
            }
            this.otherwise(&attempt.orelse, Field::None);
            if let Some(first) = attempt.finalbody.first() {
                let from = this.keyword_before(start(first), TokenKind::Finally);
                let at = this.open(Kind::Finally, Field::None, from);
                this.block(&attempt.finalbody, Field::None);
                this.close(at, this.end);
            }
        });
    }

    fn import_from(&mut self, import: &'a StmtImportFrom) {
        let whole = span(import.range);
        let is_future =
            import.level == 0 && import.module.as_ref().is_some_and(|module| module.as_str() == "__future__");
        let kind = if is_future { Kind::FutureImport } else { Kind::ImportFrom };
        self.node(kind, Field::None, whole, |this| {
            let path = import.module.as_ref().map(|module| span(module.range));
            if import.level > 0 {
                let from = this.dots(whole.start);
                let to = path.map_or(from.end, |path| path.end);
                this.node(Kind::RelativeImport, Field::ModuleName, Span::new(from.start, to), |this| {
                    this.leaf(Kind::ImportPrefix, Field::None, from);
                    if let Some(path) = path {
                        this.dotted(path, Field::None);
                    }
                });
            } else if let (Some(path), false) = (path, is_future) {
                this.dotted(path, Field::ModuleName);
            }
            match &*import.names {
                [Alias { name, range, .. }] if name.as_str() == "*" => {
                    this.leaf(Kind::WildcardImport, Field::None, span(*range));
                }
                names => this.imported(names),
            }
        });
    }

    /// The dots after `from`.
    fn dots(&mut self, import: u32) -> Span {
        let at = self.token(import);
        let dots = self.tokens[at..].iter().skip_while(|token| !is_dots(token.kind()));
        let dots = dots.take_while(|token| is_dots(token.kind()));
        let found = dots.fold(None, |found: Option<Span>, token| {
            Some(Span::new(found.map_or(start(token), |found| found.start), end(token)))
        });
        found.unwrap_or(Span::new(import, import))
    }

    /// `a.b, c as d`.
    fn imported(&mut self, names: &'a [Alias]) {
        for alias in names {
            let path = span(alias.name.range);
            match &alias.asname {
                Some(name) => self.node(Kind::AliasedImport, Field::Name, span(alias.range), |this| {
                    this.dotted(path, Field::Name);
                    this.leaf(Kind::Identifier, Field::Alias, span(name.range));
                }),
                None => self.dotted(path, Field::Name),
            }
        }
    }

    /// A dotted name: its parts.
    pub(super) fn dotted(&mut self, path: Span, field: Field) {
        let text = path.text(self.text);
        self.node(Kind::DottedName, field, path, |this| {
            let mut from = path.start;
            for part in text.split('.') {
                let blank = (part.len() - part.trim_start().len()) as u32;
                let name = part.trim();
                let at = from + blank;
                this.leaf(Kind::Identifier, Field::None, Span::new(at, at + name.len() as u32));
                from += part.len() as u32 + 1;
            }
        });
    }
}

fn is_dots(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Dot | TokenKind::Ellipsis)
}
