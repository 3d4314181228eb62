//! Reviews of small changes with verdicts made by hand.

mod causes;
mod claims;
mod findings;
mod matching;
mod ranking;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::change::{ChangeSet, Description};
use crate::rules::{RuleInfo, Status as Maturity};
use crate::text::Span;
use crate::verdict::{Location, Verdict};

/// A function that blocks.
const SLEEPY: &str = "import time\n\n\nasync def f():\n    a = 1\n    time.sleep(1)\n    return a\n";

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

fn hunk_lines(review: &Review, ids: &[String]) -> Vec<(String, u32)> {
    ids.iter().map(|id| review.hunk(id).map(|hunk| (hunk.path.clone(), hunk.after.start)).unwrap()).collect()
}
