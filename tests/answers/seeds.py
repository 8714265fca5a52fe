"""No verdict may depend on the seed that the hidden tests draw their inputs from: grades the catalogue over many seeds.

`make seeds` does so for the whole catalogue, `make test` for a few answers. An answer is run once for every hundred seeds,
and its hidden tests for one seed after the other; what then differs from the catalogue is graded again, alone in a fresh
process, because some mistakes remember what they were called with. Only the test cells of the functions that an answer
writes are graded, and the training run: the others see the reference, which is the same in all answers.

Most of the time goes into calls that repeat the first ones, for those mistakes that need many calls to show. What a seed
can change is in the inputs. So only the first seeds see everything; the others see each kind of input once or twice, and
leave out the training run, whose inputs have the same mean, mean square and noise whatever the seed.
"""

import argparse
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import catalogue
import results

GRADER_TESTS = Path(__file__).parents[2] / "grader_tests"
FEWER_CALLS = {  # as many as there are kinds of inputs; of the 32 steps of `train`, half, and others for each seed
    "test_loss.py": ("CALLS = 75", "CALLS = 4"),
    "test_apply_gradients.py": ("ROUNDS = 20", "ROUNDS = 2"),
    "test_train.py": ("CALLS = 69", "CALLS = 16"),
}

TOGETHER = 100  # seeds in one process: traced functions of old models stay in its memory
AT_A_TIME = 50  # answers, before it is told how far the survey is


@dataclass
class Survey:
    """What came of it: how many gradings there were, and those that are not as the catalogue says."""

    gradings: int = 0
    different: list[str] = field(default_factory=list)


def survey(
    answers: Sequence[catalogue.Answer], seeds: Sequence[int], survey: Survey | None = None, short: Path | None = None
) -> Survey:
    """Grade each answer with each seed and compare its points with the catalogue's; with the `short` tests if given."""
    survey = survey or Survey()
    expected, missing = {answer.name: answer for answer in answers}, {answer.name: set(seeds) for answer in answers}
    for tests in [short, None] if short else [None]:  # some mistakes do not show in a few calls
        jobs = [_job(answer, sorted(missing[answer.name]), tests) for answer in answers if missing[answer.name]]
        for name, seed, result in results.graded(jobs) if jobs else ():
            if not _differences(expected[name], result):
                missing[name].discard(seed)
                survey.gradings += 1
    again = {f"{name} {seed}": (expected[name], seed) for name in expected for seed in sorted(missing[name])}
    survey.gradings += len(again)
    alone = [{**_job(answer, [seed]), "name": label} for label, (answer, seed) in again.items()]
    found = {label: result for label, _, result in results.graded(alone)} if alone else {}
    for label, (answer, seed) in again.items():
        differences = _differences(answer, found[label]) if label in found else "ended its process"
        if differences:
            survey.different.append(f"{answer.name}, seed {seed}: {differences}")
    return survey


def with_fewer_calls(folder: Path) -> Path:
    """Copy the hidden tests into `folder`, changed as in `FEWER_CALLS`."""
    shutil.copytree(GRADER_TESTS, folder, dirs_exist_ok=True)
    for name, (usual, fewer) in FEWER_CALLS.items():
        (path,) = folder.glob(f"*/{name}")
        source = path.read_text(encoding="utf-8")
        assert source.count(usual) == 1, f"{name} has no {usual!r}"
        path.write_text(source.replace(usual, fewer), encoding="utf-8")
    return folder


def _job(answer: catalogue.Answer, seeds: Sequence[int], short: Path | None = None) -> dict[str, object]:
    cells = [f"test_{function}" for function in answer.code]
    if short:
        return results.job(answer.name, answer.code, seeds=list(seeds), cells=cells, grader_tests=str(short))
    return results.job(answer.name, answer.code, seeds=list(seeds), cells=[*cells, "test_training_run"])


def _differences(answer: catalogue.Answer, result: results.Result) -> str:
    wrong = [f"{cell} {points:g} instead of {answer.points[cell]:g}"
             for cell, points in result.points.items() if points != answer.points[cell]]  # fmt: skip
    return ", ".join([*wrong, *(f"{name} is undecided" for name in result.undecided)])


def main() -> None:
    """Grade answers over seeds, and tell after each part; exit status 1 if any depends on its seed."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (default: %(default)s)")
    parser.add_argument("--whole", type=int, default=4, help="how many see everything (default: %(default)s)")
    parser.add_argument("--answers", default="", help="what their names match, a regular expression (default: all)")
    options = parser.parse_args()
    answers = [answer for answer in catalogue.load() if re.search(options.answers, answer.name)]
    right, start, found = sum(answer.right for answer in answers), time.monotonic(), Survey()
    seeds = range(options.first, options.first + options.seeds)
    print(f"{right} right and {len(answers) - right} wrong answers, seeds {seeds[0]} to {seeds[-1]}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        short = with_fewer_calls(Path(folder) / "grader_tests")
        for some, tests in parts(seeds, options.whole, short):
            for part in range(0, len(answers), AT_A_TIME):
                told = len(found.different)
                survey(answers[part : part + AT_A_TIME], some, found, tests)
                print(f"{found.gradings} of {len(answers) * len(seeds)} gradings, {len(found.different)} not as in the "
                      f"catalogue, {time.monotonic() - start:.0f} s", flush=True)  # fmt: skip
                print("".join(f"  {line}\n" for line in found.different[told:]), end="", flush=True)
    sys.exit(1 if found.different else 0)


def parts(seeds: Sequence[int], whole: int, short: Path) -> list[tuple[Sequence[int], Path | None]]:
    """Divide the seeds into those that go together, each with the short tests or, for the first ones, None."""
    kinds = (seeds[:whole], None), (seeds[whole:], short)
    return [(some[i : i + TOGETHER], tests) for some, tests in kinds for i in range(0, len(some), TOGETHER)]


if __name__ == "__main__":
    main()
