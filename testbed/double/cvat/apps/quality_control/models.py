"""Settings of quality, a row for each task; the double never reads them."""

from django.db import models

from cvat.apps.engine.models import Task
from cvat.apps.quality_control.columns import COLUMNS
from cvat.line import has


class QualitySettings(models.Model):
    task = models.OneToOneField(Task, on_delete=models.CASCADE, related_name="quality_settings")
    max_validations_per_job = models.PositiveIntegerField(default=0)


if has("requirements"):

    class QualityRequirement(models.Model):
        settings = models.ForeignKey(QualitySettings, on_delete=models.CASCADE, related_name="requirements")
        name = models.CharField(max_length=250)

else:
    for name, field in COLUMNS.items():
        QualitySettings.add_to_class(name, field)
