//! The example that `tenth demo` reviews: a refactoring of a service for parcels, over about 120 files.
//!
//! Nearly all of it is boring, and made at run time from a few templates: one logger helper instead of many, type
//! hints, docstrings, constants that moved. In between stand three things that a reviewer must not miss:
//!
//! - `SubscriberRegistry.remove` now takes the lock that the event handler in another file holds while it awaits it;
//! - `CarrierClient.quote` now goes through a helper in another file, which blocks;
//! - `SettlementService.settle_all` was cut off in the middle of a line.
//!
//! Nothing in the analysis knows of this: from the two maps on it is a change like any other. The Python files beside
//! this one are data of the product, not part of its code.

use std::collections::BTreeMap;

use crate::change::{ChangeSet, Description, Kind};

/// What stands for one kind of thing that the service deals with.
struct Entity {
    class: &'static str,
    one: &'static str,
    many: &'static str,
    field: &'static str,
    kind: &'static str,
    example: &'static str,
}

macro_rules! entities {
    ($($class:literal $one:literal $many:literal $field:literal $kind:literal $example:literal;)*) => {
        &[$(Entity { class: $class, one: $one, many: $many, field: $field, kind: $kind, example: $example }),*]
    };
}

static ENTITIES: &[Entity] = entities![
    "Address" "address" "addresses" "postcode" "str" "\"10115\"";
    "Carrier" "carrier" "carriers" "code" "str" "\"acme\"";
    "Claim" "claim" "claims" "cents" "int" "1250";
    "Contract" "contract" "contracts" "number" "str" "\"C-17\"";
    "Courier" "courier" "couriers" "phone" "str" "\"555-0100\"";
    "Customer" "customer" "customers" "email" "str" "\"a@example.org\"";
    "Depot" "depot" "depots" "city" "str" "\"Bremen\"";
    "Discount" "discount" "discounts" "percent" "int" "15";
    "Invoice" "invoice" "invoices" "cents" "int" "4900";
    "Label" "label" "labels" "barcode" "str" "\"4006381333931\"";
    "Manifest" "manifest" "manifests" "reference" "str" "\"M-2026-11\"";
    "Notice" "notice" "notices" "channel" "str" "\"mail\"";
    "Order" "order" "orders" "reference" "str" "\"O-1\"";
    "Parcel" "parcel" "parcels" "grams" "int" "750";
    "Payment" "payment" "payments" "cents" "int" "4900";
    "Pickup" "pickup" "pickups" "window" "str" "\"09-12\"";
    "Rate" "rate" "rates" "zone" "int" "2";
    "Refund" "refund" "refunds" "cents" "int" "990";
    "Route" "route" "routes" "depot" "str" "\"HB\"";
    "Shipment" "shipment" "shipments" "tracking" "str" "\"1Z999\"";
    "Vehicle" "vehicle" "vehicles" "plate" "str" "\"HB AB 12\"";
];

/// A file that every entity has one of: where it lies, and its text on both sides.
struct Template {
    folder: &'static str,
    prefix: &'static str,
    before: &'static str,
    after: &'static str,
}

macro_rules! templates {
    ($($folder:literal $prefix:literal $name:literal;)*) => {
        &[$(Template {
            folder: $folder,
            prefix: $prefix,
            before: include_str!(concat!("templates/", $name, ".before.py")),
            after: include_str!(concat!("templates/", $name, ".after.py")),
        }),*]
    };
}

static TEMPLATES: &[Template] = templates![
    "app/schemas" "" "schema";
    "app/repositories" "" "repository";
    "app/services" "" "service";
    "app/routers" "" "router";
    "tests" "test_" "test";
];

macro_rules! files {
    ($side:literal: $($path:literal)*) => {
        &[$(($path, include_str!(concat!($side, "/", $path)))),*]
    };
}

