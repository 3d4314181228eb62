//! tenth
