//! What is introduced, what is fixed, and what stood before.

use super::*;

fn origins(review: &Review) -> Vec<(Origin, u32)> {
    review.findings.iter().map(|finding| (finding.origin, finding.start.line)).collect()
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
