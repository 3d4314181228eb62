//! A damaged file in pieces: each definition is parsed alone, so that the sound ones are all there.
//!
//! ~~~text
//! def sound(): …            parsed alone, kept
//! class Store:              does not parse: its header is kept, its members are pieces of their own
//!     def sound(self): …        kept
//!     def cut(self):            its header and the statements that parse are kept
//!         rows = self.load(     <- the line that is broken
//! ~~~

use super::damage::{diagnose, first_word};
use super::tree::{Field, Kind, Tree};
use super::{damage, parse_text};
use crate::syntax::Broken;
use crate::syntax::scan::{Token, scan_python};
use crate::text::Span;

/// How many definitions within definitions are taken apart.
const DEEPEST: u32 = 8;

/// What makes an indented piece parse: it is cut off again.
const AROUND: &str = "if 1:\n";

/// Puts a tree together from the pieces of a damaged text.
pub(super) fn read(text: &str, broken: &mut Vec<Broken>, is_marked: bool) -> Tree {
    let trusts_strings = {
        let mut is_closed = true;
        scan_python(text, &mut |token, span| {
            let is_long = matches!(text.as_bytes().get(span.start as usize..), Some(rest) if is_triple(rest));
            is_closed &= token != Token::Unclosed || !is_long;
            is_closed
        });
        is_closed
    };
    let mut pieces = Pieces { text, trusts_strings, tree: Tree { has_error: true, ..Tree::default() }, broken };
    let root = pieces.tree.open(Kind::Module, Field::None, 0);
    pieces.block(0, text.len(), 0);
    pieces.tree.close(root, text.len() as u32);
    if pieces.broken.is_empty() && !is_marked {
        // Each piece parses, the whole does not: say where the parser stumbled.
        let at = parse_text(text).and_then(|tree| first_error(&tree)).unwrap_or(0);
        let (span, reason) = diagnose(text, Some(at as u32));
        pieces.broken.push(Broken { span, reason });
    }
    pieces.tree
}

fn is_triple(rest: &[u8]) -> bool {
    let quote = rest.iter().position(|b| matches!(b, b'"' | b'\'')).unwrap_or(0);
    rest.get(quote..quote + 3).is_some_and(|marks| marks == b"\"\"\"" || marks == b"'''")
}

struct Pieces<'a> {
    text: &'a str,
    /// Whether every string that may span lines is closed, so that a definition within one is text.
    trusts_strings: bool,
    tree: Tree,
    broken: &'a mut Vec<Broken>,
}

