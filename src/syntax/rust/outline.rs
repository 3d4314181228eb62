//! The sound items of a file that syn rejects as a whole.

use tree_sitter::{Node, TreeCursor};

use super::scan::{self, Scan};
use crate::syntax::Broken;
use crate::text::Span;

/// How many broken stretches of a file are told apart.
const MOST_BROKEN: usize = 20;

/// An item that syn can read by itself.
#[derive(Debug)]
struct Sound {
    span: Span,
    /// What it stands in, outermost first.
    around: Vec<Container>,
}

/// The opening of an `impl`, `trait` or inline `mod`: from its first byte to behind its brace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Container {
    head: Span,
    kind: ContainerKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ContainerKind {
    Impl,
    Trait,
    Module,
}

/// Reads what is sound, and says what is not. `error` is what syn says of the whole file.
pub(super) fn read(text: &str, scan: &Scan, error: &syn::Error) -> (Option<syn::File>, Vec<Broken>) {
    let mut broken = scan::conflicts(text);
    if broken.is_empty() {
        broken = scan.unclosed.clone();
    }
    if broken.is_empty() {
        broken = scan::unbalanced(text, &scan.brackets);
    }
    let is_explained = !broken.is_empty();
    let mut parser = tree_sitter::Parser::new();
    let tree = match parser.set_language(&tree_sitter_rust::LANGUAGE.into()) {
        Ok(()) => parser.parse(text, None),
        Err(_) => None,
    };
    let mut sound = Vec::new();
    if let Some(tree) = tree {
        let mut walk =
            Walk { text, containers: containers(text, &scan.brackets), sound: &mut sound, broken: Vec::new() };
        walk.run(tree.walk());
        walk.by_lines();
        if !is_explained {
            broken.extend(walk.broken);
        }
    }
    if broken.is_empty() {
        broken.push(broken_by(error, 0));
    }
    for broken in &mut broken {
        at_end(text, broken);
    }
    broken.truncate(MOST_BROKEN);
    (assemble(text, &sound), broken)
}

/// What syn has to complain about.
fn broken_by(error: &syn::Error, shift: u32) -> Broken {
    let range = error.span().byte_range();
    let span = Span::new(range.start as u32 + shift, range.end as u32 + shift);
    Broken { span, reason: error.to_string() }
}

/// What syn misses at the end of the file it places nowhere: it belongs to the last line with something on it.
fn at_end(text: &str, broken: &mut Broken) {
    if broken.span.end == 0 {
        let end = text.trim_end().len();
        let start = text[..end].rfind('\n').map_or(0, |newline| newline + 1);
        broken.span = Span::of(start..end);
        broken.reason = "the file ends in the middle of an item".to_owned();
    }
}

struct Walk<'a> {
    text: &'a str,
    containers: Vec<(Container, Span)>,
    sound: &'a mut Vec<Sound>,
    broken: Vec<Broken>,
}

