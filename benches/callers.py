#!/usr/bin/env python3
"""What the search for callers costs beside `git grep`, in a repository of many Python files.

    benches/callers.py                        # builds, downloads, measures
    benches/callers.py --packages homeassistant django --files 15000
    benches/callers.py --folder tree/         # an unpacked tree instead of packages

One helper among all these files begins to block. The cost of the search is the CPU of that review less the CPU of one
that changes only a comment of the same helper. It is set beside `git grep -l -w NAME`, in the work tree (files that the
index vouches for) and in a bare clone (objects at a revision), for one name and for fifty. CPU is user and system time
of the whole process, the least of several runs.
"""

import argparse
import pathlib
import shutil
import tempfile

from ratio import built, commit, cpu, git, given, python_files, unpacked_latest

CALLER = "from {module} import {names}\n\n\nasync def handle(name):\n    return {call}(name)\n"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--packages", nargs="+", default=["homeassistant", "msgraph-sdk", "sympy", "django"])
    options.add_argument("--folder", type=pathlib.Path, help="an unpacked tree instead of packages")
    options.add_argument("--files", type=int, default=15_000)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--tenth", help="the binary; built when it is not named")
    asked = options.parse_args()
    tenth = given(asked.tenth) or built(["build", "--release", "--bin", "tenth"], "tenth")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        trees = [asked.folder] if asked.folder else [unpacked_latest(folder, name) for name in asked.packages]
        repository = folder / "repository"
        count = filled(repository, trees, asked.files)
        print(f"{count} Python files, least of {asked.runs} runs")
        report(asked, tenth, folder, repository)


def filled(repository, trees, most):
    """Copies files from each tree, so that each has its part."""
    lists = sorted(((tree, sorted(python_files(tree).items())) for tree in trees), key=lambda listed: len(listed[1]))
    count = 0
    # The small ones first, so that the large ones have what those leave.
    for at, (tree, files) in enumerate(lists):
        share = (most - count) // (len(lists) - at)
        for name, path in files[:share]:
            target = repository / tree.parent.name / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            count += 1
    return count


def helper(names, body, comment=""):
    return "import time\n\n\n" + "\n\n".join(f"def {name}(x):\n{comment}{body}    return x\n" for name in names)


def report(asked, tenth, folder, repository):
    sets = {"one": ["begins_to_block"], "fifty": [f"begins_to_block_{at}" for at in range(50)]}
    for key, names in sets.items():
        (repository / f"bench_helper_{key}.py").write_text(helper(names, ""))
        text = CALLER.format(module=f"bench_helper_{key}", names=", ".join(names), call=names[0])
        (repository / f"bench_caller_{key}.py").write_text(text)
    git(repository, "init", "--quiet")
    git(repository, "config", "gc.auto", "0")
    before = commit(repository, "before")
    ranges = {}
    for key, names in sets.items():
        for what, text in [("quiet", helper(names, "", "    # As ever.\n")), ("loud", helper(names, "    time.sleep(1)\n"))]:
            git(repository, "checkout", "--quiet", "--force", before)
            (repository / f"bench_helper_{key}.py").write_text(text)
            ranges[key, what] = commit(repository, f"{key} {what}")
            git(repository, "branch", f"{key}-{what}")
    git(repository, "gc", "--quiet")
    bare = folder / "bare"
    git(repository, "clone", "--quiet", "--bare", ".", str(bare))
    for where, place in [("work tree", repository), ("objects", bare)]:
        spent = {}
        for key in sets:
            for what in ("quiet", "loud"):
                if place is repository:
                    git(place, "checkout", "--quiet", "--force", ranges[key, what])
                    git(place, "update-index", "--refresh")
                command = [tenth, f"{before}..{ranges[key, what]}", "--format", "json"]
                spent[key, what] = cpu(asked.runs, command, place, accepted=(0, 1))
        revision = [] if place is repository else [ranges["one", "loud"]]
        grep = cpu(asked.runs, ["git", "grep", "-l", "-w", "begins_to_block", *revision], place, accepted=(0, 1))
        one, fifty = (spent[key, "loud"] - spent[key, "quiet"] for key in ("one", "fifty"))
        print(f"{where}:")
        for name, seconds in [("git grep -l -w", grep), ("one name", one), ("fifty names", fifty)]:
            print(f"  {name:16} {seconds * 1000:8.1f} ms CPU")
        print(f"  one name to git grep {one / grep:.2f}, fifty names to one {fifty / one:.2f}")


if __name__ == "__main__":
    main()
