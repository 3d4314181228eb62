//! The command in real repositories: which sides are taken, what each odd file becomes, exit codes, words of errors.

mod repository;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use repository::{Repo, Run, feed_tenth, isolated, make_executable, number, run_git, run_tenth};
use serde_json::Value;

// ------------------------------------------------------------------------------------------------ ranges

#[test]
fn a_range_compares_two_commits() {
    let repo = Repo::with(&[("a.py", "x = 1\ny = 2\n"), ("notes.md", "one\n")]);
    let before = repo.git(&["rev-parse", "HEAD"]);
    let after = repo.commit(&[("a.py", "x = 1\ny = 3\nz = 4\n"), ("notes.md", "two\n")]);
    let run = repo.tenth(&["HEAD~1..HEAD"]);
    assert_eq!(run.of("a.py"), "-2 +2 +3");
    assert_eq!(run.of("notes.md"), "-1 +1");
    let json = run.json();
    assert_eq!(json["change"]["kind"], "range");
    assert_eq!(json["change"]["before"], before);
    assert_eq!(json["change"]["after"], after);
    assert_eq!((number(&json["change"]["added_lines"]), number(&json["change"]["removed_lines"])), (3, 2));
    assert_eq!(json["commits"][0]["id"], after);
    assert_eq!(repo.tenth(&["review", "HEAD~1.."]).lines(), run.lines());
}

#[test]
fn three_dots_start_at_the_merge_base() {
    let repo = Repo::with(&[("a.py", "x = 1\n"), ("b.py", "y = 1\n")]);
    let base = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.commit(&[("a.py", "x = 2\n")]);
    repo.git(&["checkout", "-q", "main"]);
    repo.commit(&[("b.py", "y = 2\n")]);
    let run = repo.tenth(&["main...topic"]);
    assert_eq!(run.paths(), ["a.py"]);
    assert_eq!(run.json()["change"]["before"], base);
    let two = repo.tenth(&["main..topic"]);
    assert_eq!(two.paths(), ["a.py", "b.py"]);
    assert!(two.notice("not-ancestor").contains("`tenth main...topic`"));
}

#[test]
fn one_revision_reaches_to_the_work_tree() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.commit(&[("a.py", "x = 2\n")]);
    repo.write("a.py", "x = 3\n");
    repo.write("new.py", "n = 1\n");
    let run = repo.tenth(&["HEAD~1"]);
    assert_eq!(run.paths(), ["a.py", "new.py"]);
    assert_eq!(run.json()["change"]["kind"], "worktree");
    assert_eq!(run.json()["commits"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_bare_clone_gives_the_same_bytes() {
    let repo = Repo::with(&[("src/a.py", "import b\nx = 1\n"), ("src/b.py", "y = 1\n")]);
    repo.commit(&[("src/a.py", "import b\nx = 2\n")]);
    let bare = repo.clone_as("bare", &["--bare"]);
    let range = "HEAD~1..HEAD";
    assert_eq!(repo.tenth(&[range]).out, bare.tenth(&[range]).out);
    assert_eq!(repo.tenth(&[range]).out, repo.tenth_in("src", &[range]).out);
    let from_elsewhere = run_tenth(
        repo.home(),
        repo.home(),
        &["-C", &repo.root.display().to_string(), range, "--format", "json", "--fail-on", "never"],
    );
    assert_eq!(repo.tenth(&[range]).out, from_elsewhere.out);
    bare.tenth(&[]).refuses("the repository is bare", "tenth BEFORE..AFTER");
    bare.tenth(&["--staged"]).refuses("the repository is bare", "tenth BEFORE..AFTER");
}

#[test]
fn a_dirty_work_tree_beside_a_range_is_said() {
    let repo = Repo::with(&[("a.py", "x = 1\n"), ("other/b.py", "y = 1\n")]);
    repo.commit(&[("a.py", "x = 2\n"), ("gone.py", "z = 1\n")]);
    let said = || repo.tenth(&["HEAD~1..HEAD"]).notice("dirty-work-tree");
    assert_eq!(said(), "");
    repo.write("half.py", "def f():\n    pass\n");
    assert_eq!(said(), "the work tree holds 1 new file beside those of this range; `tenth HEAD~1` includes that");
    assert_eq!(repo.tenth(&["HEAD~1..HEAD~1"]).notice("dirty-work-tree"), "");
    assert_eq!(repo.tenth(&["HEAD~1"]).of("half.py"), "+1 +2", "the command of the notice includes it");
    repo.write("a.py", "x = 3\n");
    fs::remove_file(repo.root.join("gone.py")).unwrap();
    let both = "the work tree changes 2 files of this range further and holds 1 new file beside them; `tenth HEAD~1` \
                includes that";
    assert_eq!(said(), both);
    repo.write(".gitignore", "half.py\n");
    assert_eq!(said(), "the work tree changes 2 files of this range further; `tenth HEAD~1` includes that");
}

#[test]
fn a_work_tree_that_differs_for_other_reasons_is_not_dirty_beside_a_range() {
    let repo = Repo::with(&[("a.py", "x = 1\ny = 1\n"), ("other/b.py", "y = 1\n")]);
    repo.commit(&[("a.py", "x = 2\ny = 1\n"), ("away.py", "z = 1\n")]);
    let said = || repo.tenth(&["HEAD~1..HEAD"]).notice("dirty-work-tree");
    // What the range has nothing to do with.
    repo.write("other/b.py", "y = 2\n");
    repo.write("notes.md", "to do\n");
    assert_eq!(said(), "");
    // What git would turn back, and what a sparse checkout leaves out.
    repo.git(&["config", "core.autocrlf", "true"]);
    repo.write("a.py", "x = 2\r\ny = 1\r\n");
    repo.git(&["update-index", "--skip-worktree", "away.py"]);
    fs::remove_file(repo.root.join("away.py")).unwrap();
    assert_eq!(said(), "");
}

#[test]
fn a_checkpoint_that_is_no_ancestor_is_said() {
    let repo = Repo::with(&[("a.py", "x = 1\n"), ("b.py", "y = 1\n")]);
    let checkpoint = repo.commit(&[("b.py", "y = 2\n")]);
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    repo.commit(&[("a.py", "x = 2\n")]);
    for range in [format!("{checkpoint}..HEAD"), checkpoint.clone()] {
        let run = repo.tenth(&[&range]);
        assert_eq!(run.paths(), ["a.py", "b.py"]);
        let notice = run.notice("not-ancestor");
        assert!(notice.contains(&format!("`tenth {checkpoint}...HEAD`")), "{notice}");
    }
    let run = repo.tenth(&[&format!("{checkpoint}...HEAD")]);
    assert_eq!((run.paths(), run.notice("not-ancestor")), (vec!["a.py".to_owned()], String::new()));
}

#[test]
fn trees_can_be_compared_without_commits() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    repo.commit(&[("a.py", "x = 2\n")]);
    let run = repo.tenth(&[&format!("{tree}..HEAD")]);
    assert_eq!(run.of("a.py"), "-1 +1");
    assert_eq!(run.json()["change"]["before"], tree);
    repo.tenth(&[&format!("{tree}...HEAD")]).refuses("needs two commits", &format!("tenth {tree}..HEAD"));
}

// ------------------------------------------------------------------------------------------------ bases that fail

#[test]
fn a_missing_revision_is_refused() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.tenth(&["nowhere..HEAD"]).refuses("revision `nowhere` does not exist", "git branch --all");
    repo.tenth(&["HEAD~5..HEAD"]).refuses("revision `HEAD~5` does not exist", "git log --oneline HEAD");
    repo.tenth(&["a.py"]).refuses("it is a path", "tenth check a.py");
    let clone = repo.clone_as("clone", &[]);
    clone.git(&["checkout", "-q", "-b", "topic"]);
    clone.git(&["branch", "-D", "main"]);
    clone.tenth(&["main...topic"]).refuses("there is no such branch here", "write `origin/main`");
    assert_eq!(clone.tenth(&["origin/main...topic"]).code, 0);
}

