//! How loud a finding is: one table, in this order.
//!
//! | what | effect |
//! |---|---|
//! | the rule's usual level, or the one that the settings give it | where it starts |
//! | a level that the verdict asks for | takes its place |
//! | stake `unbounded`, or none | nothing |
//! | stake `io` | at most a warning; a note where the rule's family is blocking and the verdict asks for no level |
//! | stake `micro` | a note; at most a warning where the verdict asks for a level |
//! | confidence `medium` | an error becomes a warning |
//! | tests, examples, samples, benches | one level lower, a note stays |
//! | a level of the settings below the rule's usual one | at most that |
//! | origin `reached` | at most a note |

use crate::rules::{Family, RuleInfo};
use crate::verdict::{Confidence, Level, Setting, Stake, Stance, Verdict};

use super::contract::Origin;

/// The level of a verdict, were it violated with the confidence that its stance gives.
/// `set` is the usual level that the settings give to the rule.
pub(super) fn severity(rule: &RuleInfo, verdict: &Verdict, origin: Origin, set: Option<Level>) -> Level {
    let mut level = verdict.level.unwrap_or(set.unwrap_or(rule.severity));
    level = match (verdict.stake, verdict.level) {
        (None | Some(Stake::Unbounded), _) => level,
        (Some(Stake::Io), None) if rule.family == Family::Blocking => Level::Note,
        (Some(Stake::Io), _) | (Some(Stake::Micro), Some(_)) => level.min(Level::Warning),
        (Some(Stake::Micro), None) => Level::Note,
    };
    if verdict.stance == Stance::Violated(Confidence::Medium) {
        level = level.min(Level::Warning);
    }
    if verdict.setting == Setting::Test {
        level = match level {
            Level::Error => Level::Warning,
            Level::Warning | Level::Note => Level::Note,
        };
    }
    if let Some(most) = set.filter(|set| *set < rule.severity) {
        level = level.min(most);
    }
    match origin {
        Origin::Introduced | Origin::Existing => level,
        Origin::Reached => Level::Note,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::tests::{rule, verdict};

    #[test]
    fn short_input_in_plain_async_code_is_a_note_and_a_warning_on_request() {
        let short = verdict("blocking-in-async", "a.py", 0..1).stake(Stake::Io);
        assert_eq!(severity(rule("blocking-in-async"), &short, Origin::Introduced, None), Level::Note);
        let looped = short.level(Level::Error);
        assert_eq!(severity(rule("blocking-in-async"), &looped, Origin::Introduced, None), Level::Warning);
    }

    #[test]
    fn medium_confidence_and_tests_each_take_a_level() {
        let mut one = verdict("lock-reentry", "a.py", 0..1);
        assert_eq!(severity(rule("lock-reentry"), &one, Origin::Introduced, None), Level::Error);
        one.stance = Stance::Violated(Confidence::Medium);
        assert_eq!(severity(rule("lock-reentry"), &one, Origin::Introduced, None), Level::Warning);
        one.setting = Setting::Test;
        assert_eq!(severity(rule("lock-reentry"), &one, Origin::Introduced, None), Level::Note);
    }

    #[test]
    fn what_the_change_only_reaches_is_a_note() {
        let one = verdict("lock-reentry", "a.py", 0..1);
        assert_eq!(severity(rule("lock-reentry"), &one, Origin::Reached, None), Level::Note);
        assert_eq!(severity(rule("lock-reentry"), &one, Origin::Existing, None), Level::Error);
    }

    #[test]
    fn the_settings_move_the_usual_level_and_what_a_verdict_asks_for_stays_below_a_lower_one() {
        let one = verdict("stale-read-across-await", "a.py", 0..1);
        let of = |one: &Verdict, set| severity(rule(one.rule), one, Origin::Introduced, Some(set));
        assert_eq!(of(&one, Level::Error), Level::Error);
        let asking = verdict("lock-reentry", "a.py", 0..1).level(Level::Error);
        assert_eq!(of(&asking, Level::Warning), Level::Warning);
    }
}
