"""No path leads outside, whatever it is made of."""

import os
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autolog_core.artifacts.local import LocalRepository
from autolog_core.artifacts.paths import check_path, is_inside, is_reserved
from autolog_core.errors import AutologError, InvalidArgument

PIECES = st.sampled_from(
    ["..", ".", "/", "\\", "%", "%2e", "%2E%2e", "%2f", "%5c", "%25", "%00", "\0", "a", "b", "C:",
     "~", "file:", "//", " ", "#", "?", "%c0%ae", "．．", "\u2024\u2024", "\n", ".autolog-"]
)  # fmt: skip
PATHS = st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=30)


@given(PATHS)
def test_an_accepted_path_stays_inside_even_if_decoded(path):
    try:
        plain = check_path(path)
    except InvalidArgument:
        return
    decoded = plain
    for _ in range(6):
        assert "\0" not in decoded
        assert not decoded.startswith("/")
        assert is_inside(os.path.normpath(os.path.join("/root", decoded)), "/root")
        decoded = unquote(decoded)
    assert check_path(plain) == plain


@settings(max_examples=60)
@given(PATHS)
def test_writing_touches_nothing_outside(tmp_path_factory, path):
    top = tmp_path_factory.mktemp("top")
    (top / "root").mkdir()
    (top / "beside").write_bytes(b"mine")
    repository = LocalRepository(top / "root")
    try:
        repository.write_bytes(path, b"theirs")
    except AutologError:
        assert os.listdir(top / "root") == []
    else:
        assert repository.read_bytes(path) == b"theirs"
        repository.delete(check_path(path).partition("/")[0])
        assert repository.list() == []
    assert sorted(os.listdir(top)) == ["beside", "root"]
    assert (top / "beside").read_bytes() == b"mine"


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="/\\\0#?:"), min_size=1, max_size=40)
)
def test_ordinary_names_are_taken_as_they_are(name):
    if name in (".", "..") or is_reserved(name) or "%" in name or len(name.encode()) > 255:
        return
    assert check_path(f"folder/{name}") == f"folder/{name}"
    if not unquote(name).strip("."):
        return
    assert check_path(quote(name, safe="")) == quote(name, safe="") or "%5C" in quote(name)


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        (None, ""),
        ("", ""),
        (".", ""),
        ("./a//b/", "a/b"),
        ("a/./b", "a/b"),
        ("100%", "100%"),
        ("a%20b", "a%20b"),
        ("50%25", "50%25"),
    ],
)
def test_paths_are_normalised(path, plain):
    assert check_path(path) == plain
