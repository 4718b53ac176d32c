"""Dual mode: HMS-OPS and HMS-SYS side by side on a target, until both have agreed for long enough.

`shadow`: HMS-OPS deploys as before, HMS-SYS plans and watches. `verify`: HMS-SYS deploys, and HMS-OPS's
status is asked afterwards. Either way what differed is kept, and decides when a target may switch.
"""
