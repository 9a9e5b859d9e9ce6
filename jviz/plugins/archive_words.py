"""Words of the language ADQL 2.1 (https://www.ivoa.net/documents/ADQL/)."""

from __future__ import annotations

__all__ = ["WORDS"]

WORDS = frozenset({
    "ABS", "ACOS", "ALL", "AND", "ANY", "AREA", "AS", "ASC", "ASIN", "ATAN", "ATAN2", "AVG", "BETWEEN", "BOX",
    "BY", "CASE", "CAST", "CEILING", "CENTROID", "CIRCLE", "COALESCE", "CONTAINS", "COORD1", "COORD2",
    "COORDSYS", "COS", "COUNT", "CROSS", "DEGREES", "DESC", "DISTANCE", "DISTINCT", "ELSE", "END", "EXCEPT",
    "EXISTS", "EXP", "FLOOR", "FROM", "FULL", "GROUP", "HAVING", "ILIKE", "IN", "IN_UNIT", "INNER", "INTERSECT",
    "INTERSECTS", "IS", "JOIN", "LEFT", "LIKE", "LOG", "LOG10", "LOWER", "MAX", "MIN", "MOD", "NATURAL", "NOT",
    "NULL", "OFFSET", "ON", "OR", "ORDER", "OUTER", "PI", "POINT", "POLYGON", "POWER", "RADIANS", "RAND",
    "REGION", "RIGHT", "ROUND", "SELECT", "SIN", "SQRT", "SUM", "TAN", "THEN", "TOP", "TRUNCATE", "UNION",
    "UPPER", "USING", "WHEN", "WHERE", "WITH",
})  # fmt: skip
