"""How right, how safe and how short the checker is, measured on cases. Pure: no file, clock or chance.

Cases come in as lines of text or are drawn with a generator that the caller hands in; what comes
out are plain values and tables.
"""