#[test]
fn a_range_that_is_none_is_refused() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.tenth(&["HEAD....HEAD"]).refuses("is not a range", "BEFORE..AFTER");
    repo.tenth(&["HEAD:a.py"]).refuses("single file", "name a commit");
    repo.tenth(&["HEAD", "--staged"]).refuses("more than one change", "name one");
}

#[test]
fn no_repository_is_refused() {
    let temp = tempfile::tempdir().expect("a temporary folder");
    run_tenth(temp.path(), temp.path(), &[]).refuses("is not inside a git repository", "tenth check PATH");
    run_tenth(temp.path(), temp.path(), &["-C", "missing"]).refuses("cannot enter `missing`", "name a folder");
}

#[test]
fn no_commit_yet_is_refused_for_ranges() {
    let repo = Repo::new();
    repo.tenth(&["HEAD"]).refuses("there is no commit yet", "tenth --staged");
}

#[test]
fn a_repository_of_somebody_else_is_refused() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.commit(&[("a.py", "x = 2\n")]);
    // Only the administrator can give files away; without that there is nothing to show.
    if std::os::unix::fs::chown(&repo.root, Some(54_321), None).is_err() {
        return;
    }
    let root = repo.root.display().to_string();
    let mend = format!("git config --global --add safe.directory '{root}'");
    repo.tenth(&["HEAD~1..HEAD"]).refuses("is not owned by current user", &mend);
    let file = repo.home().join(".gitconfig").display().to_string();
    run_git(repo.home(), repo.home(), &["config", "--file", &file, "--add", "safe.directory", &root]);
    let mut trusting = isolated(env!("CARGO_BIN_EXE_tenth"), repo.home(), &repo.root);
    let trusting = trusting.env("GIT_CONFIG_GLOBAL", &file).args(["HEAD~1..HEAD", "--format", "concise"]);
    assert_eq!(trusting.output().expect("tenth runs").status.code(), Some(0));
}

#[test]
fn a_sparse_index_is_refused_where_it_is_needed() {
    let repo = Repo::with(&[("one/a.py", "x = 1\n"), ("two/b.py", "y = 1\n")]);
    repo.commit(&[("one/a.py", "x = 2\n"), ("two/b.py", "y = 2\n")]);
    repo.git(&["sparse-checkout", "init", "--cone", "--sparse-index"]);
    repo.git(&["sparse-checkout", "set", "one"]);
    repo.write("one/a.py", "x = 3\n");
    let mend = ["sparse-checkout", "reapply", "--no-sparse-index"];
    for arguments in [&["--staged"][..], &["--worktree"], &[]] {
        repo.tenth(arguments).refuses("sdir", &format!("git {}", mend.join(" ")));
    }
    assert_eq!(repo.tenth(&["HEAD~1..HEAD"]).paths(), ["one/a.py", "two/b.py"], "a range needs no index");
    repo.git(&mend);
    assert_eq!(repo.tenth(&["--worktree"]).paths(), ["one/a.py"], "what is left out is not deleted");
}

#[test]
fn a_repository_with_sha256_is_refused() {
    let repo = Repo::new();
    fs::remove_dir_all(repo.root.join(".git")).expect("removed");
    repo.git(&["init", "-q", "--object-format=sha256"]);
    repo.commit(&[("a.py", "x = 1\n")]);
    repo.commit(&[("a.py", "x = 2\n")]);
    repo.tenth(&["HEAD~1..HEAD"]).refuses("object format 'sha256'", "git diff BEFORE AFTER | tenth -C / --patch -");
    let patch = fs::read(patch_of(&repo, &["diff", "HEAD~1", "HEAD"])).expect("a patch");
    let arguments = ["-C", "/", "--patch", "-", "--format", "json"];
    assert_eq!(feed_tenth(repo.home(), &repo.root, &arguments, &patch).of("a.py"), "-1 +1");
    assert_eq!(repo.tenth(&["check", "a.py"]).of("a.py"), "+1");
}

/// `main` two commits ahead of a branch with three of its own, and the merge of the two.
fn pull_request() -> Repo {
    let repo = Repo::with(&[("a.py", "x = 1\n"), ("b.py", "y = 1\n")]);
    repo.git(&["checkout", "-q", "-b", "pr"]);
    for value in 2..5 {
        repo.commit(&[("a.py", &format!("x = {value}\n"))]);
    }
    repo.git(&["checkout", "-q", "main"]);
    for value in 2..4 {
        repo.commit(&[("b.py", &format!("y = {value}\n"))]);
    }
    repo.git(&["checkout", "-q", "-b", "merge"]);
    repo.git(&["merge", "-q", "--no-ff", "-m", "Merge", "pr"]);
    repo
}

#[test]
fn a_shallow_merge_ref_of_depth_one_is_refused() {
    let clone = pull_request().clone_as("clone", &["--depth", "1", "--branch", "merge"]);
    let run = clone.tenth(&["HEAD^1..HEAD"]);
    run.refuses("the clone is shallow", "git fetch --unshallow");
    run.refuses("HEAD^1", "fetch-depth: 2");
    clone.tenth(&["main...HEAD"]).refuses("`main` does not exist", "git fetch origin main");
}

#[test]
fn a_shallow_merge_ref_of_depth_two_gives_the_pull_request() {
    let repo = pull_request();
    let clone = repo.clone_as("clone", &["--depth", "2", "--no-single-branch", "--branch", "merge"]);
    assert_eq!(clone.tenth(&["HEAD^1..HEAD"]).lines(), repo.tenth(&["main...pr"]).lines());
    clone
        .tenth(&["origin/main...origin/pr"])
        .refuses("no merge base that is certain: the clone is shallow", "--unshallow");
    clone.git(&["fetch", "-q", "--unshallow"]);
    assert_eq!(clone.tenth(&["origin/main...origin/pr"]).paths(), ["a.py"]);
}

