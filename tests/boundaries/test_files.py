"""Files: what a request reads, asks and writes outside of the code replays without them."""

from __future__ import annotations

import asyncio
import codecs
import gzip
import importlib
import logging
import logging.handlers
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from retrace_core.files import file_access
from retrace_core.files.file_access import world_path
from retrace_core.surroundings import Surroundings, restored
from retrace_mw import RetraceMiddleware
from tests.recorded import (
    assert_identical,
    only_recording,
    record_asgi,
    record_wsgi,
    replays_without,
)


@pytest.fixture
def data(data: Path) -> Path:
    """Return a folder of files, below the working folder."""
    (data / "a.txt").write_text("alpha\nbeta\n")
    (data / "b.bin").write_bytes(bytes(range(256)))
    return data


def test_what_was_read_is_read_again(data: Path, recordings: Path) -> None:
    """Text, bytes, lines, a part from the middle."""

    def view() -> str:
        with open("data/b.bin", "rb") as file:
            file.seek(100)
            part = file.read(3)
        with open(data / "a.txt", encoding="utf-8") as text:
            lines = [*text]
        return f"{part!r} {lines} {Path('data/a.txt').read_text()} {file.name}"

    replays_without(data, recordings, view)


def test_what_the_standard_library_opens_is_the_applications(data: Path, recordings: Path) -> None:
    """`codecs.open` is older than `open` with an encoding, and is frozen into the interpreter."""

    def view() -> str:
        with codecs.open("data/a.txt", "r", "utf-8") as file:
            lines = file.readlines()
        with gzip.open("data/c.gz", "wt") as packed:
            packed.write("packed")
        with gzip.open("data/c.gz", "rt") as packed:
            return f"{lines} {packed.read()}"

    replays_without(data, recordings, view)


def test_a_program_that_is_no_part_of_the_code_is_a_file_like_others(
    data: Path, recordings: Path
) -> None:
    """A user hands one in; a file of settings is one."""
    (data / "settings.py").write_text("NAME = 'shop'")

    def view() -> str:
        with open("data/upload.py", "w") as file:
            file.write("print(1)\n")
        names = sorted(os.listdir("data"))
        read = Path("data/settings.py").read_text(), Path("data/upload.py").read_text()
        return f"{read} {names} {os.path.getsize('data/upload.py')}"

    replays_without(data, recordings, view)


@pytest.mark.parametrize("opened", ["executor", "anyio"])
def test_a_file_that_a_pools_thread_opens_is_read_again(
    data: Path, recordings: Path, opened: str
) -> None:
    """Starlette's file responses do it by anyio, which gives all that `open` takes by position."""

    async def handler() -> str:
        if opened == "anyio":
            async with await anyio.open_file(data / "a.txt") as file:
                return await file.read()
        loop = asyncio.get_running_loop()
        with await loop.run_in_executor(None, open, data / "a.txt") as plain:
            return str(plain.read())

    app, recording = record_asgi(recordings, handler)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    shutil.rmtree(data)
    assert_identical(recording, app, times=2)


def test_when_a_temporary_file_was_changed(recordings: Path) -> None:
    """An archive has it in it: openpyxl packs its sheets so. The file is still the one it is."""

    def view() -> str:
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as sheet:
            sheet.write("<sheet/>")
            sheet.flush()
            status = os.stat(sheet.name)
            same = os.path.samestat(status, os.fstat(sheet.fileno()))
        return f"{status.st_mtime_ns} {status.st_mtime} {status.st_size} {same}"

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.body[0].endswith(b" 8 True")
    assert_identical(recording, app)


def test_static_files_are_the_applications(data: Path, recordings: Path) -> None:
    """Starlette looks for them itself: at the start, and for each request."""
    app = Starlette(routes=[Mount("/data", StaticFiles(directory=data))])
    app.add_middleware(RetraceMiddleware)

    async def main() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            answer = await client.get("/data/a.txt")
            assert answer.text == "alpha\nbeta\n"

    asyncio.run(main())
    recording = only_recording(recordings)
    shutil.rmtree(data)
    afresh = Starlette(routes=[Mount("/data", StaticFiles(directory=data, check_dir=False))])
    afresh = Starlette(routes=[Mount("/data", StaticFiles(directory=data, check_dir=False))])
    assert_identical(recording, afresh, times=1)


def test_a_log_that_a_request_begins_is_written_elsewhere(data: Path, recordings: Path) -> None:
    """Trac opens its log as it opens the project, at its first request."""

    def view() -> str:
        handler = logging.FileHandler("data/app.log")
        log = logging.Logger("a project's")
        log.addHandler(handler)
        log.warning("opened")
        handler.close()
        return handler.baseFilename

    replays_without(data, recordings, view)


