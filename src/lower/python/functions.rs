//! Functions, methods, lambdas: what they are called with and what they are.

use super::scopes::{self, Bound};
use super::{Context, Lowering, Receiver, types};
use crate::flow::build::Body;
use crate::flow::{
    Colour, Decorator, Function, FunctionIndex, FunctionKind, Generic, Next, Parameter, ParameterKind, Quality,
    StepKind, TypeIndex, TypeTerm, ValueKind, ValueOf, Variable,
};
use crate::syntax::python::tree::{Cursor, Field, Kind};
use crate::text::Span;

/// What is known of a function before its body is lowered.
struct Head {
    name: String,
    kind: FunctionKind,
    owner: Option<TypeIndex>,
    is_async: bool,
}

impl<'t> Lowering<'t> {
    /// Makes room for a function, so that it comes before those that stand in it.
    pub(super) fn reserve_function(&mut self, span: Span) -> FunctionIndex {
        self.module.functions.push(Function {
            name: "<module>".to_owned(),
            qualified: "<module>".to_owned(),
            header: Span::new(span.start, span.start),
            ..Function::blank(FunctionKind::Module, span)
        });
        FunctionIndex(self.module.functions.len() as u32 - 1)
    }

    /// `def`, with the decorators that stand before it.
    pub(super) fn function(&mut self, node: Cursor<'t>, decorated: Option<Cursor<'t>>) {
        let span = decorated.unwrap_or(node).span();
        let Some(name) = node.child(Field::Name) else { return };
        let decorators = self.decorators(decorated);
        let owner = self.cx().classes.last().map(|class| class.class);
        let index = self.reserve_function(span);
        let head = Head {
            name: self.node_text(name).to_owned(),
            kind: kind_of(&decorators, owner),
            owner,
            is_async: node.child_of(Kind::Async).is_some(),
        };
        let kind = head.kind;
        let parameters = node.child(Field::Parameters);
        let body = node.child(Field::Body);
        self.describe(index, &head);
        let generics = self.generics(node.child(Field::TypeParameters));
        let returns = node.child(Field::ReturnType).map(|returns| types::term(self.node_text(returns)));
        let is_bodiless = self.is_bodiless(&decorators, owner, body);
        let function = &mut self.module.functions[index.at()];
        function.header = name.span();
        function.decorators = decorators;
        function.generics = generics;
        function.returns = returns;
        function.is_bodiless = is_bodiless;
        if let Some(owner) = owner {
            self.module.types[owner.at()].methods.push(index);
        }
        self.open_function(index, parameters, body);
        if let Some(owner) = owner
            && !matches!(kind, FunctionKind::Static)
            && let Some(first) = self.module.functions[index.at()].parameters.first_mut()
            && matches!(first.kind, ParameterKind::Positional)
        {
            first.kind = ParameterKind::SelfReference;
            let variable = first.variable;
            let is_class = kind == FunctionKind::ClassMethod;
            self.cx().receiver = Some(Receiver { variable, class: owner, is_class });
        }
        if let Some(body) = body {
            self.mark_stub(index, body);
            self.statements(body);
        }
        let is_damaged = body.is_none_or(|body| body.node().next == body.index() + 1);
        self.close_function(index, head.is_async, is_damaged);
        let is_variable = owner.is_none() && self.cx().index != FunctionIndex(0);
        if is_variable {
            let value = self.value(name.span(), ValueKind::Function(index));
            self.store_name(name, value);
        }
    }

    /// `lambda`.
    pub(super) fn lambda(&mut self, node: Cursor<'t>) -> ValueKind {
        let index = self.reserve_function(node.span());
        let head = Head { name: "<lambda>".to_owned(), kind: FunctionKind::Closure, owner: None, is_async: false };
        self.describe(index, &head);
        let start = node.span().start;
        self.module.functions[index.at()].header = Span::new(start, start + "lambda".len() as u32);
        self.open_function(index, node.child(Field::Parameters), node.child(Field::Body));
        if let Some(body) = node.child(Field::Body) {
            let value = self.expression(body);
            self.body().end(Next::Return(Some(value)));
        }
        self.close_function(index, false, false);
        ValueKind::Function(index)
    }

    /// A generator expression that somebody else consumes.
    pub(super) fn generator(&mut self, node: Cursor<'t>) -> ValueKind {
        let Some(first) = node.child_of(Kind::ForIn) else { return ValueKind::Unknown };
        // The first iterable is evaluated where the generator is made.
        self.iterable(first);
        let index = self.reserve_function(node.span());
        let kind = FunctionKind::GeneratorExpression;
        let head = Head { name: "<genexpr>".to_owned(), kind, owner: None, is_async: false };
        self.describe(index, &head);
        let start = node.span().start;
        self.module.functions[index.at()].header = Span::new(start, start + 1);
        self.open_function(index, None, None);
        let variable = self.fresh_variable("", first.span());
        self.module.functions[index.at()].parameters.push(Parameter {
            variable,
            annotation: None,
            kind: ParameterKind::Positional,
            default: None,
            is_conditional: false,
            is_exclusive: false,
        });
        let taken = self.value(first.span(), ValueKind::Place(crate::flow::Place::variable(variable)));
        self.clauses(node, Some(taken), true);
        let is_async = self.cx().awaits;
        self.cx().yields = true;
        self.close_function(index, is_async, false);
        ValueKind::Function(index)
    }

