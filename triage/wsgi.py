import gc
import os

from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError, connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "triage.settings")
application = get_wsgi_application()

# After get_wsgi_application(): nothing of ours can be imported before the apps are there.
from triage.content.knowledge import compile_live_releases  # noqa: E402 - see above

try:
    compile_live_releases()
except DatabaseError:
    pass  # not there or not migrated: every page says so until it is, and then compiles by itself
finally:
    connections.close_all()  # a connection must not be shared by the workers forked from here

# What is there now stays for good. A worker that looked through it for what can go would write into
# every page of it, and so have for itself what it shares with the others.
gc.freeze()
