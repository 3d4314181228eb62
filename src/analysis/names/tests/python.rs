//! Python: imports, packages, scopes, classes.

use super::{Project, function_named, leads, leads_in, members, type_named};

#[test]
fn relative_and_aliased_imports_lead_to_the_definition() {
    let project = Project::new(&[
        ("app/__init__.py", ""),
        ("app/store.py", "class Store:\n    def load(self):\n        return 1\n\ndef connect():\n    pass\n"),
        ("app/web/__init__.py", ""),
        (
            "app/web/views.py",
            "from ..store import Store as S, connect\nfrom .. import store\nimport app.store as st\nimport app.store\n\
             from . import tools\n",
        ),
        ("app/web/tools.py", "def tidy():\n    pass\n"),
    ]);
    let program = project.program();
    let views = |path| leads(&program, "app/web/views.py", path);
    assert_eq!(views("S"), "app/store.py Store");
    assert_eq!(views("S.load"), "app/store.py Store.load");
    assert_eq!(views("connect"), "app/store.py connect");
    assert_eq!(views("store.connect"), "app/store.py connect");
    assert_eq!(views("st.connect"), "app/store.py connect");
    assert_eq!(views("app.store.connect"), "app/store.py connect");
    assert_eq!(views("tools.tidy"), "app/web/tools.py tidy");
    assert_eq!(views("store.missing"), "unknown");
}

#[test]
fn libraries_and_builtins_are_outside_by_their_full_names() {
    let project = Project::new(&[(
        "a.py",
        "import os.path\nimport numpy as np\nfrom concurrent import futures as f\nfrom time import sleep\n",
    )]);
    let program = project.program();
    let a = |path| leads(&program, "a.py", path);
    assert_eq!(a("os.getcwd"), "outside os.getcwd");
    assert_eq!(a("np.linalg.norm"), "outside numpy.linalg.norm");
    assert_eq!(a("f.wait"), "outside concurrent.futures.wait");
    assert_eq!(a("sleep"), "outside time.sleep");
    assert_eq!(a("open"), "outside builtins.open");
    assert_eq!(a("nobody_knows"), "unknown");
}

#[test]
fn a_reexport_leads_through_init_and_a_star() {
    let project = Project::new(&[
        ("pkg/__init__.py", "from .api import run, Client\nfrom .errors import *\n"),
        ("pkg/api.py", "from ._impl import really_run as run\nclass Client:\n    pass\n"),
        ("pkg/_impl.py", "def really_run():\n    pass\n"),
        ("pkg/errors.py", "class Broken(Exception):\n    pass\ndef _private():\n    pass\n"),
        ("main.py", "import pkg\nfrom pkg import run, Broken, _private\n"),
    ]);
    let program = project.program();
    let main = |path| leads(&program, "main.py", path);
    assert_eq!(main("run"), "pkg/_impl.py really_run");
    assert_eq!(main("pkg.run"), "pkg/_impl.py really_run");
    assert_eq!(main("pkg.Client"), "pkg/api.py Client");
    assert_eq!(main("Broken"), "pkg/errors.py Broken");
    assert_eq!(main("_private"), "unknown");
    assert_eq!(main("pkg.errors"), "pkg/errors.py");
}

#[test]
fn a_name_in_init_comes_before_a_submodule_of_that_name() {
    let project = Project::new(&[
        ("pkg/__init__.py", "from .run import run\nfrom . import tools\n"),
        ("pkg/run.py", "def run():\n    pass\n"),
        ("pkg/tools.py", "def tidy():\n    pass\n"),
        ("main.py", "from pkg import run, tools\nimport pkg.run as module\n"),
    ]);
    let program = project.program();
    assert_eq!(leads(&program, "main.py", "run"), "pkg/run.py run");
    assert_eq!(leads(&program, "main.py", "tools.tidy"), "pkg/tools.py tidy");
    assert_eq!(leads(&program, "main.py", "module.run"), "pkg/run.py run");
}

#[test]
fn src_layouts_and_folders_without_init_are_found() {
    let project = Project::new(&[
        ("src/tool/__init__.py", ""),
        ("src/tool/core.py", "def work():\n    pass\n"),
        ("tests/test_core.py", "from tool.core import work\nimport acme.cloud.queue as q\nimport acme\n"),
        ("acme/cloud/queue.py", "def put():\n    pass\n"),
        ("services/api/main.py", "from handlers.users import fetch\nfrom helpers import only\n"),
        ("services/api/handlers/users.py", "def fetch():\n    pass\n"),
        ("shared/python/helpers.py", "def only():\n    pass\n"),
    ]);
    let program = project.program();
    let test = |path| leads(&program, "tests/test_core.py", path);
    assert_eq!(test("work"), "src/tool/core.py work");
    assert_eq!(test("q.put"), "acme/cloud/queue.py put");
    assert_eq!(test("acme"), "folder acme as acme");
    assert_eq!(test("acme.cloud.queue.put"), "acme/cloud/queue.py put");
    assert_eq!(test("acme.other.thing"), "outside acme.other.thing");
    assert_eq!(leads(&program, "services/api/main.py", "fetch"), "services/api/handlers/users.py fetch");
    assert_eq!(leads(&program, "services/api/main.py", "only"), "shared/python/helpers.py only");
}

