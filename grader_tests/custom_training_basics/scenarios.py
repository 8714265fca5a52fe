"""What the hidden tests do in a student's process, as functions of the student's global names (`notebook`).

Called by the tests through ``submission.play(name, ...)``; never imported in the grader's process. The source travels
into the student's process, where hostile code can read and call it, so it says what is done and never what should come
out, and nothing in it solves an exercise: the stand-ins are useless without numbers that only the grader has.
"""

import functools
import inspect
import linecache
import types
import warnings
from contextlib import contextmanager

import numpy as np
import tensorflow as tf

SLOTS = 8  # calls of `apply_gradients` that are noted for one call of `train`
_kept = []  # models stay alive: a student may have noted something under a model's id()


def new_model(notebook, w, b):
    """Make a model of the notebook's kind. Its inside is ours: a student may have redefined the given class."""
    given = notebook["Model"] if "Model" in notebook else None  # noqa: SIM401 - `notebook` is no full dict
    kind = given if isinstance(given, type) and issubclass(given, tf.Module) else tf.Module

    class Model(kind):
        def __init__(self):
            tf.Module.__init__(self, name="model")
            self.w = tf.Variable(w, dtype=tf.float32)
            self.b = tf.Variable(b, dtype=tf.float32)

        def __call__(self, x):
            return self.w * x + self.b

        __call__.__qualname__ = "Model.__call__"  # what a student may read in an error's text
        __call__ = tf.autograph.experimental.do_not_convert(__call__)

    Model.__module__, Model.__qualname__ = "__main__", "Model"
    _kept.append(Model())
    return _kept[-1]


def loss_of(notebook, predicted, target):
    """Call `loss` on two tensors of shape (N,)."""
    return notebook["loss"](tf.constant(predicted), tf.constant(target))


def loss_over_calls(notebook, pairs):
    """Call `loss` on each pair of data in turn, from its first call on, and return all values."""
    with _as_after_restart(notebook):
        return [loss_of(notebook, predicted, target) for predicted, target in pairs]


def gradient_through_loss(notebook, predicted, target):
    """Return the gradient of what `loss` returns with respect to the predictions, or None."""
    predicted = tf.constant(predicted)
    with tf.GradientTape() as tape:
        tape.watch(predicted)
        value = notebook["loss"](predicted, tf.constant(target))
    gradient = tape.gradient(value, predicted)
    return None if gradient is None else tf.convert_to_tensor(gradient)


def updates(notebook, start, gradients, rates, age):
    """Update one new model several times, after another one has been updated `age` times.

    Returns where its weights are at the start and after each update, shape (updates + 1, 2): by their names ("named")
    and by variables taken before the first update ("held"); and whether these are one and the same ("same").
    """
    model = new_model(notebook, *start)
    held = model.w, model.b
    named, taken = [_values(held)], [_values(held)]
    other = new_model(notebook, *start)
    with _as_after_restart(notebook):
        for _ in range(age):
            notebook["apply_gradients"](other, tf.constant(gradients[0][0]), tf.constant(gradients[0][1]), rates[0])
        for (dw, db), rate in zip(gradients, rates, strict=True):
            with _noticing_replaced(model, held):
                notebook["apply_gradients"](model, tf.constant(dw), tf.constant(db), rate)
                named.append(_values((model.w, model.b)))
            taken.append(_values(held))
    return {"named": np.stack(named), "held": np.stack(taken), "same": _same(model, held)}


