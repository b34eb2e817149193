"""What a network runs on: names for a setting, and sessions that all look like ONNX Runtime's.

`cpu`, `cuda`, `tensorrt` and `coreml` are execution providers of ONNX Runtime, as far as the
installed build has them. `openvino` and `openvino-bf16` are Intel's own runtime (the extra
`openvino`); bf16 halves the time of a network on processors with AVX512-BF16 or AMX, and is never
chosen by `auto` elsewhere, because there it would be emulated.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from archive.errors import Permanent
from archive.faces.records import Provider

AUTO: Final = "auto"
_ONNX_RUNTIME: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cpu": "CPUExecutionProvider",
        "cuda": "CUDAExecutionProvider",
        "tensorrt": "TensorrtExecutionProvider",
        "coreml": "CoreMLExecutionProvider",
    }
)
_BFLOAT16_FLAGS: Final = frozenset({"avx512_bf16", "amx_bf16"})
# TensorRT builds an engine for minutes at each first shape, CoreML for seconds: only when asked.
_AUTOMATIC: Final[tuple[Provider, ...]] = ("cuda", "openvino-bf16", "openvino", "cpu")


def choose_provider(wanted: Sequence[str]) -> Provider:
    """Give the first of some providers that this machine has.

    Args:
        wanted: Names, best first; `auto` stands for all that are fast without preparation.

    Raises:
        Permanent: A name is unknown, or none of them is here.
    """
    names = [name for each in wanted for name in (_AUTOMATIC if each == AUTO else (each,))]
    if unknown := [name for name in names if name not in get_args(Provider)]:
        known = ", ".join((AUTO, *get_args(Provider)))
        raise Permanent(f"no provider is called {unknown[0]!r}: there are {known}")
    here = available_providers()
    for name in names:
        chosen = next((each for each in here if each == name), None)
        if chosen is not None:
            return chosen
    raise Permanent(
        f"none of the providers {', '.join(names)} is here, there are {', '.join(here)}: install "
        "the runtime (onnxruntime-gpu for cuda and tensorrt, the extra `openvino` for openvino) "
        "or add cpu to VISION_PROVIDERS"
    )


def available_providers() -> tuple[Provider, ...]:
    """List what the installed runtimes and this processor offer."""
    import onnxruntime

    offered = set(onnxruntime.get_available_providers())
    found: list[Provider] = []
    for name in get_args(Provider):
        if name == "openvino-bf16":
            has = _has_openvino() and _has_bfloat16()
        elif name == "openvino":
            has = _has_openvino()
        else:
            has = _ONNX_RUNTIME[name] in offered
        if has:
            found.append(name)
    return tuple(found)


def open_session(path: Path, provider: Provider, *, vectors: bool = False) -> Any:
    """Open a network for one worker: it works on the thread that calls it and nowhere else.

    Args:
        path: The ONNX file.
        provider: One that is available.
        vectors: Whether it makes vectors, which are kept for years and compared with those of
            other machines: those are always made in float32.

    Returns:
        What insightface uses of `onnxruntime.InferenceSession`.

    Raises:
        Permanent: ONNX Runtime could not start the provider and would have gone on without.
    """
    if provider in {"openvino", "openvino-bf16"}:
        half = provider == "openvino-bf16" and not vectors
        return OpenVinoSession(path, "bf16" if half else "f32")
    import onnxruntime

    name = _ONNX_RUNTIME[provider]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only: shape warnings of old exports are not ours
    # What a provider cannot run, the processor does.
    providers = [name] if provider == "cpu" else [name, _ONNX_RUNTIME["cpu"]]
    session = onnxruntime.InferenceSession(str(path), options, providers=providers)
    if name not in session.get_providers():
        raise Permanent(f"{provider} is installed but does not start: see the log for its reason")
    return session


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output as ONNX Runtime describes it; a dimension without size is a name."""

    name: str
    shape: tuple[int | str, ...]
    type: str = "tensor(float)"


_FIRST_USE = threading.Lock()


class OpenVinoSession:
    """A network on OpenVINO, with as much of ONNX Runtime's interface as insightface uses."""

    def __init__(self, path: Path, precision: str) -> None:
        """Compile the network for one thread.

        Args:
            path: The ONNX file.
            precision: `f32` or `bf16`, of the arithmetic; inputs and outputs stay float32.
        """
        import onnx
        import openvino

        graph = onnx.load(str(path), load_external_data=False).graph
        self._inputs = [_port(value) for value in graph.input]
        self._outputs = [_port(value) for value in graph.output]
        options = {
            "INFERENCE_NUM_THREADS": 1,
            "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": precision,
            # Each worker's network would choose the same core.
            "ENABLE_CPU_PINNING": False,
        }
        with _FIRST_USE:
            # What its binding makes at the first conversion is guarded by a lock that is waited
            # for with Python's own held: two threads that come first together never return.
            openvino.Type.f32.to_dtype()
        compiled = openvino.Core().compile_model(str(path), "CPU", options)
        self._request = compiled.create_infer_request()

    def get_inputs(self) -> list[Port]:
        """Describe what goes in."""
        return self._inputs

    def get_outputs(self) -> list[Port]:
        """Describe what comes out."""
        return self._outputs

    def get_providers(self) -> list[str]:
        """Name the runtime."""
        return ["OpenVINO"]

    def run(
        self, names: Sequence[str], feed: Mapping[str, NDArray[np.float32]]
    ) -> list[NDArray[np.float32]]:
        """Run the network once; the answer is the caller's to keep."""
        answer = self._request.infer(dict(feed), share_inputs=True)
        return [np.array(answer[name]) for name in names]


def _port(value: Any) -> Port:
    dims = value.type.tensor_type.shape.dim
    return Port(value.name, tuple(dim.dim_value or dim.dim_param or "?" for dim in dims))


def _has_openvino() -> bool:
    return importlib.util.find_spec("openvino") is not None


def _has_bfloat16() -> bool:
    """Ask Linux; elsewhere nobody says, and f32 it is."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return not _BFLOAT16_FLAGS.isdisjoint(flags.split())
