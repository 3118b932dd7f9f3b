"""Lists as CVAT pages, filters, searches and sorts them; a parameter that is not known here is a 501."""

import json
import operator

from django.core.exceptions import FieldError
from django.db.models import Q
from rest_framework.exceptions import NotFound
from rest_framework.exceptions import ValidationError as Refused
from rest_framework.response import Response

from cvat.apps.engine.unknown import NotInTheDoubleError

PAGING = {"page", "page_size", "search", "filter", "sort", "org", "org_id"}
COMPARISONS = {"==": "", "<": "__lt", "<=": "__lte", ">": "__gt", ">=": "__gte"}


def listed(request, queryset, row, *, fields, search=("name",), order="-id", seen=()):
    """One page of ``queryset``, filtered by query parameters but those ``seen`` to already.

    ``fields`` maps their names to Django's.
    """
    queryset = _sorted(request, _filtered(request, queryset, fields, search, seen), fields, order)
    size = min(max(_number(request, "page_size", 10), 1), 500)
    number, count = _number(request, "page", 1), queryset.count()
    pages = max(1, -(-count // size))
    if not 1 <= number <= pages:
        raise NotFound("Invalid page.")
    rows = [row(request, one) for one in queryset[(number - 1) * size : number * size]]
    following = _link(request, number + 1) if number < pages else None
    before = _link(request, number - 1) if number > 1 else None
    return Response({"count": count, "next": following, "previous": before, "results": rows})


def _number(request, name, default):
    try:
        return int(request.query_params.get(name, default))
    except ValueError:
        return default


def _link(request, number):
    query = request.query_params.copy()
    query["page"] = number
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def _filtered(request, queryset, fields, search, seen):
    for name, value in request.query_params.items():
        if name in fields:
            queryset = queryset.filter(**{fields[name]: value})
        elif name not in {*PAGING, *seen}:
            raise NotInTheDoubleError(f"the query parameter {name}")
    if word := request.query_params.get("search"):
        matches = [Q(**{f"{field}__icontains": word}) for field in search]
        queryset = queryset.filter(_joined(operator.or_, matches))
    if rule := request.query_params.get("filter"):
        queryset = queryset.filter(_rule(_parsed(rule), fields))
    return queryset.distinct()


def _parsed(rule):
    try:
        return json.loads(rule)
    except ValueError as error:
        raise Refused([f"filter: can't parse filter expression: {error}"]) from None


def _joined(how, parts):
    first, *rest = parts
    for part in rest:
        first = how(first, part)
    return first


def _rule(rule, fields):
    """JSON logic: and, or, !, comparisons of a variable with a value."""
    [(word, arguments)] = rule.items()
    if word in ("and", "or"):
        how = operator.and_ if word == "and" else operator.or_
        return _joined(how, [_rule(part, fields) for part in arguments])
    if word == "!":
        return ~_rule(arguments, fields)
    if word not in COMPARISONS:
        raise NotInTheDoubleError(f"the filter word {word}")
    name = arguments[0]["var"]
    if name != "id" and name not in fields:
        raise NotInTheDoubleError(f"filtering by {name}")
    return Q(**{fields.get(name, "id") + COMPARISONS[word]: arguments[1]})


def _sorted(request, queryset, fields, order):
    wanted = request.query_params.get("sort")
    if not wanted:
        return queryset.order_by(order)
    names = [
        ("-" if name.startswith("-") else "") + fields.get(name.lstrip("-"), name.lstrip("-"))
        for name in wanted.split(",")
    ]
    try:
        return queryset.order_by(*names)
    except FieldError as error:
        raise Refused({"sort": [str(error)]}) from None