#[test]
fn a_sibling_with_the_name_of_a_library_does_not_hide_it() {
    let project = Project::new(&[
        ("app/services/queue.py", "class Queue:\n    pass\n"),
        ("app/services/cache.py", "import queue\nfrom app.services import queue as own\n"),
        ("redis/docker/setup.py", ""),
        ("main.py", "import redis\n"),
    ]);
    let program = project.program();
    assert_eq!(leads(&program, "app/services/cache.py", "queue.Queue"), "outside queue.Queue");
    assert_eq!(leads(&program, "app/services/cache.py", "own.Queue"), "app/services/queue.py Queue");
    assert_eq!(leads(&program, "main.py", "redis.Redis"), "outside redis.Redis");
}

#[test]
fn functions_of_one_name_in_two_modules_stay_apart() {
    let project = Project::new(&[
        ("a.py", "def work():\n    pass\n"),
        ("b.py", "def work():\n    pass\n"),
        ("main.py", "import a\nfrom b import work\n"),
        ("other.py", "work()\n"),
    ]);
    let program = project.program();
    assert_eq!(leads(&program, "main.py", "a.work"), "a.py work");
    assert_eq!(leads(&program, "main.py", "work"), "b.py work");
    assert_eq!(leads(&program, "other.py", "work"), "unknown");
}

#[test]
fn circles_of_imports_end() {
    let project = Project::new(&[
        ("pkg/__init__.py", "from .a import *\nfrom .b import thing, ghost\n"),
        ("pkg/a.py", "from . import thing\nfrom .b import *\n"),
        ("pkg/b.py", "from .a import ghost\nfrom .a import *\ndef thing():\n    pass\n"),
    ]);
    let program = project.program();
    assert_eq!(leads(&program, "pkg/a.py", "thing"), "pkg/b.py thing");
    assert_eq!(leads(&program, "pkg/__init__.py", "ghost"), "unknown");
    assert_eq!(leads(&program, "pkg/__init__.py", "thing"), "pkg/b.py thing");
}

#[test]
fn a_long_chain_of_reexports_is_given_up() {
    let files: Vec<(&'static str, &'static str)> = vec![
        ("m00.py", "from m01 import f"),
        ("m01.py", "from m02 import f"),
        ("m02.py", "from m03 import f"),
        ("m03.py", "from m04 import f"),
        ("m04.py", "from m05 import f"),
        ("m05.py", "from m06 import f"),
        ("m06.py", "from m07 import f"),
        ("m07.py", "from m08 import f"),
        ("m08.py", "from m09 import f"),
        ("m09.py", "from m10 import f"),
        ("m10.py", "from m11 import f"),
        ("m11.py", "from m12 import f"),
        ("m12.py", "from m13 import f"),
        ("m13.py", "def f():\n    pass\n"),
    ];
    let project = Project::new(&files);
    assert_eq!(leads(&project.program(), "m00.py", "f"), "unknown");
    assert_eq!(leads(&project.program(), "m04.py", "f"), "m13.py f");
    // The first answer must not stand in the way of the second.
    let program = project.program();
    assert_eq!(leads(&program, "m00.py", "f"), "unknown");
    assert_eq!(leads(&program, "m04.py", "f"), "m13.py f");
}

#[test]
fn imports_in_functions_are_seen_there_only() {
    let project = Project::new(&[
        ("a.py", "def load():\n    pass\n"),
        (
            "main.py",
            "def outer():\n    from a import load\n    def inner():\n        load()\n    class Local:\n        pass\n\
             \ndef other():\n    pass\n",
        ),
    ]);
    let program = project.program();
    assert_eq!(leads_in(&program, "main.py", "outer", "load"), "a.py load");
    assert_eq!(leads_in(&program, "main.py", "outer.<locals>.inner", "load"), "a.py load");
    assert_eq!(leads_in(&program, "main.py", "outer", "inner"), "main.py outer.<locals>.inner");
    assert_eq!(leads_in(&program, "main.py", "outer", "Local"), "main.py outer.<locals>.Local");
    assert_eq!(leads_in(&program, "main.py", "other", "load"), "unknown");
}