impl Walk<'_> {
    /// Goes through the tree without recursion: into everything that is no sound item.
    fn run(&mut self, mut cursor: TreeCursor<'_>) {
        // Attributes and comments stand before their item as nodes of their own.
        let mut attributes: Option<u32> = None;
        loop {
            let node = cursor.node();
            let goes_in = match node.kind() {
                "attribute_item" => {
                    attributes.get_or_insert(node.start_byte() as u32);
                    false
                }
                "line_comment" | "block_comment" => {
                    // Documentation is an attribute too.
                    let start = node.start_byte() as u32;
                    if self.text.get(start as usize..).is_some_and(is_documentation) {
                        attributes.get_or_insert(start);
                    }
                    false
                }
                kind if is_item(kind) || is_macro_item(node) => {
                    let start = attributes.take().unwrap_or(node.start_byte() as u32);
                    let mut span = Span::new(start, node.end_byte() as u32);
                    if kind == "macro_invocation" && self.text.as_bytes().get(node.end_byte()) == Some(&b';') {
                        span.end += 1;
                    }
                    !self.take(node, span)
                }
                _ => {
                    attributes = None;
                    node.has_error() || node.parent().is_none()
                }
            };
            if goes_in && cursor.goto_first_child() {
                attributes = None;
                continue;
            }
            while !cursor.goto_next_sibling() {
                attributes = None;
                if !cursor.goto_parent() {
                    return;
                }
            }
        }
    }

    /// Finds functions in what tree-sitter gave up, by their lines: a function ends at the next closing brace that is
    /// indented like its first line.
    fn by_lines(&mut self) {
        let text = self.text;
        let mut starts: Vec<usize> = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1));
        let mut done = 0;
        for (number, &start) in starts.iter().enumerate() {
            let line = text[start..].split('\n').next().unwrap_or("");
            let code = line.trim_start();
            let at = (start + line.len() - code.len()) as u32;
            let is_known = self.sound.iter().any(|item| item.span.has(at));
            if at < done || is_known || !starts_function(code) {
                continue;
            }
            let is_one_line =
                |end: &u32| parse(Span::new(at, *end).text(text), &self.around_line(code, at, *end)).is_ok();
            let line_end = Some((start + line.trim_end().len()) as u32).filter(is_one_line);
            let closing = format!("{}}}", &line[..line.len() - code.len()]);
            let end = starts[number + 1..].iter().find(|&&start| text[start..].starts_with(&closing));
            let Some(end) = line_end.or(end.map(|end| (end + closing.len()) as u32)) else { continue };
            let span = Span::new(at, end);
            if self.sound.iter().any(|item| item.span.start < end && at < item.span.end) {
                continue;
            }
            let around = self.around_line(code, at, end);
            if parse(span.text(text), &around).is_ok() {
                self.sound.push(Sound { span, around });
                done = end;
            }
        }
        self.sound.sort_by_key(|item| item.span);
    }

    fn around_line(&self, code: &str, start: u32, end: u32) -> Vec<Container> {
        let parameters = code.split_once('(').map_or("", |(_, rest)| rest);
        let has_receiver = ["self", "&self", "&mut self", "mut self", "&'"].iter().any(|r| parameters.starts_with(r));
        self.around("function_item", has_receiver, Span::new(start, end))
    }

    /// Takes an item if syn can read it.
    fn take(&mut self, node: Node<'_>, span: Span) -> bool {
        let around = self.around(node.kind(), has_receiver(node), span);
        match parse(span.text(self.text), &around) {
            Ok(()) => {
                self.sound.push(Sound { span, around });
                true
            }
            Err(error) => {
                // A container is broken by what is in it, and says so there.
                if !matches!(node.kind(), "impl_item" | "trait_item" | "mod_item" | "macro_invocation") {
                    self.broken.push(broken_by(&error, span.start));
                }
                false
            }
        }
    }

    /// What an item stands in, judged by brackets; by indentation where those of a method lead nowhere.
    fn around(&self, kind: &str, has_receiver: bool, span: Span) -> Vec<Container> {
        let is_member = matches!(
            kind,
            "function_item"
                | "function_signature_item"
                | "const_item"
                | "type_item"
                | "associated_type"
                | "macro_invocation"
        );
        let fits = |container: &Container| is_member || container.kind == ContainerKind::Module;
        let holds = |whole: &Span| whole.start < span.start && span.start < whole.end;
        let mut found: Vec<Container> =
            self.containers.iter().filter(|(_, whole)| holds(whole)).map(|(c, _)| *c).filter(fits).collect();
        // Only the innermost can be an impl or trait; an outer one holds a function that holds this.
        while let Some(at) = found.iter().position(|container| container.kind != ContainerKind::Module)
            && at + 1 < found.len()
        {
            found.remove(at);
        }
        let is_in_type = found.last().is_some_and(|container| container.kind != ContainerKind::Module);
        if !is_in_type && has_receiver {
            let indentation = indentation(self.text, span.start);
            let nearest = self.containers.iter().rev().map(|(container, _)| container).find(|container| {
                container.kind != ContainerKind::Module
                    && container.head.start < span.start
                    && self::indentation(self.text, container.head.start) < indentation
            });
            found.extend(nearest);
        }
        found
    }
}

