"""The double's tables."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

USER = {
    "null": True,
    "on_delete": django.db.models.deletion.SET_NULL,
    "related_name": "+",
    "to": settings.AUTH_USER_MODEL,
}


def parent(to, **extra):
    return models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to=to, **extra)


class Migration(migrations.Migration):
    initial = True
    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.CreateModel(
            "Project",
            [
                ("id", models.AutoField(primary_key=True)),
                ("name", models.CharField(max_length=256)),
                ("created_date", models.DateTimeField(auto_now_add=True)),
                ("owner", models.ForeignKey(**USER)),
                ("assignee", models.ForeignKey(**USER)),
            ],
        ),
        migrations.CreateModel(
            "Task",
            [
                ("id", models.AutoField(primary_key=True)),
                ("name", models.CharField(max_length=256)),
                ("created_date", models.DateTimeField(auto_now_add=True)),
                ("state", models.CharField(default="Queued", max_length=16)),
                ("message", models.TextField(default="")),
                ("files", models.JSONField(default=list)),
                ("annotations", models.JSONField(default=dict)),
                ("owner", models.ForeignKey(**USER)),
                ("assignee", models.ForeignKey(**USER)),
                ("project", parent("engine.project")),
            ],
        ),
        migrations.CreateModel(
            "Label",
            [
                ("id", models.AutoField(primary_key=True)),
                ("name", models.CharField(max_length=64)),
                ("body", models.JSONField(default=dict)),
                ("project", parent("engine.project", related_name="labels")),
                ("task", parent("engine.task", related_name="labels")),
            ],
        ),
    ]
