//! Tests that put a double in the place of what would block.
//!
//! ~~~text
//! @patch("shop.retry.time.sleep")                          for the whole test
//! with patch.object(time, "sleep"): …                      somewhere in it
//! monkeypatch.setattr(time, "sleep", lambda _: None)
//! ~~~

use crate::analysis::FunctionId;
use crate::flow::{Call, Callee, Field, Function, Literal, Place, Root, ValueIndex, ValueKind};
use crate::rules::context::RuleContext;
use crate::text::Language;

/// Whether a test replaces what has this name, by its last part.
pub(super) fn has_a_double(cx: &RuleContext, id: FunctionId, name: &str) -> bool {
    if cx.language(id.module) != Language::Python || !cx.program.is_test_code(id) {
        return false;
    }
    let function = cx.function(id);
    let tables = cx.program.tables(Language::Python);
    let last = name.rsplit('.').next().unwrap_or(name);
    let is_it = |text: &str| text.trim_matches(['"', '\'']).rsplit('.').next() == Some(last);
    let by_decorator = || {
        function.decorators.iter().any(|decorator| {
            cx.program.decorator_name(id, &decorator.path).is_some_and(|name| tables.patches(&name))
                && decorator.arguments.iter().any(|(_, text)| is_it(text))
        })
    };
    let names_it = |call: &Call| {
        call.arguments.iter().any(|argument| match &function.value(argument.value).kind {
            ValueKind::Literal(Literal::Text(text)) => is_it(text),
            _ => false,
        })
    };
    let by_call = || {
        (0..).map(ValueIndex).zip(&function.values).any(|(index, value)| match &value.kind {
            ValueKind::Call(call) => names_it(call) && patches(cx, id, &function, index, call),
            _ => false,
        })
    };
    by_decorator() || by_call()
}

fn patches(cx: &RuleContext, id: FunctionId, function: &Function, index: ValueIndex, call: &Call) -> bool {
    let tables = cx.program.tables(Language::Python);
    if let Some(name) = cx.resolution(id, index).external() {
        return tables.patches(name);
    }
    // A fixture is known by its name.
    let Callee::Method(receiver, method) = &call.callee else { return false };
    let ValueKind::Place(Place { root: Root::Variable(variable), fields, .. }) = &function.value(*receiver).kind else {
        return false;
    };
    let names = fields.iter().filter_map(|field| match field {
        Field::Name(name) => Some(name.as_str()),
        Field::Index => None,
    });
    let fixture = tables.convention(&function.variable(*variable).name).into_iter();
    let name: Vec<&str> = fixture.chain(names).chain([method.as_str()]).collect();
    tables.patches(&name.join("."))
}
