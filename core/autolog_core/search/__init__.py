"""The filter language: parser, tree, evaluator. There is no SQL here."""

from autolog_core.search.evaluator import matches, sort_experiments, sort_runs
from autolog_core.search.fields import EXPERIMENTS, RUNS, Scope
from autolog_core.search.parser import parse_filter, parse_order_by
from autolog_core.search.tree import And, Comparison, Field, Node, Not, Or, OrderTerm

__all__ = [
    "EXPERIMENTS",
    "RUNS",
    "And",
    "Comparison",
    "Field",
    "Node",
    "Not",
    "Or",
    "OrderTerm",
    "Scope",
    "matches",
    "parse_filter",
    "parse_order_by",
    "sort_experiments",
    "sort_runs",
]
