//! One small review in every form; the snapshots are the forms' documentation.

use super::*;
use crate::review::tests::Story;
use crate::review::{Scope, Side, Signal, Status, Suggestion};
use crate::verdict::{Evidence, Hop};

const CACHE: &str = "class Cache:\n    pass\n\n\nasync def refresh(self, key):\n    async with self._lock:\n        if key not in self._rows:\n            self._rows[key] = await load(self, key)\n";
const LOADER_BEFORE: &str = "async def load(self, key):\n    return await self._client.get(key)\n";
const LOADER: &str = "async def load(self, key):\n    async with self._lock:\n        time.sleep(1)\n        return await self._client.get(key)\n";

/// A lock taken again by a callee in another file, a blocking call, an open question, an old note and a boring file.
fn story() -> Story {
    let before = [("boring.py", "x = 1\n"), ("cache.py", CACHE), ("loader.py", LOADER_BEFORE)];
    let after = [("boring.py", "x = 2\n"), ("cache.py", CACHE), ("loader.py", LOADER)];
    let mut story = Story::new(&before, &after);
    let at = |path, text| story.at(Side::After, path, text, 0);
    let reentry = story
        .violated(Side::After, "lock-reentry", "cache.py", "load(self, key)", 0)
        .says("`load` takes `self._lock` again, which `refresh` holds: it waits for itself")
        .helps("take the lock in one of the two only")
        .evidence(at("cache.py", "self._lock"), "`self._lock` is taken here")
        .evidence(at("loader.py", "self._lock"), "and taken again here")
        .trace([Hop {
            function: "cache.refresh".into(),
            at: at("cache.py", "load(self, key)"),
            what: "calls `load`".into(),
        }]);
    let sleep = story
        .violated(Side::After, "blocking-in-async", "loader.py", "time.sleep(1)", 0)
        .says("`time.sleep` stops the event loop, @everyone <script>");
    let mut question =
        story.unproven(Side::After, "stale-read-across-await", "loader.py", "return await self._client.get(key)", 0);
    question.question = "Can two tasks run `load` for one `key` at once?".into();
    question.evidence.push(Evidence { at: at("loader.py", "await"), note: "gives way here".into() });
    story.signals.push(Signal {
        path: "loader.py".into(),
        side: Side::After,
        first: 2,
        last: 2,
        name: "lock-added",
        text: String::new(),
    });
    story.after.extend([reentry, sleep, question]);
    story
}

