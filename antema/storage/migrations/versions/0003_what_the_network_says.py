"""What a network says beside its map, and how far a job is within an image."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("image_result", sa.Column("trust", sa.JSON(), nullable=True))
    op.add_column("image_result", sa.Column("polarity", sa.String(), nullable=True))
    op.add_column("image_result", sa.Column("scales", sa.JSON(), nullable=True))
    op.add_column("job", sa.Column("current_share", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("job", "current_share")
    for column in ("scales", "polarity", "trust"):
        op.drop_column("image_result", column)