    fn describe(&mut self, index: FunctionIndex, head: &Head) {
        let qualified = self.qualified(&head.name);
        let scope = self.scope();
        let parent = scope.function;
        let function = &mut self.module.functions[index.at()];
        function.name.clone_from(&head.name);
        function.qualified = qualified;
        function.kind = head.kind;
        function.owner = head.owner;
        function.parent = parent;
        function.scope = scope;
    }

    /// A name as it is known from outside: `Outer.method.<locals>.inner`.
    pub(super) fn qualified(&mut self, name: &str) -> String {
        if let Some(class) = self.cx().classes.last() {
            let class = class.class;
            return format!("{}.{name}", self.module.types[class.at()].qualified);
        }
        match self.cx().index {
            FunctionIndex(0) => name.to_owned(),
            outer => format!("{}.<locals>.{name}", self.module.functions[outer.at()].qualified),
        }
    }

    /// Starts a function: its parameters and the names of its body. Defaults belong to the function around it.
    fn open_function(&mut self, index: FunctionIndex, parameters: Option<Cursor<'t>>, body: Option<Cursor<'t>>) {
        let defaults: Vec<_> = parameters
            .into_iter()
            .flat_map(Cursor::children)
            .map(|parameter| parameter.child(Field::Value).map(|default| self.expression(default)))
            .collect();
        let outer = self.cx().index;
        let mut cx = Context::new(index);
        let mut is_named = false;
        let mut taken = Vec::new();
        for (parameter, default) in parameters.into_iter().flat_map(Cursor::children).zip(defaults) {
            let kind = parameter.kind();
            let inner = match kind {
                Kind::TypedParameter => parameter.first(),
                Kind::DefaultParameter | Kind::TypedDefaultParameter => parameter.child(Field::Name),
                _ => Some(parameter),
            };
            let Some(inner) = inner else { continue };
            let passed = match inner.kind() {
                Kind::KeywordSeparator => {
                    is_named = true;
                    continue;
                }
                Kind::PositionalSeparator | Kind::Error => continue,
                Kind::ListSplatPattern | Kind::ListSplat => ParameterKind::Rest,
                Kind::DictionarySplatPattern | Kind::DictionarySplat => ParameterKind::RestNamed,
                _ if is_named => ParameterKind::Named,
                _ => ParameterKind::Positional,
            };
            is_named |= passed == ParameterKind::Rest;
            let name = match passed {
                ParameterKind::Rest | ParameterKind::RestNamed => inner.first().unwrap_or(inner),
                _ => inner,
            };
            let annotation = parameter.child(Field::Type).map(|term| types::term(self.node_text(term)));
            let text = self.node_text(name);
            let variable = cx.body.variable(Variable {
                name: text.to_owned(),
                annotation: annotation.clone(),
                annotated: Vec::new(),
                captures: None,
                span: name.span(),
            });
            cx.names.insert(text, Bound::Local(variable));
            let default = default.map(|value| ValueOf { function: outer, value });
            let (is_conditional, is_exclusive) = (false, false);
            taken.push(Parameter { variable, annotation, kind: passed, default, is_conditional, is_exclusive });
        }
        self.module.functions[index.at()].parameters = taken;
        if let Some(body) = body {
            self.bind_names(&mut cx, body);
        }
        self.stack.push(cx);
    }

    fn bind_names(&self, cx: &mut Context<'t>, body: Cursor<'t>) {
        let scope = scopes::of_block(body, self.text);
        for name in &scope.globals {
            cx.names.insert(name, Bound::Global);
        }
        for name in &scope.nonlocals {
            cx.names.insert(name, Bound::Nonlocal);
        }
        for (name, node) in scope.bound.iter().zip(&scope.nodes) {
            let span = node.span();
            cx.names.entry(name).or_insert_with(|| {
                let variable = Variable {
                    name: (*name).to_owned(),
                    annotation: None,
                    annotated: Vec::new(),
                    captures: None,
                    span,
                };
                Bound::Local(cx.body.variable(variable))
            });
        }
        for name in &scope.items {
            cx.names.entry(name).or_insert(Bound::Global);
        }
        cx.fixed = scope.fixed;
    }