def training_steps(notebook, start, inputs, outputs, rates, nudge, formula, numbers, age):
    """Call `train` on one new model, once with each rate, with stand-ins in place of `loss` and `apply_gradients`.

    Before that it has been called `age` times on another model, from its first call on.

    `formula` names a function below that makes the loss from `numbers`. The other stand-in notes its arguments and
    moves the weights by `nudge`, whatever the gradients are. Returns the weights at the start and after each call of
    `train` ("held", shape (3, 2)), how often `apply_gradients` was called in each ("calls", (2,)), with which dw, db
    and rate ("noted", (2, SLOTS, 3)), what `train` returned, whether the variables are still the same, and whether
    `loss` was also called on data of another length ("strangers") or on tensors of two shapes ("crossed").
    """
    stand_in = LossStandIn(FORMULAS[formula], numbers, outputs)
    data = tf.constant(inputs), tf.constant(outputs)
    report = _steps(notebook, start, data, rates, stand_in, Recorder(nudge), age)
    if not stand_in.calls:
        # A function that was traced before may still hold the real loss. As plain Python it cannot.
        tf.config.run_functions_eagerly(True)
        try:
            report = _steps(notebook, start, data, rates, stand_in, Recorder(nudge), age)
        finally:
            tf.config.run_functions_eagerly(False)
    return {**report, "strangers": stand_in.strangers, "crossed": stand_in.crossed}


def _steps(notebook, start, data, rates, stand_in, recorder, age):
    model, other = new_model(notebook, *start), new_model(notebook, *start)
    held = model.w, model.b
    _kept.append(recorder)  # traced functions hold on to its variables
    taken, calls, noted, returned = [_values(held)], [], [], []
    stand_ins = {"loss": stand_in.function(), "apply_gradients": recorder.function()}
    with _as_after_restart(notebook), _standing_in(notebook, **stand_ins):
        for _ in range(age):
            notebook["train"](other, *data, rates[0])
        for rate in rates:
            recorder.forget()
            with _noticing_replaced(model, held):
                returned.append(notebook["train"](model, *data, rate))
            taken.append(_values(held))
            calls.append(recorder.calls.numpy())
            noted.append(recorder.noted.numpy())
    report = {"held": np.stack(taken), "calls": np.stack(calls), "noted": np.stack(noted)}
    return {**report, "returned": returned, "same": _same(model, held)}


def training_run(notebook, start, inputs, outputs, rate, epochs, age):
    """Train a new model with the student's three functions, as the notebook's loop does.

    Before that, another model is trained for `age` epochs: what is remembered of one model is no use for the next.

    Returns its weights at the start and after each epoch, shape (epochs + 1, 2), and what `train` returned.
    """
    model = new_model(notebook, *start)
    held = model.w, model.b
    weights, returned = [_values(held)], []
    other = new_model(notebook, *start)
    with _as_after_restart(notebook):
        for _ in range(age):
            notebook["train"](other, tf.constant(inputs), tf.constant(outputs), rate)
        for _ in range(epochs):
            with _noticing_replaced(model, held):
                returned.append(notebook["train"](model, tf.constant(inputs), tf.constant(outputs), rate))
                weights.append(_values((model.w, model.b)))
    return {"weights": np.stack(weights), "returned": returned}


class Recorder:
    """Stands in for `apply_gradients`. All in TensorFlow operations, so that it also works inside a `tf.function`."""

    def __init__(self, nudge):
        self.nudge = nudge
        self.calls = tf.Variable(0.0)
        self.noted = tf.Variable(tf.zeros([SLOTS, 3]))

    def forget(self):
        self.calls.assign(0.0)
        self.noted.assign(tf.zeros([SLOTS, 3]))

    def function(self):
        def apply_gradients(model, dw, db, learning_rate):
            if dw is None or db is None:
                return learning_rate * None  # the error that a real update would raise
            row = tf.stack([tf.cast(value, tf.float32) for value in (dw, db, learning_rate)])
            here = tf.equal(tf.range(SLOTS, dtype=tf.float32), self.calls)
            self.noted.assign(tf.where(here[:, tf.newaxis], row, self.noted))
            self.calls.assign_add(1.0)
            model.w.assign_add(self.nudge[0])
            model.b.assign_add(self.nudge[1])
            return None

        return apply_gradients


