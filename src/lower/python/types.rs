//! Annotations, from their text: `dict[str, int] | None`, `"Foo"`, `Annotated[T, Depends(f)]`.
//!
//! The text is read rather than the tree, because an annotation may be a string and then there is no tree.

use crate::flow::TypeTerm;

/// How deep a type may nest; deeper ones are kept as text.
const DEEPEST: u32 = 40;

/// The type that a text says.
pub(super) fn term(text: &str) -> TypeTerm {
    let mut reader = Reader { text, at: 0, depth: 0 };
    let term = reader.union();
    reader.blank();
    match term {
        Some(term) if reader.at == text.len() => term,
        Some(_) | None => TypeTerm::Other(text.trim().to_owned()),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn blank(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\\');
            self.at = self.text.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.blank();
        let is_there = self.peek() == Some(wanted);
        if is_there {
            self.at += wanted.len_utf8();
        }
        is_there
    }

    fn union(&mut self) -> Option<TypeTerm> {
        if self.depth > DEEPEST {
            return None;
        }
        self.depth += 1;
        let mut terms = vec![self.single()?];
        while self.eat('|') {
            terms.push(self.single()?);
        }
        self.depth -= 1;
        if terms.len() == 1 { terms.pop() } else { Some(TypeTerm::Union(terms)) }
    }

    fn single(&mut self) -> Option<TypeTerm> {
        self.blank();
        let start = self.at;
        let first = self.peek()?;
        match first {
            '"' | '\'' => self.quoted(first),
            '(' => {
                self.at += 1;
                let (mut terms, has_comma) = self.list(')')?;
                let is_group = terms.len() == 1 && !has_comma;
                if is_group { terms.pop() } else { Some(TypeTerm::Tuple(terms)) }
            }
            '[' => {
                self.at += 1;
                let (terms, _) = self.list(']')?;
                Some(TypeTerm::Tuple(terms))
            }
            _ if first == '_' || first.is_alphabetic() => {
                let term = self.path();
                let next = self.rest().trim_start().chars().next();
                match next {
                    Some('(' | '=' | '"' | '\'') => self.other(start),
                    _ => term,
                }
            }
            _ => self.other(start),
        }
    }

    /// Terms up to a closing bracket, and whether a comma was among them.
    fn list(&mut self, close: char) -> Option<(Vec<TypeTerm>, bool)> {
        let mut terms = Vec::new();
        let mut has_comma = false;
        while !self.eat(close) {
            terms.push(self.union()?);
            if self.eat(',') {
                has_comma = true;
            } else if !self.eat(close) {
                return None;
            } else {
                break;
            }
        }
        Some((terms, has_comma))
    }

    fn quoted(&mut self, quote: char) -> Option<TypeTerm> {
        let rest = self.rest();
        let triple = if quote == '"' { "\"\"\"" } else { "'''" };
        let mark = if rest.starts_with(triple) { triple } else { &triple[..1] };
        let inner = rest.get(mark.len()..)?;
        let end = inner.find(mark)?;
        self.at += end + 2 * mark.len();
        let mut inside = Reader { text: &inner[..end], at: 0, depth: self.depth + 1 };
        let term = inside.union();
        inside.blank();
        match term {
            Some(term) if inside.at == inside.text.len() => Some(term),
            Some(_) | None => Some(TypeTerm::Other(inner[..end].trim().to_owned())),
        }
    }

    fn path(&mut self) -> Option<TypeTerm> {
        let mut segments = Vec::new();
        loop {
            self.blank();
            let rest = self.rest();
            let end = rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len());
            if end == 0 {
                return None;
            }
            segments.push(rest[..end].to_owned());
            self.at += end;
            let here = self.at;
            if !self.eat('.') {
                self.at = here;
                break;
            }
        }
        let here = self.at;
        if !self.eat('[') {
            self.at = here;
            return Some(match segments.last().map(String::as_str) {
                Some("None") => TypeTerm::Other("None".to_owned()),
                _ => TypeTerm::Path { segments, args: Vec::new() },
            });
        }
        match segments.last().map(String::as_str) {
            Some("Annotated") => self.annotated(),
            Some("Callable") => self.callable(segments),
            Some("Literal") => {
                let start = self.at;
                self.skip();
                let text = self.text.get(start..self.at)?.trim().to_owned();
                let is_closed = self.eat(']');
                is_closed.then(|| TypeTerm::Path { segments, args: vec![TypeTerm::Other(text)] })
            }
            _ => {
                let (args, _) = self.list(']')?;
                Some(TypeTerm::Path { segments, args })
            }
        }
    }

    fn annotated(&mut self) -> Option<TypeTerm> {
        let of = self.union()?;
        let mut beside = Vec::new();
        while self.eat(',') {
            self.blank();
            let start = self.at;
            self.skip_to_comma();
            let text = self.text.get(start..self.at)?.trim();
            if !text.is_empty() {
                beside.push(text.to_owned());
            }
        }
        self.eat(']').then(|| TypeTerm::Annotated(Box::new(of), beside))
    }

    fn callable(&mut self, segments: Vec<String>) -> Option<TypeTerm> {
        let (mut terms, _) = self.list(']')?;
        if terms.len() != 2 {
            return Some(TypeTerm::Path { segments, args: terms });
        }
        let returns = terms.pop()?;
        let takes = match terms.pop()? {
            TypeTerm::Tuple(takes) => takes,
            other => vec![other],
        };
        Some(TypeTerm::Function(takes, Some(Box::new(returns))))
    }

    /// Something that is no type, as text: up to the next comma, `|` or closing bracket.
    fn other(&mut self, start: usize) -> Option<TypeTerm> {
        self.at = start;
        self.skip_to_comma();
        let text = self.text.get(start..self.at)?.trim();
        (!text.is_empty()).then(|| TypeTerm::Other(text.to_owned()))
    }

    fn skip_to_comma(&mut self) {
        self.skip_until(|byte| byte == b',');
    }

    fn skip(&mut self) {
        self.skip_until(|_| false);
    }

    /// Goes on to a byte outside brackets and strings, or to the bracket that closes what is around.
    fn skip_until(&mut self, stop: impl Fn(u8) -> bool) {
        let bytes = self.text.as_bytes();
        let mut open = 0_u32;
        while let Some(&byte) = bytes.get(self.at) {
            match byte {
                b'(' | b'[' | b'{' => open += 1,
                b')' | b']' | b'}' if open == 0 => return,
                b')' | b']' | b'}' => open -= 1,
                b'"' | b'\'' => {
                    let rest = bytes.get(self.at + 1..).unwrap_or_default();
                    self.at += memchr::memchr(byte, rest).map_or(rest.len(), |end| end + 1);
                }
                _ if open == 0 && stop(byte) => return,
                _ => {}
            }
            self.at += 1;
        }
        self.at = self.at.min(bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TypeTerm {
        TypeTerm::Path { segments: text.split('.').map(str::to_owned).collect(), args: Vec::new() }
    }

    #[test]
    fn strings_unions_and_arguments_are_read() {
        assert_eq!(term("'Foo | None'"), TypeTerm::Union(vec![path("Foo"), TypeTerm::Other("None".into())]));
        assert_eq!(
            term("Optional[ 'a.B' ]"),
            TypeTerm::Path { segments: vec!["Optional".into()], args: vec![path("a.B")] }
        );
        assert_eq!(
            term("Annotated[Session, Depends(get_db, use_cache=False), 'x']"),
            TypeTerm::Annotated(
                Box::new(path("Session")),
                vec!["Depends(get_db, use_cache=False)".into(), "'x'".into()]
            )
        );
        assert_eq!(
            term("Callable[[int], Awaitable]"),
            TypeTerm::Function(vec![path("int")], Some(Box::new(path("Awaitable"))))
        );
    }

    #[test]
    fn what_is_no_type_stays_text() {
        for text in ["a +", "[", "x[", "f(1)", "*Ts", "'", "lambda: 0", "é[\"", "Annotated[", "Literal[\"]"] {
            let _ = term(text);
        }
        assert_eq!(term("f(1)"), TypeTerm::Other("f(1)".into()));
    }
}
