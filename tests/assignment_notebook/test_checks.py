"""The checks that students see: every right answer passes, and a typical mistake gets the advice that helps."""

import re
from textwrap import dedent
from typing import Any

import pytest
from nbclient import NotebookClient
from nbformat import from_dict
from nbformat.v4 import new_code_cell

BASE = ("imports", "checks", "model", "data", "loss", "apply_gradients", "train")
FRIENDLY = "the checks have passed"


def loss(body: str) -> dict[str, str]:
    return {"loss": f"def loss(predicted_y, target_y):\n    {body}\n"}


def update(body: str) -> dict[str, str]:
    return {"apply_gradients": f"def apply_gradients(model, dw, db, learning_rate):\n    {body}\n"}


def train(body: str) -> dict[str, str]:
    lines = dedent(body).strip().replace("\n", "\n    ")
    return {"train": f"def train(model, inputs, outputs, learning_rate):\n    {lines}\n"}


MISTAKES = {
    # the loss: what is computed
    "sum": (loss("return tf.reduce_sum(tf.square(predicted_y - target_y))"), "looks like the sum"),
    "half": (loss("return tf.reduce_mean(tf.square(predicted_y - target_y)) / 2"), "half of the mean"),
    "root": (loss("return tf.sqrt(tf.reduce_mean(tf.square(predicted_y - target_y)))"), "the root of the mean"),
    "absolute": (loss("return tf.reduce_mean(tf.abs(predicted_y - target_y))"), "absolute differences"),
    "plain": (loss("return tf.reduce_mean(target_y - predicted_y)"), "plain differences"),
    "squared mean": (loss("return tf.square(tf.reduce_mean(predicted_y - target_y))"), "the square of the mean"),
    "column": (loss("return tf.reduce_mean((predicted_y[:, None] - target_y) ** 2)"), "every target"),
    "no reduction": (loss("return tf.square(predicted_y - target_y)"), "the mean over all the examples"),
    "no return": (loss("tf.reduce_mean(tf.square(predicted_y - target_y))"), "there is no `return` in `loss`"),
    "fixed length": (loss("return tf.reduce_sum(tf.square(predicted_y - target_y)) / 4"), "however many there are"),
    "mini-batch": (loss("return tf.reduce_mean(tf.square(predicted_y[:32] - target_y[:32]))"), "however many"),
    # the loss: what it is made of
    "numpy": (loss("return np.mean((predicted_y.numpy() - target_y.numpy()) ** 2)"), "that have a gradient"),
    "numpy mean": (loss("return np.mean((predicted_y - target_y) ** 2)"), "that have a gradient"),
    "float": (loss("return float(tf.reduce_mean((predicted_y - target_y) ** 2))"), "that have a gradient"),
    "constant": (loss("return tf.constant(np.mean((predicted_y - target_y) ** 2))"), "that have a gradient"),
    "half of the gradient": (
        loss("d = predicted_y - target_y\n    return tf.reduce_mean(d * tf.stop_gradient(d))"), "that have a gradient"),
    "Huber": (loss("return tf.keras.losses.Huber()(target_y, predicted_y)"), "the loss is the mean of"),
    "twice the difference": (loss("return tf.reduce_mean(2 * (predicted_y - target_y))"), "the loss is the mean of"),
    "a list": (loss("return [tf.reduce_mean((predicted_y - target_y) ** 2)]"), "return the loss, the mean"),
    "compared in Python": (loss("return 0.0 if predicted_y == target_y else 1.0"), "neither true nor false"),
    "class not built": (loss("return tf.keras.losses.MeanSquaredError(target_y, predicted_y)"), "Is a loss class built first"),
    "class not called": (loss("return tf.keras.losses.MeanSquaredError()"), "built first"),
    "squared_difference": (loss("return tf.reduce_mean(tf.squared_difference(predicted_y, target_y))"), "no such name"),
    "mean_squared_error": (loss("return tf.math.mean_squared_error(predicted_y, target_y)"), "no such name"),
    "old sub": (loss("return tf.reduce_mean(tf.square(tf.sub(predicted_y, target_y)))"), "no such name"),
    "data of later on": (loss("return tf.reduce_mean(tf.square(predicted_y - ys))"), "names of the arguments"),
    "global data": (
        loss("ys = tf.zeros([1000])\n    return tf.reduce_mean(tf.square(predicted_y - ys))"), "not xs or ys"),
    "misspelt": (loss("return tf.reduce_mean(tf.square(prediction - target_y))"), "names of the arguments"),
    "renamed": ({"loss": "def mse(predicted_y, target_y):\n    return 0.0\n"}, "has another name"),
    "name taken": ({"loss": "loss = 0.0\n"}, "something else has taken its name"),
    "three arguments": ({"loss": "def loss(model, predicted_y, target_y):\n    return 0.0\n"}, "`def` line as given"),
    "power": (loss("return tf.reduce_mean((predicted_y - target_y) ^ 2)"), "no power in Python"),
    # the updates
    "assign_add": (
        update("model.w.assign_add(learning_rate * dw); model.b.assign_add(learning_rate * db)"), "the wrong sign:"),
    "one sign": (
        update("model.w.assign_sub(learning_rate * dw); model.b.assign_add(learning_rate * db)"), "wrong sign for b"),
    "rate unused": (update("model.w.assign_sub(dw); model.b.assign_sub(db)"), "the learning rate unused"),
    "fixed rate": (update("model.w.assign_sub(0.1 * dw); model.b.assign_sub(0.1 * db)"), "0.333 times the right step"),
    "exchanged": (
        update("model.w.assign_sub(learning_rate * db); model.b.assign_sub(learning_rate * dw)"), "the step of b for w"),
    "w only": (update("model.w.assign_sub(learning_rate * dw)"), "an update of w only"),
    "b only": (update("model.b.assign_sub(learning_rate * db)"), "an update of b only"),
    "nothing": (update("model.w - learning_rate * dw"), "is it the model of the arguments"),
    "assigned": (update("model.w.assign(learning_rate * dw); model.b.assign(learning_rate * db)"), "step assigned"),
    "replaced": (
        update("model.w = model.w - learning_rate * dw; model.b = model.b - learning_rate * db"),
        "but `model.w.assign_sub(...)`"),
    "minus equals": (update("model.w -= learning_rate * dw"), "a method of model.w and model.b"),
    "method of the model": (update("model.assign_sub(learning_rate * dw)"), "a method of model.w and model.b"),
    "method of a tensor": (update("(model.w + 0.0).assign_sub(learning_rate * dw)"), "which stay tf.Variables"),
    "capital letter": (update("model.W.assign_sub(learning_rate * dw)"), "called model.w and model.b"),
    "function of tf": (update("tf.assign_sub(model.w, learning_rate * dw)"), "a method of model.w and model.b"),
    "remembers": (
        update("global sent\n    sent = globals().get('sent', 0) + 1\n"
               "    model.w.assign_sub(learning_rate * dw / sent); model.b.assign_sub(learning_rate * db / sent)"),
        "such as earlier calls"),
    # the train step
    "outside the tape": (train("""
        current = loss(model(inputs), outputs)
        with tf.GradientTape() as tape:
            pass
        dw, db = tape.gradient(current, [model.w, model.b])
        apply_gradients(model, dw, db, learning_rate)
        return current"""), "a gradient is None"),
    "numpy on the tape": (train("""
        with tf.GradientTape() as tape:
            current = loss(tf.constant(model(inputs).numpy()), outputs)
        dw, db = tape.gradient(current, [model.w, model.b])
        apply_gradients(model, dw, db, learning_rate)
        return current"""), "a gradient is None"),
    "gradient twice": (train("""
        with tf.GradientTape() as tape:
            current = loss(model(inputs), outputs)
        dw = tape.gradient(current, model.w)
        db = tape.gradient(current, model.b)
        apply_gradients(model, dw, db, learning_rate)
        return current"""), "ask for [model.w, model.b] at once"),
    "no with": (train("""
        tape = tf.GradientTape()
        current = loss(model(inputs), outputs)
        dw, db = tape.gradient(current, [model.w, model.b])"""), "there is no `with` line"),
    "sorted by name": (train("""
        with tf.GradientTape() as tape:
            current = loss(model(inputs), outputs)
        dw, db = tape.gradient(current, model.trainable_variables)
        apply_gradients(model, dw, db, learning_rate)
        return current"""), "`model.trainable_variables` begins with b"),
    "b after w": (train("""
        for variable in (model.w, model.b):
            with tf.GradientTape() as tape:
                value = loss(model(inputs), outputs)
            if variable is model.w:
                first = value
            variable.assign_sub(learning_rate * tape.gradient(value, variable))
        return first"""), "after w has moved"),
    "fixed rate in train": (train("""
        with tf.GradientTape() as tape:
            current = loss(model(inputs), outputs)
        apply_gradients(model, *tape.gradient(current, [model.w, model.b]), 0.1)
        return current"""), "0.333 times the right step"),
    "two updates": (train("""
        with tf.GradientTape() as tape:
            current = loss(model(inputs), outputs)
        dw, db = tape.gradient(current, [model.w, model.b])
        apply_gradients(model, dw, db, learning_rate)
        apply_gradients(model, dw, db, learning_rate)
        return current"""), "2 times the right step: make one"),
    "loss from after": (train("""
        with tf.GradientTape() as tape:
            current = loss(model(inputs), outputs)
        apply_gradients(model, *tape.gradient(current, [model.w, model.b]), learning_rate)
        return loss(model(inputs), outputs)"""), "return the one from before"),
    "train returns nothing": (train("""
        with tf.GradientTape() as tape:
            current = loss(model(inputs), outputs)
        apply_gradients(model, *tape.gradient(current, [model.w, model.b]), learning_rate)"""),
        "no `return` in `train`"),
    "no update": (train("return loss(model(inputs), outputs)"), "no `tf.GradientTape`"),
    "global data in train": (train("""
        with tf.GradientTape() as tape:
            current = loss(model(xs), ys)
        apply_gradients(model, *tape.gradient(current, [model.w, model.b]), learning_rate)
        return current"""), "of all the examples"),
    "numpy in a graph": ({"train": dedent("""
        @tf.function
        def train(model, inputs, outputs, learning_rate):
            with tf.GradientTape() as tape:
                current = loss(model(inputs), outputs)
            dw, db = tape.gradient(current, [model.w, model.b])
            apply_gradients(model, dw.numpy(), db.numpy(), learning_rate)
            return current""")}, "in a `@tf.function`"),
    "loss of None": (train("""
        with tf.GradientTape() as tape:
            current = print(end="")
        dw, db = tape.gradient(current, [model.w, model.b])"""), "gradients of None"),
    "mini-batches": (train("""
        for first in (0, 32):
            x, y = inputs[first:first + 32], outputs[first:first + 32]
            with tf.GradientTape() as tape:
                current = loss(model(x), y)
            apply_gradients(model, *tape.gradient(current, [model.w, model.b]), learning_rate)
        return loss(model(inputs), outputs)"""), "of all the examples"),
    "the first examples": (train("""
        with tf.GradientTape() as tape:
            current = loss(model(inputs[:32]), outputs[:32])
        apply_gradients(model, *tape.gradient(current, [model.w, model.b]), learning_rate)
        return current"""), "of all the examples"),
    "divided by N": (train("""
        with tf.GradientTape() as tape:
            current = loss(model(inputs), outputs)
        dw, db = tape.gradient(current, [model.w, model.b])
        apply_gradients(model, dw / len(inputs), db / len(inputs), learning_rate)
        return current"""), "0.025 times the right step"),
    "half a gradient": (train("""
        with tf.GradientTape() as tape:
            current = loss(model(inputs), outputs)
        dw, db = tape.gradient(current, [model.w, model.b])
        apply_gradients(model, dw / 2, db / 2, learning_rate)
        return current"""), "0.5 times the right step"),
    "twice the rate": (train("""
        with tf.GradientTape() as tape:
            current = loss(model(inputs), outputs)
        dw, db = tape.gradient(current, [model.w, model.b])
        apply_gradients(model, dw, db, 2 * learning_rate)
        return current"""), "with the argument learning_rate as it is"),
    "rate unused in train": (train("""
        with tf.GradientTape() as tape:
            current = loss(model(inputs), outputs)
        apply_gradients(model, *tape.gradient(current, [model.w, model.b]), 1.0)
        return current"""), "the learning rate unused"),
    "two gradients, two updates": (train("""
        for _ in range(2):
            with tf.GradientTape() as tape:
                current = loss(model(inputs), outputs)
            apply_gradients(model, *tape.gradient(current, [model.w, model.b]), learning_rate)
        return current"""), "two updates in one call"),
    "float in train": (train("""
        with tf.GradientTape() as tape:
            current = float(loss(model(inputs), outputs))
        apply_gradients(model, *tape.gradient(current, [model.w, model.b]), learning_rate)
        return current"""), "left TensorFlow"),
    "training=True": (train("""
        with tf.GradientTape() as tape:
            current = loss(model(inputs, training=True), outputs)
        apply_gradients(model, *tape.gradient(current, [model.w, model.b]), learning_rate)
        return current"""), "the inputs and nothing else"),
    "no tape": (train("""
        current = loss(model(inputs), outputs)
        dw, db = tape.gradient(current, [model.w, model.b])
        apply_gradients(model, dw, db, learning_rate)
        return current"""), "no `tf.GradientTape`"),
    "no tape and no gradients": (train("""
        current = loss(model(inputs), outputs)
        apply_gradients(model, dw, db, learning_rate)
        return current"""), "no `tf.GradientTape`"),
    "gradients of old": (train("""
        current = loss(model(inputs), outputs)
        dw, db = tf.gradients(current, [model.w, model.b])
        apply_gradients(model, dw, db, learning_rate)
        return current"""), "no `tf.GradientTape`"),
    "formula": (train("""
        error = model(inputs) - outputs
        apply_gradients(
            model, tf.reduce_mean(2 * error * inputs), tf.reduce_mean(2 * error), learning_rate
        )
        return tf.reduce_mean(error ** 2)"""), "no `tf.GradientTape`"),
    "formula, and the loss is called": (train("""
        error = (model(inputs) - outputs).numpy()
        apply_gradients(model, np.mean(2 * error * inputs.numpy()), np.mean(2 * error), learning_rate)
        return loss(error, 0.0)"""), "no `tf.GradientTape`"),
    "tape of another name": (train("""
        with tf.GradientTape() as my_tape:
            current = loss(model(inputs), outputs)
        dw, db = tape.gradient(current, [model.w, model.b])
        apply_gradients(model, dw, db, learning_rate)
        return current"""), "this name does not exist"),
    "optimizer outside": ({"train": dedent("""
        optimizer = tf.keras.optimizers.SGD(0.2)
        optimizer.build([tf.Variable(0.0), tf.Variable(0.0)])
        def train(model, inputs, outputs, learning_rate):
            with tf.GradientTape() as tape:
                current = loss(model(inputs), outputs)
            variables = [model.w, model.b]
            optimizer.apply_gradients(zip(tape.gradient(current, variables), variables))
            return current""")}, "build the optimizer inside"),
}  # fmt: skip

