"""Tables named and shaped as CVAT's (cvat/apps/engine/models.py at v2.73.0), as far as the double fills them.

Tracks, shapes of skeletons, issues, webhooks, cloud storages and organizations have none: the double
refuses them.
"""

from django.conf import settings
from django.db import models

from cvat.line import has

SET_NULL = {"null": True, "blank": True, "on_delete": models.SET_NULL}


class Timestamped(models.Model):
    created_date = models.DateTimeField(auto_now_add=True)
    updated_date = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class Assignable(models.Model):
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="assigned_%(class)ss", **SET_NULL)
    assignee_updated_date = models.DateTimeField(null=True, blank=True, default=None)

    class Meta:
        abstract = True


class Profile(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    rating = models.FloatField(default=0.0)
    last_activity_date = models.DateTimeField(null=True, blank=True, default=None)
    has_analytics_access = models.BooleanField(default=False)
    if has("survey"):
        cvat_usage_reason = models.CharField(blank=True, max_length=255, null=True)
        data_types = models.JSONField(blank=True, default=list)
        discovery_source = models.CharField(blank=True, max_length=255, null=True)
        planned_activities = models.JSONField(blank=True, default=list)
        primary_role = models.CharField(blank=True, max_length=255, null=True)


class Storage(models.Model):
    location = models.CharField(max_length=16, default="local")


class Data(models.Model):
    content_size = models.PositiveBigIntegerField(null=True)
    size = models.PositiveIntegerField(default=0)
    start_frame = models.PositiveIntegerField(default=0)
    stop_frame = models.PositiveIntegerField(default=0)
    frame_filter = models.CharField(max_length=256, default="", blank=True)
    chunk_size = models.PositiveIntegerField(null=True)
    image_quality = models.PositiveSmallIntegerField(default=0)
    compressed_chunk_type = models.CharField(max_length=32, default="imageset")
    original_chunk_type = models.CharField(max_length=32, default="imageset")
    storage_method = models.CharField(max_length=15, default="cache")
    storage = models.CharField(max_length=15, default="share")
    sorting_method = models.CharField(max_length=15, default="lexicographical")
    deleted_frames = models.TextField(default="", blank=True)


class Image(models.Model):
    data = models.ForeignKey(Data, on_delete=models.CASCADE, related_name="images", null=True)
    path = models.CharField(max_length=1024, default="")
    frame = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    is_placeholder = models.BooleanField(default=False)
    real_frame = models.PositiveIntegerField(default=0)


class Video(models.Model):
    data = models.OneToOneField(Data, on_delete=models.CASCADE, related_name="video", null=True)
    path = models.CharField(max_length=1024, default="")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()


class ServerFile(models.Model):
    data = models.ForeignKey(Data, on_delete=models.CASCADE, null=True, related_name="server_files")
    file = models.CharField(max_length=1024)

    class Meta:
        unique_together = ("data", "file")


class Project(Timestamped, Assignable):
    name = models.CharField(max_length=256)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", **SET_NULL)
    bug_tracker = models.CharField(max_length=2000, blank=True, default="")
    status = models.CharField(max_length=32, default="annotation")
    source_storage = models.ForeignKey(Storage, related_name="+", **SET_NULL)
    target_storage = models.ForeignKey(Storage, related_name="+", **SET_NULL)


class Task(Timestamped, Assignable):
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, null=True, blank=True, related_name="tasks"
    )
    name = models.CharField(max_length=256)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="tasks", **SET_NULL)
    bug_tracker = models.CharField(max_length=2000, blank=True, default="")
    status = models.CharField(max_length=32, default="annotation")
    overlap = models.PositiveIntegerField(null=True)
    segment_size = models.PositiveIntegerField(default=0)
    data = models.ForeignKey(Data, on_delete=models.CASCADE, null=True, related_name="tasks")
    dimension = models.CharField(max_length=2, default="", blank=True)
    mode = models.CharField(max_length=32, default="", blank=True)
    media_type = models.CharField(max_length=32, default="", blank=True)
    subset = models.CharField(max_length=64, blank=True, default="")
    source_storage = models.ForeignKey(Storage, related_name="+", **SET_NULL)
    target_storage = models.ForeignKey(Storage, related_name="+", **SET_NULL)
    if has("replica"):
        initial_replicas = models.IntegerField(default=0)
    else:
        consensus_replicas = models.IntegerField(default=0)


