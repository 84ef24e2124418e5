"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recipe",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("first_used_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_recipe"),
    )
    op.create_table(
        "user",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("first_seen", sa.DateTime(), nullable=False),
        sa.Column("last_seen", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_user"),
    )
    op.create_table(
        "sample",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("material", sa.String(), nullable=False),
        sa.Column("batch", sa.String(), nullable=False),
        sa.Column("synthesis_date", sa.Date(), nullable=True),
        sa.Column("operator", sa.String(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("current_analysis_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["user.name"], name="fk_sample_created_by_user"),
        sa.ForeignKeyConstraint(
            ["current_analysis_id"], ["analysis.id"], name="fk_sample_current_analysis_id_analysis", use_alter=True
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sample"),
        sa.UniqueConstraint("name", name="uq_sample_name"),
    )
    op.create_table(
        "analysis",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("recipe_fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("view", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["user.name"], name="fk_analysis_created_by_user"),
        sa.ForeignKeyConstraint(
            ["recipe_fingerprint"], ["recipe.fingerprint"], name="fk_analysis_recipe_fingerprint_recipe"
        ),
        sa.ForeignKeyConstraint(["sample_id"], ["sample.id"], name="fk_analysis_sample_id_sample"),
        sa.PrimaryKeyConstraint("id", name="pk_analysis"),
    )
    op.create_index("ix_analysis_sample_id", "analysis", ["sample_id"], unique=False)
    op.create_table(
        "edit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("who", sa.String(length=200), nullable=False),
        sa.Column("what", sa.String(length=60), nullable=False),
        sa.Column("target", sa.String(length=20), nullable=False),
        sa.Column("target_id", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=True),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["sample_id"], ["sample.id"], name="fk_edit_sample_id_sample"),
        sa.ForeignKeyConstraint(["who"], ["user.name"], name="fk_edit_who_user"),
        sa.PrimaryKeyConstraint("id", name="pk_edit"),
    )
    op.create_index("ix_edit_sample_id", "edit", ["sample_id"], unique=False)
    op.create_table(
        "micrograph",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("dtype", sa.String(), nullable=False),
        sa.Column("file_pixel_size_nm", sa.Double(), nullable=True),
        sa.Column("file_pixel_size_source", sa.String(), nullable=False),
        sa.Column("user_pixel_size_nm", sa.Double(), nullable=True),
        sa.Column("user_pixel_size_by", sa.String(length=200), nullable=True),
        sa.Column("microscope", sa.JSON(), nullable=False),
        sa.Column("left_out_reason", sa.String(), nullable=True),
        sa.Column("thumbnail_sha256", sa.String(length=64), nullable=False),
        sa.Column("display_sha256", sa.String(length=64), nullable=False),
        sa.Column("added_by", sa.String(length=200), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["added_by"], ["user.name"], name="fk_micrograph_added_by_user"),
        sa.ForeignKeyConstraint(["sample_id"], ["sample.id"], name="fk_micrograph_sample_id_sample"),
        sa.ForeignKeyConstraint(["user_pixel_size_by"], ["user.name"], name="fk_micrograph_user_pixel_size_by_user"),
        sa.PrimaryKeyConstraint("id", name="pk_micrograph"),
        sa.UniqueConstraint("sha256", name="uq_micrograph_sha256"),
    )
    op.create_index("ix_micrograph_sample_id", "micrograph", ["sample_id"], unique=False)
    op.create_table(
        "image_result",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("micrograph_id", sa.Integer(), nullable=False),
        sa.Column("recipe_fingerprint", sa.String(length=64), nullable=False),
        sa.Column("image_sha256", sa.String(length=64), nullable=False),
        sa.Column("pixel_size_nm", sa.Double(), nullable=False),
        sa.Column("pixel_size_source", sa.String(), nullable=False),
        sa.Column("model", sa.JSON(), nullable=False),
        sa.Column("algorithm_version", sa.String(), nullable=False),
        sa.Column("n_measured", sa.Integer(), nullable=False),
        sa.Column("n_dropped", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("overlay_sha256", sa.String(length=64), nullable=False),
        sa.Column("segmentation_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["micrograph_id"], ["micrograph.id"], name="fk_image_result_micrograph_id_micrograph"),
        sa.ForeignKeyConstraint(
            ["recipe_fingerprint"], ["recipe.fingerprint"], name="fk_image_result_recipe_fingerprint_recipe"
        ),
        sa.PrimaryKeyConstraint("key", name="pk_image_result"),
    )
    op.create_index("ix_image_result_micrograph_id", "image_result", ["micrograph_id"], unique=False)
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("analysis_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("queued_at", sa.DateTime(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=True),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(), nullable=True),
        sa.Column("pid", sa.Integer(), nullable=True),
        sa.Column("host", sa.String(), nullable=True),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("images_total", sa.Integer(), nullable=False),
        sa.Column("images_done", sa.Integer(), nullable=False),
        sa.Column("images_failed", sa.Integer(), nullable=False),
        sa.Column("images_reused", sa.Integer(), nullable=False),
        sa.Column("images_skipped", sa.Integer(), nullable=False),
        sa.Column("particles", sa.Integer(), nullable=False),
        sa.Column("current_image", sa.String(), nullable=False),
        sa.Column("seconds_per_image", sa.Double(), nullable=True),
        sa.Column("error", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["analysis_id"], ["analysis.id"], name="fk_job_analysis_id_analysis"),
        sa.ForeignKeyConstraint(["created_by"], ["user.name"], name="fk_job_created_by_user"),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
    )
    op.create_index("ix_job_analysis_id", "job", ["analysis_id"], unique=False)
    op.create_index("ix_job_status", "job", ["status"], unique=False)
    op.create_table(
        "analysis_image",
        sa.Column("analysis_id", sa.Integer(), nullable=False),
        sa.Column("micrograph_id", sa.Integer(), nullable=False),
        sa.Column("result_key", sa.String(length=64), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reused", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["analysis_id"], ["analysis.id"], name="fk_analysis_image_analysis_id_analysis"),
        sa.ForeignKeyConstraint(
            ["micrograph_id"], ["micrograph.id"], name="fk_analysis_image_micrograph_id_micrograph"
        ),
        sa.ForeignKeyConstraint(["result_key"], ["image_result.key"], name="fk_analysis_image_result_key_image_result"),
        sa.PrimaryKeyConstraint("analysis_id", "micrograph_id", name="pk_analysis_image"),
    )
    op.create_index("ix_analysis_image_micrograph_id", "analysis_image", ["micrograph_id"], unique=False)
    op.create_table(
        "exclusion",
        sa.Column("result_key", sa.String(length=64), nullable=False),
        sa.Column("particle", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("excluded_by", sa.String(length=200), nullable=False),
        sa.Column("excluded_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["excluded_by"], ["user.name"], name="fk_exclusion_excluded_by_user"),
        sa.ForeignKeyConstraint(["result_key"], ["image_result.key"], name="fk_exclusion_result_key_image_result"),
        sa.PrimaryKeyConstraint("result_key", "particle", name="pk_exclusion"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER edit_no_{action.lower()} BEFORE {action} ON edit "
                "BEGIN SELECT RAISE(ABORT, 'an edit is kept as it was written'); END"
            )


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)


_TABLES = (
    "exclusion",
    "analysis_image",
    "job",
    "image_result",
    "micrograph",
    "edit",
    "analysis",
    "sample",
    "user",
    "recipe",
)
