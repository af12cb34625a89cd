"""The law of integrations, as a contract of import-linter.

A room is any subpackage of the facade that has a ``spec`` or a ``flavor`` module (other than the
machinery that all rooms use), so a new library comes under the law with its first file and nothing
needs to be listed.
"""

from __future__ import annotations

from collections.abc import Set

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class RoomsContract(Contract):
    """A room imports its own modules, what ``may_import`` names, and nothing else of ours.

    Options:
        root: The package whose subpackages may be rooms.
        marks: The modules by any of which a room is known.
        may_import: Packages of ours that every room may use.
    """

    root = fields.StringField()
    marks = fields.SetField(subfield=fields.StringField())
    may_import = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        ours = {name.split(".")[0] for name in graph.modules if not graph.is_module_squashed(name)}
        broken = [
            (importer, imported)
            for room in sorted(rooms(graph, self.root, self.marks) - set(self.may_import))
            for importer in sorted({room, *graph.find_descendants(room)})
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if imported.split(".")[0] in ours
            and not any(within(imported, allowed) for allowed in (room, *self.may_import))
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported in check.metadata["broken"]:
            output.print_error(f"{importer} is not allowed to import {imported}", bold=False)
        allowed = ", ".join(sorted(self.may_import))
        output.print(f"\nOf our own modules a room may use itself and {allowed}.")


def rooms(graph: ImportGraph, root: str, marks: Set[str]) -> set[str]:
    """Returns the subpackages of ``root`` that hold a module of one of these names."""
    return {
        child
        for child in graph.find_children(root)
        if any(f"{child}.{mark}" in graph.modules for mark in marks)
    }


def within(module: str, package: str) -> bool:
    """Returns whether ``module`` is ``package`` or inside it."""
    return module == package or module.startswith(f"{package}.")
