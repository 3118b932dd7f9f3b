"""Tasks from the share, their one job, and its annotations."""

from django.contrib.auth.models import User
from django.db import models


class Project(models.Model):
    name = models.CharField(max_length=256)
    owner = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    assignee = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_date = models.DateTimeField(auto_now_add=True)


class Task(models.Model):
    name = models.CharField(max_length=256)
    project = models.ForeignKey(Project, null=True, on_delete=models.CASCADE)
    owner = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    assignee = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_date = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=16, default="Queued")
    message = models.TextField(default="")
    files = models.JSONField(default=list)
    annotations = models.JSONField(default=dict)


class Label(models.Model):
    name = models.CharField(max_length=64)
    project = models.ForeignKey(Project, null=True, on_delete=models.CASCADE, related_name="labels")
    task = models.ForeignKey(Task, null=True, on_delete=models.CASCADE, related_name="labels")
    body = models.JSONField(default=dict)
