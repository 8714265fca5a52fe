"""What an exception in a student's code most likely means: symptom to advice, as a teacher would give it.

The engine calls `advice` with the exception's type name and text, both written by the student's process. They only
choose among the fixed texts here.
"""

import re

GRADIENT_IS_NONE = (
    "A gradient is None: the loss has to come from the predictions of the `model` from the arguments, all of it "
    "computed in this call, inside the `with tf.GradientTape()` block of a tape that watches the variables, and with "
    "TensorFlow operations only (no `.numpy()`, `np.…`, `float()`, rounding or new `tf.Variable`)."
)
REPLACED = (
    "`model.w = …` replaces the variable, and the next step has nothing left to train: update it in place with "
    "`model.w.assign_sub(…)`."
)
LEFT_TENSORFLOW = (
    "The loss left TensorFlow, and the tape cannot follow it there: no NumPy, `.numpy()` or `float()` in the loss, nor "
    "for the variables that the tape is asked about."
)

SYMPTOMS = [
    (
        r"'NoneType' and |and 'NoneType'|value \(None\)|None values not supported|No gradients provided",
        GRADIENT_IS_NONE,
    ),
    (
        r"non-persistent GradientTape",
        "Either `gradient` is called twice on one tape (ask for `[model.w, model.b]` at once), or the "
        "`with tf.GradientTape() as …` line is missing.",
    ),
    (r"`variable [-+*/]+= value`", "A `tf.Variable` is not changed with `-=`: use `variable.assign_sub(…)`."),
    (
        r"module .* has no attribute 'assign",
        "TensorFlow has no such function any more: it is a method of the variable, `variable.assign_sub(…)`.",
    ),
    (
        r"(Tensor|float\d*|int\d*)' object has no attribute 'assign",
        "This is a tensor or a number, not a variable: call the method of `model.w` and `model.b` themselves, which "
        "must stay `tf.Variable`s (never `model.w = …`).",
    ),
    (
        r"object has no attribute 'assign",
        "`assign_sub` is a method of the variables, `model.w` and `model.b`, not of the model.",
    ),
    (
        r"truth value of an array|Invalid value for argument `?reduction",
        "Many values at once are neither true nor false: is there an `if` on a whole tensor, or is a loss class given "
        "data where it is built? It is built with empty parentheses, `MeanSquaredError()`, and then called.",
    ),
    (
        r"[Tt]ensor is unhashable",
        "A tensor cannot be looked up in a dictionary, a set or a cache such as `lru_cache`: remember nothing from one "
        "call to the next.",
    ),
    (
        r"module '\S*(tensorflow|keras)\S*' has no attribute|no attribute 'minimize'",
        "This name is gone from today's TensorFlow and Keras, or was never there: `tf.square` and `tf.reduce_mean` are "
        "all the loss needs, `assign_sub` all that an update needs.",
    ),
    (
        r"non-iterable NoneType",
        "The tape knows nothing of what it was asked: `tape.gradient` takes the value of the loss first, and then the "
        "variables, `[model.w, model.b]`.",
    ),
    (
        r"iterate over a scalar tensor",
        "One number cannot be taken apart: the loss is one number, and `tape.gradient` gives two gradients only when "
        "it is asked for both, `[model.w, model.b]`.",
    ),
    (r"received None", "The tape was asked for the gradients of None: does `loss` end with `return …`?"),
    (r"'numpy\.\w+' object has no attribute '_id'|`type_value`: '?[-+]?(\d|nan|inf)", LEFT_TENSORFLOW),
    (
        r"no attribute '_id'",
        "The tape was asked for the gradients of something that is not a tensor: does `loss` return the value itself? "
        "A loss class is built first, `MeanSquaredError()`, and then called on the data.",
    ),
    (
        r"`type_value`",
        "`tape.gradient` takes the value of the loss first, and then the variables, `[model.w, model.b]`.",
    ),
    (
        r"[Ss]ymbolic|numpy\(\) is only available",
        "No NumPy, `.numpy()` or `float()` inside a `@tf.function`: only TensorFlow operations.",
    ),
    (
        r"Tensor' object has no attribute|looking for numpy-related",
        "A tensor has no such method: use TensorFlow's functions, such as `tf.square(…)` and `tf.reduce_mean(…)`.",
    ),
    (r"[Rr]eduction dimension", "The data have one axis, of length N: take the mean over it, or name no axis at all."),
    (
        r"Unknown variable|singleton tf\.Variable|create variables on",
        "An optimizer belongs to the variables it was first used with: build it inside the function, or do without.",
    ),
    (
        r"for \^|of float is not in the list of allowed values|BitwiseXor",
        "`^` is no power in Python: `** 2`, or `tf.square(…)`.",
    ),
    (
        r"'Model' object has no attribute '(?!assign)",
        "The model has two weights, `model.w` and `model.b`, in small letters, and no other parts that matter here.",
    ),
    (
        r"expected to be a \w+ tensor but|must have the same dtype|does not match type|"
        r"must be of the same type|dtypes? .* (match|incompatible)",
        "Two tensors of different types meet: keep all of them `tf.float32`, or `tf.cast` both.",
    ),
    (
        r"[Ii]ncompatible shapes|[Bb]roadcastable shapes",
        "Two tensors do not fit together: use the arguments, not a global name such as `xs`, `ys` or `model`, and keep "
        "their shapes.",
    ),
    (
        r"Model\.__call__\(\)",
        "The model takes the inputs and nothing else: `model(inputs)`.",
    ),
    (
        # Of the three functions, or of our stand-ins for two of them, which bind arguments without saying a name.
        r"^(loss|apply_gradients|train)\(\) .* argument|^(missing a required|too many positional|got an unexpected) ",
        "Keep the names and the order of the arguments as in the `def` line, and hand over all of them in each call.",
    ),
    (
        r"(positional|keyword|required) argument",
        "A function was called with arguments that it does not take: compare the call with the function's own page.",
    ),
    (r"context manager protocol|__enter__", "The tape is built with parentheses: `with tf.GradientTape() as tape:`."),
    (r"is not callable", "Something else has taken the name of a function: use another name for it."),
]
BY_KIND = {
    "AssertionError": "A check of your own stopped this call: the function has to take any learning rate up to 1, any "
    "gradients, and data of any length.",
    "NameError": "This name does not exist where it is used: take the names of the arguments; a function has "
    "the name of its `def` line, once its cell has run.",
    "UnboundLocalError": "This name has no value yet where it is used: set it before, or give it another name.",
    "RecursionError": "The function calls itself, and so without end: does another one have the name that is meant?",
}
UNTOUCHED = "Does this function still have its `raise NotImplementedError` line? Put your code there."


def advice(kind: str, text: str, remark: str = "") -> str | None:
    """Say what the exception of type `kind` with the message `text` most likely means; None if we cannot tell.

    A scenario's `remark` ``"replaced"`` says that a variable of the model is not the same any more.
    """
    if remark == "replaced":
        return REPLACED
    for pattern, says in SYMPTOMS:
        if re.search(pattern, text):
            return says
    if kind == "NotImplementedError" and (not text or "is not written yet" in text):  # TensorFlow raises it, too
        return UNTOUCHED
    return BY_KIND.get(kind)