impl Pieces<'_> {
    /// Reads the statements between two offsets, each a piece.
    fn block(&mut self, start: usize, end: usize, depth: u32) {
        let Some(mut at) = self.first_line(start, end) else { return };
        let indent = self.indent(at);
        while at < end {
            let next = self.boundary(at, end, indent);
            self.piece(at, next, indent, depth);
            at = next;
        }
    }

    /// Where the first line begins that is neither blank nor a comment.
    fn first_line(&self, start: usize, end: usize) -> Option<usize> {
        let mut at = start;
        for line in self.text.get(start..end)?.split_inclusive('\n') {
            let bare = line.trim_start();
            if !bare.is_empty() && !bare.starts_with('#') {
                return Some(at);
            }
            at += line.len();
        }
        None
    }

    fn indent(&self, line: usize) -> usize {
        self.text.as_bytes()[line..].iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\x0c')).count()
    }

    /// Where the statement that begins at a line ends: at the next definition as far left, or at the next line as far
    /// left that continues nothing.
    fn boundary(&self, start: usize, end: usize, indent: usize) -> usize {
        let text = &self.text[start..end];
        let mut open = 0_u32;
        let mut found = text.len();
        let mut has_body = false;
        let mut is_decorated = text.trim_start().starts_with('@');
        let mut check = |at: usize, width: usize, is_open: bool| {
            let line = &text[(at + width).min(text.len())..];
            if at == 0 || line.is_empty() || line.starts_with(['\n', '\r', '#']) {
                return true;
            }
            if width > indent {
                has_body = true;
                return true;
            }
            let is_definition = starts_definition(line);
            if is_definition && is_decorated && !has_body {
                is_decorated = line.starts_with('@');
                return true;
            }
            if is_definition || (!is_open && !continues(line)) {
                found = at;
                return false;
            }
            true
        };
        if self.trusts_strings {
            scan_python(text, &mut |token, span: Span| match token {
                Token::Open(_) => {
                    open += 1;
                    true
                }
                Token::Close(_) => {
                    open = open.saturating_sub(1);
                    true
                }
                Token::Line => check(span.start as usize, (span.end - span.start) as usize, open > 0),
                Token::Comment | Token::Text | Token::Unclosed | Token::Prefix => true,
            });
        } else {
            // Nobody knows where the string ends: only definitions count.
            let mut at = 0;
            for line in text.split_inclusive('\n') {
                let width = line.bytes().take_while(|b| matches!(b, b' ' | b'\t' | b'\x0c')).count();
                if !check(at, width, true) {
                    break;
                }
                at += line.len();
            }
        }
        start + found
    }

    /// Reads one statement; if it does not parse, what is sound in it.
    fn piece(&mut self, start: usize, end: usize, indent: usize, depth: u32) {
        let (part, error) = self.parse(start, end, indent, "");
        if error.is_none() {
            let structural = damage::structural(&part, self.text);
            self.broken.extend(structural);
            self.comments(&part);
            self.take(&part);
            return;
        }
        let known = self.broken.len();
        if depth < DEEPEST && self.definition(start, end, indent, depth) {
            if self.broken.len() == known {
                self.diagnose(start, end, error);
            }
            return;
        }
        self.diagnose(start, end, error);
        self.comments(&part);
        let at = self.tree.open(Kind::Error, Field::None, start as u32);
        // What the parser makes of a broken simple statement is a guess; in a compound one there are whole lines.
        // A piece that stands further out than its block begins with no white space to be cut off.
        let text = self.text.get(start + indent.min(end - start)..end).unwrap_or(&self.text[start..end]);
        if is_compound(text) {
            self.take(&part);
        }
        self.tree.close(at, self.trimmed(start, end) as u32);
    }

    fn diagnose(&mut self, start: usize, end: usize, error: Option<usize>) {
        let error = error.map(|at| at.saturating_sub(start) as u32);
        let (span, reason) = diagnose(&self.text[start..end], error);
        let shift = start as u32;
        self.broken.push(Broken { span: Span::new(span.start + shift, span.end + shift), reason });
    }

    /// Reads a definition by its header and its members. Says whether there was one.
    fn definition(&mut self, start: usize, end: usize, indent: usize, depth: u32) -> bool {
        let Some((keyword, body)) = self.header(start, end, indent) else { return false };
        if keyword > start {
            let stand_in = format!("{}def f(): pass\n", &self.text[keyword..keyword + indent]);
            let (_, error) = self.parse(start, keyword, indent, &stand_in);
            if error.is_some() {
                self.diagnose(start, keyword, error);
                self.piece(keyword, end, indent, depth);
                return true;
            }
        }
        let (head, error) = self.parse(start, body, indent, &format!("{} pass\n", " ".repeat(indent + 8)));
        if error.is_some() {
            return false;
        }
        let Some((from, to)) = statements_of(&head) else { return false };
        let is_definition = |kind| matches!(kind, Kind::Function | Kind::Class | Kind::Decorated);
        let outermost = &head.nodes[from as usize];
        if !is_definition(outermost.kind) || outermost.next != to {
            return false;
        }
        let Some(block) = (from..to).rev().find(|&at| head.nodes[at as usize].kind == Kind::Block) else {
            return false;
        };
        self.comments(&head);
        let shift = self.tree.nodes.len() as u32;
        self.tree.append(&head.nodes[from as usize..block as usize], from);
        let at = self.tree.open(Kind::Block, Field::Body, body as u32);
        self.block(body, end, depth + 1);
        let last = self.trimmed(start, end) as u32;
        self.tree.close(at, last);
        for node in shift..at {
            let is_around = from + (node - shift) < block && head.nodes[(from + node - shift) as usize].next > block;
            if is_around {
                self.tree.close(node, last);
            }
        }
        true
    }

    /// Where the line of `def` or `class` begins and where its body does.
    fn header(&self, start: usize, end: usize, indent: usize) -> Option<(usize, usize)> {
        let text = &self.text[start..end];
        let mut open = 0_u32;
        let mut keyword = None;
        let mut body = None;
        scan_python(text, &mut |token, span: Span| {
            match token {
                Token::Open(_) => open += 1,
                Token::Close(_) => open = open.saturating_sub(1),
                // A decorator whose bracket is open does not hide the definition below it.
                Token::Line if open == 0 || keyword.is_none() => {
                    let line = text.get(span.end as usize..).unwrap_or("");
                    if open > 0 && !starts_definition(line) {
                        return true;
                    }
                    open = 0;
                    let width = (span.end - span.start) as usize;
                    let is_blank = line.is_empty() || line.starts_with(['\n', '\r', '#']);
                    if !is_blank && keyword.is_none() && starts_definition(line) && !line.starts_with('@') {
                        keyword = Some(start + span.start as usize);
                    } else if !is_blank && keyword.is_some() {
                        if width > indent {
                            body = Some(start + span.start as usize);
                        }
                        return false;
                    }
                }
                Token::Line | Token::Comment | Token::Text | Token::Unclosed | Token::Prefix => {}
            }
            true
        });
        Some((keyword?, body?))
    }

    fn trimmed(&self, start: usize, end: usize) -> usize {
        start + self.text[start..end].trim_end().len()
    }

    /// Parses a stretch with something after it; says where it does not parse. Spans are those of the file.
    fn parse(&self, start: usize, end: usize, indent: usize, after: &str) -> (Tree, Option<usize>) {
        let before = if indent > 0 { AROUND } else { "" };
        let piece = format!("{before}{}{after}", &self.text[start..end]);
        let mut tree = Tree::default();
        let Some(parsed) = parse_text(&piece) else { return (tree, Some(start)) };
        tree.add(&parsed, |offset| (offset.saturating_sub(before.len()) + start).min(end) as u32);
        let error = first_error(&parsed).map(|at| (at.saturating_sub(before.len()) + start).min(end));
        (tree, error)
    }

    /// Takes over the statements of a parsed piece.
    fn take(&mut self, part: &Tree) {
        if let Some((from, to)) = statements_of(part) {
            self.tree.append(&part.nodes[from as usize..to as usize], from);
        }
    }

    fn comments(&mut self, part: &Tree) {
        self.tree.comments.extend(&part.comments);
    }
}

