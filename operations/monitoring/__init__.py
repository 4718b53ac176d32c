"""Monitoring: standing questions about targets, and alerts when their answers change.

Checks and alerts are plain values; `policy` decides, `watching` asks and stores, `alerting` answers
people. Does not know deployment: what a rollout has to do with an alert comes in through a port.
"""
