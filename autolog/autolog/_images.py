"""Images: from arrays, to files, and how MLflow's charts expect them named."""

from __future__ import annotations

import io
import re
import warnings
from typing import TYPE_CHECKING, Any

from autolog_core.errors import InvalidArgument, MissingExtra

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image as PilImage

THUMBNAIL_SIDE = 256
_KEY = re.compile(r"[a-zA-Z0-9_\-./ ]+")
_FORMATS = {
    "": "PNG",
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}


def pillow() -> Any:
    """Returns the module ``PIL.Image``.

    Raises:
        MissingExtra: Pillow is not installed.
    """
    try:
        import PIL.Image
    except ImportError as error:
        raise MissingExtra("images need Pillow: pip install 'autolog-ml[images]'") from error
    return PIL.Image


def is_image(value: Any) -> bool:
    """Whether `value` is an image of Pillow or an `autolog.Image`."""
    return all(callable(getattr(value, name, None)) for name in ("save", "resize")) and hasattr(
        value, "size"
    )


def to_pil(image: Any) -> PilImage:
    """Returns an image as Pillow's.

    Args:
        image: Pillow's, an `autolog.Image`, or an array of shape (height, width), or with 1, 3 or 4
            channels: bool, integers from 0 to 255, or floats from 0 to 1.

    Raises:
        InvalidArgument: It is none of these.
        MissingExtra: Pillow is not installed.
    """
    module = pillow()
    if isinstance(image, module.Image):
        return image
    convert = getattr(image, "to_pil", None)
    if callable(convert):
        return convert()
    if not hasattr(image, "__array__"):
        raise InvalidArgument(
            "image must be an array, an image of Pillow or an autolog.Image, got "
            f"{type(image).__name__}"
        )
    import numpy as np

    return module.fromarray(_pixels(np.asarray(image)))


def _pixels(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import numpy as np

    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise InvalidArgument(
            "an image array has the shape (height, width) or (height, width, channels) with 1, 3 "
            f"or 4 channels, got {array.shape}"
        )
    if array.dtype.kind not in "biuf":
        raise InvalidArgument(f"an image array holds bool, integers or floats, got {array.dtype}")
    if array.size == 0:
        raise InvalidArgument(f"an image array must hold pixels, got the shape {array.shape}")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.dtype.kind in "iu":
        low, high = int(array.min()), int(array.max())
        if low < 0 or high > 255:
            raise InvalidArgument(
                f"pixels of integer type must be from 0 to 255, got {low} to {high}"
            )
        return array.astype(np.uint8)
    if array.dtype.kind == "f":
        array = _unit_range(array)
    return (array * 255).astype(np.uint8)


def _unit_range(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    low, high = float(array.min()), float(array.max())
    if not (low == low and high == high and abs(low) != float("inf") != abs(high)):
        raise InvalidArgument("pixels must be finite numbers, got NaN or infinity")
    if low >= 0 and high <= 1:
        return array
    warnings.warn(
        f"pixels of float type run from {low} to {high} and are rescaled to 0 to 1",
        stacklevel=2,
    )
    return (array - low) / ((high - low) or 1.0)


def encode(image: PilImage, ending: str) -> bytes:
    """Returns an image as the bytes of a file.

    Args:
        image: The image.
        ending: Such as ".png"; "" means PNG.

    Raises:
        InvalidArgument: The ending is none of a format, or the format cannot hold the image.
    """
    name = _FORMATS.get(ending)
    if name is None:
        raise InvalidArgument(
            f"an image cannot be saved as {ending!r}; use one of {', '.join(sorted(_FORMATS)[1:])}"
        )
    buffer = io.BytesIO()
    try:
        image.save(buffer, format=name)
    except OSError as error:
        raise InvalidArgument(
            f"an image of mode {image.mode} cannot be saved as {name}: {error}; use .png"
        ) from error
    return buffer.getvalue()


def thumbnail(image: PilImage) -> PilImage:
    """Returns the image scaled so that its longer side has 256 pixels."""
    width, height = image.size
    scale = THUMBNAIL_SIDE / max(width, height)
    small = image.resize((max(1, int(width * scale)), max(1, int(height * scale))))
    # WebP holds no other modes.
    return small if small.mode in ("RGB", "RGBA") else small.convert("RGBA")


def series_paths(key: str, step: int, timestamp: int, unique: str) -> tuple[str, str]:
    """Returns the paths of an image of a series and of its thumbnail.

    MLflow's image charts read key, step and time from these names.

    Raises:
        InvalidArgument: `key` holds other characters than letters, digits, ``_ - . / space``.
    """
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise InvalidArgument(
            f"key {key!r} of an image: use letters, digits, underscores, dashes, periods, spaces "
            "and slashes only"
        )
    stem = f"images/{key.replace('/', '~')}+step+{step}+timestamp+{timestamp}+{unique}"
    return f"{stem}.png", f"{stem}+compressed.webp"
