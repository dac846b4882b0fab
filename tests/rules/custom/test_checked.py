"""The tree of an expression, read from the serialised form of Google's implementation."""

from cel_expr_python import cel

from rules.custom.checked import Node, tree


def parsed(text: str) -> Node:
    """The tree of a text over doubles x and y."""
    functions = [
        cel.FunctionDecl(
            "f", [cel.Overload("f_text", return_type=cel.Type.DOUBLE, parameters=[cel.Type.STRING, cel.Type.STRING])]
        )
    ]
    env = cel.NewEnv(variables={"x": cel.Type.DOUBLE, "y": cel.Type.DOUBLE}, functions=functions)
    return tree(env.compile(text).serialize())


def test_calls_names_and_constants_have_their_places() -> None:
    """Operators and functions are calls; each part knows where in the text it begins, counted in characters."""
    assert parsed('x > -5.5 || f("ä", "1h") < 0.0') == Node(
        "call",
        9,
        "_||_",
        arguments=(
            Node("call", 2, "_>_", arguments=(Node("identifier", 0, "x"), Node("constant", 4, value=-5.5))),
            Node(
                "call",
                25,
                "_<_",
                arguments=(
                    Node(
                        "call",
                        13,
                        "f",
                        arguments=(Node("constant", 14, value="ä"), Node("constant", 19, value="1h")),
                    ),
                    Node("constant", 27, value=0.0),
                ),
            ),
        ),
    )


def test_true_false_and_whole_numbers_are_told_apart() -> None:
    """A boolean is no number, a whole number no double, also where they are zero."""
    found = [repr(part.value) for part in leaves(parsed("true || false || 1 == 0 || 0.0 == 1.0"))]
    assert sorted(found) == ["0", "0.0", "1", "1.0", "False", "True"]


def leaves(node: Node) -> list[Node]:
    """The parts of a tree that have none themselves."""
    return [leaf for each in node.arguments for leaf in leaves(each)] if node.arguments else [node]


def test_what_else_the_language_has_is_other() -> None:
    """Lists, comprehensions, methods and fields are no parts of a condition."""
    assert parsed("[1.0].exists(e, e > x)").kind == "other"
    assert parsed('"abc".startsWith("a")').kind == "other"
    assert parsed("x in [1.0, 2.0]").arguments[1].kind == "other"
