"""The shape of `hms.yaml`, key by key: what is deployed, what is watched, and other programs.

What holds between keys (a target that exists, an approval that can be given) is in `bot.config.rules`;
how faults are worded is in `sentences`. Docstrings of fields become the JSON Schema's descriptions and
the reference.
"""