RIGHT = {
    "operators": loss("return tf.reduce_mean((target_y - predicted_y) ** 2)"),
    "math.squared_difference": loss("return tf.reduce_mean(tf.math.squared_difference(predicted_y, target_y))"),
    "sum over size": loss("return tf.reduce_sum(tf.square(predicted_y - target_y)) / len(predicted_y)"),
    "Keras object": loss("return tf.keras.losses.MeanSquaredError()(target_y, predicted_y)"),
    "Keras function": loss("return tf.keras.losses.MSE(target_y, predicted_y)"),
    "compiled loss": {"loss": "@tf.function\n" + loss("return tf.reduce_mean((predicted_y - target_y) ** 2)")["loss"]},
    "lambda": {"loss": "loss = lambda predicted_y, target_y: tf.reduce_mean((predicted_y - target_y) ** 2)"},
    "assign": update(
        "model.w.assign(model.w - learning_rate * dw); model.b.assign(model.b - learning_rate * db); print('moved')"),
    "returns the model": update(
        "model.w.assign_add(-learning_rate * dw); model.b.assign_add(-learning_rate * db); return model"),
    "Keras SGD": update(
        "tf.keras.optimizers.SGD(learning_rate).apply_gradients([(dw, model.w), (db, model.b)])"),
    "persistent tape": train("""
        with tf.GradientTape(persistent=True) as tape:
            current = loss(model(inputs), outputs)
        dw = tape.gradient(current, model.w)
        db = tape.gradient(current, model.b)
        del tape
        apply_gradients(model, dw, db, learning_rate)
        return current"""),
    "the loss by another name": {"train": "my_loss = loss\n" + train("""
        with tf.GradientTape() as tape:
            current = my_loss(model(inputs), outputs)
        dw, db = tape.gradient(current, [model.w, model.b])
        apply_gradients(model, dw, db, learning_rate)
        return current""")["train"]},
    "no name of a tape": train("""
        with getattr(tf, "Gradient" + "Tape")() as tape:
            current = loss(model(inputs), outputs)
        apply_gradients(model, *tape.gradient(current, [model.w, model.b]), learning_rate)
        return current"""),
    "tape in a class": {"train": dedent("""
        class Trainer:
            def step(self, model, inputs, outputs, learning_rate):
                with tf.GradientTape() as tape:
                    current = loss(model(inputs), outputs)
                apply_gradients(model, *tape.gradient(current, [model.w, model.b]), learning_rate)
                return current

        def train(model, inputs, outputs, learning_rate):
            return Trainer().step(model, inputs, outputs, learning_rate)""")},
    "a callable object": {"train": dedent("""
        class Trainer:
            def __init__(self, loss):
                self.loss = loss

            def __call__(self, model, inputs, outputs, learning_rate):
                with tf.GradientTape() as tape:
                    current = self.loss(model(inputs), outputs)
                apply_gradients(model, *tape.gradient(current, [model.w, model.b]), learning_rate)
                return current

        train = Trainer(loss)""")},
    "dictionary, float": train("""
        with tf.GradientTape() as tape:
            current = loss(model(inputs), outputs)
        found = tape.gradient(current, {"w": model.w, "b": model.b})
        apply_gradients(model, found["w"], found["b"], learning_rate)
        return current.numpy()"""),
    "compiled": {"train": dedent("""
        @tf.function
        def train(model, inputs, outputs, learning_rate):
            with tf.GradientTape() as tape:
                current = loss(model(inputs), outputs)
            dw, db = tape.gradient(current, [model.w, model.b])
            apply_gradients(model, dw, db, learning_rate)
            return current""")},
}  # fmt: skip


