"""The REST paths of CVAT 2.73 that labelspace calls; the rest is 501."""
