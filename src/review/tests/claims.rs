//! What comments, commits and declarations say, held against what was found.

use super::*;

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