#[test]
fn json_keeps_to_its_schema() {
    let mut story = story();
    story.options.scope = Scope::All;
    // As it is written, not as it is read: there a key that may be `null` still has to stand.
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let schema = serde_json::to_value(settings.into_generator().into_root_schema_for::<Review>()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for review in [story.review(), Story::new(&[], &[]).review()] {
        let text = render(Format::Json, &review, story.sources(), Style::default());
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let wrong: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!(serde_json::from_str::<Review>(&text).unwrap(), review);
    }
    // The schema is worth something only if it refuses what breaks the contract.
    let mut value = serde_json::to_value(story.review()).unwrap();
    assert!(validator.is_valid(&value));
    value["change"].as_object_mut().unwrap().remove("before");
    assert!(!validator.is_valid(&value));
}

#[test]
fn json_keys_stand_in_the_order_of_the_contract() {
    let review = story().review();
    let value = serde_json::to_value(&review).unwrap();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(
        keys(&value),
        "schema tool change findings fixed assumptions claims hunks unfinished handoff commits notices coverage summary"
    );
    assert_eq!(
        keys(&value["findings"][0]),
        "id rule family severity confidence origin status gating message help path start end function evidence trace \
         causes context fingerprint"
    );
    assert_eq!(
        keys(&value["assumptions"][2]),
        "id rule family stance text question path start end evidence trace hunks"
    );
    assert_eq!(keys(&value["hunks"][0]), "id path before after risk rank highlighted reasons");
    assert_eq!(
        keys(&value["summary"]),
        "verdict files hunks highlighted_hunks added_lines removed_lines errors warnings notes open_questions upheld hidden"
    );
}

#[test]
fn json() {
    let story = story();
    insta::assert_snapshot!(
        render(Format::Json, &story.review(), story.sources(), Style::default())
            .replace(env!("CARGO_PKG_VERSION"), "VERSION")
    );
}

#[test]
fn concise() {
    let story = story();
    insta::assert_snapshot!(render(Format::Concise, &story.review(), story.sources(), Style::default()));
}

#[test]
fn markdown() {
    let story = story();
    insta::assert_snapshot!(render(Format::Markdown, &story.review(), story.sources(), Style::default()));
}

#[test]
fn sarif() {
    let story = story();
    let text = render(Format::Sarif, &story.review(), story.sources(), Style::default());
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let rules = value["runs"][0]["tool"]["driver"]["rules"].as_array_mut().unwrap();
    rules.retain(|rule| rule["id"] == "lock-reentry");
    rules[0]["help"] = "…".into();
    let text = serde_json::to_string_pretty(&value).unwrap();
    insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn github() {
    let story = story();
    insta::assert_snapshot!(render(Format::Github, &story.review(), story.sources(), Style::default()));
}

#[test]
fn gitlab() {
    let story = story();
    insta::assert_snapshot!(render(Format::Gitlab, &story.review(), story.sources(), Style::default()));
}

#[test]
fn rdjson() {
    let story = story();
    insta::assert_snapshot!(render(Format::Rdjson, &story.review(), story.sources(), Style::default()));
}

#[test]
fn jsonl() {
    let story = story();
    let text = render(Format::Jsonl, &story.review(), story.sources(), Style::default());
    insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn sarif_says_what_was_accepted_and_what_would_mend_it() {
    let story = story();
    let mut review = story.review();
    review.findings[0].status = Status::Accepted;
    review.findings[0].gating = false;
    let start = review.findings[1].start;
    let path = review.findings[1].path.clone();
    let end = review.findings[1].end;
    review.findings[1].suggestion = Some(Suggestion { path, start, end, text: "await asyncio.sleep(1)".to_owned() });
    let text = render(Format::Sarif, &review, story.sources(), Style::default());
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let results = &value["runs"][0]["results"];
    assert_eq!(results[0]["suppressions"][0]["status"], "accepted");
    assert_eq!(results[1]["suppressions"], serde_json::json!([]));
    let edit = &results[1]["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(edit["insertedContent"]["text"], "await asyncio.sleep(1)");
    assert_eq!(edit["deletedRegion"]["startLine"], start.line);
    // Hosts that know no acceptance are not told of it.
    for format in [Format::Github, Format::Gitlab, Format::Rdjson] {
        let out = render(format, &review, story.sources(), Style::default());
        assert!(!out.contains("lock-reentry"), "{format:?}");
    }
    // Where the acceptance does not open the gate, they are told what stands in it.
    review.findings[0].gating = true;
    let text = render(Format::Sarif, &review, story.sources(), Style::default());
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["runs"][0]["results"][0]["suppressions"][0]["status"], "underReview");
    for format in [Format::Github, Format::Gitlab, Format::Rdjson, Format::Concise, Format::Terminal, Format::Markdown]
    {
        let out = render(format, &review, story.sources(), Style::default());
        assert!(out.contains("lock-reentry"), "{format:?}");
    }
}

#[test]
fn a_comment_is_never_longer_than_its_host_allows() {
    let body: String = (0..2000).map(|at| format!("    time.sleep({at})  # {}\n", "filler ".repeat(8))).collect();
    let mut story = Story::new(&[], &[("m.py", &format!("async def f():\n{body}"))]);
    for at in 0..2000 {
        let sleep = format!("time.sleep({at})");
        story.after.push(story.violated(Side::After, "blocking-in-async", "m.py", &sleep, 0));
    }
    let text = render(Format::Markdown, &story.review(), story.sources(), Style::default());
    assert!(text.len() <= 65_000, "{}", text.len());
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("Left out, since a comment may not be longer: ") && last.contains(" finding"), "{last}");
    // What is there is whole.
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
}

#[test]
fn terminal() {
    let story = story();
    insta::assert_snapshot!(render(Format::Terminal, &story.review(), story.sources(), Style::default()));
}

#[test]
fn colour_only_where_it_is_wanted() {
    let story = story();
    let review = story.review();
    let plain = render(Format::Terminal, &review, story.sources(), Style::default());
    assert!(!plain.contains('\u{1b}'));
    let painted =
        render(Format::Terminal, &review, story.sources(), Style { paint: Paint::Coloured, ..Style::default() });
    assert!(painted.contains('\u{1b}'));
}

#[test]
fn nothing_to_see_is_one_line() {
    let story = Story::new(&[("m.py", "x = 1\n")], &[("m.py", "x = 2\n")]);
    let review = story.review();
    let text = render(Format::Terminal, &review, story.sources(), Style::default());
    assert_eq!(text, "nothing to see: no findings, no open questions (1 file, 1 hunk, +1 -1 lines)\n");
    assert_eq!(render(Format::Concise, &review, story.sources(), Style::default()), "");
}

#[test]
fn source_cannot_steer_the_terminal() {
    let text = "def f():\n    x = '\u{1b}]0;title\u{7}\u{202e}'\n";
    let mut story = Story::new(&[], &[("m.py", text)]);
    story.after.push(story.violated(Side::After, "lock-reentry", "m.py", "x =", 0).says("bad \u{1b}[2J"));
    let review = story.review();
    for format in [Format::Terminal, Format::Concise, Format::Markdown, Format::Github] {
        let out = render(format, &review, story.sources(), Style::default());
        assert!(!out.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{format:?}");
    }
}
