"""Models of any library, and models written in Python, that all predict the same way.

``load_model(path).predict(data)`` works for every flavor: the data is brought into the form that
the model's signature says, or refused with everything that is wrong with it.

A model of your own is a subclass of `PythonModel` (or a function), saved with the files it needs:
``save_model(path, python_model=MyModel(), artifacts={"weights": "weights.bin"})``. What no object
can hold is loaded by a module of your own: ``save_model(path, loader_module="my_loader",
data_path=..., code_paths=["my_loader.py"])``, where the module has a function
``_load_pyfunc(data_path)``.
"""

from __future__ import annotations

from autolog.pyfunc.loading import PyFuncModel, load_model
from autolog.pyfunc.python_model import PythonModel, PythonModelContext
from autolog.pyfunc.saving import log_model, save_model, snapshot

__all__ = [
    "PyFuncModel",
    "PythonModel",
    "PythonModelContext",
    "load_model",
    "log_model",
    "save_model",
    "snapshot",
]
