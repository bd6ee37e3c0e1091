"""``python -m vmaftune.events`` prints the JSON Schema of a line; docs/events.schema.json is its output."""

from vmaftune.events.json_schema import schema_text

print(schema_text(), end="")
