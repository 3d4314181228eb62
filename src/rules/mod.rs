//! The rules: each is about one assumption that concurrent code rests on.
//!
//! What a rule is called, how loud it is and what it means stands in its document, `rules/<rule>.md`, which is part of
//! the binary; README, `tenth rules`, `tenth explain` and the reports take it from here.

mod advice;
mod blocking_in_async;
mod blocking_through_call;
mod broken_syntax;
mod cancel_unsafe_branch;
pub mod context;
mod cross_thread_loop_call;
mod dangling_reference;
mod declared_shareable;
mod dropped_task;
mod elided_code;
mod entered_twice;
mod framework_contract;
mod guard_dropped_at_once;
mod half_migrated_async;
mod ineffective_lock;
mod info;
mod iteration_across_await;
mod late_binding;
mod leftover_stub;
mod lock_across_await;
mod lock_not_released;
mod lock_order_inversion;
mod lock_reentry;
mod loop_bound_at_import;
mod loop_without_yield;
mod lost_signal;
mod lost_wakeup;
mod manner;
mod nested_event_loop;
mod on_failure;
mod racy_atomic;
mod relaxed_publication;
mod shared_with_thread;
mod slow_await_under_lock;
mod stale_read_across_await;
mod stale_read_before_lock;
mod stale_read_before_start;
mod stale_read_behind_lock;
mod stale_read_in_store;
mod started_too_early;
mod starved_task;
mod swallowed_cancellation;
mod synchronisation_removed;
mod takings;
mod unawaited_call;
mod unguarded_shared_state;
mod unprotected_cleanup;
mod wait_under_lock;
mod worse;

use std::sync::OnceLock;

use crate::analysis::{FunctionId, ModuleId, Program};
use crate::error::nearest_of;
use crate::flow::FunctionIndex;
use crate::text::Language;
use crate::verdict::Verdict;

use context::RuleContext;
use manner::{Gone, OnBoth, Whole};

pub use info::{Family, RuleInfo, Status};
pub use worse::{Worse, weigh};

macro_rules! documents {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../rules/", $name, ".md")))),*]
    };
}

/// The one list of rules, by family and then in the order in which a reader should meet them.
static DOCUMENTS: &[(&str, &str)] = documents![
    "blocking-in-async",
    "blocking-through-call",
    "nested-event-loop",
    "loop-without-yield",
    "lock-across-await",
    "lock-reentry",
    "lock-order-inversion",
    "wait-under-lock",
    "slow-await-under-lock",
    "lock-not-released",
    "guard-dropped-at-once",
    "ineffective-lock",
    "synchronisation-removed",
    "stale-read-across-await",
    "iteration-across-await",
    "unguarded-shared-state",
    "racy-atomic",
    "lost-wakeup",
    "cross-thread-loop-call",
    "unawaited-call",
    "dropped-task",
    "cancel-unsafe-branch",
    "starved-task",
    "swallowed-cancellation",
    "unprotected-cleanup",
    "framework-contract",
    "loop-bound-at-import",
    "half-migrated-async",
    "dangling-reference",
    "leftover-stub",
    "elided-code",
    "broken-syntax",
];

/// How a rule looks at the code.
enum Check {
    /// One function at a time.
    Function(fn(&RuleContext, FunctionId, &mut Vec<Verdict>)),
    /// One file at a time.
    Module(fn(&RuleContext, ModuleId, &mut Vec<Verdict>)),
    /// All files at once.
    Program(fn(&RuleContext, &[ModuleId], &mut Vec<Verdict>)),
}

/// The checks, in the order of the documents; those of the whole program come last.
static CHECKS: &[Check] = &[
    Check::Function(blocking_in_async::check),
    Check::Function(blocking_through_call::check),
    Check::Function(nested_event_loop::check),
    Check::Function(loop_without_yield::check),
    Check::Function(lock_across_await::check),
    Check::Function(lock_reentry::check),
    Check::Function(wait_under_lock::check),
    Check::Function(slow_await_under_lock::check),
    Check::Function(lock_not_released::check),
    Check::Function(guard_dropped_at_once::check),
    Check::Function(ineffective_lock::check),
    Check::Function(stale_read_across_await::check),
    Check::Function(entered_twice::check),
    Check::Function(stale_read_before_lock::check),
    Check::Function(stale_read_before_start::check),
    Check::Function(stale_read_behind_lock::check),
    Check::Function(stale_read_in_store::check),
    Check::Function(iteration_across_await::check),
    Check::Module(unguarded_shared_state::check),
    Check::Function(shared_with_thread::check),
    Check::Function(started_too_early::check),
    Check::Module(declared_shareable::check),
    Check::Function(late_binding::check),
    Check::Function(racy_atomic::check),
    Check::Function(lost_wakeup::check),
    Check::Function(cross_thread_loop_call::check),
    Check::Function(unawaited_call::check),
    Check::Function(dropped_task::check),
    Check::Function(cancel_unsafe_branch::check),
    Check::Function(starved_task::check),
    Check::Function(swallowed_cancellation::check),
    Check::Function(unprotected_cleanup::check),
    Check::Function(framework_contract::check),
    Check::Function(loop_bound_at_import::check),
    Check::Function(half_migrated_async::check),
    Check::Function(dangling_reference::check),
    Check::Module(elided_code::check),
    Check::Module(broken_syntax::check),
    Check::Program(leftover_stub::check),
    Check::Program(lock_order_inversion::check),
];

