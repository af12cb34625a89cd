"""The engine of autolog: it records, stores and searches runs, and knows no ML framework."""

__version__ = "0.1.0"
