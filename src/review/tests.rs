//! Reviews of small changes with verdicts made by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::change::{ChangeSet, Description};
use crate::rules::{RuleInfo, Status as Maturity};
use crate::text::Span;
use crate::verdict::{Location, Verdict};

/// A few rules as they would describe themselves.
static RULES: std::sync::LazyLock<Vec<RuleInfo>> = std::sync::LazyLock::new(|| {
    let rule = |name, family, severity| RuleInfo {
        name,
        family,
        severity,
        status: Maturity::Stable,
        summary: format!("about {name}"),
        assumption: format!("{name} does not happen"),
        languages: Vec::new(),
        since: "0.1.0".to_owned(),
        document: "",
    };
    vec![
        rule("lock-reentry", Family::Locks, Level::Error),
        rule("blocking-in-async", Family::Blocking, Level::Error),
        rule("stale-read-across-await", Family::State, Level::Warning),
        rule("leftover-stub", Family::Unfinished, Level::Error),
    ]
});

pub(crate) fn rule(name: &str) -> &'static RuleInfo {
    RULES.iter().find(|rule| rule.name == name).unwrap()
}

/// A violated verdict of high confidence at some bytes.
pub(crate) fn verdict(rule: &'static str, path: &str, span: std::ops::Range<usize>) -> Verdict {
    let at = Location { path: path.into(), span: Span::of(span) };
    Verdict::new(rule, verdict::Stance::Violated(verdict::Confidence::High), at, "f", "subject").says("it is wrong")
}

/// A change between texts, with what the floors below would say of it.
pub(crate) struct Story {
    change: ChangeSet,
    sources: Sources,
    pub(crate) items: Vec<ItemRange>,
    pub(crate) before: Vec<Verdict>,
    pub(crate) after: Vec<Verdict>,
    pub(crate) signals: Vec<Signal>,
    pub(crate) suppressions: Vec<Suppression>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) said: Vec<Said>,
    pub(crate) facts: Vec<FunctionFacts>,
    pub(crate) options: Options,
    texts: [BTreeMap<String, String>; 2],
}

impl Story {
    /// Functions are taken to start at `def` and to end before the next line that is not indented.
    pub(crate) fn new(before: &[(&str, &str)], after: &[(&str, &str)]) -> Self {
        let texts = |files: &[(&str, &str)]| -> BTreeMap<String, String> {
            files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
        };
        let texts = [texts(before), texts(after)];
        let description = Description { kind: Kind::Range, before: None, after: None, how: "made up".to_owned() };
        let change = ChangeSet::in_memory(description, texts[0].clone(), texts[1].clone());
        let mut sources = Sources::of_change(&change);
        let mut items = Vec::new();
        for (side, files) in [(Side::Before, &texts[0]), (Side::After, &texts[1])] {
            for (path, text) in files {
                sources.insert(side, path.as_str().into(), text.as_str().into());
                items.extend(functions(side, path, text));
            }
        }
        Self {
            change,
            sources,
            items,
            before: Vec::new(),
            after: Vec::new(),
            signals: Vec::new(),
            suppressions: Vec::new(),
            notices: Vec::new(),
            said: Vec::new(),
            facts: Vec::new(),
            options: Options::default(),
            texts,
        }
    }

    /// The place of a text on one side; `nth` from 0.
    pub(crate) fn at(&self, side: Side, path: &str, text: &str, nth: usize) -> Location {
        let file = &self.texts[if side == Side::Before { 0 } else { 1 }][path];
        let (start, _) = file.match_indices(text).nth(nth).unwrap();
        Location { path: path.into(), span: Span::of(start..start + text.len()) }
    }

    /// A violated verdict about `text` at its `nth` place, within whatever function stands there.
    pub(crate) fn violated(&self, side: Side, rule: &'static str, path: &str, text: &str, nth: usize) -> Verdict {
        let at = self.at(side, path, text, nth);
        let line = self.sources.lines(side, &at).0;
        let around = self
            .items
            .iter()
            .filter(|item| item.side == side && &*item.path == path && item.first <= line && line <= item.last);
        let function = around.map(|item| item.name.clone()).next_back().unwrap_or_default();
        Verdict::new(rule, verdict::Stance::Violated(verdict::Confidence::High), at, &function, text)
            .assumes(format!("`{text}` is fine"))
            .says(format!("`{text}` is wrong"))
    }

    pub(crate) fn unproven(&self, side: Side, rule: &'static str, path: &str, text: &str, nth: usize) -> Verdict {
        let mut verdict = self.violated(side, rule, path, text, nth).asks(format!("Is `{text}` fine?"));
        verdict.stance = verdict::Stance::Unproven;
        verdict
    }

