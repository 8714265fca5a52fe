"""Answers made by combining a style, a mistake, and the time or the place at which it shows; thousands of them.

Their worth is known by how they are made. A right answer is any style of each function. A wrong one calls, in one
function, a wrong version in place of the right one at some of its calls: that exercise must lose, the other two must
not, and nobody decides about the training run, in which the mistake may not come up. Run as a program it grades all of
them, or a part; ``make generated`` does so, and ``make test`` takes a sample.
"""

import argparse
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import claims
import results

SIGNATURES = {
    "loss": "predicted_y, target_y",
    "apply_gradients": "model, dw, db, learning_rate",
    "train": "model, inputs, outputs, learning_rate",
}
TAPE = "with tf.GradientTape() as tape:\n    value = loss(model(inputs), outputs)\n"
RIGHT = {
    "loss": {
        "reduce_mean": "return tf.reduce_mean(tf.square(predicted_y - target_y))",
        "squared_difference": "return tf.reduce_mean(tf.math.squared_difference(target_y, predicted_y))",
        "power": "return tf.reduce_mean((target_y - predicted_y) ** 2)",
        "keras": "return tf.keras.losses.MeanSquaredError()(target_y, predicted_y)",
        "sum": "e = predicted_y - target_y\nreturn tf.reduce_sum(e * e) / tf.cast(tf.size(e), e.dtype)",
        "numpy spelling": "return ((predicted_y - target_y) ** 2).numpy().mean() * 0 + tf.reduce_mean((predicted_y - target_y) ** 2)",
        "l2": "return 2 * tf.nn.l2_loss(predicted_y - target_y) / len(target_y)",
        "float64": "e = tf.cast(predicted_y, tf.float64) - tf.cast(target_y, tf.float64)\nreturn tf.cast(tf.reduce_mean(e * e), tf.float32)",
    },
    "apply_gradients": {
        "assign_sub": "model.w.assign_sub(learning_rate * dw)\nmodel.b.assign_sub(learning_rate * db)",
        "assign": "model.w.assign(model.w - learning_rate * dw)\nmodel.b.assign(model.b - learning_rate * db)",
        "assign_add": "model.w.assign_add(-learning_rate * dw)\nmodel.b.assign_add(-learning_rate * db)",
        "loop": "for v, g in zip((model.w, model.b), (dw, db)):\n    v.assign_sub(g * learning_rate)",
        "sgd": "tf.keras.optimizers.SGD(learning_rate).apply_gradients([(dw, model.w), (db, model.b)])",
        "returned": "return model.w.assign_sub(learning_rate * dw), model.b.assign_sub(learning_rate * db)",
    },
    "train": {
        "list": TAPE + "dw, db = tape.gradient(value, [model.w, model.b])\napply_gradients(model, dw, db, learning_rate)\nreturn value",
        "names": TAPE + "g = tape.gradient(value, {'w': model.w, 'b': model.b})\napply_gradients(model, g['w'], g['b'], learning_rate=learning_rate)\nreturn value",
        "trainable": TAPE + "db, dw = tape.gradient(value, model.trainable_variables)\napply_gradients(model, dw, db, learning_rate)\nreturn value",
        "persistent": "with tf.GradientTape(persistent=True) as t:\n    current = loss(model(inputs), outputs)\napply_gradients(model, t.gradient(current, model.w), t.gradient(current, model.b), learning_rate)\nreturn current",
        "itself": TAPE + "for v, g in zip((model.w, model.b), tape.gradient(value, (model.w, model.b))):\n    v.assign_sub(learning_rate * g)\nreturn value",
        "shuffled": "order = tf.random.shuffle(tf.range(len(inputs)))\ninputs, outputs = tf.gather(inputs, order), tf.gather(outputs, order)\n"
        + TAPE + "dw, db = tape.gradient(value, [model.w, model.b])\napply_gradients(model, dw, db, learning_rate)\nreturn value",
        "number": TAPE + "dw, db = tape.gradient(value, [model.w, model.b])\napply_gradients(model, dw, db, learning_rate)\nreturn float(value)",
    },
}  # fmt: skip
STEP = TAPE + "dw, db = tape.gradient(value, [model.w, model.b])\n"
END = "apply_gradients(model, dw, db, learning_rate)\nreturn value"
WRONG = {
    "loss": {
        "sum": "return tf.reduce_sum((predicted_y - target_y) ** 2)",
        "half": "return tf.reduce_mean((predicted_y - target_y) ** 2) / 2",
        "twice": "return 2 * tf.reduce_mean((predicted_y - target_y) ** 2)",
        "absolute": "return tf.reduce_mean(tf.abs(predicted_y - target_y))",
        "root": "return tf.sqrt(tf.reduce_mean((predicted_y - target_y) ** 2))",
        "no square": "return tf.reduce_mean(predicted_y - target_y)",
        "negative": "return -tf.reduce_mean((predicted_y - target_y) ** 2)",
        "each": "return (predicted_y - target_y) ** 2",
        "nothing": "return None",
        "first": "return (predicted_y[0] - target_y[0]) ** 2 * 0.9",
        "number": "return float(tf.reduce_mean((predicted_y - target_y) ** 2)) * 1.01",
        "plus": "return tf.reduce_mean((predicted_y - target_y) ** 2) * 1.005 + 0.001",
    },
    "apply_gradients": {
        "uphill": "model.w.assign_add(learning_rate * dw)\nmodel.b.assign_add(learning_rate * db)",
        "no rate": "model.w.assign_sub(dw)\nmodel.b.assign_sub(db)",
        "exchanged": "model.w.assign_sub(learning_rate * db)\nmodel.b.assign_sub(learning_rate * dw)",
        "only w": "model.w.assign_sub(learning_rate * dw)",
        "only b": "model.b.assign_sub(learning_rate * db)",
        "replaced": "model.w = tf.Variable(model.w - learning_rate * dw)\nmodel.b = tf.Variable(model.b - learning_rate * db)",
        "nothing": "pass",
        "twice": "for _ in range(2):\n    model.w.assign_sub(learning_rate * dw)\n    model.b.assign_sub(learning_rate * db)",
        "sign": "model.w.assign_sub(learning_rate * tf.sign(dw))\nmodel.b.assign_sub(learning_rate * tf.sign(db))",
    },
    "train": {
        "returns nothing": STEP + "apply_gradients(model, dw, db, learning_rate)",
        "returns the loss after": STEP + "apply_gradients(model, dw, db, learning_rate)\nreturn loss(model(inputs), outputs)",
        "exchanged": STEP + "apply_gradients(model, db, dw, learning_rate)\nreturn value",
        "uphill": STEP + "apply_gradients(model, -dw, -db, learning_rate)\nreturn value",
        "half": STEP + "apply_gradients(model, dw / 2, db / 2, learning_rate)\nreturn value",
        "no update": STEP + "return value",
        "twice": STEP + "apply_gradients(model, dw, db, learning_rate)\n" + END,
        "own rate": STEP + "apply_gradients(model, dw, db, 0.1)\nreturn value",
        "b alone": STEP + "apply_gradients(model, 0.0 * dw, db, learning_rate)\nreturn value",
        "w alone": STEP + "apply_gradients(model, dw, 0.0 * db, learning_rate)\nreturn value",
        "no formula of loss": "with tf.GradientTape() as tape:\n    value = tf.reduce_mean((model(inputs) - outputs) ** 2)\n"
        "dw, db = tape.gradient(value, [model.w, model.b])\napply_gradients(model, dw, db, learning_rate)\nreturn value",
        "half of the data": "n = (len(inputs) + 1) // 2\ninputs, outputs = inputs[:n], outputs[:n]\n" + STEP + END,
        "divided by N": STEP + "n = len(inputs)\napply_gradients(model, dw / n, db / n, learning_rate)\nreturn value",
        "rate before": STEP + "apply_gradients(model, learning_rate * dw, learning_rate * db, learning_rate)\nreturn value",
    },
}  # fmt: skip
# What messages may claim of each mistake, besides what is seen of the training run and of time: see ``claims.toml``.
TRUE = {
    "loss": {
        "sum": "sum",
        "half": "half",
        "twice": "twice",
        "absolute": "absolute",
        "root": "root",
        "no square": "no-square",
        "negative": "negative-loss",
        "each": "returns-each loss-in-a-list",
        "nothing": "returns-nothing no-slope gradients-of-none",
        "first": "",
        "number": "left-tensorflow",
        "plus": "",
    },
    "apply_gradients": {
        "uphill": "uphill",
        "no rate": "no-rate",
        "exchanged": "exchanged",
        "only w": "unmoved",
        "only b": "unmoved",
        "replaced": "replaced",
        "nothing": "unmoved",
        "twice": "moved-twice",
        "sign": "rate-alone",
    },
    "train": {
        "returns nothing": "train-returns-nothing",
        "returns the loss after": "loss-from-after",
        "exchanged": "exchanged-gradients",
        "uphill": "negative-gradient",
        "half": "half-gradient",
        "no update": "zero-dw no-gradient-could-follow model-unmoved not-updated",
        "twice": "updated-twice",
        "own rate": "updated-fixed-rate",
        "b alone": "zero-dw not-updated",
        "w alone": "zero-dw not-updated",
        "no formula of loss": "does-not-follow",
        "half of the data": "strangers",
        "divided by N": "gradient-over-n",
        "rate before": "rate-in-gradient",
    },
}
OF_A_RUN = "run-no-number run-grows run-does-not-fall run-other-loss run-does-not-arrive run-another-way"
OF_ALL = {"loss": "other-loss", "apply_gradients": "other-step", "train": "other-gradient"}
OF_SOME_CALLS = {
    "loss": "late-loss other-slope",
    "apply_gradients": "sometimes",
    "train": "late-train right-in-some-calls",
}
ALWAYS = "always"
CALLS = {
    ALWAYS: "True",
    "in its first call": "_calls[0] == 1",
    "in its first three calls": "_calls[0] <= 3",
    "from its eleventh call on": "_calls[0] > 10",
    "from its 51st call on": "_calls[0] > 50",
    "in every third call": "_calls[0] % 3 == 0",
    "in every seventh call": "_calls[0] % 7 == 0",
}
WHEN = {
    "loss": {**CALLS, "for many examples": "len(target_y) > 1000", "for few examples": "len(target_y) < 10"},
    "apply_gradients": {
        **CALLS,
        "for small gradients": "abs(float(dw)) < 0.5",
        "for large rates": "float(learning_rate) > 0.5",
        "for gradients below 0": "float(dw) < 0",
        "for other models than the first": "model is not _first.setdefault('model', model)",
    },
    "train": {
        **CALLS,
        "for many examples": "len(inputs) > 1000",
        "for large rates": "float(learning_rate) > 0.5",
        "for other models than the first": "model is not _first.setdefault('model', model)",
    },
}


