//! A comment stands in for code: "… rest of the function unchanged".
//!
//! Such words are prose in most comments. What proves them is that code went with them: the function lost calls, the
//! file lost definitions, or there was nothing before that could be meant.

use std::collections::BTreeMap;

use crate::analysis::{FunctionId, ModuleId};
use crate::flow::{Callee, Function, FunctionIndex, Mark, Module, ValueKind};
use crate::text::Span;
use crate::verdict::{Confidence, Verdict};

use super::context::RuleContext;

const NAME: &str = "elided-code";

/// Longest comment that is read as a stand-in.
const LONGEST: usize = 90;

pub(super) fn check(cx: &RuleContext, module: ModuleId, out: &mut Vec<Verdict>) {
    let file = cx.program.module(module);
    for mark in &file.marks {
        let Mark::Comment { span, text } = mark else { continue };
        let Some(form) = elision(text) else { continue };
        let index = file.function_at(span.start);
        if index.at() >= file.functions.len() {
            continue;
        }
        let id = FunctionId { module, index };
        let Some((confidence, lost)) = proof(cx, &file, id, *span, form) else { continue };
        out.push(
            cx.violated(NAME, confidence, id, *span, text)
                .assumes("the code that a comment speaks of is there")
                .says(format!("a comment stands in for code: {lost}"))
                .helps("put the code back that it stands for, or take the comment out"),
        );
    }
}

/// How much a comment looks like a stand-in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// With an ellipsis, as nobody writes prose.
    Dotted,
    /// In words alone.
    Worded,
}

fn elision(comment: &str) -> Option<Form> {
    let text = comment.trim().to_lowercase();
    if text.len() > LONGEST || text.contains('\n') {
        return None;
    }
    let edges = |letter: char| !letter.is_alphanumeric();
    let bare = text.trim_matches(edges);
    let is_dotted = ["...", "\u{2026}"].iter().any(|dots| {
        let at_edge = |rest: &str| {
            rest.trim_matches(|letter: char| edges(letter) && letter != '.' && letter != '\u{2026}').is_empty()
        };
        text.split_once(dots).is_some_and(|(before, after)| at_edge(before) || at_edge(after))
    });
    const OPENINGS: [&str; 9] = [
        "rest of",
        "the rest of",
        "remaining ",
        "existing ",
        "previous ",
        "all other ",
        "all existing ",
        "other existing ",
        "same as before",
    ];
    const THINGS: [&str; 13] = [
        "code",
        "implementation",
        "method",
        "function",
        "logic",
        "import",
        "field",
        "test",
        "handler",
        "file",
        "class",
        "same as before",
        "body",
    ];
    const ENDINGS: [&str; 7] =
        ["unchanged", "omitted", "the same", "as before", "omitted for brevity", "here", "goes here"];
    let opens = OPENINGS.iter().any(|opening| bare.starts_with(opening));
    let names = THINGS.iter().any(|thing| bare.contains(thing));
    let ends = ENDINGS.iter().any(|ending| bare.ends_with(ending));
    match (opens && names, is_dotted, ends) {
        (true, true, _) => Some(Form::Dotted),
        (true, false, true) => Some(Form::Worded),
        _ => None,
    }
}

/// What shows that code is missing.
fn proof(cx: &RuleContext, file: &Module, id: FunctionId, span: Span, form: Form) -> Option<(Confidence, String)> {
    let function = cx.function(id);
    let other = cx.program.loader().module(cx.program.side.other(), &file.path);
    if id.index != FunctionIndex(0) {
        let name = &function.name;
        return match cx.program.counterpart(id) {
            Some(was) => {
                let lost = lost_calls(&was, &function);
                (lost > 0).then(|| (Confidence::High, format!("`{name}` made {} more before", calls(lost))))
            }
            None => (form == Form::Dotted)
                .then(|| (Confidence::Medium, format!("`{name}` is new, and nothing that was there can be meant"))),
        };
    }
    let Some(other) = other else {
        let says = "the file is new, and nothing that was there can be meant".to_owned();
        return (form == Form::Dotted).then_some((Confidence::Medium, says));
    };
    let around = file.types.iter().find(|of| of.span.contains(span)).map(|of| of.qualified.clone());
    let is_inside = |name: &str| around.as_ref().is_none_or(|around| name.starts_with(around.as_str()));
    let gone = other
        .functions
        .iter()
        .skip(1)
        .filter(|was| !was.qualified.is_empty() && !was.name.starts_with('<') && is_inside(&was.qualified))
        .find(|was| !file.functions.iter().any(|now| now.qualified == was.qualified))?;
    Some((Confidence::High, format!("`{}` stood in the file, and is gone", gone.qualified)))
}

fn lost_calls(was: &Function, now: &Function) -> usize {
    let mut left: BTreeMap<String, usize> = BTreeMap::new();
    for name in called(now) {
        *left.entry(name).or_default() += 1;
    }
    called(was)
        .filter(|name| match left.get_mut(name) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        })
        .count()
}

fn called(function: &Function) -> impl Iterator<Item = String> {
    function.values.iter().filter_map(|value| match &value.kind {
        ValueKind::Call(call) => match &call.callee {
            Callee::Path(path) | Callee::Macro(path) => path.last().cloned(),
            Callee::Method(_, name) | Callee::Super(name) => Some(name.clone()),
            Callee::Value(_) => None,
        },
        _ => None,
    })
}

fn calls(number: usize) -> String {
    match number {
        1 => "a call".to_owned(),
        more => format!("{more} calls"),
    }
}