/// Reads an item by itself, as what it is where it stands.
fn parse(item: &str, around: &[Container]) -> syn::Result<()> {
    match around.last().map(|container| container.kind) {
        Some(ContainerKind::Impl) => syn::parse_str::<syn::ImplItem>(item).map(|_| ()),
        Some(ContainerKind::Trait) => syn::parse_str::<syn::TraitItem>(item).map(|_| ()),
        Some(ContainerKind::Module) | None => syn::parse_str::<syn::Item>(item).map(|_| ()),
    }
}

/// Whether a line of code opens a function.
fn starts_function(code: &str) -> bool {
    let words = code.split([' ', '(']).filter(|word| !word.is_empty());
    let is_before = |word: &str| {
        matches!(word, "pub" | "async" | "const" | "unsafe" | "extern" | "\"C\"" | "crate)" | "super)" | "default")
    };
    words.into_iter().find(|word| !is_before(word)) == Some("fn")
}

/// A macro call where an item stands.
fn is_macro_item(node: Node<'_>) -> bool {
    let is_outside = |parent: Node<'_>| matches!(parent.kind(), "source_file" | "declaration_list");
    node.kind() == "macro_invocation" && node.parent().is_some_and(is_outside)
}

fn has_receiver(node: Node<'_>) -> bool {
    let first = node.child_by_field_name("parameters").and_then(|parameters| parameters.named_child(0));
    first.is_some_and(|first| first.kind() == "self_parameter")
}

fn is_documentation(comment: &str) -> bool {
    comment.starts_with("///") && !comment.starts_with("////")
        || comment.starts_with("/**") && !comment.starts_with("/***") && !comment.starts_with("/**/")
}

fn is_item(kind: &str) -> bool {
    matches!(
        kind,
        "function_item"
            | "function_signature_item"
            | "const_item"
            | "static_item"
            | "struct_item"
            | "enum_item"
            | "union_item"
            | "type_item"
            | "associated_type"
            | "use_declaration"
            | "extern_crate_declaration"
            | "foreign_mod_item"
            | "macro_definition"
            | "impl_item"
            | "trait_item"
            | "mod_item"
    )
}

fn indentation(text: &str, at: u32) -> usize {
    let before = text.get(..at as usize).unwrap_or("");
    let line = &before[before.rfind('\n').map_or(0, |newline| newline + 1)..];
    line.len() - line.trim_start().len()
}

/// Openings of `impl`, `trait` and `mod` with all that their braces hold; to the end of the file where they are open.
fn containers(text: &str, brackets: &[(u8, u32)]) -> Vec<(Container, Span)> {
    let mut found: Vec<(Container, Span)> = Vec::new();
    let mut open: Vec<Option<usize>> = Vec::new();
    for (number, &(bracket, at)) in brackets.iter().enumerate() {
        match bracket {
            b'{' => {
                let container = head(text, brackets, number, at);
                open.push(container.map(|container| {
                    found.push((container, Span::new(container.head.start, text.len() as u32)));
                    found.len() - 1
                }));
            }
            b'}' => {
                // A brace at the start of a line closes the container that starts at the same indentation, if one
                // is open: braces that are missing inside it do not count.
                let column = indentation(text, at);
                let is_first = text.get(..at as usize).is_some_and(|before| before.ends_with('\n')) || column > 0;
                let same = open
                    .iter()
                    .rposition(|entry| entry.is_some_and(|at| indentation(text, found[at].0.head.start) == column));
                let keep = match same {
                    Some(same) if is_first && starts_line(text, at) => same,
                    // A brace that is indented more than the container closes something inside it.
                    _ => open.len().saturating_sub(1),
                };
                if let Some(Some(container)) = open.get(keep).copied()
                    && (same == Some(keep) || !starts_line(text, at))
                {
                    found[container].1.end = at;
                    open.truncate(keep);
                } else if open.last().is_some_and(Option::is_none) {
                    open.pop();
                }
            }
            _ => {}
        }
    }
    found
}