static BEFORE: &[(&str, &str)] = files!["before":
    "app/core/errors.py"
    "app/events/handlers.py"
    "app/events/messages.py"
    "app/events/registry.py"
    "app/integrations/carriers.py"
    "app/integrations/http.py"
    "app/main.py"
    "app/schemas/settlement.py"
    "app/services/settlement.py"
    "tests/fakes.py"
];

static AFTER: &[(&str, &str)] = files!["after":
    "app/core/errors.py"
    "app/core/limits.py"
    "app/core/logs.py"
    "app/core/paging.py"
    "app/events/handlers.py"
    "app/events/messages.py"
    "app/events/registry.py"
    "app/integrations/carriers.py"
    "app/integrations/http.py"
    "app/main.py"
    "app/schemas/settlement.py"
    "app/services/settlement.py"
    "tests/fakes.py"
];

/// The example as a change, ready for a review.
pub fn change_set() -> ChangeSet {
    let (before, after) = change();
    let description = Description {
        kind: Kind::Demo,
        before: None,
        after: None,
        how: "the example in the binary, a refactoring of a service over about 120 files".to_owned(),
    };
    ChangeSet::in_memory(description, before, after)
}

/// The texts of both sides by path: before, and after.
pub fn change() -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let (mut before, mut after) = (unchanged(), unchanged());
    for (side, files) in [(&mut before, BEFORE), (&mut after, AFTER)] {
        side.extend(files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned())));
    }
    for entity in ENTITIES {
        for template in TEMPLATES {
            let path = format!("{}/{}{}.py", template.folder, template.prefix, entity.many);
            before.insert(path.clone(), entity.fill(template.before));
            after.insert(path, entity.fill(template.after));
        }
    }
    (before, after)
}

/// Files that are the same on both sides, so that imports lead somewhere.
fn unchanged() -> BTreeMap<String, String> {
    let each = |template: &str| ENTITIES.iter().map(|entity| entity.fill(template)).collect::<String>();
    let routers = "from app.routers import __entities__\n";
    let mut all = "\nALL = [\n".to_owned();
    for entity in ENTITIES {
        all.push_str(&entity.fill("    __entities__.router,\n"));
    }
    all.push_str("]\n");
    let models = include_str!("templates/models.py").to_owned() + &each(include_str!("templates/model.py"));
    let dependencies = [
        include_str!("templates/dependencies.py"),
        &each(include_str!("templates/dependency_imports.py")),
        include_str!("templates/session.py"),
        &each(include_str!("templates/dependency.py")),
    ]
    .concat();
    let empty =
        ["app", "app/core", "app/events", "app/integrations", "app/repositories", "app/schemas", "app/services"];
    let mut files: BTreeMap<_, _> =
        empty.iter().map(|folder| (format!("{folder}/__init__.py"), String::new())).collect();
    files.insert("app/routers/__init__.py".to_owned(), each(routers) + &all);
    files.insert("app/models.py".to_owned(), models);
    files.insert("app/dependencies.py".to_owned(), dependencies);
    files
}

impl Entity {
    /// A template with this entity's names in it.
    fn fill(&self, template: &str) -> String {
        template
            .replace("__entities__", self.many)
            .replace("__entity__", self.one)
            .replace("__field__", self.field)
            .replace("__kind__", self.kind)
            .replace("__example__", self.example)
            .replace("Entity", self.class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_change_is_large_and_every_name_is_filled_in() {
        let (before, after) = change();
        let changed = after.iter().filter(|(path, text)| before.get(*path) != Some(text)).count();
        assert!((110..=130).contains(&changed), "{changed} files differ");
        assert!(before.keys().all(|path| after.contains_key(path)));
        for (path, text) in before.iter().chain(&after) {
            for hole in ["__entit", "__field", "__kind", "__example", "Entity"] {
                assert!(!text.contains(hole), "`{path}` still has `{hole}`");
            }
        }
    }

    #[test]
    fn no_line_is_longer_than_120_columns() {
        let (before, after) = change();
        for (path, text) in before.iter().chain(&after) {
            assert!(text.lines().all(|line| line.chars().count() <= 120), "`{path}`");
        }
    }
}