    pub(crate) fn review(&self) -> Review {
        review(&Material {
            change: &self.change,
            sources: &self.sources,
            before: &self.before,
            after: &self.after,
            rule: &|name| rule(name),
            items: &self.items,
            definitions: &[],
            signals: &self.signals,
            suppressions: &self.suppressions,
            notices: &self.notices,
            said: &self.said,
            facts: &self.facts,
            coverage: &[],
            commits: &[],
            options: &self.options,
        })
    }

    pub(crate) fn sources(&self) -> &Sources {
        &self.sources
    }
}

fn functions(side: Side, path: &str, text: &str) -> Vec<ItemRange> {
    let mut items: Vec<ItemRange> = Vec::new();
    let mut open = false;
    for (line, text) in (1..).zip(text.lines()) {
        let is_indented = text.starts_with(' ');
        if let Some(rest) = text.strip_prefix("async def ").or_else(|| text.strip_prefix("def ")) {
            let name = format!("{}.{}", path.trim_end_matches(".py"), rest.split('(').next().unwrap());
            let path: Arc<str> = path.into();
            items.push(ItemRange { path, side, name, kind: ItemKind::Function, first: line, last: line });
            open = true;
        } else if open && is_indented {
            items.last_mut().unwrap().last = line;
        } else if !text.is_empty() {
            open = false;
        }
    }
    items
}

const SLEEPY: &str = "import time\n\n\nasync def f():\n    a = 1\n    time.sleep(1)\n    return a\n";

fn origins(review: &Review) -> Vec<(Origin, u32)> {
    review.findings.iter().map(|finding| (finding.origin, finding.start.line)).collect()
}

fn hunk_lines(review: &Review, ids: &[String]) -> Vec<(String, u32)> {
    ids.iter().map(|id| review.hunk(id).map(|hunk| (hunk.path.clone(), hunk.after.start)).unwrap()).collect()
}

#[test]
fn what_stood_before_is_not_introduced() {
    let after = SLEEPY.replace("import time\n", "import os\nimport time\n");
    let mut story = Story::new(&[("m.py", SLEEPY)], &[("m.py", &after)]);
    story.before.push(story.violated(Side::Before, "blocking-in-async", "m.py", "time.sleep(1)", 0));
    story.after.push(story.violated(Side::After, "blocking-in-async", "m.py", "time.sleep(1)", 0));
    let review = story.review();
    assert!(review.findings.is_empty() && review.fixed.is_empty());
    assert_eq!(review.summary.hidden.scope, 1);
    assert_eq!(review.summary.verdict, Outcome::Clean);
    story.options.scope = Scope::All;
    assert_eq!(origins(&story.review()), [(Origin::Existing, 7)]);
}

#[test]
fn a_reversed_change_turns_introduced_into_fixed() {
    let quick = SLEEPY.replace("    time.sleep(1)\n", "");
    let mut story = Story::new(&[("m.py", &quick)], &[("m.py", SLEEPY)]);
    story.after.push(story.violated(Side::After, "blocking-in-async", "m.py", "time.sleep(1)", 0));
    let forth = story.review();
    assert_eq!(origins(&forth), [(Origin::Introduced, 6)]);
    assert!(forth.gates());

    let mut story = Story::new(&[("m.py", SLEEPY)], &[("m.py", &quick)]);
    story.before.push(story.violated(Side::Before, "blocking-in-async", "m.py", "time.sleep(1)", 0));
    let back = story.review();
    assert!(back.findings.is_empty() && !back.gates());
    assert_eq!(back.fixed.len(), 1);
    assert_eq!(back.fixed[0].id, forth.findings[0].id);
    assert_eq!(back.fixed[0].causes, [back.hunks[0].id.clone()]);
}

#[test]
fn a_second_one_of_a_kind_is_introduced_and_the_first_is_not() {
    let after = SLEEPY.replace("    return a", "    time.sleep(1)\n    return a");
    let mut story = Story::new(&[("m.py", SLEEPY)], &[("m.py", &after)]);
    story.before.push(story.violated(Side::Before, "blocking-in-async", "m.py", "time.sleep(1)", 0));
    // The order in which verdicts come does not matter.
    for nth in [1, 0] {
        story.after.push(story.violated(Side::After, "blocking-in-async", "m.py", "time.sleep(1)", nth));
    }
    story.options.scope = Scope::All;
    assert_eq!(origins(&story.review()), [(Origin::Introduced, 7), (Origin::Existing, 6)]);
}

#[test]
fn an_edited_line_is_reached_and_a_note() {
    let after = SLEEPY.replace("sleep(1)", "sleep(2)");
    let mut story = Story::new(&[("m.py", SLEEPY)], &[("m.py", &after)]);
    story.before.push(story.violated(Side::Before, "blocking-in-async", "m.py", "time.sleep", 0));
    story.after.push(story.violated(Side::After, "blocking-in-async", "m.py", "time.sleep", 0));
    let review = story.review();
    assert_eq!(origins(&review), [(Origin::Reached, 6)]);
    assert_eq!((review.findings[0].severity, review.findings[0].gating), (Level::Note, false));
    assert_eq!(review.summary.highlighted_hunks, 0);
}

