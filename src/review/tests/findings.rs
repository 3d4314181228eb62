//! What a review says of its findings: gates, evidence, what is left to do, and that order is invisible.

use super::*;

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
