"""Reads filters and orderings.

    filter     := either END
    either     := both (OR both)*
    both       := negation (AND negation)*
    negation   := NOT negation | "(" either ")" | comparison
    comparison := field ( ("=" | "!=" | "<" | "<=" | ">" | ">=") value
                        | [NOT] IN "(" value ("," value)* [","] ")"
                        | [NOT] (LIKE | ILIKE) string
                        | IS [NOT] (NULL | NAN) )
    field      := [attribute.]name | metrics.key | params.key | tags.key | datasets.key
                | (MIN | MAX) "(" metrics.key ")"
    ordering   := field [ASC | DESC] END

Every filter that MLflow 3 documents is one of these with the same meaning. Strings are in single or
double quotes, a quote within doubled; there are no other escapes.
"""

from __future__ import annotations

from collections.abc import Sequence

from autolog_core.errors import InvalidFilter
from autolog_core.search.fields import Scope, Type, resolve_name, resolve_path, type_of
from autolog_core.search.lexer import Kind, Token, error, tokenize
from autolog_core.search.tree import (
    ABSENCES,
    And,
    Comparison,
    Field,
    Function,
    Node,
    Not,
    Or,
    OrderTerm,
    Scalar,
)
from autolog_core.search.values import clamp

MAX_DEPTH = 32
MAX_CONDITIONS = 256
MAX_VALUES = 10_000
MAX_PATTERN = 8000
MAX_ORDERINGS = 16
_INT64 = 2**63
_FUNCTIONS: dict[str, Function] = {"MIN": "min", "MAX": "max"}
_HINTS = {
    "==": "write '='",
    "<>": "write '!='",
    "~": "write LIKE",
    "=~": "write LIKE",
    "&&": "write AND",
    "||": "write OR",
    "!": "write NOT",
}


def parse_filter(source: str | None, scope: Scope) -> Node | None:
    """Returns the tree of a filter; None for an empty one, which all matches.

    Raises:
        InvalidFilter: It cannot be read; the message shows where.
    """
    if source is None:
        return None
    if not isinstance(source, str):
        raise InvalidFilter(f"filter_string must be text, got {type(source).__name__}")
    parser = _Parser(source, scope)
    if parser.sees(Kind.END):
        return None
    node = parser.either(0)
    if not parser.sees(Kind.END):
        raise parser.problem(f"expected AND, OR or the end, got {parser.shown()}")
    return node


def parse_order_by(order_by: Sequence[str] | None, scope: Scope) -> tuple[OrderTerm, ...]:
    """Returns the orderings, the first one of a field alone.

    Raises:
        InvalidFilter: One cannot be read; the message shows where.
    """
    if order_by is None:
        return ()
    if isinstance(order_by, str) or not all(isinstance(item, str) for item in order_by):
        raise InvalidFilter(f"order_by must be a list of text, got {order_by!r}")
    terms: dict[Field, OrderTerm] = {}
    for source in order_by:
        parser = _Parser(source, scope)
        term = parser.ordering()
        terms.setdefault(term.field, term)
    if len(terms) > MAX_ORDERINGS:
        raise InvalidFilter(
            f"order_by has {len(terms)} fields, at most {MAX_ORDERINGS} are allowed"
        )
    return tuple(terms.values())


