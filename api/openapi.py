"""Prints the OpenAPI document of the HTTP API: `python -m api.openapi > docs/openapi.json`."""

import sys

import orjson

from api.app import assembled


def main() -> None:
    """Print the document, in an order that does not change."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    sys.stdout.buffer.write(orjson.dumps(assembled().openapi(), option=options))


if __name__ == "__main__":
    main()