def test_a_log_that_is_begun_anew_by_an_import(
    data: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file is gone, or is another one, and what a request imports says something."""
    (data.parent / "talkative.py").write_text("import shop_log\nshop_log.log.warning('hello')\n")
    shop_log = ModuleType("shop_log")
    shop_log.log = logging.Logger("a shop's")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "shop_log", shop_log)
    monkeypatch.syspath_prepend(str(data.parent))

    def view() -> str:
        handler = logging.handlers.WatchedFileHandler("data/app.log")
        shop_log.log.handlers = [handler]
        handler.dev = -1  # as after its file was put aside
        sys.modules.pop("talkative", None)
        importlib.import_module("talkative")
        handler.close()
        return os.path.basename(handler.baseFilename)

    replays_without(data, recordings, view)


def test_a_name_may_have_the_address_of_an_object_in_it(data: Path, recordings: Path) -> None:
    """Django's mails in files do: another process names the file otherwise."""
    addresses = [140156256107472, 94557999988735, 139637976727999]

    def view() -> str:
        path = f"data/20261129-012907-{addresses[0]}.log"
        with open(path, "ab") as file:
            file.write(b"a mail")
        addresses.pop(0)
        return f"{os.path.basename(file.name)[:8]} {os.stat(path).st_size}"

    replays_without(data, recordings, view)


def test_what_is_asked_of_files_is_answered(data: Path, recordings: Path) -> None:
    """Sizes, times, listings, what is there and what is not."""

    def view() -> str:
        walked = [(Path(root).name, sorted(files)) for root, _, files in os.walk("data")]
        entries = sorted((e.name, e.is_file(), e.stat().st_size) for e in os.scandir("data"))
        return repr(
            (
                os.stat("data/a.txt").st_mtime_ns,
                (data / "a.txt").stat().st_ino,
                sorted(os.listdir(data)),
                os.path.getsize("data/b.bin"),
                [Path(name).exists() for name in ("data/a.txt", "data/none")],
                sorted(str(p) for p in Path("data").glob("*.txt")),
                walked,
                entries,
            )
        )

    replays_without(data, recordings, view)


@pytest.mark.skipif(sys.platform != "linux", reason="a descriptor has no path there")
@pytest.mark.parametrize("name", ["fstat", "stat"])
def test_what_is_asked_of_an_open_file_is_answered(data: Path, recordings: Path, name: str) -> None:
    """A tag is made of where on the disk it lies; it is the file that its path says it is."""

    def view() -> str:
        with open("data/a.txt", "rb") as file:
            status = getattr(os, name)(file.fileno())
            same = os.path.samestat(status, os.stat("data/a.txt"))
        return f"{status.st_dev}:{status.st_ino}:{status.st_mtime_ns}:{status.st_size} {same}"

    recording = replays_without(data, recordings, view)
    assert recording.response.body[0].endswith(b" True")


def test_what_is_written_is_written_nowhere(data: Path, recordings: Path) -> None:
    """A report is made in folders of its own, renamed, read back and removed."""

    def view() -> str:
        os.makedirs("data/out/deep", exist_ok=True)
        with open("data/out/deep/report.tmp", "w") as file:
            file.write("total: 7\n")
        os.replace("data/out/deep/report.tmp", "data/out/deep/report.txt")
        with open("data/out/deep/report.txt", "a") as file:
            file.write("end\n")
        text = Path("data/out/deep/report.txt").read_text()
        size = os.path.getsize("data/out/deep/report.txt")
        shutil.copy("data/a.txt", "data/copy.txt")
        os.unlink("data/copy.txt")
        return f"{text} {size} {os.path.exists('data/copy.txt')}"

    replays_without(data, recordings, view)


def test_whole_folders_are_copied_moved_and_removed(data: Path, recordings: Path) -> None:
    """`shutil` works by open folders, attributes and times; none of it is there on replay."""

    def view() -> str:
        shutil.copytree("data", "data/copy", ignore=shutil.ignore_patterns("copy"))
        shutil.move("data/copy", "data/moved")
        shutil.copy2("data/a.txt", "data/moved/again.txt")
        names = sorted(os.listdir("data/moved"))
        with open("data/moved/again.txt") as file:
            changed = os.fstat(file.fileno()).st_mtime
        same = changed == os.stat("data/a.txt").st_mtime
        shutil.rmtree("data/moved")
        shutil.rmtree("data/none", ignore_errors=True)
        with pytest.raises(FileNotFoundError):
            shutil.rmtree("data/none")
        return f"{names} {same} {changed} {os.path.exists('data/moved')}"

    replays_without(data, recordings, view)


def test_a_folder_among_the_temporary_ones_is_found_by_its_whole_path(
    recordings: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On replay the folder for temporary files is another one; a configured path is not."""
    monkeypatch.chdir("/")
    share = Path(tempfile.mkdtemp(prefix="share"))
    (share / "a.txt").write_text("alpha")

    def view() -> str:
        shutil.copytree(share, share / "copy")
        with open(share / "copy" / "b.txt", "w") as file:
            file.write("beta")
        names = sorted(os.listdir(share / "copy"))
        text = (share / "a.txt").read_text()
        shutil.rmtree(share / "copy")
        return f"{names} {text} {(share / 'copy').exists()}"

    replays_without(share, recordings, view)


def test_a_failure_is_the_same_failure(data: Path, recordings: Path) -> None:
    """Missing, already there, a folder where a file should be: the same error, with its name."""

    def view() -> str:
        said: list[str] = []
        for attempt in (
            lambda: open("data/none"),
            lambda: open("data/a.txt", "x"),
            lambda: os.mkdir("data"),
            lambda: os.remove("data/none"),
            lambda: Path("data").read_text(),
        ):
            try:
                attempt()
            except OSError as error:
                said.append(f"{type(error).__name__} {error}")
        return " | ".join(said)

    replays_without(data, recordings, view)


def test_a_whole_path_in_the_recorded_working_folder_is_one_in_that_of_the_replay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recorded one is not on a laptop, and paths that are configured begin with it."""
    monkeypatch.chdir(tmp_path)
    in_temporary = f"{tempfile.gettempdir()}/run/app"
    for folder in ("/srv/app", in_temporary):
        with restored(Surroundings(folder=folder), str(tmp_path)):
            assert world_path(f"{folder}/uploads/a.txt") == "uploads/a.txt"
            assert world_path(tmp_path / "uploads" / "a.txt") == "uploads/a.txt"
            assert world_path("/srv/other/a.txt") == "/srv/other/a.txt"
            assert world_path(f"{tempfile.gettempdir()}/b.txt") == "$TMP/b.txt"
    assert world_path("/srv/app/uploads/a.txt") == "/srv/app/uploads/a.txt"


def test_a_folder_for_temporary_files_of_the_applications_own_is_of_the_world(
    data: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A download manager sets one as it starts, and makes it; the replay's scratch folder stays."""
    monkeypatch.setattr(tempfile, "tempdir", tempfile.gettempdir())

    def view() -> str:
        tempfile.tempdir = str(data / "work" / "tmp")
        os.makedirs(tempfile.tempdir, exist_ok=True)
        with tempfile.TemporaryFile() as file:
            file.write(b"twelve lemons")
        path = Path(tempfile.tempdir, "part")
        path.write_text("six lemons")
        return f"{path.read_text()} {os.listdir(tempfile.tempdir)} {Path('data/a.txt').read_text()}"

    replays_without(data, recordings, view)


@pytest.mark.parametrize("folder", ["/usr/src/app", "/opt/shop", "/"])
def test_an_application_may_lie_among_the_software(
    monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    """The working folder is the world's, and so are settings; what the system brings is not."""
    monkeypatch.setattr(os, "getcwd", lambda: folder)
    assert world_path(os.path.join(folder, "uploads/a.txt")) == "uploads/a.txt"
    assert world_path("/etc/shop.toml") in ("/etc/shop.toml", "etc/shop.toml")
    assert world_path("/usr/share/zoneinfo/Asia/Tokyo") is None
    assert world_path("/lib/x86_64-linux-gnu/libc.so.6") is None


def test_a_folder_of_the_code_may_be_made_where_it_is(data: Path, recordings: Path) -> None:
    """Settings make sure of all their folders, with the one that the code lies in among them."""
    code = Path(os.__file__).parent

    def view() -> str:
        code.mkdir(parents=True, exist_ok=True)
        with pytest.raises(FileExistsError):
            code.mkdir()
        return "made"

    replays_without(data, recordings, view)


def test_a_file_that_a_path_opened_has_its_text_for_a_name(data: Path, recordings: Path) -> None:
    """As `open` gives it: Django names a download by it where it is a text."""

    def view() -> str:
        with (data / "a.txt").open("rb") as file, open(data / "a.txt") as text:
            return repr((file.name, text.name))

    replays_without(data, recordings, view)


def test_temporary_files_have_their_recorded_names(data: Path, recordings: Path) -> None:
    """`NamedTemporaryFile` and `TemporaryDirectory`: names, content, and what is left."""

    def view() -> str:
        with tempfile.NamedTemporaryFile("w+", suffix=".csv") as file:
            file.write("a;b")
            file.seek(0)
            first = (os.path.basename(file.name), file.read())
        with tempfile.TemporaryDirectory() as folder:
            inside = Path(folder, "x.txt")
            inside.write_text("x")
            second = (os.path.basename(folder), inside.read_text(), os.listdir(folder))
        return repr((first, second))

    replays_without(data, recordings, view)


def test_a_temporary_file_in_a_folder_of_the_applications(data: Path, recordings: Path) -> None:
    """As an upload is written: under a made-up name, which it loses when it is whole."""

    def view() -> str:
        with tempfile.NamedTemporaryFile(dir=data, delete=False) as file:
            file.write(b"a picture")
        whole = os.path.join(data, "picture.png")
        shutil.move(file.name, whole)
        return repr((os.path.basename(file.name), Path(whole).read_bytes()))

    replays_without(data, recordings, view)


def test_a_file_that_was_cached_is_read_as_it_is(data: Path, recordings: Path) -> None:
    """What a warm process had in its memory, and a cold one reads, is no divergence."""
    cache: dict[str, str] = {"a": (data / "a.txt").read_text()}

    def view() -> str:
        return cache.get("a") or Path("data/a.txt").read_text()

    app, recording = record_wsgi(recordings, view)
    cache.clear()
    assert_identical(recording, app)


def test_a_program_that_was_run_is_not_run_again(data: Path, recordings: Path) -> None:
    """Its output, its exit status and its failures come from the recording."""

    def view() -> str:
        script = "import os, sys; print(os.getpid()); sys.exit(3)"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        try:
            subprocess.check_output([sys.executable, "-c", script])
        except subprocess.CalledProcessError as error:
            failed = f"{error.returncode} {error.output!r}"
        return f"{done.stdout} {done.returncode} {failed}"

    replays_without(data, recordings, view)


def test_what_is_done_to_installed_files_is_done_in_name_only(
    data: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start-up links its pictures by another name, and keeps settings beside them."""
    site = os.path.join(data.parent, "site", "")
    monkeypatch.setattr(file_access, "_PREFIXES", (*file_access._PREFIXES, site))
    os.makedirs(f"{site}pictures")

    def view() -> str:
        os.makedirs(f"{site}build/deep")
        os.symlink(f"{site}pictures", f"{site}build/pictures.1f54")
        with open(f"{site}build/settings.json", "w") as file:
            file.write("{}")
        os.rename(f"{site}build/settings.json", f"{site}build/kept.json")
        try:
            os.rmdir(f"{site}build")
        except OSError as error:
            return f"{error.strerror} {world_path(site + 'pictures')}"
        return "gone"

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.body[0] == b"Directory not empty None"
    shutil.rmtree(f"{site}build")
    assert_identical(recording, app)
    assert not os.path.exists(f"{site}build")


def test_a_link_to_an_installed_file(data: Path, recordings: Path) -> None:
    """It is made where the application's files are, whatever it leads to."""

    def view() -> str:
        os.symlink(os.__file__, data / "link")
        os.symlink("a.txt", data / "near")
        return (data / "near").read_text()

    replays_without(data, recordings, view)


@pytest.mark.skipif(not Path("/proc/sys/kernel").exists(), reason="it has no /proc/sys")
def test_a_setting_of_the_kernel_comes_back(recordings: Path) -> None:
    """It may not be asked for by megabytes at once."""

    def view() -> int:
        return int(Path("/proc/sys/kernel/pid_max").read_text())

    app, recording = record_wsgi(recordings, lambda: str(view()))
    assert_identical(recording, app)
    assert view() > 0


@pytest.mark.parametrize("size_bytes", [0, 1, 300_000, 4 << 20, (4 << 20) + 1])
def test_a_file_of_any_size_is_kept_up_to_the_limit(tmp_path: Path, size_bytes: int) -> None:
    """One byte more than that, and it says that it was cut."""
    (tmp_path / "file").write_bytes(b"x" * size_bytes)
    content = file_access.content_of(tmp_path / "file")
    assert content is not None
    assert (len(content[0]), content[1]) == (min(size_bytes, 4 << 20), size_bytes > 4 << 20)


def test_the_working_folder_itself_has_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lies elsewhere on another machine: what was listed there is found by where it is run."""
    monkeypatch.chdir(tmp_path)
    assert world_path(".") == world_path(tmp_path) == world_path(f"{tmp_path}/") == "."
