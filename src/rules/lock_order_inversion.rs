//! Two locks are taken in one order here and in the other there, or three in a ring.
//!
//! ~~~text
//! transfer   holds ledger.LOCK      takes Account._lock      ledger.LOCK   -> Account._lock
//! close      holds Account._lock    calls audit, which takes ledger.LOCK   Account._lock -> ledger.LOCK
//! ~~~
//!
//! A lock is known across functions by the field or static that it is. Two locks of one object count only where both
//! are reached through the same one; a way that runs under a third lock, as its counterpart does, is kept apart by it.

pub(super) mod turned_round;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::analysis::held::{Waits, What};
use crate::analysis::locks::{Lock, LockRoot};
use crate::analysis::summary::Pair;
use crate::analysis::{FunctionId, ModuleId, mentions};
use crate::catalogue::{Flavour, LockKind, Mode};
use crate::flow::{Collection, Field, Function, Root, ValueKind};
use crate::verdict::{Confidence, Location, Verdict};

use super::context::RuleContext;

const NAME: &str = "lock-order-inversion";

/// How many files beside the changed ones are looked through, and how many of them read.
const MOST_FILES: usize = 256;
const MOST_READ: usize = 24;

/// How many places that go against one order are named.
const MOST_PLACES: usize = 3;

/// One way to wait for a lock while another is held.
struct Way {
    by: FunctionId,
    pair: Pair,
    is_changed: bool,
}

impl Way {
    /// The place in its function: its own acquisition, or its call.
    fn place(&self) -> Location {
        self.pair.hops.get(1).map_or(&self.pair.at, |hop| &hop.at).clone()
    }
}

/// The ways by the held and the taken lock.
type Ways = BTreeMap<(String, String), Vec<Way>>;

pub(super) fn check(cx: &RuleContext, modules: &[ModuleId], out: &mut Vec<Verdict>) {
    let mut ways = Ways::new();
    for &module in modules {
        cx.program.functions_of(module).for_each(|id| collect(cx, id, true, &mut ways));
    }
    if ways.is_empty() {
        return;
    }
    elsewhere(cx, modules, &mut ways);
    let edges: Vec<&(String, String)> = ways.keys().collect();
    for edge in &edges {
        let (one, two) = (&edge.0, &edge.1);
        if one < two
            && let Some(back) = ways.get(&(two.clone(), one.clone()))
        {
            opposed(cx, &ways[*edge], back, out);
        }
    }
    let has_reverse = |edge: &(String, String)| ways.contains_key(&(edge.1.clone(), edge.0.clone()));
    for first in edges.iter().filter(|edge| edge.0 < edge.1 && !has_reverse(edge)) {
        for second in edges.iter().filter(|edge| edge.0 == first.1 && edge.1 > first.0 && !has_reverse(edge)) {
            let third = (second.1.clone(), first.0.clone());
            if let Some(third) = ways.get(&third) {
                ring(cx, [&ways[*first], &ways[*second], third], out);
            }
        }
    }
}

