"""The law of integrations, as a contract of import-linter.

A room is any subpackage of the facade that has a ``spec`` module (other than the machinery that all
rooms use), so a new library comes under the law with its first file and nothing needs to be listed.
"""

from __future__ import annotations

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class RoomsContract(Contract):
    """A room imports its own modules, what ``may_import`` names, and nothing else of ours.

    Options:
        root: The package whose subpackages may be rooms.
        mark: The module by which a room is known.
        may_import: Packages of ours that every room may use.
    """

    root = fields.StringField()
    mark = fields.StringField()
    may_import = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        ours = {name.split(".")[0] for name in graph.modules if not graph.is_module_squashed(name)}
        broken = [
            (importer, imported)
            for room in sorted(rooms(graph, self.root, self.mark) - set(self.may_import))
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


def rooms(graph: ImportGraph, root: str, mark: str) -> set[str]:
    """Returns the subpackages of ``root`` that hold a module called ``mark``."""
    return {child for child in graph.find_children(root) if f"{child}.{mark}" in graph.modules}


def within(module: str, package: str) -> bool:
    """Returns whether ``module`` is ``package`` or inside it."""
    return module == package or module.startswith(f"{package}.")
