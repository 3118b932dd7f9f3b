"""Thresholds of quality: columns of the settings, until the line that makes requirements of them."""

from django.db import models

COLUMNS = {
    "check_covered_annotations": models.BooleanField(default=True),
    "compare_attributes": models.BooleanField(default=True),
    "compare_groups": models.BooleanField(default=True),
    "compare_line_orientation": models.BooleanField(default=True),
    "empty_is_annotated": models.BooleanField(default=False),
    "group_match_threshold": models.FloatField(default=0.5),
    "iou_threshold": models.FloatField(default=0.4),
    "line_orientation_threshold": models.FloatField(default=0.1),
    "line_thickness": models.FloatField(default=0.01),
    "low_overlap_threshold": models.FloatField(default=0.8),
    "object_visibility_threshold": models.FloatField(default=0.05),
    "oks_sigma": models.FloatField(default=0.09),
    "panoptic_comparison": models.BooleanField(default=True),
    "point_size_base": models.CharField(max_length=32, default="group_bbox_size"),
    "target_metric": models.CharField(max_length=32, default="accuracy"),
    "target_metric_threshold": models.FloatField(default=0.7),
}
