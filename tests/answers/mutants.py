"""Mutants of right answers: each has one small change, and the hidden tests must see it.

`make mutants` grades all of them and prints the score by operator; `make test` does so with a few of each operator. A
mutant is *killed* when the test cell of the function that it changes gives less than full points, while the cells of
the other two functions stay full. What behaves as right as before is listed in ``equivalent/mutants.toml``, with the
reason, and must get full points everywhere. Anything else is a *survivor*: a hole in the hidden tests.

Each operator of `operators` is applied to every node of every spelling, so that the same sources always give the same
mutants, under the same names.
"""

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import catalogue
import results
from operators import OPERATORS, PRELUDE, replaced

HERE = Path(__file__).parent
NOTEBOOK = HERE.parents[1] / "source" / "custom_training_basics" / "custom_training_basics.ipynb"
EQUIVALENT = HERE / "equivalent" / "mutants.toml"
REFERENCE = "the reference"
SPELLINGS = {
    "loss": (REFERENCE, "loss: sum over size", "loss: both flattened", "loss: helper functions"),
    "apply_gradients": (
        *(REFERENCE, "apply_gradients: assign", "apply_gradients: assign_add of the negative"),
        *("apply_gradients: tf.multiply", "apply_gradients: loop"),
    ),
    "train": (REFERENCE, "train: two tapes", "train: updates by itself"),
}
SAMPLE = 3  # mutants of each operator in `make test`


@dataclass(frozen=True)
class Mutant:
    """One mutant: its name says operator, place and change; `source` is the whole changed cell of `function`."""

    name: str
    operator: str
    function: str
    source: str


def every() -> list[Mutant]:
    """All mutants, in the order of the spellings and the operators; each source once."""
    found: dict[str, Mutant] = {}
    for function, spellings in SPELLINGS.items():
        originals = {name: ast.unparse(_spelling(function, name)) for name in spellings}
        for name, source in originals.items():
            for mutant in _of(function, name, source):
                if mutant.source not in originals.values():
                    found.setdefault(mutant.source, mutant)
    return list(found.values())


def _of(function: str, spelling: str, source: str) -> Iterator[Mutant]:
    spelling = spelling if spelling.startswith(function) else function  # the reference has no other name
    tree = ast.parse(source)
    _note_known_names(tree)
    for operator, change in OPERATORS.items():
        for node in ast.walk(tree):
            for new in change(node, function):
                mutated = ast.unparse(ast.fix_missing_locations(replaced(tree, node, new)))
                text = f"{PRELUDE}\n{mutated}" if "_kept" in mutated or "_late" in mutated else mutated
                name = f"{operator}, {spelling}, line {node.lineno}: {_difference(source, mutated)}"
                yield Mutant(name, operator, function, text)


def _note_known_names(tree: ast.AST) -> None:
    """Tell each argument of a function which other ones could stand in its place, and each local which other ones."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
            arguments = [argument.arg for argument in function.args.args]
            stored = sorted({name.id for name in names if isinstance(name.ctx, ast.Store)} - set(arguments))
            for name in names:
                name.known = next((known for known in (arguments, stored) if name.id in known), [])


def _difference(before: str, after: str) -> str:
    """What is new, for a name: lines, or their order, where ``>`` stands for each level of indentation."""
    # Python 3.10 puts targets into parentheses.
    old, new = (re.sub(r"\((\w+, \w+)\) (=|in) ", r"\1 \2 ", text).splitlines() for text in (before, after))
    texts = [line.strip() for line in old]
    added = [line.strip() for line in new if line.strip() not in (*texts, "pass")]
    if added:
        return " / ".join(added)
    numbers = [f"{'>' * ((len(line) - len(line.lstrip())) // 4)}{texts.index(line.strip()) + 1}"
               for line in new[1:] if line.strip() in texts]  # fmt: skip
    return f"lines {' '.join(numbers)}"


def _spelling(function: str, name: str) -> ast.Module:
    """The syntax tree of one right answer, without docstrings."""
    if name == REFERENCE:
        source = _solution(function)
    else:
        source = next(answer.code[function] for answer in catalogue.load() if answer.name == name and answer.right)
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            if ast.get_docstring(node) is not None:
                del node.body[0]
            if isinstance(node.body[-1], ast.Return) and node.body[-1].value is None:
                del node.body[-1]
    return tree


def _solution(function: str) -> str:
    """Source of the solution cell of the instructor's notebook, down to the end of the solution."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    cell = next(cell for cell in cells if cell["metadata"].get("nbgrader", {}).get("grade_id") == function)
    return "".join(cell["source"]).partition("### END SOLUTION")[0]


