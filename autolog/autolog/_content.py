"""Python objects as the bytes of a file."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from typing import Any

from autolog_core.errors import InvalidArgument, MissingExtra

_PLOTLY_IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".svg", ".pdf")


def extension(artifact_file: str) -> str:
    """Returns the file's ending in lower case, with its dot, or ""."""
    return os.path.splitext(artifact_file)[1].lower()


def dict_bytes(value: Any, artifact_file: str) -> bytes:
    """Returns `value` as YAML if the file ends in .yml or .yaml, else as JSON.

    What JSON does not know becomes text.
    """
    if extension(artifact_file) in (".yml", ".yaml"):
        import yaml

        return yaml.dump(value, indent=2, default_flow_style=False).encode()
    return json.dumps(value, indent=2, default=str).encode()


def figure_bytes(
    figure: Any, artifact_file: str, save_kwargs: Mapping[str, Any] | None = None
) -> bytes:
    """Returns a figure of matplotlib or plotly as the file that its ending names.

    Args:
        figure: Anything with matplotlib's ``savefig`` or plotly's ``to_html`` and ``to_image``.
        artifact_file: Its ending chooses the format.
        save_kwargs: Arguments of the method that saves the figure.

    Raises:
        InvalidArgument: It is no figure, or the ending is none of a format.
        MissingExtra: Plotly needs kaleido for images.
    """
    kind = extension(artifact_file)
    options = dict(save_kwargs or {})
    if callable(getattr(figure, "savefig", None)):
        return _matplotlib_bytes(figure, kind, options)
    if not callable(getattr(figure, "to_html", None)) or not hasattr(figure, "to_image"):
        raise InvalidArgument(
            f"figure must be a figure of matplotlib or plotly, got {type(figure).__name__}"
        )
    if kind == ".html":
        options.setdefault("include_plotlyjs", "cdn")
        # Only write_html() opens a browser, and MLflow scripts pass the option to say not to.
        options.pop("auto_open", None)
        return str(figure.to_html(**options)).encode()
    if kind not in _PLOTLY_IMAGES:
        raise InvalidArgument(
            f"artifact_file {artifact_file!r}: a plotly figure is saved as .html, "
            f"{', '.join(_PLOTLY_IMAGES)}"
        )
    options.setdefault("format", kind[1:])
    try:
        return bytes(figure.to_image(**options))
    except (ImportError, RuntimeError, ValueError) as error:
        if "kaleido" in str(error).lower():
            raise MissingExtra(
                "saving a plotly figure as an image needs kaleido: pip install kaleido, or log it "
                "as .html"
            ) from error
        raise


def _matplotlib_bytes(figure: Any, kind: str, options: dict[str, Any]) -> bytes:
    options.setdefault("format", kind[1:] or "png")
    buffer = io.BytesIO()
    try:
        figure.savefig(buffer, **options)
    except ValueError as error:
        if "format" in str(error).lower():
            raise InvalidArgument(f"artifact_file ends in {kind!r}: {error}") from error
        raise
    return buffer.getvalue()
