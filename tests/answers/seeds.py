"""No verdict may depend on the seed that the hidden tests draw their inputs from: grades the catalogue over many seeds.

`make seeds` does so for the whole catalogue, `make test` for a few answers. An answer is run once for every fifty seeds,
and its hidden tests for one seed after the other; what then differs from the catalogue is graded again, alone in a fresh
process, because some mistakes remember what they were called with. Only the test cells of the functions that an answer
writes are graded, and the training run: the others see the reference, which is the same in all answers.
"""

import argparse
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import catalogue
import results

TOGETHER = 50  # seeds in one process: traced functions of old models stay in its memory
AT_A_TIME = 50  # answers, before it is told how far the survey is


@dataclass
class Survey:
    """What came of it: how many gradings there were, and those that are not as the catalogue says."""

    gradings: int = 0
    different: list[str] = field(default_factory=list)


def survey(answers: Sequence[catalogue.Answer], seeds: Sequence[int], survey: Survey | None = None) -> Survey:
    """Grade each answer with each seed and compare its points with the catalogue's."""
    survey = survey or Survey()
    expected = {answer.name: answer for answer in answers}
    missing = {(answer.name, seed) for answer in answers for seed in seeds}
    for name, seed, result in results.graded([_job(answer, seeds) for answer in answers]):
        survey.gradings += 1
        if not _differences(expected[name], result):
            missing.discard((name, seed))
    again = {f"{name} {seed}": (expected[name], seed) for name, seed in sorted(missing)}
    alone = [{**_job(answer, [seed]), "name": label} for label, (answer, seed) in again.items()]
    found = {label: result for label, _, result in results.graded(alone)} if alone else {}
    for label, (answer, seed) in again.items():
        differences = _differences(answer, found[label]) if label in found else "ended its process"
        if differences:
            survey.different.append(f"{answer.name}, seed {seed}: {differences}")
    return survey


def _job(answer: catalogue.Answer, seeds: Sequence[int]) -> dict[str, object]:
    cells = [*(f"test_{function}" for function in answer.code), "test_training_run"]
    return results.job(answer.name, answer.code, seeds=list(seeds), cells=cells)


def _differences(answer: catalogue.Answer, result: results.Result) -> str:
    wrong = [f"{cell} {points:g} instead of {answer.points[cell]:g}"
             for cell, points in result.points.items() if points != answer.points[cell]]  # fmt: skip
    return ", ".join([*wrong, *(f"{name} is undecided" for name in result.undecided)])


def main() -> None:
    """Grade answers over seeds, and tell after each part; exit status 1 if any depends on its seed."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (default: %(default)s)")
    parser.add_argument("--answers", default="", help="what their names match, a regular expression (default: all)")
    options = parser.parse_args()
    answers = [answer for answer in catalogue.load() if re.search(options.answers, answer.name)]
    right, start, found = sum(answer.right for answer in answers), time.monotonic(), Survey()
    seeds = range(options.first, options.first + options.seeds)
    print(f"{right} right and {len(answers) - right} wrong answers, seeds {seeds[0]} to {seeds[-1]}", flush=True)
    for some, part in product(range(0, len(seeds), TOGETHER), range(0, len(answers), AT_A_TIME)):
        told = len(found.different)
        survey(answers[part : part + AT_A_TIME], seeds[some : some + TOGETHER], found)
        print(f"{found.gradings} of {len(answers) * len(seeds)} gradings, {len(found.different)} not as in the catalogue, "
              f"{time.monotonic() - start:.0f} s", flush=True)  # fmt: skip
        print("".join(f"  {line}\n" for line in found.different[told:]), end="", flush=True)
    sys.exit(1 if found.different else 0)


if __name__ == "__main__":
    main()