class LossStandIn:
    """Stands in for `loss`, and counts when it is run or traced; `strangers` are calls on data of another length.

    `crossed` are calls on two shapes, which a real loss would broadcast to every pair of examples.
    """

    def __init__(self, formula, numbers, outputs):
        self.formula = formula
        self.numbers = numbers
        self.outputs = outputs
        self.calls = 0
        self.strangers = 0
        self.crossed = 0

    def function(self):
        def loss(predicted_y, target_y):
            self.calls += 1
            predicted_y, target_y = tf.convert_to_tensor(predicted_y), tf.convert_to_tensor(target_y)
            self.crossed += not predicted_y.shape.is_compatible_with(target_y.shape)
            lengths = {predicted_y.shape.num_elements(), target_y.shape.num_elements()}
            if lengths - {None, len(self.numbers[0])}:
                self.strangers += 1
                return tf.reduce_mean(predicted_y) + tf.reduce_mean(target_y)
            return self.formula(predicted_y, target_y, *self._in_order_of(predicted_y, target_y))

        return loss

    def _in_order_of(self, *data):
        """The numbers of the examples, in the order in which `data` has the outputs: any order is as right."""
        if tf.executing_eagerly() and any(np.array_equal(self.outputs, one) for one in data):
            return self.numbers
        ours, numbers = tf.argsort(self.outputs), tf.stack([tf.cast(row, tf.float64) for row in self.numbers])
        ordered = numbers
        for one in data:
            values = tf.reshape(tf.cast(one, tf.float32), [-1])
            if values.shape.num_elements() in (None, len(self.outputs)):
                shuffled = tf.reduce_all(tf.equal(tf.sort(values), tf.sort(self.outputs)))
                ranks = tf.argsort(tf.argsort(values))
                ordered = tf.where(shuffled, tf.gather(tf.gather(numbers, ours, axis=1), ranks, axis=1), ordered)
        return tf.unstack(ordered, num=len(self.numbers))


def two_sided(predicted_y, target_y, level, slope, curve, cross):
    """A polynomial of the one argument and of the other, and a product of both that is 0 where a slope is."""

    def side(y):
        return level + slope * y + curve * y * y

    def every_pair(y):
        return tf.reduce_sum(level) + tf.reduce_sum(slope) * tf.reduce_mean(y) + tf.reduce_sum(curve * y * y)

    dtype = predicted_y.dtype
    level, slope, curve, cross = (tf.cast(factor, dtype) for factor in (level, slope, curve, cross))
    one, other = tf.reshape(predicted_y, [-1]), tf.reshape(target_y, [-1])
    if not predicted_y.shape.is_compatible_with(target_y.shape):
        return every_pair(one) + every_pair(other)
    product = (slope + 2 * curve * one) * (slope + 2 * curve * other)
    return tf.reduce_sum(side(one) + side(other) + cross * product)


def pairwise(predicted_y, target_y, weights):
    """A smooth, even function of the differences, with a weight for each example."""
    difference = predicted_y - target_y
    if difference.shape.num_elements() == weights.shape[0]:
        difference = tf.reshape(difference, [-1])  # a second axis of length one is fine, if both have it
    both = tf.nn.softplus(difference) + tf.nn.softplus(-difference)
    return tf.reduce_sum(tf.cast(weights, difference.dtype) * both)


FORMULAS = {"two_sided": two_sided, "pairwise": pairwise}


@contextmanager
def _as_after_restart(notebook):
    """Run the cells again that define the student's functions: what they remember of earlier calls is gone.

    Afterwards the notebook's names are as before.
    """
    before = {name: notebook[name] for name in ("loss", "apply_gradients", "train") if name in notebook}
    every = dict(notebook.names)
    cells = {name: file for name, function in before.items() if (file := _cell_of(function))}
    try:
        with warnings.catch_warnings():  # a cell may make errors of warnings, and ours are not its own
            _run_again(notebook, dict.fromkeys(cells.values()))
        if any(notebook[name] is before[name] for name in cells):
            _put_back(notebook, every)  # one was made in another cell than its code is in: they belong together
        yield
    finally:
        _put_back(notebook, every)


def _run_again(notebook, files):
    for file in files:
        try:
            exec(compile("".join(linecache.getlines(file)), file, "exec"), notebook.names)  # noqa: S102
        except Exception:  # noqa: BLE001, S112 - as in a notebook: what stands above the error has been run
            continue


def _put_back(notebook, every):
    for name in [name for name in notebook.names if name not in every]:
        del notebook.names[name]
    notebook.names.update(every)