/// Two ways that meet head on.
fn opposed(cx: &RuleContext, there: &[Way], back: &[Way], out: &mut Vec<Verdict>) {
    let mut writers: BTreeMap<String, Vec<FunctionId>> = BTreeMap::new();
    for read in there.iter().flat_map(|way| back.iter().filter_map(|other| meets_as_reader(&[&way.pair, &other.pair])))
    {
        if let Some(class) = key(read) {
            writers.entry(class.to_owned()).or_insert_with(|| writers_of(cx, class));
        }
    }
    let meet = |way: &Way, other: &Way| {
        let pairs = [&way.pair, &other.pair];
        let is_third = |by: &FunctionId| *by != way.by && *by != other.by;
        let is_written = |read: &Lock| {
            let writers = key(read).and_then(|class| writers.get(class));
            writers.is_some_and(|writers| writers.iter().any(is_third))
        };
        may_meet(&pairs) && meets_as_reader(&pairs).is_none_or(is_written)
    };
    let meets = |way: &Way, others: &[Way]| others.iter().any(|other| meet(way, other));
    let there_meets: Vec<&Way> = there.iter().filter(|way| meets(way, back)).collect();
    let back_meets: Vec<&Way> = back.iter().filter(|way| meets(way, there)).collect();
    let latest = |ways: &[&Way]| ways.iter().map(|way| way.place()).max();
    // The rarer order is the odd one; where both are as common, the one that stands later.
    let is_there_odd = there_meets.len() < back_meets.len()
        || there_meets.len() == back_meets.len() && latest(&there_meets) > latest(&back_meets);
    let (odd, usual) = if is_there_odd { (there_meets, back_meets) } else { (back_meets, there_meets) };
    // A finding stands in the change.
    let (odd, usual) = if odd.iter().any(|way| way.is_changed) { (odd, usual) } else { (usual, odd) };
    let mut named = BTreeSet::new();
    for way in odd.iter().filter(|way| way.is_changed) {
        if named.len() == MOST_PLACES || !named.insert(way.by) {
            continue;
        }
        let others = || usual.iter().filter(|other| meet(way, other));
        // What needs no writer is said rather than what does.
        let strict = others().find(|other| meets_as_reader(&[&way.pair, &other.pair]).is_none());
        let Some(other) = strict.or_else(|| others().next()) else { continue };
        let (held, taken) = (&way.pair.held.name, &way.pair.taken.name);
        let (this, that) = (cx.function(way.by), cx.function(other.by));
        let when = match meets_as_reader(&[&way.pair, &other.pair]) {
            Some(read) => format!(", as soon as somebody waits to write `{}`", read.name),
            None => String::new(),
        };
        let message = format!(
            "`{}` takes `{taken}` while it holds `{held}`, and `{}` takes the same two the other way round: the two \
             wait for each other for ever{when}",
            this.name, that.qualified
        );
        out.push(verdict(cx, &[way, other], message));
    }
}

/// Three ways that wait for each other in a ring.
fn ring(cx: &RuleContext, ways: [&Vec<Way>; 3], out: &mut Vec<Verdict>) {
    let [first, second, third] = ways;
    let all = first
        .iter()
        .flat_map(|one| second.iter().flat_map(move |two| third.iter().map(move |three| [one, two, three])));
    let met =
        all.take(MOST_FILES).find(|ring| ring.iter().any(|way| way.is_changed) && may_meet(&ring.map(|way| &way.pair)));
    let Some(mut ring) = met else { return };
    // The last in the change is where the ring closes.
    let last = (0..3).max_by_key(|at| (ring[*at].is_changed, ring[*at].place())).unwrap_or(0);
    ring.rotate_left(last);
    let part = |way: &Way| {
        format!(
            "`{}` takes `{}` while it holds `{}`",
            cx.function(way.by).name,
            way.pair.taken.name,
            way.pair.held.name
        )
    };
    let [one, two, three] = ring.map(part);
    out.push(verdict(cx, &ring, format!("{one}, {two} and {three}: the three wait for each other for ever")));
}

fn verdict(cx: &RuleContext, ways: &[&Way], message: String) -> Verdict {
    let first = ways[0];
    let mut names: Vec<String> = ways.iter().map(|way| format!("`{}`", way.pair.held.name)).collect();
    names.sort();
    let of_one = |way: &&Way| way.pair.held.is_resolved && way.pair.taken.is_resolved && is_of_one(&way.pair);
    let pairs: Vec<&Pair> = ways.iter().map(|way| &way.pair).collect();
    let is_sure = ways.iter().all(of_one) && meets_as_reader(&pairs).is_none();
    let confidence = if is_sure { Confidence::High } else { Confidence::Medium };
    let mut verdict = cx
        .violated(NAME, confidence, first.by, first.place().span, &names.join(", "))
        .assumes(format!("{} are taken in one order everywhere", names.join(" and ")))
        .says(message)
        .helps("take them in one order everywhere, or let the first go before the second is taken");
    for way in ways {
        let (held, taken) = (&way.pair.held.name, &way.pair.taken.name);
        verdict = verdict
            .evidence(way.pair.held_at.clone(), format!("`{held}` is taken here"))
            .evidence(way.pair.at.clone(), format!("`{taken}` is taken here, with `{held}` held"));
    }
    ways.iter().fold(verdict, |verdict, way| verdict.trace(way.pair.hops.iter().cloned()))
}

