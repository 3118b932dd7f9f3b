"""Another team's stack: photos come in, people label them, and the team's own report counts judgements."""

import pulumi
import pulumi_docker as docker
import pulumi_random as random

from labelspace import (
    AdminArgs,
    AnnotationDatabase,
    Annotators,
    BackupArgs,
    DatasetBucket,
    LabelSchema,
    Workspace,
)

config = pulumi.Config()
name, port = pulumi.get_stack(), config.get_int("port") or 8090

# A bucket before there is any workspace: the team's cameras upload to it.
incoming = DatasetBucket(f"{name}-incoming", port=port + 2)

# A workspace that labels this bucket; its admin's password is one that the team makes itself.
password = random.RandomPassword("admin", length=24, min_lower=1, min_upper=1, min_numeric=1)
workspace = Workspace(
    name,
    description=pulumi.Output.concat("Photos of ", incoming.bucket),
    buckets=[incoming],
    admin=AdminArgs(password=password.result),
    port=port,
)

# What people label in it, and who.
cars = LabelSchema(
    "cars",
    workspace=workspace,
    labels=[
        {"name": "car", "type": "rectangle", "attributes": [{"name": "parked", "input": "checkbox"}]},
        {"name": "plate", "type": "polygon"},
    ],
)
people = Annotators("people", workspace=workspace, annotators=[{"email": "ann@example.org"}])

# A database of its own, archived and backed up like a workspace's, and a program of the team on it.
judgements = AnnotationDatabase(f"{name}-judgements", backup=BackupArgs(retention_days=3))
report = docker.Container(
    "report",
    name=f"{name}-report",
    image="postgres:15-bookworm",
    command=["psql", "--no-psqlrc", "-c", "CREATE TABLE IF NOT EXISTS judgement (frame int, verdict text)"],
    envs=[
        pulumi.Output.concat("PGHOST=", judgements.host),
        pulumi.Output.concat("PGDATABASE=", judgements.database),
        pulumi.Output.concat("PGUSER=", judgements.user),
        "PGPASSFILE=/run/pgpass",
    ],
    uploads=[
        docker.ContainerUploadArgs(
            file="/run/pgpass",
            content=pulumi.Output.concat("*:*:*:*:", judgements.password, "\n"),
            permissions="0600",
        )
    ],
    networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=judgements.network)],
    attach=True,
    must_run=False,
    opts=pulumi.ResourceOptions(additional_secret_outputs=["uploads"]),
)

pulumi.export("url", workspace.url)
pulumi.export("admin_password", workspace.admin_password)
pulumi.export("incoming", {"endpoint": incoming.endpoint, "folder": incoming.folder})
pulumi.export("secret_key", incoming.secret_key)
pulumi.export("judgements", {"host": judgements.host, "backups": judgements.backups})
pulumi.export("project", {"name": cars.project, "number": cars.number, "not_signed_up": people.missing})
pulumi.export("report", report.exit_code)
