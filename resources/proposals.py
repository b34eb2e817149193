"""Where a proposal of a new grouping waits until a person applies it: one file of JSON.

It holds random ids and counts, no names, vectors or places, so it outlives an erasure without
telling anything; whatever it says is checked again when it is applied. It may be lost: proposing
again is safe.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from archive.errors import Permanent
from archive.identity.proposals import Part, PartKind, Proposal
from archive.ids import FaceId, IdentityId

_FORMAT = 1


class ProposalFile:
    """The latest proposal, in a file that is always whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, proposal: Proposal) -> None:
        """Keep a proposal instead of the one before."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(_written(proposal)), encoding="utf-8")
        fresh.replace(self._path)

    def kept(self) -> Proposal | None:
        """Give the latest; None where there is none.

        Raises:
            Permanent: The file is not one of ours, or of another version.
        """
        if not self._path.exists():
            return None
        try:
            return _read(json.loads(self._path.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise Permanent(
                "the kept proposal cannot be read: run `face-archive identities recluster` again"
            ) from exc


def _written(proposal: Proposal) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "model": proposal.model,
        "faces": proposal.faces,
        "applied": sorted(proposal.applied),
        "identities": {
            str(identity): [proposal.people[identity], version]
            for identity, version in proposal.versions.items()
        },
        "parts": [
            {
                "number": part.number,
                "kind": str(part.kind),
                "sources": [str(identity) for identity in part.sources],
                "target": part.target and str(part.target),
                "faces": {str(face): old and str(old) for face, old in part.faces.items()},
            }
            for part in proposal.parts
        ],
    }


def _read(data: dict[str, Any]) -> Proposal:
    if data["format"] != _FORMAT:
        raise ValueError("another format")
    identities = {_identity(key): pair for key, pair in data["identities"].items()}
    return Proposal(
        model=data["model"],
        faces=data["faces"],
        parts=tuple(_part(part) for part in data["parts"]),
        versions={identity: version for identity, (_, version) in identities.items()},
        people={identity: number for identity, (number, _) in identities.items()},
        applied=frozenset(data["applied"]),
    )


def _part(data: dict[str, Any]) -> Part:
    return Part(
        number=data["number"],
        kind=PartKind(data["kind"]),
        sources=tuple(_identity(text) for text in data["sources"]),
        target=_identity(data["target"]) if data["target"] else None,
        faces={
            FaceId(UUID(face)): _identity(old) if old else None
            for face, old in data["faces"].items()
        },
    )


def _identity(text: str) -> IdentityId:
    return IdentityId(UUID(text))
