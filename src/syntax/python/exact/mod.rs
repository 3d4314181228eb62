//! Sound files, by a parser that knows the language rather than a grammar: several times as fast, and it takes nothing
//! that is not Python. What it turns away is read by tree-sitter (see [`super`]).
//!
//! The tree comes out as tree-sitter would make it, as far as lowering looks: kinds, fields and spans are the grammar's.
//! The parser's own tree drops parentheses, the grammar keeps them; they are found again among the tokens.

mod definitions;
mod expressions;
mod patterns;
mod statements;

use ruff_python_ast::token::{Token, TokenKind};
use ruff_python_ast::{ModModule, Stmt};
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};
use ruff_text_size::{Ranged, TextRange};

use super::tree::{Field, Kind, Tree};
use crate::text::Span;

/// The most bytes of a statement, or of anything else between two lines that begin outside brackets. Operators nest
/// without brackets (`a + b + …`), and the parser's tree is dropped by recursion: a shorter statement has no room to nest
/// more deeply than the stack of a worker bears.
const LONGEST: u32 = 64 * 1024;

/// How deep expressions may nest here. Brackets are bounded by the nesting scan; what nests without them is not.
const DEEPEST: u32 = 1000;

/// Reads a text, if it is Python from end to end. What nests too deeply must have been turned away before.
pub(super) fn read(text: &str) -> Option<Tree> {
    if text.len() > LONGEST as usize && longest_line(text) > LONGEST {
        return None;
    }
    let parsed = parse_unchecked(text, ParseOptions::from(Mode::Module)).try_into_module()?;
    if parsed.has_invalid_syntax() {
        return None;
    }
    let tokens = parsed.tokens();
    let mut builder = Builder {
        text,
        tokens,
        at: 0,
        floor: 0,
        end: 0,
        depth: 0,
        is_too_deep: false,
        // Room for the nodes of nearly any text: what grows is copied.
        tree: Tree { nodes: Vec::with_capacity(text.len() / 6), ..Tree::default() },
        spine: Vec::new(),
    };
    builder.tree.comments =
        tokens.iter().filter(|token| token.kind() == TokenKind::Comment).map(|token| span(token.range())).collect();
    builder.module(parsed.syntax());
    (!builder.is_too_deep).then_some(builder.tree)
}

/// The most bytes between the starts of two lines that no bracket and no string goes through.
fn longest_line(text: &str) -> u32 {
    use crate::syntax::scan::{Token, scan_python};
    let (mut open, mut start, mut longest) = (0_u32, 0, 0);
    scan_python(text, &mut |token, span: Span| {
        match token {
            Token::Open(_) => open += 1,
            Token::Close(_) => open = open.saturating_sub(1),
            Token::Line if open == 0 => {
                longest = longest.max(span.start - start);
                start = span.start;
            }
            Token::Line | Token::Comment | Token::Text | Token::Unclosed | Token::Prefix => {}
        }
        true
    });
    longest.max(text.len() as u32 - start)
}

fn span(range: TextRange) -> Span {
    Span::new(range.start().to_u32(), range.end().to_u32())
}

fn start(node: &impl Ranged) -> u32 {
    node.start().to_u32()
}

fn end(node: &impl Ranged) -> u32 {
    node.end().to_u32()
}

struct Builder<'a> {
    text: &'a str,
    tokens: &'a [Token],
    /// The first token that is not behind what was read so far.
    at: usize,
    /// A parenthesis before this byte belongs to something that was read.
    floor: u32,
    /// Where the node ends that was finished last, with the parentheses around it.
    end: u32,
    /// How many expressions are being read around this one.
    depth: u32,
    is_too_deep: bool,
    tree: Tree,
    /// The operators, calls, attributes and elements whose left side is being read, outermost first.
    spine: Vec<expressions::Outer<'a>>,
}

/// Parentheses around an expression: their nodes, which stand one after another, outermost first.
#[derive(Clone, Copy)]
struct Parentheses {
    first: u32,
    count: u32,
}

impl<'a> Builder<'a> {
    fn module(&mut self, module: &'a ModModule) {
        let first = self.tokens.iter().find(|token| token.kind() != TokenKind::NonLogicalNewline);
        let at = self.open(Kind::Module, Field::None, first.map_or(0, start));
        self.statements(&module.body);
        self.close(at, self.text.len() as u32);
    }

    fn open(&mut self, kind: Kind, field: Field, start: u32) -> u32 {
        self.tree.open(kind, field, start)
    }

    fn close(&mut self, at: u32, end: u32) {
        self.tree.close(at, end);
        self.end = end;
    }

    fn leaf(&mut self, kind: Kind, field: Field, span: Span) {
        let at = self.open(kind, field, span.start);
        self.close(at, span.end);
    }

    fn statements(&mut self, body: &'a [Stmt]) {
        for statement in body {
            self.statement(statement);
        }
    }

    /// The body of something.
    fn block(&mut self, body: &'a [Stmt], field: Field) {
        let from = body.first().map_or(self.end, start);
        let at = self.open(Kind::Block, field, from);
        self.statements(body);
        self.comments_behind(from);
        self.close(at, self.end);
    }

