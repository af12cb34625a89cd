"""The filter language: parser, tree, evaluator. There is no SQL here."""

from autolog_core.search.evaluator import matches, sort_experiments, sort_runs
from autolog_core.search.fields import EXPERIMENTS, MODELS, RUNS, Scope
from autolog_core.search.models import (
    DatasetFilter,
    ModelOrder,
    matches_model,
    parse_datasets,
    parse_model_order,
    sort_models,
)
from autolog_core.search.parser import parse_filter, parse_order_by
from autolog_core.search.tree import And, Comparison, Field, Node, Not, Or, OrderTerm

__all__ = [
    "EXPERIMENTS",
    "MODELS",
    "RUNS",
    "And",
    "Comparison",
    "DatasetFilter",
    "Field",
    "ModelOrder",
    "Node",
    "Not",
    "Or",
    "OrderTerm",
    "Scope",
    "matches",
    "matches_model",
    "parse_datasets",
    "parse_filter",
    "parse_model_order",
    "parse_order_by",
    "sort_experiments",
    "sort_models",
    "sort_runs",
]
