"""Vectors that know which model made them, so that those of two models are never compared.

Numbers of two models have the same shape and mean nothing to each other: a cosine between them is
noise that looks like an answer. So vectors carry their model's name from the engine and the store
on, and whatever numpy does with them together – a product, a difference, joining their rows –
refuses two names. What comes of arithmetic is a plain array again; who keeps a direction that was
computed (a mean, a portrait) says with `made_by` whose it is.

A plain array has no name and is compared with anything: it is what tests and generated worlds
have. Nothing that engines, workers or the store hand out is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from archive.errors import Permanent

_KEEPING: Final = frozenset({np.concatenate, np.stack, np.vstack, np.split, np.copy})
"""Of numpy's functions those whose result is still vectors."""


class MixedModels(Permanent):
    """Vectors of two models were about to be compared."""


class ModelVectors(np.ndarray[Any, np.dtype[Any]]):
    """Vectors of one model; made by `made_by`, and by looking at a part of others.

    Attributes:
        model: The model's name; empty where it was lost.
    """

    model: str

    def __array_finalize__(self, source: NDArray[Any] | None) -> None:
        """Keep the name for views and copies."""
        self.model = model_of(source)

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep the name on the way to another process."""
        return made_by, (self.model, np.asarray(self))

    def __array_ufunc__(
        self,
        ufunc: np.ufunc,
        method: Literal["__call__", "reduce", "reduceat", "accumulate", "outer", "at"],
        *inputs: Any,
        **options: Any,
    ) -> Any:
        """Calculate with plain arrays, once it is sure that they fit together.

        Raises:
            MixedModels: They are of two models.
        """
        into = options.get("out")
        one_model(*inputs, *(into or ()))
        plain = {name: _plain(value) for name, value in options.items()}
        result = getattr(ufunc, method)(*map(_plain, inputs), **plain)
        return result if into is None else into[0]

    def __array_function__(
        self,
        function: Callable[..., Any],
        types: Iterable[type],
        args: Iterable[Any],
        kwargs: Mapping[str, Any],
    ) -> Any:
        """Let numpy work on plain arrays, once it is sure that they fit together.

        Raises:
            MixedModels: They are of two models.
        """
        parts = list(args)
        model = one_model(*(each for part in parts for each in _each(part)))
        named = {name: _plain(value) for name, value in kwargs.items()}
        result = function(*map(_plain, parts), **named)
        if function not in _KEEPING:
            return result
        many = isinstance(result, list)
        return [made_by(model, each) for each in result] if many else made_by(model, result)


def made_by(model: str, vectors: NDArray[Any]) -> NDArray[Any]:
    """Say whose vectors these are; nothing is copied.

    Args:
        model: The model's name; empty for nobody's.
        vectors: (…, dims).
    """
    if not model:
        return np.asarray(vectors)
    named = np.asarray(vectors).view(ModelVectors)
    named.model = model
    return named


def model_of(vectors: object) -> str:
    """Give the name of the model that made vectors; empty for a plain array."""
    return str(getattr(vectors, "model", ""))


def one_model(*vectors: object) -> str:
    """Give the one model of all these vectors; empty where all are plain.

    Raises:
        MixedModels: There are two.
    """
    found = ""
    for each in vectors:
        model = each.model if isinstance(each, ModelVectors) else ""
        if found and model and model != found:
            _refuse(found, model)
        found = found or model
    return found


def require_model(vectors: object, model: str) -> None:
    """Let vectors pass that a model made.

    Raises:
        MixedModels: Another made them.
    """
    if model_of(vectors) not in {"", model}:
        _refuse(model_of(vectors), model)


def _refuse(one: str, other: str) -> NoReturn:
    raise MixedModels(
        f"vectors of {one!r} and {other!r} cannot be compared: they mean different things. "
        "`face-archive models list` shows which model made what, and `models migrate` brings all "
        "faces over to another."
    )


def _each(part: object) -> Iterable[object]:
    return part if isinstance(part, list | tuple) else (part,)


def _plain(part: Any) -> Any:
    if isinstance(part, ModelVectors):
        return part.view(np.ndarray)
    if isinstance(part, list | tuple):
        return type(part)(map(_plain, part))
    return part
