"""Messages between grader, warm process and kernel: what is sent arrives, and nothing else is a message."""

import json
import socket
from collections.abc import Iterator

import pytest

from proctor.errors import KernelNotStarted, NoKernel
from proctor.kernels.messages import (
    MAX_BYTES,
    BadMessage,
    Ended,
    Forked,
    Message,
    NotStarted,
    Prepare,
    Ready,
    Returned,
    SandboxClosed,
    Signal,
    StartKernel,
    decode,
    receive,
    send,
)
from proctor.sandbox.limits import Excess
from proctor.sandbox.policy import Policy

POLICY = Policy("/scratch", memory=7, readable=("/a", "/b"), environment={"TF_NUM_INTRAOP_THREADS": "1"})
MESSAGES = [
    Prepare(("numpy", "tensorflow"), {"TMPDIR": "/tmp"}),
    Ready(),
    StartKernel({"ip": "/run/s/k", "shell_port": 1}, POLICY, "/run"),
    Forked(4242),
    SandboxClosed(("namespaces: Operation not permitted",), hidden=False),
    NotStarted("too slow", "d\udce9tail", "numpy", 300, 4096, 256),
    Ended(Excess("threads", 512)),
    Returned(-9),
    Signal(2),
]


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a socket like those between our processes."""
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with mine, theirs:
        yield mine, theirs


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_arrives_as_it_was_sent(ends: tuple[socket.socket, socket.socket], message: Message) -> None:
    """Every message, with tuples, mappings and what is inside of it."""
    send(ends[0], message)
    assert receive(ends[1], *(type(each) for each in MESSAGES)) == message


def test_a_closed_end_is_no_message(ends: tuple[socket.socket, socket.socket]) -> None:
    """Whoever listens learns that the other side is gone."""
    ends[0].close()
    assert receive(ends[1], Signal) is None


STRANGE = {
    "no JSON": b"{",
    "no pair": b"[1, 2, 3]",
    "another message": b'["Returned", {"returncode": 0}]',
    "a field too few": b'["Signal", {}]',
    "a field too many": b'["Signal", {"number": 2, "group": true}]',
    "another type": b'["Signal", {"number": "2"}]',
    "a bool for a number": b'["Signal", {"number": true}]',
    "no such limit": b'["Ended", {"excess": {"kind": "patience", "limit": 1}}]',
    "a list for an object": b'["Ended", {"excess": ["threads", 1]}]',
    "endless brackets": b"[" * 50_000,
    "too large": b'["Signal", {"number": 2}]' + b" " * MAX_BYTES,
}


@pytest.mark.parametrize("data", STRANGE.values(), ids=STRANGE)
def test_anything_else_is_refused(data: bytes) -> None:
    """Parsed strictly: only expected messages, with exactly their fields, of exactly their types."""
    with pytest.raises(BadMessage):
        decode(data, Signal, Ended)


def test_nothing_larger_than_the_limit_is_sent(ends: tuple[socket.socket, socket.socket]) -> None:
    """There is one size that no message passes, and the sender finds out."""
    with pytest.raises(BadMessage):
        send(ends[0], Prepare(("x" * MAX_BYTES,), {}))


@pytest.mark.parametrize("kind", NoKernel.__args__)
def test_each_reason_for_no_kernel_can_travel_and_be_read(kind: NoKernel) -> None:
    """As a message, as an exception between processes, and as a sentence with its facts."""
    refusal = NotStarted(kind, "DETAIL", "NAME", 3.5, 17, 19)
    assert decode(json.dumps(["NotStarted", vars(refusal)]).encode(), NotStarted) == refusal
    sentence = str(KernelNotStarted(**vars(refusal)))
    assert "{" not in sentence
    assert any(fact in sentence for fact in ("DETAIL", "NAME", "3.5", "17"))
