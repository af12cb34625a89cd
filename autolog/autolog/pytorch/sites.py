"""What is written at the places of the program that are running.

Names come from the program's text, not from its variables: in Python 3.11 and 3.12 looking at the
variables of a running function keeps what they hold alive, and shows in a ``locals()`` that the
program keeps. A place is read once, so a training step pays for a look into a dictionary.
"""

from __future__ import annotations

import ast
import dis
import linecache
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from types import CodeType, FrameType

_DEPTH = 40
"""Frames that are walked through at most."""
_NEAR = 5
"""Frames that tell what data are for."""
_MANY = 4096
"""Places that are remembered at most."""
_OTHERS = frozenset(
    (
        "_pytest",
        "accelerate",
        "autolog",
        "autolog_core",
        "contextlib",
        "functools",
        "ignite",
        "lightning",
        "lightning_fabric",
        "pluggy",
        "pytorch_lightning",
        "rich",
        "torch",
        "tqdm",
        "wrapt",
    )
)
"""Top-level packages whose frames are not the program's."""
_LOSS = re.compile(r"loss|err|cost|nll|elbo|objective|energy", re.IGNORECASE)
_TEST = re.compile(r"test", re.IGNORECASE)
_VALIDATION = re.compile(r"val|dev|train", re.IGNORECASE)

_foreign: dict[str, bool] = {}


def frames() -> Iterator[FrameType]:
    """Yields the running frames of the program, innermost first."""
    frame: FrameType | None = sys._getframe(1)
    for _ in range(_DEPTH):
        if frame is None:
            return
        if not _is_foreign(frame):
            yield frame
        frame = frame.f_back


def in_step() -> bool:
    """Whether an optimizer of PyTorch is running, as where it evaluates a closure."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if str(frame.f_globals.get("__name__", "")).startswith("torch.optim."):
            return True
        frame = frame.f_back
    return False


def _is_foreign(frame: FrameType) -> bool:
    file = frame.f_code.co_filename
    foreign = _foreign.get(file)
    if foreign is None:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        foreign = package in _OTHERS
        if not file.startswith("<"):
            _foreign[file] = foreign
    return foreign


@dataclass(frozen=True, slots=True)
class Site:
    """A place of the program.

    Attributes:
        code: The code it lies in; held, so that its id is not used again.
        loss: What ``backward`` is called on or with, where that is the call: "loss_D" of
            ``(loss_D / 2).backward()``. None where it has no name, or is a sum.
        divides: Whether that is a number of times what the name holds.
        target: The variable or attribute that takes the result.
        words: Names and attributes in the expression.
    """

    code: CodeType
    loss: str | None = None
    divides: bool = False
    target: str | None = None
    words: frozenset[str] = frozenset()


class Sites:
    """The places of the program; each is read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Site] = {}

    def here(self) -> Site | None:
        """Returns the innermost place of the program that is running."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            code = frame.f_code
            # Asked at each loss and each backward pass.
            if not _foreign.get(code.co_filename) and not _is_foreign(frame):
                found = self._known.get((id(code), frame.f_lasti))
                return found if found is not None and found.code is code else self._of(frame)
            frame = frame.f_back
        return None

    def outward(self) -> Iterator[Site]:
        """Yields the places that are running, innermost first."""
        for frame in frames():
            yield self._of(frame)

    def role(self) -> str:
        """Returns what data are for that are used here: "test" or "val"."""
        for site in islice(self.outward(), _NEAR):
            test = any(map(_TEST.search, site.words))
            if test != any(map(_VALIDATION.search, site.words)):
                return "test" if test else "val"
        return "val"

    def _of(self, frame: FrameType) -> Site:
        code = frame.f_code
        key = (id(code), frame.f_lasti)
        found = self._known.get(key)
        if found is None or found.code is not code:
            if len(self._known) >= _MANY:
                self._known.clear()
            found = self._known[key] = _read(frame)
        return found


def _read(frame: FrameType) -> Site:
    code = frame.f_code
    target = _target(code, frame.f_lasti)
    node = _expression(frame)
    if node is None:
        return Site(code, target=target)
    words = [each.id for each in ast.walk(node) if isinstance(each, ast.Name)]
    # A file that was changed since shows another text than the one that runs.
    if not {*words} <= {*code.co_names, *code.co_varnames, *code.co_freevars, *code.co_cellvars}:
        return Site(code, target=target)
    words += [each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)]
    differentiated = _differentiated(node)
    return Site(
        code,
        None if differentiated is None else _name(differentiated),
        isinstance(differentiated, ast.BinOp),
        target,
        frozenset(words),
    )


def _expression(frame: FrameType) -> ast.expr | None:
    """Returns what is evaluated in a frame: a call, or what a loop runs over."""
    code = frame.f_code
    where = next(islice(code.co_positions(), frame.f_lasti // 2, None), None)
    if where is None or None in where:
        return None
    first, last, start, end = where
    assert first is not None
    assert last is not None
    lines = linecache.getlines(code.co_filename, frame.f_globals)[first - 1 : last]
    if len(lines) != last - first + 1:
        return None
    raw = [line.encode() for line in lines]
    raw[-1] = raw[-1][:end]
    raw[0] = raw[0][start:]
    text = b"".join(raw).decode(errors="replace")
    try:
        return ast.parse(f"({text}\n)", mode="eval").body
    except (SyntaxError, ValueError):
        pass
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return None
    return body[0].iter if body and isinstance(body[0], (ast.For, ast.AsyncFor)) else None


def _target(code: CodeType, at: int) -> str | None:
    """Returns the name that the result of the call at `at` is assigned to."""
    following = (each for each in dis.get_instructions(code) if each.offset > at)
    for each in following:
        if each.opname in ("CACHE", "COPY_FREE_VARS", "NOP"):
            continue
        if not each.opname.startswith("STORE_") or "SUBSCR" in each.opname:
            # An attribute is stored in the object that is loaded before.
            if each.opname.startswith("LOAD_FAST") and each.argval == "self":
                continue
            return None
        name = each.argval[0] if isinstance(each.argval, tuple) else each.argval
        return name if isinstance(name, str) else None
    return None


def _differentiated(node: ast.expr) -> ast.expr | None:
    """Returns what gradients are computed of in a call such as ``loss.backward()``."""
    if not isinstance(node, ast.Call):
        return None
    function = node.func
    if isinstance(function, ast.Attribute) and function.attr == "backward":
        own = _name(function.value)
        if not node.args or (own is not None and _LOSS.search(own)):
            return function.value
    given = node.args[0] if node.args else None
    if isinstance(given, (ast.List, ast.Tuple)) and given.elts:
        return given.elts[0]
    return given


def _name(node: ast.expr) -> str | None:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=held, slice=ast.Constant(value=key)):
            return key if isinstance(key, str) else _name(held)
        case ast.Subscript(value=held):
            return _name(held)
        case ast.BinOp(left=left, op=ast.Div()):
            return _name(left)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            names = [_name(left), _name(right)]
            likely = [name for name in names if name is not None and _LOSS.search(name)]
            return likely[0] if likely else None
        case ast.Call(func=ast.Attribute(value=held), args=[]):
            return _name(held)
        case ast.Call(args=[only]):
            return _name(only)
    return None
