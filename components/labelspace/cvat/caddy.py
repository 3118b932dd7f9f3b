"""The proxy's Caddyfile: two upstreams, no access to Docker's socket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pulumi

SERVER_PATHS = ("/api/*", "/static/*", "/admin", "/admin/*", "/django-rq", "/django-rq/*")
"""What CVAT's own proxy sends to the server; everything else is the UI (labels in docker-compose.yml)."""
NOTES = "/notes"
"""The folder that a workspace which may sleep shares between proxy, workers and sleeper."""
WAKING_PAGE = "/srv/labelspace/waking.html"
ALIVE_PATH = "/.labelspace/alive"
TRUSTED = "/etc/caddy/acme-ca.pem"
ACCOUNT = "/etc/caddy/acme-account"
"""One line of Caddyfile with the account at the authority; its own file, because it is secret."""
CERTIFICATE = "/etc/caddy/certificate.pem"
KEY = "/etc/caddy/key.pem"
HTTPS_PORT = 8443
"""Port inside the proxy's container that serves the user's certificate."""
LOCAL_HOSTS = ("127.0.0.1", "::1", "localhost", "*.localhost", "cvat-proxy")
"""Hosts that programs of this machine and of the workspace ask for, by plain HTTP."""
READINESS_HEADER = "X-Labelspace-Readiness"
"""Marks requests of the readiness check, which must reach CVAT while others get the waking page."""
PROBE_HEADER = "X-Labelspace-Probe"
"""Marks monitoring requests, which must not wake the workspace."""

_CLOSED = """\
	@register path_regexp (?i)^/+api/+auth/+register
	respond @register `{"detail": "Registration is closed: ask the admin of this workspace."}` 403
"""
_OWN_ADDRESS = "header_up X-Forwarded-Proto {scheme}"
_ADDRESS_SEEN = (
    "header_up X-Forwarded-Proto {vars.scheme_seen}\n\t\theader_up X-Forwarded-Host {vars.host_seen}"
)
"""What CVAT learns of the address in the browser: the proxy's own, or the one of ``_address_seen``."""
_NOTE = """\
	log {name} {{
		output file {notes}/{name} {{
			roll_size 1MiB
			roll_keep 1
		}}
		format filter {{
			wrap json
			fields {{
				request delete
				resp_headers delete
			}}
		}}
		no_hostname
	}}
"""
_OPEN_TO_ALL = (
    "/api/server/*",
    "/api/auth/*",
    "/api/schema*",
    "/api/docs*",
    "/api/swagger*",
    "/admin/login*",
)
"""Paths that answer 200 without a login, so a request is no sign of a user."""


@dataclass(frozen=True)
class Https:
    """A public name for which the proxy gets a certificate by itself."""

    host: str
    directory: str = ""
    """Where certificates come from (ACME); none: Caddy's own choice, Let's Encrypt first."""
    trusted: str = ""
    """PEM of the certificate authority of ``directory`` itself, when no system trusts it."""
    email: str = ""
    """Contact for the authorities; with it, and without ``directory``, Caddy asks ZeroSSL after Let's Encrypt
    (``DefaultIssuers`` of Caddy)."""
    after_lets_encrypt: bool = False
    """Let's Encrypt is asked first, and ``directory`` when it gives no certificate."""
    account: pulumi.Input[str] = ""
    """Secret content of the file ``ACCOUNT``, as ``eab_line`` makes it; none: the authority needs none."""


@dataclass(frozen=True)
class OwnCertificate:
    """A certificate of the user's, with which this proxy itself serves HTTPS."""

    url: str
    """The address that browsers open: ``https``, host and port."""
    chain: str
    """PEM of the certificate and of intermediate authorities."""
    key: pulumi.Input[str]
    """PEM of the private key; secret."""


@dataclass(frozen=True)
class Public:
    """The address that browsers open when another proxy with TLS is in front."""

    url: str
    """Scheme, host and perhaps port."""
    proxies: tuple[str, ...]
    """Networks from which that proxy connects."""

    @property
    def scheme(self) -> str:
        """``https`` or ``http``."""
        return self.url.partition("://")[0]

    @property
    def host(self) -> str:
        """The host, with the port when the URL names one."""
        return self.url.partition("://")[2]


def caddyfile(
    port: int,
    registration: str,
    https: Https | None = None,
    *,
    sleeps: bool = False,
    public: Public | None = None,
    own_url: str = "",
) -> str:
    """A Caddyfile for plain HTTP on ``port`` and, when given, for ``https``.

    ``registration``: ``open`` or ``closed``. ``public``: the proxy in front, if there is one.

    The path that the closed rule matches is the decoded one. With ``sleeps``, an answer to a signed-in user
    is noted in ``activity`` (the time alone); while the file ``asleep`` is there, a request is noted in
    ``wake`` and gets the waking page. ``own_url`` is the HTTPS address that the user's certificate is for.
    """
    closed = _CLOSED if registration == "closed" else ""
    address = _ADDRESS_SEEN if public else _OWN_ADDRESS
    rules = _sleeping(closed, address) if sleeps else closed + _forward(address)
    site = f"""\
	header {{
		-Server
		X-Content-Type-Options nosniff
		Referrer-Policy same-origin
	}}
{_address_seen(public) if public else ""}\
{rules}\
"""
    return f"""\
{{
	admin off
	persist_config off
{_certificates(https)}\
	servers {{
{_trusted_proxies(public)}\
{_TIMEOUTS}\
	}}
{_HTTPS_SERVER if own_url else ""}\
}}

{_sites(f":{port}" if https is None else f":{port}, {https.host}", site, own_url)}"""


