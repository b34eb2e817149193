"""A sandbox in another process: starting it, talking to it, ending it.

Here belong both ends of the talk over its standard input and output. It is for benchmarks: the
server's work then takes nothing from the client's, and can be measured apart from it.
"""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from telegram_sandbox.server import Sandbox

STOP_TIMEOUT_SECONDS: Final = 10.0


class RemoteError(RuntimeError):
    """A function that broke in the sandbox's process."""


class SandboxProcess:
    """A sandbox that runs in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        """Waits until the server listens."""
        self._process = process
        where = self._read()
        self.host: str = where["host"]
        self.port: int = where["port"]
        self.public_key_pem: str = where["public_key_pem"]
        self.pid = process.pid
        """Its process id, to measure time and memory by."""

    def call(self, function: str, **arguments: Any) -> Any:
        """Runs `MODULE:FUNCTION` on the sandbox, over there.

        Args:
            function: takes the sandbox and the arguments; a result that JSON can say comes back.
            arguments: whatever JSON can say.

        Raises:
            RemoteError: it broke.
        """
        assert self._process.stdin is not None
        line = json.dumps({"call": function, "arguments": arguments})
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        said = self._read()
        if "error" in said:
            raise RemoteError(said["error"])
        return said["result"]

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RemoteError(f"the sandbox ended with exit code {self._process.wait()}")
        return json.loads(line)


@contextmanager
def run_in_process(
    scenario: str,
    *,
    latency_seconds: float = 0.0,
    jitter_seconds: float = 0.0,
    bytes_per_second: float | None = None,
    file_dc: int | None = None,
    options: Sequence[str] = (),
) -> Iterator[SandboxProcess]:
    """Runs a sandbox in a process of its own until the block ends.

    Args:
        scenario: `MODULE:FUNCTION` that returns the `Scenario`; importable from the working folder.
        latency_seconds: what every request takes.
        jitter_seconds: up to this much more.
        bytes_per_second: what a connection carries each way.
        file_dc: number of a second data centre for files.
        options: further options of the command.
    """
    command = [sys.executable, "-m", "telegram_sandbox", scenario]
    command += [f"--latency-ms={latency_seconds * 1000}", f"--jitter-ms={jitter_seconds * 1000}"]
    if bytes_per_second is not None:
        command.append(f"--bytes-per-second={bytes_per_second}")
    if file_dc is not None:
        command.append(f"--file-dc={file_dc}")
    with subprocess.Popen(
        [*command, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield SandboxProcess(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def load(name: str) -> Callable[..., Any]:
    """Returns the function that `MODULE:FUNCTION` names."""
    module, _, function = name.partition(":")
    if not function:
        raise ValueError(f"{name!r} is not MODULE:FUNCTION")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


def answer(sandbox: Sandbox, line: str) -> dict[str, Any]:
    """Carries out a line such as `{"call": "MODULE:FUNCTION", "arguments": {}}`."""
    try:
        wanted = json.loads(line)
        result = load(wanted["call"])(sandbox, **wanted.get("arguments", {}))
        json.dumps(result)
    except Exception as error:
        return {"error": repr(error)}
    return {"result": result}