#[test]
fn a_merge_base_beyond_a_shallow_boundary_is_not_believed() {
    // Both sides merged `old`. Where the history of `main` is cut off, `old` is left as the only common commit.
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.git(&["checkout", "-q", "-b", "old"]);
    repo.commit(&[("old.py", "o = 1\n")]);
    repo.git(&["checkout", "-q", "main"]);
    repo.commit(&[("a.py", "x = 2\n")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.commit(&[("t.py", "t = 1\n")]);
    repo.git(&["merge", "-q", "-m", "Merge", "old"]);
    repo.git(&["checkout", "-q", "main"]);
    let boundary = repo.commit(&[("a.py", "x = 3\n")]);
    repo.git(&["merge", "-q", "-m", "Merge", "old"]);
    assert!(repo.tenth(&["main...topic"]).err.contains("2 ("), "both are best bases");
    repo.write(".git/shallow", format!("{boundary}\n"));
    repo.tenth(&["main...topic"]).refuses("cut off at", "git fetch --unshallow");
}

#[test]
fn how_settled_a_file_was_is_not_told_where_the_history_is_cut_off() {
    let repo = Repo::with(&[("a.py", "x = 0\n"), ("b.py", "y = 0\n")]);
    for value in 1..6 {
        repo.write("a.py", format!("x = {value}\n"));
        repo.git(&["commit", "-q", "-a", "-m", "Fix a race"]);
    }
    repo.commit(&[("a.py", "x = 6\n"), ("b.py", "y = 1\n")]);
    let told = |repo: &Repo| -> Vec<(String, String)> {
        let json = repo.tenth(&["HEAD~1..HEAD"]).json();
        let hunks = json["hunks"].as_array().unwrap().iter();
        let of = |hunk: &Value| {
            let reasons = hunk["reasons"].as_array().unwrap().iter();
            let mended = reasons.filter(|reason| reason["signal"] == "often-mended");
            let text = |reason: &Value| reason["text"].as_str().unwrap().to_owned();
            mended.map(|reason| (hunk["path"].as_str().unwrap().to_owned(), text(reason))).collect::<Vec<_>>()
        };
        hunks.flat_map(of).collect()
    };
    let mended = "its file was mended 5 times in the last 6 commits".to_owned();
    assert_eq!(told(&repo), [("a.py".to_owned(), mended)]);
    assert_eq!(told(&repo.clone_as("clone", &["--depth", "6"])), []);
}

#[test]
fn what_a_partial_clone_lacks_is_refused() {
    let repo = Repo::with(&[("a.py", "x = 1\n"), ("b.py", "x = 1\n"), ("notes.md", "one\n")]);
    repo.commit(&[("a.py", "x = 2\n"), ("b.py", "x = 3\n"), ("notes.md", "two\n")]);
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let clone = repo.clone_as("clone", &["--filter=blob:none"]);
    let run = clone.tenth(&["HEAD~1..HEAD"]);
    run.refuses("`a.py` and of one more changed file is not in this repository", "`git fetch --refetch --no-filter`");
    clone.git(&["fetch", "-q", "--refetch", "--no-filter"]);
    assert_eq!(clone.tenth(&["HEAD~1..HEAD"]).of("a.py"), "-1 +1");
}

#[test]
fn a_missing_blob_is_coverage() {
    let repo = Repo::with(&[("notes.md", "x = 1\n"), ("b.py", "y = 1\n")]);
    let lose = |name: &str| {
        let blob = repo.git(&["rev-parse", name]);
        fs::remove_file(repo.root.join(format!(".git/objects/{}/{}", &blob[..2], &blob[2..]))).expect("removed");
    };
    repo.commit(&[("notes.md", "x = 2\n"), ("b.py", "y = 2\n")]);
    lose("HEAD~1:notes.md");
    let run = repo.tenth(&["HEAD~1..HEAD"]);
    assert_eq!(run.paths(), ["b.py"]);
    assert!(run.uncovered("notes.md").starts_with("its content is not in this repository"));
    lose("HEAD~1:b.py");
    let run = repo.tenth(&["HEAD~1..HEAD"]);
    assert!(run.uncovered("b.py").starts_with("its content is not in this repository"));
}

#[test]
fn grafts_and_replacements_are_refused() {
    let repo = pull_request();
    let tip = repo.git(&["rev-parse", "pr"]);
    repo.write(".git/info/grafts", format!("{tip}\n"));
    repo.tenth(&["main...pr"])
        .refuses("`info/grafts` changes the parents", "rm \"$(git rev-parse --git-path info/grafts)\"");
    repo.tenth(&["pr~1..pr"]).refuses("`info/grafts` changes the parents", "name the commit by its full id");
    assert_eq!(repo.tenth(&["main..pr"]).code, 0, "two named ends need no history");
    fs::remove_file(repo.root.join(".git/info/grafts")).expect("removed");
    repo.git(&["replace", &tip, "main"]);
    repo.tenth(&["main...pr"]).refuses("refs/replace", &format!("git replace -d {tip}"));
    repo.tenth(&["main..pr"]).refuses("refs/replace", &format!("git replace -d {tip}"));
}

#[test]
fn unrelated_histories_are_refused() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.git(&["checkout", "-q", "--orphan", "other"]);
    repo.commit(&[("b.py", "y = 1\n")]);
    repo.tenth(&["main...other"]).refuses("their histories are unrelated", "tenth main..other");
}

#[test]
fn several_merge_bases_are_refused_by_name() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let one = repo.commit(&[("t.py", "t = 1\n")]);
    repo.git(&["checkout", "-q", "main"]);
    let two = repo.commit(&[("m.py", "m = 1\n")]);
    repo.git(&["merge", "-q", "-m", "Merge", &one]);
    repo.git(&["checkout", "-q", "topic"]);
    repo.git(&["merge", "-q", "-m", "Merge", &two]);
    let first = one.clone().min(two.clone());
    let run = repo.tenth(&["main...topic"]);
    run.refuses("no merge base that is the only one: they have 2", &format!("tenth {first}..topic"));
    assert!(run.err.contains(&one) && run.err.contains(&two));
}

// ------------------------------------------------------------------------------------------------ staged

#[test]
fn nothing_named_takes_what_is_staged_and_says_so() {
    let repo = Repo::with(&[("a.py", "x = 1\n"), ("b.py", "y = 1\n")]);
    repo.write("a.py", "x = 2\n");
    repo.git(&["add", "a.py"]);
    repo.write("b.py", "y = 2\n");
    let run = repo.tenth(&[]);
    assert_eq!((run.paths(), run.json()["change"]["kind"].clone()), (vec!["a.py".to_owned()], "staged".into()));
    assert!(run.notice("choice").contains("`tenth --worktree`"));
    assert!(run.err.contains("something is staged"), "{}", run.err);
    repo.git(&["reset", "-q"]);
    let run = repo.tenth(&[]);
    assert_eq!((run.paths().len(), run.json()["change"]["kind"].clone()), (2, "worktree".into()));
    assert!(run.err.contains("nothing is staged"), "{}", run.err);
}

#[test]
fn a_partially_staged_file_is_read_from_the_index() {
    let repo = Repo::with(&[("a.py", "x = 1\ny = 1\n")]);
    repo.write("a.py", "x = 2\ny = 1\n");
    repo.git(&["add", "a.py"]);
    repo.write("a.py", "x = 2\ny = 2\n");
    assert_eq!(repo.tenth(&["--staged"]).of("a.py"), "-1 +1");
    assert_eq!(repo.tenth(&["--worktree"]).of("a.py"), "-1 -2 +1 +2");
}

#[test]
fn an_intent_to_add_is_not_staged() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.write("new.py", "n = 1\n");
    repo.git(&["add", "-N", "new.py"]);
    assert!(repo.tenth(&["--staged"]).paths().is_empty());
    let run = repo.tenth(&[]);
    assert_eq!(run.of("new.py"), "+1");
    assert_eq!(run.json()["change"]["kind"], "worktree");
}

#[test]
fn the_first_commit_has_an_empty_before_side() {
    let repo = Repo::new();
    repo.write("a.py", "x = 1\n");
    repo.git(&["add", "a.py"]);
    repo.write("b.py", "y = 1\n");
    let run = repo.tenth(&["--staged"]);
    assert_eq!(run.of("a.py"), "+1");
    assert_eq!(run.json()["change"]["before"], Value::Null);
    assert_eq!(repo.tenth(&["--worktree"]).paths(), ["a.py", "b.py"]);
}

#[test]
fn hooks_see_what_is_being_committed() {
    let repo = Repo::with(&[("a.py", "x = 1\n"), ("sub/b.py", "y = 1\n")]);
    repo.hook();

    repo.write("a.py", "x = 2\n");
    repo.git(&["add", "a.py"]);
    repo.write("sub/b.py", "y = 2\n");
    repo.git(&["commit", "-q", "-m", "plain"]);
    assert_eq!(repo.hook_run().paths(), ["a.py"]);

    repo.git(&["commit", "-q", "-a", "-m", "all"]);
    assert_eq!(repo.hook_run().paths(), ["sub/b.py"]);
    assert_eq!(repo.hook_run().json()["change"]["kind"], "staged");

    repo.write("a.py", "x = 3\n");
    repo.git(&["add", "a.py"]);
    repo.write("sub/b.py", "y = 3\n");
    repo.git(&["commit", "-q", "-m", "path", "--", "sub/b.py"]);
    assert_eq!(repo.hook_run().paths(), ["sub/b.py"]);

    run_git(repo.home(), &repo.root.join("sub"), &["commit", "-q", "-m", "from a sub-directory"]);
    assert_eq!(repo.hook_run().paths(), ["a.py"]);

    repo.write("a.py", "x = 4\n");
    repo.git(&["add", "a.py"]);
    repo.git(&["commit", "-q", "--amend", "-m", "amended"]);
    assert_eq!(repo.hook_run().of("a.py"), "-1 +1");
}