/// Whether ways, each of which waits for what the next one holds, may do so at the same time.
fn may_meet(ways: &[&Pair]) -> bool {
    // A reader waits for another one behind somebody who waits to write, unless it may pass him. Where that would have
    // to come together twice, nothing is said.
    let readers: Vec<&Lock> = readers(ways).collect();
    let waits = match readers[..] {
        [] => true,
        [reader] => ways.len() == 2 && !reader.is_reentrant,
        _ => false,
    };
    let guards = |pair: &Pair, lock: &Lock| {
        pair.under.iter().any(|other| key(other).is_some() && key(other) == key(lock) && !other.shares_with(lock))
    };
    let involved: Vec<_> = ways.iter().map(|way| key(&way.held)).collect();
    let is_kept_apart = ways[0]
        .under
        .iter()
        .any(|gate| !involved.contains(&key(gate)) && ways[1..].iter().all(|way| guards(way, gate)));
    waits && !is_kept_apart
}

/// The locks of a ring that one way takes as a reader and the next one holds as a reader.
fn readers<'p>(ways: &[&'p Pair]) -> impl Iterator<Item = &'p Lock> {
    let next = |at: usize| ways[(at + 1) % ways.len()];
    ways.iter().enumerate().filter_map(move |(at, way)| {
        (way.taken.mode == Mode::Shared && next(at).held.mode == Mode::Shared).then_some(&*way.taken)
    })
}

/// The lock for which ways that may meet wait only behind a writer.
fn meets_as_reader<'p>(ways: &[&'p Pair]) -> Option<&'p Lock> {
    readers(ways).next()
}

/// Who is known to wait until he may write what a lock protects.
fn writers_of(cx: &RuleContext, class: &str) -> Vec<FunctionId> {
    let functions = cx.program.loaded().into_iter().flat_map(|module| cx.program.functions_of(module));
    let writes = |id: &FunctionId| {
        cx.facts(*id).events.iter().any(|event| {
            matches!(&event.what, What::Acquire(taken, Waits::Yes)
                if taken.mode == Mode::Exclusive && key(taken) == Some(class))
        })
    };
    functions.filter(writes).collect()
}

/// Adds a function's own ways.
fn collect(cx: &RuleContext, id: FunctionId, is_changed: bool, ways: &mut Ways) {
    let function = cx.function(id);
    // Nobody else knows an object that is being made; tests take locks as it pleases them.
    if function.name == "__init__" || cx.program.is_test_code(id) {
        return;
    }
    for pair in &cx.program.summary(id).pairs {
        let pair = &as_seen_around(cx, id, pair);
        let (Some(held), Some(taken)) = (key(&pair.held), key(&pair.taken)) else { continue };
        let is_one_object = owner(held) != owner(taken) || is_of_one(pair);
        if held == taken || !is_one_object || is_made_here(&function, id, pair) {
            continue;
        }
        let known = ways.entry((held.to_owned(), taken.to_owned())).or_default();
        let is_known = known.iter().any(|way| way.pair.at == pair.at && way.pair.held_at == pair.held_at);
        if !is_known {
            known.push(Way { by: id, pair: pair.clone(), is_changed });
        }
    }
}

/// A way of a closure or block, with what it captures named as the function around it does: two clones that were made
/// for a task of two locks of one object are locks of one object.
fn as_seen_around(cx: &RuleContext, id: FunctionId, pair: &Pair) -> Pair {
    let seen = |lock: &Arc<Lock>| cx.program.as_seen_around(id, lock);
    Pair {
        held: seen(&pair.held),
        taken: seen(&pair.taken),
        under: pair.under.iter().map(seen).collect(),
        ..pair.clone()
    }
}