def cell_of(answers: dict[str, str]) -> str:
    """The test cell of the exercise that is answered."""
    return f"test_{next(iter(answers))}"


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_passes_in_any_style(run, name):
    """Values count, not style; the checks and the training run end with their friendly line."""
    answers = RIGHT[name]
    printed = run(only=(*BASE, cell_of(answers), "test_training_run"), **answers)
    assert FRIENDLY in printed[cell_of(answers)]
    assert FRIENDLY in printed["test_training_run"]


@pytest.mark.parametrize("name", ["apply_gradients", "train"])
def test_what_is_noted_of_a_model_is_not_taken_for_another_one(run, name):
    """An optimizer for each model, by its id: the models of the checks stay alive, so that no id comes twice."""
    noted = {
        "apply_gradients": """
            optimizer = optimizers.setdefault(id(model), tf.keras.optimizers.SGD())
            optimizer.learning_rate = learning_rate
            optimizer.apply_gradients([(dw, model.w), (db, model.b)])""",
        "train": """
            with tf.GradientTape() as tape:
                current = loss(model(inputs), outputs)
            optimizer = optimizers.setdefault(id(model), tf.keras.optimizers.SGD())
            optimizer.learning_rate = learning_rate
            optimizer.apply(tape.gradient(current, [model.w, model.b]), [model.w, model.b])
            return current""",
    }[name]
    answers = train(noted) if name == "train" else update(dedent(noted).strip().replace("\n", "\n    "))
    answers[name] = "optimizers = {}\n" + answers[name]
    printed = run(until="test_training_run", **answers)
    assert all(FRIENDLY in printed[f"test_{cell}"] for cell in ("loss", "apply_gradients", "train", "training_run"))


