//! The flow as text, for `tenth inspect` and for snapshots.
//!
//! ~~~text
//! async method Cache.refresh(self, key)  @5-8
//!   b0
//!     enter    m0 = self._lock                @6
//!     suspend  enter self._lock               @6   -> b1
//!   b1  raises b2
//!     read     self._rows                     @7   -> b3 | b4 on op(key, self._rows)
//! ~~~
//!
//! Only calls get a name (`v3`); other values are written where they are used. Blocks that hold nothing and that
//! nothing leads to are left out. This is for people and for comparison with itself: nothing parses it.

use std::fmt::Write;

use super::{
    Argument, Attempt, Block, BlockIndex, Callee, Collection, Colour, Ending, Field, FieldDef, Function, FunctionIndex,
    FunctionKind, Import, ImportKind, Leaving, Literal, LoopKind, Mark, Module, Next, Owner, Parameter, ParameterKind,
    Place, Polling, Quality, Root, StepKind, Suspension, TypeDef, TypeKind, TypeTerm, ValueIndex, ValueKind, ValueOf,
    VariableIndex, WriteKind,
};
use crate::text::{Language, LineIndex, Span};

/// How far into nested values a line goes.
const DEEPEST: u32 = 4;

/// A whole module.
pub fn module(module: &Module, text: &str) -> String {
    let lines = LineIndex::new(text);
    let mut out = Printer { module, lines: &lines, out: String::new() };
    out.head();
    for (index, _) in module.functions() {
        out.function(index);
    }
    out.out
}

/// One function of a module.
pub fn function(module: &Module, index: FunctionIndex, lines: &LineIndex) -> String {
    let mut out = Printer { module, lines, out: String::new() };
    out.function(index);
    out.out
}

/// A place of a function, as a person would write it: `self._rows[*]`.
pub fn place(function: &Function, language: Language, place: &Place) -> String {
    let mut text = match &place.root {
        Root::Variable(variable) => variable_name(function, *variable),
        Root::Global(path) => path.join(language.separator()),
    };
    for field in &place.fields {
        match field {
            Field::Name(name) => {
                text.push('.');
                text.push_str(name);
            }
            Field::Index => text.push_str("[*]"),
        }
    }
    if place.is_cut {
        text.push('…');
    }
    text
}

/// A type as written.
pub fn type_term(term: &TypeTerm, language: Language) -> String {
    let all = |terms: &[TypeTerm], between: &str| {
        terms.iter().map(|term| type_term(term, language)).collect::<Vec<_>>().join(between)
    };
    match term {
        TypeTerm::Path { segments, args } if args.is_empty() => segments.join(language.separator()),
        TypeTerm::Path { segments, args } => {
            let path = segments.join(language.separator());
            match language {
                Language::Python => format!("{path}[{}]", all(args, ", ")),
                Language::Rust => format!("{path}<{}>", all(args, ", ")),
            }
        }
        TypeTerm::Binding(name, term) => format!("{name} = {}", type_term(term, language)),
        TypeTerm::Reference(term) => format!("&{}", type_term(term, language)),
        TypeTerm::Tuple(terms) => format!("({})", all(terms, ", ")),
        TypeTerm::Union(terms) => all(terms, " | "),
        TypeTerm::Slice(term) => format!("[{}]", type_term(term, language)),
        TypeTerm::Bounds(terms) => format!("impl {}", all(terms, " + ")),
        TypeTerm::Function(takes, gives) => {
            let gives = gives.as_ref().map_or_else(String::new, |term| format!(" -> {}", type_term(term, language)));
            format!("fn({}){gives}", all(takes, ", "))
        }
        TypeTerm::Annotated(term, beside) => format!("{} with {}", type_term(term, language), beside.join(", ")),
        TypeTerm::Other(text) => text.clone(),
    }
}

struct Printer<'m> {
    module: &'m Module,
    lines: &'m LineIndex,
    out: String,
}

