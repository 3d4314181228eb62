//! Python: from a tree-sitter tree to flow.

use crate::flow::Module;
use crate::text::SourceFile;

/// Parses and lowers a Python file.
pub fn lower(file: &SourceFile) -> Module {
    super::empty(file)
}
