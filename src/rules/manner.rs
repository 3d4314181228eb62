//! In what manner a function has its calls run, to be compared with the other side's.
//!
//! ~~~text
//! load(path)                               here
//! spawn_blocking(move || load(path))       in a thread
//! spawn(async move { load(path).await })   as a task
//! join!(load(path), other())               beside others
//! tx.on_commit(move || notify())           later, when somebody calls the closure
//! ~~~
//!
//! A call is known on the other side by its last name. What surrounds both, such as the task that the whole function is
//! started as, is no matter of the function.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::analysis::FunctionId;
use crate::analysis::calls::Target;
use crate::analysis::types::Type;
use crate::analysis::uses::Uses;
use crate::catalogue::Runs;
use crate::flow::{Call, Callee, Collection, FunctionKind, ValueIndex, ValueKind};
use crate::text::{Language, Span};
use crate::verdict::{Stance, Verdict};

use super::context::RuleContext;

/// How many values are looked at to find who gets a closure, a block or a future.
const MOST_USERS: usize = 32;

/// How a call runs, seen from the function around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Manner {
    /// In a thread.
    Thread,
    /// As a task that goes on by itself.
    Task,
    /// As a task that ends with its owner.
    OwnedTask,
    /// In turns with the other futures of `join!` or `select!`.
    Beside,
    /// When whoever was given the closure calls it.
    Later,
}

/// One call of a function, or of a closure or block inside it.
#[derive(Clone, Debug)]
pub(super) struct Done {
    /// The function, closure or block that it stands in.
    pub(super) by: FunctionId,
    /// The call; where the function is only given to somebody who calls it, the call that gives it.
    pub(super) call: ValueIndex,
    /// The function, where it is given by its name: `to_thread(load, path)`.
    given: Option<ValueIndex>,
    /// Its last name.
    pub(super) name: String,
    /// What lies around it, the innermost first; nothing where it runs in its turn.
    pub(super) manner: Vec<Manner>,
    pub(super) is_awaited: bool,
    pub(super) span: Span,
}

/// Where a call begins, without the arguments that it goes over.
pub(super) fn head(span: Span, name: &str) -> Span {
    Span::new(span.start, span.end.min(span.start + name.len() as u32))
}

impl Done {
    /// Whether the function is only given to somebody who calls it.
    pub(super) fn is_given(&self) -> bool {
        self.given.is_some()
    }

    /// The project functions and the library's that it may be, by name; `None` where nothing is known of it.
    pub(super) fn meant(&self, cx: &RuleContext) -> Option<BTreeSet<String>> {
        if let Some(given) = self.given {
            return match cx.program.value_type(self.by, given) {
                Type::Function(id) => Some(BTreeSet::from([cx.function(id).qualified.clone()])),
                Type::External(name) => Some(BTreeSet::from([name.to_string()])),
                _ => None,
            };
        }
        let resolution = cx.resolution(self.by, self.call);
        let name = |target: &Target| match target {
            Target::Function(id) | Target::Construct(_, Some(id)) => cx.function(*id).qualified.clone(),
            Target::Construct(of, None) => cx.program.type_def(*of).qualified.clone(),
            Target::External(name) => name.clone(),
        };
        (!resolution.targets.is_empty()).then(|| resolution.targets.iter().map(name).collect())
    }
}

/// What the change took away from a function, and what is asked about that.
pub(super) struct Gone {
    /// Where the before side had it.
    pub(super) had: (FunctionId, Span),
    /// The verdict of the after side.
    pub(super) asked: Verdict,
}

impl Gone {
    /// The verdicts of the two sides: where it was had, the assumption was held up.
    pub(super) fn of_both(self, was: &RuleContext) -> (Verdict, Verdict) {
        let (by, span) = self.had;
        let mut held = was.verdict(self.asked.rule, Stance::Upheld, by, span, &self.asked.subject);
        held.assumption.clone_from(&self.asked.assumption);
        (held, self.asked)
    }
}

/// Those of the after side that lack what all of their name had on the before side, each with the first of these.
pub(super) fn bared<'t, T>(
    then: &'t [T],
    now: &'t [T],
    name: impl Fn(&T) -> &str + Copy,
    has: impl Fn(&T) -> bool + Copy,
) -> impl Iterator<Item = (&'t T, &'t T)> {
    let mut by_name: BTreeMap<&str, Vec<&T>> = BTreeMap::new();
    for one in then {
        by_name.entry(name(one)).or_default().push(one);
    }
    now.iter().filter(move |one| !has(one)).filter_map(move |bare| {
        let alike = by_name.get(name(bare))?;
        let first = alike.first().filter(|_| alike.iter().all(|then| has(then)))?;
        Some((*first, bare))
    })
}

/// A function on both sides.
pub(super) struct OnBoth<'c, 'p, 'a> {
    pub(super) was: Whole<'c, 'p, 'a>,
    pub(super) is: Whole<'c, 'p, 'a>,
    pub(super) then: BTreeMap<String, Vec<Done>>,
    pub(super) now: BTreeMap<String, Vec<Done>>,
}

