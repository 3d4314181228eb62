//! Values, where they are made and where they are used.

use super::Printer;
use crate::flow::{Argument, Callee, Collection, Function, Literal, Place, Polling, ValueIndex, ValueKind};
use crate::text::Span;

/// How far into nested values a line goes.
const DEEPEST: u32 = 4;

/// A function whose values are written.
pub(super) struct Shown<'m> {
    pub(super) printer: &'m Printer<'m>,
    pub(super) function: &'m Function,
}

impl Shown<'_> {
    pub(super) fn place(&self, place: &Place) -> String {
        super::place(self.function, self.printer.module.language, place)
    }

    /// A value where it is used: calls by their name.
    pub(super) fn short(&self, value: ValueIndex) -> String {
        self.value(value, 0)
    }

    /// A value where it is made: calls written out.
    pub(super) fn full(&self, value: ValueIndex) -> String {
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
