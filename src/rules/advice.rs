//! What the catalogue advises, as a sentence of help.
//!
//! ~~~text
//! aiofiles / anyio.Path, or await asyncio.to_thread(…)    use `aiofiles`, `anyio.Path` or `await asyncio.to_thread(…)`
//! anyio.Path (same method names, awaited)                 use `anyio.Path` instead (same method names, awaited)
//! read with aiofiles then json.loads                      words stand as they are
//! ~~~

/// The help that an advice makes.
pub(super) fn help(advice: &str) -> String {
    let (advice, remark) = match advice.strip_suffix(')').and_then(|text| text.rsplit_once(" (")) {
        Some((before, _)) => (before, &advice[before.len()..]),
        None => (advice, ""),
    };
    let ways: Vec<&str> = advice.split(", or ").flat_map(|part| part.split(" / ")).collect();
    if !ways.iter().all(|way| is_code(way)) {
        return format!("{advice}{remark}");
    }
    let (last, others) = ways.split_last().expect("a split text has a part");
    if others.is_empty() {
        return format!("use `{last}` instead{remark}");
    }
    let others: Vec<String> = others.iter().map(|way| format!("`{way}`")).collect();
    format!("use {} or `{last}` instead{remark}", others.join(", "))
}

/// Whether an advice is a name or a call, rather than words.
fn is_code(way: &str) -> bool {
    let call = way.strip_prefix("await ").unwrap_or(way);
    let name = call.split_once('(').map_or(call, |(name, _)| name);
    let is_closed = name.len() == call.len() || call.ends_with(')') || call.contains(").");
    !name.is_empty() && !name.contains([' ', ',', '…']) && is_closed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_calls_stand_in_backquotes_and_remarks_behind() {
        assert_eq!(help("await asyncio.to_thread(…)"), "use `await asyncio.to_thread(…)` instead");
        assert_eq!(
            help("anyio.Path (same method names, awaited)"),
            "use `anyio.Path` instead (same method names, awaited)"
        );
        assert_eq!(
            help("aiofiles / anyio.Path, or await asyncio.to_thread(…)"),
            "use `aiofiles`, `anyio.Path` or `await asyncio.to_thread(…)` instead"
        );
        assert_eq!(help("spawn.expect(…, async_=True)"), "use `spawn.expect(…, async_=True)` instead");
        assert_eq!(help("recv().await"), "use `recv().await` instead");
    }

    #[test]
    fn words_stand_as_they_are() {
        assert_eq!(help("read with aiofiles then json.loads"), "read with aiofiles then json.loads");
        assert_eq!(help("the *_async methods (stripe>=8)"), "the *_async methods (stripe>=8)");
    }
}