    fn close_function(&mut self, index: FunctionIndex, is_async: bool, is_damaged: bool) {
        self.body().end(Next::Return(None));
        let Some(cx) = self.stack.pop() else { return };
        let function = &mut self.module.functions[index.at()];
        function.colour = match (is_async, cx.yields) {
            (false, false) => Colour::Plain,
            (true, false) => Colour::Async,
            (false, true) => Colour::Generator,
            (true, true) => Colour::AsyncGenerator,
        };
        if cx.is_damaged || is_damaged {
            function.quality = Quality::InPieces;
        }
        fill(function, cx.body);
    }

    /// Ends the module's own code.
    pub(super) fn close_module(&mut self, index: FunctionIndex, root: Cursor<'t>) {
        self.close_function(index, false, false);
        self.module.functions[index.at()].span = root.span().to(Span::new(0, self.text.len() as u32));
    }

    /// The decorators of a definition. Those that are called are called in the function around it.
    pub(super) fn decorators(&mut self, decorated: Option<Cursor<'t>>) -> Vec<Decorator> {
        let mut found = Vec::new();
        let nodes = decorated.into_iter().flat_map(Cursor::children);
        for node in nodes.filter(|child| child.kind() == Kind::Decorator) {
            let Some(expression) = node.first() else { continue };
            let is_called = expression.kind() == Kind::Call;
            let callee = if is_called { expression.child(Field::Function) } else { Some(expression) };
            let path = callee.map_or_else(Vec::new, |callee| {
                self.node_text(callee).split('.').map(|segment| segment.trim().to_owned()).collect()
            });
            let arguments = if is_called { expression.child(Field::Arguments) } else { None };
            let arguments = arguments.into_iter().flat_map(Cursor::children).map(|argument| {
                if argument.kind() == Kind::KeywordArgument {
                    let name = self.child_text(argument, Field::Name).to_owned();
                    (Some(name), self.child_text(argument, Field::Value).to_owned())
                } else {
                    (None, self.node_text(argument).to_owned())
                }
            });
            let arguments = arguments.collect();
            found.push(Decorator { path, arguments, is_called, span: node.span() });
            if is_called {
                self.expression(expression);
            }
        }
        found
    }

    /// `[T: Bound, *Ts, **P]`.
    pub(super) fn generics(&mut self, node: Option<Cursor<'t>>) -> Vec<Generic> {
        let nodes = node.into_iter().flat_map(Cursor::children);
        let generics = nodes.map(|parameter| {
            let text = self.node_text(parameter).trim_start_matches('*');
            let text = text.split_once('=').map_or(text, |(before, _)| before);
            let (name, bound) = text.split_once(':').unwrap_or((text, ""));
            let bounds = match bound.trim() {
                "" => Vec::new(),
                bound => vec![types::term(bound)],
            };
            Generic { name: name.trim().to_owned(), bounds }
        });
        generics.collect()
    }

    fn is_bodiless(&self, decorators: &[Decorator], owner: Option<TypeIndex>, body: Option<Cursor<'t>>) -> bool {
        let is_marked = decorators.iter().any(|decorator| {
            matches!(
                decorator.path.last().map(String::as_str),
                Some(
                    "overload" | "abstractmethod" | "abstractproperty" | "abstractclassmethod" | "abstractstaticmethod"
                )
            )
        });
        let is_protocol = owner.is_some_and(|owner| {
            self.module.types[owner.at()].bases.iter().any(|base| {
                matches!(base, TypeTerm::Path { segments, .. } if segments.last().is_some_and(|last| last == "Protocol"))
            })
        });
        let is_interface = is_protocol || self.module.path.ends_with(".pyi");
        is_marked || is_interface && body.is_some_and(|body| self.is_ellipsis(body))
    }

    pub(super) fn expression_step(&mut self, node: Cursor<'t>) {
        let is_constant = matches!(
            node.kind(),
            Kind::String
                | Kind::ConcatenatedString
                | Kind::Integer
                | Kind::Float
                | Kind::True
                | Kind::False
                | Kind::None
                | Kind::Ellipsis
        );
        let is_format = node.descendants().any(|child| child.kind() == Kind::Interpolation);
        if is_constant && !is_format {
            return;
        }
        let value = self.expression(node);
        self.step(node.span(), StepKind::Discard(value));
    }
}

fn kind_of(decorators: &[Decorator], owner: Option<TypeIndex>) -> FunctionKind {
    if owner.is_none() {
        return FunctionKind::Free;
    }
    let last = decorators.iter().filter_map(|decorator| decorator.path.last().map(String::as_str));
    for name in last {
        match name {
            "property" | "cached_property" => return FunctionKind::Property,
            "classmethod" => return FunctionKind::ClassMethod,
            "staticmethod" => return FunctionKind::Static,
            _ => {}
        }
    }
    FunctionKind::Method
}

fn fill(function: &mut Function, mut body: Body) {
    body.settle();
    function.variables = body.variables;
    function.values = body.values;
    function.comparisons = body.comparisons;
    function.blocks = body.blocks;
    function.managed = body.managed;
    function.loops = body.loops;
    function.attempts = body.attempts;
}
