//! What a rule may ask.

use std::sync::Arc;

use crate::analysis::calls::Resolution;
use crate::analysis::contexts::Context;
use crate::analysis::held::{Event, Facts, Held};
use crate::analysis::{FunctionId, FunctionRef, ModuleId, Program};
use crate::flow::ValueIndex;
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Evidence, Location, Setting, Stance, Verdict};

/// The methods by which Python makes, copies and ends an object.
const SET_UP: &[&str] = &[
    "__copy__",
    "__deepcopy__",
    "__del__",
    "__getstate__",
    "__init__",
    "__init_subclass__",
    "__new__",
    "__post_init__",
    "__reduce__",
    "__repr__",
    "__setstate__",
];

/// One side's program as rules see it.
#[derive(Clone, Copy)]
pub struct RuleContext<'p, 'a> {
    /// The program; rules ask it whatever the shortcuts below do not answer.
    pub program: &'p Program<'a>,
}

impl<'a> RuleContext<'_, 'a> {
    /// A function.
    pub fn function(&self, id: FunctionId) -> FunctionRef {
        self.program.function(id)
    }

    /// What happens in a function, with the locks held before it happens.
    pub fn facts(&self, id: FunctionId) -> Arc<Facts> {
        self.program.facts(id)
    }

    /// What a call calls.
    pub fn resolution(&self, id: FunctionId, call: ValueIndex) -> Arc<Resolution> {
        self.program.resolution(id, call)
    }

    /// Where a function runs.
    pub fn context(&self, id: FunctionId) -> Arc<Context> {
        self.program.context(id)
    }

    /// The language of a module.
    pub fn language(&self, module: ModuleId) -> Language {
        self.program.language(module)
    }

    /// A place in a function's file.
    pub fn location(&self, id: FunctionId, span: Span) -> Location {
        self.program.location(id, span)
    }

    /// Whether code of a function that blocks its thread stops other tasks: an asynchronous function, or a plain one
    /// that is known to run on the loop.
    pub fn runs_on_loop(&self, id: FunctionId) -> bool {
        let function = self.function(id);
        let context = self.context(id);
        if function.is_async() {
            return !context.is_elsewhere_only();
        }
        context.is_on_loop()
    }

    /// Whether others wait when a function is slow: it is a handler that may be called again meanwhile, or what one
    /// awaits.
    pub fn is_hot(&self, id: FunctionId) -> bool {
        !self.program.is_test_code(id) && self.program.answers_requests(id)
    }

    /// Where it shows that a function runs on the loop: its own colour, or who says so.
    pub fn loop_evidence(&self, id: FunctionId) -> Evidence {
        let function = self.function(id);
        let (at, note) = match &self.context(id).shown {
            Some(shown) if !function.is_async() => shown.clone(),
            _ => (self.location(id, function.header), format!("`{}` is asynchronous", function.name)),
        };
        Evidence { at, note }
    }

    /// Whether a function runs when an object is made or unmade, and nobody else has it: module code, `__init__`.
    pub fn is_set_up(&self, id: FunctionId) -> bool {
        let function = self.function(id);
        id.index.0 == 0 || function.owner.is_some() && SET_UP.contains(&function.name.as_str())
    }

    /// Whether a place stands where something is to fail: `with pytest.raises(TypeError):`.
    pub fn is_to_fail(&self, id: FunctionId, span: Span) -> bool {
        let function = self.function(id);
        let tables = self.program.tables(self.language(id.module));
        function.managed.iter().filter(|managed| managed.body.contains(span)).any(|managed| {
            function.call(managed.value).is_some()
                && self.resolution(id, managed.value).external().is_some_and(|name| tables.expects_failure(name))
        })
    }

    /// Whether a suspension is one of the task: a `yield` of a plain generator only hands a value to its caller.
    pub fn gives_way(&self, id: FunctionId, event: &Event) -> bool {
        let function = self.function(id);
        match &event.what {
            crate::analysis::held::What::Suspend(how, of) => {
                function.is_async() && self.program.may_suspend(id, *how, *of)
            }
            _ => false,
        }
    }

    /// A violated verdict at a place of a function.
    pub fn violated(
        &self,
        rule: &'static str,
        confidence: Confidence,
        id: FunctionId,
        span: Span,
        subject: &str,
    ) -> Verdict {
        self.verdict(rule, Stance::Violated(confidence), id, span, subject)
    }

    /// A verdict at a place of a function, in the setting of its file.
    pub fn verdict(&self, rule: &'static str, stance: Stance, id: FunctionId, span: Span, subject: &str) -> Verdict {
        let qualified = self.function(id).qualified.clone();
        let mut verdict = Verdict::new(rule, stance, self.location(id, span), &qualified, subject);
        if self.program.is_test_code(id) {
            verdict.setting = Setting::Test;
        }
        verdict
    }

    /// The confidence that a held lock allows: its type resolved, held on every path.
    pub fn confidence_of(&self, held: &Held) -> Confidence {
        if held.is_certain && held.lock.is_resolved { Confidence::High } else { Confidence::Medium }
    }
}