/// Compares the two sides of a function.
type Comparison = fn(&OnBoth, &mut Vec<Gone>);

/// The questions about what the change took away from a function, in the order of the documents, and where they are
/// asked: in Python tasks outlive their functions by custom, and a lock is named, so that other rules see more of it.
static COMPARISONS: &[(&[Language], Comparison)] = &[
    (BOTH, blocking_through_call::brought_back::check),
    (RUST, nested_event_loop::brought_back::check),
    (BOTH, loop_without_yield::gave_way::check),
    (BOTH, lock_order_inversion::turned_round::check),
    (RUST, wait_under_lock::widened::check),
    (RUST, stale_read_behind_lock::let_go::check),
    (RUST, racy_atomic::weakened::check),
    (RUST, lost_wakeup::at_once::check),
    (RUST, lost_wakeup::left_pending::check),
    (RUST, lost_wakeup::watched_late::check),
    (BOTH, unawaited_call::no_longer::check),
    (RUST, dropped_task::let_go::check),
    (RUST, cancel_unsafe_branch::guard_gone::check),
    (RUST, starved_task::in_turn::check),
    (PYTHON, dropped_task::no_longer_awaited::check),
    (PYTHON, lock_not_released::given_back::check),
    (PYTHON, stale_read_across_await::looked_again::check),
    (PYTHON, iteration_across_await::copied::check),
    (PYTHON, lost_wakeup::on_failure::check),
    (PYTHON, lost_wakeup::unsignalled::check),
    (PYTHON, lost_wakeup::endless::check),
    (PYTHON, cross_thread_loop_call::handed_back::check),
    (PYTHON, swallowed_cancellation::undecided::check),
    (PYTHON, unprotected_cleanup::uncovered::check),
    (PYTHON, framework_contract::settled::check),
];

/// Says which verdicts of the after side weigh more, by what the before side had.
type Weighing = fn(&OnBoth, &mut Vec<Worse>);

/// What the change took away that answered a question or saw to a hazard, where another rule speaks of what is left.
static WEIGHINGS: &[(&[Language], Weighing)] = &[
    (BOTH, blocking_through_call::brought_back::weigh),
    (RUST, racy_atomic::weakened::weigh),
    (RUST, stale_read_behind_lock::let_go::weigh),
    (PYTHON, stale_read_across_await::unlocked::weigh),
    (PYTHON, iteration_across_await::copied::weigh),
    (PYTHON, iteration_across_await::unlocked::weigh),
    (PYTHON, swallowed_cancellation::kept::weigh),
];

const RUST: &[Language] = &[Language::Rust];
const PYTHON: &[Language] = &[Language::Python];
const BOTH: &[Language] = &[Language::Python, Language::Rust];

/// What the rules say of some files.
#[derive(Debug, Default)]
pub struct Said {
    /// The verdicts, by file, rule and function.
    pub verdicts: Vec<Verdict>,
    /// Functions that a rule could not be applied to because it failed.
    pub failed: Vec<FunctionId>,
}

/// What every rule says of these files, in their order. A rule that fails on a function costs that function only.
pub fn verdicts(program: &Program, modules: &[ModuleId]) -> Said {
    let cx = RuleContext { program };
    let mut said = Said::default();
    for &module in modules {
        for check in CHECKS {
            match check {
                Check::Function(check) => {
                    for id in program.functions_of(module) {
                        said.guarded(program, id, |out| check(&cx, id, out));
                    }
                }
                Check::Module(check) => {
                    let id = FunctionId { module, index: FunctionIndex(0) };
                    said.guarded(program, id, |out| check(&cx, module, out));
                }
                Check::Program(_) => {}
            }
        }
    }
    for check in CHECKS {
        if let (Check::Program(check), Some(&module)) = (check, modules.first()) {
            said.guarded(program, FunctionId { module, index: FunctionIndex(0) }, |out| check(&cx, modules, out));
        }
    }
    said
}

