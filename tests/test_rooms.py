"""The rooms of the library: who may import whom (HOUSE_STYLE 1), and what nobody may do."""

import ast

import pytest

from tests.source import ROOT, imported_modules, library_files, tree_of

# Beyond the table of HOUSE_STYLE 1: data and train read and write files of the store, a report is
# put together from data, tables and figures, and RIB's maps come from learning by a loss. Commands
# join rooms, as the workflow's scripts do.
COMMANDS = {"data", "figures", "localize", "models", "ood", "plan", "refine", "store", "train"}
MAY_IMPORT = {
    "commands": COMMANDS | {"engine", "fetch", "review"},
    "config": set(),
    "data": {"store"},
    "store": set(),
    "models": set(),
    "losses": set(),
    "metrics": set(),
    "ood": set(),
    "localize": {"models", "losses"},
    "refine": set(),
    "train": {"data", "models", "losses", "metrics", "refine", "store"},
    "diagnose": {"models", "localize", "losses", "metrics"},
    "engine": set(),
    "fetch": {"store"},
    "figures": {"data", "store", "metrics"},
    "plan": {"config"},
    "report": {"data", "store", "metrics", "figures", "plan"},
    "review": {"data", "store", "ood"},
    "thresholds": set(),
}
HALL = {"code_hash", "disk", "holds", "logs", "parallel", "processes", "progress", "slurm"}
# What the file reads comes with an installed package.
READS_PACKAGED_WEIGHTS = {"wsss/models/backbones/efficientnet_lite0.py"}
FILE_CALLS = {"open", "read_text", "read_bytes", "write_text", "write_bytes", "imread", "imwrite"}
COMPUTING = {"models", "losses", "metrics", "localize", "refine", "thresholds", "diagnose"}
# The page of provenance names the engine's version, as it does that of every package; who has no
# card of an OoD set is told what makes one. Commands and their help speak of the workflow; one room
# is about its engine. Else the library works without.
NAMES_THE_ENGINE = {"wsss/report/runs.py": 1, "wsss/store/review_card.py": 1}
KNOW_THE_ENGINE = {"commands", "engine"}


def room_of(name):
    """The room of a file, or None in the hall."""
    parts = name.split("/")
    return parts[1] if len(parts) > 2 else None


def roots_of(name):
    """The packages that a file imports from."""
    return {module.split(".")[0] for module in imported_modules(tree_of(name))}


@pytest.mark.parametrize("room", [None, *MAY_IMPORT])
def test_a_room_imports_only_what_its_row_allows(room):
    allowed = HALL | ({room} | MAY_IMPORT[room] if room else set())
    for name in library_files():
        if room_of(name) != room:
            continue
        modules = list(imported_modules(tree_of(name)))
        allowed = allowed | {"commands"} if name == "wsss/cli.py" else allowed
        rooms = {module.split(".")[1] for module in modules if module.startswith("wsss.")}
        assert rooms <= allowed, f"{name} imports {sorted(rooms - allowed)}"


def test_imports_are_absolute_and_stay_inside():
    for name in library_files():
        assert not {"", "tests", "workflow"} & roots_of(name), name


def test_only_the_store_knows_hdf5():
    found = {room_of(name) for name in library_files() if "h5py" in roots_of(name)}
    assert found == {"store"}


def code_files():
    scripts = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "workflow/scripts").glob("*.py"))
    return [*library_files(), *scripts]


@pytest.mark.parametrize("name", code_files())
def test_nothing_that_is_read_can_run_code(name):
    assert not roots_of(name) & {"dill", "shelve", "marshal", "cloudpickle"}
    for node in ast.walk(tree_of(name)):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "pickle":
            assert node.attr == "UnpicklingError", f"{name}:{node.lineno} uses pickle"
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        words = {word.arg: ast.unparse(word.value) for word in node.keywords}
        place = f"{name}:{node.lineno}"
        if called == "torch.load":
            assert words.get("weights_only") == "True", place
        assert words.get("allow_pickle", "False") == "False", place
        assert called not in ("yaml.load", "eval", "exec", "pd.read_pickle", "joblib.load"), place
        assert words.get("shell") != "True", place


def test_the_library_does_not_know_the_engine():
    for name in library_files():
        if room_of(name) in KNOW_THE_ENGINE or name == "wsss/cli.py":
            continue
        named = (ROOT / name).read_text("utf-8").lower().count("snakemake")
        assert named <= NAMES_THE_ENGINE.get(name, 0), name


def test_computing_rooms_touch_no_files():
    for name in library_files():
        if room_of(name) not in COMPUTING or name in READS_PACKAGED_WEIGHTS:
            continue
        for node in ast.walk(tree_of(name)):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func).split(".")[-1]
                assert called not in FILE_CALLS, f"{name}:{node.lineno} calls {called}"


def test_no_error_is_swallowed_and_none_is_an_assertion():
    for name in library_files():
        for node in ast.walk(tree_of(name)):
            place = f"{name}:{getattr(node, 'lineno', 0)}"
            assert not isinstance(node, ast.ExceptHandler) or node.type is not None, place
            assert not isinstance(node, ast.Assert), place


def test_a_room_opens_without_importing_anything():
    for name in library_files():
        if name.endswith("__init__.py"):
            body = tree_of(name).body
            assert len(body) == 1 and isinstance(body[0], ast.Expr), f"{name}: only a docstring"


def test_every_room_has_a_row():
    rooms = {room_of(name) for name in library_files()} - {None}
    assert rooms <= set(MAY_IMPORT)
