"""The command `lifecycle`: a cloud's own rule that comes nearest to the settings of retention."""

from __future__ import annotations

import time

import click

from retrace_core.cli.cataloged import opened_store
from retrace_core.cli.find import recordings_option
from retrace_core.cli.screen import note, print_json
from retrace_core.errors import StoreError
from retrace_core.retention import Marks, policy_of
from retrace_core.retention.lifecycle import CLOUDS, left_out, lifecycle
from retrace_core.settings import resolve
from retrace_core.store import is_remote
from retrace_core.store.dated_store import DATE

__all__ = ["command"]

_SCHEMES = {"s3": "s3", "gs": "gcs", "az": "azure"}


@click.group(name="lifecycle", short_help="A cloud's own rule of retention.")
def command() -> None:
    """Make a cloud delete old recordings by itself."""


@command.command(
    name="print",
    short_help="Print the JSON of a bucket's lifecycle.",
    epilog="""\b
Examples:
  retrace lifecycle print --s3 --older 30d > rule.json
  aws s3api put-bucket-lifecycle-configuration --bucket B --lifecycle-configuration file://rule.json
  gcloud storage buckets update gs://B --lifecycle-file=rule.json
  az storage account management-policy create --account-name A -g G --policy @rule.json
""",
)
@click.option("--s3", "cloud", flag_value="s3", help="For S3 and what is compatible.")
@click.option("--gcs", "cloud", flag_value="gcs", help="For Google Cloud Storage.")
@click.option("--azure", "cloud", flag_value="azure", help="For Azure Blob Storage.")
@click.option("--older", metavar="AGE", default="", help="Instead of RETRACE_RETENTION_AGE.")
@recordings_option
def print_command(cloud: str | None, older: str, recordings: str | None) -> int:
    """Print the lifecycle of a bucket that is equal to the settings RETRACE_RETENTION_*.

    A cloud's rule knows how old an object is and how its name begins. What of the settings it can't
    do is said on standard error; it never deletes earlier than they say. It replaces the lifecycle
    that the bucket has: put its rules in, where there are others. Marks of `retrace keep` mean
    nothing to it.
    """
    settings = resolve()
    url = recordings or settings.recording_path
    place = url.rstrip("/").removesuffix(DATE).partition("://")[2] if is_remote(url) else ""
    bucket, _, prefix = place.partition("/")
    if cloud is None:
        cloud = _SCHEMES.get(url.partition("://")[0].lower(), "")
        if cloud not in CLOUDS:
            raise click.UsageError("give --s3, --gcs or --azure")
    policy = policy_of(settings, age=older)
    document = lifecycle(cloud, policy, prefix=prefix.strip("/"), container=bucket or "CONTAINER")
    marked = 0
    if is_remote(url):
        try:
            marked = len(Marks(opened_store(recordings), time.time_ns()))
        except StoreError as error:
            note(f"whether recordings are marked could not be found out: {error}")
    for one in left_out(policy, marked):
        note(f"left out: {one}")
    print_json(document)
    return 0
