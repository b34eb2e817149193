"""The running webserver's GraphQL API, as far as a backfill needs it: the way that the UI takes.

Three calls and their answers; which windows, and when, is `cli.backfill`'s business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from archive.errors import Permanent, Transient

_TIMEOUT_SECONDS: Final = 60.0
# One request adds this many partitions: the mutation takes one key, but a request takes many.
_KEYS_A_REQUEST: Final = 200

_REPOSITORIES = """
query Repositories {
  repositoriesOrError {
    __typename
    ... on Error { message }
    ... on RepositoryConnection {
      nodes { name location { name } assetNodes { assetKey { path } } }
    }
  }
}
"""

_LAUNCH = """
mutation Launch($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on Error { message }
  }
}
"""

_STATUS = """
query Status($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    __typename
    ... on Error { message }
    ... on PartitionBackfill {
      status
      numPartitions
      error { message }
      assetBackfillData {
        assetBackfillStatuses {
          ... on AssetPartitionsStatusCounts {
            numPartitionsMaterialized
            numPartitionsFailed
          }
        }
      }
    }
  }
}
"""

_ADDED = frozenset({"AddDynamicPartitionSuccess", "DuplicateDynamicPartitionError"})
_OVER = frozenset({"COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED"})
_WELL = frozenset({"COMPLETED", "COMPLETED_SUCCESS"})


@dataclass(frozen=True, slots=True)
class BackfillState:
    """How far a backfill is.

    Attributes:
        status: Dagster's own word.
        done: Windows whose slowest asset is done.
        failed: Windows in which any asset failed.
    """

    status: str
    total: int
    done: int
    failed: int
    error: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens."""
        return self.status in _OVER

    @property
    def went_well(self) -> bool:
        """Whether every window is done."""
        return self.status in _WELL and not self.failed


class DagsterApi:
    """A webserver on this machine.

    Args:
        port: Where `face-archive up` serves it.
    """

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"

    def check(self) -> None:
        """Find out whether it runs.

        Raises:
            Permanent: Nobody answers; the message says how to start it.
        """
        self._call("{ version }", {})

    def add_partitions(self, definition: str, keys: Sequence[str], *, asset: str) -> None:
        """Make partition keys known, in this order; known ones stay where they are.

        Args:
            definition: Name of the dynamic partitions.
            keys: Those to add.
            asset: One that is partitioned so: tells which of the loaded code is meant.
        """
        repository = self._repository_of(asset)
        for start in range(0, len(keys), _KEYS_A_REQUEST):
            some = keys[start : start + _KEYS_A_REQUEST]
            variables: dict[str, object] = {"repository": repository, "definition": definition}
            variables |= {f"k{index}": key for index, key in enumerate(some)}
            for answer in self._call(_adding(len(some)), variables).values():
                if answer["__typename"] not in _ADDED:
                    raise Permanent(f"Dagster took no partition: {answer.get('message')}")

    def launch(
        self,
        assets: Sequence[str],
        keys: Sequence[str],
        *,
        title: str,
        tags: Mapping[str, str],
    ) -> str:
        """Start a backfill of these assets and partitions; return its id."""
        parameters = {
            "assetSelection": [{"path": [name]} for name in assets],
            "partitionNames": list(keys),
            "title": title,
            "tags": [{"key": name, "value": value} for name, value in tags.items()],
        }
        answer = self._call(_LAUNCH, {"params": parameters})["launchPartitionBackfill"]
        if answer["__typename"] != "LaunchBackfillSuccess":
            raise Permanent(f"Dagster launched nothing: {answer.get('message')}")
        return str(answer["backfillId"])

    def state(self, backfill_id: str) -> BackfillState:
        """Ask how far a backfill is."""
        answer = self._call(_STATUS, {"id": backfill_id})["partitionBackfillOrError"]
        if answer["__typename"] != "PartitionBackfill":
            raise Permanent(f"Dagster does not know the backfill: {answer.get('message')}")
        assets = (answer["assetBackfillData"] or {}).get("assetBackfillStatuses", [])
        counted = [each for each in assets if each]
        return BackfillState(
            status=answer["status"],
            total=answer["numPartitions"] or 0,
            done=min((each["numPartitionsMaterialized"] for each in counted), default=0),
            failed=max((each["numPartitionsFailed"] for each in counted), default=0),
            error=(answer["error"] or {}).get("message"),
        )

    def url(self, backfill_id: str) -> str:
        """Say where the UI shows a backfill."""
        return f"{self.address}/runs/b/{backfill_id}"

    def _repository_of(self, asset: str) -> dict[str, str]:
        """Name the code that defines an asset: where it is loaded from is the server's choice."""
        answer = self._call(_REPOSITORIES, {})["repositoriesOrError"]
        for node in answer.get("nodes", []):
            if {"assetKey": {"path": [asset]}} in node["assetNodes"]:
                return {
                    "repositoryName": node["name"],
                    "repositoryLocationName": node["location"]["name"],
                }
        raise Transient(
            f"Dagster on {self.address} has not loaded the archive's assets (yet): "
            f"{answer.get('message', 'look at its code location')}."
        )

    def _call(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        import requests

        try:
            answer = requests.post(
                f"{self.address}/graphql",
                json={"query": query, "variables": variables},
                timeout=_TIMEOUT_SECONDS,
            )
            answer.raise_for_status()
            body = answer.json()
        except requests.ConnectionError as exc:
            raise Permanent(
                f"Dagster does not answer on {self.address}: start it with `face-archive up` (or "
                "`make up`) in another terminal, then run this again."
            ) from exc
        except requests.RequestException as exc:
            raise Transient(f"Dagster did not answer as expected: {exc}") from exc
        if body.get("errors"):
            raise Permanent(f"Dagster refused the question: {body['errors'][0]['message']}")
        return dict(body["data"])


def _adding(count: int) -> str:
    """Write one mutation that adds so many partitions, by aliases."""
    names = range(count)
    declared = " ".join(f"$k{index}: String!" for index in names)
    fields = "\n".join(
        f"k{index}: addDynamicPartition(repositorySelector: $repository, "
        f"partitionsDefName: $definition, partitionKey: $k{index}) "
        "{ __typename ... on Error { message } }"
        for index in names
    )
    return (
        f"mutation Add($repository: RepositorySelector!, $definition: String!, {declared}) "
        f"{{\n{fields}\n}}"
    )