@dataclass(frozen=True)
class Generated:
    """One answer: its name, its code, the function that is wrong, if one is, and the claims that are true of it."""

    name: str
    code: dict[str, str]
    at_fault: str = ""
    claims: frozenset[str] = frozenset()


def every() -> list[Generated]:
    """All answers, in a fixed order."""
    styles = [list(RIGHT[name]) for name in SIGNATURES]
    found = [
        Generated(
            f"right: {', '.join(style)}", {n: _plain(n, RIGHT[n][s]) for n, s in zip(SIGNATURES, style, strict=True)}
        )
        for style in product(*styles)
    ]
    for function in SIGNATURES:
        for style, mistake, when in product(RIGHT[function], WRONG[function], WHEN[function]):
            source = _sometimes(function, RIGHT[function][style], WRONG[function][mistake], WHEN[function][when])
            true = _true(function, mistake, always=when == ALWAYS)
            found.append(Generated(f"{function}, {style}: {mistake}, {when}", {function: source}, function, true))
    return found


def _true(function: str, mistake: str, *, always: bool) -> frozenset[str]:
    of_time = "" if always else OF_SOME_CALLS[function]
    return frozenset(f"{TRUE[function][mistake]} {OF_ALL[function]} {OF_A_RUN} {of_time}".split())


