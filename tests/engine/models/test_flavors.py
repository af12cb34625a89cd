"""Files of a flavor are written with digests, and read only as they were written."""

import pytest

from autolog_core.errors import InvalidArgument, NotFound, NotSupported, PermissionDenied
from autolog_core.models.flavors import (
    DIGESTS,
    file_of,
    flavor_conf,
    read_file,
    trusted,
    write_files,
)
from autolog_core.models.manifest import Model


def test_a_file_is_read_as_it_was_written(tmp_path):
    digests = write_files(tmp_path, {"a.bin": b"one", "b.bin": bytearray(b"two")})
    conf = {"data": "a.bin", "more": "b.bin", DIGESTS: digests}
    assert read_file(tmp_path, conf, "data") == (tmp_path.resolve() / "a.bin", b"one", True)
    assert read_file(tmp_path, conf, "more").data == b"two"
    (tmp_path / "a.bin").write_bytes(b"onE")
    with pytest.raises(InvalidArgument, match=r"a\.bin is damaged .*not as it was written"):
        read_file(tmp_path, conf, "data")


@pytest.mark.parametrize("digests", [None, {}, {"other": "x"}, "text", ["a.bin"]])
def test_a_file_without_digest_is_not_known(digests, tmp_path):
    (tmp_path / "a.bin").write_bytes(b"one")
    found = read_file(tmp_path, {"data": "a.bin", DIGESTS: digests}, "data")
    assert (found.data, found.known) == (b"one", False)


def test_what_names_no_file_is_told(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(InvalidArgument, match=r"data of a model must name a file, and .* a folder"):
        file_of(tmp_path, {"data": "folder"}, "data")
    with pytest.raises(InvalidArgument, match="leads out of its directory"):
        file_of(tmp_path, {"data": "../a"}, "data")
    with pytest.raises(InvalidArgument, match="must name a file of its directory, got None"):
        file_of(tmp_path, {}, "data")
    with pytest.raises(NotFound):
        file_of(tmp_path, {"data": "absent"}, "data")


def test_a_model_of_another_library_is_told(tmp_path):
    model = Model(flavors={"sklearn": {"a": 1}})
    assert flavor_conf(tmp_path, model, "sklearn", "scikit-learn") == {"a": 1}
    with pytest.raises(NotSupported, match="no model of XGBoost; its flavors are sklearn"):
        flavor_conf(tmp_path, model, "xgboost", "XGBoost")
    with pytest.raises(NotSupported, match="its flavors are none"):
        flavor_conf(tmp_path, Model(), "xgboost", "XGBoost")


def test_code_is_importable_once_it_is_trusted(tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "module_of_a_flavor.py").write_text("VALUE = 3\n")
    conf = {"code": "code"}
    with (
        pytest.raises(PermissionDenied, match="it brings Python files in code/"),
        trusted(tmp_path, Model(), conf, [], False),
    ):
        raise AssertionError("nobody trusts it")
    with trusted(tmp_path, Model(), conf, [], True):
        import module_of_a_flavor
    assert module_of_a_flavor.VALUE == 3
    with trusted(tmp_path, Model(), {}, [], False):
        pass
    with (
        pytest.raises(PermissionDenied, match="it is a pickle"),
        trusted(tmp_path, Model(), {}, ["it is a pickle"], False),
    ):
        raise AssertionError("nobody trusts it")