#[test]
fn code_that_moves_to_another_file_introduces_nothing() {
    let rest = "import time\n\n\ndef g():\n    pass\n";
    let mut story = Story::new(
        &[("a.py", SLEEPY), ("b.py", rest)],
        &[("a.py", "import time\n"), ("b.py", &(rest.to_owned() + "\n\n" + &SLEEPY[14..]))],
    );
    story.before.push(story.violated(Side::Before, "blocking-in-async", "a.py", "time.sleep(1)", 0));
    story.after.push(story.violated(Side::After, "blocking-in-async", "b.py", "time.sleep(1)", 0));
    let review = story.review();
    assert!(review.fixed.is_empty());
    assert_eq!(review.findings[0].origin, Origin::Reached);
}

#[test]
fn a_fix_in_one_file_does_not_excuse_a_fault_in_an_untouched_one() {
    let caller = "from a import f\n\n\nasync def f2():\n    f()\n";
    let mut story = Story::new(&[("a.py", SLEEPY), ("c.py", caller)], &[("a.py", "x = 1\n"), ("c.py", caller)]);
    let mut old = story.violated(Side::Before, "blocking-in-async", "a.py", "time.sleep(1)", 0);
    let mut new = story.violated(Side::After, "blocking-in-async", "c.py", "f()", 0);
    old.subject = "same".into();
    new.subject = "same".into();
    old.function = "a.g".into();
    new.function = "c.g".into();
    story.before.push(old);
    story.after.push(new);
    let review = story.review();
    assert_eq!((review.findings[0].origin, review.fixed.len()), (Origin::Introduced, 1));
}

#[test]
fn what_is_listed_although_it_is_hidden_changes_no_verdict() {
    let mut story = Story::new(&[], &[("m.py", SLEEPY)]);
    story.after.push(story.violated(Side::After, "leftover-stub", "m.py", "time.sleep(1)", 0));
    story.options.scope = Scope::Line;
    assert_eq!(story.review().summary.verdict, Outcome::Unfinished);
    story.change.files[0].hunks.clear();
    let hidden = story.review();
    story.options.show_hidden = true;
    let listed = story.review();
    assert_eq!((hidden.findings.len(), listed.findings.len()), (0, 1));
    assert_eq!((hidden.summary.verdict, hidden.unfinished), (listed.summary.verdict, listed.unfinished));
}

#[test]
fn an_open_question_that_becomes_a_fault_is_introduced() {
    let after = SLEEPY.replace("a = 1", "a = 2");
    let mut story = Story::new(&[("m.py", SLEEPY)], &[("m.py", &after)]);
    story.before.push(story.unproven(Side::Before, "blocking-in-async", "m.py", "time.sleep(1)", 0));
    story.after.push(story.violated(Side::After, "blocking-in-async", "m.py", "time.sleep(1)", 0));
    assert_eq!(origins(&story.review()), [(Origin::Introduced, 6)]);
}

#[test]
fn a_question_that_stood_before_is_not_asked_again() {
    let after = SLEEPY.replace("a = 1", "a = 2");
    let mut story = Story::new(&[("m.py", SLEEPY)], &[("m.py", &after)]);
    story.after.push(story.unproven(Side::After, "blocking-in-async", "m.py", "time.sleep(1)", 0));
    assert_eq!(story.review().summary.open_questions, 1);
    story.before.push(story.unproven(Side::Before, "blocking-in-async", "m.py", "time.sleep(1)", 0));
    assert_eq!(story.review().summary.open_questions, 0);
}

#[test]
fn questions_about_one_thing_are_one_line() {
    let text = "async def f():\n    read(a)\n    read(a)\n    read(a)\n";
    let mut story = Story::new(&[], &[("m.py", text)]);
    for nth in 0..3 {
        story.after.push(story.unproven(Side::After, "stale-read-across-await", "m.py", "read(a)", nth));
    }
    let review = story.review();
    assert_eq!(review.summary.open_questions, 1);
    assert_eq!(review.assumptions[0].evidence.iter().map(|piece| piece.start.line).collect::<Vec<_>>(), [3, 4]);
    assert!(review.hunks[0].risk >= 40);
}