def _indented(body: str) -> str:
    return "".join(f"    {line}\n" for line in body.splitlines())


def _plain(function: str, body: str, name: str = "") -> str:
    return f"def {name or function}({SIGNATURES[function]}):\n{_indented(body)}"


def _sometimes(function: str, right: str, wrong: str, when: str) -> str:
    head = "_calls, _first = [0], {}\n" + _plain(function, right, "_right") + _plain(function, wrong, "_wrong")
    arguments = SIGNATURES[function]
    choose = f"_calls[0] += 1\nreturn (_wrong if {when} else _right)({arguments})"
    return head + _plain(function, choose)


def misjudged(answers: Sequence[Generated]) -> list[str]:
    """Grade `answers`; a line for each that got what it should not have got, or read what is not true of it."""
    by_name = {answer.name: answer for answer in answers}
    missing, found = set(by_name), []
    for name, _, result in results.graded([results.job(answer.name, answer.code) for answer in answers]):
        missing.discard(name)
        found += [f"{name}: {fault}" for fault in faults(by_name[name], result)]
    return found + [f"{name}: ended its process" for name in sorted(missing)]


def faults(answer: Generated, result: results.Result) -> Iterator[str]:
    """Yield what is wrong with the result of one answer."""
    lost = result.lost()
    if result.undecided:
        yield f"undecided: {', '.join(result.undecided)}"
    elif not answer.at_fault and lost:
        yield f"right, and lost in {', '.join(sorted(lost))}: {result.messages}"
    elif answer.at_fault and lost - {"test_training_run"} != {f"test_{answer.at_fault}"}:
        yield f"lost in {', '.join(sorted(lost)) or 'nothing'}"
    untrue = claims.of(message for cell in result.messages.values() for message in cell) - answer.claims
    if untrue:
        yield f"reads what is untrue: {', '.join(sorted(untrue))}"


def main() -> None:
    """Grade the generated answers, or some of them; exit status 1 if any is misjudged."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--some", type=int, default=0, help="how many, drawn at random (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="which ones these are (default: %(default)s)")
    parser.add_argument("--answers", default="", help="a part of their names (default: all)")
    options = parser.parse_args()
    answers = [answer for answer in every() if options.answers in answer.name]
    if options.some:
        answers = random.Random(options.seed).sample(answers, min(options.some, len(answers)))
    start, found = time.monotonic(), []
    for first in range(0, len(answers), 200):
        found += misjudged(answers[first : first + 200])
        done = min(first + 200, len(answers))
        print(f"{done} of {len(answers)} answers, {len(found)} misjudged, {time.monotonic() - start:.0f} s", flush=True)
    print("".join(f"  {line}\n" for line in found), end="")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
