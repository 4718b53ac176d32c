"""Pure functions from values to Slack messages: no awaiting, no clock, no look-ups.

`blocks` holds the atoms and is the only place that escapes text and knows Slack's limits.
"""