_TIMEOUTS = """\
		timeouts {
			read_header 30s
			idle 5m
		}
"""
_HTTPS_SERVER = f"""\
	servers :{HTTPS_PORT} {{
		protocols h1 h2
		listener_wrappers {{
			http_redirect
			tls
		}}
{_TIMEOUTS}\
	}}
"""
"""Answers plain HTTP on the port of HTTPS with a redirect. No HTTP/3: only TCP ports are published."""


def _sites(addresses: str, site: str, own_url: str) -> str:
    """One site, or one more for HTTPS; then plain HTTP serves only ``LOCAL_HOSTS``."""
    if not own_url:
        return f"{addresses} {{\n{site}}}\n"
    return f"""\
(workspace) {{
{site}\
}}

http://{addresses} {{
	@other_host not host {" ".join(LOCAL_HOSTS)}
	redir @other_host {own_url}{{uri}} 308
	import workspace
}}

https://:{HTTPS_PORT} {{
	tls {CERTIFICATE} {KEY}
	import workspace
}}
"""


def _forward(address: str) -> str:
    return f"""\
	@server path {" ".join(SERVER_PATHS)}
	reverse_proxy @server cvat-server:8080 {{
		{address}
	}}
	reverse_proxy cvat-ui:8000
"""


def _certificates(https: Https | None) -> str:
    if https is None:
        return "\tauto_https off\n"
    email = f"\temail {https.email}\n" if https.email else ""
    if https.after_lets_encrypt or https.account:
        return email + _issuers(https)
    directory = f"\tacme_ca {https.directory}\n" if https.directory else ""
    return email + directory + (f"\tacme_ca_root {TRUSTED}\n" if https.trusted else "")


def _issuers(https: Https) -> str:
    """The authorities in the order in which Caddy asks them (its global option ``cert_issuer``)."""
    first = "\tcert_issuer acme\n" if https.after_lets_encrypt else ""
    trusted = f"\t\ttrusted_roots {TRUSTED}\n" if https.trusted else ""
    account = f"\t\timport {ACCOUNT}\n" if https.account else ""
    return f"{first}\tcert_issuer acme {{\n\t\tdir {https.directory}\n{trusted}{account}\t}}\n"


def eab_line(key_id: str, mac_key: str) -> str:
    """The line of Caddyfile that binds to an account at an authority (``eab`` of Caddy's ``acme`` issuer)."""
    return f"eab {key_id} {mac_key}\n"


def _trusted_proxies(public: Public | None) -> str:
    """Keep the client addresses that these proxies report, and nobody else's."""
    if public is None:
        return ""
    return f"\t\ttrusted_proxies static {' '.join(public.proxies)}\n\t\ttrusted_proxies_strict\n"


def _address_seen(public: Public) -> str:
    """Set which address the browser sees: the public one for what a trusted proxy forwards.

    Proxies differ in what they send: some keep the host, some add forwarding headers, some do neither, and
    then a browser's ``Origin`` tells.
    """
    name = public.host.partition(":")[0]
    forwarded = (f"header({{'{header}': '*'}})" for header in _FORWARDING_HEADERS)
    signs = " || ".join((*forwarded, f"header({{'Origin': '{public.url}'}})", f"host('{name}')"))
    return f"""\
	@from_proxy {{
		remote_ip {" ".join(public.proxies)}
		expression `{signs}`
	}}
	route {{
		vars host_seen {{http.request.hostport}}
		vars scheme_seen {{scheme}}
		vars @from_proxy host_seen {public.host}
		vars @from_proxy scheme_seen {public.scheme}
	}}
"""


_FORWARDING_HEADERS = ("X-Forwarded-Proto", "X-Forwarded-For", "X-Forwarded-Host", "Forwarded")


def _sleeping(closed: str, address: str) -> str:
    notes = "".join(_NOTE.format(name=name, notes=NOTES) for name in ("activity", "wake"))
    return f"""\
{notes}\
	@asleep file {{
		root {NOTES}
		try_files /asleep
	}}
	@user expression `{_SIGNED_IN}`
	route {{
		handle /.labelspace/state.json {{
			log_skip
			header Cache-Control no-store
			root * {NOTES}
			rewrite * /state.json
			file_server
		}}
		handle {ALIVE_PATH} {{
			log_skip
			respond 204
		}}
		handle /.labelspace/wake {{
			log_name wake
			respond 202
		}}
		handle @asleep {{
			route {{
{_ASLEEP}\
			}}
		}}
{closed}\
		handle @user {{
			log_name activity
			reverse_proxy cvat-server:8080 {{
				{address}
				@refused status 301 302 303 307 308 4xx 5xx
				handle_response @refused {{
					log_skip
					copy_response
				}}
			}}
		}}
		log_skip
{_forward(address)}\
	}}
"""


_CREDENTIALS = "(header({'Cookie': '*sessionid=*'}) || header({'Authorization': '*'}))"
_SIGNED_IN = (
    f"path('/api/*', '/admin/*') && !path({', '.join(repr(path) for path in _OPEN_TO_ALL)}) && {_CREDENTIALS}"
)
_ASLEEP = f"""\
			@still path /robots.txt /favicon.ico
			handle @still {{
				log_skip
				respond "User-agent: *\\nDisallow: /\\n" 200
			}}
			@probe header {PROBE_HEADER} *
			handle @probe {{
				log_skip
				respond 503
			}}
			log_name wake
			header Cache-Control no-store
			header Retry-After 5
			@readiness header {READINESS_HEADER} *
			handle @readiness {{
				reverse_proxy cvat-server:8080
			}}
			@program {{
				not {{
					method GET HEAD
					not path /api/*
				}}
			}}
			respond @program `{{"detail": "The workspace is waking up: try again in a few seconds."}}` 503
			root * /srv/labelspace
			rewrite * /waking.html
			file_server {{
				status 503
			}}
"""
