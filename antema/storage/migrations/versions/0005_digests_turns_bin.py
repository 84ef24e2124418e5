"""The digest of each particle file, whose turn it is, and the bin."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("image_result", sa.Column("particles_sha256", sa.String(length=64), nullable=True))
    op.add_column("job", sa.Column("waits_for_turn", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("job", sa.Column("turn_at", sa.DateTime(), nullable=True))
    op.create_table(
        "binned",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(length=20), nullable=False),
        sa.Column("target_id", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("n_bytes", sa.BigInteger(), nullable=False),
        sa.Column("binned_by", sa.String(length=200), nullable=False),
        sa.Column("binned_at", sa.DateTime(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("emptied_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["binned_by"], ["user.name"], name="fk_binned_binned_by_user"),
        sa.ForeignKeyConstraint(["sample_id"], ["sample.id"], name="fk_binned_sample_id_sample"),
        sa.PrimaryKeyConstraint("id", name="pk_binned"),
    )
    op.create_index("ix_binned_target", "binned", ["target"], unique=False)


def downgrade() -> None:
    op.drop_table("binned")
    op.drop_column("job", "turn_at")
    op.drop_column("job", "waits_for_turn")
    op.drop_column("image_result", "particles_sha256")
