//! Python files: tree-sitter, structural checks and a second try in pieces.
