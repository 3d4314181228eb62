//! A Python syntax tree as one flat list, so that walks are loops over memory and pieces can be put together.
//!
//! Nodes stand in source order, parents first; a node's subtree is the stretch up to [`Node::next`]. Punctuation is
//! left out; comments are kept apart in [`Tree::comments`]. Spans count bytes of the file, whatever piece was parsed.

use std::sync::LazyLock;

use crate::text::Span;

macro_rules! kinds {
    ($($name:ident = $text:literal,)*) => {
        /// What a node is. Named after the grammar's own rules.
        #[allow(missing_docs)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $($name,)*
            /// The keyword `async` in front of a statement or clause.
            Async,
            /// What the grammar made nothing of.
            Error,
            /// Any other named node.
            Other,
        }

        fn named(text: &str) -> Kind {
            match text {
                $($text => Kind::$name,)*
                _ => Kind::Other,
            }
        }
    };
}

kinds! {
    AliasedImport = "aliased_import",
    ArgumentList = "argument_list",
    AsPattern = "as_pattern",
    AsPatternTarget = "as_pattern_target",
    Assert = "assert_statement",
    Assignment = "assignment",
    Attribute = "attribute",
    AugmentedAssignment = "augmented_assignment",
    Await = "await",
    BinaryOperator = "binary_operator",
    Block = "block",
    BooleanOperator = "boolean_operator",
    Break = "break_statement",
    Call = "call",
    Case = "case_clause",
    CasePattern = "case_pattern",
    Chevron = "chevron",
    Class = "class_definition",
    ClassPattern = "class_pattern",
    Comparison = "comparison_operator",
    ComplexPattern = "complex_pattern",
    ConcatenatedString = "concatenated_string",
    Conditional = "conditional_expression",
    ConstrainedType = "constrained_type",
    Continue = "continue_statement",
    Decorated = "decorated_definition",
    Decorator = "decorator",
    DefaultParameter = "default_parameter",
    Delete = "delete_statement",
    DictPattern = "dict_pattern",
    Dictionary = "dictionary",
    DictionaryComprehension = "dictionary_comprehension",
    DictionarySplat = "dictionary_splat",
    DictionarySplatPattern = "dictionary_splat_pattern",
    DottedName = "dotted_name",
    Elif = "elif_clause",
    Ellipsis = "ellipsis",
    Else = "else_clause",
    Except = "except_clause",
    Exec = "exec_statement",
    ExpressionList = "expression_list",
    ExpressionStatement = "expression_statement",
    False = "false",
    Finally = "finally_clause",
    Float = "float",
    For = "for_statement",
    ForIn = "for_in_clause",
    FormatExpression = "format_expression",
    FormatSpecifier = "format_specifier",
    Function = "function_definition",
    FutureImport = "future_import_statement",
    GeneratorExpression = "generator_expression",
    GenericType = "generic_type",
    Global = "global_statement",
    Identifier = "identifier",
    If = "if_statement",
    IfClause = "if_clause",
    Import = "import_statement",
    ImportFrom = "import_from_statement",
    ImportPrefix = "import_prefix",
    Integer = "integer",
    Interpolation = "interpolation",
    KeywordArgument = "keyword_argument",
    KeywordPattern = "keyword_pattern",
    KeywordSeparator = "keyword_separator",
    Lambda = "lambda",
    LambdaParameters = "lambda_parameters",
    List = "list",
    ListComprehension = "list_comprehension",
    ListPattern = "list_pattern",
    ListSplat = "list_splat",
    ListSplatPattern = "list_splat_pattern",
    Match = "match_statement",
    MemberType = "member_type",
    Module = "module",
    NamedExpression = "named_expression",
    None = "none",
    Nonlocal = "nonlocal_statement",
    Not = "not_operator",
    Pair = "pair",
    Parameters = "parameters",
    Parenthesized = "parenthesized_expression",
    Pass = "pass_statement",
    PatternList = "pattern_list",
    PositionalSeparator = "positional_separator",
    Print = "print_statement",
    Raise = "raise_statement",
    RelativeImport = "relative_import",
    Return = "return_statement",
    Set = "set",
    SetComprehension = "set_comprehension",
    Slice = "slice",
    SplatPattern = "splat_pattern",
    SplatType = "splat_type",
    String = "string",
    StringContent = "string_content",
    Subscript = "subscript",
    True = "true",
    Try = "try_statement",
    Tuple = "tuple",
    TuplePattern = "tuple_pattern",
    Type = "type",
    TypeAlias = "type_alias_statement",
    TypeParameter = "type_parameter",
    TypedDefaultParameter = "typed_default_parameter",
    TypedParameter = "typed_parameter",
    UnaryOperator = "unary_operator",
    UnionPattern = "union_pattern",
    UnionType = "union_type",
    While = "while_statement",
    WildcardImport = "wildcard_import",
    With = "with_statement",
    WithClause = "with_clause",
    WithItem = "with_item",
    Yield = "yield",
}

