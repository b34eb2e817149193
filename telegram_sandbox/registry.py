"""Which function answers which request.

Here belong the decorator that registers a handler, the context that a handler receives, and the
names of methods. The handlers themselves live in `methods/`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from telegram_sandbox.errors import RpcRefusal

if TYPE_CHECKING:
    from telegram_sandbox.faults import Verdict
    from telegram_sandbox.records import User
    from telegram_sandbox.server import Sandbox
    from telegram_sandbox.session import Session
    from telegram_sandbox.views import Views
    from telegram_sandbox.world import World


def method_name(request: Any) -> str:
    """Returns the TL name of a request or its class, such as `messages.getHistory`."""
    cls = request if isinstance(request, type) else type(request)
    namespace = cls.__module__.rpartition(".")[2]
    name = cls.__name__.removesuffix("Request")
    name = name[0].lower() + name[1:]
    return name if namespace == "functions" else f"{namespace}.{name}"


@dataclass(slots=True)
class Context:
    """What a handler knows besides its request."""

    sandbox: "Sandbox"
    world: "World"
    session: "Session"
    verdict: "Verdict"
    dc: int
    takeout_id: int | None = None
    id_range: tuple[int, int] | None = None
    """Smallest and largest id of the messages that the request is about."""

    @property
    def account(self) -> "User":
        """The account that asks.

        Raises:
            RpcRefusal: nobody is logged in with this key.
        """
        if self.session.key.user is None:
            raise RpcRefusal("AUTH_KEY_UNREGISTERED")
        return self.session.key.user

    @property
    def views(self) -> "Views":
        """The world in the account's eyes."""
        from telegram_sandbox.views import Views

        return Views(self.world, self.account)


Handler = Callable[[Context, Any], Any]
_H = TypeVar("_H", bound=Handler)


@dataclass(frozen=True, slots=True)
class Entry:
    """A registered handler."""

    handler: Handler
    public: bool


_HANDLERS: dict[type, Entry] = {}


def handles(*requests: type, public: bool = False) -> Callable[[_H], _H]:
    """Registers the function that answers these requests.

    Args:
        requests: request classes of Telethon's TL layer.
        public: whether it may be called by a key that nobody is logged in with.
    """

    def register(handler: _H) -> _H:
        for request in requests:
            if request in _HANDLERS:
                raise ValueError(f"two handlers for {method_name(request)}")
            _HANDLERS[request] = Entry(handler, public)
        return handler

    return register


def entry_for(request: Any) -> Entry | None:
    """Returns what was registered for that request's class."""
    return _HANDLERS.get(type(request))
