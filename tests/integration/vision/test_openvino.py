"""OpenVINO under several threads, each trial in a process that has not used it yet."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
THREADS = 4
TRIALS = 3


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A network that gives back what it gets."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("openvino")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("Relu", ["in"], ["out"])],
        "relu",
        [helper.make_tensor_value_info("in", kind, [1, 3])],
        [helper.make_tensor_value_info("out", kind, [1, 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path = tmp_path / "relu.onnx"
    onnx.save(model, str(path))
    return path


def test_threads_whose_first_inferences_meet_all_come_back(network: Path) -> None:
    for _ in range(TRIALS):
        command = [sys.executable, str(Path(__file__)), str(network)]
        done = subprocess.run(command, cwd=ROOT, check=True, timeout=60, stdout=subprocess.PIPE)
        assert done.stdout.split() == [b"6.0"] * THREADS


def meet(network: Path) -> None:
    """Load a network for each thread, then let all of them begin at once."""
    from resources.vision.providers import OpenVinoSession

    sessions = [OpenVinoSession(network, "f32") for _ in range(THREADS)]
    gate = threading.Barrier(THREADS)
    # Threads take turns all the time, so that they meet wherever they can.
    sys.setswitchinterval(1e-6)

    def infer(session: OpenVinoSession) -> None:
        gate.wait()
        (answer,) = session.run(["out"], {"in": np.array([[1, 2, 3]], np.float32)})
        sys.stdout.write(f"{answer.sum()}\n")

    threads = [threading.Thread(target=infer, args=(each,)) for each in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    meet(Path(sys.argv[1]))
