"""What a segment's parsed query reaches for: only the profiles, and functions that compute.

The tree is Spark's own parser's. What may stand in it is listed; anything else is refused, before Spark looks
any of it up. A function is one that Spark itself brings, and none of those that run a text as code, read a
file, or fail with a row's value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cdp_core.engines.places import QueryPlace, syntax_fault
from cdp_core.engines.spark.session import Session

_PLANS = frozenset(
    {
        *("Project", "Filter", "Aggregate", "UnresolvedHaving", "Sort", "Distinct", "Deduplicate"),
        *("Join", "LateralJoin", "Union", "Intersect", "Except", "GlobalLimit", "LocalLimit", "Offset"),
        *("Sample", "SubqueryAlias", "UnresolvedSubqueryColumnAliases", "UnresolvedWith", "UnresolvedHint"),
        *("UnresolvedTVFAliases", "OneRowRelation", "LocalRelation", "UnresolvedInlineTable"),
        *("Generate", "Pivot", "PipeOperator"),
    }
)
# What a tree holds that is still to be looked up. Other expressions are what Spark makes of its own words.
_EXPRESSIONS = frozenset(
    {
        *("UnresolvedAttribute", "UnresolvedAlias", "UnresolvedStar", "UnresolvedStarExceptOrReplace"),
        *("UnresolvedExtractValue", "UnresolvedNamedLambdaVariable", "UnresolvedOrdinal"),
    }
)
_RELATION, _TABLE_FUNCTION, _WITH = "UnresolvedRelation", "UnresolvedTableValuedFunction", "UnresolvedWith"
_GENERATORS = frozenset(
    {"explode", "explode_outer", "posexplode", "posexplode_outer", "inline", "inline_outer"}
)
_TABLE_FUNCTIONS = _GENERATORS | {"range"}
_FUNCTIONS_DENIED = frozenset(
    {
        *("reflect", "java_method", "try_reflect", "from_protobuf", "to_protobuf", "raise_error"),
        *("assert_true", "input_file_name"),
        # Their options name files to read.
        *("from_xml", "schema_of_xml", "from_avro", "to_avro", "schema_of_avro"),
    }
)
_PARAMETERS = frozenset({"NamedParameter", "PosParameter"})
# A name that is computed could be any name.
_COMPUTED = frozenset({"ExpressionWithUnresolvedIdentifier", "PlanWithUnresolvedIdentifier"})
_SUBQUERY = "org.apache.spark.sql.catalyst.expressions.PlanExpression"


class Reach:
    """Goes through one segment's tree. `names` are those of the columns that it mentions, in lower case."""

    def __init__(self, session: Session, place: QueryPlace, where: str) -> None:
        self._session = session
        self._place = place
        self._where = where
        self._built_in: frozenset[str] | None = None
        self.names: set[str] = set()

    def check_query(self, plan: Any, tables: frozenset[str] = frozenset({"profiles"})) -> None:
        """Raises `InvalidFault` (SEGMENT_INVALID) with the place of what is not allowed. `tables` are the
        names that may be read."""
        kind = _class(plan)
        if kind == _WITH:
            # Each name is known to those after it, and to the query beneath.
            for named in _each(plan.innerChildren()):
                self.check_query(named, tables)
                tables |= {str(named.alias()).lower()}
        elif kind == _RELATION:
            self._check_table(plan, tables)
        elif kind == _TABLE_FUNCTION:
            self._check_function(plan, plan.name(), _TABLE_FUNCTIONS, "table function")
        elif kind not in _PLANS:
            raise self._fault("a segment is one SELECT over `profiles`, and nothing else", plan)
        for child in _each(plan.children()):
            self.check_query(child, tables)
        for expression in _each(plan.expressions()):
            self.check_expression(expression, tables)

    def check_expression(self, tree: Any, tables: frozenset[str] = frozenset({"profiles"})) -> None:
        kind = _class(tree)
        if kind == "UnresolvedFunction":
            self._check_function(tree, tree.nameParts(), self._functions(), "function")
        elif kind in _PARAMETERS:
            raise self._fault("a segment has no parameters", tree)
        elif kind in _COMPUTED:
            raise self._fault("a segment has no computed names", tree)
        elif kind == "UnresolvedGenerator":
            if tree.name().unquotedString().lower() not in _GENERATORS:
                raise self._fault("LATERAL VIEW takes explode, posexplode and inline here", tree)
        elif kind.startswith("Unresolved") and kind not in _EXPRESSIONS:
            raise self._fault("this has no place in a segment", tree)
        elif kind == "UnresolvedAttribute":
            self.names |= {str(part).lower() for part in _each(tree.nameParts())}
        elif self._session.instance_of(tree, _SUBQUERY):
            self.check_query(tree.plan(), tables)
        for child in _each(tree.children()):
            self.check_expression(child, tables)

    def _check_table(self, relation: Any, tables: frozenset[str]) -> None:
        path = [str(part) for part in _each(relation.multipartIdentifier())]
        if len(path) > 1 or path[0].lower() not in tables or relation.isStreaming():
            told = f"it names {'.'.join(path)!r}"
            raise self._fault(f"a segment reads `profiles` and no other table or file; {told}", relation)

    def _check_function(self, tree: Any, parts: Any, allowed: frozenset[str], what: str) -> None:
        path = [str(part).lower() for part in _each(parts)]
        if path[0] in _FUNCTIONS_DENIED:
            raise self._fault(f"the {what} {path[0]} is not allowed in a segment", tree)
        if len(path) > 1 or path[0] not in allowed:
            raise self._fault(f"the {what} {'.'.join(path)} is none that Spark brings for segments", tree)

    def _functions(self) -> frozenset[str]:
        if self._built_in is None:
            listed = self._session.rows("SHOW SYSTEM FUNCTIONS")
            self._built_in = frozenset(str(row[0]).lower() for row in listed)
        return self._built_in

    def _fault(self, message: str, tree: Any) -> Exception:
        start = tree.origin().startIndex()
        at = len(self._place.text[: start.get()].encode()) if start.isDefined() else None
        return syntax_fault(message, at, self._place, where=self._where)


def _class(tree: Any) -> str:
    return str(tree.getClass().getSimpleName()).rstrip("$")


def _each(sequence: Any) -> Iterator[Any]:
    """The elements of one of Scala's sequences."""
    iterator = sequence.iterator()
    while iterator.hasNext():
        yield iterator.next()
