#!/usr/bin/env python3
"""What a review costs, as a ratio: CPU of `tenth A..B` beside `git diff --no-color -U0 A B` plus one tree-sitter parse of
the changed files' new sides, over two releases of a package from the registry.

    benches/ratio.py                          # builds, downloads, measures
    benches/ratio.py --package celery --before 5.2.7 --after 5.3.6
    benches/ratio.py --folders old/ new/      # two unpacked trees instead of a package
    benches/ratio.py --package homeassistant --before 2023.7.0 --after 2023.12.0 --files 125 500

CPU is user and system time of the whole process, the least of several runs. The figure to watch is the ratio: it does
not depend on the machine as seconds do. It is given with the search for callers in untouched files and without, whose
part is taken from `--timings` of a run on one thread; `callers.py` measures that search by itself.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--package", default="distributed")
    options.add_argument("--before", default="2023.5.0")
    options.add_argument("--after", default="2023.12.0")
    options.add_argument("--folders", nargs=2, metavar=("BEFORE", "AFTER"), help="unpacked trees instead of a package")
    options.add_argument("--files", type=int, nargs="+", default=[125], help="at most so many changed Python files")
    options.add_argument("--runs", type=int, default=7)
    options.add_argument("--tenth", help="the binary; built when it is not named")
    options.add_argument("--parse", help="the binary of benches/parse.rs; built when it is not named")
    asked = options.parse_args()
    tenth = given(asked.tenth) or built(["build", "--release", "--bin", "tenth"], "tenth")
    parse = given(asked.parse) or built(["bench", "--no-run", "--bench", "parse"], "parse")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if asked.folders:
            before, after = map(pathlib.Path, asked.folders)
        else:
            before = unpacked(folder, asked.package, asked.before)
            after = unpacked(folder, asked.package, asked.after)
        for most in asked.files:
            changed = changed_files(before, after)[:most]
            repository, first, second = committed(folder / str(most), before, after, changed)
            report(asked, tenth, parse, repository, first, second, changed)


def given(binary):
    """The whole path of a binary, since commands run elsewhere."""
    return binary and str(pathlib.Path(binary).resolve())


def built(arguments, name):
    """The path of a binary that cargo builds."""
    command = ["cargo", *arguments, "--message-format", "json"]
    lines = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    for message in map(json.loads, lines):
        if message.get("reason") == "compiler-artifact" and message["target"]["name"] == name and message["executable"]:
            return message["executable"]
    sys.exit(f"cargo built no `{name}`")


def unpacked(folder, package, version):
    """A release of a pure Python package, unpacked. A wheel, because making a source release ready runs its set-up."""
    return downloaded(folder / version, f"{package}=={version}")


def unpacked_latest(folder, package):
    """The latest release that fits the interpreter, unpacked."""
    return downloaded(folder / package, package)


def downloaded(target, wanted):
    target.mkdir()
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--dest", target]
    found = subprocess.run([*pip, wanted], capture_output=True, text=True)
    wheels = list(target.glob("*.whl"))
    if not wheels:
        sys.exit(f"pip could not download {wanted}:\n{found.stderr[-2000:]}")
    with zipfile.ZipFile(wheels[0]) as wheel:
        wheel.extractall(target / "tree")
    return target / "tree"


def python_files(tree):
    return {path.relative_to(tree).as_posix(): path for path in tree.rglob("*.py")}


def changed_files(before, after):
    """Python files that stand on both sides and differ, in order."""
    old, new = python_files(before), python_files(after)
    return sorted(name for name in old.keys() & new.keys() if old[name].read_bytes() != new[name].read_bytes())


def committed(folder, before, after, changed):
    """A repository with the two sides as commits. Files beyond the limit keep their old text."""
    repository = folder / "repository"
    folder.mkdir()
    shutil.copytree(before, repository)
    git(repository, "init", "--quiet")
    first = commit(repository, "before")
    for name in changed:
        shutil.copyfile(after / name, repository / name)
    return repository, first, commit(repository, "after")


def commit(repository, title):
    git(repository, "add", "--all", "--force")
    author = ["-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false"]
    git(repository, *author, "commit", "--quiet", "--no-verify", "--message", title)
    return git(repository, "rev-parse", "HEAD").strip()


def git(repository, *arguments):
    # With a name for first branches, git gives no advice about it.
    command = ["git", "-c", "init.defaultBranch=main", *arguments]
    return subprocess.run(command, cwd=repository, check=True, stdout=subprocess.PIPE, text=True).stdout


def cpu(runs, command, folder, accepted=(0,), given=""):
    """The least CPU time of several runs in seconds."""
    return min(cost(command, folder, accepted, given)[0] for _ in range(runs))


def cost(command, folder, accepted=(0,), given=""):
    """CPU time of one run in seconds, its peak memory in MiB, and what it says on standard error."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as fed:
        fed.write(given)
        fed.seek(0)
        process = subprocess.Popen(command, cwd=folder, stdin=fed, stdout=subprocess.DEVNULL, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read()
    if process.returncode not in accepted:
        sys.exit(f"{command[0]} ended with {process.returncode}:\n{text[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, used.ru_maxrss / 1024, text


def part_of_callers(tenth, change, folder):
    """Which part of a review the search for callers is, by the clock of a run on one thread."""
    _, _, text = cost([tenth, change, "--format", "json", "--threads", "1", "--timings"], folder, accepted=(0, 1))
    laps = {what: float(ms) for ms, what in re.findall(r"([0-9.]+) ms  (.+)", text)}
    return laps["find callers in untouched files"] / sum(laps.values())


def report(asked, tenth, parse, repository, first, second, changed):
    change = f"{first}..{second}"
    command = [tenth, change, "--format", "json"]
    review = cpu(asked.runs, command, repository, accepted=(0, 1))
    memory = max(cost(command, repository, accepted=(0, 1))[1] for _ in range(asked.runs))
    callers = min(part_of_callers(tenth, change, repository) for _ in range(asked.runs))
    diff = cpu(asked.runs, ["git", "diff", "--no-color", "-U0", first, second], repository)
    paths = "".join(f"{repository / name}\n" for name in changed)
    parsed = cpu(asked.runs, [parse], repository, given=paths)
    lines = git(repository, "diff", "--numstat", first, second).split("\n")
    added = sum(int(line.split("\t")[0]) for line in lines if line)
    what = " ".join(asked.folders) if asked.folders else f"{asked.package} {asked.before} to {asked.after}"
    print(f"{what}: {len(changed)} Python files, {added} added lines, least of {asked.runs} runs")
    for name, seconds in [("tenth", review), ("git diff -U0", diff), ("tree-sitter parse", parsed)]:
        print(f"  {name:20} {seconds * 1000:8.1f} ms CPU")
    if diff + parsed == 0:
        sys.exit("too little to measure: the clock saw nothing")
    ratio = review / (diff + parsed)
    print(f"  ratio {ratio:.2f}; {ratio * (1 - callers):.2f} without the search for callers; peak memory {memory:.0f} MiB")


if __name__ == "__main__":
    main()
