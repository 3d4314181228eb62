//! Rust files: syn on the whole file, tree-sitter outlines it where that fails.
