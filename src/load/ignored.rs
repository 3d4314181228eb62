//! What git is told to leave alone by the files of a tree, whether it is there or not.
//!
//! Only `.gitignore` files of the tree count, which everybody has who has the tree; what a machine has besides
//! (`.git/info/exclude`, `core.excludesFile`) would make answers depend on it.

use std::sync::Arc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::folders::{Folders, inside};

/// The rules of the folders of a side, each read once.
#[derive(Default)]
pub(super) struct Ignored(Folders<Gitignore>);

impl Ignored {
    /// Whether a path is ignored: the nearest folder decides whose rules say anything of it or of a folder around it.
    pub(super) fn has(&self, path: &str, read: impl Fn(&str) -> Option<Arc<str>>) -> bool {
        let said = |rules: &Gitignore, below: &str| {
            let said = rules.matched_path_or_any_parents(below, false);
            (!said.is_none()).then(|| said.is_ignore())
        };
        self.0.nearest(path, |folder| rules_of(folder, &read), said).unwrap_or(false)
    }
}

/// The rules that a folder itself has; the root is the empty one.
fn rules_of(folder: &str, read: impl Fn(&str) -> Option<Arc<str>>) -> Option<Gitignore> {
    let own = read(&inside(folder, ".gitignore"));
    let others = if folder.is_empty() { read(".gitmodules") } else { None };
    let others = others.iter().flat_map(|text| text.lines()).filter_map(folder_of_repository);
    let mut rules = GitignoreBuilder::new("");
    for line in own.iter().flat_map(|text| text.lines()).map(str::to_owned).chain(others) {
        // A line that is no pattern is none for git either.
        let _ = rules.add_line(None, &line);
    }
    rules.build().ok().filter(|rules| !rules.is_empty())
}

/// The pattern for the folder of another repository that a line of `.gitmodules` names, whose files are not in the tree.
fn folder_of_repository(line: &str) -> Option<String> {
    let (key, folder) = line.split_once('=')?;
    (key.trim() == "path").then(|| format!("/{}/", folder.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(path: &str) -> bool {
        let read = |wanted: &str| match wanted {
            ".gitignore" => Some(Arc::from("/shop/types/\n*_pb2.py\nbuild\n!keep_pb2.py\n[\n")),
            ".gitmodules" => {
                Some(Arc::from("[submodule \"protocol\"]\n\tpath = shop/protocol\n\turl = ../protocol.git\n"))
            }
            "shop/.gitignore" => Some(Arc::from("rates.py\n!shop/extra_pb2.py\n!extra_pb2.py\n")),
            _ => None,
        };
        Ignored::default().has(path, read)
    }

    #[test]
    fn the_nearest_rules_that_say_anything_decide() {
        assert!(has("shop/types/order.py") && has("shop/types/__init__.py"));
        assert!(has("shop/a_pb2.py") && has("shop/deep/a_pb2.py") && has("a_pb2.py"));
        assert!(has("shop/rates.py") && has("shop/deep/rates.py") && has("tools/build/x.py"));
        assert!(has("shop/protocol/types.py") && !has("protocol/types.py"));
        assert!(!has("rates.py") && !has("types/order.py") && !has("shop/store.py"));
        assert!(!has("shop/extra_pb2.py") && !has("keep_pb2.py"));
    }
}
