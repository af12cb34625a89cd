"""The tables. Column types and lengths are such that SQLite, PostgreSQL and MySQL all take them.

Floats that no database agrees on are split: `special` is 0 for a finite value, 1 for NaN, 2 for
+inf, 3 for -inf; the float column then holds 0.0 for NaN and the largest float of that sign for an
infinity, so that comparisons and orderings work in plain SQL.

Tables that are read run by run are clustered by their key: MySQL does so by itself, SQLite WITHOUT
ROWID, which saves it one of two B-trees.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)

from autolog_core.stores.sql.long_types import LongBlob, LongText

MAX_FLOAT = 1.7976931348623157e308

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)

HEAD = 64
"""How many characters of a value the `head` columns keep for their index."""

_long_text = LongText()
_blob = LongBlob()
# SQLite only numbers rows by itself for a primary key of exactly INTEGER.
_serial = BigInteger().with_variant(Integer(), "sqlite")

experiments = Table(
    "experiments",
    metadata,
    Column("experiment_id", _serial, primary_key=True, autoincrement=True),
    Column("name", String(500), nullable=False, unique=True),
    Column("artifact_location", String(2048), nullable=False),
    Column("lifecycle_stage", String(16), nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
)

experiment_tags = Table(
    "experiment_tags",
    metadata,
    Column("experiment_id", BigInteger, primary_key=True),
    Column("key", String(250), primary_key=True),
    Column("value", _long_text, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", String(256), primary_key=True),
    Column("experiment_id", BigInteger, nullable=False),
    Column("name", String(8000), nullable=False),
    Column("user_id", String(256)),
    Column("status", String(16), nullable=False),
    Column("start_time", BigInteger, nullable=False),
    Column("end_time", BigInteger),
    Column("artifact_uri", String(2500), nullable=False),
    Column("lifecycle_stage", String(16), nullable=False),
    Column("deleted_with_experiment", SmallInteger, nullable=False, default=0),
    Column("owner", String(64), doc="writer that ends the run FAILED when it dies"),
)
Index("ix_runs_experiment_start", runs.c.experiment_id, runs.c.start_time, runs.c.run_id)
Index("ix_runs_owner", runs.c.owner)

params = Table(
    "params",
    metadata,
    Column("run_id", String(256), primary_key=True),
    Column("key", String(250), primary_key=True),
    Column("experiment_id", BigInteger, nullable=False),
    Column("value", _long_text, nullable=False),
    Column("head", String(HEAD), nullable=False),
    Column("number", Double, doc="the value as a finite number, where it is one"),
    sqlite_with_rowid=False,
)
# run_id last: a search reads the runs of a value without touching the rows.
Index("ix_params_lookup", params.c.experiment_id, params.c.key, params.c.head, params.c.run_id)
Index(
    "ix_params_number",
    params.c.experiment_id,
    params.c.key,
    params.c.number,
    params.c.run_id,
    sqlite_where=params.c.number.is_not(None),
    postgresql_where=params.c.number.is_not(None),
)

tags = Table(
    "tags",
    metadata,
    Column("run_id", String(256), primary_key=True),
    Column("key", String(250), primary_key=True),
    Column("experiment_id", BigInteger, nullable=False),
    Column("value", _long_text, nullable=False),
    Column("head", String(HEAD), nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_tags_lookup", tags.c.experiment_id, tags.c.key, tags.c.head, tags.c.run_id)

latest_metrics = Table(
    "latest_metrics",
    metadata,
    Column("run_id", String(256), primary_key=True),
    Column("key", String(250), primary_key=True),
    Column("experiment_id", BigInteger, nullable=False),
    Column("value", Double, nullable=False),
    Column("special", SmallInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("minimum", Double, doc="NULL while every point is NaN; infinities as largest floats"),
    Column("minimum_step", BigInteger),
    Column("maximum", Double),
    Column("maximum_step", BigInteger),
    Column("points", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
# special first: NaN (1) sorts apart from the numbers (0, 2, 3) with `special = 1`.
Index(
    "ix_latest_metrics_value",
    latest_metrics.c.experiment_id,
    latest_metrics.c.key,
    latest_metrics.c.value,
    latest_metrics.c.special,
    latest_metrics.c.run_id,
)

metric_chunks = Table(
    "metric_chunks",
    metadata,
    Column("chunk_id", _serial, primary_key=True, autoincrement=True),
    Column("run_id", String(256), nullable=False),
    Column("key", String(250), nullable=False),
    Column("model_id", String(36)),
    Column("dataset_name", String(500)),
    Column("dataset_digest", String(36)),
    Column("points", Integer, nullable=False),
    Column("first_step", BigInteger, nullable=False, doc="smallest"),
    Column("last_step", BigInteger, nullable=False, doc="largest"),
    Column("first_time", BigInteger, nullable=False, doc="smallest"),
    Column("last_time", BigInteger, nullable=False, doc="largest"),
    Column("minimum", Double, doc="NULL where every point is NaN; infinities as largest floats"),
    Column("maximum", Double),
    Column("data", _blob, nullable=False),
)
# points last: an append looks for the few chunks of a series that are not full.
Index(
    "ix_metric_chunks_series", metric_chunks.c.run_id, metric_chunks.c.key, metric_chunks.c.points
)

Index(
    "ix_metric_chunks_model",
    metric_chunks.c.model_id,
    metric_chunks.c.key,
    sqlite_where=metric_chunks.c.model_id.is_not(None),
    postgresql_where=metric_chunks.c.model_id.is_not(None),
)

datasets = Table(
    "datasets",
    metadata,
    Column("dataset_id", _serial, primary_key=True, autoincrement=True),
    Column("experiment_id", BigInteger, nullable=False),
    Column("name", String(500), nullable=False),
    Column("digest", String(36), nullable=False),
    Column("source_type", String(36), nullable=False),
    Column("source", _long_text, nullable=False),
    Column("schema", _long_text),
    Column("profile", _long_text),
    UniqueConstraint("experiment_id", "name", "digest", name="uq_datasets_reference"),
)

inputs = Table(
    "inputs",
    metadata,
    Column("run_id", String(256), primary_key=True),
    Column("dataset_id", BigInteger, primary_key=True),
    Column("context", String(250), primary_key=True, doc="'' where none was given"),
    Column("tags", _long_text, nullable=False, doc="JSON list of [key, value]"),
)
Index("ix_inputs_dataset", inputs.c.dataset_id)

logged_models = Table(
    "logged_models",
    metadata,
    Column("model_id", String(36), primary_key=True),
    Column("experiment_id", BigInteger, nullable=False),
    Column("name", String(500), nullable=False),
    Column("artifact_location", String(2500), nullable=False),
    Column("creation_timestamp", BigInteger, nullable=False),
    Column("last_updated_timestamp", BigInteger, nullable=False),
    Column("model_type", String(500)),
    Column("source_run_id", String(256)),
    Column("status", String(16), nullable=False),
    Column("status_message", _long_text),
    Column("lifecycle_stage", String(16), nullable=False),
    Column("owner", String(64), doc="writer that saves the model, or prunes it"),
)
Index(
    "ix_logged_models_experiment_creation",
    logged_models.c.experiment_id,
    logged_models.c.creation_timestamp,
    logged_models.c.model_id,
)
Index("ix_logged_models_name", logged_models.c.experiment_id, logged_models.c.name)
Index("ix_logged_models_run", logged_models.c.source_run_id)
Index("ix_logged_models_owner", logged_models.c.owner)

logged_model_params = Table(
    "logged_model_params",
    metadata,
    Column("model_id", String(36), primary_key=True),
    Column("key", String(250), primary_key=True),
    Column("experiment_id", BigInteger, nullable=False),
    Column("value", _long_text, nullable=False),
    Column("head", String(HEAD), nullable=False),
    Column("number", Double, doc="the value as a finite number, where it is one"),
    sqlite_with_rowid=False,
)
Index(
    "ix_logged_model_params_lookup",
    logged_model_params.c.experiment_id,
    logged_model_params.c.key,
    logged_model_params.c.head,
    logged_model_params.c.model_id,
)

logged_model_tags = Table(
    "logged_model_tags",
    metadata,
    Column("model_id", String(36), primary_key=True),
    Column("key", String(250), primary_key=True),
    Column("experiment_id", BigInteger, nullable=False),
    Column("value", _long_text, nullable=False),
    Column("head", String(HEAD), nullable=False),
    sqlite_with_rowid=False,
)
Index(
    "ix_logged_model_tags_lookup",
    logged_model_tags.c.experiment_id,
    logged_model_tags.c.key,
    logged_model_tags.c.head,
    logged_model_tags.c.model_id,
)

logged_model_metrics = Table(
    "logged_model_metrics",
    metadata,
    Column("model_id", String(36), primary_key=True),
    Column("key", String(250), primary_key=True),
    Column("dataset", String(32), primary_key=True, doc="hash of name and digest, '' for none"),
    Column("experiment_id", BigInteger, nullable=False),
    Column("dataset_name", String(500)),
    Column("dataset_digest", String(36)),
    Column("run_id", String(256), nullable=False),
    Column("value", Double, nullable=False),
    Column("special", SmallInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("minimum", Double, doc="NULL while every point is NaN; infinities as largest floats"),
    Column("maximum", Double),
    Column("nans", SmallInteger, nullable=False, doc="1 if some point is NaN"),
    Column("varied", SmallInteger, nullable=False, doc="1 if the points differ in value"),
    sqlite_with_rowid=False,
)
# Where points do not differ, the value tells all; the few others have an index of their own.
Index(
    "ix_logged_model_metrics_value",
    logged_model_metrics.c.experiment_id,
    logged_model_metrics.c.key,
    logged_model_metrics.c.dataset,
    logged_model_metrics.c.value,
    logged_model_metrics.c.special,
    logged_model_metrics.c.varied,
    logged_model_metrics.c.model_id,
)
Index(
    "ix_logged_model_metrics_varied",
    logged_model_metrics.c.experiment_id,
    logged_model_metrics.c.key,
    logged_model_metrics.c.dataset,
    logged_model_metrics.c.varied,
    logged_model_metrics.c.model_id,
    sqlite_where=logged_model_metrics.c.varied == 1,
    postgresql_where=logged_model_metrics.c.varied == 1,
)

model_inputs = Table(
    "model_inputs",
    metadata,
    Column("run_id", String(256), primary_key=True),
    Column("model_id", String(36), primary_key=True),
    sqlite_with_rowid=False,
)
Index("ix_model_inputs_model", model_inputs.c.model_id)

model_outputs = Table(
    "model_outputs",
    metadata,
    Column("run_id", String(256), primary_key=True),
    Column("model_id", String(36), primary_key=True),
    Column("step", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
Index("ix_model_outputs_model", model_outputs.c.model_id)

journal_writers = Table(
    "journal_writers",
    metadata,
    Column("writer_id", String(64), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("last_time", BigInteger, nullable=False),
    Column("host", String(256), nullable=False),
    Column("pid", BigInteger, nullable=False),
)