/// Ways in files that did not change: those that are loaded, and those beside the changed ones that name both locks.
fn elsewhere(cx: &RuleContext, modules: &[ModuleId], ways: &mut Ways) {
    let last = |key: &str| key.rsplit(['.', ':']).next().unwrap_or_default().to_owned();
    let pairs: BTreeSet<(String, String)> = ways.keys().map(|(held, taken)| (last(held), last(taken))).collect();
    let names: BTreeSet<&String> = pairs.iter().flat_map(|(held, taken)| [held, taken]).collect();
    let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    let keys = ways.keys().flat_map(|(held, taken)| [held, taken]);
    let mut folders: BTreeSet<String> = keys.filter_map(|key| Some(folder(key.split_once(':')?.0))).collect();
    folders.extend(modules.iter().map(|module| folder(&cx.program.module(*module).path)));
    let loader = cx.program.loader();
    let side = cx.program.side;
    let beside = loader.files(side);
    let is_open = |path: &&Arc<str>| folders.contains(&folder(path)) && !cx.program.is_loaded(path);
    let beside: Vec<Arc<str>> = beside.iter().filter(is_open).take(MOST_FILES).cloned().collect();
    // One of the two may be taken further down, by a callee or a decorator; files with both come first.
    let has_one = |bytes: &[u8]| names.iter().any(|name| mentions(bytes, name));
    let has_pair = |bytes: &[u8]| pairs.iter().any(|(held, taken)| mentions(bytes, held) && mentions(bytes, taken));
    let with_one = loader.mentioning(side, &beside, &has_one);
    let with_both = loader.mentioning(side, &with_one, &has_pair);
    let others = with_one.iter().filter(|path| !with_both.contains(path));
    for path in with_both.iter().chain(others).take(MOST_READ) {
        cx.program.module_at(path);
    }
    for module in cx.program.loaded().into_iter().filter(|module| !modules.contains(module)) {
        let file = cx.program.module(module);
        for (index, function) in file.functions() {
            if names_one_of(function, &names) {
                collect(cx, FunctionId { module, index }, false, ways);
            }
        }
    }
}

fn names_one_of(function: &Function, names: &BTreeSet<&String>) -> bool {
    function.values.iter().any(|value| match &value.kind {
        ValueKind::Place(place) => match place.fields.last() {
            Some(Field::Name(name)) => names.contains(name),
            Some(Field::Index) => false,
            None => matches!(&place.root, Root::Global(path) if path.last().is_some_and(|last| names.contains(last))),
        },
        ValueKind::Field(_, name) => names.contains(name),
        ValueKind::Path(path, _) => path.last().is_some_and(|last| names.contains(last)),
        _ => false,
    })
}

/// What a lock is called across functions, if it is one for which two may wait in turn.
fn key(lock: &Lock) -> Option<&str> {
    let is_exclusive = matches!(lock.kind, LockKind::Mutex | LockKind::Rwlock | LockKind::Condition);
    let is_waited_for = matches!(lock.flavour, Flavour::Blocking | Flavour::Async);
    let class = lock.place.class.as_deref()?;
    (is_exclusive && is_waited_for && lock.place.is_exact && lock.is_resolved).then_some(class)
}

/// The type whose field a lock is; a static has none but itself.
fn owner(key: &str) -> &str {
    key.rsplit_once('.').map_or(key, |(owner, _)| owner)
}

/// Whether two locks certainly belong together: statics, or fields of one object.
fn is_of_one(pair: &Pair) -> bool {
    let (held, taken) = (&pair.held.place, &pair.taken.place);
    let is_static = |root: &LockRoot| matches!(root, LockRoot::Static(_));
    let above = |fields: &[String]| fields.len().saturating_sub(1);
    is_static(&held.root) && is_static(&taken.root)
        || held.root == taken.root && held.fields[..above(&held.fields)] == taken.fields[..above(&taken.fields)]
}

/// Whether one of the locks belongs to an object that the function makes, so that nobody else can hold it.
fn is_made_here(function: &Function, id: FunctionId, pair: &Pair) -> bool {
    [&pair.held, &pair.taken].into_iter().any(|lock| match lock.place.root {
        LockRoot::Local(owner, variable) if owner == id => function.steps().any(|(_, _, step)| match step.kind {
            crate::flow::StepKind::Bind(to, value) if to == variable => match &function.value(value).kind {
                ValueKind::Collection(Collection::Struct(_), _) => true,
                ValueKind::Call(call) => matches!(&call.callee, crate::flow::Callee::Path(path)
                    if path.last().is_some_and(|last| last == "new" || last.starts_with(char::is_uppercase))),
                _ => false,
            },
            _ => false,
        }),
        _ => false,
    })
}
