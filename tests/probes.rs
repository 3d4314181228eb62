//! What is found in a folder of probes: small programs whose hazard lines are marked.
//!
//! ~~~sh
//! cargo test --test probes -- FOLDER [FAMILY…]
//! ~~~
//!
//! Python marks the end of a line with `# P:<id>` (a hazard) or `# N:<id>` (harmless); in Rust `//@ <id> bad|ok …`
//! stands above a function, and the mark reaches to the next one. A probe is *found* by a finding whose own line or
//! evidence lies there, *asked* about by an open question that does. The letter of an id is its family. With the floors
//! of [`FLOORS`] missed, or a harmless probe spoken of, the exit status is 1.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tenth::change::ChangeSource;
use tenth::request::{Request, Scope, SettingsFrom};
use tenth::review::{Review, Stance};

/// How many probes of a family have to be found or asked about at least.
const FLOORS: &[(Marks, &str, usize)] = &[
    (Marks::Python, "C", 20),
    (Marks::Python, "D", 45),
    (Marks::Python, "E", 11),
    (Marks::Python, "F", 10),
    (Marks::Python, "I", 12),
    (Marks::Python, "L", 12),
    (Marks::Python, "M", 11),
    (Marks::Python, "R", 8),
    (Marks::Python, "T", 30),
    (Marks::Rust, "", 115),
];

/// How many Rust probes have to be found, questions left out.
const FOUND_IN_RUST: usize = 95;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marks {
    Python,
    Rust,
}

/// Where one mark reaches.
struct Reach {
    path: String,
    first: u32,
    last: u32,
}

/// A probe: it may be marked in several places.
#[derive(Default)]
struct Probe {
    is_harmless: bool,
    places: Vec<Reach>,
}

/// What the review says of a line.
struct Answer {
    is_finding: bool,
    rule: String,
    path: String,
    line: u32,
    what: &'static str,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let Some(folder) = arguments.next().map(PathBuf::from) else {
        println!("usage: cargo test --test probes -- FOLDER [FAMILY...]");
        return ExitCode::from(2);
    };
    let families: Vec<String> = arguments.collect();
    let (marks, probes) = match probes(&folder) {
        Ok(found) => found,
        Err(error) => {
            eprintln!("{}: {error}", folder.display());
            return ExitCode::from(2);
        }
    };
    let source = ChangeSource::Files(vec![folder.clone()]);
    let request = Request { settings: SettingsFrom::Isolated, scope: Some(Scope::All), ..Request::of(source) };
    match tenth::review(&request) {
        Ok(done) => compare(marks, &probes, &answers(&done.review), &families),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// The probes of a folder by id.
fn probes(folder: &Path) -> std::io::Result<(Marks, BTreeMap<String, Probe>)> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort();
    let mut marks = Marks::Python;
    let mut probes: BTreeMap<String, Probe> = BTreeMap::new();
    for path in paths {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let found = match path.extension().and_then(|extension| extension.to_str()) {
            Some("py") => python_marks(&std::fs::read_to_string(&path)?),
            Some("rs") => {
                marks = Marks::Rust;
                rust_marks(&std::fs::read_to_string(&path)?)
            }
            _ => continue,
        };
        for (id, is_harmless, first, last) in found {
            let probe = probes.entry(id).or_default();
            probe.is_harmless |= is_harmless;
            probe.places.push(Reach { path: name.clone(), first, last });
        }
    }
    Ok((marks, probes))
}

type Mark = (String, bool, u32, u32);

fn python_marks(text: &str) -> Vec<Mark> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        for (mark, is_harmless) in [("P:", false), ("N:", true)] {
            let Some((_, ids)) = line.split_once('#').and_then(|(_, comment)| comment.split_once(mark)) else {
                continue;
            };
            let ids = ids.split_whitespace().next().unwrap_or("");
            found.extend(
                ids.split(',').filter(|id| !id.is_empty()).map(|id| (id.to_owned(), is_harmless, number, number)),
            );
        }
    }
    found
}