macro_rules! fields {
    ($($name:ident = $text:literal,)*) => {
        /// What a node is to its parent.
        #[allow(missing_docs)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Field {
            $($name,)*
            /// Any other, or none.
            None,
        }

        fn field(text: &str) -> Field {
            match text {
                $($text => Field::$name,)*
                _ => Field::None,
            }
        }
    };
}

fields! {
    Alias = "alias",
    Alternative = "alternative",
    Argument = "argument",
    Arguments = "arguments",
    Attribute = "attribute",
    Body = "body",
    Cause = "cause",
    Condition = "condition",
    Consequence = "consequence",
    Definition = "definition",
    Function = "function",
    Guard = "guard",
    Key = "key",
    Left = "left",
    ModuleName = "module_name",
    Name = "name",
    Object = "object",
    Parameters = "parameters",
    ReturnType = "return_type",
    Right = "right",
    Subject = "subject",
    Subscript = "subscript",
    Superclasses = "superclasses",
    Type = "type",
    TypeParameters = "type_parameters",
    Value = "value",
}

/// One node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// What it is to its parent.
    pub field: Field,
    /// Whether the parser made it up: it stands for a token that is not there.
    pub is_missing: bool,
    /// First byte in the file.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
    /// The index after the last node of its subtree.
    pub next: u32,
}

/// A syntax tree.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// The nodes in source order, parents first; the first is the module.
    pub nodes: Vec<Node>,
    /// The comments.
    pub comments: Vec<Span>,
    /// Whether the parser met what it could not make sense of.
    pub has_error: bool,
}

/// A node in its tree.
#[derive(Clone, Copy)]
pub struct Cursor<'t> {
    nodes: &'t [Node],
    at: u32,
}

struct Tables {
    kinds: Vec<Option<Kind>>,
    comment: u16,
    fields: Vec<Field>,
}

/// By the parser's own numbers: what to call a node, `None` for punctuation.
static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let language = tree_sitter::Language::new(tree_sitter_python::LANGUAGE);
    let kinds = (0..language.node_kind_count()).map(|id| {
        let id = id as u16;
        let text = language.node_kind_for_id(id).unwrap_or("");
        match (language.node_kind_is_named(id), text) {
            (true, _) => Some(named(text)),
            (false, "async") => Some(Kind::Async),
            (false, _) => None,
        }
    });
    let fields = (0..=language.field_count()).map(|id| field(language.field_name_for_id(id as u16).unwrap_or("")));
    let comment = language.id_for_node_kind("comment", true);
    Tables { kinds: kinds.collect(), comment, fields: fields.collect() }
});

