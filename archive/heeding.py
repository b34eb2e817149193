"""Heeding what is said in hubs: what admins say there becomes decisions about people.

What was heard waits in the store. Here each remark is settled once, in the order in which it was
said, in one transaction with the decision that it leads to: by an admin of the hub it is a
correction like any other (``correcting``), by anybody else it is only counted. What cannot be done
is answered in the topic; what can is answered by the topic itself, once it follows.

A title that we gave a topic comes back to us too: it is known by our own record of giving it, not
by its words, so that an admin may give the same one. Whoever renamed a topic, the title recorded of
it is the one it has, and publishing gives it the one it should have.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Final

from archive.chats import message_link
from archive.correcting import Act, live, merge, reject, rename, undo
from archive.correcting.answering import whose
from archive.errors import Permanent
from archive.finding import Register, find_identity
from archive.heeding_ports import ACTOR, Fate, RemarkDesk, RemarkStore, WaitingRemark
from archive.identity import events
from archive.identity.events import Decision, identity_cell
from archive.ids import DecisionId, IdentityId
from archive.publishing.doubts import REVIEW
from archive.publishing.records import HubNo
from archive.publishing.visible_text import shortened
from archive.publishing.wanted import topic_title, unnamed_title
from archive.records import Counts
from archive.remarks import Command, Remark, RemarkKind, Verb, read_command, read_title

LONGEST_ANSWER: Final = 300
"""UTF-16 units: enough to name what is in the way, too little to fill a topic."""

LONGEST_QUOTE: Final = 60

# Telegram tells whole seconds, cut off.
_SECOND: Final = timedelta(seconds=1)

_ANSWERS: Final = frozenset({Verb.NOT_ME, Verb.YES, Verb.NO})
"""What is said about one post, and has nothing to do with what is said about another."""

_CLOCKS_DIFFER: Final = timedelta(minutes=10)
"""Telegram's clock and the database's; nobody is named so soon after they were found."""


def heed(store: RemarkStore, register: Register, limit: int = 200) -> Counts:
    """Settle what was said in hubs, in its order; a second time there is nothing left.

    A remark that cannot be judged yet keeps the later ones of its hub waiting.

    Returns:
        How many came to which fate, and how many ``waiting``.

    Raises:
        Transient: Somebody else is deciding; what was settled before stays so.
    """
    fates: Counter[str] = Counter()
    held: set[HubNo] = set()
    for waiting in store.waiting(limit):
        if waiting.may is None or waiting.hub_no in held:
            held.add(waiting.hub_no)
            fates["waiting"] += 1
            continue
        with store.settling(waiting.remark_id) as desk:
            if desk is not None:
                fates[_settle(desk, register, waiting)] += 1
    return Counts(dict(fates))


def _settle(desk: RemarkDesk, register: Register, waiting: WaitingRemark) -> Fate:
    fate, answer = _fate(desk, register, waiting)
    desk.settle(fate, answer)
    return fate


def _fate(desk: RemarkDesk, register: Register, waiting: WaitingRemark) -> tuple[Fate, str | None]:
    is_title = waiting.remark.kind is RemarkKind.TITLE
    if is_title:
        desk.note_title()
    if waiting.is_own and desk.is_echo():
        return Fate.ECHO, None
    if not waiting.may:
        return Fate.STRANGER, None
    try:
        with desk.trying():
            decision = _decide(desk, register, waiting)
    except Permanent as refusal:
        return Fate.REFUSED, _answer(waiting.remark, str(refusal))
    if decision is not None:
        return Fate.DECIDED, None
    return Fate.NOTHING, None if is_title else _answer(waiting.remark, "it is so already")


def _decide(desk: RemarkDesk, register: Register, waiting: WaitingRemark) -> Decision | None:
    remark, identity_id, act = waiting.remark, waiting.identity_id, _act(waiting)
    command = None if remark.is_title else read_command(remark.text)
    if desk.is_overtaken(by_answers=command is not None and command.verb in _ANSWERS):
        # It was met late, by reading the hub; nobody may count on it any more.
        raise Permanent("something said later was done already, say it again if this one holds")
    if remark.is_title:
        return _retitle(desk, waiting, act)
    if command is None:
        raise Permanent("that is no command")
    if identity_id == REVIEW:
        return _review(desk, waiting, command.verb, act)
    match command.verb:
        case Verb.NAME:
            _require(command, "say the name too: /name Ada Lovelace")
            _require_latest(desk, waiting)
            return rename(desk, identity_id, command.argument, act)
        case Verb.MERGE:
            _require(command, "say whom by their number: /merge #12")
            other = find_identity(register, command.argument).identity.identity_id
            _require_known_then(desk, waiting, other)
            return merge(desk, [other], identity_id, act)
        case Verb.NOT_ME:
            faces = desk.faces_in_post()
            if faces is None:
                raise Permanent("answer the picture that does not show them")
            return reject(desk, faces, identity_id, act) if faces else None
        case Verb.UNDO:
            # Not what was decided elsewhere: that may be about hundreds of others as well.
            return _take_back(desk, desk.last_said(), act)
        case Verb.YES | Verb.NO:
            raise Permanent("nothing is asked in this topic")


def _review(desk: RemarkDesk, waiting: WaitingRemark, verb: Verb, act: Act) -> Decision | None:
    """Do what is said in the topic of open questions.

    A question that was settled meanwhile is answered as any decision that comes late: where a
    person said otherwise, that stands.
    """
    if verb is Verb.UNDO:
        place = act.cause.removesuffix(str(waiting.remark.message_id))
        return _take_back(desk, desk.last_said_at(place), act)
    if verb not in {Verb.YES, Verb.NO}:
        raise Permanent("say that in the topic of the person")
    doubt = desk.doubt_in_post()
    if doubt is None:
        raise Permanent("answer the picture that is asked about")
    face = desk.faces([doubt.face_id]).get(doubt.face_id)
    if face is None:
        raise Permanent("the face was deleted since")
    if face.suppressed:
        raise Permanent("somebody said since that it is no face")
    return whose(desk, doubt.face_id, doubt.identity_id, act, yes=verb is Verb.YES)


def _take_back(desk: RemarkDesk, last: DecisionId | None, act: Act) -> Decision | None:
    if last is None:
        raise Permanent("nothing that was said here is left to take back")
    return undo(desk, last, act)


def _retitle(desk: RemarkDesk, waiting: WaitingRemark, act: Act) -> Decision | None:
    """Take a title that somebody gave the topic for the person's name.

    The topic of somebody who was merged names nobody; one without a name is called by its number.
    """
    person = desk.person(waiting.identity_id)
    if person is None or not person.identity.state.live:
        return None
    title = read_title(waiting.remark.text)
    if not title:
        raise Permanent("a name needs something that can be seen")
    if title == topic_title(person.identity):
        return None
    _require_latest(desk, waiting)
    label = None if title == unnamed_title(person.identity) else title
    return rename(desk, waiting.identity_id, label, act)


def _require_latest(desk: RemarkDesk, waiting: WaitingRemark) -> None:
    """Refuse a name that was given before another one which the archive learned first.

    Names said in Telegram reach us in their order, however late.
    """
    whose = live(desk, waiting.identity_id).identity.identity_id
    told = desk.writing([identity_cell(events.Register.LABEL, whose)])
    if not told:
        return
    last = told[-1]
    is_later = last.decided_at - waiting.remark.sent_at >= _SECOND
    if is_later and not last.decision.actor.startswith(ACTOR):
        raise Permanent("another name was given since, say it again if this one holds")


def _require_known_then(desk: RemarkDesk, waiting: WaitingRemark, other: IdentityId) -> None:
    """Refuse a number that was given to nobody yet when it was said.

    After a restored backup commands are met again, and numbers may mean other people.
    """
    told = desk.writing([identity_cell(events.Register.STATE, other)])
    if told and told[0].decided_at - waiting.remark.sent_at > _CLOCKS_DIFFER:
        raise Permanent("nobody had that number when it was said")


def _require(command: Command, otherwise: str) -> None:
    if not command.argument:
        raise Permanent(otherwise)


def _act(waiting: WaitingRemark) -> Act:
    remark = waiting.remark
    link = message_link(waiting.hub, remark.message_id, remark.topic_id)
    return Act(f"{ACTOR}{remark.sender_id}", link or "a hub")


def _answer(remark: Remark, problem: str) -> str:
    said = f"renamed to “{remark.text}”" if remark.kind is RemarkKind.TITLE else remark.text
    return f"✗ {shortened(said, LONGEST_QUOTE)}: {shortened(problem, LONGEST_ANSWER)}"
