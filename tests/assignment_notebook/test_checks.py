"""The checks that students see: every right answer passes, and a typical mistake gets the advice that helps."""

import re
from textwrap import dedent
from typing import Any

import pytest

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
    "no reduction": (loss("return tf.square(predicted_y - target_y)"), "take the mean"),
    "no return": (loss("tf.reduce_mean(tf.square(predicted_y - target_y))"), "there is no `return` in `loss`"),
    # the loss: what it is made of
    "numpy": (loss("return np.mean((predicted_y.numpy() - target_y.numpy()) ** 2)"), "left TensorFlow"),
    "numpy mean": (loss("return np.mean((predicted_y - target_y) ** 2)"), "left TensorFlow"),
    "float": (loss("return float(tf.reduce_mean((predicted_y - target_y) ** 2))"), "left TensorFlow"),
    "constant": (loss("return tf.constant(np.mean((predicted_y - target_y) ** 2))"), "left TensorFlow"),
    "class not built": (loss("return tf.keras.losses.MeanSquaredError(target_y, predicted_y)"), "built first"),
    "class not called": (loss("return tf.keras.losses.MeanSquaredError()"), "built first"),
    "squared_difference": (loss("return tf.reduce_mean(tf.squared_difference(predicted_y, target_y))"), "is gone"),
    "mean_squared_error": (loss("return tf.math.mean_squared_error(predicted_y, target_y)"), "is gone"),
    "old sub": (loss("return tf.reduce_mean(tf.square(tf.sub(predicted_y, target_y)))"), "is gone"),
    "data of later on": (loss("return tf.reduce_mean(tf.square(predicted_y - ys))"), "names of the arguments"),
    "global data": (
        loss("ys = tf.zeros([1000])\n    return tf.reduce_mean(tf.square(predicted_y - ys))"), "not xs or ys"),
    "misspelt": (loss("return tf.reduce_mean(tf.square(prediction - target_y))"), "names of the arguments"),
    "renamed": ({"loss": "def mse(predicted_y, target_y):\n    return 0.0\n"}, "Keep the name `loss`"),
    "name taken": ({"loss": "loss = 0.0\n"}, "has taken its name"),
    "three arguments": ({"loss": "def loss(model, predicted_y, target_y):\n    return 0.0\n"}, "`def` line as given"),
    # the updates
    "assign_add": (
        update("model.w.assign_add(learning_rate * dw); model.b.assign_add(learning_rate * db)"), "the wrong sign:"),
    "one sign": (
        update("model.w.assign_sub(learning_rate * dw); model.b.assign_add(learning_rate * db)"), "wrong sign for b"),
    "rate unused": (update("model.w.assign_sub(dw); model.b.assign_sub(db)"), "the learning rate unused"),
    "fixed rate": (update("model.w.assign_sub(0.1 * dw); model.b.assign_sub(0.1 * db)"), "a fixed learning rate"),
    "exchanged": (
        update("model.w.assign_sub(learning_rate * db); model.b.assign_sub(learning_rate * dw)"), "exchanged"),
    "w only": (update("model.w.assign_sub(learning_rate * dw)"), "an update of w only"),
    "b only": (update("model.b.assign_sub(learning_rate * db)"), "an update of b only"),
    "nothing": (update("model.w - learning_rate * dw"), "no update at all"),
    "assigned": (update("model.w.assign(learning_rate * dw); model.b.assign(learning_rate * db)"), "step assigned"),
    "replaced": (
        update("model.w = model.w - learning_rate * dw; model.b = model.b - learning_rate * db"),
        "Update it in place: `model.w.assign_sub(...)`"),
    "minus equals": (update("model.w -= learning_rate * dw"), "one of its methods"),
    "method of the model": (update("model.assign_sub(learning_rate * dw)"), "not of the model"),
    "method of a tensor": (update("(model.w + 0.0).assign_sub(learning_rate * dw)"), "have to stay tf.Variables"),
    "function of tf": (update("tf.assign_sub(model.w, learning_rate * dw)"), "a method of a variable"),
    "remembers": (
        update("global sent\n    sent = globals().get('sent', 0) + 1\n"
               "    model.w.assign_sub(learning_rate * dw / sent); model.b.assign_sub(learning_rate * db / sent)"),
        "nothing may be remembered"),
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
        dw, db = tape.gradient(current, [model.w, model.b])"""), "the `with` line is missing"),
    "sorted by name": (train("""
        with tf.GradientTape() as tape:
            current = loss(model(inputs), outputs)
        dw, db = tape.gradient(current, model.trainable_variables)
        apply_gradients(model, dw, db, learning_rate)
        return current"""), "starts with b"),
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
        return current"""), "a fixed learning rate"),
    "two updates": (train("""
        with tf.GradientTape() as tape:
            current = loss(model(inputs), outputs)
        dw, db = tape.gradient(current, [model.w, model.b])
        apply_gradients(model, dw, db, learning_rate)
        apply_gradients(model, dw, db, learning_rate)
        return current"""), "two updates in one call"),
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
    "no update": (train("return loss(model(inputs), outputs)"), "no update at all"),
    "global data in train": (train("""
        with tf.GradientTape() as tape:
            current = loss(model(xs), ys)
        apply_gradients(model, *tape.gradient(current, [model.w, model.b]), learning_rate)
        return current"""), "not xs, ys"),
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
        dw, db = tape.gradient(current, [model.w, model.b])"""), "Does your `loss` end with"),
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


@pytest.mark.parametrize("name", ["loss", "apply_gradients", "train"])
def test_an_untouched_stub_says_what_is_missing(run, notebook, name):
    """NotImplementedError names the function and says where the code belongs."""
    source = next(cell.source for cell in notebook.cells if cell.id == name)
    stub = re.sub(r"### BEGIN SOLUTION.*### END SOLUTION", "# YOUR CODE HERE", source, flags=re.DOTALL)
    with pytest.raises(NotImplementedError, match=rf"^{name} is not written yet: put your code in place of this line$"):
        run(only=(*BASE, f"test_{name}"), **{name: stub})


def test_train_asks_for_a_right_loss_first(run):
    """A wrong loss is not blamed on the train step."""
    with pytest.raises(AssertionError, match="make the checks of Task 1 pass first"):
        run(only=(*BASE, "test_train"), **MISTAKES["sum"][0])


def test_training_run_names_a_run_that_goes_wrong(run):
    """Wrong updates show in the run: the loss grows, or the weights do not arrive."""
    with pytest.raises(AssertionError, match="has to fall at every epoch"):
        run(only=(*BASE, "test_training_run"), **MISTAKES["assign_add"][0])
    with pytest.raises(AssertionError, match=r"\[w, b\] after 15 epochs"):
        run(only=(*BASE, "test_training_run"), **MISTAKES["w only"][0])
