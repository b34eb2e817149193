"""What is so at one moment of a pass: who has joined whom, who is awake, who scores how.

Identities are numbers here: first those that exist, then those that begin. A face that joins
changes the situation of others, who are told. Which face joins whom, and when a pass ends, is
``deciding``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from archive.identity.constraints import Links
from archive.identity.gallery import Gallery, portrait
from archive.identity.matching import ScoreBoard, identity_scores
from archive.identity.records import FaceSet
from archive.identity.rules import Rules
from archive.identity.standing import Frame, Remembered, Standing, remembered
from archive.ids import FaceId

_ROWS = 1024


@dataclass(frozen=True, slots=True, order=True)
class Joining:
    """A face, by its row, that becomes an identity's, by its number."""

    row: int
    identity: int
    similarity: float


class Situation:
    """What is so now.

    Args:
        begin: Who is who before the pass.
        rules: The numbers to decide by.
        links: What people said about faces.

    Attributes:
        faces: All faces without identity; rows are theirs.
        board: The scores of those that are awake.
        portraits: What is to be remembered of identities that got faces, by number.
        decided: Rows that the pass had to do with.
    """

    def __init__(self, begin: Standing, rules: Rules, links: Links) -> None:
        self.faces = begin.faces
        self.portraits: dict[int, Remembered] = {}
        self.decided: set[int] = set()
        self._begin = begin
        self._rules = rules
        self._links = links
        number_of = {identity: number for number, identity in enumerate(begin.identities)}
        self._beside: dict[Frame, set[int]] = {
            frame: {number_of[one] for one in identities if one in number_of}
            for frame, identities in begin.beside.items()
        }
        self._where: dict[FaceId, int] = {
            face_id: number_of[identity]
            for face_id, identity in begin.where.items()
            if identity in number_of
        }
        self._row_of = {face.face_id: row for row, face in enumerate(self.faces.faces)}
        self._in_frame: dict[Frame, list[int]] = {}
        for row, face in enumerate(self.faces.faces):
            self._in_frame.setdefault(face.frame, []).append(row)
        self._sleepers_near: dict[int, list[int]] = {}
        for row, identities in enumerate(begin.near):
            for identity in identities:
                if identity in number_of:
                    self._sleepers_near.setdefault(number_of[identity], []).append(row)
        self._gallery = Gallery(begin.portraits, self._dims())
        self.board = ScoreBoard(self.faces.vectors, self._gallery, rules)
        self._known: dict[int, FaceSet] = {}
        self._rows: dict[int, list[int]] = {}

    def _dims(self) -> int:
        portraits = self._begin.portraits
        return len(portraits[0].centre) if portraits else self.faces.vectors.shape[1]

    def next_number(self) -> int:
        """Return the number of the identity that begins next."""
        return len(self._gallery)

    def homes(self, face_ids: Iterable[FaceId]) -> set[int]:
        """Return the identities that some of these faces have."""
        return {self._where[face_id] for face_id in face_ids if face_id in self._where}

    def rows(self, face_ids: Iterable[FaceId]) -> list[int]:
        """Return the rows of those faces that began the pass without identity."""
        return sorted(self._row_of[face_id] for face_id in face_ids if face_id in self._row_of)

    def wake(self, causes: Sequence[int]) -> None:
        """Wake the faces that could found with faces that are new or in a new situation."""
        self.decided.update(causes)
        sleepers = set(self.board.open_rows().tolist()) - set(self.board.awake())
        if not sleepers or self._rules.min_faces == 1:
            return
        rows = np.asarray(sorted(sleepers), dtype=np.intp)
        vectors = self.faces.vectors
        near = np.zeros(len(rows), dtype=np.bool_)
        for start in range(0, len(causes), _ROWS):
            some = vectors[np.asarray(causes[start : start + _ROWS], dtype=np.intp)]
            near |= (vectors[rows] @ some.T).max(axis=1) >= self._rules.found
        self.decided.update(self.board.wake(rows[near].tolist()))

    def join(self, joinings: Sequence[Joining]) -> set[int]:
        """Let faces be an identity's.

        Returns:
            The faces whose situation this changed, the joined ones among them.
        """
        concerned: set[int] = set()
        for joining in joinings:
            face = self.faces.faces[joining.row]
            self._rows.setdefault(joining.identity, []).append(joining.row)
            self._beside.setdefault(face.frame, set()).add(joining.identity)
            self._where[face.face_id] = joining.identity
            parted = self._links.parted_from(face.face_id)
            concerned.update(self._row_of[other] for other in parted if other in self._row_of)
            concerned.update(self._in_frame[face.frame])
        rows = [joining.row for joining in joinings]
        self.board.close(rows)
        self.decided.update(rows)
        return concerned | self._portray({joining.identity for joining in joinings})

    def rescore(self, identities: Sequence[int]) -> None:
        """Score everybody for identities that changed; wake whoever is or was like them."""
        was_like = (row for number in identities for row in self._sleepers_near.get(number, ()))
        self.wake([*self.board.wake(was_like), *self.board.changed(identities)])

    def likeness(self, row: int, identity: int) -> float:
        """Return the score of a face for an identity."""
        exemplars = self._gallery.exemplars[identity, : self._gallery.sizes[identity]]
        return float(identity_scores(self.faces.vectors[row : row + 1], exemplars)[0])

    def barred(self, row: int) -> set[int]:
        """Give the identities that people parted a face from."""
        parted = self._links.parted_from(self.faces.faces[row].face_id)
        return self.homes(parted)

    def scores(self, row: int) -> list[tuple[int, float]]:
        """Give an awake face's scores for the identities that it may join."""
        barred = self.barred(row)
        beside = self._beside.get(self.faces.faces[row].frame, ())
        scores = []
        for identity, value in self.board.scores(row):
            value -= self._rules.same_frame_penalty if identity in beside else 0.0
            if value >= self._rules.floor and identity not in barred:
                scores.append((identity, value))
        return scores

    def best(self, row: int) -> float:
        """Return an awake face's highest score; −1 where none could decide anything."""
        return max((value for _, value in self.scores(row)), default=-1.0)

    def is_stranger(self, row: int, identity: int) -> bool:
        """Tell whether an open face is so unlike an identity that it cannot join."""
        return self.board.is_awake(row) and self._rules.accept > dict(self.board.scores(row)).get(
            identity, -1.0
        )

    def _portray(self, identities: Iterable[int]) -> set[int]:
        """Portray identities that got faces, and score everybody for them; return whom."""
        changed = sorted(identities)
        self._read(changed)
        concerned = {row for number in changed for row in self.board.like(number)}
        for number in changed:
            members = self.faces.take(self._rows[number])
            if number in self._known:
                members = self._known[number].joined_by(members)
            members = members.in_order()
            one = portrait(members)
            self._gallery.put(number, one)
            self.portraits[number] = remembered(one, members)
        self.rescore(changed)
        return concerned.union(*(self.board.like(number) for number in changed))

    def _read(self, identities: Sequence[int]) -> None:
        """Read the faces of identities that were there before the pass, once."""
        unread = [n for n in identities if n not in self._known and n < len(self._begin.identities)]
        names = [self._begin.identities[number] for number in unread]
        if names:
            read = self._begin.members(names)
            self._known |= {n: read[name] for n, name in zip(unread, names, strict=True)}
