"""What the text says is what the code does. The numbers are read from the text: it is their only copy."""

import ast
import re

import numpy as np
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode, from_dict

HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", re.DOTALL)
PROMISE = re.compile(r"\b[Ii]t (?:prints|begins with|ends with) [^\n]*")
CODE = re.compile(r"`([^`]+)`")


@pytest.fixture(scope="module")
def printed(run) -> dict[str, str]:
    """What each cell prints when the instructor's notebook runs from top to bottom."""
    return run()


def promises(notebook: NotebookNode) -> dict[str, list[str]]:
    """By code cell: the outputs that the text above it promises."""
    pairs = zip(notebook.cells, notebook.cells[1:], strict=False)
    found = {below.id: CODE.findall(" ".join(PROMISE.findall(above.source))) for above, below in pairs}
    return {cell_id: outputs for cell_id, outputs in found.items() if outputs}


def test_cells_print_what_the_text_above_them_promises(notebook, printed):
    """Every output that the text quotes is a line of what the next cell prints, and in this order."""
    promised = promises(notebook)
    assert len(promised) >= 10
    for cell_id, outputs in promised.items():
        lines = printed[cell_id].splitlines()
        assert [line for line in lines if line in outputs] == outputs, cell_id


def test_every_printing_cell_is_announced(notebook, printed):
    """A student knows what to expect wherever a cell prints a result."""
    silent = {"test_loss", "test_apply_gradients", "test_train", "test_training_run"}
    assert {cell_id for cell_id, text in printed.items() if text} - silent == set(promises(notebook))


