"""What the grader, the warm process and a forked kernel tell each other: small typed messages, as bounded JSON.

Both ends of every socket between them use `send` and `receive`, so a message is either one of these, with every field
of its declared type, or a `BadMessage`. Three sockets carry them, none of which a student's code can reach:

- the *channel*, from the grader to the warm process: `Prepare` once, answered by `Ready` or `NotStarted`; then a
  `StartKernel` for each kernel, with one end of a fresh lifeline as an open descriptor;
- a kernel's *lifeline*, between the grader and the warm process: `Forked`, then `SandboxClosed` or `NotStarted`,
  perhaps `Ended`, at last `Returned`; the other way only `Signal`;
- the *report* of a child, to the warm process: one `SandboxClosed` or `NotStarted`.
"""

import json
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin

from proctor.errors import NoKernel
from proctor.sandbox.limits import Excess
from proctor.sandbox.policy import Policy

MAX_BYTES = 1 << 16
MAX_DETAIL = 2000  # characters of somebody else's text, for example of an import error


class BadMessage(ValueError):
    """Not one of the messages that were expected here."""


@dataclass(frozen=True)
class Message:
    """One thing that is said; a subclass for each."""


@dataclass(frozen=True)
class Prepare(Message):
    """Import these modules, with these variables in the environment, then say whether you are ready."""

    preload: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Ready(Message):
    """Everything is imported; kernels can be asked for."""


@dataclass(frozen=True)
class StartKernel(Message):
    """Fork a kernel with this Jupyter connection under this policy; `folder` is its run folder, to be made."""

    connection: Mapping[str, str | int]
    policy: Policy
    folder: str


@dataclass(frozen=True)
class Forked(Message):
    """There is a process; its sandbox is not closed yet."""

    pid: int


@dataclass(frozen=True)
class SandboxClosed(Message):
    """The sandbox is closed but for the layers that are `missing`; with `hidden`, Linux limits the kernel's files."""

    missing: tuple[str, ...]
    hidden: bool


@dataclass(frozen=True)
class NotStarted(Message):
    """There is no kernel, or no warm process; the fields are those of `proctor.errors.KernelNotStarted`."""

    kind: NoKernel
    detail: str = ""
    name: str = ""
    seconds: float = 0.0
    files: int = 0
    megabytes: int = 0


@dataclass(frozen=True)
class Ended(Message):
    """The kernel is being ended because it went past a limit."""

    excess: Excess


@dataclass(frozen=True)
class Returned(Message):
    """The kernel has ended with this return code; negative: the signal that ended it."""

    returncode: int


@dataclass(frozen=True)
class Signal(Message):
    """Send the kernel this signal."""

    number: int


M = TypeVar("M", bound=Message)


def send(to: socket.socket, message: Message, descriptors: tuple[int, ...] = (), flags: int = 0) -> None:
    """Send one message. Raises ``OSError`` when the other side is gone, `BadMessage` if it would be too large."""
    data = json.dumps([type(message).__name__, asdict(message)]).encode()
    if len(data) > MAX_BYTES:
        raise BadMessage(f"{type(message).__name__} is larger than {MAX_BYTES} bytes")
    socket.send_fds(to, [data], descriptors, flags) if descriptors else to.send(data, flags)


def receive(source: socket.socket, *expected: type[M]) -> M | None:
    """Receive one message of the types that are `expected`; None when the other side is gone."""
    data = source.recv(MAX_BYTES + 1)
    return decode(data, *expected) if data else None


def decode(data: bytes, *expected: type[M]) -> M:
    """Read what `send` has sent. Raises `BadMessage` for anything but one of the types that are `expected`."""
    try:
        if len(data) > MAX_BYTES:
            raise ValueError("too large")
        name, values = json.loads(data)
        message: M = _read({kind.__name__: kind for kind in expected}[name], values)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadMessage(f"{type(error).__name__}: {error}"[:MAX_DETAIL]) from None
    return message


def _read(declared: Any, value: Any) -> Any:
    """Return `value` if it is what a field `declared`, with tuples, mappings and dataclasses rebuilt."""
    origin, arguments = get_origin(declared), get_args(declared)
    if isinstance(declared, type) and is_dataclass(declared):
        types = {field.name: field.type for field in fields(declared)}
        return declared(**{name: _read(types[name], entry) for name, entry in _only(dict, value).items()})
    if origin is tuple:
        return tuple(_read(arguments[0], entry) for entry in _only(list, value))
    if origin is Mapping:
        return {name: _read(arguments[1], entry) for name, entry in _only(dict, value).items()}
    if origin is Literal:
        if value not in arguments:
            raise ValueError(f"not one of {arguments}")
        return value
    if origin is UnionType:
        return _only(arguments, value)
    return float(value) if declared is float and type(value) is int else _only(declared, value)


def _only(types: "type | tuple[type, ...]", value: Any) -> Any:
    """Refuse everything else, a bool for an int, too."""
    if type(value) not in (types if isinstance(types, tuple) else (types,)):
        raise TypeError(f"{type(value).__name__} for {types}")
    return value
