"""The settings of recording: where to, how much of it, whose traces, and what is handed on."""

from __future__ import annotations

from dataclasses import dataclass

from retrace_core.setting_rows.setting import MIB, Setting
from retrace_core.setting_rows.store_settings import StoreSettings

__all__ = ["RECORDING_SETTINGS", "RecordingSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingSettings(StoreSettings):
    """How recording is done."""

    enabled: bool = False
    recording_path: str = "recordings"
    service: str = ""
    sample_rate: float = 0.01
    config: str = ""
    app: str = ""
    queue_bytes: int = 16 * MIB
    recording_limit_bytes: int = 16 * MIB
    body_limit_bytes: int = MIB
    grace_s: float = 10.0
    trace_header_per_s: float = 100.0
    trace_header: str = ""
    propagate_unrecorded: bool = True
    server_timing: bool = False
    traceresponse: bool = False
    stop_file: str = ""
    flight_recorder_bytes: int = 0
    flight_recorder_s: float = 30.0
    flight_recorder_triggers: str = "crash"
    share_keeps: bool = False
    record_hash_seed: bool = False
    boot_tape: bool = True
    boot_tape_limit_bytes: int = 8 * MIB
    warm_ups: int = 64
    record_secret_variables: bool = False
    coverage_watch: bool = True


RECORDING_SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="enabled",
        variable="RETRACE",
        kind=bool,
        default=False,
        doc="Master switch. When off, the middleware is a straight pass-through.",
    ),
    Setting(
        name="recording_path",
        variable="RETRACE_RECORDING_PATH",
        kind=str,
        default="recordings",
        doc="The folder for recordings, or s3://bucket/prefix, gs://bucket/prefix or"
        " az://container/prefix; `$(NAME)` is replaced by the environment variable NAME, and"
        " /{date} at the end of a cloud's has a folder for each day before the traces.",
    ),
    Setting(
        name="service",
        variable="RETRACE_SERVICE",
        kind=str,
        default="",
        doc="Name of this service, a folder name; by default made from the application's name.",
    ),
    Setting(
        name="sample_rate",
        variable="RETRACE_SAMPLE_RATE",
        kind=float,
        default=0.01,
        low=0.0,
        high=1.0,
        doc="Share of requests to record that carry no X-Trace-ID.",
    ),
    Setting(
        name="config",
        variable="RETRACE_CONFIG",
        kind=str,
        default="",
        doc="A TOML file with settings by these names, in a table [retrace].",
    ),
    Setting(
        name="app",
        variable="RETRACE_APP",
        kind=str,
        default="",
        doc="How replay finds the application, module:attribute; found out by itself mostly.",
    ),
    Setting(
        name="queue_bytes",
        variable="RETRACE_QUEUE_BYTES",
        kind=int,
        default=16 * MIB,
        unit="bytes",
        low=64 * 1024,
        high=4096 * MIB,
        doc="Recordings that wait to be written; beyond it they are dropped and counted.",
    ),
    Setting(
        name="recording_limit_bytes",
        variable="RETRACE_RECORDING_LIMIT_BYTES",
        kind=int,
        default=16 * MIB,
        unit="bytes",
        low=1024,
        high=1024 * MIB,
        doc="Events of one recording; beyond it the recording is cut and marked.",
    ),
    Setting(
        name="body_limit_bytes",
        variable="RETRACE_BODY_LIMIT_BYTES",
        kind=int,
        default=MIB,
        unit="bytes",
        low=0,
        high=1024 * MIB,
        doc="Request or response body kept; beyond it the copy is cut and marked.",
    ),
    Setting(
        name="grace_s",
        variable="RETRACE_GRACE_S",
        kind=float,
        default=10.0,
        unit="seconds",
        low=0.0,
        high=3600.0,
        doc="How long a recording waits for threads and tasks that outlive the response.",
    ),
    Setting(
        name="trace_header_per_s",
        variable="RETRACE_TRACE_HEADER_PER_S",
        kind=float,
        default=100.0,
        unit="requests per second",
        low=0.0,
        high=1e6,
        doc="How many requests an X-Trace-ID from outside may have recorded.",
    ),
    Setting(
        name="trace_header",
        variable="RETRACE_TRACE_HEADER",
        kind=str,
        default="",
        doc="Headers that name the trace in addition to X-Trace-ID, by commas: `X-Request-ID`,"
        " `X-Amzn-Trace-Id`, ... They name a recording, and ask for none.",
    ),
    Setting(
        name="propagate_unrecorded",
        variable="RETRACE_PROPAGATE_UNRECORDED",
        kind=bool,
        default=True,
        doc="Outgoing HTTP calls of a request that is not recorded carry its trace, and that it is"
        " not recorded, so that the services behind decide alike.",
    ),
    Setting(
        name="server_timing",
        variable="RETRACE_SERVER_TIMING",
        kind=bool,
        default=False,
        doc="Recorded responses carry `Server-Timing: traceparent;desc=...`, which browsers show.",
    ),
    Setting(
        name="traceresponse",
        variable="RETRACE_TRACERESPONSE",
        kind=bool,
        default=False,
        doc="Recorded responses carry `traceresponse`, a draft of the W3C's.",
    ),
    Setting(
        name="stop_file",
        variable="RETRACE_STOP_FILE",
        kind=str,
        default="",
        doc="While a file by this path exists nothing new is recorded; looked at every second.",
    ),
    Setting(
        name="flight_recorder_bytes",
        variable="RETRACE_FLIGHT_RECORDER_BYTES",
        kind=int,
        default=0,
        unit="bytes",
        low=0,
        high=4096 * MIB,
        doc="Memory for recordings that were dropped, to be saved on a trigger; 0 for none.",
    ),
    Setting(
        name="flight_recorder_s",
        variable="RETRACE_FLIGHT_RECORDER_S",
        kind=float,
        default=30.0,
        unit="seconds",
        low=0.1,
        high=3600.0,
        doc="How long a dropped recording stays in that memory.",
    ),
    Setting(
        name="flight_recorder_triggers",
        variable="RETRACE_FLIGHT_RECORDER_TRIGGERS",
        kind=str,
        default="crash",
        doc="What saves it besides `save_recent`: any of crash, exit, and names of signals"
        " (SIGUSR2), separated by commas.",
    ),
    Setting(
        name="share_keeps",
        variable="RETRACE_SHARE_KEEPS",
        kind=bool,
        default=False,
        doc="Tell the other services of this store of each trace that a tail decision keeps,"
        " and save what is in memory of theirs.",
    ),
    Setting(
        name="record_hash_seed",
        variable="RETRACE_RECORD_HASH_SEED",
        kind=bool,
        default=False,
        doc="Consent to record the hash secret, so that sets iterate in the same order on"
        " replay. Whoever has it can craft colliding keys.",
    ),
    Setting(
        name="boot_tape",
        variable="RETRACE_BOOT_TAPE",
        kind=bool,
        default=True,
        doc="Record what the process asks as it starts, and as it fills caches, once for all its"
        " recordings.",
    ),
    Setting(
        name="boot_tape_limit_bytes",
        variable="RETRACE_BOOT_TAPE_LIMIT_BYTES",
        kind=int,
        default=8 * MIB,
        unit="bytes",
        low=0,
        high=1024 * MIB,
        doc="Memory for it; what comes beyond is left out, and counted.",
    ),
    Setting(
        name="warm_ups",
        variable="RETRACE_WARM_UPS",
        kind=int,
        default=64,
        unit="requests",
        low=0,
        high=1000,
        doc="Of a service that is sampled, how many kinds of requests are recorded the first time"
        " they come, whatever is decided, for what they leave in memory. They are written, beside"
        " the boot tape, once a recording of that process is kept. 0 for none.",
    ),
    Setting(
        name="record_secret_variables",
        variable="RETRACE_RECORD_SECRET_VARIABLES",
        kind=bool,
        default=False,
        doc="Consent to record environment variables whose names look secret, as they are.",
    ),
    Setting(
        name="coverage_watch",
        variable="RETRACE_COVERAGE_WATCH",
        kind=bool,
        default=True,
        doc="List in a recording what reached the world past all boundaries: sockets, files"
        " written, programs, C libraries.",
    ),
)
