"""Messages for ways where nothing moves: mail, and what the Apprise library reaches.

`pages` says what a message is made of, `rendering` turns that into HTML and text and is the one place that
escapes; `alerts` and `rollouts` are pure views; `notices` delivers. Not here: how a letter travels.
"""