#[test]
fn the_cause_in_a_callee_is_not_the_hunk_beside_the_caller() {
    let callee = "def load():\n    return 1\n";
    let caller = "async def f():\n    x = 1\n    return load()\n";
    let mut story = Story::new(
        &[("callee.py", callee), ("caller.py", caller)],
        &[("callee.py", &callee.replace("return 1", "return get()")), ("caller.py", &caller.replace("x = 1", "x = 2"))],
    );
    let mut one = story.violated(Side::After, "blocking-in-async", "caller.py", "load()", 0);
    one.evidence.push(verdict::Evidence { at: story.at(Side::After, "callee.py", "get()", 0), note: "here".into() });
    story.after.push(one);
    let review = story.review();
    assert_eq!(hunk_lines(&review, &review.findings[0].causes), [("callee.py".to_owned(), 2)]);
    assert_eq!(hunk_lines(&review, &review.findings[0].context), [("caller.py".to_owned(), 2)]);
}

#[test]
fn a_deletion_without_a_line_of_its_own_is_a_cause() {
    let before = "async def f():\n    lock()\n    unlock()\n    x = 1\n    y = 2\n    await g()\n    z = 3\n    w = 4\n    v = 5\n";
    let after = before.replace("    unlock()\n", "").replace("w = 4", "w = 5");
    let mut story = Story::new(&[("m.py", before)], &[("m.py", &after)]);
    let mut one = story.violated(Side::After, "lock-reentry", "m.py", "await g()", 0);
    one.evidence.push(verdict::Evidence { at: story.at(Side::After, "m.py", "lock()", 0), note: "taken".into() });
    story.after.push(one);
    let review = story.review();
    assert_eq!(hunk_lines(&review, &review.findings[0].causes), [("m.py".to_owned(), 2)]);
    assert_eq!(review.findings[0].context.len(), 1);
    let shown = &review.findings[0].evidence[1];
    assert_eq!((shown.side, shown.start.line, shown.start.column, shown.end.column), (Side::Before, 3, 5, 13));
}

#[test]
fn what_was_removed_at_the_end_of_a_function_is_a_cause() {
    let before = "async def f():\n    lock()\n    x = 1\n    unlock()\n\n\ndef g():\n    y = 1\n";
    let after = before.replace("    unlock()\n", "").replace("y = 1", "y = 2");
    let mut story = Story::new(&[("m.py", before)], &[("m.py", &after)]);
    story.after.push(story.violated(Side::After, "lock-reentry", "m.py", "lock()", 0));
    let review = story.review();
    assert_eq!(hunk_lines(&review, &review.findings[0].causes), [("m.py".to_owned(), 3)]);
}

#[test]
fn evidence_that_went_is_a_cause_beside_changed_places() {
    let before = "async def f():\n    x = 1\n    check()\n    y = 1\n    z = 1\n    use(x)\n";
    let after = before.replace("    check()\n", "").replace("use(x)", "use(x, 1)");
    let mut story = Story::new(&[("m.py", before)], &[("m.py", &after)]);
    let mut held = story.violated(Side::Before, "stale-read-across-await", "m.py", "x = 1", 0);
    held.stance = verdict::Stance::Upheld;
    held.evidence.push(verdict::Evidence { at: story.at(Side::Before, "m.py", "check()", 0), note: "checked".into() });
    let mut broken = story.violated(Side::After, "stale-read-across-await", "m.py", "x = 1", 0);
    broken.evidence.push(verdict::Evidence { at: story.at(Side::After, "m.py", "use(x, 1)", 0), note: "used".into() });
    story.before.push(held);
    story.after.push(broken);
    let review = story.review();
    assert_eq!(review.findings[0].causes.len(), 2);
    assert_eq!(review.findings[0].origin, Origin::Introduced);
}

#[test]
fn a_function_that_became_async_blames_its_header() {
    let before = "def f():\n    x = 1\n    y = 2\n    sleep()\n    return 1\n";
    let after = before.replace("def f", "async def f").replace("return 1", "return 2");
    let mut story = Story::new(&[("m.py", before)], &[("m.py", &after)]);
    story.after.push(story.violated(Side::After, "blocking-in-async", "m.py", "sleep()", 0));
    let review = story.review();
    assert_eq!(hunk_lines(&review, &review.findings[0].causes), [("m.py".to_owned(), 1)]);
}

#[test]
fn a_finding_in_an_untouched_file_still_has_a_cause() {
    let caller = "async def f():\n    load()\n";
    let mut story = Story::new(
        &[("a.py", "x = 1\n"), ("b.py", "load = 1\n"), ("c.py", caller)],
        &[("a.py", "x = 2\n"), ("b.py", "load = 2\n"), ("c.py", caller)],
    );
    let mut one = story.violated(Side::After, "blocking-in-async", "c.py", "load()", 0);
    one.subject = "`pkg.load`".into();
    story.after.push(one);
    story.after.push(story.unproven(Side::After, "stale-read-across-await", "c.py", "load()", 0));
    let review = story.review();
    assert_eq!(hunk_lines(&review, &review.findings[0].causes), [("b.py".to_owned(), 1)]);
    // A guess is good enough to show where to look, and not to ask a question about.
    assert_eq!(review.summary.open_questions, 0);
}