#[test]
fn a_linked_work_tree_has_its_own_index() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.git(&["worktree", "add", "-q", "../linked", "-b", "linked"]);
    repo.hook();
    let linked = repo.home().join("linked");
    fs::write(linked.join("a.py"), "x = 2\n").expect("written");
    assert_eq!(repo.tenth(&["--worktree"]).paths().len(), 0);
    let run = run_tenth(repo.home(), &linked, &["--worktree", "--format", "json"]);
    assert_eq!(run.paths(), ["a.py"]);
    run_git(repo.home(), &linked, &["commit", "-q", "-a", "-m", "linked"]);
    assert_eq!(repo.hook_run().of("a.py"), "-1 +1");
}

#[test]
fn unmerged_paths_are_said_when_staged_and_read_from_the_work_tree() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.git(&["checkout", "-q", "-b", "topic"]);
    repo.commit(&[("a.py", "x = 2\n")]);
    repo.git(&["checkout", "-q", "main"]);
    repo.commit(&[("a.py", "x = 3\n")]);
    let merge = isolated("git", repo.home(), &repo.root).args(["merge", "-q", "topic"]).output().expect("git runs");
    assert!(!merge.status.success());
    let run = repo.tenth(&["--staged"]);
    assert!(run.uncovered("a.py").contains("unmerged"));
    assert!(run.paths().is_empty());
    assert_eq!(repo.tenth(&["--worktree"]).of("a.py"), "+1 +3 +4 +5");
}

// ------------------------------------------------------------------------------------------------ odd files

#[test]
fn deletions_renames_and_modes() {
    let body: String = (0..20).map(|n| format!("value_{n} = {n}\n")).collect();
    let repo = Repo::with(&[
        ("gone.py", "g = 1\n"),
        ("old.py", &body),
        ("moved.py", &format!("# moved\n{body}")),
        ("run.py", "r = 1\n"),
    ]);
    repo.git(&["rm", "-q", "gone.py"]);
    repo.git(&["mv", "old.py", "new.py"]);
    fs::create_dir(repo.root.join("pkg")).expect("a folder");
    repo.git(&["mv", "moved.py", "pkg/moved.py"]);
    make_executable(&repo.root.join("run.py"));
    repo.write("new.py", format!("{body}extra = 1\n"));
    repo.commit(&[]);
    let run = repo.tenth(&["HEAD~1..HEAD"]);
    let lines = run.lines();
    assert_eq!(lines.keys().collect::<Vec<_>>(), ["gone.py", "new.py"]);
    assert_eq!((run.of("gone.py"), run.of("new.py")), ("-1".to_owned(), "+21".to_owned()));
    assert_eq!(number(&run.json()["change"]["files"]), 4);
    repo.git(&["rm", "-q", "new.py"]);
    assert_eq!(repo.tenth(&[]).of("new.py").split(' ').count(), 21, "a change that only deletes is a change");
}

#[test]
fn what_is_no_text_becomes_coverage() {
    let repo = Repo::with(&[("a.py", "x = 1\n"), ("link.py", "l = 1\n")]);
    repo.write("binary.py", b"a\0b");
    repo.write("latin.py", b"# caf\xe9\n");
    repo.write("large.py", "x = 1\n".repeat(200_000));
    repo.write("empty.py", "");
    repo.write("bom.py", "\u{feff}x = 1\n");
    repo.write("random.rs", (0..999_u32).map(|n| (n * n * 7 % 251) as u8).collect::<Vec<_>>());
    fs::remove_file(repo.root.join("link.py")).expect("removed");
    std::os::unix::fs::symlink("a.py", repo.root.join("link.py")).expect("linked");
    std::os::unix::fs::symlink("/etc/passwd", repo.root.join("other.py")).expect("linked");
    for staged in [false, true] {
        if staged {
            repo.git(&["add", "-A"]);
        }
        let run = repo.tenth(&[if staged { "--staged" } else { "--worktree" }]);
        assert_eq!(run.uncovered("binary.py"), "binary");
        assert_eq!(run.uncovered("latin.py"), "not UTF-8");
        assert_eq!(run.uncovered("large.py"), "larger than 1024 KiB");
        assert_eq!(run.uncovered("link.py"), "a symbolic link");
        assert_eq!(run.uncovered("other.py"), "a symbolic link");
        assert_eq!(run.uncovered("random.rs"), "binary");
        assert_eq!(run.of("link.py"), "-1", "the file that was there is gone");
        assert_eq!((run.of("bom.py"), run.of("empty.py")), ("+1".to_owned(), String::new()));
        assert_eq!(run.paths(), ["bom.py", "link.py"]);
    }
}

#[test]
fn a_submodule_becomes_coverage() {
    let inner = Repo::with(&[("i.py", "i = 1\n")]);
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    let url = inner.root.display().to_string();
    repo.git(&["-c", "protocol.file.allow=always", "submodule", "add", "-q", &url, "inner"]);
    assert_eq!(repo.tenth(&["--staged"]).uncovered("inner"), "a submodule");
    repo.commit(&[]);
    assert_eq!(repo.tenth(&["HEAD~1..HEAD"]).uncovered("inner"), "a submodule");
    assert!(repo.tenth(&["--worktree"]).json()["coverage"].as_array().expect("coverage").is_empty());
    fs::write(repo.root.join("inner/i.py"), "i = 2\n").expect("written");
    run_git(repo.home(), &repo.root.join("inner"), &["commit", "-q", "-a", "-m", "inner"]);
    assert_eq!(repo.tenth(&["--worktree"]).uncovered("inner"), "a submodule");
}

#[test]
fn odd_paths_are_kept() {
    use std::os::unix::ffi::OsStrExt;
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    let odd = ["with space.py", "quote\"d.py", "new\nline.py", "ümlaut.py", "-C.py"];
    for path in odd {
        repo.write(path, "o = 1\n");
    }
    fs::write(repo.root.join(std::ffi::OsStr::from_bytes(b"caf\xe9.py")), "x = 1\n").expect("written");
    for arguments in [vec!["--worktree"], vec!["HEAD~1..HEAD"]] {
        if arguments[0] != "--worktree" {
            repo.commit(&[]);
        }
        let run = repo.tenth(&arguments);
        let mut expected: Vec<&str> = odd.to_vec();
        expected.sort_unstable();
        assert_eq!(run.paths(), expected);
        assert_eq!(run.uncovered("caf\u{fffd}.py"), "its path is not UTF-8");
    }
}

#[test]
fn type_changes_and_folders_in_the_place_of_files() {
    let repo = Repo::with(&[("a", "text\n"), ("b/c.py", "c = 1\n")]);
    fs::remove_file(repo.root.join("a")).expect("removed");
    fs::remove_dir_all(repo.root.join("b")).expect("removed");
    repo.write("a/d.py", "d = 1\n");
    repo.write("b", "now a file\n");
    assert_eq!(repo.tenth(&["--worktree"]).paths(), ["a", "a/d.py", "b", "b/c.py"]);
    repo.commit(&[]);
    assert_eq!(repo.tenth(&["HEAD~1..HEAD"]).paths(), ["a", "a/d.py", "b", "b/c.py"]);
}

// ------------------------------------------------------------------------------------------------ the work tree

#[test]
fn a_checkout_with_crlf_is_no_change() {
    let repo = Repo::with(&[("a.py", "x = 1\ny = 1\n"), ("b.py", "z = 1\n")]);
    repo.git(&["config", "core.autocrlf", "true"]);
    repo.git(&["config", "core.safecrlf", "true"]);
    repo.write("a.py", "x = 1\r\ny = 2\r\n");
    repo.write("b.py", "z = 1\r\n");
    let run = repo.tenth(&["--worktree"]);
    assert_eq!((run.paths(), run.of("a.py")), (vec!["a.py".to_owned()], "-2 +2".to_owned()));
}

