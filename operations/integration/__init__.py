"""How HMS-SYS fits to other programs: what HMS-OPS left behind is read here.

Knows no Slack, no SQL and no file: texts and values in, values out.
"""
