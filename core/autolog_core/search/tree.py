"""A parsed filter: frozen nodes whose text form parses back to the same nodes.

Logic is three-valued. A comparison of a key that is missing is neither true nor false, and NOT of
it is neither as well; only what is true matches. So a missing key matches neither ``tags.a = 'x'``
nor ``tags.a != 'x'`` nor ``NOT tags.a = 'x'``: absence is found by ``IS NULL`` alone, which is
always true or false.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from autolog_core.search.lexer import quote

Kind: TypeAlias = Literal["attribute", "metric", "param", "tag", "dataset"]
Function: TypeAlias = Literal["min", "max"]
Scalar: TypeAlias = str | int | float
Value: TypeAlias = Scalar | tuple[Scalar, ...] | None

ORDERINGS = frozenset(("<", "<=", ">", ">="))
EQUALITIES = frozenset(("=", "!="))
PATTERNS = frozenset(("LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE"))
LISTS = frozenset(("IN", "NOT IN"))
ABSENCES = frozenset(("IS NULL", "IS NOT NULL"))
NANS = frozenset(("IS NAN", "IS NOT NAN"))
NEGATIVE = {"!=": "=", "NOT LIKE": "LIKE", "NOT ILIKE": "ILIKE", "NOT IN": "IN"}
"""Operators that say no to another one, element by element where there are several."""

_PREFIXES = {"metric": "metrics", "param": "params", "tag": "tags", "dataset": "datasets"}
_PLAIN_KEY = re.compile(r"[\w.:/\-]+")


@dataclass(frozen=True, slots=True)
class Field:
    """What is compared.

    Attributes:
        key: The metric's, param's or tag's key, or the attribute's plain name.
        function: For a metric, its smallest or largest value instead of the latest.
    """

    kind: Kind
    key: str
    function: Function | None = None

    def __str__(self) -> str:
        if self.kind == "attribute":
            return self.key
        key = self.key if _PLAIN_KEY.fullmatch(self.key) else quote(self.key, "`")
        path = f"{_PREFIXES[self.kind]}.{key}"
        return f"{self.function}({path})" if self.function else path


@dataclass(frozen=True, slots=True)
class Comparison:
    """A condition on one field. Of a field with several values, such as a dataset's name, one
    value that fits is enough."""

    field: Field
    operator: str
    value: Value = None

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.field} {self.operator}"
        if isinstance(self.value, tuple):
            items = ", ".join(_literal(item) for item in self.value)
            return f"{self.field} {self.operator} ({items})"
        return f"{self.field} {self.operator} {_literal(self.value)}"


@dataclass(frozen=True, slots=True)
class And:
    """All parts, two or more, are true."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " AND ".join(_wrapped(part, (And, Or)) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    """One of two or more parts is true."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " OR ".join(_wrapped(part, (Or,)) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    """The part is false."""

    part: Node

    def __str__(self) -> str:
        return "NOT " + _wrapped(self.part, (And, Or))


Node: TypeAlias = Comparison | And | Or | Not


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """One ordering: real values first, NaN next, missing last, whichever way it goes."""

    field: Field
    ascending: bool = True

    def __str__(self) -> str:
        return f"{self.field} {'ASC' if self.ascending else 'DESC'}"


def conjuncts(node: Node | None) -> tuple[Node, ...]:
    """Returns the conditions of which all must be true."""
    if node is None:
        return ()
    if isinstance(node, And):
        return tuple(leaf for part in node.parts for leaf in conjuncts(part))
    return (node,)


def _wrapped(node: Node, kinds: tuple[type, ...]) -> str:
    return f"({node})" if isinstance(node, kinds) else str(node)


def _literal(value: Scalar) -> str:
    return quote(value, "'") if isinstance(value, str) else repr(value)
