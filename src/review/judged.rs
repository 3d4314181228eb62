//! Which verdicts count, what the change has to do with each, and how loud it is.

use crate::rules::RuleInfo;
use crate::verdict;

use super::contract::{Level, Origin, Side};
use super::diff::Diff;
use super::findings::{self, Judged};
use super::material::{Material, Options};
use super::suppress::{self, Acceptance};
use super::{causes, matching, severity};

/// The verdicts of the after side, and those of the before side that the change did away with.
pub(super) fn judged<'a>(material: &Material<'a>, diff: &Diff<'_>) -> (Vec<Judged<'a>>, Vec<Judged<'a>>) {
    let policy = &material.options.policy;
    let matched = matching::matched(diff, material.before, material.after);
    let acceptances: Vec<Acceptance> =
        material.after.iter().map(|verdict| suppress::acceptance(diff, material, verdict)).collect();
    let numbers = findings::ordinals(material.after, &acceptances);
    let mut after: Vec<Judged<'a>> = Vec::new();
    for (at, verdict) in material.after.iter().enumerate() {
        let partner = matched.after[at].map(|other| &material.before[other]);
        let origin = matching::origin(diff, verdict, partner);
        let rule = (material.rule)(verdict.rule);
        let blame = match origin {
            Origin::Introduced => causes::of_introduced(diff, verdict, partner),
            Origin::Reached | Origin::Existing => causes::of_others(diff, verdict),
        };
        let level = severity::severity(rule, verdict, origin, policy.level(rule, &verdict.at.path));
        if !counts(material.options, rule, verdict, level) {
            continue;
        }
        after.push(Judged {
            verdict,
            rule,
            side: Side::After,
            origin,
            level,
            blame,
            ordinal: numbers[at],
            again: Vec::new(),
            acceptance: acceptances[at],
        });
    }
    after.sort_by(|one, two| matching::canonical(one.verdict, two.verdict));
    suppress::apply_baseline(&mut after, &material.options.baseline);

    let numbers = findings::ordinals(material.before, &vec![Acceptance::Open; material.before.len()]);
    let mut fixed: Vec<Judged<'a>> = Vec::new();
    for (at, verdict) in material.before.iter().enumerate() {
        let partner = matched.before[at].map(|other| material.after[other].stance);
        let is_gone = partner.is_none_or(|stance| stance == verdict::Stance::Upheld);
        if !is_gone || !matches!(verdict.stance, verdict::Stance::Violated(_)) {
            continue;
        }
        let rule = (material.rule)(verdict.rule);
        let blame = causes::of_fixed(diff, verdict);
        let level = severity::severity(rule, verdict, Origin::Existing, policy.level(rule, &verdict.at.path));
        if !counts(material.options, rule, verdict, level) {
            continue;
        }
        fixed.push(Judged {
            verdict,
            rule,
            side: Side::Before,
            origin: Origin::Existing,
            level,
            blame,
            ordinal: numbers[at],
            again: Vec::new(),
            acceptance: Acceptance::Open,
        });
    }
    fixed.sort_by(|one, two| matching::canonical(one.verdict, two.verdict));
    (after, fixed)
}

/// Whether a verdict is one that the user wants to hear of at all.
fn counts(options: &Options, rule: &RuleInfo, verdict: &verdict::Verdict, level: Level) -> bool {
    options.policy.is_on(rule, &verdict.at.path)
        && match verdict.stance {
            verdict::Stance::Violated(confidence) => {
                level >= options.min_severity && confidence >= options.min_confidence
            }
            verdict::Stance::Unproven | verdict::Stance::Upheld => true,
        }
}