@pytest.mark.parametrize("name", MISTAKES)
def test_a_typical_mistake_gets_its_advice(run, name):
    """The message names what is wrong, and says what was got."""
    answers, advice = MISTAKES[name]
    with pytest.raises(AssertionError) as raised:
        run(only=(*BASE, cell_of(answers)), **answers)
    message = str(raised.value)
    assert "got:" in message
    assert advice in message.partition("likely:")[2]
    assert raised.value._render_traceback_() == message.splitlines()  # all that IPython shows


def test_every_advice_is_given_to_somebody(run, notebook):
    """For each well-known error there is a mistake above whose student reads exactly its advice."""
    helpers: dict[str, Any] = {}
    exec(next(cell.source for cell in notebook.cells if cell.id == "checks"), helpers)
    advices, said = [advice for _, advice in helpers["_ADVICE"]], []
    assert len(advices) > 10
    for answers, _ in MISTAKES.values():
        with pytest.raises(AssertionError) as raised:
            run(only=(*BASE, cell_of(answers)), **answers)
        said.append(str(raised.value).partition("likely:")[2].strip())
    assert [advice for advice in advices if advice not in said] == []


def test_an_error_of_the_students_is_shown_with_its_line(run):
    """The student sees where the code stopped, not a long traceback of TensorFlow."""
    with pytest.raises(AssertionError, match=r"where: +in `loss`, at: return tf\.reduce_mean\(tf\.square\(tf\.sub"):
        run(only=(*BASE, "test_loss"), **MISTAKES["old sub"][0])


