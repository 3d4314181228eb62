//! Names that a macro on an item may make beside it.
//!
//! ~~~text
//! #[derive(Debug, Builder)]
//! pub struct Order { … }        makes `OrderBuilder`, which stands nowhere
//! ~~~
//!
//! Of a few derives and attributes it is known that they only implement traits; any other may make any name, and so may a
//! macro among the items that is given anything but plain items (`keys! { Inbox => InboxKey }`).

use super::Item;
use crate::analysis::{ModuleId, Program};
use crate::flow::{Decorator, Mark, Scope};
use crate::text::Language;

impl Program<'_> {
    /// Whether a macro, a derive or an attribute in a module of a Rust file may make names of its own there.
    pub(super) fn may_make_names(&self, module: ModuleId, path: &[String]) -> bool {
        let file = self.module(module);
        let is_here = |scope: &Scope| scope.module == path;
        let types = file.types.iter().filter(|of| is_here(&of.scope)).flat_map(|of| &of.decorators);
        let functions = file.functions.iter().filter(|one| is_here(&one.scope)).flat_map(|one| &one.decorators);
        let scope = Scope { module: path.to_vec(), function: None };
        let makes_items = |mark: &Mark| matches!(mark, Mark::MakesItems { module, .. } if module == path);
        file.marks.iter().any(makes_items)
            || types.chain(functions).any(|decorator| self.makes_names_by(module, &scope, decorator))
    }

    fn makes_names_by(&self, module: ModuleId, scope: &Scope, decorator: &Decorator) -> bool {
        let derives = |list: &str| {
            list.split(',').map(str::trim).filter(|path| !path.is_empty()).any(|path| {
                let path: Vec<String> = path.split("::").map(|segment| segment.trim().to_owned()).collect();
                !self.only_implements(module, scope, &path)
            })
        };
        let arguments = decorator.arguments.iter().map(|(_, text)| text.as_str());
        match &decorator.path[..] {
            [only] if only == "derive" => arguments.into_iter().any(derives),
            [only] if only == "cfg_attr" => arguments.skip(1).any(|attribute| {
                let list = attribute.strip_prefix("derive").map(str::trim_start);
                let list = list.and_then(|list| list.strip_prefix('(')?.strip_suffix(')'));
                list.is_some_and(derives)
            }),
            // A name that nobody imports is the compiler's own, or a word for one of the derives.
            path => {
                let is_imported = path.len() > 1 || self.resolve(module, scope, path) != Item::Unknown;
                is_imported && !self.only_implements(module, scope, path)
            }
        }
    }

    /// Whether an attribute of a type may give it a method: a `derive` of a trait that has it, or of one of which nothing is
    /// known.
    pub(super) fn may_derive(&self, module: ModuleId, scope: &Scope, decorator: &Decorator, method: &str) -> bool {
        let traits = decorator.arguments.iter().flat_map(|(_, text)| text.split([',', '(', ')']));
        let mut traits = traits.map(str::trim).filter(|path| !path.is_empty());
        let is_derive = decorator.path.last().is_some_and(|last| last == "derive" || last == "cfg_attr");
        is_derive
            && traits.any(|path| {
                let path: Vec<String> = path.split("::").map(|segment| segment.trim().to_owned()).collect();
                let last = path.last().map_or("", String::as_str);
                match self.tables(Language::Rust).derived(last) {
                    Some(methods) => methods.iter().any(|known| known == method),
                    None => !self.only_implements(module, scope, &path),
                }
            })
    }

    fn only_implements(&self, module: ModuleId, scope: &Scope, path: &[String]) -> bool {
        let tables = self.tables(Language::Rust);
        tables.makes_no_names(&path.join("::"))
            || matches!(self.resolve(module, scope, path), Item::External(name) if tables.makes_no_names(&name))
    }
}
