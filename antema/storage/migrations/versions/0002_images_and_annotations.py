"""What a file holds, which of its images is taken, what is burned into it, and when a pixel size was typed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "file_image",
        sa.Column("micrograph_id", sa.Integer(), nullable=False),
        sa.Column("data_index", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("dtype", sa.String(), nullable=False),
        sa.Column("pixel_size_nm", sa.Double(), nullable=True),
        sa.Column("pixel_size_source", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("display_sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["micrograph_id"], ["micrograph.id"], name="fk_file_image_micrograph_id_micrograph"),
        sa.PrimaryKeyConstraint("micrograph_id", "data_index", name="pk_file_image"),
    )
    # Plain additions: rewriting a table that others refer to would need their rows out of the way first.
    op.add_column("micrograph", sa.Column("user_pixel_size_at", sa.DateTime(), nullable=True))
    op.add_column("micrograph", sa.Column("data_index", sa.Integer(), nullable=True))
    op.add_column("micrograph", sa.Column("annotations", sa.JSON(), nullable=True))
    op.add_column("micrograph", sa.Column("annotations_error", sa.String(), nullable=True))
    op.add_column("image_result", sa.Column("data_index", sa.Integer(), nullable=True))
    # Who typed what and when has always been among the edits.
    op.execute(
        """
        UPDATE micrograph SET user_pixel_size_at = (
            SELECT max(edit.at) FROM edit
            WHERE edit.target = 'micrograph' AND edit.target_id = micrograph.id AND edit.what = 'set pixel size'
        ) WHERE user_pixel_size_nm IS NOT NULL
        """
    )


def downgrade() -> None:
    op.drop_column("image_result", "data_index")
    for column in ("annotations_error", "annotations", "data_index", "user_pixel_size_at"):
        op.drop_column("micrograph", column)
    op.drop_table("file_image")
