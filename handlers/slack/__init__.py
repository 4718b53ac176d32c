"""Slack: commands, buttons and the form come in here, and notices go out.

The only room besides `bot` where Slack's SDK appears. `views` are pure functions to Block Kit,
`boundary` is the only translator of errors to Slack, `app` and `socket` are what `bot` wires up.
"""
