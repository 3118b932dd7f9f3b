"""The compose file of the server, rendered from CVAT's services. It names secret files and contains none."""

from __future__ import annotations

from typing import Any

import yaml

from labelspace.container_spec import Health, Service
from labelspace.cvat.config_files import DATABASE_PASSWORD
from labelspace.cvat.names import DATABASE_ALIAS
from labelspace.naming import PART_LABEL, WORKSPACE_LABEL, resource_name
from labelspace.targets.scaleway.boot_config import BootConfig, file_path
from labelspace.targets.scaleway.bucket import SHARE

Node = dict[str, Any]
"""A mapping of the compose file, whose keys compose defines."""
SHARE_INSIDE = "/home/django/share"
STOP_SECONDS = 30
"""Seconds between SIGTERM and SIGKILL when a container stops; databases need them to write their data."""


def compose(boot: BootConfig) -> str:
    """The compose file as YAML. Secret files are bind-mounted from ``/run``, which is in memory."""
    volumes = sorted({name for service in boot.services.values() for name in service.volumes})
    document = {
        "name": "labelspace",
        "services": {name: _service(one, boot) for name, one in boot.services.items()},
        "volumes": {name: _volume(boot, name) for name in volumes},
    }
    return dump_yaml(document)


def _volume(boot: BootConfig, name: str) -> Node:
    labels = {"labels": _labels(boot, name)} if boot.has_own_database else {}
    return {"name": f"{boot.volume_prefix}-{name}", **labels}


def _labels(boot: BootConfig, part: str) -> dict[str, str]:
    return {WORKSPACE_LABEL: boot.workspace, PART_LABEL: part}


def _service(service: Service, boot: BootConfig) -> Node:
    values: Node = {
        "container_name": resource_name(boot.workspace, service.name),
        "labels": _labels(boot, service.name),
        "image": service.image,
        "entrypoint": [_literal(word) for word in service.entrypoint],
        "command": [_literal(word) for word in service.command],
        "environment": {key: _literal(value) for key, value in sorted(service.environment.items())},
        "user": service.user,
        "mem_limit": f"{service.memory}m",
        "memswap_limit": f"{service.memory}m",
        "volumes": _mounts(service),
        "networks": {"default": {"aliases": list(service.aliases)}} if service.aliases else None,
        "extra_hosts": _hosts(service, boot),
        "ports": [f"{outside}:{inside}" for inside, outside in _ports(service)],
        "healthcheck": _health(service.health),
        "cap_drop": ["ALL"],
        "cap_add": list(service.capabilities),
        "security_opt": ["no-new-privileges:true"],
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
        "depends_on": _depends_on(service),
        "init": True,
        "stop_grace_period": f"{STOP_SECONDS}s",
        "restart": service.restart,
    }
    return {key: value for key, value in values.items() if value not in (None, [], {})}


def _literal(text: str) -> str:
    """Escape dollar signs: compose reads one as the start of a variable."""
    return text.replace("$", "$$")


def _needs_database(service: Service) -> bool:
    return service.name != "database" and any(file.path == DATABASE_PASSWORD for file in service.files)


def _hosts(service: Service, boot: BootConfig) -> list[str] | None:
    if boot.has_own_database or not _needs_database(service):
        return None
    return [f"{DATABASE_ALIAS}:{boot.database_host}"]


def _depends_on(service: Service) -> Node | None:
    if not _needs_database(service) or service.name == "migrate":
        return None
    return {"migrate": {"condition": "service_completed_successfully"}}


def _ports(service: Service) -> list[tuple[int, int]]:
    if service.name == "proxy":
        return [(80, 80), (443, 443)]
    return list(service.publishes)


def _mounts(service: Service) -> list[Node]:
    writable = [{"type": "volume", "source": name, "target": path} for name, path in service.volumes.items()]
    readable = [
        {"type": "volume", "source": name, "target": path, "read_only": True}
        for name, path in service.reads.items()
    ]
    files = [_bind(file_path(service, index), file.path) for index, file in enumerate(service.files)]
    share = [_bind(SHARE, SHARE_INSIDE, propagation="rslave")] if service.mounts_share else []
    host_files = [_bind(path, inside) for path, inside in service.host_files.items()]
    return [*writable, *readable, *files, *share, *host_files]


def _bind(source: str, target: str, **options: Any) -> Node:
    """A read-only bind mount. A missing source is an error; Docker's default would create a folder."""
    bind = {"create_host_path": False, **options}
    return {"type": "bind", "source": source, "target": target, "read_only": True, "bind": bind}


def _health(health: Health | None) -> Node | None:
    if health is None:
        return None
    return {
        "test": [_literal(word) for word in health.command],
        "interval": f"{health.interval}s",
        "timeout": f"{health.timeout}s",
        "retries": health.retries,
        "start_period": f"{health.start_period}s",
    }


def dump_yaml(document: Node) -> str:
    """YAML with texts of several lines as blocks, without anchors and without wrapped lines."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=4096)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and no anchors."""

    def ignore_aliases(self, _: Any) -> bool:
        """Return True: repeated values are written again instead of referenced."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
