//! What the review wants to know of the analysed files besides verdicts: items, coverage, commits, as plain data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::analysis::delta::{Deed, DeedKind, Deeds, Region, callees};
use crate::analysis::{FunctionId, ModuleId, Program};
use crate::change::{ChangeSet, ChangedFile, Extent};
use crate::flow::{FunctionIndex, FunctionKind, Mark, Module, Quality, TypeTerm};
use crate::review::{Coverage, CoverageState, Definition, FunctionFacts, ItemKind, ItemRange, Signal};
use crate::text::{Language, LineIndex, Side, Span};

/// Functions and types of a file, closures left out: they are read with what they stand in.
pub(crate) fn items(module: &Module, side: Side, lines: &LineIndex) -> Vec<ItemRange> {
    let item = |name: &str, kind: ItemKind, span: Span| {
        let (first, last) = lines.lines(span);
        ItemRange { path: module.path.clone(), side, name: name.to_owned(), kind, first, last }
    };
    let functions = module.functions.iter().filter(|function| {
        !matches!(
            function.kind,
            FunctionKind::Module | FunctionKind::Closure | FunctionKind::AsyncBlock | FunctionKind::GeneratorExpression
        )
    });
    let functions = functions.map(|function| item(&function.qualified, ItemKind::Function, function.span));
    let types = module.types.iter().map(|of| item(&of.qualified, ItemKind::Type, of.span));
    let impls = module.impls.iter().map(|block| item("", ItemKind::Type, block.span));
    functions.chain(types).chain(impls).collect()
}

/// What a file defines for others: functions, methods and types, module-level values.
pub(crate) fn definitions(module: &Module, side: Side) -> Vec<Definition> {
    let mut found = Vec::new();
    let mut add = |name: &str, owner: Option<&str>, signature: String| {
        let (path, owner) = (module.path.clone(), owner.map(str::to_owned));
        found.push(Definition { path, side, name: name.to_owned(), owner, signature });
    };
    for (_, function) in module.functions().skip(1).filter(|(_, function)| function.parent.is_none()) {
        if function.name.starts_with('<') {
            continue;
        }
        let of_impl = || match &module.impls.get(function.in_impl? as usize)?.self_type {
            TypeTerm::Path { segments, .. } => segments.last().map(String::as_str),
            _ => None,
        };
        let owner = function.owner.map(|of| module.types[of.at()].name.as_str()).or_else(of_impl);
        let parameters = function.parameters.iter().map(|parameter| {
            let name = &function.variable(parameter.variable).name;
            format!("{name}:{:?}:{}", parameter.kind, parameter.default.is_some())
        });
        let parameters: Vec<String> = parameters.collect();
        add(&function.name, owner, format!("{:?} {:?} {}", function.kind, function.colour, parameters.join(",")));
    }
    for of in &module.types {
        add(&of.name, None, format!("{:?}", of.kind));
    }
    for global in &module.statics {
        add(&global.name, None, "value".to_owned());
    }
    // What a file hands on: modules that it declares, names that it imports for others.
    for submodule in module.submodules.iter().filter(|submodule| !submodule.is_inline) {
        add(submodule.path.last().map_or("", String::as_str), None, "module".to_owned());
    }
    let hands_on = module.language == Language::Rust || module.path.ends_with("__init__.py");
    let imports = module.imports.iter().filter(|import| hands_on && import.is_public && !import.name.is_empty());
    for import in imports.filter(|import| import.scope.function.is_none()) {
        add(&import.name, None, "import".to_owned());
    }
    found
}