#[test]
fn boring_hunks_leave_the_order_and_the_ids_of_the_others_alone() {
    let text = "async def f():\n    sleep()\n    x = 1\n\n\nasync def g():\n    read(a)\n\n\ndef h():\n    y = 1\n";
    let boring: Vec<(String, String)> =
        (0..30).map(|at| (format!("boring{at:02}.py"), format!("x{at} = {at}\n"))).collect();
    let make = |padded: bool| {
        let mut files = vec![("m.py", text)];
        if padded {
            files.extend(boring.iter().map(|(path, text)| (path.as_str(), text.as_str())));
        }
        let mut story = Story::new(&[], &files);
        story.after.push(story.violated(Side::After, "blocking-in-async", "m.py", "sleep()", 0));
        story.after.push(story.unproven(Side::After, "stale-read-across-await", "m.py", "read(a)", 0));
        story.signals.push(Signal {
            path: "m.py".into(),
            side: Side::After,
            first: 11,
            last: 11,
            name: "task-spawned",
            text: String::new(),
        });
        story.review()
    };
    let order = |review: &Review| {
        let mut hunks: Vec<Hunk> = review.hunks.iter().filter(|hunk| hunk.path == "m.py").cloned().collect();
        hunks.sort_by_key(|hunk| hunk.rank);
        hunks.into_iter().map(|hunk| (hunk.id, hunk.risk, hunk.reasons)).collect::<Vec<_>>()
    };
    let (plain, padded) = (make(false), make(true));
    assert_eq!(plain.hunks.len(), 3, "{:#?}", plain.hunks);
    assert_eq!(order(&plain), order(&padded));
    assert!(plain.hunks.iter().map(|hunk| hunk.risk).collect::<BTreeSet<_>>().len() == 3);
    let ranks: BTreeSet<u32> = padded.hunks.iter().map(|hunk| hunk.rank).collect();
    assert_eq!(ranks, (1..=33).collect());
    assert!(padded.highlighted()[0].path == "m.py");
}

#[test]
fn tests_comments_and_imports_sink() {
    let code = "def f():\n    x = 1\n    return x\n";
    let before = [("m.py", code), ("tests/test_m.py", code), ("c.py", code), ("i.py", "import a\n"), ("w.py", code)];
    let changed = code.replace("x = 1", "x = 2");
    let commented = code.replace("    return", "    # why\n    return");
    let spaced = code.replace("    return", "\n    return");
    let after = [
        ("m.py", changed.as_str()),
        ("tests/test_m.py", &changed),
        ("c.py", &commented),
        ("i.py", "import a\nimport b\n"),
        ("w.py", &spaced),
    ];
    let review = Story::new(&before, &after).review();
    let mut hunks: Vec<&Hunk> = review.hunks.iter().collect();
    hunks.sort_by_key(|hunk| hunk.rank);
    assert_eq!(hunks[0].path, "m.py");
    let sunk: Vec<&str> =
        review.hunks.iter().filter(|hunk| hunk.reasons.len() > 1).map(|hunk| hunk.path.as_str()).collect();
    assert_eq!(sunk, ["c.py", "i.py", "tests/test_m.py", "w.py"]);
    assert_eq!(review.summary.highlighted_hunks, 0);
}

#[test]
fn dedented_python_does_not_sink() {
    let before = "async def f():\n    with lock:\n        await g()\n";
    let after = "async def f():\n    with lock:\n    await g()\n";
    let review = Story::new(&[("m.py", before)], &[("m.py", after)]).review();
    assert!(review.hunks[0].reasons.iter().all(|reason| reason.points > 0));
}

#[test]
fn unfinished_work_is_handed_over() {
    let text = "def f():\n    pass\n\n\ndef g():\n    return 1\n";
    let mut story = Story::new(&[], &[("m.py", text)]);
    story.after.push(story.violated(Side::After, "leftover-stub", "m.py", "pass", 0));
    let review = story.review();
    assert_eq!(review.summary.verdict, Outcome::Unfinished);
    assert_eq!(review.unfinished, [review.findings[0].id.clone()]);
    let handoff = review.handoff.unwrap();
    assert_eq!(handoff.left[0].function, "m.f");
    assert_eq!((handoff.done.len(), handoff.done[0].function.as_str()), (1, "m.g"));
}

#[test]
fn gating_follows_the_level_that_was_asked_for() {
    let mut story = Story::new(&[], &[("m.py", SLEEPY)]);
    story.after.push(story.violated(Side::After, "stale-read-across-await", "m.py", "return a", 0));
    assert!(!story.review().gates());
    story.options.fail_on = Some(Level::Warning);
    assert!(story.review().gates());
    story.options.fail_on = None;
    assert!(!story.review().gates());
}

