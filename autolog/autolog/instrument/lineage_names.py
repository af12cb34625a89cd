"""What the user's code calls a value: by its variables, or by the expression that made it."""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
from collections.abc import Iterable, Mapping
from types import CodeType, FrameType, ModuleType
from typing import Any

_OURS = "autolog."
_OPTIMIZED = inspect.CO_OPTIMIZED
_SNAPSHOTS = sys.version_info < (3, 13)
"""Whether asking a frame for its variables leaves a dictionary in it, which keeps them alive."""
_LONGEST = 32
_FORMS = frozenset(("A", "T", "array", "iloc", "loc", "values"))
"""Attributes that give the same data in another form."""
_METHODS = frozenset(("assign", "astype", "drop", "fillna", "filter", "head", "query")) | frozenset(
    ("reindex", "reshape", "sample", "select", "tail", "take", "with_columns")
)
"""Methods of data; those of anything else, such as a scaler, are given the data."""


def users_frame(above: int = 0) -> FrameType | None:
    """Returns the frame of the code that called us, beyond our own.

    Args:
        above: Frames above the caller's that are ours for certain.
    """
    frame: FrameType | None = sys._getframe(above + 1)
    while frame is not None and _is_ours(frame):
        frame = frame.f_back
    return frame


def variable_of(value: Any, frame: FrameType | None) -> str | None:
    """Returns the name of the variable that holds `value`, as the user's code calls it.

    An argument has the name that its caller gives it. Global variables of each function count, too.

    Args:
        value: Anything but None.
        frame: Where to begin; its callers follow.
    """
    argument = None
    seen: set[int] = set()
    while frame is not None:
        if not _is_ours(frame):
            name, passed = _in_frame(value, frame)
            if name is not None and not passed:
                return name
            if name is None and id(frame.f_globals) not in seen:
                seen.add(id(frame.f_globals))
                name = _held(value, frame.f_globals)
                if name is not None:
                    return name
            argument = argument or name
        frame = frame.f_back
    return argument


def _is_ours(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__")
    return isinstance(name, str) and name.startswith(_OURS)


def _in_frame(value: Any, frame: FrameType) -> tuple[str | None, bool]:
    """Returns the variable of a frame that holds `value`, and whether it is an argument."""
    code = frame.f_code
    if not code.co_flags & _OPTIMIZED:
        # The body of a class, or a module, whose variables are the global ones.
        own = frame.f_locals is not frame.f_globals
        return _held(value, frame.f_locals) if own else None, False
    known = frame.f_locals
    try:
        name = _held(value, known)
    finally:
        # Ours alone: the frame and this function hold it, and the call that counts.
        if _SNAPSHOTS and sys.getrefcount(known) <= 3:
            for each in (*code.co_varnames, *code.co_cellvars, *code.co_freevars):
                known.pop(each, None)
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return name, name in code.co_varnames[:count]


def _held(value: Any, variables: Any) -> str | None:
    hidden = None
    try:
        for name, held in variables.items():
            if held is value and name.isidentifier():
                if not name.startswith("_"):
                    return str(name)
                hidden = hidden or name
    except RuntimeError:
        # Another thread defines variables of the same module.
        return None
    return hidden


def argument_name(
    code: CodeType, place: int, argument: int, names: tuple[str, ...], frame: FrameType | None
) -> str | None:
    """Returns what the source calls an argument of a call, such as "X_test" of ``X_test[columns]``.

    Args:
        code: That makes the call.
        place: Of the call's instruction in it.
        argument: Which one it is, where it is passed without a name.
        names: Those that it may be passed by.
        frame: Code of the same program, which tells what names are modules.
    """
    call = _call_at(code, place)
    if call is None:
        return None
    given = call.args[argument] if len(call.args) > argument else None
    if given is None:
        given = next((each.value for each in call.keywords if each.arg in names), None)
    known = {} if frame is None else frame.f_globals
    return None if given is None else _name(given, known)


def _call_at(code: CodeType, place: int) -> ast.Call | None:
    positions = list(code.co_positions())
    if not 0 <= place // 2 < len(positions):
        return None
    first, last, begin, end = positions[place // 2]
    if first is None or last is None or begin is None or end is None:
        return None
    lines = [line.encode() for line in linecache.getlines(code.co_filename)[first - 1 : last]]
    if len(lines) != last - first + 1:
        return None
    # The end first: both may lie on one line.
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][begin:]
    try:
        found = ast.parse(b"(" + b"".join(lines) + b")", mode="eval").body
    except (SyntaxError, ValueError):
        # The file is another one by now.
        return None
    return found if isinstance(found, ast.Call) else None


def _name(node: ast.expr, known: Mapping[str, Any]) -> str | None:
    """Returns the name of the data that an expression is made of."""
    if isinstance(node, ast.Name):
        return None if isinstance(known.get(node.id), ModuleType) else node.id
    if isinstance(node, ast.Attribute):
        return _part(node.value, None if node.attr in _FORMS else node.attr, known)
    if isinstance(node, ast.Subscript):
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        part = key if isinstance(key, str) and key.isidentifier() else None
        return _part(node.value, part, known) or _name(node.slice, known)
    if isinstance(node, ast.Starred):
        return _name(node.value, known)
    if isinstance(node, ast.Call):
        given = (*node.args, *(each.value for each in node.keywords))
        owner = (node.func.value,) if isinstance(node.func, ast.Attribute) else ()
        if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
            return _first((*owner, *given), known)
        return _first((*given, *owner), known)
    if isinstance(node, ast.BinOp):
        return _first((node.left, node.right), known)
    if isinstance(node, ast.Tuple):
        return _first(node.elts, known)
    return None


def _first(nodes: Iterable[ast.expr], known: Mapping[str, Any]) -> str | None:
    names = (_name(each, known) for each in nodes)
    return next((name for name in names if name is not None), None)


def _part(whole: ast.expr, part: str | None, known: Mapping[str, Any]) -> str | None:
    name = _name(whole, known)
    if part is None or name is None:
        return name
    return part if name == "self" else f"{name}.{part}"


def spelled(value: Any, frame: FrameType | None) -> str:
    """Returns an argument as it is written in the record of a call."""
    if value is None or isinstance(value, (str, bytes, bool, int, float, complex)):
        text = repr(value)
        if isinstance(value, str) and len(value) > _LONGEST:
            text = repr(value[:_LONGEST] + "...")
        return text
    return variable_of(value, frame) or f"<{type(value).__name__}>"
