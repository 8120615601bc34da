from pathlib import Path

import pytest

from wsss import code_hash as module
from wsss.code_hash import code_hash


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A small project whose script imports one library file, which imports another."""
    for name, text in {
        "script.py": "from wsss.first import value\nprint(value)\n",
        "wsss/__init__.py": '"""Library."""\n',
        "wsss/first.py": '"""First."""\nfrom wsss.room import second\n\nvalue = second.other\n',
        "wsss/room/__init__.py": "",
        "wsss/room/second.py": "def other(x):\n    '''Say it.'''\n    return x + 1\n",
        "wsss/unused.py": "x = 1\n",
        "page.html": "<p>text</p>",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    module._fingerprint.cache_clear()
    yield tmp_path
    module._fingerprint.cache_clear()


def edited(path: Path, old: str, new: str) -> str:
    """Replace text in a file and hash the script as a new process would."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    module._fingerprint.cache_clear()
    return code_hash("script.py")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("script.py", "print(value)", "# Why.\n\n\nprint( value )"),
        ("script.py", "from wsss", '"""A docstring."""\nfrom wsss'),
        ("wsss/first.py", "First", "Another docstring"),
        ("wsss/room/second.py", "Say it.", "Say something else."),
        ("wsss/room/second.py", "return x + 1", "return (x + 1)  # more"),
        ("wsss/unused.py", "x = 1", "x = 2"),
    ],
)
def test_text_that_nobody_runs_does_not_count(project, name, old, new):
    before = code_hash("script.py")
    assert edited(project / name, old, new) == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("script.py", "print(value)", "print(value, value)"),
        ("wsss/first.py", "second.other", "second.other(1)"),
        ("wsss/room/second.py", "x + 1", "x + 2"),
        ("wsss/room/second.py", "return x", "'''A string that is no docstring'''; return x"),
    ],
)
def test_code_counts_wherever_it_is_imported_from(project, name, old, new):
    before = code_hash("script.py")
    assert edited(project / name, old, new) != before


def test_files_loaded_by_name_count_in_any_order(project):
    both = code_hash("script.py", "wsss/unused.py")
    assert both == code_hash("wsss/unused.py", "script.py") != code_hash("script.py")
    assert len(both) == 16


def test_an_import_inside_a_function_counts(project):
    before = code_hash("script.py")
    assert (
        edited(project / "script.py", "print(value)", "def f():\n    import wsss.unused") != before
    )
    middle = code_hash("script.py")
    assert edited(project / "wsss/unused.py", "x = 1", "x = 2") != middle


def test_other_files_count_by_their_bytes(project):
    before = code_hash("page.html")
    (project / "page.html").write_text("<p>text</p> ")
    module._fingerprint.cache_clear()
    assert code_hash("page.html") != before


def test_files_that_import_each_other(project):
    edited(project / "wsss/room/second.py", "def other", "import wsss.first\n\n\ndef other")
    before = code_hash("script.py")
    assert edited(project / "wsss/first.py", "second.other", "second") != before


def test_a_missing_file_is_named(project):
    with pytest.raises(FileNotFoundError, match=r"wsss/localize/new\.py is part of a rule's code"):
        code_hash("script.py", "wsss/localize/new.py")


def test_the_projects_own_scripts():
    module._fingerprint.cache_clear()
    cam = code_hash("workflow/scripts/localize.py", "wsss/localize/cam.py")
    advcam = code_hash("workflow/scripts/localize.py", "wsss/localize/advcam.py")
    assert cam != advcam