/// What could not be read of a file, or analysed of its functions.
pub(crate) fn coverage(program: &Program, modules: &[ModuleId], failed: &[FunctionId]) -> Vec<Coverage> {
    let mut rows = Vec::new();
    for &id in modules {
        let module = program.module(id);
        let row = |function: Option<String>, state, why: &str| Coverage {
            path: module.path.to_string(),
            function,
            state,
            why: why.to_owned(),
        };
        match module.quality {
            Quality::Whole => {}
            Quality::InPieces => {
                rows.push(row(
                    None,
                    CoverageState::InPieces,
                    "the file does not parse as a whole; its sound parts were analysed",
                ));
            }
            Quality::NotAtAll => {
                let too_deep = module.marks.iter().find_map(|mark| match mark {
                    Mark::TooDeep { reason, .. } => Some(format!("too deep to be read: {reason}")),
                    Mark::Broken { .. }
                    | Mark::Stub { .. }
                    | Mark::Comment { .. }
                    | Mark::Generated { .. }
                    | Mark::MakesItems { .. } => None,
                });
                let why = too_deep.as_deref().unwrap_or("nothing in the file could be parsed");
                rows.push(row(None, CoverageState::NotAnalysed, why));
                continue;
            }
        }
        for (at, function) in module.functions.iter().enumerate() {
            if function.quality != Quality::Whole && at > 0 && module.quality == Quality::Whole {
                rows.push(row(
                    Some(function.qualified.clone()),
                    CoverageState::InPieces,
                    "parts of the function nest too deeply to be read",
                ));
            }
            let index = FunctionIndex(at as u32);
            if failed.contains(&FunctionId { module: id, index }) {
                let why = "the analysis failed on it; this is a fault of the tool";
                rows.push(row(Some(function.qualified.clone()), CoverageState::NotAnalysed, why));
            }
        }
    }
    let unsettled = "its calls lead too deep, or round and round; their effects were not followed to the end";
    let overfull = "it holds more locks at once than are followed; the others count as not held";
    for (functions, why) in [(program.unsettled(), unsettled), (program.overfull(), overfull)] {
        for id in functions.into_iter().filter(|id| modules.contains(&id.module)) {
            rows.push(Coverage {
                path: program.module(id.module).path.to_string(),
                function: Some(program.function(id).qualified.clone()),
                state: CoverageState::InPieces,
                why: why.to_owned(),
            });
        }
    }
    if program.exhausted() {
        let why = "too many files would have had to be read; names that lead further are unknown";
        let path = modules.first().map_or(String::new(), |id| program.module(*id).path.to_string());
        rows.push(Coverage { path, function: None, state: CoverageState::InPieces, why: why.to_owned() });
    }
    rows
}

/// A named function of a changed file that a hunk touches, and what it does.
pub(crate) struct Touched {
    /// The file's path on its own side.
    path: Arc<str>,
    /// Its qualified name and how many of that name stand before it.
    name: (String, usize),
    /// Its first and last line.
    lines: (u32, u32),
    deeds: Deeds,
    facts: FunctionFacts,
    /// Where the lines of its file start.
    index: Arc<LineIndex>,
}

/// What the functions do that the hunks of a change touch on one side.
pub(crate) fn touched(program: &Program, change: &ChangeSet, modules: &[ModuleId]) -> Vec<Touched> {
    let mut found = Vec::new();
    for &id in modules {
        let module = program.module(id);
        let Some(file) = change.file(program.side, &module.path).filter(|file| file.extent == Extent::Whole) else {
            continue;
        };
        let Some(text) = file.side(program.side) else { continue };
        let index = Arc::new(LineIndex::new(&text.text));
        let mut namesakes: BTreeMap<String, usize> = BTreeMap::new();
        for (&named, parts) in &*program.named_functions(id) {
            let function = program.function(named);
            let ordinal = namesakes.entry(function.qualified.clone()).or_default();
            let name = (function.qualified.clone(), *ordinal);
            *ordinal += 1;
            let lines = index.lines(function.span);
            if named.index.0 != 0 && !is_touched(file, program.side, lines) {
                continue;
            }
            // What fails here is a row of coverage already: the rules asked the same questions.
            let deeds = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| program.deeds(parts)));
            let Ok(deeds) = deeds else { continue };
            let context = program.context(named);
            let facts = FunctionFacts {
                path: module.path.clone(),
                function: name.0.clone(),
                on_loop: context.is_on_loop(),
                in_thread: context.is_in_thread(),
                concurrent: context.concurrent.as_ref().map(|(_, shown)| shown.clone()),
                gives_way: deeds.deeds.iter().any(|deed| deed.kind == DeedKind::Awaits),
            };
            found.push(Touched { path: module.path.clone(), name, lines, deeds, facts, index: index.clone() });
        }
    }
    found
}

