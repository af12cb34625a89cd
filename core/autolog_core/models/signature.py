"""The signature of a model: schemas of its input, output and params."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autolog_core.errors import InvalidArgument
from autolog_core.models.schema import ParamSchema, Schema


@dataclass(frozen=True)
class ModelSignature:
    """What a model takes and gives.

    Attributes:
        inputs: Schema of its input.
        outputs: Schema of its output.
        params: Parameters of prediction.
    """

    inputs: Schema | None = None
    outputs: Schema | None = None
    params: ParamSchema | None = None

    def __post_init__(self) -> None:
        for name, kind in (("inputs", Schema), ("outputs", Schema), ("params", ParamSchema)):
            value = getattr(self, name)
            if value is not None and not isinstance(value, kind):
                raise InvalidArgument(f"{name} must be a {kind.__name__}, got {value!r}")
        if self.inputs is None and self.outputs is None and self.params is None:
            raise InvalidArgument("a signature needs inputs, outputs or params")

    def __repr__(self) -> str:
        return (
            f"inputs: \n  {self.inputs!r}\noutputs: \n  {self.outputs!r}\n"
            f"params: \n  {self.params!r}\n"
        )

    def to_dict(self) -> dict[str, str | None]:
        """Returns the three parts, each as JSON text or None, as a manifest holds them."""
        return {
            "inputs": None if self.inputs is None else self.inputs.to_json(),
            "outputs": None if self.outputs is None else self.outputs.to_json(),
            "params": None if self.params is None else self.params.to_json(),
        }

    @classmethod
    def from_dict(cls, signature_dict: Mapping[str, Any]) -> ModelSignature:
        """Reads a signature from the parts that a manifest holds.

        Raises:
            InvalidArgument: A part cannot be read, or all are missing.
        """
        inputs, outputs, params = (
            signature_dict.get(key) for key in ("inputs", "outputs", "params")
        )
        return cls(
            Schema.from_json(inputs) if inputs else None,
            Schema.from_json(outputs) if outputs else None,
            ParamSchema.from_json(params) if params else None,
        )