#[test]
fn evidence_beyond_the_fourth_goes_to_the_trace() {
    let mut story = Story::new(&[], &[("m.py", SLEEPY)]);
    let at = story.at(Side::After, "m.py", "a = 1", 0);
    let mut one = story.violated(Side::After, "lock-reentry", "m.py", "time.sleep(1)", 0);
    for number in 0..6 {
        one = one.evidence(at.clone(), format!("piece {number}"));
    }
    story.after.push(one);
    let finding = story.review().findings.remove(0);
    assert_eq!(finding.evidence.len(), MOST_EVIDENCE);
    assert_eq!(finding.trace.iter().map(|hop| hop.what.as_str()).collect::<Vec<_>>(), ["piece 4", "piece 5"]);
}

#[test]
fn several_ways_of_one_function_to_one_place_are_one_finding() {
    let text = "async def f():\n    a()\n    b()\n\n\nasync def g():\n    a()\n";
    let mut story = Story::new(&[], &[("m.py", text)]);
    let root = Location { path: "lib.py".into(), span: Span::new(0, 5) };
    for (call, nth) in [("a()", 0), ("b()", 0), ("a()", 1)] {
        let hop = verdict::Hop { function: "load".into(), at: root.clone(), what: "calls `get`".into() };
        story.after.push(story.violated(Side::After, "blocking-in-async", "m.py", call, nth).trace([hop]));
    }
    let review = story.review();
    let lines = |finding: &Finding| finding.evidence.iter().map(|piece| piece.start.line).collect::<Vec<_>>();
    assert_eq!(review.findings.len(), 2, "one in each function");
    assert_eq!((review.findings[0].start.line, lines(&review.findings[0])), (2, vec![3]));
    assert_eq!((review.findings[1].start.line, lines(&review.findings[1])), (7, vec![]));
}

#[test]
fn parts_of_one_thing_are_one_finding_at_the_loudest_that_names_them_all() {
    let text =
        "async def f():\n    a()\n    b()\n    c()\n    d()\n    e()\n    g()\n    h()\n\n\nasync def k():\n    a()\n";
    let mut story = Story::new(&[], &[("m.py", text)]);
    for (call, nth) in [("a()", 0), ("b()", 0), ("c()", 0), ("d()", 0), ("e()", 0), ("g()", 0), ("a()", 1)] {
        let one = story.violated(Side::After, "blocking-in-async", "m.py", call, nth).part_of("files");
        let level = if call == "c()" { Level::Warning } else { Level::Note };
        story.after.push(one.level(level));
    }
    story
        .after
        .push(story.violated(Side::After, "blocking-in-async", "m.py", "h()", 0).part_of("rows").level(Level::Note));
    let review = story.review();
    let lines: Vec<u32> = review.findings.iter().map(|finding| finding.start.line).collect();
    assert_eq!(lines, [4, 8, 12], "the loudest of the function, what is part of something else, another function");
    let told = &review.findings[0];
    let shown: Vec<(u32, &str)> = told.evidence.iter().map(|piece| (piece.start.line, piece.note.as_str())).collect();
    assert_eq!(
        shown,
        [
            (2, "and so does a()"),
            (3, "and so does b()"),
            (5, "and so does d()"),
            (6, "and so does e(), and at one more place")
        ]
    );
    let rest: Vec<(u32, &str)> = told.trace.iter().map(|hop| (hop.line, hop.what.as_str())).collect();
    assert_eq!(rest, [(7, "and so does g()")]);
}

#[test]
fn few_of_many_functions_speak_for_all_that_one_hunk_makes_wrong() {
    let caller = |name: &str| format!("async def {name}():\n    load()\n\n\n");
    let callers: String = ["a", "b", "c", "d", "e", "f", "g", "h"].map(caller).concat();
    let text = |load: &str| format!("{callers}def load():\n    {load}\n");
    let (before, after) = (text("read()"), text("sleep()"));
    let mut story = Story::new(&[("m.py", &before)], &[("m.py", &after)]);
    let at = after.find("sleep()").expect("it is there") as u32;
    let root = Location { path: "m.py".into(), span: Span::new(at, at + 7) };
    for nth in 0..8 {
        let hop = verdict::Hop { function: "load".into(), at: root.clone(), what: "calls `sleep`".into() };
        story.after.push(story.violated(Side::After, "blocking-in-async", "m.py", "load()", nth).trace([hop]));
    }
    let review = story.review();
    let lines: Vec<u32> = review.findings.iter().map(|finding| finding.start.line).collect();
    assert_eq!(lines, [2, 6, 10], "the first three");
    let last = &review.findings[2];
    let notes: Vec<(u32, &str)> = last.evidence.iter().map(|piece| (piece.start.line, piece.note.as_str())).collect();
    assert_eq!(
        notes,
        [
            (14, "and again here"),
            (18, "and again here"),
            (22, "and again here"),
            (26, "and again here, and at one more place")
        ]
    );
}