/// What is known of the touched functions whatever the rules say.
pub(crate) fn facts(touched: &[Touched]) -> Vec<FunctionFacts> {
    touched.iter().map(|of| of.facts.clone()).collect()
}

/// Where the after side's files are damaged.
pub(crate) fn damage(program: &Program, change: &ChangeSet, modules: &[ModuleId]) -> Vec<Signal> {
    let mut found = Vec::new();
    for &id in modules {
        let module = program.module(id);
        let Some(text) = change.file(program.side, &module.path).and_then(|file| file.side(program.side)) else {
            continue;
        };
        if !module.marks.iter().any(|mark| matches!(mark, Mark::Broken { .. })) {
            continue;
        }
        let index = LineIndex::new(&text.text);
        for mark in &module.marks {
            if let Mark::Broken { span, reason } = mark {
                let (first, last) = index.lines(*span);
                let (path, side) = (module.path.clone(), program.side);
                found.push(Signal { path, side, first, last, name: "damaged-code", text: reason.clone() });
            }
        }
    }
    found
}

fn is_touched(file: &ChangedFile, side: Side, (first, last): (u32, u32)) -> bool {
    file.hunks.iter().any(|hunk| {
        let lines = match side {
            Side::Before => hunk.before,
            Side::After => hunk.after,
        };
        lines.first() <= last + 1 && first <= lines.end()
    })
}

/// The functions that the change touches and whose two sides are worth comparing: those that take a lock or do anything
/// else that weighs on either side, and those that do not do the same on both. Their files before and after, and their
/// name with how many of it stand before.
pub(crate) fn comparable(change: &ChangeSet, before: &[Touched], after: &[Touched]) -> Vec<OnBothSides> {
    let former = by_name(before);
    let comparable = after.iter().filter_map(|now| {
        let is_rust = Language::of_path(&now.path) == Some(Language::Rust);
        let weighs = |of: &Touched| {
            let of = &of.deeds;
            !of.regions.is_empty()
                || is_rust && (of.runs_async || of.is_polled || !of.deeds.is_empty())
                || of.runs_async && of.handles
                || !is_rust && (of.owes || of.tries)
        };
        // What is called is also what ends a wait, copies a collection or hands something to another thread.
        let calls_others = |was: &Touched| {
            !is_rust && {
                let (was, now) = (&was.deeds, &now.deeds);
                (was.calls, &was.callees) != (now.calls, &now.callees)
            }
        };
        let differs = |was: &Touched| {
            was.deeds.has_more_than(&now.deeds) || now.deeds.has_more_than(&was.deeds) || calls_others(was)
        };
        let was = partner(change, &former, now).filter(|was| weighs(was) || weighs(now) || differs(was))?;
        Some((was.path.clone(), now.path.clone(), now.name.clone()))
    });
    comparable.collect()
}

/// The files of a function before and after the change, and its name.
type OnBothSides = (Arc<str>, Arc<str>, (String, usize));

type ByName<'t> = BTreeMap<(&'t str, &'t (String, usize)), &'t Touched>;

fn by_name(before: &[Touched]) -> ByName<'_> {
    before.iter().map(|of| ((&*of.path, &of.name), of)).collect()
}

/// The same function before the change.
fn partner<'t>(change: &ChangeSet, former: &ByName<'t>, now: &Touched) -> Option<&'t Touched> {
    let file = change.file(Side::After, &now.path);
    let path_before = file.and_then(|file| file.before.as_ref()).map_or(&*now.path, |side| &*side.path);
    former.get(&(path_before, &now.name)).copied()
}

