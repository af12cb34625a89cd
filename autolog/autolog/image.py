"""`Image`: an image to log alone or in a table."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from autolog._images import pillow, to_pil

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image as PilImage


class Image:
    """An image, held as Pillow's.

    Args:
        image: An array or nested list of pixels (see `autolog.log_image`), an image of Pillow, or
            the path of an image file.

    Attributes:
        image: Pillow's image.
        size: (width, height) in pixels.

    Raises:
        InvalidArgument: It is none of these.
        MissingExtra: Pillow is not installed.
    """

    def __init__(self, image: np.ndarray[Any, Any] | PilImage | str | list[Any]) -> None:
        if isinstance(image, (str, os.PathLike)):
            with pillow().open(image) as opened:
                opened.load()
                self.image: PilImage = opened.copy()
        elif isinstance(image, list):
            import numpy as np

            self.image = to_pil(np.array(image))
        else:
            self.image = to_pil(image)
        self.size: tuple[int, int] = self.image.size

    def to_list(self) -> list[Any]:
        """Returns the pixels row by row: numbers, or tuples of channels."""
        pixels = self.to_array()
        flat = pixels.reshape(-1, *pixels.shape[2:]).tolist()
        return [tuple(pixel) if isinstance(pixel, list) else pixel for pixel in flat]

    def to_array(self) -> np.ndarray[Any, Any]:
        """Returns the pixels as an array of shape (height, width) or (height, width, channels)."""
        import numpy as np

        return np.array(self.image)

    def to_pil(self) -> PilImage:
        """Returns Pillow's image."""
        return self.image

    def save(self, path: str) -> None:
        """Saves the image to a file, in the format of its ending."""
        self.image.save(path)

    def resize(self, size: tuple[int, int]) -> Image:
        """Returns a copy of (width, height) pixels."""
        return Image(self.image.resize(size))
