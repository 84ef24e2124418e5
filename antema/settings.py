"""The program's settings: environment variables that start with ``ANTEMA_``."""

import re
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an installation may choose, each as an environment variable ``ANTEMA_<NAME>``; see docs/settings.md."""

    model_config = SettingsConfigDict(env_prefix="ANTEMA_", frozen=True)

    data: Path = Field(
        Path("data"), description="Folder of the database, the uploaded micrographs, the results and imported models."
    )
    host: str = Field("127.0.0.1", description="Address the dashboard listens on.")
    port: int = Field(8050, ge=1, le=65535, description="Port the dashboard listens on.")
    max_upload_mb: int = Field(2048, ge=1, description="Largest file the dashboard takes, in MB (10^6 bytes).")
    upload_slots: int = Field(
        4,
        ge=1,
        description="How many uploads one server process takes at a time, at most half of its threads; others are told "
        "to wait.",
    )
    upload_least_kb_s: float = Field(
        8.0, ge=0, description="Least rate of an upload, in kB/s over 20 s; a slower one is broken off."
    )
    upload_timeout_s: float = Field(3600.0, gt=0, description="Longest time one upload may take, in seconds.")
    max_data_gb: float = Field(
        0.0,
        ge=0,
        description="Most that the data folder may hold before uploads are refused, in GB (10^9 bytes); 0: as much as "
        "the disk does.",
    )
    max_upload_files: int = Field(500, ge=1, description="Most files one drop may hold.")
    max_sample_micrographs: int = Field(
        5000, ge=1, description="Most micrographs that uploads may put into one sample."
    )
    device: Literal["auto", "cpu", "gpu"] = Field(
        "auto", description="Where networks run: auto takes a GPU when there is one, gpu fails when there is none."
    )
    forwarded_user_header: str = Field(
        "",
        description="Header in which a reverse proxy names the user, for example X-Forwarded-User; empty: a name kept "
        "in a cookie. Set it only behind a proxy that overwrites this header.",
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses of the reverse proxies whose word on the user, the client's address and https counts, "
        "such as 127.0.0.1 or 10.0.0.0/8, separated by commas; unix for a socket file.",
    )
    allowed_hosts: str = Field(
        "localhost,127.0.0.1,[::1]",
        description="Names that the dashboard is reached by, separated by commas; *.lab.example is all below it.",
    )
    open: bool = Field(
        False,  # noqa: FBT003
        description="Whether the dashboard may listen to other machines without a login: everybody who reaches it may "
        "then read and change everything.",
    )
    demo: bool = Field(True, description="Whether an empty dashboard offers to load demonstration samples.")  # noqa: FBT003
    job_slots: int = Field(1, ge=1, le=64, description="How many analyses work at the same time; others wait.")
    reader_memory_mb: int = Field(
        4096, ge=64, description="Memory the process that reads an uploaded file may take, in MB (2^20 bytes)."
    )
    reader_timeout_s: float = Field(120.0, gt=0, description="Longest time to read one file, in seconds.")
    memory_mb: int = Field(
        2048,
        ge=0,
        description="Disk space for numbers and pictures of results that were made once, in MB (2^20 bytes); 0 makes "
        "them anew for every reader.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severity of the messages written to the log."
    )

    @property
    def jax_platforms(self) -> str | None:
        """What JAX must find in ``JAX_PLATFORMS`` before it is first imported; None lets it choose."""
        return {"auto": None, "cpu": "cpu", "gpu": "cuda"}[self.device]

    @field_validator("data")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        # A job process or a worker may have another working directory.
        return folder.expanduser().absolute()

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, text: str) -> str:
        for part in listed(text):
            try:
                if part != "unix":
                    ip_network(part)
            except ValueError as error:
                msg = f"expected addresses such as 127.0.0.1 or 10.0.0.0/8, separated by commas, found {part!r}"
                raise ValueError(msg) from error
        return text

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts(cls, text: str) -> str:
        for part in listed(text):
            if not re.fullmatch(r"(\*\.)?[\w.-]+|\[[0-9a-fA-F:.]+\]", part):
                msg = f"expected names without port such as antema.lab.example, separated by commas, found {part!r}"
                raise ValueError(msg)
        return text

    @field_validator("forwarded_user_header")
    @classmethod
    def _header_name(cls, name: str) -> str:
        name = name.strip()
        if not all(character.isalnum() or character in "-_" for character in name):
            msg = f"expected a header's name such as X-Forwarded-User, found {name!r}"
            raise ValueError(msg)
        return name


def listed(text: str) -> list[str]:
    """Return the parts of a setting that is a list."""
    return [part for part in map(str.strip, text.split(",")) if part]


@cache
def get_settings() -> Settings:
    """Return the settings of this process, read from the environment at the first call."""
    return Settings()  # pyright: ignore[reportCallIssue] - pydantic fills in the defaults
