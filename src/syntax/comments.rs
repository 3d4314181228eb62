//! Comments by language, and docstrings, from the text alone.

use super::Comment;
use super::scan::{Token, scan};
use crate::text::{Language, Span};

/// Every comment of a text, in source order.
pub fn comments(text: &str, language: Language) -> Vec<Comment> {
    let mut found = Vec::new();
    scan(text, language, &mut |token, span: Span| {
        if token == Token::Comment {
            found.push(Comment { span, text: bare(span.text(text), language).to_owned() });
        }
    });
    found
}

/// The docstrings of a Python text: strings that are a statement of their own. Their text is without quotes.
pub fn docstrings(text: &str) -> Vec<Comment> {
    let mut found = Vec::new();
    let (mut line_start, mut depth) = (None, 0_u32);
    scan(text, Language::Python, &mut |token, span: Span| match token {
        Token::Line => line_start = (depth == 0).then_some(span.end),
        Token::Open(_) => depth += 1,
        Token::Close(_) => depth = depth.saturating_sub(1),
        Token::Text if line_start == Some(span.start) => {
            let bare = span.text(text).trim_start_matches(['r', 'R', 'u', 'U']);
            let quote = if bare.starts_with("\"\"\"") || bare.starts_with("'''") { 3 } else { 1 };
            if let Some(inner) = bare.get(quote..bare.len().saturating_sub(quote)) {
                found.push(Comment { span, text: inner.to_owned() });
            }
        }
        Token::Comment | Token::Text | Token::Unclosed | Token::Prefix => {}
    });
    found
}

/// A comment's text without its marker and outer white space.
pub fn bare(comment: &str, language: Language) -> &str {
    match language {
        Language::Python => comment.trim_start_matches('#').trim(),
        Language::Rust => match comment.strip_prefix("/*") {
            Some(block) => block.strip_suffix("*/").unwrap_or(block).trim_start_matches(['*', '!']).trim(),
            None => comment.trim_start_matches('/').trim_start_matches('!').trim(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str, language: Language) -> Vec<String> {
        comments(text, language).into_iter().map(|comment| comment.text).collect()
    }

    #[test]
    fn python_comments_are_not_found_in_strings() {
        let text = "#! /bin/x\na = '# no' # yes\nb = f\"{c['#']}\" # nested\nd = '''\n# no\n'''\n";
        assert_eq!(texts(text, Language::Python), ["! /bin/x", "yes", "nested"]);
    }

    #[test]
    fn rust_comments_lose_their_markers() {
        let text = "//! head\n/// doc\nlet s = \"// no\"; // yes\n/* block /* inner */ end */ let c = '\"'; // last";
        assert_eq!(texts(text, Language::Rust), ["head", "doc", "yes", "block /* inner */ end", "last"]);
    }
}
