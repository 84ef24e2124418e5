"""The tables. Nothing outside this package sees these classes."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, MetaData, String, TypeDecorator, false
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC; SQLite itself forgets the zone."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Store naive UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "a time without zone cannot be stored"
            raise ValueError(msg)
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return aware UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Base of all rows; names of constraints are fixed so that migrations can address them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        dict[str, Any]: JSON(none_as_null=True),
        list[Any]: JSON,
        datetime: UtcDateTime,
    }  # noqa: RUF012


class User(Base):
    """Who ever changed something."""

    __tablename__ = "user"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]


class Sample(Base):
    """A synthesis batch."""

    __tablename__ = "sample"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    material: Mapped[str]
    batch: Mapped[str]
    synthesis_date: Mapped[date | None]
    operator: Mapped[str]
    notes: Mapped[str]
    properties: Mapped[dict[str, Any]]
    archived: Mapped[bool]
    created_by: Mapped[str] = mapped_column(ForeignKey("user.name"))
    created_at: Mapped[datetime]
    current_analysis_id: Mapped[int | None] = mapped_column(ForeignKey("analysis.id", use_alter=True))


class Micrograph(Base):
    """One uploaded image; its bytes are the blob `sha256`."""

    __tablename__ = "micrograph"

    id: Mapped[int] = mapped_column(primary_key=True)
    sample_id: Mapped[int] = mapped_column(ForeignKey("sample.id"), index=True)
    filename: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    height: Mapped[int]
    width: Mapped[int]
    dtype: Mapped[str]
    file_pixel_size_nm: Mapped[float | None]
    file_pixel_size_source: Mapped[str]
    user_pixel_size_nm: Mapped[float | None]
    user_pixel_size_by: Mapped[str | None] = mapped_column(ForeignKey("user.name"))
    user_pixel_size_at: Mapped[datetime | None]
    # Which of the file's images this is; null for the only one, and in rows of earlier versions for the best one.
    data_index: Mapped[int | None]
    # What is burned into the image (`antema.domain.Annotations`); null where nobody has looked, or looking failed.
    annotations: Mapped[dict[str, Any] | None]
    annotations_error: Mapped[str | None]
    microscope: Mapped[dict[str, Any]]
    left_out_reason: Mapped[str | None]
    thumbnail_sha256: Mapped[str] = mapped_column(String(64))
    display_sha256: Mapped[str] = mapped_column(String(64))
    added_by: Mapped[str] = mapped_column(ForeignKey("user.name"))
    added_at: Mapped[datetime]

    sample: Mapped[Sample] = relationship(lazy="joined", innerjoin=True)

    @property
    def pixel_size_nm(self) -> float | None:
        """The pixel size in force: a person's before the file's."""
        return self.file_pixel_size_nm if self.user_pixel_size_nm is None else self.user_pixel_size_nm


class FileImage(Base):
    """One image of a micrograph's file, as its header describes it."""

    __tablename__ = "file_image"

    micrograph_id: Mapped[int] = mapped_column(ForeignKey("micrograph.id"), primary_key=True)
    data_index: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    height: Mapped[int]
    width: Mapped[int]
    dtype: Mapped[str]
    pixel_size_nm: Mapped[float | None]
    pixel_size_source: Mapped[str]
    format: Mapped[str]
    is_default: Mapped[bool]
    # Its full-resolution picture, once it has been looked at.
    display_sha256: Mapped[str | None] = mapped_column(String(64))


class Recipe(Base):
    """The values of every recipe that was used."""

    __tablename__ = "recipe"

    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    parameters: Mapped[dict[str, Any]]
    first_used_at: Mapped[datetime]


class Analysis(Base):
    """One recipe over one sample."""

    __tablename__ = "analysis"

    id: Mapped[int] = mapped_column(primary_key=True)
    sample_id: Mapped[int] = mapped_column(ForeignKey("sample.id"), index=True)
    recipe_fingerprint: Mapped[str] = mapped_column(ForeignKey("recipe.fingerprint"))
    status: Mapped[str] = mapped_column(String(20))
    view: Mapped[dict[str, Any]]
    created_by: Mapped[str] = mapped_column(ForeignKey("user.name"))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    recipe: Mapped[Recipe] = relationship(lazy="joined", innerjoin=True)
    sample: Mapped[Sample] = relationship(lazy="joined", innerjoin=True, foreign_keys=[sample_id])


