"""What can be told of a lazy Spark frame without running a job.

The digest is made from the schema, the plan, and path and size of the files that the plan reads.
Spark's own `semanticHash` differs from process to process for plans that read files; it counts only
where the plan does not show the data: for frames made from data in memory, and over Spark Connect.
"""

from __future__ import annotations

import json
import re
from typing import Any

from autolog_core.data.columns import ANY, Column
from autolog_core.data.outline import PLAN, Outline

_WORDS = {
    "boolean": "boolean",
    **dict.fromkeys(("byte", "short", "integer"), "integer"),
    "long": "long",
    "float": "float",
    "double": "double",
    **dict.fromkeys(("string", "varchar", "char"), "string"),
    "binary": "binary",
    **dict.fromkeys(("date", "timestamp", "timestamp_ntz"), "datetime"),
}
_IN_MEMORY = frozenset(("LocalRelation", "LogicalRDD", "ExternalRDD"))
_FILE = re.compile(r"path=(.*?); isDirectory=\w+; length=(\d+)")
_ALL_FIELDS = 2**31 - 1


def outline_of_spark(frame: Any) -> Outline:
    """Returns the outline of a frame."""
    schema = frame.schema.jsonValue()
    fields = schema["fields"]
    profile: dict[str, Any] = {"num_columns": len(fields)}
    plan: str | None = None
    files: list[str] = []
    is_whole = False
    if getattr(frame, "_jdf", None) is not None:
        plan, files, is_whole = _plan(frame)
        profile |= {"num_files": len(files)} if files else {}
    shown = None if is_whole else frame.semanticHash()
    return Outline(
        PLAN,
        (json.dumps(schema, sort_keys=True), plan, shown, *files),
        "spark frame",
        profile,
        columns=tuple(map(_column, fields)),
    )


def _plan(frame: Any) -> tuple[str, list[str], bool]:
    """Returns the plan as text, the files that it reads, and whether that tells which data it is.

    Canonical, so that neither the session's numbering of columns nor their order in a condition
    count. Nothing is optimized, because that may list tables and run jobs.
    """
    plan = frame._jdf.queryExecution().analyzed().canonicalized()
    leaves = plan.collectLeaves()
    files: list[str] = []
    is_whole = True
    for place in range(leaves.size()):
        leaf = leaves.apply(place)
        name = _class_name(leaf)
        is_whole &= name not in _IN_MEMORY
        if name == "LogicalRelation" and _class_name(leaf.relation()) == "HadoopFsRelation":
            files += _files(leaf.relation().location())
    return _text(plan), sorted(files), is_whole


def _files(place: Any) -> list[str]:
    if _class_name(place) != "InMemoryFileIndex":
        # Others would ask a catalog or read a log to list their files; Delta's tells its version.
        told = str(place.toString())
        return [str(place.rootPaths().mkString("\n")), *([] if "@" in told else [told])]
    # One text for all files: each call into the JVM takes a tenth of a millisecond.
    listed = str(place.allFiles().mkString("\n"))
    return [f"{path} {size}" for path, size in _FILE.findall(listed)] or [listed]


def _class_name(of: Any) -> str:
    return str(of.getClass().getSimpleName())


def _text(plan: Any) -> str:
    for flags in ((False, False), (False,)):
        try:
            return str(plan.treeString(True, False, _ALL_FIELDS, *flags))
        except Exception:
            # The method is internal to Spark, and its arguments differ from version to version.
            continue
    return str(plan.toString())


def _column(field: dict[str, Any]) -> Column:
    spec = _spec(field["type"])
    nested = spec if len(spec) > 1 else None
    word = ANY if nested else spec["type"]
    return Column(field["name"], word, not field["nullable"], nested)


def _spec(kind: Any) -> dict[str, Any]:
    if isinstance(kind, str):
        return {"type": _WORDS.get(kind.partition("(")[0], ANY)}
    name = kind["type"]
    if name == "array":
        return {"type": "array", "items": _spec(kind["elementType"])}
    if name == "map" and kind["keyType"] == "string":
        return {"type": "map", "values": _spec(kind["valueType"])}
    if name == "struct" and kind["fields"]:
        properties = {
            field["name"]: _spec(field["type"]) | {"required": not field["nullable"]}
            for field in kind["fields"]
        }
        return {"type": "object", "properties": properties}
    return {"type": ANY}