#[test]
fn the_order_in_which_things_were_found_is_invisible() {
    let before = "async def f():\n    sleep()\n    a()\n\n\nasync def g():\n    read(a)\n    read(a)\n";
    let after = "async def f():\n    sleep()\n    sleep()\n    b()\n\n\nasync def g():\n    read(a)\n    read(b)\n    read(a)\n";
    let mut story = Story::new(&[("m.py", before)], &[("m.py", after)]);
    for nth in 0..2 {
        story.after.push(story.violated(Side::After, "blocking-in-async", "m.py", "sleep()", nth));
        story.after.push(story.unproven(Side::After, "stale-read-across-await", "m.py", "read(a)", nth));
        story.before.push(story.unproven(Side::Before, "stale-read-across-await", "m.py", "read(a)", nth));
        story.signals.push(Signal {
            path: "m.py".into(),
            side: Side::After,
            first: 3,
            last: 4,
            name: "task-spawned",
            text: format!("task {nth}"),
        });
    }
    story.before.push(story.violated(Side::Before, "lock-reentry", "m.py", "a()", 0));
    let forth = story.review();
    story.before.reverse();
    story.after.reverse();
    story.signals.reverse();
    story.items.reverse();
    assert_eq!(forth, story.review());
}

#[test]
fn hunks_are_cut_at_functions_and_hold_every_changed_line() {
    let text = "def f():\n    return 1\n\n\ndef g():\n    return 2\n\n\nx = 1\n";
    let review = Story::new(&[], &[("m.py", text)]).review();
    let lines: Vec<(u32, u32, Option<&str>)> =
        review.hunks.iter().map(|hunk| (hunk.after.start, hunk.after.count, hunk.function.as_deref())).collect();
    assert_eq!(lines, [(1, 4, Some("m.f")), (5, 4, Some("m.g")), (9, 1, None)]);
}

#[test]
fn every_signal_of_this_floor_is_in_the_table() {
    for name in ["finding-context", "finding-reached", "finding-fixed", "assumption-touched", "causes-note"] {
        assert!(super::risk::table().knows(name), "{name}");
    }
}

fn said(path: &str, lines: (u32, u32), text: &str) -> Said {
    Said {
        source: ClaimSource::Comment,
        path: Some(path.into()),
        lines,
        commit: None,
        is_added: true,
        declared: None,
        text: text.to_owned(),
    }
}

fn by_commit(text: &str, declared: Option<(&str, &str)>) -> Said {
    Said {
        source: if declared.is_some() { ClaimSource::Trailer } else { ClaimSource::Commit },
        path: None,
        lines: (0, 0),
        commit: Some("c0ffee".into()),
        declared: declared.map(|(rule, subject)| (rule.to_owned(), subject.to_owned())),
        ..said("", (0, 0), text)
    }
}

const GUARDED: &str = "def f():\n    # This cannot deadlock.\n    take(lock_a)\n\n\ndef g():\n    take(lock_b)\n";

/// A change that adds two functions, the first of which is wrong and claims not to be.
fn claiming() -> Story {
    let mut story = Story::new(&[], &[("m.py", GUARDED)]);
    let wrong = story.violated(Side::After, "lock-reentry", "m.py", "lock_a", 0);
    let open = story.unproven(Side::After, "lock-reentry", "m.py", "lock_b", 0);
    story.after.extend([wrong, open]);
    story
}

fn standings(review: &Review) -> Vec<(Standing, usize)> {
    review.claims.iter().map(|claim| (claim.standing, claim.about.len())).collect()
}

#[test]
fn a_claim_is_held_against_what_was_found_in_its_function() {
    let mut story = claiming();
    story.said = vec![
        said("m.py", (2, 2), "This cannot deadlock."),
        said("m.py", (6, 6), "This cannot deadlock."),
        said("m.py", (6, 6), "It runs."),
    ];
    let review = story.review();
    assert_eq!(standings(&review), [(Standing::Contradicted, 1), (Standing::Unchecked, 1)]);
    assert_eq!(review.claims[0].found, "`lock_a` is wrong");
    assert_eq!(review.claims[1].found, "Is `lock_b` fine?");
    assert_eq!(review.claims[0].about, [review.assumptions[0].id.clone()]);
}

#[test]
fn what_holds_confirms_a_claim() {
    let mut story = claiming();
    for verdict in &mut story.after {
        verdict.stance = verdict::Stance::Upheld;
    }
    story.said = vec![said("m.py", (2, 2), "This cannot deadlock.")];
    assert_eq!(standings(&story.review()), [(Standing::Confirmed, 0)]);
}