class ImageResult(Base):
    """One computation: an image with a pixel size, a recipe, a model and a version of the algorithm."""

    __tablename__ = "image_result"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    micrograph_id: Mapped[int] = mapped_column(ForeignKey("micrograph.id"), index=True)
    recipe_fingerprint: Mapped[str] = mapped_column(ForeignKey("recipe.fingerprint"))
    image_sha256: Mapped[str] = mapped_column(String(64))
    data_index: Mapped[int | None]
    pixel_size_nm: Mapped[float]
    pixel_size_source: Mapped[str]
    model: Mapped[dict[str, Any]]
    algorithm_version: Mapped[str]
    n_measured: Mapped[int]
    n_dropped: Mapped[int]
    seconds: Mapped[dict[str, Any]]
    notes: Mapped[list[Any]]
    # What the network said beside its map (`antema.analysis.Analysis`); null where it said none.
    trust: Mapped[dict[str, Any] | None]
    polarity: Mapped[str | None]
    scales: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    # Name and sha256 of the model that classified the particles; null where none did.
    crystallinity_model: Mapped[dict[str, Any] | None]
    # Of earlier versions, which stored the outlines as a picture; empty since they are drawn from the masks.
    overlay_sha256: Mapped[str] = mapped_column(String(64))
    segmentation_sha256: Mapped[str] = mapped_column(String(64))
    # What the network said, as a picture of 8 bits; null in rows of earlier versions.
    maps_sha256: Mapped[str | None] = mapped_column(String(64))
    # Of the particle file; null in rows of earlier versions until their files have been looked at.
    particles_sha256: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]

    exclusions: Mapped[list["Exclusion"]] = relationship(lazy="selectin", order_by="Exclusion.particle")


class Exclusion(Base):
    """A particle that a person took out. It hangs on the result, so that it survives a new run of the same recipe."""

    __tablename__ = "exclusion"

    result_key: Mapped[str] = mapped_column(ForeignKey("image_result.key"), primary_key=True)
    particle: Mapped[int] = mapped_column(primary_key=True)
    reason: Mapped[str]
    excluded_by: Mapped[str] = mapped_column(ForeignKey("user.name"))
    excluded_at: Mapped[datetime]


class AnalysisImage(Base):
    """Which result an analysis has for a micrograph, or why it has none."""

    __tablename__ = "analysis_image"

    analysis_id: Mapped[int] = mapped_column(ForeignKey("analysis.id"), primary_key=True)
    micrograph_id: Mapped[int] = mapped_column(ForeignKey("micrograph.id"), primary_key=True, index=True)
    result_key: Mapped[str | None] = mapped_column(ForeignKey("image_result.key"))
    status: Mapped[str] = mapped_column(String(20))
    error: Mapped[str]
    attempts: Mapped[int]
    reused: Mapped[bool]
    updated_at: Mapped[datetime]

    micrograph: Mapped[Micrograph] = relationship(lazy="joined", innerjoin=True)
    result: Mapped[ImageResult | None] = relationship(lazy="joined")


class Job(Base):
    """The truth about an analysis at work."""

    __tablename__ = "job"

    id: Mapped[int] = mapped_column(primary_key=True)
    analysis_id: Mapped[int] = mapped_column(ForeignKey("analysis.id"), index=True)
    status: Mapped[str] = mapped_column(String(20), index=True)
    created_by: Mapped[str] = mapped_column(ForeignKey("user.name"))
    created_at: Mapped[datetime]
    queued_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    # Whether it waits for its turn, and when its last one began (`antema.storage.turns`).
    waits_for_turn: Mapped[bool] = mapped_column(server_default=false())
    turn_at: Mapped[datetime | None]
    pid: Mapped[int | None]
    host: Mapped[str | None]
    device: Mapped[str]
    cancel_requested: Mapped[bool]
    images_total: Mapped[int]
    images_done: Mapped[int]
    images_failed: Mapped[int]
    images_reused: Mapped[int]
    images_skipped: Mapped[int]
    particles: Mapped[int]
    current_image: Mapped[str]
    current_share: Mapped[float | None]
    seconds_per_image: Mapped[float | None]
    error: Mapped[str]

    analysis: Mapped[Analysis] = relationship(lazy="joined", innerjoin=True)


class Binned(Base):
    """Something that a person deleted: in the bin, and from `emptied_at` on gone for good."""

    __tablename__ = "binned"

    id: Mapped[int] = mapped_column(primary_key=True)
    target: Mapped[str] = mapped_column(String(20), index=True)
    target_id: Mapped[int]
    sample_id: Mapped[int] = mapped_column(ForeignKey("sample.id"))
    name: Mapped[str]
    # What it takes to put it back.
    before: Mapped[dict[str, Any]]
    n_bytes: Mapped[int] = mapped_column(BigInteger)
    binned_by: Mapped[str] = mapped_column(ForeignKey("user.name"))
    binned_at: Mapped[datetime]
    why: Mapped[str]
    emptied_at: Mapped[datetime | None]


class Edit(Base):
    """Who changed what, when and why. Triggers refuse to change or delete a row."""

    __tablename__ = "edit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    who: Mapped[str] = mapped_column(ForeignKey("user.name"))
    what: Mapped[str] = mapped_column(String(60))
    target: Mapped[str] = mapped_column(String(20))
    target_id: Mapped[int]
    sample_id: Mapped[int | None] = mapped_column(ForeignKey("sample.id"), index=True)
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    why: Mapped[str]
