"""The proxy's rules: two upstreams, no look at Docker's socket."""

from __future__ import annotations

from dataclasses import dataclass

SERVER_PATHS = ("/api/*", "/static/*", "/admin", "/admin/*", "/django-rq", "/django-rq/*")
"""What CVAT's own proxy sends to the server; everything else is the UI (labels in docker-compose.yml)."""

_CLOSED = """\
	@register path_regexp (?i)^/+api/+auth/+register
	respond @register `{"detail": "Registration is closed: ask the admin of this workspace."}` 403
"""


@dataclass(frozen=True)
class Https:
    """A public name for which the proxy gets a certificate by itself."""

    host: str
    directory: str = ""
    """Where certificates come from (ACME); none: Caddy's own choice, Let's Encrypt first."""
    trusted: str = ""
    """A file with the certificate authority of ``directory`` itself, when no system trusts it."""


def caddyfile(port: int, registration: str, https: Https | None = None) -> str:
    """A Caddyfile for plain HTTP on ``port``, and for ``https`` beside it.

    The path that the closed rule matches is the decoded one.
    """
    closed = _CLOSED if registration == "closed" else ""
    sites = f":{port}" if https is None else f":{port}, {https.host}"
    return f"""\
{{
	admin off
	persist_config off
{_certificates(https)}\
	servers {{
		timeouts {{
			read_header 30s
			idle 5m
		}}
	}}
}}

{sites} {{
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


def _certificates(https: Https | None) -> str:
    if https is None:
        return "\tauto_https off\n"
    directory = f"\tacme_ca {https.directory}\n" if https.directory else ""
    return directory + (f"\tacme_ca_root {https.trusted}\n" if https.trusted else "")
