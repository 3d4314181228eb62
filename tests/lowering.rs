//! The printed flow of every file under `fixtures/lowering`, one snapshot each.

use tenth::flow::print;
use tenth::lower::{Edition, lower};
use tenth::text::SourceFile;

#[test]
fn printed_flow_of_fixtures() {
    insta::glob!("../fixtures/lowering", "*/*.{py,rs}", |path| {
        let text = std::fs::read_to_string(path).expect("a fixture is readable");
        let name = path.file_name().and_then(|name| name.to_str()).expect("a fixture's name is UTF-8");
        let file = SourceFile::new(name, text.as_str()).expect("a fixture's ending names its language");
        let edition = if name.ends_with("_2021.rs") { Edition::Until2021 } else { Edition::From2024 };
        let module = lower(&file, edition);
        insta::assert_snapshot!(print::module(&module, &text));
    });
}
