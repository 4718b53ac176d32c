"""Deployments: what may ship, who agreed, and how a rollout goes from a request to its end.

Targets, releases and rollouts are plain values; `policy` decides, `service` answers people and
`worker` carries rollouts out. Knows no provider, no database and no chat by name.
"""
