"""The student's end of a call: does what a request says in the notebook's own names and answers with plain data.

The grader sends the *source* of this module (after that of `proctor.border.wire`) into the student's process, so it
imports nothing of ours there. Student code can change everything in here. That gains nothing: all that ever leaves
the process are values, and only the right values for inputs that nobody knew before are worth points.

A request is ``{"scenarios": source, "scenario": name, "args": [...], "kwargs": {...}}``, or with ``"call"`` in place of
``"scenario"`` to call one of the notebook's own functions. A reply is ``{"value": ...}``, ``{"missing": name}``,
``{"broken": text}`` where a scenario fails by itself, or ``{"error": {"kind", "text", "function", "line", "remark"}}``;
the remark is a scenario's, ``error.remark = "..."``.
"""

import hashlib
import traceback
import warnings
from typing import Any

from proctor.border.wire import from_json, to_json  # not in the student's process: there both sources are one namespace

MIME = "application/vnd.proctor.reply"
SCENARIO = "<scenario>"
_scenarios: dict[str, dict[str, Any]] = {}


class Missing(Exception):
    """The notebook does not define a name that the scenario asked for."""


class Notebook(dict[str, Any]):
    """The notebook's global names, for a scenario: reading one that is not there is the student's omission."""

    def __init__(self, names: dict[str, Any]) -> None:
        super().__init__()
        self.names = names

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> Any:
        if name not in self.names:
            raise Missing(name)
        return self.names[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.names[name] = value

    def __delitem__(self, name: str) -> None:
        self.names.pop(name, None)


class Reply:
    """Carries the reply through IPython's display machinery as one MIME type."""

    def __init__(self, text: str) -> None:
        self.text = text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {MIME: self.text}

    def __repr__(self) -> str:
        return ""


def answer(request_text: str, names: dict[str, Any]) -> Reply:
    """Do one request with the notebook's global `names`; whatever happens, there is a `Reply`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a notebook may have made errors of warnings, but ours are not its own
            reply: dict[str, Any] = {"value": _done(from_json(request_text), Notebook(names))}
    except Missing as missing:
        reply = {"missing": str(missing)}
    except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt are answers too
        reply = {"broken": _text(error)} if _is_the_scenarios(error) else {"error": _describe(error)}
    return Reply(to_json(reply))


def _done(request: Any, notebook: Notebook) -> Any:
    if "call" in request:
        return notebook[request["call"]](*request["args"], **request["kwargs"])
    return _play(request, notebook)


def _play(request: Any, notebook: Notebook) -> Any:
    source = request["scenarios"]
    key = hashlib.sha256(source.encode()).hexdigest()
    if key not in _scenarios:
        namespace: dict[str, Any] = {"__name__": "scenarios"}
        exec(compile(source, SCENARIO, "exec"), namespace)  # noqa: S102 - this is what a probe is for
        _scenarios[key] = namespace
    return _scenarios[key][request["scenario"]](notebook, *request["args"], **request["kwargs"])


def _is_the_scenarios(error: BaseException) -> bool:
    """Whether an author's slip raised it: a scenario that cannot be loaded or called, or a name that it does not know.

    A scenario raises much else because of what a student's code has returned; that is the student's.
    """
    frames = traceback.extract_tb(error.__traceback__)
    if not isinstance(error, Exception) or isinstance(error, (MemoryError, RecursionError)):
        return False
    if any(_is_cell(frame.filename) for frame in frames):
        return False
    is_loading = any((frame.filename, frame.name) == (SCENARIO, "<module>") for frame in frames)
    if is_loading or frames[-1].name == "_play":
        return True
    asking = [frame for frame in frames if frame.name not in ("__getattr__", "__getattribute__")]  # as modules have it
    unknown = isinstance(error, (NameError, ImportError)) or _text(error).startswith("AttributeError: module ")
    return unknown and asking[-1].filename == SCENARIO


def _text(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:300]
    except BaseException:  # noqa: BLE001 - a student's exception may do anything
        return type(error).__name__[:100]


def _describe(error: BaseException) -> dict[str, Any]:
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001 - a student's exception may do anything
        text = ""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_cell(frame.filename)]
    function, line = (own[-1].name, own[-1].lineno) if own else (None, None)
    remark = str(vars(error).get("remark", ""))[:50]
    kind = type(error).__name__[:100]
    return {"kind": kind, "text": text[-2000:], "function": function, "line": line, "remark": remark}


def _is_cell(filename: str) -> bool:
    return filename.startswith("<ipython-input") or "ipykernel_" in filename
