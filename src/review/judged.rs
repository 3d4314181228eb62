//! Which verdicts count, what the change has to do with each, and how loud it is.

use crate::rules::RuleInfo;
use crate::verdict::{Stance, Verdict};

use super::causes::{self, Blame};
use super::contract::{Level, Origin, Side};
use super::diff::Diff;
use super::findings::{self, Judged};
use super::material::{Material, Options};
use super::suppress::{self, Acceptance};
use super::{matching, severity};

/// The verdicts of the after side, and those of the before side that the change did away with.
pub(super) fn judged<'a>(material: &Material<'a>, diff: &Diff<'_>) -> (Vec<Judged<'a>>, Vec<Judged<'a>>) {
    let matched = matching::matched(diff, material.before, material.after);
    let acceptances: Vec<Acceptance> =
        material.after.iter().map(|verdict| suppress::acceptance(diff, material, verdict)).collect();
    let numbers = findings::ordinals(material.after, &acceptances);
    let after = material.after.iter().enumerate().filter_map(|(at, verdict)| {
        let partner = matched.after[at].map(|other| &material.before[other]);
        let origin = matching::origin(diff, verdict, partner);
        let blame = || match origin {
            Origin::Introduced => causes::of_introduced(diff, verdict, partner),
            Origin::Reached | Origin::Existing => causes::of_others(diff, verdict),
        };
        let as_it_stands = judge(material, verdict, (Side::After, origin), blame)?;
        Some(Judged { ordinal: numbers[at], acceptance: acceptances[at], ..as_it_stands })
    });
    let mut after = in_order(after);
    suppress::apply_baseline(&mut after, &material.options.baseline);

    let numbers = findings::ordinals(material.before, &vec![Acceptance::Open; material.before.len()]);
    let fixed = material.before.iter().enumerate().filter_map(|(at, verdict)| {
        let partner = matched.before[at].map(|other| material.after[other].stance);
        let is_gone = partner.is_none_or(|stance| stance == Stance::Upheld);
        if !is_gone || !matches!(verdict.stance, Stance::Violated(_)) {
            return None;
        }
        let as_it_stands =
            judge(material, verdict, (Side::Before, Origin::Existing), || causes::of_fixed(diff, verdict))?;
        Some(Judged { ordinal: numbers[at], ..as_it_stands })
    });
    (after, in_order(fixed))
}

/// A verdict of one side, if the user wants to hear of it at all: the first of its kind, and nowhere accepted.
fn judge<'a>(
    material: &Material<'a>,
    verdict: &'a Verdict,
    (side, origin): (Side, Origin),
    blame: impl FnOnce() -> Blame,
) -> Option<Judged<'a>> {
    let policy = &material.options.policy;
    let rule = (material.rule)(verdict.rule);
    let level = severity::severity(rule, verdict, origin, policy.level(rule, &verdict.at.path));
    counts(material.options, rule, verdict, level).then(|| Judged {
        verdict,
        rule,
        side,
        origin,
        level,
        blame: blame(),
        ordinal: 0,
        again: Vec::new(),
        acceptance: Acceptance::Open,
    })
}

fn in_order<'a>(judged: impl Iterator<Item = Judged<'a>>) -> Vec<Judged<'a>> {
    let mut judged: Vec<Judged<'a>> = judged.collect();
    judged.sort_by(|one, two| matching::canonical(one.verdict, two.verdict));
    judged
}

/// Whether a verdict is one that the user wants to hear of at all.
fn counts(options: &Options, rule: &RuleInfo, verdict: &Verdict, level: Level) -> bool {
    options.policy.is_on(rule, &verdict.at.path)
        && match verdict.stance {
            Stance::Violated(confidence) => level >= options.min_severity && confidence >= options.min_confidence,
            Stance::Unproven | Stance::Upheld => true,
        }
}
