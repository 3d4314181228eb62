//! The language's own shapes: names that belong to Rust itself or whose macros change the flow of control.
//!
//! What a library function *means* is the catalogue's matter; nothing here says that a call blocks or takes a lock.

/// Paths of the function that ends its argument.
const DROP: [&[&str]; 4] = [&["drop"], &["mem", "drop"], &["std", "mem", "drop"], &["core", "mem", "drop"]];

/// Whether a path, as written, is `drop`.
pub(crate) fn is_drop(path: &[String]) -> bool {
    DROP.iter().any(|drop| drop.iter().eq(path.iter()))
}

/// The trait that gives a type a destructor, and its method.
pub(crate) const DESTRUCTOR: (&str, &str) = ("Drop", "drop");

/// Last segments of attributes that make a function a test.
const TEST_ATTRIBUTES: [&str; 6] = ["test", "bench", "rstest", "test_case", "quickcheck", "proptest"];

/// Whether an attribute, by its last segment, makes a function a test.
pub(crate) fn is_test_attribute(name: &str) -> bool {
    TEST_ATTRIBUTES.contains(&name)
}

/// How a macro's body is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `select! { pattern = future => handler, … }`.
    Select,
    /// `join!(future, …)`.
    Join,
    /// `pin!(value)` where the value stays an expression; `pin!(name)` pins a variable in place.
    Pin,
    /// `vec![a, b]`, `vec![a; n]`.
    List,
    /// `format!("…", a)`: gives text of its arguments, by reference.
    Format,
    /// `assert!(…)`: arguments by reference, nothing comes of it.
    Assert,
    /// `panic!(…)`: arguments by reference, then out of the function.
    Panic,
    /// `todo!()`, `unimplemented!()`: the same, and a placeholder.
    Todo,
    /// `matches!(value, pattern if guard)`.
    Matches,
    /// `stream! { … yield … }`.
    Stream,
    /// Something of the compiler's that evaluates nothing: `line!()`, `include_str!(…)`, `cfg!(…)`.
    Nothing,
    /// A call of a macro with arguments by reference: `println!`, `write!`, the logging macros.
    Call,
}

/// Whether a macro of the shape [`Shape::Select`] asks its futures in the order in which they are written.
pub(crate) fn is_biased(name: &str) -> bool {
    name == "select_biased"
}

/// How a macro is to be read, by its name.
pub(crate) fn shape(name: &str) -> Shape {
    match name {
        "select" | "select_biased" => Shape::Select,
        "join" | "try_join" => Shape::Join,
        "pin" | "pin_mut" => Shape::Pin,
        "vec" => Shape::List,
        "format" | "format_args" => Shape::Format,
        "assert" | "assert_eq" | "assert_ne" | "debug_assert" | "debug_assert_eq" | "debug_assert_ne" => Shape::Assert,
        "panic" | "unreachable" => Shape::Panic,
        "todo" | "unimplemented" => Shape::Todo,
        "matches" => Shape::Matches,
        "stream" | "try_stream" => Shape::Stream,
        "line" | "column" | "file" | "module_path" | "concat" | "stringify" | "env" | "option_env" | "cfg"
        | "include_str" | "include_bytes" | "compile_error" | "global_asm" => Shape::Nothing,
        _ => Shape::Call,
    }
}
