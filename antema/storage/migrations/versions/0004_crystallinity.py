"""Which model classified the particles."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("image_result", sa.Column("crystallinity_model", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("image_result", "crystallinity_model")