    /// Comments behind the last statement of a block that begins at an offset belong to it: one on the same line, and
    /// those below that stand as far right.
    fn comments_behind(&mut self, block: u32) {
        let indent = self.column(block);
        let at = self.token(self.end);
        let mut is_same_line = true;
        for token in &self.tokens[at..] {
            match token.kind() {
                TokenKind::Semi => {}
                TokenKind::Newline => is_same_line = false,
                TokenKind::NonLogicalNewline => {}
                TokenKind::Comment if is_same_line => self.end = end(token),
                TokenKind::Comment if indent.is_some_and(|indent| self.column(start(token)) >= Some(indent)) => {
                    self.end = end(token);
                }
                _ => return,
            }
        }
    }

    /// How far right something stands, if nothing but white space stands before it on its line. A tab counts as eight.
    fn column(&self, offset: u32) -> Option<u32> {
        let before = self.text.as_bytes().get(..offset as usize)?;
        let mut column = 0;
        for byte in before.iter().rev().take_while(|byte| **byte != b'\n') {
            column += match byte {
                b' ' => 1,
                b'\t' => 8,
                b'\x0c' | b'\r' => 0,
                _ => return None,
            };
        }
        Some(column)
    }

    /// The index of the first token that begins at an offset or after it.
    fn token(&mut self, offset: u32) -> usize {
        while self.tokens.get(self.at).is_some_and(|token| start(token) < offset) {
            self.at += 1;
        }
        self.at
    }

    /// The tokens before one that nobody has claimed, the nearest first, without what is no code.
    fn before(&self, at: usize) -> impl Iterator<Item = &'a Token> + use<'a> {
        let floor = self.floor;
        let tokens = self.tokens;
        tokens[..at]
            .iter()
            .rev()
            .take_while(move |token| start(*token) >= floor)
            .filter(|token| !matches!(token.kind(), TokenKind::Comment | TokenKind::NonLogicalNewline))
    }

    /// Where an expression begins, with the parentheses around it.
    fn outer_start(&mut self, node: &impl Ranged) -> u32 {
        let at = self.token(start(node));
        let parentheses = self.before(at).take_while(|token| token.kind() == TokenKind::Lpar);
        parentheses.last().map_or(start(node), start)
    }

    /// Where the nearest token of a kind begins before an offset; the offset, if there is none.
    fn keyword_before(&mut self, offset: u32, kind: TokenKind) -> u32 {
        let at = self.token(offset);
        self.tokens[..at].iter().rev().find(|token| token.kind() == kind).map_or(offset, start)
    }

    /// Starts the nodes of the parentheses around an expression. What is in them is nothing to the parent.
    fn parentheses(&mut self, node: &impl Ranged, field: &mut Field) -> Parentheses {
        let at = self.token(start(node));
        let around = self.before(at).take_while(|token| token.kind() == TokenKind::Lpar);
        let starts: Vec<u32> = around.map(start).collect();
        let first = self.tree.nodes.len() as u32;
        for &start in starts.iter().rev() {
            self.open(Kind::Parenthesized, std::mem::replace(field, Field::None), start);
        }
        self.floor = start(node);
        Parentheses { first, count: starts.len() as u32 }
    }

    /// Ends the nodes of the parentheses around what was read last.
    fn end_parentheses(&mut self, around: Parentheses) {
        if around.count == 0 {
            return;
        }
        let mut at = self.token(self.end);
        for node in (around.first..around.first + around.count).rev() {
            while self.tokens.get(at).is_some_and(|token| token.kind() != TokenKind::Rpar) {
                at += 1;
            }
            let end = self.tokens.get(at).map_or(self.end, end);
            self.close(node, end);
            at += 1;
        }
        self.floor = self.end;
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, longest_line, read};

    #[test]
    fn what_is_no_python_is_turned_away() {
        for text in ["def f(:\n", "print 'old'\n", "x = (\n", "if a:\nb\n", "try:\n    a\n"] {
            assert!(read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn long_chains_are_turned_away_and_long_tables_of_lines_are_not() {
        assert!(read(&format!("x = a{}\n", " + a".repeat(20_000))).is_none());
        assert!(read(&"x = 1\n".repeat(20_000)).is_some());
    }

    #[test]
    fn the_longest_statement_leaves_room_on_the_stack_of_a_worker() {
        let forms = ["a+", "a**", "a if b else ", "lambda:", "a or b and ", "a<b and not ", "a,*b,", "a.b[c](d)+"];
        let read_all = move || {
            for form in forms {
                let text = format!("x = {}a\n", form.repeat((LONGEST as usize - 16) / form.len()));
                assert!(longest_line(&text) <= LONGEST);
                let _ = read(&text);
                let _ = read(&format!("x = a{}\n", ".b(c)".repeat(LONGEST as usize / 5 - 2)));
            }
        };
        let worker = std::thread::Builder::new().stack_size(crate::load::STACK).spawn(read_all).expect("it starts");
        worker.join().expect("nothing panics");
    }
}
