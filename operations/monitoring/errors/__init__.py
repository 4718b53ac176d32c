"""The central log: events that come in, groups of errors, and what people do about them.

Knows no platform, no Slack and no SQL. What is alerted is `operations.monitoring`'s own matter: an error
rate is a check like any other.
"""
