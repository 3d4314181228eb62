//! Parses the Python files that are named on standard input, one path a line, each once: the least that any review of
//! them has to do. `benches/ratio.py` measures it.

use std::io::Read;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut paths = String::new();
    if let Err(error) = std::io::stdin().read_to_string(&mut paths) {
        eprintln!("standard input: {error}");
        return ExitCode::from(2);
    }
    let mut parser = tree_sitter::Parser::new();
    if let Err(error) = parser.set_language(&tree_sitter_python::LANGUAGE.into()) {
        eprintln!("the grammar: {error}");
        return ExitCode::from(2);
    }
    let (mut files, mut bytes, mut nodes) = (0, 0, 0);
    for path in paths.lines() {
        match std::fs::read(path) {
            Ok(text) => {
                files += 1;
                bytes += text.len();
                nodes += parser.parse(&text, None).map_or(0, |tree| tree.root_node().descendant_count());
            }
            Err(error) => eprintln!("{path}: {error}"),
        }
    }
    println!("{files} files, {bytes} bytes, {nodes} nodes");
    ExitCode::SUCCESS
}
