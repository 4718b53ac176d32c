"""`python -m bench`: measures the product, each figure beside its floor or limit of the same run.

Everything runs on this machine against stand-ins on loopback, each in its own process where that matters.
May import everything; nothing imports it but its own tests.
"""
