"""What a path or URL means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retrace_core.errors import ConfigurationError
from retrace_core.store import open_store

if TYPE_CHECKING:
    from pathlib import Path


def test_a_path_and_a_file_url_mean_a_folder(tmp_path: Path) -> None:
    """Both, and the URL may be quoted."""
    folder = tmp_path / "with space"
    assert open_store(str(folder)).url == str(folder)
    assert open_store(f"file://{tmp_path}/with%20space").url == str(folder)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/x",
        "http://host/x",
        "S4://bucket",
        "s3://",
        "s3:///x",
        "s3://bucket/x?region=y",
        "s3://user:password@bucket/x",
        "gs://a b/x",
        "az://",
        "file://host/x",
        "",
        "a\0b",
    ],
)
def test_another_url_is_refused(url: str) -> None:
    """The error names what is allowed."""
    with pytest.raises(ConfigurationError, match=r"RETRACE_RECORDING_PATH=.*s3://bucket/prefix"):
        open_store(url)
