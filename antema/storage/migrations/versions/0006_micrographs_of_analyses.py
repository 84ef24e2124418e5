"""Which micrographs an analysis is of that has not come to its end: those in use when it was started."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Analyses that are done tried all of theirs.
    op.execute(
        """
        INSERT INTO analysis_image (
            analysis_id, micrograph_id, result_key, status, error, attempts, reused, updated_at
        )
        SELECT analysis.id, micrograph.id, NULL, 'queued', '', 0, 0, analysis.created_at
        FROM analysis
        JOIN micrograph ON micrograph.sample_id = analysis.sample_id
        WHERE analysis.status != 'done'
            AND micrograph.left_out_reason IS NULL
            AND micrograph.added_at <= analysis.created_at
            AND NOT EXISTS (
                SELECT 1 FROM analysis_image AS known
                WHERE known.analysis_id = analysis.id AND known.micrograph_id = micrograph.id
            )
        """
    )


def downgrade() -> None:
    op.execute("DELETE FROM analysis_image WHERE status = 'queued'")
