//! What is known at one line: the tool for every hunt of a wrong answer.
//!
//! ~~~text
//! store.py:14 in store.Store.refresh
//! where it runs   as a task
//! flow            the function's steps, those of the line marked with `>`
//! calls           what each call on the line resolved to, or why it did not
//! locks           what is held before each step of the line, where it was taken, why it is still held
//! summary         what calling the function does
//! verdicts        what the rules say in the function
//! ~~~
//!
//! This is for people; nothing parses it.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use crate::analysis::calls::Target;
use crate::analysis::held::{Event, Waits, What};
use crate::analysis::names::Item;
use crate::analysis::types::Type;
use crate::analysis::{FunctionId, Program};
use crate::change::{self, ChangeSet};
use crate::error::{Error, Result};
use crate::flow::{Callee, ValueIndex, ValueKind, print};
use crate::load::{self, Files};
use crate::request::Request;
use crate::text::{LineIndex, Side, Span};
use crate::verdict::{Location, Stance};
use crate::{config, rules};

/// What is known at a line of a file, on the after side of the change that the request names.
pub fn inspect(request: &Request, path: &str, line: u32) -> Result<String> {
    let change = crate::of_subject(request)?;
    let settings = config::of_change(&change, request)?;
    let refuse = |reason: &str| Error::Unreadable { path: path.to_owned(), reason: reason.to_owned() };
    let path =
        path_in(&change, request, path).ok_or_else(|| refuse("the side under review has no such source file"))?;
    let text = change.trees.read(Side::After, &path).ok_or_else(|| refuse("it is no text, or too large"))?.text;
    let lines = LineIndex::new(&text);
    if line > lines.count() {
        return Err(refuse(&format!("it ends at line {}", lines.count())));
    }
    let workers = load::workers(request.threads).map_err(|error| Error::Usage {
        what: format!("cannot start the worker threads: {error}"),
        help: "ask for fewer with `--threads`".to_owned(),
    })?;
    // The workers have the deep stacks that parsers want.
    workers.install(|| {
        let files = Files::new(change.trees.clone());
        let program = Program::new(Side::After, settings.catalogue(), &files);
        let module = program.module_at(&path).ok_or_else(|| refuse("it could not be analysed"))?;
        let span = lines.line_span(line);
        let shown = span.text(&text);
        let start = span.start + (shown.len() - shown.trim_start().len()) as u32;
        let id = FunctionId { module, index: program.module(module).function_at(start) };
        let mut page = Page { program: &program, change: &change, id, lines, line, out: String::new() };
        page.write();
        Ok(page.out)
    })
}

/// The path from the repository's root that a user means who may stand in a folder of it: told from there, or else as a
/// report names it, or else by an ending that one file alone has.
fn path_in(change: &ChangeSet, request: &Request, path: &str) -> Option<Arc<str>> {
    let path = path.replace('\\', "/");
    let own = change::below_root(Path::new(&path), &request.ground);
    let path = path.trim_start_matches("./");
    if let Some(path) =
        [own.as_deref(), Some(path)].into_iter().flatten().find(|path| change.trees.has(Side::After, path))
    {
        return Some(path.into());
    }
    let listed = change.trees.list(Side::After);
    let ending = format!("/{path}");
    let mut same = listed.iter().filter(|known| known.ends_with(&ending));
    same.next().filter(|_| same.next().is_none()).cloned()
}

struct Page<'p, 'a> {
    program: &'p Program<'a>,
    change: &'p ChangeSet,
    id: FunctionId,
    lines: LineIndex,
    line: u32,
    out: String,
}

impl Page<'_, '_> {
    fn write(&mut self) {
        let module = self.program.module(self.id.module);
        let name = self.program.qualified_name(self.id);
        self.say(format!("{}:{} in {name}", module.path, self.line));
        self.context();
        self.flow();
        self.calls();
        self.locks();
        self.summary();
        self.verdicts();
    }

    fn say(&mut self, text: impl AsRef<str>) {
        // A string takes whatever is written to it.
        let _ = writeln!(self.out, "{}", text.as_ref());
    }

    fn head(&mut self, text: &str) {
        self.say(format!("\n{text}"));
    }

    fn context(&mut self) {
        let context = self.program.context(self.id);
        self.head("where it runs");
        if context.runs.is_empty() {
            self.say("  not known: nothing in its file hands it over, and its colour says nothing");
        }
        for runs in &context.runs {
            self.say(format!("  {runs:?}").to_lowercase());
        }
        for (at, why) in context.shown.iter().chain(&context.concurrent) {
            let line = self.place(at);
            self.say(format!("  {why} ({line})"));
        }
    }

