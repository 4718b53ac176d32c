"""What other components are told of, as signed calls to an address of theirs.

The audit trail is the source: it has every change once, in order. A component has a place in it up to which
its calls were made ready; from there on each call is a row that is delivered, put off, or dead.
"""
