"""The sentences that people read about a result: points, messages of items, flags.

No code reads them again: what a program needs to know is in `proctor.results`.
"""

from collections.abc import Sequence

from proctor.results.fault import Fault
from proctor.results.flag import Flag
from proctor.results.standing import Standing
from proctor.results.submission_result import OrdinaryCell
from proctor.results.verdict import Item

MANY = 3  # flags of one kind that are named each
SAME = "The same as above."
MARKS = {"passed": "✓", "failed": "✗", "undecided": "?"}
WORDS = {"passed": "passed", "failed": "not passed", "undecided": "not decided yet"}
UNDECIDED = "This could not be checked. It is not your mistake: your instructor will look at it."
WHY_IT_DIED = {
    "flood": "it wrote too much",
    "too often": "it ended too often",
    "threads": "the notebook started more than {limit} threads",
    "page tables": "the notebook mapped so much memory that its page tables take more than {limit} MB",
    "sockets": "the notebook made more than {limit} sockets",
    "disk": "the notebook wrote more than {limit} MB of files",
    "files": "the notebook made more than {limit} files",
    "uncountable": "its files cannot be counted",
}
REFUSED = {
    "memory": "ran out of memory",
    "forbidden": "tried what the sandbox forbids",
    "file missing": "looked for a file that is not there",
}

OF_A_CELL = {
    "undecided": "{}: undecided",
    "restored": "restored cell {}",
    "not handed in": "{}.ipynb was not handed in",
    "late unknown": "late, but nobody knows how late: nothing was taken off",
}
REPAIRS = {
    "found elsewhere": "graded {}, as there was no file of the right name in the right place",
    "left aside": "not graded, beside it: {}",
    "matched": "recognised {} without its metadata",
    "moved": "moved {} to where it takes effect",
    "kept": "kept the student's own code in {} in a cell above it",
    "was text": "turned the text cell with {} into code",
    "stub": "left out the unfinished copy of {}",
    "cut": "put lines above {} that could fail into cells of their own",
    "joined": "joined the parts of {}",
    "commented out": "{} is there as a comment only",
    "for review": "{} has to be confirmed by a person",
}


def plain(text: str) -> str:
    """One line that does nothing to a terminal: ids and file names are other people's."""
    return "".join(character if character.isprintable() else "?" for character in text)


def number(points: float) -> str:
    """Points as people write them: ``4``, ``1.5``."""
    return f"{points:.2f}".rstrip("0").rstrip(".")


def count(how_many: int, what: str) -> str:
    """``1 page``, ``2 pages``."""
    return f"{how_many} {what}{'' if how_many == 1 else 's'}"


def total(points: float, max_points: float) -> str:
    """The last line of ``proctor check``."""
    return f"Together: {number(points)} of {number(max_points)} points"


def message(item: Item) -> str:
    """What an item tells the student: what happened, then where to look; empty if it was passed."""
    if item.outcome == "undecided":
        return UNDECIDED
    happened = _as_sentence(fault(item.fault)) if item.fault else ""
    return " ".join(part for part in (happened, item.hint) if part)


def messages(items: Sequence[Item]) -> list[str]:
    """What each item of one exercise tells the student; what several have to say is said by the first of them."""
    said: list[str] = []
    for item in items:
        text = message(item) if item.outcome != "passed" else ""
        said.append(SAME if text and text in said else text)
    return said


def _as_sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(("?", "!", ".")) else ".")


def fault(fault: Fault) -> str:
    """Why there was no answer; a clause that can stand inside a sentence."""
    if fault.kind == "raised" and fault.name == "StdinNotImplementedError":
        return f"your code waits for `input()`, and nobody types while it is graded{_where(fault)}"
    if fault.kind == "raised":
        quoted = f" ({fault.quoted})" if fault.quoted else ""
        return f"your code raised {fault.name or 'an exception'}{quoted}{_where(fault)}"
    if fault.kind == "unwritten":
        return f"`{fault.function}` is not written yet" if fault.function else "it is not written yet"
    if fault.kind == "missing":
        if fault.line:
            return f"`{fault.name}` is defined only below this check, in cell {fault.line} from the top: move it up"
        return f"`{fault.name}` is not defined: did its cell run without an error?"
    if fault.kind == "too slow":
        return f"your code was stopped after {fault.seconds:g} seconds: is there a loop that never ends?"
    if fault.kind == "died":
        why = WHY_IT_DIED.get(fault.name, fault.name).format(limit=fault.limit)
        return f"the notebook's kernel ended while your code was running{f' ({why})' if why else ''}"
    if fault.kind == "misfit":
        return "your code returned something of another kind than is asked for"
    return f"your code returned something that could not be read ({fault.name})"


def _where(fault: Fault) -> str:
    if not fault.function:
        return ""
    return f" in `{fault.function}`" + (f", line {fault.line} of its cell" if fault.line else "")