    fn flow(&mut self) {
        self.head("flow");
        let module = self.program.module(self.id.module);
        for row in print::function(&module, self.id.index, &self.lines).lines() {
            let mark = if names_line(row, self.line) { '>' } else { ' ' };
            self.say(format!("{mark} {row}"));
        }
    }

    fn is_here(&self, span: Span) -> bool {
        let (first, last) = self.lines.lines(span);
        first <= self.line && self.line <= last && (first == self.line || last - first < 3)
    }

    fn calls(&mut self) {
        self.head("calls on the line");
        let function = self.program.function(self.id);
        let mut is_empty = true;
        for (at, value) in function.values.iter().enumerate() {
            let ValueKind::Call(call) = &value.kind else { continue };
            if !self.is_here(value.span) {
                continue;
            }
            is_empty = false;
            let index = ValueIndex(at as u32);
            let resolution = self.program.resolution(self.id, index);
            let text = self.program.callee_text(self.id, index);
            self.say(format!("  {text}"));
            if let Some(receiver) = &resolution.receiver {
                let of = self.type_text(receiver);
                self.say(format!("    receiver  {of}"));
            }
            for target in &resolution.targets {
                let target = self.target_text(target);
                self.say(format!("    calls     {target}"));
            }
            if resolution.targets.is_empty() {
                let why = self.why_unresolved(&call.callee, resolution.receiver.as_ref());
                self.say(format!("    unresolved: {why}"));
            }
            let mut says = Vec::new();
            if let Some(entry) = self.program.blocking_call(self.id, index, &resolution) {
                says.push(format!("blocks: {:?}, stake {:?} (`{}`)", entry.kind, entry.stake, entry.name));
            }
            if let Some(entry) = self.program.spawn(self.id, &resolution) {
                says.push(format!("spawns (`{}`)", entry.name));
            }
            if let Some(entry) = self.program.offload(self.id, &resolution) {
                says.push(format!("hands over, to run as {:?} (`{}`)", entry.runs, entry.name));
            }
            for what in says {
                self.say(format!("    catalogue {what}"));
            }
            if self.program.is_awaited(self.id, index) {
                self.say("    awaited");
            }
        }
        if is_empty {
            self.say("  none");
        }
    }

    fn why_unresolved(&self, callee: &Callee, receiver: Option<&Type>) -> String {
        match (callee, receiver) {
            (Callee::Method(of, _), Some(Type::Unknown)) => {
                format!("the type of `{}` is not known", self.program.value_text(self.id, *of))
            }
            (Callee::Method(of, name), Some(known)) => {
                let (of, known) = (self.program.value_text(self.id, *of), self.type_text(known));
                format!("`{of}` is {known}, where no `{name}` was found")
            }
            (Callee::Path(path), _) => {
                let separator = self.program.language(self.id.module).separator();
                format!("nothing that can be called was found under the name `{}`", path.join(separator))
            }
            (Callee::Value(of) | Callee::Method(of, _), _) => {
                format!("what `{}` holds is not known", self.program.value_text(self.id, *of))
            }
            (Callee::Super(name), _) => format!("no base class with a `{name}` was found"),
            (Callee::Macro(_), _) => "it is a macro".to_owned(),
        }
    }

    fn target_text(&self, target: &Target) -> String {
        let function = |id: FunctionId| {
            let path = self.program.module(id.module).path.clone();
            format!("{} ({path})", self.program.qualified_name(id))
        };
        match target {
            Target::Function(id) => function(*id),
            Target::Construct(of, None) => format!("makes {}", self.program.type_name(*of)),
            Target::Construct(of, Some(id)) => {
                format!("makes {} with {}", self.program.type_name(*of), function(*id))
            }
            Target::External(name) => format!("{name} (outside the project)"),
        }
    }