def test_an_error_that_nobody_knows_is_shown_as_it_is(run):
    """No advice is better than wrong advice."""
    with pytest.raises(ZeroDivisionError):
        run(only=(*BASE, "test_loss"), **loss("return 1 / 0"))


def stub(notebook, name: str) -> dict[str, str]:
    """A solution cell as students get it."""
    source = next(cell.source for cell in notebook.cells if cell.id == name)
    return {name: re.sub(r"### BEGIN SOLUTION.*### END SOLUTION", "# YOUR CODE HERE", source, flags=re.DOTALL)}


@pytest.mark.parametrize("name", ["loss", "apply_gradients", "train"])
def test_an_untouched_stub_gets_one_sentence(run, notebook, name):
    """Who has not written a function yet reads that, and where the code belongs; Task 4 says it of the same function."""
    for cell in (f"test_{name}", "test_training_run"):
        with pytest.raises(AssertionError) as raised:
            run(only=(*BASE, cell), **stub(notebook, name))
        assert raised.value._render_traceback_() == [str(raised.value)]
        assert str(raised.value).startswith(f"{name} is not written yet. Put your code in place of its `raise` line")


def test_a_task_that_is_not_written_yet_is_said_calmly_in_any_cell(notebook):
    """In a kernel, a cell that calls an untouched stub shows one line; another NotImplementedError is shown in full."""
    cells = [cell for cell in notebook.cells if cell.id in ("imports", "checks", "try-loss")]
    own = [new_code_cell("def helper():\n    raise NotImplementedError('mine')"), new_code_cell("helper()")]
    copy = from_dict({**notebook, "cells": [*cells[:2], new_code_cell(stub(notebook, "loss")["loss"]), cells[2], *own]})
    NotebookClient(copy, timeout=60, allow_errors=True).execute()
    untouched, others = copy.cells[3].outputs[0], copy.cells[5].outputs[0]
    assert untouched.ename == others.ename == "NotImplementedError"
    assert len(untouched.traceback) == 1
    assert "Put your code in place of its `raise` line" in untouched.traceback[0]
    assert "helper()" in "".join(others.traceback)


