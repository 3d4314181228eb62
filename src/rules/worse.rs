//! What a comparison of the two sides adds to a verdict of the after side: the code had the answer before the change.
//!
//! ~~~text
//! before  await to_thread(load, path)     whoever wrote it found it worth a thread
//! after   load(path)                      reads a file on the loop: more than a note
//! ~~~
//!
//! A question that the code answered before is none any more, and what was seen to on purpose is no trifle.

use crate::analysis::FunctionId;
use crate::text::Span;
use crate::verdict::{Confidence, Level, Location, Stake, Stance, Verdict};

use super::context::RuleContext;

/// Why a verdict weighs more than it would by itself.
#[derive(Clone, Debug)]
pub struct Worse {
    weight: Weight,
    /// The rule whose verdict it is.
    rule: &'static str,
    /// Where that verdict stands.
    at: Location,
    /// What the change took away, as the end of its message.
    why: String,
}

/// What becomes of the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// A question is answered.
    Answers,
    /// A note is a warning.
    Raises,
    /// A note is a warning, and a question is answered that shows what it may be.
    Shows,
}

impl Worse {
    /// The code before the change answered the question that a rule asks at a place now.
    pub(super) fn answers(cx: &RuleContext, rule: &'static str, by: FunctionId, span: Span, why: String) -> Self {
        Self { weight: Weight::Answers, rule, at: cx.location(by, span), why }
    }

    /// The code before the change saw to what a rule only notes at a place now.
    pub(super) fn raises(cx: &RuleContext, rule: &'static str, by: FunctionId, span: Span, why: String) -> Self {
        Self { weight: Weight::Raises, rule, at: cx.location(by, span), why }
    }

    /// The code before the change saw to what a rule notes, or asks with the culprit in sight, at a place now.
    pub(super) fn shows(cx: &RuleContext, rule: &'static str, by: FunctionId, span: Span, why: String) -> Self {
        Self { weight: Weight::Shows, rule, at: cx.location(by, span), why }
    }

    fn is_about(&self, verdict: &Verdict) -> bool {
        self.rule == verdict.rule && self.at == verdict.at
    }
}

/// Makes verdicts louder for which the change took away what spoke for the code. What lasts a moment only stays as it is.
pub fn weigh(verdicts: &mut [Verdict], worse: &[Worse]) {
    for verdict in verdicts {
        let Some(one) = worse.iter().find(|one| one.is_about(verdict)) else { continue };
        let is_note = match verdict.level {
            Some(level) => level == Level::Note,
            None => verdict.stake == Some(Stake::Io),
        };
        let answers = match one.weight {
            Weight::Answers => true,
            Weight::Raises => false,
            Weight::Shows => !verdict.evidence.is_empty(),
        };
        match verdict.stance {
            Stance::Unproven if answers => {
                verdict.stance = Stance::Violated(Confidence::Medium);
                verdict.question.clear();
            }
            Stance::Violated(_) if is_note && one.weight != Weight::Answers && verdict.stake != Some(Stake::Micro) => {
                verdict.level = Some(Level::Warning);
            }
            _ => continue,
        }
        verdict.message = format!("{}; {}", verdict.message, one.why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(stance: Stance) -> Verdict {
        Verdict::new("a-rule", stance, at("a.py"), "f", "`x`").says("said").asks("asked?")
    }

    fn at(path: &str) -> Location {
        Location { path: path.into(), span: Span::new(1, 2) }
    }

    fn weighed(verdict: Verdict, weight: Weight, path: &str) -> Verdict {
        let mut verdicts = [verdict];
        weigh(&mut verdicts, &[Worse { weight, rule: "a-rule", at: at(path), why: "it was seen to".to_owned() }]);
        let [verdict] = verdicts;
        verdict
    }

    #[test]
    fn a_question_that_was_answered_before_is_a_finding() {
        let asked = weighed(verdict(Stance::Unproven), Weight::Answers, "a.py");
        assert_eq!((asked.stance, &*asked.message), (Stance::Violated(Confidence::Medium), "said; it was seen to"));
        let elsewhere = weighed(verdict(Stance::Unproven), Weight::Answers, "b.py");
        assert_eq!(elsewhere, verdict(Stance::Unproven));
        let of_unknown_length = weighed(verdict(Stance::Unproven), Weight::Shows, "a.py");
        assert_eq!(of_unknown_length, verdict(Stance::Unproven));
        let of_one_of_several = weighed(verdict(Stance::Unproven).evidence(at("b.py"), "here"), Weight::Shows, "a.py");
        assert_eq!(of_one_of_several.stance, Stance::Violated(Confidence::Medium));
    }

    #[test]
    fn only_a_note_is_raised_and_none_about_a_moment() {
        let violated = || verdict(Stance::Violated(Confidence::High));
        let level = |verdict| weighed(verdict, Weight::Raises, "a.py").level;
        assert_eq!(level(violated().stake(Stake::Io)), Some(Level::Warning));
        assert_eq!(level(violated().level(Level::Note)), Some(Level::Warning));
        assert_eq!(level(violated().level(Level::Error)), Some(Level::Error));
        assert_eq!(level(violated().stake(Stake::Unbounded)), None);
        assert_eq!(level(violated().stake(Stake::Micro)), None);
    }
}
