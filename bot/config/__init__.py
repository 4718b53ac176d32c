"""`hms.yaml`: read, checked whole with every fault at once, and turned into operations' values.

From the file up: `document` (YAML with places), `values` and `sections` (the shape), `sentences` (pydantic's
errors for people), `parts`, `rules` and `approvals` (what holds between keys), `catalog` (operations'
targets), `reading` (all of it in order). Reads no environment and reaches nothing but the file.
"""

from bot.config.reading import load_config
from bot.config.schema import Config, config_schema

__all__ = ["Config", "config_schema", "load_config"]