NOT_RIGHT_YET = {
    "Task 1": ["sum", "no return", "numpy", "fixed length", "global data", "renamed"],
    "Task 2": ["rate unused", "exchanged", "replaced", "minus equals", "nothing"],
}


@pytest.mark.parametrize(("task", "name"), [(task, name) for task in NOT_RIGHT_YET for name in NOT_RIGHT_YET[task]])
def test_train_is_not_blamed_for_another_function(run, task, name):
    """A wrong loss, and a wrong update, are named in one sentence; the checks of that task do not pass either."""
    answers = MISTAKES[name][0]
    with pytest.raises(AssertionError) as raised:
        run(only=(*BASE, "test_train"), **answers)
    assert raised.value._render_traceback_() == [str(raised.value)]
    assert f"Make the checks of {task} pass first" in str(raised.value)


def test_train_is_not_blamed_for_a_function_that_is_not_written(run, notebook):
    """The same where the other function is still the stub."""
    for name, task in (("loss", "Task 1"), ("apply_gradients", "Task 2")):
        with pytest.raises(AssertionError, match=f"Make the checks of {task} pass first"):
            run(only=(*BASE, "test_train"), **stub(notebook, name))


def test_a_tape_in_a_function_of_the_students_is_seen(run):
    """No one is told that there is no tape who has one somewhere else."""
    answers = train("""
        dw, db = step(model, inputs, outputs)
        apply_gradients(model, dw, db, learning_rate)
        return current""")
    answers["train"] += dedent("""
        def step(model, inputs, outputs):
            current = loss(model(inputs), outputs)
            with tf.GradientTape() as t:
                pass
            return t.gradient(current, [model.w, model.b])
        """)
    with pytest.raises(AssertionError, match="a gradient is None"):
        run(only=(*BASE, "test_train"), **answers)


def test_training_run_names_a_run_that_goes_wrong(run):
    """Wrong updates show in the run: the loss grows, or the weights do not arrive, or there is no loss at all."""
    with pytest.raises(AssertionError, match="has to fall at every epoch"):
        run(only=(*BASE, "test_training_run"), **MISTAKES["assign_add"][0])
    with pytest.raises(AssertionError, match=r"\[w, b\] after 15 epochs"):
        run(only=(*BASE, "test_training_run"), **MISTAKES["w only"][0])
    with pytest.raises(AssertionError, match="no `return` in `train`"):
        run(only=(*BASE, "test_training_run"), **MISTAKES["train returns nothing"][0])