def equivalents(path: Path = EQUIVALENT) -> dict[str, str]:
    """Names of the mutants that behave as right as the original, each with the reason."""
    document = catalogue.tomllib.loads(path.read_text(encoding="utf-8"))
    found: dict[str, str] = {}
    for entry in document.pop("equivalent", []):
        if set(entry) != {"why", "mutants"}:
            raise ValueError(f"{path.name}: an entry has `why` and `mutants`, not {', '.join(sorted(entry))}")
        for name in entry["mutants"]:
            if name in found:
                raise ValueError(f"{path.name}: listed twice: {name}")
            found[name] = entry["why"]
    if document:
        raise ValueError(f"{path.name}: unknown: {', '.join(document)}")
    return found


def judge(mutant: Mutant, result: results.Result | None, *, equivalent: bool) -> str:
    """Say what became of a mutant: killed, equivalent, survived, or what is wrong with its result."""
    if result is None:
        return "ended the grader's process"
    lost, own = result.lost(), f"test_{mutant.function}"
    if result.undecided:
        return "undecided"
    if lost - {own, "test_training_run"}:
        return f"lost points elsewhere: {', '.join(sorted(lost - {own, 'test_training_run'}))}"
    if equivalent:
        return f"listed as equivalent, and lost points: {', '.join(sorted(lost))}" if lost else "equivalent"
    return "killed" if own in lost else "survived"


def judged(mutants: Sequence[Mutant]) -> dict[str, str]:
    """Grade `mutants` and judge them, by name."""
    known = equivalents()
    found = {name: result for name, _, result in results.graded(
        [results.job(mutant.name, {mutant.function: mutant.source}) for mutant in mutants])}  # fmt: skip
    return {mutant.name: judge(mutant, found.get(mutant.name), equivalent=mutant.name in known) for mutant in mutants}


def sample(mutants: Sequence[Mutant], size: int = SAMPLE) -> list[Mutant]:
    """Choose `size` mutants of each operator, evenly over its places; the same ones every time."""
    chosen = []
    for operator in OPERATORS:
        own = [mutant for mutant in mutants if mutant.operator == operator]
        chosen += own if len(own) <= size else [own[i * len(own) // size] for i in range(size)]
    return chosen


def table(mutants: Sequence[Mutant], outcomes: Mapping[str, str] | None = None) -> str:
    """Write the score by operator as a Markdown table; without `outcomes`, what it has to be."""
    known = equivalents()
    outcomes = outcomes or {m.name: "equivalent" if m.name in known else "killed" for m in mutants}
    lines = ["| operator | mutants | killed | equivalent | survived |", "|:--|--:|--:|--:|--:|"]
    for operator in (*OPERATORS, "all"):
        own = [outcomes[m.name] for m in mutants if operator in (m.operator, "all") and m.name in outcomes]
        killed, same = own.count("killed"), own.count("equivalent")
        lines.append(f"| {operator} | {len(own)} | {killed} | {same} | {len(own) - killed - same} |".replace("_", " "))
    return "\n".join(lines)


def main() -> None:
    """Grade all mutants, or those whose names contain a text; exit status 1 unless all are as they should be."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--only", default="", help="part of the names")
    parser.add_argument("--show", action="store_true", help="print their sources, and grade nothing")
    options = parser.parse_args()
    mutants = [mutant for mutant in every() if options.only in mutant.name]
    if options.show:
        print("\n\n".join(f"# {mutant.name}\n{mutant.source}" for mutant in mutants))
        return
    unknown = set(equivalents()) - {mutant.name for mutant in every()}
    outcomes = judged(mutants)
    print(table(mutants, outcomes))
    wrong = [mutant for mutant in mutants if outcomes[mutant.name] not in ("killed", "equivalent")]
    for mutant in wrong:
        print(f"\n{mutant.name}\n-- {outcomes[mutant.name]} --\n{mutant.source}")
    for name in sorted(unknown):
        print(f"\n{name}\n-- listed as equivalent, and unknown --")
    sys.exit(1 if wrong or unknown else 0)


if __name__ == "__main__":
    main()
