"""Mutation operators: each looks at one node of a right answer's syntax tree and yields what a slip puts in its place.

The operators are our own. Those of the well-kept tools (cosmic-ray's, mutmut's) exchange Python's operators, numbers and
keywords, and in these three functions there are five such places. What goes wrong here goes wrong in TensorFlow's terms:
which reduction, which tape, which variable, and when. Used by `mutants`, which applies them to every node in turn.
"""

import ast
import copy
import re
from collections.abc import Callable, Iterator, Sequence

Change = ast.AST | list[ast.stmt]
Operator = Callable[[ast.AST, str], Iterator[Change]]
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
ELEMENTWISE = ("square", "abs", "sqrt", "exp", "sign", "identity", "negative", "round")
BINARY = ("add", "subtract", "multiply", "divide", "maximum")
REDUCTIONS = ("mean", "sum", "max", "min", "prod")
MORE_REDUCTIONS = ("tf.math.reduce_std", "tf.math.reduce_variance", "tf.math.reduce_euclidean_norm", "tf.size")
METHODS = ("assign", "assign_add", "assign_sub")
INSTEAD = {  # of an argument
    "model": ("Model()", "globals()['model']", "my_model", "Model(float(model.w), float(model.b))"),
    "inputs": ("xs", "tf.reverse(inputs, [0])", "tf.sort(inputs)", "tf.ones_like(inputs)", "inputs[:1]"),
    "outputs": ("ys", "tf.reverse(outputs, [0])", "tf.sort(outputs)", "tf.zeros_like(outputs)", "outputs[:1]"),
    "learning_rate": ("0.1", "0.01", "1.0", "learning_rate ** 2", "min(learning_rate, 0.1)", "max(learning_rate, 0.1)"),
    "dw": ("tf.constant(1.0)", "tf.sign(dw)", "tf.abs(dw)", "tf.clip_by_value(dw, -1.0, 1.0)", "db"),
    "db": ("tf.constant(1.0)", "tf.sign(db)", "tf.abs(db)", "tf.clip_by_value(db, -1.0, 1.0)", "dw"),
    "predicted_y": ("tf.zeros_like(predicted_y)", "tf.reverse(predicted_y, [0])", "predicted_y[:1]", "target_y"),
    "target_y": ("tf.zeros_like(target_y)", "tf.reverse(target_y, [0])", "target_y[:1]", "tf.sort(target_y)"),
}
PARTS = ("[1:]", "[:-1]", "[:32]", "[::2]", "[:1000]", "[:, None]")
WRONG_THINGS = (
    *("2 * {0}", "{0} / 2", "-{0}", "{0} ** 2", "tf.sqrt({0})", "tf.exp({0})", "{0} + model.w", "{0} + model.b ** 2"),
    *("tf.stop_gradient({0})", "tf.round({0})", "tf.reduce_mean(model(inputs))", "model(inputs)", "outputs"),
    *("{0} * len(inputs)", "loss(model(inputs), model(inputs))", "loss(model(inputs), 0 * outputs)"),
)
SCALES = ("2 * ({0})", "({0}) / 2", "-({0})", "({0}) + 0.01", "1.01 * ({0})", "0 * ({0})")
HIDING = ("tf.stop_gradient({0})", "({0}).numpy()", "float({0})", "tf.constant(({0}).numpy())", "tf.round({0})")
KEPT = (
    "_kept.setdefault({1!r}, {0})",  # the first value for ever
    "_late({1!r}, {0})",  # that of the call before
)
RETURNED = ("None", "[{0}]", "({0}, {0})", "str({0})", "tf.reshape({0}, [1])", "2 * {0}", "tf.round({0})", "0.0")
GUARDS = (
    "if 'once' in _kept:\n    return {last}\n_kept['once'] = True",
    "if id({argument}) in _kept:\n    return {last}\n_kept[id({argument})] = True",
    "_kept['calls'] = _kept.get('calls', 0) + 1\nif _kept['calls'] % 2 == 0:\n    return {last}",
)
PRELUDE = """
_kept = {}

def _late(name, value):
    before = _kept.get(name, value)
    _kept[name] = value
    return before
"""


