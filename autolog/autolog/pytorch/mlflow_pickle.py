"""What MLflow loads a model of ours with: it asks for a pickle module and gives it one file.

MLflow calls `torch.load` with the file ``model.pth`` of a model and the module that is named beside
it. That file is a hint and no more; the model is loaded from the folder that it lies in.
"""

from __future__ import annotations

from pathlib import Path
from pickle import load as load
from pickle import loads as loads
from typing import Any, BinaryIO


class Unpickler:
    """Reads the model in place of the file that it is given.

    Args:
        file: The open file ``model.pth`` of a model directory.
        options: What `pickle.Unpickler` takes.
    """

    def __init__(self, file: BinaryIO, **options: Any) -> None:
        self._file, self._options = file, options

    def find_class(self, module: str, name: str) -> Any:
        """Never asked: nothing of the file is unpickled as an object."""
        raise AttributeError(f"{module}.{name}")

    def load(self) -> Any:
        """Returns the module, with its weights."""
        from autolog._torch.loading import load_folder

        load(self._file, **self._options)
        return load_folder(Path(self._file.name).parent)