#[test]
fn fall_backs_lose() {
    let project = Project::new(&[
        ("fast.py", "def parse():\n    pass\n"),
        (
            "main.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from fast import parse as p\nelse:\n    p = None\n\
             try:\n    import uvloop\nexcept ImportError:\n    uvloop = None\n\
             try:\n    import orjson as json\nexcept ImportError:\n    import json\n\
             try:\n    from fast import parse as q\nexcept ImportError:\n    from slow import parse as q\n",
        ),
    ]);
    let program = project.program();
    let main = |path| leads(&program, "main.py", path);
    assert_eq!(main("p"), "fast.py parse");
    assert_eq!(main("uvloop.run"), "outside uvloop.run");
    assert_eq!(main("json.loads"), "outside orjson.loads");
    assert_eq!(main("q"), "fast.py parse");
}

#[test]
fn methods_come_from_the_first_base_that_has_them() {
    let project = Project::new(&[
        (
            "base.py",
            "import threading\nclass Root:\n    def run(self): return 0\n    def stop(self): return 0\n\
             class Left(Root):\n    pass\nclass Right(Root):\n    def run(self): return 1\n\
             class Worker(Root, threading.Thread):\n    size = 1\n    def __init__(self):\n        self.rows = []\n\
             \n    @property\n    def name(self): return 1\n    @name.setter\n    def name(self, to): self._name = to\n",
        ),
        (
            "main.py",
            "from base import Left, Right, Worker\nclass Both(Left, Right):\n    class Inner(Left):\n        pass\n",
        ),
    ]);
    let program = project.program();
    assert_eq!(members(&program, "main.py", "Both", "run"), ["base.py Right.run"]);
    assert_eq!(members(&program, "main.py", "Both", "stop"), ["base.py Root.stop"]);
    assert_eq!(members(&program, "main.py", "Both.Inner", "stop"), ["base.py Root.stop"]);
    assert_eq!(members(&program, "main.py", "Worker", "run"), ["base.py Root.run"]);
    assert_eq!(members(&program, "main.py", "Worker", "start"), ["outside threading.Thread.start"]);
    assert_eq!(members(&program, "main.py", "Worker", "rows"), ["base.py Worker field rows"]);
    assert_eq!(members(&program, "main.py", "Worker", "name"), ["base.py Worker.name"]);
    assert_eq!(leads(&program, "main.py", "Worker.size"), "base.py Worker field size");
    let id = program.module_at("base.py").expect("it is there");
    let root = type_named(&program, id, "Root");
    let names = |ids: Vec<crate::analysis::TypeId>| -> Vec<String> {
        ids.into_iter().map(|id| program.type_name(id)).collect()
    };
    assert_eq!(names(program.subclasses(root).to_vec()), ["base.Left", "base.Right", "base.Worker"]);
    let overrides: Vec<String> =
        program.overrides(root, "run").into_iter().map(|id| program.qualified_name(id)).collect();
    assert_eq!(overrides, ["base.Right.run"]);
}

#[test]
fn heirs_that_come_to_light_on_the_way_count() {
    let project = Project::new(&[
        ("base.py", "class Base:\n    def run(self): pass\n"),
        // Whoever asks what stands below `near.Left` finds `far`, and in it another class below `Base`.
        (
            "near.py",
            "from base import Base\nimport far\nclass Left(Base):\n    pass\nclass Under(far.Left):\n    pass\n",
        ),
        ("far.py", "from base import Base\nclass Left(Base):\n    def run(self): pass\n"),
    ]);
    let program = project.program();
    let id = program.module_at("base.py").expect("it is there");
    program.module_at("near.py").expect("it is there");
    let base = type_named(&program, id, "Base");
    for _ in 0..2 {
        let overrides = program.overrides(base, "run").into_iter().map(|id| program.qualified_name(id));
        assert_eq!(overrides.collect::<Vec<_>>(), ["far.Left.run"]);
    }
}

#[test]
fn classes_that_inherit_from_each_other_end() {
    let project = Project::new(&[
        ("a.py", "from b import B\nclass A(B):\n    pass\n"),
        ("b.py", "from a import A\nclass B(A):\n    def f(self): return 1\n"),
    ]);
    let program = project.program();
    assert_eq!(members(&program, "a.py", "A", "f"), ["b.py B.f"]);
    assert_eq!(members(&program, "a.py", "A", "g"), [""; 0]);
}

#[test]
fn full_names_begin_at_the_top_package() {
    let project = Project::new(&[
        ("backend/app/__init__.py", ""),
        ("backend/app/core.py", "class Core:\n    def work(self): return 1\n"),
        ("src/lone.py", "def f(): return 1\n"),
    ]);
    let program = project.program();
    let name = |file: &str, function: &str| {
        let id = program.module_at(file).expect("it is there");
        program.qualified_name(function_named(&program, id, function))
    };
    assert_eq!(name("backend/app/core.py", "Core.work"), "app.core.Core.work");
    assert_eq!(name("src/lone.py", "f"), "lone.f");
    let core = program.module_at("backend/app/core.py").expect("it is there");
    assert_eq!(
        program.qualified_name(crate::analysis::FunctionId { module: core, index: crate::flow::FunctionIndex(0) }),
        "app.core"
    );
}