/// The nodes of a piece's statements, without the module and what was put around an indented piece.
fn statements_of(part: &Tree) -> Option<(u32, u32)> {
    let root = part.root();
    let first = part.nodes.first().and_then(|_| root.first())?;
    let is_wrapped = first.kind() == Kind::If
        && first
            .child(Field::Condition)
            .is_some_and(|one| one.kind() == Kind::Integer && one.span().start == one.span().end);
    let around = if is_wrapped { first.child(Field::Consequence)? } else { root };
    let from = around.index() + 1;
    (from < around.node().next).then_some((from, around.node().next))
}

fn starts_definition(line: &str) -> bool {
    match first_word(line) {
        "def" | "class" => true,
        "async" => first_word(line[5..].trim_start()) == "def",
        _ => line.starts_with('@'),
    }
}

fn is_compound(line: &str) -> bool {
    let word = first_word(line);
    matches!(word, "if" | "for" | "while" | "with" | "try" | "match" | "async") || starts_definition(line)
}

/// Whether a line belongs to the statement above it.
fn continues(line: &str) -> bool {
    matches!(first_word(line), "else" | "elif" | "except" | "finally" | "case") || line.starts_with([')', ']', '}'])
}

/// Where the first node is that the parser could not make sense of.
fn first_error(tree: &tree_sitter::Tree) -> Option<usize> {
    let mut cursor = tree.walk();
    if !cursor.node().has_error() {
        return None;
    }
    loop {
        let node = cursor.node();
        if node.is_error() || node.is_missing() {
            return Some(node.start_byte());
        }
        if node.has_error() && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return Some(0);
            }
        }
    }
}