#[test]
fn a_claim_takes_nothing_away_and_a_contradicted_one_adds() {
    let plain = claiming().review();
    let mut story = claiming();
    story.said =
        vec![said("m.py", (2, 2), "This cannot deadlock."), by_commit("why", Some(("lock-reentry", "lock_b")))];
    let claimed = story.review();
    assert_eq!(plain.findings, claimed.findings);
    assert_eq!(plain.assumptions, claimed.assumptions);
    assert_eq!(plain.summary, claimed.summary);
    let risks = |review: &Review| review.hunks.iter().map(|hunk| hunk.risk).collect::<Vec<_>>();
    assert!(risks(&plain)[0] < risks(&claimed)[0], "{:?} {:?}", risks(&plain), risks(&claimed));
    assert_eq!(risks(&plain)[1..], risks(&claimed)[1..]);
}

#[test]
fn declarations_are_matched_by_rule_and_subject() {
    let mut story = claiming();
    story.said = vec![
        by_commit("a", Some(("lock-reentry", "lock_a"))),
        by_commit("b", Some(("lock-reentry", "lock_b"))),
        by_commit("c", Some(("leftover-stub", "lock_a"))),
        by_commit("d", Some(("lock-reentry", "other"))),
        by_commit("e", Some(("no-such-rule", ""))),
    ];
    let review = story.review();
    let standings = standings(&review);
    assert_eq!(
        standings,
        [(Standing::Contradicted, 1), (Standing::Unchecked, 1), (Standing::Unchecked, 0), (Standing::Unchecked, 0)]
    );
    assert!(
        review.notices.iter().any(|notice| notice.kind == "assumption-unknown" && notice.text.contains("no-such-rule"))
    );
}

#[test]
fn words_of_a_commit_are_about_the_code_that_they_name() {
    let mut story = claiming();
    story.said = vec![by_commit("Take lock_a, which cannot deadlock", None), by_commit("`f` cannot deadlock", None)];
    assert_eq!(standings(&story.review()), [(Standing::Contradicted, 1), (Standing::Contradicted, 1)]);
    story.said = vec![by_commit("The cache cannot deadlock", None), by_commit("F cannot deadlock, f never", None)];
    assert_eq!(standings(&story.review()), [(Standing::Unchecked, 0), (Standing::Unchecked, 0)]);
}

#[test]
fn old_declarations_are_told_only_where_the_change_meets_them() {
    let mut story = claiming();
    let old = |lines, rule: &str| Said {
        is_added: false,
        source: ClaimSource::Annotation,
        declared: Some((rule.to_owned(), String::new())),
        ..said("m.py", lines, "reason")
    };
    story.said = vec![old((2, 2), "lock-reentry"), old((2, 2), "leftover-stub")];
    assert_eq!(standings(&story.review()), [(Standing::Contradicted, 1)]);
}

#[test]
fn facts_of_a_function_speak_for_and_against() {
    let facts = |function: &str, in_thread: bool, gives_way| FunctionFacts {
        path: "m.py".into(),
        function: function.to_owned(),
        on_loop: !in_thread,
        in_thread,
        concurrent: in_thread.then(|| "`f` is started here several times".to_owned()),
        gives_way,
    };
    let mut story = Story::new(&[], &[("m.py", GUARDED)]);
    story.facts = vec![facts("m.f", true, false), facts("m.g", false, false)];
    let both = |text: &str| vec![said("m.py", (2, 2), text), said("m.py", (7, 7), text)];
    let mut check = |text: &str, expected: [Standing; 2]| {
        story.said = both(text);
        let standings: Vec<Standing> = story.review().claims.iter().map(|claim| claim.standing).collect();
        assert_eq!(standings, expected, "{text}");
    };
    check("Only called from the event loop.", [Standing::Contradicted, Standing::Confirmed]);
    check("No await between the two.", [Standing::Unchecked, Standing::Confirmed]);
    check("Never called concurrently.", [Standing::Contradicted, Standing::Unchecked]);
    check("It is thread-safe.", [Standing::Unchecked, Standing::Unchecked]);
}

#[test]
fn a_linter_that_is_told_to_be_silent_about_concurrency_adds_a_little() {
    let after = "async def f():\n    create(g())\n\n\nasync def h():\n    create(g())\n";
    let mut story = Story::new(&[], &[("m.py", after)]);
    let notice = |kind: &str, line| {
        let (path, line) = (Some("m.py".to_owned()), Some(line));
        Notice { kind: kind.to_owned(), text: "silence".to_owned(), path, line }
    };
    story.notices = vec![notice("foreign-suppression", 2), notice("suppression-unused", 6)];
    let review = story.review();
    let has = |hunk: &Hunk| hunk.reasons.iter().any(|reason| reason.signal == "warning-suppressed");
    assert_eq!(review.hunks.iter().map(has).collect::<Vec<_>>(), [true, false]);
}
