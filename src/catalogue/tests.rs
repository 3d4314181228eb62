use super::*;

fn python() -> &'static Tables {
    Catalogue::builtin().tables(Language::Python)
}

/// The lines of each table of a file, by the table's header.
fn sections(file: &str) -> Vec<(&str, Vec<&str>)> {
    let mut sections: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in file.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if line.starts_with('[') || line.ends_with("= [") {
            sections.push((line, Vec::new()));
        } else if let Some((_, lines)) = sections.last_mut() {
            lines.push(line);
        }
    }
    sections
}

fn key(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix('"')?.split('"').next()
}

#[test]
fn every_file_is_typed_and_sorted_one_fact_a_line() {
    for file in PYTHON.iter().chain(RUST) {
        if let Err(error) = toml::from_str::<Tables>(file) {
            panic!("{error}");
        }
        for (header, lines) in sections(file) {
            let keys: Vec<&str> = lines.iter().filter_map(|line| key(line)).collect();
            if let Some(pair) = keys.windows(2).find(|pair| pair[0] >= pair[1]) {
                panic!("in `{header}`: `{}` stands before `{}`", pair[0], pair[1]);
            }
        }
    }
}

#[test]
fn a_name_is_found_exactly_before_a_wildcard_covers_it() {
    let exact = python().blocking("boto3.client.get_object").expect("listed");
    assert_eq!((exact.name.as_str(), exact.stake), ("boto3.client.get_object", Stake::Unbounded));
    let covered = python().blocking("boto3.client.some.new_call").expect("covered");
    assert_eq!(covered.name, "boto3.client.*");
    assert!(python().blocking("boto3.clients.some").is_none());
    assert!(python().blocking("asyncio.sleep").is_none());
}

#[test]
fn a_user_adds_a_fact_and_overrides_one() {
    let own = Catalogue::with(
        r#"
        [python.blocking]
        "shop.billing.charge" = { kind = "network", stake = "unbounded" }
        "time.sleep" = { kind = "sleep", stake = "micro" }
        "#,
    )
    .expect("well formed");
    let tables = own.tables(Language::Python);
    assert_eq!(tables.blocking("shop.billing.charge").map(|found| found.kind), Some(BlockingKind::Network));
    assert_eq!(tables.blocking("time.sleep").map(|found| found.stake), Some(Stake::Micro));
    assert!(Catalogue::with("[python.blocking]\n\"f\" = { kind = \"nap\", stake = \"io\" }").is_err());
    assert!(Catalogue::with("[python.blockings]").is_err());
}
