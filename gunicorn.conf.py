"""How the checker is served; gunicorn reads this file by itself."""

import os
from pathlib import Path

# Before numpy is imported, or each worker starts a BLAS thread for every core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = 4
preload_app = True  # knowledge is compiled once, before the workers fork

timeout = 15
graceful_timeout = 30
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
limit_request_line = 4094
limit_request_fields = 50

# The heartbeat must not wait for a disk, and a read-only machine has no home to put a socket in.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
control_socket_disable = True

accesslog = None  # triage.middleware writes a line without paths and addresses