def test_points_in_the_text_are_the_points_of_the_cells(notebook):
    """The table at the top, the headings and nbgrader's metadata agree."""
    graded = {c.id: c.metadata.nbgrader.points for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade")}
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    table = [int(points) for points in re.findall(r"^\| \d\. .*\| (\d+) \|$", prose, re.MULTILINE)]
    headings = [int(points) for points in re.findall(r"^## Task \d: .*\((\d+) points\)$", prose, re.MULTILINE)]
    total = int(re.search(r"\*\*Total\*\* \| \*\*(\d+)\*\*", prose)[1])
    assert table == headings == list(graded.values())
    assert total == sum(table)


def test_figures_of_the_data_and_the_loop_agree_with_the_code(notebook):
    """The line to find, the number of examples, the epochs, the rate and the starts."""
    text = {cell.id: cell.source for cell in notebook.cells}
    w, b, examples = re.search(r"`y = (\d+) \* x \+ (\d+)`: (\d+) inputs", text["data-intro"]).groups()
    assert f"TRUE_w = {w}.0\nTRUE_b = {b}.0\nNUM_EXAMPLES = {examples}\n" in text["data"]
    assert f"`w = {w}` and `b = {b}`" in text["task-training-run"]
    epochs = re.search(r"Run (\d+) epochs\. After (\d+) of them", text["loop-run-intro"])
    rate = re.search(r"with the learning rate ([\d.]+),", text["loop-intro"])[1]
    assert f"epochs={epochs[1]}, learning_rate={rate}, plot_at={epochs[2]})" in text["loop-run"]
    starts = re.findall(r"\(\d, \d\)", text["explore-intro"])
    assert [start for start in starts if f"({start}," not in text["explore-starts"]] == []
    w, b = re.search(r"Start at \((\d), (\d)\)", text["explore-noise-intro"]).groups()
    assert f"Model(w={w}.0, b={b}.0)" in text["explore-noise"]
    start = re.search(r"`Model\(\)` starts at `w = (\d)` and `b = (\d)`", text["model-intro"])
    assert f"w={start[1]}.0, b={start[2]}.0" in text["model"]


def numbers(text: str, pattern: str) -> list[float]:
    """The groups of `pattern` in the text, where ``#`` in the pattern stands for a number."""
    found = re.search(pattern.replace("#", r"(-?\d+(?:\.\d+)?)"), text)
    assert found, f"no {pattern!r} in {text!r}"
    return [float(group) for group in found.groups()]


def gradients(w: float, b: float, x: list[float], y: list[float]) -> tuple[float, float, float]:
    """Loss and gradients of the mean squared error, in closed form."""
    x, error = np.array(x), w * np.array(x) + b - np.array(y)
    return np.mean(error**2), np.mean(2 * error * x), np.mean(2 * error)


def test_the_losses_worked_out_by_hand_are_right(notebook):
    """The differences, the squares and the means in the text, against the numbers in the cells."""
    text = {cell.id: cell.source for cell in notebook.cells}
    *differences, squared = numbers(text["try-loss-intro"], r"are #, # and #, so the squares are 0, 0 and #:")
    predicted, target = (np.array(t) for t in tensors(text["try-loss"]))
    assert (predicted - target).tolist() == differences
    assert squared == differences[-1] ** 2
    *differences, a, b, c, d, n, mean = numbers(
        text["check-loss"], r"now #, #, # and #, so the loss has to be \(# \+ # \+ # \+ #\) / # = #\."
    )
    predicted, target = (np.array(t) for t in tensors(text["test_loss"]))
    assert (predicted - target).tolist() == differences
    assert [a, b, c, d] == [difference**2 for difference in differences]
    assert mean == (a + b + c + d) / n
    assert f", {mean},\n" in text["test_loss"]
    n, one, other, a, b, mean = numbers(
        text["check-loss"], r"# examples: half .* are #, the others #, so the loss has to be \(# \+ #\) / 2 = #\."
    )
    data = f"tf.zeros({n:.0f}), tf.repeat([{-one}, {-other}], {n / 2:.0f})"
    assert [a, b, mean] == [one**2, other**2, (a + b) / 2]
    assert f"_predicted, _target = {data}" in text["test_loss"]
    assert f", {mean},\n" in text["test_loss"]
    assert f"{data}, {mean}, " in text["test_train"]


def test_the_updates_worked_out_by_hand_are_right(notebook):
    """The steps in the text follow from the gradients and the rate in the text, which are those of the cells."""
    text = {cell.id: cell.source for cell in notebook.cells}
    rate, dw, same_rate, db = numbers(text["try-apply-gradients-intro"], r"is # \* #, the step of `b` is # \* \(#\)")
    assert rate == same_rate
    assert f"dw={dw}, db={db}, learning_rate={rate})" in text["try-apply-gradients"]
    w, b, dw, db, rate, *after = numbers(
        text["check-apply-gradients"],
        r"`w = #` and `b = #`, with the gradients # and # and the rate #, one step leads to `w = #` and `b = #`, "
        r"a second one to `w = #` and `b = #`",
    )
    cell = text["test_apply_gradients"]
    assert after == pytest.approx([w - rate * dw, b - rate * db, w - 2 * rate * dw, b - 2 * rate * db])
    assert f"Model(w={w}, b={b}), [tf.constant({dw}), tf.constant({db}), {rate}]" in cell
    assert all(f"_model, _arguments, {after[i : i + 2]}" in cell for i in (0, 2))
    first = " ".join(text["test_train"].split())
    assert f"Model(w={w}, b={b}), [tf.constant({dw}), tf.constant({db}), {rate}], {after[:2]})" in first


def test_the_train_steps_worked_out_by_hand_are_right(notebook):
    """Losses, gradients and steps in the text, and the second step in the cell, against the closed form."""
    text = {cell.id: cell.source for cell in notebook.cells}
    x, y, w, b = numbers(text["try-train-intro"], r"x = # and y = #, from `w = #` and `b = #`")
    loss, *step = numbers(
        text["try-train-intro"], r"so the loss is #; the gradients are # and #, and the step is a tenth"
    )
    assert (loss, *step) == gradients(w, b, [x], [y])
    assert tensors(text["try-train"]) == [[x], [y]]
    story = text["check-train"]
    w, b, *x, first, second = numbers(story, r"`w = #` and `b = #`, the inputs # and # are predicted as # and #\.")
    *y, one, two, n, loss, dw, db = numbers(
        story, r"targets # and #, the loss is \(# \+ #\) / # = # and the gradients are # for `w` and # for `b`"
    )
    rate, *after = numbers(story, r"With the rate #, one step leads to `w = #` and `b = #`")
    cell = text["test_train"]
    assert [first, second] == [w * x[0] + b, w * x[1] + b]
    assert [one, two] == [(first - y[0]) ** 2, (second - y[1]) ** 2]
    assert (loss, dw, db) == gradients(w, b, x, y) == ((one + two) / n, dw, db)
    assert after == pytest.approx([w - rate * dw, b - rate * db])
    many = int(numbers(story, r"The check takes # examples of each kind")[0])
    assert f"Model(w={w}, b={b}), [tf.repeat({x}, {many}), tf.repeat({y}, {many}), {rate}]" in cell
    assert f"_model, _arguments, {after}, " in cell
    assert f" {loss}, " in cell
    later, dw, db = gradients(*after, x, y)
    second_step = rounded(after[0] - rate * dw, after[1] - rate * db)
    assert f"_model, _arguments, {second_step}, " in cell
    assert f'one is enough": {second_step},' in cell
    _, _, late = gradients(after[0], b, x, y)
    assert f'then update": {rounded(after[0], b - rate * late)}}})' in cell
    assert f'from before": {later:.1f}}}' in cell


def rounded(*weights: float) -> list[float]:
    """Weights as the cells have them."""
    return [round(float(weight), 4) for weight in weights]


def tensors(source: str) -> list[list[float]]:
    """The constant tensors of one axis in a cell."""
    return [ast.literal_eval(found) for found in re.findall(r"tf\.constant\((\[[^]]*\])\)", source)]


def test_a_rate_that_is_too_large_diverges_and_a_smaller_one_does_not(run):
    """The explore ending says so of the rate 1.1; its picture shows 0.1 and 0.9 falling."""
    shown = "print(*(run_training(Model(), xs, ys, learning_rate=r, report=False)[2][-1] for r in (0.1, 0.9, 1.1)))"
    printed = run(until="explore-rate", **{"explore-rate": shown})["explore-rate"]
    slow, fast, too_fast = (float(loss) for loss in printed.split())
    assert slow < 0.1
    assert fast < 0.1
    assert too_fast > 100


def test_keras_comes_to_the_same_weights(printed):
    """To all digits that are shown; the text above quotes them."""
    yours, keras = printed["explore-keras"].splitlines()
    assert yours.partition(": ")[2] == keras.partition(": ")[2]


def test_runs_in_a_kernel_without_a_word_in_red(notebook, monkeypatch):
    """TensorFlow's start-up noise, warnings of any kind, an error: nothing on stderr, and plots that appear."""
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    cells = [{**cell, "source": HIDDEN.sub("", cell.source)} for cell in notebook.cells]
    copy = from_dict({**notebook, "cells": cells})
    NotebookClient(copy, timeout=60).execute()
    outputs = [(cell.id, output) for cell in copy.cells if cell.cell_type == "code" for output in cell.outputs]
    red = [(cell_id, output.text) for cell_id, output in outputs if output.get("name") == "stderr"]
    assert [
        (cell_id, text) for cell_id, text in red if cell_id != "checks"
    ] == []  # that cell's outputs are folded away
    pictures = {cell_id for cell_id, output in outputs if "image/png" in output.get("data", {})}
    assert pictures == {
        "plot", "loop-run", "evolve", "fresh", "loss-weights", "explore-starts", "explore-noise", "explore-rate"
    }  # fmt: skip
