//! The search for callers in files that the change leaves alone: when it happens, and what it leaves out.

// A test that cannot go on says so.
#![allow(clippy::unwrap_used)]

mod support;

use support::{Case, Files};
use tenth::Searched;
use tenth::review::{Options, Origin, Review};

fn case(before: &[(&str, &str)], after: &[(&str, &str)]) -> Case {
    let files = |files: &[(&str, &str)]| -> Files {
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    };
    Case::new("callers".to_owned(), files(before), files(after))
}

fn reviewed(case: &Case) -> (Review, Searched) {
    let done = tenth::review_change(&case.change(), &Options::default(), Some(2)).unwrap();
    (done.review, done.searched)
}

/// A change of one file beside one that stays: the texts before and after, and the other.
fn beside(before: &str, after: &str, other: &str) -> Case {
    case(&[("helper.py", before), ("app.py", other)], &[("helper.py", after), ("app.py", other)])
}

const CALLER: &str = "from helper import load\n\n\nasync def handle(name):\n    return load(name)\n";

#[test]
fn nothing_is_searched_when_no_caller_can_notice() {
    let before = "import requests\n\n\ndef load(name):\n    return requests.get(name)\n";
    for after in [
        "import requests\n\n\ndef load(name):\n    # Not from a cache.\n    return requests.get(name)\n",
        "import requests\n\n\ndef load(name):\n    return requests.post(name, name)\n",
        "import requests\n\nLIMIT = 3\n\n\ndef load(name):\n    return requests.get(name)\n\n\ndef size(name):\n    return 1\n",
    ] {
        let (review, searched) = reviewed(&beside(before, after, CALLER));
        assert_eq!(searched, Searched::default(), "{after}");
        assert!(review.findings.is_empty(), "{after}");
    }
}

#[test]
fn files_against_nothing_have_no_callers_to_search() {
    let (_, searched) =
        reviewed(&case(&[], &[("helper.py", "async def load(name):\n    return name\n"), ("app.py", CALLER)]));
    assert_eq!(searched, Searched::default());
}

#[test]
fn only_files_that_hold_the_word_are_analysed() {
    let mut change = beside(
        "def load(name):\n    return name\n",
        "import time\n\n\ndef load(name):\n    time.sleep(1)\n    return name\n",
        CALLER,
    );
    for files in [&mut change.before, &mut change.after] {
        files.insert("other.py".to_owned(), "def reload(name):\n    return name\n".to_owned());
        files.insert("notes.rs".to_owned(), "fn load() {}\n".to_owned());
        let namesakes =
            "import helper\n\n\ndef load(name):\n    return name\n\n\nasync def load(name):\n    return name\n";
        files.insert("namesakes.py".to_owned(), namesakes.to_owned());
    }
    let (review, searched) = reviewed(&change);
    // The caller is asynchronous, so it changes for its own callers neither colour nor effect, but it blocks now.
    assert_eq!((searched.candidates, searched.callers), (1, 1));
    let [finding] = &review.findings[..] else { panic!("{:?}", review.findings) };
    assert_eq!((finding.path.as_str(), finding.origin), ("app.py", Origin::Introduced));
    assert_eq!(finding.causes.len(), 1);
}

#[test]
fn what_was_as_wrong_before_is_no_news() {
    let before = "import requests\n\n\ndef load(name):\n    return requests.get(name)\n";
    let after = "import requests\n\n\ndef load(name, again=False):\n    return requests.post(name, again)\n";
    let (review, searched) = reviewed(&beside(before, after, CALLER));
    assert_eq!(searched.callers, 1);
    assert!(review.findings.is_empty() && review.fixed.is_empty(), "{:?}", review.findings);
}

#[test]
fn what_the_change_mends_in_an_untouched_caller_is_fixed() {
    let before = "import requests\n\n\ndef load(name):\n    return requests.get(name)\n";
    let (review, _) = reviewed(&beside(before, "def load(name):\n    return name\n", CALLER));
    let [fixed] = &review.fixed[..] else { panic!("{:?}", review.fixed) };
    assert_eq!(fixed.path, "app.py");
}

#[test]
fn a_common_word_is_followed_only_so_far_and_that_is_said() {
    let mut change = beside(
        "class Store:\n    def get(self, name):\n        return name\n",
        "import time\n\n\nclass Store:\n    def get(self, name):\n        time.sleep(1)\n        return name\n",
        "from helper import Store\n\nSTORE = Store()\n\n\nasync def handle(name):\n    return STORE.get(name)\n",
    );
    for at in 0..60 {
        for files in [&mut change.before, &mut change.after] {
            files.insert(format!("many/file_{at}.py"), "def read(rows):\n    return rows.get(1)\n".to_owned());
        }
    }
    let (review, searched) = reviewed(&change);
    assert_eq!(searched.callers, 1);
    assert!(searched.candidates < 60, "{searched:?}");
    assert_eq!(review.findings.len(), 1);
    assert!(review.coverage.iter().any(|row| row.why.contains("searched for callers")), "{:?}", review.coverage);
}

#[test]
fn a_function_that_moved_is_found_where_it_is_now() {
    let app = "from helper import load\n\n\ndef handle(name):\n    load(name)\n";
    let change = case(
        &[("helper.py", "def load(name):\n    return name\n\n\ndef keep():\n    return 1\n"), ("app.py", app)],
        &[
            ("helper.py", "from inner import load\n\n\ndef keep():\n    return 1\n"),
            ("inner.py", "import asyncio\n\n\nasync def load(name):\n    await asyncio.sleep(0)\n    return name\n"),
            ("app.py", app),
        ],
    );
    let (review, _) = reviewed(&change);
    let found: Vec<(&str, &str)> =
        review.findings.iter().map(|finding| (finding.rule.as_str(), finding.path.as_str())).collect();
    assert_eq!(found, [("unawaited-call", "app.py")]);
}