fn starts_line(text: &str, at: u32) -> bool {
    let before = text.get(..at as usize).unwrap_or("");
    before[before.rfind('\n').map_or(0, |newline| newline + 1)..].trim().is_empty()
}

/// The head that a brace belongs to, if it is one of a container.
fn head(text: &str, brackets: &[(u8, u32)], number: usize, at: u32) -> Option<Container> {
    // A head begins behind the last brace, `;` or bracketed attribute before it. Parentheses and brackets belong to it.
    let from = brackets[..number].iter().rev().find(|(b, _)| matches!(b, b'{' | b'}')).map_or(0, |(_, at)| at + 1);
    let before = text.get(from as usize..at as usize)?;
    let mut start = from as usize;
    let mut rest = before;
    loop {
        let trimmed = rest.trim_start();
        start += rest.len() - trimmed.len();
        rest = trimmed;
        let line = rest.split('\n').next().unwrap_or("");
        let word = line.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
        let kind = match word {
            "impl" => Some(ContainerKind::Impl),
            "trait" => Some(ContainerKind::Trait),
            "mod" => Some(ContainerKind::Module),
            "pub" | "unsafe" => {
                let words = || line.split(|c: char| !c.is_alphanumeric() && c != '_');
                words().find_map(|word| match word {
                    "impl" => Some(ContainerKind::Impl),
                    "trait" => Some(ContainerKind::Trait),
                    "mod" => Some(ContainerKind::Module),
                    _ => None,
                })
            }
            _ => None,
        };
        let has_end = rest.contains(';') || (kind.is_some() && rest.contains("fn "));
        match kind {
            Some(kind) if !has_end => {
                return Some(Container { head: Span::of(start..at as usize + 1), kind });
            }
            _ => {
                // Not on this line: attributes, comments and finished items come before.
                let next = rest.find('\n')?;
                start += next + 1;
                rest = &rest[next + 1..];
            }
        }
    }
}

/// Everything sound in one text of the same length, and syn's reading of it.
fn assemble(text: &str, sound: &[Sound]) -> Option<syn::File> {
    let mut bytes: Vec<u8> = text.bytes().map(|byte| if byte == b'\n' { b'\n' } else { b' ' }).collect();
    // What is still open has to be closed behind the last item, whatever comes there.
    bytes.extend([b' '; 8]);
    let mut open: Vec<Container> = Vec::new();
    let mut end = 0;
    for item in sound {
        let shared = open.iter().zip(&item.around).take_while(|(a, b)| a == b).count();
        let closing = open.len() - shared;
        let opening = &item.around[shared..];
        let start = opening.first().map_or(item.span.start, |container| container.head.start) as usize;
        if start < end + closing {
            continue;
        }
        bytes[end..end + closing].fill(b'}');
        open.truncate(shared);
        for container in opening {
            copy(text, container.head, &mut bytes);
            open.push(*container);
        }
        copy(text, item.span, &mut bytes);
        end = item.span.end as usize;
    }
    let closing = open.len().min(bytes.len() - end);
    bytes[end..end + closing].fill(b'}');
    let assembled = String::from_utf8(bytes).ok()?;
    if let Ok(file) = syn::parse_str::<syn::File>(&assembled) {
        return Some(file);
    }
    // Heads that do not hold up: what needs none is still worth having.
    let mut bytes: Vec<u8> = text.bytes().map(|byte| if byte == b'\n' { b'\n' } else { b' ' }).collect();
    sound.iter().filter(|item| item.around.is_empty()).for_each(|item| copy(text, item.span, &mut bytes));
    let assembled = String::from_utf8(bytes).ok()?;
    syn::parse_str::<syn::File>(&assembled).ok()
}

fn copy(text: &str, span: Span, into: &mut [u8]) {
    let range = span.start as usize..span.end as usize;
    if let (Some(from), Some(to)) = (text.as_bytes().get(range.clone()), into.get_mut(range)) {
        to.copy_from_slice(from);
    }
}
