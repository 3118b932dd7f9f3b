"""A migration as it should be: a column with a default, a table, and a row in it for each project."""

from django.db import migrations, models


def fill(apps, _):
    notes = apps.get_model("engine", "ProjectNote").objects
    for project in apps.get_model("engine", "Project").objects.all():
        notes.create(project=project, text="made by the migration")


class Migration(migrations.Migration):
    dependencies = [("engine", "0001_initial")]
    operations = [
        migrations.AddField("Task", "difficulty", models.IntegerField(default=0)),
        migrations.CreateModel(
            "ProjectNote",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("text", models.TextField()),
                ("project", models.ForeignKey("engine.Project", on_delete=models.CASCADE)),
            ],
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
