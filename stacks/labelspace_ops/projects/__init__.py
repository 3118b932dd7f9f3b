"""What users do with CVAT projects: tasks, annotators, exports, subsets."""