class Segment(models.Model):
    task = models.ForeignKey(Task, on_delete=models.CASCADE)
    start_frame = models.IntegerField()
    stop_frame = models.IntegerField()
    chunks_updated_date = models.DateTimeField(auto_now_add=True)
    type = models.CharField(default="range", max_length=32)
    frames = models.TextField(default="", blank=True)


class Job(Timestamped, Assignable):
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE)
    status = models.CharField(max_length=32, default="annotation")
    stage = models.CharField(max_length=32, default="annotation")
    state = models.CharField(max_length=32, default="new")
    type = models.CharField(max_length=32, default="annotation")
    parent_job = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="child_jobs"
    )

    @property
    def task(self):
        return self.segment.task


def _unique_name(parent, other):
    return models.UniqueConstraint(
        name=f"{parent}_name_unique",
        fields=(parent, "name"),
        condition=models.Q(**{f"{other}__isnull": True, "parent__isnull": True}),
    )


def _unique_point(parent, other):
    return models.UniqueConstraint(
        name=f"{parent}_name_parent_unique",
        fields=(parent, "name", "parent"),
        condition=models.Q(**{f"{other}__isnull": True}),
    )


class Label(models.Model):
    task = models.ForeignKey(Task, null=True, blank=True, on_delete=models.CASCADE)
    project = models.ForeignKey(Project, null=True, blank=True, on_delete=models.CASCADE)
    name = models.CharField(max_length=64)
    color = models.CharField(default="", max_length=8)
    type = models.CharField(max_length=32, default="any")
    parent = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="sublabels"
    )

    class Meta:
        constraints = [
            _unique_name("project", "task"),
            _unique_name("task", "project"),
            _unique_point("project", "task"),
            _unique_point("task", "project"),
        ]


class Skeleton(models.Model):
    root = models.OneToOneField(Label, on_delete=models.CASCADE)
    svg = models.TextField(null=True, default=None)


class AttributeSpec(models.Model):
    label = models.ForeignKey(Label, on_delete=models.CASCADE)
    name = models.CharField(max_length=64)
    mutable = models.BooleanField()
    input_type = models.CharField(max_length=16)
    default_value = models.CharField(blank=True, max_length=128)
    values = models.CharField(blank=True, max_length=4096)

    class Meta:
        unique_together = ("label", "name")


class AttributeVal(models.Model):
    id = models.BigAutoField(primary_key=True)
    spec = models.ForeignKey(AttributeSpec, on_delete=models.CASCADE)
    job = models.ForeignKey(Job, on_delete=models.CASCADE)
    value = models.CharField(max_length=4096)

    class Meta:
        abstract = True


class Annotation(models.Model):
    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(Job, on_delete=models.CASCADE)
    label = models.ForeignKey(Label, on_delete=models.CASCADE)
    group = models.PositiveIntegerField(null=True)
    source = models.CharField(max_length=16, default="manual", null=True)
    frame = models.PositiveIntegerField()

    class Meta:
        abstract = True


class LabeledImage(Annotation):
    pass


class LabeledImageAttributeVal(AttributeVal):
    image = models.ForeignKey(LabeledImage, on_delete=models.CASCADE, related_name="attributes")


class LabeledShape(Annotation):
    type = models.CharField(max_length=16)
    occluded = models.BooleanField(default=False)
    outside = models.BooleanField(default=False)
    z_order = models.IntegerField(default=0)
    points = models.TextField(default="")
    rotation = models.FloatField(default=0)
    score = models.FloatField(default=1)
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="elements")


class LabeledShapeAttributeVal(AttributeVal):
    shape = models.ForeignKey(LabeledShape, on_delete=models.CASCADE, related_name="attributes")
