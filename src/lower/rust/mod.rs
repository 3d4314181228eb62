//! Rust: from syn's trees to flow.
//!
//! ~~~text
//! items      what a file declares                     imports   what `use` brings
//! functions  each body becomes a function             definitions types, traits and what belongs to them
//! body       blocks, statements, `let`
//! expression values, calls                    control   if, match, loops, ways out
//! places     what is read of them and put in
//! patterns   what patterns bind               closures  closures, async blocks
//! macros     macros that are opened           select    select!, join!, stream!
//! temporaries who owns what and where it ends types     types as written
//! ~~~
//!
//! One `Lowerer` walks a file. A function that stands in another one is lowered where it is met, on a frame of its
//! own; closures and async blocks see the names of the frames below.

mod body;
mod closures;
mod control;
mod definitions;
mod expression;
mod functions;
mod imports;
mod items;
mod macros;
mod patterns;
mod places;
mod select;
mod spans;
mod temporaries;
mod types;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::flow::{Function, FunctionIndex, FunctionKind, Mark, Module, Quality, Scope, TypeIndex, VariableIndex};
use crate::lower::Edition;
use crate::syntax::rust::Reading;
use crate::text::{SourceFile, Span};
use temporaries::Frame;

/// Parses and lowers a Rust file.
pub fn lower(file: &SourceFile, edition: Edition) -> Module {
    let reading = crate::syntax::rust::read(&file.text);
    let module = lower_reading(file, edition, &reading);
    drop(reading);
    // syn's tokens of this file are gone; without this the thread's table of sources only grows.
    proc_macro2::extra::invalidate_current_thread_spans();
    module
}

fn lower_reading(file: &SourceFile, edition: Edition, reading: &Reading) -> Module {
    let mut module = super::empty(file);
    module.quality = reading.quality;
    module.functions.push(module_function(file, reading.quality));
    module.marks.extend(reading.broken.iter().map(|b| Mark::Broken { span: b.span, reason: b.reason.clone() }));
    let too_deep = reading.too_deep.iter();
    module.marks.extend(too_deep.map(|b| Mark::TooDeep { span: b.span, reason: b.reason.clone() }));
    module.marks.extend(reading.comments.iter().map(|c| Mark::Comment { span: c.span, text: c.text.clone() }));
    if let Some(header) = reading.comments.iter().find(|comment| is_generated_header(&file.text, comment)) {
        module.marks.push(Mark::Generated { span: header.span });
    }
    let Some(tree) = &reading.tree else { return module };
    let mut lowerer = Lowerer {
        text: &file.text,
        edition,
        module,
        frame: Frame::new(FunctionIndex(0), false),
        outer: Vec::new(),
        around: Around::default(),
        known: Known::default(),
        inlining: 0,
    };
    lowerer.look_ahead(&tree.items);
    lowerer.file(tree);
    lowerer.module
}

/// How far into a file its header reaches.
const HEADER_LINES: usize = 10;
const HEADER_BYTES: usize = 4096;

/// Whether a comment among the first lines says that the file is generated.
fn is_generated_header(text: &str, comment: &crate::syntax::Comment) -> bool {
    let starts_early = |before: &str| before.matches('\n').count() < HEADER_LINES;
    (comment.span.start as usize) < HEADER_BYTES
        && text.get(..comment.span.start as usize).is_some_and(starts_early)
        && (comment.text.contains("@generated")
            || comment.text.contains("DO NOT EDIT") && comment.text.to_lowercase().contains("generated"))
}

fn module_function(file: &SourceFile, quality: Quality) -> Function {
    let mut function = Function::blank(FunctionKind::Module, Span::new(0, file.text.len() as u32));
    function.name = "<module>".to_owned();
    function.qualified = "<module>".to_owned();
    function.header = Span::new(0, 0);
    function.quality = quality;
    function
}

/// Walks one file.
struct Lowerer<'a> {
    text: &'a str,
    edition: Edition,
    module: Module,
    /// The function that is being lowered.
    frame: Frame,
    /// The functions around it, outermost first.
    outer: Vec<Frame>,
    /// What stands around the item that is being lowered.
    around: Around,
    known: Known,
    /// How many macros of the file are being inlined into each other.
    inlining: u32,
}

/// What stands around an item.
#[derive(Clone, Debug, Default)]
struct Around {
    /// Inline modules.
    module: Vec<String>,
    /// What qualified names begin with besides the modules: the impl's type, the enclosing function.
    prefix: Vec<String>,
    is_test: bool,
    in_impl: Option<u32>,
    owner: Option<TypeIndex>,
}

/// What a file declares and bodies must know before it is reached.
#[derive(Debug, Default)]
struct Known {
    /// Names of functions, wherever in the file.
    functions: FxHashSet<String>,
    /// Names of constants.
    constants: FxHashSet<String>,
    /// Names of statics.
    statics: FxHashSet<String>,
    /// Macros of one arm over expressions, by name.
    macros: FxHashMap<String, macros::Inline>,
}

impl Lowerer<'_> {
    /// The scope of an item here.
    fn scope(&self) -> Scope {
        let function = (self.frame.index.0 > 0).then_some(self.frame.index);
        Scope { module: self.around.module.clone(), function }
    }

    fn qualified(&self, name: &str) -> String {
        let before = self.around.module.iter().chain(&self.around.prefix);
        before.map(String::as_str).chain([name]).collect::<Vec<_>>().join("::")
    }

    /// Starts a function on a frame of its own. Its header is complete except for parameters.
    fn begin(&mut self, function: Function, may_capture: bool) -> FunctionIndex {
        let index = FunctionIndex(self.module.functions.len() as u32);
        self.module.functions.push(function);
        let outer = std::mem::replace(&mut self.frame, Frame::new(index, may_capture));
        self.outer.push(outer);
        index
    }

    /// Ends the function that was begun last and returns to the one around it.
    fn finish(&mut self) {
        let Some(outer) = self.outer.pop() else { return };
        let frame = std::mem::replace(&mut self.frame, outer);
        self.store(frame);
    }

    fn store(&mut self, mut frame: Frame) {
        frame.body.settle();
        let function = &mut self.module.functions[frame.index.at()];
        function.variables = frame.body.variables;
        function.values = frame.body.values;
        function.blocks = frame.body.blocks;
        function.managed = frame.body.managed;
        function.loops = frame.body.loops;
        function.comparisons = frame.body.comparisons;
        function.ranges = frame.body.ranges;
    }

    /// The variable that a name stands for, captured from the functions around if need be.
    fn variable_named(&mut self, name: &str) -> Option<VariableIndex> {
        if let Some(variable) = self.frame.find(name) {
            return Some(variable);
        }
        let mut may_capture = self.frame.may_capture;
        let mut found = None;
        for (at, frame) in self.outer.iter().enumerate().rev() {
            if !may_capture {
                return None;
            }
            if let Some(variable) = frame.find(name) {
                found = Some((at, variable));
                break;
            }
            may_capture = frame.may_capture;
        }
        let (at, mut variable) = found?;
        let declared = self.outer[at].body.variables[variable.at()].clone();
        let inner = self.outer[at + 1..].iter_mut().chain([&mut self.frame]);
        for frame in inner {
            let mut copy = declared.clone();
            copy.captures = Some(variable);
            variable = frame.body.variable(copy);
            frame.captured.push((name.to_owned(), variable));
        }
        Some(variable)
    }
}
