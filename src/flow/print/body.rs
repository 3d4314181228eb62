//! Functions: their heads, blocks and steps.

use std::fmt::Write;

use super::value::Shown;
use super::{Printer, variable_name};
use crate::flow::{
    Attempt, Block, BlockIndex, Colour, Ending, Function, FunctionIndex, FunctionKind, Leaving, LoopKind, Next, Owner,
    Parameter, ParameterKind, Quality, StepKind, Suspension, WriteKind,
};
use crate::text::Language;

impl Printer<'_> {
    pub(super) fn function(&mut self, index: FunctionIndex) {
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
