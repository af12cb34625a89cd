"""Runs and metric histories as CSV, JSON, JSON lines and Parquet."""
