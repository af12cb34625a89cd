"""Installed and imported distributions, against importlib.metadata."""

import importlib.metadata
import subprocess
import sys

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from autolog_core.capture.packages import imported_packages, normalize, packages, requirements


def make(folder, name, metadata=None, **files):
    place = folder / name
    place.mkdir(parents=True)
    if metadata is not None:
        (place / "METADATA").write_text(metadata)
    for file, text in files.items():
        (place / file.replace("_", "-")).write_text(text)


def test_what_is_installed_is_what_importlib_says():
    expected = {}
    for distribution in importlib.metadata.distributions():
        expected.setdefault(canonicalize_name(distribution.metadata["Name"]), distribution.version)
    assert packages() == dict(sorted(expected.items()))


def test_folder_names_and_metadata(tmp_path):
    make(tmp_path, "Scikit_Learn-1.5.0.dist-info", "Metadata-Version: 2.1\n")
    make(tmp_path, "torch-2.1.0+cu121.dist-info", "")
    make(tmp_path, "old-name-1.0.dist-info", "Name: old-name\nVersion: 1.0\n\nName: body")
    make(tmp_path, "develop.egg-info", PKG_INFO="Name: Develop.Me\nVersion: 3\n")
    make(tmp_path, "egg-2.0-py3.11.egg-info", PKG_INFO="Name: egg\nVersion: 2.0\n")
    (tmp_path / "single-1.1-py3.egg-info").write_text("Name: single\nVersion: 1.1\n")
    make(tmp_path, "leftover-1.0.dist-info")
    make(tmp_path, "~ump-1.0.dist-info", "Name: ump\nVersion: 1.0\n")
    make(tmp_path, "nameless.dist-info", "Summary: nothing\n")
    make(tmp_path, "not a distribution", "Name: x\nVersion: 1\n")
    (tmp_path / "plain.py").touch()
    assert packages([str(tmp_path), "/missing"]) == {
        "develop-me": "3",
        "egg": "2.0",
        "old-name": "1.0",
        "scikit-learn": "1.5.0",
        "single": "1.1",
        "torch": "2.1.0+cu121",
    }


def test_the_first_folder_counts(tmp_path):
    make(tmp_path / "a", "x-1.dist-info", "")
    make(tmp_path / "b", "X-2.dist-info", "")
    make(tmp_path / "b", "y-2.dist-info", "")
    assert packages([str(tmp_path / "a"), str(tmp_path / "b")]) == {"x": "1", "y": "2"}


def test_imported_ones_are_known_by_what_they_provide():
    program = """if True:
        import dateutil, yaml, numpy, PIL
        from autolog_core.capture.packages import imported_packages, packages
        found = imported_packages()
        assert {"python-dateutil", "pyyaml", "numpy", "pillow"} <= found, found
        assert not {"hypothesis", "pytest", "sqlalchemy"} & found, found
        assert found <= packages().keys(), found
    """
    subprocess.run([sys.executable, "-c", program], check=True)


def test_namespaces_belong_to_all_that_provide_them(tmp_path):
    for name in ("one", "two"):
        make(
            tmp_path,
            f"google_{name}-1.dist-info",
            "",
            RECORD=f"google/{name}/__init__.py,,\ngoogle_{name}-1.dist-info/METADATA,,\n",
        )
        (tmp_path / "google" / name).mkdir(parents=True)
    make(tmp_path, "other-1.dist-info", "", RECORD="thing.py,,\n../../bin/thing,,\n")
    namespace = type(sys)("google")
    namespace.__path__ = [str(tmp_path / "google")]
    assert imported_packages({"google": namespace}, [str(tmp_path)]) == {"google-one", "google-two"}


def test_odd_modules_do_no_harm():
    class Trap:
        def __getattr__(self, name):
            raise AssertionError(name)

    assert imported_packages({"trap": Trap(), "none": None, "number": 3}) == set()


def test_requirements_can_be_read_and_begin_with_what_is_imported():
    versions = {"a": "1", "b": "2+cu1", "c": "3"}
    text = requirements(versions, {"c", "missing"})
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines == ["c==3", "a==1", "b==2+cu1"]
    assert [Requirement(line).name for line in lines] == ["c", "a", "b"]
    assert requirements(versions) == "a==1\nb==2+cu1\nc==3\n"


def test_names_are_compared_as_indexes_do():
    for name in ("Scikit_Learn", "zope.interface", "A--B__c..d", "x"):
        assert normalize(name) == canonicalize_name(name)