#[test]
fn reading_the_work_tree_writes_nothing() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.git(&["config", "core.autocrlf", "true"]);
    repo.write("a.py", "x = 2\r\n");
    repo.write("new.py", "n = 1\r\n");
    let before = (repo.git(&["count-objects"]), fs::read(repo.root.join(".git/index")).expect("an index"));
    repo.tenth(&["--worktree"]);
    repo.tenth(&["HEAD"]);
    let after = (repo.git(&["count-objects"]), fs::read(repo.root.join(".git/index")).expect("an index"));
    assert_eq!(before, after);
}

#[test]
fn a_file_behind_a_filter_is_no_big_change() {
    let repo = Repo::new();
    repo.git(&["config", "filter.lfs.clean", "sed s/big/pointer/"]);
    repo.git(&["config", "filter.lfs.smudge", "sed s/pointer/big/"]);
    repo.commit(&[(".gitattributes", "*.py filter=lfs\n"), ("a.py", "big = 1\n")]);
    assert_eq!(repo.git(&["show", "HEAD:a.py"]), "pointer = 1");
    let run = repo.tenth(&["--worktree"]);
    assert!(run.paths().is_empty());
    repo.write("a.py", "big = 22\n");
    let run = repo.tenth(&["--worktree"]);
    assert!(run.paths().is_empty());
    assert!(run.uncovered("a.py").contains("the filter `lfs`"));
    repo.git(&["add", "a.py"]);
    assert_eq!(repo.tenth(&["--staged"]).of("a.py"), "-1 +1");
}

#[test]
fn ignored_files_and_foreign_repositories_stay_out() {
    let repo = Repo::with(&[("a.py", "x = 1\n"), (".gitignore", "build/\n")]);
    repo.write("build/out.py", "o = 1\n");
    repo.write("new/deep/n.py", "n = 1\n");
    run_git(repo.home(), &repo.root, &["init", "-q", "vendored"]);
    repo.write("vendored/v.py", "v = 1\n");
    let run = repo.tenth(&["--worktree"]);
    assert_eq!(run.paths(), ["new/deep/n.py"]);
}

#[test]
fn frozen_files_are_unchanged() {
    let repo = Repo::with(&[("a.py", "x = 1\n"), ("b.py", "y = 1\n")]);
    repo.git(&["update-index", "--skip-worktree", "a.py"]);
    repo.git(&["update-index", "--assume-unchanged", "b.py"]);
    fs::remove_file(repo.root.join("a.py")).expect("removed");
    repo.write("b.py", "y = 2\n");
    assert!(repo.tenth(&["--worktree"]).paths().is_empty());
}

#[test]
fn settings_of_the_repository_change_nothing() {
    let repo = Repo::with(&[("a.py", "x = 1\nz = 1\n"), ("old.py", &"line = 1\n".repeat(9))]);
    repo.git(&["mv", "old.py", "new.py"]);
    repo.commit(&[("a.py", "x = 2\nz = 1\n")]);
    repo.write("a.py", "x = 3\nz = 1\n");
    let all = |repo: &Repo| [repo.tenth(&["HEAD~1..HEAD"]).out, repo.tenth(&["--worktree"]).out, repo.tenth(&[]).out];
    let plain = all(&repo);
    for (name, value) in [
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("diff.external", "false"),
        ("diff.algorithm", "histogram"),
        ("diff.renames", "false"),
        ("diff.renameLimit", "1"),
        ("diff.context", "0"),
        ("diff.ignoreSubmodules", "all"),
        ("diff.x.textconv", "false"),
        ("core.quotePath", "false"),
        ("core.ignoreCase", "true"),
        ("core.whitespace", "cr-at-eol"),
        ("status.showUntrackedFiles", "no"),
    ] {
        repo.git(&["config", name, value]);
    }
    repo.write(".git/info/attributes", "*.py diff=x -text\n");
    assert_eq!(all(&repo), plain);
}

// ------------------------------------------------------------------------------------------------ files, arguments

#[test]
fn check_takes_files_as_they_stand() {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let write = |path: &str| {
        let place = temp.path().join(path);
        fs::create_dir_all(place.parent().expect("a parent")).expect("a folder");
        fs::write(place, "x = 1\n").expect("written");
    };
    for path in ["src/a.py", "src/b/c.rs", "src/notes.md", "src/node_modules/d.py", "src/.venv/e.py", "Cargo.toml"] {
        write(path);
    }
    let check = |arguments: &[&str]| {
        run_tenth(
            temp.path(),
            temp.path(),
            &[&["check"], arguments, &["--format", "json", "--fail-on", "never"]].concat(),
        )
    };
    assert_eq!(check(&["src"]).paths(), ["src/a.py", "src/b/c.rs"]);
    assert_eq!(check(&["./src/notes.md", "src/a.py"]).paths(), ["src/a.py", "src/notes.md"]);
    assert_eq!(check(&["-C", "src", "."]).paths(), ["a.py", "b/c.rs"]);
    assert_eq!(check(&["-C", "src/b", "../a.py"]).paths(), ["a.py"]);
    assert_eq!(check(&["src"]).json()["change"]["kind"], "files");
    let run = check(&["missing.py"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("cannot read `missing.py`"), "{}", run.err);
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    for arguments in [
        &["--format", "xml"][..],
        &["--output", "json:"],
        &["--threads", "0"],
        &["check"],
        &["inspect", "a.py"],
        &["rules", "--staged"],
        &["HEAD", "rules"],
        &["--output", "json", "--output", "concise"],
        &["checkpoints", "--format", "sarif"],
    ] {
        let run = run_tenth(repo.home(), &repo.root, arguments);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}: {}", run.err);
    }
    assert_eq!(run_tenth(repo.home(), &repo.root, &["--help"]).code, 0);
}

#[test]
fn rules_are_listed_and_explained_anywhere() {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let list = run_tenth(temp.path(), temp.path(), &["rules"]);
    assert_eq!((list.code, list.err.as_str()), (0, ""));
    let names: Vec<&str> = list.out.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert!(names.contains(&"lock-across-await"), "{}", list.out);
    for name in names {
        assert_eq!(run_tenth(temp.path(), temp.path(), &["explain", name]).code, 0, "{name}");
    }
    run_tenth(temp.path(), temp.path(), &["explain", "nonsense"]).refuses("there is no rule `nonsense`", "tenth rules");
}

#[test]
fn a_report_goes_where_it_is_sent() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    let place = repo.home().join("report.json");
    let run = run_tenth(repo.home(), &repo.root, &["HEAD..HEAD", "--output", &format!("json:{}", place.display())]);
    assert_eq!((run.code, run.out.as_str()), (0, ""));
    assert!(fs::read_to_string(place).expect("written").starts_with('{'));
    // A step's summary is shared by the step's commands; any other file holds the last report.
    let summary = repo.home().join("summary.md");
    fs::write(&summary, "# Tests\n").expect("written");
    for (shared, expected) in [(true, "# Tests\n<!-- tenth:report"), (false, "<!-- tenth:report")] {
        let mut command = isolated(env!("CARGO_BIN_EXE_tenth"), repo.home(), &repo.root);
        if shared {
            command.env("GITHUB_STEP_SUMMARY", &summary);
        }
        let output = format!("markdown:{}", summary.display());
        assert!(command.args(["HEAD..HEAD", "--output", &output]).status().expect("tenth runs").success());
        assert!(fs::read_to_string(&summary).expect("written").starts_with(expected));
    }
    let run = run_tenth(repo.home(), &repo.root, &["HEAD..HEAD", "--output", "json:/nowhere/report.json"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("cannot write `/nowhere/report.json`"), "{}", run.err);
}

