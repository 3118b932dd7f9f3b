"""Where a machine keeps its workspaces: ``$LABELSPACE_HOME``, by default ``~/.labelspace``."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """The folders of one machine; nothing is created by asking for a path."""

    root: Path

    @classmethod
    def find(cls) -> Home:
        """The home that the environment names."""
        return cls(Path(os.environ.get("LABELSPACE_HOME") or Path.home() / ".labelspace").absolute())

    @property
    def tools(self) -> Path:
        """Programs that labelspace downloaded or built."""
        return self.root / "tools"

    @property
    def pulumi_root(self) -> Path:
        """Pulumi's command line; the program is ``bin/pulumi`` inside."""
        return self.tools / "pulumi"

    @property
    def pulumi_home(self) -> Path:
        """Pulumi's plugins and settings, apart from the user's own ``~/.pulumi``."""
        return self.tools / "pulumi-home"

    @property
    def state(self) -> Path:
        """Pulumi's file backend of the home's own project: what is deployed, secrets encrypted."""
        return self.root / "state"

    @property
    def own_project(self) -> Path:
        """The project of commands that run outside of every other project."""
        return self.root / "project"

    @property
    def projects(self) -> Path:
        """State and login of every other project on this machine, one folder each."""
        return self.root / "projects"

    @property
    def keys(self) -> Path:
        """The passphrase of the state and the keys of the backups (0700); they outlive every workspace."""
        return self.root / "keys"

    @property
    def passphrase(self) -> Path:
        """The file whose one line encrypts the secrets of config and state (0600)."""
        return self.keys / "passphrase"

    def backup_key(self, workspace: str) -> Path:
        """The file whose one line encrypts the backups of ``workspace`` (0600)."""
        return self.keys / f"backup-{workspace}"

    def server_key(self, workspace: str) -> Path:
        """The private key (OpenSSH) that opens a server at Scaleway to its admins (0600)."""
        return self.keys / f"server-{workspace}"

    @property
    def identity_file(self) -> Path:
        """The file whose one line names this home, whatever its path: 16 hexadecimal digits."""
        return self.root / "id"

    def identity(self) -> str:
        """The name of this home; empty before anything was made from it."""
        return self.identity_file.read_text().strip() if self.identity_file.exists() else ""

    def made_identity(self) -> str:
        """The name of this home, which is made now if there is none."""
        self.root.mkdir(parents=True, exist_ok=True)
        write_once(self.identity_file, secrets.token_hex(8))
        return self.identity()

    def stored_backup_key(self, workspace: str) -> str:
        """The key of the backups; empty where none is stored, or not for this user."""
        try:
            return self.backup_key(workspace).read_text().strip()
        except (FileNotFoundError, PermissionError):
            return ""

    def made_backup_key(self, workspace: str, given: str = "") -> str:
        """The key of the backups: the stored one, else ``given``, else a new one, which is stored.

        Raises ``OSError`` when it cannot be stored, ``ValueError`` when the stored one is not ``given``.
        """
        self.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_once(self.backup_key(workspace), given or secrets.token_urlsafe(32))
        stored = self.backup_key(workspace).read_text().strip()
        if given and not secrets.compare_digest(stored, given):
            raise ValueError(
                f"backup.encryption_key: this machine's key of {workspace} differs and opens the backups"
                f" that it made: leave backup.encryption_key out, or move {self.backup_key(workspace)} away"
            )
        return stored

    @property
    def buckets(self) -> Path:
        """Dataset buckets of this machine, one folder each."""
        return self.root / "buckets"

    @property
    def gateway(self) -> Path:
        """Metadata and old versions of objects, which the S3 gateways store."""
        return self.root / "gateway"

    @property
    def mounts(self) -> Path:
        """Mount points of remote buckets, one folder for each workspace."""
        return self.root / "mounts"

    @property
    def backups(self) -> Path:
        """Backup repositories, one folder for each workspace."""
        return self.root / "backups"

    @property
    def locks(self) -> Path:
        """One lock file for each workspace that a command works on."""
        return self.root / "locks"

    @property
    def filled_folders(self) -> Path:
        """Which folders of buckets held files, one file for each workspace."""
        return self.root / "filled-folders"

    @property
    def jobs(self) -> Path:
        """Output of the last long command on each workspace, one file each (0600)."""
        return self.root / "jobs"


def write_once(path: Path, text: str) -> None:
    """Write a secret that only this user may read; an existing file stays unchanged."""
    part = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    try:
        os.link(part, path)
    except FileExistsError:
        return
    finally:
        part.unlink()