/// What the rules that look at functions say of one function.
pub fn of_function(program: &Program, id: FunctionId) -> Said {
    let cx = RuleContext { program };
    let mut said = Said::default();
    for check in CHECKS {
        match check {
            Check::Function(check) => said.guarded(program, id, |out| check(&cx, id, out)),
            Check::Module(_) | Check::Program(_) => {}
        }
    }
    said
}

/// What the rules that see both sides of a function say of it.
#[derive(Debug, Default)]
pub struct SaidOfBoth {
    /// The verdicts of the before side.
    pub before: Vec<Verdict>,
    /// The verdicts of the after side.
    pub after: Vec<Verdict>,
    /// What makes verdicts of the after side louder that other rules have given.
    pub worse: Vec<Worse>,
    /// Whether a rule failed on it.
    pub has_failed: bool,
}

/// What the rules that see both sides say of a function, which stands on each by its own id. The first is the one that
/// may have had what the second lacks.
pub fn of_both_sides<'a>(before: (&Program<'a>, FunctionId), after: (&Program<'a>, FunctionId)) -> SaidOfBoth {
    let (was, is) = (RuleContext { program: before.0 }, RuleContext { program: after.0 });
    let mut said = SaidOfBoth::default();
    let check = || {
        let mut said = SaidOfBoth::default();
        synchronisation_removed::check(&was, before.1, &is, after.1, &mut said.before, &mut said.after);
        if !is.program.is_test_code(after.1) {
            let both = OnBoth::of(Whole::of(&was, before.1), Whole::of(&is, after.1));
            let language = is.language(after.1.module);
            let mut gone = Vec::new();
            for (_, check) in COMPARISONS.iter().filter(|(languages, _)| languages.contains(&language)) {
                check(&both, &mut gone);
            }
            gone.into_iter().for_each(|gone| said.add(&was, gone));
            for (_, weigh) in WEIGHINGS.iter().filter(|(languages, _)| languages.contains(&language)) {
                weigh(&both, &mut said.worse);
            }
        }
        // Whatever came in the place of an await has been told by now.
        if said.after.is_empty() {
            let left = half_migrated_async::left_async::check((&was, before.1), (&is, after.1));
            left.into_iter().for_each(|gone| said.add(&was, gone));
        }
        said
    };
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(check)) {
        Ok(found) => said = found,
        Err(_) => {
            before.0.give_up_questions();
            after.0.give_up_questions();
            said.has_failed = true;
        }
    }
    said
}

impl SaidOfBoth {
    fn add(&mut self, was: &RuleContext, gone: Gone) {
        let (held, asked) = gone.of_both(was);
        self.before.push(held);
        self.after.push(asked);
    }
}

impl Said {
    fn guarded(&mut self, program: &Program, id: FunctionId, check: impl FnOnce(&mut Vec<Verdict>)) {
        let mut out = Vec::new();
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&mut out)));
        if done.is_err() {
            program.give_up_questions();
            if !self.failed.contains(&id) {
                self.failed.push(id);
            }
        }
        self.verdicts.extend(out);
    }
}

/// Every rule, by family.
pub fn all() -> &'static [RuleInfo] {
    static RULES: OnceLock<Vec<RuleInfo>> = OnceLock::new();
    RULES.get_or_init(|| {
        let read = |&(name, text): &(&'static str, &'static str)| info::read(name, text);
        // The documents are part of the binary, and a test reads each of them.
        DOCUMENTS.iter().map(read).collect::<Result<_, _>>().expect("the embedded documents have sound heads")
    })
}

/// A rule by its name.
pub fn info(name: &str) -> Option<&'static RuleInfo> {
    all().iter().find(|rule| rule.name == name)
}

/// The rule whose name is most like one that is none, if any is like it.
pub fn nearest(name: &str) -> Option<&'static str> {
    nearest_of(name, all().iter().map(|rule| rule.name))
}

/// Whether a rule says something only of a change, and nothing of files as they stand.
pub fn compares_sides(name: &str) -> bool {
    name == synchronisation_removed::NAME
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_read_and_found_by_its_name() {
        assert_eq!(all().len(), DOCUMENTS.len());
        for rule in all() {
            assert_eq!(info(rule.name), Some(rule));
        }
    }

    #[test]
    fn rules_stand_by_family() {
        assert!(all().is_sorted_by_key(|rule| rule.family));
    }
}