/// What the change does to its functions: the two sides of each, subtracted.
pub(crate) fn signals(change: &ChangeSet, before: &[Touched], after: &[Touched], plain: &[Plain]) -> Vec<Signal> {
    let mut found = Vec::new();
    let former = by_name(before);
    copies(&former, after, plain, &mut found);
    let nothing = Deeds::default();
    let mut matched: FxHashSet<*const Touched> = FxHashSet::default();
    for now in after {
        let was = partner(change, &former, now);
        matched.extend(was.map(std::ptr::from_ref));
        let deeds_before = was.map_or(&nothing, |was| &was.deeds);
        subtract(now, &now.deeds, deeds_before, Side::After, &mut found);
        if let Some(was) = was {
            subtract(was, &was.deeds, &now.deeds, Side::Before, &mut found);
            if was.deeds.is_async != now.deeds.is_async {
                let text = if now.deeds.is_async { "became async" } else { "is no longer async" };
                let text = format!("`{}` {text}", now.name.0);
                found.push(now.signal(Side::After, now.lines.0, now.lines.0, "colour-changed", text));
            }
        }
        if now.deeds.runs_async {
            found.push(now.signal(Side::After, now.lines.0, now.lines.1, "async-code", String::new()));
        }
    }
    for gone in before.iter().filter(|of| !matched.contains(&std::ptr::from_ref(*of))) {
        if gone.deeds.runs_async {
            found.push(gone.signal(Side::Before, gone.lines.0, gone.lines.1, "async-code", String::new()));
        }
    }
    found
}

/// Asynchronous functions that the change adds beside a plain one of the same name that calls much the same: what is
/// harmless in the one may stop the loop in the other.
fn copies(former: &ByName<'_>, after: &[Touched], plain: &[Plain], found: &mut Vec<Signal>) {
    let is_new = |of: &&Touched| of.deeds.is_async && !former.contains_key(&(&*of.path, &of.name));
    for copy in after.iter().filter(is_new) {
        let name = stem(last_name(&copy.name.0));
        let is_twin = |twin: &&Plain| stem(&twin.name) == name && is_alike(&twin.callees, &copy.deeds.callees);
        if let Some(twin) = plain.iter().find(is_twin) {
            let text = format!("it was copied from the plain `{}`", twin.name);
            found.push(copy.signal(Side::After, copy.lines.0, copy.lines.1, "copied-from-sync", text));
        }
    }
}

/// A function that is not asynchronous, and the last names of what it calls.
#[derive(Clone)]
pub(crate) struct Plain {
    name: String,
    callees: Vec<String>,
}

/// The plain functions of the changed files that call enough to be known again.
pub(crate) fn plain(program: &Program, modules: &[ModuleId]) -> Vec<Plain> {
    let mut found = Vec::new();
    for &id in modules {
        let module = program.module(id);
        for function in module.functions.iter().filter(|function| !function.is_async()) {
            let callees = callees(function);
            if callees.len() >= LEAST_CALLEES {
                found.push(Plain { name: function.name.clone(), callees });
            }
        }
    }
    found
}

/// Fewer names than this are shared by chance.
const LEAST_CALLEES: usize = 4;

/// Whether most of what either calls the other calls too, under the name that it has in asynchronous code.
fn is_alike(plain: &[String], copy: &[String]) -> bool {
    let of = |names: &[String]| -> BTreeSet<String> { names.iter().map(|name| stem(name).to_owned()).collect() };
    let (plain, copy) = (of(plain), of(copy));
    let shared = plain.intersection(&copy).count();
    shared >= LEAST_CALLEES && 3 * shared >= 2 * plain.len().max(copy.len())
}

/// A name without the marks by which the asynchronous one of a pair is told: `aget`, `get_async`, `async_get`.
fn stem(name: &str) -> &str {
    let name = name.trim_start_matches('_');
    let bare = name.strip_prefix("async_").or_else(|| name.strip_suffix("_async")).unwrap_or(name);
    bare.strip_prefix('a').filter(|rest| rest.len() > 2).unwrap_or(bare)
}

fn last_name(qualified: &str) -> &str {
    qualified.rsplit(['.', ':']).next().unwrap_or(qualified)
}

