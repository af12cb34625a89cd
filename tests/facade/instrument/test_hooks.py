"""Our code loads when the library does, and never breaks its import."""

import importlib
import sys

import pytest

from autolog.instrument import control, hooks
from autolog.instrument.wrapper import Wrapper


def patched(module):
    return type(module.Model.__dict__["fit"]) is Wrapper


def test_before_and_after_the_import(toy):
    toy.on()
    assert "toyroom" in sys.modules
    assert "toylib" not in sys.modules
    assert control.status()["toy"].state == "waiting"
    assert patched(toy.lib())
    status = control.status()["toy"]
    assert (status.state, status.version, status.patches) == ("on", "1.0", 1)
    toy.off()
    assert not patched(toy.lib())
    assert control.status()["toy"].state == "off"
    toy.on()
    assert patched(toy.lib())


def test_off_before_the_import(toy):
    toy.on()
    toy.off()
    assert not patched(toy.lib())


def test_an_error_of_ours_does_not_fail_the_import(toy, swallowed):
    toy.on()
    toy.flags.broken = "install"
    assert toy.lib().Model().fit([1])
    assert swallowed.phases() == ["the import"]


def test_a_library_that_fails_to_import_can_be_imported_again(toy):
    (toy.folder / "toylib.py").rename(toy.folder / "aside.py")
    (toy.folder / "toylib.py").write_text("raise ImportError('half installed')")
    toy.on()
    with pytest.raises(ImportError, match="half installed"):
        toy.lib()
    (toy.folder / "toylib.py").unlink()
    (toy.folder / "aside.py").rename(toy.folder / "toylib.py")
    importlib.invalidate_caches()
    assert patched(toy.lib())


def test_switching_on_while_the_library_is_being_imported(toy):
    path = toy.folder / "toylib.py"
    first, second = path.read_text().split("class Child")
    path.write_text(
        "from autolog.instrument import control\n"
        "control.configure('toy', control.OWN)\n" + first + "class Child" + second
    )
    module = toy.lib()
    assert hooks.waiting() == {"toylib"}
    assert control.status()["toy"].state == "on"
    assert patched(module)
    assert hooks.waiting() == frozenset()