impl Printer<'_> {
    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// `@5` or `@5-8`.
    fn at(&self, span: Span) -> String {
        match self.lines.lines(span) {
            (first, last) if first == last => format!("@{first}"),
            (first, last) => format!("@{first}-{last}"),
        }
    }

    fn term(&self, term: &TypeTerm) -> String {
        type_term(term, self.module.language)
    }

    fn head(&mut self) {
        let module = self.module;
        let quality = match module.quality {
            Quality::Whole => "",
            Quality::InPieces => "  (in pieces)",
            Quality::NotAtAll => "  (not read)",
        };
        self.line(&format!("module {}{quality}", module.path));
        for import in &module.imports {
            let text = self.import(import);
            self.line(&text);
        }
        for submodule in &module.submodules {
            let body = if submodule.is_inline { "" } else { ";" };
            let test = if submodule.is_test { "  (test)" } else { "" };
            let file = submodule.file.as_ref().map_or_else(String::new, |file| format!("  = {file:?}"));
            let text = format!("mod {}{body}{file}{test}  {}", submodule.path.join("::"), self.at(submodule.span));
            self.line(&text);
        }
        for definition in &module.types {
            self.type_def(definition);
        }
        for block in &module.impls {
            let of_trait = block.of_trait.as_ref().map_or_else(String::new, |term| format!("{} for ", self.term(term)));
            let associated: String = block
                .associated
                .iter()
                .map(|(name, term)| format!("  {name} = {}", self.term(term)))
                .collect::<Vec<_>>()
                .join(",");
            let text = format!("impl {of_trait}{}{associated}  {}", self.term(&block.self_type), self.at(block.span));
            self.line(&text);
        }
        for known in &module.statics {
            let annotation = self.annotation(known.annotation.as_ref());
            let values = self.values_of(&known.values);
            let mutable = if known.is_mutable { "mut " } else { "" };
            let text = format!("static {mutable}{}{annotation}{values}  {}", known.name, self.at(known.span));
            self.line(&text);
        }
        for mark in &module.marks {
            let text = match mark {
                Mark::Broken { span, reason } => format!("broken {}  {reason}", self.at(*span)),
                Mark::TooDeep { span, reason } => format!("too deep {}  {reason}", self.at(*span)),
                Mark::Stub { function, form, span } => {
                    format!("stub {} `{form}`  {}", module.function(*function).qualified, self.at(*span))
                }
                Mark::Comment { span, text } => format!("comment {}  {text}", self.at(*span)),
                Mark::Generated { span } => format!("generated {}", self.at(*span)),
                Mark::MakesItems { span, .. } => format!("makes items {}", self.at(*span)),
            };
            self.line(&text);
        }
    }

    fn import(&self, import: &Import) -> String {
        let separator = self.module.language.separator();
        let target = format!("{}{}", ".".repeat(import.level as usize), import.target.join(separator));
        let what = match (import.kind, import.name.as_str()) {
            (ImportKind::Macros, _) => format!("import macros of {target}"),
            (ImportKind::Glob, _) => format!("import * of {target}"),
            (ImportKind::Module, "") => format!("import module {target}"),
            (ImportKind::Module, name) => format!("import {name} = module {target}"),
            (ImportKind::Name, name) => format!("import {name} = {target}"),
        };
        let scope = &import.scope;
        let within = match (scope.module.is_empty(), scope.function) {
            (true, None) => String::new(),
            (false, None) => format!("  in {}", scope.module.join(separator)),
            (_, Some(function)) => format!("  in {}", self.module.function(function).qualified),
        };
        format!("{what}{within}  {}", self.at(import.span))
    }

    fn annotation(&self, term: Option<&TypeTerm>) -> String {
        term.map_or_else(String::new, |term| format!(": {}", self.term(term)))
    }

    fn values_of(&self, values: &[ValueOf]) -> String {
        if values.is_empty() {
            return String::new();
        }
        let shown: Vec<_> = values
            .iter()
            .map(|value| Shown { printer: self, function: self.module.function(value.function) }.full(value.value))
            .collect();
        format!(" = {}", shown.join(" | "))
    }

    fn type_def(&mut self, definition: &TypeDef) {
        let kind = match definition.kind {
            TypeKind::Class => "class",
            TypeKind::Struct => "struct",
            TypeKind::Enum => "enum",
            TypeKind::Trait => "trait",
            TypeKind::Alias => "alias",
        };
        let generics: Vec<_> = definition.generics.iter().map(|generic| generic.name.as_str()).collect();
        let generics = if generics.is_empty() { String::new() } else { format!("<{}>", generics.join(", ")) };
        let bases: Vec<_> = definition.bases.iter().map(|base| self.term(base)).collect();
        let bases = if bases.is_empty() { String::new() } else { format!("({})", bases.join(", ")) };
        self.decorators(&definition.decorators, "");
        let text = format!("{kind} {}{generics}{bases}  {}", definition.qualified, self.at(definition.span));
        self.line(&text);
        for field in &definition.fields {
            let text = self.field(field);
            self.line(&text);
        }
    }

    fn field(&self, field: &FieldDef) -> String {
        let shared = if field.is_of_class { "class " } else { "" };
        let annotation = self.annotation(field.annotation.as_ref());
        let values = self.values_of(&field.values);
        format!("  {shared}{}{annotation}{values}  {}", field.name, self.at(field.span))
    }

    fn decorators(&mut self, decorators: &[super::Decorator], indent: &str) {
        for decorator in decorators {
            let arguments: Vec<_> = decorator
                .arguments
                .iter()
                .map(|(name, text)| name.as_ref().map_or_else(|| text.clone(), |name| format!("{name}={text}")))
                .collect();
            let arguments = if decorator.is_called { format!("({})", arguments.join(", ")) } else { String::new() };
            let path = decorator.path.join(self.module.language.separator());
            self.line(&format!("{indent}@{path}{arguments}"));
        }
    }

    fn function(&mut self, index: FunctionIndex) {
        let function = self.module.function(index);
        let led_to = led_to(function);
        let is_shown = |at: usize, block: &Block| at == 0 || led_to[at] || !block.steps.is_empty();
        self.line("");
        self.decorators(&function.decorators, "");
        let head = self.function_head(function);
        self.line(&head);
        for variable in function.variables.iter().filter(|variable| variable.captures.is_some()) {
            self.line(&format!("  captures {}", variable.name));
        }
        for attempt in &function.attempts {
            let text = self.attempt(function, attempt);
            self.line(&text);
        }
        for (at, block) in function.blocks.iter().enumerate() {
            if is_shown(at, block) {
                self.block(function, at, block, led_to[at] || at == 0);
            }
        }
    }

    /// `try b3  except ValueError as error b6  finally b2`.
    fn attempt(&self, function: &Function, attempt: &Attempt) -> String {
        let shown = Shown { printer: self, function };
        let mut text = format!("  try b{}", attempt.body.entry.0);
        for handler in &attempt.handlers {
            text.push_str("  except");
            for (at, caught) in handler.catches.iter().enumerate() {
                let _ = write!(text, "{} {}", if at == 0 { "" } else { "," }, shown.short(*caught));
            }
            if let Some(variable) = handler.received {
                let _ = write!(text, " as {}", variable_name(function, variable));
            }
            let _ = write!(text, " b{}", handler.region.entry.0);
        }
        if let Some(cleanup) = &attempt.cleanup {
            let _ = write!(text, "  finally b{}", cleanup.entry.0);
        }
        format!("{text}  {}", self.at(attempt.span))
    }

    fn function_head(&self, function: &Function) -> String {
        let colour = match function.colour {
            Colour::Plain => "",
            Colour::Async => "async ",
            Colour::Generator => "generator ",
            Colour::AsyncGenerator => "async generator ",
        };
        let kind = match function.kind {
            FunctionKind::Module => "code",
            FunctionKind::Free => "fn",
            FunctionKind::Method => "method",
            FunctionKind::ClassMethod => "classmethod",
            FunctionKind::Static => "static fn",
            FunctionKind::Property => "property",
            FunctionKind::Closure => "closure",
            FunctionKind::AsyncBlock => "async block",
            FunctionKind::GeneratorExpression => "generator expression",
        };
        let parameters: Vec<_> =
            function.parameters.iter().map(|parameter| self.parameter(function, parameter)).collect();
        let returns = function.returns.as_ref().map_or_else(String::new, |term| format!(" -> {}", self.term(term)));
        let mut notes = String::new();
        for (holds, note) in [
            (function.is_test, "test"),
            (function.is_bodiless, "bodiless"),
            (function.is_move, "move"),
            (function.quality == Quality::InPieces, "in pieces"),
            (function.quality == Quality::NotAtAll, "not read"),
        ] {
            if holds {
                let _ = write!(notes, "  ({note})");
            }
        }
        let parameters = match function.kind {
            FunctionKind::Module => String::new(),
            _ => format!("({})", parameters.join(", ")),
        };
        format!("{colour}{kind} {}{parameters}{returns}{notes}  {}", function.qualified, self.at(function.span))
    }

    fn parameter(&self, function: &Function, parameter: &Parameter) -> String {
        let name = variable_name(function, parameter.variable);
        let mark = match parameter.kind {
            ParameterKind::SelfReference if self.module.language == Language::Rust => "&",
            ParameterKind::SelfReference | ParameterKind::SelfValue | ParameterKind::Positional => "",
            ParameterKind::Named => "named ",
            ParameterKind::Rest => "*",
            ParameterKind::RestNamed => "**",
        };
        let annotation = self.annotation(parameter.annotation.as_ref());
        let default = parameter.default.map_or_else(String::new, |default| self.values_of(&[default]));
        format!("{mark}{name}{annotation}{default}")
    }

    fn block(&mut self, function: &Function, at: usize, block: &Block, is_reached: bool) {
        let mut head = format!("  b{at}");
        if let Some(inside) = block.in_loop {
            let known = &function.loops[inside.at()];
            if known.header.at() == at {
                let kind = match known.kind {
                    LoopKind::For => "for",
                    LoopKind::AsyncFor => "async for",
                    LoopKind::While => "while",
                    LoopKind::Forever => "for ever",
                };
                let over = known.over.map_or_else(String::new, |over| {
                    format!(" over {}", Shown { printer: self, function }.short(over))
                });
                let _ = write!(head, "  begins l{} ({kind}{over}, {})", inside.0, self.at(known.span));
            } else {
                let _ = write!(head, "  in l{}", inside.0);
            }
        }
        if let Some(handler) = block.on_raise {
            let _ = write!(head, "  raises b{}", handler.0);
        }
        if !is_reached {
            head.push_str("  (not reached)");
        }
        self.line(&head);
        for step in &block.steps {
            let text = self.step(function, &step.kind);
            let line = self.lines.line(step.span.start);
            self.line(&format!("    {text:<60} @{line}"));
        }
        let shown = Shown { printer: self, function };
        let blocks = |targets: &[BlockIndex]| {
            targets.iter().map(|block| format!("b{}", block.0)).collect::<Vec<_>>().join(" | ")
        };
        let next = match &block.next {
            Next::Goto(to) => {
                let by = match block.left_by.map(|leave| leave.how) {
                    Some(Leaving::Return) => "  (return)",
                    Some(Leaving::Raise) => "  (raise)",
                    Some(Leaving::Break) => "  (break)",
                    Some(Leaving::Continue) => "  (continue)",
                    None => "",
                };
                format!("-> b{}{by}", to.0)
            }
            Next::Branch(None, to) => format!("-> {}", blocks(to)),
            Next::Branch(Some(value), to) => format!("-> {} on {}", blocks(to), shown.short(*value)),
            Next::Return(None) => "return".to_owned(),
            Next::Return(Some(value)) => format!("return {}", shown.short(*value)),
            Next::Raise(None) => "raise".to_owned(),
            Next::Raise(Some(value)) => format!("raise {}", shown.short(*value)),
            Next::Unreachable => "unreachable".to_owned(),
        };
        self.line(&format!("    {next}"));
    }

    fn step(&self, function: &Function, step: &StepKind) -> String {
        let shown = Shown { printer: self, function };
        match step {
            StepKind::Call(value) => format!("v{:<7} = {}", value.0, shown.full(*value)),
            StepKind::Suspend(kind, value) => {
                let kind = match kind {
                    Suspension::Await => "await",
                    Suspension::Next => "next",
                    Suspension::Enter => "enter",
                    Suspension::Exit => "exit",
                    Suspension::Yield => "yield",
                };
                let value = value.map_or_else(String::new, |value| format!(" {}", shown.short(value)));
                format!("suspend  {kind}{value}")
            }
            StepKind::Enter(index) => {
                let managed = &function.managed[index.at()];
                format!("enter    m{} = {}", index.0, shown.short(managed.value))
            }
            StepKind::Exit(index) => format!("exit     m{}", index.0),
            StepKind::Bind(variable, value) => {
                format!("bind     {} = {}", variable_name(function, *variable), shown.short(*value))
            }
            StepKind::Read(place) => format!("read     {}", shown.place(place)),
            StepKind::Write(place, kind, value) => {
                let (verb, sign) = match kind {
                    WriteKind::Assign => ("write", "="),
                    WriteKind::Augment => ("augment", "="),
                    WriteKind::Delete => ("delete", ""),
                };
                let value = value.map_or_else(String::new, |value| format!(" {sign} {}", shown.short(value)));
                format!("{verb:<8} {}{value}", shown.place(place))
            }
            StepKind::Store(target, kind, value) => {
                let verb = if *kind == WriteKind::Augment { "augment" } else { "store" };
                format!("{verb:<8} {} = {}", shown.short(*target), shown.short(*value))
            }
            StepKind::Discard(value) => format!("discard  {}", shown.short(*value)),
            StepKind::Drop(owners, ending) => {
                let owners: Vec<_> = owners
                    .iter()
                    .map(|owner| match owner {
                        Owner::Variable(variable) => variable_name(function, *variable),
                        Owner::Temporary(value) => format!("v{}", value.0),
                    })
                    .collect();
                let ending = match ending {
                    Ending::Scope => "scope",
                    Ending::Statement => "statement",
                    Ending::Condition => "condition",
                    Ending::IfLet => "if let",
                    Ending::WhileLet => "while let",
                    Ending::Match => "match",
                    Ending::For => "for",
                    Ending::Tail => "tail",
                    Ending::Explicit => "explicit",
                    Ending::Reassigned => "reassigned",
                };
                format!("drop     {}  ({ending})", owners.join(", "))
            }
        }
    }
}

