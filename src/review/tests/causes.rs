//! Which hunks a finding goes back to.

use super::*;

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
