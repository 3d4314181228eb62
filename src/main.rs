//! The command line of `tenth`.
fn main() {}