    fn type_text(&self, of: &Type) -> String {
        match of {
            Type::Unknown => "not known".to_owned(),
            Type::Instance(instance) if instance.arguments.is_empty() => instance.name.clone(),
            Type::Instance(instance) => {
                let arguments: Vec<String> = instance.arguments.iter().map(|of| self.type_text(of)).collect();
                format!("{} of {}", instance.name, arguments.join(", "))
            }
            Type::Class(id) => format!("the type {}", self.program.type_name(*id)),
            Type::Module(module) => match &**module {
                Item::Module(id, _) => format!("the module {}", self.program.module_name(*id)),
                Item::Package { name, .. } => format!("the package {name}"),
                other => format!("{other:?}"),
            },
            Type::Function(id) => format!("the function {}", self.program.qualified_name(*id)),
            Type::External(name) => format!("{name} (outside the project)"),
            Type::Future(of) => format!("a future of {}", self.type_text(of)),
            Type::Callable(gives) => format!("a callable that gives {}", self.type_text(gives)),
            Type::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(|of| self.type_text(of)).collect();
                format!("({})", parts.join(", "))
            }
            Type::Union(parts) => {
                let parts: Vec<String> = parts.iter().map(|of| self.type_text(of)).collect();
                parts.join(" or ")
            }
            Type::None => "nothing".to_owned(),
        }
    }

    fn locks(&mut self) {
        self.head("locks before each step of the line");
        let facts = self.program.facts(self.id);
        let here: Vec<&Event> = facts.events.iter().filter(|event| self.is_here(event.span)).collect();
        if here.is_empty() {
            self.say("  nothing happens on the line that control gets to");
        }
        for event in here {
            let what = self.event_text(&event.what);
            self.say(format!("  {what}"));
            if event.held.is_empty() {
                self.say("    nothing is held");
            }
            for held in event.held.iter() {
                let (taken, _) = self.lines.lines(held.taken);
                let because = self.program.held_because(self.id, held);
                let mut text = format!("    `{}` ({}), taken at line {taken}", held.lock.name, held.lock.type_name);
                if !because.is_empty() {
                    text += &format!("; {because}");
                }
                if !held.is_certain {
                    text += "; not on every path";
                }
                if !held.lock.place.is_exact {
                    text += "; which object it is, is not known";
                }
                self.say(text);
            }
        }
    }

    fn event_text(&self, what: &What) -> String {
        match what {
            What::Call(value) => format!("call `{}`", self.program.callee_text(self.id, *value)),
            What::Suspend(how, of) => {
                let of = of.map_or_else(String::new, |of| format!(" of `{}`", self.program.value_text(self.id, of)));
                let may =
                    if self.program.may_suspend(self.id, *how, of_value(what)) { "" } else { ", never gives way" };
                format!("{how:?}{of}{may}").to_lowercase()
            }
            What::Acquire(lock, waits) => {
                let waits = if *waits == Waits::Yes { "take" } else { "try to take" };
                format!("{waits} `{}`", lock.name)
            }
            What::Runs(_) => "a function runs that no call names".to_owned(),
        }
    }

    fn summary(&mut self) {
        let summary = self.program.summary(self.id);
        self.head("calling it");
        for blocks in &summary.blocks {
            let at = self.place(&blocks.at);
            self.say(format!("  blocks: `{}` ({at}), {} calls down", blocks.name, blocks.hops.len()));
        }
        for takes in &summary.takes {
            let at = self.place(&takes.at);
            self.say(format!("  takes `{}` ({at}), {} calls down", takes.lock.name, takes.hops.len()));
        }
        if summary.blocks.is_empty() && summary.takes.is_empty() {
            self.say("  blocks nothing and takes no lock, as far as is known");
        }
        self.say(if summary.may_suspend { "  may give way" } else { "  never gives way" });
    }

    fn verdicts(&mut self) {
        self.head("verdicts in it");
        let function = self.program.function(self.id);
        let path = self.program.module(self.id.module).path.clone();
        let said = rules::verdicts(self.program, &[self.id.module]);
        let mut is_empty = true;
        for verdict in said.verdicts.iter().filter(|of| of.at.path == path && function.span.contains(of.at.span)) {
            is_empty = false;
            let stance = match verdict.stance {
                Stance::Violated(_) => "violated",
                Stance::Unproven => "unproven",
                Stance::Upheld => "upheld",
            };
            let (at, _) = self.lines.lines(verdict.at.span);
            let text = if verdict.stance == Stance::Unproven { &verdict.question } else { &verdict.message };
            let text = if text.is_empty() { &verdict.assumption } else { text };
            self.say(format!("  line {at}  {stance} {}: {text}", verdict.rule));
        }
        if is_empty {
            self.say("  none");
        }
    }

    /// A place for people: `store.py:12`.
    fn place(&self, at: &Location) -> String {
        let text = self.change.trees.read(Side::After, &at.path).map(|blob| blob.text);
        let line = text.map_or(0, |text| LineIndex::new(&text).lines(at.span).0);
        format!("{}:{line}", at.path)
    }
}

fn of_value(what: &What) -> Option<ValueIndex> {
    match what {
        What::Suspend(_, of) => *of,
        What::Call(_) | What::Acquire(..) | What::Runs(_) => None,
    }
}

/// Whether a row of the printed flow stands on a line: `@12`, `@12-14`.
fn names_line(row: &str, line: u32) -> bool {
    row.rsplit_once('@').is_some_and(|(_, place)| {
        let digits = place.split(|c: char| !c.is_ascii_digit()).next().unwrap_or("");
        digits.parse() == Ok(line)
    })
}