def _cell_of(function):
    """The file that a notebook's cell is known by in which the code of `function` stands, or None."""
    file = getattr(getattr(_plain(function), "__code__", None), "co_filename", "")
    return file if file.startswith("<ipython-input") or "ipykernel_" in file else None


def _plain(function):
    """The function within decorators, partials, traced functions, methods and callable objects."""
    for _ in range(20):
        inner = (
            function.func
            if isinstance(function, functools.partial)
            else getattr(function, "python_function", None)
            or getattr(function, "__wrapped__", None)
            or getattr(function, "__func__", None)
        )
        if inner is None:
            break
        function = inner
    return function if isinstance(function, types.FunctionType) else getattr(type(function), "__call__", None)  # noqa: B004


@contextmanager
def _standing_in(notebook, **stand_ins):
    """Put the stand-ins into the notebook's names, and into functions that were bound elsewhere (`f=loss`) before."""
    before = {name: notebook[name] for name in stand_ins if name in notebook}
    codes = {}
    try:
        for name, stand_in in stand_ins.items():
            notebook[name] = _called_like(before.get(name), stand_in)
            function, bound = _redirectable(before.get(name), name, notebook[name])
            if function is not None:
                codes[function] = function.__code__
                function.__code__ = _redirect(name, function.__code__.co_freevars, bound)
        yield
    finally:
        for function, code in codes.items():
            function.__code__ = code
        for name in stand_ins:
            if name in before:
                notebook[name] = before[name]
            else:
                del notebook[name]


def _called_like(own, stand_in):
    """Let the stand-in be called as the notebook says, or else as the student's `own` function is defined."""
    expected, accepted = inspect.signature(stand_in), _signature(own)

    def call(*args, **kwargs):
        try:
            found = expected.bind(*args, **kwargs)
        except TypeError as error:
            found = _bind(accepted, args, kwargs)
            if found is None:
                raise error from None
        return stand_in(*found.args[: len(expected.parameters)])

    call.__name__ = call.__qualname__ = stand_in.__name__  # what a student may read in an error's text
    return tf.autograph.experimental.do_not_convert(call)


def _signature(own):
    try:
        return inspect.signature(own)
    except (TypeError, ValueError):
        return None


def _bind(accepted, args, kwargs):
    try:
        found = accepted.bind(*args, **kwargs)
    except (TypeError, AttributeError):
        return None
    found.apply_defaults()
    return found


def _redirect(name, free, bound):
    """Code that calls what is `name` then, with the free variables of the code that it takes the place of.

    Of a method's arguments the first (`bound` is 1) is its object.
    """
    source = f"def outer({', '.join(free)}):\n    def call(*args, **kwargs):\n        {'; '.join(['pass', *free])}\n"
    source += f"        return {name}(*args[{bound}:], **kwargs)\n"
    (outer,) = (code for code in compile(source, "<scenario>", "exec").co_consts if isinstance(code, types.CodeType))
    return next(code for code in outer.co_consts if isinstance(code, types.CodeType))


def _redirectable(function, name, stand_in):
    """The plain function to redirect, or None, and how many arguments of it are its own object."""
    if tf.config.functions_run_eagerly():
        function = getattr(function, "python_function", function)
    bound = 0
    if not isinstance(function, types.FunctionType):
        method = function if isinstance(function, types.MethodType) else getattr(function, "__call__", None)  # noqa: B004
        function, bound = getattr(method, "__func__", None), 1
    if not isinstance(function, types.FunctionType):
        return None, 0
    # Only a function of the notebook itself: a library's may be needed for other things.
    return (function, bound) if function.__globals__.get(name) is stand_in else (None, 0)


@contextmanager
def _noticing_replaced(model, held):
    """Remark it in an error if the model's variables have been replaced, which is then the likely cause."""
    try:
        yield
    except Exception as error:
        if not _same(model, held):
            error.remark = "replaced"
        raise


def _same(model, held):
    return model.w is held[0] and model.b is held[1]


def _values(weights):
    return np.stack([np.array(weight) for weight in weights])