#[test]
fn a_reader_that_stops_is_no_error() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.commit(&[("b.py", &"y = 1\n".repeat(100_000))]);
    let mut child = isolated(env!("CARGO_BIN_EXE_tenth"), repo.home(), &repo.root)
        .args(["HEAD~1..HEAD", "--format", "json", "--fail-on", "never"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("tenth runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("tenth ends");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

// ------------------------------------------------------------------------------------------------ findings

/// A change with findings in both languages: in the caller of a changed function, through a deletion, in a cut-off
/// file, and beside what is moved and boring.
fn story() -> Repo {
    let boring: String = (0..30).map(|n| format!("value_{n} = {n}\n")).collect();
    let cache = |end: &str| {
        format!(
            "use std::sync::Mutex;

pub struct Cache {{
    entries: Mutex<Vec<u8>>,
}}

impl Cache {{
    pub async fn refresh(&self) {{
        let entries = self.entries.lock().unwrap();
        println!(\"{{}}\", entries.len());
{end}        store().await;
    }}
}}

async fn store() {{
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
}}
"
        )
    };
    let service = "import asyncio

from app.disk import load

lock = asyncio.Lock()


async def refresh(n):
    async with lock:
        return load(n)
";
    let repo = Repo::with(&[
        ("Cargo.toml", "[package]\nname = \"cache\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        ("src/lib.rs", &cache("        drop(entries);\n")),
        ("app/__init__.py", ""),
        ("app/disk.py", "def load(n):\n    return n\n"),
        ("app/service.py", service),
        ("app/jobs.py", "async def run(job):\n    return await job()\n"),
        ("app/values.py", &boring),
    ]);
    repo.write("src/lib.rs", cache(""));
    repo.write("app/disk.py", "import time\n\n\ndef load(n):\n    time.sleep(1)\n    return n\n");
    repo.write("app/service.py", format!("{service}\n\n# The end.\n"));
    repo.write("app/jobs.py", "import time\n\n\nasync def run(job):\n    time.sleep(2)\n    return await job()\n");
    repo.write("app/more.py", "async def more(\n");
    repo.git(&["mv", "app/values.py", "app/numbers.py"]);
    repo.write("app/numbers.py", boring.replace("value_7 ", "seven "));
    repo.commit(&[]);
    repo
}

/// Everything that a reader is told, without how the change was named.
fn judged(run: &Run) -> Value {
    let json = run.json();
    let told = ["findings", "fixed", "assumptions", "hunks", "unfinished", "coverage", "summary"];
    told.iter().map(|part| ((*part).to_owned(), json[*part].clone())).collect::<serde_json::Map<_, _>>().into()
}

#[test]
fn every_source_gives_the_same_findings_hunks_and_order() {
    let repo = story();
    let run = |arguments: &[&str]| run_tenth(repo.home(), &repo.root, &[arguments, &["--format", "json"]].concat());
    let range = run(&["HEAD~1..HEAD"]);
    let json = range.json();
    let mut places: Vec<_> = json["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|finding| {
            let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
            (text("path"), number(&finding["start"]["line"]), number(&finding["start"]["column"]), text("rule"))
        })
        .collect();
    places.sort();
    let place = |path: &str, line, column, rule: &str| (path.to_owned(), line, column, rule.to_owned());
    assert_eq!(
        places,
        [
            place("app/jobs.py", 5, 5, "blocking-in-async"),
            place("app/more.py", 1, 1, "broken-syntax"),
            place("app/service.py", 10, 16, "blocking-through-call"),
            place("src/lib.rs", 11, 17, "lock-across-await"),
        ]
    );
    let expected = (range.code, judged(&range));
    let same = |run: Run, how: &str| assert_eq!((run.code, judged(&run)), expected, "{how}");

    assert_eq!(run(&["HEAD~1..HEAD", "--threads", "1"]).out, range.out);
    assert_eq!(run(&["HEAD~1..HEAD", "--threads", "8"]).out, range.out);
    let inside = run_tenth(repo.home(), &repo.root.join("app"), &["HEAD~1..HEAD", "--format", "json"]);
    assert_eq!(inside.out, range.out);
    let root = repo.root.display().to_string();
    let elsewhere = run_tenth(repo.home(), Path::new("/"), &["-C", &root, "HEAD~1..HEAD", "--format", "json"]);
    assert_eq!(elsewhere.out, range.out);
    let bare = repo.clone_as("bare", &["--bare"]);
    assert_eq!(run_tenth(bare.home(), &bare.root, &["HEAD~1..HEAD", "--format", "json"]).out, range.out);

    let place = patch_of(&repo, &["diff", "HEAD~1", "HEAD"]);
    let patch = fs::read(&place).expect("a patch");
    same(run(&["--patch", &place.display().to_string()]), "a patch of what is there already");
    same(feed_tenth(repo.home(), &repo.root, &["--patch", "-", "--format", "json"], &patch), "standard input");
    same(run(&["HEAD~1"]), "from a revision to the work tree");
    repo.git(&["reset", "-q", "--soft", "HEAD~1"]);
    same(run(&["--staged"]), "staged");
    same(run(&[]), "nothing named");
    same(run(&["--patch", &place.display().to_string()]), "a patch of what is not there yet");
    repo.git(&["reset", "-q"]);
    same(run(&["--worktree"]), "the work tree");
}

#[test]
fn a_deletion_alone_can_introduce_a_finding() {
    let before = "use std::sync::Mutex;

async fn refresh(state: &Mutex<u8>) {
    let guard = state.lock().unwrap();
    drop(guard);
    tick().await;
}

async fn tick() {
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
}
";
    let blocking = "import time\n\n\nasync def f():\n    time.sleep(1)\n";
    let repo = Repo::with(&[("src/a.rs", before), ("gone.py", blocking)]);
    repo.git(&["rm", "-q", "gone.py"]);
    repo.commit(&[("src/a.rs", &before.replace("    drop(guard);\n", ""))]);
    let run = repo.tenth(&["HEAD~1..HEAD"]);
    let json = run.json();
    assert_eq!(run.of("src/a.rs"), "-5");
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(1), "{}", run.out);
    let finding = &json["findings"][0];
    assert_eq!((finding["rule"].as_str(), number(&finding["start"]["line"])), (Some("lock-across-await"), 5));
    assert_eq!(json["fixed"].as_array().map(Vec::len), Some(1), "what was deleted with its file: {}", run.out);
}

#[test]
fn line_ends_and_marks_do_not_move_a_finding() {
    let text = "import time\n\n\nasync def f():\n    # Grüße\n    time.sleep(1)\n";
    let texts = [text.to_owned(), format!("\u{feff}{text}"), text.replace('\n', "\r\n"), text.trim_end().to_owned()];
    let places = texts.map(|text| {
        let repo = Repo::with(&[("a.py", "a = 1\n")]);
        repo.commit(&[("b.py", &text)]);
        let json = repo.tenth(&["HEAD~1..HEAD"]).json();
        let finding = &json["findings"][0];
        (finding["rule"].clone(), finding["start"]["line"].clone(), finding["start"]["column"].clone())
    });
    assert_eq!(places[0], ("blocking-in-async".into(), 6.into(), 5.into()));
    assert!(places.iter().all(|place| *place == places[0]), "{places:?}");
}

#[test]
fn a_large_rewrite_is_reviewed() {
    let text =
        |name: &str, step: usize| -> String { (0..30_000).map(|n| format!("{name}_{n} = {}\n", n * step)).collect() };
    let repo = Repo::with(&[("a.py", &text("one", 1)), ("b.py", &"x = 1\n".repeat(20_000))]);
    repo.commit(&[("a.py", &text("two", 3)), ("b.py", &"x = 1\ny = 2\n".repeat(20_000))]);
    let run = repo.tenth(&["HEAD~1..HEAD"]);
    let json = run.json();
    assert_eq!(number(&json["change"]["files"]), 2);
    assert!(number(&json["change"]["added_lines"]) >= 50_000);
    let hunks = json["hunks"].as_array().expect("hunks").iter();
    let longest = hunks.map(|hunk| number(&hunk["before"]["count"]) + number(&hunk["after"]["count"])).max();
    assert!(longest.is_some_and(|longest| longest <= 40));
    for path in ["a.py", "b.py"] {
        let why = run.uncovered(path);
        assert!(why.starts_with("too many lines differ to line them up"), "{path}: {why}");
    }
}

// ------------------------------------------------------------------------------------------------ patches

/// A change with everything a patch can say: edits, a rename with an edit, an added, a deleted, an odd path, a mode.
fn varied() -> Repo {
    let body: String = (0..30).map(|n| format!("value_{n} = {n}\n")).collect();
    let repo = Repo::with(&[
        ("a.py", &body),
        ("old.py", &body.replace("value", "other")),
        ("gone.py", "g = 1\n"),
        ("run.py", "r = 1\n"),
        ("with space.py", "s = 1\n"),
        ("ümlaut\".py", "u = 1"),
        ("crlf.py", "c = 1\r\nd = 1\r\n"),
    ]);
    repo.git(&["rm", "-q", "gone.py"]);
    repo.git(&["mv", "old.py", "new.py"]);
    repo.write("new.py", body.replace("value", "other").replace("other_3 ", "three "));
    repo.write("a.py", body.replace("value_5 ", "five ").replace("value_25 ", "many ") + "end = 1");
    repo.write("pkg/added.py", "n = 1\n");
    repo.write("empty.py", "");
    repo.write("with space.py", "s = 2\n");
    repo.write("ümlaut\".py", "u = 2\n");
    repo.write("crlf.py", "c = 1\r\nd = 2\r\n");
    make_executable(&repo.root.join("run.py"));
    repo.commit(&[]);
    repo
}

fn patch_of(repo: &Repo, arguments: &[&str]) -> PathBuf {
    let output = isolated("git", repo.home(), &repo.root).args(arguments).output().expect("git runs");
    assert!(output.status.success());
    let place = repo.home().join("change.patch");
    fs::write(&place, output.stdout).expect("written");
    place
}

#[test]
fn a_range_the_index_and_a_patch_give_the_same_hunks() {
    let repo = varied();
    let range = repo.tenth(&["HEAD~1..HEAD"]);
    let hunks = |run: &Run| run.json()["hunks"].clone();
    for style in [
        &["diff", "HEAD~1", "HEAD"][..],
        &["diff", "--no-prefix", "HEAD~1", "HEAD"],
        &["-c", "diff.mnemonicPrefix=true", "diff", "HEAD~1", "HEAD"],
        &["diff", "-U0", "HEAD~1", "HEAD"],
        &["diff", "--no-renames", "--full-index", "HEAD~1", "HEAD"],
        &["format-patch", "--stdout", "HEAD~1..HEAD"],
    ] {
        let patch = patch_of(&repo, style);
        let run = repo.tenth(&["--patch", &patch.display().to_string()]);
        assert_eq!(hunks(&run), hunks(&range), "{style:?}: {}", run.out);
        assert_eq!(run.json()["change"]["files"], range.json()["change"]["files"], "{style:?}");
        assert_eq!(run.json()["coverage"], range.json()["coverage"], "{style:?}");
    }
    repo.git(&["reset", "-q", "--soft", "HEAD~1"]);
    assert_eq!(hunks(&repo.tenth(&["--staged"])), hunks(&range));
    assert_eq!(hunks(&repo.tenth(&["--worktree"])), hunks(&range));
}

#[test]
fn a_patch_alone_goes_as_far_as_its_text() {
    let repo = varied();
    let patch = patch_of(&repo, &["diff", "HEAD~1", "HEAD"]);
    let alone = tempfile::tempdir().expect("a temporary folder");
    let arguments = ["--patch", &patch.display().to_string(), "--format", "json", "--fail-on", "never"];
    let run = run_tenth(alone.path(), alone.path(), &arguments);
    let range = repo.tenth(&["HEAD~1..HEAD"]);
    assert_eq!(run.lines(), range.lines());
    assert_eq!(run.uncovered("a.py"), "only the lines of the patch are known");
    assert_eq!(run.uncovered("pkg/added.py"), "");
    assert_eq!(run.uncovered("run.py"), "only its name or mode is in the patch");
    assert!(run.notice("patch-excerpts").contains("inside a repository"));
}

#[test]
fn a_series_in_one_mail_builds_on_itself() {
    let repo = Repo::with(&[("a.py", "x = 1\ny = 1\nz = 1\n")]);
    repo.commit(&[("a.py", "x = 2\ny = 1\nz = 1\n"), ("b.py", "b = 1\n")]);
    repo.commit(&[("a.py", "x = 2\ny = 1\nz = 2\n"), ("b.py", "b = 2\n")]);
    let patch = patch_of(&repo, &["format-patch", "--stdout", "HEAD~2..HEAD"]).display().to_string();
    let (series, range) = (repo.tenth(&["--patch", &patch]), repo.tenth(&["HEAD~2..HEAD"]));
    assert_eq!(series.lines(), range.lines());
    assert_eq!(series.json()["commits"], range.json()["commits"]);
    let alone = tempfile::tempdir().expect("a temporary folder");
    let run = run_tenth(alone.path(), alone.path(), &["--patch", &patch, "--format", "json"]);
    assert_eq!((run.of("a.py"), run.of("b.py")), ("-1 +1 -3 +3".to_owned(), "+1".to_owned()));
}

#[test]
fn a_patch_converted_to_crlf_is_read() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    repo.commit(&[("a.py", "x = 2\n")]);
    let patch = patch_of(&repo, &["diff", "HEAD~1", "HEAD"]);
    let text = fs::read_to_string(&patch).expect("a patch");
    fs::write(&patch, text.replace('\n', "\r\n")).expect("written");
    assert_eq!(repo.tenth(&["--patch", &patch.display().to_string()]).of("a.py"), "-1 +1");
}

#[test]
fn odd_entries_of_a_patch_become_coverage() {
    let repo = Repo::with(&[("b.bin", "a\0b")]);
    repo.write("b.bin", "a\0c");
    std::os::unix::fs::symlink("b.bin", repo.root.join("link.py")).expect("linked");
    repo.commit(&[]);
    let patch = patch_of(&repo, &["diff", "HEAD~1", "HEAD"]);
    let run = repo.tenth(&["--patch", &patch.display().to_string()]);
    assert_eq!((run.uncovered("b.bin").as_str(), run.uncovered("link.py").as_str()), ("binary", "a symbolic link"));
}

#[test]
fn what_is_no_patch_is_refused() {
    let repo = Repo::with(&[("a.py", "x = 1\n")]);
    let place = repo.home().join("no.patch");
    for (text, cause) in [
        ("hello\n", "it holds no diff"),
        ("--- a/a.py\n+++ b/a.py\n@@ -1 +1,2 @@\n-x = 1\n", "is cut off"),
        ("--- a/a.py\n+++ b/a.py\n@@ what @@\n@@ -x +1 @@\n", "not the head of a hunk"),
        ("diff --cc a.py\n", "a combined diff of a merge"),
    ] {
        fs::write(&place, text).expect("written");
        repo.tenth(&["--patch", &place.display().to_string()]).refuses(cause, "git diff BEFORE AFTER");
    }
    fs::write(&place, "").expect("written");
    assert_eq!(repo.tenth(&["--patch", &place.display().to_string()]).code, 0);
}

#[test]
fn the_exit_code_follows_the_gate() {
    let repo = story();
    let code = |arguments: &[&str]| run_tenth(repo.home(), &repo.root, &[&["HEAD~1..HEAD"], arguments].concat()).code;
    assert_eq!((code(&[]), code(&["--fail-on", "warning"]), code(&["--fail-on", "never"])), (1, 1, 0));
    let backwards = run_tenth(repo.home(), &repo.root, &["HEAD..HEAD~1"]);
    assert_eq!(backwards.code, 0, "what is taken away gates nothing: {}", backwards.out);
}

#[test]
fn a_patch_that_fits_nothing_is_an_excerpt() {
    let before: String = (0..20).map(|n| format!("value_{n} = {n}\n")).collect();
    let repo = Repo::with(&[("a.py", &before), ("b.py", "b = 1\n")]);
    repo.commit(&[("a.py", &before.replace("value_9 ", "nine ")), ("b.py", "b = 2\n")]);
    let patch = patch_of(&repo, &["diff", "HEAD~1", "HEAD"]);
    let other = Repo::with(&[("a.py", "something = 'else'\n"), ("b.py", "b = 1\n")]);
    let run = other.tenth(&["--patch", &patch.display().to_string()]);
    assert_eq!(run.lines(), repo.tenth(&["HEAD~1..HEAD"]).lines());
    assert_eq!(run.uncovered("a.py"), "only the lines of the patch are known");
    assert_eq!(run.uncovered("b.py"), "", "`HEAD` fits where the named blob is not there");
    assert!(run.notice("patch-excerpts").contains("inside a repository"));
}

#[test]
fn a_patch_of_the_index_has_prefixes_of_its_own() {
    let repo = varied();
    repo.git(&["reset", "-q", "--soft", "HEAD~1"]);
    let staged = repo.tenth(&["--staged"]);
    let patch = patch_of(&repo, &["-c", "diff.mnemonicPrefix=true", "diff", "--cached"]);
    assert!(fs::read_to_string(&patch).expect("a patch").contains("+++ i/a.py"));
    let run = repo.tenth(&["--patch", &patch.display().to_string()]);
    assert_eq!(run.json()["hunks"], staged.json()["hunks"]);
}

#[test]
fn a_patch_comes_through_standard_input() {
    let repo = Repo::with(&[("a.py", "import time\n")]);
    repo.commit(&[("b.py", "import time\n\n\nasync def f():\n    time.sleep(1)\n")]);
    let patch = fs::read(patch_of(&repo, &["diff", "HEAD~1", "HEAD"])).expect("a patch");
    let alone = tempfile::tempdir().expect("a temporary folder");
    let run = feed_tenth(alone.path(), alone.path(), &["--patch", "-", "--format", "json"], &patch);
    assert_eq!(run.json()["change"]["how"], "a patch by itself");
    assert_eq!((run.code, run.of("b.py").as_str()), (1, "+1 +2 +3 +4 +5"));
    assert_eq!(run.json()["findings"][0]["rule"], "blocking-in-async", "a new file is whole");
    feed_tenth(alone.path(), alone.path(), &["--patch", "-"], b"no patch\n").refuses("it holds no diff", "git diff");
    let missing = run_tenth(alone.path(), alone.path(), &["--patch", "missing"]);
    assert!(missing.code == 2 && missing.err.contains("cannot read `missing`"), "{}", missing.err);
}

#[test]
fn colour_follows_the_flag_and_the_environment() {
    let repo = Repo::with(&[("a.py", "import time\n")]);
    repo.commit(&[("a.py", "import time\n\n\nasync def f():\n    time.sleep(1)\n")]);
    let coloured = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = isolated(env!("CARGO_BIN_EXE_tenth"), repo.home(), &repo.root);
        command.env_remove("NO_COLOR").args(["HEAD~1..HEAD"]).args(arguments).envs(variables.iter().copied());
        command.output().expect("tenth runs").stdout.contains(&b'\x1b')
    };
    assert!(!coloured(&[], &[]), "no terminal, no colour");
    assert!(coloured(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(coloured(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(!coloured(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn inspect_shows_what_is_known_at_a_line_of_python() {
    let code = "import asyncio\nimport time\n\n\nclass Store:\n    def __init__(self):\n        self._lock = asyncio.Lock()\n\n    async def load(self, source):\n        async with self._lock:\n            time.sleep(1)\n            await source.fetch()\n";
    let repo = Repo::with(&[("store.py", code)]);
    let blocked = run_tenth(repo.home(), &repo.root, &["inspect", "store.py:11"]);
    assert_eq!(blocked.code, 0, "{}", blocked.err);
    for expected in [
        "store.py:11 in store.Store.load",
        "task",
        "calls     time.sleep (outside the project)",
        "catalogue blocks: Sleep",
        "`self._lock` (asyncio.Lock), taken at line 10",
        "violated blocking-in-async",
    ] {
        assert!(blocked.out.contains(expected), "no `{expected}` in:\n{}", blocked.out);
    }
    let marked: Vec<&str> = blocked.out.lines().filter(|row| row.starts_with('>')).collect();
    assert!(!marked.is_empty() && marked.iter().all(|row| row.contains("@11")), "{marked:?}");

    let unknown = run_tenth(repo.home(), &repo.root, &["inspect", "store.py:12"]);
    assert!(unknown.out.contains("unresolved: the type of `source` is not known"), "{}", unknown.out);
    run_tenth(repo.home(), &repo.root, &["inspect", "nowhere.py:1"])
        .refuses("cannot read `nowhere.py`", "name a file that is there");
}

#[test]
fn inspect_shows_what_is_known_at_a_line_of_rust() {
    let code = "use std::sync::Mutex;\n\npub struct Queue {\n    jobs: Mutex<Vec<u32>>,\n}\n\nimpl Queue {\n    pub async fn run(&self) {\n        let jobs = self.jobs.lock().unwrap();\n        tick(jobs.len()).await;\n    }\n}\n\nasync fn tick(_: usize) {\n    std::future::pending::<()>().await\n}\n";
    let manifest = "[package]\nname = \"queue\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    let repo = Repo::with(&[("Cargo.toml", manifest), ("src/lib.rs", code)]);
    let run = run_tenth(repo.home(), &repo.root, &["inspect", "src/lib.rs:10"]);
    assert_eq!(run.code, 0, "{}", run.err);
    for expected in [
        "in queue::Queue::run",
        "calls     queue::tick (src/lib.rs)",
        "`self.jobs` (std::sync::Mutex), taken at line 9; its guard `jobs` lives to the end of its block",
        "violated lock-across-await",
    ] {
        assert!(run.out.contains(expected), "no `{expected}` in:\n{}", run.out);
    }
}

#[test]
fn callers_in_untouched_files_are_found_in_objects_and_in_the_work_tree() {
    let caller = "from helper import load\n\n\nasync def handle(name):\n    return load(name)\n";
    let repo = Repo::with(&[("helper.py", "def load(name):\n    return name\n"), ("pkg/app.py", caller)]);
    repo.commit(&[("helper.py", "import time\n\n\ndef load(name):\n    time.sleep(1)\n    return name\n")]);
    let found = |run: Run| {
        let json = run.json();
        let findings = json["findings"].as_array().expect("findings").iter();
        findings.map(|finding| format!("{} {}", finding["path"], finding["start"]["line"])).collect::<Vec<_>>()
    };
    let expected = ["\"pkg/app.py\" 5"];
    assert_eq!(found(repo.tenth(&["HEAD~..HEAD"])), expected);
    // An old index vouches for files; a file that was written since is read from its object.
    std::thread::sleep(std::time::Duration::from_millis(20));
    repo.git(&["update-index", "--refresh"]);
    repo.git(&["read-tree", "HEAD"]);
    repo.git(&["update-index", "--refresh"]);
    assert_eq!(found(repo.tenth(&["HEAD~..HEAD"])), expected);
    repo.write("pkg/app.py", "def other():\n    return 1\n");
    assert_eq!(found(repo.tenth(&["HEAD~..HEAD"])), expected);
    let bare = repo.home().join("bare");
    repo.git(&["clone", "-q", "--bare", ".", bare.to_str().expect("a plain path")]);
    let arguments = ["HEAD~..HEAD", "--format", "json", "--fail-on", "never"];
    assert_eq!(found(run_tenth(repo.home(), &bare, &arguments)), expected);
    // Against the work tree the caller is a changed file that no longer calls.
    assert!(found(repo.tenth(&["HEAD~"])).is_empty());
}