impl<'c, 'p, 'a> OnBoth<'c, 'p, 'a> {
    pub(super) fn of(was: Whole<'c, 'p, 'a>, is: Whole<'c, 'p, 'a>) -> Self {
        let (then, now) = (was.calls(), is.calls());
        Self { was, is, then, now }
    }

    /// The calls of the after side that stand on the before side as well, with their namesakes there.
    pub(super) fn kept(&self) -> impl Iterator<Item = (&Done, Arc<Vec<&Done>>)> {
        let all = self.now.iter().filter_map(|(name, now)| Some((self.then.get(name)?, now)));
        all.flat_map(move |(then, now)| {
            // A large function calls `clone` some hundred times.
            let then: Vec<_> = then.iter().map(|one| (one, one.meant(self.was.cx))).collect();
            let mut alike = BTreeMap::new();
            now.iter().filter_map(move |now| {
                let found = alike.entry(now.meant(self.is.cx)).or_insert_with_key(|meant| {
                    let may_be_it = |of: &Option<BTreeSet<String>>| of.is_none() || meant.is_none() || of == meant;
                    Arc::new(then.iter().filter(|(_, of)| may_be_it(of)).map(|(one, _)| *one).collect::<Vec<&Done>>())
                });
                (!found.is_empty()).then(|| (now, found.clone()))
            })
        })
    }

    /// The project's functions that are called now under names that were not called before.
    pub(super) fn called_now(&self) -> Vec<FunctionId> {
        let new = self.now.iter().filter(|(name, _)| !self.then.contains_key(*name));
        let targets = new.flat_map(|(_, calls)| calls).flat_map(|done| {
            let resolution = self.is.cx.resolution(done.by, done.call);
            resolution.targets.iter().filter_map(Target::function).collect::<Vec<_>>()
        });
        targets.collect()
    }
}

/// Whether a decorator is new: what runs around the function now may do what the function did.
pub(super) fn is_wrapped_anew(both: &OnBoth) -> bool {
    let known: Vec<_> = both.was.cx.function(both.was.id).decorators.iter().map(|one| one.path.clone()).collect();
    both.is.cx.function(both.is.id).decorators.iter().any(|one| !known.contains(&one.path))
}

/// A named function of one side with the closures and blocks inside it.
pub(super) struct Whole<'c, 'p, 'a> {
    pub(super) cx: &'c RuleContext<'p, 'a>,
    pub(super) id: FunctionId,
    /// The function first.
    pub(super) parts: Vec<FunctionId>,
}

impl<'c, 'p, 'a> Whole<'c, 'p, 'a> {
    pub(super) fn of(cx: &'c RuleContext<'p, 'a>, id: FunctionId) -> Self {
        let mut parts = cx.program.named_functions(id.module).get(&id).cloned().unwrap_or_default();
        parts.retain(|part| *part != id);
        parts.insert(0, id);
        Self { cx, id, parts }
    }

    /// Its calls by their last name, each with the manner in which it runs.
    pub(super) fn calls(&self) -> BTreeMap<String, Vec<Done>> {
        let mut around: BTreeMap<FunctionId, Vec<Manner>> = BTreeMap::from([(self.id, Vec::new())]);
        let mut found: BTreeMap<String, Vec<Done>> = BTreeMap::new();
        let mut uses: BTreeMap<FunctionId, Uses> = BTreeMap::new();
        // Whatever stands inside another is numbered after it.
        for &part in &self.parts {
            let function = self.cx.function(part);
            let own = match function.parent.filter(|_| part != self.id) {
                Some(parent) => {
                    let parent = FunctionId { module: part.module, index: parent };
                    let outer = around.get(&parent).cloned().unwrap_or_default();
                    let body = self.cx.function(parent);
                    let made = body
                        .values
                        .iter()
                        .position(|value| matches!(value.kind, ValueKind::Function(index) if index == part.index));
                    let of_parent = uses.entry(parent).or_insert_with(|| Uses::of(&body));
                    let manner = || made.and_then(|made| self.manner(parent, of_parent, ValueIndex(made as u32)));
                    let manner = self.elsewhere(part).or_else(manner);
                    manner.into_iter().chain(outer).collect()
                }
                None => Vec::new(),
            };
            let own_uses = Uses::of(&function);
            let shape = self.cx.program.shape(part);
            for (at, value) in function.values.iter().enumerate() {
                let ValueKind::Call(call) = &value.kind else { continue };
                let call_index = ValueIndex(at as u32);
                let name = match &call.callee {
                    Callee::Path(path) | Callee::Macro(path) => path.last().cloned(),
                    Callee::Method(_, name) => Some(name.clone()),
                    Callee::Value(of) => self.function_name(part, *of),
                    Callee::Super(_) => None,
                };
                if !shape.is_reachable(value.block) {
                    continue;
                }
                let mut add = |name: String, given: Option<ValueIndex>, own_manner: Option<Manner>| {
                    let manner = own_manner.into_iter().chain(own.iter().copied()).collect();
                    let is_awaited = self.cx.program.is_awaited(part, call_index);
                    let done = Done {
                        by: part,
                        call: call_index,
                        given,
                        name: name.clone(),
                        manner,
                        is_awaited,
                        span: value.span,
                    };
                    found.entry(name).or_default().push(done);
                };
                for (name, given) in self.given_to_a_thread(part, call_index, call) {
                    add(name, Some(given), Some(Manner::Thread));
                }
                let Some(name) = name else { continue };
                let makes = self.cx.program.makes(part, call_index).is_some();
                add(name, None, if makes { self.manner(part, &own_uses, call_index) } else { None });
            }
            uses.insert(part, own_uses);
            around.insert(part, own);
        }
        found
    }

