"""What the network said of a micrograph is kept with its result."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("image_result", sa.Column("maps_sha256", sa.String(64), nullable=True))


def downgrade() -> None:
    op.drop_column("image_result", "maps_sha256")
