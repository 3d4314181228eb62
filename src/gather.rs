//! What the review wants to know of the analysed files besides verdicts: items, coverage, commits, as plain data.

use crate::analysis::{FunctionId, ModuleId, Program};
use crate::flow::{FunctionIndex, FunctionKind, Module, Quality};
use crate::review::{Coverage, CoverageState, ItemKind, ItemRange};
use crate::text::{LineIndex, Side, Span};

/// Functions and types of a file, closures left out: they are read with what they stand in.
pub(crate) fn items(module: &Module, side: Side, lines: &LineIndex) -> Vec<ItemRange> {
    let item = |name: &str, kind: ItemKind, span: Span| {
        let (first, last) = lines.lines(span);
        ItemRange { path: module.path.clone(), side, name: name.to_owned(), kind, first, last }
    };
    let functions = module.functions.iter().filter(|function| {
        !matches!(
            function.kind,
            FunctionKind::Module | FunctionKind::Closure | FunctionKind::AsyncBlock | FunctionKind::GeneratorExpression
        )
    });
    let functions = functions.map(|function| item(&function.qualified, ItemKind::Function, function.span));
    let types = module.types.iter().map(|of| item(&of.qualified, ItemKind::Type, of.span));
    let impls = module.impls.iter().map(|block| item("", ItemKind::Type, block.span));
    functions.chain(types).chain(impls).collect()
}

/// What could not be read of a file, or analysed of its functions.
pub(crate) fn coverage(program: &Program, modules: &[ModuleId], failed: &[FunctionId]) -> Vec<Coverage> {
    let mut rows = Vec::new();
    for &id in modules {
        let module = program.module(id);
        let row = |function: Option<String>, state, why: &str| Coverage {
            path: module.path.to_string(),
            function,
            state,
            why: why.to_owned(),
        };
        match module.quality {
            Quality::Whole => {}
            Quality::InPieces => {
                rows.push(row(
                    None,
                    CoverageState::InPieces,
                    "the file does not parse as a whole; its sound parts were analysed",
                ));
            }
            Quality::NotAtAll => {
                rows.push(row(None, CoverageState::NotAnalysed, "nothing in the file could be parsed"));
                continue;
            }
        }
        for (at, function) in module.functions.iter().enumerate() {
            if function.quality != Quality::Whole && at > 0 && module.quality == Quality::Whole {
                rows.push(row(Some(function.qualified.clone()), CoverageState::InPieces, "the function is damaged"));
            }
            let index = FunctionIndex(at as u32);
            if failed.contains(&FunctionId { module: id, index }) {
                let why = "the analysis failed on it; this is a fault of the tool";
                rows.push(row(Some(function.qualified.clone()), CoverageState::NotAnalysed, why));
            }
        }
    }
    if program.exhausted() {
        let why = "too many files would have had to be read; names that lead further are unknown";
        let path = modules.first().map_or(String::new(), |id| program.module(*id).path.to_string());
        rows.push(Coverage { path, function: None, state: CoverageState::InPieces, why: why.to_owned() });
    }
    rows
}
