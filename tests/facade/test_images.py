"""Images: alone, in series, and how they are named."""

import re

import numpy as np
import pytest

import autolog
from autolog import artifacts
from autolog.exceptions import InvalidArgument

PilImage = pytest.importorskip("PIL.Image")
pytestmark = pytest.mark.usefixtures("tracking")

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.fixture
def run(tracking):
    # A run made by a client: nothing is captured around it, so it has no artifacts of its own.
    made = autolog.MlflowClient().create_run("0")
    with autolog.start_run(made.info.run_id) as active:
        yield active


def names(run, folder="images"):
    found = autolog.MlflowClient().list_artifacts(run.info.run_id, folder)
    return sorted(file.path for file in found)


@pytest.mark.parametrize(
    ("array", "mode", "pixel"),
    [
        (np.full((4, 6), 7, np.uint8), "L", 7),
        (np.full((4, 6, 1), 9, np.int64), "L", 9),
        (np.full((4, 6, 3), 1.0), "RGB", (255, 255, 255)),
        (np.full((4, 6, 4), 0.5, np.float32), "RGBA", (127, 127, 127, 127)),
        (np.full((4, 6), True), "L", 255),
    ],
)
def test_arrays(run, array, mode, pixel):
    autolog.log_image(array, "i.png")
    image = artifacts.load_image(f"runs:/{run.info.run_id}/i.png")
    assert (image.mode, image.size, image.getpixel((0, 0))) == (mode, (6, 4), pixel)


def test_floats_out_of_range_are_rescaled_with_a_warning(run):
    with pytest.warns(UserWarning, match="rescaled"):
        autolog.log_image(np.array([[0.0, 2.0]]), "i.png")
    image = artifacts.load_image(f"runs:/{run.info.run_id}/i.png")
    assert [image.getpixel((x, 0)) for x in (0, 1)] == [0, 255]


@pytest.mark.parametrize(
    "bad",
    [
        np.full((2, 2), 256),
        np.full((2, 2), -1),
        np.zeros((2, 2, 2)),
        np.zeros(4),
        np.zeros((0, 3)),
        np.array([[float("nan")]]),
        np.array([[float("inf")]]),
        np.array([["a"]]),
        np.zeros((2, 2), complex),
        "i.png",
        None,
    ],
)
def test_what_is_no_image_is_refused(run, bad):
    for arguments in ({"artifact_file": "i.png"}, {"key": "k"}):
        with pytest.raises(InvalidArgument, match=r"image|pixels"):
            autolog.log_image(bad, **arguments)
    assert names(run, None) == []


def test_series_is_named_as_mlflows_charts_read_it(run):
    image = PilImage.new("RGB", (600, 300), (255, 0, 0))
    autolog.log_image(image, key="dogs/of war", step=3, timestamp=99, synchronous=True)
    full, small = names(run)[1], names(run)[0]
    stem = rf"images/dogs~of war\+step\+3\+timestamp\+99\+{UUID}"
    if small.endswith(".png"):
        full, small = small, full
    assert re.fullmatch(stem + r"\.png", full)
    assert small == full.removesuffix(".png") + "+compressed.webp"
    assert run.data.tags["mlflow.loggedImages"] == "True"
    load = artifacts.load_image
    assert load(f"{run.info.artifact_uri}/{full}").size == (600, 300)
    assert load(f"{run.info.artifact_uri}/{small}").size == (256, 128)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "LA"])
def test_series_takes_images_of_any_mode_png_knows(run, mode):
    image = PilImage.new(mode, (5, 9))
    if mode == "CMYK":
        with pytest.raises(InvalidArgument, match="CMYK"):
            autolog.log_image(image, key="k", synchronous=True)
    else:
        autolog.log_image(image, key="k", synchronous=True)
        assert len(names(run)) == 2


def test_background_series_is_there_when_read(run):
    array = np.zeros((20, 20, 3), np.uint8)
    for step in range(5):
        array[:] = step
        handle = autolog.log_image(array, key="k", step=step)
    handle.wait()
    found = [name for name in names(run) if name.endswith(".png")]
    assert len(found) == 5
    for name in found:
        step = int(re.search(r"step\+(\d+)", name)[1])
        image = artifacts.load_image(f"{run.info.artifact_uri}/{name}")
        assert image.getpixel((0, 0)) == (step, step, step)
    autolog.flush_artifact_async_logging()


def test_arguments_go_together(run):
    image = PilImage.new("L", (2, 2))
    for arguments in (
        {},
        {"artifact_file": "a.png", "key": "k"},
        {"artifact_file": "a.png", "step": 1},
        {"artifact_file": "a.png", "timestamp": 1},
        {"key": "a?b"},
        {"key": ""},
        {"key": "k", "step": 1.5},
        {"key": "k", "timestamp": -1},
        {"artifact_file": "a.docx"},
        {"artifact_file": "../a.png"},
    ):
        with pytest.raises(InvalidArgument):
            autolog.log_image(image, **arguments)
    assert names(run, None) == []


@pytest.mark.parametrize(
    "name", ["i.png", "i.JPG", "i.jpeg", "i.webp", "i.gif", "i.bmp", "i.tiff", "i"]
)
def test_formats(run, name):
    autolog.log_image(PilImage.new("RGB", (3, 2)), name)
    assert artifacts.load_image(f"runs:/{run.info.run_id}/{name}").size == (3, 2)
    with pytest.raises(InvalidArgument, match=r"use \.png"):
        autolog.log_image(PilImage.new("RGBA", (3, 2)), "i.jpg")


def test_load_image_refuses_what_is_none(run):
    autolog.log_text("x", "a.png")
    with pytest.raises(InvalidArgument, match="no image"):
        artifacts.load_image(f"runs:/{run.info.run_id}/a.png")


def test_image_object(run, tmp_path):
    pixels = [[0, 50], [100, 255]]
    image = autolog.Image(pixels)
    assert image.size == (2, 2)
    assert image.to_list() == [0, 50, 100, 255]
    assert image.to_array().tolist() == pixels
    assert image.to_pil().mode == "L"
    assert image.resize((4, 3)).size == (4, 3)
    path = str(tmp_path / "i.png")
    image.save(path)
    assert autolog.Image(path).to_array().tolist() == pixels
    assert autolog.Image(autolog.Image(pixels)).to_array().tolist() == pixels
    assert autolog.Image(np.zeros((1, 1, 3), np.uint8)).to_list() == [(0, 0, 0)]
    autolog.log_image(image, "i.png")
    assert artifacts.load_image(f"runs:/{run.info.run_id}/i.png").size == (2, 2)
    with pytest.raises(InvalidArgument):
        autolog.Image(5)


def test_client_image(run):
    client = autolog.MlflowClient()
    client.log_image(run.info.run_id, PilImage.new("L", (2, 2)), "a.png")
    client.log_image(run.info.run_id, PilImage.new("L", (2, 2)), key="k", synchronous=False).wait()
    assert names(run, None) == ["a.png", "images"]
    assert artifacts.load_image(f"runs:/{run.info.run_id}/a.png").size == (2, 2)