/// A function whose values are written.
struct Shown<'m> {
    printer: &'m Printer<'m>,
    function: &'m Function,
}

impl Shown<'_> {
    fn place(&self, place: &Place) -> String {
        self::place(self.function, self.printer.module.language, place)
    }

    /// A value where it is used: calls by their name.
    fn short(&self, value: ValueIndex) -> String {
        self.value(value, 0)
    }

    /// A value where it is made: calls written out.
    fn full(&self, value: ValueIndex) -> String {
        let Some(call) = self.function.call(value) else { return self.short(value) };
        let separator = self.printer.module.language.separator();
        let callee = match &call.callee {
            Callee::Path(path) => format!("call {}", path.join(separator)),
            Callee::Method(receiver, name) => format!("call {}.{name}", self.value(*receiver, 1)),
            Callee::Value(value) => format!("call value {}", self.value(*value, 1)),
            Callee::Super(name) => format!("call super.{name}"),
            Callee::Macro(path) => format!("call {}!", path.join(separator)),
        };
        let generics: Vec<_> = call.generics.iter().map(|term| self.printer.term(term)).collect();
        let generics = if generics.is_empty() { String::new() } else { format!("::<{}>", generics.join(", ")) };
        let arguments: Vec<_> = call.arguments.iter().map(|argument| self.argument(argument)).collect();
        format!("{callee}{generics}({})", arguments.join(", "))
    }

    fn argument(&self, argument: &Argument) -> String {
        let name = argument.name.as_ref().map_or_else(String::new, |name| format!("{name}="));
        let spread = if argument.is_spread { "*" } else { "" };
        format!("{spread}{name}{}", self.value(argument.value, 1))
    }

    fn all(&self, values: &[ValueIndex], between: &str, depth: u32) -> String {
        let shown: Vec<_> = values.iter().map(|value| self.value(*value, depth + 1)).collect();
        shown.join(between)
    }

    fn value(&self, value: ValueIndex, depth: u32) -> String {
        if depth > DEEPEST {
            return format!("v{}", value.0);
        }
        let of = |inner: ValueIndex| self.value(inner, depth + 1);
        match &self.function.value(value).kind {
            ValueKind::Unknown => "?".to_owned(),
            ValueKind::Literal(literal) => match literal {
                Literal::None => "None".to_owned(),
                Literal::Bool(value) => value.to_string(),
                Literal::Int(value) => value.to_string(),
                Literal::Text(text) => format!("{text:?}"),
                Literal::Other => "literal".to_owned(),
            },
            ValueKind::Place(place) => self.place(place),
            ValueKind::Path(path, generics) if generics.is_empty() => path.join("::"),
            ValueKind::Path(path, generics) => {
                let generics: Vec<_> = generics.iter().map(|term| self.printer.term(term)).collect();
                format!("{}::<{}>", path.join("::"), generics.join(", "))
            }
            ValueKind::Field(inner, name) => format!("{}.{name}", of(*inner)),
            ValueKind::Index(inner) => format!("{}[*]", of(*inner)),
            ValueKind::Call(_) => format!("v{}", value.0),
            ValueKind::Awaited(inner) => format!("awaited({})", of(*inner)),
            ValueKind::Entered(inner) => format!("entered({})", of(*inner)),
            ValueKind::Element(inner) => format!("each({})", of(*inner)),
            ValueKind::Component(inner, at) => format!("{}.{at}", of(*inner)),
            ValueKind::Payload(inner, path, field) => {
                format!("{} as {}.{field}", of(*inner), path.join(self.printer.module.language.separator()))
            }
            ValueKind::Function(index) => {
                let function = self.printer.module.function(*index);
                format!(
                    "fn {}{}",
                    function.qualified,
                    self.printer.at(Span::new(function.span.start, function.span.start))
                )
            }
            ValueKind::Collection(kind, items) => {
                let kind = match kind {
                    Collection::Tuple => "tuple".to_owned(),
                    Collection::List => "list".to_owned(),
                    Collection::Set => "set".to_owned(),
                    Collection::Mapping => "map".to_owned(),
                    Collection::Struct(path) => path.join("::"),
                    Collection::Join => "join".to_owned(),
                    Collection::Select(Polling::AtRandom) => "select".to_owned(),
                    Collection::Select(Polling::InOrder) => "biased select".to_owned(),
                };
                let items: Vec<_> = items
                    .iter()
                    .map(|(name, item)| {
                        let name = name.as_ref().map_or_else(String::new, |name| format!("{name}: "));
                        format!("{name}{}", of(*item))
                    })
                    .collect();
                format!("{kind}[{}]", items.join(", "))
            }
            ValueKind::Choice(values) => format!("({})", self.all(values, " or ", depth)),
            ValueKind::Try(inner) => format!("{}?", of(*inner)),
            ValueKind::Reference(inner) => format!("&{}", of(*inner)),
            ValueKind::Dereference(inner) => format!("*{}", of(*inner)),
            ValueKind::Cast(inner, term) => format!("{} as {}", of(*inner), self.printer.term(term)),
            ValueKind::Operation(values) => format!("op({})", self.all(values, ", ", depth)),
            ValueKind::Received => "received".to_owned(),
        }
    }
}

fn variable_name(function: &Function, index: VariableIndex) -> String {
    let name = function.variable(index).name.as_str();
    let is_shadowed = function.variables.iter().enumerate().any(|(at, other)| at != index.at() && other.name == name);
    match (name.is_empty(), is_shadowed) {
        (true, _) => format!("%{}", index.0),
        (false, true) => format!("{name}%{}", index.0),
        (false, false) => name.to_owned(),
    }
}

/// For each block, whether control or an exception can come to it from a block that is itself reached.
fn led_to(function: &Function) -> Vec<bool> {
    let mut reached = vec![false; function.blocks.len()];
    let mut open = vec![BlockIndex(0)];
    while let Some(block) = open.pop() {
        let Some(body) = function.blocks.get(block.at()) else { continue };
        if std::mem::replace(&mut reached[block.at()], true) {
            continue;
        }
        open.extend(body.next.targets());
        // An empty block raises nothing, unless it ends by raising.
        if !body.steps.is_empty() || matches!(body.next, Next::Raise(_)) {
            open.extend(body.on_raise);
        }
    }
    reached
}