class _Parser:
    def __init__(self, source: str, scope: Scope) -> None:
        self.source = source
        self.scope = scope
        self.tokens = tokenize(source)
        self.index = 0
        self.conditions = 0
        self.values = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    def problem(self, message: str, token: Token | None = None) -> InvalidFilter:
        return error(message, self.source, (token or self.token).start)

    def sees(self, kind: Kind) -> bool:
        return self.token.kind is kind

    def shown(self) -> str:
        token = self.token
        if token.kind is Kind.END:
            return "the end"
        text = self.source[token.start : token.end]
        return repr(text if len(text) <= 40 else text[:37] + "...")

    def advance(self) -> Token:
        token = self.token
        self.index += 1
        return token

    def keyword(self, *words: str) -> str | None:
        """Takes the next token if it is one of `words`."""
        if self.sees(Kind.WORD) and self.token.text.upper() in words:
            return self.advance().text.upper()
        return None

    def expect(self, kind: Kind) -> Token:
        if self.token.kind is not kind:
            raise self.problem(f"expected {kind.value}, got {self.shown()}")
        return self.advance()

    # conditions

    def either(self, depth: int) -> Node:
        parts = [self.both(depth)]
        while self.keyword("OR"):
            parts.append(self.both(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def both(self, depth: int) -> Node:
        parts = [self.negation(depth)]
        while self.keyword("AND"):
            parts.append(self.negation(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def negation(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self.problem(f"more than {MAX_DEPTH} levels of parentheses and NOT")
        if self.keyword("NOT"):
            return Not(self.negation(depth + 1))
        if self.sees(Kind.OPEN):
            start = self.advance()
            node = self.either(depth + 1)
            if self.sees(Kind.END):
                raise self.problem("this parenthesis is never closed", start)
            self.expect(Kind.CLOSE)
            return node
        return self.comparison()

    def comparison(self) -> Comparison:
        self.conditions += 1
        if self.conditions > MAX_CONDITIONS:
            raise self.problem(f"more than {MAX_CONDITIONS} conditions; IN takes a list of values")
        field = self.field()
        operator, token = self.operator()
        type_ = type_of(field, self.scope)
        self.check_operator(field, type_, operator, token)
        if operator in ABSENCES or operator.endswith("NAN"):
            return Comparison(field, operator)
        if operator in ("IN", "NOT IN"):
            return Comparison(field, operator, self.items(field, type_))
        if operator.endswith("LIKE"):
            return Comparison(field, operator, self.pattern())
        value = self.value(field, type_)
        if operator not in ("=", "!=") and isinstance(value, str):
            quoted = self.tokens[self.index - 1]
            hint = "write the number without quotes" if type_ is Type.LABEL else "use = or LIKE"
            raise self.problem(f"{field} {operator} compares numbers, not text: {hint}", quoted)
        return Comparison(field, operator, value)

    def field(self) -> Field:
        token = self.token
        if token.kind is Kind.WORD and self.tokens[self.index + 1].kind is Kind.OPEN:
            function = _FUNCTIONS.get(token.text.upper())
            if function is None:
                raise self.problem(f"unknown function {token.text!r}; there are min and max")
            if not self.scope.functions:
                raise self.problem(
                    f"{function}() is not for {self.scope.plural}: metrics.key matches whichever "
                    "logged value fits"
                )
            self.index += 2
            inner = self.token
            field = self.field()
            if field.kind != "metric" or field.function:
                raise self.problem(f"{function}() takes a metric: {function}(metrics.loss)", inner)
            self.expect(Kind.CLOSE)
            return Field("metric", field.key, function)
        if token.kind not in (Kind.PATH, Kind.WORD, Kind.NAME, Kind.STRING):
            raise self.problem(
                f"expected a field such as metrics.loss or status, got {self.shown()}"
            )
        self.advance()
        try:
            return self.resolve(token)
        except LookupError as problem:
            raise self.problem(str(problem.args[0]), token) from None

    def resolve(self, token: Token) -> Field:
        scope = self.scope
        whole = token.kind is Kind.WORD or (
            token.kind is Kind.PATH and token.prefix in scope.prefixes
        )
        # `Run Name` is the one name with a space, and people do not quote it.
        follower = self.token
        joined = f"{token.text} {follower.text}"
        if whole and follower.kind is Kind.WORD and joined in scope.aliases:
            self.advance()
            return resolve_name(joined, scope)
        if token.kind is Kind.PATH:
            return resolve_path(token.prefix, token.text, scope)
        return resolve_name(token.text, scope)

    def operator(self) -> tuple[str, Token]:
        token = self.token
        if token.kind is Kind.OPERATOR:
            if token.text not in ("=", "!=", "<", "<=", ">", ">="):
                hint = _HINTS.get(token.text, "comparisons are = != < <= > >= LIKE ILIKE IN IS")
                raise self.problem(f"unknown comparison {token.text!r}: {hint}")
            return self.advance().text, token
        if self.keyword("IS"):
            negated = "NOT " if self.keyword("NOT") else ""
            word = self.keyword("NULL", "NAN")
            if word is None:
                raise self.problem(f"expected NULL or NAN after IS, got {self.shown()}")
            return f"IS {negated}{word}", token
        negated = "NOT " if self.keyword("NOT") else ""
        word = self.keyword("IN", "LIKE", "ILIKE")
        if word is None:
            raise self.problem(f"expected a comparison such as =, > or LIKE, got {self.shown()}")
        return negated + word, token

    def check_operator(self, field: Field, type_: Type, operator: str, token: Token) -> None:
        if operator.endswith("NAN") and field.kind != "metric":
            raise self.problem(f"{operator} is for metrics; {field} holds {type_.value}", token)
        if operator.endswith("NAN") and field.function:
            raise self.problem(
                f"{field} leaves NaN out: ask for metrics.{field.key} {operator}", token
            )
        if operator.endswith("LIKE") and type_ not in (Type.TEXT, Type.LABEL):
            raise self.problem(f"{field} holds {type_.value}: {operator} is for text", token)
        if operator in ("<", "<=", ">", ">=") and type_ is Type.ID:
            raise self.problem(f"{field} compares with =, != and IN only", token)

    # values

    def items(self, field: Field, type_: Type) -> tuple[Scalar, ...]:
        self.expect(Kind.OPEN)
        items = []
        while True:
            items.append(self.value(field, type_))
            if self.sees(Kind.COMMA):
                self.advance()
                if not self.sees(Kind.CLOSE):
                    continue
            self.expect(Kind.CLOSE)
            return tuple(items)

    def pattern(self) -> str:
        token = self.expect(Kind.STRING)
        if len(token.text) > MAX_PATTERN:
            raise self.problem(f"the pattern is longer than {MAX_PATTERN} characters", token)
        return token.text

    def value(self, field: Field, type_: Type) -> Scalar:
        self.values += 1
        if self.values > MAX_VALUES:
            raise self.problem(f"more than {MAX_VALUES} values")
        token = self.token
        words = self.scope.words.get(field.key) if field.kind == "attribute" else None
        if words is not None and token.kind in (Kind.NUMBER, Kind.STRING):
            self.advance()
            return words.get(token.text.upper(), token.text)
        if token.kind is Kind.NUMBER and type_ is not Type.TEXT:
            self.advance()
            if type_ is Type.ID:
                return self.id_text(field, token)
            return _integer(token.text) if type_ is Type.TIME else clamp(float(token.text))
        if token.kind is Kind.STRING and type_ in (Type.TEXT, Type.LABEL):
            return self.advance().text
        if token.kind is Kind.STRING and type_ is Type.ID:
            self.advance()
            return self.id_text(field, token)
        wanted = "a number" if type_ in (Type.NUMBER, Type.TIME) else "a value in quotes"
        raise self.problem(f"{field} holds {type_.value}: expected {wanted}, got {self.shown()}")

    def id_text(self, field: Field, token: Token) -> str:
        text = token.text
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise self.problem(f"{field} is a decimal number, got {text!r}", token)
        return str(int(text))

    # orderings

    def ordering(self) -> OrderTerm:
        token = self.token
        field = self.field()
        if field.kind not in self.scope.ordered:
            kinds = ", ".join(sorted(self.scope.ordered))
            raise self.problem(
                f"{self.scope.plural} cannot be ordered by {field}; use: {kinds}", token
            )
        ascending = self.keyword("ASC", "DESC") != "DESC"
        if self.sees(Kind.COMMA):
            raise self.problem("order_by is a list: give each field as an item of its own")
        if not self.sees(Kind.END):
            raise self.problem(f"expected ASC, DESC or the end, got {self.shown()}")
        return OrderTerm(field, ascending)


def _integer(text: str) -> int | float:
    if text.lstrip("+-").isdigit() and len(text) < 20 and -_INT64 <= int(text) < _INT64:
        return int(text)
    return clamp(float(text))
