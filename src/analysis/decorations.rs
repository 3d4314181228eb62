//! What a decorator of the project makes of an asynchronous function.
//!
//! ~~~text
//! def traced(work):
//!     async def in_task(*args): return await work(*args)     a coroutine, as before
//!     def in_place(*args): return work(*args)                what the function gives, and so a coroutine too
//!     return in_task if iscoroutinefunction(work) else in_place
//! ~~~
//!
//! Whoever calls what came out of it has to await that, if calling the function had to be awaited.

use super::names::Member;
use super::types::Type;
use super::{FunctionId, Program, TypeId};
use crate::flow::{
    BlockIndex, Callee, Colour, Function, Literal, Next, StepKind, Suspension, ValueIndex, ValueKind, VariableIndex,
};

/// What a decorator puts in the place of a function.
enum Made {
    /// The function itself, which it only takes note of.
    Itself,
    /// A function of its own.
    Function(FunctionId),
}

impl Program<'_> {
    /// Whether what a decorator makes of an asynchronous function is one of its kind.
    pub(super) fn keeps_colour(&self, id: FunctionId, decorator: FunctionId, is_called: bool) -> bool {
        let Some(maker) = self.maker(decorator, is_called) else { return false };
        let given = self.function(maker).parameters.first().map(|parameter| parameter.variable);
        given.is_some_and(|given| self.makes_its_kind(id, maker, given))
    }

    /// The same of an object that is called with the function: `@Limited(rate=3)`.
    pub(super) fn object_keeps_colour(&self, id: FunctionId, class: TypeId) -> bool {
        let [Member::Function(maker)] = self.method(class, "__call__")[..] else { return false };
        let given = self.function(maker).parameters.get(1).map(|parameter| parameter.variable);
        given.is_some_and(|given| self.makes_its_kind(id, maker, given))
    }

    fn makes_its_kind(&self, id: FunctionId, maker: FunctionId, given: VariableIndex) -> bool {
        if self.function(id).colour != Colour::Async {
            return false;
        }
        let Some(made) = self.made_by(maker, given) else { return false };
        let awaits = made.iter().any(|made| matches!(made, Made::Function(inner) if self.awaits(*inner, given)));
        let is_told_apart = awaits && self.asks_what_it_is(maker, given);
        let keeps = |made: &Made| match made {
            Made::Itself => true,
            Made::Function(inner) => match self.function(*inner).colour {
                Colour::Async => true,
                // The one that awaits is for asynchronous functions, and the other for the rest.
                Colour::Plain => is_told_apart || self.passes_on(*inner, given),
                Colour::Generator | Colour::AsyncGenerator => false,
            },
        };
        self.function(maker).colour == Colour::Plain && !made.is_empty() && made.iter().all(keeps)
    }

    /// The function that is given what is decorated: the decorator, or what calling it gives (`@traced("name")`).
    fn maker(&self, decorator: FunctionId, is_called: bool) -> Option<FunctionId> {
        if !is_called {
            return Some(decorator);
        }
        let [Some(only)] = self.returned(decorator)[..] else { return None };
        match self.value_type(decorator, only) {
            Type::Function(inner) => Some(inner),
            _ => None,
        }
    }

    /// What comes back at each place where a function can end.
    fn returned(&self, id: FunctionId) -> Vec<Option<ValueIndex>> {
        let shape = self.shape(id);
        let function = self.function(id);
        let reachable = (0..).map(BlockIndex).zip(&function.blocks).filter(|(at, _)| shape.is_reachable(*at));
        let ends = reachable.filter_map(|(_, block)| match block.next {
            Next::Return(value) => Some(value),
            _ => None,
        });
        ends.collect()
    }

    /// Everything that a decorator may put in the place of what it is given; `None` where that cannot be told.
    fn made_by(&self, maker: FunctionId, given: VariableIndex) -> Option<Vec<Made>> {
        let mut made = Vec::new();
        for value in self.returned(maker) {
            self.collect_made(maker, value?, given, &mut made)?;
        }
        Some(made)
    }

    fn collect_made(
        &self,
        maker: FunctionId,
        value: ValueIndex,
        given: VariableIndex,
        made: &mut Vec<Made>,
    ) -> Option<()> {
        let function = self.function(maker);
        let node = function.value(value);
        match &node.kind {
            ValueKind::Choice(values) => {
                return values.iter().try_for_each(|value| self.collect_made(maker, *value, given, made));
            }
            ValueKind::Place(place) if place.as_variable() == Some(given) => {
                let reaching = self.reaching(maker, given, node.block, node.step);
                if reaching.from_entry && reaching.values.is_empty() {
                    made.push(Made::Itself);
                    return Some(());
                }
            }
            _ => {}
        }
        match self.value_type(maker, value) {
            Type::Function(inner) => made.push(Made::Function(inner)),
            Type::Union(parts) => {
                for part in parts.iter() {
                    let Type::Function(inner) = part else { return None };
                    made.push(Made::Function(*inner));
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// Whether a plain function returns what calling a captured function gives, or nothing.
    fn passes_on(&self, id: FunctionId, captured: VariableIndex) -> bool {
        let function = self.function(id);
        let is_nothing = |value: ValueIndex| matches!(function.value(value).kind, ValueKind::Literal(Literal::None));
        let mut returned = self.returned(id).into_iter().flatten().filter(|value| !is_nothing(*value)).peekable();
        function.colour == Colour::Plain
            && returned.peek().is_some()
            && returned.all(|value| self.comes_from_calling(id, value, captured))
    }

    fn comes_from_calling(&self, id: FunctionId, value: ValueIndex, captured: VariableIndex) -> bool {
        let function = self.function(id);
        let node = function.value(value);
        let Some(variable) = (match &node.kind {
            ValueKind::Place(place) => place.as_variable(),
            _ => return calls(&function, value, captured),
        }) else {
            return false;
        };
        let reaching = self.reaching(id, variable, node.block, node.step);
        let all = reaching.values.iter().all(|value| calls(&function, *value, captured));
        !reaching.from_entry && !reaching.values.is_empty() && all
    }

    /// Whether a function awaits what calling a captured function gives.
    fn awaits(&self, id: FunctionId, captured: VariableIndex) -> bool {
        let function = self.function(id);
        function.steps().any(|(_, _, step)| match step.kind {
            StepKind::Suspend(Suspension::Await, Some(of)) => self.comes_from_calling(id, of, captured),
            _ => false,
        })
    }

    /// Whether a function asks what it is that a variable of it holds.
    pub(super) fn asks_what_it_is(&self, id: FunctionId, variable: VariableIndex) -> bool {
        let function = self.function(id);
        let tables = self.tables(self.language(id.module));
        let is_it = |value: ValueIndex| match &function.value(value).kind {
            ValueKind::Place(place) => place.as_variable() == Some(variable),
            _ => false,
        };
        (0..).map(ValueIndex).zip(&function.values).any(|(index, value)| match &value.kind {
            ValueKind::Call(call) if call.arguments.iter().any(|argument| is_it(argument.value)) => {
                self.resolution(id, index).external().is_some_and(|name| tables.inspects(name))
            }
            _ => false,
        })
    }
}

/// Whether a value is a call of a function that is captured from the function around.
fn calls(function: &Function, value: ValueIndex, captured: VariableIndex) -> bool {
    let Some(Callee::Value(of)) = function.call(value).map(|call| &call.callee) else { return false };
    match &function.value(*of).kind {
        ValueKind::Place(place) => {
            place.as_variable().is_some_and(|variable| function.variable(variable).captures == Some(captured))
        }
        _ => false,
    }
}
