"""How fast, how short, how light: each module is one command, `python3 dev.py bench NAME`.

Absolute times say little on a shared machine, so what counts is the ratio of two things measured
in turn, in one process.
"""

import os

# Before numpy is imported, as the checker itself does it: a second thread would cost more here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
