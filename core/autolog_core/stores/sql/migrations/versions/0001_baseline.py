"""The tables of the first release."""

import sqlalchemy as sa
from alembic import op

from autolog_core.stores.sql.long_types import LongBlob, LongText

revision = "0001"
down_revision = None

long_text = LongText()
blob = LongBlob()
serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "datasets",
        sa.Column("dataset_id", serial, autoincrement=True, nullable=False),
        sa.Column("experiment_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("digest", sa.String(length=36), nullable=False),
        sa.Column("source_type", sa.String(length=36), nullable=False),
        sa.Column("source", long_text, nullable=False),
        sa.Column("schema", long_text, nullable=True),
        sa.Column("profile", long_text, nullable=True),
        sa.PrimaryKeyConstraint("dataset_id", name=op.f("pk_datasets")),
        sa.UniqueConstraint("experiment_id", "name", "digest", name="uq_datasets_reference"),
    )
    op.create_table(
        "experiment_tags",
        sa.Column("experiment_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("value", long_text, nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "key", name=op.f("pk_experiment_tags")),
    )
    op.create_table(
        "experiments",
        sa.Column("experiment_id", serial, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("artifact_location", sa.String(length=2048), nullable=False),
        sa.Column("lifecycle_stage", sa.String(length=16), nullable=False),
        sa.Column("creation_time", sa.BigInteger(), nullable=False),
        sa.Column("last_update_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", name=op.f("pk_experiments")),
        sa.UniqueConstraint("name", name=op.f("uq_experiments_name")),
    )
    op.create_table(
        "inputs",
        sa.Column("run_id", sa.String(length=256), nullable=False),
        sa.Column("dataset_id", sa.BigInteger(), nullable=False),
        sa.Column("context", sa.String(length=250), nullable=False),
        sa.Column("tags", long_text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "dataset_id", "context", name=op.f("pk_inputs")),
    )
    op.create_index("ix_inputs_dataset", "inputs", ["dataset_id"], unique=False)
    op.create_table(
        "journal_writers",
        sa.Column("writer_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("last_time", sa.BigInteger(), nullable=False),
        sa.Column("host", sa.String(length=256), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("writer_id", name=op.f("pk_journal_writers")),
    )
    op.create_table(
        "latest_metrics",
        sa.Column("run_id", sa.String(length=256), nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("experiment_id", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("special", sa.SmallInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("minimum", sa.Double(), nullable=True),
        sa.Column("minimum_step", sa.BigInteger(), nullable=True),
        sa.Column("maximum", sa.Double(), nullable=True),
        sa.Column("maximum_step", sa.BigInteger(), nullable=True),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "key", name=op.f("pk_latest_metrics")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_latest_metrics_value",
        "latest_metrics",
        ["experiment_id", "key", "value", "special", "run_id"],
        unique=False,
    )
    op.create_table(
        "logged_models",
        sa.Column("model_id", sa.String(length=36), nullable=False),
        sa.Column("experiment_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("artifact_location", sa.String(length=2500), nullable=False),
        sa.Column("creation_timestamp", sa.BigInteger(), nullable=False),
        sa.Column("last_updated_timestamp", sa.BigInteger(), nullable=False),
        sa.Column("model_type", sa.String(length=500), nullable=True),
        sa.Column("source_run_id", sa.String(length=256), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("status_message", long_text, nullable=True),
        sa.Column("lifecycle_stage", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_logged_models")),
    )
    op.create_index(
        "ix_logged_models_experiment_creation",
        "logged_models",
        ["experiment_id", "creation_timestamp", "model_id"],
        unique=False,
    )
    op.create_index(
        "ix_logged_models_name", "logged_models", ["experiment_id", "name"], unique=False
    )
    op.create_index("ix_logged_models_run", "logged_models", ["source_run_id"], unique=False)
    op.create_index("ix_logged_models_owner", "logged_models", ["owner"], unique=False)
    op.create_table(
        "logged_model_params",
        sa.Column("model_id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("experiment_id", sa.BigInteger(), nullable=False),
        sa.Column("value", long_text, nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("model_id", "key", name=op.f("pk_logged_model_params")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_logged_model_params_lookup",
        "logged_model_params",
        ["experiment_id", "key", "head", "model_id"],
        unique=False,
    )
    op.create_table(
        "logged_model_tags",
        sa.Column("model_id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("experiment_id", sa.BigInteger(), nullable=False),
        sa.Column("value", long_text, nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("model_id", "key", name=op.f("pk_logged_model_tags")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_logged_model_tags_lookup",
        "logged_model_tags",
        ["experiment_id", "key", "head", "model_id"],
        unique=False,
    )
    op.create_table(
        "logged_model_metrics",
        sa.Column("model_id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("dataset", sa.String(length=32), nullable=False),
        sa.Column("experiment_id", sa.BigInteger(), nullable=False),
        sa.Column("dataset_name", sa.String(length=500), nullable=True),
        sa.Column("dataset_digest", sa.String(length=36), nullable=True),
        sa.Column("run_id", sa.String(length=256), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("special", sa.SmallInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("minimum", sa.Double(), nullable=True),
        sa.Column("maximum", sa.Double(), nullable=True),
        sa.Column("nans", sa.SmallInteger(), nullable=False),
        sa.Column("varied", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("model_id", "key", "dataset", name=op.f("pk_logged_model_metrics")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_logged_model_metrics_value",
        "logged_model_metrics",
        ["experiment_id", "key", "dataset", "value", "special", "varied", "model_id"],
        unique=False,
    )
    op.create_index(
        "ix_logged_model_metrics_varied",
        "logged_model_metrics",
        ["experiment_id", "key", "dataset", "varied", "model_id"],
        unique=False,
        sqlite_where=sa.text("varied = 1"),
        postgresql_where=sa.text("varied = 1"),
    )
    op.create_table(
        "model_inputs",
        sa.Column("run_id", sa.String(length=256), nullable=False),
        sa.Column("model_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "model_id", name=op.f("pk_model_inputs")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_model_inputs_model", "model_inputs", ["model_id"], unique=False)
    op.create_table(
        "model_outputs",
        sa.Column("run_id", sa.String(length=256), nullable=False),
        sa.Column("model_id", sa.String(length=36), nullable=False),
        sa.Column("step", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "model_id", "step", name=op.f("pk_model_outputs")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_model_outputs_model", "model_outputs", ["model_id"], unique=False)
    op.create_table(
        "metric_chunks",
        sa.Column("chunk_id", serial, autoincrement=True, nullable=False),
        sa.Column("run_id", sa.String(length=256), nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("model_id", sa.String(length=36), nullable=True),
        sa.Column("dataset_name", sa.String(length=500), nullable=True),
        sa.Column("dataset_digest", sa.String(length=36), nullable=True),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("first_step", sa.BigInteger(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("first_time", sa.BigInteger(), nullable=False),
        sa.Column("last_time", sa.BigInteger(), nullable=False),
        sa.Column("minimum", sa.Double(), nullable=True),
        sa.Column("maximum", sa.Double(), nullable=True),
        sa.Column("data", blob, nullable=False),
        sa.PrimaryKeyConstraint("chunk_id", name=op.f("pk_metric_chunks")),
    )
    op.create_index(
        "ix_metric_chunks_series", "metric_chunks", ["run_id", "key", "points"], unique=False
    )
    op.create_index(
        "ix_metric_chunks_model",
        "metric_chunks",
        ["model_id", "key"],
        unique=False,
        sqlite_where=sa.text("model_id IS NOT NULL"),
        postgresql_where=sa.text("model_id IS NOT NULL"),
    )
    op.create_table(
        "params",
        sa.Column("run_id", sa.String(length=256), nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("experiment_id", sa.BigInteger(), nullable=False),
        sa.Column("value", long_text, nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "key", name=op.f("pk_params")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_params_lookup", "params", ["experiment_id", "key", "head", "run_id"], unique=False
    )
    op.create_index(
        "ix_params_number",
        "params",
        ["experiment_id", "key", "number", "run_id"],
        unique=False,
        sqlite_where=sa.text("number IS NOT NULL"),
        postgresql_where=sa.text("number IS NOT NULL"),
    )
    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(length=256), nullable=False),
        sa.Column("experiment_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=8000), nullable=False),
        sa.Column("user_id", sa.String(length=256), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("start_time", sa.BigInteger(), nullable=False),
        sa.Column("end_time", sa.BigInteger(), nullable=True),
        sa.Column("artifact_uri", sa.String(length=2500), nullable=False),
        sa.Column("lifecycle_stage", sa.String(length=16), nullable=False),
        sa.Column("deleted_with_experiment", sa.SmallInteger(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_runs")),
    )
    op.create_index(
        "ix_runs_experiment_start", "runs", ["experiment_id", "start_time", "run_id"], unique=False
    )
    op.create_index("ix_runs_owner", "runs", ["owner"], unique=False)
    op.create_table(
        "tags",
        sa.Column("run_id", sa.String(length=256), nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("experiment_id", sa.BigInteger(), nullable=False),
        sa.Column("value", long_text, nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "key", name=op.f("pk_tags")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_tags_lookup", "tags", ["experiment_id", "key", "head", "run_id"], unique=False
    )
