#!/usr/bin/env python3
"""Cuts real files off and holds `broken-syntax` against CPython and rustfmt.

usage: judges.py --tenth BIN [--cuts N] [--files N] [--seed N] FOLDER...

Every Python and Rust file below FOLDER that its judge accepts whole may be taken: CPython's `ast.parse`, and rustfmt in
the edition in which it accepts the file (2021 or 2024). Each is cut at line ends and inside lines, N times. Whole files
that a judge rejects (newer syntax than its own) are left out and counted. It prints, by language, how many of the cuts
that the judge rejects have a `broken-syntax` finding, and how many that it accepts have one.
"""
import argparse, ast, collections, json, os, random, subprocess, sys, tempfile, warnings

warnings.simplefilter("ignore")
MOST_BYTES = 60_000


def python(text):
    try:
        ast.parse(text)
        return True
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def rust(text, edition):
    command = ["rustfmt", "--edition", edition, "--config", "max_width=10000"]
    return subprocess.run(command, input=text.encode(), capture_output=True).returncode == 0


def judge(path, text):
    """A function that says whether a text is sound, or None where the whole file is not."""
    if path.endswith(".py"):
        return python if python(text) else None
    for edition in ("2021", "2024"):
        if rust(text, edition):
            return lambda cut, edition=edition: rust(cut, edition)
    return None


def cuts(text, number, rng):
    lines = text.split("\n")
    for at in range(number):
        line = rng.randrange(1, len(lines))
        tail = lines[line][: rng.randint(0, len(lines[line]))] if at % 2 else ""
        yield "\n".join(lines[:line] + ([tail] if tail.strip() else [])) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenth", required=True)
    parser.add_argument("--cuts", type=int, default=6)
    parser.add_argument("--files", type=int, default=200, help="how many files of each language")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("folders", nargs="+")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    found = collections.defaultdict(list)
    for root in args.folders:
        for folder, _, names in sorted(os.walk(root)):
            for name in sorted(names):
                if name.endswith((".py", ".rs")) and 400 < os.path.getsize(os.path.join(folder, name)) < MOST_BYTES:
                    found[name[-2:]].append(os.path.join(folder, name))
    verdicts, left_out = {}, collections.Counter()
    with tempfile.TemporaryDirectory() as out:
        for language, paths in sorted(found.items()):
            rng.shuffle(paths)
            for number, path in enumerate(paths[: args.files]):
                text = open(path, encoding="utf-8", errors="replace").read()
                sound = judge(path, text)
                if sound is None:
                    left_out[language] += 1
                    continue
                for at, cut in enumerate(cuts(text, args.cuts, rng)):
                    name = f"{language}{number}_{at}.{language}"
                    with open(os.path.join(out, name), "w", encoding="utf-8") as file:
                        file.write(cut)
                    verdicts[name] = (sound(cut), path, cut)
        command = [args.tenth, "check", ".", "-C", out, "--isolated", "--format", "json", "--fail-on", "never", "--scope", "all"]
        done = subprocess.run(command, capture_output=True, text=True)
        if not done.stdout:
            sys.exit(done.stderr)
        said = {f["path"] for f in json.loads(done.stdout)["findings"] if f["rule"] == "broken-syntax"}
    for language in sorted(found):
        of = {name: row for name, row in verdicts.items() if name.endswith(language)}
        broken = [name for name, (sound, _, _) in of.items() if not sound]
        missed = [name for name in broken if name not in said]
        false = [name for name, (sound, _, _) in of.items() if sound and name in said]
        share = 100 * (len(broken) - len(missed)) / max(1, len(broken))
        print(f"{language}: {len(of)} cuts; rejected {len(broken)}, of these reported {share:.1f} %; accepted {len(of) - len(broken)}, of these reported {len(false)}; files left out {left_out[language]}")
        for kind, names in (("missed", missed), ("false", false)):
            for name in names[:8]:
                _, path, cut = verdicts[name]
                print(f"   {kind}: {path} cut at line {cut.count(chr(10))}: {cut.rstrip().splitlines()[-1].strip()[:90] if cut.strip() else ''!r}")


if __name__ == "__main__":
    main()
