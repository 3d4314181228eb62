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

mod body;
mod value;

use super::{
    Field, FieldDef, Function, FunctionIndex, Import, ImportKind, Mark, Module, Place, Quality, Root, TypeDef,
    TypeKind, TypeTerm, ValueOf, VariableIndex,
};
use crate::text::{Language, LineIndex, Span};
use value::Shown;

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
