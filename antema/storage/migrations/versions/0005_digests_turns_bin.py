"""The digest of each particle file, and whose turn it is."""

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


def downgrade() -> None:
    op.drop_column("job", "turn_at")
    op.drop_column("job", "waits_for_turn")
    op.drop_column("image_result", "particles_sha256")
