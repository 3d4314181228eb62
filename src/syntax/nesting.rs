//! How deeply a text is nested, by a scan over its bytes, before any parser sees it.
//!
//! Parsers and lowering recurse on brackets and blocks; a stack overflow is not a panic that can be caught. What is
//! nested deeper than [`LIMIT`] is not parsed at all.

use super::scan::{Token, scan};
use crate::text::{Language, Span};

/// How many brackets, blocks and prefix operators may be open at once.
pub const LIMIT: u32 = 256;

/// The 1-based line where a text gets deeper than [`LIMIT`], and the greatest depth it reaches.
pub fn too_deep(text: &str, language: Language) -> Option<(u32, u32)> {
    let bytes = text.as_bytes();
    let mut open = 0_u32;
    let mut indents: Vec<u32> = Vec::new();
    let mut prefixes = (0_u32, 0_u32);
    let mut deepest = 0;
    let mut first = None;
    scan(text, language, &mut |token, span: Span| {
        match token {
            Token::Open(_) => open += 1,
            Token::Close(_) => open = open.saturating_sub(1),
            Token::Line if open == 0 => {
                let width = span.end - span.start;
                if !matches!(bytes.get(span.end as usize), None | Some(b'\n' | b'\r' | b'#')) {
                    while indents.last().is_some_and(|&last| last >= width) {
                        indents.pop();
                    }
                    if width > 0 {
                        indents.push(width);
                    }
                }
            }
            Token::Prefix => {
                let gap = bytes.get(prefixes.1 as usize..span.start as usize).unwrap_or_default();
                let goes_on = gap.iter().all(u8::is_ascii_whitespace);
                prefixes = (if goes_on { prefixes.0 + 1 } else { 1 }, span.end);
            }
            Token::Comment | Token::Text | Token::Unclosed | Token::Line => {}
        }
        let run = if token == Token::Prefix { prefixes.0 } else { 0 };
        let depth = open + indents.len() as u32 + run;
        if depth > LIMIT && first.is_none() {
            first = Some(span.start);
        }
        deepest = deepest.max(depth);
    });
    let offset = first?;
    Some((memchr::memchr_iter(b'\n', bytes.get(..offset as usize)?).count() as u32 + 1, deepest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_brackets_name_their_line() {
        let text = format!("x = 1\ny = {}{}\n", "(".repeat(20_000), ")".repeat(20_000));
        assert_eq!(too_deep(&text, Language::Python), Some((2, 20_000)));
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        let text = format!("x = '{0}'  # {0}\ny = '''\n{0}'''\nz = f'{{{{{0}'\n", "(".repeat(300));
        assert_eq!(too_deep(&text, Language::Python), None);
        let text =
            format!("// {0}\n/* {0} /* */ */ let x = \"{0}\\\"\"; let c = '('; let r = r#\"{0}\"#;", "(".repeat(300));
        assert_eq!(too_deep(&text, Language::Rust), None);
    }

    #[test]
    fn deep_blocks_count_in_both_languages() {
        let python: String = (0..300).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
        assert_eq!(too_deep(&python, Language::Python).map(|(line, _)| line), Some(258));
        assert!(too_deep(&"{".repeat(300), Language::Rust).is_some());
    }

    #[test]
    fn a_run_of_prefix_operators_is_nesting() {
        assert!(too_deep(&format!("let x = {}y;", "!".repeat(300)), Language::Rust).is_some());
        assert!(too_deep(&"a * b; ".repeat(300), Language::Rust).is_none());
    }
}
