"""The proxy's rules: two upstreams, no look at Docker's socket."""

from __future__ import annotations

SERVER_PATHS = ("/api/*", "/static/*", "/admin", "/admin/*", "/django-rq", "/django-rq/*")
"""What CVAT's own proxy sends to the server; everything else is the UI (labels in docker-compose.yml)."""

_CLOSED = """\
	@register path_regexp (?i)^/+api/+auth/+register
	respond @register `{"detail": "Registration is closed: ask the admin of this workspace."}` 403
"""


def caddyfile(port: int, registration: str) -> str:
    """A Caddyfile for plain HTTP on ``port``; the path that the closed rule matches is the decoded one."""
    closed = _CLOSED if registration == "closed" else ""
    return f"""\
{{
	admin off
	persist_config off
	auto_https off
	servers {{
		timeouts {{
			read_header 30s
			idle 5m
		}}
	}}
}}

:{port} {{
	header {{
		-Server
		X-Content-Type-Options nosniff
		Referrer-Policy same-origin
	}}
{closed}\
	@server path {" ".join(SERVER_PATHS)}
	reverse_proxy @server cvat-server:8080 {{
		header_up X-Forwarded-Proto {{scheme}}
	}}
	reverse_proxy cvat-ui:8000
}}
"""
