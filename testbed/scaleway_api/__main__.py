"""``python -m testbed.scaleway_api [PORT]``: serve the double by hand."""

from __future__ import annotations

import sys

import uvicorn

from testbed.scaleway_api.app import application
from testbed.scaleway_api.cloud import Cloud

uvicorn.run(application(Cloud()), host="127.0.0.1", port=int(sys.argv[1]) if sys.argv[1:] else 8585)
