//! Hunks: where they are cut, and in which order they are to be read.

use super::*;

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
fn every_signal_of_this_floor_is_in_the_table() {
    for name in ["finding-context", "finding-reached", "finding-fixed", "assumption-touched", "causes-note"] {
        assert!(super::risk::table().knows(name), "{name}");
    }
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
