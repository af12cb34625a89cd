"""Artifacts: writing, listing, downloading, loading."""

import io
import json
from datetime import date
from pathlib import Path

import pytest
import yaml

import autolog
from autolog import artifacts
from autolog.exceptions import InvalidArgument, MissingExtra, NotFound, NotSupported

pytestmark = pytest.mark.usefixtures("tracking")


@pytest.fixture
def run(tracking):
    # A run made by a client: nothing is captured around it, so it has no artifacts of its own.
    made = autolog.MlflowClient().create_run("0")
    with autolog.start_run(made.info.run_id) as active:
        yield active


def content(run, path: str) -> bytes:
    return Path(
        artifacts.download_artifacts(run_id=run.info.run_id, artifact_path=path)
    ).read_bytes()


def paths(run, folder: str | None = None) -> list[str]:
    return [file.path for file in autolog.MlflowClient().list_artifacts(run.info.run_id, folder)]


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "tree"
    (root / "sub").mkdir(parents=True)
    (root / "a.txt").write_text("a")
    (root / "sub" / "b.bin").write_bytes(b"\0\xff")
    return root


def test_file(run, tree):
    autolog.log_artifact(tree / "a.txt")
    autolog.log_artifact(str(tree / "sub" / "b.bin"), "deep/er")
    assert content(run, "a.txt") == b"a"
    assert content(run, "deep/er/b.bin") == b"\0\xff"


def test_folder_keeps_its_name_or_gives_what_it_holds(run, tree):
    autolog.log_artifact(tree)
    autolog.log_artifact(f"{tree}/", "in")
    autolog.log_artifacts(tree)
    autolog.log_artifacts(str(tree), "flat")
    for prefix in ("tree/", "in/tree/", "", "flat/"):
        assert content(run, f"{prefix}a.txt") == b"a"
        assert content(run, f"{prefix}sub/b.bin") == b"\0\xff"


def test_missing_files_and_paths_outside_are_refused(run, tree):
    for call in (
        lambda: autolog.log_artifact(tree / "absent"),
        lambda: autolog.log_artifacts(tree / "absent"),
    ):
        with pytest.raises(NotFound, match="absent"):
            call()
    for call in (
        lambda: autolog.log_artifact(tree / "a.txt", "../up"),
        lambda: autolog.log_artifacts(tree, "/root"),
        lambda: autolog.log_artifacts(tree / "a.txt"),
        lambda: autolog.log_text("x", "a/../../b.txt"),
        lambda: autolog.log_text("x", ""),
        lambda: autolog.get_artifact_uri("../x"),
        lambda: autolog.MlflowClient().list_artifacts(run.info.run_id, "../.."),
    ):
        with pytest.raises(InvalidArgument):
            call()
    assert paths(run) == []


def test_text(run):
    autolog.log_text("grün\n", "notes/a.txt")
    assert content(run, "notes/a.txt") == "grün\n".encode()
    autolog.log_text("second", "notes/a.txt")
    assert content(run, "notes/a.txt") == b"second"
    for bad in (b"bytes", None, 5):
        with pytest.raises(InvalidArgument, match="text"):
            autolog.log_text(bad, "b.txt")


def test_dict_as_json_and_yaml(run):
    value = {"a": [1, {"b": None}], "when": date(2024, 2, 29)}
    for name in ("d.json", "d", "d.txt"):
        autolog.log_dict(value, name)
        assert json.loads(content(run, name)) == {"a": [1, {"b": None}], "when": "2024-02-29"}
    for name in ("d.yml", "d.YAML"):
        autolog.log_dict(value, name)
        assert yaml.safe_load(content(run, name)) == value
    autolog.log_dict([1, 2], "list.json")
    assert json.loads(content(run, "list.json")) == [1, 2]


def test_stream(run):
    autolog.log_stream(io.BytesIO(b"x" * 3_000_000), "big.bin")
    assert content(run, "big.bin") == b"x" * 3_000_000
    with pytest.raises(InvalidArgument, match="stream"):
        autolog.log_stream(b"bytes", "b.bin")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("name", "start"),
    [("f.png", b"\x89PNG"), ("f.svg", b"<?xml"), ("f.pdf", b"%PDF"), ("f", b"\x89PNG")],
)
def test_matplotlib_figure(run, name, start):
    figure_module = pytest.importorskip("matplotlib.figure")
    figure = figure_module.Figure()
    figure.subplots().plot([0, 1], [2, 3])
    autolog.log_figure(figure, name, save_kwargs={"dpi": 40})
    assert content(run, name).startswith(start)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_figure_of_no_kind(run):
    figure_module = pytest.importorskip("matplotlib.figure")
    for figure, name in ((figure_module.Figure(), "f.docx"), ("figure", "f.png"), (None, "f.png")):
        with pytest.raises(InvalidArgument):
            autolog.log_figure(figure, name)
    assert paths(run) == []