/// What one side of a function does and the other does not.
fn subtract(of: &Touched, own: &Deeds, other: &Deeds, side: Side, found: &mut Vec<Signal>) {
    let mut left: BTreeMap<(DeedKind, &str), usize> = BTreeMap::new();
    for deed in &other.deeds {
        *left.entry((deed.kind, &deed.subject)).or_default() += 1;
    }
    for deed in &own.deeds {
        if let Some(count) = left.get_mut(&(deed.kind, deed.subject.as_str())).filter(|count| **count > 0) {
            *count -= 1;
            continue;
        }
        if let Some((name, text)) = of_deed(deed, side) {
            let (first, last) = of.index.lines(deed.span);
            found.push(of.signal(side, first, last, name, text));
        }
    }
    let mut others: Vec<&Region> = other.regions.iter().collect();
    for region in &own.regions {
        let lock = &region.lock;
        // Of several regions of one lock, the one that covers the same is the same.
        let same = |known: &&Region| known.lock == *lock && known.under == region.under;
        let at = others.iter().position(same);
        let at = at.or_else(|| others.iter().position(|known| known.lock == *lock));
        let (name, text, span) = match (at.map(|at| others.remove(at)), side) {
            (None, Side::After) => ("lock-added", format!("`{lock}` is taken"), region.taken),
            (None, Side::Before) => ("lock-removed", format!("`{lock}` is no longer taken"), region.taken),
            (Some(known), _) if covers_no_more(region, known) => continue,
            (Some(_), Side::After) => ("lock-widened", format!("`{lock}` covers more than before"), region.span),
            (Some(_), Side::Before) => ("lock-narrowed", format!("`{lock}` covers less than before"), region.span),
        };
        let (first, last) = of.index.lines(span);
        found.push(of.signal(side, first, last, name, text));
    }
}

fn covers_no_more(region: &Region, other: &Region) -> bool {
    let mut rest = other.under.iter();
    // Both are sorted: each of the one must come among what is left of the other.
    region.under.iter().all(|what| rest.any(|known| known == what))
}

/// The signal for what only one side does; what is gone weighs only where its absence does.
fn of_deed(deed: &Deed, side: Side) -> Option<(&'static str, String)> {
    let subject = &deed.subject;
    Some(match (deed.kind, side) {
        (DeedKind::Awaits, Side::After) => ("await-added", format!("it gives way at `{subject}`")),
        (DeedKind::Awaits, Side::Before) => ("await-removed", format!("it no longer gives way at `{subject}`")),
        (DeedKind::AwaitsUnderLock, Side::After) => ("await-under-lock", format!("it gives way at {subject}")),
        (DeedKind::Spawns, Side::After) => ("task-spawned", format!("`{subject}` starts something")),
        (DeedKind::MakesChannel, Side::After) => ("channel-made", format!("`{subject}` makes a channel")),
        (DeedKind::UsesChannel, _) => ("channel-used", format!("`{subject}` sends or receives")),
        (DeedKind::SetsTimeout, _) => ("timeout-set", format!("`{subject}` ends a wait")),
        (DeedKind::Cancels, _) => ("cancellation-handled", format!("`{subject}` decides what ends")),
        (DeedKind::StateAcross, Side::After) => {
            ("state-across-suspension", format!("`{subject}` is touched before and after it gives way"))
        }
        (DeedKind::SharesState, _) => ("state-shared", format!("`{subject}` is shared between threads or tasks")),
        (DeedKind::MeetsOthers, Side::After) => {
            ("state-met", format!("`{subject}` is touched by another task or thread as well"))
        }
        (DeedKind::Unresolved, Side::After) => {
            ("unresolved-call-in-async", format!("`{subject}` could not be resolved"))
        }
        (DeedKind::AwaitsUnderLock | DeedKind::Spawns | DeedKind::MakesChannel, Side::Before) => return None,
        (DeedKind::StateAcross | DeedKind::MeetsOthers | DeedKind::Unresolved, Side::Before) => return None,
    })
}

impl Touched {
    fn signal(&self, side: Side, first: u32, last: u32, name: &'static str, text: String) -> Signal {
        Signal { path: self.path.clone(), side, first, last, name, text }
    }
}