fn rust_marks(text: &str) -> Vec<Mark> {
    let mut found: Vec<Mark> = Vec::new();
    let mut count = 0;
    for (number, line) in (1..).zip(text.lines()) {
        count = number;
        let Some(mark) = line.trim_start().strip_prefix("//@ ") else { continue };
        let mut words = mark.split_whitespace();
        let (Some(id), Some(kind @ ("bad" | "ok"))) = (words.next(), words.next()) else { continue };
        if let Some(last) = found.last_mut() {
            last.3 = number - 1;
        }
        found.push((id.to_owned(), kind == "ok", number, number));
    }
    if let Some(last) = found.last_mut() {
        last.3 = count;
    }
    found
}

/// Findings and questions, those at their own line first.
fn answers(review: &Review) -> Vec<Answer> {
    let mut own = Vec::new();
    let mut evidence = Vec::new();
    let mut add = |is_finding, rule: &str, path: &str, line, pieces: &[tenth::review::Evidence]| {
        let answer =
            |path: &str, line, what| Answer { is_finding, rule: rule.to_owned(), path: path.to_owned(), line, what };
        own.push(answer(path, line, ""));
        evidence.extend(pieces.iter().map(|piece| answer(&piece.path, piece.start.line, " (evidence)")));
    };
    for finding in &review.findings {
        add(true, &finding.rule, &finding.path, finding.start.line, &finding.evidence);
    }
    for open in review.assumptions.iter().filter(|one| one.stance == Stance::Unproven) {
        add(false, &open.rule, &open.path, open.start.line, &open.evidence);
    }
    own.extend(evidence);
    own
}

fn compare(marks: Marks, probes: &BTreeMap<String, Probe>, answers: &[Answer], families: &[String]) -> ExitCode {
    let at = |probe: &Probe, is_finding: bool| {
        answers.iter().find(|answer| {
            answer.is_finding == is_finding
                && probe.places.iter().any(|place| {
                    answer.path.rsplit('/').next() == Some(&place.path)
                        && (place.first..=place.last).contains(&answer.line)
                })
        })
    };
    // By family: all, found, asked.
    let mut figures: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut is_short = false;
    for (id, probe) in probes {
        let family = id.trim_end_matches(|letter: char| !letter.is_ascii_uppercase());
        let family = family.split(|letter: char| letter.is_ascii_digit()).next().unwrap_or(family);
        if !families.is_empty() && !families.iter().any(|wanted| wanted == family) {
            continue;
        }
        let (found, asked) = (at(probe, true), at(probe, false));
        let place = probe.places.first().map_or_else(String::new, |place| format!("{}:{}", place.path, place.first));
        if probe.is_harmless {
            if let Some(answer) = found.or(asked) {
                is_short = true;
                println!("{id:6} {place:30} HARMLESS, and yet: {}{}", answer.rule, answer.what);
            }
            continue;
        }
        let figures = figures.entry(family).or_default();
        figures[0] += 1;
        figures[1] += usize::from(found.is_some());
        figures[2] += usize::from(found.is_none() && asked.is_some());
        let said = match (found, asked) {
            (Some(answer), _) => format!("found: {}{}", answer.rule, answer.what),
            (None, Some(answer)) => format!("asked: {}{}", answer.rule, answer.what),
            (None, None) => "missed".to_owned(),
        };
        println!("{id:6} {place:30} {said}");
    }
    let mut all = [0; 3];
    for (family, counts) in &figures {
        println!("{family:3} {} found, {} asked, of {}", counts[1], counts[2], counts[0]);
        all.iter_mut().zip(counts).for_each(|(all, count)| *all += count);
    }
    println!("all {} found, {} asked, of {}", all[1], all[2], all[0]);
    for &(of, family, floor) in FLOORS.iter().filter(|(of, ..)| *of == marks) {
        let Some(counts) = (if family.is_empty() { families.is_empty().then_some(&all) } else { figures.get(family) })
        else {
            continue;
        };
        if counts[1] + counts[2] < floor {
            is_short = true;
            println!("{of:?} {family}: {} of the {floor} that have to be found or asked about", counts[1] + counts[2]);
        }
    }
    if marks == Marks::Rust && families.is_empty() && all[1] < FOUND_IN_RUST {
        is_short = true;
        println!("{} of the {FOUND_IN_RUST} that have to be found", all[1]);
    }
    ExitCode::from(u8::from(is_short))
}