    /// The functions that a call is given by their names and has run in a thread, with their last names.
    fn given_to_a_thread(&self, id: FunctionId, index: ValueIndex, call: &Call) -> Vec<(String, ValueIndex)> {
        let cx = self.cx;
        if call.arguments.is_empty() || cx.language(id.module) != Language::Python {
            return Vec::new();
        }
        let offload = |index| cx.program.offload(id, &cx.resolution(id, index));
        let Some(to) = offload(index).filter(|to| matches!(to.runs, Runs::Thread | Runs::Process)) else {
            return Vec::new();
        };
        let function = cx.function(id);
        let bare = |value: ValueIndex| match function.call(value) {
            // What only binds arguments stands for the function: `partial(load, path)`.
            Some(wrapped) => {
                let wraps = offload(value).filter(|wraps| wraps.runs == Runs::Same)?;
                cx.program.arguments_meant(wrapped, &wraps.callable).first().copied()
            }
            None => Some(value),
        };
        let given = cx.program.arguments_meant(call, &to.callable).into_iter().filter_map(bare);
        given.filter_map(|value| Some((self.function_name(id, value)?, value))).collect()
    }

    /// The last name of a function that is a value (Python).
    fn function_name(&self, id: FunctionId, value: ValueIndex) -> Option<String> {
        if self.cx.language(id.module) != Language::Python {
            return None;
        }
        let function = self.cx.function(id);
        match &function.value(value).kind {
            ValueKind::Place(place) => match place.as_variable() {
                Some(variable) => Some(function.variable(variable).name.clone()),
                None => place.last_name().map(str::to_owned),
            },
            ValueKind::Path(path, _) => path.last().cloned(),
            ValueKind::Field(_, name) => Some(name.clone()),
            _ => None,
        }
    }

    /// How a closure, a block or a future runs, by whoever gets it; `None` if in its turn.
    fn manner(&self, id: FunctionId, uses: &Uses, value: ValueIndex) -> Option<Manner> {
        let cx = self.cx;
        let function = cx.function(id);
        let is_closure = |value: ValueIndex| match function.value(value).kind {
            ValueKind::Function(index) => {
                let inner = cx.function(FunctionId { module: id.module, index });
                inner.kind == FunctionKind::Closure && !inner.is_async()
            }
            _ => false,
        };
        let mut seen = BTreeSet::from([value]);
        let mut work = vec![value];
        while let Some(at) = work.pop() {
            for user in cx.program.users(id, uses, at) {
                if seen.len() > MOST_USERS || !seen.insert(user) {
                    continue;
                }
                match &function.value(user).kind {
                    ValueKind::Collection(Collection::Join | Collection::Select(_), _) => return Some(Manner::Beside),
                    ValueKind::Call(call) => {
                        let resolution = cx.resolution(id, user);
                        let is_given = |argument| cx.program.arguments_meant(call, argument).contains(&at);
                        let through = || cx.program.starts(id, user).filter(|starts| starts.through.is_some());
                        let spawn = cx.program.spawn(id, &resolution);
                        if let Some(spawn) = spawn.or_else(|| through().map(|starts| starts.spawn)) {
                            return Some(match spawn.runs {
                                Runs::Thread | Runs::Process => Manner::Thread,
                                _ if spawn.owned => Manner::OwnedTask,
                                _ => Manner::Task,
                            });
                        }
                        if let Some(offload) =
                            cx.program.offload(id, &resolution).filter(|offload| is_given(&offload.callable))
                        {
                            return match offload.runs {
                                Runs::Thread | Runs::Process => Some(Manner::Thread),
                                Runs::Same => None,
                                _ => Some(Manner::Later),
                            };
                        }
                        // What a library does with a closure, it mostly does at once.
                        if is_closure(at) {
                            return resolution.external().is_none().then_some(Manner::Later);
                        }
                        work.push(user);
                    }
                    ValueKind::Awaited(_) => {}
                    _ => work.push(user),
                }
            }
        }
        None
    }

    /// Whether a wrapper of the project hands a closure to a thread.
    fn elsewhere(&self, part: FunctionId) -> Option<Manner> {
        let handed = self.cx.program.handed_over(part);
        let mut runs = handed.iter().map(|hand_over| hand_over.runs);
        runs.any(|runs| matches!(runs, Runs::Thread | Runs::Process)).then_some(Manner::Thread)
    }
}