def arithmetic(node: ast.AST, function: str) -> Iterator[Change]:
    """Another operator between two values, or none before one."""
    if isinstance(node, ast.BinOp):
        yield from (ast.BinOp(node.left, kind(), node.right) for kind in ARITHMETIC if not isinstance(node.op, kind))
        yield from (node.left, node.right)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif _tf(node) in BINARY:
        yield from (_call(f"tf.{name}", node.args) for name in BINARY if name != _tf(node))


def constant(node: ast.AST, function: str) -> Iterator[Change]:
    """Another number, or the other truth value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        others = (node.value + 1, node.value - 1, 2 * node.value, -node.value, 0)
        yield from (ast.Constant(value) for value in dict.fromkeys(others) if value != node.value)


def wrong_function(node: ast.AST, function: str) -> Iterator[Change]:
    """Another function of each element, or of each variable."""
    if _tf(node) in ELEMENTWISE:
        yield from (_call(f"tf.{name}", node.args) for name in ELEMENTWISE if name != _tf(node))
    elif isinstance(node, ast.Attribute) and node.attr in METHODS:
        yield from (ast.Attribute(node.value, name, node.ctx) for name in METHODS if name != node.attr)
    elif isinstance(node, ast.Attribute) and node.attr == "SGD":
        yield from (ast.Attribute(node.value, name, node.ctx) for name in ("Adam", "RMSprop", "Adagrad"))


def wrong_reduction(node: ast.AST, function: str) -> Iterator[Change]:
    """Another reduction, one that keeps an axis, or the wrong one."""
    name = _tf(node)
    if name.startswith("reduce_"):
        others = [f"tf.reduce_{other}" for other in REDUCTIONS if name != f"reduce_{other}"]
        yield from (_call(other, node.args) for other in (*others, *MORE_REDUCTIONS))
        for option in ("keepdims=True", "axis=-1", "axis=1", "axis=[]"):
            yield _expression(f"{ast.unparse(node)[:-1]}, {option})")


def argument_order(node: ast.AST, function: str) -> Iterator[Change]:
    """Two neighbours exchanged: arguments, operands, what is in a list, targets of an assignment."""
    if isinstance(node, ast.BinOp) and not isinstance(node.op, (ast.Add, ast.Mult)):
        yield ast.BinOp(node.right, node.op, node.left)
    elif isinstance(node, ast.Call):
        yield from (ast.Call(node.func, args, node.keywords) for args in _exchanged(node.args))
    elif isinstance(node, (ast.List, ast.Tuple)):
        yield from (type(node)(elements, node.ctx) for elements in _exchanged(node.elts))


def dropped_statement(node: ast.AST, function: str) -> Iterator[Change]:
    """Not done at all."""
    if _is_step(node) or isinstance(node, ast.Return):
        yield ast.Pass()


def repeated_statement(node: ast.AST, function: str) -> Iterator[Change]:
    """Done twice."""
    if _is_step(node):
        yield [node, node]


def dropped_call(node: ast.AST, function: str) -> Iterator[Change]:
    """A function left out: its first argument goes through as it is."""
    if isinstance(node, ast.Call) and node.args and not isinstance(node.args[0], ast.Starred):
        yield node.args[0]


def wrong_variable(node: ast.AST, function: str) -> Iterator[Change]:
    """Another name of the function, or the other weight."""
    if isinstance(node, ast.Attribute) and node.attr in ("w", "b"):
        yield ast.Attribute(node.value, "b" if node.attr == "w" else "w", node.ctx)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.known:
        yield from (ast.Name(name, node.ctx) for name in node.known if name != node.id)


def ignored_argument(node: ast.AST, function: str) -> Iterator[Change]:
    """An argument overwritten before it is used."""
    if _is_answer(node, function):
        for name in (argument.arg for argument in node.args.args):
            for value in INSTEAD.get(name, ()):
                yield _with_body(node, [*_statements(f"{name} = {value}"), *node.body])


def part_of_the_data(node: ast.AST, function: str) -> Iterator[Change]:
    """Some of the examples, of both tensors in the same way."""
    if _is_answer(node, function) and function != "apply_gradients":
        one, other = ("predicted_y", "target_y") if function == "loss" else ("inputs", "outputs")
        for part in PARTS:
            yield _with_body(node, [*_statements(f"{one}, {other} = {one}{part}, {other}{part}"), *node.body])


def wrong_gradient(node: ast.AST, function: str) -> Iterator[Change]:
    """The gradient of something else, made on the tape from the loss."""
    tapes = [child for child in ast.walk(node) if isinstance(child, ast.With)] if _is_answer(node, function) else []
    for number, tape in enumerate(tapes):
        value = next((step.targets[0].id for step in tape.body if isinstance(step, ast.Assign)), None)
        for thing in WRONG_THINGS if value else ():
            new = copy.deepcopy(node)
            body = [child for child in ast.walk(new) if isinstance(child, ast.With)][number].body
            body += _statements(f"_wrong = {thing.format(value)}")
            for call in ast.walk(new):
                is_gradient = isinstance(call, ast.Call) and ast.unparse(call.func).endswith(".gradient")
                if is_gradient and ast.unparse(call.args[0]) == value:
                    call.args[0] = ast.Name("_wrong", ast.Load())
            yield new


def wrong_value(node: ast.AST, function: str) -> Iterator[Change]:
    """A value scaled, turned around or moved a little."""
    yield from _wrapped(node, SCALES)


def hidden_from_the_tape(node: ast.AST, function: str) -> Iterator[Change]:
    """A value that the tape cannot follow."""
    if function == "loss":
        yield from _wrapped(node, HIDING)
        if isinstance(node, ast.BinOp):
            yield ast.BinOp(_stopped(node.left), node.op, node.right)
            yield ast.BinOp(node.left, node.op, _stopped(node.right))
    elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("model", "loss"):
        yield from (_expression(hiding.format(ast.unparse(node))) for hiding in HIDING)


def stale_value(node: ast.AST, function: str) -> Iterator[Change]:
    """A value remembered from an earlier call."""
    yield from _wrapped(node, KEPT)
    if function == "train":
        yield from _wrapped(node, ("_kept.setdefault(({1!r}, id(model)), {0})",))


def wrong_time(node: ast.AST, function: str) -> Iterator[Change]:
    """Steps in another order; the block of the tape too short or too long; a value computed again at the end."""
    body = node.body if isinstance(node, (ast.FunctionDef, ast.With, ast.For)) else []
    yield from (_with_body(node, steps) for steps in _exchanged(body))
    for i, step in enumerate(body):
        if isinstance(step, ast.With):
            for steps in _tapes(step, body[i + 1 :]):
                yield _with_body(node, [*body[:i], *steps])
    if _is_answer(node, function) and isinstance(node.body[-1], ast.Return) and function == "train":
        yield _with_body(node, [*node.body[:-1], *_statements("return loss(model(inputs), outputs)")])
        early = _statements("_early = loss(model(inputs), outputs)")
        yield _with_body(node, [*early, *node.body[:-1], *_statements("return _early")])


def replaced_variable(node: ast.AST, function: str) -> Iterator[Change]:
    """The variable replaced, or a copy of it moved, in place of the update."""
    call = node.value if isinstance(node, ast.Expr) else None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in METHODS:
        variable, step = ast.unparse(call.func.value), ast.unparse(call.args[0])
        new = {"assign": "{1}", "assign_add": "{0} + {1}", "assign_sub": "{0} - {1}"}[call.func.attr].format(
            variable, step
        )
        for text in (f"{variable} = {new}", f"{variable} = tf.Variable({new})", f"{variable} = {ast.unparse(call)}",
                     f"_new = {new}", f"tf.Variable({variable}).assign({new})"):  # fmt: skip
            yield _statements(text)


def wrong_return(node: ast.AST, function: str) -> Iterator[Change]:
    """Something else is returned, or the right value in another form."""
    if isinstance(node, ast.Return) and node.value is not None:
        for text in RETURNED:
            yield _statements(f"return {text.format(f'({ast.unparse(node.value)})')}")[0]
        if function == "train":
            for text in ("dw", "model", "model(inputs)", "loss", "tape", "learning_rate", "loss(model(xs), ys)"):
                yield _statements(f"return {text}")[0]


def works_once(node: ast.AST, function: str) -> Iterator[Change]:
    """Only the first call does something, or only the first one of each model, or only every second one."""
    if _is_answer(node, function):
        last = "None" if function == "apply_gradients" else "_kept.get('value')"
        for guard in GUARDS:
            first = _statements(guard.format(argument=node.args.args[0].arg, last=last))
            yield _with_body(node, [*first, *(_remembering(step) for step in node.body)])


OPERATORS: dict[str, Operator] = {
    operator.__name__: operator
    for operator in (
        arithmetic, constant, wrong_function, wrong_reduction, argument_order, dropped_statement, repeated_statement,
        dropped_call, wrong_variable, ignored_argument, part_of_the_data, wrong_gradient, wrong_value,
        hidden_from_the_tape, stale_value, wrong_time, replaced_variable, wrong_return, works_once,
    )
}  # fmt: skip


def _tf(node: ast.AST) -> str:
    """Name of the function of TensorFlow that is called (``""``: none)."""
    found = re.fullmatch(r"tf\.(?:math\.)?(\w+)", ast.unparse(node.func)) if isinstance(node, ast.Call) else None
    return found[1] if found else ""


def _is_answer(node: ast.AST, function: str) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == function


def _is_step(node: ast.AST) -> bool:
    return isinstance(node, (ast.Assign, ast.Expr, ast.With, ast.For))


def _call(function: str, arguments: Sequence[ast.expr]) -> ast.expr:
    return ast.Call(_expression(function), list(arguments), [])


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _statements(text: str) -> list[ast.stmt]:
    return ast.parse(text).body


def _tapes(tape: ast.With, after: Sequence[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """The steps of a block and those after it, with some of them on the other side of its beginning or its end."""
    inside, nothing = tape.body, [ast.Pass()]
    for n in range(1, len(inside) + 1):
        yield [_with_body(tape, inside[:-n] or nothing), *inside[-n:], *after]
        yield [*inside[:n], _with_body(tape, inside[n:] or nothing), *after]
    for n in range(1, len(after) + 1):
        yield [_with_body(tape, [*inside, *after[:n]]), *after[n:]]


def _stopped(node: ast.expr) -> ast.expr:
    return _call("tf.stop_gradient", [node])


def _exchanged(items: Sequence[ast.AST]) -> Iterator[list[ast.AST]]:
    for i in range(len(items) - 1):
        yield [*items[:i], items[i + 1], items[i], *items[i + 2 :]]


def _with_body(node: ast.AST, body: Sequence[ast.stmt]) -> ast.AST:
    new = copy.copy(node)
    new.body = list(body)
    return new


def _remembering(step: ast.stmt) -> ast.stmt:
    if isinstance(step, ast.Return) and step.value is not None:
        return _statements(f"return _kept.setdefault('value', {ast.unparse(step.value)})")[0]
    return step


def _wrapped(node: ast.AST, templates: Sequence[str]) -> Iterator[Change]:
    """Put each value of a step into each template: ``{0}`` is the value, ``{1}`` a name for it."""
    for value in _values(node):
        for template in templates:
            text = ast.unparse(value)
            yield replaced(node, value, _expression(template.format(text, f"{node.lineno}: {text}")))


def _values(node: ast.AST) -> list[ast.expr]:
    """What is assigned or returned in a step, or given to an update of variables."""
    if isinstance(node, (ast.Assign, ast.Return)):
        is_pair = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple)
        return [] if is_pair or node.value is None else [node.value]
    call = node.value if isinstance(node, ast.Expr) else None
    if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] in (*METHODS, "apply_gradients"):
        return [
            value for value in call.args if isinstance(value, ast.BinOp) or getattr(value, "id", "model") != "model"
        ]
    return []


def replaced(tree: ast.AST, old: ast.AST, new: Change) -> ast.AST:
    """Copy `tree` with `new` in the place of its node `old`."""

    class Replacing(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Change:
            if node is old:
                return new
            fresh = copy.copy(node)  # NodeTransformer changes nodes in place, lists included
            for name, value in ast.iter_fields(node):
                setattr(fresh, name, list(value) if isinstance(value, list) else value)
            return self.generic_visit(fresh)

    return Replacing().visit(tree)
