#!/usr/bin/env python3
"""Applies the chunks that `tenth` proposes for a large change one after another, and reviews every state on the way.

usage: splits.py --tenth BIN REPOSITORY RANGE...

Nothing in REPOSITORY changes: the states are commits of a scratch repository that borrows its objects. For each range it
prints the number of chunks, what is said to dangle in a state and not in the whole change, and whether the last state is
the change. Exit status 1 where something dangles or the last state is another one.
"""
import argparse, json, os, subprocess, sys, tempfile

FAMILY = {"dangling-reference", "half-migrated-async", "unawaited-call"}


def git(repo, *args, env=None, data=None):
    command = ["git", "--git-dir", repo, *args]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(env or {})}, input=data)
    if done.returncode:
        sys.exit(f"git {' '.join(args)}: {done.stderr.strip()}")
    return done.stdout.strip()


def review(tenth, repo, before, after):
    done = subprocess.run([tenth, f"{before}..{after}", "-C", repo, "--format", "json", "--fail-on", "never"], capture_output=True, text=True)
    if not done.stdout:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def dangling(report):
    rows = [f for f in report["findings"] if f["rule"] in FAMILY and f["origin"] == "introduced" and f["severity"] != "note"]
    return {(f["rule"], f["path"], f["message"]) for f in rows}


def states(scratch, before, after, chunks):
    """The commit after each chunk."""
    env = {"GIT_INDEX_FILE": os.path.join(scratch, "split-index")}
    for role in ("AUTHOR", "COMMITTER"):
        env |= {f"GIT_{role}_NAME": "n", f"GIT_{role}_EMAIL": "e", f"GIT_{role}_DATE": "2026-01-01T00:00:00Z"}
    git(scratch, "read-tree", before, env=env)
    for chunk in chunks:
        rows = [f"0 {'0' * 40}\t{path}\n" for path in chunk["removed"]]
        for path in chunk["files"]:
            entry = git(scratch, "ls-tree", after, "--", path).split(maxsplit=3)
            rows += [f"{entry[0]} {entry[2]}\t{path}\n"] if entry else []
        git(scratch, "update-index", "--index-info", env=env, data="".join(rows))
        tree = git(scratch, "write-tree", "--missing-ok", env=env)
        yield tree, git(scratch, "commit-tree", tree, "-p", before, "-m", "state", env=env)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenth", required=True)
    parser.add_argument("repository")
    parser.add_argument("ranges", nargs="+")
    args = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        scratch = os.path.join(folder, "scratch")
        subprocess.run(["git", "init", "-q", "--bare", scratch], check=True)
        with open(os.path.join(scratch, "objects/info/alternates"), "w") as file:
            file.write(os.path.join(os.path.abspath(args.repository), "objects") + "\n")
        for name in args.ranges:
            before, after = (git(args.repository, "rev-parse", side) for side in name.split(".."))
            whole = review(args.tenth, scratch, before, after)
            split = whole.get("split")
            if not split or not split["chunks"]:
                print(f"{name}: no split ({split['why'] if split else 'within the budget'})")
                continue
            known, tree, new = dangling(whole), None, set()
            for number, (tree, commit) in enumerate(states(scratch, before, after, split["chunks"]), 1):
                said = dangling(review(args.tenth, scratch, before, commit)) - known
                new |= {(number, *one) for one in said}
            # Files that are no text have no hunks and are in no chunk.
            rest = git(scratch, "diff-tree", "-r", "--numstat", tree, git(scratch, "rev-parse", f"{after}^{{tree}}"))
            unread = {row["path"] for row in whole["coverage"] if row["state"] == "not-analysed"}
            rest = [line for line in rest.splitlines() if line.split("\t")[-1] not in unread]
            failed |= bool(new or rest)
            files = [len(chunk["files"]) for chunk in split["chunks"]]
            print(f"{name}: {whole['summary']['files']} files, {len(files)} chunks of {files} files; dangling in between: {len(new)}; left over: {len(rest)}")
            for row in sorted(new):
                print("   ", *row)
            for line in rest[:5]:
                print("    left over", line)
    sys.exit(failed)


if __name__ == "__main__":
    main()
