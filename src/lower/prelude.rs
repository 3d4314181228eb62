//! The languages' own shapes that lowering may know by name, such as `drop`, `vec!`, `select!`.