def test_plotly_figure(run):
    objects = pytest.importorskip("plotly.graph_objects")
    figure = objects.Figure(objects.Scatter(x=[0, 1], y=[2, 3]))
    autolog.log_figure(figure, "f.html", save_kwargs={"auto_open": False})
    assert b"plotly" in content(run, "f.html")
    with pytest.raises(InvalidArgument, match=r"\.html"):
        autolog.log_figure(figure, "f.docx")


def test_plotly_image_names_what_is_missing(run):
    objects = pytest.importorskip("plotly.graph_objects")
    try:
        import kaleido  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtra, match="kaleido"):
            autolog.log_figure(objects.Figure(), "f.png")
    else:
        pytest.skip("kaleido is installed")


def test_list_says_what_is_a_folder_and_how_large(run):
    autolog.log_text("12345", "a.txt")
    autolog.log_text("x", "d/e/b.txt")
    found = {file.path: file for file in autolog.MlflowClient().list_artifacts(run.info.run_id)}
    assert set(found) == {"a.txt", "d"}
    assert (found["a.txt"].is_dir, found["a.txt"].file_size) == (False, 5)
    assert (found["d"].is_dir, found["d"].file_size) == (True, None)
    assert paths(run, "d") == ["d/e"]
    assert paths(run, "d/e") == ["d/e/b.txt"]
    assert paths(run, "absent") == paths(run, "a.txt") == []


def test_same_artifacts_by_run_by_runs_address_and_by_plain_address(run):
    autolog.log_text("x", "d/a.txt")
    run_id = run.info.run_id
    uri = autolog.get_artifact_uri()
    assert (
        autolog.get_artifact_uri("d/a.txt")
        == f"{uri}/d/a.txt"
        == f"{run.info.artifact_uri}/d/a.txt"
    )
    for listed in (
        artifacts.list_artifacts(run_id=run_id, artifact_path="d"),
        artifacts.list_artifacts(f"runs:/{run_id}/d"),
    ):
        assert [file.path for file in listed] == ["d/a.txt"]
    for local in (
        artifacts.download_artifacts(run_id=run_id, artifact_path="d/a.txt"),
        artifacts.download_artifacts(f"runs:/{run_id}/d/a.txt"),
        artifacts.download_artifacts(f"{uri}/d/a.txt"),
        autolog.MlflowClient().download_artifacts(run_id, "d/a.txt"),
    ):
        assert Path(local).read_text() == "x"


def test_download_to_a_folder(run, tmp_path):
    autolog.log_text("x", "d/a.txt")
    there = tmp_path / "new" / "folder"
    local = autolog.MlflowClient().download_artifacts(run.info.run_id, "d", there)
    assert Path(local) == there / "d"
    assert (there / "d" / "a.txt").read_text() == "x"
    with pytest.raises(NotFound):
        autolog.MlflowClient().download_artifacts(run.info.run_id, "absent")


def test_load(run):
    autolog.log_dict({"a": 1}, "d.json")
    autolog.log_stream(io.BytesIO(b"\xff\xfe"), "b.bin")
    uri = autolog.get_artifact_uri()
    assert artifacts.load_dict(f"{uri}/d.json") == {"a": 1}
    assert json.loads(artifacts.load_text(f"runs:/{run.info.run_id}/d.json")) == {"a": 1}
    with pytest.raises(InvalidArgument, match="UTF-8"):
        artifacts.load_text(f"{uri}/b.bin")
    with pytest.raises(NotFound):
        artifacts.load_text(f"{uri}/absent.txt")
    autolog.log_text("{", "broken.json")
    with pytest.raises(InvalidArgument, match="JSON"):
        artifacts.load_dict(f"{uri}/broken.json")


def test_place_is_given_once(run):
    for arguments in (
        {},
        {"artifact_uri": "runs:/x", "run_id": "x"},
        {"artifact_uri": "runs:/x", "artifact_path": "a"},
    ):
        with pytest.raises(InvalidArgument):
            artifacts.download_artifacts(**arguments)
        with pytest.raises(InvalidArgument):
            artifacts.list_artifacts(**arguments)
    with pytest.raises(NotSupported, match="models"):
        artifacts.download_artifacts("models:/m/1")


def test_artifacts_of_another_run(run):
    other = autolog.MlflowClient().create_run("0")
    autolog.log_text("x", "a.txt", run_id=other.info.run_id)
    autolog.log_dict({}, "b.json", run_id=other.info.run_id)
    assert paths(other) == ["a.txt", "b.json"]
    assert paths(run) == []