impl Tree {
    /// Adds the nodes of a parsed piece. `shift` takes the piece's offsets to those of the file.
    pub(super) fn add(&mut self, parsed: &tree_sitter::Tree, shift: impl Fn(usize) -> u32) {
        let tables = &*TABLES;
        // Only a text with errors has nodes that stand for what is not there.
        let has_error = parsed.root_node().has_error();
        self.has_error |= has_error;
        let mut cursor = parsed.walk();
        let mut open: Vec<u32> = Vec::new();
        loop {
            let node = cursor.node();
            let id = node.kind_id();
            let kind = if has_error && node.is_error() {
                Some(Kind::Error)
            } else {
                tables.kinds.get(usize::from(id)).copied().flatten()
            };
            let is_missing = has_error && node.is_missing();
            let is_comment = id == tables.comment;
            let is_kept = (kind.is_some() || is_missing) && !is_comment;
            if is_comment {
                self.comments.push(Span::new(shift(node.start_byte()), shift(node.end_byte())));
            }
            if is_kept {
                let (start, end) = (shift(node.start_byte()), shift(node.end_byte()));
                let field = cursor
                    .field_id()
                    .map_or(Field::None, |id| tables.fields.get(usize::from(id.get())).copied().unwrap_or(Field::None));
                let kind = kind.unwrap_or(Kind::Error);
                self.nodes.push(Node { kind, field, is_missing, start, end, next: 0 });
            }
            let index = (self.nodes.len() as u32).wrapping_sub(1);
            if is_kept && cursor.goto_first_child() {
                open.push(index);
                continue;
            }
            if is_kept {
                self.nodes[index as usize].next = index + 1;
            }
            while !cursor.goto_next_sibling() {
                let Some(parent) = open.pop() else { return };
                cursor.goto_parent();
                self.nodes[parent as usize].next = self.nodes.len() as u32;
            }
        }
    }

    /// Starts a node by hand; what is added until it is closed stands in it.
    pub(super) fn open(&mut self, kind: Kind, field: Field, start: u32) -> u32 {
        self.nodes.push(Node { kind, field, is_missing: false, start, end: start, next: 0 });
        self.nodes.len() as u32 - 1
    }

    /// Ends a node that was started by hand.
    pub(super) fn close(&mut self, at: u32, end: u32) {
        let next = self.nodes.len() as u32;
        let node = &mut self.nodes[at as usize];
        node.next = next;
        node.end = end.max(node.start);
    }

    /// Copies subtrees of another tree to the end of this one.
    pub(super) fn append(&mut self, nodes: &[Node], from: u32) {
        let shift = self.nodes.len() as u32;
        self.nodes.extend(nodes.iter().map(|node| Node { next: node.next - from + shift, ..*node }));
    }

    /// The module.
    pub fn root(&self) -> Cursor<'_> {
        Cursor { nodes: &self.nodes, at: 0 }
    }

    /// The node at an index.
    pub fn at(&self, at: u32) -> Cursor<'_> {
        Cursor { nodes: &self.nodes, at }
    }
}

impl<'t> Cursor<'t> {
    /// The node itself.
    pub fn node(self) -> &'t Node {
        &self.nodes[self.at as usize]
    }

    /// Its index in the tree.
    pub fn index(self) -> u32 {
        self.at
    }

    /// What it is.
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// What it is to its parent.
    pub fn field(self) -> Field {
        self.node().field
    }

    /// Where it stands.
    pub fn span(self) -> Span {
        Span::new(self.node().start, self.node().end)
    }

    /// Its text.
    pub fn text(self, source: &str) -> &str {
        self.span().text(source)
    }

    /// Its children.
    pub fn children(self) -> impl Iterator<Item = Cursor<'t>> + Clone {
        let end = self.node().next;
        let nodes = self.nodes;
        let first = (self.at + 1 < end).then_some(Cursor { nodes, at: self.at + 1 });
        std::iter::successors(first, move |child| {
            let next = child.node().next;
            (next < end).then_some(Cursor { nodes, at: next })
        })
    }

    /// Everything below it, in source order.
    pub fn descendants(self) -> impl Iterator<Item = Cursor<'t>> + Clone {
        let nodes = self.nodes;
        (self.at + 1..self.node().next).map(move |at| Cursor { nodes, at })
    }

    /// The first child with a field.
    pub fn child(self, field: Field) -> Option<Cursor<'t>> {
        self.children().find(|child| child.field() == field)
    }

    /// Its children with a field.
    pub fn all(self, field: Field) -> impl Iterator<Item = Cursor<'t>> + Clone {
        self.children().filter(move |child| child.field() == field)
    }

    /// The first child of a kind.
    pub fn child_of(self, kind: Kind) -> Option<Cursor<'t>> {
        self.children().find(|child| child.kind() == kind)
    }

    /// The first child, whatever it is.
    pub fn first(self) -> Option<Cursor<'t>> {
        self.children().next()
    }
}