def flag(flag: Flag) -> str:
    """One flag, as a clause without a full stop."""
    if flag.fault is not None:
        return f"in a hidden test: {fault(flag.fault)}"
    if flag.kind in REFUSED:
        who = "in a hidden test: your code" if flag.in_hidden_test else f"cell {flag.cell}"
        return f"{who} {REFUSED[flag.kind]}"
    if flag.kind == "unsandboxed":
        return f"not sandboxed: could {', '.join(flag.names)}"
    if flag.kind == "contradiction":
        return f"{flag.cell}: passes its hidden tests, but its visible checks fail: look at it"
    if flag.kind == "misfit":
        return f"{flag.cell}: {listed(flag.names)} could do nothing with an answer, which counts against the answer"
    if flag.kind == "out of reach":
        return f"cell {flag.cell} needs what no student's process may do, for anybody: {listed(flag.names)}"
    if flag.kind in OF_A_CELL:
        return OF_A_CELL[flag.kind].format(flag.cell)
    if flag.kind in REPAIRS:
        return REPAIRS[flag.kind].format(listed(flag.names))
    return f"cell {flag.cell} {harm(flag)}"


def listed(names: Sequence[str]) -> str:
    """Some names, and how many there are if they are many: ``47 cells (title, imports, checks, …)``."""
    if len(names) <= MANY:
        return ", ".join(names)
    return f"{len(names)} cells ({', '.join(names[:MANY])}, …)"


def flags(flags: Sequence[Flag]) -> list[str]:
    """All flags of a submission; the same of many cells is said once: ``restored 47 cells: title, imports, …``."""
    restored = [flag.cell for flag in flags if flag.kind == "restored"]
    if len(restored) <= MANY:
        return [flag(one) for one in flags]
    some = ", ".join(restored[:MANY])
    others = [flag(one) for one in flags if one.kind != "restored"]
    return [f"restored {len(restored)} cells: {some}, …", *others]


def ordinary(cell: OrdinaryCell) -> str:
    """A graded cell without hidden tests of ours, on one line."""
    if cell.points is None:
        return f"{cell.grade_id}: to be graded by a person ({number(cell.max_points)} points)"
    return f"{cell.grade_id}: {number(cell.points)} of {number(cell.max_points)} points"


def harm(flag: Flag) -> str:
    """What a cell did that its kernel did not survive."""
    return {
        "ended kernel": "ended its kernel",
        "too slow": f"was stopped after {flag.seconds:g} seconds",
        "flood": "wrote too much output and was stopped",
    }[flag.kind]


def in_cell(text: str) -> str:
    """Mark a sentence as the grader's, among the outputs of a student's cell."""
    return f"[grader] {text}\n"


def new_kernel(flag: Flag) -> str:
    """What is said in a cell that did harm."""
    return f"This cell {harm(flag)}; grading went on in a new kernel without it."


def not_run(why: Fault) -> str:
    """What is said in a cell that could not be run any more."""
    return f"This cell was not run: {fault(why)}."


def not_run_again(kept: bool) -> str:
    """What is said in a cell that cannot change a score; `kept`: with what its student handed in below it."""
    if not kept:
        return "Not run: nothing from here on is graded."
    return "Not run again: nothing from here on is graded. These are the outputs that were handed in."


def importing(modules: Sequence[str]) -> str:
    """What ``proctor check`` and ``proctor grade`` do first, once for everybody."""
    return f"Importing {', '.join(modules) or 'what a kernel needs'} …"


def grading(notebook: str) -> str:
    """What ``proctor check`` does then."""
    return f"Running {notebook} and its hidden tests …"


def ordinary_kernels(system: str) -> str:
    """What it means for a machine that kernels cannot be forked there."""
    return (
        f"Kernels cannot be forked on {system}: each notebook starts a kernel of its own and imports everything anew, "
        "which takes some seconds longer."
    )


def standing(standing: Standing) -> list[str]:
    """Where an assignment stands, and what comes next, in a few lines."""
    about, name = standing, standing.assignment
    done = [f"{about.handed_in} handed in", f"{about.graded} graded", f"{about.feedback} with a feedback page"]
    if about.to_review:
        done.insert(2, f"{about.to_review} to be looked at by a person")
    if not about.released:
        step = f"release it: nbgrader generate_assignment {name} --create --force"
    elif not about.handed_in:
        step = f"collect: nbgrader collect or zip_collect, or copy notebooks to submitted/STUDENT/{name}/"
    elif about.graded < about.handed_in:
        step = f"grade: proctor grade {name}, which also names those who cannot be graded"
    elif about.to_review:
        step = "look at what is undecided or written, in formgrader: jupyter lab, then Nbgrader, Formgrader"
    elif about.feedback < about.graded:
        step = f"write the feedback pages: nbgrader generate_feedback {name}"
    else:
        step = f"see the class, and export: proctor report {name}; nbgrader export --exporter=proctor.ExerciseExport"
    return [name, f"  {'released' if about.released else 'not released'}; {', '.join(done)}", f"  next: {step}"]


NO_ASSIGNMENT = "There is no assignment in source/ yet: proctor new NAME makes one.\n"
MORE = "proctor --help lists the commands; proctor grade again after any change: what is unchanged is not graded twice."
NOT_TO_ITS_END = "this cell did not run to its end, so it earns nothing; see the output above"
LEFT_OUT = "The notebook wrote too much: the outputs from here on are left out."
BOTH_ENDS = "The source earns all points and the release none, with every seed that was tried."
